//! D: what was accepted is there, once, after whatever happened; what is loaded is what lived.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::State;
use reveille::engine::ids::ReceiptId;
use reveille::engine::records::{Change, Disposition, Receipt};
use reveille::engine::time::{Duration, Timestamp};
use reveille::store::{Partition, Store};

use super::super::history::{Scene, Seen};
use super::Finding;

/// How long an event id is remembered, less some slack.
const REMEMBERED: Duration = Duration::minutes(55);
/// Between two comparisons of the living state with a loaded one.
const COMPARED_EVERY: Duration = Duration::minutes(45);

/// D1, D2, D3, D6.
#[derive(Default)]
pub struct Durability {
    accepted: BTreeSet<ReceiptId>,
    durable: BTreeSet<ReceiptId>,
    /// By the sender's id: when it was first stored.
    ids: BTreeMap<String, (ReceiptId, Timestamp)>,
    has_clock_jumped: bool,
    compared: Duration,
}

impl Durability {
    pub fn see(&mut self, seen: &Seen<'_>, scene: Scene<'_>) -> Finding {
        match seen {
            Seen::Durable { turn } => {
                let receipts = turn.batch.changes.iter().filter_map(|change| match change {
                    Change::Receipt(receipt) => Some(receipt),
                    Change::Put(_) | Change::Drop(_) | Change::Archive(_) | Change::Entry(_) => {
                        None
                    }
                });
                receipts.into_iter().find_map(|it| self.stored(it))
            }
            Seen::Accepted { receipt } => self.accepted(receipt, scene),
            Seen::Started { state, .. } => self.started(state, scene),
            Seen::ClockJumped => {
                self.has_clock_jumped = true;
                None
            }
            Seen::Minute { state, .. } => self.minute(state, scene),
            Seen::Turned { .. }
            | Seen::Acted { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. } => None,
        }
    }

    fn stored(&mut self, receipt: &Receipt) -> Finding {
        if !self.durable.insert(receipt.id) {
            return Some(("D2", format!("receipt {} was written twice", receipt.id)));
        }
        let id = receipt.event_id.as_deref()?;
        let id = format!("{}/{id}", receipt.integration);
        let known = self.ids.insert(id.clone(), (receipt.id, receipt.at));
        let (first, at) = known.filter(|_| !self.has_clock_jumped)?;
        let is_soon = receipt.at.since(at) < REMEMBERED;
        is_soon.then(|| {
            let again = receipt.id;
            (
                "D2",
                format!("event id {id} made receipts {first} and {again}"),
            )
        })
    }

    fn accepted(&mut self, receipt: &Receipt, scene: Scene<'_>) -> Finding {
        self.accepted.insert(receipt.id);
        if let Some(finding) = is_missing(receipt.id, scene) {
            return Some(finding);
        }
        let needs_incident = match receipt.disposition {
            Disposition::Opened | Disposition::Joined | Disposition::Silenced => true,
            Disposition::Ignored
            | Disposition::Recorded
            | Disposition::HeldOld
            | Disposition::Repeated
            | Disposition::Resolved
            | Disposition::Acknowledged => false,
        };
        (needs_incident && receipt.incidents.is_empty()).then(|| {
            let disposition = receipt.disposition.as_str();
            (
                "D3",
                format!(
                    "receipt {} is {disposition} without an incident",
                    receipt.id
                ),
            )
        })
    }

    /// The latest of what was accepted; the rest at the end.
    fn started(&self, state: &State, scene: Scene<'_>) -> Finding {
        let latest = self.accepted.iter().rev().take(50);
        latest
            .into_iter()
            .find_map(|id| is_missing(*id, scene))
            .or_else(|| differs(state, scene))
    }

    pub fn settled(&self, scene: Scene<'_>) -> Finding {
        self.accepted.iter().find_map(|id| is_missing(*id, scene))
    }

    fn minute(&mut self, state: &State, scene: Scene<'_>) -> Finding {
        if scene.passed.0 < self.compared.0 + COMPARED_EVERY.0 {
            return None;
        }
        self.compared = scene.passed;
        differs(state, scene)
    }
}

fn is_missing(id: ReceiptId, scene: Scene<'_>) -> Finding {
    let found = scene.store.receipt(Partition(0), id);
    let is_there = matches!(found, Ok(Some(_)));
    (!is_there).then(|| ("D1", format!("accepted receipt {id} is gone")))
}

/// D6: what lives is what a start would load.
fn differs(state: &State, scene: Scene<'_>) -> Finding {
    let loaded = scene.store.load(Partition(0), Timestamp(0)).ok()?;
    let loaded = State::load(loaded.records, &loaded.receipts);
    let same = state.incidents().eq(loaded.incidents())
        && state.pages().eq(loaded.pages())
        && state.alerts().eq(loaded.alerts())
        && state.channels().eq(loaded.channels())
        && state.silences().eq(loaded.silences())
        && state.overrides().eq(loaded.overrides())
        && state.next_due() == loaded.next_due();
    (!same).then(|| {
        (
            "D6",
            "the living state is not what a start would load".to_owned(),
        )
    })
}
