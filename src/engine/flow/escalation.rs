//! Escalation: steps with waits, rounds, fallback; it stops when somebody has the incident.
//!
//! Every open incident that expects an acknowledgment has here a moment at which something will
//! happen, or a recorded end.

use crate::engine::entry_body::EscalationEntry;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Incident, PageCause, Phase, Position, Status};
use crate::engine::page::UpdateKind;
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::ruleset::Policy;
use crate::engine::target_resolution::{
    ResolvedTarget, paged_targets, present_fallback, resolve_targets,
};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::engine::{
    archive, copies, covering, dependents, notification, page_plan, reached, updates,
};

/// The fallback is paged again after this.
pub const FALLBACK_INTERVAL: Duration = Duration::minutes(30);
/// The fallback is paged at most so often.
const FALLBACKS_MAX: u32 = 48;
/// Starts an incident's life: copies, and the first round unless something holds it.
pub fn begin(tx: &mut StepTransaction<'_>, number: IncidentNumber, group_wait: Duration) {
    let incident = tx.known_incident(number);
    let alerts = incident.alerts;
    if alerts.firing > 0 && alerts.firing == alerts.silenced {
        covering::hold(tx, number);
    } else if group_wait > Duration::ZERO && incident.expects_acknowledgment() {
        let due = tx.now.steady + group_wait;
        set_phase(tx, number, Phase::GroupWait);
        tx.edit_incident(&number, |incident| incident.escalation.due = Some(due));
        let waits = EscalationEntry::GroupWait(group_wait);
        tx.note(number, Reason::GroupWait, waits);
    } else {
        start(tx, number);
    }
}

/// Starts the first round, unless the incident waits under one of a provider.
pub fn start(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    if !dependents::hold(tx, number) {
        start_now(tx, number);
    }
}

/// Posts the copies and starts the first round.
pub fn start_now(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    copies::post_copies(tx, number);
    let incident = tx.known_incident(number);
    if incident.expects_acknowledgment() {
        start_round(tx, number, 0);
    } else {
        set_phase(tx, number, Phase::NotExpected);
        let is_test_page = incident.is_test_page();
        let body = EscalationEntry::NotExpected { is_test_page };
        tx.note(number, Reason::NoAcknowledgmentExpected, body);
    }
}

/// Back to triggered, and from the first step on.
pub fn restart(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let incident = tx.known_incident(number);
    if !incident.is_open() {
        return;
    }
    let was_acknowledged = incident.status == Status::Acknowledged;
    reopen(tx, number);
    if incident.is_silenced {
        covering::hold(tx, number);
    } else if incident.expects_acknowledgment() {
        tx.note(number, reason, EscalationEntry::Restarted);
        start_round(tx, number, 0);
    }
    if was_acknowledged {
        updates::tell(tx, number, UpdateKind::Triggered);
    }
}

pub fn reopen(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    dependents::end_hold(tx, number);
    tx.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        incident.escalation.remaining = None;
        incident.escalation.reassigned = None;
        incident.escalation.fallbacks = 0;
    });
}

pub fn set_phase(tx: &mut StepTransaction<'_>, number: IncidentNumber, phase: Phase) {
    tx.edit_incident(&number, |incident| {
        incident.escalation.phase = phase;
        incident.escalation.due = None;
    });
}

/// Starts a round at its first step that names somebody.
pub fn start_round(tx: &mut StepTransaction<'_>, number: IncidentNumber, round: u32) {
    tx.edit_incident(&number, |incident| {
        incident.escalation.round = round;
        incident.escalation.position = Position::Before;
        incident.escalation.phase = Phase::Running;
        incident.escalation.skip_wait_reason = None;
    });
    archive::archive_old_pages(tx, number);
    copies::post_copies(tx, number);
    if round > 0 {
        let started = EscalationEntry::RoundStarted(round + 1);
        tx.note(number, Reason::RoundStarted, started);
    }
    advance(tx, number, Reason::StepStarted);
}

/// Goes on to the next step that names somebody, the next round, or the fallback.
pub fn advance(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let incident = tx.known_incident(number);
    if incident.policy.is_none() {
        return end_without_policy(tx, number);
    }
    let policy = tx.known_policy(&incident);
    let next = match incident.escalation.position {
        Position::Before | Position::Reassigned => 0,
        Position::Step(step) => step + 1,
        Position::Fallback => return page_fallback(tx, number, reason),
    };
    if next > 0 && !runs_all_steps(&incident, &policy) && reached::was_reached(tx, &incident) {
        return end_low(tx, number);
    }
    for index in next..policy.steps.len() {
        let named = resolve_targets(tx, &incident, &policy.steps[index].targets);
        if !named.is_empty() {
            begin_step(tx, number, index, named, reason);
            return;
        }
        let body = EscalationEntry::StepEmpty(step_number(index));
        let detail = step_detail(&incident, Some(index));
        tx.note_in_detail(number, Reason::NobodyOnCall, body, detail);
    }
    end_round(tx, number, &policy, next == 0);
}

