//! What a store would have kept: records by key, receipts and stories, so that a crash at any
//! moment starts again from exactly what was committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille::engine::State;
use reveille::engine::alert::Alert;
use reveille::engine::ids::{AlertId, IncidentNumber, PageId};
use reveille::engine::incident::Incident;
use reveille::engine::page::Page;
use reveille::engine::records::{Archived, Change, Entry, Receipt, Record, RecordKey};
use reveille::store::{Batch, Clocks, Partition, SledStore, Store};

/// The durable copy.
#[derive(Default)]
pub struct Durable {
    records: BTreeMap<RecordKey, Record>,
    pub receipts: Vec<Arc<Receipt>>,
    pub entries: Vec<Arc<Entry>>,
    pub closed: BTreeMap<IncidentNumber, Arc<Incident>>,
    pub closed_pages: BTreeMap<PageId, Arc<Page>>,
    pub closed_alerts: BTreeMap<AlertId, Arc<Alert>>,
    /// A real store that is to keep the same.
    pub mirror: Option<SledStore>,
    pub clocks: Clocks,
}

impl Durable {
    /// Keeps one batch.
    pub fn commit(&mut self, batch: &Batch) {
        for change in &batch.changes {
            match change {
                Change::Put(record) => {
                    self.records.insert(record.key(), record.clone());
                }
                Change::Drop(key) => {
                    self.records.remove(key);
                }
                Change::Archive(record) => self.archive(record),
                Change::Receipt(receipt) => self.receipts.push(receipt.clone()),
                Change::Entry(entry) => self.entries.push(entry.clone()),
            }
        }
        self.clocks = batch.clocks;
        if let Some(mirror) = &self.mirror {
            let epoch = mirror.claim(Partition(0)).expect("the mirror is ours");
            let kept = mirror.commit(Partition(0), epoch, batch);
            kept.expect("the mirror keeps it");
        }
    }

    fn archive(&mut self, record: &Archived) {
        self.records.remove(&record.key());
        match record {
            Archived::Incident(incident) => {
                self.closed.insert(incident.number, incident.clone());
            }
            Archived::Page(page) => {
                self.closed_pages.insert(page.id, page.clone());
            }
            Archived::Alert(alert) => {
                self.closed_alerts.insert(alert.id, alert.clone());
            }
        }
    }

    /// The state that a start would load.
    pub fn load(&self) -> State {
        State::load(self.records.values().cloned().collect(), &self.receipts)
    }

    /// How many active records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }
}
