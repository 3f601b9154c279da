//! What Reveille looks for by itself: schedules without anybody on call, targets that cannot be
//! used, and self-incidents about what is gone.

use std::collections::BTreeSet;

use crate::engine::cause::Cause;
use crate::engine::ids::ScheduleName;
use crate::engine::incident::SelfIncident;
use crate::engine::ruleset::{ChannelTarget, Target};
use crate::engine::self_incidents::{clear, is_told, raise};
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, contact_test_result};

/// A minute passed: raises one self-incident for each schedule that names nobody, unless that is
/// meant, and ends those whose gap is over.
pub fn look_for_gaps(tx: &mut StepTransaction<'_>) {
    let wall = tx.now.wall;
    let mut gaps: Vec<(ScheduleName, bool)> = Vec::new();
    for (name, schedule) in &tx.rules.schedules {
        let overrides = tx.state.overrides_of(name, tx.rules);
        let is_gap = !schedule.gaps_expected && schedule.person_at(wall, &overrides).is_none();
        gaps.push((name.clone(), is_gap));
    }
    for (name, is_gap) in gaps {
        let trouble = SelfIncident::new(Cause::ScheduleGap, name.as_str());
        if !is_gap {
            clear(tx, &trouble);
        } else if !is_told(tx, &trouble) {
            let mut text = format!("schedule {name} has nobody on call");
            for ignored in tx.state.ignored_overrides(&name, tx.rules, wall) {
                text.push_str(&format!("; {ignored}"));
            }
            raise(tx, trouble, &text);
        }
    }
}

/// Trouble with channels, schedules or rules that are gone is over.
pub fn look_for_gone(tx: &mut StepTransaction<'_>) {
    let own = tx.state.incidents().filter(|known| known.is_open());
    let troubles = own.filter_map(|incident| incident.about.clone());
    let gone: Vec<SelfIncident> = troubles.filter(|about| is_gone(tx, about)).collect();
    for trouble in gone {
        clear(tx, &trouble);
    }
    channel_health::forget_gone(tx);
}

/// All troubles of this cause are over.
pub fn clear_all_of(tx: &mut StepTransaction<'_>, cause: Cause) {
    let own = tx.state.incidents().filter(|known| known.is_open());
    let troubles = own.filter_map(|incident| incident.about.clone());
    let over: Vec<SelfIncident> = troubles.filter(|about| about.cause == cause).collect();
    for trouble in over {
        clear(tx, &trouble);
    }
}

fn is_gone(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> bool {
    if let Some(channel) = trouble.channel() {
        return tx.rules.channel(&channel).is_none();
    }
    if trouble.cause == Cause::ContactUnreachable {
        return contact_test_result::is_gone(tx, trouble);
    }
    trouble.cause == Cause::ScheduleGap && !tx.rules.schedules.contains_key(&*trouble.subject)
}

/// Rules that name channels which the settings do not have are used as far as they go, and said.
pub fn look_for_unusable_targets(tx: &mut StepTransaction<'_>) {
    let missing: BTreeSet<String> = channel_targets(tx)
        .into_iter()
        .filter(|target| tx.rules.channel(&target.channel).is_none())
        .map(|target| target.to_string())
        .collect();
    let trouble = SelfIncident::new(Cause::UnusableTargets, "");
    if missing.is_empty() {
        clear(tx, &trouble);
    } else if !is_told(tx, &trouble) {
        let names: Vec<&str> = missing.iter().map(String::as_str).take(10).collect();
        let text = format!(
            "{} targets of the rules name channels that the settings do not have: {}",
            missing.len(),
            names.join(", ")
        );
        raise(tx, trouble, &text);
    }
}

fn channel_targets(tx: &StepTransaction<'_>) -> Vec<ChannelTarget> {
    let of = |target: &Target| match target {
        Target::Channel(target) => Some(target.clone()),
        Target::User(_) | Target::Schedule(_) => None,
    };
    let policies = tx.rules.policies.values();
    let steps = policies.flat_map(|policy| {
        policy
            .steps
            .iter()
            .flat_map(|step| step.targets.iter())
            .chain(policy.fallback.iter())
    });
    let nodes = tx.rules.tree.all();
    let copies = nodes
        .into_iter()
        .flat_map(|node| node.route.copy_to.iter().cloned());
    steps.filter_map(of).chain(copies).collect()
}
