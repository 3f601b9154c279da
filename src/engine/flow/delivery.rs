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
                note_passed_over(tx, &page, &channel.name);
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

/// Says which channels would have come first if their providers had no incident.
fn note_passed_over(tx: &mut StepTransaction<'_>, page: &Page, taken: &ChannelName) {
    let rules = tx.rules;
    let channels = rules.channels_for(page.medium);
    let before = channels.take_while(|channel| channel.name != *taken);
    let is_fresh = |channel: &&ChannelInfo| page.attempts_on(&channel.name) == 0;
    let passed_over = before.filter(is_fresh);
    let passed_over: Vec<&ChannelInfo> = passed_over
        .filter(|channel| has_provider_down(tx, channel))
        .collect();
    for channel in passed_over {
        let last = PageEntry::ChannelLast(channel.name.clone());
        note_page(tx, page.id, Reason::ProviderDown, last, |_| {});
    }
}

/// Whether what the channel depends on has an incident that was told.
fn has_provider_down(tx: &StepTransaction<'_>, channel: &ChannelInfo) -> bool {
    let mut on = channel.depends_on.iter();
    on.any(|dependency| {
        let provider = tx.provider(&dependency.provider);
        provider.is_some_and(|provider| !provider.keys_about(dependency).is_empty())
    })
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
    let mut usable: Vec<ChannelInfo> = usable.cloned().collect();
    // The order of the settings stays among those whose providers are well, and among the others.
    usable.sort_by_cached_key(|channel| has_provider_down(tx, channel));
    usable
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
