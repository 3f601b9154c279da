//! Windows on the local clock (`only`): whether one is open at an instant, and how long that holds.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::interval::Interval;
use super::layer::Window;
use crate::engine::time::Timestamp;

/// Minutes of a day on the clock.
const DAY_MINUTES: u16 = 24 * 60;

/// Whether one of the windows is open at `at`, and an interval in which that does not change. No
/// windows at all are always open.
pub(super) fn open_at(windows: &[Window], zone: &TimeZone, at: Timestamp) -> (bool, Interval) {
    if windows.is_empty() {
        return (true, Interval::ALWAYS);
    }
    let local = zone.to_datetime(at.timestamp());
    let open = windows.iter().any(|window| window.is_open(local));
    (open, steady_clock(windows, zone, at, local.date()))
}

impl Window {
    /// Whether the window is open while the local clock shows this.
    pub(super) fn is_open(&self, local: DateTime) -> bool {
        let minute = minute_of_day(local.time());
        let today = local.date().weekday();
        if self.from_minute < self.to_minute {
            return self.is_on(today) && (self.from_minute..self.to_minute).contains(&minute);
        }
        // Over midnight: the morning belongs to the day before.
        (self.is_on(today) && minute >= self.from_minute)
            || (self.is_on(today.previous()) && minute < self.to_minute)
    }

    /// Whether it begins on this day.
    pub fn is_on(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }
}

/// The interval around `at` in which the clock passes no edge of a window and is not set.
fn steady_clock(windows: &[Window], zone: &TimeZone, at: Timestamp, today: Date) -> Interval {
    let timestamp = at.timestamp();
    let offset = zone.to_offset(timestamp);
    let mut interval = clock_unset(zone, timestamp);
    for date in [today.yesterday(), Ok(today), today.tomorrow()] {
        let Ok(date) = date else { continue };
        for minute in windows.iter().flat_map(Window::edges) {
            if let Ok(edge) = offset.to_timestamp(clock_at(date, minute)) {
                interval = interval.cut(edge.into(), at);
            }
        }
    }
    interval
}

impl Window {
    fn edges(&self) -> [u16; 2] {
        [self.from_minute, self.to_minute]
    }
}

/// The interval around an instant in which the zone's offset does not change.
fn clock_unset(zone: &TimeZone, timestamp: jiff::Timestamp) -> Interval {
    // `preceding` leaves out a change at the instant itself.
    let including = timestamp.checked_add(SignedDuration::from_millis(1));
    let from = zone.preceding(including.unwrap_or(timestamp)).next();
    let until = zone.following(timestamp).next();
    Interval {
        from: from.map_or(Interval::ALWAYS.from, |change| change.timestamp().into()),
        until: until.map_or(Interval::ALWAYS.until, |change| change.timestamp().into()),
    }
}

/// What the clock shows so many minutes into a date, up to `24:00`.
fn clock_at(date: Date, minute: u16) -> DateTime {
    let days_begin = date.to_datetime(Time::midnight());
    days_begin.saturating_add(SignedDuration::from_mins(i64::from(
        minute.min(DAY_MINUTES),
    )))
}

fn minute_of_day(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}
