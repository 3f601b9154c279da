//! Why something was done or not done. Every page sent and every page not sent has one.

use crate::engine::words::words;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal: $text:literal,)*) => {
        words! {
            /// A stable code; `docs/reasons.md` lists them all.
            pub enum Reason { $($(#[$doc])* $name = $word,)* }
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

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
    NewAlert => "new_alert": "the alert was not firing before",
    JoinedIncident => "joined_incident": "a new alert in a route and group with an open incident",
    Repeat => "repeat": "the alert is already firing",
    LabelsChanged => "labels_changed": "the alert came again with different labels and was routed \
        again",
    SourceAcknowledged => "source_acknowledged": "acknowledged at the source",
    SourceResolved => "source_resolved": "resolved at the source",
    Expired => "expired": "the source stopped asserting it and its end time passed",
    Unreported => "unreported":
        "it was not reported for the resolve_after of its route or integration",
    HeldOld => "held_old": "the report is older than the integration's max_age",
    RouteDoesNotPage => "route_does_not_page": "the route says page: false",
    StillFiringHold => "still_firing_hold":
        "a person resolved the incident and the source still reports it as firing",
    StillAsserted => "still_asserted":
        "this sender resolved it, another sender still reports it as firing",
    AssertionOver => "assertion_over":
        "a repeated resolve: this sender had already resolved it",
    UnknownAlert => "unknown_alert": "no such alert is firing",
    MappingIgnores => "mapping_ignores": "the integration's mapping says ignore",
    ResolvedBefore => "resolved_before":
        "its resolve arrived first, and by the source's time the trigger is earlier",
    DuplicateId => "duplicate_id": "an event with this id was accepted before",
    SetAside => "set_aside": "an internal error; the event is kept here and pages nobody",
    ChangeEvent => "change_event": "it reports a change, not an alert",
    NoRules => "no_rules": "no rules have been applied yet",
    // Incidents and escalation.
    Opened => "opened": "the first alert of this route and group",
    AllAlertsResolved => "all_alerts_resolved": "its last firing alert is no longer firing",
    AllAlertsAcknowledged => "all_alerts_acknowledged": "the source acknowledged all its alerts",
    Flapping => "flapping": "it fired and resolved too often; it stays open until it is quiet",
    FlappingOver => "flapping_over": "it was quiet for long enough",
    GroupWait => "group_wait": "more alerts may come before the first page",
    ResolvedInGroupWait => "resolved_in_group_wait": "it resolved before the group wait ended",
    NoAcknowledgmentExpected => "no_acknowledgment_expected": "the route says policy: none",
    StepStarted => "step_started": "the step's turn",
    WaitOver => "wait_over": "nobody acknowledged within the step's wait",
    NobodyOnCall => "nobody_on_call": "the step has nobody to page now",
    NobodyReached => "nobody_reached": "every contact in the step failed",
    NobodyNamed => "nobody_named": "no step of the policy has anybody to page",
    RoundStarted => "round_started": "another round of the policy",
    Fallback => "fallback": "all rounds ended and nobody acknowledged",
    StepsOver => "steps_over":
        "a low-urgency incident stops after the first step that reached somebody",
    Exhausted => "exhausted": "the fallback was paged as often as allowed",
    AckTimeout => "ack_timeout": "acknowledged, not resolved in time",
    SnoozeOver => "snooze_over": "the snooze ended",
    JoinUnanswered => "join_unanswered": "whoever acknowledged did not respond to a joined alert",
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
    OverPageLimit => "over_page_limit":
        "over the person's page limit",
    Bundled => "bundled": "part of a bundled page",
    NoContact => "no_contact": "the person has no contact to be paged by",
    NoChannel => "no_channel": "no channel can send to this kind of contact",
    ContactUnreachable => "contact_unreachable":
        "the contact did not get its test page; this reports it",
    TestOver => "test_over": "a test page is only sent within the hour it was planned for",
    ContactStopped => "contact_stopped": "the contact answered STOP",
    ChannelDown => "channel_down": "the channel is down",
    ChannelThrottled => "channel_throttled": "the provider asked to wait",
    FailoverChannel => "failover_channel": "the next channel of the medium is used",
    FailoverContact => "failover_contact": "the person's next notify step is used at once",
    NoOutcomeInTime => "no_outcome_in_time": "no answer in time; failover starts",
    NoSlotInTime => "no_slot_in_time":
        "all slots of the channel were busy for too long; failover starts",
    Retry => "retry": "the attempt is repeated",
    RetryBudget => "retry_budget": "the channel's retry budget is empty; the retry waits",
    RetriesOver => "retries_over": "no more attempts on this channel",
    AttemptEnded => "attempt_ended": "the channel answered",
    DeliveryReport => "delivery_report": "the provider reported later",
    RestartResend => "restart_resend": "a restart interrupted the attempt",
    Unreachable => "unreachable": "no contact of the person can be used",
    NotSentInTime => "not_sent_in_time": "no attempt had started when the step's wait ended",
    AlreadyPaging => "already_paging": "the person's notify steps from an earlier step are still \
        running",
    UpdateSent => "update_sent": "the people who were paged are told",
    // People.
    Acknowledged => "acknowledged": "somebody acknowledged it",
    AlreadyAcknowledged => "already_acknowledged": "somebody else was first",
    InFlightAtAcknowledgment => "in_flight_at_acknowledgment":
        "already handed to the provider when it was acknowledged",
    Withdrawn => "withdrawn": "not sent: it was acknowledged, resolved or held first",
    Unacknowledged => "unacknowledged": "somebody unacknowledged it",
    ResolvedByPerson => "resolved_by_person": "somebody resolved it",
    Snoozed => "snoozed": "somebody acknowledged and snoozed it",
    Declined => "declined": "somebody declined; the next step starts",
    EscalatedByHand => "escalated_by_hand": "somebody escalated it",
    Reassigned => "reassigned": "somebody reassigned it",
    Noted => "noted": "somebody left a note",
    PagedByHand => "paged_by_hand": "somebody paged manually",
    // The router itself.
    TroubleOver => "trouble_over": "the cause is gone",
    // Providers; new reasons go last, since the place is what is stored.
    ProviderFilter => "provider_filter": "the provider's `match` leaves it out",
    ProviderOpenWhenAdded => "provider_open_when_added":
        "it was open before the provider was watched",
    ProviderUrgencyNone => "provider_urgency_none":
        "the provider's urgency for this impact is none",
    ProviderConfirming => "provider_confirming": "it counts when a second look finds it again",
    ProviderIncidentCovers => "provider_incident_covers":
        "an open incident of the provider is about it",
    ProviderWorse => "provider_worse": "the provider raised the impact",
    ProviderUnlisted => "provider_unlisted":
        "the provider's page lists what is open, and it is no longer there",
    ProviderWithdrawn => "provider_withdrawn":
        "the provider removed it from its page without a resolution",
    ProviderGone => "provider_gone": "the provider is no longer watched",
    ProviderManyDown => "provider_many_down":
        "many components of the provider are down and have alerts already",
    ProviderUrgency => "provider_urgency": "what decided how urgent the provider's incident is",
    OwnAlerts => "own_alerts": "our own alerts say that it is urgent",
    ProviderHeld => "provider_held": "a provider that it depends on has an incident",
    ProviderHoldOver => "provider_hold_over": "it has been held for as long as the rules allow",
    ProviderHoldDropped => "provider_hold_dropped": "the rules no longer let it wait",
    ProviderRecovered => "provider_recovered":
        "the provider's incident is over and it still fires",
    ProviderUnknown => "provider_unknown":
        "the provider's page cannot be read, so nothing waits because of it",
    ProviderRelated => "provider_related":
        "a provider that it depends on has an incident; it is told with it",
    ProviderDown => "provider_down":
        "the provider of the channel has an incident, so that the channel is tried last",
    CheckGone => "check_gone": "the check is no longer in the rules",
}
