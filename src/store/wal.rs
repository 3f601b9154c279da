//! The write-ahead log: what is durable before it is in the database.
//!
//! sled wakes all its threads for each batch and each flush, which costs more than all the rest of
//! a commit (`docs/decisions/0049`). So a commit is one frame in a file of its own, which is
//! synced, and the database takes over many at a time.
//!
//! Two files take turns: one is written while the database takes over what is in the other. A file
//! begins with a magic number and a salt, which is another one each time it is begun. A frame is a
//! head and the rows; the head has the number of the batch, the length and the checksum of the
//! rows, and a checksum of its own, both over the salt too. Frames follow each other without a gap;
//! what stands behind the last one is of another time, and without its salt nobody can make up a
//! frame, whatever they post.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::keys::Key;

/// With what a file begins; the last byte is the number of its form.
const MAGIC: [u8; 8] = *b"RV-wal\0\x02";

/// Magic and salt.
const BEGINNING_BYTES: usize = 8 + 8;

/// Checksum of the head, number, length, checksum of the rows.
const HEAD_BYTES: usize = 4 + 8 + 4 + 4;

/// No batch has a higher number: at ten thousand a second that takes fifty years.
const NUMBER_MAX: u64 = 1 << 44;

/// What is gone over at once where nothing is.
const ZEROS: [u8; 4096] = [0; 4096];

/// Rows of a batch: keys, each with its value or `None` to remove it.
pub type Batch = Vec<(Key, Option<Vec<u8>>)>;

/// Both files, open for writing.
pub struct Wal {
    files: [File; 2],
    /// Which of them is written.
    current: usize,
    salt: u64,
    /// Where in it the next frame goes.
    at: u64,
    buffer: Vec<u8>,
}

/// Where the files are.
pub fn paths(directory: &Path) -> [PathBuf; 2] {
    [directory.join("wal.0"), directory.join("wal.1")]
}

impl Wal {
    /// Opens both files, or makes them. The first one begins with what the database has not got; of
    /// all else that they hold nothing counts. Each has so many bytes from the beginning, so that a
    /// commit changes nothing else of it; it grows where more is added.
    pub fn open(
        directory: &Path,
        bytes: u64,
        unsettled: &[LoggedBatch],
        disk: &dyn Disk,
    ) -> io::Result<Self> {
        let [first, second] = paths(directory);
        let kept = Kept::write(directory, unsettled, disk)?;
        let files = [open(&first, bytes, disk)?, open(&second, bytes, disk)?];
        disk.sync_folder(directory)?;
        let mut wal = Self {
            files,
            current: 0,
            salt: 0,
            at: 0,
            buffer: Vec::new(),
        };
        // What the second held is in the database or in the first, and what the first held is in
        // the database or in it anew: nothing may be read once more.
        wal.begin(1)?;
        disk.sync_all(&wal.files[1])?;
        match kept {
            Some(Kept { salt, end }) => {
                (wal.current, wal.salt, wal.at) = (0, salt, end);
            }
            None => {
                wal.begin(0)?;
                disk.sync_all(&wal.files[0])?;
            }
        }
        Ok(wal)
    }

    /// Begins a file anew.
    fn begin(&mut self, current: usize) -> io::Result<()> {
        self.current = current;
        self.salt = random();
        self.at = BEGINNING_BYTES as u64;
        self.files[current].write_all_at(&beginning(self.salt), 0)
    }

    /// Adds a batch, which is durable after [`Self::sync`].
    pub fn append(&mut self, number: u64, rows: &[(Key, Option<Vec<u8>>)]) -> io::Result<()> {
        write_frame(&mut self.buffer, self.salt, number, rows)?;
        self.files[self.current].write_all_at(&self.buffer, self.at)?;
        self.at += self.buffer.len() as u64;
        Ok(())
    }

    /// Makes all durable that was added.
    pub fn sync(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.sync(&self.files[self.current])
    }

    /// Bytes of the frames in the file that is written.
    pub fn bytes(&self) -> u64 {
        self.at - BEGINNING_BYTES as u64
    }

    /// Goes on in the other file, of which the database must have all.
    pub fn switch(&mut self, disk: &dyn Disk) -> io::Result<()> {
        // What was added since the last commit would be missing before the next one.
        self.sync(disk)?;
        self.begin(1 - self.current)
    }
}

/// What a first file that was written anew begins with.
struct Kept {
    salt: u64,
    end: u64,
}

impl Kept {
    /// Puts these batches into a first file of their own, in place of both. Until it has its name
    /// they are where they were.
    fn write(
        directory: &Path,
        batches: &[LoggedBatch],
        disk: &dyn Disk,
    ) -> io::Result<Option<Self>> {
        let new = directory.join("wal.new");
        if batches.is_empty() {
            return match std::fs::remove_file(new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(None),
            };
        }
        let kept = Self::fill(&new, batches, disk).inspect_err(|_| {
            // What fails is usually a full disk, and this would hold the last of it.
            let _ = std::fs::remove_file(&new);
        })?;
        std::fs::rename(new, &paths(directory)[0])?;
        disk.sync_folder(directory)?;
        Ok(Some(kept))
    }

