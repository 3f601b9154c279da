//! The smaller records of the state, and the one enum over all that the store keeps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::alert::Alert;
use crate::engine::calendar::Override;
use crate::engine::channel_state::ChannelState;
use crate::engine::counters::Counters;
use crate::engine::dependent::Dependent;
pub use crate::engine::entry::{Entry, EntryDetail};
use crate::engine::event::{Action, Content, Fault, Text};
use crate::engine::ids::{
    AlertId, ChannelName, IncidentNumber, IntegrationName, OverrideId, PageId, ProviderName,
    ReceiptId, SilenceId, TaskId, UserName,
};
use crate::engine::incident::{Incident, PolicyRef};
use crate::engine::matcher::Matcher;
use crate::engine::page::Page;
use crate::engine::provider::ProviderState;
use crate::engine::reason::Reason;
use crate::engine::ruleset::Policy;
use crate::engine::status_component::{ComponentKey, ServiceAlert, StatusComponent};
use crate::engine::status_post::{PostKey, StatusPost};
use crate::engine::task::Task;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::Urgency;
use crate::engine::words::words;

/// Matchers and a time: alerts are kept and shown, pages are held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    pub matchers: Vec<Matcher>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: Text,
    pub created_by: Actor,
    pub created_at: Timestamp,
    /// Incidents whose pages it held.
    pub held_pages: u64,
    /// Whether it is in force now.
    pub is_active: bool,
    /// When it was last changed; `None` if it never was.
    pub updated_at: Option<Timestamp>,
    /// When it ended. It is shown for [`Silence::SHOWN_FOR`] from then on.
    pub ended_at: Option<Timestamp>,
    /// Its end came by a jump of the wall clock that is not confirmed: it holds nothing, and holds
    /// again if the clock comes back.
    pub has_lapsed: bool,
}

impl Silence {
    /// How long a silence is shown after its end, as by Alertmanager.
    pub const SHOWN_FOR: Duration = Duration::days(5);

    /// That have not ended: each is matched with every alert.
    pub const MAX: usize = 2_000;

    /// When it begins or ends, whichever comes next.
    pub fn next_due(&self) -> Option<Timestamp> {
        match self.ended_at {
            Some(_) => None,
            None if self.has_lapsed => None,
            None if self.is_active => Some(self.until),
            None => Some(self.from),
        }
    }

    /// When it is no longer shown.
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        self.ended_at.map(|ended_at| ended_at + Self::SHOWN_FOR)
    }
}

/// The wall clock jumped ahead by more than a day, and nobody knows yet whether it is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnconfirmedJump {
    /// How far ahead the wall clock may be.
    pub by: Duration,
    /// Since when it has lasted in this process.
    pub since: MonotonicTime,
}

impl UnconfirmedJump {
    /// It is believed once it has lasted so long in one process.
    const BELIEVED_AFTER: Duration = Duration::hours(1);

    /// When it is believed if the clock stays as it is.
    pub fn believed_at(&self) -> MonotonicTime {
        self.since + Self::BELIEVED_AFTER
    }
}

/// What is remembered of a route and group beyond one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub key: Text,
    /// Openings so far.
    pub generation: u64,
    pub open: Option<IncidentNumber>,
    /// Moments at which it triggered again after a resolve, at most the last five.
    pub changes: Vec<MonotonicTime>,
    /// Forgotten at this moment unless it opens again.
    pub forget: Option<MonotonicTime>,
}

/// What is remembered of a person over incidents: the page limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub user: UserName,
    /// Incidents that began to page the person singly, within the limit's window, latest last.
    pub interruptions: Vec<Interruption>,
    /// When the next bundled page leaves.
    pub bundle_due: Option<MonotonicTime>,
    /// When the last one left.
    pub bundled: Option<MonotonicTime>,
    /// The bundled page that `ack all` refers to.
    pub last_bundle: Option<PageId>,
    /// When test pages to their contacts were last planned.
    pub tested_at: Option<Timestamp>,
}

/// An incident that began to page a person by a message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    pub incident: IncidentNumber,
    pub urgency: Urgency,
    /// When its first page was planned.
    pub started: MonotonicTime,
}

/// What is remembered of somebody who answers pages: by a phone that writes, or by an account that
/// presses buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The phone number, or channel and account.
    pub address: Text,
    pub is_stopped: bool,
    pub wrong: Vec<MonotonicTime>,
    pub blocked_until: Option<MonotonicTime>,
    /// Ids of messages that builds before [`Self::replies`] answered.
    pub answered: Vec<Text>,
    /// When a text that is no command was answered.
    pub helped: Vec<MonotonicTime>,
    /// Messages and presses that were accepted, latest last.
    pub replies: Vec<Replied>,
    /// When texts were answered, within the limit of answers.
    pub told: Vec<MonotonicTime>,
}

/// A message or press that was accepted: the same id acts no second time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    pub id: Text,
    pub at: MonotonicTime,
    /// What was said to it.
    pub text: Option<Text>,
    /// On which it acted.
    pub incidents: Vec<IncidentNumber>,
}

/// A policy kept as it was while an open incident names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySnapshot {
    pub key: PolicyRef,
    pub policy: Arc<Policy>,
    pub uses: u64,
}

