//! A page has its slot: its attempt begins, unless the channel cannot be used any more.

use crate::engine::channel_health::Availability;
use crate::engine::input::Pick;
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;
use crate::engine::{attempt_start, channel_health, contact_test, delivery};

/// A page has a slot: its attempt begins, unless the channel cannot be used any more.
pub fn give(tx: &mut StepTransaction<'_>, pick: &Pick) {
    let Some(page) = tx.page(&pick.page) else {
        return;
    };
    let queued = page
        .queued
        .iter()
        .find(|queued| queued.channel == pick.channel);
    // What was given before it in this turn may have led to its end.
    let Some(queued) = queued.cloned() else {
        return;
    };
    if delivery::has_stopped(tx, &page) {
        return attempt_start::stop(tx, &page, Reason::ContactStopped);
    }
    if contact_test::is_late(tx, &page) {
        return attempt_start::stop(tx, &page, Reason::TestOver);
    }
    let info = tx.rules.channel(&pick.channel).cloned();
    let info_known = info.as_ref();
    let later = info_known.and_then(|info| contact_test::waits(tx, &page, info));
    if later.is_some() {
        return attempt_start::requeue(tx, &page, &queued, later);
    }
    match info.map(|info| {
        (
            channel_health::availability(tx, &info, &page.endpoint()),
            info,
        )
    }) {
        Some((Availability::Open, info)) => {
            attempt_start::start_attempt(tx, page.id, &info, &queued);
        }
        Some((Availability::Later { at, reason }, _)) => {
            attempt_start::requeue(tx, &page, &queued, Some((at, reason)));
        }
        None => attempt_start::requeue(tx, &page, &queued, None),
    }
}
