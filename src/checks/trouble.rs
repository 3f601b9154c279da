//! Whose trouble it is when many checks reach nothing at once: most likely our own network's, and
//! then nobody is paged for each of them.

use std::collections::BTreeMap;

use crate::engine::ids::OwnCheckName;
use crate::engine::time::Duration;

/// Failures count together when they begin within so long.
const WITHIN: Duration = Duration::minutes(5);

/// So many at least.
const LEAST: usize = 5;

/// And more than this part of all checks.
const PART: usize = 5;

/// Checks that reach nothing, and since when, on the monotonic clock.
#[derive(Debug, Default)]
pub struct UnreachedChecks {
    since: BTreeMap<OwnCheckName, Duration>,
    /// It is taken for our own trouble, and was said.
    is_said: bool,
}

impl UnreachedChecks {
    /// A check was tried, and reached nothing or something.
    pub fn note(&mut self, name: &OwnCheckName, is_unreached: bool, now: Duration) {
        if is_unreached {
            self.since.entry(name.clone()).or_insert(now);
        } else {
            self.since.remove(name);
        }
    }

    /// Only these checks are left.
    pub fn retain(&mut self, is_left: impl Fn(&OwnCheckName) -> bool) {
        self.since.retain(|name, _| is_left(name));
    }

    /// How many of so many checks began to reach nothing a short while ago, if that is most likely
    /// our own trouble.
    pub fn ours(&self, total: usize, now: Duration) -> Option<usize> {
        let is_fresh = |since: &&Duration| now.0.saturating_sub(since.0) < WITHIN.0;
        let fresh = self.since.values().filter(is_fresh).count();
        (fresh >= LEAST && fresh * PART > total).then_some(fresh)
    }

    /// Whether this is to be said now: it began, or it ended.
    pub fn is_news(&mut self, is_ours: bool) -> bool {
        std::mem::replace(&mut self.is_said, is_ours) != is_ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreached(names: std::ops::Range<u32>, now: Duration) -> UnreachedChecks {
        let mut checks = UnreachedChecks::default();
        for name in names {
            checks.note(&format!("c{name}").as_str().into(), true, now);
        }
        checks
    }

    #[test]
    fn many_at_once_are_our_own_trouble_and_a_few_or_old_ones_are_not() {
        let now = Duration::hours(1);
        assert_eq!(unreached(0..4, now).ours(4, now), None, "too few");
        assert_eq!(
            unreached(0..5, now).ours(25, now),
            None,
            "no more than a fifth"
        );
        let mut checks = unreached(0..5, now);
        assert_eq!(checks.ours(24, now), Some(5));
        let later = Duration(now.0 + WITHIN.0);
        assert_eq!(checks.ours(24, later), None, "it lasts, and is told then");
        checks.note(&"c0".into(), false, now);
        assert_eq!(checks.ours(24, now), None, "one of them reaches something");
    }

    #[test]
    fn it_is_said_once_when_it_begins_and_once_when_it_ends() {
        let mut checks = UnreachedChecks::default();
        let said = [false, true, true, false, false].map(|is_ours| checks.is_news(is_ours));
        assert_eq!(said, [false, true, false, true, false]);
    }
}
