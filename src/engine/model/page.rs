//! The page record: one message to one contact or channel target, with its attempts.

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::ids::{
    AttemptId, ChannelName, ContactName, IncidentNumber, IntegrationName, PageId, UserName,
};
use crate::engine::incident::PageCause;
use crate::engine::outcome::Outcome;
use crate::engine::reason::Reason;
use crate::engine::ruleset::Medium;
use crate::engine::time::{MonotonicTime, Timestamp};
use crate::engine::urgency::Urgency;
use crate::engine::words::words;

/// One message. What it says is made from the incidents when an attempt leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub id: PageId,
    pub kind: PageKind,
    /// One incident, or those of a bundled page, high urgency first.
    pub incidents: Vec<IncidentRef>,
    pub recipient: Recipient,
    pub medium: Medium,
    pub address: Text,
    pub urgency: Urgency,
    /// The integration that opened the incident: fairness between lanes' queues.
    pub integration: IntegrationName,
    /// Of a bundled page that of its first incident; the others' stand in their stories.
    pub why: PageCause,
    /// Which of the person's notify steps planned it; 0 for a bundled page, whose incidents are
    /// each at a step of their own.
    pub notify_step: usize,
    pub state: PageState,
    pub created_at: Timestamp,
    pub created: MonotonicTime,
    pub attempts: Vec<Attempt>,
    /// Channels on which it waits for a slot, before or beside attempts on others.
    pub queued: Vec<Queued>,
    /// Retries that run beside failover, one a channel.
    pub retries: Vec<Retry>,
    /// A channel refused the content: send plain short text.
    pub plain_text_only: bool,
    /// The next channel or contact was used already; only retries go on.
    pub failed_over: bool,
    /// Where the channel put it: later messages thread under it or change it.
    pub reference: Option<Reference>,
    /// A newer state is to be shown as soon as this message is out.
    pub has_update_waiting: bool,
    /// When the last update of this message was planned.
    pub updated: Option<MonotonicTime>,
    /// When its reader was last told of the incident: what joined later is news.
    pub told_until: Option<MonotonicTime>,
    /// It was acknowledged, resolved or held while an attempt was in flight.
    pub is_withdrawn: bool,
}

/// An incident at the generation that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IncidentRef {
    pub number: IncidentNumber,
    pub generation: u64,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// Asks for acknowledgment of one incident.
    Page,
    /// Asks for acknowledgment of several that were over the person's page limit.
    Bundle,
    /// Tells somebody who was paged by `of` what became of it; never asks.
    Update { of: PageId, news: UpdateKind },
    /// One message per incident for `copy_to`, kept updated; never asks.
    Copy,
}

/// What an update tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateKind {
    Joined,
    Acknowledged,
    Triggered,
    Resolved,
}

/// Who gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    User {
        user: UserName,
        contact: ContactName,
    },
    /// A channel target: not a person.
    Channel { channel: ChannelName },
}

impl Recipient {
    /// The person, if it is one.
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::Channel { .. } => None,
        }
    }
}

words! {
    /// Where a message stands.
    pub enum PageState {
        /// It waits for a slot, an attempt is in flight or a retry is due.
        Sending = "sending",
        /// Accepted by a provider.
        Sent = "sent",
        /// Confirmed by a provider.
        Delivered = "delivered",
        /// No channel took it and nothing more will be tried.
        Failed = "failed",
        /// Withdrawn before its first byte.
        Cancelled = "cancelled",
    }
}

/// One try to hand the page to a channel; durable before a socket is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub id: AttemptId,
    pub channel: ChannelName,
    pub started_at: Timestamp,
    pub started: MonotonicTime,
    /// `None` while it is in flight.
    pub outcome: Option<Outcome>,
    pub latency_ms: Option<u64>,
    /// The provider's own words, cut and cleaned.
    pub provider_message: Option<Text>,
    /// Failover starts at this moment if there is no outcome by then.
    pub failover_due: Option<MonotonicTime>,
    /// Counted as unknown when nothing was heard by then.
    pub deadline: MonotonicTime,
    /// A restart interrupted it; its answer will never come.
    pub is_interrupted: bool,
}

