//! What an entry of a timeline says, as data. The sentence is made where it is shown.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::dependency::Dependency;
use crate::engine::event::Text;
use crate::engine::ids::{
    ChannelName, ContactName, IncidentNumber, IntegrationName, OverrideId, ScheduleName, SilenceId,
    UserName,
};
use crate::engine::page::{Page, Recipient};
use crate::engine::ruleset::{ChannelTarget, Medium, Target};
use crate::engine::status_report::Impact;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;

/// What happened, or did not, by what it speaks of. Where one body fits several reasons, the reason
/// of the entry tells which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryBody {
    /// An alert arrived, changed or went.
    Alert(AlertEntry),
    /// The incident changed its state.
    Incident(IncidentEntry),
    /// The escalation moved, stopped or was held.
    Escalation(EscalationEntry),
    /// Somebody was to be paged, or was not.
    Page(PageEntry),
    /// An attempt started or ended.
    Attempt(AttemptEntry),
    /// A person acted.
    Person(PersonEntry),
}

macro_rules! bodies {
    ($($body:ident($entry:ident),)*) => {
        $(impl From<$entry> for EntryBody {
            fn from(entry: $entry) -> Self {
                Self::$body(entry)
            }
        })*
    };
}

bodies! {
    Alert(AlertEntry),
    Incident(IncidentEntry),
    Escalation(EscalationEntry),
    Page(PageEntry),
    Attempt(AttemptEntry),
    Person(PersonEntry),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEntry {
    /// It joined, or a member fires again.
    Joined {
        title: Text,
        is_member: bool,
        silences: SilenceNames,
    },
    /// With the time without a report after which it counts as over, if that ended it.
    Ended {
        title: Text,
        unreported_for: Option<Duration>,
    },
    RoutedElsewhere {
        title: Text,
    },
    /// By its source.
    Acknowledged {
        integration: IntegrationName,
        title: Text,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentEntry {
    Opened {
        integration: IntegrationName,
        title: Text,
    },
    UrgencyRaised(Urgency),
    /// With the quiet that ends it.
    Flapping {
        changes: u32,
        quiet: Duration,
    },
    /// It was quiet for so long.
    FlappingOver(Duration),
    /// All firing alerts are acknowledged at the source.
    Acknowledged {
        by: Text,
    },
    /// By its alerts.
    Resolved,
    /// Its last firing alert is no longer reported.
    Unreported,
    /// Before its group wait ended.
    ResolvedInGroupWait,
    /// By the provider that it is about.
    ImpactRaised(Impact),
    /// How urgent an incident of a provider is, and what decided that.
    ProviderUrgency {
        urgency: Urgency,
        impact: Impact,
        basis: UrgencyBasis,
    },
    /// So many alerts of what depends on the provider fire, in these incidents.
    OwnAlerts {
        alerts: u32,
        incidents: Vec<IncidentNumber>,
    },
    /// Another one waits under this one of a provider.
    WaitsBeneath {
        incident: IncidentNumber,
        title: Text,
    },
    /// What it depends on has an incident.
    ProviderIncident {
        incident: IncidentNumber,
        title: Text,
    },
}

/// What decided how urgent an incident of a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyBasis {
    /// The provider's word.
    Impact,
    /// Components that are used are worse than that.
    Components,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationEntry {
    GroupWait(Duration),
    /// Nobody is expected to acknowledge.
    NotExpected {
        is_test_page: bool,
    },
    Restarted,
    /// From 1.
    RoundStarted(u32),
    /// From 1; it names nobody.
    StepEmpty(u32),
    StepStarted {
        /// From 1.
        step: u32,
        pages: Vec<PagedTarget>,
        wait: Duration,
    },
    /// No further step: there is no policy.
    NoPolicy,
    /// No further step at low urgency.
    LowUrgency,
    FallbackPaged(Vec<PagedTarget>),
    /// The fallback was paged so often.
    Exhausted(u32),
    /// Every contact of the step failed.
    ContactsFailed,
    /// Steps fell due while the router was away.
    Collapsed,
    Silenced(SilenceNames),
    SilenceOver,
    /// With what is left of it.
    StillSnoozed(Duration),
    SnoozeOver,
    /// The reason tells why.
    TargetUnusable(Target),
    OverrideIgnored {
        schedule: ScheduleName,
        ignored: IgnoredOverride,
    },
    /// It waits while a provider has an incident.
    HeldUnder {
        under: IncidentNumber,
        because: Dependency,
        at_most: Duration,
    },
    /// It waits no longer; the reason tells why.
    HoldOver,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageEntry {
    /// The reason tells why.
    PersonUnusable(UserName),
    /// The reason tells why.
    ContactUnusable {
        user: UserName,
        contact: ContactName,
    },
    AlreadyPaging(UserName),
    NoContact(UserName),
    /// Whoever acknowledged is told of a joined alert, and has so long to respond.
    Acknowledger {
        user: UserName,
        wait: Duration,
    },
    OverLimit,
    /// In a message about so many incidents.
    Bundled(u32),
    /// It does not leave; the reason tells why.
    Stopped(Addressee),
    /// The phone answered STOP.
    PhoneStopped(Addressee),
    /// It was withdrawn before anything of it had left.
    NotSent(Addressee),
    /// It was withdrawn after an attempt.
    NoFurther(Addressee),
    /// It no longer matters after a restart.
    NotRepeated(Addressee),
    /// A restart interrupted its attempt.
    Repeated(Addressee),
    AttemptsUsedUp(Addressee),
    NoMoreAttempts(ChannelName),
    ChannelGone(ChannelName),
    /// The reason tells why.
    ChannelLater(ChannelName),
    RetryBudget {
        channel: ChannelName,
        wait: Duration,
    },
    /// All slots of the channel were taken; either failover starts or it waits no longer.
    NoSlot {
        channel: ChannelName,
        waited: Duration,
        gave_up: bool,
    },
    /// The provider of the channel has an incident: others are tried first.
    ChannelLast(ChannelName),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEntry {
    /// With how long it waited for a slot, from a second on.
    Started {
        channel: ChannelName,
        to: Addressee,
        waited: Option<Duration>,
    },
    /// The entry's detail has the outcome.
    Ended { channel: ChannelName, to: Addressee },
    /// The entry's detail has the outcome that the provider reported.
    Reported(ChannelName),
    /// Failover starts after so long without an answer.
    NoAnswer {
        channel: ChannelName,
        waited: Duration,
    },
}

/// The entry's detail has who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonEntry {
    Acknowledged,
    /// Somebody had acknowledged it before.
    AcknowledgedAgain,
    Unacknowledged,
    Escalated,
    Declined,
    Resolved,
    Snoozed(Duration),
    Reassigned {
        to: Text,
    },
    Noted(Text),
    Paged(Text),
}

/// Somebody or something that a step or the fallback pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagedTarget {
    User {
        user: UserName,
        /// On which the user is on call.
        schedule: Option<ScheduleName>,
    },
    Channel(ChannelTarget),
}

/// Silences that cover alerts: the first few, and how many others there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceNames {
    /// Each with its matchers as people write them.
    pub named: Vec<(SilenceId, Text)>,
    pub others: u32,
}

impl SilenceNames {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.named.len() + self.others as usize
    }
}

/// An override that does not count: whom it names is not in the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoredOverride {
    pub id: OverrideId,
    pub user: UserName,
}

impl fmt::Display for IgnoredOverride {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, user } = self;
        write!(
            formatter,
            "override {id} names {user}, who is not in the rules, and is ignored"
        )
    }
}

/// Whom a page goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    Contact {
        user: UserName,
        contact: ContactName,
        medium: Medium,
    },
    /// A whole channel where the address is empty.
    Channel { channel: ChannelName, address: Text },
}

impl Addressee {
    /// Of a page.
    pub fn of(page: &Page) -> Self {
        match &page.recipient {
            Recipient::User { user, contact } => Self::Contact {
                user: user.clone(),
                contact: contact.clone(),
                medium: page.medium,
            },
            Recipient::Channel { channel } => Self::Channel {
                channel: channel.clone(),
                address: page.address.clone(),
            },
        }
    }
}
