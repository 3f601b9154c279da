//! The page limit per person: so many incidents may interrupt a person singly; the pages about
//! further ones gather and leave as one bundled page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deliver::{self, Planned};
use super::draft::Draft;
use super::escalation;
use super::ids::{ContactName, IncidentNumber, PageId, UserName};
use super::incident::{Incident, Why};
use super::notify;
use super::page::{Page, PageKind, PageState};
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind, Interruption, Person};
use super::ruleset::Medium;
use super::time::{Millis, Steady};
use super::urgency::Urgency;

/// The first bundled page leaves so long after the first incident was held.
const FIRST_AFTER: Millis = Millis::seconds(15);
/// Later ones leave at most this often, which is also the longest that an incident is held.
const INTERVAL: Millis = Millis::seconds(60);
/// Incidents of one bundled page; more make another.
pub const INCIDENTS_MAX: usize = 1_000;

/// Whether the limit concerns the incident: the router's own and those opened by hand are exempt.
pub(super) fn is_limited(incident: &Incident) -> bool {
    incident.about.is_none() && incident.opened_by.is_none()
}

/// Whether as many incidents interrupted the person as may. Low urgency never uses up high's room.
pub(super) fn is_over_limit(draft: &Draft<'_>, user: &UserName, urgency: Urgency) -> bool {
    let settings = &draft.rules.settings;
    let now = draft.now.steady;
    let counted = draft.person(user).map_or(0, |person| {
        let recent = person.interruptions.iter().filter(|known| {
            known.urgency >= urgency && now.since(known.started) < settings.page_window
        });
        recent.count()
    });
    counted >= settings.page_limit
}

/// Counts that an incident began to page the person.
pub(super) fn count(draft: &mut Draft<'_>, user: &UserName, incident: &Incident) {
    ensure(draft, user);
    let (now, window) = (draft.now.steady, draft.rules.settings.page_window);
    let interruption = Interruption {
        incident: incident.number,
        urgency: incident.urgency,
        started: now,
    };
    draft.edit_person(user, |person| {
        let interruptions = &mut person.interruptions;
        interruptions.retain(|known| now.since(known.started) < window);
        interruptions.push(interruption);
    });
}

/// A page ended without having been taken: if no other reached the person or still may, its
/// incident did not interrupt anybody.
pub(super) fn take_back(draft: &mut Draft<'_>, page: &Page) {
    let user = page.recipient.user();
    let Some(user) = user.filter(|_| page.kind == PageKind::Page) else {
        return;
    };
    let Some(number) = page.incidents.first().map(|known| known.number) else {
        return;
    };
    let Some(person) = draft.person(user) else {
        return;
    };
    let is_its = |known: &Interruption| known.incident == number && known.started <= page.created;
    let Some(at) = person.interruptions.iter().rposition(is_its) else {
        return;
    };
    let began = person.interruptions[at].started;
    if !may_reach(draft, number, user, began) {
        draft.edit_person(user, |person| {
            person.interruptions.remove(at);
        });
    }
}

/// Whether a page about the incident reached the person since this moment, or still may.
fn may_reach(draft: &Draft<'_>, number: IncidentNumber, user: &UserName, since: Steady) -> bool {
    let incident = draft.incident(&number);
    let is_to_come = incident.is_some_and(|incident| {
        let mut runs = incident.runs.iter();
        runs.any(|run| run.user == *user && run.is_counted && run.due.is_some())
    });
    is_to_come
        || draft.pages_of(number).iter().any(|page| {
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
pub(super) fn hold(draft: &mut Draft<'_>, incident: &Incident, user: &UserName) {
    ensure(draft, user);
    let now = draft.now;
    // A timer that is left of incidents that somebody took meanwhile counts for nothing.
    let has_others = held(draft, user).any(|held| held.number != incident.number);
    let mut due = now.steady;
    draft.edit_person(user, |person| {
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
    draft.note(incident.number, kind, reason, text, detail);
}

pub(super) fn ensure(draft: &mut Draft<'_>, user: &UserName) {
    if draft.person(user).is_none() {
        let person = Person {
            user: user.clone(),
            interruptions: Vec::new(),
            bundle_due: None,
            bundled: None,
            last_bundle: None,
            tested_at: None,
        };
        draft.put_person(user.clone(), person);
    }
}

/// The bundled page is due: everything that is held for the person leaves as few messages. Where
/// nothing is, or nothing leaves, the next one need not keep its distance.
pub(super) fn due(draft: &mut Draft<'_>, user: &UserName) {
    // Only as many as leave now are looked at: after a storm very many may be held.
    let held: Vec<Arc<Incident>> = held(draft, user).take(INCIDENTS_MAX + 1).collect();
    let now = draft.now.steady;
    let is_more = held.len() > INCIDENTS_MAX;
    draft.edit_person(user, |person| person.bundle_due = is_more.then_some(now));
    let mut batch = Batch::new();
    let mut released = Vec::new();
    for incident in held.into_iter().take(INCIDENTS_MAX) {
        for contact in release(draft, &incident, user) {
            batch.entry(contact).or_default().push(incident.number);
        }
        released.push(incident.number);
    }
    if page_all(draft, user, batch, &released) {
        draft.edit_person(user, |person| person.bundled = Some(now));
    }
}

/// Bundled pages that leave at one moment: each contact with the incidents that it names.
type Batch = BTreeMap<ContactName, Vec<IncidentNumber>>;

/// Pages each contact of a batch. Of the incidents concerned those that reach no contact go on to
/// the person's next notify step at once. Whether anything leaves.
fn page_all(draft: &mut Draft<'_>, user: &UserName, batch: Batch, all: &[IncidentNumber]) -> bool {
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
    let has_left = !under_way.is_empty();
    (!failed.is_empty() && fail_over(draft, user, &failed)) || has_left
}

/// Open incidents whose page to the person is held.
fn held<'draft>(
    draft: &'draft Draft<'_>,
    user: &'draft UserName,
) -> impl Iterator<Item = Arc<Incident>> + 'draft {
    let numbers = draft.state.held_for(user);
    numbers
        .filter_map(|number| draft.incident(&number))
        .filter(|incident| notify::asks(incident) && holds(incident, user))
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
        Planned::Later | Planned::Unusable => false,
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

/// Goes on to the person's next notify step of each incident, gathered again by contact. Whether
/// anything leaves.
fn fail_over(draft: &mut Draft<'_>, user: &UserName, failed: &[IncidentNumber]) -> bool {
    let mut batch = Batch::new();
    for number in failed {
        for contact in notify::take_next_step(draft, *number, user) {
            batch.entry(contact).or_default().push(*number);
        }
    }
    page_all(draft, user, batch, failed)
}
