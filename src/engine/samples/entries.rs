//! One entry of each body: what is stored of timelines, and what they say.

use super::{START, actor};
use crate::engine::dependency::Dependency;
use crate::engine::entry::{Entry, EntryDetail};
use crate::engine::entry_body::*;
use crate::engine::ids::*;
use crate::engine::outcome::Outcome;
use crate::engine::reason::Reason;
use crate::engine::ruleset::{ChannelTarget, Medium, Target};
use crate::engine::status_report::Impact;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;

/// All bodies, each with a reason that it has.
pub fn entries() -> Vec<Entry> {
    let mut bodies = alerts();
    bodies.extend(incidents());
    bodies.extend(escalations());
    bodies.extend(pages());
    bodies.extend(attempts());
    bodies.extend(persons());
    bodies.extend(providers());
    let with = |(id, (reason, body))| Entry {
        id: EntryId(id),
        incident: IncidentNumber(7),
        at: START,
        reason,
        detail: detail(&body),
        body,
    };
    (1..).zip(bodies).map(with).collect()
}

fn detail(body: &EntryBody) -> EntryDetail {
    match body {
        EntryBody::Person(_) => EntryDetail::of(&actor()),
        EntryBody::Attempt(AttemptEntry::Reported(_)) => EntryDetail {
            outcome: Some(Outcome::RefusedTarget),
            ..EntryDetail::default()
        },
        EntryBody::Attempt(AttemptEntry::Ended { .. }) => EntryDetail {
            outcome: Some(Outcome::Throttled {
                wait: Duration::minutes(2),
            }),
            ..EntryDetail::default()
        },
        EntryBody::Alert(_)
        | EntryBody::Incident(_)
        | EntryBody::Escalation(_)
        | EntryBody::Page(_)
        | EntryBody::Attempt(_) => EntryDetail::default(),
    }
}

fn with<T: Into<EntryBody>>((reason, body): (Reason, T)) -> (Reason, EntryBody) {
    (reason, body.into())
}

fn silences(others: u32) -> SilenceNames {
    SilenceNames {
        named: vec![(SilenceId(3), "[team=\"db\"]".into())],
        others,
    }
}

fn contact() -> Addressee {
    Addressee::Contact {
        user: "ana".into(),
        contact: "phone".into(),
        medium: Medium::Sms,
    }
}

fn channel(address: &str) -> Addressee {
    Addressee::Channel {
        channel: "slack".into(),
        address: address.into(),
    }
}

fn target() -> ChannelTarget {
    ChannelTarget {
        channel: "slack".into(),
        address: "C024BE7LH".into(),
    }
}

fn alerts() -> Vec<(Reason, EntryBody)> {
    use AlertEntry as E;
    let joined = |is_member, silences| E::Joined {
        title: "disk full".into(),
        is_member,
        silences,
    };
    let ended = |unreported_for| E::Ended {
        title: "disk full".into(),
        unreported_for,
    };
    let title = || "disk full".into();
    let all = vec![
        (
            Reason::JoinedIncident,
            joined(false, SilenceNames::default()),
        ),
        (Reason::JoinedIncident, joined(true, silences(0))),
        (Reason::SourceResolved, ended(None)),
        (Reason::Unreported, ended(Some(Duration::hours(2)))),
        (Reason::LabelsChanged, E::RoutedElsewhere { title: title() }),
        (
            Reason::SourceAcknowledged,
            E::Acknowledged {
                integration: "pagerduty".into(),
                title: title(),
            },
        ),
    ];
    all.into_iter().map(with).collect()
}

fn incidents() -> Vec<(Reason, EntryBody)> {
    use IncidentEntry as E;
    let opened = E::Opened {
        integration: "alertmanager".into(),
        title: "disk full".into(),
    };
    let flapping = E::Flapping {
        changes: 5,
        quiet: Duration::minutes(10),
    };
    let all = vec![
        (Reason::Opened, opened),
        (Reason::UrgencyRaised, E::UrgencyRaised(Urgency::High)),
        (Reason::Flapping, flapping),
        (Reason::FlappingOver, E::FlappingOver(Duration::minutes(10))),
        (
            Reason::AllAlertsAcknowledged,
            E::Acknowledged {
                by: "pagerduty".into(),
            },
        ),
        (Reason::AllAlertsResolved, E::Resolved),
        (Reason::Unreported, E::Unreported),
        (Reason::ResolvedInGroupWait, E::ResolvedInGroupWait),
    ];
    all.into_iter().map(with).collect()
}

