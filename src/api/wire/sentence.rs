//! Entries of a timeline as sentences for people, without the time.

use std::fmt::{self, Display, Formatter};

use crate::engine::entry::{Entry, EntryDetail};
use crate::engine::entry_body::{
    Addressee, AlertEntry, AttemptEntry, EntryBody, EscalationEntry, IncidentEntry, PageEntry,
    PagedTarget, PersonEntry, SilenceNames, UrgencyBasis,
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
            EntryBody::Incident(body) => incident(f, body),
            EntryBody::Escalation(body) => escalation(f, body, reason),
            EntryBody::Page(body) => page(f, body, reason),
            EntryBody::Attempt(body) => attempt(f, body, detail),
            EntryBody::Person(body) => person(f, body, detail),
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
            match silences.count() {
                0 => Ok(()),
                _ => write!(f, " (under {})", names(silences)),
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

fn incident(f: &mut Formatter<'_>, body: &IncidentEntry) -> fmt::Result {
    match body {
        IncidentEntry::Opened { integration, title } => {
            write!(f, "opened by {integration}: {title}")
        }
        IncidentEntry::ProviderUrgency {
            urgency,
            impact,
            basis: UrgencyBasis::Impact,
        } => write!(f, "urgency {urgency}: the provider says {impact}"),
        IncidentEntry::ProviderUrgency {
            urgency,
            impact,
            basis: UrgencyBasis::Components,
        } => write!(
            f,
            "urgency {urgency}: components that are used are down ({impact})"
        ),
        IncidentEntry::OwnAlerts { alerts, incidents } => {
            let alerts = match alerts {
                1 => "1 alert of what depends on it fires".to_owned(),
                alerts => format!("{alerts} alerts of what depends on it fire"),
            };
            let incidents: Vec<String> = incidents
                .iter()
                .map(|number| format!("#{number}"))
                .collect();
            write!(f, "urgency high: {alerts} ({})", incidents.join(", "))
        }
        IncidentEntry::WaitsBeneath { incident, title } => {
            write!(f, "#{incident} waits beneath: {title}")
        }
        IncidentEntry::ProviderIncident { incident, title } => {
            write!(f, "what it depends on has an incident: #{incident} {title}")
        }
        IncidentEntry::ImpactRaised(impact) => write!(f, "the provider says {impact} now"),
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
        IncidentEntry::ResolvedInGroupWait => {
            f.write_str("resolved before the group wait ended; nobody was paged")
        }
        IncidentEntry::Unreported => {
            f.write_str("resolved: its last firing alert is no longer reported")
        }
        IncidentEntry::Resolved => {
            f.write_str("resolved: its last firing alert is no longer firing")
        }
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
            let next = "the next step starts at once";
            write!(f, "step {step} has nobody to page; {next}")
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
            let verb = match silences.count() {
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
        EscalationEntry::HeldUnder {
            under,
            because,
            at_most,
        } => write!(
            f,
            "waits under #{under}, because it depends on {because}; for {at_most} at most"
        ),
        EscalationEntry::HoldOver => write!(
            f,
            "waits no longer: {}; escalation starts at step 1",
            reason.meaning()
        ),
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
        PageEntry::ChannelLast(channel) => {
            write!(f, "{channel} is tried last: its provider has an incident")
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

fn person(f: &mut Formatter<'_>, body: &PersonEntry, detail: &EntryDetail) -> fmt::Result {
    let (by, via) = match &detail.actor {
        Some(actor) => (actor.name.as_ref(), actor.via.to_string()),
        None => ("somebody", "an unknown way".to_owned()),
    };
    match body {
        PersonEntry::Acknowledged => write!(f, "{by} acknowledged via {via}"),
        PersonEntry::AcknowledgedAgain => write!(f, "{by} acknowledged again via {via}"),
        PersonEntry::Unacknowledged => write!(f, "{by} unacknowledged it via {via}"),
        PersonEntry::Escalated => write!(f, "{by} escalated to the next step via {via}"),
        PersonEntry::Declined => write!(f, "{by} declined via {via}"),
        PersonEntry::Resolved => write!(f, "resolved by {by} via {via}"),
        PersonEntry::Snoozed(length) => write!(f, "{by} snoozed it for {length} via {via}"),
        PersonEntry::Reassigned { to } => write!(f, "{by} reassigned it to {to} via {via}"),
        PersonEntry::Noted(text) => write!(f, "{by} notes: {text} via {via}"),
        PersonEntry::Paged(text) => write!(f, "{by} pages: {text} via {via}"),
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
    use std::fmt::Write;
    use std::path::Path;

    use super::*;
    use crate::engine::samples;

    /// With `REVEILLE_BLESS=1` the file is written anew.
    #[test]
    fn every_entry_says_what_is_pinned() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join("tests/fixtures/sentences.txt");
        let mut said = String::new();
        for entry in samples::entries() {
            writeln!(said, "{}: {}", entry.reason, Sentence(&entry)).unwrap();
        }
        if std::env::var_os("REVEILLE_BLESS").is_some() {
            std::fs::write(&path, &said).unwrap();
        }
        let pinned = std::fs::read_to_string(&path).unwrap();
        assert_eq!(said, pinned, "{}", path.display());
    }
}
