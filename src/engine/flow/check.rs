//! Channels that nobody used for an hour are asked whether they would take a page, so that a
//! revoked token is known before the night in which it is needed.
//!
//! A check sends nothing, takes no slot of a page and spends no retry. Only channels that reach
//! people and can be probed are checked.

use crate::engine::cause::Cause;
use crate::engine::channel_state::{CHECK_FAILURES, Check};
use crate::engine::decision::Effect;
use crate::engine::ids::ChannelName;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Probed;
use crate::engine::outcome::{Capacity, Outcome, Validity};
use crate::engine::ruleset::ChannelInfo;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, channel_trouble, probe, self_incidents};

/// However busy it is, a channel is checked so often: what is left in its account, and how long
/// its certificate is good, no page shows.
const BUSY: Duration = Duration::hours(6);
/// A check that could not reach the channel is repeated after so long.
const AGAIN: Duration = Duration::minutes(5);

/// A certificate is renewed when for so long no check met one that ends soon.
const RENEWED_AFTER: Duration = Duration::hours(12);

/// After a start the first checks come no earlier; until then there is other work.
const FIRST_AFTER: Duration = Duration::seconds(30);

/// The process starts: every channel is checked soon, since settings may be new.
pub fn plan_anew(tx: &mut StepTransaction<'_>) {
    plan_where(tx, |_, _| true);
}

/// Plans the checks that are missing or overdue.
pub fn plan(tx: &mut StepTransaction<'_>) {
    plan_where(tx, |check, now| check.due <= now);
}

fn plan_where(tx: &mut StepTransaction<'_>, is_stale: fn(&Check, MonotonicTime) -> bool) {
    let now = tx.now.steady;
    for info in tx.rules.channels.clone() {
        let name = &info.name;
        let known = tx.channel(name).and_then(|channel| channel.check);
        if !is_checked(&info) {
            forget(tx, name, known);
        } else if known.is_none_or(|check| is_stale(&check, now)) {
            let due = channel_health::spread(tx, name, FIRST_AFTER);
            let check = Check {
                due,
                latest: due,
                is_under_way: false,
                ..known.unwrap_or_default()
            };
            channel_health::edit(tx, name, |channel| channel.check = Some(check));
        }
    }
}

/// Nobody looks any more: what checks found is over as far as anybody can tell.
fn forget(tx: &mut StepTransaction<'_>, name: &ChannelName, known: Option<Check>) {
    for cause in [Cause::ChannelCapacity, Cause::ChannelCertificate] {
        self_incidents::clear(tx, &about(name, cause));
    }
    let Some(check) = known else { return };
    channel_health::edit(tx, name, |channel| channel.check = None);
    let state = tx.channel(name);
    let is_silent = state.is_some_and(|state| state.health.is_silent(tx.now.steady));
    let down = tx.channel(name).and_then(|state| state.down.clone());
    if down.is_some_and(|down| down.was_checked) {
        channel_trouble::works(tx, name, &"".into());
    }
    if check.failures >= CHECK_FAILURES && !is_silent {
        self_incidents::clear(tx, &about(name, Cause::ChannelSilent));
    }
}

fn is_checked(info: &ChannelInfo) -> bool {
    info.capabilities.probes && info.reaches_people
}

/// An idle channel's hour is over. One that asked to wait is not asked before.
pub fn due(tx: &mut StepTransaction<'_>, info: &ChannelInfo) {
    let name = &info.name;
    let Some(state) = tx.channel(name) else {
        return;
    };
    let now = tx.now.steady;
    let closed = state.health.closed_until.filter(|until| *until > now);
    let wait = closed.map_or(channel_health::IDLE, |until| until.since(now));
    let due = channel_health::spread(tx, name, wait);
    let is_asked = is_checked(info) && closed.is_none();
    channel_health::edit(tx, name, |channel| {
        let check = channel.check.take().filter(|_| is_checked(info));
        channel.check = check.map(|check| Check {
            due,
            latest: if is_asked { now + BUSY } else { due },
            is_under_way: is_asked,
            ..check
        });
    });
    if is_asked {
        tx.effects.push(Effect::Probe(name.clone()));
    }
}

