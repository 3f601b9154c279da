//! The bytes of a backup: a line that says what the file is, frames of rows, and the manifest as
//! the last frame.
//!
//! A frame is the length of its body, its kind, a checksum over both and the body, and the body.
//! Rows are written as in the write-ahead log and packed by LZ4. Whatever is cut off, changed or
//! added anywhere is noticed.

use std::io::{self, Read, Write};

use serde::Serialize;

use crate::store::Error;
use crate::store::record::LAYOUT;
use crate::store::wal;
use crate::text::hash::Sha256Parts;

use super::manifest::{Cut, Manifest};

/// The number of the form of the file.
const FORMAT: u32 = 1;

/// With what the first line begins; the number of the form follows.
const NAME: &str = "reveille backup ";

/// With what a backup of this form begins.
const FIRST_LINE: &[u8] = b"reveille backup 1\n";

/// Length, kind, checksum.
const HEAD_BYTES: usize = 4 + 1 + 4;

/// No frame has more bytes, packed or not: rows are short, and a frame ends soon.
const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a backup holds in memory while it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupLimits {
    /// Rows are written as a frame when they have so many bytes.
    pub frame_bytes: usize,
    /// What is changed while one frame is written is kept up to so many bytes.
    pub tap_bytes: usize,
    /// It is given up when so many bytes of open records were changed since it began: the next
    /// checkpoint waits for it.
    pub changed_bytes: u64,
}

impl Default for BackupLimits {
    fn default() -> Self {
        Self {
            frame_bytes: 1024 * 1024,
            tap_bytes: 64 * 1024 * 1024,
            changed_bytes: 256 * 1024 * 1024,
        }
    }
}

const ROWS: u8 = 1;
const MANIFEST: u8 = 2;

/// A backup that is being written.
pub struct BackupWriter<'out> {
    out: &'out mut dyn Write,
    hash: Sha256Parts,
    bytes: u64,
    frames: u64,
    rows: u64,
    frame_bytes: usize,
    /// Rows of the next frame.
    plain: Vec<u8>,
}

impl<'out> BackupWriter<'out> {
    /// Begins one.
    pub fn begin(out: &'out mut dyn Write, frame_bytes: usize) -> Result<Self, Error> {
        let mut writer = Self {
            out,
            hash: Sha256Parts::default(),
            bytes: 0,
            frames: 0,
            rows: 0,
            frame_bytes,
            plain: Vec::with_capacity(frame_bytes),
        };
        writer.write(FIRST_LINE)?;
        Ok(writer)
    }

    /// Adds a row to the next frame; nothing is written yet.
    pub fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        self.rows += 1;
        wal::write_row(&mut self.plain, key, value).map_err(|error| Error::backup(&error))
    }

    /// Whether the rows that were added are enough for a frame.
    pub fn is_full(&self) -> bool {
        self.plain.len() >= self.frame_bytes
    }

    /// Writes the rows that were added, if there are any.
    pub fn end_frame(&mut self) -> Result<(), Error> {
        if self.plain.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::compress_prepend_size(&self.plain);
        self.plain.clear();
        self.frames += 1;
        self.write(&frame(ROWS, &packed)?)
    }

    /// Writes the manifest, with which the backup is whole.
    pub fn finish(mut self, cut: Cut) -> Result<Manifest, Error> {
        self.end_frame()?;
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            layout: LAYOUT,
            commits: cut.commits,
            made_at: cut.made_at.to_string(),
            frames: self.frames,
            rows: self.rows,
            bytes: self.bytes,
            state_hash: cut.state_hash,
            sha256: self.hash.to_hex(),
        };
        self.write(&frame(MANIFEST, &json(&manifest)?)?)?;
        self.out.flush().map_err(|error| Error::backup(&error))?;
        Ok(manifest)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.add(bytes);
        self.bytes += bytes.len() as u64;
        let written = self.out.write_all(bytes);
        written.map_err(|error| Error::backup(&error))
    }
}

fn json(manifest: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(manifest).map_err(|error| Error::backup(&error))
}

