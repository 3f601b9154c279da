//! What a provider reports on an attempt after its answer.

use std::sync::Arc;

use super::answer;
use super::decision::{Answer, Refusal};
use super::deliver;
use super::draft::Draft;
use super::event::Text;
use super::ids::{AttemptId, ChannelName};
use super::input::Report;
use super::outcome::Outcome;
use super::page::{Attempt, Page, PageState};
use super::reason::Reason;

/// A provider reported on an attempt after its answer. One that speaks of another channel's attempt
/// is refused: its signature says nothing about that.
pub(super) fn take(
    draft: &mut Draft<'_>,
    channel: &ChannelName,
    attempt: AttemptId,
    (outcome, provider_message): (Outcome, Option<Text>),
) -> Answer {
    let page = draft.page_of_attempt(attempt);
    let known = page
        .iter()
        .flat_map(|page| &page.attempts)
        .find(|known| known.id == attempt);
    match (&page, known) {
        (_, Some(known)) if known.channel != *channel => Answer::Refused(Refusal::Invalid {
            what: "delivery report on attempt",
            value: attempt.to_string(),
            cure: format!("only {} may report on it", known.channel),
        }),
        (Some(page), Some(known)) => {
            believe(draft, page, known, (outcome, provider_message));
            Answer::Done
        }
        (_, None) | (None, _) => Answer::Done,
    }
}

/// Takes a report over; a page never moves backwards.
fn believe(
    draft: &mut Draft<'_>,
    page: &Arc<Page>,
    known: &Attempt,
    (outcome, provider_message): (Outcome, Option<Text>),
) {
    let attempt = known.id;
    if known.outcome.is_none() {
        // The report overtook the answer: it is the answer.
        let latency_ms = draft.now.steady.since(known.started).0;
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
        return answer::outcome(draft, &report);
    }
    let is_final = matches!(page.state, PageState::Delivered | PageState::Cancelled);
    if is_final || known.outcome != Some(Outcome::Accepted) {
        return;
    }
    let channel = known.channel.clone();
    let text = format!("{channel} reports: {}", answer::outcome_text(outcome));
    draft.edit_page(&page.id, |page| {
        if let Some(known) = page.attempts.iter_mut().find(|known| known.id == attempt) {
            known.outcome = Some(outcome);
        }
        if !outcome.is_sent() {
            page.state = PageState::Sending;
        }
    });
    deliver::note_page(draft, page.id, Reason::DeliveryReport, &text, |detail| {
        detail.attempt = Some(attempt);
        detail.channel = Some(channel.as_str().into());
        detail.outcome = Some(outcome);
        detail.provider_message = provider_message;
    });
    answer::follow(draft, page.id, &channel, outcome);
    deliver::fail_if_hopeless(draft, page.id);
}
