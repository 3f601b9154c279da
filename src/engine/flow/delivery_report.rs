//! What a provider reports on an attempt after its answer.

use std::sync::Arc;

use crate::engine::decision::Refusal;
use crate::engine::entry_body::AttemptEntry;
use crate::engine::input::{DeliveryReport, Report};
use crate::engine::outcome::Outcome;
use crate::engine::page::{Attempt, Page, PageState};
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;
use crate::engine::{attempt_result, delivery, notes};

/// A provider reported on an attempt after its answer. One that speaks of another channel's attempt
/// is refused: its signature says nothing about that.
pub fn apply(tx: &mut StepTransaction<'_>, report: DeliveryReport) -> Result<(), Refusal> {
    let attempt = report.attempt;
    let page = tx.page_of_attempt(attempt);
    let known = page
        .iter()
        .flat_map(|page| &page.attempts)
        .find(|known| known.id == attempt);
    match (&page, known) {
        (_, Some(known)) if known.channel != report.channel => {
            let help = format!("only {} may report on it", known.channel);
            Err(Refusal::invalid(
                "delivery report on attempt",
                &attempt,
                help,
            ))
        }
        (Some(page), Some(known)) => {
            believe(tx, page, known, report);
            Ok(())
        }
        (_, None) | (None, _) => Ok(()),
    }
}

/// Takes a report over; a page never moves backwards.
fn believe(
    tx: &mut StepTransaction<'_>,
    page: &Arc<Page>,
    known: &Attempt,
    report: DeliveryReport,
) {
    let DeliveryReport {
        attempt,
        outcome,
        provider_message,
        ..
    } = report;
    if known.outcome.is_none() {
        // The report overtook the answer: it is the answer.
        let latency_ms = tx.now.steady.since(known.started).0;
        let reference = None;
        let was_started = true;
        let report = Report {
            attempt,
            outcome,
            latency_ms,
            provider_message,
            reference,
            was_started,
        };
        return attempt_result::apply_outcome(tx, &report);
    }
    let is_final = matches!(page.state, PageState::Delivered | PageState::Cancelled);
    if is_final || known.outcome != Some(Outcome::Accepted) {
        return;
    }
    let channel = known.channel.clone();
    tx.edit_page(&page.id, |page| {
        if let Some(known) = page.attempts.iter_mut().find(|known| known.id == attempt) {
            known.outcome = Some(outcome);
        }
        if !outcome.is_sent() {
            page.state = PageState::Sending;
        }
    });
    let body = AttemptEntry::Reported(channel.clone());
    notes::note_page(tx, page.id, Reason::DeliveryReport, body, |detail| {
        detail.attempt = Some(attempt);
        detail.channel = Some(channel.as_str().into());
        detail.outcome = Some(outcome);
        detail.provider_message = provider_message;
    });
    attempt_result::follow(tx, page.id, &channel, outcome);
    delivery::fail_if_hopeless(tx, page.id);
}
