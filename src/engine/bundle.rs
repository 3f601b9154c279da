//! The ceiling per person: beyond it pages gather and leave as one bundled page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deliver::{self, Planned};
use super::draft::Draft;
use super::escalation;
use super::ids::{ContactName, IncidentNumber, PageId, UserName};
use super::incident::{Incident, Why};
use super::notify;
use super::page::{Page, PageKind};
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind, Person};
use super::ruleset::Medium;
use super::time::Millis;

/// The first bundled page leaves so long after the first page was held.
const FIRST_AFTER: Millis = Millis::seconds(15);
/// Later ones leave at most this often.
const INTERVAL: Millis = Millis::minutes(2);
/// Incidents of one bundled page; more make another.
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
    if page.integration.is_router() {
        // It was never counted; another page of the same moment was.
        return;
    }
    draft.edit_person(user, |person| {
        if let Some(at) = person.paged.iter().position(|at| *at == page.created) {
            person.paged.remove(at);
        }
    });
}

/// Sets the time of the person's next bundled page; the incident's run says what is held.
pub(super) fn hold(draft: &mut Draft<'_>, number: IncidentNumber, user: &UserName) {
    ensure(draft, user);
    let now = draft.now.steady;
    draft.edit_person(user, |person| {
        let earliest = person.bundled.map_or(now, |at| at + INTERVAL);
        let due = (now + FIRST_AFTER).max(earliest);
        person.bundle_due = Some(person.bundle_due.map_or(due, |set| set.min(due)));
    });
    let text = format!("{user} has had enough pages; this one is part of the next bundled page");
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
            bundle_due: None,
            bundled: None,
            last_bundle: None,
        };
        draft.put_person(user.clone(), person);
    }
}

/// The bundled page is due: everything that is held for the person leaves as few messages.
pub(super) fn due(draft: &mut Draft<'_>, user: &UserName) {
    let held = held_incidents(draft, user);
    let now = draft.now.steady;
    let is_more = held.len() > INCIDENTS_MAX;
    draft.edit_person(user, |person| {
        person.bundle_due = is_more.then_some(now);
        person.bundled = Some(now);
    });
    let mut batch = Batch::new();
    let mut released = Vec::new();
    for incident in held.into_iter().take(INCIDENTS_MAX) {
        for contact in release(draft, &incident, user) {
            batch.entry(contact).or_default().push(incident.number);
        }
        released.push(incident.number);
    }
    page_all(draft, user, batch, &released);
}

/// Bundled pages that leave at one moment: each contact with the incidents that it names.
type Batch = BTreeMap<ContactName, Vec<IncidentNumber>>;

/// Pages each contact of a batch. Of the incidents concerned those that reach no contact go on to
/// the person's next notify step at once.
fn page_all(draft: &mut Draft<'_>, user: &UserName, batch: Batch, all: &[IncidentNumber]) {
    let mut under_way = BTreeSet::new();
    let mut failed = BTreeSet::new();
    for (contact, numbers) in batch {
        if page(draft, user, &contact, &numbers) {
            under_way.extend(numbers);
        } else {
            failed.extend(numbers);
        }
    }
    let others = all.iter().copied();
    let others = others.filter(|number| !under_way.contains(number));
    let (failed, left): (Vec<IncidentNumber>, Vec<IncidentNumber>) =
        others.partition(|number| failed.contains(number));
    for number in left {
        escalation::check_reached(draft, number);
    }
    if !failed.is_empty() {
        fail_over(draft, user, &failed);
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

/// Pages a contact for several incidents, each for the reason of its own run. Whether it leaves.
fn page(
    draft: &mut Draft<'_>,
    user: &UserName,
    contact: &ContactName,
    numbers: &[IncidentNumber],
) -> bool {
    let known = numbers.iter().filter_map(|number| draft.incident(number));
    let named: Vec<(Arc<Incident>, Why)> = known
        .filter_map(|incident| {
            let run = incident.runs.iter().find(|run| run.user == *user)?;
            let why = run.why.clone();
            Some((incident, why))
        })
        .collect();
    let Some((first, _)) = named.first() else {
        return false;
    };
    let incidents = named.iter();
    let incidents = incidents.map(|(incident, why)| (deliver::reference(incident), why.clone()));
    let plan = deliver::Plan {
        kind: PageKind::Bundle,
        incidents: incidents.collect(),
        user,
        contact,
        notify_step: 0,
    };
    match deliver::page_contact(draft, first, &plan, Reason::Bundled) {
        Planned::Started(id) => {
            remember_for_replies(draft, user, id);
            true
        }
        Planned::Unusable => false,
    }
}

/// `ack all` by text message takes the list that was last sent to a phone.
fn remember_for_replies(draft: &mut Draft<'_>, user: &UserName, id: PageId) {
    let is_sms = draft
        .page(&id)
        .is_some_and(|page| page.medium == Medium::Sms);
    if is_sms {
        draft.edit_person(user, |person| person.last_bundle = Some(id));
    }
}

/// All channels of a bundled page's contact failed: the person's next notify step is used for each
/// of its incidents, unless another page of the same batch is on its way for it.
pub(super) fn contact_failed(draft: &mut Draft<'_>, page: &Page) {
    let Some(user) = page.recipient.user() else {
        return;
    };
    let numbers = page.incidents.iter().map(|known| known.number);
    let failed: Vec<IncidentNumber> = numbers
        .filter(|number| {
            notify::is_of_present_run(draft, page, *number)
                && !notify::has_sibling_under_way(draft, page, *number)
        })
        .collect();
    fail_over(draft, user, &failed);
}

/// Goes on to the person's next notify step of each incident, gathered again by contact.
fn fail_over(draft: &mut Draft<'_>, user: &UserName, failed: &[IncidentNumber]) {
    let mut batch = Batch::new();
    for number in failed {
        for contact in notify::take_next_step(draft, *number, user) {
            batch.entry(contact).or_default().push(*number);
        }
    }
    page_all(draft, user, batch, failed);
}
