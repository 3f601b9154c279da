//! Times as status pages write them; an abbreviation that is in no table is no time.

use jiff::Timestamp as Instant;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use serde_json::Value;

use crate::engine::time::Timestamp;

/// Numbers below are no times of this century: pages send 0 and 1 for other things.
const SECONDS_MIN: i64 = 946_684_800;
/// Numbers below are seconds since 1970, until the year 5138.
const SECONDS_END: i64 = 100_000_000_000;
/// Numbers below are milliseconds since 1970, until the year 5138.
const MILLISECONDS_END: i64 = 100_000_000_000_000;

/// Abbreviations of zones that feeds use, with their hours from UTC.
const ZONES: [(&str, i8); 12] = [
    ("Z", 0),
    ("GMT", 0),
    ("UT", 0),
    ("UTC", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// Forms that end with an offset in digits, after the name of a day was taken off.
const WITH_OFFSET: [&str; 4] = [
    "%d %b %Y %H:%M:%S %z",
    "%d %b %Y %H:%M %z",
    "%b %d %Y %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S%.f %z",
];

/// A time in any of the forms that pages use in fields; `None` for what is none.
pub fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return from_number(number);
    }
    let instant = text.parse().ok();
    let instant = instant.or_else(|| without_zone(text));
    instant.or_else(|| spelled_out(text)).map(to_timestamp)
}

