//! What leaves the engine: changes, effects, and the answer to whoever asked.

use std::sync::Arc;

use super::alert::AlertSummary;
use super::event::Text;
use super::ids::{
    AttemptId, ChannelName, IncidentNumber, IntegrationName, OverrideId, PageId, SilenceId, TaskId,
    UserName,
};
use super::incident::{Handled, PageCause, Status};
use super::page::{IncidentRef, PageKind, Recipient, UpdateKind};
use super::records::{Change, Receipt};
use super::ruleset::Medium;
use super::time::{Duration, Timestamp};
use super::urgency::Urgency;

/// The outcome of one step. Reasons travel as [`Change::Entry`] and inside receipts, so that they
/// are durable with what they explain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub changes: Vec<Change>,
    /// Released only after the changes are durable.
    pub effects: Vec<Effect>,
    /// What can be said now.
    pub answer: Answer,
    /// The task at whose end the rest is said.
    pub later: Option<TaskId>,
    /// What it cost; see [`super::work`].
    pub work: u64,
}

/// Something to do in the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand this to its channel.
    Send(Arc<SendRequest>),
    /// Withdraw an attempt whose first byte has not left.
    Cancel(AttemptId),
    /// Ask a channel that is down or idle how it is.
    Probe(ChannelName),
}

/// The answer to whoever waits for this input.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Answer {
    #[default]
    None,
    /// In the order of the events.
    Receipts(Vec<Arc<Receipt>>),
    Acted(Vec<Acted>),
    /// What to answer to a text message.
    Sms(SmsAnswer),
    Opened(IncidentNumber),
    /// A silence was set; it covers so many open incidents now.
    Silence {
        silence: SilenceId,
        covers: usize,
    },
    Override(OverrideId),
    /// A look at a provider's page was taken in; whether the next one matters though it finds the
    /// same.
    LookedAt {
        again: bool,
    },
    /// An act on a status page of ours is done; the number of the post that it is about.
    StatusActed(Option<u64>),
    Done,
    /// The request cannot be done.
    Refused(Refusal),
}

impl Answer {
    /// The receipts that it gives; none if it is about something else.
    pub fn receipts(&self) -> &[Arc<Receipt>] {
        if let Self::Receipts(receipts) = self {
            receipts
        } else {
            &[]
        }
    }
}

/// What is said to a text message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsAnswer {
    /// `None` stays silent.
    pub text: Option<Text>,
    /// It was said before: the provider asks again.
    pub is_repeat: bool,
}

/// What became of an act on one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    pub number: IncidentNumber,
    pub result: ActResult,
    pub status: Option<Status>,
    /// Who acknowledged it, first.
    pub acknowledged: Option<Handled>,
    /// Other open incidents with one of its alerts.
    pub linked: Vec<IncidentNumber>,
}

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActResult {
    Done,
    /// It was so already; harmless.
    AlreadySo,
    /// It is resolved, or of another generation: nothing was done.
    NotOpen,
    /// No incident has this number.
    NotFound,
}

/// Why a request cannot be done: the thing, the value, the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("unknown {kind} {name:?}")]
    Unknown { kind: &'static str, name: String },
    #[error("{what} {value} is not allowed: {help}")]
    Invalid {
        what: &'static str,
        value: String,
        help: String,
    },
    /// It was to be handed to somebody, and nobody would have been told.
    #[error("{}; {}", .why.about(target), .why.help())]
    Unreachable { target: String, why: Unreachable },
}

impl Refusal {
    /// There is no such thing of this kind.
    pub fn unknown(kind: &'static str, name: &(impl ToString + ?Sized)) -> Self {
        let name = name.to_string();
        Self::Unknown { kind, name }
    }

    /// This value is not allowed; `help` says which is.
    pub fn invalid(
        what: &'static str,
        value: &(impl ToString + ?Sized),
        help: impl Into<String>,
    ) -> Self {
        let (value, help) = (value.to_string(), help.into());
        Self::Invalid { what, value, help }
    }
}

/// Why a target reaches nobody now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    #[error("no such {0}")]
    NoSuch(&'static str),
    #[error("nobody is on call{}", .until.map_or_else(String::new, |at| format!(" until {at}")))]
    NobodyOnCall {
        /// `None` if no end is in sight.
        until: Option<Timestamp>,
    },
    #[error("{user} has no usable contact")]
    NoUsableContact {
        user: UserName,
        /// All contacts that a channel could carry answered STOP.
        is_stopped: bool,
    },
    #[error("neither its steps nor its fallback name anybody who can be paged")]
    NobodyNamed,
}