fn frame(kind: u8, body: &[u8]) -> Result<Vec<u8>, Error> {
    let too_long = |_| Error::backup(&"a frame of over 4 GiB");
    let length = u32::try_from(body.len()).map_err(too_long)?;
    let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
    frame.extend(length.to_le_bytes());
    frame.push(kind);
    frame.extend(checksum(&frame, body).to_le_bytes());
    frame.extend_from_slice(body);
    Ok(frame)
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

/// A backup that is being read. What is wrong with it is told as it is to be told to people.
pub struct BackupReader<R> {
    input: R,
    hash: Sha256Parts,
    bytes: u64,
    frames: u64,
    rows: u64,
}

/// What comes next in a backup.
pub enum BackupFrame {
    Rows(wal::Batch),
    /// All that is in front of it is as it says, and nothing follows it.
    Last(Manifest),
}

impl<R: Read> BackupReader<R> {
    /// Begins to read.
    pub fn begin(input: R) -> Result<Self, String> {
        let mut reader = Self {
            input,
            hash: Sha256Parts::default(),
            bytes: 0,
            frames: 0,
            rows: 0,
        };
        let line = reader.take(FIRST_LINE.len())?;
        if line == FIRST_LINE {
            return Ok(reader);
        }
        let number = line.strip_prefix(NAME.as_bytes());
        Err(match number.map(String::from_utf8_lossy) {
            Some(number) if number.starts_with(|it: char| it.is_ascii_digit()) => format!(
                "it is a backup of format {}, and this version reads format {FORMAT}: restore it \
                 with the version that made it",
                number.trim()
            ),
            Some(_) | None => "it is not a backup of Reveille".to_owned(),
        })
    }

    /// Bytes that were read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next frame; after the last one this must not be called again.
    pub fn next(&mut self) -> Result<BackupFrame, String> {
        let (bytes, hash) = (self.bytes, self.hash.to_hex());
        let head = self.take(HEAD_BYTES)?;
        let (head, sum) = head.split_at(HEAD_BYTES - 4);
        let (length, kind) = head.split_at(4);
        let length = number(length) as usize;
        let damaged = |what: &str| format!("{what} at {bytes} is damaged; use another backup");
        if length > FRAME_BYTES_MAX {
            return Err(damaged("what is"));
        }
        let body = self.take(length)?;
        if checksum(head, &body) != number(sum) {
            return Err(damaged("the part"));
        }
        match kind {
            [ROWS] => {
                let rows = unpack(&body).ok_or_else(|| damaged("the rows"))?;
                self.frames += 1;
                self.rows += rows.len() as u64;
                Ok(BackupFrame::Rows(rows))
            }
            [MANIFEST] => {
                let manifest = serde_json::from_slice(&body);
                let manifest = manifest.map_err(|_| damaged("the manifest"))?;
                self.check(&manifest, bytes, &hash)?;
                Ok(BackupFrame::Last(manifest))
            }
            _ => Err(damaged("what is")),
        }
    }

    fn check(&mut self, manifest: &Manifest, bytes: u64, hash: &str) -> Result<(), String> {
        let known = (FORMAT, self.frames, self.rows, bytes, hash);
        let said = (
            manifest.format,
            manifest.frames,
            manifest.rows,
            manifest.bytes,
            &*manifest.sha256,
        );
        if known != said {
            return Err(format!(
                "its manifest speaks of {} bytes with the hash {}, and there are {bytes} with the \
                 hash {hash}; use another backup",
                manifest.bytes, manifest.sha256
            ));
        }
        let mut rest = [0];
        match self.input.read(&mut rest) {
            Ok(0) => Ok(()),
            Ok(_) => Err("something follows its end; use another backup".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; length];
        self.input
            .read_exact(&mut bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    "it ends too early: it was not written to its end; make a new one".to_owned()
                }
                _ => error.to_string(),
            })?;
        self.hash.add(&bytes);
        self.bytes += length as u64;
        Ok(bytes)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn unpack(body: &[u8]) -> Option<wal::Batch> {
    // The length that it names is set aside before it is unpacked.
    let (length, _) = lz4_flex::block::uncompressed_size(body).ok()?;
    if length > FRAME_BYTES_MAX {
        return None;
    }
    let plain = lz4_flex::decompress_size_prepended(body).ok()?;
    wal::read_rows(&plain)
}
