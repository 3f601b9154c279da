//! Who asserts an alert, and until when.
//!
//! An HA pair of Prometheus is one condition with several senders. Each start of each sender is an
//! assertion with an end of its own; the alert is over when the last of them is.

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};

/// Assertions kept of one alert; the one heard longest ago gives way.
pub const ASSERTIONS_MAX: usize = 8;

/// Prometheus repeats a resolve for 15 minutes. So long its assertion has to be known, or the
/// repeated resolve would end what another sender asserts meanwhile.
pub const REMEMBERED_FOR: Duration = Duration::minutes(20);

/// Tells assertions of one alert apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionId {
    /// The sender's `generatorURL`; empty if it sends none.
    pub generator: Text,
    pub starts_at: Option<Timestamp>,
}

/// What one sender says of the alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    pub id: AssertionId,
    /// When it ends unless it is repeated; `None` once it was resolved or has expired.
    pub expires: Option<MonotonicTime>,
}

/// What became of a resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// No assertion is left: the alert is over.
    Alert,
    /// Another sender still asserts the alert.
    Assertion,
    /// It was over already.
    Nothing,
}

/// The assertions of one alert, also those that are over, the one heard longest ago first; none in
/// formats that do not tell senders apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assertions(Vec<Assertion>);

impl Assertions {
    /// Whether no sender ever asserted the alert in a format that tells senders apart.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the last assertion ends.
    pub fn expires(&self) -> Option<MonotonicTime> {
        self.0.iter().filter_map(|known| known.expires).max()
    }

    /// The latest start that any sender gave.
    pub fn latest_start(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|known| known.id.starts_at).max()
    }

    /// A sender asserts the alert until `expires`.
    pub fn assert(&mut self, id: AssertionId, expires: Option<MonotonicTime>, now: MonotonicTime) {
        self.expire(now);
        self.put(id, expires);
    }

    /// A sender says that it is over: that ends its own assertion, or all if none is its own.
    pub fn resolve(&mut self, id: AssertionId, now: MonotonicTime) -> Resolved {
        self.expire(now);
        let own = self.0.iter().find(|known| known.id == id);
        let was_over = own.is_some_and(|own| own.expires.is_none());
        if own.is_none() {
            self.end_all();
        }
        // An assertion that is over stays known, so that a repeated resolve ends no other one.
        self.put(id, None);
        match self.expires() {
            None => Resolved::Alert,
            Some(_) if was_over => Resolved::Nothing,
            Some(_) => Resolved::Assertion,
        }
    }

    /// The alert is over.
    pub fn end_all(&mut self) {
        for known in &mut self.0 {
            known.expires = None;
        }
    }

    /// Whether one of them expires before `earliest`.
    pub fn expire_before(&self, earliest: MonotonicTime) -> bool {
        let mut ends = self.0.iter().filter_map(|known| known.expires);
        ends.any(|expires| expires < earliest)
    }

    /// No assertion that holds expires before `earliest`.
    pub fn keep_until(&mut self, earliest: MonotonicTime) {
        for known in &mut self.0 {
            known.expires = known.expires.map(|expires| expires.max(earliest));
        }
    }

    /// Every assertion that holds expires so much later.
    pub fn put_off(&mut self, by: Duration) {
        for known in &mut self.0 {
            known.expires = known.expires.map(|expires| expires + by);
        }
    }

    /// Whether an assertion is no news to somebody who resolved the alert at `resolved`: it was
    /// heard before, or another sender goes on asserting what was resolved, so that this one has
    /// only been restarted.
    pub fn is_continued_by(
        &self,
        id: &AssertionId,
        resolved: Timestamp,
        now: MonotonicTime,
    ) -> bool {
        self.0.iter().any(|known| {
            let goes_on = known.expires.is_some_and(|expires| expires > now)
                && known.id.generator != id.generator
                && known.id.starts_at.is_none_or(|start| start <= resolved);
            known.id == *id || goes_on
        })
    }

    fn expire(&mut self, now: MonotonicTime) {
        for known in &mut self.0 {
            known.expires = known.expires.filter(|expires| *expires > now);
        }
    }

    fn put(&mut self, id: AssertionId, expires: Option<MonotonicTime>) {
        self.0.retain(|known| known.id != id);
        if self.0.len() >= ASSERTIONS_MAX {
            self.0.remove(0);
        }
        self.0.push(Assertion { id, expires });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(generator: &str, starts_at: i64) -> AssertionId {
        AssertionId {
            generator: generator.into(),
            starts_at: Some(Timestamp(starts_at)),
        }
    }

    #[test]
    fn the_alert_is_over_with_the_last_of_its_assertions() {
        let mut assertions = Assertions::default();
        assertions.assert(id("a", 1), Some(MonotonicTime(100)), MonotonicTime(10));
        assertions.assert(id("b", 2), Some(MonotonicTime(90)), MonotonicTime(10));
        assert_eq!(assertions.expires(), Some(MonotonicTime(100)));
        let mut resolve = |id, now| assertions.resolve(id, MonotonicTime(now));
        assert_eq!(resolve(id("a", 1), 20), Resolved::Assertion);
        assert_eq!(resolve(id("a", 1), 30), Resolved::Nothing, "a repeat");
        assert_eq!(resolve(id("b", 2), 40), Resolved::Alert);
        assertions.assert(id("b", 3), Some(MonotonicTime(200)), MonotonicTime(50));
        let mut resolve = |id, now| assertions.resolve(id, MonotonicTime(now));
        assert_eq!(resolve(id("a", 1), 60), Resolved::Nothing, "still known");
        assert_eq!(resolve(id("c", 9), 70), Resolved::Alert, "nobody's own");
        assertions.assert(id("a", 4), Some(MonotonicTime(100)), MonotonicTime(80));
        assertions.assert(id("b", 5), Some(MonotonicTime(90)), MonotonicTime(80));
        let mut resolve = |id, now| assertions.resolve(id, MonotonicTime(now));
        assert_eq!(
            resolve(id("a", 4), 90),
            Resolved::Alert,
            "the other expired"
        );
    }

    #[test]
    fn of_more_than_eight_the_one_heard_longest_ago_gives_way() {
        let mut assertions = Assertions::default();
        let most = i64::try_from(ASSERTIONS_MAX).unwrap();
        for start in 0..most {
            assertions.assert(id("a", start), Some(MonotonicTime(1_000)), MonotonicTime(1));
        }
        assertions.assert(id("a", 0), Some(MonotonicTime(1_000)), MonotonicTime(2));
        assertions.assert(id("a", most), Some(MonotonicTime(1_000)), MonotonicTime(3));
        let starts: Vec<i64> = assertions
            .0
            .iter()
            .filter_map(|known| known.id.starts_at)
            .map(|start| start.0)
            .collect();
        assert_eq!(starts, [2, 3, 4, 5, 6, 7, 0, 8]);
    }
}
