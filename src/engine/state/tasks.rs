//! Tasks of the state: which there are, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::engine::ids::{IntegrationName, TaskId};
use crate::engine::task::{Task, TaskKind, TaskTurn};

/// Where a task stands among those that it takes its turn with: one request goes before the next,
/// also where both were kept at the same time.
type TaskRank = (TaskId, TaskId);

fn rank(task: &Task) -> TaskRank {
    match &task.kind {
        TaskKind::Events(part) => (part.request, task.id),
        TaskKind::BeginSilence(_)
        | TaskKind::EndSilence(_)
        | TaskKind::ReleaseAlerts { .. }
        | TaskKind::Recover(_)
        | TaskKind::KeepMemory { .. }
        | TaskKind::FollowRules { .. }
        | TaskKind::ReviewDependents { .. }
        | TaskKind::ReviewServices { .. } => (task.id, task.id),
    }
}

/// The ranks of all parts of a request.
fn parts(request: TaskId) -> RangeInclusive<TaskRank> {
    (request, TaskId(0))..=(request, TaskId(u64::MAX))
}

/// All tasks, by their turns.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    records: BTreeMap<TaskId, Arc<Task>>,
    turns: BTreeMap<TaskTurn, BTreeSet<TaskRank>>,
    /// The last parts of requests of which all events are kept.
    whole: BTreeSet<TaskRank>,
    /// How many events wait.
    events: BTreeMap<IntegrationName, usize>,
}

impl Tasks {
    pub(super) fn put(&mut self, task: Arc<Task>) {
        if let TaskKind::Events(part) = &task.kind {
            let events = self.events.entry(part.integration.clone()).or_default();
            *events += part.events.len();
            if part.is_last {
                self.whole.insert(rank(&task));
            }
        }
        let own = self.turns.entry(task.turn()).or_default();
        own.insert(rank(&task));
        self.records.insert(task.id, task);
    }

    pub(super) fn remove(&mut self, id: TaskId) {
        let Some(task) = self.records.remove(&id) else {
            return;
        };
        if let TaskKind::Events(part) = &task.kind {
            let events = self.events.get_mut(&part.integration);
            let events = events.expect("events that wait are counted");
            *events -= part.events.len();
            if *events == 0 {
                self.events.remove(&part.integration);
            }
            if part.is_last {
                self.whole.remove(&rank(&task));
            }
        }
        let turn = task.turn();
        let own = self.turns.get_mut(&turn).expect("a task has a turn");
        own.remove(&rank(&task));
        if own.is_empty() {
            self.turns.remove(&turn);
        }
    }

    /// A task by its id.
    pub fn get(&self, id: TaskId) -> Option<&Arc<Task>> {
        self.records.get(&id)
    }

    /// All tasks in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.records.values()
    }

    /// How many accepted events of an integration wait for a decision.
    pub fn events_of(&self, integration: &IntegrationName) -> usize {
        self.events.get(integration).copied().unwrap_or_default()
    }

    /// How many accepted events wait for a decision, by integration.
    pub fn events(&self) -> &BTreeMap<IntegrationName, usize> {
        &self.events
    }

    /// Parts of requests of which not all is kept.
    pub fn not_whole(&self) -> Vec<TaskId> {
        let parts = self.records.values().filter(|task| !self.is_ready(task));
        parts.map(|task| task.id).collect()
    }

    /// The parts of a request that are left.
    pub fn parts_of(
        &self,
        integration: &IntegrationName,
        request: TaskId,
    ) -> impl DoubleEndedIterator<Item = TaskId> {
        let own = TaskTurn::Integration(integration.clone());
        let own = self.turns.get(&own).into_iter();
        let parts = own.flat_map(move |own| own.range(parts(request)));
        parts.map(|(_, id)| *id)
    }

    fn is_ready(&self, task: &Task) -> bool {
        match &task.kind {
            TaskKind::Events(part) => self.whole.range(parts(part.request)).next().is_some(),
            TaskKind::BeginSilence(_)
            | TaskKind::EndSilence(_)
            | TaskKind::ReleaseAlerts { .. }
            | TaskKind::Recover(_)
            | TaskKind::KeepMemory { .. }
            | TaskKind::FollowRules { .. }
            | TaskKind::ReviewDependents { .. }
            | TaskKind::ReviewServices { .. } => true,
        }
    }

    /// The first task of a turn that can go on, but for those to be skipped.
    pub fn first_of(&self, turn: &TaskTurn, skipped: &BTreeSet<TaskId>) -> Option<TaskId> {
        self.first(self.turns.get(turn)?, skipped)
    }

    fn first(&self, ranked: &BTreeSet<TaskRank>, skipped: &BTreeSet<TaskId>) -> Option<TaskId> {
        let mut ids = ranked.iter().map(|(_, id)| id);
        let id = ids.find(|id| !skipped.contains(id))?;
        self.is_ready(&self.records[id]).then_some(*id)
    }

    /// The next task after a turn, round to it, but for those to be skipped.
    pub fn next_after(
        &self,
        turn: Option<&TaskTurn>,
        skipped: &BTreeSet<TaskId>,
    ) -> Option<(TaskTurn, TaskId)> {
        let (behind, round) = match turn {
            Some(turn) => (Excluded(turn), Some(..=turn)),
            None => (Unbounded, None),
        };
        let behind = self.turns.range::<TaskTurn, _>((behind, Unbounded));
        let round = round.map(|round| self.turns.range::<TaskTurn, _>(round));
        let mut turns = behind.chain(round.into_iter().flatten());
        turns.find_map(|(turn, ranked)| Some((turn.clone(), self.first(ranked, skipped)?)))
    }
}
