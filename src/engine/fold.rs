//! The ceiling per person: beyond it pages gather and leave as one folded page.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::deliver::{self, Planned};
use super::draft::Draft;
use super::escalation;
use super::ids::{ContactName, IncidentNumber, PageId, UserName};
use super::incident::Incident;
use super::notify;
use super::page::{IncidentRef, Page, PageKind};
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind, Person};
use super::ruleset::Medium;
use super::time::Millis;

/// The first folded page leaves so long after the first page was held.
const FIRST_AFTER: Millis = Millis::seconds(15);
/// Later ones leave at most this often.
const INTERVAL: Millis = Millis::minutes(2);
/// Incidents of one folded page; more make another.
pub const INCIDENTS_MAX: usize = 1_000;

/// Whether so many more pages are too many for the person now.
pub(super) fn is_over_ceiling(draft: &Draft<'_>, user: &UserName, more: usize) -> bool {
    let settings = &draft.rules.settings;
    let now = draft.now.steady;
    let paged = draft.person(user).map_or(0, |person| {
        person
            .paged
            .iter()
            .filter(|at| now.since(**at) < settings.ceiling_window)
            .count()
    });
    paged > 0 && paged + more > settings.ceiling_pages
}

/// Counts a page that left.
pub(super) fn count(draft: &mut Draft<'_>, user: &UserName) {
    ensure(draft, user);
    let (now, window) = (draft.now.steady, draft.rules.settings.ceiling_window);
    draft.edit_person(user, |person| {
        person.paged.retain(|at| now.since(*at) < window);
        person.paged.push(now);
    });
}

/// Takes the count of a page back: it did not reach the person.
pub(super) fn uncount(draft: &mut Draft<'_>, page: &Page) {
    let Some(user) = page.recipient.user() else {
        return;
    };
    draft.edit_person(user, |person| {
        if let Some(at) = person.paged.iter().position(|at| *at == page.created) {
            person.paged.remove(at);
        }
    });
}

/// Sets the time of the person's next folded page; the incident's run says what is held.
pub(super) fn hold(draft: &mut Draft<'_>, number: IncidentNumber, user: &UserName) {
    ensure(draft, user);
    let now = draft.now.steady;
    draft.edit_person(user, |person| {
        let earliest = person.folded.map_or(now, |folded| folded + INTERVAL);
        let due = (now + FIRST_AFTER).max(earliest);
        person.fold_due = Some(person.fold_due.map_or(due, |set| set.min(due)));
    });
    let text = format!("{user} has had enough pages; this one is part of the next folded page");
    let detail = EntryDetail {
        user: Some(user.as_str().into()),
        ..EntryDetail::default()
    };
    draft.note(
        number,
        EntryKind::Page,
        Reason::CeilingReached,
        text,
        detail,
    );
}

fn ensure(draft: &mut Draft<'_>, user: &UserName) {
    if draft.person(user).is_none() {
        let person = Person {
            user: user.clone(),
            paged: Vec::new(),
            fold_due: None,
            folded: None,
            last_folded: None,
        };
        draft.put_person(user.clone(), person);
    }
}

/// The folded page is due: everything that is held for the person leaves as few messages.
pub(super) fn due(draft: &mut Draft<'_>, user: &UserName) {
    let held = held_incidents(draft, user);
    let now = draft.now.steady;
    let is_more = held.len() > INCIDENTS_MAX;
    draft.edit_person(user, |person| {
        person.fold_due = is_more.then_some(now);
        person.folded = Some(now);
    });
    let mut by_contact: BTreeMap<ContactName, Vec<Arc<Incident>>> = BTreeMap::new();
    for incident in held.into_iter().take(INCIDENTS_MAX) {
        for contact in release(draft, &incident, user) {
            by_contact
                .entry(contact)
                .or_default()
                .push(incident.clone());
        }
    }
    for (contact, incidents) in by_contact {
        if !page(draft, user, &contact, &incidents, 0) {
            for incident in &incidents {
                escalation::check_reached(draft, incident.number);
            }
        }
    }
}

