//! What of the posts of a page was not told yet, and when it is told: updates of one post that come
//! shortly after each other become one message, about the newest.

use std::collections::BTreeMap;

use super::book::{BookChange, SubscriberBook, ToldUpdate};
use super::subscriber::SubscriberId;
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::time::{Duration, Timestamp};
use crate::status_page::published::PublishedPage;
use crate::status_page::view::{PostUpdateView, PostView, StatusPageView};

/// An update that is older is told to nobody: it is history that was imported or found after a
/// long pause.
const OLDEST: Duration = Duration::days(1);

/// What was told of a post that has left its page is remembered for so long.
const KEPT: Duration = Duration::days(30);

/// Updates that wait for others of the same post. After a restart they wait anew.
#[derive(Debug, Default)]
pub struct NewsWatch {
    seen_at: BTreeMap<(StatusPageName, Text), Timestamp>,
}

/// What follows from a look at a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UntoldPosts {
    pub changes: Vec<BookChange>,
    /// When something that waits is to be told.
    pub due: Option<Timestamp>,
}

impl NewsWatch {
    /// Compares a page with what was told of it.
    pub fn look(
        &mut self,
        page: &PublishedPage,
        book: &SubscriberBook,
        now: Timestamp,
    ) -> UntoldPosts {
        let name = &page.rules.name;
        let mut news = UntoldPosts::default();
        let told = book.told(name);
        if told.is_none() {
            news.changes.push(BookChange::Watched(name.clone()));
        }
        for post in posts(&page.view) {
            let newest = post.updates.first().expect("a post has an update");
            let earlier = told.and_then(|told| told.get(&post.id));
            let is_first_sight_of_past = told.is_none() && post.state.is_over();
            let key = (name.clone(), post.id.clone());
            match Freshness::of(newest, earlier, now) {
                Freshness::Told => {
                    self.seen_at.remove(&key);
                }
                Freshness::New if !is_first_sight_of_past => {
                    let since = *self.seen_at.entry(key.clone()).or_insert(now);
                    let due = since + page.rules.subscribers.wait;
                    if now < due {
                        news.due = Some(news.due.map_or(due, |known| known.min(due)));
                        continue;
                    }
                    self.seen_at.remove(&key);
                    news.changes.extend(queued(name, post, newest, book, now));
                    news.changes.push(told_change(name, post, newest));
                }
                Freshness::New | Freshness::History => {
                    news.changes.push(told_change(name, post, newest));
                }
            }
        }
        if let Some(told) = told {
            news.changes.extend(gone(name, told, &page.view, now));
        }
        news
    }
}

/// How an update stands to what was told of its post.
enum Freshness {
    Told,
    New,
    /// Too old to be told, though it was not.
    History,
}

impl Freshness {
    fn of(newest: &PostUpdateView, earlier: Option<&ToldUpdate>, now: Timestamp) -> Self {
        match earlier {
            // An earlier update is the newest again where the one after it was taken back.
            Some(told) if newest.id == told.id || newest.at < told.at => Self::Told,
            Some(_) | None if now.since(newest.at) > OLDEST => Self::History,
            Some(_) | None => Self::New,
        }
    }
}

/// All posts of a page.
pub fn posts(view: &StatusPageView) -> impl Iterator<Item = &PostView> {
    view.open.iter().chain(&view.maintenance).chain(&view.past)
}

fn queued(
    page: &StatusPageName,
    post: &PostView,
    newest: &PostUpdateView,
    book: &SubscriberBook,
    now: Timestamp,
) -> Option<BookChange> {
    let wanted = book.of_page(page);
    let wanted = wanted.filter(|subscriber| subscriber.is_confirmed() && subscriber.wants(post));
    let subscribers: Vec<SubscriberId> = wanted.map(|subscriber| subscriber.id).collect();
    (!subscribers.is_empty()).then(|| BookChange::Queue {
        post: post.id.clone(),
        update: newest.id.clone(),
        at: now,
        subscribers,
    })
}

fn told_change(page: &StatusPageName, post: &PostView, newest: &PostUpdateView) -> BookChange {
    BookChange::Told {
        page: page.clone(),
        post: post.id.clone(),
        update: ToldUpdate {
            id: newest.id.clone(),
            at: newest.at,
        },
    }
}

/// Posts that are no longer on the page, long after their last update.
fn gone<'told>(
    page: &'told StatusPageName,
    told: &'told BTreeMap<Text, ToldUpdate>,
    view: &'told StatusPageView,
    now: Timestamp,
) -> impl Iterator<Item = BookChange> + 'told {
    let old = told
        .iter()
        .filter(move |(_, update)| now.since(update.at) >= KEPT);
    let gone = old.filter(|(id, _)| !posts(view).any(|post| post.id == **id));
    gone.map(|(id, _)| BookChange::ForgetPost {
        page: page.clone(),
        post: id.clone(),
    })
}
