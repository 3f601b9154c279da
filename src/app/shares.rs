//! What one client behind a proxy may have under way at once: its connections are those of the
//! proxy, so its requests are counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::peer::Peer;

/// Requests of one client, as many as the file for nginx lets through.
pub const SHARE: usize = 64;
/// Beside them, requests for links and health checks.
pub const SHARE_IN_RESERVE: usize = 8;

/// The requests under way that came through a proxy, by client.
#[derive(Clone)]
pub struct Shares {
    counts: Arc<Mutex<BTreeMap<Peer, usize>>>,
    most: usize,
}

impl Shares {
    /// Of which each client may have so many.
    pub fn new(most: usize) -> Self {
        let counts = Arc::default();
        Self { counts, most }
    }

    /// Counts a request of a client until it is dropped; `None` if its share is taken.
    pub fn take(&self, peer: Peer) -> Option<Share> {
        let mut counts = self.lock();
        let count = counts.entry(peer).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let of = self.clone();
        Some(Share { of, peer })
    }

    fn give_back(&self, peer: Peer) {
        let mut counts = self.lock();
        let count = counts
            .get_mut(&peer)
            .expect("whoever has a share is counted");
        *count -= 1;
        if *count == 0 {
            counts.remove(&peer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Peer, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request of a client.
pub struct Share {
    of: Shares,
    peer: Peer,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.give_back(self.peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_share_and_nobody_is_remembered_who_has_nothing_under_way() {
        let client = |address: &str| Peer::client(address.parse().unwrap());
        let shares = Shares::new(SHARE);
        let mut taken: Vec<Share> = (0..SHARE)
            .map(|host| shares.take(client(&format!("2001:db8::{host:x}"))).unwrap())
            .collect();
        assert!(
            shares.take(client("2001:db8::ffff")).is_none(),
            "the same /64"
        );
        assert!(shares.take(client("2001:db8:0:1::1")).is_some());
        taken.pop();
        assert!(shares.take(client("2001:db8::ffff")).is_some());
        taken.clear();
        assert!(shares.lock().is_empty());
    }
}
