//! Whether anybody is told when something is handed to a target. Asked before anything changes, so
//! that nobody believes somebody else has it.

use super::decision::{Refusal, Untold};
use super::draft::Draft;
use super::ids::{ChannelName, ScheduleName, UserName};
use super::incident::{Incident, Trouble};
use super::input::{PageByHand, ReassignTo};
use super::naming::present_fallback;
use super::ruleset::{ChannelTarget, Contact, Policy, Target};
use super::urgency::Urgency;

/// What is handed over, as far as it decides on the contacts that can be used.
pub(super) struct Matter {
    urgency: Urgency,
    /// The channel that the matter is about.
    avoid: Option<ChannelName>,
}

impl From<&Incident> for Matter {
    fn from(incident: &Incident) -> Self {
        let avoid = incident.about.as_ref().and_then(Trouble::channel);
        Self {
            urgency: incident.urgency,
            avoid,
        }
    }
}

impl From<&PageByHand> for Matter {
    fn from(request: &PageByHand) -> Self {
        Self {
            urgency: request.urgency,
            avoid: None,
        }
    }
}

/// Refuses what would tell nobody.
pub(super) fn check(draft: &Draft<'_>, to: &ReassignTo, matter: &Matter) -> Result<(), Refusal> {
    let (target, found) = match to {
        ReassignTo::Target(target) => (target.to_string(), check_target(draft, target, matter)),
        ReassignTo::Policy(name) => {
            let policy = draft.rules.policies.get(name);
            let policy = policy.ok_or(Untold::NoSuch("policy"));
            let found = policy.and_then(|policy| check_policy(draft, policy, matter));
            (format!("policy/{name}"), found)
        }
    };
    found.map_err(|why| Refusal::Untold { target, why })
}

/// One target of the policy is enough, the fallback included.
fn check_policy(draft: &Draft<'_>, policy: &Policy, matter: &Matter) -> Result<(), Untold> {
    let steps = policy.steps.iter().flat_map(|step| step.targets.iter());
    let present = present_fallback(draft);
    let mut targets = steps.chain(policy.fallback.iter()).chain(present.iter());
    if targets.any(|target| check_target(draft, target, matter).is_ok()) {
        Ok(())
    } else {
        Err(Untold::NobodyNamed)
    }
}

fn check_target(draft: &Draft<'_>, target: &Target, matter: &Matter) -> Result<(), Untold> {
    match target {
        Target::User(user) => check_user(draft, user, matter),
        Target::Schedule(schedule) => check_schedule(draft, schedule, matter),
        Target::Channel(target) => check_channel(draft, target),
    }
}

fn check_schedule(draft: &Draft<'_>, name: &ScheduleName, matter: &Matter) -> Result<(), Untold> {
    let schedule = draft.rules.schedules.get(name);
    let schedule = schedule.ok_or(Untold::NoSuch("schedule"))?;
    let overrides = draft.state.overrides_of(name, draft.rules);
    match schedule.person_at(draft.now.wall, &overrides) {
        Some(user) => check_user(draft, &user, matter),
        None => Err(Untold::NobodyOnCall {
            until: schedule.on_call(draft.now.wall, &overrides).until,
        }),
    }
}

fn check_channel(draft: &Draft<'_>, target: &ChannelTarget) -> Result<(), Untold> {
    let channel = draft.rules.channel(&target.channel);
    match channel {
        Some(channel) if !channel.media.is_empty() => Ok(()),
        Some(_) | None => Err(Untold::NoSuch("channel")),
    }
}

/// One contact among the person's notify steps is enough; a channel that is down comes back.
fn check_user(draft: &Draft<'_>, name: &UserName, matter: &Matter) -> Result<(), Untold> {
    let user = draft.rules.users.get(name).ok_or(Untold::NoSuch("user"))?;
    let steps = user.notify.steps(matter.urgency);
    let contacts: Vec<&Contact> = steps
        .iter()
        .flat_map(|step| step.via.iter())
        .filter_map(|contact| draft.rules.contact(name, contact))
        .filter(|contact| is_carried(draft, contact, matter))
        .collect();
    if contacts.iter().any(|contact| !is_stopped(draft, contact)) {
        return Ok(());
    }
    Err(Untold::NoUsableContact {
        user: name.clone(),
        is_stopped: !contacts.is_empty(),
    })
}

fn is_carried(draft: &Draft<'_>, contact: &Contact, matter: &Matter) -> bool {
    let mut channels = draft.rules.channels_for(contact.medium);
    channels.any(|channel| channel.reaches_people && Some(&channel.name) != matter.avoid.as_ref())
}

fn is_stopped(draft: &Draft<'_>, contact: &Contact) -> bool {
    let sender = draft.sender(&contact.address);
    sender.is_some_and(|sender| sender.is_stopped)
}
