//! Tells subscribers what is new on the pages: looks at them, queues, sends, and learns from what
//! came of it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::error;

use super::book::{BookChange, SubscriberBook};
use super::couriers::{Couriers, ParcelSent};
use super::delivery::{AfterAttempt, Delivery};
use super::journal::JournalError;
use super::lanes::{LaneKey, SubscriberLanes};
use super::letter::SubscriberLinks;
use super::news::NewsWatch;
use super::picking::{PickedDelivery, pick};
use super::registry::SubscriberRegistry;
use super::sign_up;
use super::subscriber::{Subscriber, SubscriberAddress, SubscriptionEnd};
use crate::engine::outcome::Outcome;
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::clock;
use crate::status_page::published::PublishedPages;

/// Something is looked for at least so often.
const LOOK_EVERY: Duration = Duration::hours(1);

/// After an error of the journal.
const PAUSE: Duration = Duration::minutes(1);

/// A target that takes nothing for so long is given up. Mail is not: its failures are those of our
/// own relay, and addresses that are no good bounce.
const FAILING_MAX: Duration = Duration::days(5);

/// Told of what became of a message: its medium and the outcome's word.
pub type OnDelivery = Arc<dyn Fn(&'static str, &'static str) + Send + Sync>;

/// What a worker is made of.
#[derive(Clone)]
pub struct WorkerParts {
    pub registry: Arc<SubscriberRegistry>,
    pub pages: watch::Receiver<Arc<PublishedPages>>,
    pub couriers: Couriers,
    pub links: SubscriberLinks,
    pub on_delivery: OnDelivery,
    /// Told how many messages are on their way.
    pub on_queue: Arc<dyn Fn(usize) + Send + Sync>,
}

/// Tells subscribers. There is one.
pub struct SubscriberWorker {
    parts: WorkerParts,
    news: NewsWatch,
    lanes: SubscriberLanes,
    /// What an earlier process left half done was looked after.
    has_recovered: bool,
}

/// An attempt, and what came of it.
struct EndedAttempt {
    begun: Delivery,
    medium: &'static str,
    lane: LaneKey,
    sent: ParcelSent,
}

impl SubscriberWorker {
    pub fn new(parts: WorkerParts) -> Self {
        Self {
            parts,
            news: NewsWatch::default(),
            lanes: SubscriberLanes::default(),
            has_recovered: false,
        }
    }

    /// Works until the process ends.
    pub async fn run(mut self) {
        loop {
            let now = clock::wall_now();
            let next = match self.turn(now).await {
                Ok(next) => next,
                Err(error) => {
                    error!(%error, "subscribers of status pages are not told");
                    now + PAUSE
                }
            };
            let wait = std::time::Duration::from_millis(next.since(clock::wall_now()).0);
            let registry = self.parts.registry.clone();
            tokio::select! {
                changed = self.parts.pages.changed() => if changed.is_err() {
                    return;
                },
                () = registry.changed() => {}
                () = tokio::time::sleep_until(clock::deadline(wait)) => {}
            }
        }
    }

    /// Does all that is to be done now; when there is more to do at the latest.
    pub async fn turn(&mut self, now: Timestamp) -> Result<Timestamp, JournalError> {
        if !self.has_recovered {
            self.change(move |book| recovered(book, now)).await?;
            self.has_recovered = true;
        }
        self.change(move |book| sign_up::expire(book, now)).await?;
        let pages = self.parts.pages.borrow_and_update().clone();
        let mut next = now + LOOK_EVERY;
        for page in pages.pages.values() {
            let news = self
                .parts
                .registry
                .read(|book| self.news.look(page, book, now));
            next = news.due.map_or(next, |due| due.min(next));
            self.change(move |_| news.changes).await?;
        }
        loop {
            let links = &self.parts.links;
            let lanes = &mut self.lanes;
            let picked = self
                .parts
                .registry
                .read(|book| pick(book, (&pages, links), lanes, now));
            let done = picked.dropped.into_iter().map(BookChange::Done).collect();
            self.change(move |_| done).await?;
            if picked.parcels.is_empty() {
                next = picked.next.map_or(next, |at| at.min(next));
                break;
            }
            self.send(picked.parcels, now).await?;
        }
        let (queued, due) = {
            let registry = &self.parts.registry;
            registry.read(|book| (book.queued(), book.next_due(now)))
        };
        (self.parts.on_queue)(queued);
        Ok(due.map_or(next, |due| due.min(next)))
    }

