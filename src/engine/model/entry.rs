//! A line of an incident's timeline: what was done or not done, and why.

use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::entry_body::EntryBody;
use crate::engine::event::Text;
use crate::engine::ids::{AttemptId, EntryId, IncidentNumber, PageId};
use crate::engine::outcome::Outcome;
use crate::engine::reason::Reason;
use crate::engine::time::Timestamp;

/// One line of an incident's story: what was done or not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReadEntry")]
pub struct Entry {
    pub id: EntryId,
    pub incident: IncidentNumber,
    pub at: Timestamp,
    pub reason: Reason,
    pub body: EntryBody,
    #[serde(skip_serializing_if = "EntryDetail::is_empty")]
    pub detail: EntryDetail,
}

/// An entry as it is read: up to format 1 it had a sentence and its kind instead of a body.
#[derive(Deserialize)]
struct ReadEntry {
    id: EntryId,
    incident: IncidentNumber,
    at: Timestamp,
    reason: Reason,
    body: Option<EntryBody>,
    kind: Option<Text>,
    text: Option<Text>,
    #[serde(default)]
    detail: EntryDetail,
}

impl TryFrom<ReadEntry> for Entry {
    type Error = &'static str;

    fn try_from(stored: ReadEntry) -> Result<Self, Self::Error> {
        let body = match (stored.body, stored.kind, stored.text) {
            (Some(body), ..) => body,
            (None, Some(kind), Some(text)) => EntryBody::Written { kind, text },
            (None, ..) => return Err("it has neither a body nor a kind and a text"),
        };
        Ok(Self {
            id: stored.id,
            incident: stored.incident,
            at: stored.at,
            reason: stored.reason,
            body,
            detail: stored.detail,
        })
    }
}

/// What an entry names beside its text, where it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDetail {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Text>,
    /// From 1; absent for fallback and reassignment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_message: Option<Text>,
    /// Until when something is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
}

impl EntryDetail {
    /// What somebody did: they are the user whom it concerns.
    pub fn of(actor: &Actor) -> Self {
        Self {
            user: actor.user.as_ref().map(|user| user.as_str().into()),
            actor: Some(actor.clone()),
            ..Self::default()
        }
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
