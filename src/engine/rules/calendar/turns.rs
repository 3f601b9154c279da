//! Whose turn it is in a rotation, and from when until when.
//!
//! Turns of days and weeks, and of hours that divide a day, are counted on the local calendar and
//! only then turned into instants, so that a day of 23 or 25 hours is a day and a handoff at 08:00
//! stays at 08:00. Only hours that do not divide a day, such as `{ every: 5h }`, are counted as
//! they pass.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

use super::interval::Interval;
use super::layer::{Rotation, Turn, Window};
use crate::engine::time::{Duration, Timestamp};

/// The turn in force at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TurnAt {
    /// Counted from 0; `None` before the first handoff.
    pub number: Option<u64>,
    pub interval: Interval,
}

/// By how many hours the count on the local clock can be wrong: a date that a zone skipped or
/// repeated, and the minutes of the handoff.
const CLOCK_ERROR_HOURS: u64 = 25;

const DAY_HOURS: u64 = 24;
const WEEK_DAYS: u64 = 7;
const HOUR_SECONDS: u64 = 60 * 60;

/// An instant beyond all calendars.
const NEVER: Timestamp = Interval::ALWAYS.until;

/// The turn of a rotation in force at `at`, on the clock of `zone`; `only` are the windows of its
/// layer.
pub(super) fn turn_at(
    rotation: &Rotation,
    only: &[Window],
    zone: &TimeZone,
    at: Timestamp,
) -> TurnAt {
    let clock_hours = match rotation.turn {
        Turn::Days(days) => u64::from(days) * DAY_HOURS,
        Turn::Weeks { every, .. } => u64::from(every) * WEEK_DAYS * DAY_HOURS,
        Turn::ActiveDays(days) => u64::from(days) * DAY_HOURS,
        Turn::Hours(hours) if keeps_the_clock(hours) => u64::from(hours),
        Turn::Hours(hours) => {
            let first = instant(zone, rotation.start.to_datetime(rotation.handoff));
            return elapsed_turn_at(first, Duration::hours(u64::from(hours.max(1))), at);
        }
    };
    let days = match rotation.turn {
        Turn::Weeks { weekday, .. } => Days::All(first_weekday(rotation.start, weekday)),
        Turn::ActiveDays(_) => Days::Active(ActiveDays::new(rotation.start, only)),
        Turn::Days(_) | Turn::Hours(_) => Days::All(rotation.start),
    };
    let turns = CalendarTurns {
        zone,
        handoff: rotation.handoff,
        days,
        clock_hours: clock_hours.max(1),
    };
    turns.turn_at(at)
}

/// Whether turns of so many hours come back to the same times of day: they divide a day, or are
/// whole days.
fn keeps_the_clock(hours: u32) -> bool {
    hours > 0 && (24 % hours == 0 || hours.is_multiple_of(24))
}

/// Turns of so many hours each on the local clock, where every day has 24 hours.
struct CalendarTurns<'zone> {
    zone: &'zone TimeZone,
    handoff: jiff::civil::Time,
    days: Days,
    clock_hours: u64,
}

/// The days that turns are made of.
enum Days {
    /// All from this date on.
    All(Date),
    Active(ActiveDays),
}

impl Days {
    /// The day of this number, counted from 0, if the calendar goes on so far.
    fn date(&self, number: u64) -> Option<Date> {
        match self {
            Self::All(first) => days_after(*first, number),
            Self::Active(active) => active.date(number),
        }
    }

    /// How many days begin before `date`.
    fn before(&self, date: Date) -> u64 {
        match self {
            Self::All(first) => days_between(*first, date),
            Self::Active(active) => active.before(date),
        }
    }
}

