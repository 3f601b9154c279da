//! Escalation: steps with waits, rounds, fallback; it stops when somebody has the incident.
//!
//! Every open incident that expects an acknowledgment has here a moment at which something will
//! happen, or a recorded end.

use std::sync::Arc;

use super::draft::Draft;
use super::ids::IncidentNumber;
use super::incident::{Incident, Phase, Position, Status, Trouble, Why};
use super::naming::{Named, name_of, name_targets, present_fallback};
use super::page::News;
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::Policy;
use super::time::Millis;
use super::trouble::Cause;
use super::urgency::Urgency;
use super::{closing, contact_test, deliver, handling, notify, trouble_desk, updates};

/// The fallback is paged again after this.
pub(super) const FALLBACK_INTERVAL: Millis = Millis::minutes(30);
/// The fallback is paged at most so often.
const FALLBACKS_MAX: u32 = 48;
/// Starts an incident's life: copies, and the first round unless something holds it.
pub(super) fn begin(draft: &mut Draft<'_>, number: IncidentNumber, group_wait: Millis) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let alerts = incident.alerts;
    if alerts.firing > 0 && alerts.firing == alerts.silenced {
        super::silence::hold(draft, number);
    } else if group_wait > Millis::ZERO && incident.expects_acknowledgment() {
        let due = draft.now.steady + group_wait;
        set_phase(draft, number, Phase::GroupWait);
        draft.edit_incident(&number, |incident| incident.escalation.due = Some(due));
        let text = format!("waits {group_wait} for more alerts");
        draft.note(
            number,
            EntryKind::Escalation,
            Reason::GroupWait,
            text,
            EntryDetail::default(),
        );
    } else {
        start(draft, number);
    }
}

/// Posts the copies and starts the first round.
pub(super) fn start(draft: &mut Draft<'_>, number: IncidentNumber) {
    updates::post_copies(draft, number);
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    if incident.expects_acknowledgment() {
        start_round(draft, number, 0);
    } else {
        set_phase(draft, number, Phase::NotExpected);
        let text = if contact_test::is_test(&incident) {
            "nobody is expected to acknowledge: it is a test page"
        } else {
            "nobody is expected to acknowledge: the route says policy: none"
        };
        let reason = Reason::NoAcknowledgmentExpected;
        draft.note(
            number,
            EntryKind::Escalation,
            reason,
            text,
            EntryDetail::default(),
        );
    }
}

/// Back to triggered, and from the first step on.
pub(super) fn restart(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    if !incident.is_open() {
        return;
    }
    let was_acknowledged = incident.status == Status::Acknowledged;
    reopen(draft, number);
    if incident.is_silenced {
        super::silence::hold(draft, number);
    } else if incident.expects_acknowledgment() {
        let text = format!("escalation starts again: {}", reason.meaning());
        draft.note(
            number,
            EntryKind::Escalation,
            reason,
            text,
            EntryDetail::default(),
        );
        start_round(draft, number, 0);
    }
    if was_acknowledged {
        updates::tell(draft, number, News::Triggered);
    }
}

pub(super) fn reopen(draft: &mut Draft<'_>, number: IncidentNumber) {
    draft.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.snoozed_until = None;
        incident.escalation.remaining = None;
        incident.escalation.reassigned = None;
        incident.escalation.fallbacks = 0;
    });
}

pub(super) fn set_phase(draft: &mut Draft<'_>, number: IncidentNumber, phase: Phase) {
    draft.edit_incident(&number, |incident| {
        incident.escalation.phase = phase;
        incident.escalation.due = None;
    });
}

/// Starts a round at its first step that names somebody.
pub(super) fn start_round(draft: &mut Draft<'_>, number: IncidentNumber, round: u32) {
    draft.edit_incident(&number, |incident| {
        incident.escalation.round = round;
        incident.escalation.position = Position::Before;
        incident.escalation.phase = Phase::Running;
        incident.escalation.hurried = None;
    });
    closing::archive_old_pages(draft, number);
    updates::post_copies(draft, number);
    if round > 0 {
        let text = format!("round {} begins", round + 1);
        let reason = Reason::RoundStarted;
        draft.note(
            number,
            EntryKind::Escalation,
            reason,
            text,
            EntryDetail::default(),
        );
    }
    advance(draft, number, Reason::StepStarted);
}