/// Open incidents whose page to the person is held, high urgency first.
fn held_incidents(draft: &Draft<'_>, user: &UserName) -> Vec<Arc<Incident>> {
    let held = draft
        .state
        .held_for(user)
        .filter_map(|number| draft.incident(&number));
    let mut held: Vec<Arc<Incident>> = held
        .filter(|incident| notify::asks(incident) && holds(incident, user))
        .collect();
    held.sort_by_key(|incident| (std::cmp::Reverse(incident.urgency), incident.number));
    held
}

fn holds(incident: &Incident, user: &UserName) -> bool {
    incident
        .runs
        .iter()
        .any(|run| run.user == *user && !run.held.is_empty())
}

/// Takes the hold off an incident; the answer is the contacts that were to be paged.
fn release(draft: &mut Draft<'_>, incident: &Incident, user: &UserName) -> Vec<ContactName> {
    let mut indexes = Vec::new();
    draft.edit_incident(&incident.number, |incident| {
        for run in incident.runs.iter_mut().filter(|run| run.user == *user) {
            indexes.append(&mut run.held);
        }
    });
    let Some(person) = draft.rules.users.get(user) else {
        return Vec::new();
    };
    let steps = person.notify.steps(incident.urgency);
    let contacts = indexes.iter().filter_map(|index| steps.get(*index));
    let mut contacts: Vec<ContactName> = contacts.flat_map(|step| step.via.clone()).collect();
    contacts.sort();
    contacts.dedup();
    contacts
}

fn page(
    draft: &mut Draft<'_>,
    user: &UserName,
    contact: &ContactName,
    incidents: &[Arc<Incident>],
    notify_step: usize,
) -> bool {
    let Some(first) = incidents.first() else {
        return false;
    };
    let why = first.runs.iter().find(|run| run.user == *user);
    let Some(why) = why.map(|run| run.why.clone()) else {
        return false;
    };
    let plan = deliver::Plan {
        kind: PageKind::Folded,
        incidents: incidents
            .iter()
            .map(|incident| deliver::reference(incident))
            .collect(),
        user,
        contact,
        why,
        notify_step,
    };
    match deliver::page_contact(draft, first, &plan, Reason::Folded) {
        Planned::Started(id) => {
            remember_for_replies(draft, user, id);
            true
        }
        Planned::Unusable => fail_over(draft, user, incidents, notify_step),
    }
}

/// `ack all` by text message takes the list that was last sent to a phone.
fn remember_for_replies(draft: &mut Draft<'_>, user: &UserName, id: PageId) {
    let is_sms = draft
        .page(&id)
        .is_some_and(|page| page.medium == Medium::Sms);
    if is_sms {
        draft.edit_person(user, |person| person.last_folded = Some(id));
    }
}

/// All channels of a folded page's contact failed: the person's next notify step is used.
pub(super) fn contact_failed(draft: &mut Draft<'_>, page: &Page) {
    let Some(user) = page.recipient.user() else {
        return;
    };
    let incidents = open_incidents(draft, &page.incidents);
    let user = user.clone();
    fail_over(draft, &user, &incidents, page.notify_step);
}

fn open_incidents(draft: &Draft<'_>, references: &[IncidentRef]) -> Vec<Arc<Incident>> {
    let incidents = references
        .iter()
        .filter_map(|known| draft.incident(&known.number));
    incidents
        .filter(|incident| notify::asks(incident))
        .collect()
}

fn fail_over(
    draft: &mut Draft<'_>,
    user: &UserName,
    incidents: &[Arc<Incident>],
    notify_step: usize,
) -> bool {
    let Some(first) = incidents.first() else {
        return false;
    };
    let Some(person) = draft.rules.users.get(user) else {
        return false;
    };
    let steps = person.notify.steps(first.urgency).to_vec();
    let Some(step) = steps.get(notify_step + 1) else {
        return false;
    };
    let mut is_under_way = false;
    for contact in &step.via {
        is_under_way |= page(draft, user, contact, incidents, notify_step + 1);
    }
    is_under_way
}
