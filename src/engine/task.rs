//! What one step cannot finish: it is a record of its own, goes on in later steps, and so survives
//! a crash.

use serde::{Deserialize, Serialize};

use super::closing;
use super::draft::Draft;
use super::ids::{AlertId, IncidentNumber, IntegrationName, TaskId};
use super::jump::Remembered;
use super::pending::{self, Part};
use super::recovery::{self, Recovery};
use super::silencing::{self, Pass};
use super::time::Millis;
use super::unreported;

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
    KeepMemory { by: Millis, next: Remembered },
    /// Other rules say when alerts end that are not reported any more.
    FollowRules { next: AlertId },
}

/// Tasks take turns; all that must be done one after the other has one turn together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskTurn {
    /// Nothing else is done before.
    Memory,
    /// No timer is looked at before, and no page gets a place.
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
            | TaskKind::FollowRules { .. } => TaskTurn::Single(self.id),
        }
    }
}

/// Begins something, and finishes it if this step can. Otherwise the task that goes on with it.
pub(super) fn begin(draft: &mut Draft<'_>, kind: TaskKind) -> Option<TaskId> {
    let left = if draft.is_spent() {
        Some(kind)
    } else {
        advance(draft, kind)
    };
    left.map(|kind| keep(draft, kind))
}

/// Leaves something to later steps.
pub(super) fn keep(draft: &mut Draft<'_>, kind: TaskKind) -> TaskId {
    let id = draft.next_task();
    draft.put_task(id, Task { id, kind });
    id
}

/// Goes on with a task.
pub(super) fn go_on(draft: &mut Draft<'_>, id: TaskId, stride: Stride) {
    let Some(task) = draft.task(&id) else {
        return;
    };
    let kind = task.kind.clone();
    let left = match kind {
        TaskKind::Events(part) => pending::go_on(draft, part, stride).map(TaskKind::Events),
        kind => advance(draft, kind),
    };
    match left {
        Some(kind) => draft.put_task(id, Task { id, kind }),
        None => draft.drop_task(&id),
    }
}

/// Does what a step may; the answer is what is left.
fn advance(draft: &mut Draft<'_>, kind: TaskKind) -> Option<TaskKind> {
    match kind {
        TaskKind::Events(part) => pending::go_on(draft, part, Stride::Full).map(TaskKind::Events),
        TaskKind::BeginSilence(pass) => silencing::cover(draft, pass).map(TaskKind::BeginSilence),
        TaskKind::EndSilence(pass) => silencing::uncover(draft, pass).map(TaskKind::EndSilence),
        TaskKind::ReleaseAlerts { incident } => {
            closing::release_alerts(draft, incident).then_some(TaskKind::ReleaseAlerts { incident })
        }
        TaskKind::Recover(recovery) => recovery::advance(draft, recovery).map(TaskKind::Recover),
        TaskKind::KeepMemory { by, next } => {
            super::jump::keep_memory(draft, by, next).map(|next| TaskKind::KeepMemory { by, next })
        }
        TaskKind::FollowRules { next } => {
            unreported::follow_rules(draft, next).map(|next| TaskKind::FollowRules { next })
        }
    }
}
