//! Who is on call when: rotations, layers, restrictions and overrides on the local calendar.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::event::Text;
use super::ids::{OverrideId, ScheduleName, UserName};
use super::time::{Millis, Wall};

/// A schedule; a later layer wins where it is active.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: ScheduleName,
    pub time_zone: TimeZone,
    pub layers: Vec<Layer>,
    /// Whether uncovered times are meant (`gaps: expected`).
    pub gaps_expected: bool,
}

/// One rotation of a schedule.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer's own zone, or the schedule's.
    pub time_zone: TimeZone,
    /// In the order of their turns; `None` is `nobody`, a turn that falls to the layer beneath.
    pub users: Vec<Option<UserName>>,
    /// `None` with one user who is always on.
    pub rotation: Option<Rotation>,
    /// Windows on the local clock in which the layer is active; empty means always.
    pub only: Vec<Window>,
}

/// How turns follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub turn: Turn,
    /// Time of day of the handoff on the layer's local clock.
    pub handoff: jiff::civil::Time,
    /// The first turn begins at the first handoff on or after this local date.
    pub start: jiff::civil::Date,
}

/// The length of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// So many calendar days (daily is 1).
    Days(u32),
    /// So many calendar weeks, handed over on this weekday (weekly is 1).
    Weeks {
        every: u32,
        weekday: jiff::civil::Weekday,
    },
    /// So many elapsed hours.
    Hours(u32),
}

/// A window `[from, to)` on the local clock. Over midnight (`to` before `from`) it belongs to the
/// day on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Empty means every day.
    pub days: Vec<jiff::civil::Weekday>,
    /// Minute of the day, 0..1440.
    pub from_minute: u16,
    /// Minute of the day, 1..=1440; 1440 is `24:00`.
    pub to_minute: u16,
}

/// Somebody stands in for `[from, until)`; wins over all layers. Runtime state, kept across rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub id: OverrideId,
    pub schedule: ScheduleName,
    pub user: UserName,
    pub from: Wall,
    pub until: Wall,
    pub reason: Text,
    pub created_by: Text,
    pub created_at: Wall,
}

/// Who is on call at one moment, since when and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    pub user: Option<UserName>,
    pub reason: OnCallReason,
    /// Index of the layer that names the user.
    pub layer: Option<usize>,
    /// Start of this unbroken stretch; `None` if it goes back further than is looked.
    pub from: Option<Wall>,
    /// End of this unbroken stretch; `None` if it goes on further than is looked.
    pub until: Option<Wall>,
}

/// Why this person is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCallReason {
    Rotation,
    Override,
    Nobody,
}

/// How far [`Schedule::on_call`] looks for the ends of a stretch.
pub const LOOK_AHEAD: Millis = Millis::days(92);

impl Schedule {
    /// The person on call at `at`; of overlapping overrides the one created last wins.
    pub fn person_at(&self, at: Wall, overrides: &[Override]) -> Option<UserName> {
        let _ = (at, overrides);
        None
    }

    /// The person on call at `at` with the stretch in which nothing changes.
    pub fn on_call(&self, at: Wall, overrides: &[Override]) -> OnCall {
        let _ = (at, overrides);
        OnCall {
            user: None,
            reason: OnCallReason::Nobody,
            layer: None,
            from: None,
            until: None,
        }
    }
}
