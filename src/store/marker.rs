//! The file that says that a store was made here and how many commits were acknowledged.
//!
//! Without it an empty or shortened database would look like a healthy one. It is written after
//! each commit and not synced: after a power cut it may name fewer commits than there are, never
//! more, so that it raises no false alarm.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::directory::sync_directory;

/// The marker of an open store.
pub struct Marker(File);

impl Marker {
    /// Makes the marker durable, or opens the one that is there.
    pub fn open(path: &Path, commits: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.create(true).read(true).write(true).truncate(false);
        let marker = Self(options.open(path)?);
        marker.note(commits)?;
        marker.0.sync_all()?;
        path.parent().map_or(Ok(()), sync_directory)?;
        Ok(marker)
    }

    /// Notes that so many commits were acknowledged.
    pub fn note(&self, commits: u64) -> io::Result<()> {
        // One sector, always of the same length: there is no moment at which it is half new.
        self.0
            .write_all_at(format!("{commits:020}\n").as_bytes(), 0)
    }
}

/// How many commits were acknowledged; `None` if no store was ever made here.
pub fn read(path: &Path) -> io::Result<Option<u64>> {
    match std::fs::read_to_string(path) {
        // A marker that cannot be understood still says that there was a store.
        Ok(text) => Ok(Some(text.trim().parse().unwrap_or(0))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many commits were acknowledged; `None` if that cannot be read, for whatever reason.
pub fn read_whole(path: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_says_how_far_the_store_got() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("initialised");
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(read_whole(&path), None);
        let marker = Marker::open(&path, 0).unwrap();
        assert_eq!(read(&path).unwrap(), Some(0));
        marker.note(17).unwrap();
        assert_eq!(read(&path).unwrap(), Some(17));
        assert_eq!(read_whole(&path), Some(17));
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(read(&path).unwrap(), Some(0));
        assert_eq!(read_whole(&path), None);
    }
}
