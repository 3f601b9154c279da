//! Whether the turns of a layer and its windows give everybody a share.
//!
//! Turns go on while the layer is not active. Where users and turns fit into the pattern of the
//! windows, the same people then have the same days for ever, or are never on call. All of it is
//! worked out on a clock that is never set.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::document::values::weekday_word;
use crate::document::{Code, Diagnostics, Position};
use crate::engine::calendar::{Layer, Rotation, Schedule, Turn};
use crate::engine::ids::UserName;
use crate::engine::time::{Duration, Timestamp};

/// Patterns that take longer than this to come back to where they began are not worked out.
const DAYS_MAX: u64 = 2_000;
/// The same for turns of hours, of which there are many more.
const DAYS_OF_HOURS_MAX: u64 = 60;

/// Warns of a layer whose windows leave somebody out or always fall to the same people.
pub(super) fn check(layer: &Layer, at: Position, faults: &mut Diagnostics) {
    let Some(rotation) = &layer.rotation else {
        return;
    };
    let people: BTreeSet<&UserName> = layer.users.iter().flatten().collect();
    if layer.only.is_empty() {
        if let Turn::ActiveDays(_) = rotation.turn {
            let message = "`counts: active` counts the days on which a window of `only` begins, \
                           but there is no `only`";
            let help = "add `only`, or remove `counts`";
            faults.error(Code::RotationIncomplete, at, message, help);
        }
        return;
    }
    if people.len() < 2 {
        return;
    }
    match rotation.turn {
        Turn::Days(days) => of_days(layer, rotation, u64::from(days), at, faults),
        Turn::Hours(hours) if hours % 24 == 0 => {
            of_days(layer, rotation, u64::from(hours / 24), at, faults);
        }
        Turn::ActiveDays(days) => {
            let days = active_days(layer, rotation, u64::from(days), false);
            report_same_days(&days, &people, at, faults);
        }
        Turn::Hours(hours) => of_hours(layer, u64::from(hours), &people, at, faults),
        // Whoever has a week has all days of it.
        Turn::Weeks { .. } => {}
    }
}

/// An active day: the number of its turn, and who has it.
struct ActiveDay<'layer> {
    weekday: Weekday,
    /// Counted from the first day of the rotation.
    day: u64,
    turn: u64,
    user: Option<&'layer UserName>,
}

fn of_days(layer: &Layer, rotation: &Rotation, days: u64, at: Position, faults: &mut Diagnostics) {
    let people: BTreeSet<&UserName> = layer.users.iter().flatten().collect();
    let all = active_days(layer, rotation, days, true);
    if report_same_days(&all, &people, at, faults) {
        return;
    }
    let falls_away = |pair: &&[ActiveDay<'_>]| {
        let turns = pair[1].turn - pair[0].turn;
        turns > 1 && pair[1].day - pair[0].day > 1 && pair[0].user == pair[1].user
    };
    if let Some([last, next]) = all.windows(2).find(falls_away) {
        let message = format!(
            "whoever has {} has {} too: the turns in between fall on days outside `only`",
            weekday_word(last.weekday),
            weekday_word(next.weekday)
        );
        let help =
            format!("count active days only: `rotate: {{ every: {days}d, counts: active }}`");
        faults.warning(Code::UnevenTurns, at, message, help);
    }
}

/// The active days until the pattern comes back. Turns count all days, or only the active ones.
fn active_days<'layer>(
    layer: &'layer Layer,
    rotation: &Rotation,
    days: u64,
    counts_all: bool,
) -> Vec<ActiveDay<'layer>> {
    let week = rotation.start.weekday().cycle_forward().take(7);
    let counted: Vec<Weekday> = week
        .filter(|day| counts_all || is_active(layer, *day))
        .collect();
    let week = u64::try_from(counted.len()).unwrap_or(7);
    let period = least_common_multiple(days.saturating_mul(count(layer)), week);
    (0..=period.min(DAYS_MAX))
        .zip(counted.into_iter().cycle())
        .map(|(day, weekday)| ActiveDay {
            weekday,
            day,
            turn: day / days.max(1),
            user: user(layer, day / days.max(1)),
        })
        .filter(|day| is_active(layer, day.weekday))
        .collect()
}

