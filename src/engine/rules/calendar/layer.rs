//! What a layer is made of: when its turns change, and when it applies.

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
    /// So many days on which a window of the layer begins; on others nobody hands over.
    ActiveDays(u32),
    /// So many hours: of the local clock if they divide a day or are whole days, else as they pass.
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
