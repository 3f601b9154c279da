//! How somebody becomes a subscriber and stops being one: what each step changes, and how many may
//! try.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::book::{BookChange, SubscriberBook};
use super::delivery::{Delivery, DeliveryKey, DeliverySubject};
use super::subscriber::{
    Subscriber, SubscriberAddress, SubscriberId, SubscriptionEnd, SubscriptionState,
};
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::time::{Duration, Timestamp};

/// An address that is not confirmed gets one mail in so long, whatever page it is entered on.
const ASK_EVERY: Duration = Duration::days(1);

/// A link that confirms is good for so long.
pub const CONFIRM_WITHIN: Duration = Duration::hours(48);

/// What was never confirmed, and what has ended, is forgotten after so long.
const PENDING_KEPT: Duration = Duration::days(7);
const ENDED_KEPT: Duration = Duration::days(30);

/// Subscribers of one page.
pub const SUBSCRIBERS_MAX: usize = 100_000;

/// Sign-ups of one client and on one page within [`LIMIT_WINDOW`].
const OF_CLIENT_MAX: usize = 5;
const OF_PAGE_MAX: usize = 1_000;
const LIMIT_WINDOW: Duration = Duration::hours(1);

/// Clients that are remembered; beyond it nobody new is let in until the window is over.
const CLIENTS_MAX: usize = 10_000;

/// Why somebody cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddRefused {
    #[error("this address is subscribed to the page already; remove it first to change it")]
    Known,
    #[error("the page has {SUBSCRIBERS_MAX} subscribers, which is the maximum")]
    Full,
}

/// Somebody entered an address on the page. What follows is never told to them: they may not be
/// the one whose address it is.
pub fn ask(
    book: &SubscriberBook,
    page: &StatusPageName,
    address: SubscriberAddress,
    components: Vec<Text>,
    now: Timestamp,
) -> Vec<BookChange> {
    let known = book.find(page, &address);
    if known.is_some_and(Subscriber::is_confirmed) {
        return Vec::new();
    }
    let mut asked = book.of_address(&address).filter_map(|known| known.asked_at);
    let is_asked = asked.any(|at| at.apart(now) < ASK_EVERY);
    drop(asked);
    if is_asked || book.of_page(page).count() >= SUBSCRIBERS_MAX {
        return Vec::new();
    }
    let mut changes = Vec::new();
    if let Some(known) = known {
        changes.push(BookChange::Forget(known.id));
    }
    let subscriber = Subscriber {
        id: book.next_id(),
        page: page.clone(),
        address,
        components,
        state: SubscriptionState::Pending,
        created_at: now,
        asked_at: Some(now),
        failing_since: None,
    };
    let key = DeliveryKey {
        subscriber: subscriber.id,
        subject: DeliverySubject::Confirmation,
    };
    changes.push(BookChange::Subscriber(subscriber));
    changes.push(BookChange::Delivery(Delivery::new(key, "".into(), now)));
    changes
}

/// An admin adds somebody, who counts as confirmed.
pub fn add(
    book: &SubscriberBook,
    page: &StatusPageName,
    address: SubscriberAddress,
    components: Vec<Text>,
    now: Timestamp,
) -> (Vec<BookChange>, Result<SubscriberId, AddRefused>) {
    let known = book.find(page, &address);
    if known.is_some_and(Subscriber::is_confirmed) {
        return (Vec::new(), Err(AddRefused::Known));
    }
    if book.of_page(page).count() >= SUBSCRIBERS_MAX {
        return (Vec::new(), Err(AddRefused::Full));
    }
    let forgotten = known.map(|known| BookChange::Forget(known.id));
    let subscriber = Subscriber {
        id: book.next_id(),
        page: page.clone(),
        address,
        components,
        state: SubscriptionState::Confirmed { at: now },
        created_at: now,
        asked_at: None,
        failing_since: None,
    };
    let id = subscriber.id;
    let changes = forgotten
        .into_iter()
        .chain([BookChange::Subscriber(subscriber)]);
    (changes.collect(), Ok(id))
}

