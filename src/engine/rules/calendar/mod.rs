//! Who is on call when: rotations, layers, restrictions and overrides on the local calendar.
//!
//! A reading is the answer for one instant together with an interval in which it holds; all
//! longer answers are walks from reading to reading.

mod interval;
mod layer;
mod turns;
mod windows;

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::event::Text;
use crate::engine::ids::{OverrideId, ScheduleName, UserName};
use crate::engine::time::{Duration, Timestamp};
use interval::Interval;
pub use layer::{Rotation, Turn, Window};

/// A schedule; a later layer wins where it is active.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: ScheduleName,
    pub layers: Vec<Layer>,
    /// Whether uncovered times are meant (`gaps: expected`).
    pub gaps_expected: bool,
}

/// One rotation of a schedule.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer's own zone, or the one of its schedule.
    pub time_zone: TimeZone,
    /// In the order of their turns; `None` is `nobody`, a turn that falls to the layer beneath.
    pub users: Vec<Option<UserName>>,
    /// `None` with one user who is always on.
    pub rotation: Option<Rotation>,
    /// Windows on the local clock in which the layer is active; empty means always.
    pub only: Vec<Window>,
}

/// Somebody stands in for `[from, until)`; wins over all layers. Runtime state, kept across rules:
/// one whose user is gone is passed over, see [`crate::engine::ruleset::RuleSet::can_stand_in`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub id: OverrideId,
    pub schedule: ScheduleName,
    pub user: UserName,
    pub from: Timestamp,
    pub until: Timestamp,
    pub reason: Text,
    pub created_by: Actor,
    pub created_at: Timestamp,
}

/// Who is on call at one moment, since when and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    pub user: Option<UserName>,
    pub reason: OnCallReason,
    /// Index of the layer that names the user.
    pub layer: Option<usize>,
    /// Start of this unbroken stretch; `None` if it goes back further than is looked.
    pub from: Option<Timestamp>,
    /// End of this unbroken stretch; `None` if it goes on further than is looked.
    pub until: Option<Timestamp>,
}

/// Why this person is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCallReason {
    Rotation,
    Override,
    Nobody,
}

/// A part of a schedule in which person and reason stay the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub until: Timestamp,
    pub user: Option<UserName>,
    pub reason: OnCallReason,
    /// Index of the layer that names the user where the stretch begins.
    pub layer: Option<usize>,
}

/// How far [`Schedule::on_call`] looks for the ends of a stretch.
pub const LOOK_AHEAD: Duration = Duration::days(92);

/// The longest time that [`Schedule::stretches`] covers.
pub const STRETCHES_SPAN_MAX: Duration = Duration::days(400);

/// How many stretches [`Schedule::stretches`] gives at most: more than hourly turns make in
/// [`STRETCHES_SPAN_MAX`].
pub const STRETCHES_MAX: usize = 10_000;

/// What the calendar says at one instant, and an interval around it in which it says the same.
#[derive(Clone, Copy, Debug)]
struct Reading<'calendar> {
    user: Option<&'calendar UserName>,
    reason: OnCallReason,
    layer: Option<usize>,
    interval: Interval,
}

impl Schedule {
    /// The person on call at `at`; of overlapping overrides the one created last wins.
    /// Overrides of other schedules are passed over.
    pub fn person_at(&self, at: Timestamp, overrides: &[Override]) -> Option<UserName> {
        self.reading(at, overrides).user.cloned()
    }

    /// The person on call at `at` with the stretch in which person and reason stay the same.
    pub fn on_call(&self, at: Timestamp, overrides: &[Override]) -> OnCall {
        let reading = self.reading(at, overrides);
        let (earliest, latest) = (at.minus(LOOK_AHEAD), at + LOOK_AHEAD);
        let from = self.stretch_begins(&reading, earliest, overrides);
        let until = self.stretch_ends(&reading, latest, overrides);
        OnCall {
            user: reading.user.cloned(),
            reason: reading.reason,
            layer: reading.layer,
            from: (from > earliest).then_some(from),
            until: (until < latest).then_some(until),
        }
    }

    /// Who is on call in `[from, until)`, without a hole: uncovered time is a stretch of nobody.
    /// What lies beyond [`STRETCHES_SPAN_MAX`] or [`STRETCHES_MAX`] is left out; the last stretch
    /// then ends before `until`.
    pub fn stretches(
        &self,
        from: Timestamp,
        until: Timestamp,
        overrides: &[Override],
    ) -> Vec<Stretch> {
        let until = until.min(from + STRETCHES_SPAN_MAX);
        let mut stretches = Vec::new();
        let mut at = from;
        while at < until && stretches.len() < STRETCHES_MAX {
            let reading = self.reading(at, overrides);
            let end = self.stretch_ends(&reading, until, overrides).min(until);
            stretches.push(Stretch {
                from: at,
                until: end,
                user: reading.user.cloned(),
                reason: reading.reason,
                layer: reading.layer,
            });
            at = end;
        }
        stretches
    }

