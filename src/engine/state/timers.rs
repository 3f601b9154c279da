//! What is due, and when.

use std::collections::BTreeSet;

use super::super::input::TimerKey;
use super::super::time::{Duration, MonotonicTime, Timestamp};
use super::State;

impl State {
    /// The record whose timer is due and has waited longest, but for those to be skipped.
    pub fn due(
        &self,
        steady: MonotonicTime,
        wall: Timestamp,
        skipped: &BTreeSet<TimerKey>,
    ) -> Option<TimerKey> {
        let on_steady = self.index.due.iter().take_while(|(due, _)| *due <= steady);
        let on_wall = self
            .index
            .due_on_wall
            .iter()
            .take_while(|(due, _)| *due <= wall);
        let past = self.past(wall);
        let forgotten = self.index.forgotten.iter();
        let forgotten = forgotten.take_while(|(at, _)| *at <= past);
        let keys = on_steady
            .map(|(_, key)| key)
            .chain(on_wall.chain(forgotten).map(|(_, key)| key));
        keys.into_iter().find(|key| !skipped.contains(key)).cloned()
    }

    /// The next moment at which a timer is due, on either clock.
    pub fn next_due(&self) -> (Option<MonotonicTime>, Option<Timestamp>) {
        let steady = self.index.due.first().map(|(due, _)| *due);
        let due = self.index.due_on_wall.first().map(|(due, _)| *due);
        let ahead = self.jump.map_or(Duration::ZERO, |jump| jump.by);
        let forgotten = self.index.forgotten.first().map(|(at, _)| *at + ahead);
        (steady, due.into_iter().chain(forgotten).min())
    }

    /// How many timers are overdue by more than `slack_ms`, counted up to `most`.
    pub fn overdue(&self, steady: MonotonicTime, slack_ms: u64, most: usize) -> usize {
        let late = MonotonicTime(steady.0.saturating_sub(slack_ms));
        self.index
            .due
            .iter()
            .take_while(|(due, _)| *due < late)
            .take(most)
            .count()
    }
}
