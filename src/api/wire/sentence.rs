//! Entries of a timeline as sentences for people, without the time.

use std::fmt::{self, Display, Formatter};

use crate::engine::entry::{Entry, EntryDetail};
use crate::engine::entry_body::{
    Addressee, AlertEntry, AttemptEntry, EntryBody, EscalationEntry, IncidentEntry, PageEntry,
    PagedTarget, PersonEntry, SilenceNames,
};
use crate::engine::outcome::Outcome;
use crate::engine::reason::Reason;

/// What an entry says.
pub struct Sentence<'entry>(pub &'entry Entry);

impl Display for Sentence<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (reason, detail) = (self.0.reason, &self.0.detail);
        match &self.0.body {
            EntryBody::Alert(body) => alert(f, body),
            EntryBody::Incident(body) => incident(f, body, reason),
            EntryBody::Escalation(body) => escalation(f, body, reason),
            EntryBody::Page(body) => page(f, body, reason),
            EntryBody::Attempt(body) => attempt(f, body, detail),
            EntryBody::Person(body) => person(f, body, reason, detail),
            EntryBody::Written { text, .. } => f.write_str(text),
        }
    }
}

fn alert(f: &mut Formatter<'_>, body: &AlertEntry) -> fmt::Result {
    match body {
        AlertEntry::Joined {
            title,
            is_member,
            silences,
        } => {
            f.write_str(match is_member {
                true => "fires again: ",
                false => "joined by ",
            })?;
            f.write_str(title)?;
            match silences.named.is_empty() {
                true => Ok(()),
                false => write!(f, " (under {})", names(silences)),
            }
        }
        AlertEntry::Ended {
            title,
            unreported_for: Some(wait),
        } => write!(f, "{title}: no report for {wait}"),
        AlertEntry::Ended { title, .. } => write!(f, "{title} is no longer firing"),
        AlertEntry::RoutedElsewhere { title } => write!(f, "{title} is now routed elsewhere"),
        AlertEntry::Acknowledged { integration, title } => {
            write!(f, "{integration} acknowledged {title}")
        }
    }
}

fn incident(f: &mut Formatter<'_>, body: &IncidentEntry, reason: Reason) -> fmt::Result {
    match body {
        IncidentEntry::Opened { integration, title } => {
            write!(f, "opened by {integration}: {title}")
        }
        IncidentEntry::UrgencyRaised(urgency) => write!(f, "urgency is now {urgency}"),
        IncidentEntry::Flapping { changes, quiet } => {
            write!(
                f,
                "fired and resolved {changes} times; stays open until {quiet} of quiet"
            )
        }
        IncidentEntry::FlappingOver(quiet) => write!(f, "quiet for {quiet}"),
        IncidentEntry::Acknowledged { by } => {
            write!(
                f,
                "acknowledged in {by}: all firing alerts are acknowledged there"
            )
        }
        IncidentEntry::Resolved => f.write_str(match reason {
            Reason::ResolvedInGroupWait => "resolved before the group wait ended; nobody was paged",
            Reason::Unreported => "resolved: its last firing alert is no longer reported",
            _ => "resolved: its last firing alert is no longer firing",
        }),
    }
}

