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
pub struct Entry {
    pub id: EntryId,
    pub incident: IncidentNumber,
    pub at: Timestamp,
    pub reason: Reason,
    pub body: EntryBody,
    pub detail: EntryDetail,
}

/// What an entry names beside its text, where it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDetail {
    pub route: Option<Text>,
    pub policy: Option<Text>,
    /// From 1; absent for fallback and reassignment.
    pub step: Option<u32>,
    pub schedule: Option<Text>,
    pub user: Option<Text>,
    pub contact: Option<Text>,
    pub channel: Option<Text>,
    pub page: Option<PageId>,
    pub attempt: Option<AttemptId>,
    pub outcome: Option<Outcome>,
    pub latency_ms: Option<u64>,
    pub provider_message: Option<Text>,
    /// Until when something is held.
    pub held_until: Option<Timestamp>,
    /// Who did it.
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
