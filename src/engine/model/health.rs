//! How an endpoint takes what it is sent: its wishes to wait, its pace, its failures and its retry
//! budget.

use serde::{Deserialize, Serialize};

use crate::engine::budget;
use crate::engine::event::Text;
use crate::engine::ids::IntegrationName;
use crate::engine::time::{Duration, MonotonicTime};

/// A channel with failures and no success for so long is silent.
pub const SILENT_AFTER: Duration = Duration::minutes(5);
const SILENT_FAILURES: u64 = 3;
/// One that was not used for so long, and owes nothing, is forgotten.
const IDLE_AFTER: Duration = Duration::minutes(10);

/// How an endpoint takes what it is sent: its wishes to wait, its failures and its retry budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// It asked to wait until then.
    pub closed_until: Option<MonotonicTime>,
    /// How fast it may be sent to, and how fast it was.
    pub pace: Pace,
    /// Thousandths of a retry token, and when they were counted.
    pub budget_thousandths: u64,
    pub budget_counted: MonotonicTime,
    /// First attempt without success since the last success.
    pub failing_since: Option<MonotonicTime>,
    /// Attempts that failed since then.
    pub failures: u64,
    /// Those of them that were about the router itself, or have a self-incident of their own.
    pub own_failures: u64,
}

/// The pace of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Messages a minute; `None` is as fast as they come.
    pub per_minute: Option<u64>,
    /// The next one starts no earlier.
    pub next: MonotonicTime,
    /// When the present second of counting began, and how many attempts began in it.
    pub second: MonotonicTime,
    pub in_second: u64,
}

/// Turns go round the endpoints of a channel; at each round the integrations after this one are
/// served, so that no endpoint is left with always the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub endpoint: Text,
    pub integration: IntegrationName,
    /// Which was served last: the next round goes on after it.
    pub served: IntegrationName,
}

impl Turn {
    /// Where turns begin.
    pub fn first() -> Self {
        Self {
            endpoint: "".into(),
            integration: "".into(),
            served: "".into(),
        }
    }

    /// Whether a slot for this endpoint begins another round.
    pub fn is_round_over(&self, endpoint: &Text) -> bool {
        *endpoint <= self.endpoint
    }

    /// The turns after a slot was given so.
    pub fn after(&self, endpoint: Text, served: IntegrationName) -> Self {
        let integration = if self.is_round_over(&endpoint) {
            self.served.clone()
        } else {
            self.integration.clone()
        };
        Self {
            endpoint,
            integration,
            served,
        }
    }
}

impl Health {
    /// Nothing is known yet.
    pub fn new(now: MonotonicTime) -> Self {
        Self {
            closed_until: None,
            pace: Pace::default(),
            budget_thousandths: budget::full(),
            budget_counted: now,
            failing_since: None,
            failures: 0,
            own_failures: 0,
        }
    }

    /// Whether attempts failed since the last success.
    pub fn fails(&self) -> bool {
        self.failing_since.is_some()
    }

    pub fn works(&mut self) {
        self.failing_since = None;
        self.failures = 0;
        self.own_failures = 0;
    }

    pub fn failed(&mut self, now: MonotonicTime, is_told: bool) {
        self.failing_since = self.failing_since.or(Some(now));
        self.failures += 1;
        self.own_failures += u64::from(is_told);
    }

    /// Whether several attempts over a while had no success. Pages about the router itself do not
    /// count.
    pub fn is_silent(&self, now: MonotonicTime) -> bool {
        let is_long = self
            .failing_since
            .is_some_and(|at| now.since(at) >= SILENT_AFTER);
        is_long && self.failures.saturating_sub(self.own_failures) >= SILENT_FAILURES
    }

    pub fn is_idle(&self, now: MonotonicTime) -> bool {
        let is_closed = self.closed_until.is_some_and(|until| until > now);
        let used = self.pace.second.max(self.budget_counted);
        // By then the budget is full again.
        !is_closed && !self.fails() && now.since(used) >= IDLE_AFTER
    }
}
