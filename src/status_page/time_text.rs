//! Moments as the forms of a status page write them: for people in UTC, and for each kind of
//! program.

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;

use crate::engine::time::{Duration, Timestamp};

use super::phrases::Phrases;

fn utc(at: Timestamp) -> ZonedDateTime {
    at.timestamp().to_zoned_datetime(TimeZone::UTC)
}

fn written(at: Timestamp, format: &str) -> String {
    utc(at).strftime(format).to_string()
}

/// `2026-07-16T20:10:00.000Z`, as Statuspage writes it.
pub fn milliseconds(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// `2026-07-16T20:10:00Z`, for feeds and the elements of a page.
pub fn seconds(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// `Thu, 16 Jul 2026 20:10:00 +0000`, for RSS.
pub fn mail_date(at: Timestamp) -> String {
    written(at, "%a, %d %b %Y %H:%M:%S +0000")
}

/// `20260716T201000Z`, for calendars.
pub fn calendar(at: Timestamp) -> String {
    written(at, "%Y%m%dT%H%M%SZ")
}

/// `2026-07-16`.
pub fn day(at: Timestamp) -> String {
    written(at, "%Y-%m-%d")
}

/// `2026-07`.
pub fn month(at: Timestamp) -> String {
    written(at, "%Y-%m")
}

/// `16 July 2026`.
pub fn date(at: Timestamp, phrases: &Phrases) -> String {
    let then = utc(at);
    let date = phrases.date.replace("{d}", &then.day().to_string());
    let date = date.replace("{m}", month_name(then.month(), phrases));
    date.replace("{y}", &then.year().to_string())
}

/// `16 July 2026, 20:10 UTC`.
pub fn moment(at: Timestamp, phrases: &Phrases) -> String {
    format!("{}, {}", date(at, phrases), clock(at))
}

/// `20:10 UTC`.
pub fn clock(at: Timestamp) -> String {
    written(at, "%H:%M UTC")
}

/// `July 2026` for the month of a moment.
pub fn month_and_year(at: Timestamp, phrases: &Phrases) -> String {
    let then = utc(at);
    format!("{} {}", month_name(then.month(), phrases), then.year())
}

fn month_name(month: i8, phrases: &Phrases) -> &'static str {
    let index = usize::try_from(month.saturating_sub(1)).unwrap_or(0);
    phrases.months.get(index).copied().unwrap_or_default()
}

/// `2 h 5 min`, `3 min`, `< 1 min`.
pub fn length(length: Duration) -> String {
    let minutes = length.as_seconds() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "< 1 min".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_page::phrases::{ENGLISH, GERMAN};

    #[test]
    fn a_moment_in_every_form() {
        let at: jiff::Timestamp = "2026-07-06T20:10:00.25Z".parse().unwrap();
        let at = Timestamp::from(at);
        assert_eq!(milliseconds(at), "2026-07-06T20:10:00.250Z");
        assert_eq!(seconds(at), "2026-07-06T20:10:00Z");
        assert_eq!(mail_date(at), "Mon, 06 Jul 2026 20:10:00 +0000");
        assert_eq!(calendar(at), "20260706T201000Z");
        assert_eq!(
            (day(at), month(at)),
            ("2026-07-06".to_owned(), "2026-07".to_owned())
        );
        assert_eq!(moment(at, &ENGLISH), "6 July 2026, 20:10 UTC");
        assert_eq!(moment(at, &GERMAN), "6. Juli 2026, 20:10 UTC");
        assert_eq!(month_and_year(at, &GERMAN), "Juli 2026");
    }

    #[test]
    fn moments_outside_of_the_calendar_are_written_too() {
        for at in [i64::MIN, i64::MAX] {
            let at = Timestamp(at);
            for text in [
                milliseconds(at),
                mail_date(at),
                calendar(at),
                moment(at, &ENGLISH),
            ] {
                assert!(!text.is_empty());
            }
        }
    }

    #[test]
    fn lengths_are_short() {
        let cases = [
            (Duration::seconds(59), "< 1 min"),
            (Duration::minutes(59), "59 min"),
            (Duration::minutes(120), "2 h"),
            (Duration::minutes(125), "2 h 5 min"),
        ];
        for (span, expected) in cases {
            assert_eq!(length(span), expected);
        }
    }
}
