//! After a restart or a suspension: what no longer matters is dropped, what is overdue happens
//! once.
//!
//! Steps that fell due meanwhile collapse to the highest one; an attempt that a restart interrupted
//! is repeated once with the same idempotency key.

use serde::{Deserialize, Serialize};

use super::State;
use super::counters::Counters;
use super::draft::Draft;
use super::escalation;
use super::ids::{AlertId, IncidentNumber, PageId};
use super::incident::{Incident, Phase, Position, Trouble};
use super::page::{Page, PageState, Queued, Retry};
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::Policy;
use super::task::{self, TaskKind};
use super::time::{Millis, Steady};
use super::trouble::Cause;
use super::{budget, check, deliver, jump, pending, trouble_desk, unreported};

/// After a start no alert expires sooner than this: its source may need a moment to speak again.
const EXPIRY_GRACE: Millis = Millis::minutes(5);
/// Overdue steps walked over while collapsing; beyond it the fallback's turn has come anyway.
const STEPS_WALKED_MAX: usize = 10_000;

/// A start so soon after the one before, which did not end in order, is a quick one.
const QUICK: Millis = Millis::minutes(2);
/// So many in a row are a crash loop.
const QUICK_STARTS_MAX: u64 = 3;

/// How many quick starts in a row a start at this moment would make, if they are a crash loop.
pub fn crash_loop(state: &State, now: Steady) -> Option<u64> {
    let count = quick_starts(&state.counters, now);
    (count >= QUICK_STARTS_MAX).then_some(count)
}

fn quick_starts(counters: &Counters, now: Steady) -> u64 {
    let is_quick = |started: Steady| now.since(started) <= QUICK;
    if counters.started.is_some_and(is_quick) {
        counters.quick_starts + 1
    } else {
        0
    }
}

fn count_start(draft: &mut Draft<'_>) {
    let now = draft.now.steady;
    let count = quick_starts(&draft.counters, now);
    draft.counters.quick_starts = count;
    draft.counters.started = Some(now);
    if count >= QUICK_STARTS_MAX {
        let text = format!(
            "the router started {} times in a row, each within {QUICK} of the start before and \
             without an orderly end",
            count + 1
        );
        let trouble = Trouble {
            cause: Cause::CrashLoop,
            subject: "".into(),
        };
        trouble_desk::raise(draft, trouble, &text);
    }
}

/// The process is about to end in order.
pub(super) fn stop(draft: &mut Draft<'_>) {
    draft.counters.started = None;
    draft.counters.quick_starts = 0;
}

/// How far a recovery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    pub cause: Away,
    /// When it began, or one before it that did not end: what has happened since then is not to be
    /// recovered.
    pub began: Steady,
    /// The first page made since then.
    pub new_pages: PageId,
    pub stage: Stage,
}

/// Why the router was away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// It did not run: no answer will come to what was under way.
    Stopped,
    /// It slept, or the wall clock jumped ahead.
    Suspended,
}

/// What is looked at, from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Alerts(AlertId),
    Incidents(IncidentNumber),
    Pages(PageId),
}

/// The state was loaded.
pub(super) fn start(draft: &mut Draft<'_>) {
    count_start(draft);
    jump::begin_anew(draft);
    pending::drop_unfinished(draft);
    let began = drop_unfinished(draft);
    begin(draft, Away::Stopped, began);
    trouble_desk::clear_all_of(draft, Cause::LaneStalled);
    trouble_desk::look_for_gone(draft);
    trouble_desk::look_for_unusable_targets(draft);
    check::plan_anew(draft);
}

/// This start recovers all that earlier recoveries would have; the answer is when the first of them
/// began. What they paged goes over what was under way before.
fn drop_unfinished(draft: &mut Draft<'_>) -> Steady {
    let mut first = draft.now.steady;
    for task in draft.state.tasks().all() {
        if let TaskKind::Recover(recovery) = &task.kind {
            first = first.min(recovery.began);
            draft.drop_task(&task.id);
        }
    }
    first
}

/// The process slept, or the wall clock jumped ahead.
pub(super) fn suspended(draft: &mut Draft<'_>, lost: Millis) {
    jump::begin_anew(draft);
    jump::ahead(draft, lost);
    begin(draft, Away::Suspended, draft.now.steady);
    check::plan(draft);
}

