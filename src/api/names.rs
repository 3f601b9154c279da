//! Names that a request gives: one that the rules do not have is an error with the nearest that
//! they have, never an empty answer.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use crate::engine::ids::{IntegrationName, ScheduleName, UserName};
use crate::engine::input::ReassignTo;
use crate::engine::own_check::OwnCheck;
use crate::engine::ruleset::{Integration, RuleSet, Target};
use crate::text::suggest;

use super::problem::Problem;

/// A user of the rules in force.
pub fn user<'rules>(rules: &'rules RuleSet, name: &str) -> Result<&'rules UserName, Problem> {
    Ok(known("user", &rules.users, name)?.0)
}

/// A schedule of the rules in force.
pub fn schedule<'rules>(
    rules: &'rules RuleSet,
    name: &str,
) -> Result<&'rules ScheduleName, Problem> {
    Ok(known("schedule", &rules.schedules, name)?.0)
}

/// An integration of the rules in force.
pub fn integration<'rules>(
    rules: &'rules RuleSet,
    name: &str,
) -> Result<&'rules Integration, Problem> {
    Ok(known("integration", &rules.integrations, name)?.1)
}

/// A check of the rules in force.
pub fn own_check<'rules>(rules: &'rules RuleSet, name: &str) -> Result<&'rules OwnCheck, Problem> {
    Ok(known("check", &rules.checks, name)?.1)
}

/// Where alerts come from: an integration, a watched provider or a check of the rules in force.
pub fn source(rules: &RuleSet, name: &str) -> Result<(), Problem> {
    if let Some(check) = name.strip_prefix(IntegrationName::CHECK) {
        return own_check(rules, check).map(|_| ());
    }
    match name.strip_prefix(IntegrationName::PROVIDER) {
        Some(provider) => known("provider", &rules.providers, provider).map(|_| ()),
        None => integration(rules, name).map(|_| ()),
    }
}

/// Whom somebody is to be handed to. What a channel is, the engine says.
pub fn target(rules: &RuleSet, target: &ReassignTo) -> Result<(), Problem> {
    match target {
        ReassignTo::Target(Target::User(name)) => user(rules, name.as_str()).map(|_| ()),
        ReassignTo::Target(Target::Schedule(name)) => schedule(rules, name.as_str()).map(|_| ()),
        ReassignTo::Target(Target::Channel(_)) => Ok(()),
        ReassignTo::Policy(name) => known("policy", &rules.policies, name.as_str()).map(|_| ()),
    }
}

fn known<'rules, Name: Borrow<str> + Ord, Known>(
    kind: &str,
    all: &'rules BTreeMap<Name, Known>,
    name: &str,
) -> Result<(&'rules Name, &'rules Known), Problem> {
    let found = all.get_key_value(name);
    found.ok_or_else(|| unknown(kind, name, all.keys().map(Borrow::borrow)))
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
