//! How fast messages leave through each channel, and when one is given a rest.

use std::collections::{BTreeMap, VecDeque};

use super::delivery::backoff;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::time::{Duration, Timestamp};

/// The pace is so many messages in this time.
const PACE_WINDOW: Duration = Duration::minutes(1);

/// The first rest after trouble; it doubles while the trouble goes on, up to the longest.
const REST_FIRST: Duration = Duration::minutes(1);
const REST_LONGEST: Duration = Duration::minutes(30);

/// A failure of one message alone, such as of a reader whose server asks to come again, is no
/// trouble of the channel until so many follow each other.
const FAILURES_IN_A_ROW: u32 = 3;

/// By which way a message leaves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneKey {
    Email(ChannelName),
    Webhooks,
}

/// The state of each way; a restart begins anew.
#[derive(Debug, Default)]
pub struct SubscriberLanes(BTreeMap<LaneKey, PacedLane>);

#[derive(Debug, Default)]
struct PacedLane {
    rests_until: Option<Timestamp>,
    failures: u32,
    left_at: VecDeque<Timestamp>,
}

impl SubscriberLanes {
    /// From when on a message may leave there; a moment that is not later than now means at once.
    pub fn free_at(&mut self, key: &LaneKey, per_minute: usize, now: Timestamp) -> Timestamp {
        let lane = self.0.entry(key.clone()).or_default();
        // Moments of a clock that was set back since say nothing.
        let is_past = |at: &Timestamp| at.apart(now) >= PACE_WINDOW;
        while lane.left_at.front().is_some_and(is_past) {
            lane.left_at.pop_front();
        }
        let over = lane.left_at.len().checked_sub(per_minute.max(1));
        let paced = over.map_or(now, |over| lane.left_at[over] + PACE_WINDOW);
        lane.rests_until.unwrap_or(now).max(paced)
    }

    /// A message leaves.
    pub fn leaves(&mut self, key: &LaneKey, now: Timestamp) {
        let lane = self.0.entry(key.clone()).or_default();
        lane.left_at.push_back(now);
    }

    /// What came of a message. Addresses of webhooks are servers of their own, which say nothing
    /// of each other.
    pub fn learn(&mut self, key: &LaneKey, outcome: Outcome, now: Timestamp) {
        if *key == LaneKey::Webhooks {
            return;
        }
        let lane = self.0.entry(key.clone()).or_default();
        let (least, wait) = match outcome {
            Outcome::Delivered | Outcome::Accepted => {
                lane.failures = 0;
                lane.rests_until = None;
                return;
            }
            Outcome::RefusedTarget | Outcome::RefusedContent => return,
            Outcome::Throttled { wait } => (1, wait),
            Outcome::RefusedCredential
            | Outcome::TlsNameMismatch
            | Outcome::TlsOther
            | Outcome::QuotaExhausted => (1, Duration::ZERO),
            Outcome::Transient | Outcome::Unknown => (FAILURES_IN_A_ROW, Duration::ZERO),
        };
        lane.failures += 1;
        if lane.failures >= least {
            let rest = backoff(REST_FIRST, lane.failures + 1 - least, REST_LONGEST);
            lane.rests_until = Some(now + rest.max(wait.min(REST_LONGEST)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_796_051_040_000);

    fn lane() -> LaneKey {
        LaneKey::Email("mail".into())
    }

    #[test]
    fn no_more_leave_in_a_minute_than_the_pace_allows() {
        let mut lanes = SubscriberLanes::default();
        for second in 0..3 {
            let now = NOW + Duration::seconds(second);
            assert_eq!(lanes.free_at(&lane(), 3, now), now);
            lanes.leaves(&lane(), now);
        }
        let now = NOW + Duration::seconds(3);
        assert_eq!(lanes.free_at(&lane(), 3, now), NOW + Duration::seconds(60));
        let now = NOW + Duration::seconds(60);
        assert_eq!(lanes.free_at(&lane(), 3, now), now);
    }

    #[test]
    fn trouble_of_the_channel_gives_it_a_rest_that_doubles_until_something_succeeds() {
        let mut lanes = SubscriberLanes::default();
        for minutes in [1, 2, 4, 8, 16, 30, 30] {
            lanes.learn(&lane(), Outcome::QuotaExhausted, NOW);
            let free = lanes.free_at(&lane(), 600, NOW);
            assert_eq!(free, NOW + Duration::minutes(minutes));
        }
        lanes.learn(&lane(), Outcome::Accepted, NOW);
        assert_eq!(lanes.free_at(&lane(), 600, NOW), NOW);
    }

    #[test]
    fn a_server_of_one_reader_that_asks_to_come_again_holds_nobody_else_back() {
        let mut lanes = SubscriberLanes::default();
        let mut free_after = |outcome| {
            lanes.learn(&lane(), outcome, NOW);
            lanes.free_at(&lane(), 600, NOW).since(NOW)
        };
        assert_eq!(free_after(Outcome::Transient), Duration::ZERO);
        assert_eq!(free_after(Outcome::RefusedTarget), Duration::ZERO);
        assert_eq!(free_after(Outcome::Transient), Duration::ZERO);
        assert_eq!(free_after(Outcome::Transient), Duration::minutes(1));
    }
}