/// What providers' incidents and what depends on them add; last, since ids are counted.
fn providers() -> Vec<(Reason, EntryBody)> {
    let urgency = |urgency, impact, basis| IncidentEntry::ProviderUrgency {
        urgency,
        impact,
        basis,
    };
    let title = || "Logins fail".into();
    let incidents = [
        (
            Reason::ProviderWorse,
            IncidentEntry::ImpactRaised(Impact::Major),
        ),
        (
            Reason::ProviderUrgency,
            urgency(Urgency::Low, Impact::Minor, UrgencyBasis::Impact),
        ),
        (
            Reason::ProviderUrgency,
            urgency(Urgency::High, Impact::Major, UrgencyBasis::Components),
        ),
        (
            Reason::OwnAlerts,
            IncidentEntry::OwnAlerts {
                alerts: 2,
                incidents: vec![IncidentNumber(8), IncidentNumber(9)],
            },
        ),
        (
            Reason::ProviderHeld,
            IncidentEntry::WaitsBeneath {
                incident: IncidentNumber(8),
                title: title(),
            },
        ),
        (
            Reason::ProviderRelated,
            IncidentEntry::ProviderIncident {
                incident: IncidentNumber(7),
                title: title(),
            },
        ),
    ];
    let held = EscalationEntry::HeldUnder {
        under: IncidentNumber(7),
        because: Dependency::parse("provider/aws/EC2 eu-west-1").expect("a dependency"),
        at_most: Duration::hours(2),
    };
    let escalations = [
        (Reason::ProviderHeld, held),
        (Reason::ProviderRecovered, EscalationEntry::HoldOver),
    ];
    let last = (Reason::ProviderDown, PageEntry::ChannelLast("slack".into()));
    let incidents = incidents.into_iter().map(with);
    let all = incidents.chain(escalations.into_iter().map(with));
    all.chain([with(last)]).collect()
}

fn escalations() -> Vec<(Reason, EntryBody)> {
    use EscalationEntry as E;
    let user = |user: &str, schedule: Option<&str>| PagedTarget::User {
        user: user.into(),
        schedule: schedule.map(ScheduleName::from),
    };
    let pages = vec![
        user("ana", Some("night")),
        user("bo", None),
        PagedTarget::Channel(target()),
    ];
    let started = E::StepStarted {
        step: 2,
        pages: pages.clone(),
        wait: Duration::minutes(5),
    };
    let ignored = E::OverrideIgnored {
        schedule: "night".into(),
        ignored: IgnoredOverride {
            id: OverrideId(4),
            user: "zoe".into(),
        },
    };
    let not_expected = |is_test_page| E::NotExpected { is_test_page };
    let all = vec![
        (Reason::GroupWait, E::GroupWait(Duration::seconds(30))),
        (Reason::NoAcknowledgmentExpected, not_expected(true)),
        (Reason::NoAcknowledgmentExpected, not_expected(false)),
        (Reason::AckTimeout, E::Restarted),
        (Reason::RoundStarted, E::RoundStarted(2)),
        (Reason::NobodyOnCall, E::StepEmpty(3)),
        (Reason::WaitOver, started),
        (Reason::NoAcknowledgmentExpected, E::NoPolicy),
        (Reason::StepsOver, E::LowUrgency),
        (Reason::Fallback, E::FallbackPaged(pages)),
        (Reason::Fallback, E::FallbackPaged(Vec::new())),
        (Reason::Exhausted, E::Exhausted(48)),
        (Reason::NobodyReached, E::ContactsFailed),
        (Reason::CollapsedSteps, E::Collapsed),
        (Reason::Silenced, E::Silenced(silences(0))),
        (Reason::Silenced, E::Silenced(silences(4))),
        (Reason::SilenceOver, E::SilenceOver),
        (Reason::Snoozed, E::StillSnoozed(Duration::hours(1))),
        (Reason::SnoozeOver, E::SnoozeOver),
        (
            Reason::TargetGone,
            E::TargetUnusable(Target::User("zoe".into())),
        ),
        (Reason::TargetGone, ignored),
    ];
    all.into_iter().map(with).collect()
}

