//! How fast an endpoint is sent to: as fast as messages come until it asks to wait, then half as
//! fast as it was, and step by step faster again while it takes them.

use crate::engine::health::Pace;
use crate::engine::time::{Duration, MonotonicTime};

/// The slowest pace after throttling, in messages a minute.
const SLOWEST: u64 = 6;
/// Faster than this the pace is no limit any more.
const FREE: u64 = 60_000;
const SECOND: Duration = Duration::seconds(1);

impl Pace {
    /// An attempt begins.
    pub fn begins(&mut self, now: MonotonicTime) {
        if now.since(self.second) >= SECOND {
            self.second = now;
            self.in_second = 0;
        }
        self.in_second += 1;
        if let Some(pace) = self.per_minute {
            self.next = now + Duration(60_000 / pace.max(1));
        }
    }

    /// A message was taken.
    pub fn succeeded(&mut self) {
        if let Some(pace) = self.per_minute {
            // Additive: about five messages a second more with every second of success.
            let faster = pace + (18_000 / pace.max(1)).clamp(1, 60);
            self.per_minute = (faster < FREE).then_some(faster);
        }
    }

    /// It asked to wait.
    pub fn throttled(&mut self) {
        let measured = self.in_second * 60;
        let pace = self.per_minute.unwrap_or(measured).max(SLOWEST * 2);
        self.per_minute = Some((pace / 2).max(SLOWEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Throttled after a hundred messages in a second: fifty a second are left.
    fn throttled() -> Pace {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.begins(MonotonicTime(5_000));
        }
        pace.throttled();
        pace
    }

    #[test]
    fn throttling_halves_the_measured_pace() {
        let mut pace = throttled();
        assert_eq!(pace.per_minute, Some(3_000));
        pace.begins(MonotonicTime(9_000));
        assert_eq!(pace.next, MonotonicTime(9_020));
    }

    #[test]
    fn a_lasting_outage_is_asked_six_times_a_minute_and_no_less() {
        let mut pace = throttled();
        for _ in 0..50 {
            pace.throttled();
        }
        assert_eq!(pace.per_minute, Some(6));
    }

    #[test]
    fn success_makes_it_faster_until_it_is_no_limit_any_more() {
        let mut pace = throttled();
        for _ in 0..50 {
            pace.throttled();
        }
        let mut successes = 0;
        while pace.per_minute.is_some() {
            let before = pace.per_minute;
            pace.succeeded();
            assert!(pace.per_minute.is_none() || pace.per_minute > before);
            successes += 1;
        }
        assert!(successes > 1_000, "not at once: {successes}");
    }
}
