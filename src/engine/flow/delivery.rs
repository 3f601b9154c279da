//! Which channel carries a page, and moving on when one does not.

use crate::engine::entry_body::{Addressee, PageEntry};
use crate::engine::event::Text;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{ChannelName, PageId};
use crate::engine::notes::note_page;
use crate::engine::page::{Page, PageState, Recipient, Retry};
use crate::engine::reason::Reason;
use crate::engine::ruleset::{ChannelInfo, Medium};
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, queueing};

/// Waits for a slot on the first channel that was not tried and can be used now. Whether there
/// is one; a channel that can be used later gets a retry.
pub fn start_on_next_channel(tx: &mut StepTransaction<'_>, id: PageId, reason: Reason) -> bool {
    let page = tx.known_page(id);
    if has_stopped(tx, &page) {
        let body = PageEntry::PhoneStopped(Addressee::of(&page));
        note_page(tx, id, Reason::ContactStopped, body, |_| {});
        return false;
    }
    let endpoint = page.endpoint();
    for channel in candidates(tx, &page) {
        let mut retries = page.retries.iter();
        let is_tried = page.attempts_on(&channel.name) > 0
            || page.is_queued_on(&channel.name)
            || retries.any(|retry| retry.channel == channel.name);
        if is_tried {
            continue;
        }
        match channel_health::availability(tx, &channel, &endpoint) {
            channel_health::Availability::Open => {
                queueing::queue(tx, id, &channel.name, reason);
                return true;
            }
            channel_health::Availability::Later { at, reason } => {
                retry_later(tx, id, &channel.name, at, reason);
            }
        }
    }
    false
}

/// Whether whoever has this address answered STOP.
pub fn is_stopped(tx: &StepTransaction<'_>, address: &Text) -> bool {
    let sender = tx.sender(address);
    sender.is_some_and(|sender| sender.is_stopped)
}

/// Whether a page would be texted to a phone that answered STOP: a contact of somebody, or only
/// the target of a channel.
pub fn has_stopped(tx: &StepTransaction<'_>, page: &Page) -> bool {
    page.medium == Medium::Sms && is_stopped(tx, &page.address)
}

/// The channels that may carry a page, in order.
pub fn candidates(tx: &StepTransaction<'_>, page: &Page) -> Vec<ChannelInfo> {
    if let Recipient::Channel { channel } = &page.recipient {
        return tx.rules.channel(channel).cloned().into_iter().collect();
    }
    let first = page
        .incidents
        .first()
        .and_then(|known| tx.incident(&known.number));
    let avoid = first.and_then(|incident| incident.about.as_ref()?.channel());
    let channels = tx.rules.channels_for(page.medium);
    let usable = channels.filter(|c| c.reaches_people && Some(&c.name) != avoid.as_ref());
    usable.cloned().collect()
}

pub fn retry_later(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    channel: &ChannelName,
    at: MonotonicTime,
    reason: Reason,
) {
    let retry = Retry {
        channel: channel.clone(),
        due: at,
        spends: false,
    };
    tx.edit_page(&id, |page| page.retries.push(retry));
    let body = PageEntry::ChannelLater(channel.clone());
    note_page(tx, id, reason, body, |_| {});
}

/// Gives a page up that has no attempt in flight and no retry.
pub fn fail_if_hopeless(tx: &mut StepTransaction<'_>, id: PageId) {
    let page = tx.known_page(id);
    if page.state == PageState::Sending && !page.is_pending() {
        tx.edit_page(&id, |page| {
            page.state = if page.is_withdrawn {
                PageState::Cancelled
            } else {
                PageState::Failed
            };
        });
        let page = tx.page(&id).expect("a page that was just changed is kept");
        tx.follow_up(FollowUp::PageGivenUp(page));
    }
}

/// The page's channel did not do it in time or at all: the next channel of the medium, or else the
/// person's next notify step, is used at once.
pub fn move_on(tx: &mut StepTransaction<'_>, id: PageId, is_target_refused: bool) {
    let page = tx.known_page(id);
    let is_wanted = page.asks() && !page.is_withdrawn && tx.still_asks(&page);
    // Another channel may have taken it meanwhile.
    if !is_wanted || page.failed_over || page.state != PageState::Sending {
        return;
    }
    if !is_target_refused && start_on_next_channel(tx, id, Reason::FailoverChannel) {
        return;
    }
    tx.edit_page(&id, |page| page.failed_over = true);
    if is_target_refused {
        tx.edit_page(&id, |page| {
            page.queued.clear();
            page.retries.clear();
        });
    }
    let page = tx.known_page(id);
    tx.follow_up(FollowUp::ContactFailed(page));
}