fn escalation(f: &mut Formatter<'_>, body: &EscalationEntry, reason: Reason) -> fmt::Result {
    match body {
        EscalationEntry::GroupWait(wait) => write!(f, "waits {wait} for more alerts"),
        EscalationEntry::NotExpected { is_test_page } => f.write_str(match is_test_page {
            true => "nobody is expected to acknowledge: it is a test page",
            false => "nobody is expected to acknowledge: the route says policy: none",
        }),
        EscalationEntry::Restarted => write!(f, "escalation restarts: {}", reason.meaning()),
        EscalationEntry::RoundStarted(round) => write!(f, "round {round} starts"),
        EscalationEntry::StepEmpty(step) => {
            write!(
                f,
                "step {step} has nobody to page; the next step starts at once"
            )
        }
        EscalationEntry::StepStarted { step, pages, wait } => {
            write!(f, "step {step}: pages {}; waits {wait}", list(pages))
        }
        EscalationEntry::NoPolicy => f.write_str("no further step: the incident has no policy"),
        EscalationEntry::LowUrgency => f.write_str("no further step: the incident has low urgency"),
        EscalationEntry::FallbackPaged(pages) if pages.is_empty() => {
            f.write_str("the fallback has nobody to page")
        }
        EscalationEntry::FallbackPaged(pages) => write!(f, "fallback: pages {}", list(pages)),
        EscalationEntry::Exhausted(times) => {
            write!(
                f,
                "the fallback was paged {times} times and nobody acknowledged"
            )
        }
        EscalationEntry::ContactsFailed => {
            f.write_str("every contact in this step failed; the next step starts at once")
        }
        EscalationEntry::Collapsed => {
            f.write_str("steps came due while the router was down; only the highest is paged now")
        }
        EscalationEntry::Silenced(silences) => {
            let verb = match silences.named.len() {
                1 => "covers",
                _ => "cover",
            };
            write!(
                f,
                "pages are held: {} {verb} all its firing alerts",
                names(silences)
            )
        }
        EscalationEntry::SilenceOver => {
            f.write_str("the silence ended and it is still firing; escalation starts at step 1")
        }
        EscalationEntry::StillSnoozed(left) => write!(f, "still snoozed for {left}"),
        EscalationEntry::SnoozeOver => f.write_str("the snooze ended; the same step continues"),
        EscalationEntry::TargetUnusable(target) => write!(f, "{target}: {}", reason.meaning()),
        EscalationEntry::OverrideIgnored { schedule, ignored } => {
            write!(f, "schedule/{schedule}: {ignored}")
        }
    }
}

fn page(f: &mut Formatter<'_>, body: &PageEntry, reason: Reason) -> fmt::Result {
    let meaning = reason.meaning();
    match body {
        PageEntry::PersonUnusable(user) => write!(f, "{user}: {meaning}"),
        PageEntry::ContactUnusable { user, contact } => {
            write!(f, "{user} cannot be paged by {contact}: {meaning}")
        }
        PageEntry::AlreadyPaging(user) => {
            write!(f, "{user} is already being paged by an earlier step")
        }
        PageEntry::NoContact(user) => write!(f, "{user} has no contact to be paged by"),
        PageEntry::Acknowledger { user, wait } => write!(
            f,
            "{user} acknowledged it and is told about the joined alert; must respond within {wait}"
        ),
        PageEntry::OverLimit => f.write_str("over the page limit; held"),
        PageEntry::Bundled(1) => f.write_str("paged in a combined message (1 incident)"),
        PageEntry::Bundled(count) => {
            write!(f, "paged in a combined message ({count} incidents)")
        }
        PageEntry::Stopped(to) => write!(f, "{to} is not paged: {meaning}"),
        PageEntry::PhoneStopped(to) => write!(f, "{to} answered STOP"),
        PageEntry::NotSent(to) => {
            write!(f, "{to} was not paged: the message had not been sent")
        }
        PageEntry::NoFurther(to) => write!(f, "{to} is not paged any further"),
        PageEntry::NotRepeated(to) => {
            write!(f, "{to} is not paged again: it no longer matters")
        }
        PageEntry::Repeated(to) => write!(f, "the attempt to {to} is repeated once"),
        PageEntry::AttemptsUsedUp(to) => write!(f, "{to} has had all its attempts"),
        PageEntry::NoMoreAttempts(channel) => write!(f, "no more attempts on {channel}"),
        PageEntry::ChannelGone(channel) => write!(f, "channel {channel} no longer exists"),
        PageEntry::ChannelLater(channel) => write!(f, "{channel}: {meaning}"),
        PageEntry::RetryBudget { channel, wait } => {
            write!(
                f,
                "the retry on {channel} waits {wait} for the retry budget"
            )
        }
        PageEntry::NoSlot {
            channel,
            waited,
            gave_up,
        } => {
            let then = match gave_up {
                true => "gave up waiting",
                false => "failover starts",
            };
            write!(
                f,
                "no slot on {channel} became free within {waited}; {then}"
            )
        }
    }
}

