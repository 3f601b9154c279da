//! Wrong keys and tokens of one peer: after a number of them further ones are answered 429.
//!
//! Only what is wrong is counted and refused: whoever brings a right key is never asked how often
//! their neighbours behind the same address were wrong.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::Extensions;

use crate::engine::time::{Duration, Timestamp};

use super::peer::Peer;
use super::problem::Problem;

/// Wrong ones of one peer that are answered as such, and within which time.
const WRONG_MAX: u32 = 20;
const WINDOW: Duration = Duration::minutes(10);

/// Peers that are remembered; beyond it the one whose window began first is forgotten.
const PEERS_MAX: usize = 10_000;

/// Who sent a request, to be counted. `None` where none is known, and for a proxy, which stands for
/// many.
pub fn peer(extensions: &Extensions) -> Option<Peer> {
    let known = extensions.get::<Peer>().copied();
    known.filter(|peer| !peer.is_proxy())
}

/// The wrong keys and tokens of the last minutes.
#[derive(Default)]
pub struct Guesses {
    wrong: Mutex<BTreeMap<Peer, Wrong>>,
}

struct Wrong {
    since: Timestamp,
    count: u32,
}

impl Guesses {
    /// Counts a wrong key or token, and gives what it is answered: `refused`, or that there were
    /// too many of them.
    pub fn answer(&self, peer: Option<Peer>, now: Timestamp, refused: Problem) -> Problem {
        let wait = peer.and_then(|peer| self.count(peer, now));
        wait.map_or(refused, Problem::too_many_guesses)
    }

    /// For how many seconds further ones are refused.
    fn count(&self, peer: Peer, now: Timestamp) -> Option<u32> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if !wrong.contains_key(&peer) && wrong.len() >= PEERS_MAX {
            let first = wrong.iter().min_by_key(|(_, known)| known.since);
            if let Some(first) = first.map(|(peer, _)| *peer) {
                wrong.remove(&first);
            }
        }
        let fresh = Wrong {
            since: now,
            count: 0,
        };
        let known = wrong.entry(peer).or_insert(fresh);
        // A clock that was set back must not shut anybody out for long.
        if now < known.since || now.since(known.since) >= WINDOW {
            known.since = now;
            known.count = 0;
        }
        known.count = known.count.saturating_add(1);
        let left = (known.since + WINDOW).since(now).0.div_ceil(1_000);
        (known.count > WRONG_MAX).then(|| u32::try_from(left).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    #[test]
    fn twenty_wrong_keys_of_a_peer_are_told_so_and_further_ones_have_to_wait() {
        let guesses = Guesses::default();
        let peer = |text: &str| Peer::client(text.parse().unwrap());
        let guess = |from: &str, seconds: i64| {
            let now = Timestamp(NOW.0 + seconds * 1_000);
            let refused = Problem::unauthorized("wrong");
            let answer = guesses.answer(Some(peer(from)), now, refused);
            answer.status().as_u16()
        };
        for number in 0..20 {
            let from = format!("2001:db8::{number}");
            assert_eq!(guess(&from, 0), 401, "{number}");
        }
        assert_eq!(guess("2001:db8::ffff", 0), 429, "the same /64");
        assert_eq!(guess("2001:db8:0:1::1", 0), 401);
        assert_eq!(guess("192.0.2.1", 0), 401);
        assert_eq!(guess("2001:db8::1", 599), 429);
        assert_eq!(guess("2001:db8::1", 600), 401);
        assert_eq!(
            guess("2001:db8::1", -3_600),
            401,
            "a clock that was set back"
        );
    }

    #[test]
    fn no_more_than_10_000_peers_are_remembered() {
        let client = |number: u32| Peer::client(std::net::Ipv4Addr::from(number).into());
        let guesses = Guesses::default();
        for number in 0..10_010_u32 {
            let peer = client(number);
            guesses.count(peer, NOW + Duration::seconds(u64::from(number) / 1_000));
        }
        let wrong = guesses.wrong.lock().unwrap();
        assert_eq!(wrong.len(), PEERS_MAX);
        assert!(wrong.contains_key(&client(10_009)));
    }
}