impl Attempt {
    /// Whether the receiver may have seen it: it was taken, or nothing is known of it.
    pub fn may_have_come(&self) -> bool {
        self.outcome
            .is_none_or(|outcome| outcome.is_sent() || outcome == Outcome::Unknown)
    }
}

/// A page waits for a slot on a channel; with the slot its attempt begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    pub channel: ChannelName,
    pub since: MonotonicTime,
    pub since_at: Timestamp,
    /// Failover starts at this moment if it has no slot, or no outcome, by then.
    pub failover_due: Option<MonotonicTime>,
    /// It waits no longer than until then.
    pub until: MonotonicTime,
    /// Why the attempt is made.
    pub reason: Reason,
}

/// A retry that is to come on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub channel: ChannelName,
    pub due: MonotonicTime,
    /// Spends a token of the channel's retry budget.
    pub spends: bool,
}

/// Where a channel put a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub channel: ChannelName,
    /// The channel's own form, such as Slack's `C024BE7LH:1503435956.000247`.
    pub text: Text,
}

impl Queued {
    /// Its earlier timer.
    pub fn next_due(&self) -> MonotonicTime {
        self.failover_due
            .map_or(self.until, |due| due.min(self.until))
    }
}

impl Page {
    /// Whether it asks for acknowledgment.
    pub fn asks(&self) -> bool {
        matches!(self.kind, PageKind::Page | PageKind::Bundle)
    }

    /// When its reader was last told of what stands in it.
    pub fn told(&self) -> MonotonicTime {
        self.updated.unwrap_or(self.created)
    }

    /// The attempt in flight, if there is one.
    pub fn in_flight(&self) -> Option<&Attempt> {
        self.under_way().next()
    }

    /// Whether something of it is still to come.
    pub fn is_under_way(&self) -> bool {
        self.state == PageState::Sending || self.in_flight().is_some()
    }

    /// All attempts in flight.
    pub fn under_way(&self) -> impl Iterator<Item = &Attempt> {
        let attempts = self.attempts.iter();
        attempts.filter(|attempt| attempt.outcome.is_none() && !attempt.is_interrupted)
    }

    /// Whether something of it is on its way or still to come.
    pub fn is_pending(&self) -> bool {
        self.in_flight().is_some() || !self.queued.is_empty() || !self.retries.is_empty()
    }

    /// The server that it goes to, as a channel shares its slots and waits for it: of a webhook
    /// scheme, host and port; of other media there is one, without a name.
    pub fn endpoint(&self) -> Text {
        match self.medium {
            Medium::Webhook => endpoint_of(&self.address),
            Medium::Email | Medium::Sms | Medium::Slack | Medium::Console => "".into(),
        }
    }

    /// Whether it waits for a slot on a channel.
    pub fn is_queued_on(&self, channel: &ChannelName) -> bool {
        self.queued.iter().any(|queued| queued.channel == *channel)
    }

    /// Attempts made on a channel.
    pub fn attempts_on(&self, channel: &ChannelName) -> usize {
        self.attempts
            .iter()
            .filter(|attempt| attempt.channel == *channel)
            .count()
    }

    /// The earliest of its timers.
    pub fn next_due(&self) -> Option<MonotonicTime> {
        let attempts = self.under_way();
        let attempts = attempts
            .flat_map(|attempt| [attempt.failover_due, Some(attempt.deadline)])
            .flatten();
        attempts
            .chain(self.queued.iter().map(Queued::next_due))
            .chain(self.retries.iter().map(|retry| retry.due))
            .min()
    }
}

/// `https://example.com` of `https://key@EXAMPLE.com:443/hook?token=1`.
fn endpoint_of(url: &str) -> Text {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual_port).unwrap_or(&host);
    format!("{scheme}://{host}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_scheme_host_and_port_whatever_else_an_address_says() {
        for (url, endpoint) in [
            ("https://example.com/hook", "https://example.com"),
            ("HTTPS://me:pw@Example.COM:443?a=b", "https://example.com"),
            ("https://example.com:8443#x", "https://example.com:8443"),
            ("http://example.com:80", "http://example.com"),
            ("http://[::1]:8080/a@b", "http://[::1]:8080"),
        ] {
            assert_eq!(&*endpoint_of(url), endpoint, "{url}");
        }
    }
}
