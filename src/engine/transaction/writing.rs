//! What a step adds beside its records: history, receipts, lines of timelines.

use std::sync::Arc;

use super::{PendingRecord, StepTransaction};
use crate::engine::alert::Alert;
use crate::engine::entry_body::EntryBody;
use crate::engine::ids::{IncidentNumber, PageId};
use crate::engine::reason::Reason;
use crate::engine::records::{Archived, Entry, EntryDetail, Receipt};

impl StepTransaction<'_> {
    /// Keeps an incident in history and out of the active state.
    pub fn archive_incident(&mut self, number: IncidentNumber) {
        self.edit_incident(&number, |incident| incident.last_alerts.clear());
        if let Some(incident) = self.incident(&number) {
            let archived = PendingRecord::Archive(Archived::Incident(incident));
            self.changed.incidents.insert(number, archived);
        }
    }

    /// Keeps an alert in the history of an incident as it is now. The alert itself may live on, so
    /// what is kept has an id of its own.
    pub fn archive_alert(&mut self, number: IncidentNumber, alert: &Alert) {
        let kept = Alert {
            id: self.next_alert(),
            incidents: vec![number],
            expires: None,
            holds: Vec::new(),
            forget: None,
            ..alert.clone()
        };
        self.archived.push(Arc::new(kept));
    }

    /// Keeps a page in history and out of the active state.
    pub fn archive_page(&mut self, id: PageId) {
        if let Some(page) = self.page(&id) {
            let archived = PendingRecord::Archive(Archived::Page(page));
            self.changed.pages.insert(id, archived);
        }
    }

    /// Keeps the receipt of an event.
    pub fn receipt(&mut self, receipt: Receipt) -> Arc<Receipt> {
        let receipt = Arc::new(receipt);
        self.memory.remember(&receipt);
        self.receipts.push(receipt.clone());
        receipt
    }

    /// Adds a line to an incident's story.
    pub fn note(&mut self, incident: IncidentNumber, reason: Reason, body: impl Into<EntryBody>) {
        self.note_in_detail(incident, reason, body, EntryDetail::default());
    }

    /// Adds a line to an incident's story, with what it is about.
    pub fn note_in_detail(
        &mut self,
        incident: IncidentNumber,
        reason: Reason,
        body: impl Into<EntryBody>,
        detail: EntryDetail,
    ) {
        let entry = Entry {
            id: self.next_entry(),
            incident,
            at: self.now.wall,
            reason,
            body: body.into(),
            detail,
        };
        self.entries.push(Arc::new(entry));
    }
}
