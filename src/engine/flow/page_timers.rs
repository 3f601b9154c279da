//! The timers of a page that are due: no outcome in time, no slot in time, an answer that never
//! came, a retry.

use std::sync::Arc;

use crate::engine::decision::Effect;
use crate::engine::entry_body::{AttemptEntry, PageEntry};
use crate::engine::ids::{AttemptId, ChannelName, PageId};
use crate::engine::input::Report;
use crate::engine::outcome::Outcome;
use crate::engine::page::{Page, Queued, Retry};
use crate::engine::reason::Reason;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    attempt_result, budget, channel_health, contact_test, delivery, notes, queueing,
};

/// A page's timers that are due: no outcome in time, an answer that never came, a retry.
pub fn due(tx: &mut StepTransaction<'_>, id: PageId) {
    let now = tx.now.steady;
    let page = tx.known_page(id);
    let waiting = page.attempts.iter().filter(|known| known.outcome.is_none());
    let mut late = None;
    let mut lost = None;
    for attempt in waiting.filter(|known| !known.is_interrupted) {
        if attempt.deadline <= now {
            lost = Some(attempt.id);
        } else if attempt.failover_due.is_some_and(|due| due <= now) {
            late = Some((attempt.id, attempt.channel.clone()));
        }
    }
    if let Some(attempt) = lost {
        // It may still wait in its lane; counted as unknown, it must not leave any more.
        tx.effects.push(Effect::Cancel(attempt));
        let report = never_answered(attempt, &page, tx);
        return attempt_result::apply_outcome(tx, &report);
    }
    if let Some((attempt, channel)) = late {
        return no_outcome_in_time(tx, id, attempt, &channel);
    }
    if let Some(queued) = page.queued.iter().find(|queued| queued.next_due() <= now) {
        return no_slot_in_time(tx, &page, queued);
    }
    let due = page.retries.iter().find(|retry| retry.due <= now).cloned();
    if let Some(retry) = due {
        retry_due(tx, &page, retry);
        delivery::fail_if_hopeless(tx, id);
    }
}

fn never_answered(attempt: AttemptId, page: &Page, tx: &StepTransaction<'_>) -> Report {
    let started = page
        .attempts
        .iter()
        .find(|known| known.id == attempt)
        .map(|a| a.started);
    Report {
        attempt,
        outcome: Outcome::Unknown,
        latency_ms: started.map_or(0, |started| tx.now.steady.since(started).0),
        provider_message: Some("no answer within the deadline".into()),
        reference: None,
        was_started: true,
    }
}

fn no_outcome_in_time(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    attempt: AttemptId,
    channel: &ChannelName,
) {
    tx.edit_page(&id, |page| {
        if let Some(known) = page.attempts.iter_mut().find(|known| known.id == attempt) {
            known.failover_due = None;
        }
    });
    let waited = tx.rules.settings.failover_after;
    let body = AttemptEntry::NoAnswer {
        channel: channel.clone(),
        waited,
    };
    notes::note_page(tx, id, Reason::NoOutcomeInTime, body, |detail| {
        detail.attempt = Some(attempt);
        detail.channel = Some(channel.as_str().into());
    });
    delivery::move_on(tx, id, false);
}

/// All slots were taken: failover starts, and in the end the page waits no longer.
fn no_slot_in_time(tx: &mut StepTransaction<'_>, page: &Arc<Page>, queued: &Queued) {
    let is_over = queued.until <= tx.now.steady;
    let waited = tx.now.steady.since(queued.since);
    tx.edit_page(&page.id, |page| {
        if is_over {
            page.queued.retain(|known| known != queued);
        }
        for known in page.queued.iter_mut().filter(|known| *known == queued) {
            known.failover_due = None;
        }
    });
    let channel = &queued.channel;
    let body = PageEntry::NoSlot {
        channel: channel.clone(),
        waited,
        gave_up: is_over,
    };
    notes::note_page(tx, page.id, Reason::NoSlotInTime, body, |detail| {
        detail.channel = Some(channel.as_str().into());
    });
    delivery::move_on(tx, page.id, false);
    delivery::fail_if_hopeless(tx, page.id);
}

/// Books the next free token for a retry, if there is one within the page's time.
fn wait_for_token(tx: &mut StepTransaction<'_>, page: &Page, retry: Retry, wait: Duration) {
    let now = tx.now.steady;
    if now.since(page.created).0 + wait.0 > budget::RETRY_FOR.0 {
        return attempt_result::retries_over(tx, page.id, &retry.channel);
    }
    channel_health::edit_health(tx, &retry.channel, &page.endpoint(), |health| {
        budget::book(health, now, wait);
    });
    let body = PageEntry::RetryBudget {
        channel: retry.channel.clone(),
        wait,
    };
    notes::note_page(tx, page.id, Reason::RetryBudget, body, |_| {});
    let retry = Retry {
        due: now + wait,
        spends: false,
        ..retry
    };
    tx.edit_page(&page.id, |page| page.retries.push(retry));
}

/// Whether a restart interrupted the last attempt on a channel: it is repeated, however late.
fn was_interrupted(page: &Page, channel: &ChannelName) -> bool {
    let mut attempts = page.attempts.iter().rev();
    attempts
        .find(|known| known.channel == *channel)
        .is_some_and(|last| last.is_interrupted)
}

fn retry_due(tx: &mut StepTransaction<'_>, page: &Arc<Page>, retry: Retry) {
    let now = tx.now.steady;
    tx.edit_page(&page.id, |page| {
        page.retries.retain(|known| *known != retry);
    });
    let is_wanted = page.asks() && tx.still_asks(page) || !page.asks();
    let info = tx.rules.channel(&retry.channel).cloned();
    let is_test = tx.is_test_page(page);
    let is_late = now.since(page.created) > budget::RETRY_FOR && !is_test;
    let is_over = is_late && !was_interrupted(page, &retry.channel);
    let (Some(info), true, false) = (info, is_wanted && !page.is_withdrawn, is_over) else {
        attempt_result::retries_over(tx, page.id, &retry.channel);
        return delivery::move_on(tx, page.id, false);
    };
    let endpoint = page.endpoint();
    if let channel_health::Availability::Later { at, .. } =
        channel_health::availability(tx, &info, &endpoint)
    {
        // Many of them would leave at the moment at which the channel is back.
        let later = is_test.then(|| now + contact_test::retry_wait(tx.now.seed ^ page.id.0));
        let due = at.max(later.unwrap_or(at));
        let retry = Retry { due, ..retry };
        tx.edit_page(&page.id, |page| page.retries.push(retry));
        if is_test {
            // Its first channel was chosen before its time.
            delivery::move_on(tx, page.id, false);
        }
        return;
    }
    if retry.spends {
        let spent = channel_health::edit_health(tx, &retry.channel, &endpoint, |health| {
            budget::spend(health, now)
        });
        if let Some(Err(wait)) = spent {
            return wait_for_token(tx, page, retry, wait);
        }
    }
    let reason = if is_test && page.attempts.is_empty() {
        Reason::ContactTest
    } else {
        Reason::Retry
    };
    queueing::queue(tx, page.id, &info.name, reason);
}
