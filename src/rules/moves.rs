//! Whose night a change of rules changes: the schedules on which another person is on call now.

use std::collections::BTreeSet;
use std::fmt;

use crate::engine::calendar::Override;
use crate::engine::ids::{ScheduleName, UserName};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Timestamp;

/// A schedule whose person on call changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Move {
    pub schedule: ScheduleName,
    pub before: Option<UserName>,
    pub after: Option<UserName>,
}

impl fmt::Display for Move {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |user: &Option<UserName>| {
            user.as_ref()
                .map_or_else(|| "nobody".to_owned(), ToString::to_string)
        };
        let (before, after) = (shown(&self.before), shown(&self.after));
        write!(
            formatter,
            "{}: on call now {before} -> {after}",
            self.schedule
        )
    }
}

/// The schedules whose person on call at `at` is another one under the new rules.
pub fn moves_on_call(
    old: &RuleSet,
    new: &RuleSet,
    at: Timestamp,
    overrides: &[Override],
) -> Vec<Move> {
    let person = |rules: &RuleSet, name: &ScheduleName| {
        let schedule = rules.schedules.get(name)?;
        let known = overrides.iter().filter(|known| rules.can_stand_in(known));
        let known: Vec<Override> = known.cloned().collect();
        schedule.person_at(at, &known)
    };
    let names: BTreeSet<&ScheduleName> = old.schedules.keys().chain(new.schedules.keys()).collect();
    let moves = names.into_iter().map(|name| Move {
        schedule: name.clone(),
        before: person(old, name),
        after: person(new, name),
    });
    moves.filter(|found| found.before != found.after).collect()
}