fn pages() -> Vec<(Reason, EntryBody)> {
    use PageEntry as E;
    let unusable = E::ContactUnusable {
        user: "ana".into(),
        contact: "phone".into(),
    };
    let acknowledger = E::Acknowledger {
        user: "ana".into(),
        wait: Duration::minutes(5),
    };
    let budget = E::RetryBudget {
        channel: "sms".into(),
        wait: Duration::seconds(6),
    };
    let no_slot = |gave_up| E::NoSlot {
        channel: "sms".into(),
        waited: Duration::seconds(10),
        gave_up,
    };
    let all = vec![
        (Reason::Unreachable, E::PersonUnusable("ana".into())),
        (Reason::ContactStopped, unusable),
        (Reason::AlreadyPaging, E::AlreadyPaging("ana".into())),
        (Reason::NoContact, E::NoContact("ana".into())),
        (Reason::JoinedIncident, acknowledger),
        (Reason::OverPageLimit, E::OverLimit),
        (Reason::Bundled, E::Bundled(1)),
        (Reason::Bundled, E::Bundled(12)),
        (Reason::ContactStopped, E::Stopped(contact())),
        (Reason::ContactStopped, E::PhoneStopped(contact())),
        (Reason::Withdrawn, E::NotSent(channel(""))),
        (Reason::Withdrawn, E::NoFurther(channel("C024BE7LH"))),
        (Reason::Withdrawn, E::NotRepeated(contact())),
        (Reason::RestartResend, E::Repeated(contact())),
        (Reason::RetriesOver, E::AttemptsUsedUp(contact())),
        (Reason::RetriesOver, E::NoMoreAttempts("sms".into())),
        (Reason::TargetGone, E::ChannelGone("sms".into())),
        (Reason::ChannelDown, E::ChannelLater("sms".into())),
        (Reason::RetryBudget, budget),
        (Reason::NoSlotInTime, no_slot(false)),
        (Reason::NoSlotInTime, no_slot(true)),
    ];
    all.into_iter().map(with).collect()
}

fn attempts() -> Vec<(Reason, EntryBody)> {
    use AttemptEntry as E;
    let started = |waited| E::Started {
        channel: "sms".into(),
        to: contact(),
        waited,
    };
    let ended = E::Ended {
        channel: "sms".into(),
        to: contact(),
    };
    let no_answer = E::NoAnswer {
        channel: "sms".into(),
        waited: Duration::seconds(10),
    };
    let all = vec![
        (Reason::PagePlanned, started(None)),
        (Reason::PagePlanned, started(Some(Duration::seconds(90)))),
        (Reason::AttemptEnded, ended),
        (Reason::DeliveryReport, E::Reported("sms".into())),
        (Reason::NoOutcomeInTime, no_answer),
    ];
    all.into_iter().map(with).collect()
}

fn persons() -> Vec<(Reason, EntryBody)> {
    use PersonEntry as E;
    let to = "user/bo".into();
    let all = vec![
        (Reason::Acknowledged, E::Acknowledged),
        (Reason::AlreadyAcknowledged, E::AcknowledgedAgain),
        (Reason::Unacknowledged, E::Unacknowledged),
        (Reason::EscalatedByHand, E::Escalated),
        (Reason::Declined, E::Declined),
        (Reason::ResolvedByPerson, E::Resolved),
        (Reason::Snoozed, E::Snoozed(Duration::hours(1))),
        (Reason::Reassigned, E::Reassigned { to }),
        (Reason::Noted, E::Noted("looking".into())),
        (Reason::PagedByHand, E::Paged("please look".into())),
    ];
    all.into_iter().map(with).collect()
}
