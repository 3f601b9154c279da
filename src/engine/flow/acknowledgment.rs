//! What an escalation does when people acknowledge an incident, reassign it, hurry it or snooze it.

use crate::engine::entry_body::{EscalationEntry, PageEntry};
use crate::engine::escalation::{
    FALLBACK_INTERVAL, advance, begin_step, page_fallback, page_fallback_for, page_named, reopen,
    restart, set_phase, start_round,
};
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Escalation, Handled, Incident, PageCause, Phase, Position, Status};
use crate::engine::page::UpdateKind;
use crate::engine::reason::Reason;
use crate::engine::ruleset::{PolicyStep, Target};
use crate::engine::target_resolution::resolve_targets;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::engine::{covering, dependents, notes, notification, updates, withdrawal};

/// How long the target of a reassignment has before the policy goes on.
const REASSIGNED_WAIT: Duration = Duration::minutes(5);

/// Acknowledged: escalation stops, nothing that asks starts any more. Where a joined alert asked
/// whoever snoozed it, the snooze goes on.
pub fn acknowledge(tx: &mut StepTransaction<'_>, number: IncidentNumber, handled: Handled) {
    dependents::end_hold(tx, number);
    let incident = tx.known_incident(number);
    let timeout = tx
        .policy_of(&incident)
        .and_then(|policy| policy.ack_timeout);
    let now = tx.now.steady;
    let was_asked = incident.escalation.is_join_pending;
    let snoozed_until = incident.escalation.snoozed_until;
    let snoozed_until = snoozed_until.filter(|until| was_asked && *until > now);
    tx.edit_incident(&number, |incident| {
        let escalation = &mut incident.escalation;
        escalation.remaining = remaining(escalation, now);
        escalation.phase = match snoozed_until {
            Some(_) => Phase::Snoozed,
            None => Phase::Acknowledged,
        };
        escalation.due = snoozed_until.or(timeout.map(|timeout| now + timeout));
        escalation.snoozed_until = snoozed_until;
        escalation.skip_wait_reason = None;
        escalation.is_join_pending = false;
        incident.status = Status::Acknowledged;
        incident.acknowledged = Some(handled);
        incident.runs.clear();
    });
    if let Some(until) = snoozed_until {
        let left = EscalationEntry::StillSnoozed(until.since(now));
        tx.note(number, Reason::Snoozed, left);
    }
    withdrawal::withdraw(tx, number);
    updates::tell(tx, number, UpdateKind::Acknowledged);
}

/// What is left of the wait of the step at which somebody took it.
fn remaining(escalation: &Escalation, now: MonotonicTime) -> Option<Duration> {
    match escalation.phase {
        Phase::Running => escalation.due.map(|due| due.since(now)),
        // It was taken before.
        Phase::Acknowledged | Phase::Snoozed => escalation.remaining,
        Phase::GroupWait
        | Phase::Silenced
        | Phase::StepsOver
        | Phase::Exhausted
        | Phase::NotExpected
        | Phase::Held
        | Phase::Ended => None,
    }
}

/// Hands the incident to targets that a person named; the policy goes on if they do not answer.
pub fn reassign(tx: &mut StepTransaction<'_>, number: IncidentNumber, targets: &[Target]) -> bool {
    let incident = tx.known_incident(number);
    let named = resolve_targets(tx, &incident, targets);
    if named.is_empty() {
        return false;
    }
    // The runs end first, so that a page withdrawn before it left counts for nobody.
    tx.edit_incident(&number, |incident| incident.runs.clear());
    withdrawal::withdraw_all(tx, number);
    reopen(tx, number);
    tx.edit_incident(&number, |incident| {
        incident.escalation.round = 0;
        incident.escalation.reassigned = Some(targets.to_vec());
    });
    if incident.is_silenced {
        covering::hold(tx, number);
        return true;
    }
    page_named(tx, number, Position::Reassigned, named, REASSIGNED_WAIT);
    true
}

/// The next step now, whatever is left of the wait.
pub fn escalate_now(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    dependents::end_hold(tx, number);
    let incident = tx.known_incident(number);
    let was_acknowledged = incident.status == Status::Acknowledged;
    tx.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        // Asked for by a person, the fallback is paged again however often it was.
        incident.escalation.fallbacks = 0;
    });
    if incident.is_silenced {
        covering::hold(tx, number);
    } else if !incident.expects_acknowledgment() {
        set_phase(tx, number, Phase::NotExpected);
    } else if incident.urgency == Urgency::Low {
        // Asked for by a person: the policy's other steps are allowed once.
        advance_asked(tx, number, reason);
    } else {
        advance(tx, number, reason);
    }
    if was_acknowledged {
        updates::tell(tx, number, UpdateKind::Triggered);
    }
}

