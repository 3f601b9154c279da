//! The file that says that a store was made here, how many commits were acknowledged, and how many
//! batches its database has.
//!
//! Without it an empty or shortened database would look like a healthy one. It is written after
//! each commit and not synced: after a power cut it may name fewer commits than there are, never
//! more, so that it raises no false alarm.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::disk::Disk;

/// The marker of an open store.
pub struct Marker(File);

impl Marker {
    /// Makes the marker durable, or opens the one that is there.
    pub fn open(path: &Path, reached: Reached, disk: &dyn Disk) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.create(true).read(true).write(true).truncate(false);
        let marker = Self(options.open(path)?);
        marker.note(reached)?;
        disk.sync_all(&marker.0)?;
        path.parent()
            .map_or(Ok(()), |folder| disk.sync_folder(folder))?;
        Ok(marker)
    }

    /// Notes how far the store got.
    pub fn note(&self, reached: Reached) -> io::Result<()> {
        let Reached { commits, settled } = reached;
        // One sector, always of the same length: there is no moment at which it is half new.
        self.0
            .write_all_at(format!("{commits:020} {settled:020}\n").as_bytes(), 0)
    }
}

/// How far a store got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Commits that were acknowledged.
    pub commits: u64,
    /// The last batch that is in the database, and durable there.
    pub settled: u64,
}

/// How far it got; `None` if no store was ever made here.
pub fn read(path: &Path) -> io::Result<Option<Reached>> {
    match std::fs::read_to_string(path) {
        // A marker that cannot be understood still says that there was a store.
        Ok(text) => Ok(Some(parse(&text).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How far it got; `None` if that cannot be read, for whatever reason.
pub fn read_whole(path: &Path) -> Option<Reached> {
    parse(&std::fs::read_to_string(path).ok()?)
}

fn parse(text: &str) -> Option<Reached> {
    let (commits, settled) = text.trim().split_once(' ')?;
    Some(Reached {
        commits: commits.parse().ok()?,
        settled: settled.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RealDisk;

    #[test]
    fn a_marker_says_how_far_the_store_got() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("initialised");
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(read_whole(&path), None);
        let marker = Marker::open(&path, Reached::default(), &RealDisk).unwrap();
        assert_eq!(read(&path).unwrap(), Some(Reached::default()));
        let reached = Reached {
            commits: 17,
            settled: 12,
        };
        marker.note(reached).unwrap();
        assert_eq!(read(&path).unwrap(), Some(reached));
        assert_eq!(read_whole(&path), Some(reached));
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(read(&path).unwrap(), Some(Reached::default()));
        assert_eq!(read_whole(&path), None);
    }
}
