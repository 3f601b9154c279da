//! What the driver and the lanes do, as metrics.
//!
//! What is open is counted here from what was loaded and from what each commit changed, so that a
//! measurement is as fresh as the last commit and costs no walk over the state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::wire::page::kind;
use crate::engine::channel_state::ChannelState;
use crate::engine::ids::{IncidentNumber, PageId};
use crate::engine::incident::{Incident, Status};
use crate::engine::page::{Page, PageState};
use crate::engine::records::{Change, Receipt, Record, RecordKey};
use crate::engine::time::Duration;
use crate::runtime::commit_loop::Observer;
use crate::store::Batch;
use crate::telemetry::Metrics;

/// Counts commits, receipts, pages and open incidents.
pub struct Meter {
    metrics: Arc<Metrics>,
    /// Active pages and the state that was counted last.
    pages: BTreeMap<PageId, PageState>,
    triggered: BTreeSet<IncidentNumber>,
    acknowledged: BTreeSet<IncidentNumber>,
}

impl Meter {
    /// A meter that writes here and begins with what was loaded.
    pub fn new(metrics: Arc<Metrics>, loaded: &[Record]) -> Self {
        let mut meter = Self {
            metrics,
            pages: BTreeMap::new(),
            triggered: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
        };
        for record in loaded {
            if let Record::Page(page) = record {
                // It was counted by the process that made it.
                meter.pages.insert(page.id, page.state);
            }
            meter.note_record(record);
        }
        meter.show_incidents();
        meter
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::Put(record) => self.note_record(record),
            Change::Archive(record) => {
                self.note_record(&record.record());
                self.forget(&record.key());
            }
            Change::Drop(key) => self.forget(key),
            Change::Receipt(receipt) => self.note_receipt(receipt),
            Change::Entry(_) => {}
        }
    }

    fn note_receipt(&self, receipt: &Receipt) {
        self.metrics.event_accepted(receipt.integration.as_str());
        self.metrics.receipt(receipt.disposition.as_str());
    }

    fn note_record(&mut self, record: &Record) {
        match record {
            Record::Page(page) => self.note_page(page),
            Record::Incident(incident) => self.note_incident(incident),
            Record::Channel(channel) => self.note_channel(channel),
            Record::Alert(_)
            | Record::Group(_)
            | Record::Person(_)
            | Record::Sender(_)
            | Record::Provider(_)
            | Record::Dependent(_)
            | Record::StatusComponent(_)
            | Record::StatusPost(_)
            | Record::ServiceAlert(_)
            | Record::Silence(_)
            | Record::Override(_)
            | Record::PolicySnapshot(_)
            | Record::Task(_)
            | Record::Counters(_)
            | Record::Jump(_) => {}
        }
    }

    fn note_page(&mut self, page: &Page) {
        if self.pages.insert(page.id, page.state) != Some(page.state) {
            let (medium, state) = (page.medium.as_str(), page.state.as_str());
            self.metrics.page(kind(page.kind), medium, state);
        }
    }

    fn note_incident(&mut self, incident: &Incident) {
        self.forget_incident(incident.number);
        match incident.status {
            Status::Triggered => {
                self.triggered.insert(incident.number);
            }
            Status::Acknowledged => {
                self.acknowledged.insert(incident.number);
            }
            Status::Resolved => {}
        }
    }

    fn forget_incident(&mut self, number: IncidentNumber) {
        self.triggered.remove(&number);
        self.acknowledged.remove(&number);
    }

    fn note_channel(&self, channel: &ChannelState) {
        if let Some(at) = channel.last_success_at {
            let seconds = at.0.div_euclid(1_000);
            self.metrics
                .set_last_success(channel.name.as_str(), seconds);
        }
    }

    fn forget(&mut self, key: &RecordKey) {
        match key {
            RecordKey::Page(page) => {
                self.pages.remove(page);
            }
            RecordKey::Incident(number) => self.forget_incident(*number),
            RecordKey::Alert(_)
            | RecordKey::Group(_)
            | RecordKey::Person(_)
            | RecordKey::Channel(_)
            | RecordKey::Sender(_)
            | RecordKey::Provider(_)
            | RecordKey::Dependent(_)
            | RecordKey::StatusComponent(_)
            | RecordKey::StatusPost(_)
            | RecordKey::ServiceAlert(_)
            | RecordKey::Silence(_)
            | RecordKey::Override(_)
            | RecordKey::PolicySnapshot(_)
            | RecordKey::Task(_)
            | RecordKey::Counters
            | RecordKey::Jump => {}
        }
    }

    fn show_incidents(&self) {
        let open = [
            (Status::Triggered, &self.triggered),
            (Status::Acknowledged, &self.acknowledged),
        ];
        for (status, numbers) in open {
            self.metrics
                .set_open_incidents(status.as_str(), numbers.len());
        }
    }
}

impl Observer for Meter {
    fn committed(&mut self, batch: &Batch, inputs: usize, took: Duration) {
        let inputs = u32::try_from(inputs).unwrap_or(u32::MAX);
        self.metrics
            .commit(std::time::Duration::from_millis(took.0), inputs);
        for change in &batch.changes {
            self.note(change);
        }
        self.show_incidents();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    #[test]
    fn a_batch_is_measured_by_its_inputs_and_not_by_what_they_changed() {
        let metrics = Arc::new(Metrics::new());
        let mut meter = Meter::new(metrics.clone(), &[]);
        let receipt = samples::receipt(1, samples::START);
        let batch = Batch {
            changes: vec![Change::Receipt(receipt.into())],
            ..Batch::default()
        };
        meter.committed(&batch, 5, Duration(4));
        let text = metrics.render();
        assert!(
            text.contains("reveille_receipts_total{disposition=\"opened\"} 1"),
            "{text}"
        );
        assert!(text.contains("reveille_batch_inputs_sum 5.0"), "{text}");
        assert!(text.contains("reveille_commit_seconds_sum 0.004"), "{text}");
    }
}