    /// The end of the stretch to which a reading belongs, or something not before `limit`.
    fn stretch_ends(
        &self,
        first: &Reading<'_>,
        limit: Timestamp,
        overrides: &[Override],
    ) -> Timestamp {
        let mut end = first.interval.until;
        while end < limit {
            let next = self.reading(end, overrides);
            if !next.agrees_with(first) {
                return end;
            }
            end = next.interval.until;
        }
        end
    }

    /// The begin of the stretch to which a reading belongs, or something not after `limit`.
    fn stretch_begins(
        &self,
        last: &Reading<'_>,
        limit: Timestamp,
        overrides: &[Override],
    ) -> Timestamp {
        let mut begin = last.interval;
        while begin.from > limit {
            let previous = self.reading(begin.just_before(), overrides);
            if !previous.agrees_with(last) {
                return begin.from;
            }
            begin = previous.interval;
        }
        begin.from
    }

    fn reading<'calendar>(
        &'calendar self,
        at: Timestamp,
        overrides: &'calendar [Override],
    ) -> Reading<'calendar> {
        let mine = || overrides.iter().filter(|other| other.schedule == self.name);
        let interval = mine().fold(Interval::ALWAYS, |interval, other| {
            interval.cut(other.from, at).cut(other.until, at)
        });
        let winner = mine()
            .filter(|other| other.covers(at))
            .max_by_key(|other| other.id);
        if winner.is_some_and(Override::is_nobodys) {
            let reading = self.layers_reading(at, 1);
            return Reading {
                interval: reading.interval.meet(interval),
                ..reading
            };
        }
        if let Some(winner) = winner {
            return Reading {
                user: Some(&winner.user),
                reason: OnCallReason::Override,
                layer: None,
                interval,
            };
        }
        let reading = self.layers_reading(at, 0);
        Reading {
            interval: reading.interval.meet(interval),
            ..reading
        }
    }

    /// What the layers say: the last one that names somebody, but for so many that are passed over.
    /// Layers beneath it are not looked at and do not cut the interval.
    fn layers_reading(&self, at: Timestamp, passed_over: usize) -> Reading<'_> {
        let mut interval = Interval::ALWAYS;
        let mut passed_over = passed_over;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let (user, holds) = layer.person_at(at);
            interval = interval.meet(holds);
            if user.is_some() && passed_over > 0 {
                passed_over -= 1;
            } else if user.is_some() {
                return Reading {
                    user,
                    reason: OnCallReason::Rotation,
                    layer: Some(index),
                    interval,
                };
            }
        }
        Reading {
            user: None,
            reason: OnCallReason::Nobody,
            layer: None,
            interval,
        }
    }
}

impl Reading<'_> {
    fn agrees_with(&self, other: &Reading<'_>) -> bool {
        (self.user, self.reason) == (other.user, other.reason)
    }
}

impl Layer {
    /// Whom the layer names at `at`, and an interval in which that stays so.
    fn person_at(&self, at: Timestamp) -> (Option<&UserName>, Interval) {
        let (open, open_holds) = windows::open_at(&self.only, &self.time_zone, at);
        if !open {
            return (None, open_holds);
        }
        let (user, turn_holds) = self.turn_at(at);
        (user, turn_holds.meet(open_holds))
    }

    /// Whose turn it is, whatever the windows say.
    fn turn_at(&self, at: Timestamp) -> (Option<&UserName>, Interval) {
        let Some(rotation) = &self.rotation else {
            let always = self.users.first().and_then(Option::as_ref);
            return (always, Interval::ALWAYS);
        };
        let turn = turns::turn_at(rotation, &self.only, &self.time_zone, at);
        let user = turn
            .number
            .zip(u64::try_from(self.users.len()).ok())
            .and_then(|(number, users)| number.checked_rem(users))
            .and_then(|index| self.users.get(usize::try_from(index).ok()?)?.as_ref());
        (user, turn.interval)
    }
}

impl Override {
    /// Stands for nobody, here as among the users of a layer.
    pub const NOBODY: &'static str = "nobody";

    /// Whether it takes somebody off call and names nobody instead: the turn falls to the layer
    /// beneath.
    pub fn is_nobodys(&self) -> bool {
        self.user.as_str() == Self::NOBODY
    }

    /// Whether it is in force at `at`.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.interval().contains(at)
    }

    fn interval(&self) -> Interval {
        Interval {
            from: self.from,
            until: self.until,
        }
    }
}
