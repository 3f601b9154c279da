//! Whether anybody is told when something is handed to a target. Asked before anything changes, so
//! that nobody believes somebody else has it.

use crate::engine::decision::{Refusal, Unreachable};
use crate::engine::ids::{ChannelName, ScheduleName, UserName};
use crate::engine::incident::{Incident, SelfIncident};
use crate::engine::input::{PageByHand, ReassignTo};
use crate::engine::ruleset::{ChannelTarget, Contact, Policy, Target};
use crate::engine::target_resolution::present_fallback;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// What is handed over, as far as it decides on the contacts that can be used.
pub struct ContactNeeds {
    urgency: Urgency,
    /// The channel that the incident is about.
    avoid: Option<ChannelName>,
}

impl From<&Incident> for ContactNeeds {
    fn from(incident: &Incident) -> Self {
        let avoid = incident.about.as_ref().and_then(SelfIncident::channel);
        Self {
            urgency: incident.urgency,
            avoid,
        }
    }
}

impl From<&PageByHand> for ContactNeeds {
    fn from(request: &PageByHand) -> Self {
        Self {
            urgency: request.urgency,
            avoid: None,
        }
    }
}

/// Refuses what would reach nobody.
pub fn check(
    tx: &StepTransaction<'_>,
    to: &ReassignTo,
    needs: &ContactNeeds,
) -> Result<(), Refusal> {
    let (target, found) = match to {
        ReassignTo::Target(target) => (target.to_string(), check_target(tx, target, needs)),
        ReassignTo::Policy(name) => {
            let policy = tx.rules.policies.get(name);
            let policy = policy.ok_or(Unreachable::NoSuch("policy"));
            let found = policy.and_then(|policy| check_policy(tx, policy, needs));
            (format!("policy/{name}"), found)
        }
    };
    found.map_err(|why| Refusal::Unreachable { target, why })
}

/// One target of the policy is enough, the fallback included.
fn check_policy(
    tx: &StepTransaction<'_>,
    policy: &Policy,
    needs: &ContactNeeds,
) -> Result<(), Unreachable> {
    let steps = policy.steps.iter().flat_map(|step| step.targets.iter());
    let present = present_fallback(tx);
    let mut targets = steps.chain(policy.fallback.iter()).chain(present.iter());
    if targets.any(|target| check_target(tx, target, needs).is_ok()) {
        Ok(())
    } else {
        Err(Unreachable::NobodyNamed)
    }
}

fn check_target(
    tx: &StepTransaction<'_>,
    target: &Target,
    needs: &ContactNeeds,
) -> Result<(), Unreachable> {
    match target {
        Target::User(user) => check_user(tx, user, needs),
        Target::Schedule(schedule) => check_schedule(tx, schedule, needs),
        Target::Channel(target) => check_channel(tx, target),
    }
}

fn check_schedule(
    tx: &StepTransaction<'_>,
    name: &ScheduleName,
    needs: &ContactNeeds,
) -> Result<(), Unreachable> {
    let schedule = tx.rules.schedules.get(name);
    let schedule = schedule.ok_or(Unreachable::NoSuch("schedule"))?;
    let overrides = tx.state.overrides_of(name, tx.rules);
    match schedule.person_at(tx.now.wall, &overrides) {
        Some(user) => check_user(tx, &user, needs),
        None => Err(Unreachable::NobodyOnCall {
            until: schedule.on_call(tx.now.wall, &overrides).until,
        }),
    }
}

fn check_channel(tx: &StepTransaction<'_>, target: &ChannelTarget) -> Result<(), Unreachable> {
    let channel = tx.rules.channel(&target.channel);
    match channel {
        Some(channel) if !channel.media.is_empty() => Ok(()),
        Some(_) | None => Err(Unreachable::NoSuch("channel")),
    }
}

/// One contact among the person's notify steps is enough; a channel that is down comes back.
fn check_user(
    tx: &StepTransaction<'_>,
    name: &UserName,
    needs: &ContactNeeds,
) -> Result<(), Unreachable> {
    let user = tx
        .rules
        .users
        .get(name)
        .ok_or(Unreachable::NoSuch("user"))?;
    let steps = user.notify.steps(needs.urgency);
    let contacts: Vec<&Contact> = steps
        .iter()
        .flat_map(|step| step.via.iter())
        .filter_map(|contact| tx.rules.contact(name, contact))
        .filter(|contact| is_carried(tx, contact, needs))
        .collect();
    if contacts.iter().any(|contact| !is_stopped(tx, contact)) {
        return Ok(());
    }
    Err(Unreachable::NoUsableContact {
        user: name.clone(),
        is_stopped: !contacts.is_empty(),
    })
}

fn is_carried(tx: &StepTransaction<'_>, contact: &Contact, needs: &ContactNeeds) -> bool {
    let mut channels = tx.rules.channels_for(contact.medium);
    channels.any(|channel| channel.reaches_people && Some(&channel.name) != needs.avoid.as_ref())
}

fn is_stopped(tx: &StepTransaction<'_>, contact: &Contact) -> bool {
    let sender = tx.sender(&contact.address);
    sender.is_some_and(|sender| sender.is_stopped)
}
