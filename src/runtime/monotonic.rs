//! The steady line: from the wall clock and the monotonic clock to the engine's present.
//!
//! Waits run on the monotonic clock. A wall clock that jumps ahead by more than a minute means that
//! the process slept, and the line goes on by what was lost. A wall clock that is set back leaves
//! the line as it is, so that remaining waits hold. Time never stands still.

use crate::engine::jump::BELIEVED;
use crate::engine::time::{Duration, MonotonicTime, Now, Timestamp};
use crate::store::Clocks;

/// A jump of the wall clock of more than this is noticed.
pub const JUMP: Duration = Duration::minutes(1);

/// What both clocks of the machine show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    pub wall: Timestamp,
    /// Since some fixed moment of this process.
    pub monotonic: Duration,
}

/// Something that the wall clock did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockJump {
    /// Ahead: the process slept, or the clock was set.
    Ahead(Duration),
    /// Back.
    Back(Duration),
}

/// The monotonic clock of one process, carried over restarts.
#[derive(Clone, Debug)]
pub struct MonotonicClock {
    steady: MonotonicTime,
    last: Reading,
    seed: u64,
}

impl MonotonicClock {
    /// Goes on from the clocks at the last commit: by the wall time that passed since, or not at
    /// all if the wall clock is behind them. The answer says by how much it is behind, or ahead by
    /// more than is believed of a process that was not running.
    pub fn resume(stored: Clocks, reading: Reading, seed: u64) -> (Self, Option<ClockJump>) {
        let ahead = reading.wall.since(stored.wall);
        let steady = stored.steady + ahead;
        let behind = stored.wall.since(reading.wall);
        let is_new = stored == Clocks::default();
        let jump = if ahead > BELIEVED && !is_new {
            Some(ClockJump::Ahead(ahead))
        } else {
            (behind > JUMP).then_some(ClockJump::Back(behind))
        };
        (
            Self {
                steady,
                last: reading,
                seed,
            },
            jump,
        )
    }

    /// The present, and the jump that led to it.
    pub fn advance(&mut self, reading: Reading) -> (Now, Option<ClockJump>) {
        let passed = Duration(reading.monotonic.0.saturating_sub(self.last.monotonic.0));
        let expected = self.last.wall + passed;
        let ahead = reading.wall.since(expected);
        let back = expected.since(reading.wall);
        let jump = if ahead > JUMP {
            Some(ClockJump::Ahead(ahead))
        } else {
            (back > JUMP).then_some(ClockJump::Back(back))
        };
        self.steady = self.steady + passed;
        if let Some(ClockJump::Ahead(lost)) = jump {
            self.steady = self.steady + lost;
        }
        self.last = reading;
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (
            Now {
                wall: reading.wall,
                steady: self.steady,
                seed: self.seed,
            },
            jump,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(wall: i64, monotonic: u64) -> Reading {
        Reading {
            wall: Timestamp(wall),
            monotonic: Duration(monotonic),
        }
    }

    const HOUR: i64 = 3_600_000;
    const YEAR: i64 = 365 * 24 * HOUR;

    fn started(wall: i64) -> MonotonicClock {
        MonotonicClock::resume(
            Clocks {
                wall: Timestamp(wall),
                steady: MonotonicTime(5_000),
            },
            reading(wall, 0),
            1,
        )
        .0
    }

    #[test]
    fn waits_run_on_the_monotonic_clock() {
        let mut line = started(0);
        let (now, jump) = line.advance(reading(10_000, 10_000));
        assert_eq!((now.steady, jump), (MonotonicTime(15_000), None));
    }

    #[test]
    fn a_restart_goes_on_by_the_wall_time_that_passed() {
        let clocks = Clocks {
            wall: Timestamp(0),
            steady: MonotonicTime(5_000),
        };
        let (mut line, jump) = MonotonicClock::resume(clocks, reading(8 * HOUR, 0), 1);
        let (now, _) = line.advance(reading(8 * HOUR, 0));
        assert_eq!(
            (now.steady, jump),
            (MonotonicTime(5_000 + 8 * HOUR as u64), None)
        );
    }

    #[test]
    fn a_wall_clock_set_a_year_ahead_and_back_stops_nothing() {
        let mut line = started(0);
        let (ahead, jump) = line.advance(reading(YEAR, 1_000));
        assert_eq!(jump, Some(ClockJump::Ahead(Duration(YEAR as u64 - 1_000))));
        let (back, jump) = line.advance(reading(2_000, 2_000));
        assert_eq!(jump, Some(ClockJump::Back(Duration(YEAR as u64 - 1_000))));
        assert_eq!(back.steady, ahead.steady + Duration::seconds(1));
        let (later, _) = line.advance(reading(3_000, 3_000));
        assert_eq!(later.steady, back.steady + Duration::seconds(1));
    }

    #[test]
    fn a_start_a_day_ahead_of_the_last_commit_is_ordinary_and_a_longer_one_is_a_jump() {
        let clocks = Clocks {
            wall: Timestamp(HOUR),
            steady: MonotonicTime(5_000),
        };
        let start = |ahead: i64| MonotonicClock::resume(clocks, reading(HOUR + ahead, 0), 1).1;
        assert_eq!(start(24 * HOUR), None);
        let longer = 24 * HOUR + 1;
        assert_eq!(
            start(longer),
            Some(ClockJump::Ahead(Duration(longer as u64)))
        );
        let first = MonotonicClock::resume(Clocks::default(), reading(50 * YEAR, 0), 1);
        assert_eq!(first.1, None, "a new store");
    }

    #[test]
    fn a_start_with_the_wall_clock_behind_keeps_remaining_waits() {
        let clocks = Clocks {
            wall: Timestamp(HOUR),
            steady: MonotonicTime(5_000),
        };
        let (mut line, jump) = MonotonicClock::resume(clocks, reading(0, 0), 1);
        assert_eq!(jump, Some(ClockJump::Back(Duration(HOUR as u64))));
        assert_eq!(
            line.advance(reading(1_000, 1_000)).0.steady,
            MonotonicTime(6_000)
        );
    }

    #[test]
    fn a_few_seconds_of_clock_correction_are_no_jump() {
        let mut line = started(0);
        let (now, jump) = line.advance(reading(30_000, 1_000));
        assert_eq!((now.steady, jump), (MonotonicTime(6_000), None));
    }
}
