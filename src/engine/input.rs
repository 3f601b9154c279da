//! Everything that can happen to the engine, as one closed enum.

pub use super::actor::{Actor, Via};
use super::event::{Event, Text};
use super::ids::{
    AlertId, AttemptId, ChannelName, IncidentNumber, IntegrationName, OverrideId, OwnCheckName,
    PageId, PolicyName, ProviderName, ScheduleName, SilenceId, TaskId, UserName,
};
use super::incident::SelfIncident;
use super::matcher::Matcher;
use super::outcome::{Capacity, Outcome, Validity};
use super::own_check::CheckTarget;
use super::ruleset::Target;
use super::status_act::StatusAct;
use super::status_component::ComponentKey;
use super::status_post::PostKey;
use super::status_report::StatusReport;
use super::task::Stride;
use super::time::{Duration, Timestamp};
use super::urgency::Urgency;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The state was just loaded: recover.
    Start,
    /// The process is about to end in order.
    Stop,
    /// The process slept or the wall clock jumped ahead by so much: collapse what is overdue.
    Suspended { lost: Duration },
    /// The wall clock of a start is so far ahead of the last commit; given before the start.
    ClockAhead { by: Duration },
    /// The wall clock was set back by so much.
    ClockBack { by: Duration },
    /// An admin says that the wall clock is right.
    ConfirmClock,
    /// A monitor posted these in one request; they are accepted together or not at all. What the
    /// step does not decide is left to a task.
    Events {
        integration: IntegrationName,
        events: Vec<Event>,
    },
    /// Some events of a request are to be decided on later. The first of them begin the request.
    Keep {
        integration: IntegrationName,
        /// At least one.
        events: Vec<Event>,
        request: Option<TaskId>,
        /// The request is whole with these.
        is_whole: bool,
    },
    /// A task goes on; see [`super::state::tasks::Tasks`].
    GoOn { task: TaskId, stride: Stride },
    /// A timer of the state is due; see [`super::State::next_due`].
    Due(TimerKey),
    /// A page has a slot on its channel; see [`super::slots::picks`].
    SlotFree(Pick),
    /// A channel answered an attempt.
    Outcome(Report),
    /// A provider reported on an attempt after its answer.
    DeliveryReport(DeliveryReport),
    /// A channel that is down or idle was probed.
    Probed(Probed),
    /// A person acts on incidents.
    Act(Act),
    /// A person pressed a button in a message.
    Press(Press),
    /// A text message came in from a phone.
    Sms(SmsReply),
    /// A person pages somebody by hand.
    PageByHand(PageByHand),
    /// Set a silence.
    Silence(SilenceRequest),
    /// End a silence now.
    ExpireSilence(SilenceId),
    /// Somebody stands in on a schedule.
    Override(OverrideRequest),
    /// Take an override back.
    RemoveOverride(OverrideId),
    /// Another rule set is in force, given as the rules of this step.
    RulesChanged,
    /// The router has trouble of its own.
    Raise { trouble: SelfIncident, text: Text },
    /// Trouble of its own is over.
    Clear { trouble: SelfIncident },
    /// A minute passed: look for uncovered schedules and silent channels.
    Minute,
    /// The status page of a provider was looked at.
    LookedAt {
        provider: ProviderName,
        /// The address that was asked, as it stands in the rules.
        url: Text,
        look: PageLook,
    },
    /// The page that a provider has now is the right one: an admin says so.
    AcceptPage(ProviderName),
    /// A check of our own fails, or is good again.
    OwnChecked(OwnChecked),
    /// Somebody does something on a status page of ours.
    Status(StatusAct),
}

/// What became of a check of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnChecked {
    pub check: OwnCheckName,
    /// What was tried, as it stands in the rules.
    pub target: CheckTarget,
    pub found: CheckFound,
}

/// Whether a check holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckFound {
    Good,
    /// Why it does not.
    Failed(Text),
}

