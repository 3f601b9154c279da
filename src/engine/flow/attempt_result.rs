//! What follows from a channel's answer: sent, retried, moved on.

use std::sync::Arc;

use crate::engine::entry_body::{Addressee, AttemptEntry, PageEntry};
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{ChannelName, PageId};
use crate::engine::input::Report;
use crate::engine::outcome::Outcome;
use crate::engine::page::{Attempt, Page, PageState, Reference, Retry};
use crate::engine::reason::Reason;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    budget, channel_trouble, contact_test, contact_test_result, delivery, notes, updates,
};

/// A channel answered an attempt.
pub fn apply_outcome(tx: &mut StepTransaction<'_>, report: &Report) {
    let report = &Report {
        outcome: believed(report.outcome),
        ..report.clone()
    };
    let Some(page) = tx.page_of_attempt(report.attempt) else {
        return;
    };
    let Some(attempt) = page
        .attempts
        .iter()
        .find(|known| known.id == report.attempt)
    else {
        return;
    };
    if attempt.outcome.is_some() {
        return;
    }
    let channel = attempt.channel.clone();
    if !report.was_started {
        return not_started(tx, &page, report, &channel);
    }
    record(tx, &page, report, &channel);
    follow(tx, page.id, &channel, report.outcome);
    if let Some(page) = tx
        .page(&page.id)
        .filter(|page| page.state != PageState::Sending)
    {
        tx.follow_up(FollowUp::PageEnded(page));
    } else {
        delivery::fail_if_hopeless(tx, page.id);
    }
}

/// No single wish to wait is believed beyond this.
const WAIT_MAX: Duration = Duration::minutes(15);

fn believed(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Throttled { wait } => Outcome::Throttled {
            wait: wait.min(WAIT_MAX),
        },
        Outcome::Delivered
        | Outcome::Accepted
        | Outcome::Transient
        | Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted
        | Outcome::Unknown => outcome,
    }
}

/// The channel kept the message back before its first byte: the attempt does not count.
fn not_started(
    tx: &mut StepTransaction<'_>,
    page: &Arc<Page>,
    report: &Report,
    channel: &ChannelName,
) {
    let attempt = report.attempt;
    tx.edit_page(&page.id, |page| {
        page.attempts.retain(|known| known.id != attempt);
    });
    if page.is_withdrawn {
        let body = PageEntry::NotSent(Addressee::of(page));
        notes::note_page(tx, page.id, Reason::Withdrawn, body, |detail| {
            detail.channel = Some(channel.as_str().into());
        });
    } else {
        delivery::move_on(tx, page.id, false);
    }
    delivery::fail_if_hopeless(tx, page.id);
}

/// Writes the outcome into the attempt and the story.
fn record(tx: &mut StepTransaction<'_>, page: &Arc<Page>, report: &Report, channel: &ChannelName) {
    tx.edit_page(&page.id, |page| {
        let attempt = page
            .attempts
            .iter_mut()
            .find(|known| known.id == report.attempt);
        if let Some(attempt) = attempt {
            attempt.outcome = Some(report.outcome);
            attempt.latency_ms = Some(report.latency_ms);
            attempt.provider_message = report.provider_message.clone();
            attempt.failover_due = None;
        }
    });
    let reason = if page.is_withdrawn {
        Reason::InFlightAtAcknowledgment
    } else {
        Reason::AttemptEnded
    };
    let body = AttemptEntry::Ended {
        channel: channel.clone(),
        to: Addressee::of(page),
    };
    notes::note_page(tx, page.id, reason, body, |detail| {
        detail.attempt = Some(report.attempt);
        detail.channel = Some(channel.as_str().into());
        detail.outcome = Some(report.outcome);
        detail.latency_ms = Some(report.latency_ms);
        detail.provider_message = report.provider_message.clone();
    });
    if let Some(text) = &report.reference {
        let reference = Reference {
            channel: channel.clone(),
            text: text.clone(),
        };
        tx.edit_page(&page.id, |page| page.reference = Some(reference));
    }
}

