//! A page waits for a slot on a channel; its attempt begins when it has one.

use crate::engine::budget;
use crate::engine::budget::SHORT_WAIT;
use crate::engine::ids::{ChannelName, PageId};
use crate::engine::page::{Page, PageState, Queued};
use crate::engine::reason::Reason;
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;

/// Waits for a slot on a channel; its attempt begins with it, in this very turn if one is free.
pub fn queue(tx: &mut StepTransaction<'_>, id: PageId, channel: &ChannelName, reason: Reason) {
    let now = tx.now;
    let page = tx.known_page(id);
    let failover_due = failover_due(tx, &page, channel);
    tx.edit_page(&id, |page| {
        page.state = PageState::Sending;
        page.queued.push(Queued {
            channel: channel.clone(),
            since: now.steady,
            since_at: now.wall,
            failover_due: page.asks().then_some(failover_due),
            until: now.steady + budget::RETRY_FOR,
            reason,
        });
    });
}

/// When failover starts if a page has no outcome on a channel: counted from the first attempt
/// there, so that an endpoint that goes on asking for a little patience has no more of it than one
/// that says nothing.
fn failover_due(tx: &StepTransaction<'_>, page: &Page, channel: &ChannelName) -> MonotonicTime {
    let now = tx.now.steady;
    let first = page.attempts.iter().find(|known| known.channel == *channel);
    let from = first.map_or(now, |first| first.started);
    (from + tx.rules.settings.failover_after).max(now + SHORT_WAIT)
}