    fn fill(new: &Path, batches: &[LoggedBatch], disk: &dyn Disk) -> io::Result<Self> {
        let salt = random();
        let file = File::create(new)?;
        file.write_all_at(&beginning(salt), 0)?;
        let (mut end, mut buffer) = (BEGINNING_BYTES as u64, Vec::new());
        for batch in batches {
            write_frame(&mut buffer, salt, batch.number, &batch.rows)?;
            file.write_all_at(&buffer, end)?;
            end += buffer.len() as u64;
        }
        disk.sync_all(&file)?;
        Ok(Self { salt, end })
    }
}

fn beginning(salt: u64) -> Vec<u8> {
    [MAGIC, salt.to_le_bytes()].concat()
}

/// A number that nobody can foresee.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Opens a file and gives it its length.
fn open(path: &Path, bytes: u64, disk: &dyn Disk) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.create(true).read(true).write(true).truncate(false);
    let file = options.open(path)?;
    let length = file.metadata()?.len();
    // Zeros that are written, and not set aside: what is set aside is changed by its first writing.
    let zeros = [0; 64 * 1024];
    let mut at = length;
    while at < bytes {
        let part = usize::try_from(bytes - at).map_or(zeros.len(), |it| it.min(zeros.len()));
        file.write_all_at(&zeros[..part], at)?;
        at += part as u64;
    }
    disk.sync_all(&file)?;
    Ok(file)
}

