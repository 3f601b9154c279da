//! Reads the times that senders give.
//!
//! A time that cannot be read is reported and counts as not given, because a wrong guess could
//! make a fresh event look too old to page. For the same reason a time without an offset is not
//! guessed to be UTC, and the zero times of programming languages are no times.

use jiff::Timestamp;
use serde_json::Value;

use crate::engine::time::Wall;

use super::faults::{Faults, Place, quote};

/// `0001-01-01T00:00:00Z`, which programs in Go send for "no time".
const GO_ZERO: Wall = Wall(-62_135_596_800_000);
/// Numbers below are seconds since 1970, until the year 5138.
const SECONDS_END: f64 = 1e11;
/// Numbers below are milliseconds since 1970, until the year 5138.
const MILLISECONDS_END: f64 = 1e14;

/// The moment that an event reports; a future one counts as now.
pub fn reported(value: &Value, now: Wall, place: Place<'_>, faults: &mut Faults) -> Option<Wall> {
    read(value, place, faults).map(|moment| moment.min(now))
}

/// A time as sent: RFC 3339 text, or seconds or milliseconds since 1970.
pub fn read(value: &Value, place: Place<'_>, faults: &mut Faults) -> Option<Wall> {
    let moment = match value {
        Value::Null => return None,
        Value::String(text) if text.trim().is_empty() => return None,
        Value::String(text) => from_text(text.trim()),
        Value::Number(number) => number.as_f64().and_then(from_number),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match moment {
        Some(GO_ZERO) => None,
        Some(moment) if moment <= Wall(0) => {
            faults.add(place, "is a zero time; it counts as not given");
            None
        }
        Some(moment) => Some(moment),
        None => {
            let sent = match value {
                Value::String(text) => quote(text),
                other => quote(&other.to_string()),
            };
            faults.add(
                place,
                format_args!(
                    "cannot be read as a time: {sent}; it counts as not given. Send RFC 3339 with \
                     an offset, such as 2026-11-23T10:00:00Z"
                ),
            );
            None
        }
    }
}

fn from_text(text: &str) -> Option<Wall> {
    if let Ok(number) = text.parse() {
        return from_number(number);
    }
    text.parse::<Timestamp>().ok().map(Wall::from)
}

fn from_number(number: f64) -> Option<Wall> {
    let milliseconds = if number.abs() < SECONDS_END {
        number * 1_000.0
    } else if number.abs() < MILLISECONDS_END {
        number
    } else {
        return None;
    };
    let span = jiff::SignedDuration::try_from_secs_f64(milliseconds / 1_000.0).ok()?;
    i64::try_from(span.as_millis()).ok().map(Wall)
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
            let moment = read(&value, Place::at("$"), &mut faults);
            assert_eq!(moment.map(|moment| moment.0), expected, "{value}");
            assert_eq!(faults.into_list().len(), faults_expected, "{value}");
        }
    }

    #[test]
    fn a_future_report_counts_as_now() {
        let mut faults = Faults::of_event();
        let now = Wall(1_437_122_578_000);
        let value = json!("2099-01-01T00:00:00Z");
        let moment = reported(&value, now, Place::at("$"), &mut faults);
        assert_eq!(moment, Some(now));
        assert!(faults.into_list().is_empty());
    }
}
