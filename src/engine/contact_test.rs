//! Test pages: once a week, at an hour that suits the person, each contact gets a page that asks
//! nothing, so that one that does not work is known before the night in which it is needed.
//!
//! Each is an incident of its own, which ends by itself: its timeline says what became of it, and
//! its link can be tried.

use std::sync::Arc;

use jiff::civil::Weekday;

use super::budget::mix;
use super::deliver::{self, Plan};
use super::draft::Draft;
use super::ids::UserName;
use super::incident::{Incident, Position, Trouble, Why};
use super::key;
use super::page::{Page, PageKind, Recipient};
use super::reason::Reason;
use super::records::ChannelState;
use super::ruleset::{Contact, TestPage, User, WeeklyTime};
use super::time::{Millis, Wall};
use super::trouble::Cause;
use super::{bundle, lane, trouble_desk};

/// People whose time is the same are spread over so many minutes.
const SPREAD_MINUTES: u64 = 30;
/// A router that was away at the time makes up for it so long; later the week is left out, since
/// the hour is no longer the chosen one.
const LATE_MINUTES: u16 = 120;
/// People of one minute; the others follow in the next.
const PEOPLE_MAX: usize = 25;
/// Contacts that do not work are told one by one up to so many; the others are only counted.
const TOLD_MAX: usize = 10;
/// No contact is tested twice in less, whatever is done to the settings or the clock.
const AGAIN: Millis = Millis::days(6);

const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: u16 = 7 * DAY_MINUTES;

/// A minute passed: whoever's time it is gets a page on each contact.
pub(super) fn look(draft: &mut Draft<'_>) {
    let usual = draft.rules.settings.test_page;
    let rules = draft.rules;
    let due = rules.users.iter().filter(|(name, user)| {
        let time = match user.test_page {
            None => usual,
            Some(TestPage::Never) => None,
            Some(TestPage::At(time)) => Some(time),
        };
        time.is_some_and(|time| is_due(draft, name, user, time))
    });
    let due: Vec<(UserName, User)> = due
        .take(PEOPLE_MAX)
        .map(|(name, user)| (name.clone(), user.clone()))
        .collect();
    for (name, user) in due {
        let now = draft.now.wall;
        bundle::ensure(draft, &name);
        draft.edit_person(&name, |person| person.tested_at = Some(now));
        for contact in &user.contacts {
            page(draft, &name, contact);
        }
    }
}

fn is_due(draft: &Draft<'_>, name: &UserName, user: &User, time: WeeklyTime) -> bool {
    let now = draft.now.wall;
    if user.contacts.is_empty() || minutes_after(user, time, name, now) >= LATE_MINUTES {
        return false;
    }
    let tested = draft.person(name).and_then(|person| person.tested_at);
    tested.is_none_or(|tested| now.since(tested) >= AGAIN)
}

/// Minutes since the person's time of this week, on their own clock.
fn minutes_after(user: &User, time: WeeklyTime, name: &UserName, now: Wall) -> u16 {
    let local = user.time_zone.to_datetime(now.timestamp());
    let minute =
        u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
    let present = day(local.weekday()) * DAY_MINUTES + minute;
    let bytes = name.as_str().bytes();
    let seed = bytes.fold(0, |seed, byte| mix(seed ^ u64::from(byte)));
    let own = u16::try_from(seed % SPREAD_MINUTES).unwrap_or(0);
    let due = day(time.weekday) * DAY_MINUTES + time.minute + own;
    (present + 2 * WEEK_MINUTES - due) % WEEK_MINUTES
}

fn day(weekday: Weekday) -> u16 {
    u16::from(weekday.to_monday_zero_offset().unsigned_abs())
}

fn page(draft: &mut Draft<'_>, user: &UserName, contact: &Contact) {
    let sender = draft.sender(&contact.address);
    if sender.is_some_and(|sender| sender.is_stopped) {
        // They know, and so does whoever was told when they answered STOP.
        return;
    }
    if draft.rules.channels_for(contact.medium).next().is_none() {
        // The check of the rules says so at once.
        return;
    }
    let trouble = about(user, contact, Cause::ContactTest);
    let text = format!("test page, nothing to do: {} of {user} works", contact.name);
    let Some(incident) = trouble_desk::open_test(draft, trouble, &text) else {
        return;
    };
    if incident.is_silenced {
        return;
    }
    let why = Why {
        route: incident.route.clone(),
        policy: None,
        position: Position::Before,
        round: 0,
        schedule: None,
        revision: draft.rules.revision,
    };
    let plan = Plan {
        kind: PageKind::Page,
        incidents: vec![(deliver::reference(&incident), why)],
        user,
        contact: &contact.name,
        notify_step: 0,
    };
    deliver::page_contact(draft, &incident, &plan, Reason::ContactTest);
}

