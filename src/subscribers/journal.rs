//! The file that remembers subscribers and what they are still to be told.
//!
//! One line is one change of several records, which counts as a whole: a checksum, a blank, JSON.
//! A line is synced before anybody acts on it. A start reads all lines and writes what is left of
//! them anew. An end that does not read is a line that was never acknowledged, and goes; damage
//! before the end is an error, for nobody knows what it took away.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

const FILE: &str = "journal";
const NEW_FILE: &str = "journal.new";
const CHECKSUM_CHARACTERS: usize = 8;

/// Why subscribers cannot be read or remembered.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("failed to read or write {path}: {source}; check the disk and the permissions")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "line {line} of {path} is damaged and others follow; restore the file from a backup, or \
         move it away to begin without subscribers"
    )]
    Damaged { path: PathBuf, line: usize },
    #[error("an earlier write to {0} failed and could not be undone; restart to go on")]
    Broken(PathBuf),
}

/// The open file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    is_broken: bool,
}

impl Journal {
    /// Opens or makes the journal in a folder, and reads its lines in their order.
    pub fn open<T: DeserializeOwned>(folder: &Path) -> Result<(Self, Vec<T>), JournalError> {
        let path = folder.join(FILE);
        let failed = |source| JournalError::File {
            path: path.clone(),
            source,
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(folder).map_err(failed)?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let (lines, length) = read(&bytes, &path)?;
        let file = open(&path, false).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        sync_folder(folder).map_err(failed)?;
        let journal = Self {
            path: path.clone(),
            file,
            length,
            is_broken: false,
        };
        Ok((journal, lines))
    }

    /// Writes one line and makes it durable. After an error nothing of it counts.
    pub fn append(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        if self.is_broken {
            return Err(JournalError::Broken(self.path.clone()));
        }
        let line = encoded(line);
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&line))
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Part of the line may be there, and must not stand before the next one.
            let undone = self.file.set_len(self.length);
            self.is_broken = undone.and_then(|()| self.file.sync_data()).is_err();
            return Err(self.failed(source));
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Puts these lines in the place of all others.
    pub fn rewrite<T: Serialize>(&mut self, lines: &[T]) -> Result<(), JournalError> {
        let folder = self.path.parent().expect("the file is in a folder");
        let new = folder.join(NEW_FILE);
        let bytes: Vec<u8> = lines.iter().flat_map(encoded).collect();
        let written = open(&new, true).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            sync_folder(folder)?;
            Ok(file)
        });
        self.file = written.map_err(|source| self.failed(source))?;
        self.length = bytes.len() as u64;
        Ok(())
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn failed(&self, source: io::Error) -> JournalError {
        JournalError::File {
            path: self.path.clone(),
            source,
        }
    }
}

fn open(path: &Path, is_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Addresses of people are nobody else's business.
    options.read(true).write(true).create(true).mode(0o600);
    options.truncate(is_new).open(path)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn encoded(line: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(line).expect("records are JSON");
    let checksum = crc32fast::hash(&json);
    let mut bytes = format!("{checksum:08x} ").into_bytes();
    bytes.extend(json);
    bytes.push(b'\n');
    bytes
}

/// The lines, and how many bytes of whole ones there are.
fn read<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<(Vec<T>, u64), JournalError> {
    let mut lines = Vec::new();
    let mut length = 0;
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = decoded(piece) else {
            let is_last = length + piece.len() == bytes.len();
            if is_last {
                break;
            }
            let (path, line) = (path.to_owned(), lines.len() + 1);
            return Err(JournalError::Damaged { path, line });
        };
        lines.push(line);
        length += piece.len();
    }
    Ok((lines, length as u64))
}

fn decoded<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let line = line.strip_suffix(b"\n")?;
    let (checksum, rest) = line.split_at_checked(CHECKSUM_CHARACTERS)?;
    let json = rest.strip_prefix(b" ")?;
    let checksum = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    if checksum != crc32fast::hash(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_at(folder: &Path) -> (Journal, Vec<String>) {
        Journal::open(folder).unwrap()
    }

    #[test]
    fn lines_are_there_after_a_restart_also_when_they_were_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, lines) = open_at(folder.path());
        assert!(lines.is_empty());
        for line in ["one", "two\nlines", "three"] {
            journal.append(&line).unwrap();
        }
        let (mut journal, lines) = open_at(folder.path());
        assert_eq!(lines, ["one", "two\nlines", "three"]);
        journal.rewrite(&["all"]).unwrap();
        journal.append(&"four").unwrap();
        assert_eq!(open_at(folder.path()).1, ["all", "four"]);
    }

    #[test]
    fn a_line_that_was_cut_off_at_any_byte_is_gone_and_what_was_before_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open_at(folder.path());
        journal.append(&"one").unwrap();
        let whole = journal.length();
        journal.append(&"two").unwrap();
        let bytes = fs::read(folder.path().join(FILE)).unwrap();
        for cut in usize::try_from(whole).unwrap()..bytes.len() {
            fs::write(folder.path().join(FILE), &bytes[..cut]).unwrap();
            let (mut journal, lines) = open_at(folder.path());
            assert_eq!(lines, ["one"], "cut at {cut}");
            journal.append(&"three").unwrap();
            assert_eq!(open_at(folder.path()).1, ["one", "three"]);
        }
    }

    #[test]
    fn damage_before_the_end_is_told_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = open_at(folder.path());
        journal.append(&"one").unwrap();
        journal.append(&"two").unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[11] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = Journal::open::<String>(folder.path()).unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged { line: 1, .. }),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
