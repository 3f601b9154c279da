//! What people do with incidents: acknowledge, give back, resolve, snooze, escalate,
//! hand over, note.
//!
//! Acknowledging twice is harmless and tells the second person who was first.

use std::sync::Arc;

use super::addressee::{self, Matter};
use super::decision::{ActResult, Acted, Answer, Refusal};
use super::draft::Draft;
use super::event::{Labels, Text};
use super::ids::{IncidentNumber, IntegrationName};
use super::incident::{AlertCounts, Handled, Incident, Note, Status};
use super::input::{Act, ActOn, Actor, PageByHand, ReassignTo, Verb};
use super::membership;
use super::page::IncidentRef;
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::Policy;
use super::time::Millis;
use super::{closing, deliver, escalation, handling};

/// Route name of incidents that people opened by hand.
const BY_HAND: &str = "by-hand";
/// Characters of a note.
const NOTE_CHARACTERS: usize = 2_000;

/// Does one act on each of its incidents and answers with what became of it.
pub(super) fn act(draft: &mut Draft<'_>, act: &Act) {
    let act = &Act {
        actor: act.actor.clone().in_full(draft.rules),
        ..act.clone()
    };
    let on = match &act.on {
        ActOn::Incidents(numbers) => numbers
            .iter()
            .map(|number| (*number, None))
            .collect::<Vec<_>>(),
        ActOn::Page(page) => {
            let Some(page) = draft.page(page) else {
                draft.answer = Answer::Acted(Vec::new());
                return;
            };
            let shown = |known: &IncidentRef| (known.number, Some(known.generation));
            page.incidents.iter().map(shown).collect()
        }
    };
    let checked = check(draft, &act.verb).and_then(|()| check_addressee(draft, &on, &act.verb));
    if let Err(refusal) = checked {
        draft.answer = Answer::Refused(refusal);
        return;
    }
    let acted = on
        .into_iter()
        .map(|(number, generation)| one(draft, number, generation, act));
    let acted = acted.collect();
    draft.answer = Answer::Acted(acted);
}

