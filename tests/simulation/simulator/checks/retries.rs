//! R: no attempt twice, no provider hammered, no page that ends nowhere.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::ids::{AttemptId, ChannelName, IncidentNumber, PageId};
use reveille::engine::incident::{Incident, Trouble};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::{Page, PageState};
use reveille::engine::time::Millis;

use super::super::history::{Scene, Seen};
use super::{Finding, incidents, pages};

/// Attempts of one page on one channel.
const ATTEMPTS_MAX: usize = 8;
/// An order may have left its lane before the provider's answer to another came.
const LOOK_UP: Millis = Millis::seconds(4);

/// R1, R2, R4, R5, R9.
#[derive(Default)]
pub struct Retries {
    opened: BTreeSet<AttemptId>,
    /// Since when and until when a channel was asked to keep quiet, as this process heard it.
    closed: BTreeMap<ChannelName, (Millis, Millis)>,
    troubles: BTreeMap<Trouble, IncidentNumber>,
    states: BTreeMap<PageId, PageState>,
}

impl Retries {
    pub fn see(&mut self, seen: &Seen<'_>, scene: Scene<'_>) -> Finding {
        match seen {
            Seen::Turned { turn, .. } => pages(turn)
                .find_map(|page| self.written(page))
                .or_else(|| incidents(turn).find_map(|incident| self.raised(incident))),
            Seen::Opened { order, .. } => {
                if !self.opened.insert(order.attempt) {
                    let what = format!("attempt {} left twice", order.attempt);
                    return Some(("R1", what));
                }
                let (since, until) = self.closed.get(&order.channel)?;
                let is_hasty = scene.passed < *until && scene.passed.0 > since.0 + LOOK_UP.0;
                is_hasty.then(|| {
                    let (attempt, channel) = (order.attempt, &order.channel);
                    (
                        "R4",
                        format!("attempt {attempt} on {channel}, closed until {until}"),
                    )
                })
            }
            Seen::Answered {
                order,
                outcome: Outcome::Throttled { wait },
            } => {
                let until = Millis(scene.passed.0 + wait.0);
                let entry = self.closed.entry(order.channel.clone());
                let closed = entry.or_insert((scene.passed, until));
                if scene.passed >= closed.1 {
                    *closed = (scene.passed, until);
                }
                closed.1 = closed.1.max(until);
                None
            }
            Seen::Started { state, .. } => {
                self.closed.clear();
                let open = state.incidents().filter(|incident| incident.is_open());
                let troubles =
                    open.filter_map(|incident| Some((incident.about.clone()?, incident.number)));
                self.troubles = troubles.collect();
                self.states = state.pages().map(|page| (page.id, page.state)).collect();
                None
            }
            Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    fn written(&mut self, page: &Page) -> Finding {
        let before = self.states.insert(page.id, page.state);
        let is_back = before == Some(PageState::Delivered)
            && matches!(page.state, PageState::Sent | PageState::Sending);
        if is_back {
            return Some((
                "R9",
                format!("page {} was delivered and is not any more", page.id),
            ));
        }
        let mut counts: BTreeMap<&ChannelName, usize> = BTreeMap::new();
        for attempt in &page.attempts {
            *counts.entry(&attempt.channel).or_default() += 1;
        }
        let (channel, count) = counts
            .into_iter()
            .find(|(_, count)| *count > ATTEMPTS_MAX)?;
        Some((
            "R2",
            format!("page {} has {count} attempts on {channel}", page.id),
        ))
    }

    fn raised(&mut self, incident: &Incident) -> Finding {
        let about = incident.about.as_ref()?;
        if !incident.is_open() {
            self.troubles.remove(about);
            return None;
        }
        let first = *self
            .troubles
            .entry(about.clone())
            .or_insert(incident.number);
        (first != incident.number).then(|| {
            let number = incident.number;
            (
                "R5",
                format!("#{first} and #{number} are both about {about:?}"),
            )
        })
    }
}
