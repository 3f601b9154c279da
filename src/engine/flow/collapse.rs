//! Steps and notify steps that fell due while nobody was there collapse to the highest one.

use crate::engine::entry_body::EscalationEntry;
use crate::engine::escalation;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Incident, Phase, Position};
use crate::engine::reason::Reason;
use crate::engine::ruleset::Policy;
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;

/// Overdue steps walked over while collapsing; beyond it the fallback's turn has come anyway.
const STEPS_WALKED_MAX: usize = 10_000;

pub fn collapse_one(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let now = tx.now.steady;
    let incident = tx.known_incident(number);
    let is_due = incident.escalation.due.is_some_and(|due| due < now);
    if is_due && incident.escalation.phase == Phase::Running && runs_on(tx, &incident) {
        collapse_steps(tx, &incident);
    } else {
        collapse_runs(tx, number);
    }
}

/// Whether steps beyond the present one may follow.
fn runs_on(tx: &StepTransaction<'_>, incident: &Incident) -> bool {
    let policy = tx.policy_of(incident);
    policy.is_some_and(|policy| escalation::runs_all_steps(incident, &policy))
}

/// Goes straight to the highest policy step that is due.
fn collapse_steps(tx: &mut StepTransaction<'_>, incident: &Incident) {
    let number = incident.number;
    let policy = tx.known_policy(incident);
    let (round, before) = highest_due(incident, &policy, tx.now.steady);
    tx.note(number, Reason::CollapsedSteps, EscalationEntry::Collapsed);
    tx.edit_incident(&number, |incident| {
        incident.runs.clear();
        incident.escalation.round = round;
        incident.escalation.position = before;
        incident.escalation.skip_wait_reason = None;
    });
    escalation::advance(tx, number, Reason::CollapsedSteps);
}

/// The place just before the highest step that is due, and its round.
fn highest_due(incident: &Incident, policy: &Policy, now: MonotonicTime) -> (u32, Position) {
    let escalation = &incident.escalation;
    let mut at = escalation.due.unwrap_or(now);
    let mut round = escalation.round;
    let mut position = escalation.position;
    for _ in 0..STEPS_WALKED_MAX {
        let next = match position {
            Position::Before | Position::Reassigned => 0,
            Position::Step(step) => step + 1,
            Position::Fallback => return (round, position),
        };
        let Some(step) = policy.steps.get(next) else {
            if round >= policy.repeat {
                return (round, position);
            }
            round += 1;
            position = Position::Before;
            continue;
        };
        at = at + step.wait;
        if at > now {
            return (round, position);
        }
        position = Position::Step(next);
    }
    (round, position)
}

/// Of a person's overdue notify steps only the last is paged.
fn collapse_runs(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    let now = tx.now.steady;
    for run in &incident.runs {
        let Some(user) = tx.rules.users.get(&run.user) else {
            continue;
        };
        let steps = user.notify.steps(incident.urgency);
        let overdue = steps
            .iter()
            .rposition(|step| run.started + step.after <= now);
        let Some(last) = overdue.filter(|last| *last > run.next) else {
            continue;
        };
        tx.edit_incident(&number, |incident| {
            for known in incident
                .runs
                .iter_mut()
                .filter(|known| known.user == run.user)
            {
                known.next = last;
                known.due = known.due.map(|due| due.min(now));
            }
        });
    }
}
