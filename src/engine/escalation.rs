//! Escalation: steps with waits, rounds, fallback; it stops when somebody has the incident.
//!
//! Every open incident that expects an acknowledgment has here a moment at which something will
//! happen, or a recorded end.

use std::sync::Arc;

use super::draft::Draft;
use super::ids::{IncidentNumber, UserName};
use super::incident::{Handled, Incident, Phase, Position, Status, Trouble, Why};
use super::page::News;
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::{ChannelTarget, Policy, Target};
use super::time::Millis;
use super::trouble::Cause;
use super::urgency::Urgency;
use super::{closing, deliver, notify, trouble_desk, updates};

/// The fallback is paged again after this.
const FALLBACK_INTERVAL: Millis = Millis::minutes(30);
/// The fallback is paged at most so often.
const FALLBACKS_MAX: u32 = 48;
/// How long the target of a reassignment has before the policy goes on.
const REASSIGNED_WAIT: Millis = Millis::minutes(5);

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
        let text = "nobody is expected to acknowledge: the route says policy: none";
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

fn reopen(draft: &mut Draft<'_>, number: IncidentNumber) {
    draft.edit_incident(&number, |incident| {
        incident.status = Status::Triggered;
        incident.acknowledged = None;
        incident.escalation.is_join_pending = false;
        incident.escalation.remaining = None;
        incident.escalation.reassigned = None;
        incident.escalation.fallbacks = 0;
    });
}

fn set_phase(draft: &mut Draft<'_>, number: IncidentNumber, phase: Phase) {
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
    if next > 0 && !runs_all_steps(&incident, &policy) {
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
    } else if round < policy.repeat {
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

/// Somebody or something that a step names now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Person { user: UserName, why: Why },
    Channel { target: ChannelTarget, why: Why },
}

/// Who the targets are at this moment; one person is named once. What names nobody is noted.
fn name_targets(draft: &mut Draft<'_>, incident: &Incident, targets: &[Target]) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for target in targets {
        match name_target(draft, incident, target) {
            Ok(found) => {
                let is_known = named.iter().any(|known| is_same(known, &found));
                if !is_known {
                    named.push(found);
                }
            }
            Err(reason) => {
                let text = format!("{target}: {}", reason.meaning());
                let detail = EntryDetail::default();
                draft.note(incident.number, EntryKind::Escalation, reason, text, detail);
            }
        }
    }
    named
}

fn is_same(one: &Named, other: &Named) -> bool {
    match (one, other) {
        (Named::Person { user: one, .. }, Named::Person { user: other, .. }) => one == other,
        (Named::Channel { target: one, .. }, Named::Channel { target: other, .. }) => one == other,
        (Named::Person { .. }, Named::Channel { .. })
        | (Named::Channel { .. }, Named::Person { .. }) => false,
    }
}

fn name_target(draft: &Draft<'_>, incident: &Incident, target: &Target) -> Result<Named, Reason> {
    let why = Why {
        route: incident.route.clone(),
        policy: incident.policy.as_ref().map(|pinned| pinned.name.clone()),
        position: incident.escalation.position,
        round: incident.escalation.round,
        schedule: None,
        revision: draft.rules.revision,
    };
    match target {
        Target::User(user) if draft.rules.users.contains_key(user) => Ok(Named::Person {
            user: user.clone(),
            why,
        }),
        Target::User(_) => Err(Reason::TargetGone),
        Target::Schedule(name) => {
            let schedule = draft.rules.schedules.get(name).ok_or(Reason::TargetGone)?;
            let overrides = draft.state.overrides_of(name);
            let person = schedule.person_at(draft.now.wall, &overrides);
            let user = person.ok_or(Reason::NobodyOnCall)?;
            if !draft.rules.users.contains_key(&user) {
                return Err(Reason::TargetGone);
            }
            Ok(Named::Person {
                user,
                why: Why {
                    schedule: Some(name.clone()),
                    ..why
                },
            })
        }
        Target::Channel(target) => {
            let channel = draft
                .rules
                .channel(&target.channel)
                .ok_or(Reason::NoChannel)?;
            if channel.media.is_empty() {
                return Err(Reason::NoChannel);
            }
            Ok(Named::Channel {
                target: target.clone(),
                why,
            })
        }
    }
}

