//! Escalation policies, and whom their steps page.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::ids::{ChannelName, PolicyName, ScheduleName, UserName};
use crate::engine::time::Duration;

/// Who is paged by a policy step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    User(UserName),
    Schedule(ScheduleName),
    Channel(ChannelTarget),
}

impl fmt::Display for Target {
    /// As rule documents write it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "user/{user}"),
            Self::Schedule(schedule) => write!(formatter, "schedule/{schedule}"),
            Self::Channel(target) => target.fmt(formatter),
        }
    }
}

/// An address on a channel: a Slack channel, a mailing list, a number, a webhook URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelTarget {
    pub channel: ChannelName,
    /// Empty for the console.
    pub address: Text,
}

impl fmt::Display for ChannelTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address.is_empty() {
            write!(formatter, "channel/{}", self.channel)
        } else {
            write!(formatter, "channel/{}/{}", self.channel, self.address)
        }
    }
}

/// An escalation policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: PolicyName,
    pub steps: Vec<PolicyStep>,
    /// Further rounds after the first.
    pub repeat: u32,
    pub ack_timeout: Option<Duration>,
    /// Never empty: without one in the document, the first step of the root route's policy.
    pub fallback: Vec<Target>,
    pub escalate_low: bool,
}

/// One step of a policy; `wait` runs from the start of the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStep {
    pub targets: Vec<Target>,
    pub wait: Duration,
}
