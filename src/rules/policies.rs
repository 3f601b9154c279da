//! Escalation policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Code, Entry, MapReader, MapSchema, Node, list};
use crate::engine::ids::PolicyName;
use crate::engine::ruleset::{Policy, PolicyStep, Target};
use crate::engine::time::Duration;

use super::Context;
use super::documents::Section;
use super::limits;

const POLICY: MapSchema = MapSchema {
    what: "a policy",
    keys: &["steps", "repeat", "ack_timeout", "fallback", "escalate_low"],
    foreign: &[
        (
            "targets",
            "targets go in steps: `steps: [{ targets: […], wait: 5m }]`",
        ),
        (
            "repeat_interval",
            "a round repeats when its last `wait` ends; see `repeat`",
        ),
    ],
    may_be_empty: false,
};

const STEP: MapSchema = MapSchema {
    what: "a policy step",
    keys: &["targets", "wait"],
    foreign: &[
        ("target", "write `targets: [user/NAME]`"),
        (
            "delay",
            "write `wait`: the time from the start of this step to the next",
        ),
        (
            "after",
            "write `wait`: the time from the start of this step to the next",
        ),
    ],
    may_be_empty: false,
};

const WAIT_DEFAULT: Duration = Duration::minutes(5);
const WAIT_MIN: Duration = Duration::seconds(1);
const WAIT_MAX: Duration = Duration::days(7);
const ACK_TIMEOUT_MIN: Duration = Duration::minutes(1);
const ACK_TIMEOUT_MAX: Duration = Duration::days(30);

impl Context<'_> {
    pub(super) fn policies(
        &mut self,
        root: Option<&PolicyName>,
    ) -> BTreeMap<PolicyName, Arc<Policy>> {
        let entries = self.names.entries(Section::Policies);
        let compiled = entries.iter().map(|entry| (entry.at, self.policy(entry)));
        let mut policies: Vec<_> = compiled.collect();
        let fallback = policies
            .iter()
            .find(|(_, policy)| Some(&policy.name) == root)
            .and_then(|(_, policy)| policy.steps.first())
            .map(|step| step.targets.clone())
            .unwrap_or_default();
        for (at, policy) in &mut policies {
            if policy.fallback.is_empty() {
                policy.fallback.clone_from(&fallback);
            }
            if policy.fallback.is_empty() && !self.faults.has_error() {
                let message = format!(
                    "the policy {} has no `fallback`, and the root route has no policy whose \
                     first step could be used",
                    policy.name
                );
                let help = "add `fallback: [user/NAME]`, or give the root route a policy";
                self.faults.error(Code::NoFallback, *at, message, help);
            }
        }
        let policies = policies.into_iter();
        policies
            .map(|(_, policy)| (policy.name.clone(), Arc::new(policy)))
            .collect()
    }

    fn policy(&mut self, entry: &Entry) -> Policy {
        let faults = &mut self.faults;
        let table = MapReader::open(&entry.node, &POLICY, faults);
        let repeat = table.number("repeat", 0..=limits::REPEATS, faults);
        let ack_timeout = table.duration("ack_timeout", ACK_TIMEOUT_MIN..=ACK_TIMEOUT_MAX, faults);
        let escalate_low = table.truth("escalate_low", faults);
        table.require("steps", "[{ targets: [user/NAME], wait: 5m }]", faults);
        let items = table.list("steps", limits::STEPS_PER_POLICY, faults);
        let steps: Vec<PolicyStep> = items
            .unwrap_or_default()
            .iter()
            .map(|item| self.step(item))
            .collect();
        if items.is_some() {
            self.check_anybody(entry, &steps);
        }
        let fallback = table
            .get("fallback")
            .map(|node| self.targets(node, "`fallback`"));
        Policy {
            name: entry.key.as_str().into(),
            steps,
            repeat: repeat.and_then(|count| count.try_into().ok()).unwrap_or(0),
            ack_timeout,
            fallback: fallback.unwrap_or_default(),
            escalate_low: escalate_low.unwrap_or(false),
        }
    }

    fn step(&mut self, node: &Node) -> PolicyStep {
        let table = MapReader::open(node, &STEP, &mut self.faults);
        let wait = table.duration("wait", WAIT_MIN..=WAIT_MAX, &mut self.faults);
        let targets = table.require("targets", "[user/NAME]", &mut self.faults);
        PolicyStep {
            targets: targets
                .map(|node| self.targets(node, "`targets`"))
                .unwrap_or_default(),
            wait: wait.unwrap_or(WAIT_DEFAULT),
        }
    }

    fn targets(&mut self, node: &Node, what: &str) -> Vec<Target> {
        let Some(items) = list(node, what, limits::TARGETS_PER_STEP, &mut self.faults) else {
            return Vec::new();
        };
        if items.is_empty() {
            let message = format!("{what} names nobody");
            let help = "name somebody, such as [user/NAME], or remove it";
            self.faults.error(Code::EmptyList, node.at, message, help);
        }
        items.iter().filter_map(|item| self.target(item)).collect()
    }

    /// A policy must be able to reach somebody. Steps whose targets have faults of their own say
    /// nothing about that.
    fn check_anybody(&mut self, entry: &Entry, steps: &[PolicyStep]) {
        let has_faulty_step = steps.iter().any(|step| step.targets.is_empty());
        let reaches = |target: &Target| match target {
            Target::User(user) => self.has_contacts(user.as_str()),
            Target::Schedule(_) | Target::Channel(_) => true,
        };
        let mut targets = steps.iter().flat_map(|step| &step.targets);
        if has_faulty_step || targets.any(reaches) {
            return;
        }
        let message = format!("the policy {} has nobody to page", entry.key);
        let help = "add a step with a user who has contacts, a schedule or a channel";
        self.faults
            .error(Code::PolicyWithoutAnybody, entry.at, message, help);
    }

    fn has_contacts(&self, user: &str) -> bool {
        let user = self.names.of(Section::Users).get(user);
        let contacts = user.and_then(|user| user.node.get("contacts"));
        contacts.is_some_and(|contacts| !contacts.entries().is_empty())
    }
}
