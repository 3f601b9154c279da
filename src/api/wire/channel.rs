//! Channels as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::State;
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Now;

/// A configured channel and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    pub name: String,
    pub kind: String,
    pub media: Vec<String>,
    /// `up`, `down`, `throttled`, `failing` or `unused`.
    pub state: String,
    /// Why it is down.
    pub outcome: Option<String>,
    pub down_since: Option<String>,
    /// The provider asked to wait until then.
    pub closed_until: Option<String>,
    pub last_success_at: Option<String>,
    /// When it last passed a check of the router's own, which sends nothing.
    pub last_check_passed_at: Option<String>,
    /// Attempts without success since the last success.
    pub failures: u64,
    /// Whether a send counts as having reached somebody.
    pub reaches_people: bool,
}

/// What a channel said to a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    pub name: String,
    /// Whether it would take messages; `null` if it cannot be checked without sending one.
    pub ok: Option<bool>,
    pub outcome: Option<String>,
    pub provider_message: Option<String>,
    pub warnings: Vec<String>,
}

/// A configured channel, with what the state remembers of it.
pub fn channel(
    (name, kind): &(ChannelName, &'static str),
    state: &State,
    rules: &RuleSet,
    now: Now,
) -> Channel {
    let info = rules.channel(name);
    let known = state.channel(name);
    let check = known.and_then(|known| known.check);
    let last_check = check.and_then(|check| check.last_passed_at);
    let known = known.filter(|known| known.is_known());
    let down = known.and_then(|known| known.down.as_ref());
    let closed = known
        .and_then(|known| known.health.closed_until)
        .filter(|until| *until > now.steady);
    let is_failing = known.is_some_and(|known| known.fails());
    let state = match (known, down, closed) {
        (None, _, _) => "unused",
        (Some(_), Some(_), _) => "down",
        (Some(_), None, Some(_)) => "throttled",
        (Some(_), None, None) if is_failing => "failing",
        (Some(_), None, None) => "up",
    };
    let last_success = known.and_then(|known| known.last_success_at);
    Channel {
        name: name.to_string(),
        kind: (*kind).to_owned(),
        media: info.map_or_else(Vec::new, |info| {
            info.media.iter().map(ToString::to_string).collect()
        }),
        state: state.to_owned(),
        outcome: down.map(|down| down.outcome.to_string()),
        down_since: down.map(|down| down.since.to_string()),
        closed_until: closed.map(|until| now.wall_of(until).to_string()),
        last_success_at: last_success.map(|at| at.to_string()),
        last_check_passed_at: last_check.map(|at| at.to_string()),
        failures: known.map_or(0, |known| known.health.failures),
        reaches_people: info.is_some_and(|info| info.reaches_people),
    }
}