/// Does what the outcome asks for.
pub fn follow(tx: &mut StepTransaction<'_>, id: PageId, channel: &ChannelName, outcome: Outcome) {
    if outcome.is_sent() {
        sent(tx, id, outcome);
        if let Some(page) = tx.page(&id) {
            contact_test_result::reached(tx, &page, channel, outcome);
            channel_trouble::succeeded(tx, channel, &page.endpoint());
        }
        return;
    }
    if let Some(page) = tx.page(&id) {
        channel_trouble::failed(tx, &page, channel, outcome);
    }
    plan_retry(tx, id, channel, outcome);
    let is_short = matches!(outcome, Outcome::Throttled { wait } if wait <= budget::SHORT_WAIT);
    let has_retry = tx.page(&id).is_some_and(|page| !page.retries.is_empty());
    if !(is_short && has_retry) {
        delivery::move_on(tx, id, outcome == Outcome::RefusedTarget);
    }
}

fn sent(tx: &mut StepTransaction<'_>, id: PageId, outcome: Outcome) {
    let is_delivered = outcome == Outcome::Delivered;
    tx.edit_page(&id, |page| {
        page.queued.clear();
        page.retries.clear();
        if is_delivered {
            page.state = PageState::Delivered;
        } else if page.state != PageState::Delivered {
            page.state = PageState::Sent;
        }
    });
    updates::message_is_out(tx, id);
}

/// Sets the retry that runs beside failover, if the outcome allows one.
fn plan_retry(tx: &mut StepTransaction<'_>, id: PageId, channel: &ChannelName, outcome: Outcome) {
    let page = tx.known_page(id);
    if page.is_withdrawn || page.state != PageState::Sending {
        return;
    }
    // A late word on an attempt that is being repeated already, as after a restart.
    let is_repeated =
        page.is_queued_on(channel) || page.under_way().any(|attempt| attempt.channel == *channel);
    if is_repeated {
        return;
    }
    let attempts = page.attempts_on(channel);
    let seed = tx.now.seed ^ id.0;
    let now = tx.now.steady;
    let is_test = tx.is_test_page(&page);
    let (wait, spends) = match outcome {
        Outcome::Throttled { wait } => (wait, false),
        Outcome::Transient => (budget::retry_wait(attempts, seed), true),
        Outcome::Unknown if unknown_attempts(&page, channel) <= 1 => {
            (budget::retry_wait(attempts, seed), true)
        }
        Outcome::RefusedContent if !page.plain_text_only => (Duration::ZERO, false),
        Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted
            if is_down(tx, channel) =>
        {
            // After a minute one attempt may try. Whatever was refused again leaves every other
            // minute to others, since it may be the only one that is.
            (
                Duration::seconds(if attempts > 1 { 122 } else { 61 }),
                false,
            )
        }
        Outcome::Delivered
        | Outcome::Accepted
        | Outcome::Unknown
        | Outcome::RefusedContent
        | Outcome::RefusedTarget
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted => return,
    };
    let (wait, spends) = if is_test && wait > Duration::ZERO {
        (wait.max(contact_test::retry_wait(seed)), false)
    } else {
        (wait, spends)
    };
    let retry_for = if is_test {
        contact_test::RETRY_FOR
    } else {
        budget::RETRY_FOR
    };
    let is_over = Duration(now.since(page.created).0 + wait.0) > retry_for;
    if attempts >= budget::ATTEMPTS_MAX || is_over {
        return retries_over(tx, id, channel);
    }
    let retry = Retry {
        channel: channel.clone(),
        due: now + wait,
        spends,
    };
    tx.edit_page(&id, |page| {
        page.plain_text_only |= outcome == Outcome::RefusedContent;
        page.retries.retain(|known| known.channel != *channel);
        page.retries.push(retry);
    });
}

/// How many attempts on a channel nobody knows the end of.
fn unknown_attempts(page: &Page, channel: &ChannelName) -> usize {
    let is_unknown = |attempt: &&Attempt| {
        attempt.channel == *channel && attempt.outcome == Some(Outcome::Unknown)
    };
    page.attempts.iter().filter(is_unknown).count()
}

fn is_down(tx: &StepTransaction<'_>, channel: &ChannelName) -> bool {
    tx.channel(channel)
        .is_some_and(|state| state.down.is_some())
}

pub fn retries_over(tx: &mut StepTransaction<'_>, id: PageId, channel: &ChannelName) {
    let body = PageEntry::NoMoreAttempts(channel.clone());
    notes::note_page(tx, id, Reason::RetriesOver, body, |detail| {
        detail.channel = Some(channel.as_str().into());
    });
}
