//! How many bytes of request bodies are held at once. Those whose sender is known have one budget;
//! those whose sender is not known yet have a small pool apart, with a share for each peer, so that
//! strangers never use up what monitors need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{Extensions, StatusCode};

use crate::telemetry::Metrics;

use super::peer::Peer;
use super::problem::Problem;

/// Bytes of bodies whose sender is not known yet, together.
const UNKNOWN_BYTES_MAX: usize = 8 * 1024 * 1024;
/// ... of one peer, and so also of one body.
pub const UNKNOWN_PEER_BYTES_MAX: usize = 1024 * 1024;
/// What each body of an unknown sender counts at least, so that many tiny ones are bounded too.
const UNKNOWN_BODY_BYTES_MIN: usize = 16 * 1024;

/// Whose body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyOf {
    /// A key, token or link was good before the body was read.
    Known,
    /// The key or signature can only be checked with the body.
    Unknown(Peer),
}

impl BodyOf {
    /// The body of a request whose key or signature needs it.
    pub fn unknown(extensions: &Extensions) -> Self {
        Self::Unknown(extensions.get::<Peer>().copied().unwrap_or_default())
    }

    /// The most that one body may have under a limit of the settings.
    pub fn limit(self, limit: usize) -> usize {
        match self {
            Self::Known => limit,
            Self::Unknown(_) => limit.min(UNKNOWN_PEER_BYTES_MAX),
        }
    }

    fn pool(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Why there is no room now.
    fn full(self) -> Problem {
        let detail = match self {
            Self::Known => "the requests in progress already use all of body_budget",
            Self::Unknown(_) => {
                "too many requests in progress that name their sender only in the body; send the \
                 key in a header"
            }
        };
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "bodies_full", detail);
        problem.retry_after(1)
    }
}

/// The bytes that are held.
pub struct BodyBudget {
    known_max: usize,
    held: Mutex<HeldBytes>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct HeldBytes {
    known: usize,
    unknown: usize,
    by_peer: BTreeMap<Peer, usize>,
}

/// Bytes of one body; given back when it is dropped.
pub struct Reservation {
    budget: Arc<BodyBudget>,
    of: BodyOf,
    bytes: usize,
}

impl BodyBudget {
    /// With so many bytes for bodies of known senders.
    pub fn new(known_max: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            known_max,
            held: Mutex::default(),
            metrics,
        })
    }

    /// A body that is about to be read.
    pub fn open(self: &Arc<Self>, of: BodyOf) -> Result<Reservation, Problem> {
        let mut reservation = Reservation {
            budget: self.clone(),
            of,
            bytes: 0,
        };
        match of {
            BodyOf::Known => {}
            BodyOf::Unknown(_) => reservation.grow(UNKNOWN_BODY_BYTES_MIN)?,
        }
        Ok(reservation)
    }

    fn lock(&self) -> MutexGuard<'_, HeldBytes> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, of: BodyOf, bytes: usize) -> Result<(), Problem> {
        let mut held = self.lock();
        let is_taken = match of {
            BodyOf::Known => add(&mut held.known, bytes, self.known_max),
            BodyOf::Unknown(peer) => held.take_unknown(peer, bytes),
        };
        if is_taken {
            self.metrics.body_bytes_held(of.pool(), bytes);
            return Ok(());
        }
        self.metrics.body_refused(of.pool());
        Err(of.full())
    }

    fn give_back(&self, of: BodyOf, bytes: usize) {
        let mut held = self.lock();
        match of {
            BodyOf::Known => held.known -= bytes,
            BodyOf::Unknown(peer) => {
                held.unknown -= bytes;
                if let Some(own) = held.by_peer.get_mut(&peer) {
                    *own -= bytes;
                    if *own == 0 {
                        held.by_peer.remove(&peer);
                    }
                }
            }
        }
        self.metrics.body_bytes_freed(of.pool(), bytes);
    }
}

impl HeldBytes {
    /// A proxy stands for many: it has the whole pool.
    fn take_unknown(&mut self, peer: Peer, bytes: usize) -> bool {
        let own_max = if peer.is_proxy() {
            UNKNOWN_BYTES_MAX
        } else {
            UNKNOWN_PEER_BYTES_MAX
        };
        let mut own = self.by_peer.get(&peer).copied().unwrap_or(0);
        let is_taken =
            add(&mut own, bytes, own_max) && add(&mut self.unknown, bytes, UNKNOWN_BYTES_MAX);
        if is_taken {
            self.by_peer.insert(peer, own);
        }
        is_taken
    }
}

fn add(held: &mut usize, bytes: usize, max: usize) -> bool {
    let sum = held.saturating_add(bytes);
    let fits = sum <= max;
    if fits {
        *held = sum;
    }
    fits
}

impl Reservation {
    /// Makes it hold at least so many bytes.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            self.budget.take(self.of, more)?;
            self.bytes += more;
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.give_back(self.of, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn budget() -> Arc<BodyBudget> {
        BodyBudget::new(100, Arc::new(Metrics::new()))
    }

    fn stranger(number: u8) -> BodyOf {
        BodyOf::Unknown(Peer::client(Ipv4Addr::new(192, 0, 2, number).into()))
    }

    #[test]
    fn bytes_are_given_back_with_their_body() {
        let budget = budget();
        let mut first = budget.open(BodyOf::Known).unwrap();
        first.grow(60).unwrap();
        let mut second = budget.open(BodyOf::Known).unwrap();
        assert_eq!(second.grow(41), Err(BodyOf::Known.full()));
        assert_eq!(second.grow(40), Ok(()));
        drop(first);
        assert_eq!(second.grow(100), Ok(()));
        drop(second);
        assert_eq!(budget.lock().known, 0);
    }

    #[test]
    fn strangers_never_use_up_the_budget_of_monitors_nor_one_of_them_the_pool() {
        let budget = budget();
        let mut held = Vec::new();
        for number in 1..=8 {
            let mut one = budget.open(stranger(number)).unwrap();
            one.grow(UNKNOWN_PEER_BYTES_MAX).unwrap();
            assert!(budget.open(stranger(number)).is_err(), "{number}");
            held.push(one);
        }
        assert!(budget.open(stranger(9)).is_err(), "the pool is full");
        let mut monitor = budget.open(BodyOf::Known).unwrap();
        assert_eq!(monitor.grow(100), Ok(()));
        drop(held);
        assert!(budget.lock().by_peer.is_empty());
        assert!(budget.open(stranger(9)).is_ok());
    }

    #[test]
    fn many_empty_bodies_of_one_stranger_are_bounded() {
        let budget = budget();
        let open = (0..1_000).map_while(|_| budget.open(stranger(1)).ok());
        let open: Vec<_> = open.collect();
        assert_eq!(open.len(), UNKNOWN_PEER_BYTES_MAX / UNKNOWN_BODY_BYTES_MIN);
    }
}
