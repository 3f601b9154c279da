//! Which connections of a listening address are let in, and which give way. Whoever is only one of
//! many never shuts the others out: each peer has a share, connections on which nothing happens
//! give way when all places are taken, and a few places are reserved for acknowledge links and
//! health checks.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::api::peer::Peer;
use crate::engine::time::Duration;
use crate::runtime::clock::Clock;

/// What people need at night, and what looks after the process.
pub fn is_served_in_reserve(path: &str) -> bool {
    path.starts_with("/a/") || path == "/healthz" || path == "/readyz"
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceLimits {
    pub places: usize,
    /// Of one peer.
    pub share: usize,
}

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// Whatever is asked.
    Normal,
    /// Only acknowledge links and health checks, one request.
    Reserved,
}

/// What the client of a connection is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A request that has not begun.
    Idle,
    /// The rest of a head.
    Head,
    /// Nothing: a body comes, or an answer is made.
    Not,
}

/// How a connection is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    NotYet,
    /// After the answer that is under way.
    Gently,
    Now,
}

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The peer has its share, also of the reserved places.
    Share,
    /// All places are taken by connections on which something happens.
    Full,
}

/// What a connection did that was ended to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveWay {
    /// Nothing.
    Idle,
    /// It was slow to send a head.
    Slow,
}

/// A head that is not whole after so long is slow.
const SLOW_AFTER: Duration = Duration(1_000);

/// Connections that gave way and still end gently; beyond it they are cut off.
pub const LEAVING_MAX: usize = 32;

/// The connections of one listening address.
pub struct Places {
    normal: PlaceLimits,
    reserved: PlaceLimits,
    clock: Clock,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    guests: BTreeMap<u64, Guest>,
    leaving: usize,
}

struct Guest {
    peer: Peer,
    kind: PlaceKind,
    waiting: Waiting,
    /// On the monotonic clock.
    since: Duration,
    /// Under way.
    requests: usize,
    end: watch::Sender<Closing>,
}

/// The right to a connection; free again when it is dropped.
pub struct Place {
    places: Arc<Places>,
    number: u64,
    kind: PlaceKind,
    /// What was ended for it.
    gave_way: Option<GaveWay>,
    end: watch::Receiver<Closing>,
}

/// A request under way on a connection.
pub struct Underway(Arc<Place>);

