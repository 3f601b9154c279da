//! Lines of an incident's story as the API shows them, and the story of one user.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::alert::optional;
use super::receipt::Receipt;
use super::sentence::Sentence;
use crate::engine::entry_body::EntryBody;
use crate::engine::records;

/// What was done or not done, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    pub id: u64,
    pub incident: u64,
    pub at: String,
    /// `alert`, `incident`, `escalation`, `page`, `attempt` or `person`.
    pub kind: String,
    /// A stable code.
    pub reason: String,
    /// A sentence for people.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<String>,
    /// Until when the page is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<String>,
    /// Who did it, where it was done by somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
}

/// What concerned a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explained {
    pub user: String,
    pub since: String,
    /// Lines that name the user, oldest first.
    pub items: Vec<Entry>,
    /// The incidents to which they belong.
    pub incidents: Vec<NamedIncident>,
    /// Events of that time that paged nobody, newest first.
    pub receipts: Vec<Receipt>,
    /// There is more than was looked at.
    pub truncated: bool,
}

/// An incident in whose story the user is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NamedIncident {
    pub number: u64,
    /// What fires in it now, or what it was opened with once it is over.
    pub headline: String,
}

/// A line of history.
pub fn entry(entry: &records::Entry) -> Entry {
    let detail = &entry.detail;
    Entry {
        id: entry.id.0,
        incident: entry.incident.0,
        at: entry.at.to_string(),
        kind: kind(&entry.body).to_owned(),
        reason: entry.reason.to_string(),
        text: Sentence(entry).to_string(),
        route: optional(detail.route.as_ref()),
        policy: optional(detail.policy.as_ref()),
        step: detail.step,
        schedule: optional(detail.schedule.as_ref()),
        user: optional(detail.user.as_ref()),
        contact: optional(detail.contact.as_ref()),
        channel: optional(detail.channel.as_ref()),
        page: detail.page.map(|page| page.0),
        attempt: detail.attempt.map(|attempt| attempt.0),
        outcome: detail.outcome.map(|outcome| outcome.to_string()),
        latency_ms: detail.latency_ms,
        provider_message: optional(detail.provider_message.as_ref()),
        held_until: detail.held_until.map(|until| until.to_string()),
        actor: detail.actor.as_ref().map(Actor::from),
    }
}

fn kind(body: &EntryBody) -> &str {
    match body {
        EntryBody::Alert(_) => "alert",
        EntryBody::Incident(_) => "incident",
        EntryBody::Escalation(_) => "escalation",
        EntryBody::Page(_) => "page",
        EntryBody::Attempt(_) => "attempt",
        EntryBody::Person(_) => "person",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::entry_body::{Addressee, AttemptEntry};
    use crate::engine::ids::{AttemptId, EntryId, IncidentNumber};
    use crate::engine::outcome::Outcome;
    use crate::engine::reason::Reason;
    use crate::engine::records::EntryDetail;
    use crate::engine::time::Timestamp;

    #[test]
    fn an_entry_shows_what_applies_and_leaves_out_the_rest() {
        let line = records::Entry {
            id: EntryId(9),
            incident: IncidentNumber(1042),
            at: Timestamp(0),
            reason: Reason::AttemptEnded,
            body: EntryBody::Attempt(AttemptEntry::Ended {
                channel: "sms".into(),
                to: Addressee::Channel {
                    channel: "sms".into(),
                    address: "+351910000001".into(),
                },
            }),
            detail: EntryDetail {
                attempt: Some(AttemptId(4)),
                outcome: Some(Outcome::Throttled {
                    wait: crate::engine::time::Duration::seconds(3600),
                }),
                latency_ms: Some(120),
                ..EntryDetail::default()
            },
        };
        let shown = serde_json::to_value(entry(&line)).unwrap();
        let expected = serde_json::json!({
            "id": 9, "incident": 1042, "at": "1970-01-01T00:00:00Z", "kind": "attempt",
            "reason": "attempt_ended", "text": "sms → +351910000001: throttled for 1h",
            "attempt": 4, "outcome": "throttled", "latency_ms": 120,
        });
        assert_eq!(shown, expected);
    }
}
