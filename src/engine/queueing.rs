//! From the wish for an attempt to its begin: a page waits for a place on a channel, has it, or
//! gives it back because the channel cannot be used any more.

use super::budget;
use super::deliver::{self, SHORT_WAIT, note_page, who};
use super::draft::Draft;
use super::ids::{ChannelName, PageId};
use super::lane;
use super::order;
use super::page::{Attempt, Page, PageState, Queued};
use super::reason::Reason;
use super::ruleset::ChannelInfo;
use super::time::{Millis, Steady};
use super::updates;

/// Waits for a place on a channel; its attempt begins with it, in this very turn if one is free.
pub(super) fn queue(draft: &mut Draft<'_>, id: PageId, channel: &ChannelName, reason: Reason) {
    let now = draft.now;
    let Some(page) = draft.page(&id) else { return };
    let failover_due = failover_due(draft, &page, channel);
    draft.edit_page(&id, |page| {
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
fn failover_due(draft: &Draft<'_>, page: &Page, channel: &ChannelName) -> Steady {
    let now = draft.now.steady;
    let first = page.attempts.iter().find(|known| known.channel == *channel);
    let from = first.map_or(now, |first| first.started);
    (from + draft.rules.settings.failover_after).max(now + SHORT_WAIT)
}

/// There is a place: makes an attempt, durable now, handed to its channel after the commit.
pub(super) fn start_attempt(
    draft: &mut Draft<'_>,
    id: PageId,
    channel: &ChannelInfo,
    queued: &Queued,
) {
    let attempt = draft.next_attempt();
    let now = draft.now;
    let deadline = order::deadline(draft, id);
    let Some(before) = draft.page(&id) else {
        return;
    };
    draft.edit_page(&id, |page| {
        page.queued.retain(|known| known.channel != channel.name);
        page.attempts.push(Attempt {
            id: attempt,
            channel: channel.name.clone(),
            started_at: now.wall,
            started: now.steady,
            outcome: None,
            latency_ms: None,
            provider_message: None,
            failover_due: queued.failover_due,
            // The channel keeps its own deadline; this one is for an answer that never comes.
            deadline: now.steady + deadline + Millis::seconds(30),
            is_interrupted: false,
        });
    });
    updates::leaves(draft, &before);
    let is_first = before.attempts_on(&channel.name) == 0;
    lane::attempt_started(draft, &before, &channel.name, is_first);
    let waited = now.steady.since(queued.since);
    let text = if waited >= Millis::seconds(1) {
        format!(
            "{} → {}, {waited} after it began to wait for a place",
            channel.name,
            who(&before)
        )
    } else {
        format!("{} → {}", channel.name, who(&before))
    };
    note_page(draft, id, queued.reason, &text, |detail| {
        detail.attempt = Some(attempt);
        detail.channel = Some(channel.name.as_str().into());
    });
    draft.leaving.push(order::Leaving {
        page: id,
        channel: channel.clone(),
        attempt,
        deadline,
    });
}

/// The channel cannot be used by a page that waited for a place on it: now and until then, or, if
/// the settings no longer have it, at all. The next channel or contact is used.
pub(super) fn give_back(
    draft: &mut Draft<'_>,
    page: &Page,
    queued: &Queued,
    later: Option<(Steady, Reason)>,
) {
    draft.edit_page(&page.id, |page| page.queued.retain(|known| known != queued));
    match later {
        Some((at, reason)) => deliver::retry_later(draft, page.id, &queued.channel, at, reason),
        None => {
            let text = format!("there is no channel {} any more", queued.channel);
            note_page(draft, page.id, Reason::TargetGone, &text, |_| {});
        }
    }
    deliver::move_on(draft, page.id, false);
    deliver::fail_if_hopeless(draft, page.id);
}

/// What waited for a place does not leave any more, as when whoever it is for answered STOP
/// meanwhile; the next contact is used.
pub(super) fn stop(draft: &mut Draft<'_>, page: &Page, reason: Reason) {
    let text = format!("{} is not paged: {}", who(page), reason.meaning());
    note_page(draft, page.id, reason, &text, |_| {});
    draft.edit_page(&page.id, |page| {
        page.queued.clear();
        page.retries.clear();
        // That the hour is over says nothing about the contact.
        page.is_withdrawn |= reason == Reason::TestOver;
    });
    deliver::move_on(draft, page.id, true);
    deliver::fail_if_hopeless(draft, page.id);
}
