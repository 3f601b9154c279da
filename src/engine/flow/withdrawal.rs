//! A page that asks for what is done already is withdrawn: what has not left does not leave.

use crate::engine::decision::Effect;
use crate::engine::entry_body::{Addressee, PageEntry};
use crate::engine::ids::IncidentNumber;
use crate::engine::page::{Attempt, Page, PageKind, PageState};
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;
use crate::engine::{archive, notes, rate_limit};

/// Withdraws what asks for acknowledgment of an incident that asks no more.
pub fn withdraw(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    for page in tx.pages_of(number) {
        if is_under_way(&page) && !tx.still_asks(&page) {
            withdraw_page(tx, number, &page);
        }
    }
}

/// Withdraws the pages of an incident whose escalation begins anew or is handed to somebody else.
pub fn withdraw_all(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    for page in tx.pages_of(number) {
        if page.kind == PageKind::Page && is_under_way(&page) {
            withdraw_page(tx, number, &page);
        }
    }
}

/// Whether it asks and anything of it may still leave or be on its way.
fn is_under_way(page: &Page) -> bool {
    page.asks() && (page.state == PageState::Sending || page.in_flight().is_some())
}

/// Waiting and retries end, an attempt whose first byte has not left is cancelled, one in flight is
/// counted when it ends.
fn withdraw_page(tx: &mut StepTransaction<'_>, number: IncidentNumber, page: &Page) {
    tx.edit_page(&page.id, |page| {
        page.is_withdrawn = true;
        page.queued.clear();
        page.retries.clear();
    });
    let in_flight = page.attempts.iter().filter(|attempt| is_in_flight(attempt));
    tx.effects
        .extend(in_flight.map(|attempt| Effect::Cancel(attempt.id)));
    if page.in_flight().is_none() && page.state == PageState::Sending {
        tx.edit_page(&page.id, |page| page.state = PageState::Cancelled);
        rate_limit::take_back(tx, page);
        let body = if page.attempts.is_empty() {
            PageEntry::NotSent(Addressee::of(page))
        } else {
            PageEntry::NoFurther(Addressee::of(page))
        };
        notes::note_page(tx, page.id, Reason::Withdrawn, body, |_| {});
        let others = page.incidents.iter().filter(|known| known.number != number);
        for known in others {
            archive::settle(tx, known.number);
        }
    }
}

fn is_in_flight(attempt: &Attempt) -> bool {
    attempt.outcome.is_none() && !attempt.is_interrupted
}
