//! Trouble with a whole channel: what failures and successes say of it, when it is down, and the
//! self-incidents that say so.

use crate::engine::cause::Cause;
use crate::engine::channel_health::{edit, edit_health, is_one_endpoint};
use crate::engine::channel_state::Outage;
use crate::engine::event::Text;
use crate::engine::health::{Health, SILENT_AFTER};
use crate::engine::ids::ChannelName;
use crate::engine::incident::SelfIncident;
use crate::engine::notes::last_words;
use crate::engine::outcome::Outcome;
use crate::engine::page::Page;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, self_incidents};

/// A channel that is down is asked how it is so often.
pub const PROBE_INTERVAL: Duration = Duration::minutes(1);

/// A message was taken: whatever trouble there was is over.
pub fn succeeded(tx: &mut StepTransaction<'_>, name: &ChannelName, endpoint: &Text) {
    let wall = tx.now.wall;
    works(tx, name, endpoint);
    edit(tx, name, |channel| {
        channel.last_success_at = Some(wall);
        channel.up_by_probe = None;
    });
}

/// A message was taken, a probe passed, or what a check found cannot be looked at any more.
pub fn works(tx: &mut StepTransaction<'_>, name: &ChannelName, endpoint: &Text) {
    let is_one_endpoint = is_one_endpoint(tx, name);
    let known = tx.channel(name);
    let check = known.and_then(|channel| channel.check);
    let check_due = check.map(|check| channel_health::after_success(tx, name, &check));
    let was_troubled = tx.channel(name).is_some_and(|channel| {
        let fails = channel.endpoints.get(endpoint).is_some_and(Health::fails);
        channel.down.is_some() || channel.health.fails() || fails || channel.fails_checks()
    });
    edit_health(tx, name, endpoint, |health| {
        health.pace.succeeded();
        health.works();
    });
    let others_fail = edit(tx, name, |channel| {
        channel.down = None;
        channel.health.works();
        if let (Some(check), Some(due)) = (&mut channel.check, check_due) {
            check.due = due;
            check.failures = 0;
        }
        channel.endpoints.values().any(Health::fails)
    });
    if !was_troubled {
        return;
    }
    for cause in CHANNEL_CAUSES {
        // One endpoint of many says nothing about the others.
        let is_over =
            is_one_endpoint || cause == Cause::ChannelSilent && others_fail == Some(false);
        if is_over {
            let subject = name.as_str().into();
            self_incidents::clear(tx, &SelfIncident { cause, subject });
        }
    }
}

/// The causes that a channel's success ends.
const CHANNEL_CAUSES: [Cause; 5] = [
    Cause::ChannelCredential,
    Cause::ChannelTlsName,
    Cause::ChannelTls,
    Cause::ChannelQuota,
    Cause::ChannelSilent,
];

/// A message was not taken, for whatever reason but a fault of its target or text. What the router
/// says of itself is counted and stands in its story, but leads to no further trouble: the channel
/// stays as it is, so that the next page of another kind meets what is wrong and tells it.
pub fn failed(tx: &mut StepTransaction<'_>, page: &Page, name: &ChannelName, outcome: Outcome) {
    let now = tx.now.steady;
    let words = last_words(page, name);
    // A test is as good as any other page to find what is wrong with a channel, but not with a
    // server that is one person's own.
    let proves = is_one_endpoint(tx, name) && tx.is_test_page(page);
    let is_own = page.integration.is_router() && !proves;
    let endpoint = page.endpoint();
    match outcome {
        Outcome::Throttled { wait } => {
            edit_health(tx, name, &endpoint, |health| {
                if health.closed_until.is_none_or(|until| until <= now) {
                    // Several refusals of one burst slow it down once.
                    health.pace.throttled();
                }
                health.closed_until = health.closed_until.max(Some(now + wait));
            });
        }
        Outcome::RefusedTarget | Outcome::RefusedContent => {}
        Outcome::Transient
        | Outcome::Unknown
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted => {
            let is_one = is_one_endpoint(tx, name);
            let is_told = is_own || !is_one && cause_of(outcome).is_some();
            edit_health(tx, name, &endpoint, |health| health.failed(now, is_told));
            if !is_one {
                edit(tx, name, |channel| channel.health.failed(now, is_own));
            }
            // What one test page meets may be about its address: another one has to meet it too.
            let is_alone = proves && is_first_failure(tx, name);
            if is_alone && cause_of(outcome).is_some() {
                channel_health::soon(tx, name);
            }
            if let Some(cause) = cause_of(outcome).filter(|_| !is_own && !is_alone) {
                raise(tx, name, (outcome, words), cause, false);
            }
        }
        Outcome::Delivered | Outcome::Accepted => {}
    }
}

