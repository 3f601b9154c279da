//! Idle connections to a relay, kept for the next mail.
//!
//! Only a connection on which everything was answered comes here, so that no late answer is ever
//! read as the answer to another mail.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// As many as the lane's usual concurrency.
pub const IDLE_MAX: usize = 8;
/// Relays end a conversation that goes on for too long.
const MAILS_PER_CONNECTION: usize = 50;

/// A connection and the mails that went over it.
pub struct Used<C> {
    pub connection: C,
    mails: usize,
}

impl<C> Used<C> {
    /// A connection over which no mail went yet.
    pub fn new(connection: C) -> Self {
        Self {
            connection,
            mails: 0,
        }
    }
}

/// The idle connections.
pub struct Idle<C>(Mutex<Vec<Used<C>>>);

impl<C> Default for Idle<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> Idle<C> {
    /// The one that was used last.
    pub fn take(&self) -> Option<Used<C>> {
        self.lock().pop()
    }

    /// Keeps a connection after one more mail, unless it or the room is used up.
    pub fn park(&self, mut used: Used<C>) {
        used.mails += 1;
        let mut idle = self.lock();
        if used.mails < MAILS_PER_CONNECTION && idle.len() < IDLE_MAX {
            idle.push(used);
        }
    }

    /// Lets all go.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Used<C>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_let_go_after_its_share_of_mails() {
        let idle = Idle::default();
        idle.park(Used::new(()));
        let mut rounds = 1;
        while let Some(used) = idle.take() {
            idle.park(used);
            rounds += 1;
        }
        assert_eq!(rounds, MAILS_PER_CONNECTION);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let idle = Idle::default();
        for number in 0..IDLE_MAX + 5 {
            idle.park(Used::new(number));
        }
        let kept = std::iter::from_fn(|| idle.take()).count();
        assert_eq!(kept, IDLE_MAX);
    }
}
