//! What a change of the rules touches in the present: overrides, open incidents and firing alerts
//! that name what is removed.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::ids::{IncidentNumber, IntegrationName};
use crate::engine::ruleset::{RuleSet, Target};
use crate::engine::state::State;

/// So many incidents a sentence names.
const INCIDENTS_NAMED: usize = 5;

/// What the step from one rule set to another touches, each as a sentence.
pub fn touched(state: &State, old: &RuleSet, new: &RuleSet) -> Vec<String> {
    let change = Change { state, old, new };
    let mut said = change.overrides();
    said.extend(change.pinned_steps());
    said.extend(change.handed());
    said.extend(change.alerts());
    said
}

struct Change<'present> {
    state: &'present State,
    old: &'present RuleSet,
    new: &'present RuleSet,
}

impl Change<'_> {
    fn overrides(&self) -> Vec<String> {
        let mut said = Vec::new();
        for known in self.state.overrides() {
            let (id, schedule, user) = (known.id, &known.schedule, &known.user);
            let was_there = self.old.schedules.contains_key(schedule);
            if was_there && !self.new.schedules.contains_key(schedule) {
                said.push(format!(
                    "override {id} of {user} is on schedule {schedule}, which is removed"
                ));
            } else if self.old.can_stand_in(known) && !self.new.can_stand_in(known) {
                said.push(format!(
                    "override {id} of schedule {schedule} names {user}, who is removed; it is \
                     ignored"
                ));
            }
        }
        said
    }

    /// Steps of policies that open incidents pinned.
    fn pinned_steps(&self) -> Vec<String> {
        let mut users: BTreeMap<_, BTreeSet<IncidentNumber>> = BTreeMap::new();
        for incident in self.state.incidents().filter(|known| known.is_open()) {
            if let Some(key) = &incident.policy {
                users.entry(key).or_default().insert(incident.number);
            }
        }
        let mut said = Vec::new();
        for (key, numbers) in users {
            let Some(pinned) = self.state.pinned(key) else {
                continue;
            };
            let steps = pinned.policy.steps.iter().enumerate();
            let steps = steps.map(|(index, step)| (format!("step {}", index + 1), &step.targets));
            let fallback = ("the fallback".to_owned(), &pinned.policy.fallback);
            for (place, targets) in steps.chain([fallback]) {
                for target in targets.iter().filter(|target| self.is_removed(target)) {
                    said.push(format!(
                        "{place} of policy {}, which {} pinned, names {target}, which is removed; \
                         it is ignored",
                        key.name,
                        incidents(&numbers)
                    ));
                }
            }
        }
        said
    }

    /// Open incidents that somebody who is removed acknowledged, or is being paged about.
    fn handed(&self) -> Vec<String> {
        let mut said = Vec::new();
        for user in self.old.users.keys() {
            if self.new.users.contains_key(user) {
                continue;
            }
            let open = self.state.incidents().filter(|known| known.is_open());
            let (mut acknowledged, mut paged) = (BTreeSet::new(), BTreeSet::new());
            for incident in open {
                let by = incident.acknowledged.as_ref();
                if by.and_then(|handled| handled.user.as_ref()) == Some(user) {
                    acknowledged.insert(incident.number);
                } else if incident
                    .runs
                    .iter()
                    .any(|run| run.user == *user && run.due.is_some())
                {
                    paged.insert(incident.number);
                }
            }
            if !acknowledged.is_empty() {
                said.push(format!(
                    "{user}, who is removed, has acknowledged {}",
                    incidents(&acknowledged)
                ));
            }
            if !paged.is_empty() {
                said.push(format!(
                    "{user}, who is removed, is being paged about {}",
                    incidents(&paged)
                ));
            }
        }
        said
    }

    /// Firing alerts whose integration is removed: no resolve will find them.
    fn alerts(&self) -> Vec<String> {
        let claimed = self.new.integrations.values().flat_map(|known| &known.was);
        let claimed: BTreeSet<&IntegrationName> = claimed.collect();
        let mut lost: BTreeMap<&IntegrationName, usize> = BTreeMap::new();
        for alert in self.state.alerts().filter(|alert| alert.firing) {
            let name = &alert.integration;
            let was_there = self.old.integrations.contains_key(name);
            let goes_on = self.new.integrations.contains_key(name) || claimed.contains(name);
            if was_there && !goes_on {
                *lost.entry(name).or_default() += 1;
            }
        }
        let said = lost.into_iter().map(|(name, count)| {
            let what = if count == 1 {
                "alert loses its"
            } else {
                "alerts lose their"
            };
            format!(
                "{count} firing {what} source: integration {name} is removed, so its resolves are \
                 no longer accepted; if it was renamed, write `was: [{name}]` in the new one, or \
                 resolve the incidents by hand"
            )
        });
        said.collect()
    }

    fn is_removed(&self, target: &Target) -> bool {
        let (old, new) = (self.old, self.new);
        match target {
            Target::User(user) => old.users.contains_key(user) && !new.users.contains_key(user),
            Target::Schedule(name) => {
                old.schedules.contains_key(name) && !new.schedules.contains_key(name)
            }
            // Channels belong to the settings.
            Target::Channel(_) => false,
        }
    }
}

fn incidents(numbers: &BTreeSet<IncidentNumber>) -> String {
    let shown = numbers.iter().take(INCIDENTS_NAMED);
    let mut shown: Vec<String> = shown.map(|number| format!("#{number}")).collect();
    let others = numbers.len().saturating_sub(shown.len());
    if others > 0 {
        shown.push(format!("{others} more"));
    }
    shown.join(", ")
}