/// The reader of the mail says that the address is theirs. Whether they are subscribed now.
pub fn confirm(book: &SubscriberBook, id: SubscriberId, now: Timestamp) -> (Vec<BookChange>, bool) {
    let Some(known) = book.subscriber(id) else {
        return (Vec::new(), false);
    };
    match known.state {
        SubscriptionState::Pending => {
            let state = SubscriptionState::Confirmed { at: now };
            let confirmed = Subscriber {
                state,
                ..known.clone()
            };
            (vec![BookChange::Subscriber(confirmed)], true)
        }
        SubscriptionState::Confirmed { .. } => (Vec::new(), true),
        SubscriptionState::Ended { .. } => (Vec::new(), false),
    }
}

/// Nobody is told any more, nor of what is on its way.
pub fn end(
    book: &SubscriberBook,
    id: SubscriberId,
    why: SubscriptionEnd,
    now: Timestamp,
) -> Vec<BookChange> {
    let known = book.subscriber(id);
    let is_over = |known: &&Subscriber| matches!(known.state, SubscriptionState::Ended { .. });
    let Some(known) = known.filter(|known| !is_over(known)) else {
        return Vec::new();
    };
    let ended = Subscriber {
        state: SubscriptionState::Ended { at: now, why },
        ..known.clone()
    };
    let done = book.keys_of(id).into_iter().map(BookChange::Done);
    done.chain([BookChange::Subscriber(ended)]).collect()
}

/// What nobody needs any more.
pub fn expire(book: &SubscriberBook, now: Timestamp) -> Vec<BookChange> {
    let is_old = |subscriber: &&Subscriber| match &subscriber.state {
        SubscriptionState::Pending => now.since(subscriber.created_at) >= PENDING_KEPT,
        SubscriptionState::Confirmed { .. } => false,
        SubscriptionState::Ended { at, .. } => now.since(*at) >= ENDED_KEPT,
    };
    let old = book.subscribers().filter(is_old);
    old.map(|subscriber| BookChange::Forget(subscriber.id))
        .collect()
}

/// How many sign-ups there were lately, by clients and by pages.
#[derive(Debug, Default)]
pub struct SignUpLimits {
    clients: BTreeMap<IpAddr, Vec<Timestamp>>,
    pages: BTreeMap<StatusPageName, Vec<Timestamp>>,
}

impl SignUpLimits {
    /// Counts one, and says whether it is within the limits. Addresses of version 6 count by their
    /// network, for one client has as many of them as it likes.
    pub fn admit(&mut self, client: IpAddr, page: &StatusPageName, now: Timestamp) -> bool {
        let is_recent = |at: &Timestamp| at.apart(now) < LIMIT_WINDOW;
        self.clients.retain(|_, times| {
            times.retain(is_recent);
            !times.is_empty()
        });
        let client = network(client);
        let is_new = !self.clients.contains_key(&client);
        if is_new && self.clients.len() >= CLIENTS_MAX {
            return false;
        }
        let of_page = self.pages.entry(page.clone()).or_default();
        of_page.retain(is_recent);
        let of_client = self.clients.entry(client).or_default();
        if of_client.len() >= OF_CLIENT_MAX || of_page.len() >= OF_PAGE_MAX {
            return false;
        }
        of_client.push(now);
        of_page.push(now);
        true
    }
}

fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_796_051_040_000);

    fn email(address: &str) -> SubscriberAddress {
        SubscriberAddress::Email(address.to_owned())
    }

    fn applied(book: &mut SubscriberBook, changes: Vec<BookChange>) -> usize {
        let count = changes.len();
        changes.into_iter().for_each(|change| book.apply(change));
        count
    }

    fn asked(book: &mut SubscriberBook, page: &str, address: &str, now: Timestamp) -> bool {
        let changes = ask(book, &page.into(), email(address), Vec::new(), now);
        applied(book, changes) > 0
    }

    #[test]
    fn an_address_that_is_not_confirmed_gets_one_mail_a_day_on_whatever_page() {
        let mut book = SubscriberBook::default();
        assert!(asked(&mut book, "public", "ana@example.com", NOW));
        assert!(!asked(&mut book, "public", "Ana@Example.com", NOW));
        assert!(!asked(&mut book, "internal", "ana@example.com", NOW));
        assert!(asked(&mut book, "public", "bo@example.com", NOW));
        let next_day = NOW + Duration::days(1);
        assert!(asked(&mut book, "public", "ana@example.com", next_day));
        assert_eq!(
            book.queued(),
            2,
            "the later mail took the place of the first"
        );
    }

    #[test]
    fn whoever_is_confirmed_is_not_asked_again() {
        let mut book = SubscriberBook::default();
        assert!(asked(&mut book, "public", "ana@example.com", NOW));
        let (changes, is_subscribed) = confirm(&book, SubscriberId(0), NOW);
        assert!(is_subscribed);
        applied(&mut book, changes);
        let later = NOW + Duration::days(3);
        assert!(!asked(&mut book, "public", "ana@example.com", later));
        assert_eq!(confirm(&book, SubscriberId(0), later), (Vec::new(), true));
    }

    #[test]
    fn an_ended_subscription_is_not_confirmed_by_its_old_link_and_can_begin_anew() {
        let mut book = SubscriberBook::default();
        assert!(asked(&mut book, "public", "ana@example.com", NOW));
        let changes = end(&book, SubscriberId(0), SubscriptionEnd::Unsubscribed, NOW);
        applied(&mut book, changes);
        assert_eq!(book.queued(), 0);
        assert!(!confirm(&book, SubscriberId(0), NOW).1);
        let later = NOW + Duration::days(1);
        assert!(asked(&mut book, "public", "ana@example.com", later));
        assert_eq!(book.subscribers().count(), 1);
        assert!(book.subscriber(SubscriberId(1)).is_some());
    }

    #[test]
    fn what_was_never_confirmed_and_what_has_ended_is_forgotten() {
        let mut book = SubscriberBook::default();
        for address in [
            "pending@example.com",
            "ended@example.com",
            "kept@example.com",
        ] {
            assert!(asked(&mut book, "public", address, NOW));
        }
        let mut changes = end(&book, SubscriberId(1), SubscriptionEnd::Removed, NOW);
        changes.extend(confirm(&book, SubscriberId(2), NOW).0);
        applied(&mut book, changes);
        for (days, left) in [(6, 3), (7, 2), (29, 2), (30, 1), (4_000, 1)] {
            let changes = expire(&book, NOW + Duration::days(days));
            applied(&mut book, changes);
            assert_eq!(book.subscribers().count(), left, "after {days} days");
        }
    }

    #[test]
    fn a_flood_of_sign_ups_ends_at_five_of_a_client_and_a_thousand_of_a_page_in_an_hour() {
        let mut limits = SignUpLimits::default();
        let page = StatusPageName::from("public");
        let client = |number: u16| IpAddr::from([10, 0, (number >> 8) as u8, number as u8]);
        let of_one = (0..9)
            .filter(|_| limits.admit(client(0), &page, NOW))
            .count();
        assert_eq!(of_one, 5);
        let of_all = (1..2_000).filter(|number| limits.admit(client(*number), &page, NOW));
        assert_eq!(of_all.count(), 995);
        assert!(!limits.admit(client(3_000), &page, NOW));
        assert!(limits.admit(client(3_000), &"internal".into(), NOW));
        assert!(limits.admit(client(0), &page, NOW + Duration::hours(1)));
    }

    #[test]
    fn addresses_of_one_network_of_version_6_are_one_client() {
        let mut limits = SignUpLimits::default();
        let page = StatusPageName::from("public");
        let admitted = (0..9).filter(|number| {
            let client = format!("2001:db8::{number}").parse().expect("an address");
            limits.admit(client, &page, NOW)
        });
        assert_eq!(admitted.count(), 5);
    }
}
