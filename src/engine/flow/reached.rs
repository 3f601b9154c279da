//! Whether anybody of the present step was reached by a page, or still may be.

use std::sync::Arc;

use crate::engine::entry_body::PageEntry;
use crate::engine::incident::{Incident, NotificationRun, PageCause};
use crate::engine::notes;
use crate::engine::page::{Attempt, Page, PageState};
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;

/// Whether anybody of the present step may still be reached: a notify step to come, a page held for
/// the next bundle, sent, in flight, or with a retry before the step's wait is over.
pub fn can_still_reach_anyone(tx: &StepTransaction<'_>, incident: &Incident) -> bool {
    let mut runs = incident.runs.iter();
    if runs.any(|run| is_of_step(incident, &run.why) && is_going_on(run)) {
        return true;
    }
    pages_of_step(tx, incident).iter().any(|page| {
        let by = incident.escalation.due;
        let retries = page
            .retries
            .iter()
            .any(|retry| by.is_none_or(|by| retry.due < by));
        match page.state {
            PageState::Sent | PageState::Delivered => true,
            PageState::Sending => page.in_flight().is_some() || !page.queued.is_empty() || retries,
            PageState::Failed | PageState::Cancelled => false,
        }
    })
}

/// Whether anybody of the present step was reached by the end of its wait, or will be: a page was
/// taken or may have come, is held for the next bundle, or belongs to a notify step to come.
pub fn was_reached(tx: &StepTransaction<'_>, incident: &Incident) -> bool {
    let mut runs = incident.runs.iter();
    let waits = runs.any(|run| is_of_step(incident, &run.why) && is_going_on(run));
    let mut pages = pages_of_step(tx, incident).into_iter();
    waits
        || pages.any(|page| match page.state {
            PageState::Sent | PageState::Delivered => true,
            PageState::Sending => page.attempts.iter().any(Attempt::may_have_come),
            PageState::Failed | PageState::Cancelled => false,
        })
}

/// The pages that ask somebody of the present step.
fn pages_of_step(tx: &StepTransaction<'_>, incident: &Incident) -> Vec<Arc<Page>> {
    let runs = incident.runs.iter();
    let runs: Vec<&NotificationRun> = runs.filter(|run| is_of_step(incident, &run.why)).collect();
    let mut pages = tx.pages_of(incident.number);
    pages.retain(|page| {
        let concerns = match page.recipient.user() {
            Some(_) => runs.iter().any(|run| is_of_run(page, run)),
            None => is_of_step(incident, &page.why) && page.created >= incident.escalation.started,
        };
        page.asks() && concerns
    });
    pages
}

fn is_of_step(incident: &Incident, why: &PageCause) -> bool {
    why.position == incident.escalation.position && why.round == incident.escalation.round
}

/// Whether a notify step is to come, or a page is held for the next bundle.
fn is_going_on(run: &NotificationRun) -> bool {
    run.due.is_some() || !run.held.is_empty()
}

/// Notes for each person of the step that is over why nothing reached them, if nothing did.
pub fn note_unsent(tx: &mut StepTransaction<'_>, incident: &Incident) {
    let pages = tx.pages_of(incident.number);
    for run in &incident.runs {
        let is_here = run.why.position == incident.escalation.position;
        if !is_here || !run.held.is_empty() {
            continue;
        }
        let mut own = pages
            .iter()
            .filter(|page| page.recipient.user() == Some(&run.user));
        if own
            .clone()
            .any(|page| page.asks() && !page.attempts.is_empty())
        {
            continue;
        }
        let reason = if own.next().is_some() {
            Reason::NotSentInTime
        } else {
            Reason::Unreachable
        };
        let body = PageEntry::PersonUnusable(run.user.clone());
        notes::note_person(tx, incident.number, &run.user, reason, body);
    }
}

pub fn is_of_run(page: &Page, run: &NotificationRun) -> bool {
    page.recipient.user() == Some(&run.user) && page.created >= run.started
}
