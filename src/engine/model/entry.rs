//! A line of an incident's timeline: what was done or not done, and why.

use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::event::Text;
use crate::engine::ids::{AttemptId, EntryId, IncidentNumber, PageId};
use crate::engine::outcome::Outcome;
use crate::engine::reason::Reason;
use crate::engine::time::Timestamp;

/// One line of an incident's story: what was done or not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: EntryId,
    pub incident: IncidentNumber,
    pub at: Timestamp,
    pub kind: EntryKind,
    pub reason: Reason,
    /// A sentence for people, without the time.
    pub text: Text,
    #[serde(default, skip_serializing_if = "EntryDetail::is_empty")]
    pub detail: EntryDetail,
}

/// What an entry speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An alert arrived, changed or went.
    Alert,
    /// The incident changed its state.
    Incident,
    /// The escalation moved, stopped or was held.
    Escalation,
    /// Somebody was to be paged, or was not.
    Page,
    /// An attempt started or ended.
    Attempt,
    /// A person acted.
    Person,
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
