//! A stretch of time around an instant in which something is known to stay as it is.
//!
//! Every reading of the calendar says how long it holds, in both directions. Who looks for the end
//! of a stretch so goes from change to change and never from minute to minute.

use crate::engine::time::{Duration, Timestamp};

/// `[from, until)`; the ends of the number line stand for "always".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Interval {
    /// All of time.
    pub const ALWAYS: Self = Self {
        from: Timestamp(i64::MIN),
        until: Timestamp(i64::MAX),
    };

    /// Whether an instant lies in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// The part that two intervals around one instant share.
    pub fn meet(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        }
    }

    /// Cuts the interval at `edge`, keeping the side on which `at` lies.
    pub fn cut(self, edge: Timestamp, at: Timestamp) -> Self {
        let side = if edge <= at {
            Self {
                from: edge,
                ..Self::ALWAYS
            }
        } else {
            Self {
                until: edge,
                ..Self::ALWAYS
            }
        };
        self.meet(side)
    }

    /// The last instant before it.
    pub fn just_before(self) -> Timestamp {
        self.from.minus(Duration(1))
    }
}
