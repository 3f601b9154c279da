//! Times as people type them: RFC 3339, `03:10`, `mon 09:00`, `2026-11-23 09:00`, or a length of
//! time such as `8h`.
//!
//! What has no zone is local time. What has no date is the next occurrence for a time to come, and
//! the last one for a time that has been.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::document::values;
use crate::engine::time::{Duration, NoLength, Timestamp};

/// Which occurrence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `snooze`, `--until`, `--at`.
    Next,
    /// `--since`.
    Last,
}

const HELP: &str = "write a time such as 2026-11-23T09:00:00Z, 03:10 or \"mon 09:00\", or a \
    duration such as 8h";

/// Reads a time.
pub fn moment(
    text: &str,
    direction: Direction,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(timestamp.into());
    }
    if let Ok(length) = length(text) {
        return Ok(match direction {
            Direction::Next => now + length,
            Direction::Last => now.minus(length),
        });
    }
    civil(text, direction, now, zone).ok_or_else(|| format!("{text:?} is not a time: {HELP}"))
}

/// Reads a length of time.
pub fn length(text: &str) -> Result<Duration, String> {
    let refuse = |error: NoLength| format!("{text:?} is not a duration: {error}");
    let length: Duration = text.parse().map_err(refuse)?;
    if length > Duration::LONGEST {
        return Err(format!(
            "{text:?} is longer than 100 years: write a shorter time"
        ));
    }
    Ok(length)
}

fn civil(text: &str, direction: Direction, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<DateTime>() {
        return on_the_wall(moment, zone);
    }
    let (weekday, time) = match text.split_once(char::is_whitespace) {
        Some((weekday, time)) => (Some(values::weekday(weekday)?), time_of(time.trim())?),
        None => (None, time_of(text)?),
    };
    let today = now.timestamp().to_zoned_datetime(zone.clone()).date();
    candidates(today, direction)
        .filter(|date| weekday.is_none_or(|weekday| date.weekday() == weekday))
        .filter_map(|date| on_the_wall(date.to_datetime(time), zone))
        .find(|moment| match direction {
            Direction::Next => *moment > now,
            Direction::Last => *moment <= now,
        })
}

/// Today and the seven days after or before it, nearest first.
fn candidates(today: Date, direction: Direction) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(today), move |date| {
        match direction {
            Direction::Next => date.tomorrow(),
            Direction::Last => date.yesterday(),
        }
        .ok()
    })
    .take(8)
}

/// A time that does not exist is that much later, one that comes twice is the first.
fn on_the_wall(moment: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = moment.to_zoned_datetime(zone.clone()).ok()?;
    Some(zoned.timestamp().into())
}

fn time_of(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_two_digits(minute) || hour.is_empty() || hour.len() > 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 2026-11-23 03:00 in Lisbon.
    fn now() -> Timestamp {
        let now: jiff::Timestamp = "2026-11-23T03:00:00Z".parse().expect("a timestamp");
        now.into()
    }

    fn read(text: &str, direction: Direction, zone: &str) -> Option<String> {
        let zone = TimeZone::get(zone).expect("a zone");
        moment(text, direction, now(), &zone)
            .ok()
            .map(|moment| moment.to_string())
    }

    #[test]
    fn a_time_is_the_next_or_the_last_occurrence_on_the_local_clock() {
        use Direction::{Last, Next};
        let cases = [
            ("03:10", Next, "UTC", Some("2026-11-23T03:10:00Z")),
            ("02:50", Next, "UTC", Some("2026-11-24T02:50:00Z")),
            ("03:00", Next, "UTC", Some("2026-11-24T03:00:00Z")),
            ("03:00", Last, "UTC", Some("2026-11-23T03:00:00Z")),
            ("03:10", Last, "UTC", Some("2026-11-22T03:10:00Z")),
            ("9:00", Next, "Asia/Singapore", Some("2026-11-24T01:00:00Z")),
            ("mon 09:00", Next, "UTC", Some("2026-11-23T09:00:00Z")),
            ("Monday 02:00", Next, "UTC", Some("2026-11-30T02:00:00Z")),
            ("mon 02:00", Last, "UTC", Some("2026-11-23T02:00:00Z")),
            ("mon 09:00", Last, "UTC", Some("2026-11-16T09:00:00Z")),
            (
                "fri 18:30",
                Next,
                "Europe/Paris",
                Some("2026-11-27T17:30:00Z"),
            ),
            ("8h", Next, "UTC", Some("2026-11-23T11:00:00Z")),
            ("8h", Last, "UTC", Some("2026-11-22T19:00:00Z")),
            ("now", Next, "UTC", Some("2026-11-23T03:00:00Z")),
            (
                "2026-12-01T08:00:00+01:00",
                Next,
                "UTC",
                Some("2026-12-01T07:00:00Z"),
            ),
            (
                "2026-12-01 08:00",
                Next,
                "Europe/Paris",
                Some("2026-12-01T07:00:00Z"),
            ),
            ("25:00", Next, "UTC", None),
            ("3:5", Next, "UTC", None),
            ("someday 09:00", Next, "UTC", None),
            ("", Next, "UTC", None),
            ("tomorrow", Next, "UTC", None),
        ];
        for (text, direction, zone, expected) in cases {
            let found = read(text, direction, zone);
            assert_eq!(found.as_deref(), expected, "{text} {direction:?} {zone}");
        }
    }

    #[test]
    fn an_hour_that_does_not_exist_is_that_much_later() {
        assert_eq!(
            read("2026-03-29 02:30", Direction::Next, "Europe/Paris").as_deref(),
            Some("2026-03-29T01:30:00Z")
        );
    }

    #[test]
    fn a_refusal_names_the_value_and_the_cure() {
        let error =
            moment("tomorrow", Direction::Next, now(), &TimeZone::UTC).expect_err("no time");
        assert!(
            error.starts_with("\"tomorrow\" is not a time: write a time such as"),
            "{error}"
        );
    }
}