fn advance_asked(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let incident = tx.known_incident(number);
    let policy = tx.known_policy(&incident);
    let next = match incident.escalation.position {
        Position::Before | Position::Reassigned => 0,
        Position::Step(step) => step + 1,
        Position::Fallback => policy.steps.len(),
    };
    for index in next..policy.steps.len() {
        let named = resolve_targets(tx, &incident, &policy.steps[index].targets);
        if !named.is_empty() {
            return begin_step(tx, number, index, named, reason);
        }
    }
    page_fallback(tx, number, reason);
}

/// Snoozes it for so long; then the same step goes on with what was left of its wait.
pub fn snooze(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    handled: Handled,
    length: Duration,
) {
    tx.edit_incident(&number, |incident| incident.escalation.snoozed_until = None);
    acknowledge(tx, number, handled);
    let due = tx.now.steady + length;
    tx.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Snoozed;
        incident.escalation.due = Some(due);
        incident.escalation.snoozed_until = Some(due);
    });
}

pub fn snooze_over(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    tx.note(number, Reason::SnoozeOver, EscalationEntry::SnoozeOver);
    tx.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        // Somebody had it: the fallback is paged again however often it was.
        incident.escalation.fallbacks = 0;
    });
    updates::tell(tx, number, UpdateKind::Triggered);
    let incident = tx.known_incident(number);
    if incident.is_silenced {
        covering::hold(tx, number);
    } else if !incident.expects_acknowledgment() {
        set_phase(tx, number, Phase::NotExpected);
    } else {
        resume(tx, &incident);
    }
}

/// Pages the place in the policy at which the escalation stands once more, for what is left of its
/// wait.
fn resume(tx: &mut StepTransaction<'_>, incident: &Incident) {
    let number = incident.number;
    let position = incident.escalation.position;
    let left = incident.escalation.remaining;
    let left = left.filter(|left| *left > Duration::ZERO);
    let policy = tx.known_policy(incident);
    let step = match position {
        Position::Before => None,
        Position::Step(index) => {
            let step = policy.steps.get(index);
            step.map(|step| (step.targets.as_slice(), step.wait))
        }
        Position::Fallback => {
            let wait = left.unwrap_or(FALLBACK_INTERVAL);
            return page_fallback_for(tx, number, Reason::SnoozeOver, wait);
        }
        Position::Reassigned => {
            let targets = incident.escalation.reassigned.as_deref();
            targets.map(|targets| (targets, REASSIGNED_WAIT))
        }
    };
    let Some((targets, wait)) = step else {
        return start_round(tx, number, 0);
    };
    let named = resolve_targets(tx, incident, targets);
    if named.is_empty() {
        return advance(tx, number, Reason::NobodyOnCall);
    }
    page_named(tx, number, position, named, left.unwrap_or(wait));
}

/// How long an acknowledger has to answer to a joined alert when the policy has no step.
const JOIN_WAIT: Duration = Duration::minutes(5);

/// A new alert joined what somebody has: that person is asked again, not more often than the
/// route's join interval; unanswered, the incident returns to triggered.
pub fn page_acknowledger(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    let now = tx.now.steady;
    let recently = incident
        .joined_page_at
        .is_some_and(|at| now.since(at) < incident.join_interval);
    if recently || !incident.expects_acknowledgment() {
        return;
    }
    let user = incident
        .acknowledged
        .as_ref()
        .and_then(|handled| handled.user.clone());
    let Some(user) = user.filter(|user| tx.rules.users.contains_key(user)) else {
        return restart(tx, number, Reason::JoinedIncident);
    };
    let policy = tx.policy_of(&incident);
    let first: Option<PolicyStep> = policy.and_then(|policy| policy.steps.first().cloned());
    let wait = first.map_or(JOIN_WAIT, |step| step.wait);
    tx.edit_incident(&number, |incident| {
        incident.joined_page_at = Some(now);
        incident.runs.clear();
        let escalation = &mut incident.escalation;
        escalation.is_join_pending = true;
        escalation.phase = Phase::Acknowledged;
        // A snooze that ends first ends as it would have.
        let unanswered = now + wait;
        let due = escalation.snoozed_until.map(|until| until.min(unanswered));
        escalation.due = Some(due.unwrap_or(unanswered));
    });
    let why = PageCause {
        route: incident.route.clone(),
        policy: incident.policy.as_ref().map(|pinned| pinned.name.clone()),
        position: Position::Before,
        round: incident.escalation.round,
        schedule: None,
        revision: tx.rules.revision,
    };
    let asked = PageEntry::Acknowledger {
        user: user.clone(),
        wait,
    };
    notes::note_person(tx, number, &user, Reason::JoinedIncident, asked);
    notification::start_run(tx, number, &user, why);
}
