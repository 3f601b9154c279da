//! The store in memory, for tests and simulation: the same behaviour on plain ordered maps of the
//! records themselves, written without a look at how the embedded store lays out its rows, so
//! that each can be checked against the other.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Bound::{Excluded, Included};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::engine::alert::Alert;
use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Entry, Receipt};
use crate::engine::time::Timestamp;

use self::contents::{Contents, History};
use super::{
    Batch, Cursor, DocumentKind, Epoch, Error, Loaded, Manifest, Partition, Purged, Retention,
    Span, Store,
};

mod contents;

/// Nobody else can own a store in memory.
const EPOCH: Epoch = Epoch(1);

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

/// How a commit is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing of the batch is kept.
    Lost,
    /// All of it is kept, but nobody is told.
    Kept,
}

#[derive(Default)]
struct Inner {
    contents: Contents,
    fault: Option<CommitFault>,
    failed: Option<String>,
    free_bytes: Option<u64>,
    commits: u64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store with all that was committed to this one, as a process finds it that starts after
    /// this one was killed. Records are shared, not copied.
    pub fn snapshot_durable(&self) -> Self {
        let inner = Inner {
            contents: self.inner().contents.clone(),
            ..Inner::default()
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Lets the next commit fail, and with it all that follow.
    pub fn fail_next_commit(&self, fault: CommitFault) {
        self.inner().fault = Some(fault);
    }

    /// Sets what [`Store::free_bytes`] answers.
    pub fn set_free_bytes(&self, free: Option<u64>) {
        self.inner().free_bytes = free;
    }

    /// How many commits succeeded.
    pub fn commits(&self) -> u64 {
        self.inner().commits
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Default>(&self, partition: Partition, read: impl FnOnce(&History) -> T) -> T {
        let inner = self.inner();
        let history = inner.contents.partitions.get(&partition);
        history.map(read).unwrap_or_default()
    }
}

impl Inner {
    fn check(&self) -> Result<(), Error> {
        Error::refuse_after(self.failed.as_ref())
    }
}

impl Store for MemoryStore {
    fn claim(&self, _partition: Partition) -> Result<Epoch, Error> {
        self.inner().check()?;
        Ok(EPOCH)
    }

    fn load(&self, partition: Partition, now: Timestamp) -> Result<Loaded, Error> {
        Ok(self.read(partition, |history| Loaded {
            records: history.active.values().cloned().collect(),
            receipts: history.remembered(now),
            clocks: history.clocks,
        }))
    }

    fn commit(&self, partition: Partition, epoch: Epoch, batch: &Batch) -> Result<(), Error> {
        if epoch != EPOCH {
            return Err(Error::Fenced {
                ours: epoch,
                current: EPOCH,
            });
        }
        let mut inner = self.inner();
        inner.check()?;
        let fault = inner.fault.take();
        if fault != Some(CommitFault::Lost) {
            inner.contents.apply(partition, batch);
        }
        if fault.is_none() {
            inner.commits += 1;
            return Ok(());
        }
        let cause = "a fault was asked for".to_owned();
        inner.failed = Some(cause.clone());
        Err(Error::Commit { cause })
    }

    fn receipt(&self, partition: Partition, id: ReceiptId) -> Result<Option<Receipt>, Error> {
        Ok(self.read(partition, |history| {
            let receipt = history.receipts.get(&id);
            receipt.map(|receipt| (**receipt).clone())
        }))
    }

    fn receipts(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Receipt>, Error> {
        Ok(self.read(partition, |history| {
            let receipts = history.receipts.values().rev();
            let older = receipts.filter(|it| before.is_none_or(|Cursor(id)| it.id.0 < id));
            older.take(limit).map(|it| (**it).clone()).collect()
        }))
    }

    fn entries(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        Ok(self.read(partition, |history| {
            let story = (incident, EntryId(0))..=(incident, EntryId(u64::MAX));
            let entries = history.entries.range(story).map(|(_, entry)| entry);
            let later = entries.filter(|entry| after.is_none_or(|after| entry.id > after));
            later.take(limit).map(|it| (**it).clone()).collect()
        }))
    }

    fn closed_incident(
        &self,
        partition: Partition,
        number: IncidentNumber,
    ) -> Result<Option<Incident>, Error> {
        Ok(self.read(partition, |history| {
            let incident = history.incidents.get(&number);
            incident.map(|incident| (**incident).clone())
        }))
    }

    fn closed_incidents(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Incident>, Error> {
        Ok(self.read(partition, |history| {
            let incidents = history.incidents.values().rev();
            let lower = incidents.filter(|it| before.is_none_or(|Cursor(id)| it.number.0 < id));
            lower.take(limit).map(|it| (**it).clone()).collect()
        }))
    }

    fn closed_page(&self, partition: Partition, page: PageId) -> Result<Option<Page>, Error> {
        Ok(self.read(partition, |history| {
            history.pages.get(&page).map(|page| (**page).clone())
        }))
    }

    fn closed_pages(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Page>, Error> {
        Ok(self.read(partition, |history| {
            let ids = spanned(&history.pages_of, incident, span, limit, PageId);
            let pages = ids.iter().filter_map(|id| history.pages.get(id));
            pages.map(|page| (**page).clone()).collect()
        }))
    }

    fn closed_pages_total(
        &self,
        partition: Partition,
        incident: IncidentNumber,
    ) -> Result<usize, Error> {
        Ok(self.read(partition, |history| {
            let of = (incident, PageId(0))..=(incident, PageId(u64::MAX));
            history.pages_of.range(of).count()
        }))
    }

    fn closed_alerts(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Alert>, Error> {
        Ok(self.read(partition, |history| {
            let ids = spanned(&history.alerts_of, incident, span, limit, AlertId);
            let alerts = ids.iter().filter_map(|id| history.alerts.get(id));
            alerts.map(|alert| (**alert).clone()).collect()
        }))
    }

    fn document(&self, kind: DocumentKind, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let inner = self.inner();
        let key = (kind, name.to_owned());
        Ok(inner.contents.documents.get(&key).cloned())
    }

    fn documents(
        &self,
        kind: DocumentKind,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let inner = self.inner();
        let documents = inner.contents.documents.iter().rev();
        let earlier = documents.filter(|((found, name), _)| {
            *found == kind && before.is_none_or(|before| name.as_str() < before)
        });
        let named = earlier.map(|((_, name), bytes)| (name.clone(), bytes.clone()));
        Ok(named.take(limit).collect())
    }

    fn purge(
        &self,
        partition: Partition,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Purged, Error> {
        let mut inner = self.inner();
        inner.check()?;
        Ok(inner.contents.purge(partition, retention, now))
    }

    fn checkpoint(&self) -> Result<bool, Error> {
        self.inner().check()?;
        Ok(false)
    }

    fn backup(&self, _made_at: Timestamp, _out: &mut dyn Write) -> Result<Manifest, Error> {
        Err(Error::backup(&"a store in memory has none"))
    }

    fn backup_bytes(&self) -> u64 {
        0
    }

    fn free_bytes(&self) -> Option<u64> {
        self.inner().free_bytes
    }

    fn used_bytes(&self) -> u64 {
        self.inner().contents.used_bytes()
    }
}

/// The ids that an index names for an incident.
fn spanned<Id: Copy + Ord>(
    index: &BTreeSet<(IncidentNumber, Id)>,
    incident: IncidentNumber,
    span: Span,
    limit: usize,
    id_of: impl Fn(u64) -> Id,
) -> Vec<Id> {
    let (first, last) = (id_of(0), id_of(u64::MAX));
    match span {
        Span::After(id) => {
            let above = (Excluded((incident, id_of(id))), Included((incident, last)));
            let ids = index.range(above).take(limit);
            ids.map(|(_, id)| *id).collect()
        }
        Span::Before(id) => {
            let ids = index.range((incident, first)..(incident, id_of(id)));
            ids.rev().take(limit).map(|(_, id)| *id).collect()
        }
    }
}