/// Whether the failure just counted is the only one since the last success.
fn is_first_failure(tx: &StepTransaction<'_>, name: &ChannelName) -> bool {
    let state = tx.channel(name);
    state.is_some_and(|state| state.health.failures <= 1)
}

pub fn cause_of(outcome: Outcome) -> Option<Cause> {
    match outcome {
        Outcome::RefusedCredential => Some(Cause::ChannelCredential),
        Outcome::TlsNameMismatch => Some(Cause::ChannelTlsName),
        Outcome::TlsOther => Some(Cause::ChannelTls),
        Outcome::QuotaExhausted => Some(Cause::ChannelQuota),
        Outcome::Delivered
        | Outcome::Accepted
        | Outcome::Throttled { .. }
        | Outcome::Transient
        | Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::Unknown => None,
    }
}

/// Marks the channel down where all pages go to one endpoint, and raises one self-incident.
pub fn raise(
    tx: &mut StepTransaction<'_>,
    name: &ChannelName,
    (outcome, words): (Outcome, Option<&str>),
    cause: Cause,
    was_checked: bool,
) {
    let (now, since) = (tx.now.steady, tx.now.wall);
    if is_one_endpoint(tx, name) {
        edit(tx, name, |channel| {
            let since = channel.down.as_ref().map_or(since, |down| down.since);
            let probe_due = now + PROBE_INTERVAL;
            channel.down = Some(Outage {
                outcome,
                since,
                probe_due,
                is_trial_open: false,
                was_checked,
                is_asked: false,
            });
        });
    }
    let trouble = SelfIncident::new(cause, name.as_str());
    let mut text = trouble_text(name, outcome);
    if let Some(words) = words {
        text = format!("{text} ({words})");
    }
    self_incidents::raise(tx, trouble, &text);
}

fn trouble_text(name: &ChannelName, outcome: Outcome) -> String {
    let what = match outcome {
        Outcome::RefusedCredential => "its credentials or settings are refused",
        Outcome::TlsNameMismatch => "its certificate is for another name",
        Outcome::TlsOther => "its certificate is not accepted",
        Outcome::QuotaExhausted => "its account has no quota left",
        Outcome::Delivered
        | Outcome::Accepted
        | Outcome::Throttled { .. }
        | Outcome::Transient
        | Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::Unknown => "it does not accept messages",
    };
    format!("channel {name} cannot page anybody: {what}")
}

/// A minute passed: channels with attempts and no success for a while are trouble too.
pub fn look_for_silent(tx: &mut StepTransaction<'_>) {
    let now = tx.now.steady;
    let channels: Vec<ChannelName> = tx
        .state
        .channels()
        .filter(|channel| channel.down.is_none())
        .map(|channel| channel.name.clone())
        .collect();
    for name in channels {
        forget_idle(tx, &name);
        let Some(who) = silent(tx, &name, now) else {
            continue;
        };
        let text =
            format!("{who} has accepted no message for more than {SILENT_AFTER} despite attempts");
        let trouble = SelfIncident::new(Cause::ChannelSilent, name.as_str());
        self_incidents::raise(tx, trouble, &text);
    }
}

/// Who of a channel has been silent for too long, in words.
fn silent(tx: &StepTransaction<'_>, name: &ChannelName, now: MonotonicTime) -> Option<String> {
    let channel = tx.channel(name)?;
    if is_one_endpoint(tx, name) {
        let is_silent = channel.health.is_silent(now);
        return is_silent.then(|| format!("channel {name}"));
    }
    let endpoints = channel.endpoints.iter();
    let mut silent = endpoints.filter(|(_, health)| health.is_silent(now));
    let (endpoint, _) = silent.next()?;
    let others = silent.count();
    Some(match others {
        0 => format!("{endpoint} of channel {name}"),
        1 => format!("{endpoint} and 1 other server of channel {name}"),
        _ => format!("{endpoint} and {others} other servers of channel {name}"),
    })
}

/// Endpoints of which there is nothing more to remember.
fn forget_idle(tx: &mut StepTransaction<'_>, name: &ChannelName) {
    let now = tx.now.steady;
    let known = tx.channel(name);
    if known.is_some_and(|known| known.endpoints.values().any(|health| health.is_idle(now))) {
        edit(tx, name, |channel| {
            channel.endpoints.retain(|_, health| !health.is_idle(now));
        });
    }
}
