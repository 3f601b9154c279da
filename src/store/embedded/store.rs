//! The embedded store as what all stores are: commits through its one writer, reads from its tree.

use std::io::Write;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Entry, Receipt};
use crate::engine::time::Timestamp;
use crate::store::keys::{Key, Kind};
use crate::store::record::Document;
use crate::store::rows::{self, Rows};
use crate::store::wal;
use crate::store::{
    Alert, Batch, Cursor, DocumentKind, Epoch, Error, Loaded, Manifest, Partition, Purged,
    Retention, Span, Store, disk, history, journal, load, purge, story,
};

use super::SledStore;

/// So often a timeline is read again because a purge moved entries meanwhile; then purges wait.
const READS_BESIDE_PURGES: usize = 3;

/// The database needs about so many times of what it takes over from the log.
const SPACE_FACTOR: u64 = 2;

/// Nobody else can own an embedded store.
const EPOCH: Epoch = Epoch(1);

impl Store for SledStore {
    fn claim(&self, partition: Partition) -> Result<Epoch, Error> {
        let mut writer = self.writer();
        writer.check()?;
        writer.know_ends(&self.tree, partition)?;
        Ok(EPOCH)
    }

    fn load(&self, partition: Partition, now: Timestamp) -> Result<Loaded, Error> {
        let commits = self.writer().progress.commits;
        load::load(&self.tree, partition, commits, now)
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
        let composed = writer.compose(&self.tree, partition, batch);
        let composed = composed.map_err(|error| error.to_string());
        let written = composed.and_then(|()| self.make_durable(&mut writer));
        written.map_err(|cause| writer.fail(cause))?;
        let is_behind = self.is_behind(&writer);
        drop(writer);
        // Usually it is done beside the commits, long before.
        if is_behind { self.settle() } else { Ok(()) }
    }

    fn receipt(&self, partition: Partition, id: ReceiptId) -> Result<Option<Receipt>, Error> {
        let Some(after) = id.0.checked_add(1) else {
            return Ok(None);
        };
        let older = self.receipts(partition, Some(Cursor(after)), 1)?;
        Ok(older.into_iter().find(|receipt| receipt.id == id))
    }

    fn receipts(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Receipt>, Error> {
        let before = before.map(|Cursor(id)| ReceiptId(id));
        let mut found = Vec::new();
        for commit in journal::receipts_back(&self.tree, partition, before)? {
            let older = commit?.history.receipts.into_iter().rev();
            let older = older.filter(|it| before.is_none_or(|before| it.id < before));
            found.extend(older.take(limit - found.len()));
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    fn entries(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let read = || story::entries(&self.tree, partition, incident, after, limit);
        for _ in 0..READS_BESIDE_PURGES {
            let before = self.moves.load(Ordering::SeqCst);
            let found = read();
            if before.is_multiple_of(2) && self.moves.load(Ordering::SeqCst) == before {
                return found;
            }
        }
        // One purge follows another.
        let _purging = self.purging.lock().unwrap_or_else(PoisonError::into_inner);
        read()
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
        let all = Key::all(Kind::ClosedIncident, partition);
        let end = before.map_or(all.end(), |Cursor(number)| {
            Key::closed_incident(partition, IncidentNumber(number))
        });
        history::newest(&self.tree, &all, &end, limit)
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
        let document: Option<Document> = rows::read(&self.tree, &Key::document(kind, name))?;
        Ok(document.map(|document| document.bytes))
    }

    fn documents(
        &self,
        kind: DocumentKind,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let all = Key::documents(kind);
        let end = before.map_or(all.end(), |name| Key::document(kind, name));
        let found: Vec<Document> = history::newest(&self.tree, &all, &end, limit)?;
        Ok(found.into_iter().map(|it| (it.name, it.bytes)).collect())
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
        if plan.is_empty() {
            return Ok(plan.purged);
        }
        let mut writer = self.writer();
        writer.check()?;
        let purged = plan.purged;
        let composed = writer.compose_purge(&self.tree, partition, plan);
        let composed = composed.map_err(|error| error.to_string());
        // Durable with the next commit, which is soon enough.
        self.moves.fetch_add(1, Ordering::SeqCst);
        let written = composed.and_then(|()| self.add(&mut writer));
        self.moves.fetch_add(1, Ordering::SeqCst);
        written.map_err(|cause| writer.fail(cause))?;
        Ok(purged)
    }

    fn checkpoint(&self) -> Result<bool, Error> {
        self.checkpoint_step()
    }

    fn backup(&self, made_at: Timestamp, out: &mut dyn Write) -> Result<Manifest, Error> {
        self.make_backup(made_at, out)
    }

    fn backup_bytes(&self) -> u64 {
        let writer = self.writer();
        writer.progress.history_bytes + writer.checkpoint.bytes + writer.changed_bytes
    }

    fn free_bytes(&self) -> Option<u64> {
        let logged = self.logged_bytes.load(Ordering::Relaxed);
        let settling = self.settling_bytes.load(Ordering::Relaxed);
        let needed = (logged + settling).saturating_mul(SPACE_FACTOR);
        let free = self.disk.free_bytes(self.directory.path())?;
        Some(free.saturating_sub(needed))
    }

    fn used_bytes(&self) -> u64 {
        disk::used_bytes(&self.directory.database()) + wal::used_bytes(self.directory.path())
    }
}
