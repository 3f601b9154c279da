//! Times as people read them: on the local clock, with the distance from now.

use super::view::View;
use crate::engine::time::Timestamp;

/// `03:12` today, `Nov 20 03:12` otherwise, with the year when it is another one.
pub fn local(at: Timestamp, view: &View) -> String {
    let zoned = at.timestamp().to_zoned_datetime(view.zone.clone());
    let today = view.now.timestamp().to_zoned_datetime(view.zone.clone());
    let format = if zoned.date() == today.date() {
        "%H:%M"
    } else if zoned.year() == today.year() {
        "%b %d %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    zoned.strftime(format).to_string()
}

/// `03:12` on the local clock.
pub fn minute(at: Timestamp, view: &View) -> String {
    let zoned = at.timestamp().to_zoned_datetime(view.zone.clone());
    zoned.strftime("%H:%M").to_string()
}

/// `03:12:04` on the local clock.
pub fn clock(at: Timestamp, view: &View) -> String {
    let zoned = at.timestamp().to_zoned_datetime(view.zone.clone());
    zoned.strftime("%H:%M:%S").to_string()
}

/// `Mon 23 Nov 2026` on the local calendar.
pub fn day(at: Timestamp, view: &View) -> String {
    let zoned = at.timestamp().to_zoned_datetime(view.zone.clone());
    zoned.strftime("%a %d %b %Y").to_string()
}

/// `5m ago`, `in 3h`, `now`.
pub fn relative(at: Timestamp, view: &View) -> String {
    let distance = distance(at, view);
    if distance == "0s" {
        "now".to_owned()
    } else if at > view.now {
        format!("in {distance}")
    } else {
        format!("{distance} ago")
    }
}

/// `03:12 (5m ago)`.
pub fn both(at: Timestamp, view: &View) -> String {
    format!("{} ({})", local(at, view), relative(at, view))
}

/// `03:12 5m`: the short form of tables, for times that have been.
pub fn brief(at: Timestamp, view: &View) -> String {
    format!("{} {}", local(at, view), distance(at, view))
}

/// In the largest unit of which there are at least two.
fn distance(at: Timestamp, view: &View) -> String {
    let seconds = at.since(view.now).max(view.now.since(at)).as_seconds();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `0.4 s`, `12 s`.
pub fn latency(milliseconds: u64) -> String {
    if milliseconds < 10_000 {
        let tenths = (milliseconds + 50) / 100;
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else {
        format!("{} s", milliseconds / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::samples::view;

    fn at(text: &str) -> Timestamp {
        let timestamp: jiff::Timestamp = text.parse().expect("a timestamp");
        timestamp.into()
    }

    #[test]
    fn times_are_local_and_say_how_far_they_are() {
        let cases = [
            ("2026-11-23T03:20:00Z", "03:20 (now)"),
            ("2026-11-23T03:18:30Z", "03:18 (90s ago)"),
            ("2026-11-23T03:00:00Z", "03:00 (20m ago)"),
            ("2026-11-23T11:20:00Z", "11:20 (in 8h)"),
            ("2026-11-20T03:20:00Z", "Nov 20 03:20 (3d ago)"),
            ("2026-07-20T03:20:00Z", "Jul 20 04:20 (126d ago)"),
            ("2025-11-20T03:20:00Z", "2025-11-20 03:20 (368d ago)"),
        ];
        for (text, expected) in cases {
            assert_eq!(both(at(text), &view()), expected);
        }
    }

    #[test]
    fn latencies_are_in_seconds() {
        let cases = [
            (0, "0.0 s"),
            (412, "0.4 s"),
            (9_960, "10.0 s"),
            (15_400, "15 s"),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(latency(milliseconds), expected);
        }
    }
}
