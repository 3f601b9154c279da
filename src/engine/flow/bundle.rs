//! Bundled pages: what the page limit held for a person leaves as few messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{ContactName, IncidentNumber, PageId, UserName};
use crate::engine::incident::{Incident, PageCause};
use crate::engine::page::{Page, PageKind};
use crate::engine::page_plan::Planned;
use crate::engine::reason::Reason;
use crate::engine::ruleset::Medium;
use crate::engine::transaction::StepTransaction;
use crate::engine::{notification, page_plan, rate_limit};

/// Incidents of one bundled page; more make another.
pub const INCIDENTS_MAX: usize = 1_000;

/// The bundled page is due: everything that is held for the person leaves as few messages. Where
/// nothing is, or nothing leaves, the next one need not keep its distance.
pub fn due(tx: &mut StepTransaction<'_>, user: &UserName) {
    // Only as many as leave now are looked at: after a storm very many may be held.
    let held: Vec<Arc<Incident>> = rate_limit::held(tx, user).take(INCIDENTS_MAX + 1).collect();
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
        tx.follow_up(FollowUp::CheckReached(number));
    }
    let has_left = !under_way.is_empty();
    (!failed.is_empty() && fail_over(tx, user, &failed)) || has_left
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
    let incidents = incidents.map(|(incident, why)| (page_plan::reference(incident), why.clone()));
    let plan = page_plan::Plan {
        kind: PageKind::Bundle,
        incidents: incidents.collect(),
        user,
        contact,
        notify_step: 0,
    };
    match page_plan::page_contact(tx, first, &plan, Reason::Bundled) {
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
pub fn contact_failed(tx: &mut StepTransaction<'_>, page: &Page) {
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