/// Goes on to the next step that names somebody, the next round, or the fallback.
pub(super) fn advance(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let Some(policy) = draft.policy_of(&incident) else {
        return;
    };
    let next = match incident.escalation.position {
        Position::Before | Position::Reassigned => 0,
        Position::Step(step) => step + 1,
        Position::Fallback => return page_fallback(draft, number, reason),
    };
    if next > 0 && !runs_all_steps(&incident, &policy) && notify::was_reached(draft, &incident) {
        return end_low(draft, number);
    }
    for index in next..policy.steps.len() {
        let named = name_targets(draft, &incident, &policy.steps[index].targets);
        if !named.is_empty() {
            begin_step(draft, number, index, named, reason);
            return;
        }
        let text = format!("step {} names nobody; the next begins at once", index + 1);
        let detail = step_detail(&incident, Some(index));
        draft.note(
            number,
            EntryKind::Escalation,
            Reason::NobodyOnCall,
            text,
            detail,
        );
    }
    end_round(draft, number, &policy, next == 0);
}

pub(super) fn runs_all_steps(incident: &Incident, policy: &Policy) -> bool {
    incident.urgency == Urgency::High || policy.escalate_low
}

fn end_round(draft: &mut Draft<'_>, number: IncidentNumber, policy: &Policy, nobody_named: bool) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let round = incident.escalation.round;
    if nobody_named {
        page_fallback(draft, number, Reason::NobodyNamed);
    } else if round < policy.repeat && runs_all_steps(&incident, policy) {
        start_round(draft, number, round + 1);
    } else {
        page_fallback(draft, number, Reason::Fallback);
    }
}

fn end_low(draft: &mut Draft<'_>, number: IncidentNumber) {
    set_phase(draft, number, Phase::StepsOver);
    let text = "no further step: the incident has low urgency";
    let reason = Reason::StepsOver;
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        EntryDetail::default(),
    );
}

pub(super) fn begin_step(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    index: usize,
    named: Vec<Named>,
    reason: Reason,
) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let Some(policy) = draft.policy_of(&incident) else {
        return;
    };
    let wait = policy.steps[index].wait;
    let names: Vec<String> = named.iter().map(name_of).collect();
    let text = format!(
        "step {}: pages {}; waits {wait}",
        index + 1,
        names.join(", ")
    );
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        step_detail(&incident, Some(index)),
    );
    page_named(draft, number, Position::Step(index), named, wait);
}

fn step_detail(incident: &Incident, index: Option<usize>) -> EntryDetail {
    EntryDetail {
        route: Some(incident.route.as_str().into()),
        policy: incident.policy_name(),
        step: index.and_then(|index| u32::try_from(index + 1).ok()),
        ..EntryDetail::default()
    }
}

/// Pages everybody named by a place in the policy and sets the time of the next.
pub(super) fn page_named(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    position: Position,
    named: Vec<Named>,
    wait: Millis,
) {
    let now = draft.now.steady;
    draft.edit_incident(&number, |incident| {
        let escalation = &mut incident.escalation;
        escalation.phase = Phase::Running;
        escalation.position = position;
        escalation.started = now;
        escalation.due = Some(now + wait);
        escalation.hurried = None;
    });
    let waits = (Some(now + wait), None);
    for named in named {
        match named {
            Named::Person { user, why } => {
                notify::start_run(draft, number, &user, Why { position, ..why });
            }
            Named::Channel { target, why } => {
                deliver::page_channel_target(draft, number, &target, &Why { position, ..why });
            }
        }
    }
    // A failure of the first while others were still to be paged is no reason to go on.
    draft.edit_incident(&number, |incident| {
        (incident.escalation.due, incident.escalation.hurried) = waits;
    });
    check_reached(draft, number);
}

/// Pages the fallback, which is asked again every half hour.
pub(super) fn page_fallback(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
    page_fallback_for(draft, number, reason, FALLBACK_INTERVAL);
}

/// Pages the fallback, which is asked again after `wait`.
pub(super) fn page_fallback_for(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    reason: Reason,
    wait: Millis,
) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    if incident.escalation.fallbacks >= FALLBACKS_MAX {
        return exhaust(draft, number);
    }
    let Some(policy) = draft.policy_of(&incident) else {
        return;
    };
    let mut named = name_targets(draft, &incident, &policy.fallback);
    if named.is_empty() {
        named = name_targets(draft, &incident, &present_fallback(draft));
    }
    let names: Vec<String> = named.iter().map(name_of).collect();
    let text = if names.is_empty() {
        "the fallback names nobody".to_owned()
    } else {
        format!("fallback: pages {}", names.join(", "))
    };
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        step_detail(&incident, None),
    );
    draft.edit_incident(&number, |incident| incident.escalation.fallbacks += 1);
    page_named(draft, number, Position::Fallback, named, wait);
    if incident.urgency == Urgency::Low {
        end_low(draft, number);
    }
}

