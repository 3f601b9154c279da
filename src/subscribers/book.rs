//! All that is known of subscribers, in memory, and the changes of it that the journal remembers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::delivery::{Delivery, DeliveryKey, DeliverySubject};
use super::subscriber::{Subscriber, SubscriberAddress, SubscriberId};
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::time::Timestamp;

/// The newest update of a post that was told to everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldUpdate {
    pub id: Text,
    pub at: Timestamp,
}

/// A change of one record. What is in the journal are lists of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookChange {
    /// Ids below this are never given again.
    NextId(u64),
    /// New, or as it is now; address and page stay what they were.
    Subscriber(Subscriber),
    /// With all that this one was still to be told.
    Forget(SubscriberId),
    /// The posts of the page are watched from now on.
    Watched(StatusPageName),
    Told {
        page: StatusPageName,
        post: Text,
        update: ToldUpdate,
    },
    /// The post has left its page long ago.
    ForgetPost {
        page: StatusPageName,
        post: Text,
    },
    Delivery(Delivery),
    /// The newest update of a post, for all of these.
    Queue {
        post: Text,
        update: Text,
        at: Timestamp,
        subscribers: Vec<SubscriberId>,
    },
    /// It is told, or not to be told any more.
    Done(DeliveryKey),
}

/// In which order messages leave: those that somebody waits for at a screen go first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct QueuePlace {
    is_post: bool,
    next_at: Timestamp,
    key: DeliveryKey,
}

impl QueuePlace {
    /// The place before all that may leave after this moment.
    fn first(is_post: bool, after: Timestamp) -> Self {
        let subject = DeliverySubject::Confirmation;
        Self {
            is_post,
            next_at: Timestamp(after.0.saturating_add(1)),
            key: DeliveryKey {
                subscriber: SubscriberId(0),
                subject,
            },
        }
    }

    fn of(delivery: &Delivery) -> Self {
        Self {
            is_post: delivery.key.subject != DeliverySubject::Confirmation,
            next_at: delivery.next_at,
            key: delivery.key.clone(),
        }
    }
}

/// The records.
#[derive(Debug, Default)]
pub struct SubscriberBook {
    next_id: u64,
    subscribers: BTreeMap<SubscriberId, Subscriber>,
    by_address: BTreeMap<(SubscriberAddress, StatusPageName), SubscriberId>,
    told: BTreeMap<StatusPageName, BTreeMap<Text, ToldUpdate>>,
    deliveries: BTreeMap<DeliveryKey, Delivery>,
    queue: BTreeSet<QueuePlace>,
}

impl SubscriberBook {
    /// The id of the next subscriber.
    pub fn next_id(&self) -> SubscriberId {
        SubscriberId(self.next_id)
    }

    pub fn subscriber(&self, id: SubscriberId) -> Option<&Subscriber> {
        self.subscribers.get(&id)
    }

    /// All of them, by their ids.
    pub fn subscribers(&self) -> impl Iterator<Item = &Subscriber> {
        self.subscribers.values()
    }

