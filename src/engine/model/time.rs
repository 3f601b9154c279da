//! The two clocks of the engine, both given from outside.
//!
//! A [`Timestamp`] is what calendars show; schedules, silences and display use it.
//! [`MonotonicTime`] only moves forward and is what waits are measured on; it is called the steady
//! line where both are spoken of. The runtime carries it over a restart: it goes on by the wall
//! time that has passed, and stands still if the wall clock was set back, so that remaining waits
//! hold.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A length of time in milliseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Duration(pub u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// A hundred years: longer times are mistakes, and would overflow dates.
    pub const LONGEST: Self = Self::days(100 * 366);

    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// So many days of 24 hours.
    pub const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }

    /// Whole seconds, rounded down.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1_000
    }
}

impl fmt::Display for Duration {
    /// As people write it: `1h 30m`, `5m`, `10s`, `250ms`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_000 {
            return write!(formatter, "{}ms", self.0);
        }
        let seconds = self.as_seconds();
        let units = [("d", seconds / 86_400), ("h", seconds / 3_600 % 24)];
        let small = [("m", seconds / 60 % 60), ("s", seconds % 60)];
        let parts: Vec<String> = units
            .into_iter()
            .chain(small)
            .filter(|(_, count)| *count > 0)
            .map(|(unit, count)| format!("{count}{unit}"))
            .collect();
        formatter.write_str(&parts.join(" "))
    }
}

/// A text is no length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write numbers with units w, d, h, m, s, such as 90s, 5m, 1h30m or 2d")]
pub struct NoLength;

impl FromStr for Duration {
    type Err = NoLength;

    /// As people write it: `90s`, `1h30m`, `1h 30m`, `2d`; no fractions and nothing negative.
    fn from_str(text: &str) -> Result<Self, NoLength> {
        let mut total: u64 = 0;
        let mut rest = text.trim();
        loop {
            let (count, after) = split_after(rest, |letter| letter.is_ascii_digit());
            let (unit, after) = split_after(after.trim_start(), char::is_alphabetic);
            let unit = match unit {
                "ms" => Self(1),
                "s" => Self::seconds(1),
                "m" => Self::minutes(1),
                "h" => Self::hours(1),
                "d" => Self::days(1),
                "w" => Self::days(7),
                _ => return Err(NoLength),
            };
            let count: u64 = count.parse().map_err(|_| NoLength)?;
            let length = count.checked_mul(unit.0).ok_or(NoLength)?;
            total = total.checked_add(length).ok_or(NoLength)?;
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Self(total));
            }
        }
    }
}

/// The letters of a kind that a text begins with, and the rest.
fn split_after(text: &str, is_part: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|letter| !is_part(letter)).unwrap_or(text.len()))
}

/// A moment on the wall clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment as jiff knows it; moments outside its range are clamped.
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    /// Time that has passed since `earlier`; nothing if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How far two moments are apart, whichever is earlier: one of a clock that was wrong may lie
    /// in the future.
    pub fn apart(self, other: Self) -> Duration {
        self.since(other).max(other.since(self))
    }

    /// This moment less `span`.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, to the second when it is a whole one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(formatter)
    }
}

/// A moment of monotonic time, in milliseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MonotonicTime(pub u64);

impl MonotonicTime {
    /// Time that has passed since `earlier`; nothing if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for MonotonicTime {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// The present, as given with each input, and the seed for what little chance the engine needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    pub steady: MonotonicTime,
    pub seed: u64,
}

impl Now {
    /// The wall time at which a steady moment falls, if the clocks go on as they do.
    pub fn wall_of(&self, moment: MonotonicTime) -> Timestamp {
        if moment >= self.steady {
            self.wall + moment.since(self.steady)
        } else {
            self.wall.minus(self.steady.since(moment))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_write_them() {
        let cases = [
            (Duration(250), "250ms"),
            (Duration::seconds(10), "10s"),
            (Duration::minutes(90), "1h 30m"),
            (Duration::days(2), "2d"),
        ];
        for (length, text) in cases {
            assert_eq!(length.to_string(), text);
            assert_eq!(text.parse(), Ok(length));
        }
    }

    #[test]
    fn lengths_are_numbers_with_units() {
        let cases = [
            ("90s", Some(Duration::seconds(90))),
            ("1h30m", Some(Duration::minutes(90))),
            (" 1 h 30 m ", Some(Duration::minutes(90))),
            ("1w", Some(Duration::days(7))),
            ("0s", Some(Duration::ZERO)),
            ("", None),
            (" ", None),
            ("5", None),
            ("m", None),
            ("-5m", None),
            ("5x", None),
            ("1.5h", None),
            ("1h💥", None),
            ("1h, 30m", None),
            ("99999999999999999999d", None),
            ("9999999999999999d", None),
            ("18446744073709551615ms 1ms", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_steady_moment_and_its_wall_time_belong_together() {
        let now = Now {
            wall: Timestamp(1_000_000),
            steady: MonotonicTime(500),
            seed: 0,
        };
        assert_eq!(now.wall_of(MonotonicTime(1_500)), Timestamp(1_001_000));
        assert_eq!(now.wall_of(MonotonicTime(0)), Timestamp(999_500));
    }
}