    /// Makes one attempt for each of these, all at once. That they begin is durable before.
    async fn send(
        &mut self,
        picked: Vec<PickedDelivery>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let begun = picked.iter().map(|picked| picked.delivery.begun());
        let begun: Vec<BookChange> = begun.map(BookChange::Delivery).collect();
        self.change(move |_| begun).await?;
        let mut attempts = JoinSet::new();
        for picked in picked {
            let couriers = self.parts.couriers.clone();
            attempts.spawn(async move {
                let sent = couriers.send(&picked.parcel, now).await;
                EndedAttempt {
                    begun: picked.delivery.begun(),
                    medium: picked.medium,
                    lane: picked.lane,
                    sent,
                }
            });
        }
        let mut ended = Vec::new();
        while let Some(attempt) = attempts.join_next().await {
            // One that panicked stays begun: it is uncertain, as after a crash.
            match attempt {
                Ok(attempt) => ended.push(attempt),
                Err(error) => {
                    error!(%error, "an attempt to tell a subscriber panicked");
                    self.has_recovered = false;
                }
            }
        }
        for attempt in &ended {
            self.lanes.learn(&attempt.lane, attempt.sent.outcome, now);
            let after = attempt.begun.after(attempt.sent.outcome, now);
            (self.parts.on_delivery)(attempt.medium, word(&after));
        }
        self.change(move |book| {
            let changes = ended.iter().flat_map(|attempt| {
                let words = attempt.sent.words.as_str();
                learnt(book, &attempt.begun, (attempt.sent.outcome, words), now)
            });
            changes.collect()
        })
        .await
    }

    /// Changes the records on a thread that may block.
    async fn change(
        &self,
        decide: impl FnOnce(&SubscriberBook) -> Vec<BookChange> + Send + 'static,
    ) -> Result<(), JournalError> {
        let registry = self.parts.registry.clone();
        let change = move || registry.change(|book| (decide(book), ()));
        let changed = tokio::task::spawn_blocking(change).await;
        changed.expect("a change of the records does not panic")
    }
}

/// Attempts whose outcome an earlier process did not come to record.
fn recovered(book: &SubscriberBook, now: Timestamp) -> Vec<BookChange> {
    let begun = book.deliveries().filter(|delivery| delivery.is_begun);
    let words = "the process ended during the attempt";
    let learnt = begun.flat_map(|begun| learnt(book, begun, (Outcome::Unknown, words), now));
    learnt.collect()
}

/// What an attempt changes.
fn learnt(
    book: &SubscriberBook,
    begun: &Delivery,
    (outcome, words): (Outcome, &str),
    now: Timestamp,
) -> Vec<BookChange> {
    let id = begun.key.subscriber;
    let Some(subscriber) = book.subscriber(id) else {
        return Vec::new();
    };
    let current = book.delivery(&begun.key);
    // Meanwhile a newer update may have taken its place, or the reader may have unsubscribed.
    let is_current = current.is_some_and(|known| known.is_begun && known.update == begun.update);
    let mut changes = Vec::new();
    match begun.after(outcome, now) {
        AfterAttempt::Bounced => {
            let why = SubscriptionEnd::Bounced(words.to_owned());
            return sign_up::end(book, id, why, now);
        }
        AfterAttempt::Sent => {
            changes.extend(failing(subscriber, None));
            changes.extend(is_current.then(|| BookChange::Done(begun.key.clone())));
        }
        AfterAttempt::Retry(delivery) => {
            changes.extend(is_current.then_some(BookChange::Delivery(delivery)));
            changes.extend(still_failing(book, subscriber, words, now));
        }
        AfterAttempt::Dropped(_) => {
            changes.extend(is_current.then(|| BookChange::Done(begun.key.clone())));
            changes.extend(still_failing(book, subscriber, words, now));
        }
    }
    changes
}

fn still_failing(
    book: &SubscriberBook,
    subscriber: &Subscriber,
    words: &str,
    now: Timestamp,
) -> Vec<BookChange> {
    if matches!(subscriber.address, SubscriberAddress::Email(_)) {
        return Vec::new();
    }
    let since = subscriber.failing_since.unwrap_or(now);
    if now.since(since) >= FAILING_MAX {
        let why = SubscriptionEnd::Failing(words.to_owned());
        return sign_up::end(book, subscriber.id, why, now);
    }
    failing(subscriber, Some(since)).into_iter().collect()
}

fn failing(subscriber: &Subscriber, since: Option<Timestamp>) -> Option<BookChange> {
    (subscriber.failing_since != since).then(|| {
        BookChange::Subscriber(Subscriber {
            failing_since: since,
            ..subscriber.clone()
        })
    })
}

fn word(after: &AfterAttempt) -> &'static str {
    match after {
        AfterAttempt::Sent => "sent",
        AfterAttempt::Retry(_) => "retried",
        AfterAttempt::Bounced => "bounced",
        AfterAttempt::Dropped(word) => word,
    }
}