/// Warns where somebody does not come to every active weekday; whether it did.
fn report_same_days(
    days: &[ActiveDay<'_>],
    people: &BTreeSet<&UserName>,
    at: Position,
    faults: &mut Diagnostics,
) -> bool {
    let is_whole = days.last().is_some_and(|last| last.day < DAYS_MAX - 1);
    let mut all = BTreeSet::new();
    let mut of: BTreeMap<&UserName, BTreeSet<i8>> = BTreeMap::new();
    for day in days {
        let weekday = day.weekday.to_monday_zero_offset();
        all.insert(weekday);
        if let Some(user) = day.user {
            of.entry(user).or_default().insert(weekday);
        }
    }
    let lacks = |user: &&&UserName| of.get(**user).is_none_or(|own| *own != all);
    let Some(user) = people.iter().find(lacks).filter(|_| is_whole) else {
        return false;
    };
    let own = of.get(*user).into_iter().flatten();
    let own: Vec<&str> = own.map(|day| weekday_word(from_monday(*day))).collect();
    let message = match own.as_slice() {
        [] => format!("{user} is never on call: all days of these turns are outside `only`"),
        own => format!("{user} always has the same weekdays: {}", own.join(", ")),
    };
    let help = "hand over weekly, add or remove a user, or keep it if that is intended";
    faults.warning(Code::UnevenTurns, at, message, help);
    true
}

/// Turns of hours: warns of those who are never on call.
fn of_hours(
    layer: &Layer,
    hours: u64,
    people: &BTreeSet<&UserName>,
    at: Position,
    faults: &mut Diagnostics,
) {
    let period = least_common_multiple(hours.saturating_mul(count(layer)), 7 * 24);
    if period > DAYS_OF_HOURS_MAX * 24 {
        return;
    }
    let Some(first) = layer.rotation.as_ref().and_then(|rotation| {
        let local = rotation.start.to_datetime(rotation.handoff);
        TimeZone::UTC.to_timestamp(local).ok()
    }) else {
        return;
    };
    let on_utc = Schedule {
        name: "layer".into(),
        layers: vec![Layer {
            time_zone: TimeZone::UTC,
            ..layer.clone()
        }],
        gaps_expected: true,
    };
    let stretches = on_utc.stretches(
        first.into(),
        Timestamp::from(first) + Duration::hours(period),
        &[],
    );
    let on_call: BTreeSet<&UserName> = stretches
        .iter()
        .filter_map(|stretch| stretch.user.as_ref())
        .collect();
    if let Some(user) = people.iter().find(|user| !on_call.contains(**user)) {
        let message =
            format!("{user} is never on call: all hours of these turns are outside `only`");
        let help = "hand over daily or weekly, widen `only`, or change the handoff";
        faults.warning(Code::UnevenTurns, at, message, help);
    }
}

fn user(layer: &Layer, turn: u64) -> Option<&UserName> {
    let index = usize::try_from(turn % count(layer)).ok()?;
    layer.users.get(index)?.as_ref()
}

fn count(layer: &Layer) -> u64 {
    u64::try_from(layer.users.len()).unwrap_or(u64::MAX).max(1)
}

fn is_active(layer: &Layer, weekday: Weekday) -> bool {
    layer.only.iter().any(|window| window.is_on(weekday))
}

fn from_monday(offset: i8) -> Weekday {
    Weekday::Monday.wrapping_add(offset)
}

fn least_common_multiple(one: u64, other: u64) -> u64 {
    let (mut divisor, mut rest) = (one, other);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    one.checked_div(divisor)
        .map_or(0, |part| part.saturating_mul(other))
}
