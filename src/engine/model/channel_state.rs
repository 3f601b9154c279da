//! What is remembered of a channel: its trouble, its checks, and how its endpoints take what they
//! are sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::health::{Health, Turn};
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::time::{MonotonicTime, Timestamp};

/// What is remembered of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    pub name: ChannelName,
    /// Credential, TLS or quota trouble: nothing is sent but a probe a minute.
    pub down: Option<Outage>,
    pub last_success_at: Option<Timestamp>,
    /// When a probe last ended what a page had met, if no message has been taken since.
    pub up_by_probe: Option<MonotonicTime>,
    /// Of the channel as a whole; where its targets are servers of their own, what keeps one of
    /// them from being sent to stands in `endpoints`.
    pub health: Health,
    /// Endpoints of which something is to be remembered.
    pub endpoints: BTreeMap<Text, Health>,
    /// Whose turn it was when a slot was given last.
    pub turn: Option<Turn>,
    /// When it is to be checked, if it can be.
    pub check: Option<Check>,
}

/// Why and since when a channel is down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    pub outcome: Outcome,
    pub since: Timestamp,
    pub probe_due: MonotonicTime,
    /// A channel that cannot be probed: the next attempt goes through as a trial.
    pub is_trial_open: bool,
    /// A check found it and no page: the next probe that finds nothing ends it.
    pub was_checked: bool,
    /// A probe is under way since it went down; an answer to an earlier one says nothing.
    pub is_asked: bool,
}

/// The next check of a channel that is idle, and what came of those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub due: MonotonicTime,
    /// Messages that the channel takes put the check off, but no longer than until then.
    pub latest: MonotonicTime,
    /// It was asked and has not answered yet.
    pub is_under_way: bool,
    /// Checks in a row that found it unreachable, without a success since.
    pub failures: u64,
    pub last_passed_at: Option<Timestamp>,
}

/// So many failed checks in a row are trouble.
pub const CHECK_FAILURES: u64 = 2;

impl ChannelState {
    /// When it is to be asked how it is.
    pub fn next_due(&self) -> Option<MonotonicTime> {
        let probe = self.down.as_ref().map(|down| down.probe_due);
        probe.or_else(|| self.check.map(|check| check.due))
    }

    /// Whether pages or checks failed since the last success.
    pub fn fails(&self) -> bool {
        self.health.fails() || self.fails_checks()
    }

    /// Whether checks found it unreachable and nothing worked since.
    pub fn fails_checks(&self) -> bool {
        self.check
            .is_some_and(|check| check.failures >= CHECK_FAILURES)
    }

    /// Whether a page or a check has met it yet.
    pub fn is_known(&self) -> bool {
        let was_checked = self
            .check
            .is_some_and(|check| check.failures > 0 || check.last_passed_at.is_some());
        was_checked
            || self.turn.is_some()
            || self.last_success_at.is_some()
            || self.down.is_some()
            || self.health.fails()
    }
}
