//! What the engine knows of a channel: whether it can be used now, its trouble and its budget.

use super::budget;
use super::decision::Effect;
use super::draft::Draft;
use super::ids::ChannelName;
use super::incident::Trouble;
use super::outcome::Outcome;
use super::page::Page;
use super::reason::Reason;
use super::records::{ChannelState, Down};
use super::ruleset::ChannelInfo;
use super::time::{Millis, Steady};
use super::trouble::Cause;
use super::{deliver, trouble_desk};

/// A channel that is down is asked how it is so often.
const PROBE_INTERVAL: Millis = Millis::minutes(1);

/// Whether an attempt can start on a channel.
pub(super) enum Availability {
    Open,
    /// Not now; a retry may come then.
    Later {
        at: Steady,
        reason: Reason,
    },
}

/// Looks at trouble and at the provider's wish to wait.
pub(super) fn availability(draft: &Draft<'_>, channel: &ChannelInfo) -> Availability {
    let Some(state) = draft.channel(&channel.name) else {
        return Availability::Open;
    };
    let now = draft.now.steady;
    if let Some(down) = &state.down
        && !down.is_trial_open
    {
        let at = down.probe_due.max(now) + Millis::seconds(1);
        return Availability::Later {
            at,
            reason: Reason::ChannelDown,
        };
    }
    match state.closed_until {
        Some(until) if until > now + deliver::SHORT_WAIT => Availability::Later {
            at: until,
            reason: Reason::ChannelThrottled,
        },
        Some(_) | None => Availability::Open,
    }
}

/// Changes what is known of a channel, from nothing if need be.
pub(super) fn edit<R>(
    draft: &mut Draft<'_>,
    name: &ChannelName,
    edit: impl FnOnce(&mut ChannelState) -> R,
) -> Option<R> {
    if draft.channel(name).is_none() {
        let state = ChannelState {
            name: name.clone(),
            down: None,
            closed_until: None,
            budget_thousandths: budget::full(),
            budget_counted: draft.now.steady,
            last_success_at: None,
            failing_since: None,
            failures: 0,
            own_failures: 0,
        };
        draft.put_channel(name.clone(), state);
    }
    draft.edit_channel_state(name, edit)
}

/// Takes note of an attempt; a trial of a channel that cannot be probed is used up.
pub(super) fn attempt_started(draft: &mut Draft<'_>, name: &ChannelName, is_first: bool) {
    let now = draft.now.steady;
    edit(draft, name, |channel| {
        if is_first {
            budget::earn(channel, now);
        }
        if let Some(down) = &mut channel.down {
            down.is_trial_open = false;
        }
    });
}

