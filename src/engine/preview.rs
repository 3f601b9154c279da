//! What would happen to an event, with nothing stored and nobody paged.

use super::State;
use super::event::{Event, Text};
use super::ids::{ChannelName, ContactName, IntegrationName, PolicyName, RouteName, UserName};
use super::ruleset::RuleSet;
use super::time::{Millis, Now};
use super::urgency::Urgency;

/// One decision, for one route on which the event lands.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub route: RouteName,
    pub policy: Option<PolicyName>,
    pub service: Option<Text>,
    pub urgency: Urgency,
    pub group_key: Text,
    /// Whether anybody would be paged.
    pub page: bool,
    pub pages: Vec<PreviewPage>,
    /// Sentences, each why something would or would not be done.
    pub reasons: Vec<String>,
}

/// A page that would leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewPage {
    /// `None` for a channel target.
    pub user: Option<UserName>,
    pub contact: Option<ContactName>,
    pub channel: ChannelName,
    pub address: Text,
    /// After the event was accepted.
    pub after: Millis,
    /// Policy step, from 1; `None` is the fallback.
    pub step: Option<u32>,
}

/// The decisions on an event, in the order of the tree, for the time `now`.
pub fn preview(
    state: &State,
    rules: &RuleSet,
    integration: &IntegrationName,
    event: &Event,
    now: Now,
) -> Vec<Preview> {
    let _ = (state, rules, integration, event, now);
    Vec::new()
}