/// What a look at a provider's status page found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageLook {
    Read {
        report: Box<StatusReport>,
        /// The word of the kind of page.
        kind: Text,
        /// Single components flip on such pages: what is down counts at the second look.
        flips: bool,
    },
    /// Nothing can be said, and why.
    Unreadable(Text),
}

/// Which record has a timer that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    Incident(IncidentNumber),
    Page(PageId),
    Alert(AlertId),
    Person(UserName),
    Channel(ChannelName),
    Group(Text),
    /// Begin or end of a silence, on the wall clock.
    Silence(SilenceId),
    /// End of an override, on the wall clock.
    Override(OverrideId),
    /// A jump of the wall clock has lasted long enough to be believed.
    Jump,
    /// The page of a provider cannot be read for long.
    Provider(ProviderName),
    /// A state of a component of ours that is published, or set for a time that ends.
    StatusComponent(ComponentKey),
    /// A window of maintenance, or an update that was promised, on the wall clock.
    StatusPost(PostKey),
}

/// What a provider reported on an attempt after its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Who reports: only the channel that the attempt went by is believed.
    pub channel: ChannelName,
    pub attempt: AttemptId,
    pub outcome: Outcome,
    pub provider_message: Option<Text>,
}

/// A channel's answer to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub attempt: AttemptId,
    pub outcome: Outcome,
    pub latency_ms: u64,
    /// The provider's own words, cut to 300 characters, without control characters or secrets.
    pub provider_message: Option<Text>,
    /// Where the channel put it.
    pub reference: Option<Text>,
    /// The lane gave it back without opening a socket (throttled or cancelled lane).
    pub was_started: bool,
}

/// A person's act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub actor: Actor,
    pub on: ActOn,
    pub verb: Verb,
}

/// What the act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActOn {
    /// These incidents as they are now.
    Incidents(Vec<IncidentNumber>),
    /// The incidents of this page, at the generation it showed.
    Page(PageId),
}

/// What the person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    Acknowledge,
    Unacknowledge,
    Resolve,
    Snooze {
        until: Timestamp,
    },
    Escalate,
    /// Cannot take it: the next step starts now.
    Decline,
    Reassign {
        to: ReassignTo,
    },
    Note {
        text: Text,
    },
}

/// Where an incident is handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReassignTo {
    Target(Target),
    Policy(PolicyName),
}

/// A button that somebody pressed. `channel` names the channel it came in on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    pub channel: ChannelName,
    /// The provider's id of whoever pressed.
    pub account: Text,
    /// What only this press has, such as its signature; one id acts once.
    pub id: Text,
    pub act: Act,
}

/// A text message from a phone. `channel` names the channel it came in on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsReply {
    pub channel: ChannelName,
    pub from: Text,
    pub text: Text,
    /// The provider's id of the message; one id is answered once.
    pub message_id: Text,
}

/// A page by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageByHand {
    pub actor: Actor,
    pub to: ReassignTo,
    pub text: Text,
    pub urgency: Urgency,
}

/// A silence to set.
#[derive(Clone, Debug, PartialEq)]
pub struct SilenceRequest {
    pub actor: Actor,
    pub matchers: Vec<Matcher>,
    /// It is meant that it may cover everything.
    pub everything: bool,
    pub from: Option<Timestamp>,
    pub until: Timestamp,
    pub reason: Text,
    /// Replaces this one.
    pub replaces: Option<SilenceId>,
}

/// An override to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideRequest {
    pub actor: Actor,
    pub schedule: ScheduleName,
    pub user: UserName,
    pub from: Option<Timestamp>,
    pub until: Timestamp,
    pub reason: Text,
}

/// What a channel said when it was asked how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    pub channel: ChannelName,
    pub outcome: Outcome,
    pub provider_message: Option<Text>,
    pub capacity: Capacity,
    /// Of the server that answered, over TLS.
    pub certificate: Option<Validity>,
}

/// A page whose turn it is on a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    pub page: PageId,
    pub channel: ChannelName,
}
