//! Why something was done or not done. Every page sent and every page not sent has one.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal: $text:literal,)*) => {
        /// A stable code; `docs/reasons.md` lists them all.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What it means, as a sentence for people without capital and full stop.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    // Events and alerts.
    NewAlert => "new_alert": "an alert that was not firing before",
    JoinedIncident => "joined_incident": "a new alert of a route and group that is open",
    Repeat => "repeat": "the alert fires already",
    LabelsChanged => "labels_changed": "the alert came again with other labels and was routed anew",
    SourceAcknowledged => "source_acknowledged": "the source says that somebody has it",
    SourceResolved => "source_resolved": "the source says that it is over",
    Expired => "expired": "the source stopped asserting it and its end time passed",
    Unreported => "unreported":
        "no report of it came for the resolve_after of its route or integration",
    HeldOld => "held_old": "the report is older than the integration's max_age",
    RouteDoesNotPage => "route_does_not_page": "the route says page: false",
    StillFiringHold => "still_firing_hold":
        "a person resolved the incident and the source still asserts what was resolved",
    StillAsserted => "still_asserted":
        "this sender's assertion is over, another sender still asserts the alert",
    AssertionOver => "assertion_over":
        "a repeated resolve: this sender's assertion was over already",
    UnknownAlert => "unknown_alert": "no such alert is firing",
    MappingIgnores => "mapping_ignores": "the integration's mapping says ignore",
    ResolvedBefore => "resolved_before":
        "its resolve came first and the source says that the trigger is earlier",
    DuplicateId => "duplicate_id": "an event with this id was accepted before",
    SetAside => "set_aside": "the decision on it failed inside; it is kept here and pages nobody",
    ChangeEvent => "change_event": "it tells of a change and of no alert",
    NoRules => "no_rules": "there is no routing tree yet",
    // Incidents and escalation.
    Opened => "opened": "the first alert of this route and group",
    AllAlertsResolved => "all_alerts_resolved": "its last firing alert is over",
    AllAlertsAcknowledged => "all_alerts_acknowledged": "the source acknowledged all its alerts",
    Flapping => "flapping": "it came and went too often; it stays open until it is quiet",
    FlappingOver => "flapping_over": "it was quiet for long enough",
    GroupWait => "group_wait": "more alerts may come before the first page",
    ResolvedInGroupWait => "resolved_in_group_wait": "it was over before the group wait was",
    NoAcknowledgmentExpected => "no_acknowledgment_expected": "the route says policy: none",
    StepStarted => "step_started": "the step's turn",
    WaitOver => "wait_over": "nobody acknowledged within the step's wait",
    NobodyOnCall => "nobody_on_call": "the step names nobody now",
    NobodyReached => "nobody_reached": "every contact of everybody in the step failed for good",
    NobodyNamed => "nobody_named": "no step of the policy names anybody",
    RoundStarted => "round_started": "another round of the policy",
    Fallback => "fallback": "all rounds are over and nobody acknowledged",
    StepsOver => "steps_over":
        "a low-urgency incident runs no step after the first that reached somebody",
    Exhausted => "exhausted": "the fallback was paged as often as allowed",
    AckTimeout => "ack_timeout": "acknowledged, not resolved in time",
    SnoozeOver => "snooze_over": "the snooze is over",
    JoinUnanswered => "join_unanswered": "the acknowledger did not answer to a joined alert",
    UrgencyRaised => "urgency_raised": "an alert of higher urgency joined",
    Silenced => "silenced": "a silence covers all its firing alerts",
    SilenceOver => "silence_over": "the silence ended while it still fires",
    CollapsedSteps => "collapsed_steps": "several steps were overdue; only the highest is paged",
    TargetGone => "target_gone": "the target is no longer in the rules",
    // Pages and attempts.
    PagePlanned => "page_planned": "the person's notify step is due",
    ContactTest => "contact_test": "the weekly test of the person's contacts",
    ChannelTargetPaged => "channel_target_paged": "the step names a channel target",
    CopyPosted => "copy_posted": "the route's copy_to names it",
    #[serde(alias = "ceiling_reached")]
    OverPageLimit => "over_page_limit":
        "as many incidents as the page limit allows interrupted the person before it",
    #[serde(alias = "folded")]
    Bundled => "bundled": "part of a bundled page",
    NoContact => "no_contact": "the person has no contact to be paged by",
    NoChannel => "no_channel": "no channel carries the medium",
    ContactUnreachable => "contact_unreachable":
        "the contact did not take its test page, and this is the word of it",
    TestOver => "test_over": "a test page leaves only within the hour for which it was planned",
    ContactStopped => "contact_stopped": "the contact answered STOP",
    ChannelDown => "channel_down": "the channel is down",
    ChannelThrottled => "channel_throttled": "the provider asked to wait",
    FailoverChannel => "failover_channel": "the next channel of the medium is used",
    FailoverContact => "failover_contact": "the person's next notify step is used at once",
    NoOutcomeInTime => "no_outcome_in_time": "no answer came in time; failover starts",
    NoPlaceInTime => "no_place_in_time":
        "all places of the channel were taken for too long; failover starts",
    Retry => "retry": "the attempt is repeated",
    RetryBudget => "retry_budget": "the channel's retry budget is empty; the retry waits",
    RetriesOver => "retries_over": "no further attempt is made on this channel",
    AttemptEnded => "attempt_ended": "the channel answered",
    DeliveryReport => "delivery_report": "the provider reported later",
    RestartResend => "restart_resend": "a restart interrupted the attempt",
    Unreachable => "unreachable": "no contact of the person can be used",
    NotSentInTime => "not_sent_in_time": "no attempt had started when the step's wait was over",
    AlreadyPaging => "already_paging": "the person's notify steps of an earlier step still run",
    UpdateSent => "update_sent": "those who were paged are told",
    // People.
    Acknowledged => "acknowledged": "somebody has it",
    AlreadyAcknowledged => "already_acknowledged": "somebody else was first",
    InFlightAtAcknowledgment => "in_flight_at_acknowledgment":
        "handed to a provider before the acknowledgment was answered",
    Withdrawn => "withdrawn": "not started: it was acknowledged, resolved or held first",
    Unacknowledged => "unacknowledged": "somebody gave it back",
    ResolvedByPerson => "resolved_by_person": "somebody says that it is over",
    Snoozed => "snoozed": "somebody has it and will look later",
    Declined => "declined": "somebody cannot take it; the next step starts",
    EscalatedByHand => "escalated_by_hand": "somebody asked for the next step",
    Reassigned => "reassigned": "somebody handed it to another target",
    Noted => "noted": "somebody left a note",
    PagedByHand => "paged_by_hand": "somebody pages by hand",
    // The router itself.
    TroubleOver => "trouble_over": "the cause is over",
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