fn write_frame(
    buffer: &mut Vec<u8>,
    salt: u64,
    number: u64,
    rows: &[(Key, Option<Vec<u8>>)],
) -> io::Result<()> {
    buffer.clear();
    buffer.resize(HEAD_BYTES, 0);
    for (key, value) in rows {
        write_row(buffer, key.as_ref(), value.as_deref())?;
    }
    let (head, body) = buffer.split_at_mut(HEAD_BYTES);
    head[4..12].copy_from_slice(&number.to_le_bytes());
    head[12..16].copy_from_slice(&length(body.len())?);
    head[16..].copy_from_slice(&checksum(salt, body).to_le_bytes());
    let sum = checksum(salt, &head[4..]);
    head[..4].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// Adds a key with its value, or that it has none any more.
pub fn write_row(buffer: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) -> io::Result<()> {
    buffer.extend(length(key.len())?);
    buffer.extend_from_slice(key);
    match value {
        Some(value) => {
            buffer.extend(length(value.len() + 1)?);
            buffer.extend_from_slice(value);
        }
        None => buffer.extend(length(0)?),
    }
    Ok(())
}

fn length(bytes: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(bytes).map_err(|_| io::Error::other("a batch of over 4 GiB"))?;
    Ok(length.to_le_bytes())
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// A batch that was read.
#[derive(Debug, PartialEq)]
pub struct LoggedBatch {
    pub number: u64,
    pub rows: Batch,
}

/// What both files hold behind a batch.
#[derive(Debug, Default)]
pub struct Following {
    /// Those that follow it without a gap.
    pub frames: Vec<LoggedBatch>,
    /// The number of a batch behind a gap, if there is one: something in front of it is damaged.
    pub behind_gap: Option<u64>,
}

/// Reads what follows a batch; the files are only read.
pub fn read(directory: &Path, after: u64) -> io::Result<Following> {
    let mut frames = read_all(directory)?;
    frames.retain(|frame| frame.number > after);
    let follows = frames.iter().zip(after + 1..);
    let whole = follows.take_while(|(frame, next)| frame.number == *next);
    let whole = whole.count();
    let behind_gap = frames.get(whole).map(|frame| frame.number);
    frames.truncate(whole);
    Ok(Following { frames, behind_gap })
}

/// Bytes that both files take.
pub fn used_bytes(directory: &Path) -> u64 {
    let sizes = paths(directory).map(|path| path.metadata().map_or(0, |it| it.len()));
    sizes.iter().sum()
}

/// All that both files hold, in order; the files are only read.
pub fn read_all(directory: &Path) -> io::Result<Vec<LoggedBatch>> {
    let mut frames = Vec::new();
    for path in paths(directory) {
        match std::fs::read(path) {
            Ok(bytes) => frames.extend(frames_of(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    frames.sort_by_key(|frame| frame.number);
    // A start that was killed may have left them in both.
    frames.dedup_by_key(|frame| frame.number);
    Ok(frames)
}

/// All frames of a file, also those behind a place that is damaged.
fn frames_of(bytes: &[u8]) -> Vec<LoggedBatch> {
    let mut frames = Vec::new();
    let Some((beginning, _)) = bytes.split_at_checked(BEGINNING_BYTES) else {
        return frames;
    };
    let (magic, salt) = beginning.split_at(MAGIC.len());
    let Ok(salt) = salt.try_into().map(u64::from_le_bytes) else {
        return frames;
    };
    if magic != MAGIC {
        return frames;
    }
    let mut at = BEGINNING_BYTES;
    while at + HEAD_BYTES <= bytes.len() {
        match read_frame(&bytes[at..], salt) {
            Some((frame, length)) => {
                frames.push(frame);
                at += length;
            }
            // Mostly the zeros behind the last one. A frame may begin with some of them.
            None if bytes[at..].starts_with(&ZEROS) => at += ZEROS.len() - HEAD_BYTES,
            None => at += 1,
        }
    }
    frames
}

/// The frame at the beginning of these bytes. Whether one is there its head says alone: what stands
/// behind the last frame is looked through byte by byte, and may be long.
fn read_frame(bytes: &[u8], salt: u64) -> Option<(LoggedBatch, usize)> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let number = u64::from_le_bytes(*head[4..].first_chunk()?);
    let of_four = |at: usize| head[at..].first_chunk().copied().map(u32::from_le_bytes);
    if number > NUMBER_MAX || checksum(salt, &head[4..]) != of_four(0)? {
        return None;
    }
    let length = of_four(12)? as usize;
    let body = rest.get(..length)?;
    if length == 0 || checksum(salt, body) != of_four(16)? {
        return None;
    }
    let rows = read_rows(body)?;
    Some((LoggedBatch { number, rows }, HEAD_BYTES + length))
}

/// Rows that were written one after the other; `None` if they are not whole.
pub fn read_rows(mut body: &[u8]) -> Option<Batch> {
    let mut rows = Vec::new();
    while !body.is_empty() {
        let (key, rest) = take(body)?;
        let (length, rest) = rest.split_first_chunk()?;
        let value = match (u32::from_le_bytes(*length) as usize).checked_sub(1) {
            Some(length) => {
                let (value, rest) = rest.split_at_checked(length)?;
                body = rest;
                Some(value.to_vec())
            }
            None => {
                body = rest;
                None
            }
        };
        rows.push((Key::read(key), value));
    }
    Some(rows)
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Partition;
    use crate::store::RealDisk;

    fn rows(number: u64) -> Batch {
        let key = Key::journal(Partition(0), number);
        vec![
            (
                key.clone(),
                Some(vec![b'x'; usize::try_from(number * 7).unwrap()]),
            ),
            (key.after(), None),
        ]
    }

    fn numbers(found: &Following) -> Vec<u64> {
        found.frames.iter().map(|frame| frame.number).collect()
    }

    #[test]
    fn what_was_added_is_read_again_behind_any_batch() {
        let folder = tempfile::tempdir().unwrap();
        let mut wal = Wal::open(folder.path(), 1_000, &[], &RealDisk).unwrap();
        for number in 1..=9 {
            wal.append(number, &rows(number)).unwrap();
            if number % 4 == 0 {
                wal.switch(&RealDisk).unwrap();
            }
        }
        // The second change of files has overwritten the first frame.
        for (after, expected) in [(4, 5..10), (7, 8..10), (9, 10..10)] {
            let found = read(folder.path(), after).unwrap();
            assert_eq!(numbers(&found), expected.collect::<Vec<_>>());
            assert_eq!(found.behind_gap, None);
            assert!(found.frames.iter().all(|it| it.rows == rows(it.number)));
        }
    }

    #[test]
    fn what_is_of_another_time_is_no_frame_and_hides_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut wal = Wal::open(folder.path(), 1_000, &[], &RealDisk).unwrap();
        for number in 1..=400 {
            wal.append(number, &rows(number)).unwrap();
        }
        // Back in the first file, of which the old frames are still there.
        wal.switch(&RealDisk).unwrap();
        wal.append(401, &rows(401)).unwrap();
        wal.switch(&RealDisk).unwrap();
        wal.append(402, &rows(402)).unwrap();
        let found = read_all(folder.path()).unwrap();
        let numbers: Vec<u64> = found.iter().map(|frame| frame.number).collect();
        assert_eq!(numbers, [401, 402]);
    }

    #[test]
    fn a_frame_that_is_cut_off_or_changed_is_the_end_or_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let mut wal = Wal::open(folder.path(), 1_000, &[], &RealDisk).unwrap();
        let mut ends = vec![BEGINNING_BYTES];
        for number in 1..=3 {
            wal.append(number, &rows(number)).unwrap();
            ends.push(usize::try_from(wal.at).unwrap());
        }
        let path = &paths(folder.path())[0];
        let whole = std::fs::read(path).unwrap();
        for at in BEGINNING_BYTES..ends[3] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            std::fs::write(path, &bytes).unwrap();
            let hit = ends.partition_point(|end| *end <= at) as u64;
            let found = read(folder.path(), 0).unwrap();
            assert_eq!(numbers(&found), (1..hit).collect::<Vec<_>>(), "{at}");
            assert_eq!(found.behind_gap, (hit < 3).then_some(hit + 1), "{at}");
            std::fs::write(path, &whole[..at]).unwrap();
            let found = read(folder.path(), 0).unwrap();
            assert_eq!(numbers(&found), (1..hit).collect::<Vec<_>>(), "{at}");
            assert_eq!(found.behind_gap, None, "{at}");
        }
    }
}
