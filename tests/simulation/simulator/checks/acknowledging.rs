//! A: nothing that asks starts after it was answered; acts concern what was shown and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::State;
use reveille::engine::decision::{ActResult, Acted, SendRequest};
use reveille::engine::ids::{IncidentNumber, PageId};
use reveille::engine::incident::Status;
use reveille::engine::input::{ActOn, Verb};
use reveille::engine::page::{PageKind, UpdateKind};

use super::super::history::{Seen, Turn};
use super::super::marks::{Mark, Marks};
use super::{Finding, incidents, pages};

/// A1, A2, A7, A8.
#[derive(Default)]
pub struct Acknowledging {
    /// In which turn an answered acknowledgment or resolve was decided, until it triggers again.
    taken: BTreeMap<IncidentNumber, u64>,
    /// What each page showed.
    shown: BTreeMap<PageId, BTreeSet<IncidentNumber>>,
    /// The notices of resolution, by the page that they follow.
    notices: BTreeMap<PageId, BTreeSet<PageId>>,
}

impl Acknowledging {
    pub fn see(&mut self, seen: &Seen<'_>, marks: &mut Marks) -> Finding {
        match seen {
            Seen::Turned { turn, state, .. } => {
                for incident in incidents(turn) {
                    if incident.status == Status::Triggered {
                        self.taken.remove(&incident.number);
                    }
                }
                self.planned(turn, state)
            }
            Seen::Acted {
                number,
                verb,
                on,
                acted,
                ..
            } => self.acted(*number, verb, on, acted, marks),
            Seen::Opened { order, planned, .. } => self.opened(order, *planned),
            Seen::Started { state } => {
                // What died undurable never was.
                for notices in self.notices.values_mut() {
                    notices.retain(|notice| state.page(*notice).is_some());
                }
                None
            }
            Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    fn planned(&mut self, turn: &Turn, state: &State) -> Finding {
        for page in pages(turn) {
            let numbers = page.incidents.iter().map(|known| known.number);
            self.shown.insert(page.id, numbers.collect());
            if let PageKind::Update {
                of,
                news: UpdateKind::Resolved,
            } = page.kind
            {
                let notices = self.notices.entry(of).or_default();
                notices.insert(page.id);
                // A bundle is edited for each of its incidents, any other page is told once.
                let most = self.shown.get(&of).map_or(1, BTreeSet::len);
                if notices.len() > most {
                    let count = notices.len();
                    let what = format!("{count} notices of resolution follow page {of}");
                    return Some(("A7", what));
                }
            }
        }
        turn.sends
            .iter()
            .find_map(|order| self.is_unasked(order, state))
    }

    /// What asks is about something that waits.
    fn is_unasked(&self, order: &SendRequest, state: &State) -> Finding {
        let numbers = self.shown.get(&order.page).filter(|_| order.asks)?;
        let is_wanted = numbers.iter().any(|number| {
            state.incident(*number).is_some_and(|incident| {
                incident.status == Status::Triggered || incident.escalation.is_join_pending
            })
        });
        (!is_wanted).then(|| {
            let page = order.page;
            (
                "A1",
                format!("page {page} was planned although nobody waits for an answer"),
            )
        })
    }

    fn opened(&self, order: &SendRequest, planned: u64) -> Finding {
        let numbers = self.shown.get(&order.page).filter(|_| order.asks)?;
        let is_taken = |number| self.taken.get(number).is_some_and(|turn| *turn > planned);
        (!numbers.is_empty() && numbers.iter().all(is_taken)).then(|| {
            let (attempt, page) = (order.attempt, order.page);
            let what = format!("attempt {attempt} of page {page} started after it was answered");
            ("A1", what)
        })
    }

    fn acted(
        &mut self,
        turn: u64,
        verb: &Verb,
        on: &ActOn,
        acted: &[Acted],
        marks: &mut Marks,
    ) -> Finding {
        let takes = matches!(
            verb,
            Verb::Acknowledge | Verb::Resolve | Verb::Snooze { .. }
        );
        for one in acted {
            if takes && one.result == ActResult::Done {
                self.taken.insert(one.number, turn);
            }
            if one.result == ActResult::AlreadySo && *verb == Verb::Acknowledge {
                marks.hit(Mark::SecondAcknowledger);
                if one.acknowledged.is_none() {
                    let what = format!("nobody is told who was first at #{}", one.number);
                    return Some(("A8", what));
                }
            }
        }
        let ActOn::Page(page) = on else {
            return None;
        };
        let shown = self.shown.get(page)?;
        marks.hit_if(shown.len() > 1, Mark::BundleAcknowledged);
        let is_old = |one: &Acted| one.result == ActResult::NotOpen;
        marks.hit_if(acted.iter().any(is_old), Mark::OldLink);
        let other = acted.iter().find(|one| !shown.contains(&one.number))?;
        let what = format!("an act on page {page} concerned #{}", other.number);
        Some(("A2", what))
    }
}
