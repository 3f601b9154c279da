//! What people do with incidents: acknowledge, give back, resolve, snooze, escalate,
//! hand over, note.
//!
//! Acknowledging twice is harmless and tells the second person who was first.

use std::sync::Arc;

use crate::engine::decision::{ActResult, Acted, Refusal};
use crate::engine::entry_body::PersonEntry;
use crate::engine::event::Text;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Handled, Incident, Note, Status};
use crate::engine::input::{Act, ActOn, Actor, ReassignTo, Verb};
use crate::engine::page::IncidentRef;
use crate::engine::reachability::ContactNeeds;
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    acknowledgment, escalation, pinned_policy, reachability, resolution, withdrawal,
};

/// Characters of a note.
const NOTE_CHARACTERS: usize = 2_000;

/// Does one act on each of its incidents and answers with what became of it.
pub fn act(tx: &mut StepTransaction<'_>, act: &Act) -> Result<Vec<Acted>, Refusal> {
    let act = &Act {
        actor: tx.rules.with_full_name(act.actor.clone()),
        ..act.clone()
    };
    let on = match &act.on {
        ActOn::Incidents(numbers) => numbers
            .iter()
            .map(|number| (*number, None))
            .collect::<Vec<_>>(),
        ActOn::Page(page) => {
            let Some(page) = tx.page(page) else {
                return Ok(Vec::new());
            };
            let shown = |known: &IncidentRef| (known.number, Some(known.generation));
            page.incidents.iter().map(shown).collect()
        }
    };
    check(tx, &act.verb)?;
    check_addressee(tx, &on, &act.verb)?;
    let acted = on
        .into_iter()
        .map(|(number, generation)| one(tx, number, generation, act));
    Ok(acted.collect())
}

fn check(tx: &StepTransaction<'_>, verb: &Verb) -> Result<(), Refusal> {
    match verb {
        Verb::Snooze { until } if *until <= tx.now.wall => {
            let help = "give a time after now";
            Err(Refusal::invalid("snooze until", until, help))
        }
        Verb::Snooze { until } if until.since(tx.now.wall) > Duration::days(30) => {
            let help = "snooze for at most 30 days";
            Err(Refusal::invalid("snooze until", until, help))
        }
        Verb::Note { text } if text.chars().count() > NOTE_CHARACTERS => {
            let count = format!("{} characters", text.chars().count());
            let help = format!("use at most {NOTE_CHARACTERS}");
            Err(Refusal::invalid("note of", &count, help))
        }
        Verb::Acknowledge
        | Verb::Unacknowledge
        | Verb::Resolve
        | Verb::Snooze { .. }
        | Verb::Escalate
        | Verb::Decline
        | Verb::Reassign { .. }
        | Verb::Note { .. } => Ok(()),
    }
}

/// Refuses to hand any of the incidents to somebody who would not be told; those that are not open
/// are answered one by one.
fn check_addressee(
    tx: &StepTransaction<'_>,
    on: &[(IncidentNumber, Option<u64>)],
    verb: &Verb,
) -> Result<(), Refusal> {
    let Verb::Reassign { to } = verb else {
        return Ok(());
    };
    let known = on.iter().filter_map(|(number, _)| tx.incident(number));
    let mut open = known.filter(|incident| incident.is_open());
    open.try_for_each(|incident| reachability::check(tx, to, &ContactNeeds::from(&*incident)))
}

/// Acts on one incident; `shown` is the generation that a link or button showed.
fn one(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    shown: Option<u64>,
    act: &Act,
) -> Acted {
    let Some(incident) = tx.incident(&number) else {
        let is_past = number.0 > 0 && number < tx.next_number();
        let result = if is_past {
            ActResult::NotOpen
        } else {
            ActResult::NotFound
        };
        let (status, acknowledged, linked) = (is_past.then_some(Status::Resolved), None, vec![]);
        return Acted {
            number,
            result,
            status,
            acknowledged,
            linked,
        };
    };
    let is_other = shown.is_some_and(|generation| generation != incident.generation);
    let is_note = matches!(act.verb, Verb::Note { .. });
    let result = if is_other || (!incident.is_open() && !is_note) {
        ActResult::NotOpen
    } else {
        perform(tx, &incident, act)
    };
    let linked = linked(tx, number);
    let after = tx.incident(&number);
    Acted {
        number,
        result,
        status: after.as_ref().map(|incident| incident.status),
        acknowledged: after.and_then(|incident| incident.acknowledged.clone()),
        linked,
    }
}

