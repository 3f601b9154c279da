//! The receipt of an event: what became of it, and why.

use crate::engine::event::{Action, Event, EventTime};
use crate::engine::ids::{IncidentNumber, IntegrationName, ReceiptId, RouteName};
use crate::engine::reason::Reason;
use crate::engine::records::{Disposition, Receipt};
use crate::engine::time::Timestamp;
use crate::engine::transaction::StepTransaction;

/// What became of an event, before it is written down.
pub struct Verdict {
    pub disposition: Disposition,
    pub reason: Reason,
    pub incidents: Vec<IncidentNumber>,
    pub routes: Vec<RouteName>,
    /// Whether the normalised event is worth keeping.
    pub is_news: bool,
}

impl Verdict {
    pub fn nothing(disposition: Disposition, reason: Reason) -> Self {
        Self {
            disposition,
            reason,
            incidents: Vec::new(),
            routes: Vec::new(),
            is_news: false,
        }
    }
}

/// An id that was accepted within the hour answers with its first outcome and does nothing.
pub fn duplicate(
    tx: &StepTransaction<'_>,
    integration: &IntegrationName,
    event: &Event,
) -> Option<Receipt> {
    let id = event.id.as_ref()?;
    let first = tx.receipt_by_id(integration, id)?;
    Some(Receipt {
        faults: event.faults.clone(),
        ..first.clone()
    })
}

pub fn receipt(
    at: Timestamp,
    id: ReceiptId,
    integration: &IntegrationName,
    event: Event,
    verdict: Verdict,
) -> Receipt {
    let source_time = match event.action {
        Action::Resolve => resolve_time(event.spoken),
        Action::Trigger | Action::Acknowledge | Action::Change | Action::Ignore => {
            event.spoken.source_time()
        }
    };
    Receipt {
        id,
        at,
        integration: integration.clone(),
        action: event.action,
        dedup_key: event.dedup_key,
        event_id: event.id,
        disposition: verdict.disposition,
        incidents: verdict.incidents,
        reason: verdict.reason,
        routes: verdict.routes,
        faults: event.faults,
        source_time,
        content: verdict.is_news.then_some(event.content),
    }
}

/// The moment at which a resolve says that it was over.
pub fn resolve_time(spoken: EventTime) -> Option<Timestamp> {
    match spoken {
        EventTime::StateAsserted { ends_at, .. } => ends_at,
        EventTime::OccurredAt(moment) => moment,
    }
}