fn attempt(f: &mut Formatter<'_>, body: &AttemptEntry, detail: &EntryDetail) -> fmt::Result {
    match body {
        AttemptEntry::Started {
            channel,
            to,
            waited: Some(waited),
        } => write!(f, "{channel} → {to}, after waiting {waited} for a slot"),
        AttemptEntry::Started { channel, to, .. } => write!(f, "{channel} → {to}"),
        AttemptEntry::Ended { channel, to } => {
            write!(f, "{channel} → {to}: {}", outcome(detail))
        }
        AttemptEntry::Reported(channel) => write!(f, "{channel} reports: {}", outcome(detail)),
        AttemptEntry::NoAnswer { channel, waited } => {
            write!(
                f,
                "no answer from {channel} within {waited}; failover starts"
            )
        }
    }
}

fn person(
    f: &mut Formatter<'_>,
    body: &PersonEntry,
    reason: Reason,
    detail: &EntryDetail,
) -> fmt::Result {
    let (by, via) = match &detail.actor {
        Some(actor) => (actor.name.as_ref(), actor.via.to_string()),
        None => ("somebody", "an unknown way".to_owned()),
    };
    match body {
        PersonEntry::Acted if reason == Reason::ResolvedByPerson => {
            write!(f, "resolved by {by} via {via}")
        }
        PersonEntry::Acted => write!(f, "{by} {} via {via}", act(reason)),
        PersonEntry::Snoozed(length) => write!(f, "{by} snoozed it for {length} via {via}"),
        PersonEntry::Reassigned { to } => write!(f, "{by} reassigned it to {to} via {via}"),
        PersonEntry::Noted(text) => write!(f, "{by} notes: {text} via {via}"),
        PersonEntry::Paged(text) => write!(f, "{by} pages: {text} via {via}"),
    }
}

fn act(reason: Reason) -> &'static str {
    match reason {
        Reason::Acknowledged => "acknowledged",
        Reason::AlreadyAcknowledged => "acknowledged again",
        Reason::Unacknowledged => "unacknowledged it",
        Reason::EscalatedByHand => "escalated to the next step",
        Reason::Declined => "declined",
        other => other.meaning(),
    }
}

fn outcome(detail: &EntryDetail) -> String {
    match detail.outcome {
        Some(Outcome::Throttled { wait }) => format!("throttled for {wait}"),
        Some(outcome) => outcome.as_str().replace('_', " "),
        None => "outcome not kept".to_owned(),
    }
}

fn list(targets: &[PagedTarget]) -> String {
    let name = |target: &PagedTarget| match target {
        PagedTarget::User {
            user,
            schedule: Some(schedule),
        } => format!("{user} (on call on {schedule})"),
        PagedTarget::User { user, .. } => user.to_string(),
        PagedTarget::Channel(target) => target.to_string(),
    };
    let names: Vec<String> = targets.iter().map(name).collect();
    names.join(", ")
}

fn names(silences: &SilenceNames) -> String {
    let named = silences.named.iter();
    let mut names: Vec<String> = named
        .map(|(id, matchers)| format!("silence {id} {matchers}"))
        .collect();
    if silences.others > 0 {
        names.push(format!("{} more", silences.others));
    }
    names.join(", ")
}

impl Display for Addressee {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact {
                user,
                contact,
                medium,
            } => write!(f, "{user} by {contact} ({medium})"),
            Self::Channel { channel, address } if address.is_empty() => {
                write!(f, "channel/{channel}")
            }
            Self::Channel { address, .. } => f.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::actor::{Actor, Via};
    use crate::engine::ids::{EntryId, IncidentNumber};
    use crate::engine::time::{Duration, Timestamp};