/// The recovery is left to later steps: what is remembered may have to be kept before.
fn begin(draft: &mut Draft<'_>, cause: Away, began: Steady) {
    let recovery = Recovery {
        cause,
        began,
        new_pages: draft.next_page_id(),
        stage: Stage::Alerts(AlertId(0)),
    };
    task::keep(draft, TaskKind::Recover(recovery));
}

/// Goes on; the answer is what is left.
pub(super) fn advance(draft: &mut Draft<'_>, recovery: Recovery) -> Option<Recovery> {
    let stage = match recovery.stage {
        Stage::Alerts(next) => Some(keep_alerts(draft, next)),
        Stage::Incidents(next) => Some(collapse(draft, next)),
        Stage::Pages(next) => look_at_pages(draft, &recovery, next),
    };
    stage.map(|stage| Recovery { stage, ..recovery })
}

/// No alert ends soon for want of a report that may have been lost.
fn keep_alerts(draft: &mut Draft<'_>, next: AlertId) -> Stage {
    let now = draft.now.steady;
    let earliest = now + EXPIRY_GRACE;
    for alert in draft.state.alerts_after(next) {
        let ends_early = alert.expires.is_some_and(|at| at < earliest);
        let is_early = ends_early || alert.assertions.expire_before(earliest);
        let waits = alert.unreported.is_some_and(|wait| wait.since < now);
        if waits || alert.firing && is_early {
            draft.edit_alert(&alert.id, |alert| {
                unreported::begin_anew(alert, now);
                if alert.firing {
                    alert.assertions.keep_until(earliest);
                    alert.expires = alert.expires.map(|expires| expires.max(earliest));
                }
            });
        } else {
            draft.effort.look();
        }
        if draft.is_spent() {
            return Stage::Alerts(AlertId(alert.id.0 + 1));
        }
    }
    Stage::Incidents(IncidentNumber(0))
}

/// Collapses the overdue steps and notify steps of incidents.
fn collapse(draft: &mut Draft<'_>, next: IncidentNumber) -> Stage {
    let now = draft.now.steady;
    for incident in draft.state.incidents_after(next) {
        let number = incident.number;
        if incident.next_due().is_some_and(|due| due < now) {
            collapse_one(draft, number);
        } else {
            draft.effort.look();
        }
        if draft.is_spent() {
            return Stage::Incidents(IncidentNumber(number.0 + 1));
        }
    }
    Stage::Pages(PageId(0))
}

fn collapse_one(draft: &mut Draft<'_>, number: IncidentNumber) {
    let now = draft.now.steady;
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let is_due = incident.escalation.due.is_some_and(|due| due < now);
    if is_due && incident.escalation.phase == Phase::Running && runs_on(draft, &incident) {
        collapse_steps(draft, &incident);
    } else {
        collapse_runs(draft, number);
    }
}

/// What was under way is repeated once, or goes on waiting.
fn look_at_pages(draft: &mut Draft<'_>, recovery: &Recovery, next: PageId) -> Option<Stage> {
    for page in draft.state.pages_after(next) {
        if page.id >= recovery.new_pages {
            return None;
        }
        match recovery.cause {
            Away::Stopped if page.is_under_way() => interrupt(draft, page.id, recovery.began),
            Away::Suspended if !page.queued.is_empty() => {
                if let Some(page) = draft.page(&page.id) {
                    wait_on(draft, &page);
                }
            }
            Away::Stopped | Away::Suspended => draft.effort.look(),
        }
        if draft.is_spent() {
            return Some(Stage::Pages(PageId(page.id.0 + 1)));
        }
    }
    None
}

/// Whether steps beyond the present one may follow.
fn runs_on(draft: &Draft<'_>, incident: &Incident) -> bool {
    let policy = draft.policy_of(incident);
    policy.is_some_and(|policy| escalation::runs_all_steps(incident, &policy))
}

/// Whether a step of the incident was paged since the recovery began, and after this page. Where
/// the end of the policy was reached nobody is paged anew.
fn has_moved(draft: &Draft<'_>, number: IncidentNumber, page: &Page, began: Steady) -> bool {
    let incident = draft.incident(&number);
    incident.is_some_and(|incident| {
        let escalation = &incident.escalation;
        let is_later = escalation.started >= began && escalation.started > page.created;
        escalation.phase == Phase::Running && is_later
    })
}

