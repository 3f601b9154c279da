//! The store in memory, for tests and simulation: the same behaviour on plain ordered maps of the
//! records themselves, written without a look at how the embedded store lays out its rows, so
//! that each can be checked against the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::alert::Alert;
use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Change, Entry, Receipt, Record, RecordKey};
use crate::engine::time::Wall;

use super::{
    Batch, Before, Clocks, DocumentKind, Epoch, Error, Loaded, Partition, Purged, Retention, Store,
    age, load,
};

/// Nobody else can own a store in memory.
const EPOCH: Epoch = Epoch(1);

/// What a record counts for in the use of "disk".
const RECORD_BYTES: u64 = 1024;

/// Things that one purge removes at most.
const PURGED_MAX: u64 = 500;

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

#[derive(Clone, Default)]
struct Contents {
    partitions: BTreeMap<Partition, History>,
    documents: BTreeMap<(DocumentKind, String), Vec<u8>>,
}

/// All that one partition has.
#[derive(Clone, Default)]
struct History {
    clocks: Clocks,
    active: BTreeMap<RecordKey, Record>,
    receipts: BTreeMap<ReceiptId, Arc<Receipt>>,
    entries: BTreeMap<(IncidentNumber, EntryId), Arc<Entry>>,
    incidents: BTreeMap<IncidentNumber, Arc<Incident>>,
    pages: BTreeMap<PageId, Arc<Page>>,
    pages_of: BTreeSet<(IncidentNumber, PageId)>,
    alerts: BTreeMap<AlertId, Arc<Alert>>,
    alerts_of: BTreeSet<(IncidentNumber, AlertId)>,
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
        match &self.failed {
            Some(cause) => Err(Error::Commit {
                cause: format!("an earlier batch failed: {cause}"),
            }),
            None => Ok(()),
        }
    }

    fn apply(&mut self, partition: Partition, batch: &Batch) {
        let history = self.contents.partitions.entry(partition).or_default();
        history.clocks = batch.clocks;
        for change in &batch.changes {
            history.apply(change);
        }
        for write in &batch.documents {
            let key = (write.kind, write.name.clone());
            match &write.bytes {
                Some(bytes) => self.contents.documents.insert(key, bytes.clone()),
                None => self.contents.documents.remove(&key),
            };
        }
    }
}

impl Contents {
    fn used_bytes(&self) -> u64 {
        let records = self.partitions.values().map(|history| {
            let active = history.active.len();
            active as u64 + history.kept()
        });
        let documents = self.documents.values().map(|bytes| bytes.len() as u64);
        records.sum::<u64>() * RECORD_BYTES + documents.sum::<u64>()
    }
}

impl History {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(record) => {
                self.active.insert(record.key(), record.clone());
            }
            Change::Drop(key) => {
                self.active.remove(key);
            }
            Change::Archive(record) => self.archive(record),
            Change::Receipt(receipt) => {
                self.receipts.insert(receipt.id, receipt.clone());
            }
            Change::Entry(entry) => {
                self.entries
                    .insert((entry.incident, entry.id), entry.clone());
            }
        }
    }

    fn archive(&mut self, record: &Record) {
        self.active.remove(&record.key());
        match record {
            Record::Incident(incident) => {
                self.incidents.insert(incident.number, incident.clone());
            }
            Record::Page(page) => {
                let incidents = page.incidents.iter();
                self.pages_of
                    .extend(incidents.map(|incident| (incident.number, page.id)));
                self.pages.insert(page.id, page.clone());
            }
            Record::Alert(alert) => {
                let incidents = alert.incidents.iter();
                self.alerts_of
                    .extend(incidents.map(|number| (*number, alert.id)));
                self.alerts.insert(alert.id, alert.clone());
            }
            Record::Group(_)
            | Record::Person(_)
            | Record::Channel(_)
            | Record::Sender(_)
            | Record::Silence(_)
            | Record::Override(_)
            | Record::Pinned(_)
            | Record::Counters(_) => {}
        }
    }

    fn remembered(&self, now: Wall) -> Vec<Arc<Receipt>> {
        let mut memory = load::Memory::new(now);
        for receipt in self.receipts.values().rev() {
            if memory.is_over(receipt) {
                break;
            }
            memory.take(receipt.clone());
        }
        memory.oldest_first()
    }

    /// How many records of history there are.
    fn kept(&self) -> u64 {
        let incidents = self.incidents.len() + self.entries.len() + self.pages.len();
        (self.receipts.len() + incidents + self.alerts.len()) as u64
    }

    fn oldest_receipt(&self) -> Option<(Wall, ReceiptId)> {
        let receipt = self.receipts.values().next();
        receipt.map(|receipt| (receipt.at, receipt.id))
    }

    /// The oldest closed record that can be purged by itself.
    fn oldest_closed(&self) -> Option<(Wall, age::Closed)> {
        let is_active = |number| self.active.contains_key(&RecordKey::Incident(number));
        let incidents = self.incidents.values();
        let incidents = incidents.filter(|incident| !is_active(incident.number));
        let incidents = incidents.map(|incident| {
            let at = age::incident_closed_at(incident);
            (at, age::Closed::Incident(incident.number))
        });
        let alerts = self.alerts.values().map(|alert| {
            let at = age::alert_closed_at(alert);
            (at, age::Closed::Alert(alert.id))
        });
        let pages = self.pages.values();
        let lonely = pages.filter(|page| page.incidents.is_empty());
        let pages = lonely.map(|page| (page.created_at, age::Closed::Page(page.id)));
        incidents.chain(alerts).chain(pages).min()
    }

    fn remove(&mut self, closed: age::Closed) {
        match closed {
            age::Closed::Incident(number) => self.remove_incident(number),
            age::Closed::Page(id) => {
                self.pages.remove(&id);
            }
            age::Closed::Alert(id) => {
                self.alerts.remove(&id);
                self.alerts_of.retain(|(_, alert)| *alert != id);
            }
        }
    }

    fn remove_incident(&mut self, number: IncidentNumber) {
        self.incidents.remove(&number);
        self.entries.retain(|(incident, _), _| *incident != number);
        self.pages_of.retain(|(incident, _)| *incident != number);
        let pages_of = &self.pages_of;
        self.pages.retain(|id, page| {
            page.incidents.is_empty() || pages_of.iter().any(|(_, kept)| kept == id)
        });
    }
}

