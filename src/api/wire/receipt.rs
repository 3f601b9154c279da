//! Receipts as the API shows them, and as senders get them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::event;
use crate::engine::records;

/// The durable record that an event was accepted, with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// `r` and a number, so that it is never taken for an incident.
    pub id: String,
    pub at: String,
    pub integration: String,
    pub action: String,
    pub dedup_key: String,
    pub disposition: String,
    /// The first in the order of the routing tree.
    pub incident: Option<u64>,
    pub incidents: Vec<u64>,
    /// A stable code.
    pub reason: String,
    /// The reason as a sentence.
    pub text: String,
    pub routes: Vec<String>,
    pub faults: Vec<Fault>,
    pub summary: Option<String>,
    pub severity: Option<String>,
}

/// What a sender gets for each of its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    /// `r` and a number, so that it is never taken for an incident.
    pub id: String,
    pub dedup_key: String,
    pub disposition: String,
    /// The first in the order of the routing tree.
    pub incident: Option<u64>,
    pub incidents: Vec<u64>,
    /// What was cut or repaired while reading the event.
    pub faults: Vec<Fault>,
}

/// The answer to a batch of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedBatch {
    /// In the order of the events that were usable.
    pub receipts: Vec<Accepted>,
    /// What was not usable; present only if there is something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// Something that was cut, repaired or refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// A JSON path such as `$[0].labels.host`.
    pub path: String,
    pub problem: String,
}

/// A receipt of history.
pub fn receipt(receipt: &records::Receipt) -> Receipt {
    let content = receipt.content.as_deref();
    Receipt {
        id: format!("r{}", receipt.id),
        at: receipt.at.to_string(),
        integration: receipt.integration.to_string(),
        action: receipt.action.to_string(),
        dedup_key: receipt.dedup_key.to_string(),
        disposition: receipt.disposition.as_str().to_owned(),
        incident: receipt.incidents.first().map(|number| number.0),
        incidents: receipt.incidents.iter().map(|number| number.0).collect(),
        reason: receipt.reason.to_string(),
        text: receipt.reason.meaning().to_owned(),
        routes: receipt.routes.iter().map(ToString::to_string).collect(),
        faults: faults(&receipt.faults),
        summary: content.map(|content| content.summary.to_string()),
        severity: content.map(|content| content.severity.to_string()),
    }
}

/// A receipt for the sender.
pub fn accepted(receipt: &records::Receipt) -> Accepted {
    Accepted {
        id: format!("r{}", receipt.id),
        dedup_key: receipt.dedup_key.to_string(),
        disposition: receipt.disposition.as_str().to_owned(),
        incident: receipt.incidents.first().map(|number| number.0),
        incidents: receipt.incidents.iter().map(|number| number.0).collect(),
        faults: faults(&receipt.faults),
    }
}

/// Faults as the wire has them.
pub fn faults(faults: &[event::Fault]) -> Vec<Fault> {
    let faults = faults.iter().map(|fault| Fault {
        path: fault.path.clone(),
        problem: fault.problem.clone(),
    });
    faults.collect()
}