/// A time that a member holds: a text in one of the forms, or a number.
pub fn moment_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => moment(text),
        Value::Number(number) => match number.as_i64() {
            Some(number) => from_number(number),
            None => from_fraction(number.as_f64()?),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn to_timestamp(instant: Instant) -> Timestamp {
    Timestamp(instant.as_millisecond())
}

fn from_number(number: i64) -> Option<Timestamp> {
    let milliseconds = match number {
        SECONDS_MIN..SECONDS_END => number.checked_mul(1_000)?,
        SECONDS_END..MILLISECONDS_END => number,
        _ => return None,
    };
    Some(Timestamp(milliseconds))
}

/// Seconds with a fraction; the fraction of a number of milliseconds is dropped.
fn from_fraction(number: f64) -> Option<Timestamp> {
    let is_seconds = number.is_finite() && number < SECONDS_END as f64;
    let milliseconds = if is_seconds { number * 1e3 } else { number };
    from_number(milliseconds as i64)
}

/// Installations that write no zone are read as UTC: their own is not known.
fn without_zone(text: &str) -> Option<Instant> {
    let is_date_time = text.contains(':') && text.starts_with(|digit: char| digit.is_ascii_digit());
    let date_time: DateTime = text.parse().ok().filter(|_| is_date_time)?;
    Offset::UTC.to_timestamp(date_time).ok()
}

/// The forms of mail, of Go and of JavaScript. All are brought to a date, a time and one offset
/// in digits: what names the zone once more is dropped.
fn spelled_out(text: &str) -> Option<Instant> {
    let text = text.split_once('(').map_or(text, |(before, _)| before);
    let mut words: Vec<&str> = text
        .split([' ', ',', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    if words.len() > 4 && words.first().is_some_and(|word| is_day(word)) {
        words.remove(0);
    }
    let last = words.pop()?;
    let offset = match words.last() {
        // Go prints the offset and then the name of the zone.
        Some(before) if is_digits_offset(before) && !is_digits_offset(last) => (*before).to_owned(),
        _ => offset(last)?,
    };
    if words.last().is_some_and(|word| is_digits_offset(word)) {
        words.pop();
    }
    let whole = format!("{} {offset}", words.join(" "));
    WITH_OFFSET
        .iter()
        .find_map(|form| strtime::parse(form, &whole).ok()?.to_timestamp().ok())
}

fn is_day(word: &str) -> bool {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let word = word.to_ascii_lowercase();
    days.iter().any(|day| word.starts_with(day))
}

fn is_digits_offset(word: &str) -> bool {
    let digits = word.strip_prefix(['+', '-']).unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// `+0200`, `GMT+0200` or an abbreviation that is known, as an offset in digits.
fn offset(word: &str) -> Option<String> {
    let digits = word.strip_prefix("GMT").unwrap_or(word);
    if is_digits_offset(digits) {
        return Some(digits.to_owned());
    }
    let known = ZONES.iter().find(|(name, _)| *name == word);
    known.map(|(_, hours)| format!("{hours:+03}00"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_that_pages_use_is_read() {
        let cases = [
            ("2026-07-29T20:24:35.022Z", "2026-07-29T20:24:35.022Z"),
            ("2026-07-29T20:24:35Z", "2026-07-29T20:24:35Z"),
            ("2026-07-29T13:24:35-07:00", "2026-07-29T20:24:35Z"),
            ("2026-07-29T22:24:35.5+0200", "2026-07-29T20:24:35.5Z"),
            ("1785356675", "2026-07-29T20:24:35Z"),
            ("1785356675022", "2026-07-29T20:24:35.022Z"),
            ("2026-07-29 20:24:35", "2026-07-29T20:24:35Z"),
            ("2026-07-29T20:24:35", "2026-07-29T20:24:35Z"),
            ("2026-07-29 20:24:35.482", "2026-07-29T20:24:35.482Z"),
            (
                "2024-12-27 09:43:40.482 +0000 UTC",
                "2024-12-27T09:43:40.482Z",
            ),
            ("2024-12-27 09:43:40 +0100 CET", "2024-12-27T08:43:40Z"),
            ("2024-12-27 09:43:40 +0000 +0000", "2024-12-27T09:43:40Z"),
            (
                "Sat Jul 09 2022 04:20:00 GMT+0000 (Coordinated Universal Time)",
                "2022-07-09T04:20:00Z",
            ),
            (
                "Sat Jul 09 2022 04:20:00 GMT-0730 (Somewhere)",
                "2022-07-09T11:50:00Z",
            ),
            ("Thu, 23 Jul 2026 16:29:09 Z", "2026-07-23T16:29:09Z"),
            ("Thu, 23 Jul 2026 16:29:09 GMT", "2026-07-23T16:29:09Z"),
            ("Thu, 23 Jul 2026 16:29:09 UT", "2026-07-23T16:29:09Z"),
            ("Thu, 23 Jul 2026 16:29:09 +0530", "2026-07-23T10:59:09Z"),
            ("Thu, 3 Jul 2026 16:29 EST", "2026-07-03T21:29:00Z"),
            ("23 Jul 2026 16:29:09 EDT", "2026-07-23T20:29:09Z"),
            ("23 Jul 2026 16:29:09 CST", "2026-07-23T22:29:09Z"),
            ("23 Jul 2026 16:29:09 CDT", "2026-07-23T21:29:09Z"),
            ("23 Jul 2026 16:29:09 MST", "2026-07-23T23:29:09Z"),
            ("23 Jul 2026 16:29:09 MDT", "2026-07-23T22:29:09Z"),
            ("Thu, 23 Jul 2026 16:29:09 PST", "2026-07-24T00:29:09Z"),
            ("Thu, 23 Jul 2026 16:29:09 PDT", "2026-07-23T23:29:09Z"),
        ];
        for (sent, read) in cases {
            let read = to_timestamp(read.parse().expect("a time"));
            assert_eq!(moment(sent), Some(read), "{sent}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_guessed() {
        let cases = [
            "",
            " ",
            "soon",
            "7",
            "0",
            "-1",
            "99999999999999999999",
            "2026-07-29",
            "2026-13-29T20:24:35Z",
            "Thu, 23 Jul 2026 16:29:09 CEST",
            "Thu, 23 Jul 2026 16:29:09 IST",
            "Thu, 23 Jul 2026 16:29:09",
            "Sat Jul 09 2022 04:20:00 (é)",
            "(",
            "+0000 +0000",
            "é é é é é é",
        ];
        for sent in cases {
            assert_eq!(moment(sent), None, "{sent}");
        }
    }

    #[test]
    fn a_member_may_hold_the_time_as_text_or_as_number() {
        let expected = Some(Timestamp(1_785_356_675_000));
        for value in [
            json!(1_785_356_675),
            json!(1_785_356_675_000_i64),
            json!(1_785_356_675.0),
            json!("1785356675"),
            json!("2026-07-29T20:24:35Z"),
        ] {
            assert_eq!(moment_of(&value), expected, "{value}");
        }
        for value in [
            json!(null),
            json!(7),
            json!(1e300),
            json!([]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(moment_of(&value), None, "{value}");
        }
    }
}