pub fn runs_all_steps(incident: &Incident, policy: &Policy) -> bool {
    incident.urgency == Urgency::High || policy.escalate_low
}

fn end_round(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    policy: &Policy,
    nobody_named: bool,
) {
    let incident = tx.known_incident(number);
    let round = incident.escalation.round;
    if nobody_named {
        page_fallback(tx, number, Reason::NobodyNamed);
    } else if round < policy.repeat && runs_all_steps(&incident, policy) {
        start_round(tx, number, round + 1);
    } else {
        page_fallback(tx, number, Reason::Fallback);
    }
}

/// Somebody was handed an incident that expects no acknowledgment, and did not answer.
fn end_without_policy(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    set_phase(tx, number, Phase::NotExpected);
    let reason = Reason::NoAcknowledgmentExpected;
    tx.note(number, reason, EscalationEntry::NoPolicy);
}

fn end_low(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    set_phase(tx, number, Phase::StepsOver);
    tx.note(number, Reason::StepsOver, EscalationEntry::LowUrgency);
}

pub fn begin_step(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    index: usize,
    named: Vec<ResolvedTarget>,
    reason: Reason,
) {
    let incident = tx.known_incident(number);
    let policy = tx.known_policy(&incident);
    let wait = policy.steps[index].wait;
    let started = EscalationEntry::StepStarted {
        step: step_number(index),
        pages: paged_targets(&named),
        wait,
    };
    let detail = step_detail(&incident, Some(index));
    tx.note_in_detail(number, reason, started, detail);
    page_named(tx, number, Position::Step(index), named, wait);
}

fn step_detail(incident: &Incident, index: Option<usize>) -> EntryDetail {
    EntryDetail {
        route: Some(incident.route.as_str().into()),
        policy: incident.policy_name(),
        step: index.map(step_number),
        ..EntryDetail::default()
    }
}

/// From 1, as people count.
fn step_number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// Pages everybody named by a place in the policy and sets the time of the next.
pub fn page_named(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    position: Position,
    named: Vec<ResolvedTarget>,
    wait: Duration,
) {
    let now = tx.now.steady;
    tx.edit_incident(&number, |incident| {
        let escalation = &mut incident.escalation;
        escalation.phase = Phase::Running;
        escalation.position = position;
        escalation.started = now;
        escalation.due = Some(now + wait);
        escalation.skip_wait_reason = None;
    });
    for named in named {
        match named {
            ResolvedTarget::Person { user, why } => {
                notification::start_run(tx, number, &user, PageCause { position, ..why });
            }
            ResolvedTarget::Channel { target, why } => {
                page_plan::page_channel_target(tx, number, &target, &PageCause { position, ..why });
            }
        }
    }
    check_reached(tx, number);
}

/// Pages the fallback, which is asked again every half hour.
pub fn page_fallback(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    page_fallback_for(tx, number, reason, FALLBACK_INTERVAL);
}

/// Pages the fallback, which is asked again after `wait`.
pub fn page_fallback_for(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    reason: Reason,
    wait: Duration,
) {
    let incident = tx.known_incident(number);
    if incident.escalation.fallbacks >= FALLBACKS_MAX {
        return exhaust(tx, number);
    }
    let policy = tx.known_policy(&incident);
    let mut named = resolve_targets(tx, &incident, &policy.fallback);
    if named.is_empty() {
        named = resolve_targets(tx, &incident, &present_fallback(tx));
    }
    let paged = EscalationEntry::FallbackPaged(paged_targets(&named));
    let detail = step_detail(&incident, None);
    tx.note_in_detail(number, reason, paged, detail);
    tx.edit_incident(&number, |incident| incident.escalation.fallbacks += 1);
    page_named(tx, number, Position::Fallback, named, wait);
    if incident.urgency == Urgency::Low {
        end_low(tx, number);
    }
}

fn exhaust(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    set_phase(tx, number, Phase::Exhausted);
    let exhausted = EscalationEntry::Exhausted(FALLBACKS_MAX);
    tx.note(number, Reason::Exhausted, exhausted);
    tx.follow_up(FollowUp::Exhausted(number));
}

/// Lets the next step begin at once when every contact of everybody in this one failed for good.
pub fn check_reached(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    let escalation = &incident.escalation;
    let is_step = matches!(
        escalation.position,
        Position::Step(_) | Position::Reassigned
    );
    // At low urgency a report may come after the steps were over.
    let is_on = matches!(escalation.phase, Phase::Running | Phase::StepsOver);
    if !is_on || !is_step || escalation.skip_wait_reason.is_some() {
        return;
    }
    if reached::can_still_reach_anyone(tx, &incident) {
        return;
    }
    let now = tx.now.steady;
    tx.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Running;
        incident.escalation.due = Some(now);
        incident.escalation.skip_wait_reason = Some(Reason::NobodyReached);
    });
}
