//! Whom the targets of a step name at this moment.

use super::draft::Draft;
use super::ids::UserName;
use super::incident::{Incident, Why};
use super::reason::Reason;
use super::records::{EntryDetail, EntryKind};
use super::ruleset::{ChannelTarget, Target};

/// Somebody or something that a step names now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Person { user: UserName, why: Why },
    Channel { target: ChannelTarget, why: Why },
}

/// Who the targets are at this moment; one person is named once. What names nobody is noted.
pub(super) fn name_targets(
    draft: &mut Draft<'_>,
    incident: &Incident,
    targets: &[Target],
) -> Vec<Named> {
    let mut named: Vec<Named> = Vec::new();
    for target in targets {
        note_passed_over(draft, incident, target);
        match name_target(draft, incident, target) {
            Ok(found) => {
                let is_known = named.iter().any(|known| is_same(known, &found));
                if !is_known {
                    named.push(found);
                }
            }
            Err(reason) => {
                let text = format!("{target}: {}", reason.meaning());
                let detail = EntryDetail::default();
                draft.note(incident.number, EntryKind::Escalation, reason, text, detail);
            }
        }
    }
    named
}

/// An override of somebody who is gone does not page, and says so.
fn note_passed_over(draft: &mut Draft<'_>, incident: &Incident, target: &Target) {
    let Target::Schedule(name) = target else {
        return;
    };
    for said in draft.state.passed_over(name, draft.rules, draft.now.wall) {
        let text = format!("{target}: {said}");
        let detail = EntryDetail {
            schedule: Some(name.as_str().into()),
            ..EntryDetail::default()
        };
        draft.note(
            incident.number,
            EntryKind::Escalation,
            Reason::TargetGone,
            text,
            detail,
        );
    }
}

fn is_same(one: &Named, other: &Named) -> bool {
    match (one, other) {
        (Named::Person { user: one, .. }, Named::Person { user: other, .. }) => one == other,
        (Named::Channel { target: one, .. }, Named::Channel { target: other, .. }) => one == other,
        (Named::Person { .. }, Named::Channel { .. })
        | (Named::Channel { .. }, Named::Person { .. }) => false,
    }
}

fn name_target(draft: &Draft<'_>, incident: &Incident, target: &Target) -> Result<Named, Reason> {
    let why = Why {
        route: incident.route.clone(),
        policy: incident.policy.as_ref().map(|pinned| pinned.name.clone()),
        position: incident.escalation.position,
        round: incident.escalation.round,
        schedule: None,
        revision: draft.rules.revision,
    };
    match target {
        Target::User(user) if draft.rules.users.contains_key(user) => Ok(Named::Person {
            user: user.clone(),
            why,
        }),
        Target::User(_) => Err(Reason::TargetGone),
        Target::Schedule(name) => {
            let schedule = draft.rules.schedules.get(name).ok_or(Reason::TargetGone)?;
            let overrides = draft.state.overrides_of(name, draft.rules);
            let person = schedule.person_at(draft.now.wall, &overrides);
            let user = person.ok_or(Reason::NobodyOnCall)?;
            if !draft.rules.users.contains_key(&user) {
                return Err(Reason::TargetGone);
            }
            Ok(Named::Person {
                user,
                why: Why {
                    schedule: Some(name.clone()),
                    ..why
                },
            })
        }
        Target::Channel(target) => {
            let channel = draft
                .rules
                .channel(&target.channel)
                .ok_or(Reason::NoChannel)?;
            if channel.media.is_empty() {
                return Err(Reason::NoChannel);
            }
            Ok(Named::Channel {
                target: target.clone(),
                why,
            })
        }
    }
}

pub(super) fn name_of(named: &Named) -> String {
    match named {
        Named::Person { user, why } => match &why.schedule {
            Some(schedule) => format!("{user} (on call on {schedule})"),
            None => user.to_string(),
        },
        Named::Channel { target, .. } => target.to_string(),
    }
}

/// The first step of the root route's policy as it is now.
pub(super) fn present_fallback(draft: &Draft<'_>) -> Vec<Target> {
    let root = draft
        .rules
        .tree
        .root()
        .and_then(|root| root.policy.as_ref());
    let policy = root.and_then(|name| draft.rules.policies.get(name));
    policy
        .and_then(|policy| policy.steps.first())
        .map(|s| s.targets.clone())
        .unwrap_or_default()
}