    fn said(reason: Reason, body: impl Into<EntryBody>, detail: EntryDetail) -> String {
        let entry = Entry {
            id: EntryId(1),
            incident: IncidentNumber(1),
            at: Timestamp(0),
            reason,
            body: body.into(),
            detail,
        };
        Sentence(&entry).to_string()
    }

    #[test]
    fn one_body_says_what_its_reason_means() {
        let resolved = |reason| said(reason, IncidentEntry::Resolved, EntryDetail::default());
        let in_group_wait = resolved(Reason::ResolvedInGroupWait);
        assert!(
            in_group_wait.contains("nobody was paged"),
            "{in_group_wait}"
        );
        assert!(resolved(Reason::Unreported).contains("no longer reported"));
        assert!(resolved(Reason::AllAlertsResolved).contains("no longer firing"));
        let detail = EntryDetail::of(&Actor::named("Ana Silva", Via::Sms));
        let acted = |reason| said(reason, PersonEntry::Acted, detail.clone());
        let acts = [
            (Reason::Acknowledged, "Ana Silva acknowledged via sms"),
            (
                Reason::AlreadyAcknowledged,
                "Ana Silva acknowledged again via sms",
            ),
            (Reason::Declined, "Ana Silva declined via sms"),
            (Reason::ResolvedByPerson, "resolved by Ana Silva via sms"),
        ];
        for (reason, expected) in acts {
            assert_eq!(acted(reason), expected);
        }
    }

    #[test]
    fn a_step_names_whom_it_pages_and_who_is_on_call() {
        let pages = vec![
            PagedTarget::User {
                user: "ana".into(),
                schedule: Some("night".into()),
            },
            PagedTarget::User {
                user: "bo".into(),
                schedule: None,
            },
        ];
        let wait = Duration::minutes(5);
        let body = EscalationEntry::StepStarted {
            step: 2,
            pages,
            wait,
        };
        let text = said(Reason::WaitOver, body, EntryDetail::default());
        assert_eq!(text, "step 2: pages ana (on call on night), bo; waits 5m");
        let nobody = EscalationEntry::FallbackPaged(Vec::new());
        let text = said(Reason::Fallback, nobody, EntryDetail::default());
        assert_eq!(text, "the fallback has nobody to page");
    }

    #[test]
    fn silences_beyond_the_first_few_are_counted() {
        let mut silences = SilenceNames {
            named: vec![(crate::engine::ids::SilenceId(3), "[team=\"db\"]".into())],
            others: 0,
        };
        let say = |silences: &SilenceNames| {
            let body = EscalationEntry::Silenced(silences.clone());
            said(Reason::Silenced, body, EntryDetail::default())
        };
        let one = say(&silences);
        let expected = "pages are held: silence 3 [team=\"db\"] covers all its firing alerts";
        assert_eq!(one, expected);
        silences.named.push(silences.named[0].clone());
        silences.others = 4;
        let several = say(&silences);
        assert!(
            several.ends_with(", 4 more cover all its firing alerts"),
            "{several}"
        );
    }

    #[test]
    fn an_attempt_says_how_it_ended_and_how_long_it_waited() {
        let to = Addressee::Contact {
            user: "ana".into(),
            contact: "phone".into(),
            medium: crate::engine::ruleset::Medium::Sms,
        };
        let started = AttemptEntry::Started {
            channel: "sms".into(),
            to: to.clone(),
            waited: Some(Duration::seconds(90)),
        };
        let text = said(Reason::PagePlanned, started, EntryDetail::default());
        assert_eq!(
            text,
            "sms → ana by phone (sms), after waiting 1m 30s for a slot"
        );
        let detail = EntryDetail {
            outcome: Some(Outcome::RefusedTarget),
            ..EntryDetail::default()
        };
        let channel = "sms".into();
        let ended = AttemptEntry::Ended { channel, to };
        let text = said(Reason::AttemptEnded, ended, detail);
        assert_eq!(text, "sms → ana by phone (sms): refused target");
    }
}
