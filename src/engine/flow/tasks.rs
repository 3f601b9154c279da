//! What one step cannot finish is begun, kept, and goes on in later steps.

use crate::engine::ids::TaskId;
use crate::engine::task::{Stride, Task, TaskKind};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    archive, dependents, jump, pending, recovery, silencing, status_alerts, unreported,
};

/// Begins something, and finishes it if this step can. Otherwise the task that goes on with it.
pub fn begin(tx: &mut StepTransaction<'_>, kind: TaskKind) -> Option<TaskId> {
    let left = if tx.is_spent() {
        Some(kind)
    } else {
        advance(tx, kind)
    };
    left.map(|kind| tx.keep(kind))
}

/// Goes on with a task.
pub fn go_on(tx: &mut StepTransaction<'_>, id: TaskId, stride: Stride) {
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
            archive::release_alerts(tx, incident).then_some(TaskKind::ReleaseAlerts { incident })
        }
        TaskKind::Recover(recovery) => recovery::advance(tx, recovery).map(TaskKind::Recover),
        TaskKind::KeepMemory { by, next } => {
            jump::keep_memory(tx, by, next).map(|next| TaskKind::KeepMemory { by, next })
        }
        TaskKind::ReviewDependents { provider, next } => {
            let next = dependents::review(tx, &provider, next)?;
            Some(TaskKind::ReviewDependents { provider, next })
        }
        TaskKind::FollowRules { next } => {
            unreported::follow_rules(tx, next).map(|next| TaskKind::FollowRules { next })
        }
        TaskKind::ReviewServices { next } => {
            status_alerts::review(tx, next).map(|next| TaskKind::ReviewServices { next })
        }
    }
}