impl CalendarTurns<'_> {
    /// When a turn begins by its own handoff. Where a zone skipped more of the clock than a turn is
    /// long, a later turn can begin at the same instant or before; the later one then holds.
    fn begins(&self, number: u64) -> Timestamp {
        let hours = number.saturating_mul(self.clock_hours);
        let Some(date) = self.days.date(hours / DAY_HOURS) else {
            return NEVER;
        };
        let into_day = seconds(hours % DAY_HOURS * HOUR_SECONDS);
        let local = date.to_datetime(self.handoff).checked_add(into_day);
        local.map_or(NEVER, |local| instant(self.zone, local))
    }

    fn turn_at(&self, at: Timestamp) -> TurnAt {
        let first = self.begins(0);
        if at < first {
            return before(first);
        }
        let guess = self.guess(self.zone.to_datetime(at.timestamp()));
        // One more, because on a day that does not count the day before it still holds.
        let error = CLOCK_ERROR_HOURS.div_ceil(self.clock_hours) + 1;
        let candidates = guess.saturating_sub(error)..=guess.saturating_add(error);
        let number = candidates
            .rev()
            .find(|number| self.begins(*number) <= at)
            .unwrap_or(0);
        let later = number.saturating_add(1)..=number.saturating_add(error);
        TurnAt {
            number: Some(number),
            interval: Interval {
                from: self.begins(number).max(first),
                until: later
                    .map(|number| self.begins(number))
                    .min()
                    .unwrap_or(NEVER),
            },
        }
    }

    /// The turn by the local clock, as if it were never set.
    fn guess(&self, local: DateTime) -> u64 {
        let days = self.days.before(local.date());
        let hour = u64::from(local.time().hour().unsigned_abs());
        let handoff = u64::from(self.handoff.hour().unsigned_abs());
        (days.saturating_mul(DAY_HOURS) + hour).saturating_sub(handoff) / self.clock_hours
    }
}

/// The dates on which a window of a layer begins.
struct ActiveDays {
    /// The first of them.
    first: Option<Date>,
    /// How many days each of one week's active days lies after the first, in ascending order.
    offsets: Vec<u64>,
}

impl ActiveDays {
    fn new(start: Date, only: &[Window]) -> Self {
        let is_active = |date: Date| {
            let day = date.weekday();
            only.is_empty() || only.iter().any(|window| window.is_on(day))
        };
        let active_after = |date: Date| {
            (0..WEEK_DAYS).filter(move |days| days_after(date, *days).is_some_and(is_active))
        };
        let first = active_after(start).next();
        let first = first.and_then(|days| days_after(start, days));
        Self {
            first,
            offsets: first.map_or(Vec::new(), |first| active_after(first).collect()),
        }
    }

    fn in_week(&self) -> u64 {
        u64::try_from(self.offsets.len())
            .unwrap_or(WEEK_DAYS)
            .max(1)
    }

    fn date(&self, number: u64) -> Option<Date> {
        let in_week = usize::try_from(number % self.in_week()).ok()?;
        let weeks = number / self.in_week();
        days_after(self.first?, weeks * WEEK_DAYS + self.offsets.get(in_week)?)
    }

    fn before(&self, date: Date) -> u64 {
        let days = self.first.map_or(0, |first| days_between(first, date));
        let offsets = self.offsets.iter();
        let in_last_week = offsets.filter(|offset| **offset < days % WEEK_DAYS).count();
        days / WEEK_DAYS * self.in_week() + u64::try_from(in_last_week).unwrap_or(0)
    }
}

/// Turns of so much elapsed time each.
fn elapsed_turn_at(first: Timestamp, length: Duration, at: Timestamp) -> TurnAt {
    if at < first {
        return before(first);
    }
    let number = at.since(first).0 / length.0;
    let from = first + Duration(number * length.0);
    TurnAt {
        number: Some(number),
        interval: Interval {
            from,
            until: from + length,
        },
    }
}

/// The time before the first handoff, in which a rotation names nobody.
fn before(first: Timestamp) -> TurnAt {
    TurnAt {
        number: None,
        interval: Interval {
            until: first,
            ..Interval::ALWAYS
        },
    }
}

/// The first such weekday on or after a date.
fn first_weekday(date: Date, weekday: Weekday) -> Date {
    let days = date.weekday().until(weekday);
    days_after(date, u64::from(days.unsigned_abs())).unwrap_or(Date::MAX)
}

/// The date so many days later, if the calendar goes on so far.
fn days_after(date: Date, days: u64) -> Option<Date> {
    let length = seconds(days.checked_mul(DAY_HOURS * HOUR_SECONDS)?);
    date.checked_add(length).ok()
}

/// The days from a date to a later one.
fn days_between(date: Date, later: Date) -> u64 {
    u64::try_from((later - date).get_days()).unwrap_or(0)
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// The instant at which a local clock shows a time. In an hour that does not exist it is that much
/// later (02:30 becomes 03:30), in an hour that comes twice its first occurrence.
fn instant(zone: &TimeZone, local: DateTime) -> Timestamp {
    zone.to_ambiguous_timestamp(local)
        .compatible()
        .map_or(NEVER, Timestamp::from)
}
