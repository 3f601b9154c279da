//! R: what is said about one message comes in order, and lost capacity is told at once.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::State;
use reveille::engine::ids::{AttemptId, ChannelName, PageId};
use reveille::engine::incident::SelfIncident;
use reveille::engine::outcome::Outcome;
use reveille::engine::page::{Page, PageKind};

use super::super::history::Seen;
use super::super::marks::{Mark, Marks};
use super::{Finding, pages};

/// R8, R10.
#[derive(Default)]
pub struct Ordered {
    /// What each update follows.
    follows: BTreeMap<PageId, PageId>,
    /// Attempts that left and whose answer this process waits for.
    under_way: BTreeMap<AttemptId, PageId>,
    /// Updates that have left before.
    left: BTreeSet<PageId>,
    /// Attempts whose outcome was looked at.
    told: BTreeMap<AttemptId, Outcome>,
}

impl Ordered {
    pub fn see(&mut self, seen: &Seen<'_>, marks: &mut Marks) -> Finding {
        match seen {
            Seen::Turned { turn, state, .. } => pages(turn).find_map(|page| {
                if let PageKind::Update { of, .. } = page.kind {
                    self.follows.insert(page.id, of);
                }
                self.told(page, state, marks)
            }),
            Seen::Opened { order, .. } => {
                self.under_way.insert(order.attempt, order.page);
                let of = *self.follows.get(&order.page)?;
                marks.hit(Mark::UpdateFollows);
                // A report may say later that what went before did not arrive: both are repeated
                // then, each for itself.
                let is_first = self.left.insert(order.page);
                if !is_first {
                    return None;
                }
                let overtaken = self.under_way.values().any(|page| *page == of);
                overtaken.then(|| {
                    let what = format!("update {} leaves while {of} is under way", order.page);
                    ("R10", what)
                })
            }
            Seen::Answered { order } => {
                self.under_way.remove(&order.attempt);
                None
            }
            Seen::Died => {
                self.under_way.clear();
                None
            }
            Seen::Started { .. }
            | Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    /// A channel that has lost its capacity or its credentials is told of by an incident.
    fn told(&mut self, page: &Page, state: &State, marks: &mut Marks) -> Finding {
        for attempt in &page.attempts {
            let Some(outcome) = attempt.outcome else {
                continue;
            };
            if self.told.insert(attempt.id, outcome) == Some(outcome)
                || page.integration.is_router()
            {
                continue;
            }
            let is_lost = matches!(
                outcome,
                Outcome::QuotaExhausted | Outcome::RefusedCredential
            );
            let channel = &attempt.channel;
            let is_told = is_told(state, channel);
            marks.hit_if(is_lost && is_told, Mark::LostCapacityTold);
            if is_lost && !is_told {
                let id = attempt.id;
                let what = format!("attempt {id} on {channel} ended {outcome:?}, nobody is told");
                return Some(("R8", what));
            }
        }
        None
    }
}

/// Whether an incident speaks of the channel, or a person has resolved one a short while ago.
fn is_told(state: &State, channel: &ChannelName) -> bool {
    let is_open = state.incidents().any(|incident| {
        let about = incident.about.as_ref();
        about.and_then(SelfIncident::channel).as_ref() == Some(channel)
    });
    let is_held = state.alerts().any(|alert| {
        let named = alert.content.labels.get("channel");
        alert.integration.is_router()
            && named.is_some_and(|named| **named == *channel.as_str())
            && !alert.holds.is_empty()
    });
    is_open || is_held
}
