//! After a restart or a suspension: what no longer matters is dropped, what is overdue happens
//! once.
//!
//! An attempt that a restart interrupted is repeated once with the same idempotency key; what
//! becomes of steps that fell due is for `collapse`.

use crate::engine::cause::Cause;
use crate::engine::counters::Counters;
use crate::engine::entry_body::{Addressee, PageEntry};
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{AlertId, IncidentNumber, PageId};
use crate::engine::incident::{Phase, SelfIncident};
use crate::engine::page::{Page, PageState, Queued, Retry};
use crate::engine::reason::Reason;
use crate::engine::task::{Away, Recovery, Stage, TaskKind};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    State, budget, check, collapse, conditions, delivery, jump, notes, pending, self_incidents,
    unreported,
};

/// After a start no alert expires sooner than this: its source may need a moment to speak again.
const EXPIRY_GRACE: Duration = Duration::minutes(5);

/// A start so soon after the one before, which did not end in order, is a quick one.
const QUICK: Duration = Duration::minutes(2);
/// So many in a row are a crash loop.
const QUICK_STARTS_MAX: u64 = 3;

/// How many quick starts in a row a start at this moment would make, if they are a crash loop.
pub fn crash_loop(state: &State, now: MonotonicTime) -> Option<u64> {
    let count = quick_starts(&state.counters, now);
    (count >= QUICK_STARTS_MAX).then_some(count)
}

fn quick_starts(counters: &Counters, now: MonotonicTime) -> u64 {
    let is_quick = |started: MonotonicTime| now.since(started) <= QUICK;
    if counters.started.is_some_and(is_quick) {
        counters.quick_starts + 1
    } else {
        0
    }
}

fn count_start(tx: &mut StepTransaction<'_>) {
    let now = tx.now.steady;
    let count = quick_starts(&tx.counters, now);
    tx.counters.quick_starts = count;
    tx.counters.started = Some(now);
    if count >= QUICK_STARTS_MAX {
        let text = format!(
            "the router started {} times in a row, each within {QUICK} of the start before and \
             without an orderly end",
            count + 1
        );
        let trouble = SelfIncident::new(Cause::CrashLoop, "");
        self_incidents::raise(tx, trouble, &text);
    }
}

/// The process is about to end in order.
pub fn stop(tx: &mut StepTransaction<'_>) {
    tx.counters.started = None;
    tx.counters.quick_starts = 0;
}

/// The state was loaded.
pub fn start(tx: &mut StepTransaction<'_>) {
    count_start(tx);
    jump::begin_anew(tx);
    pending::drop_unfinished(tx);
    let began = drop_unfinished(tx);
    begin(tx, Away::Stopped, began);
    conditions::clear_all_of(tx, Cause::LaneStalled);
    conditions::look_for_gone(tx);
    conditions::look_for_unusable_targets(tx);
    check::plan_anew(tx);
}

/// This start recovers all that earlier recoveries would have; the answer is when the first of them
/// began. What they paged goes over what was under way before.
fn drop_unfinished(tx: &mut StepTransaction<'_>) -> MonotonicTime {
    let mut first = tx.now.steady;
    for task in tx.state.tasks().all() {
        if let TaskKind::Recover(recovery) = &task.kind {
            first = first.min(recovery.began);
            tx.drop_task(&task.id);
        }
    }
    first
}

/// The process slept, or the wall clock jumped ahead.
pub fn suspended(tx: &mut StepTransaction<'_>, lost: Duration) {
    jump::begin_anew(tx);
    jump::ahead(tx, lost);
    begin(tx, Away::Suspended, tx.now.steady);
    check::plan(tx);
}

/// The recovery is left to later steps: what is remembered may have to be kept before.
fn begin(tx: &mut StepTransaction<'_>, cause: Away, began: MonotonicTime) {
    let recovery = Recovery {
        cause,
        began,
        new_pages: tx.next_page_id(),
        stage: Stage::Alerts(AlertId(0)),
    };
    tx.keep(TaskKind::Recover(recovery));
}

/// Goes on; the answer is what is left.
pub fn advance(tx: &mut StepTransaction<'_>, recovery: Recovery) -> Option<Recovery> {
    let stage = match recovery.stage {
        Stage::Alerts(next) => Some(keep_alerts(tx, next)),
        Stage::Incidents(next) => Some(collapse(tx, next)),
        Stage::Pages(next) => look_at_pages(tx, &recovery, next),
    };
    stage.map(|stage| Recovery { stage, ..recovery })
}

/// No alert ends soon for want of a report that may have been lost.
fn keep_alerts(tx: &mut StepTransaction<'_>, next: AlertId) -> Stage {
    let now = tx.now.steady;
    let earliest = now + EXPIRY_GRACE;
    for alert in tx.state.alerts_after(next) {
        let ends_early = alert.expires.is_some_and(|at| at < earliest);
        let is_early = ends_early || alert.assertions.expire_before(earliest);
        let waits = alert.unreported.is_some_and(|wait| wait.since < now);
        if waits || alert.firing && is_early {
            tx.edit_alert(&alert.id, |alert| {
                unreported::begin_anew(alert, now);
                if alert.firing {
                    alert.assertions.keep_until(earliest);
                    alert.expires = alert.expires.map(|expires| expires.max(earliest));
                }
            });
        } else {
            tx.effort.look();
        }
        if tx.is_spent() {
            return Stage::Alerts(AlertId(alert.id.0 + 1));
        }
    }
    Stage::Incidents(IncidentNumber(0))
}

