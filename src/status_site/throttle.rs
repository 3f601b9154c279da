//! How often one client may do something: so many at once, and then so many in a time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::engine::time::Duration;

/// Clients that are remembered; beyond it the one with the most left is forgotten.
const CLIENTS_MAX: usize = 10_000;

/// A limit for each client.
pub struct Throttle {
    /// One more is let through after so long.
    pause: Duration,
    /// What is let through at once.
    burst: u64,
    clients: Mutex<ThrottledClients>,
}

/// When each client has its whole burst again, on a clock that only moves forward.
#[derive(Default)]
struct ThrottledClients {
    whole_at: BTreeMap<IpAddr, Duration>,
    /// The same, the first first.
    order: BTreeSet<(Duration, IpAddr)>,
}

impl Throttle {
    /// Lets a burst through at once, and one more with each pause.
    pub fn new(pause: Duration, burst: u64) -> Self {
        Self {
            pause,
            burst,
            clients: Mutex::default(),
        }
    }

    /// Counts one of a client. An error says how long it has to wait; it is not counted then.
    pub fn take(&self, client: IpAddr, now: Duration) -> Result<(), Duration> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.forget_until(now);
        let whole_at = clients.whole_at(client, now).0 + self.pause.0;
        let latest = now.0 + self.pause.0 * self.burst;
        if whole_at > latest {
            return Err(Duration(whole_at - latest));
        }
        clients.remember(client, Duration(whole_at));
        Ok(())
    }

    /// Whether a client has one left, without counting it; else how long it has to wait.
    pub fn look(&self, client: IpAddr, now: Duration) -> Result<(), Duration> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let whole_at = clients.whole_at(client, now).0 + self.pause.0;
        let wait = whole_at.saturating_sub(now.0 + self.pause.0 * self.burst);
        if wait > 0 {
            Err(Duration(wait))
        } else {
            Ok(())
        }
    }
}

impl ThrottledClients {
    fn whole_at(&self, client: IpAddr, now: Duration) -> Duration {
        let known = self.whole_at.get(&client).copied();
        known.map_or(now, |whole_at| whole_at.max(now))
    }

    /// Who has the whole burst again is like everybody else.
    fn forget_until(&mut self, now: Duration) {
        while let Some((whole_at, client)) = self.order.first().copied()
            && whole_at <= now
        {
            self.order.pop_first();
            self.whole_at.remove(&client);
        }
    }

    fn remember(&mut self, client: IpAddr, whole_at: Duration) {
        if let Some(before) = self.whole_at.insert(client, whole_at) {
            self.order.remove(&(before, client));
        }
        self.order.insert((whole_at, client));
        if self.whole_at.len() > CLIENTS_MAX
            && let Some((_, first)) = self.order.pop_first()
        {
            self.whole_at.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    #[test]
    fn a_burst_goes_through_at_once_and_then_one_with_each_pause() {
        let throttle = Throttle::new(Duration(50), 100);
        let take = |number, now| throttle.take(client(number), Duration(now));
        for number in 0..100 {
            assert_eq!(take(1, 1_000), Ok(()), "{number}");
        }
        assert_eq!(take(1, 1_000), Err(Duration(50)));
        assert_eq!(take(1, 1_049), Err(Duration(1)), "refusals are not counted");
        assert_eq!(take(2, 1_049), Ok(()), "others have their own");
        assert_eq!(take(1, 1_050), Ok(()));
        assert_eq!(take(1, 1_050), Err(Duration(50)));
        let later = (0..101).filter(|_| take(1, 9_000).is_ok()).count();
        assert_eq!(later, 100, "never more than a burst");
    }

    #[test]
    fn a_look_says_what_would_be_and_counts_nothing() {
        let throttle = Throttle::new(Duration(10), 2);
        for _ in 0..9 {
            assert_eq!(throttle.look(client(1), Duration(0)), Ok(()));
        }
        for _ in 0..2 {
            assert_eq!(throttle.take(client(1), Duration(0)), Ok(()));
        }
        let wait = throttle.look(client(1), Duration(4));
        assert_eq!(wait, Err(Duration(6)));
        assert_eq!(throttle.look(client(1), Duration(10)), Ok(()));
    }

    #[test]
    fn no_more_than_10_000_clients_are_remembered_and_none_longer_than_it_matters() {
        let throttle = Throttle::new(Duration(1_000), 5);
        for _ in 0..5 {
            assert_eq!(throttle.take(client(1), Duration(0)), Ok(()));
        }
        for number in 2..12_000 {
            assert_eq!(throttle.take(client(number), Duration(0)), Ok(()));
        }
        let count = || {
            let clients = throttle.clients.lock().unwrap();
            (clients.whole_at.len(), clients.order.len())
        };
        assert_eq!(count(), (CLIENTS_MAX, CLIENTS_MAX));
        let wait = throttle.take(client(1), Duration(0));
        assert_eq!(wait, Err(Duration(1_000)), "whoever has least left stays");
        assert_eq!(throttle.take(client(1), Duration(5_000)), Ok(()));
        assert_eq!(count(), (1, 1));
    }
}
