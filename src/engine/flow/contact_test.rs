//! Test pages: once a week, at an hour that suits the person, each contact gets a page that asks
//! nothing, so that one that does not work is known before the night in which it is needed.
//!
//! Each is an incident of its own, which ends by itself: its timeline says what became of it, and
//! its link can be tried.

use std::sync::Arc;

use jiff::civil::Weekday;

use crate::engine::budget::mix;
use crate::engine::cause::Cause;
use crate::engine::ids::UserName;
use crate::engine::incident::{Incident, PageCause, Position};
use crate::engine::page::{Page, PageKind, Retry};
use crate::engine::page_plan::Plan;
use crate::engine::reason::Reason;
use crate::engine::ruleset::{ChannelInfo, Contact, TestPage, User, WeeklyTime};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    channel_health, contact_test_result, delivery, page_plan, rate_limit, self_incidents,
};

/// People whose time is the same are spread over so many minutes.
const SPREAD_MINUTES: u64 = 30;
/// A router that was away at the time makes up for it so long; later the week is left out, since
/// the hour is no longer the chosen one.
const LATE_MINUTES: u16 = 120;
/// People of one minute, or a sixtieth of all if that is more; the others follow in the next.
const PEOPLE_MAX: usize = 25;
/// Pages of one minute: what one decision may plan.
const PAGES_MAX: usize = 400;
/// A test page that has not left by then does not leave any more.
const LEAVES_WITHIN: Duration = Duration::hours(1);

/// No contact is tested twice in less, whatever is done to the settings or the clock.
const AGAIN: Duration = Duration::days(6);
/// A test page takes no retry of others: it comes again after so long and up to as much again, and
/// leaves a channel that asked to wait alone for that time.
const RETRY_AFTER: Duration = Duration::minutes(10);
/// It is not retried after this age, so that what became of it is known before it ends.
pub const RETRY_FOR: Duration = Duration::minutes(45);

const DAY_MINUTES: u16 = 24 * 60;
const WEEK_MINUTES: u16 = 7 * DAY_MINUTES;

/// A minute passed: whoever's time it is gets a page on each contact, one after the other within
/// the minute, so that no provider is overrun. Who was not tested for longest comes first.
pub fn look(tx: &mut StepTransaction<'_>) {
    if tx.jump.is_some() {
        // It may be the middle of the night.
        return;
    }
    let rules = tx.rules;
    let mut due: Vec<(Option<Timestamp>, &UserName, &User)> = Vec::new();
    for (name, user) in &rules.users {
        let tested = tx.person(name).and_then(|person| person.tested_at);
        if is_due(tx, name, user, tested) {
            due.push((tested, name, user));
        }
    }
    due.sort_by_key(|(tested, ..)| *tested);
    let people_max = PEOPLE_MAX.max(rules.users.len() / 60);
    let gap = Duration::minutes(1).0 / (due.len().min(people_max) as u64).max(1);
    let (mut people, mut pages) = (0, 0);
    for (_, name, user) in due {
        // The others are due in the next minute as well.
        let is_full = pages > 0 && pages + user.contacts.len() > PAGES_MAX;
        if people == people_max || is_full {
            return;
        }
        let after = Duration(gap * people as u64);
        let gap = Duration(gap);
        if test(tx, name, user, Span { after, gap }) {
            people += 1;
            pages += user.contacts.len();
        }
    }
}

/// The part of the minute in which the pages to one person leave.
#[derive(Clone, Copy)]
struct Span {
    after: Duration,
    gap: Duration,
}

/// Whether any page was planned.
fn test(tx: &mut StepTransaction<'_>, name: &UserName, user: &User, span: Span) -> bool {
    let contacts = (user.contacts.len() as u64).max(1);
    let (mut is_held, mut is_planned) = (false, false);
    for (index, contact) in (0..).zip(&user.contacts) {
        let after = Duration(span.after.0 + span.gap.0 / contacts * index);
        match page(tx, name, contact, after) {
            Tested::Planned => is_planned = true,
            Tested::Held => is_held = true,
            Tested::LeftOut => {}
        }
    }
    if is_planned || !is_held {
        let now = tx.now.wall;
        rate_limit::ensure(tx, name);
        tx.edit_person(name, |person| person.tested_at = Some(now));
    }
    is_planned
}

/// When a person's contacts are tested; `None` for never.
pub fn time_of(tx: &StepTransaction<'_>, user: &User) -> Option<WeeklyTime> {
    match user.test_page {
        None => tx.rules.settings.test_page,
        Some(TestPage::Never) => None,
        Some(TestPage::At(time)) => Some(time),
    }
}