/// A message was taken: whatever trouble there was is over.
pub(super) fn succeeded(draft: &mut Draft<'_>, name: &ChannelName) {
    let wall = draft.now.wall;
    let was_troubled = edit(draft, name, |channel| {
        let was_troubled = channel.down.is_some() || channel.failing_since.is_some();
        channel.down = None;
        channel.failing_since = None;
        channel.failures = 0;
        channel.own_failures = 0;
        channel.last_success_at = Some(wall);
        was_troubled
    });
    let info = draft.rules.channel(name);
    let is_one_endpoint = info.is_some_and(|info| info.is_one_endpoint);
    if was_troubled == Some(true) {
        let causes = CHANNEL_CAUSES.into_iter();
        // One endpoint of many says nothing about the others.
        for cause in causes.filter(|cause| is_one_endpoint || *cause == Cause::ChannelSilent) {
            trouble_desk::clear(
                draft,
                &Trouble {
                    cause,
                    subject: name.as_str().into(),
                },
            );
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
pub(super) fn failed(draft: &mut Draft<'_>, page: &Page, name: &ChannelName, outcome: Outcome) {
    let now = draft.now.steady;
    let words = last_words(page, name);
    let is_own = page.integration.is_router();
    match outcome {
        Outcome::Throttled { wait } => {
            edit(draft, name, |channel| {
                let until = now + wait;
                channel.closed_until = channel.closed_until.max(Some(until));
            });
        }
        Outcome::RefusedTarget | Outcome::RefusedContent => {}
        Outcome::Transient
        | Outcome::Unknown
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted => {
            edit(draft, name, |channel| {
                channel.failing_since = channel.failing_since.or(Some(now));
                channel.failures += 1;
                channel.own_failures += u64::from(is_own);
            });
            if let Some(cause) = cause_of(outcome).filter(|_| !is_own) {
                raise(draft, name, (outcome, words), cause);
            }
        }
        Outcome::Delivered | Outcome::Accepted => {}
    }
}

fn cause_of(outcome: Outcome) -> Option<Cause> {
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

/// What the channel said of the attempt that ended last.
fn last_words<'page>(page: &'page Page, name: &ChannelName) -> Option<&'page str> {
    let attempts = page.attempts.iter().rev();
    let mut ended =
        attempts.filter(|attempt| attempt.channel == *name && attempt.outcome.is_some());
    ended.next()?.provider_message.as_deref()
}

/// Marks the channel down where all pages go to one endpoint, and raises one self-incident.
fn raise(
    draft: &mut Draft<'_>,
    name: &ChannelName,
    (outcome, words): (Outcome, Option<&str>),
    cause: Cause,
) {
    let is_one_endpoint = draft
        .rules
        .channel(name)
        .is_some_and(|info| info.is_one_endpoint);
    let (now, since) = (draft.now.steady, draft.now.wall);
    if is_one_endpoint {
        edit(draft, name, |channel| {
            let since = channel.down.as_ref().map_or(since, |down| down.since);
            let probe_due = now + PROBE_INTERVAL;
            channel.down = Some(Down {
                outcome,
                since,
                probe_due,
                is_trial_open: false,
            });
        });
    }
    let trouble = Trouble {
        cause,
        subject: name.as_str().into(),
    };
    let mut text = trouble_text(name, outcome);
    if let Some(words) = words {
        text = format!("{text} ({words})");
    }
    trouble_desk::raise(draft, trouble, &text);
}

fn trouble_text(name: &ChannelName, outcome: Outcome) -> String {
    let what = match outcome {
        Outcome::RefusedCredential => "its credentials or settings are refused",
        Outcome::TlsNameMismatch => "its certificate is for another name",
        Outcome::TlsOther => "its certificate is not accepted",
        Outcome::QuotaExhausted => "its account has nothing left to send with",
        Outcome::Delivered
        | Outcome::Accepted
        | Outcome::Throttled { .. }
        | Outcome::Transient
        | Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::Unknown => "it does not take messages",
    };
    format!("channel {name} cannot page anybody: {what}")
}

/// A down channel's minute is over: ask it, or let one attempt try.
pub(super) fn probe_due(draft: &mut Draft<'_>, name: &ChannelName) {
    let Some(info) = draft.rules.channel(name).cloned() else {
        draft.drop_channel(name);
        return;
    };
    let now = draft.now.steady;
    edit(draft, name, |channel| {
        if let Some(down) = &mut channel.down {
            down.probe_due = now + PROBE_INTERVAL;
            down.is_trial_open = !info.capabilities.probes;
        }
    });
    if info.capabilities.probes {
        draft.effects.push(Effect::Probe(name.clone()));
    }
}

/// What a probe found. A probe cannot see what is left to send with: there it lets one attempt try.
pub(super) fn probed(draft: &mut Draft<'_>, name: &ChannelName, outcome: Outcome) {
    let state = draft.channel(name);
    let Some(down) = state.as_ref().and_then(|state| state.down.as_ref()) else {
        return;
    };
    if !outcome.is_sent() {
        return;
    }
    if down.outcome == Outcome::QuotaExhausted {
        edit(draft, name, |channel| {
            if let Some(down) = &mut channel.down {
                down.is_trial_open = true;
            }
        });
    } else {
        succeeded(draft, name);
    }
}

/// What is remembered of channels that the settings no longer have.
pub(super) fn forget_gone(draft: &mut Draft<'_>) {
    let names = draft.state.channels().map(|channel| channel.name.clone());
    let gone: Vec<ChannelName> = names
        .filter(|name| draft.rules.channel(name).is_none())
        .collect();
    for name in gone {
        draft.drop_channel(&name);
    }
}

/// A minute passed: channels with attempts and no success for a while are trouble too.
pub(super) fn look_for_silent(draft: &mut Draft<'_>) {
    const SILENT_AFTER: Millis = Millis::minutes(5);
    const FAILURES: u64 = 3;
    let now = draft.now.steady;
    let silent: Vec<ChannelName> = draft
        .state
        .channels()
        .filter(|channel| {
            let long = channel
                .failing_since
                .is_some_and(|at| now.since(at) >= SILENT_AFTER);
            // Pages about the router itself raise nothing.
            let failures = channel.failures.saturating_sub(channel.own_failures);
            channel.down.is_none() && long && failures >= FAILURES
        })
        .map(|channel| channel.name.clone())
        .collect();
    for name in silent {
        let text = format!(
            "channel {name} has taken no message for more than {SILENT_AFTER} while attempts were \
             made"
        );
        let trouble = Trouble {
            cause: Cause::ChannelSilent,
            subject: name.as_str().into(),
        };
        trouble_desk::raise(draft, trouble, &text);
    }
}