fn exhaust(draft: &mut Draft<'_>, number: IncidentNumber) {
    set_phase(draft, number, Phase::Exhausted);
    let text = format!("the fallback was paged {FALLBACKS_MAX} times and nobody came");
    let reason = Reason::Exhausted;
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        EntryDetail::default(),
    );
    let is_own = draft
        .incident(&number)
        .is_some_and(|incident| incident.about.is_some());
    if !is_own {
        let trouble = Trouble {
            cause: Cause::Exhausted,
            subject: "".into(),
        };
        let text = format!("nobody acknowledged incident #{number}, whose escalation is exhausted");
        trouble_desk::raise(draft, trouble, &text);
    }
}

/// Lets the next step begin at once when every contact of everybody in this one failed for good.
pub(super) fn check_reached(draft: &mut Draft<'_>, number: IncidentNumber) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let escalation = &incident.escalation;
    let is_step = matches!(
        escalation.position,
        Position::Step(_) | Position::Reassigned
    );
    // At low urgency a report may come after the steps were over.
    let is_on = matches!(escalation.phase, Phase::Running | Phase::StepsOver);
    if !is_on || !is_step || escalation.hurried.is_some() {
        return;
    }
    if notify::has_hope(draft, &incident) {
        return;
    }
    let now = draft.now.steady;
    draft.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Running;
        incident.escalation.due = Some(now);
        incident.escalation.hurried = Some(Reason::NobodyReached);
    });
}

/// The incident's timers that are due.
pub(super) fn due(draft: &mut Draft<'_>, number: IncidentNumber) {
    let steady = draft.now.steady;
    let is_due = |moment: Option<super::time::Steady>| moment.is_some_and(|due| due <= steady);
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    if is_due(incident.flapping_until) {
        closing::flapping_over(draft, number);
    }
    if draft
        .incident(&number)
        .is_some_and(|incident| is_due(incident.escalation.due))
    {
        escalation_due(draft, number);
    }
    notify::runs_due(draft, number);
    if draft
        .incident(&number)
        .is_some_and(|incident| is_due(incident.update_due))
    {
        draft.edit_incident(&number, |incident| incident.update_due = None);
        updates::tell(draft, number, News::Joined);
    }
}

fn escalation_due(draft: &mut Draft<'_>, number: IncidentNumber) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    draft.edit_incident(&number, |incident| incident.escalation.due = None);
    match incident.escalation.phase {
        Phase::GroupWait => start(draft, number),
        Phase::Running => step_over(draft, number, &incident),
        Phase::Acknowledged if incident.escalation.is_join_pending => {
            join_unanswered(draft, number, &incident);
        }
        Phase::Acknowledged => restart(draft, number, Reason::AckTimeout),
        Phase::Snoozed => handling::snooze_over(draft, number),
        Phase::Silenced
        | Phase::StepsOver
        | Phase::Exhausted
        | Phase::NotExpected
        | Phase::Ended => {}
    }
}

/// The acknowledger did not answer to a joined alert in time, or a snooze ended first.
fn join_unanswered(draft: &mut Draft<'_>, number: IncidentNumber, incident: &Incident) {
    let snoozed_until = incident.escalation.snoozed_until;
    if snoozed_until.is_some_and(|until| until <= draft.now.steady) {
        handling::snooze_over(draft, number);
    } else {
        restart(draft, number, Reason::JoinUnanswered);
    }
}

fn step_over(draft: &mut Draft<'_>, number: IncidentNumber, incident: &Arc<Incident>) {
    let reason = incident.escalation.hurried.unwrap_or(Reason::WaitOver);
    if reason == Reason::WaitOver {
        notify::note_unsent(draft, incident);
    } else {
        let text = "every contact of everybody in this step failed; the next begins at once";
        draft.note(
            number,
            EntryKind::Escalation,
            reason,
            text,
            EntryDetail::default(),
        );
    }
    draft.edit_incident(&number, |incident| incident.escalation.hurried = None);
    advance(draft, number, reason);
}
