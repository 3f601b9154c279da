//! F: nobody is flooded.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::State;
use reveille::engine::ids::{IncidentNumber, PageId, UserName};
use reveille::engine::incident::{Incident, Status};
use reveille::engine::page::{Page, PageKind, PageState};
use reveille::engine::time::{Duration, MonotonicTime};
use reveille::engine::urgency::Urgency;

use super::super::history::{Seen, Turn};
use super::{Finding, incidents, pages};

/// Incidents that interrupt a person singly ...
const LIMIT: usize = 10;
/// ... in this time.
const WINDOW: Duration = Duration::minutes(10);
/// Incidents in one bundled page.
const BUNDLED_MAX: usize = 1_000;
/// Bundles to a person keep this distance, and no high urgency is held for longer.
const INTERVAL: Duration = Duration::seconds(60);

/// F3.
#[derive(Default)]
pub struct Flow {
    people: BTreeMap<UserName, Person>,
    /// Since when a page to somebody is held, by the start of its run.
    held: BTreeMap<(IncidentNumber, UserName, MonotonicTime), MonotonicTime>,
    /// Pages of a turn that is not durable yet.
    undecided: BTreeSet<PageId>,
}

/// What one person got.
#[derive(Default)]
struct Person {
    singles: Vec<Single>,
    /// When the last bundle left, and whether it was full.
    bundled: Option<(MonotonicTime, bool)>,
    bundles: BTreeMap<PageId, Bundle>,
}

/// An incident that interrupts a person by messages of its own: the pages of one run.
#[derive(Debug)]
struct Single {
    number: IncidentNumber,
    urgency: Urgency,
    started: MonotonicTime,
    /// The start of the run in the state, where it was still to be seen.
    run: Option<MonotonicTime>,
    last: (MonotonicTime, usize),
    /// Each with whether it can still have reached the person.
    pages: BTreeMap<PageId, bool>,
}

struct Bundle {
    incidents: BTreeSet<IncidentNumber>,
    has_missed: bool,
}

