//! Whose turn it is in a rotation, and from when until when.
//!
//! Days and weeks are counted as dates on the local calendar and only then turned into instants,
//! so that a day of 23 or 25 hours is a day. Only `{ every: Nh }` counts elapsed hours.

use jiff::Span;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::interval::Interval;
use super::{Rotation, Turn};
use crate::engine::time::{Millis, Wall};

/// The turn in force at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TurnAt {
    /// Counted from 0; `None` before the first handoff.
    pub number: Option<u64>,
    pub interval: Interval,
}

/// By how many turns the count by dates can be wrong: one for the time of day of the handoff, one
/// for a date that a zone skipped or repeated.
const DATE_COUNT_ERROR: u64 = 2;

/// An instant beyond all calendars.
const NEVER: Wall = Interval::ALWAYS.until;

/// The turn of a rotation in force at `at`, on the clock of `zone`.
pub(super) fn turn_at(rotation: &Rotation, zone: &TimeZone, at: Wall) -> TurnAt {
    match rotation.turn {
        Turn::Days(days) => {
            let turns = CalendarTurns::new(rotation, zone, rotation.start, u64::from(days));
            turns.turn_at(at)
        }
        Turn::Weeks { every, weekday } => {
            let first = first_weekday(rotation.start, weekday).unwrap_or(Date::MAX);
            let turns = CalendarTurns::new(rotation, zone, first, 7 * u64::from(every));
            turns.turn_at(at)
        }
        Turn::Hours(hours) => {
            let first = instant(zone, rotation.start.to_datetime(rotation.handoff));
            elapsed_turn_at(first, Millis::hours(u64::from(hours.max(1))), at)
        }
    }
}

/// Turns of so many dates each.
struct CalendarTurns<'zone> {
    zone: &'zone TimeZone,
    first: DateTime,
    days: u64,
}

impl<'zone> CalendarTurns<'zone> {
    fn new(rotation: &Rotation, zone: &'zone TimeZone, first: Date, days: u64) -> Self {
        Self {
            zone,
            first: first.to_datetime(rotation.handoff),
            days: days.max(1),
        }
    }

    /// When a turn begins. Two turns begin at one instant where a zone skipped a date; the later
    /// one then holds.
    fn begins(&self, number: u64) -> Wall {
        days_after(self.first.date(), number.saturating_mul(self.days)).map_or(NEVER, |date| {
            instant(self.zone, date.to_datetime(self.first.time()))
        })
    }

    fn turn_at(&self, at: Wall) -> TurnAt {
        if at < self.begins(0) {
            return before(self.begins(0));
        }
        let today = self.zone.to_datetime(at.timestamp()).date();
        let days = u64::try_from((today - self.first.date()).get_days()).unwrap_or(0);
        let guess = days / self.days;
        let candidates = guess.saturating_sub(DATE_COUNT_ERROR)..=guess + DATE_COUNT_ERROR;
        let number = candidates
            .rev()
            .find(|number| self.begins(*number) <= at)
            .unwrap_or(0);
        TurnAt {
            number: Some(number),
            interval: Interval {
                from: self.begins(number),
                until: self.begins(number + 1),
            },
        }
    }
}

/// Turns of so much elapsed time each.
fn elapsed_turn_at(first: Wall, length: Millis, at: Wall) -> TurnAt {
    if at < first {
        return before(first);
    }
    let number = at.since(first).0 / length.0;
    let from = first + Millis(number * length.0);
    TurnAt {
        number: Some(number),
        interval: Interval {
            from,
            until: from + length,
        },
    }
}

/// The time before the first handoff, in which a rotation names nobody.
fn before(first: Wall) -> TurnAt {
    TurnAt {
        number: None,
        interval: Interval {
            until: first,
            ..Interval::ALWAYS
        },
    }
}

/// The first such weekday on or after a date.
fn first_weekday(date: Date, weekday: Weekday) -> Option<Date> {
    let days = date.weekday().until(weekday);
    days_after(date, u64::from(days.unsigned_abs()))
}

/// The date so many days later, if the calendar goes on so far.
fn days_after(date: Date, days: u64) -> Option<Date> {
    let days = i64::try_from(days).ok()?;
    let span = Span::new().try_days(days).ok()?;
    date.checked_add(span).ok()
}

/// The instant at which a local clock shows a time. In an hour that does not exist it is that much
/// later (02:30 becomes 03:30), in an hour that comes twice its first occurrence.
fn instant(zone: &TimeZone, local: DateTime) -> Wall {
    zone.to_ambiguous_timestamp(local)
        .compatible()
        .map_or(NEVER, Wall::from)
}
