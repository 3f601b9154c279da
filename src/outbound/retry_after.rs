//! `Retry-After`: seconds, an HTTP date, or garbage. Decides how long a lane stays closed.

use crate::engine::time::{Duration, Timestamp};

/// The wait when a provider asks for one without saying how long, or says it in a way that nobody
/// understands.
pub const DEFAULT: Duration = Duration::seconds(30);

/// No provider closes a lane for longer than this at a time.
pub const MAX: Duration = Duration::hours(24);

/// The wait that a header asks for at `now`.
pub fn wait(header: &str, now: Timestamp) -> Duration {
    let header = header.trim();
    seconds(header)
        .or_else(|| date(header).map(|until| until.since(now)))
        .unwrap_or(DEFAULT)
        .min(MAX)
}

fn seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // More digits than fit are a very long wait, and the caller caps it.
    let seconds = text.parse().unwrap_or(u64::MAX);
    Some(Duration(seconds.saturating_mul(1_000)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and the two obsolete forms that RFC 9110 still asks to read.
fn date(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let (day, month, year, time) = match words[..] {
        [_, day, month, year, time, "GMT" | "UTC"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let mut clock = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..61).contains(&second);
    if !is_time {
        return None;
    }
    let days = days_since_1970(year_number(year)?, month_number(month)?, day.parse().ok()?)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp(seconds * 1_000))
}

/// Two-digit years are of RFC 850, which is older than this century.
fn year_number(text: &str) -> Option<i64> {
    let year: i64 = text.parse().ok()?;
    match (text.len(), year) {
        (4, 1970..) => Some(year),
        (2, 0..70) => Some(2_000 + year),
        (2, 70..) => Some(1_900 + year),
        _ => None,
    }
}

fn month_number(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    (1..)
        .zip(MONTHS)
        .find(|(_, month)| month.eq_ignore_ascii_case(name))
        .map(|(number, _)| number)
}

/// Days of the Gregorian calendar, counted from a March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=31).contains(&day) {
        return None;
    }
    let from_march = (month + 9) % 12;
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(year * 365 + leap_days + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const EXAMPLE: Timestamp = Timestamp(784_111_777_000);

    #[test]
    fn a_wait_is_read_from_seconds_dates_and_garbage() {
        let before = EXAMPLE.minus(Duration::minutes(10));
        let cases = [
            ("0", before, Duration::ZERO),
            ("120", before, Duration::minutes(2)),
            (" 5 ", before, Duration::seconds(5)),
            ("3600", before, Duration::hours(1)),
            ("86401", before, MAX),
            ("99999999999999999999999", before, MAX),
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                before,
                Duration::minutes(10),
            ),
            (
                "Sunday, 06-Nov-94 08:49:37 GMT",
                before,
                Duration::minutes(10),
            ),
            ("Sun Nov  6 08:49:37 1994", before, Duration::minutes(10)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE, Duration::ZERO),
            ("Sun, 06 Nov 1994 08:49:36 GMT", EXAMPLE, Duration::ZERO),
            ("Sun, 06 Nov 2094 08:49:37 GMT", before, MAX),
            ("", before, DEFAULT),
            ("soon", before, DEFAULT),
            ("-5", before, DEFAULT),
            ("1.5", before, DEFAULT),
            ("Sun, 32 Nov 1994 08:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Foo 1994 08:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Nov 1994 25:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Nov 1994 08:49 GMT", before, DEFAULT),
        ];
        for (header, now, expected) in cases {
            assert_eq!(wait(header, now), expected, "{header:?}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for text in [
            "1970-01-01",
            "2000-02-29",
            "2024-02-29",
            "2026-12-31",
            "2100-03-01",
        ] {
            let expected: jiff::civil::Date = text.parse().expect("a date");
            let epoch = jiff::civil::date(1970, 1, 1);
            let days = (expected - epoch).get_days();
            let parts: Vec<i64> = text
                .split('-')
                .map(|part| part.parse().expect("a number"))
                .collect();
            let found = days_since_1970(parts[0], parts[1], parts[2]);
            assert_eq!(found, Some(i64::from(days)), "{text}");
        }
    }
}