impl Unreachable {
    /// What is wrong with this target: `no user zoe`.
    fn about(&self, target: &str) -> String {
        match self {
            Self::NoSuch(kind) => {
                let name = target.split_once('/').map_or(target, |(_, name)| name);
                format!("no {kind} {name}")
            }
            Self::NobodyOnCall { .. } | Self::NoUsableContact { .. } | Self::NobodyNamed => {
                format!("{target} would page nobody: {self}")
            }
        }
    }

    /// What helps.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoSuch(_) => "use a name from the rules in force",
            Self::NobodyOnCall { .. } => {
                "name a person, or put somebody on the schedule with an override"
            }
            Self::NoUsableContact {
                is_stopped: true, ..
            } => "name somebody else, or have them send START to the channel they stopped",
            Self::NoUsableContact {
                is_stopped: false, ..
            } => "name somebody else, or give them a contact that a channel can reach",
            Self::NobodyNamed => "name a person or another policy",
        }
    }
}

/// One attempt for a channel to make: everything it needs. What it says is made when all that came
/// with one request is decided, and made again if it had to wait before it left.
#[derive(Clone, Debug, PartialEq)]
pub struct SendRequest {
    pub attempt: AttemptId,
    pub page: PageId,
    pub channel: ChannelName,
    pub medium: Medium,
    /// E-mail address, phone number, Slack id or e-mail address, URL; empty on the console.
    pub address: Text,
    /// High urgency leaves first.
    pub urgency: Urgency,
    /// Lanes are fair between the integrations that opened the incidents.
    pub integration: IntegrationName,
    /// Whether it asks for acknowledgment; those may be withdrawn.
    pub asks: bool,
    pub message: Message,
    /// Where an earlier message about the same incident stands on this channel.
    pub thread: Option<ThreadRef>,
    /// Short plain text: a richer form was refused.
    pub plain_text_only: bool,
    /// Time that the channel has for the attempt.
    pub deadline: Duration,
}

/// Where a message goes relative to an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadRef {
    /// Under this message.
    Thread(Text),
    /// Change this message.
    Edit(Text),
}

/// What a message says, as data; each channel renders and escapes it for its medium.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub kind: PageKind,
    pub recipient: Recipient,
    /// For a person.
    pub recipient_name: Option<Text>,
    /// IANA name of the zone in which the recipient reads times; UTC for channel targets.
    pub time_zone: Text,
    /// One, or those that a bundled page names.
    pub incidents: Vec<IncidentSummary>,
    /// Incidents in the whole bundled page; 1 otherwise.
    pub incidents_total: usize,
    /// For links; `user` is `None` for channel targets.
    pub token: TokenSubject,
    pub why: PageCause,
    /// What an update tells.
    pub news: Option<UpdateKind>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What an acknowledge token is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSubject {
    pub page: PageId,
    /// Of the incident; 0 for a bundled page.
    pub generation: u64,
    pub user: Option<UserName>,
}

impl Message {
    /// The incident that it is about, unless it is about several.
    pub fn single(&self) -> Option<&IncidentSummary> {
        let is_bundle = self.kind == PageKind::Bundle;
        self.incidents.first().filter(|_| !is_bundle)
    }
}

/// An incident as a message shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentSummary {
    pub incident: IncidentRef,
    pub status: Status,
    pub urgency: Urgency,
    /// What it was opened with: the subject of its mail, which never changes.
    pub opened_with: Text,
    /// The summary of the most pressing alert that fires now.
    pub title: Text,
    pub service: Option<Text>,
    pub opened_at: Timestamp,
    pub acknowledged: Option<Handled>,
    pub resolved: Option<Handled>,
    pub alerts_firing: u32,
    pub alerts_total: u32,
    /// Labels that all its alerts share by grouping; empty when each alert is its own incident.
    pub group_labels: super::event::Labels,
    /// The first alerts, at most [`IncidentSummary::ALERTS_MAX`].
    pub alerts: Vec<AlertSummary>,
    /// Alerts that began to fire since the reader was told, as many at most.
    pub joined: Vec<Text>,
    pub joined_total: usize,
    /// The incident of a provider to which it may be due: `#14 Stripe: API errors`.
    pub provider_incident: Option<Text>,
    /// Incidents that wait under this one of a provider, as many at most.
    pub waiting: Vec<Text>,
    pub waiting_total: usize,
    /// The router speaks of itself.
    pub is_self_incident: bool,
}

impl IncidentSummary {
    /// Alerts shown in one message.
    pub const ALERTS_MAX: usize = 10;
}
