//! What a store in memory holds, and how it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Archived, Change, Entry, Receipt, Record, RecordKey};
use crate::engine::time::Timestamp;
use crate::store::purge::{self, Victim};
use crate::store::retention_index::{self, Closed};
use crate::store::{Batch, Clocks, DocumentKind, Partition, Purged, Retention, load};

/// What a record counts for in the use of "disk".
const RECORD_BYTES: u64 = 1024;

/// Things that one purge removes at most.
const PURGED_MAX: u64 = 500;

/// Everything.
#[derive(Clone, Default)]
pub struct Contents {
    pub partitions: BTreeMap<Partition, History>,
    pub documents: BTreeMap<(DocumentKind, String), Vec<u8>>,
}

/// All that one partition has.
#[derive(Clone, Default)]
pub struct History {
    pub clocks: Clocks,
    pub active: BTreeMap<RecordKey, Record>,
    pub receipts: BTreeMap<ReceiptId, Arc<Receipt>>,
    pub entries: BTreeMap<(IncidentNumber, EntryId), Arc<Entry>>,
    pub incidents: BTreeMap<IncidentNumber, Arc<Incident>>,
    pub pages: BTreeMap<PageId, Arc<Page>>,
    pub pages_of: BTreeSet<(IncidentNumber, PageId)>,
    pub alerts: BTreeMap<AlertId, Arc<Alert>>,
    pub alerts_of: BTreeSet<(IncidentNumber, AlertId)>,
}

impl Contents {
    pub fn apply(&mut self, partition: Partition, batch: &Batch) {
        let history = self.partitions.entry(partition).or_default();
        history.clocks = batch.clocks;
        for change in &batch.changes {
            history.apply(change);
        }
        for write in &batch.documents {
            let key = (write.kind, write.name.clone());
            match &write.bytes {
                Some(bytes) => self.documents.insert(key, bytes.clone()),
                None => self.documents.remove(&key),
            };
        }
    }

    /// Removes a small batch of history.
    pub fn purge(&mut self, partition: Partition, retention: &Retention, now: Timestamp) -> Purged {
        let mut purged = Purged::default();
        for count in 0.. {
            let used_bytes = self.used_bytes();
            let Some(history) = self.partitions.get_mut(&partition) else {
                break;
            };
            let receipt_at = history.receipts.values().next().map(|receipt| receipt.at);
            let closed = history.oldest_closed();
            let closed_at = closed.map(|(at, _)| at);
            let is_over_cap = retention.is_over_cap(used_bytes, history.kept() * RECORD_BYTES);
            let victim = purge::victim(retention, now, receipt_at, closed_at, is_over_cap);
            let Some((victim, is_displaced)) = victim else {
                break;
            };
            if count == PURGED_MAX {
                purged.is_more = true;
                break;
            }
            let is_counted = match victim {
                Victim::Commit => {
                    history.receipts.pop_first();
                    purged.receipts += 1;
                    true
                }
                Victim::Closed => {
                    let is_incident = matches!(closed, Some((_, Closed::Incident(_))));
                    if let Some((_, closed)) = closed {
                        history.remove(closed);
                    }
                    purged.incidents += u64::from(is_incident);
                    is_incident
                }
            };
            purged.displaced += u64::from(is_displaced && is_counted);
        }
        purged
    }

    pub fn used_bytes(&self) -> u64 {
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

    fn archive(&mut self, record: &Archived) {
        self.active.remove(&record.key());
        match record {
            Archived::Incident(incident) => {
                self.incidents.insert(incident.number, incident.clone());
            }
            Archived::Page(page) => {
                let incidents = page.incidents.iter();
                self.pages_of
                    .extend(incidents.map(|incident| (incident.number, page.id)));
                self.pages.insert(page.id, page.clone());
            }
            Archived::Alert(alert) => {
                let incidents = alert.incidents.iter();
                self.alerts_of
                    .extend(incidents.map(|number| (*number, alert.id)));
                self.alerts.insert(alert.id, alert.clone());
            }
        }
    }

    /// Receipts that a start needs.
    pub fn remembered(&self, now: Timestamp) -> Vec<Arc<Receipt>> {
        let mut memory = load::Memory::new(now);
        for receipt in self.receipts.values().rev() {
            if memory.is_over(receipt.at) {
                break;
            }
            memory.take(receipt);
        }
        memory.oldest_first()
    }

    /// How many records of history there are.
    fn kept(&self) -> u64 {
        let incidents = self.incidents.len() + self.entries.len() + self.pages.len();
        (self.receipts.len() + incidents + self.alerts.len()) as u64
    }

    /// The oldest closed record that can be purged by itself.
    fn oldest_closed(&self) -> Option<(Timestamp, Closed)> {
        let incidents = self.incidents.values();
        let incidents = incidents.map(|incident| {
            let at = retention_index::incident_closed_at(incident);
            (at, Closed::Incident(incident.number))
        });
        let alerts = self.alerts.values();
        let lonely = alerts.filter(|alert| alert.incidents.is_empty());
        let alerts = lonely.map(|alert| {
            let at = retention_index::alert_closed_at(alert);
            (at, Closed::Alert(alert.id))
        });
        let pages = self.pages.values();
        let lonely = pages.filter(|page| page.incidents.is_empty());
        let pages = lonely.map(|page| (page.created_at, Closed::Page(page.id)));
        incidents.chain(alerts).chain(pages).min()
    }

    fn remove(&mut self, closed: Closed) {
        match closed {
            Closed::Incident(number) => self.remove_incident(number),
            Closed::Page(id) => {
                self.pages.remove(&id);
            }
            Closed::Alert(id) => {
                self.alerts.remove(&id);
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
        self.alerts_of.retain(|(incident, _)| *incident != number);
        let kept: BTreeSet<AlertId> = self.alerts_of.iter().map(|(_, id)| *id).collect();
        self.alerts
            .retain(|id, alert| alert.incidents.is_empty() || kept.contains(id));
    }
}
