//! What one step cannot finish: it is a record of its own, goes on in later steps, and so survives
//! a crash.

use serde::{Deserialize, Serialize};

use crate::engine::event::{Event, Text};
use crate::engine::ids::{
    AlertId, IncidentNumber, IntegrationName, PageId, ProviderName, SilenceId, TaskId,
};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};

/// Something begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    pub kind: TaskKind,
}

/// What is to be done, and how far it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Events that were accepted are decided on.
    Events(Part),
    /// A silence that began reaches the alerts it covers.
    BeginSilence(Pass),
    /// A silence that ended lets go of them.
    EndSilence(Pass),
    /// The alerts of an incident that was resolved leave it.
    ReleaseAlerts { incident: IncidentNumber },
    /// What is overdue after a start or a sleep happens once.
    Recover(Recovery),
    /// What is remembered lasts as if the wall clock had not jumped ahead.
    KeepMemory { by: Duration, next: Remembered },
    /// Other rules say when alerts end that are not reported any more.
    FollowRules { next: AlertId },
    /// Those that depend on a provider wait under its incidents, or no longer.
    ReviewDependents {
        provider: ProviderName,
        next: IncidentNumber,
    },
    /// Other rules say which services status pages of ours show.
    ReviewServices { next: AlertId },
}

/// Tasks take turns; all that must be done one after the other has one turn together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskTurn {
    /// Nothing else is done before.
    Memory,
    /// No timer is looked at before, and no page gets a slot.
    Recovery,
    Single(TaskId),
    Integration(IntegrationName),
}

/// How much of a task a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// As much as a step may.
    Full,
    /// One event of several: a decision on all of them panicked.
    One,
    /// Not even that: the event is kept in its receipt, and nothing is decided.
    SetAside,
}

impl Task {
    /// With whom it takes turns.
    pub fn turn(&self) -> TaskTurn {
        match &self.kind {
            TaskKind::Events(part) => TaskTurn::Integration(part.integration.clone()),
            TaskKind::KeepMemory { .. } => TaskTurn::Memory,
            TaskKind::Recover(_) => TaskTurn::Recovery,
            TaskKind::BeginSilence(_)
            | TaskKind::EndSilence(_)
            | TaskKind::ReleaseAlerts { .. }
            | TaskKind::FollowRules { .. }
            | TaskKind::ReviewDependents { .. }
            | TaskKind::ReviewServices { .. } => TaskTurn::Single(self.id),
        }
    }
}

/// Some events of a request that wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub integration: IntegrationName,
    /// When the request came: what was fresh then is not old because it had to wait.
    pub accepted: Timestamp,
    /// The first part of the request.
    pub request: TaskId,
    /// Whether all of the request is kept with this part.
    pub is_last: bool,
    /// Never empty.
    pub events: Vec<Event>,
}

/// How far a silence got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub silence: SilenceId,
    /// The incident it is at.
    pub incident: IncidentNumber,
    /// The next alert there, or of those without an incident.
    pub alert: AlertId,
    /// Whether that incident has an alert that it covers.
    pub is_touched: bool,
    /// Whether it covers an alert there that it did not cover before.
    pub is_news: bool,
    /// Whether that incident was held when it was reached.
    pub was_held: bool,
    /// Incidents that it covers, so far.
    pub covers: usize,
    /// All incidents are done, and alerts without one follow.
    pub is_past_incidents: bool,
    /// Whoever waits is told when it is done.
    pub is_asked: bool,
    /// This one ends when all that it holds is held by the new one.
    pub replaces: Option<SilenceId>,
}

/// How far it got through what is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remembered {
    /// Groups after this one.
    Groups(Text),
    /// Alerts from this one on.
    Alerts(AlertId),
}

/// How far a recovery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    pub cause: Away,
    /// When it began, or one before it that did not end: what has happened since then is not to be
    /// recovered.
    pub began: MonotonicTime,
    /// The first page made since then.
    pub new_pages: PageId,
    pub stage: Stage,
}

/// Why the router was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// It did not run: no answer will come to what was under way.
    Stopped,
    /// It slept, or the wall clock jumped ahead.
    Suspended,
}

/// What is looked at, from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Alerts(AlertId),
    Incidents(IncidentNumber),
    Pages(PageId),
}

impl Pass {
    pub fn new(silence: SilenceId) -> Self {
        Self {
            silence,
            incident: IncidentNumber(0),
            alert: AlertId(0),
            is_touched: false,
            is_news: false,
            was_held: false,
            covers: 0,
            is_past_incidents: false,
            is_asked: false,
            replaces: None,
        }
    }
}
