//! The checkers: one file for each family of invariants. Each sees everything that happens and
//! says what is broken, by the id of the invariant.

mod acknowledging;
mod choosing;
mod durability;
mod escalation;
mod flow;
mod heartbeat;
mod liveness;
mod order;
mod reached;
mod retries;
mod rules;
mod time;

use reveille::engine::State;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::incident::Incident;
use reveille::engine::page::Page;
use reveille::engine::records::{Archived, Change, Entry, Record};
use reveille::engine::time::Duration;
use std::sync::Arc;

use super::history::{Broken, Scene, Seen, Turn};
use super::marks::Marks;

/// What is broken, and how.
pub type Finding = Option<(&'static str, String)>;

/// All of them.
#[derive(Default)]
pub struct Checks {
    acknowledging: acknowledging::Acknowledging,
    choosing: choosing::Choosing,
    durability: durability::Durability,
    escalation: escalation::Escalations,
    flow: flow::Flow,
    liveness: liveness::Liveness,
    order: order::Ordered,
    retries: retries::Retries,
    rules: rules::Rules,
    reached: reached::Reached,
}

impl Checks {
    /// Shows them something.
    pub fn see(&mut self, seen: &Seen<'_>, scene: Scene<'_>, marks: &mut Marks) -> Option<Broken> {
        self.reached.see(seen, marks);
        let finding = self
            .durability
            .see(seen, scene)
            .or_else(|| self.liveness.see(seen, scene, marks))
            .or_else(|| self.acknowledging.see(seen, marks))
            .or_else(|| self.escalation.see(seen))
            .or_else(|| self.choosing.see(seen, marks))
            .or_else(|| self.order.see(seen, marks))
            .or_else(|| self.retries.see(seen))
            .or_else(|| self.flow.see(seen))
            .or_else(|| time::see(seen))
            .or_else(|| self.rules.see(seen))
            .or_else(|| heartbeat::see(seen));
        broken(finding, scene.passed)
    }

    /// After hours in which everybody answered.
    pub fn answered(&mut self, state: &State, passed: Duration) -> Option<Broken> {
        broken(self.liveness.answered(state, passed), passed)
    }

    /// After hours in which everything was well.
    pub fn settled(&mut self, state: &State, scene: Scene<'_>) -> Option<Broken> {
        let finding = self
            .durability
            .settled(scene)
            .or_else(|| liveness::settled(state));
        broken(finding, scene.passed)
    }
}

fn broken(finding: Finding, passed: Duration) -> Option<Broken> {
    finding.map(|(invariant, what)| Broken {
        invariant,
        passed,
        what,
    })
}

/// The incidents that a turn wrote, each as often as it was written.
fn incidents(turn: &Turn) -> impl Iterator<Item = &Arc<Incident>> {
    turn.batch.changes.iter().filter_map(|change| match change {
        Change::Put(Record::Incident(incident)) | Change::Archive(Archived::Incident(incident)) => {
            Some(incident)
        }
        Change::Put(_)
        | Change::Archive(_)
        | Change::Drop(_)
        | Change::Receipt(_)
        | Change::Entry(_) => None,
    })
}

/// The pages that a turn wrote.
fn pages(turn: &Turn) -> impl Iterator<Item = &Arc<Page>> {
    turn.batch.changes.iter().filter_map(|change| match change {
        Change::Put(Record::Page(page)) | Change::Archive(Archived::Page(page)) => Some(page),
        Change::Put(_)
        | Change::Archive(_)
        | Change::Drop(_)
        | Change::Receipt(_)
        | Change::Entry(_) => None,
    })
}

/// The lines that a turn wrote.
fn entries(turn: &Turn) -> impl Iterator<Item = &Arc<Entry>> {
    turn.batch.changes.iter().filter_map(|change| match change {
        Change::Entry(entry) => Some(entry),
        Change::Put(_) | Change::Archive(_) | Change::Drop(_) | Change::Receipt(_) => None,
    })
}

/// Whether a turn gave this reason for an incident.
fn has_reason(turn: &Turn, incident: IncidentNumber, reasons: &[&str]) -> bool {
    entries(turn)
        .any(|entry| entry.incident == incident && reasons.contains(&entry.reason.as_str()))
}
