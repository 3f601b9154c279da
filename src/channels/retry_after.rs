//! `Retry-After`: seconds, an HTTP date, or garbage. Decides how long a lane stays closed.

use std::time::UNIX_EPOCH;

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

/// Any of the three forms that RFC 9110 asks to read.
fn date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since_1970 = date.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp(since_1970.as_millis().try_into().ok()?))
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
            ("Sat, 06 Nov 2094 08:49:37 GMT", before, MAX),
            ("", before, DEFAULT),
            ("soon", before, DEFAULT),
            ("-5", before, DEFAULT),
            ("1.5", before, DEFAULT),
            ("Sun, 32 Nov 1994 08:49:37 GMT", before, DEFAULT),
            ("Mon, 06 Nov 1994 08:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Foo 1994 08:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Nov 1994 25:49:37 GMT", before, DEFAULT),
            ("Sun, 06 Nov 1994 08:49 GMT", before, DEFAULT),
        ];
        for (header, now, expected) in cases {
            assert_eq!(wait(header, now), expected, "{header:?}");
        }
    }
}
