//! Checks of our own as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::State;
use crate::engine::ids::IncidentNumber;
use crate::engine::own_check::OwnCheck;
use crate::engine::own_checks::KEY;
use crate::engine::time::{Duration, Timestamp};

/// A check of the rules, and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownCheck {
    /// Of a provider's check `provider/name`.
    pub name: String,
    /// Whose service it tries.
    pub provider: Option<String>,
    /// `http`, `tcp`, `tls` or `dns`.
    pub kind: String,
    /// What is tried, without what follows a question mark.
    pub target: String,
    /// `high` or `low`.
    pub urgency: String,
    /// `good`, `failing`, or `unknown`: not tried yet, or failed once.
    pub state: String,
    /// Since when it stands so.
    pub since: Option<String>,
    pub last_try_at: Option<String>,
    /// Of the last try, `good` or `failed`.
    pub outcome: Option<String>,
    /// What was answered, or why that was not good.
    pub said: Option<String>,
    /// How long the last try took.
    pub latency_ms: Option<u64>,
    pub next_try_at: Option<String>,
    /// The integration that its alert is of.
    pub integration: String,
    /// Since when its alert fires; `null`: it has none.
    pub firing_since: Option<String>,
    /// Incidents of ours that its alert is in.
    pub numbers: Vec<u64>,
}

/// What came of a try that somebody asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckTried {
    pub name: String,
    /// `good` or `failed`.
    pub outcome: String,
    /// What was answered, or why that is not good.
    pub said: String,
    pub latency_ms: u64,
}

/// The last try of a check, as whoever tries remembers it.
#[derive(Clone, Debug, PartialEq)]
pub struct RememberedTry {
    pub state: &'static str,
    pub since: Option<Timestamp>,
    pub at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    pub is_good: Option<bool>,
    pub said: Option<String>,
    pub took: Option<Duration>,
}

/// The word for what came of a try.
pub fn outcome(is_good: bool) -> &'static str {
    if is_good { "good" } else { "failed" }
}

/// A check of the rules, with what the state and whoever tries remember of it.
pub fn check(check: &OwnCheck, state: &State, last: RememberedTry) -> ShownCheck {
    let integration = check.integration();
    let alert = state.alert_by_key(&integration, KEY);
    let alert = alert.filter(|alert| alert.firing);
    let numbers = alert.map_or(&[][..], |alert| &alert.incidents);
    let told = |at: Option<Timestamp>| at.map(|at| at.to_string());
    ShownCheck {
        name: check.name.to_string(),
        provider: check.provider.as_ref().map(ToString::to_string),
        kind: check.target.kind().to_owned(),
        target: check.target.shown().to_string(),
        urgency: check.urgency.to_string(),
        state: last.state.to_owned(),
        since: told(last.since),
        last_try_at: told(last.at),
        outcome: last.is_good.map(|is_good| outcome(is_good).to_owned()),
        said: last.said,
        latency_ms: last.took.map(|took| took.0),
        next_try_at: told(last.next_at),
        integration: integration.to_string(),
        firing_since: told(alert.map(|alert| alert.first_seen)),
        numbers: numbers
            .iter()
            .map(|IncidentNumber(number)| *number)
            .collect(),
    }
}