fn perform(tx: &mut StepTransaction<'_>, incident: &Arc<Incident>, act: &Act) -> ActResult {
    let number = incident.number;
    let actor = &act.actor;
    match &act.verb {
        Verb::Acknowledge => acknowledge(tx, incident, actor),
        Verb::Unacknowledge if incident.status == Status::Triggered => ActResult::AlreadySo,
        Verb::Unacknowledge => {
            tell(
                tx,
                number,
                Reason::Unacknowledged,
                actor,
                PersonEntry::Unacknowledged,
            );
            escalation::restart(tx, number, Reason::Unacknowledged);
            ActResult::Done
        }
        Verb::Resolve => {
            resolution::resolve_by_person(tx, number, handled(tx, actor));
            ActResult::Done
        }
        Verb::Snooze { until } => {
            let length = until.since(tx.now.wall);
            let snoozed = PersonEntry::Snoozed(length);
            tell(tx, number, Reason::Snoozed, actor, snoozed);
            let handled = handled(tx, actor);
            acknowledgment::snooze(tx, number, handled, length);
            ActResult::Done
        }
        Verb::Escalate => {
            tell(
                tx,
                number,
                Reason::EscalatedByHand,
                actor,
                PersonEntry::Escalated,
            );
            acknowledgment::escalate_now(tx, number, Reason::EscalatedByHand);
            ActResult::Done
        }
        Verb::Decline if incident.status != Status::Triggered => ActResult::AlreadySo,
        Verb::Decline => {
            tell(tx, number, Reason::Declined, actor, PersonEntry::Declined);
            tx.edit_incident(&number, |incident| {
                incident
                    .runs
                    .retain(|run| Some(&run.user) != actor.user.as_ref());
            });
            acknowledgment::escalate_now(tx, number, Reason::Declined);
            ActResult::Done
        }
        Verb::Reassign { to } => reassign(tx, incident, actor, to),
        Verb::Note { text } => {
            note(tx, number, actor, text);
            ActResult::Done
        }
    }
}

fn acknowledge(tx: &mut StepTransaction<'_>, incident: &Arc<Incident>, actor: &Actor) -> ActResult {
    let number = incident.number;
    if incident.status == Status::Acknowledged && !incident.escalation.is_join_pending {
        tell(
            tx,
            number,
            Reason::AlreadyAcknowledged,
            actor,
            PersonEntry::AcknowledgedAgain,
        );
        return ActResult::AlreadySo;
    }
    tell(
        tx,
        number,
        Reason::Acknowledged,
        actor,
        PersonEntry::Acknowledged,
    );
    let handled = handled(tx, actor);
    acknowledgment::acknowledge(tx, number, handled);
    ActResult::Done
}

fn handled(tx: &StepTransaction<'_>, actor: &Actor) -> Handled {
    Handled {
        by: actor.name.clone(),
        user: actor.user.clone(),
        via: actor.via,
        at: tx.now.wall,
    }
}

/// Notes what a person did.
pub fn tell(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    reason: Reason,
    actor: &Actor,
    act: PersonEntry,
) {
    tx.note_in_detail(number, reason, act, EntryDetail::of(actor));
}

fn reassign(
    tx: &mut StepTransaction<'_>,
    incident: &Arc<Incident>,
    actor: &Actor,
    to: &ReassignTo,
) -> ActResult {
    let number = incident.number;
    let name = match to {
        ReassignTo::Target(target) => target.to_string(),
        ReassignTo::Policy(policy) => format!("policy/{policy}"),
    };
    let reassigned = PersonEntry::Reassigned { to: name.into() };
    tell(tx, number, Reason::Reassigned, actor, reassigned);
    match to {
        ReassignTo::Target(target) => {
            acknowledgment::reassign(tx, number, std::slice::from_ref(target));
        }
        ReassignTo::Policy(policy) => {
            let Some(policy) = pinned_policy::policy_named(tx, policy) else {
                return ActResult::NotFound;
            };
            if let Some(old) = &incident.policy {
                pinned_policy::unpin(tx, old);
            }
            let key = pinned_policy::pin(tx, policy);
            withdrawal::withdraw_all(tx, number);
            tx.edit_incident(&number, |incident| {
                incident.policy = Some(key);
                incident.runs.clear();
            });
            escalation::restart(tx, number, Reason::Reassigned);
        }
    }
    ActResult::Done
}

fn note(tx: &mut StepTransaction<'_>, number: IncidentNumber, actor: &Actor, text: &Text) {
    let noted = PersonEntry::Noted(text.clone());
    tell(tx, number, Reason::Noted, actor, noted);
    let note = Note {
        at: tx.now.wall,
        by: actor.clone(),
        text: text.clone(),
    };
    tx.edit_incident(&number, |incident| {
        incident.notes.push(note);
        let surplus = incident.notes.len().saturating_sub(Incident::NOTES_MAX);
        incident.notes.drain(..surplus);
    });
}

/// Other open incidents with one of the incident's alerts, at most ten.
fn linked(tx: &StepTransaction<'_>, number: IncidentNumber) -> Vec<IncidentNumber> {
    let alerts = tx.alerts_of(number);
    let numbers = alerts.take(100).flat_map(|alert| alert.incidents.clone());
    let mut linked: Vec<IncidentNumber> = numbers.filter(|other| *other != number).collect();
    linked.sort();
    linked.dedup();
    // Alerts may not have left all that were resolved.
    linked.retain(|other| tx.incident(other).is_some_and(|known| known.is_open()));
    linked.truncate(10);
    linked
}
