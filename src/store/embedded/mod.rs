//! The embedded store: one owner, one directory, one tree; each commit is durable before it is
//! answered, and after a failed one nothing more is accepted.

mod backing_up;
mod checkpointing;
mod opening;
pub(super) mod settling;
mod store;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use self::checkpointing::{Stage, Steps};
use self::opening::open_whole;
use self::settling::Settler;
use self::writer::Writer;
use super::backup::BackupLimits;
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
    /// The database takes over what is in the write-ahead log when it has so many bytes, or a
    /// moment later.
    pub wal_bytes: u64,
    pub backups: BackupLimits,
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            reserve_bytes: 64 * 1024 * 1024,
            checkpoint_bytes: 4 * 1024 * 1024,
            wal_bytes: 2 * 1024 * 1024,
            backups: BackupLimits::default(),
            disk: Arc::new(RealDisk),
        }
    }
}

/// The log waits for the database when it has so many times of the bytes that it should.
const BEHIND_MAX: u64 = 4;

/// A store in a data directory of its own.
pub struct SledStore {
    // The database goes before the lock of the directory does.
    tree: Tree,
    writer: Mutex<Writer>,
    /// Two purges at once would count twice what both found.
    purging: Mutex<()>,
    checkpointing: Mutex<Steps>,
    /// Goes up before and after entries are moved: odd while they are.
    moves: AtomicU64,
    settler: Mutex<Settler>,
    /// Bytes of the log that the database has not begun to take over, and those that it is taking
    /// over: the space that they will need is not free.
    logged_bytes: AtomicU64,
    settling_bytes: AtomicU64,
    checkpoint_bytes: u64,
    wal_bytes: u64,
    backups: BackupLimits,
    disk: Arc<dyn Disk>,
    repaired: Option<PathBuf>,
    directory: Directory,
}

impl SledStore {
    /// Opens the store in a data directory, or makes one where there never was any.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let directory = Directory::claim(path)?;
        let failed = |error: std::io::Error| directory.open_error(&error);
        directory.sync_names(&*options.disk).map_err(failed)?;
        if let Some(free) = options.disk.free_bytes(path) {
            disk::keep_reserve(&directory.reserve(), options.reserve_bytes, free)
                .map_err(failed)?;
        }
        let reached = marker::read(&directory.marker()).map_err(failed)?;
        let (tree, behind, is_repaired) = open_whole(&directory, options.cache_bytes, reached)?;
        let settler = Settler::of(&tree, &directory, &*options.disk)?;
        let writer = Writer::of(&tree, &directory, &options, &behind)?;
        let repaired = is_repaired.then(|| directory.damaged_copy());
        let store = Self {
            logged_bytes: AtomicU64::new(writer.wal.bytes()),
            settling_bytes: AtomicU64::new(0),
            tree,
            writer: Mutex::new(writer),
            purging: Mutex::default(),
            checkpointing: Mutex::new(Steps::new(Stage::Clearing)),
            moves: AtomicU64::new(0),
            settler: Mutex::new(settler),
            checkpoint_bytes: options.checkpoint_bytes,
            wal_bytes: options.wal_bytes,
            backups: options.backups,
            disk: options.disk,
            repaired,
            directory,
        };
        // Usually it is done later; but starts that end early must not let the log grow for ever.
        let is_behind = store.is_behind(&store.writer());
        if is_behind {
            store.settle()?;
        }
        Ok(store)
    }

    /// Whether nothing may be added to the log before the database has taken over what it has.
    fn is_behind(&self, writer: &Writer) -> bool {
        writer.wal.bytes() >= self.wal_bytes.saturating_mul(BEHIND_MAX)
    }

    /// Which is the last whole checkpoint.
    #[cfg(test)]
    pub(in crate::store) fn checkpoints(&self) -> u64 {
        self.writer().checkpoint.number
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

    /// Adds rows between two commits. They are durable before the next one is added: else a power
    /// cut could leave that one in the log and not these, which looks like damage.
    fn add(&self, writer: &mut Writer) -> Result<(), String> {
        let failed = |error: std::io::Error| error.to_string();
        writer.append().map_err(failed)?;
        writer.wal.sync(&*self.disk).map_err(failed)?;
        self.logged_bytes
            .store(writer.wal.bytes(), Ordering::Relaxed);
        self.tree.add(writer.writes.rows.drain(..));
        Ok(())
    }

    /// Makes the rows of a commit durable, and then lets them be read.
    fn make_durable(&self, writer: &mut Writer) -> Result<(), String> {
        let failed = |error: std::io::Error| error.to_string();
        self.disk.before_flush().map_err(failed)?;
        writer.append().map_err(failed)?;
        writer.wal.sync(&*self.disk).map_err(failed)?;
        self.logged_bytes
            .store(writer.wal.bytes(), Ordering::Relaxed);
        self.tree.add(writer.writes.rows.drain(..));
        // A marker that stays behind raises no alarm, so that this may fail.
        let _ = writer.note();
        Ok(())
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        // What fails here the next start does.
        let _ = self.settle();
    }
}

#[cfg(test)]
pub(super) mod checkpoint_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod power_cut;
#[cfg(test)]
pub(super) mod tests;
