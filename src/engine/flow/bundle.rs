//! The page limit per person: so many incidents may interrupt a person singly; the pages about
//! further ones gather and leave as one bundled page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::delivery::{self, Planned};
use crate::engine::escalation;
use crate::engine::ids::{ContactName, IncidentNumber, PageId, UserName};
use crate::engine::incident::{Incident, PageCause};
use crate::engine::notification;
use crate::engine::page::{Page, PageKind, PageState};
use crate::engine::reason::Reason;
use crate::engine::records::{EntryDetail, EntryKind, Interruption, Person};
use crate::engine::ruleset::Medium;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// The first bundled page leaves so long after the first incident was held.
const FIRST_AFTER: Duration = Duration::seconds(15);
/// Later ones leave at most this often, which is also the longest that an incident is held.
const INTERVAL: Duration = Duration::seconds(60);
/// Incidents of one bundled page; more make another.
pub const INCIDENTS_MAX: usize = 1_000;

/// Whether the limit concerns the incident: the router's own and those opened by hand are exempt.
pub(in crate::engine) fn is_limited(incident: &Incident) -> bool {
    incident.about.is_none() && incident.opened_by.is_none()
}

/// Whether as many incidents interrupted the person as may. Low urgency never uses up high's room.
pub(in crate::engine) fn is_over_limit(
    tx: &StepTransaction<'_>,
    user: &UserName,
    urgency: Urgency,
) -> bool {
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
pub(in crate::engine) fn count(tx: &mut StepTransaction<'_>, user: &UserName, incident: &Incident) {
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
pub(in crate::engine) fn take_back(tx: &mut StepTransaction<'_>, page: &Page) {
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
pub(in crate::engine) fn hold(tx: &mut StepTransaction<'_>, incident: &Incident, user: &UserName) {
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
    let (kind, reason) = (EntryKind::Page, Reason::OverPageLimit);
    let text = "over the page limit; held";
    tx.note_in_detail(incident.number, kind, reason, text, detail);
}

pub(in crate::engine) fn ensure(tx: &mut StepTransaction<'_>, user: &UserName) {
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

/// The bundled page is due: everything that is held for the person leaves as few messages. Where
/// nothing is, or nothing leaves, the next one need not keep its distance.
pub(in crate::engine) fn due(tx: &mut StepTransaction<'_>, user: &UserName) {
    // Only as many as leave now are looked at: after a storm very many may be held.
    let held: Vec<Arc<Incident>> = held(tx, user).take(INCIDENTS_MAX + 1).collect();
    let now = tx.now.steady;
    let is_more = held.len() > INCIDENTS_MAX;
    tx.edit_person(user, |person| person.bundle_due = is_more.then_some(now));
    let mut batch = Batch::new();
    let mut released = Vec::new();
    for incident in held.into_iter().take(INCIDENTS_MAX) {
        for contact in release(tx, &incident, user) {
            batch.entry(contact).or_default().push(incident.number);
        }
        released.push(incident.number);
    }
    if page_all(tx, user, batch, &released) {
        tx.edit_person(user, |person| person.bundled = Some(now));
    }
}

/// Bundled pages that leave at one moment: each contact with the incidents that it names.
type Batch = BTreeMap<ContactName, Vec<IncidentNumber>>;

/// Pages each contact of a batch. Of the incidents concerned those that reach no contact go on to
/// the person's next notify step at once. Whether anything leaves.
fn page_all(
    tx: &mut StepTransaction<'_>,
    user: &UserName,
    batch: Batch,
    all: &[IncidentNumber],
) -> bool {
    let mut under_way = BTreeSet::new();
    let mut failed = BTreeSet::new();
    for (contact, numbers) in batch {
        if page(tx, user, &contact, &numbers) {
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
        escalation::check_reached(tx, number);
    }
    let has_left = !under_way.is_empty();
    (!failed.is_empty() && fail_over(tx, user, &failed)) || has_left
}

/// Open incidents whose page to the person is held.
fn held<'tx>(
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

/// Takes the hold off an incident; the answer is the contacts that were to be paged.
fn release(tx: &mut StepTransaction<'_>, incident: &Incident, user: &UserName) -> Vec<ContactName> {
    let mut indexes = Vec::new();
    tx.edit_incident(&incident.number, |incident| {
        for run in incident.runs.iter_mut().filter(|run| run.user == *user) {
            indexes.append(&mut run.held);
        }
    });
    let Some(person) = tx.rules.users.get(user) else {
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
    tx: &mut StepTransaction<'_>,
    user: &UserName,
    contact: &ContactName,
    numbers: &[IncidentNumber],
) -> bool {
    let known = numbers.iter().filter_map(|number| tx.incident(number));
    let named: Vec<(Arc<Incident>, PageCause)> = known
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
    let incidents = incidents.map(|(incident, why)| (delivery::reference(incident), why.clone()));
    let plan = delivery::Plan {
        kind: PageKind::Bundle,
        incidents: incidents.collect(),
        user,
        contact,
        notify_step: 0,
    };
    match delivery::page_contact(tx, first, &plan, Reason::Bundled) {
        Planned::Started(id) => {
            remember_for_replies(tx, user, id);
            true
        }
        Planned::Later | Planned::Unusable => false,
    }
}

/// `ack all` by text message takes the list that was last sent to a phone.
fn remember_for_replies(tx: &mut StepTransaction<'_>, user: &UserName, id: PageId) {
    let is_sms = tx.page(&id).is_some_and(|page| page.medium == Medium::Sms);
    if is_sms {
        tx.edit_person(user, |person| person.last_bundle = Some(id));
    }
}

/// All channels of a bundled page's contact failed: the person's next notify step is used for each
/// of its incidents, unless another page of the same batch is on its way for it.
pub(in crate::engine) fn contact_failed(tx: &mut StepTransaction<'_>, page: &Page) {
    let Some(user) = page.recipient.user() else {
        return;
    };
    let numbers = page.incidents.iter().map(|known| known.number);
    let failed: Vec<IncidentNumber> = numbers
        .filter(|number| {
            notification::is_of_present_run(tx, page, *number)
                && !notification::has_sibling_under_way(tx, page, *number)
        })
        .collect();
    fail_over(tx, user, &failed);
}

/// Goes on to the person's next notify step of each incident, gathered again by contact. Whether
/// anything leaves.
fn fail_over(tx: &mut StepTransaction<'_>, user: &UserName, failed: &[IncidentNumber]) -> bool {
    let mut batch = Batch::new();
    for number in failed {
        for contact in notification::take_next_step(tx, *number, user) {
            batch.entry(contact).or_default().push(*number);
        }
    }
    page_all(tx, user, batch, failed)
}
