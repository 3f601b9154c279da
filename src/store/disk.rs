//! The disk below the store: what can fail on the way to it, how full it is, and the reserve.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Dir;

/// The last steps of a commit, and all that a start makes durable. Tests put faults and delays
/// here, and see what a power cut would leave.
pub trait Disk: Send + Sync {
    /// Called before the database writes out what a commit changed.
    fn before_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Makes the file of the database durable.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Makes a file durable with all that is known of it, or a folder with the names in it.
    fn sync_all(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Makes the names in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.sync_all(&File::open(path)?)
    }

    /// Bytes that are free for us where `path` is.
    fn free_bytes(&self, path: &Path) -> Option<u64> {
        let free = rustix::fs::statvfs(path).ok()?;
        Some(free.f_bavail.saturating_mul(free.f_frsize))
    }
}

/// The disk as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {}

/// The least reserve: enough to start, to acknowledge and to escalate.
const RESERVE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// Makes the reserve when there is room, and gives it up when less is free than it holds. `free`
/// is what is free now, `most` is how large the reserve may be; with 0 there is none.
pub fn keep_reserve(path: &Path, most: u64, free: u64) -> io::Result<()> {
    let held = match fs::metadata(path) {
        Ok(reserve) => Some(reserve.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match held {
        Some(held) if free < held => fs::remove_file(path),
        Some(_) => Ok(()),
        None => reserve_bytes(most, free).map_or(Ok(()), |bytes| make_reserve(path, bytes)),
    }
}

/// How large a new reserve is: a tenth of the free space, within bounds. A disk on which it would
/// take more than half of what is free has none.
fn reserve_bytes(most: u64, free: u64) -> Option<u64> {
    let least = RESERVE_BYTES_MIN.min(most);
    let bytes = (free / 10).clamp(least, most);
    (bytes > 0 && bytes <= free / 2).then_some(bytes)
}

fn make_reserve(path: &Path, bytes: u64) -> io::Result<()> {
    let file = File::create(path)?;
    let flags = rustix::fs::FallocateFlags::empty();
    if rustix::fs::fallocate(&file, flags, 0, bytes).is_ok() {
        return Ok(());
    }
    // Not every file system can set space aside; zeros take it as well.
    let written = write_zeros(&file, bytes);
    if written.is_err() {
        fs::remove_file(path)?;
    }
    written
}

fn write_zeros(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
        left -= part;
    }
    file.sync_data()
}

/// Bytes of all files in a folder and the folders in it.
pub fn used_bytes(folder: &Path) -> u64 {
    let Ok(files) = fs::read_dir(folder) else {
        return 0;
    };
    let sizes = files.flatten().map(|file| match file.metadata() {
        Ok(metadata) if metadata.is_dir() => used_bytes(&file.path()),
        Ok(metadata) => metadata.len(),
        // It went away meanwhile.
        Err(_) => 0,
    });
    sizes.sum()
}

/// The files into which sled puts nodes that are too large for its log, and which it never syncs.
///
/// Values are kept so short that there should be none; this is for the case that there is one. The
/// folder stays open, so that a commit needs no descriptor that may not be there.
pub struct Blobs {
    path: PathBuf,
    folder: Dir,
    handle: File,
    synced: BTreeSet<OsString>,
}

impl Blobs {
    pub fn of(database: &Path) -> io::Result<Self> {
        let path = database.join("blobs");
        let handle = File::open(&path)?;
        Ok(Self {
            folder: Dir::new(handle.try_clone()?)?,
            handle,
            path,
            synced: BTreeSet::new(),
        })
    }

    /// Makes those durable that are new since the last call.
    pub fn sync_new(&mut self, disk: &dyn Disk) -> io::Result<()> {
        let mut present = BTreeSet::new();
        let mut has_new = false;
        self.folder.rewind();
        while let Some(file) = self.folder.read() {
            let file = file?;
            let name = OsStr::from_bytes(file.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                continue;
            }
            if !self.synced.contains(&name) {
                match File::open(self.path.join(&name)) {
                    Ok(opened) => disk.sync_all(&opened)?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                }
                has_new = true;
            }
            present.insert(name);
        }
        if has_new {
            disk.sync_all(&self.handle)?;
        }
        self.synced = present;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_a_tenth_of_the_free_space_and_exists_on_small_disks() {
        const MIB: u64 = 1024 * 1024;
        let most = 64 * MIB;
        // Free MiB, and MiB of the reserve that is made.
        let cases = [
            (0, None),
            (15, None),
            (16, Some(8)),
            (96, Some(9)),
            (300, Some(30)),
            (640, Some(64)),
            (1 << 20, Some(64)),
        ];
        for (free, expected) in cases {
            let bytes = reserve_bytes(most, free * MIB);
            assert_eq!(bytes.map(|bytes| bytes / MIB), expected, "{free} MiB free");
        }
        assert_eq!(reserve_bytes(0, most), None, "none was asked for");
    }

    #[test]
    fn the_reserve_is_made_with_room_and_given_up_without() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("reserve");
        // Free bytes at each start, and the length of the reserve after it.
        let starts = [
            (8_191, None),
            (8_192, Some(4_096)),
            (4_096, Some(4_096)),
            (4_095, None),
        ];
        for (free, length) in starts {
            keep_reserve(&path, 4_096, free).unwrap();
            let found = fs::metadata(&path).ok().map(|metadata| metadata.len());
            assert_eq!(found, length, "{free} bytes free");
        }
    }

    #[test]
    fn zeros_take_as_much_room_as_asked_for() {
        let temporary = tempfile::tempdir().unwrap();
        let file = File::create(temporary.path().join("reserve")).unwrap();
        write_zeros(&file, 100_000).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100_000);
    }

    #[test]
    fn free_space_is_known_where_there_is_a_disk() {
        let temporary = tempfile::tempdir().unwrap();
        assert!(RealDisk.free_bytes(temporary.path()).is_some());
        assert!(RealDisk.free_bytes(Path::new("/no/such/folder")).is_none());
    }
}