fn about(user: &UserName, contact: &Contact, cause: Cause) -> Trouble {
    Trouble {
        cause,
        subject: key::joined(&[user.as_str(), contact.name.as_str()]).into(),
    }
}

fn tell(draft: &mut Draft<'_>, user: &UserName, contact: &Contact, why: &str) {
    let text = format!("{user} cannot be reached by {}: {why}", contact.name);
    let trouble = about(user, contact, Cause::ContactUnreachable);
    if trouble_desk::occurrences(draft, &trouble) == 0 && told(draft) >= TOLD_MAX {
        let count = trouble_desk::occurrences(draft, &further()) + 1;
        let text = format!("further test pages were not taken: {count}; the last: {text}");
        trouble_desk::raise(draft, further(), &text);
        return;
    }
    trouble_desk::raise(draft, trouble, &text);
}

/// The trouble of the contacts beyond those that are told one by one.
fn further() -> Trouble {
    Trouble {
        cause: Cause::ContactUnreachable,
        subject: "".into(),
    }
}

/// Contacts of which it is told that they do not work, at most [`TOLD_MAX`].
fn told(draft: &Draft<'_>) -> usize {
    let troubles = contacts(draft, Cause::ContactUnreachable);
    let open = troubles.filter(|trouble| trouble_desk::occurrences(draft, trouble) > 0);
    open.take(TOLD_MAX).count()
}

/// The trouble that each contact of the rules may have.
fn contacts<'a>(draft: &'a Draft<'_>, cause: Cause) -> impl Iterator<Item = Trouble> + 'a {
    let users = draft.rules.users.iter();
    users.flat_map(move |(name, user)| {
        let contacts = user.contacts.iter();
        contacts.map(move |contact| about(name, contact, cause))
    })
}

/// Whether the incident is only a test page.
pub(super) fn is_test(incident: &Incident) -> bool {
    let about = incident.about.as_ref();
    about.is_some_and(|about| about.cause == Cause::ContactTest)
}

/// Whether the page is only a test.
pub(super) fn is_test_page(draft: &Draft<'_>, page: &Page) -> bool {
    let first = page
        .incidents
        .first()
        .filter(|_| page.integration.is_router());
    let incident = first.and_then(|known| draft.incident(&known.number));
    incident.is_some_and(|incident| is_test(&incident))
}

/// A page reached the contact: whatever was wrong with it is over.
pub(super) fn reached(draft: &mut Draft<'_>, page: &Page) {
    if let Some((user, contact)) = contact_of(draft, page) {
        let trouble = about(&user, &contact, Cause::ContactUnreachable);
        trouble_desk::clear(draft, &trouble);
        if trouble_desk::occurrences(draft, &further()) > 0 && is_gone(draft, &further()) {
            trouble_desk::clear(draft, &further());
        }
    }
}

/// No channel took a test page. Trouble of a whole channel is told as such, and not for each
/// contact.
pub(super) fn failed(draft: &mut Draft<'_>, page: &Arc<Page>) {
    if !is_test_page(draft, page) {
        return;
    }
    let is_own = page.attempts.iter().any(|attempt| {
        let info = draft.rules.channel(&attempt.channel);
        let state = draft.channel(&attempt.channel);
        let is_one_endpoint = info.is_some_and(|info| info.is_one_endpoint);
        let others_arrive = |state: &ChannelState| state.last_success_at >= Some(page.created_at);
        let is_refused = attempt
            .outcome
            .is_some_and(super::outcome::Outcome::is_about_page);
        is_refused || !is_one_endpoint || state.is_some_and(|state| others_arrive(&state))
    });
    let Some((user, contact)) = contact_of(draft, page).filter(|_| is_own) else {
        return;
    };
    let last = page.attempts.last();
    let words = last.and_then(|attempt| {
        let words = lane::last_words(page, &attempt.channel);
        let words = words.map_or_else(String::new, |words| format!(" ({words})"));
        Some(format!(
            "{}{words}",
            attempt.outcome?.as_str().replace('_', " ")
        ))
    });
    let why = words.unwrap_or_else(|| "no channel took its test page".to_owned());
    tell(draft, &user, &contact, &why);
}

/// The contact as the rules have it now, if they do.
fn contact_of(draft: &Draft<'_>, page: &Page) -> Option<(UserName, Contact)> {
    let Recipient::User { user, contact } = &page.recipient else {
        return None;
    };
    Some((user.clone(), draft.rules.contact(user, contact)?.clone()))
}

/// Whether what could not be reached is no contact of the rules any more, or fewer than
/// [`TOLD_MAX`] are told, so that the next tests tell the others one by one.
pub(super) fn is_gone(draft: &Draft<'_>, trouble: &Trouble) -> bool {
    if *trouble == further() {
        return told(draft) < TOLD_MAX;
    }
    contacts(draft, trouble.cause).all(|known| known.subject != trouble.subject)
}
