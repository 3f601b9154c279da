//! The embedded store: one owner, one directory, one tree; each commit is durable before it is
//! answered, and after a failed one nothing more is accepted.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Entry, Receipt};
use crate::engine::time::Timestamp;

use super::directory::{Directory, sync_directory};
use super::disk::{self, Blobs, Disk, RealDisk};
use super::keys::{Key, Kind};
use super::marker::{self, Marker};
use super::record::{LAYOUT, Progress};
use super::rows::{self, Rows};
use super::writes::Writes;
use super::{
    Alert, Batch, Cursor, DocumentKind, Epoch, Error, Failure, Loaded, Partition, Purged,
    Retention, Span, Store, Tree, history, load, purge, repair, salvage,
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

struct Writer {
    writes: Writes,
    progress: Progress,
    /// The first cause of failure; nothing is accepted after it.
    failed: Option<String>,
    /// A second handle on sled's file: sled's own flush does not reach the disk.
    file: File,
    blobs: Blobs,
    marker: Marker,
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
        let (tree, is_repaired) = open_guarded(&directory, &options, acknowledged)?;
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

impl Writer {
    fn of(tree: &Tree, directory: &Directory) -> Result<Self, Error> {
        let failed = |error: io::Error| directory.open_error(&error);
        let database = directory.database();
        let stored: Option<Progress> = rows::read(tree, &Key::progress())?;
        let progress = stored.unwrap_or(Progress {
            layout: LAYOUT,
            ..Progress::default()
        });
        let mut writes = Writes::new(rows::continued(tree)?);
        if stored.is_none() {
            writes.put_progress(&progress)?;
            tree.apply(&writes)
                .map_err(|cause| directory.open_error(&cause))?;
        }
        tree.flush().map_err(|cause| directory.open_error(&cause))?;
        let file = File::open(database.join("db")).map_err(failed)?;
        let mut blobs = Blobs::of(&database).map_err(failed)?;
        // After this all that was found is durable, whoever wrote it.
        blobs.sync_new().map_err(failed)?;
        file.sync_all().map_err(failed)?;
        File::open(database.join("conf"))
            .and_then(|conf| conf.sync_all())
            .map_err(failed)?;
        sync_directory(&database).map_err(failed)?;
        let marker = Marker::open(&directory.marker(), progress.commits).map_err(failed)?;
        Ok(Self {
            writes,
            progress,
            failed: None,
            file,
            blobs,
            marker,
        })
    }

    fn check(&self) -> Result<(), Error> {
        match &self.failed {
            Some(cause) => Err(Error::Commit {
                cause: format!("an earlier batch failed: {cause}"),
            }),
            None => Ok(()),
        }
    }

    /// Turns a failure into one that stays.
    fn fail(&mut self, cause: String) -> Error {
        self.failed = Some(cause.clone());
        Error::Commit { cause }
    }

    fn compose(&mut self, partition: Partition, batch: &Batch) -> Result<(), Error> {
        self.writes.clear();
        self.writes.add_batch(partition, batch)?;
        self.progress.commits += 1;
        self.progress.history_bytes += self.writes.history_bytes();
        self.writes.put_progress(&self.progress)
    }

    fn compose_purge(&mut self, plan: &purge::Plan) -> Result<(), Error> {
        self.writes.clear();
        for key in &plan.keys {
            self.writes.remove(key);
        }
        let left = self.progress.history_bytes.saturating_sub(plan.bytes);
        self.progress.history_bytes = left;
        self.writes.put_progress(&self.progress)
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

/// Opens the database; if it is damaged, puts a copy aside and tries once more without snapshots.
/// Says whether that was needed.
fn open_guarded(
    directory: &Directory,
    options: &Options,
    acknowledged: Option<u64>,
) -> Result<(Tree, bool), Error> {
    let database = directory.database();
    repair::set_aside_unfinished_snapshots(&database)
        .map_err(|error| directory.open_error(&error))?;
    if acknowledged.is_some() && !database.join("db").exists() {
        return Err(directory.open_error(&with_hint(directory, "the database is missing")));
    }
    refuse_to_cut(directory, acknowledged)?;
    let cause = match attempt(&database, options, acknowledged) {
        Ok(tree) => return Ok((tree, false)),
        Err(Failure::Other(cause)) => return Err(directory.open_error(&cause)),
        Err(Failure::Damaged(cause)) => cause,
    };
    repair::prepare_second_attempt(directory).map_err(|error| {
        let cause = format!("{cause}; no repair was tried: {error}");
        directory.open_error(&with_hint(directory, &cause))
    })?;
    match attempt(&database, options, acknowledged) {
        Ok(tree) => Ok((tree, true)),
        Err(failure) => {
            let copy = directory.damaged_copy();
            let again = failure.cause();
            let cause = format!(
                "{cause}; after a repair: {again}; {} is a copy from before the repair",
                copy.display()
            );
            Err(directory.open_error(&with_hint(directory, &cause)))
        }
    }
}

/// Where a damaged place stands in front of acknowledged commits, sled takes it for the end of its
/// log and writes zeros over all behind it, which `store save` could still have read.
fn refuse_to_cut(directory: &Directory, acknowledged: Option<u64>) -> Result<(), Error> {
    let database = directory.database();
    // Without a marker somebody wants to go on with what there is, or there is nothing yet.
    let Some(acknowledged) = acknowledged.filter(|_| database.join("db").exists()) else {
        return Ok(());
    };
    // What cannot be read at all the opening tells better.
    let Ok(Some(tear)) = salvage::tear(&database, acknowledged) else {
        return Ok(());
    };
    let cause = format!(
        "{} is damaged at one place: {} commits were acknowledged, {} are before it, and a start \
         would remove the intact ones after it; nothing was changed",
        database.join("db").display(),
        tear.acknowledged,
        tear.commits
    );
    Err(directory.open_error(&with_hint(directory, &cause)))
}

fn with_hint(directory: &Directory, cause: &str) -> String {
    let path = directory.path().display();
    format!(
        "{cause}; restore a backup of the whole data directory, or save what can be read: \
         `reveille store check {path}` shows what that is, and `reveille store save {path} NEW` \
         writes it into a new one; if there is nothing to save, remove {} to start over",
        directory.marker().display()
    )
}

fn attempt(database: &Path, options: &Options, acknowledged: Option<u64>) -> Result<Tree, Failure> {
    let tree = Tree::open(database, options.cache_bytes)?;
    check_progress(&tree, acknowledged)?;
    Ok(tree)
}

/// A database that lost acknowledged commits looks healthy from inside.
fn check_progress(tree: &Tree, acknowledged: Option<u64>) -> Result<(), Failure> {
    let progress: Option<Progress> = match rows::read(tree, &Key::progress()) {
        Ok(progress) => progress,
        Err(error @ Error::Newer { .. }) => return Err(Failure::Other(error.to_string())),
        Err(error) => return Err(Failure::Damaged(error.to_string())),
    };
    match (progress, acknowledged) {
        (None, None) if tree.is_empty() => Ok(()),
        (None, _) => Err(Failure::Damaged(
            "the database has lost its first record".to_owned(),
        )),
        (Some(progress), _) if progress.layout != LAYOUT => Err(Failure::Other(format!(
            "its layout has number {}, this version knows {LAYOUT}; run the version that wrote it",
            progress.layout
        ))),
        (Some(progress), Some(acknowledged)) if progress.commits < acknowledged => {
            Err(Failure::Damaged(format!(
                "{acknowledged} commits were acknowledged and only {} are in the database",
                progress.commits
            )))
        }
        (Some(_), _) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
