//! The embedded store: one owner, one directory, one tree; each commit is durable before it is
//! answered, and after a failed one nothing more is accepted.

mod opening;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Entry, Receipt};
use crate::engine::time::Timestamp;

use self::opening::open_guarded;
use self::writer::Writer;
use super::directory::Directory;
use super::disk::{self, Disk, RealDisk};
use super::keys::{Key, Kind};
use super::rows::{self, Rows};
use super::{
    Alert, Batch, Cursor, DocumentKind, Epoch, Error, Loaded, Partition, Purged, Retention, Span,
    Store, Tree, history, load, marker, purge,
};

/// Nobody else can own an embedded store.
const EPOCH: Epoch = Epoch(1);

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Memory for pages of the database.
    pub cache_bytes: u64,
    /// The most space kept for a start that finds none; small disks keep less.
    pub reserve_bytes: u64,
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            reserve_bytes: 64 * 1024 * 1024,
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

impl Store for SledStore {
    fn claim(&self, _partition: Partition) -> Result<Epoch, Error> {
        self.writer().check()?;
        Ok(EPOCH)
    }

    fn load(&self, partition: Partition, now: Timestamp) -> Result<Loaded, Error> {
        load::load(&self.tree, partition, now)
    }

    fn commit(&self, partition: Partition, epoch: Epoch, batch: &Batch) -> Result<(), Error> {
        if epoch != EPOCH {
            return Err(Error::Fenced {
                ours: epoch,
                current: EPOCH,
            });
        }
        let mut writer = self.writer();
        writer.check()?;
        let composed = writer.compose(partition, batch);
        let written = match composed {
            Ok(()) => self.make_durable(&mut writer),
            Err(error) => Err(error.to_string()),
        };
        written.map_err(|cause| writer.fail(cause))
    }

    fn receipt(&self, partition: Partition, id: ReceiptId) -> Result<Option<Receipt>, Error> {
        history::receipt(&self.tree, partition, id)
    }

    fn receipts(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Receipt>, Error> {
        history::receipts(&self.tree, partition, before, limit)
    }

    fn entries(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        history::entries(&self.tree, partition, incident, after, limit)
    }

    fn closed_incident(
        &self,
        partition: Partition,
        number: IncidentNumber,
    ) -> Result<Option<Incident>, Error> {
        rows::read(&self.tree, &Key::closed_incident(partition, number))
    }

    fn closed_incidents(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Incident>, Error> {
        history::closed_incidents(&self.tree, partition, before, limit)
    }

    fn closed_page(&self, partition: Partition, page: PageId) -> Result<Option<Page>, Error> {
        rows::read(&self.tree, &Key::closed_page(partition, page))
    }

    fn closed_pages(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Page>, Error> {
        let index = Key::index(Kind::PageOfIncident, partition, incident);
        history::indexed(&self.tree, &index, span, limit, |id| {
            Key::closed_page(partition, PageId(id))
        })
    }

    fn closed_pages_total(
        &self,
        partition: Partition,
        incident: IncidentNumber,
    ) -> Result<usize, Error> {
        let index = Key::index(Kind::PageOfIncident, partition, incident);
        let mut rows = self.tree.all(&index);
        rows.try_fold(0, |total, row| row.map(|_| total + 1))
    }

    fn closed_alerts(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Alert>, Error> {
        let index = Key::index(Kind::AlertOfIncident, partition, incident);
        history::indexed(&self.tree, &index, span, limit, |id| {
            Key::closed_alert(partition, AlertId(id))
        })
    }

    fn document(&self, kind: DocumentKind, name: &str) -> Result<Option<Vec<u8>>, Error> {
        history::document(&self.tree, kind, name)
    }

    fn documents(
        &self,
        kind: DocumentKind,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        history::documents(&self.tree, kind, before, limit)
    }

    fn purge(
        &self,
        partition: Partition,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Purged, Error> {
        let _purging = self.purging.lock().unwrap_or_else(PoisonError::into_inner);
        let history_bytes = {
            let writer = self.writer();
            writer.check()?;
            writer.progress.history_bytes
        };
        let usage = purge::Usage {
            used_bytes: self.used_bytes(),
            history_bytes,
        };
        // Commits go on while this reads: what is to go does not change any more.
        let plan = purge::plan(&self.tree, partition, retention, now, usage)?;
        if plan.keys.is_empty() {
            return Ok(plan.purged);
        }
        let mut writer = self.writer();
        writer.check()?;
        let composed = writer.compose_purge(&plan);
        let written = match composed {
            // Durable with the next commit, which is soon enough.
            Ok(()) => self.tree.apply(&writer.writes),
            Err(error) => Err(error.to_string()),
        };
        match written {
            Ok(()) => Ok(plan.purged),
            Err(cause) => Err(writer.fail(cause)),
        }
    }

    fn free_bytes(&self) -> Option<u64> {
        self.disk.free_bytes(self.directory.path())
    }

    fn used_bytes(&self) -> u64 {
        disk::used_bytes(&self.directory.database())
    }
}

#[cfg(test)]
mod tests;
