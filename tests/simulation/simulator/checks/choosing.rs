//! E: whom a step names, is whom the rules of that moment name.

use std::collections::BTreeSet;

use reveille::engine::State;
use reveille::engine::ids::{PageId, Revision};
use reveille::engine::page::{Page, PageKind};
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::Timestamp;

use super::super::history::Seen;
use super::super::marks::{Mark, Marks};
use super::{Finding, pages};

/// E5, E6.
#[derive(Default)]
pub struct Choosing {
    seen: BTreeSet<PageId>,
    /// The rules after the turn before, and how many overrides there were.
    before: Option<(Revision, usize)>,
}

impl Choosing {
    pub fn see(&mut self, seen: &Seen<'_>, marks: &mut Marks) -> Finding {
        match seen {
            Seen::Turned {
                turn,
                state,
                rules,
                now,
            } => {
                let present = Some((rules.revision, state.overrides().count()));
                let is_steady = self.before == present;
                self.before = present;
                pages(turn).find_map(|page| {
                    let is_new = page.kind == PageKind::Page && self.seen.insert(page.id);
                    // What was planned before the rules changed in this turn is not judged.
                    let is_judged = is_new && is_steady;
                    is_judged
                        .then(|| chosen(page, state, rules, now.wall, marks))
                        .flatten()
                })
            }
            Seen::Started { state } => {
                self.seen.retain(|page| state.page(*page).is_some());
                self.before = None;
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
}

fn chosen(
    page: &Page,
    state: &State,
    rules: &RuleSet,
    wall: Timestamp,
    marks: &mut Marks,
) -> Finding {
    let user = page.recipient.user()?;
    if !rules.users.contains_key(user) {
        let what = format!("page {} is planned for {user}, who is in no rules", page.id);
        return Some(("E5", what));
    }
    let schedule = page.why.schedule.as_ref()?;
    // A later notify step is for whom the policy step named when it began.
    if page.notify_step > 0 || page.why.revision != rules.revision {
        return None;
    }
    let calendar = rules.schedules.get(schedule)?;
    let found = calendar.person_at(wall, &state.overrides_of(schedule, rules));
    marks.hit_if(found.as_ref() == Some(user), Mark::OnCallPaged);
    (found.as_ref() != Some(user)).then(|| {
        let id = page.id;
        let what = format!("page {id} is for {user} by {schedule}, on call is {found:?}");
        ("E6", what)
    })
}