    /// Those of a page.
    pub fn of_page<'book>(
        &'book self,
        page: &'book StatusPageName,
    ) -> impl Iterator<Item = &'book Subscriber> {
        self.subscribers().filter(move |known| known.page == *page)
    }

    /// The subscriptions of an address, on all pages.
    pub fn of_address(&self, address: &SubscriberAddress) -> impl Iterator<Item = &Subscriber> {
        let folded = address.folded();
        let from = (folded.clone(), StatusPageName::from(""));
        let known = self.by_address.range(from..);
        let known = known.take_while(move |((address, _), _)| *address == folded);
        known.map(|(_, id)| &self.subscribers[id])
    }

    /// The subscription of an address to a page.
    pub fn find(&self, page: &StatusPageName, address: &SubscriberAddress) -> Option<&Subscriber> {
        let id = self.by_address.get(&(address.folded(), page.clone()))?;
        self.subscribers.get(id)
    }

    /// What was told of each post of a page; `None` for a page that was never watched.
    pub fn told(&self, page: &StatusPageName) -> Option<&BTreeMap<Text, ToldUpdate>> {
        self.told.get(page)
    }

    pub fn delivery(&self, key: &DeliveryKey) -> Option<&Delivery> {
        self.deliveries.get(key)
    }

    /// All messages that are on their way.
    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values()
    }

    /// How many messages are on their way.
    pub fn queued(&self) -> usize {
        self.deliveries.len()
    }

    /// The messages that may leave now, in the order in which they do.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Delivery> {
        let due = [false, true].into_iter().flat_map(move |is_post| {
            let to = QueuePlace::first(is_post, now);
            self.queue
                .range(QueuePlace::first(is_post, Timestamp(i64::MIN))..to)
        });
        due.map(|place| &self.deliveries[&place.key])
    }

    /// When the next message may leave that may not now.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let next = [false, true].into_iter().filter_map(|is_post| {
            let from = QueuePlace::first(is_post, now);
            let next = self.queue.range(from..).next()?;
            (next.is_post == is_post).then_some(next.next_at)
        });
        next.min()
    }

    /// Makes the change.
    pub fn apply(&mut self, change: BookChange) {
        match change {
            BookChange::NextId(next) => self.next_id = self.next_id.max(next),
            BookChange::Subscriber(subscriber) => {
                self.next_id = self.next_id.max(subscriber.id.0 + 1);
                let place = (subscriber.address.folded(), subscriber.page.clone());
                self.by_address.insert(place, subscriber.id);
                self.subscribers.insert(subscriber.id, subscriber);
            }
            BookChange::Forget(id) => self.forget(id),
            BookChange::Watched(page) => {
                self.told.entry(page).or_default();
            }
            BookChange::Told { page, post, update } => {
                self.told.entry(page).or_default().insert(post, update);
            }
            BookChange::ForgetPost { page, post } => {
                if let Some(told) = self.told.get_mut(&page) {
                    told.remove(&post);
                }
            }
            BookChange::Delivery(delivery) => self.put(delivery),
            BookChange::Queue {
                post,
                update,
                at,
                subscribers,
            } => {
                for subscriber in subscribers {
                    let subject = DeliverySubject::Post(post.clone());
                    let key = DeliveryKey {
                        subscriber,
                        subject,
                    };
                    self.put(Delivery::new(key, update.clone(), at));
                }
            }
            BookChange::Done(key) => self.done(&key),
        }
    }

    fn put(&mut self, delivery: Delivery) {
        self.done(&delivery.key);
        self.queue.insert(QueuePlace::of(&delivery));
        self.deliveries.insert(delivery.key.clone(), delivery);
    }

    fn done(&mut self, key: &DeliveryKey) {
        if let Some(delivery) = self.deliveries.remove(key) {
            self.queue.remove(&QueuePlace::of(&delivery));
        }
    }

    fn forget(&mut self, id: SubscriberId) {
        if let Some(subscriber) = self.subscribers.remove(&id) {
            let place = (subscriber.address.folded(), subscriber.page);
            if self.by_address.get(&place) == Some(&id) {
                self.by_address.remove(&place);
            }
        }
        for key in self.keys_of(id) {
            self.done(&key);
        }
    }

    /// All that somebody is still to be told.
    pub fn keys_of(&self, id: SubscriberId) -> Vec<DeliveryKey> {
        let from = DeliveryKey {
            subscriber: id,
            subject: DeliverySubject::Confirmation,
        };
        let keys = self.deliveries.range(from..).map(|(key, _)| key);
        keys.take_while(|key| key.subscriber == id)
            .cloned()
            .collect()
    }

    /// The changes that make an empty book like this one.
    pub fn snapshot(&self) -> Vec<BookChange> {
        let mut changes = vec![BookChange::NextId(self.next_id)];
        let subscribers = self.subscribers.values().cloned();
        changes.extend(subscribers.map(BookChange::Subscriber));
        for (page, told) in &self.told {
            changes.push(BookChange::Watched(page.clone()));
            changes.extend(told.iter().map(|(post, update)| BookChange::Told {
                page: page.clone(),
                post: post.clone(),
                update: update.clone(),
            }));
        }
        changes.extend(self.deliveries.values().cloned().map(BookChange::Delivery));
        changes
    }
}
