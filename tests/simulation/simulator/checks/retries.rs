//! R: no attempt twice, no provider hammered, no page that ends nowhere.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::event::Text;
use reveille::engine::ids::{AttemptId, ChannelName, IncidentNumber, PageId};
use reveille::engine::incident::{Incident, SelfIncident};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::{Page, PageState};
use reveille::engine::time::{Duration, MonotonicTime};

use super::super::history::{Seen, Turn};
use super::{Finding, incidents, pages};

/// Attempts of one page on one channel.
const ATTEMPTS_MAX: usize = 8;
/// No wish to wait is believed beyond this.
const WAIT_MAX: Duration = Duration::minutes(15);

/// R1, R2, R4, R5, R9.
#[derive(Default)]
pub struct Retries {
    opened: BTreeSet<AttemptId>,
    /// Until when an endpoint asked for quiet, as this process heard it.
    closed: BTreeMap<(ChannelName, Text), MonotonicTime>,
    throttled: BTreeSet<AttemptId>,
    troubles: BTreeMap<SelfIncident, IncidentNumber>,
    states: BTreeMap<PageId, PageState>,
}

impl Retries {
    pub fn see(&mut self, seen: &Seen<'_>) -> Finding {
        match seen {
            Seen::Turned { turn, now, .. } => pages(turn)
                .find_map(|page| self.written(page))
                .or_else(|| self.hasty(turn, now.steady))
                .or_else(|| incidents(turn).find_map(|incident| self.raised(incident))),
            Seen::Opened { order, .. } => (!self.opened.insert(order.attempt)).then(|| {
                let what = format!("attempt {} left twice", order.attempt);
                ("R1", what)
            }),
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

    /// An attempt that begins while its endpoint has asked for quiet.
    fn hasty(&mut self, turn: &Turn, now: MonotonicTime) -> Finding {
        for page in pages(turn) {
            for attempt in &page.attempts {
                if let Some(Outcome::Throttled { wait }) = attempt.outcome
                    && self.throttled.insert(attempt.id)
                {
                    let closed = self
                        .closed
                        .entry((attempt.channel.clone(), page.endpoint()));
                    let until = closed.or_insert(now);
                    *until = (*until).max(now + wait.min(WAIT_MAX));
                }
            }
        }
        for page in pages(turn) {
            for attempt in page.attempts.iter().filter(|known| known.started == now) {
                let closed = self.closed.get(&(attempt.channel.clone(), page.endpoint()));
                if let Some(until) = closed.filter(|until| **until > now) {
                    let (attempt, channel) = (attempt.id, &attempt.channel);
                    let wait = until.since(now);
                    let what = format!("attempt {attempt} on {channel}, closed for {wait} more");
                    return Some(("R4", what));
                }
            }
        }
        None
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