/// Goes straight to the highest policy step that is due.
fn collapse_steps(draft: &mut Draft<'_>, incident: &Incident) {
    let number = incident.number;
    let Some(policy) = draft.policy_of(incident) else {
        return;
    };
    let (round, before) = highest_due(incident, &policy, draft.now.steady);
    let text = "steps fell due while the router was away; only the highest is paged now";
    let reason = Reason::CollapsedSteps;
    draft.note(
        number,
        EntryKind::Escalation,
        reason,
        text,
        EntryDetail::default(),
    );
    draft.edit_incident(&number, |incident| {
        incident.runs.clear();
        incident.escalation.round = round;
        incident.escalation.position = before;
        incident.escalation.hurried = None;
    });
    escalation::advance(draft, number, Reason::CollapsedSteps);
}

/// The place just before the highest step that is due, and its round.
fn highest_due(incident: &Incident, policy: &Policy, now: Steady) -> (u32, Position) {
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
fn collapse_runs(draft: &mut Draft<'_>, number: IncidentNumber) {
    let Some(incident) = draft.incident(&number) else {
        return;
    };
    let now = draft.now.steady;
    for run in &incident.runs {
        let Some(user) = draft.rules.users.get(&run.user) else {
            continue;
        };
        let steps = user.notify.steps(incident.urgency);
        let overdue = steps
            .iter()
            .rposition(|step| run.started + step.after <= now);
        let Some(last) = overdue.filter(|last| *last > run.next) else {
            continue;
        };
        draft.edit_incident(&number, |incident| {
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

/// What waited for a place goes on waiting: the time in which nobody could give one does not count.
fn wait_on(draft: &mut Draft<'_>, page: &Page) {
    let now = draft.now.steady;
    let failover_after = draft.rules.settings.failover_after;
    let is_late = |queued: &Queued| queued.next_due() < now + failover_after;
    if !page.queued.iter().any(is_late) {
        return;
    }
    draft.edit_page(&page.id, |page| {
        for queued in &mut page.queued {
            queued.until = queued.until.max(now + budget::RETRY_FOR);
            let due = queued.failover_due.as_mut();
            if let Some(due) = due {
                *due = (*due).max(now + failover_after);
            }
        }
    });
}

/// No answer will come to what was under way, and its places are free.
fn end_attempts(draft: &mut Draft<'_>, page: &Page) {
    draft.edit_page(&page.id, |page| {
        let attempts = page.attempts.iter_mut();
        for attempt in attempts.filter(|attempt| attempt.outcome.is_none()) {
            attempt.is_interrupted = true;
        }
    });
}

/// A page whose attempt has no answer: once more if it still matters and no step went over it.
fn interrupt(draft: &mut Draft<'_>, id: PageId, began: Steady) {
    let Some(page) = draft.page(&id) else { return };
    if page.state != PageState::Sending {
        // Somebody has it already, by another channel.
        return end_attempts(draft, &page);
    }
    let is_stale = page.asks()
        && (!deliver::still_asks(draft, &page)
            || page
                .incidents
                .iter()
                .all(|known| has_moved(draft, known.number, &page, began)));
    if !is_stale {
        wait_on(draft, &page);
    }
    let interrupted = page.in_flight().map(|attempt| attempt.channel.clone());
    let is_worn = interrupted
        .as_ref()
        .is_some_and(|channel| page.attempts_on(channel) >= budget::ATTEMPTS_MAX);
    let now = draft.now.steady;
    end_attempts(draft, &page);
    draft.edit_page(&id, |page| {
        if is_stale {
            page.state = PageState::Cancelled;
            page.queued.clear();
            page.retries.clear();
        } else if let Some(channel) = interrupted.clone().filter(|_| !is_worn) {
            page.retries.retain(|retry| retry.channel != channel);
            page.retries.push(Retry {
                channel,
                due: now,
                spends: false,
            });
        }
    });
    if is_stale {
        let text = format!(
            "{} is not paged again: it no longer matters",
            deliver::who(&page)
        );
        deliver::note_page(draft, id, Reason::Withdrawn, &text, |_| {});
    } else if is_worn {
        let text = format!("{} was tried often enough", deliver::who(&page));
        deliver::note_page(draft, id, Reason::RetriesOver, &text, |_| {});
        deliver::move_on(draft, id, false);
        deliver::fail_if_hopeless(draft, id);
        return;
    } else if interrupted.is_some() {
        let text = format!("the attempt to {} is repeated once", deliver::who(&page));
        deliver::note_page(draft, id, Reason::RestartResend, &text, |_| {});
    }
    if let Some(page) = draft
        .page(&id)
        .filter(|page| page.state != PageState::Sending)
    {
        deliver::finished(draft, &page);
    }
}