fn check(draft: &Draft<'_>, verb: &Verb) -> Result<(), Refusal> {
    match verb {
        Verb::Snooze { until } if *until <= draft.now.wall => Err(Refusal::Invalid {
            what: "snooze until",
            value: until.to_string(),
            cure: "give a time after now".to_owned(),
        }),
        Verb::Snooze { until } if until.since(draft.now.wall) > Millis::days(30) => {
            Err(Refusal::Invalid {
                what: "snooze until",
                value: until.to_string(),
                cure: "snooze for at most 30 days".to_owned(),
            })
        }
        Verb::Note { text } if text.chars().count() > NOTE_CHARACTERS => Err(Refusal::Invalid {
            what: "note of",
            value: format!("{} characters", text.chars().count()),
            cure: format!("use at most {NOTE_CHARACTERS}"),
        }),
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
    draft: &Draft<'_>,
    on: &[(IncidentNumber, Option<u64>)],
    verb: &Verb,
) -> Result<(), Refusal> {
    let Verb::Reassign { to } = verb else {
        return Ok(());
    };
    let known = on.iter().filter_map(|(number, _)| draft.incident(number));
    let mut open = known.filter(|incident| incident.is_open());
    open.try_for_each(|incident| addressee::check(draft, to, &Matter::from(&*incident)))
}

/// Acts on one incident; `shown` is the generation that a link or button showed.
fn one(draft: &mut Draft<'_>, number: IncidentNumber, shown: Option<u64>, act: &Act) -> Acted {
    let Some(incident) = draft.incident(&number) else {
        let is_past = number.0 > 0 && number < draft.next_number();
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
        perform(draft, &incident, act)
    };
    let linked = linked(draft, number);
    let after = draft.incident(&number);
    Acted {
        number,
        result,
        status: after.as_ref().map(|incident| incident.status),
        acknowledged: after.and_then(|incident| incident.acknowledged.clone()),
        linked,
    }
}

fn perform(draft: &mut Draft<'_>, incident: &Arc<Incident>, act: &Act) -> ActResult {
    let number = incident.number;
    let actor = &act.actor;
    match &act.verb {
        Verb::Acknowledge => acknowledge(draft, incident, actor),
        Verb::Unacknowledge if incident.status == Status::Triggered => ActResult::AlreadySo,
        Verb::Unacknowledge => {
            tell(draft, number, Reason::Unacknowledged, actor, "gave it back");
            escalation::restart(draft, number, Reason::Unacknowledged);
            ActResult::Done
        }
        Verb::Resolve => {
            closing::resolve_by_person(draft, number, handled(draft, actor));
            ActResult::Done
        }
        Verb::Snooze { until } => {
            let length = until.since(draft.now.wall);
            tell(
                draft,
                number,
                Reason::Snoozed,
                actor,
                &format!("has it and snoozed for {length}"),
            );
            let handled = handled(draft, actor);
            handling::snooze(draft, number, handled, length);
            ActResult::Done
        }
        Verb::Escalate => {
            tell(
                draft,
                number,
                Reason::EscalatedByHand,
                actor,
                "asked for the next step",
            );
            handling::escalate_now(draft, number, Reason::EscalatedByHand);
            ActResult::Done
        }
        Verb::Decline if incident.status != Status::Triggered => ActResult::AlreadySo,
        Verb::Decline => {
            tell(draft, number, Reason::Declined, actor, "cannot take it");
            draft.edit_incident(&number, |incident| {
                incident
                    .runs
                    .retain(|run| Some(&run.user) != actor.user.as_ref());
            });
            handling::escalate_now(draft, number, Reason::Declined);
            ActResult::Done
        }
        Verb::Reassign { to } => reassign(draft, incident, actor, to),
        Verb::Note { text } => {
            note(draft, number, actor, text);
            ActResult::Done
        }
    }
}

fn acknowledge(draft: &mut Draft<'_>, incident: &Arc<Incident>, actor: &Actor) -> ActResult {
    let number = incident.number;
    if incident.status == Status::Acknowledged && !incident.escalation.is_join_pending {
        let first = incident
            .acknowledged
            .as_ref()
            .map_or("somebody", |handled| &handled.by);
        let text = format!("would take it too; {first} has it already");
        tell(draft, number, Reason::AlreadyAcknowledged, actor, &text);
        return ActResult::AlreadySo;
    }
    tell(draft, number, Reason::Acknowledged, actor, "acknowledged");
    let handled = handled(draft, actor);
    handling::take(draft, number, handled);
    ActResult::Done
}

fn handled(draft: &Draft<'_>, actor: &Actor) -> Handled {
    Handled {
        by: actor.name.clone(),
        user: actor.user.clone(),
        via: actor.via,
        at: draft.now.wall,
    }
}

fn tell(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason, actor: &Actor, what: &str) {
    let text = format!("{} {what} via {}", actor.name, actor.via);
    draft.note(
        number,
        EntryKind::Person,
        reason,
        text,
        EntryDetail::of(actor),
    );
}

fn reassign(
    draft: &mut Draft<'_>,
    incident: &Arc<Incident>,
    actor: &Actor,
    to: &ReassignTo,
) -> ActResult {
    let number = incident.number;
    let name = match to {
        ReassignTo::Target(target) => target.to_string(),
        ReassignTo::Policy(policy) => format!("policy/{policy}"),
    };
    tell(
        draft,
        number,
        Reason::Reassigned,
        actor,
        &format!("handed it to {name}"),
    );
    match to {
        ReassignTo::Target(target) => {
            handling::reassign(draft, number, std::slice::from_ref(target));
        }
        ReassignTo::Policy(policy) => {
            let Some(policy) = membership::policy_named(draft, policy) else {
                return ActResult::NotFound;
            };
            if let Some(old) = &incident.policy {
                membership::unpin(draft, old);
            }
            let key = membership::pin(draft, policy);
            deliver::withdraw_all(draft, number);
            draft.edit_incident(&number, |incident| {
                incident.policy = Some(key);
                incident.runs.clear();
            });
            escalation::restart(draft, number, Reason::Reassigned);
        }
    }
    ActResult::Done
}

fn note(draft: &mut Draft<'_>, number: IncidentNumber, actor: &Actor, text: &Text) {
    tell(
        draft,
        number,
        Reason::Noted,
        actor,
        &format!("notes: {text}"),
    );
    let note = Note {
        at: draft.now.wall,
        by: actor.clone(),
        text: text.clone(),
    };
    draft.edit_incident(&number, |incident| {
        incident.notes.push(note);
        let surplus = incident.notes.len().saturating_sub(Incident::NOTES_MAX);
        incident.notes.drain(..surplus);
    });
}

/// Other open incidents with one of the incident's alerts, at most ten.
fn linked(draft: &Draft<'_>, number: IncidentNumber) -> Vec<IncidentNumber> {
    let alerts = draft.alerts_of(number);
    let numbers = alerts.take(100).flat_map(|alert| alert.incidents.clone());
    let mut linked: Vec<IncidentNumber> = numbers.filter(|other| *other != number).collect();
    linked.sort();
    linked.dedup();
    // Alerts may not have left all that were resolved.
    linked.retain(|other| draft.incident(other).is_some_and(|known| known.is_open()));
    linked.truncate(10);
    linked
}

/// A person pages somebody: an incident without alerts, which a person resolves.
pub(super) fn page_by_hand(draft: &mut Draft<'_>, request: &PageByHand) {
    let checked = addressee::check(draft, &request.to, &Matter::from(request));
    let policy = match checked.and_then(|()| by_hand(draft, request)) {
        Ok(policy) => policy,
        Err(refusal) => {
            draft.answer = Answer::Refused(refusal);
            return;
        }
    };
    let actor = request.actor.clone().in_full(draft.rules);
    let number = draft.next_incident();
    let key: Text = format!("{BY_HAND}/{number}").into();
    let generation = membership::count_opening(draft, &key, number);
    let policy = Some(membership::pin(draft, policy));
    let incident = Incident {
        number,
        generation,
        route: BY_HAND.into(),
        group_key: key,
        group_labels: Labels::default(),
        integration: IntegrationName::from(BY_HAND),
        status: Status::Triggered,
        urgency: request.urgency,
        title: request.text.clone(),
        service: None,
        policy,
        copy_to: Vec::new(),
        join_interval: Millis::minutes(5),
        opened_at: draft.now.wall,
        revision: draft.rules.revision,
        acknowledged: None,
        resolved: None,
        alerts: AlertCounts::default(),
        escalation: membership::new_escalation(),
        runs: Vec::new(),
        is_silenced: false,
        flapping_until: None,
        joined_page_at: None,
        update_due: None,
        about: None,
        opened_by: Some(actor.clone()),
        notes: Vec::new(),
        still_firing: false,
        last_alerts: Vec::new(),
        kept_alerts: Vec::new(),
    };
    draft.put_incident(number, incident);
    tell(
        draft,
        number,
        Reason::PagedByHand,
        &actor,
        &format!("pages: {}", request.text),
    );
    match &request.to {
        ReassignTo::Policy(_) => escalation::start(draft, number),
        ReassignTo::Target(target) => {
            if !handling::reassign(draft, number, std::slice::from_ref(target)) {
                escalation::start(draft, number);
            }
        }
    }
    draft.answer = Answer::Opened(number);
}

/// The policy of a page by hand: the one it goes to, or what the target falls back on.
fn by_hand(draft: &Draft<'_>, request: &PageByHand) -> Result<Arc<Policy>, Refusal> {
    let root = draft.rules.tree.root().and_then(|root| root.policy.clone());
    let name = match &request.to {
        ReassignTo::Policy(name) => Some(name.clone()),
        ReassignTo::Target(_) => root.or_else(|| draft.rules.policies.keys().next().cloned()),
    };
    let policy = name.and_then(|name| membership::policy_named(draft, &name));
    policy.ok_or_else(|| Refusal::Unknown {
        kind: "policy",
        name: "the root route's policy".to_owned(),
    })
}
