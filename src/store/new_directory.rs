//! A new data directory: filled under another name, and given its own once it is whole, so that
//! what failed half way is never taken for one.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::Error;
use super::directory::sync_directory;

/// One that is being filled.
pub struct NewDirectory {
    path: PathBuf,
    partial: PathBuf,
}

impl NewDirectory {
    /// Where nothing may be yet.
    pub fn absent(path: &Path) -> Result<Self, Error> {
        // A slash at the end would make `.partial` a file within.
        let path: PathBuf = path.components().collect();
        if path.symlink_metadata().is_ok() {
            return Err(Error::open(&path, &"it exists already; name a new one"));
        }
        Ok(Self::of(path))
    }

    /// Where nothing may be yet but an empty directory.
    pub fn absent_or_empty(path: &Path) -> Result<Self, Error> {
        let path: PathBuf = path.components().collect();
        if path.symlink_metadata().is_err() {
            return Ok(Self::of(path));
        }
        let failed = |error: io::Error| Error::open(&path, &error);
        let path = path.canonicalize().map_err(failed)?;
        if fs::read_dir(&path).map_err(failed)?.next().is_some() {
            let cause = "it is not empty; name a new or an empty directory";
            return Err(Error::open(&path, &cause));
        }
        let device = |path: &Path| fs::metadata(path).map(|it| it.dev());
        let is_mount = device(&path).map_err(failed)? != device(parent(&path)).map_err(failed)?;
        if is_mount {
            let cause = "it is the top of a file system, which cannot be replaced as a whole; \
                name a new directory in it, and move what is in that one up after it is restored";
            return Err(Error::open(&path, &cause));
        }
        Ok(Self::of(path))
    }

    fn of(path: PathBuf) -> Self {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        Self { path, partial }
    }

    /// Makes the directory in which it is filled. Nobody else fills it: only one can make it.
    pub fn begin(&self) -> Result<&Path, Error> {
        let made = fs::create_dir_all(parent(&self.path));
        let made = made.and_then(|()| fs::DirBuilder::new().mode(0o700).create(&self.partial));
        made.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let left = "another attempt is under way, or it is left over from an earlier one: \
                    then remove it";
                Error::open(&self.partial, &left)
            }
            _ => Error::open(&self.partial, &error),
        })?;
        Ok(&self.partial)
    }

    /// It is whole.
    pub fn finish(&self) -> io::Result<()> {
        sync_directory(&self.partial)?;
        fs::rename(&self.partial, &self.path)?;
        sync_directory(parent(&self.path))
    }

    /// Removes what was begun and tells so, where it could be what fills the disk.
    pub fn discard(&self, error: Error) -> Error {
        let cause = match error {
            Error::Commit { cause } => cause,
            Error::Open { directory, cause }
                if directory == self.path || directory == self.partial =>
            {
                cause
            }
            other @ (Error::Open { .. }
            | Error::Locked { .. }
            | Error::Fenced { .. }
            | Error::Read { .. }
            | Error::Damaged { .. }
            | Error::Newer { .. }
            | Error::Older { .. }
            | Error::Backup { .. }
            | Error::BackupUnderWay
            | Error::BackupFile { .. }) => {
                // They tell of what was read, and nothing of the new one matters beside it.
                let _ = fs::remove_dir_all(&self.partial);
                return other;
            }
        };
        let left = match fs::remove_dir_all(&self.partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                format!(
                    "{} is left over and could not be removed: {error}",
                    self.partial.display()
                )
            }
            Ok(()) | Err(_) => "what had been written was removed".to_owned(),
        };
        Error::open(&self.path, &format!("{cause}; {left}"))
    }

    /// Its own name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The directory that a path is in.
pub fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
