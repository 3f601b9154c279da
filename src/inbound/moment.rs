//! Reads the times that senders give.
//!
//! A time that cannot be read is reported and counts as not given, because a wrong guess could
//! make a fresh event look too old to page. For the same reason a time without an offset is not
//! guessed to be UTC, and the zero times of programming languages are no times.
use serde_json::Value;

use crate::engine::time::{Duration, Timestamp};

use super::faults::{Faults, Place, quote};

/// `0001-01-01T00:00:00Z`, which programs in Go send for "no time".
const GO_ZERO: Timestamp = Timestamp(-62_135_596_800_000);
/// Numbers below are seconds since 1970, until the year 5138.
const SECONDS_END: f64 = 1e11;
/// Numbers below are milliseconds since 1970, until the year 5138.
const MILLISECONDS_END: f64 = 1e14;
/// Numbers below are microseconds since 1970, until the year 5138.
const MICROSECONDS_END: f64 = 1e17;
/// Numbers below are nanoseconds; the greatest of 64 bits is in the year 2262.
const NANOSECONDS_END: f64 = 1e20;
/// A later time is meant as "for ever", or is a mistake; sums with it stay far from any limit.
pub const LATEST: Timestamp = Timestamp(253_370_764_800_000);

/// The moment that an event reports; a future one counts as now.
pub fn reported(
    value: &Value,
    now: Timestamp,
    place: Place<'_>,
    faults: &mut Faults,
) -> Option<Timestamp> {
    read(value, place, faults).map(|moment| moment.min(now))
}

/// A time as sent: RFC 3339 text, or a number since 1970 in seconds, milliseconds, microseconds or
/// nanoseconds. One beyond the year 9998 is cut to it: it means "for ever".
pub fn read(value: &Value, place: Place<'_>, faults: &mut Faults) -> Option<Timestamp> {
    if is_blank(value) {
        return None;
    }
    match moment_of(value) {
        Some(GO_ZERO) => None,
        Some(moment) if moment <= Timestamp(0) => {
            faults.add(place, "is a zero time; it is ignored");
            None
        }
        Some(moment) => Some(moment.min(LATEST)),
        None => {
            let sent = match value {
                Value::String(text) => quote(text),
                other => quote(&other.to_string()),
            };
            faults.add(
                place,
                format_args!(
                    "cannot be parsed as a time: {sent}; it is ignored. Send RFC 3339 with an \
                     offset, such as 2026-11-23T10:00:00Z"
                ),
            );
            None
        }
    }
}

/// Whether something stands there that is no time; it may well mean "for ever".
pub fn is_unreadable(value: &Value) -> bool {
    !is_blank(value) && moment_of(value).is_none()
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn moment_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => from_text(text.trim()),
        Value::Number(number) => number.as_f64().and_then(from_number),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn from_text(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse() {
        return from_number(number);
    }
    if text.starts_with("9999-") || has_long_year(text) {
        return Some(LATEST);
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from(moment));
    }
    // The end of a day, as ISO 8601 allows to write it.
    let start = text.replacen("24:00", "00:00", 1);
    let is_end = start != text && text.get(11..16) == Some("24:00");
    let moment = start.parse::<jiff::Timestamp>().ok().filter(|_| is_end)?;
    let is_whole = moment.as_millisecond() % 60_000 == 0;
    is_whole.then(|| Timestamp::from(moment) + Duration::days(1))
}

/// Whether a date has a year of more than four digits, such as the last one that Java knows.
fn has_long_year(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &text[digits..];
    let year_is_long = digits > 4 && text[..digits].trim_start_matches('0').len() > 4;
    let mut rest = rest.bytes();
    let is_date = rest.next() == Some(b'-') && rest.next().is_some_and(|b| b.is_ascii_digit());
    year_is_long && is_date && text.contains(['T', 't', ' '])
}

fn from_number(number: f64) -> Option<Timestamp> {
    let size = number.abs();
    let milliseconds = if size < SECONDS_END {
        number * 1_000.0
    } else if size < MILLISECONDS_END {
        number
    } else if size < MICROSECONDS_END {
        number / 1e3
    } else if size < NANOSECONDS_END {
        number / 1e6
    } else {
        return None;
    };
    let span = jiff::SignedDuration::try_from_secs_f64(milliseconds / 1_000.0).ok()?;
    i64::try_from(span.as_millis()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_senders_write_them() {
        let base = Some(1_437_122_578_000_i64);
        let cases = [
            (json!("2015-07-17T08:42:58Z"), base, 0),
            (json!("2015-07-17T08:42:58.000+0000"), base, 0),
            (json!("2015-07-17T10:42:58+02:00"), base, 0),
            (json!("2015-07-17T10:42:58+0200"), base, 0),
            (json!("2015-07-17 08:42:58Z"), base, 0),
            (json!(1_437_122_578_000_000_i64), base, 0),
            (json!(1_437_122_578_000_000_000_i64), base, 0),
            (json!("1437122578000000000"), base, 0),
            (json!("2015-07-17t08:42:58z"), base, 0),
            (json!("2015-07-17T08:42:60Z"), Some(1_437_122_579_000), 0),
            (json!("2015-07-16T24:00:00Z"), Some(1_437_091_200_000), 0),
            (json!("2015-07-16T24:00:01Z"), None, 1),
            (json!("9999-12-31T23:59:59Z"), Some(LATEST.0), 0),
            (json!("2262-04-11T23:47:16Z"), Some(9_223_372_036_000), 0),
            (json!("292277026596-12-04T15:30:08Z"), Some(LATEST.0), 0),
            (json!("+292278994-08-17T07:12:55Z"), Some(LATEST.0), 0),
            (json!(i64::MAX), Some(9_223_372_036_854), 0),
            (json!(-1), None, 1),
            (json!("-62135596800"), None, 0),
            (json!("2015-07-17t08:42:58.0000000z"), base, 0),
            (json!(1_437_122_578), base, 0),
            (json!(1_437_122_578_000_i64), base, 0),
            (json!("1437122578"), base, 0),
            (json!(1_437_122_578.25), Some(1_437_122_578_250), 0),
            (json!("0001-01-01T00:00:00Z"), None, 0),
            (json!(""), None, 0),
            (json!(null), None, 0),
            (json!(0), None, 1),
            (json!("1970-01-01T00:00:00Z"), None, 1),
            (json!("2015-07-17T08:42:58"), None, 1),
            (json!("yesterday"), None, 1),
            (json!("NaN"), None, 1),
            (json!("2015-02-30T08:42:58Z"), None, 1),
            (json!(1e300), None, 1),
            (json!(true), None, 1),
            (json!({"seconds": 1}), None, 1),
        ];
        for (value, expected, faults_expected) in cases {
            let mut faults = Faults::of_event();
            let moment = read(&value, Place::At("$"), &mut faults);
            assert_eq!(moment.map(|moment| moment.0), expected, "{value}");
            assert_eq!(faults.into_list().len(), faults_expected, "{value}");
        }
    }

    #[test]
    fn a_future_report_counts_as_now() {
        let mut faults = Faults::of_event();
        let now = Timestamp(1_437_122_578_000);
        let value = json!("2099-01-01T00:00:00Z");
        let moment = reported(&value, now, Place::At("$"), &mut faults);
        assert_eq!(moment, Some(now));
        assert!(faults.into_list().is_empty());
    }
}
