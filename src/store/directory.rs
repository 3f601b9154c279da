//! The data directory: where the parts of the store lie in it, and the lock that keeps a second
//! process out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Error;
use super::disk::Disk;

/// A data directory that is ours while this lives.
pub struct Directory {
    path: PathBuf,
    /// Locked; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Directory {
    /// Makes the directory if there is none, and locks it. This needs no space on the disk.
    pub fn claim(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::open(path, &error);
        // What is in it is nobody else's business.
        let mut builder = DirBuilder::new();
        let builder = builder.recursive(true).mode(0o700);
        builder.create(path).map_err(failed)?;
        let mut options = OpenOptions::new();
        let options = options.create(true).read(true).write(true).truncate(false);
        let file = path.join("lock");
        let lock_failed = |error: io::Error| {
            let cause = format!("{} cannot be written: {error}", file.display());
            Error::open(path, &cause)
        };
        let mut lock = options.open(&file).map_err(lock_failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    directory: path.to_owned(),
                    holder: read_holder(&mut lock),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        match write_holder(&mut lock) {
            // Who holds it is a remark; a start on a full disk must come as far as the reserve.
            Err(error) if error.kind() != io::ErrorKind::StorageFull => {
                return Err(lock_failed(error));
            }
            Ok(()) | Err(_) => {}
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Makes the names durable under which the directory is found, so that a power cut soon after
    /// the first start does not take it away with all that was acknowledged.
    pub fn sync_names(&self, disk: &dyn Disk) -> io::Result<()> {
        let path = self.path.canonicalize()?;
        let device = path.metadata()?.dev();
        for folder in path.ancestors().skip(1) {
            // One that may not be read is not ours, and where a disk is mounted the name was there.
            let Ok(folder) = File::open(folder) else {
                break;
            };
            if folder.metadata()?.dev() != device {
                break;
            }
            disk.sync_all(&folder)?;
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the database.
    pub fn database(&self) -> PathBuf {
        self.path.join("db")
    }

    /// A copy of a database that could not be opened, from before the repair.
    pub fn damaged_copy(&self) -> PathBuf {
        self.path.join("db.damaged")
    }

    /// Says that a store was made here, and how far it got.
    pub fn marker(&self) -> PathBuf {
        self.path.join("initialised")
    }

    /// Space kept for a start that finds none.
    pub fn reserve(&self) -> PathBuf {
        self.path.join("reserve")
    }

    /// The error of an opening that failed.
    pub fn open_error(&self, cause: &impl ToString) -> Error {
        Error::open(&self.path, cause)
    }
}

/// Makes the entries of a directory durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn read_holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_is_told_who_holds_the_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("data");
        let first = Directory::claim(&path).unwrap();
        let error = Directory::claim(&path).err().unwrap();
        let pid = std::process::id();
        assert!(
            matches!(&error, Error::Locked { holder, .. } if *holder == Some(pid)),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("(pid {pid})")));
        drop(first);
        Directory::claim(&path).unwrap();
    }
}
