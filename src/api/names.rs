//! Names that a request gives: one that the rules do not have is an error with the nearest that
//! they have, never an empty answer.

use crate::engine::ids::{IntegrationName, PolicyName, ScheduleName, UserName};
use crate::engine::input::ReassignTo;
use crate::engine::ruleset::{RuleSet, Target};
use crate::text::suggest;

use super::problem::Problem;

/// A user of the rules in force.
pub fn user(rules: &RuleSet, name: &str) -> Result<(), Problem> {
    if rules.users.contains_key(name) {
        return Ok(());
    }
    Err(unknown(
        "user",
        name,
        rules.users.keys().map(UserName::as_str),
    ))
}

/// A schedule of the rules in force.
pub fn schedule(rules: &RuleSet, name: &str) -> Result<(), Problem> {
    if rules.schedules.contains_key(name) {
        return Ok(());
    }
    let known = rules.schedules.keys().map(ScheduleName::as_str);
    Err(unknown("schedule", name, known))
}

/// An integration of the rules in force.
pub fn integration(rules: &RuleSet, name: &str) -> Result<(), Problem> {
    if rules.integrations.contains_key(name) {
        return Ok(());
    }
    let known = rules.integrations.keys().map(IntegrationName::as_str);
    Err(unknown("integration", name, known))
}

/// Whom somebody is to be handed to. What a channel is, the engine says.
pub fn target(rules: &RuleSet, target: &ReassignTo) -> Result<(), Problem> {
    match target {
        ReassignTo::Target(Target::User(name)) => user(rules, name.as_str()),
        ReassignTo::Target(Target::Schedule(name)) => schedule(rules, name.as_str()),
        ReassignTo::Target(Target::Channel(_)) => Ok(()),
        ReassignTo::Policy(name) if rules.policies.contains_key(name) => Ok(()),
        ReassignTo::Policy(name) => {
            let known = rules.policies.keys().map(PolicyName::as_str);
            Err(unknown("policy", name.as_str(), known))
        }
    }
}

/// There is none of that name; the answer names the one that was probably meant, or all there are.
pub fn unknown<'name>(
    kind: &str,
    name: &str,
    known: impl IntoIterator<Item = &'name str>,
) -> Problem {
    let help = suggest::help(name, known, "there are");
    Problem::not_found(kind, format_args!("{name:?}: {help}"))
}
