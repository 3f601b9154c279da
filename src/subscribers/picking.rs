//! Which messages leave next: those that are due, that still concern somebody, and whose way is
//! free.

use super::book::SubscriberBook;
use super::couriers::Parcel;
use super::delivery::{Delivery, DeliveryKey, DeliverySubject, PATIENCE};
use super::lanes::{LaneKey, SubscriberLanes};
use super::letter::{self, SubscriberLinks};
use super::news::posts;
use super::sign_up::CONFIRM_WITHIN;
use super::subscriber::{Subscriber, SubscriberAddress, SubscriptionState};
use crate::engine::status_page_rules::SubscriberRules;
use crate::engine::time::{Duration, Timestamp};
use crate::status_page::published::{PublishedPage, PublishedPages};
use crate::status_page::statuspage_api;

/// Attempts under way at once.
const PARCELS_MAX: usize = 8;

/// A way that is not free is looked at again after so long at the earliest: with many messages
/// waiting each look takes a while.
const LOOK_AGAIN: Duration = Duration::seconds(1);

/// A message that leaves now.
pub struct PickedDelivery {
    pub delivery: Delivery,
    pub medium: &'static str,
    pub lane: LaneKey,
    pub parcel: Parcel,
}

/// What is to be done now.
#[derive(Default)]
pub struct PickedDeliveries {
    pub parcels: Vec<PickedDelivery>,
    /// They concern nobody any more.
    pub dropped: Vec<DeliveryKey>,
    /// When a way is free that is not now.
    pub next: Option<Timestamp>,
}

/// Picks what leaves now, and counts it for the pace.
pub fn pick(
    book: &SubscriberBook,
    (pages, links): (&PublishedPages, &SubscriberLinks),
    lanes: &mut SubscriberLanes,
    now: Timestamp,
) -> PickedDeliveries {
    let mut picked = PickedDeliveries::default();
    for delivery in book.due(now).filter(|delivery| !delivery.is_begun) {
        let subscriber = book.subscriber(delivery.key.subscriber);
        let Some(subscriber) = subscriber.filter(|known| is_wanted(known, delivery)) else {
            picked.dropped.push(delivery.key.clone());
            continue;
        };
        let page = pages.pages.get(&subscriber.page);
        let way = page.and_then(|page| Some((page, lane(subscriber, &page.rules.subscribers)?)));
        let Some((page, lane)) = way else {
            // The page or its channel may come back with the next rules.
            if now.since(delivery.queued_at) >= PATIENCE {
                picked.dropped.push(delivery.key.clone());
            }
            continue;
        };
        let per_minute = page.rules.subscribers.per_minute as usize;
        let free_at = lanes.free_at(&lane, per_minute, now);
        if free_at > now {
            let again = free_at.max(now + LOOK_AGAIN);
            picked.next = Some(picked.next.map_or(again, |known| known.min(again)));
            continue;
        }
        let Some(parcel) = parcel(page, subscriber, delivery, links, now) else {
            picked.dropped.push(delivery.key.clone());
            continue;
        };
        lanes.leaves(&lane, now);
        picked.parcels.push(PickedDelivery {
            delivery: delivery.clone(),
            medium: subscriber.address.medium(),
            lane,
            parcel,
        });
        if picked.parcels.len() == PARCELS_MAX {
            break;
        }
    }
    picked
}

fn is_wanted(subscriber: &Subscriber, delivery: &Delivery) -> bool {
    match (&delivery.key.subject, &subscriber.state) {
        (DeliverySubject::Confirmation, SubscriptionState::Pending)
        | (DeliverySubject::Post(_), SubscriptionState::Confirmed { .. }) => true,
        (DeliverySubject::Confirmation | DeliverySubject::Post(_), _) => false,
    }
}

/// The way to somebody, if the rules have one.
fn lane(subscriber: &Subscriber, rules: &SubscriberRules) -> Option<LaneKey> {
    match &subscriber.address {
        SubscriberAddress::Email(_) => rules.email.clone().map(LaneKey::Email),
        SubscriberAddress::Webhook(_) => rules.webhooks.then_some(LaneKey::Webhooks),
    }
}

/// The message, made of the page as it is now; `None` if the post is no longer there.
fn parcel(
    page: &PublishedPage,
    subscriber: &Subscriber,
    delivery: &Delivery,
    links: &SubscriberLinks,
    now: Timestamp,
) -> Option<Parcel> {
    let (view, id) = (&page.view, subscriber.id);
    let channel = page.rules.subscribers.email.clone();
    let post = match &delivery.key.subject {
        DeliverySubject::Confirmation => {
            let until = subscriber.created_at + CONFIRM_WITHIN;
            let link = links.confirm(&view.url, id, until);
            let address = subscriber.address.as_str();
            let mail = letter::confirmation(view, subscriber, address, &link, now);
            let channel = channel?;
            return Some(Parcel::Mail { channel, mail });
        }
        DeliverySubject::Post(post) => posts(view).find(|known| known.id == *post)?,
    };
    let unsubscribe = links.unsubscribe(&view.url, id);
    Some(match &subscriber.address {
        SubscriberAddress::Email(address) => Parcel::Mail {
            channel: channel?,
            mail: letter::update(view, post, (address, id), &unsubscribe),
        },
        SubscriberAddress::Webhook(url) => Parcel::Webhook {
            url: url.clone(),
            subscriber: id,
            id: format!("{}-{}-{}", post.id, delivery.update, id.0),
            body: statuspage_api::webhook(view, post, &unsubscribe),
        },
    })
}
