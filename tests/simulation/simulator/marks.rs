//! Marks of interesting states. A set of runs in which one of them was never reached has a
//! generator with a blind spot, and fails.

use std::collections::BTreeMap;

macro_rules! marks {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// A state that some run of a set must reach.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mark {
            $($(#[$doc])* $name,)*
        }

        impl Mark {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

marks! {
    AcknowledgedWhileSending => "an incident was acknowledged while an attempt of it was in flight",
    WithdrawnWaiting => "a page that waited for a place was withdrawn",
    WaitedForPlace => "a page waited for a place beyond its turn",
    WithdrawnInLookUp => "an order was withdrawn before its socket opened",
    FailoverAfterThrottle => "a throttled attempt was followed by another channel or contact",
    ChannelDown => "a channel was marked down",
    ChannelRecovered => "a down channel came back by a probe or a trial",
    RetryBudgetEmpty => "a retry waited for a token",
    CrashBeforeCommit => "the process died before a batch was durable",
    CrashDuringCommit => "the process died in a commit that reached the disk",
    CrashBeforeAnswers => "the process died after a commit and before its answers",
    CrashBeforeSends => "the process died after the answers and before the sends",
    CrashAmongSends => "the process died with some of a turn's sends handed out",
    CrashInRecovery => "the process died in the turn of its start",
    RecoveryInStorm => "a start found more than a hundred open incidents",
    StoreFailed => "a commit failed and the process ended",
    SlowCommit => "a commit took more than ten seconds",
    DiskLow => "events were refused because the disk was nearly full",
    AcknowledgedOnLowDisk => "somebody acknowledged while events were refused",
    ClockBack => "the wall clock was set back by more than a minute",
    ClockAhead => "the wall clock was set ahead by more than a minute",
    Suspended => "the machine slept",
    Bundle => "a bundled page left",
    BundleAcknowledged => "a bundled page was acknowledged",
    FallbackPaged => "the fallback was paged",
    Exhausted => "an escalation was exhausted",
    RoundRepeated => "a policy went into another round",
    AckTimeout => "an acknowledgment timed out",
    SnoozeOver => "a snooze ended with the incident open",
    JoinedAcknowledged => "an alert joined an acknowledged incident",
    UrgencyRaised => "an alert raised the urgency of an incident",
    Flapping => "an incident was flapping",
    HeldOld => "an event was too old to page",
    DuplicateId => "an event id was repeated",
    StillFiringHold => "a source asserted what a person had resolved",
    Expired => "an alert expired",
    Unreported => "no report of an alert came any more",
    SilencedOpen => "a silence covered an open incident",
    SilenceOver => "a silence ended while its alert fired",
    NobodyOnCall => "a step named nobody",
    NobodyReached => "every contact of a step failed for good",
    TargetGone => "a target of an open incident was deleted",
    RulesReplacedOpen => "rules were replaced while incidents were open",
    OverrideInForce => "a schedule was overridden",
    OldLink => "a link of an earlier generation was used",
    SecondAcknowledger => "two people acknowledged one incident",
    Declined => "somebody declined",
    Reassigned => "an incident was handed on",
    Unacknowledged => "somebody gave an incident back",
    WrongNumber => "a text message named a wrong incident",
    LateReport => "a delivery report came after its attempt's answer and failed it",
    ReportRepeated => "a delivery report came twice",
    BlackHole => "a provider accepted what it never delivered",
    RequestRepeated => "a client repeated a request that was not answered",
    AllChannelsFailed => "every channel failed and the heartbeat stopped",
    OnCallPaged => "whoever was on call was paged",
    UpdateFollows => "an update followed a message",
    LostCapacityTold => "a channel lost its capacity or its credentials, and that was told",
    OverdueAtStart => "a start found a step overdue",
    DecidedLater => "events of a request were decided on in a later step",
    SilencedInSteps => "a silence reached its alerts in several steps",
    TasksAtStart => "a start found what an earlier process had begun",
    TestPage => "a contact was tested",
    SelfIncident => "the router raised an incident about itself",
}

/// How often each mark was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<Mark, u64>);

impl Marks {
    pub fn hit(&mut self, mark: Mark) {
        *self.0.entry(mark).or_default() += 1;
    }

    pub fn hit_if(&mut self, condition: bool, mark: Mark) {
        if condition {
            self.hit(mark);
        }
    }

    pub fn count(&self, mark: Mark) -> u64 {
        self.0.get(&mark).copied().unwrap_or_default()
    }

    pub fn add(&mut self, other: &Self) {
        for (mark, count) in &other.0 {
            *self.0.entry(*mark).or_default() += count;
        }
    }

    /// Those that were never reached.
    pub fn missing(&self) -> Vec<Mark> {
        let all = Mark::ALL.iter().copied();
        all.filter(|mark| self.count(*mark) == 0).collect()
    }
}
