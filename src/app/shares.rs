//! What one client behind a proxy may have under way at once: its connections are those of the
//! proxy, so its requests are counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::peer::Peer;

/// Requests of one client, as many as the file for nginx lets through.
pub const SHARE: usize = 64;
/// Beside them, requests for links and health checks.
pub const SHARE_IN_RESERVE: usize = 8;

/// The requests under way that came through a proxy, by client.
#[derive(Clone)]
pub struct Shares {
    semaphores: Arc<Mutex<BTreeMap<Peer, Arc<Semaphore>>>>,
    most: usize,
}

impl Shares {
    /// Of which each client may have so many.
    pub fn new(most: usize) -> Self {
        let semaphores = Arc::default();
        Self { semaphores, most }
    }

    /// Counts a request of a client until the permit is dropped; `None` if its share is taken.
    pub fn take(&self, peer: Peer) -> Option<OwnedSemaphorePermit> {
        let mut semaphores = (self.semaphores.lock()).unwrap_or_else(PoisonError::into_inner);
        // Whoever has nothing under way is forgotten.
        semaphores.retain(|_, semaphore| semaphore.available_permits() < self.most);
        let semaphore = semaphores.entry(peer);
        let semaphore = semaphore.or_insert_with(|| Arc::new(Semaphore::new(self.most)));
        semaphore.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_share_and_nobody_is_remembered_who_has_nothing_under_way() {
        let client = |address: &str| Peer::client(address.parse().unwrap());
        let shares = Shares::new(SHARE);
        let mut taken: Vec<_> = (0..SHARE)
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
        let _last = shares.take(client("2001:db8:0:2::1")).unwrap();
        assert_eq!(shares.semaphores.lock().unwrap().len(), 1);
    }
}
