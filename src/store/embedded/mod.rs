//! The embedded store: one owner, one directory, one tree; each commit is durable before it is
//! answered, and after a failed one nothing more is accepted.

mod checkpointing;
mod opening;
mod store;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use self::checkpointing::Stage;
use self::opening::open_guarded;
use self::writer::Writer;
use super::directory::Directory;
use super::disk::{self, Disk, RealDisk};
use super::{Error, Tree, marker};

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Memory for pages of the database.
    pub cache_bytes: u64,
    /// The most space kept for a start that finds none; small disks keep less.
    pub reserve_bytes: u64,
    /// A checkpoint is due when so many bytes of active records were changed, or as many as the
    /// last one has, whatever is more: so what is written for checkpoints is at most twice of what
    /// is written for changes.
    pub checkpoint_bytes: u64,
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            reserve_bytes: 64 * 1024 * 1024,
            checkpoint_bytes: 4 * 1024 * 1024,
            disk: Arc::new(RealDisk),
        }
    }
}

/// A store in a data directory of its own.
pub struct SledStore {
    // The database goes before the lock of the directory does.
    tree: Tree,
    writer: Mutex<Writer>,
    /// Two purges at once would count twice what both found.
    purging: Mutex<()>,
    checkpointing: Mutex<Stage>,
    /// Goes up before and after entries are moved: odd while they are.
    moves: AtomicU64,
    checkpoint_bytes: u64,
    disk: Arc<dyn Disk>,
    repaired: Option<PathBuf>,
    directory: Directory,
}

impl SledStore {
    /// Opens the store in a data directory, or makes one where there never was any.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let directory = Directory::claim(path)?;
        let failed = |error: io::Error| directory.open_error(&error);
        if let Some(free) = options.disk.free_bytes(path) {
            disk::keep_reserve(&directory.reserve(), options.reserve_bytes, free)
                .map_err(failed)?;
        }
        let acknowledged = marker::read(&directory.marker()).map_err(failed)?;
        let (tree, is_repaired) = open_guarded(&directory, options.cache_bytes, acknowledged)?;
        let writer = Writer::of(&tree, &directory)?;
        let repaired = is_repaired.then(|| directory.damaged_copy());
        Ok(Self {
            tree,
            writer: Mutex::new(writer),
            purging: Mutex::default(),
            checkpointing: Mutex::new(Stage::Clearing),
            moves: AtomicU64::new(0),
            checkpoint_bytes: options.checkpoint_bytes,
            disk: options.disk,
            repaired,
            directory,
        })
    }

    /// Where a copy of the database from before a repair lies, if it was only opened after one.
    pub fn repaired(&self) -> Option<&Path> {
        self.repaired.as_deref()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(|poisoned| {
            let mut writer = poisoned.into_inner();
            let cause = || "a commit panicked".to_owned();
            writer.failed.get_or_insert_with(cause);
            writer
        })
    }

    fn make_durable(&self, writer: &mut Writer) -> Result<(), String> {
        self.tree.apply(&writer.writes)?;
        let failed = |error: io::Error| error.to_string();
        self.disk.before_flush().map_err(failed)?;
        writer.blobs.sync_new().map_err(failed)?;
        self.tree.flush()?;
        self.disk.sync(&writer.file).map_err(failed)?;
        // A marker that stays behind raises no alarm, so that this may fail.
        let _ = writer.marker.note(writer.progress.commits);
        Ok(())
    }
}

#[cfg(test)]
mod checkpoint_tests;
#[cfg(test)]
mod tests;
