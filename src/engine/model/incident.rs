//! The incident record: one or more alerts that one person handles together, with its escalation
//! and all its timers, so that loading the records rebuilds the timers.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::actor::{Actor, Via};
use crate::engine::alert::AlertSummary;
use crate::engine::cause::Cause;
use crate::engine::event::{Labels, Text};
use crate::engine::ids::{
    ChannelName, ContactName, IncidentNumber, IntegrationName, PolicyName, Revision, RouteName,
    ScheduleName, UserName,
};
use crate::engine::key;
use crate::engine::policy::{ChannelTarget, Target};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::Urgency;
use crate::engine::words::words;

words! {
    /// Where an incident stands.
    pub enum Status {
        Triggered = "triggered",
        Acknowledged = "acknowledged",
        Resolved = "resolved",
    }
}

/// An incident; open until resolved, then kept in history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub number: IncidentNumber,
    /// Counts the openings of the same route and group.
    pub generation: u64,
    pub route: RouteName,
    /// Route name and group labels as one text; identity of the group.
    pub group_key: Text,
    pub group_labels: Labels,
    /// The integration whose event opened it.
    pub integration: IntegrationName,
    pub status: Status,
    pub urgency: Urgency,
    pub title: Text,
    pub service: Option<Text>,
    /// The policy pinned at opening; `None` expects no acknowledgment.
    pub policy: Option<PolicyRef>,
    pub copy_to: Vec<ChannelTarget>,
    pub join_interval: Duration,
    pub opened_at: Timestamp,
    /// Revision in force at opening.
    pub revision: Revision,
    pub acknowledged: Option<Handled>,
    pub resolved: Option<Handled>,
    pub alerts: AlertCounts,
    pub escalation: Escalation,
    /// Notify runs of the persons named by steps.
    pub runs: Vec<NotificationRun>,
    /// All firing alerts are under a silence.
    pub is_silenced: bool,
    /// Damped: stays open until this moment passes without a change.
    pub flapping_until: Option<MonotonicTime>,
    /// When the acknowledger was last paged for a join.
    pub joined_page_at: Option<MonotonicTime>,
    /// Those who were paged are told of joined alerts at this moment.
    pub update_due: Option<MonotonicTime>,
    /// Set for a self-incident: what it is about.
    pub about: Option<SelfIncident>,
    /// Opened by hand: who did it.
    pub opened_by: Option<Actor>,
    /// Notes of people, latest last, at most [`Incident::NOTES_MAX`].
    pub notes: Vec<Note>,
    /// A person resolved it while its source still asserts it.
    pub still_firing: bool,
    /// Alerts as messages show them, as they were when it was resolved: for the notices that are
    /// still to go. None in history, where the alerts have records of their own.
    pub last_alerts: Vec<AlertSummary>,
}

/// A revision and the name of a policy in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyRef {
    pub revision: Revision,
    pub name: PolicyName,
}

/// Who acknowledged or resolved, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// Name to show: a user, a token's name, or the integration for a source.
    pub by: Text,
    pub user: Option<UserName>,
    pub via: Via,
    pub at: Timestamp,
}

impl Handled {
    /// Who it was.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.by.clone(),
            user: self.user.clone(),
            via: self.via,
        }
    }
}

/// A person's words on an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub at: Timestamp,
    pub by: Actor,
    pub text: Text,
}

/// Counts over the alerts of an incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCounts {
    /// All that ever belonged to it.
    pub total: u32,
    pub firing: u32,
    /// Firing and acknowledged by their source.
    pub acknowledged: u32,
    /// Firing and under a silence.
    pub silenced: u32,
}

/// Where the escalation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    pub phase: Phase,
    /// Round, from 0.
    pub round: u32,
    /// Where in the policy.
    pub position: Position,
    pub started: MonotonicTime,
    /// When the next step, the next fallback, the end of the group wait, of the snooze or of the
    /// acknowledgment is due, as the phase says.
    pub due: Option<MonotonicTime>,
    /// How often the fallback was paged.
    pub fallbacks: u32,
    /// Set by a reassignment: these targets come before the policy's steps.
    pub reassigned: Option<Vec<Target>>,
    /// Why the next step begins before its wait is over.
    pub skip_wait_reason: Option<crate::engine::reason::Reason>,
    /// What was left of the step's wait when somebody took it.
    pub remaining: Option<Duration>,
    /// When the snooze ends. Kept while a joined alert asks the acknowledger, whose answer gives
    /// the snooze back.
    pub snoozed_until: Option<MonotonicTime>,
    /// A joined alert paged the acknowledger, who has not answered yet.
    pub is_join_pending: bool,
}

