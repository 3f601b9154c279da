//! What the engine knows of a channel and its endpoints: whether it can be used now, its pace and
//! its budget.

use std::collections::BTreeMap;

use crate::engine::budget::{self, mix};
use crate::engine::channel_state::{ChannelState, Check};
use crate::engine::event::Text;
use crate::engine::health::{Health, Turn};
use crate::engine::ids::ChannelName;
use crate::engine::page::Page;
use crate::engine::reason::Reason;
use crate::engine::ruleset::ChannelInfo;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;

/// Servers of one channel that are remembered.
const ENDPOINTS_MAX: usize = 1_000;

/// Whether an attempt can start on a channel.
pub enum Availability {
    Open,
    /// Not now; a retry may come then.
    Later {
        at: MonotonicTime,
        reason: Reason,
    },
}

/// What is known of an endpoint: of the channel where all pages go to one.
pub fn health<'state>(
    state: &'state ChannelState,
    info: &ChannelInfo,
    endpoint: &str,
) -> Option<&'state Health> {
    if info.is_one_endpoint {
        Some(&state.health)
    } else {
        state.endpoints.get(endpoint)
    }
}

/// Looks at trouble and at the endpoint's wish to wait.
pub fn availability(
    tx: &StepTransaction<'_>,
    channel: &ChannelInfo,
    endpoint: &str,
) -> Availability {
    let Some(state) = tx.channel(&channel.name) else {
        return Availability::Open;
    };
    let now = tx.now.steady;
    if let Some(down) = &state.down
        && !down.is_trial_open
    {
        let at = down.probe_due.max(now) + Duration::seconds(1);
        return Availability::Later {
            at,
            reason: Reason::ChannelDown,
        };
    }
    let health = health(&state, channel, endpoint);
    match health.and_then(|health| health.closed_until) {
        Some(until) if until > now + budget::SHORT_WAIT => Availability::Later {
            at: until,
            reason: Reason::ChannelThrottled,
        },
        Some(_) | None => Availability::Open,
    }
}

/// Changes what is known of a channel, from nothing if need be.
pub fn edit<R>(
    tx: &mut StepTransaction<'_>,
    name: &ChannelName,
    edit: impl FnOnce(&mut ChannelState) -> R,
) -> Option<R> {
    if tx.channel(name).is_none() {
        let state = ChannelState {
            name: name.clone(),
            down: None,
            last_success_at: None,
            up_by_probe: None,
            health: Health::new(tx.now.steady),
            endpoints: BTreeMap::new(),
            turn: None,
            check: None,
        };
        tx.put_channel(name.clone(), state);
    }
    tx.edit_channel_state(name, edit)
}

/// Changes what is known of the endpoint of a page, from nothing if need be.
pub fn edit_health<R>(
    tx: &mut StepTransaction<'_>,
    name: &ChannelName,
    endpoint: &Text,
    edit: impl FnOnce(&mut Health) -> R,
) -> Option<R> {
    let now = tx.now.steady;
    let is_one = is_one_endpoint(tx, name);
    self::edit(tx, name, |channel| {
        if is_one {
            return edit(&mut channel.health);
        }
        let is_new = !channel.endpoints.contains_key(endpoint);
        if is_new && channel.endpoints.len() >= ENDPOINTS_MAX {
            forget_one(channel);
        }
        let health = channel.endpoints.entry(endpoint.clone());
        edit(health.or_insert_with(|| Health::new(now)))
    })
}

/// Forgets the endpoint that was used longest ago.
fn forget_one(channel: &mut ChannelState) {
    let endpoints = channel.endpoints.iter();
    let oldest = endpoints.min_by_key(|(_, health)| health.pace.second);
    if let Some(oldest) = oldest.map(|(endpoint, _)| endpoint.clone()) {
        channel.endpoints.remove(&oldest);
    }
}

pub fn is_one_endpoint(tx: &StepTransaction<'_>, name: &ChannelName) -> bool {
    let info = tx.rules.channel(name);
    info.is_none_or(|info| info.is_one_endpoint)
}

/// Takes note of an attempt; a trial of a channel that cannot be probed is used up.
pub fn attempt_started(
    tx: &mut StepTransaction<'_>,
    page: &Page,
    name: &ChannelName,
    is_first: bool,
) {
    let now = tx.now.steady;
    let endpoint = page.endpoint();
    edit_health(tx, name, &endpoint, |health| {
        if is_first {
            budget::earn(health, now);
        }
        health.pace.begins(now);
    });
    let integration = page.integration.clone();
    edit(tx, name, |channel| {
        let turn = channel.turn.take().unwrap_or_else(Turn::first);
        channel.turn = Some(turn.after(endpoint, integration));
        if let Some(down) = &mut channel.down {
            down.is_trial_open = false;
        }
    });
}

/// What is remembered of channels that the settings no longer have.
pub fn forget_gone(tx: &mut StepTransaction<'_>) {
    let names = tx.state.channels().map(|channel| channel.name.clone());
    let gone: Vec<ChannelName> = names
        .filter(|name| tx.rules.channel(name).is_none())
        .collect();
    for name in gone {
        tx.drop_channel(&name);
    }
}

/// What was neither used nor checked for so long is checked.
pub const IDLE: Duration = Duration::hours(1);

/// The checks of several channels are spread over so long.
const SPREAD: Duration = Duration::minutes(4);

/// So long from now and a little more, which differs from channel to channel and time to time.
pub fn spread(tx: &StepTransaction<'_>, name: &ChannelName, wait: Duration) -> MonotonicTime {
    let bytes = name.as_str().bytes();
    let seed = bytes.fold(tx.now.seed, |seed, byte| mix(seed ^ u64::from(byte)));
    tx.now.steady + wait + Duration(seed % SPREAD.0)
}

/// When a channel that just took a message is to be checked.
pub fn after_success(tx: &StepTransaction<'_>, name: &ChannelName, check: &Check) -> MonotonicTime {
    spread(tx, name, IDLE).min(check.latest)
}

/// Something speaks against a channel and does not yet say enough: it is asked at once.
pub fn soon(tx: &mut StepTransaction<'_>, name: &ChannelName) {
    let now = tx.now.steady;
    edit(tx, name, |channel| {
        if let Some(check) = &mut channel.check {
            check.due = check.due.min(now);
        }
    });
}
