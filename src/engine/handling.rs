//! What an escalation does when people take an incident, hand it on, hurry it or sleep on it.

use super::draft::Draft;
use super::escalation::{
    FALLBACK_INTERVAL, advance, begin_step, page_fallback, page_fallback_for, page_named, reopen,
    set_phase, start_round,
};
use super::ids::IncidentNumber;
use super::incident::{Escalation, Handled, Incident, Phase, Position, Status};
use super::naming::name_targets;
use super::page::News;
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::Target;
use super::time::{Millis, Steady};
use super::urgency::Urgency;
use super::{deliver, updates};

/// How long the target of a reassignment has before the policy goes on.
const REASSIGNED_WAIT: Millis = Millis::minutes(5);

/// Somebody has it: escalation stops, nothing that asks starts any more. Where a joined alert asked
/// whoever sleeps on it, the snooze goes on.
pub(super) fn take(draft: &mut Draft<'_>, number: IncidentNumber, handled: Handled) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let timeout = draft
        .policy_of(&incident)
        .and_then(|policy| policy.ack_timeout);
    let now = draft.now.steady;
    let was_asked = incident.escalation.is_join_pending;
    let snoozed_until = incident.escalation.snoozed_until;
    let snoozed_until = snoozed_until.filter(|until| was_asked && *until > now);
    draft.edit_incident(&number, |incident| {
        let escalation = &mut incident.escalation;
        escalation.remaining = remaining(escalation, now);
        escalation.phase = match snoozed_until {
            Some(_) => Phase::Snoozed,
            None => Phase::Acknowledged,
        };
        escalation.due = snoozed_until.or(timeout.map(|timeout| now + timeout));
        escalation.snoozed_until = snoozed_until;
        escalation.hurried = None;
        escalation.is_join_pending = false;
        incident.status = Status::Acknowledged;
        incident.acknowledged = Some(handled);
        incident.runs.clear();
    });
    if let Some(until) = snoozed_until {
        let text = format!("the snooze goes on for {}", until.since(now));
        let (kind, detail) = (EntryKind::Escalation, EntryDetail::default());
        draft.note(number, kind, Reason::Snoozed, text, detail);
    }
    deliver::withdraw(draft, number);
    updates::tell(draft, number, News::Acknowledged);
}

/// What is left of the wait of the step at which somebody took it.
fn remaining(escalation: &Escalation, now: Steady) -> Option<Millis> {
    match escalation.phase {
        Phase::Running => escalation.due.map(|due| due.since(now)),
        // It was taken before.
        Phase::Acknowledged | Phase::Snoozed => escalation.remaining,
        Phase::GroupWait
        | Phase::Silenced
        | Phase::StepsOver
        | Phase::Exhausted
        | Phase::NotExpected
        | Phase::Ended => None,
    }
}

/// Hands the incident to targets that a person named; the policy goes on if they do not answer.
pub(super) fn reassign(draft: &mut Draft<'_>, number: IncidentNumber, targets: &[Target]) -> bool {
    let Some(incident) = draft.incident(&number) else {
        return false;
    };
    let named = name_targets(draft, &incident, targets);
    if named.is_empty() {
        return false;
    }
    // The runs end first, so that a page withdrawn before it left counts for nobody.
    draft.edit_incident(&number, |incident| incident.runs.clear());
    deliver::withdraw_all(draft, number);
    reopen(draft, number);
    draft.edit_incident(&number, |incident| {
        incident.escalation.round = 0;
        incident.escalation.reassigned = Some(targets.to_vec());
    });
    if incident.is_silenced {
        super::silence::hold(draft, number);
        return true;
    }
    page_named(draft, number, Position::Reassigned, named, REASSIGNED_WAIT);
    true
}

/// The next step now, whatever is left of the wait.
pub(super) fn escalate_now(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let was_acknowledged = incident.status == Status::Acknowledged;
    draft.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        // Asked for by a person, the fallback is paged again however often it was.
        incident.escalation.fallbacks = 0;
    });
    if incident.is_silenced {
        super::silence::hold(draft, number);
    } else if !incident.expects_acknowledgment() {
        set_phase(draft, number, Phase::NotExpected);
    } else if incident.urgency == Urgency::Low {
        // Asked for by a person: the policy's other steps are allowed once.
        advance_asked(draft, number, reason);
    } else {
        advance(draft, number, reason);
    }
    if was_acknowledged {
        updates::tell(draft, number, News::Triggered);
    }
}

fn advance_asked(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let Some(policy) = draft.policy_of(&incident) else {
        return;
    };
    let next = match incident.escalation.position {
        Position::Before | Position::Reassigned => 0,
        Position::Step(step) => step + 1,
        Position::Fallback => policy.steps.len(),
    };
    for index in next..policy.steps.len() {
        let named = name_targets(draft, &incident, &policy.steps[index].targets);
        if !named.is_empty() {
            return begin_step(draft, number, index, named, reason);
        }
    }
    page_fallback(draft, number, reason);
}

/// Sleeps on it for so long; then the same step goes on with what was left of its wait.
pub(super) fn snooze(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    handled: Handled,
    length: Millis,
) {
    draft.edit_incident(&number, |incident| incident.escalation.snoozed_until = None);
    take(draft, number, handled);
    let due = draft.now.steady + length;
    draft.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Snoozed;
        incident.escalation.due = Some(due);
        incident.escalation.snoozed_until = Some(due);
    });
}

pub(super) fn snooze_over(draft: &mut Draft<'_>, number: IncidentNumber) {
    let text = "the snooze is over; the same step goes on";
    let reason = Reason::SnoozeOver;
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        EntryDetail::default(),
    );
    draft.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        // Somebody had it: the fallback is paged again however often it was.
        incident.escalation.fallbacks = 0;
    });
    updates::tell(draft, number, News::Triggered);
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    if incident.is_silenced {
        super::silence::hold(draft, number);
    } else if !incident.expects_acknowledgment() {
        set_phase(draft, number, Phase::NotExpected);
    } else {
        go_on(draft, &incident);
    }
}

/// Pages the place in the policy at which the escalation stands once more, for what is left of its
/// wait.
fn go_on(draft: &mut Draft<'_>, incident: &Incident) {
    let number = incident.number;
    let position = incident.escalation.position;
    let left = incident.escalation.remaining;
    let left = left.filter(|left| *left > Millis::ZERO);
    let Some(policy) = draft.policy_of(incident) else {
        return;
    };
    let step = match position {
        Position::Before => None,
        Position::Step(index) => {
            let step = policy.steps.get(index);
            step.map(|step| (step.targets.as_slice(), step.wait))
        }
        Position::Fallback => {
            let wait = left.unwrap_or(FALLBACK_INTERVAL);
            return page_fallback_for(draft, number, Reason::SnoozeOver, wait);
        }
        Position::Reassigned => {
            let targets = incident.escalation.reassigned.as_deref();
            targets.map(|targets| (targets, REASSIGNED_WAIT))
        }
    };
    let Some((targets, wait)) = step else {
        return start_round(draft, number, 0);
    };
    let named = name_targets(draft, incident, targets);
    if named.is_empty() {
        return advance(draft, number, Reason::NobodyOnCall);
    }
    page_named(draft, number, position, named, left.unwrap_or(wait));
}