/// What a probe found.
pub fn probed(tx: &mut StepTransaction<'_>, probed: &Probed) {
    let (name, outcome) = (&probed.channel, probed.outcome);
    let words = probed.provider_message.as_deref();
    let wall = tx.now.wall;
    let Some(state) = tx.channel(name) else {
        return;
    };
    let is_asked = match &state.down {
        // Else it was asked before it went down.
        Some(down) => down.is_asked,
        // Else it was asked while it was down; a page has shown since that it works.
        None => state.check.is_some_and(|check| check.is_under_way),
    };
    match &state.down {
        Some(_) if is_asked => probe::probed(tx, name, outcome),
        None if is_asked => checked(tx, name, (outcome, words)),
        Some(_) | None => {}
    }
    channel_health::edit(tx, name, |channel| {
        if let Some(check) = &mut channel.check {
            check.is_under_way = false;
            if is_asked && outcome.is_sent() {
                check.last_passed_at = Some(wall);
            }
        }
    });
    if is_asked && outcome.is_sent() {
        tell_capacity(tx, name, &probed.capacity);
        tell_certificate(tx, name, probed.certificate);
    }
}

fn checked(
    tx: &mut StepTransaction<'_>,
    name: &ChannelName,
    (outcome, words): (Outcome, Option<&str>),
) {
    if let Some(cause) = channel_trouble::cause_of(outcome) {
        channel_trouble::raise(tx, name, (outcome, words), cause, true);
        return;
    }
    match outcome {
        Outcome::Delivered | Outcome::Accepted => passed(tx, name),
        // It is there and has much to do.
        Outcome::Throttled { .. } => {}
        Outcome::Transient
        | Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted
        | Outcome::Unknown => unreachable(tx, name, words),
    }
}

fn passed(tx: &mut StepTransaction<'_>, name: &ChannelName) {
    let now = tx.now.steady;
    let due = channel_health::spread(tx, name, channel_health::IDLE);
    let is_over = channel_health::edit(tx, name, |channel| {
        let is_over = channel.fails_checks() && !channel.health.is_silent(now);
        if let Some(check) = &mut channel.check {
            check.due = due;
            check.failures = 0;
        }
        is_over
    });
    if is_over == Some(true) {
        self_incidents::clear(tx, &about(name, Cause::ChannelSilent));
    }
}

fn unreachable(tx: &mut StepTransaction<'_>, name: &ChannelName, words: Option<&str>) {
    let due = channel_health::spread(tx, name, AGAIN);
    let failures = channel_health::edit(tx, name, |channel| {
        let check = channel.check.as_mut()?;
        check.due = due;
        check.failures += 1;
        Some(check.failures)
    });
    if failures
        .flatten()
        .is_some_and(|count| count >= CHECK_FAILURES)
    {
        let mut text = format!("channel {name} did not pass {CHECK_FAILURES} checks in a row");
        if let Some(words) = words {
            text = format!("{text} ({words})");
        }
        self_incidents::raise(tx, about(name, Cause::ChannelSilent), &text);
    }
}

/// Says that a channel will soon have nothing left to send with, or that this is over.
fn tell_capacity(tx: &mut StepTransaction<'_>, name: &ChannelName, capacity: &Capacity) {
    let trouble = about(name, Cause::ChannelCapacity);
    match capacity {
        Capacity::Enough => self_incidents::clear(tx, &trouble),
        Capacity::Unread => {}
        Capacity::Low { text } => {
            self_incidents::raise(tx, trouble, &format!("channel {name}: {text}"));
        }
    }
}

/// Says that the server's certificate ends soon and was not renewed, or that this is over.
fn tell_certificate(
    tx: &mut StepTransaction<'_>,
    name: &ChannelName,
    certificate: Option<Validity>,
) {
    let trouble = about(name, Cause::ChannelCertificate);
    let now = tx.now.wall;
    match certificate.filter(|known| known.is_ending(now)) {
        // Of several servers behind one name the next may be one that was forgotten.
        None => self_incidents::clear_after(tx, &trouble, RENEWED_AFTER),
        Some(Validity { ends, .. }) => {
            let text = format!("channel {name}: the certificate of its server expires {ends}");
            self_incidents::raise(tx, trouble, &text);
        }
    }
}

fn about(name: &ChannelName, cause: Cause) -> SelfIncident {
    SelfIncident::new(cause, name.as_str())
}