impl Places {
    /// No connections yet.
    pub fn new(normal: PlaceLimits, reserved: PlaceLimits) -> Arc<Self> {
        Arc::new(Self {
            normal,
            reserved,
            clock: Clock::start(),
            inner: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in, in place of another one if need be.
    pub fn admit(self: &Arc<Self>, peer: Peer) -> Result<Place, NotAdmitted> {
        let mut inner = self.lock();
        let now = self.clock.monotonic();
        let mut refused = NotAdmitted::Full;
        for (kind, room) in [
            (PlaceKind::Normal, self.normal),
            (PlaceKind::Reserved, self.reserved),
        ] {
            match inner.make_room(peer, (kind, room), now) {
                Ok(gave_way) => {
                    return Ok(self.enter(&mut inner, (peer, kind), gave_way));
                }
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    fn enter(
        self: &Arc<Self>,
        inner: &mut Inner,
        (peer, kind): (Peer, PlaceKind),
        gave_way: Option<GaveWay>,
    ) -> Place {
        let number = inner.next;
        inner.next += 1;
        let (sender, end) = watch::channel(Closing::NotYet);
        let guest = Guest {
            peer,
            kind,
            waiting: Waiting::Head,
            since: self.clock.monotonic(),
            requests: 0,
            end: sender,
        };
        inner.guests.insert(number, guest);
        Place {
            places: self.clone(),
            number,
            kind,
            gave_way,
            end,
        }
    }
}

impl Inner {
    fn make_room(
        &mut self,
        peer: Peer,
        (kind, room): (PlaceKind, PlaceLimits),
        now: Duration,
    ) -> Result<Option<GaveWay>, NotAdmitted> {
        let of_kind = || self.guests.values().filter(|guest| guest.kind == kind);
        let own = of_kind().filter(|guest| guest.peer == peer).count();
        let taken = of_kind().count();
        if own >= room.share && !peer.is_proxy() {
            // Its own silent connections make room, and nobody else's.
            let is_idle = |guest: &Guest| guest.peer == peer && guest.is_idle();
            let replaced = self.replace(kind, is_idle);
            return replaced.map(Some).ok_or(NotAdmitted::Share);
        }
        if taken >= room.places {
            let gives_way = |guest: &Guest| guest.gives_way(now);
            let replaced = self.replace(kind, gives_way);
            return replaced.map(Some).ok_or(NotAdmitted::Full);
        }
        Ok(None)
    }

    /// Ends one of these connections: of the peer with the most, the idle before the slow, the
    /// oldest first. Proxies, which stand for many, come last.
    fn replace(&mut self, kind: PlaceKind, gives_way: impl Fn(&Guest) -> bool) -> Option<GaveWay> {
        let mut counts: BTreeMap<Peer, usize> = BTreeMap::new();
        for guest in self.guests.values().filter(|guest| guest.kind == kind) {
            *counts.entry(guest.peer).or_default() += 1;
        }
        let weight = |guest: &Guest| {
            let count = counts.get(&guest.peer).copied().unwrap_or(0);
            if guest.peer.is_proxy() { 0 } else { count }
        };
        let candidates = self.guests.iter();
        let candidates = candidates.filter(|(_, guest)| guest.kind == kind && gives_way(guest));
        let (number, _) = candidates.max_by_key(|(number, guest)| {
            let oldest_first = Reverse((guest.since.0, **number));
            (weight(guest), guest.is_idle(), oldest_first)
        })?;
        let guest = self.guests.remove(&number.clone())?;
        let is_cut_off = !guest.is_idle() || self.leaving >= LEAVING_MAX;
        self.leaving += 1;
        guest.end.send_replace(if is_cut_off {
            Closing::Now
        } else {
            Closing::Gently
        });
        Some(if guest.is_idle() {
            GaveWay::Idle
        } else {
            GaveWay::Slow
        })
    }
}

impl Guest {
    fn is_idle(&self) -> bool {
        self.requests == 0 && self.waiting == Waiting::Idle
    }

    fn gives_way(&self, now: Duration) -> bool {
        let is_slow =
            self.waiting == Waiting::Head && now.0.saturating_sub(self.since.0) >= SLOW_AFTER.0;
        self.is_idle() || (self.requests == 0 && is_slow)
    }
}

impl Place {
    /// What it is for.
    pub fn kind(&self) -> PlaceKind {
        self.kind
    }

    /// What was ended to make room for it.
    pub fn gave_way(&self) -> Option<GaveWay> {
        self.gave_way
    }

    /// Notes what the client is waited for.
    pub fn set_waiting(&self, waiting: Waiting) {
        let mut inner = self.places.lock();
        if let Some(guest) = inner.guests.get_mut(&self.number)
            && guest.waiting != waiting
        {
            guest.waiting = waiting;
            guest.since = self.places.clock.monotonic();
        }
    }

    /// A request begins; it is under way until the answer was handed over.
    pub fn begin(self: &Arc<Self>) -> Underway {
        let mut inner = self.places.lock();
        if let Some(guest) = inner.guests.get_mut(&self.number) {
            guest.requests += 1;
            // A head was whole. Over HTTP/2, where requests overlap, it is never waited for.
            if guest.waiting == Waiting::Head {
                guest.waiting = Waiting::Not;
            }
        }
        Underway(self.clone())
    }

    /// Whether a request is under way on it.
    pub fn is_underway(&self) -> bool {
        let inner = self.places.lock();
        let guest = inner.guests.get(&self.number);
        guest.is_some_and(|guest| guest.requests > 0)
    }

    /// Asks it to end after the answer that is under way.
    pub fn end_gently(&self) {
        if let Some(guest) = self.places.lock().guests.get(&self.number) {
            guest.end.send_replace(Closing::Gently);
        }
    }

    /// Waits until the connection is to end.
    pub async fn ending(&self) -> Closing {
        let mut end = self.end.clone();
        let ended = end.wait_for(|end| *end != Closing::NotYet).await;
        // What was removed from the list was told before.
        ended.map_or(Closing::Now, |end| *end)
    }

    /// Waits until the connection is to be cut off; `None` if nobody will ask for it any more.
    pub async fn cut_off(&self) -> Option<()> {
        let mut end = self.end.clone();
        let ended = end.wait_for(|end| *end == Closing::Now).await;
        ended.ok().map(|_now| ())
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut inner = self.0.places.lock();
        if let Some(guest) = inner.guests.get_mut(&self.0.number) {
            guest.requests = guest.requests.saturating_sub(1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.places.lock();
        if inner.guests.remove(&self.number).is_none() {
            // It gave way before.
            inner.leaving = inner.leaving.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::api::peer::TrustedProxies;

    fn places(normal: (usize, usize), reserved: (usize, usize)) -> Arc<Places> {
        let room = |(places, share)| PlaceLimits { places, share };
        Places::new(room(normal), room(reserved))
    }

    fn peer(number: u8) -> Peer {
        Peer::client(Ipv4Addr::new(192, 0, 2, number).into())
    }

    /// One that something happens on.
    fn busy(places: &Arc<Places>, number: u8) -> Result<Place, NotAdmitted> {
        let place = places.admit(peer(number))?;
        place.set_waiting(Waiting::Not);
        Ok(place)
    }

    fn idle(places: &Arc<Places>, number: u8) -> Place {
        let place = places.admit(peer(number)).unwrap();
        place.set_waiting(Waiting::Idle);
        place
    }

    fn end(place: &Place) -> Closing {
        *place.end.borrow()
    }

    #[test]
    fn a_peer_with_its_share_finds_reserved_places_and_then_none_while_others_come_in() {
        let places = places((4, 2), (2, 1));
        let mut held = Vec::new();
        for expected in [PlaceKind::Normal, PlaceKind::Normal, PlaceKind::Reserved] {
            let place = busy(&places, 1).unwrap();
            assert_eq!(place.kind(), expected);
            held.push(place);
        }
        assert_eq!(busy(&places, 1).err(), Some(NotAdmitted::Share));
        for expected in [PlaceKind::Normal, PlaceKind::Normal, PlaceKind::Reserved] {
            let place = busy(&places, 2).unwrap();
            assert_eq!(place.kind(), expected);
            held.push(place);
        }
        assert_eq!(busy(&places, 3).err(), Some(NotAdmitted::Full));
        held.clear();
        assert_eq!(busy(&places, 1).unwrap().kind(), PlaceKind::Normal);
    }

    #[test]
    fn the_idle_connection_of_the_peer_with_the_most_gives_way_the_oldest_first() {
        let places = places((4, 3), (1, 1));
        let few = idle(&places, 1);
        let many = [1, 2, 3].map(|_| idle(&places, 2));
        let newcomer = busy(&places, 3).unwrap();
        assert_eq!(newcomer.kind(), PlaceKind::Normal);
        assert_eq!(newcomer.gave_way(), Some(GaveWay::Idle));
        let ends = [&many[0], &many[1], &many[2], &few].map(end);
        let stays = Closing::NotYet;
        assert_eq!(ends, [Closing::Gently, stays, stays, stays]);
    }

    #[test]
    fn what_is_under_way_and_what_has_just_begun_never_gives_way() {
        let places = places((2, 2), (1, 1));
        let asking = Arc::new(idle(&places, 1));
        let underway = asking.begin();
        let fresh = places.admit(peer(2)).unwrap();
        let newcomer = places.admit(peer(3)).unwrap();
        assert_eq!(newcomer.kind(), PlaceKind::Reserved);
        assert_eq!([end(&asking), end(&fresh)], [Closing::NotYet; 2]);
        drop(underway);
        assert_eq!(places.admit(peer(4)).unwrap().kind(), PlaceKind::Normal);
        assert_eq!(end(&asking), Closing::Gently);
    }

    #[test]
    fn a_slow_head_gives_way_at_once_when_all_places_are_taken() {
        let places = places((1, 1), (1, 1));
        let slow = places.admit(peer(1)).unwrap();
        let later = Duration(places.clock.monotonic().0 + SLOW_AFTER.0);
        let room = (PlaceKind::Normal, places.normal);
        let made = places.lock().make_room(peer(2), room, later);
        assert_eq!(made, Ok(Some(GaveWay::Slow)));
        assert_eq!(end(&slow), Closing::Now);
    }

    #[test]
    fn a_proxy_has_no_share() {
        let places = places((4, 1), (1, 1));
        let address = Ipv4Addr::new(10, 0, 0, 1);
        let proxies = TrustedProxies::new(vec!["10.0.0.1/32".parse().unwrap()]);
        let proxy = proxies.peer_of_connection(address.into());
        let held: Vec<_> = (0..4).map(|_| places.admit(proxy).unwrap()).collect();
        assert!(held.iter().all(|place| place.kind() == PlaceKind::Normal));
    }

    #[test]
    fn those_that_still_end_gently_are_bounded() {
        let places = places((1, 1), (1, 1));
        let mut gone = Vec::new();
        for _ in 0..LEAVING_MAX + 2 {
            gone.push(idle(&places, 1));
        }
        let gently = gone.iter().filter(|place| end(place) == Closing::Gently);
        assert_eq!(gently.count(), LEAVING_MAX);
        gone.clear();
        assert_eq!(places.lock().leaving, 0);
    }
}
