//! Times as somebody reads them who was just woken: the local clock, and how long ago.

use jiff::tz::TimeZone;

use crate::engine::time::{Duration, Timestamp};

/// The reader's clock.
pub struct LocalClock<'reader> {
    pub now: Timestamp,
    pub time_zone: &'reader TimeZone,
}

impl LocalClock<'_> {
    /// `03:10, 12 min ago`; with the day when it was not today.
    pub fn past(&self, at: Timestamp) -> String {
        format!("{}, {}", self.local(at), ago(self.now.since(at)))
    }

    /// `03:10`, or `Mon 23 Nov 03:10` on another day.
    pub fn local(&self, at: Timestamp) -> String {
        let then = at.timestamp().to_zoned_datetime(self.time_zone.clone());
        let today = self
            .now
            .timestamp()
            .to_zoned_datetime(self.time_zone.clone());
        let format = if then.date() == today.date() {
            "%H:%M"
        } else {
            "%a %-d %b %H:%M"
        };
        then.strftime(format).to_string()
    }

    /// The zone's name.
    pub fn zone(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("UTC")
    }
}

fn ago(span: Duration) -> String {
    let minutes = span.as_seconds() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..1_440 => format!("{} h {} min ago", minutes / 60, minutes % 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_on_the_readers_clock() {
        let lisbon = TimeZone::get("Europe/Lisbon").unwrap();
        let now = Timestamp::from("2026-07-23T02:22:30Z".parse::<jiff::Timestamp>().unwrap());
        let clock = LocalClock {
            now,
            time_zone: &lisbon,
        };
        let cases = [
            ("2026-07-23T02:22:00Z", "03:22, just now"),
            ("2026-07-23T02:10:00Z", "03:10, 12 min ago"),
            ("2026-07-22T23:22:00Z", "00:22, 3 h 0 min ago"),
            ("2026-07-22T22:22:00Z", "Wed 22 Jul 23:22, 4 h 0 min ago"),
            ("2026-07-20T02:22:00Z", "Mon 20 Jul 03:22, 3 days ago"),
        ];
        for (at, expected) in cases {
            let at = Timestamp::from(at.parse::<jiff::Timestamp>().unwrap());
            assert_eq!(clock.past(at), expected);
        }
        assert_eq!(clock.zone(), "Europe/Lisbon");
    }
}
