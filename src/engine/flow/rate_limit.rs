//! The page limit per person: so many incidents may interrupt a person singly; the pages about
//! further ones are held for the next bundled page.

use std::sync::Arc;

use crate::engine::entry_body::PageEntry;
use crate::engine::ids::{IncidentNumber, UserName};
use crate::engine::incident::Incident;
use crate::engine::page::{Page, PageKind, PageState};
use crate::engine::reason::Reason;
use crate::engine::records::{EntryDetail, Interruption, Person};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// The first bundled page leaves so long after the first incident was held.
const FIRST_AFTER: Duration = Duration::seconds(15);

/// Later ones leave at most this often, which is also the longest that an incident is held.
const INTERVAL: Duration = Duration::seconds(60);

/// Whether the limit concerns the incident: the router's own and those opened by hand are exempt.
pub fn is_limited(incident: &Incident) -> bool {
    incident.about.is_none() && incident.opened_by.is_none()
}

/// Whether as many incidents interrupted the person as may. Low urgency never uses up high's room.
pub fn is_over_limit(tx: &StepTransaction<'_>, user: &UserName, urgency: Urgency) -> bool {
    let settings = &tx.rules.settings;
    let now = tx.now.steady;
    let counted = tx.person(user).map_or(0, |person| {
        let recent = person.interruptions.iter().filter(|known| {
            known.urgency >= urgency && now.since(known.started) < settings.page_window
        });
        recent.count()
    });
    counted >= settings.page_limit
}

/// Counts that an incident began to page the person.
pub fn count(tx: &mut StepTransaction<'_>, user: &UserName, incident: &Incident) {
    ensure(tx, user);
    let (now, window) = (tx.now.steady, tx.rules.settings.page_window);
    let interruption = Interruption {
        incident: incident.number,
        urgency: incident.urgency,
        started: now,
    };
    tx.edit_person(user, |person| {
        let interruptions = &mut person.interruptions;
        interruptions.retain(|known| now.since(known.started) < window);
        interruptions.push(interruption);
    });
}

/// A page ended without having been taken: if no other reached the person or still may, its
/// incident did not interrupt anybody.
pub fn take_back(tx: &mut StepTransaction<'_>, page: &Page) {
    let user = page.recipient.user();
    let Some(user) = user.filter(|_| page.kind == PageKind::Page) else {
        return;
    };
    let Some(number) = page.incidents.first().map(|known| known.number) else {
        return;
    };
    let Some(person) = tx.person(user) else {
        return;
    };
    let is_its = |known: &Interruption| known.incident == number && known.started <= page.created;
    let Some(at) = person.interruptions.iter().rposition(is_its) else {
        return;
    };
    let began = person.interruptions[at].started;
    if !may_reach(tx, number, user, began) {
        tx.edit_person(user, |person| {
            person.interruptions.remove(at);
        });
    }
}

/// Whether a page about the incident reached the person since this moment, or still may.
fn may_reach(
    tx: &StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    since: MonotonicTime,
) -> bool {
    let incident = tx.incident(&number);
    let is_to_come = incident.is_some_and(|incident| {
        let mut runs = incident.runs.iter();
        runs.any(|run| run.user == *user && run.is_counted && run.due.is_some())
    });
    is_to_come
        || tx.pages_of(number).iter().any(|page| {
            let is_own = page.kind == PageKind::Page && page.recipient.user() == Some(user);
            is_own
                && page.created >= since
                && match page.state {
                    PageState::Sent | PageState::Delivered => true,
                    PageState::Sending => page.is_pending(),
                    PageState::Failed | PageState::Cancelled => false,
                }
        })
}

/// Sets the time of the person's next bundled page; the incident's run says what is held.
pub fn hold(tx: &mut StepTransaction<'_>, incident: &Incident, user: &UserName) {
    ensure(tx, user);
    let now = tx.now;
    // A timer that is left of incidents that somebody took meanwhile counts for nothing.
    let has_others = held(tx, user).any(|held| held.number != incident.number);
    let mut due = now.steady;
    tx.edit_person(user, |person| {
        let earliest = person.bundled.map_or(now.steady, |at| at + INTERVAL);
        due = (now.steady + FIRST_AFTER).max(earliest);
        let set = person.bundle_due.filter(|_| has_others);
        due = set.map_or(due, |set| set.min(due));
        person.bundle_due = Some(due);
    });
    let detail = EntryDetail {
        user: Some(user.as_str().into()),
        held_until: Some(now.wall + due.since(now.steady)),
        ..EntryDetail::default()
    };
    let reason = Reason::OverPageLimit;
    tx.note_in_detail(incident.number, reason, PageEntry::OverLimit, detail);
}

pub fn ensure(tx: &mut StepTransaction<'_>, user: &UserName) {
    if tx.person(user).is_none() {
        let person = Person {
            user: user.clone(),
            interruptions: Vec::new(),
            bundle_due: None,
            bundled: None,
            last_bundle: None,
            tested_at: None,
        };
        tx.put_person(user.clone(), person);
    }
}

/// Open incidents whose page to the person is held.
pub fn held<'tx>(
    tx: &'tx StepTransaction<'_>,
    user: &'tx UserName,
) -> impl Iterator<Item = Arc<Incident>> + 'tx {
    let numbers = tx.state.held_for(user);
    numbers
        .filter_map(|number| tx.incident(&number))
        .filter(|incident| incident.asks() && holds(incident, user))
}

fn holds(incident: &Incident, user: &UserName) -> bool {
    incident
        .runs
        .iter()
        .any(|run| run.user == *user && !run.held.is_empty())
}