words! {
    /// What became of an event.
    pub enum Disposition {
        // From weakest to strongest: a receipt has the strongest of its incidents.
        /// Refers to nothing known.
        Ignored = "ignored",
        /// Stored; pages nobody by rule.
        Recorded = "recorded",
        /// Too old to page anybody.
        HeldOld = "held_old",
        Silenced = "silenced",
        Repeated = "repeated",
        Resolved = "resolved",
        Acknowledged = "acknowledged",
        Joined = "joined",
        Opened = "opened",
    }
}

/// The durable record that an event was accepted, with what became of it and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub id: ReceiptId,
    pub at: Timestamp,
    pub integration: IntegrationName,
    pub action: Action,
    pub dedup_key: Text,
    /// The sender's idempotency id.
    pub event_id: Option<Text>,
    pub disposition: Disposition,
    /// In the order of the tree.
    pub incidents: Vec<IncidentNumber>,
    pub reason: Reason,
    /// The routes on which it landed.
    pub routes: Vec<crate::engine::ids::RouteName>,
    pub faults: Vec<Fault>,
    /// What the source said about when; for unknown resolves and replay.
    pub source_time: Option<Timestamp>,
    /// The normalised event; kept for first and changed events, not for repeats.
    pub content: Option<Arc<Content>>,
}

/// Every record that makes up the active state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    Alert(Arc<Alert>),
    Incident(Arc<Incident>),
    Page(Arc<Page>),
    Group(Arc<Group>),
    Person(Arc<Person>),
    Channel(Arc<ChannelState>),
    Sender(Arc<Sender>),
    Silence(Arc<Silence>),
    Override(Arc<Override>),
    PolicySnapshot(Arc<PolicySnapshot>),
    Task(Arc<Task>),
    Counters(Counters),
    Jump(UnconfirmedJump),
    Provider(Arc<ProviderState>),
    Dependent(Arc<Dependent>),
    StatusComponent(Arc<StatusComponent>),
    StatusPost(Arc<StatusPost>),
    ServiceAlert(Arc<ServiceAlert>),
}

/// The key of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKey {
    Alert(AlertId),
    Incident(IncidentNumber),
    Page(PageId),
    Group(Text),
    Person(UserName),
    Channel(ChannelName),
    Sender(Text),
    Silence(SilenceId),
    Override(OverrideId),
    PolicySnapshot(PolicyRef),
    Task(TaskId),
    Counters,
    /// There is at most one unconfirmed jump.
    Jump,
    Provider(ProviderName),
    /// By the incident that depends on something.
    Dependent(IncidentNumber),
    StatusComponent(ComponentKey),
    StatusPost(PostKey),
    ServiceAlert(AlertId),
}

impl Record {
    /// The key under which the record is kept.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Alert(alert) => RecordKey::Alert(alert.id),
            Self::Incident(incident) => RecordKey::Incident(incident.number),
            Self::Page(page) => RecordKey::Page(page.id),
            Self::Group(group) => RecordKey::Group(group.key.clone()),
            Self::Person(person) => RecordKey::Person(person.user.clone()),
            Self::Channel(channel) => RecordKey::Channel(channel.name.clone()),
            Self::Sender(sender) => RecordKey::Sender(sender.address.clone()),
            Self::Silence(silence) => RecordKey::Silence(silence.id),
            Self::Override(override_) => RecordKey::Override(override_.id),
            Self::PolicySnapshot(pinned) => RecordKey::PolicySnapshot(pinned.key.clone()),
            Self::Task(task) => RecordKey::Task(task.id),
            Self::Counters(_) => RecordKey::Counters,
            Self::Jump(_) => RecordKey::Jump,
            Self::Provider(provider) => RecordKey::Provider(provider.name.clone()),
            Self::Dependent(dependent) => RecordKey::Dependent(dependent.incident),
            Self::StatusComponent(component) => RecordKey::StatusComponent(component.key.clone()),
            Self::StatusPost(post) => RecordKey::StatusPost(post.key.clone()),
            Self::ServiceAlert(alert) => RecordKey::ServiceAlert(alert.alert),
        }
    }
}

/// A record that leaves the active state and is kept in history.
#[derive(Clone, Debug, PartialEq)]
pub enum Archived {
    Incident(Arc<Incident>),
    Page(Arc<Page>),
    Alert(Arc<Alert>),
}

impl Archived {
    /// The key under which the record was kept while it was active.
    pub fn key(&self) -> RecordKey {
        self.record().key()
    }

    /// The record as it was when it was active.
    pub fn record(&self) -> Record {
        match self {
            Self::Incident(incident) => Record::Incident(incident.clone()),
            Self::Page(page) => Record::Page(page.clone()),
            Self::Alert(alert) => Record::Alert(alert.clone()),
        }
    }
}

/// A change of the state. The store writes them all or none;
/// [`State::apply`](crate::engine::State::apply) makes them.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Set or replace an active record.
    Put(Record),
    /// Remove an active record.
    Drop(RecordKey),
    /// Remove an active record and keep it in history.
    Archive(Archived),
    /// Keep a receipt.
    Receipt(Arc<Receipt>),
    /// Keep a line of an incident's story.
    Entry(Arc<Entry>),
}
