//! What became of a test page: a contact that cannot be reached is told, up to a number one by one,
//! until it can be.

use std::sync::Arc;

use crate::engine::cause::Cause;
use crate::engine::channel_state::ChannelState;
use crate::engine::ids::{ChannelName, ContactName, UserName};
use crate::engine::incident::SelfIncident;
use crate::engine::outcome::Outcome;
use crate::engine::page::{Attempt, Page, Recipient};
use crate::engine::ruleset::Contact;
use crate::engine::transaction::StepTransaction;
use crate::engine::{contact_test, key, notes, self_incidents};

/// Contacts that do not work are told one by one up to so many; the others are only counted.
const TOLD_MAX: usize = 10;

pub fn about(user: &UserName, contact: &Contact, cause: Cause) -> SelfIncident {
    SelfIncident::new(cause, key::joined(&[user.as_str(), contact.name.as_str()]))
}

fn tell(tx: &mut StepTransaction<'_>, user: &UserName, contact: &Contact, why: &str) {
    let text = format!("{user} cannot be reached by {}: {why}", contact.name);
    let trouble = about(user, contact, Cause::ContactUnreachable);
    if self_incidents::occurrences(tx, &trouble) == 0 && told(tx) >= TOLD_MAX {
        let count = self_incidents::occurrences(tx, &further()) + 1;
        let text = format!("more test pages failed: {count}; the last: {text}");
        self_incidents::raise(tx, further(), &text);
        return;
    }
    self_incidents::raise(tx, trouble, &text);
}

/// The trouble of the contacts beyond those that are told one by one.
fn further() -> SelfIncident {
    SelfIncident::new(Cause::ContactUnreachable, "")
}

/// Contacts of which it is told that they do not work, at most [`TOLD_MAX`].
fn told(tx: &StepTransaction<'_>) -> usize {
    let troubles = contacts(tx, Cause::ContactUnreachable);
    let open = troubles.filter(|trouble| self_incidents::occurrences(tx, trouble) > 0);
    open.take(TOLD_MAX).count()
}

/// The trouble that each contact of the rules may have.
fn contacts<'a>(
    tx: &'a StepTransaction<'_>,
    cause: Cause,
) -> impl Iterator<Item = SelfIncident> + 'a {
    let users = tx.rules.users.iter();
    users.flat_map(move |(name, user)| {
        let contacts = user.contacts.iter();
        contacts.map(move |contact| about(name, contact, cause))
    })
}

/// A page that asks was taken by a channel: what was wrong with the contact is over, unless the
/// channel will yet report whether it arrived.
pub fn reached(tx: &mut StepTransaction<'_>, page: &Page, channel: &ChannelName, outcome: Outcome) {
    let info = tx.rules.channel(channel);
    let reports = info.is_some_and(|info| info.capabilities.receipts);
    if !page.asks() || reports && outcome != Outcome::Delivered {
        return;
    }
    if let Some((user, contact)) = contact_of(tx, page) {
        let trouble = about(&user, &contact, Cause::ContactUnreachable);
        self_incidents::clear(tx, &trouble);
        if self_incidents::occurrences(tx, &further()) > 0 && is_gone(tx, &further()) {
            self_incidents::clear(tx, &further());
        }
    }
}

/// No channel took a test page. Trouble of a whole channel is told as such, and not for each
/// contact.
pub fn failed(tx: &mut StepTransaction<'_>, page: &Arc<Page>) {
    if !tx.is_test_page(page) {
        return;
    }
    let is_own = page
        .attempts
        .iter()
        .any(|attempt| is_own_fault(tx, attempt));
    let Some((user, contact)) = contact_of(tx, page).filter(|_| is_own) else {
        return;
    };
    let last = page.attempts.last();
    let words = last.and_then(|attempt| {
        let words = notes::last_words(page, &attempt.channel);
        let words = words.map_or_else(String::new, |words| format!(" ({words})"));
        Some(format!(
            "{}{words}",
            attempt.outcome?.as_str().replace('_', " ")
        ))
    });
    let why = words.unwrap_or_else(|| "no channel accepted its test page".to_owned());
    tell(tx, &user, &contact, &why);
}

/// Whether an attempt failed because of the contact: its address or message was refused, its
/// server is its own, or the channel takes others by now.
fn is_own_fault(tx: &StepTransaction<'_>, attempt: &Attempt) -> bool {
    let info = tx.rules.channel(&attempt.channel);
    let is_one_endpoint = info.is_some_and(|info| info.is_one_endpoint);
    let state = tx.channel(&attempt.channel);
    let took_others =
        |state: &ChannelState| !state.fails() && state.last_success_at >= Some(attempt.started_at);
    // Without an answer it may have arrived, or a restart was in the way.
    let is_wait = |outcome: &Outcome| matches!(outcome, Outcome::Throttled { .. });
    let failed = |outcome: &Outcome| !outcome.is_sent() && !is_wait(outcome);
    let Some(outcome) = attempt.outcome.filter(failed) else {
        return false;
    };
    let is_refused = outcome != Outcome::Unknown && state.is_some_and(|state| took_others(&state));
    outcome.is_about_page() || !is_one_endpoint || is_refused
}

/// The contact as the rules have it now, if it still is the one of the page.
fn contact_of(tx: &StepTransaction<'_>, page: &Page) -> Option<(UserName, Contact)> {
    let Recipient::User { user, contact } = &page.recipient else {
        return None;
    };
    let known = tx.rules.contact(user, contact)?;
    let is_same = known.medium == page.medium && known.address == page.address;
    is_same.then(|| (user.clone(), known.clone()))
}

/// Somebody answered STOP: nothing will show any more whether the contact works.
pub fn stopped(tx: &mut StepTransaction<'_>, user: &UserName, contact: &ContactName) {
    if let Some(contact) = tx.rules.contact(user, contact).cloned() {
        self_incidents::clear(tx, &about(user, &contact, Cause::ContactUnreachable));
    }
}

/// Whether what could not be reached is no contact of the rules any more or will not be tested
/// again, or fewer than [`TOLD_MAX`] are told, so that the next tests tell the others one by one.
pub fn is_gone(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> bool {
    if *trouble == further() {
        return told(tx) < TOLD_MAX;
    }
    let users = tx.rules.users.iter();
    let tested = users.filter(|(_, user)| contact_test::time_of(tx, user).is_some());
    let mut contacts = tested.flat_map(|(name, user)| {
        let contacts = user.contacts.iter();
        let tested = contacts.filter(|contact| contact_test::is_tested(tx, contact));
        tested.map(move |contact| about(name, contact, trouble.cause))
    });
    contacts.all(|known| known.subject != trouble.subject)
}