/// What the escalation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for more alerts before the first page.
    GroupWait,
    /// Steps run; `due` is the next one.
    Running,
    /// Held by a silence.
    Silenced,
    /// Somebody has it; `due` is the acknowledge timeout, if there is one.
    Acknowledged,
    /// Acknowledged, and snoozed until `due`; then the same step goes on.
    Snoozed,
    /// All steps of a low-urgency incident were run.
    StepsOver,
    /// The fallback was paged as often as allowed.
    Exhausted,
    /// Nobody is expected to acknowledge.
    NotExpected,
    /// Resolved.
    Ended,
    /// Waits under an incident of a provider, until `due` at most.
    Held,
}

/// A place in a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Before the first step.
    #[default]
    Before,
    /// A step, from 0.
    Step(usize),
    Fallback,
    /// The targets of a reassignment.
    Reassigned,
}

/// The notify steps of one person for one start of a policy step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRun {
    pub user: UserName,
    pub why: PageCause,
    pub started: MonotonicTime,
    /// Index of the next notify step.
    pub next: usize,
    /// When it is due; `None` when the run is over.
    pub due: Option<MonotonicTime>,
    /// Notify steps whose page waits for the next bundled page.
    pub held: Vec<usize>,
    /// It counted for the person's page limit: its further notify steps interrupt no more.
    pub is_counted: bool,
}

/// Why somebody is paged: route, place in the policy, schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCause {
    pub route: RouteName,
    pub policy: Option<PolicyName>,
    pub position: Position,
    pub round: u32,
    pub schedule: Option<ScheduleName>,
    /// Rule set in force when the step started.
    pub revision: Revision,
}

impl fmt::Display for PageCause {
    /// As pages say it: `route payments-critical → policy payments, step 2 → schedule night`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "route {}", self.route)?;
        if let Some(policy) = &self.policy {
            write!(formatter, " → policy {policy}")?;
        }
        match self.position {
            Position::Before => {}
            Position::Step(step) => write!(formatter, ", step {}", step + 1)?,
            Position::Fallback => write!(formatter, ", fallback")?,
            Position::Reassigned => write!(formatter, ", reassigned")?,
        }
        if self.round > 0 {
            write!(formatter, ", round {}", self.round + 1)?;
        }
        if let Some(schedule) = &self.schedule {
            write!(formatter, " → schedule {schedule}")?;
        }
        Ok(())
    }
}

/// What a self-incident is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SelfIncident {
    pub cause: Cause,
    /// Channel, schedule or integration; empty when the cause has none.
    pub subject: Text,
}

impl SelfIncident {
    /// Of a cause, about a channel, schedule or integration, or about `""`.
    pub fn new(cause: Cause, subject: impl Into<Text>) -> Self {
        let subject = subject.into();
        Self { cause, subject }
    }

    /// The channel that pages about this trouble must avoid.
    pub fn channel(&self) -> Option<ChannelName> {
        self.cause
            .is_about_channel()
            .then(|| ChannelName::from(&*self.subject))
    }
}

impl Incident {
    /// Whether pages about it may leave: it is triggered, or its acknowledger is asked again.
    pub fn asks(&self) -> bool {
        let escalation = &self.escalation;
        match self.status {
            Status::Triggered => {
                let waits = matches!(escalation.phase, Phase::GroupWait | Phase::Held);
                !self.is_silenced && !waits
            }
            Status::Acknowledged => escalation.is_join_pending,
            Status::Resolved => false,
        }
    }

    /// Notes kept.
    pub const NOTES_MAX: usize = 100;

    /// Whether it is only a test page.
    pub fn is_test_page(&self) -> bool {
        let about = self.about.as_ref();
        about.is_some_and(|about| about.cause == Cause::ContactTest)
    }

    /// Whether it says that this very contact cannot be reached: it is told by another one.
    pub fn is_about_contact(&self, user: &UserName, contact: &ContactName) -> bool {
        let subject = key::joined(&[user.as_str(), contact.as_str()]);
        let about = self.about.as_ref();
        about.is_some_and(|about| {
            about.cause == Cause::ContactUnreachable && *about.subject == *subject
        })
    }

    /// Whether it is not resolved.
    pub fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }

    /// The policy by which it escalates, if any.
    pub fn policy_name(&self) -> Option<Text> {
        let pinned = self.policy.as_ref();
        pinned.map(|pinned| pinned.name.as_str().into())
    }

    /// Whether somebody is expected to acknowledge it.
    pub fn expects_acknowledgment(&self) -> bool {
        self.policy.is_some()
    }

    /// The earliest of its timers.
    pub fn next_due(&self) -> Option<MonotonicTime> {
        [self.escalation.due, self.flapping_until, self.update_due]
            .into_iter()
            .chain(self.runs.iter().map(|run| run.due))
            .flatten()
            .min()
    }
}
