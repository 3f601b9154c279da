//! A page has a slot on a channel: its attempt begins, or the slot is given back because the
//! channel cannot be used any more.

use crate::engine::entry_body::{Addressee, AttemptEntry, PageEntry};
use crate::engine::ids::PageId;
use crate::engine::notes::note_page;
use crate::engine::page::{Attempt, Page, Queued};
use crate::engine::reason::Reason;
use crate::engine::ruleset::ChannelInfo;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::{Leaving, StepTransaction};
use crate::engine::{channel_health, delivery, send_request, updates};

/// There is a slot: makes an attempt, durable now, handed to its channel after the commit.
pub fn start_attempt(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    channel: &ChannelInfo,
    queued: &Queued,
) {
    let attempt = tx.next_attempt();
    let now = tx.now;
    let deadline = send_request::deadline(tx, id);
    let before = tx.known_page(id);
    tx.edit_page(&id, |page| {
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
            deadline: now.steady + deadline + Duration::seconds(30),
            is_interrupted: false,
        });
    });
    updates::leaves(tx, &before);
    let is_first = before.attempts_on(&channel.name) == 0;
    channel_health::attempt_started(tx, &before, &channel.name, is_first);
    let waited = now.steady.since(queued.since);
    let body = AttemptEntry::Started {
        channel: channel.name.clone(),
        to: Addressee::of(&before),
        waited: Some(waited).filter(|waited| *waited >= Duration::seconds(1)),
    };
    note_page(tx, id, queued.reason, body, |detail| {
        detail.attempt = Some(attempt);
        detail.channel = Some(channel.name.as_str().into());
    });
    tx.leaving.push(Leaving {
        page: id,
        channel: channel.clone(),
        attempt,
        deadline,
    });
}

/// The channel cannot be used by a page that waited for a slot on it: now and until then, or, if
/// the settings no longer have it, at all. The next channel or contact is used.
pub fn requeue(
    tx: &mut StepTransaction<'_>,
    page: &Page,
    queued: &Queued,
    later: Option<(MonotonicTime, Reason)>,
) {
    tx.edit_page(&page.id, |page| page.queued.retain(|known| known != queued));
    match later {
        Some((at, reason)) => delivery::retry_later(tx, page.id, &queued.channel, at, reason),
        None => {
            let body = PageEntry::ChannelGone(queued.channel.clone());
            note_page(tx, page.id, Reason::TargetGone, body, |_| {});
        }
    }
    delivery::move_on(tx, page.id, false);
    delivery::fail_if_hopeless(tx, page.id);
}

/// What waited for a slot does not leave any more, as when whoever it is for answered STOP
/// meanwhile; the next contact is used.
pub fn stop(tx: &mut StepTransaction<'_>, page: &Page, reason: Reason) {
    let body = PageEntry::Stopped(Addressee::of(page));
    note_page(tx, page.id, reason, body, |_| {});
    tx.edit_page(&page.id, |page| {
        page.queued.clear();
        page.retries.clear();
        // That the hour is over says nothing about the contact.
        page.is_withdrawn |= reason == Reason::TestOver;
    });
    delivery::move_on(tx, page.id, true);
    delivery::fail_if_hopeless(tx, page.id);
}