impl Flow {
    pub fn see(&mut self, seen: &Seen<'_>) -> Finding {
        match seen {
            Seen::Turned {
                turn, state, now, ..
            } => self.turned(turn, state, now.steady),
            Seen::Durable { .. } => {
                self.undecided.clear();
                None
            }
            Seen::Started { state, .. } => {
                self.undo(state);
                None
            }
            Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    fn turned(&mut self, turn: &Turn, state: &State, now: MonotonicTime) -> Finding {
        // A turn's writes are in no order of time and the last one of a page holds: what ended
        // makes room first.
        let last: BTreeMap<_, _> = pages(turn).map(|page| (page.id, page)).collect();
        last.values().for_each(|page| self.ended(page));
        let finding = last.values().find_map(|page| self.written(page, state));
        incidents(turn).for_each(|incident| self.follow(incident, now));
        finding.or_else(|| self.held_too_long(state))
    }

    /// The process died: what it decided last and did not make durable never was.
    fn undo(&mut self, state: &State) {
        for person in self.people.values_mut() {
            for single in &mut person.singles {
                single.pages.retain(|id, _| !self.undecided.contains(id));
            }
            let is_lost = |id: &PageId| self.undecided.contains(id);
            if person.bundles.keys().any(is_lost) {
                person.bundles.retain(|id, _| !is_lost(id));
                person.bundled = None;
            }
        }
        self.undecided.clear();
        self.held.retain(|(number, user, started), _| {
            let incident = state.incident(*number);
            incident.is_some_and(|incident| holds(incident, user, *started))
        });
    }

    fn ended(&mut self, page: &Page) {
        let user = page.recipient.user();
        let Some(person) = user.and_then(|user| self.people.get_mut(user)) else {
            return;
        };
        if has_missed(page) {
            let mut singles = person.singles.iter_mut();
            if let Some(known) = singles.find_map(|single| single.pages.get_mut(&page.id)) {
                *known = false;
            }
        }
        if let Some(bundle) = person.bundles.get_mut(&page.id) {
            bundle.has_missed |= has_missed(page) || page.failed_over;
        }
    }

    fn written(&mut self, page: &Page, state: &State) -> Finding {
        if page.incidents.len() > BUNDLED_MAX {
            return Some(("F3", format!("page {} lists too many incidents", page.id)));
        }
        let user = page.recipient.user()?;
        let person = self.people.entry(user.clone()).or_default();
        if !person.knows(page.id) {
            self.undecided.insert(page.id);
        }
        match page.kind {
            PageKind::Page => person.interrupted(page, state),
            PageKind::Bundle => person.bundled(page),
            PageKind::Update { .. } | PageKind::Copy => None,
        }
    }

    /// Notes since when pages about an incident of high urgency are held.
    fn follow(&mut self, incident: &Incident, now: MonotonicTime) {
        let number = incident.number;
        let waits = incident.urgency == Urgency::High && incident.status != Status::Resolved;
        let runs = incident.runs.iter().filter(|run| !run.held.is_empty());
        let runs: BTreeSet<_> = runs
            .filter(|_| waits)
            .map(|run| (number, run.user.clone(), run.started))
            .collect();
        self.held
            .retain(|held, _| held.0 != number || runs.contains(held));
        for run in runs {
            self.held.entry(run).or_insert(now);
        }
    }

    fn held_too_long(&self, state: &State) -> Finding {
        self.held.iter().find_map(|((number, user, _), since)| {
            let due = state.person(user).and_then(|person| person.bundle_due);
            let is_soon = due.is_some_and(|due| due <= *since + INTERVAL);
            (!is_soon).then(|| {
                let what = format!("#{number} is held for {user} since {since:?}, until {due:?}");
                ("F3", what)
            })
        })
    }
}

impl Person {
    fn knows(&self, page: PageId) -> bool {
        let mut singles = self.singles.iter();
        self.bundles.contains_key(&page) || singles.any(|single| single.pages.contains_key(&page))
    }

    fn interrupted(&mut self, page: &Page, state: &State) -> Finding {
        let number = page.incidents.first()?.number;
        let user = page.recipient.user()?;
        let incident = state.incident(number)?;
        if incident.about.is_some() || incident.opened_by.is_some() {
            return None;
        }
        let mut runs = incident.runs.iter();
        let run = runs.find(|run| run.user == *user && run.started <= page.created);
        let run = run.map(|run| run.started);
        if self.knows(page.id) {
            return None;
        }
        let mut singles = self.singles.iter_mut();
        if let Some(single) = singles.rfind(|single| single.number == number)
            && single.is_of_its_run(page, run)
        {
            single.pages.insert(page.id, !has_missed(page));
            single.last = (page.created, page.notify_step);
            return None;
        }
        self.singles.retain(|single| {
            page.created.since(single.started) < WINDOW || state.incident(single.number).is_some()
        });
        self.singles.push(Single {
            number,
            urgency: page.urgency,
            started: page.created,
            run,
            last: (page.created, page.notify_step),
            pages: [(page.id, !has_missed(page))].into(),
        });
        self.over_limit(page)
    }

    /// Low urgency may fill what is left of the room, and high has all of it.
    fn over_limit(&self, page: &Page) -> Finding {
        let counted = self.singles.iter().filter(|single| {
            single.urgency >= page.urgency
                && page.created.since(single.started) < WINDOW
                && single.pages.values().any(|reaches| *reaches)
        });
        let counted: Vec<&Single> = counted.collect();
        (counted.len() > LIMIT && !has_missed(page)).then(|| {
            let (count, user) = (counted.len(), page.recipient.user());
            let what = format!("{count} incidents interrupted {user:?} in {WINDOW}: {counted:?}");
            ("F3", what)
        })
    }

    fn bundled(&mut self, page: &Page) -> Finding {
        if self.knows(page.id) {
            return None;
        }
        let incidents: BTreeSet<_> = page.incidents.iter().map(|known| known.number).collect();
        let has_missed = has_missed(page) || page.failed_over;
        let mut others = self.bundles.values();
        let is_failover =
            others.any(|other| other.has_missed && incidents.is_subset(&other.incidents));
        let created = page.created;
        let bundle = Bundle {
            incidents,
            has_missed,
        };
        self.bundles.insert(page.id, bundle);
        if is_failover || has_missed {
            return None;
        }
        let is_full = page.incidents.len() == BUNDLED_MAX;
        let before = self.bundled.replace((created, is_full));
        let (at, was_full) = before?;
        let is_close = created != at && created.since(at) < INTERVAL;
        (is_close && !was_full).then(|| {
            let (id, user) = (page.id, page.recipient.user());
            let what = format!("bundle {id} to {user:?} at {created:?} follows one at {at:?}");
            ("F3", what)
        })
    }
}

impl Single {
    /// Whether the page is of the same run: of one notify step, or of a later one.
    fn is_of_its_run(&self, page: &Page, run: Option<MonotonicTime>) -> bool {
        let (created, step) = self.last;
        match (self.run, run) {
            (Some(own), Some(run)) => own == run,
            (Some(_) | None, _) => created == page.created || step < page.notify_step,
        }
    }
}

fn holds(incident: &Incident, user: &UserName, started: MonotonicTime) -> bool {
    let mut runs = incident.runs.iter();
    runs.any(|run| run.user == *user && run.started == started && !run.held.is_empty())
}

/// It did not reach the person.
fn has_missed(page: &Page) -> bool {
    matches!(page.state, PageState::Cancelled | PageState::Failed)
}
