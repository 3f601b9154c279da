//! A store in a folder of its own, what is committed to it, and how long that takes.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reveille::engine::records::Change;
use reveille::store::{Batch, Clocks, Disk, Options, Partition, RealDisk, SledStore, Store};
use tempfile::TempDir;

use crate::engine::NOW;

/// What a sync of the disk does.
#[derive(Clone, Copy)]
pub enum Syncs {
    ToDisk,
    Not,
}

struct NoSync;

impl Disk for NoSync {
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// A store in a folder of its own, gone when it is dropped.
pub struct Folder {
    // The store goes before its folder does.
    pub store: SledStore,
    pub syncs: Syncs,
    _folder: TempDir,
}

impl Folder {
    /// On the disk of the build: a folder for temporary files may lie in memory.
    pub fn new(syncs: Syncs) -> Self {
        let disk: Arc<dyn Disk> = match syncs {
            Syncs::ToDisk => Arc::new(RealDisk),
            Syncs::Not => Arc::new(NoSync),
        };
        let options = Options {
            reserve_bytes: 0,
            disk,
            ..Options::default()
        };
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.unwrap_or_else(|error| panic!("no folder: {error}"));
        let store = SledStore::open(folder.path(), options);
        let store = store.unwrap_or_else(|error| panic!("no store: {error}"));
        Self {
            store,
            syncs,
            _folder: folder,
        }
    }

    /// Commits, and says how long it took.
    pub fn commit(&self, batch: &Batch) -> Duration {
        let partition = Partition::default();
        let epoch = self.store.claim(partition);
        let epoch = epoch.unwrap_or_else(|error| panic!("not its owner: {error}"));
        let start = now();
        let committed = self.store.commit(partition, epoch, batch);
        let took = start.elapsed();
        committed.unwrap_or_else(|error| panic!("a commit failed: {error}"));
        took
    }

    /// All of them that are due.
    pub fn make_checkpoints(&self) {
        loop {
            match self.store.checkpoint() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => panic!("a checkpoint failed: {error}"),
            }
        }
    }
}

/// A commit of these changes, as the driver makes it.
pub fn batch(changes: Vec<Change>) -> Batch {
    Batch {
        changes,
        documents: Vec::new(),
        clocks: Clocks {
            wall: NOW.wall,
            steady: NOW.steady,
        },
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures")]
pub fn now() -> Instant {
    Instant::now()
}