fn is_due(
    tx: &StepTransaction<'_>,
    name: &UserName,
    user: &User,
    tested: Option<Timestamp>,
) -> bool {
    let now = tx.now.wall;
    let Some(time) = time_of(tx, user).filter(|_| !user.contacts.is_empty()) else {
        return false;
    };
    minutes_after(user, time, name, now) < LATE_MINUTES
        && tested.is_none_or(|tested| now.apart(tested) >= AGAIN)
}

/// Minutes since the person's time of this week, on their own clock.
fn minutes_after(user: &User, time: WeeklyTime, name: &UserName, now: Timestamp) -> u16 {
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

/// What became of the test of one contact.
enum Tested {
    Planned,
    /// A silence covers it: the person is tested when that is over, if the hour still suits.
    Held,
    /// It needs none, or has one.
    LeftOut,
}

fn page(
    tx: &mut StepTransaction<'_>,
    user: &UserName,
    contact: &Contact,
    after: Duration,
) -> Tested {
    if !is_tested(tx, contact) {
        return Tested::LeftOut;
    }
    let trouble = contact_test_result::about(user, contact, Cause::ContactTest);
    let text = format!("test page, nothing to do: {} of {user} works", contact.name);
    if self_incidents::is_silenced(tx, &trouble, &text) {
        return Tested::Held;
    }
    let Some(incident) = self_incidents::open_test(tx, trouble, &text) else {
        return Tested::LeftOut;
    };
    let why = PageCause {
        route: incident.route.clone(),
        policy: None,
        position: Position::Before,
        round: 0,
        schedule: None,
        revision: tx.rules.revision,
    };
    let plan = Plan {
        kind: PageKind::Page,
        incidents: vec![(page_plan::reference(&incident), why)],
        user,
        contact: &contact.name,
        notify_step: 0,
    };
    plan_page(tx, &incident, (&plan, contact), tx.now.steady + after);
    Tested::Planned
}

/// Plans a page of which the first attempt begins at that time.
fn plan_page(
    tx: &mut StepTransaction<'_>,
    incident: &Arc<Incident>,
    (plan, contact): (&Plan<'_>, &Contact),
    at: MonotonicTime,
) {
    let id = page_plan::put_contact_page(tx, incident, plan, contact.clone());
    let page = tx.page(&id).expect("it was put");
    let first = delivery::candidates(tx, &page).into_iter().next();
    let retries = first.map(|channel| Retry {
        channel: channel.name,
        due: at,
        spends: false,
    });
    tx.edit_page(&id, |page| page.retries.extend(retries));
    delivery::fail_if_hopeless(tx, id);
}

/// Whether a test page to it could arrive. Of one that no channel carries the check of the rules
/// warns, and whoever answered STOP knows, as does who was told of that.
pub fn is_tested(tx: &StepTransaction<'_>, contact: &Contact) -> bool {
    let sender = tx.sender(&contact.address);
    let mut channels = tx.rules.channels_for(contact.medium);
    sender.is_none_or(|sender| !sender.is_stopped) && channels.next().is_some()
}

/// When a test page that failed leaves again; it never spends a retry of others.
pub fn retry_wait(seed: u64) -> Duration {
    Duration(RETRY_AFTER.0 + mix(seed) % RETRY_AFTER.0)
}

/// Whether a test page is too old to leave: the hour is no longer the chosen one.
pub fn is_late(tx: &StepTransaction<'_>, page: &Page) -> bool {
    tx.now.wall.since(page.created_at) > LEAVES_WITHIN && tx.is_test_page(page)
}

/// Until when, and why, a test page leaves a channel alone that is down or asked to wait not long
/// ago, so that its trial and its patience are there for others.
pub fn waits(
    tx: &StepTransaction<'_>,
    page: &Page,
    channel: &ChannelInfo,
) -> Option<(MonotonicTime, Reason)> {
    if !tx.is_test_page(page) {
        return None;
    }
    let state = tx.channel(&channel.name)?;
    let now = tx.now.steady;
    let seed = tx.now.seed ^ page.id.0;
    if state.down.is_some() {
        return Some((now + retry_wait(seed), Reason::ChannelDown));
    }
    let endpoint = page.endpoint();
    let health = channel_health::health(&state, channel, &endpoint);
    let free = health?.closed_until? + RETRY_AFTER;
    let spread = Duration(mix(seed) % RETRY_AFTER.0);
    (free > now).then_some((free + spread, Reason::ChannelThrottled))
}
