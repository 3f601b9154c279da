//! F: nobody is flooded.

use std::collections::BTreeMap;

use reveille::engine::State;
use reveille::engine::ids::{PageId, UserName};
use reveille::engine::page::{Page, PageKind, PageState};
use reveille::engine::time::{Millis, Steady};

use super::super::history::Seen;
use super::{Finding, pages};

/// Single pages to a person ...
const CEILING: usize = 6;
/// ... in this time.
const WINDOW: Millis = Millis::minutes(10);
/// Incidents in one bundled page.
const BUNDLED_MAX: usize = 1_000;

/// F3.
#[derive(Default)]
pub struct Flow {
    /// Single pages by person: the page and when it was planned.
    paged: BTreeMap<UserName, Vec<(PageId, Steady)>>,
}

impl Flow {
    pub fn see(&mut self, seen: &Seen<'_>) -> Finding {
        match seen {
            Seen::Turned {
                turn, state, now, ..
            } => {
                // A turn's writes are in no order of time and the last one of a page holds: what
                // ended makes room first.
                let last: BTreeMap<_, _> = pages(turn).map(|page| (page.id, page)).collect();
                last.values().for_each(|page| self.ended(page));
                last.values()
                    .find_map(|page| self.written(page, state, now.steady))
            }
            Seen::Started { state, .. } => {
                for known in self.paged.values_mut() {
                    known.retain(|(page, _)| state.page(*page).is_some());
                }
                None
            }
            Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    /// A page that did not reach the person, or not in time, does not count.
    fn ended(&mut self, page: &Page) {
        if has_missed(page)
            && let Some(paged) = page
                .recipient
                .user()
                .and_then(|user| self.paged.get_mut(user))
        {
            paged.retain(|(known, _)| *known != page.id);
        }
    }

    fn written(&mut self, page: &Page, state: &State, now: Steady) -> Finding {
        if page.incidents.len() > BUNDLED_MAX {
            return Some(("F3", format!("page {} lists too many incidents", page.id)));
        }
        let user = page.recipient.user()?;
        let number = page.incidents.first()?.number;
        let is_own = state
            .incident(number)
            .is_none_or(|incident| incident.about.is_some());
        if page.kind != PageKind::Page || is_own || has_missed(page) {
            return None;
        }
        let paged = self.paged.entry(user.clone()).or_default();
        if paged.iter().any(|(known, _)| *known == page.id) {
            return None;
        }
        paged.push((page.id, page.created));
        paged.retain(|(_, at)| now.since(*at) < WINDOW);
        (paged.len() > CEILING).then(|| {
            let count = paged.len();
            (
                "F3",
                format!("{user} got {count} single pages within {WINDOW}: {paged:?}"),
            )
        })
    }
}

fn has_missed(page: &Page) -> bool {
    matches!(page.state, PageState::Cancelled | PageState::Failed)
        || page.is_withdrawn
        || page.has_moved_on
}