/// Which history goes next, and whether only because of the cap.
fn victim(
    history: &History,
    used_bytes: u64,
    retention: &Retention,
    now: Wall,
) -> Option<(Victim, bool)> {
    let (receipt, closed) = (history.oldest_receipt(), history.oldest_closed());
    let expired = receipt.filter(|(at, _)| *at < now.minus(retention.events));
    if let Some((_, id)) = expired {
        return Some((Victim::Receipt(id), false));
    }
    let expired = closed.filter(|(at, _)| *at < now.minus(retention.incidents));
    if let Some((_, closed)) = expired {
        return Some((Victim::Closed(closed), false));
    }
    let cap = retention.disk_bytes;
    if used_bytes <= cap || history.kept() * RECORD_BYTES <= cap / 2 {
        return None;
    }
    match (receipt, closed) {
        (None, None) => None,
        (Some((at, id)), Some((closed_at, _))) if at <= closed_at => {
            Some((Victim::Receipt(id), true))
        }
        (_, Some((_, closed))) => Some((Victim::Closed(closed), true)),
        (Some((_, id)), None) => Some((Victim::Receipt(id), true)),
    }
}

enum Victim {
    Receipt(ReceiptId),
    Closed(age::Closed),
}

impl Store for MemoryStore {
    fn claim(&self, _partition: Partition) -> Result<Epoch, Error> {
        self.inner().check()?;
        Ok(EPOCH)
    }

    fn load(&self, partition: Partition, now: Wall) -> Result<Loaded, Error> {
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
            inner.apply(partition, batch);
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
        before: Option<Before>,
        limit: usize,
    ) -> Result<Vec<Receipt>, Error> {
        Ok(self.read(partition, |history| {
            let receipts = history.receipts.values().rev();
            let older = receipts.filter(|it| before.is_none_or(|Before(id)| it.id.0 < id));
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
        before: Option<Before>,
        limit: usize,
    ) -> Result<Vec<Incident>, Error> {
        Ok(self.read(partition, |history| {
            let incidents = history.incidents.values().rev();
            let lower = incidents.filter(|it| before.is_none_or(|Before(id)| it.number.0 < id));
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
        limit: usize,
    ) -> Result<Vec<Page>, Error> {
        Ok(self.read(partition, |history| {
            let of = (incident, PageId(0))..=(incident, PageId(u64::MAX));
            let ids = history.pages_of.range(of).take(limit);
            let pages = ids.filter_map(|(_, id)| history.pages.get(id));
            pages.map(|page| (**page).clone()).collect()
        }))
    }

    fn closed_alerts(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        limit: usize,
    ) -> Result<Vec<Alert>, Error> {
        Ok(self.read(partition, |history| {
            let of = (incident, AlertId(0))..=(incident, AlertId(u64::MAX));
            let ids = history.alerts_of.range(of).take(limit);
            let alerts = ids.filter_map(|(_, id)| history.alerts.get(id));
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
        now: Wall,
    ) -> Result<Purged, Error> {
        let mut inner = self.inner();
        inner.check()?;
        let mut purged = Purged::default();
        for count in 0.. {
            let used_bytes = inner.contents.used_bytes();
            let Some(history) = inner.contents.partitions.get_mut(&partition) else {
                break;
            };
            let Some((victim, is_displaced)) = victim(history, used_bytes, retention, now) else {
                break;
            };
            if count == PURGED_MAX {
                purged.is_more = true;
                break;
            }
            let is_counted = match victim {
                Victim::Receipt(id) => {
                    history.receipts.remove(&id);
                    purged.receipts += 1;
                    true
                }
                Victim::Closed(closed) => {
                    history.remove(closed);
                    let is_incident = matches!(closed, age::Closed::Incident(_));
                    purged.incidents += u64::from(is_incident);
                    is_incident
                }
            };
            purged.displaced += u64::from(is_displaced && is_counted);
        }
        Ok(purged)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.inner().free_bytes
    }

    fn used_bytes(&self) -> u64 {
        self.inner().contents.used_bytes()
    }
}
