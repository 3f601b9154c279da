//! The only reader of time.

use std::time::Instant;

use crate::engine::time::{Duration, Timestamp};
use crate::runtime::monotonic::Reading;

/// The present on the wall clock.
pub fn wall_now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let milliseconds =
        |length: std::time::Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    match since_epoch {
        Ok(after) => Timestamp(milliseconds(after)),
        Err(before) => Timestamp(-milliseconds(before.duration())),
    }
}

/// The moment so far away from now, for a timer that is moved.
pub fn deadline(away: std::time::Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + away
}

/// Both clocks of this process. Clones show the same.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A monotonic clock that begins now.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the clock"
        )]
        Self {
            began: Instant::now(),
        }
    }

    /// Time since the clock began.
    pub fn monotonic(&self) -> Duration {
        Duration(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Both clocks.
    pub fn reading(&self) -> Reading {
        Reading {
            wall: wall_now(),
            monotonic: self.monotonic(),
        }
    }
}
