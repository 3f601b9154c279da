//! Who writes a text message, and for which incidents they were paged.

use std::sync::Arc;

use crate::engine::event::Text;
use crate::engine::ids::{ContactName, IncidentNumber, UserName};
use crate::engine::incident::Incident;
use crate::engine::page::{Attempt, Page, Recipient};
use crate::engine::ruleset::Medium;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;

/// An `ack` without a number may be meant for a page that left so long ago.
const ON_ITS_WAY: Duration = Duration::minutes(2);

/// Who may have written: all whose contact has the number.
pub struct Caller {
    pub owners: Vec<Owner>,
    /// As the rules write it.
    pub address: Text,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Owner {
    pub user: UserName,
    pub contact: ContactName,
}

pub fn caller(tx: &StepTransaction<'_>, from: &str) -> Option<Caller> {
    let address: Text = tx.rules.phone_of(from)?.into();
    let users = tx.rules.users.iter();
    let owners = users.flat_map(|(name, user)| {
        let own = user.contacts.iter();
        let own = own.filter(|own| own.medium == Medium::Sms && own.address == address);
        own.map(|own| Owner {
            user: name.clone(),
            contact: own.name.clone(),
        })
    });
    let owners = owners.collect();
    Some(Caller { owners, address })
}

/// Open incidents for which this contact was sent a page, oldest first. Test pages are in nobody's
/// way, unless one is the last thing that the phone was sent.
pub fn paged_incidents(tx: &StepTransaction<'_>, caller: &Caller) -> Vec<Arc<Incident>> {
    let incidents = tx.state.incidents().filter(|incident| incident.asks());
    let paged = incidents.filter(|incident| was_paged(tx, caller, incident.number));
    let paged: Vec<Arc<Incident>> = paged.cloned().collect();
    let is_test = |incident: &&Arc<Incident>| incident.is_test_page();
    let last = paged
        .iter()
        .max_by_key(|incident| last_page_left(tx, caller, incident.number));
    if last.as_ref().is_some_and(is_test) {
        return paged;
    }
    let real = paged.iter().filter(|incident| !is_test(incident));
    real.cloned().collect()
}

fn was_paged(tx: &StepTransaction<'_>, caller: &Caller, number: IncidentNumber) -> bool {
    paged_last(tx, caller, number).is_some()
}

/// Who of them was paged for an incident, the last of several.
pub fn paged_last(
    tx: &StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> Option<Owner> {
    asked(tx, caller, number).next().map(|(_, owner)| owner)
}

/// The pages that asked one of these contacts to acknowledge an incident, the last one first.
fn asked(
    tx: &StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> impl Iterator<Item = (Arc<Page>, Owner)> {
    let pages = tx.pages_of(number).into_iter().rev();
    let pages = pages.filter(|page| page.asks() && !page.attempts.is_empty());
    pages.filter_map(|page| match &page.recipient {
        Recipient::User { user, contact } => {
            let mut owners = caller.owners.iter();
            let owner = owners.find(|owner| owner.user == *user && owner.contact == *contact)?;
            Some((page, owner.clone()))
        }
        Recipient::Channel { .. } => None,
    })
}

/// Whether a page for another incident is so fresh that the text may answer it; or this incident's
/// own first page is, and another one came before it.
pub fn was_paged_for_another(
    tx: &StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> bool {
    let now = tx.now.steady;
    let is_fresh = |at: MonotonicTime| now.since(at) < ON_ITS_WAY;
    let first = first_page_left(tx, caller, number);
    let is_new = first.is_some_and(is_fresh);
    // The page limit remembers those that are resolved, and so no longer in the state.
    let people = caller.owners.iter();
    let people = people.filter_map(|owner| tx.person(&owner.user));
    let mut begun = people.flat_map(|person| person.interruptions.clone());
    if begun.any(|one| one.incident != number && (is_new || is_fresh(one.started))) {
        return true;
    }
    let mut others = tx.state.incidents().map(|incident| incident.number);
    others.any(|other| {
        let mut left = asked(tx, caller, other).flat_map(|(page, _)| page.attempts.clone());
        other != number && left.any(|attempt| attempt.may_have_come() && is_fresh(attempt.started))
    })
}

/// When the contact was first sent a page for an incident.
fn first_page_left(
    tx: &StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> Option<MonotonicTime> {
    let attempts = asked(tx, caller, number).flat_map(|(page, _)| page.attempts.clone());
    attempts.map(|attempt| attempt.started).min()
}

/// When a page for an incident last left for the contact that may have come.
fn last_page_left(
    tx: &StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> Option<MonotonicTime> {
    let attempts = asked(tx, caller, number).flat_map(|(page, _)| page.attempts.clone());
    let came = attempts.filter(Attempt::may_have_come);
    came.map(|attempt| attempt.started).max()
}