fn begin_step(
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

fn name_of(named: &Named) -> String {
    match named {
        Named::Person { user, why } => match &why.schedule {
            Some(schedule) => format!("{user} (on call on {schedule})"),
            None => user.to_string(),
        },
        Named::Channel { target, .. } => target.to_string(),
    }
}

fn step_detail(incident: &Incident, index: Option<usize>) -> EntryDetail {
    EntryDetail {
        route: Some(incident.route.as_str().into()),
        step: index.and_then(|index| u32::try_from(index + 1).ok()),
        ..EntryDetail::default()
    }
}

/// Pages everybody named by a place in the policy and sets the time of the next.
fn page_named(
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
                deliver::page_channel_target(draft, number, &target, Why { position, ..why });
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
fn page_fallback(draft: &mut Draft<'_>, number: IncidentNumber, reason: Reason) {
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
    page_named(draft, number, Position::Fallback, named, FALLBACK_INTERVAL);
    if incident.urgency == Urgency::Low {
        end_low(draft, number);
    }
}

/// The first step of the root route's policy as it is now.
fn present_fallback(draft: &Draft<'_>) -> Vec<Target> {
    let root = draft
        .rules
        .tree
        .root()
        .and_then(|root| root.policy.as_ref());
    let policy = root.and_then(|name| draft.rules.policies.get(name));
    policy
        .and_then(|policy| policy.steps.first())
        .map(|s| s.targets.clone())
        .unwrap_or_default()
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
    if escalation.phase != Phase::Running || !is_step || escalation.hurried.is_some() {
        return;
    }
    if notify::has_hope(draft, &incident) {
        return;
    }
    let now = draft.now.steady;
    draft.edit_incident(&number, |incident| {
        incident.escalation.due = Some(now);
        incident.escalation.hurried = Some(Reason::NobodyReached);
    });
}

/// Somebody has it: escalation stops, nothing that asks starts any more.
pub(super) fn take(draft: &mut Draft<'_>, number: IncidentNumber, handled: Handled) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let timeout = draft
        .policy_of(&incident)
        .and_then(|policy| policy.ack_timeout);
    let now = draft.now.steady;
    draft.edit_incident(&number, |incident| {
        let escalation = &mut incident.escalation;
        if escalation.phase == Phase::Running {
            escalation.remaining = escalation.due.map(|due| due.since(now));
        }
        escalation.phase = Phase::Acknowledged;
        escalation.due = timeout.map(|timeout| now + timeout);
        escalation.hurried = None;
        escalation.is_join_pending = false;
        incident.status = Status::Acknowledged;
        incident.acknowledged = Some(handled);
        incident.runs.clear();
    });
    deliver::withdraw(draft, number);
    updates::tell(draft, number, News::Acknowledged);
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
    deliver::withdraw_all(draft, number);
    reopen(draft, number);
    draft.edit_incident(&number, |incident| {
        incident.runs.clear();
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

/// Sleeps on it until `due`; then the same step goes on with what was left of its wait.
pub(super) fn snooze(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    handled: Handled,
    length: Millis,
) {
    take(draft, number, handled);
    let due = draft.now.steady + length;
    draft.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Snoozed;
        incident.escalation.due = Some(due);
    });
}

fn snooze_over(draft: &mut Draft<'_>, number: IncidentNumber) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
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
    });
    updates::tell(draft, number, News::Triggered);
    if incident.is_silenced {
        return super::silence::hold(draft, number);
    }
    let policy = draft.policy_of(&incident);
    let (Some(policy), Position::Step(index)) = (policy, incident.escalation.position) else {
        return start_round(draft, number, 0);
    };
    let Some(step) = policy.steps.get(index) else {
        return start_round(draft, number, 0);
    };
    let named = name_targets(draft, &incident, &step.targets);
    if named.is_empty() {
        return advance(draft, number, Reason::NobodyOnCall);
    }
    let wait = incident
        .escalation
        .remaining
        .filter(|left| *left > Millis::ZERO);
    page_named(
        draft,
        number,
        Position::Step(index),
        named,
        wait.unwrap_or(step.wait),
    );
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
            restart(draft, number, Reason::JoinUnanswered);
        }
        Phase::Acknowledged => restart(draft, number, Reason::AckTimeout),
        Phase::Snoozed => snooze_over(draft, number),
        Phase::Silenced
        | Phase::StepsOver
        | Phase::Exhausted
        | Phase::NotExpected
        | Phase::Ended => {}
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
