//! What one step cannot finish: it is a record of its own, goes on in later steps, and so survives
//! a crash.

use serde::{Deserialize, Serialize};

use super::ids::{AlertId, IncidentNumber, IntegrationName, TaskId};
use super::jump::Remembered;
use super::pending::{self, Part};
use super::recovery::{self, Recovery};
use super::resolution;
use super::silencing::{self, Pass};
use super::time::Duration;
use super::transaction::StepTransaction;
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
    KeepMemory { by: Duration, next: Remembered },
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
pub(super) fn begin(tx: &mut StepTransaction<'_>, kind: TaskKind) -> Option<TaskId> {
    let left = if tx.is_spent() {
        Some(kind)
    } else {
        advance(tx, kind)
    };
    left.map(|kind| keep(tx, kind))
}

/// Leaves something to later steps.
pub(super) fn keep(tx: &mut StepTransaction<'_>, kind: TaskKind) -> TaskId {
    let id = tx.next_task();
    tx.put_task(id, Task { id, kind });
    id
}

/// Goes on with a task.
pub(super) fn go_on(tx: &mut StepTransaction<'_>, id: TaskId, stride: Stride) {
    let Some(task) = tx.task(&id) else {
        return;
    };
    let kind = task.kind.clone();
    let left = match kind {
        TaskKind::Events(part) => pending::go_on(tx, part, stride).map(TaskKind::Events),
        kind => advance(tx, kind),
    };
    match left {
        Some(kind) => tx.put_task(id, Task { id, kind }),
        None => tx.drop_task(&id),
    }
}

/// Does what a step may; the answer is what is left.
fn advance(tx: &mut StepTransaction<'_>, kind: TaskKind) -> Option<TaskKind> {
    match kind {
        TaskKind::Events(part) => pending::go_on(tx, part, Stride::Full).map(TaskKind::Events),
        TaskKind::BeginSilence(pass) => silencing::cover(tx, pass).map(TaskKind::BeginSilence),
        TaskKind::EndSilence(pass) => silencing::uncover(tx, pass).map(TaskKind::EndSilence),
        TaskKind::ReleaseAlerts { incident } => {
            resolution::release_alerts(tx, incident).then_some(TaskKind::ReleaseAlerts { incident })
        }
        TaskKind::Recover(recovery) => recovery::advance(tx, recovery).map(TaskKind::Recover),
        TaskKind::KeepMemory { by, next } => {
            super::jump::keep_memory(tx, by, next).map(|next| TaskKind::KeepMemory { by, next })
        }
        TaskKind::FollowRules { next } => {
            unreported::follow_rules(tx, next).map(|next| TaskKind::FollowRules { next })
        }
    }
}