/// Collapses the overdue steps and notify steps of incidents.
fn collapse(tx: &mut StepTransaction<'_>, next: IncidentNumber) -> Stage {
    let now = tx.now.steady;
    for incident in tx.state.incidents_in(next..) {
        let number = incident.number;
        if incident.next_due().is_some_and(|due| due < now) {
            collapse::collapse_one(tx, number);
        } else {
            tx.effort.look();
        }
        if tx.is_spent() {
            return Stage::Incidents(IncidentNumber(number.0 + 1));
        }
    }
    Stage::Pages(PageId(0))
}

/// What was under way is repeated once, or goes on waiting.
fn look_at_pages(tx: &mut StepTransaction<'_>, recovery: &Recovery, next: PageId) -> Option<Stage> {
    for page in tx.state.pages_after(next) {
        if page.id >= recovery.new_pages {
            return None;
        }
        match recovery.cause {
            Away::Stopped if page.is_under_way() => interrupt(tx, page.id, recovery.began),
            Away::Suspended if !page.queued.is_empty() => {
                if let Some(page) = tx.page(&page.id) {
                    wait_on(tx, &page);
                }
            }
            Away::Stopped | Away::Suspended => tx.effort.look(),
        }
        if tx.is_spent() {
            return Some(Stage::Pages(PageId(page.id.0 + 1)));
        }
    }
    None
}

/// Whether a step of the incident was paged since the recovery began, and after this page. Where
/// the end of the policy was reached nobody is paged anew.
fn has_moved(
    tx: &StepTransaction<'_>,
    number: IncidentNumber,
    page: &Page,
    began: MonotonicTime,
) -> bool {
    let incident = tx.incident(&number);
    incident.is_some_and(|incident| {
        let escalation = &incident.escalation;
        let is_later = escalation.started >= began && escalation.started > page.created;
        escalation.phase == Phase::Running && is_later
    })
}

/// What waited for a slot goes on waiting: the time in which nobody could give one does not count.
fn wait_on(tx: &mut StepTransaction<'_>, page: &Page) {
    let now = tx.now.steady;
    let failover_after = tx.rules.settings.failover_after;
    let is_late = |queued: &Queued| queued.next_due() < now + failover_after;
    if !page.queued.iter().any(is_late) {
        return;
    }
    tx.edit_page(&page.id, |page| {
        for queued in &mut page.queued {
            queued.until = queued.until.max(now + budget::RETRY_FOR);
            let due = queued.failover_due.as_mut();
            if let Some(due) = due {
                *due = (*due).max(now + failover_after);
            }
        }
    });
}

/// No answer will come to what was under way, and its slots are free.
fn end_attempts(tx: &mut StepTransaction<'_>, page: &Page) {
    tx.edit_page(&page.id, |page| {
        let attempts = page.attempts.iter_mut();
        for attempt in attempts.filter(|attempt| attempt.outcome.is_none()) {
            attempt.is_interrupted = true;
        }
    });
}

/// A page whose attempt has no answer: once more if it still matters and no step went over it.
fn interrupt(tx: &mut StepTransaction<'_>, id: PageId, began: MonotonicTime) {
    let page = tx.known_page(id);
    if page.state != PageState::Sending {
        // Somebody has it already, by another channel.
        return end_attempts(tx, &page);
    }
    let is_stale = page.asks()
        && (!tx.still_asks(&page)
            || page
                .incidents
                .iter()
                .all(|known| has_moved(tx, known.number, &page, began)));
    if !is_stale {
        wait_on(tx, &page);
    }
    let interrupted = page.in_flight().map(|attempt| attempt.channel.clone());
    let is_worn = interrupted
        .as_ref()
        .is_some_and(|channel| page.attempts_on(channel) >= budget::ATTEMPTS_MAX);
    let now = tx.now.steady;
    end_attempts(tx, &page);
    tx.edit_page(&id, |page| {
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
        let body = PageEntry::NotRepeated(Addressee::of(&page));
        notes::note_page(tx, id, Reason::Withdrawn, body, |_| {});
    } else if is_worn {
        let body = PageEntry::AttemptsUsedUp(Addressee::of(&page));
        notes::note_page(tx, id, Reason::RetriesOver, body, |_| {});
        delivery::move_on(tx, id, false);
        delivery::fail_if_hopeless(tx, id);
        return;
    } else if interrupted.is_some() {
        let body = PageEntry::Repeated(Addressee::of(&page));
        notes::note_page(tx, id, Reason::RestartResend, body, |_| {});
    }
    if let Some(page) = tx.page(&id).filter(|page| page.state != PageState::Sending) {
        tx.follow_up(FollowUp::PageEnded(page));
    }
}
