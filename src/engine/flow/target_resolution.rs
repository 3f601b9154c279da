//! Whom the targets of a step name at this moment.

use crate::engine::entry_body::{EscalationEntry, PagedTarget};
use crate::engine::ids::UserName;
use crate::engine::incident::{Incident, PageCause};
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::ruleset::{ChannelTarget, Target};
use crate::engine::transaction::StepTransaction;

/// Somebody or something that a step names now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedTarget {
    Person {
        user: UserName,
        why: PageCause,
    },
    Channel {
        target: ChannelTarget,
        why: PageCause,
    },
}

/// Who the targets are at this moment; one person is named once. What names nobody is noted.
pub fn resolve_targets(
    tx: &mut StepTransaction<'_>,
    incident: &Incident,
    targets: &[Target],
) -> Vec<ResolvedTarget> {
    let mut named: Vec<ResolvedTarget> = Vec::new();
    for target in targets {
        note_passed_over(tx, incident, target);
        match resolve_target(tx, incident, target) {
            Ok(found) => {
                let is_known = named.iter().any(|known| is_same(known, &found));
                if !is_known {
                    named.push(found);
                }
            }
            Err(reason) => {
                let unusable = EscalationEntry::TargetUnusable(target.clone());
                tx.note(incident.number, reason, unusable);
            }
        }
    }
    named
}

/// An override of somebody who is gone does not page, and says so.
fn note_passed_over(tx: &mut StepTransaction<'_>, incident: &Incident, target: &Target) {
    let Target::Schedule(name) = target else {
        return;
    };
    for ignored in tx.state.ignored_overrides(name, tx.rules, tx.now.wall) {
        let body = EscalationEntry::OverrideIgnored {
            schedule: name.clone(),
            ignored,
        };
        let detail = EntryDetail {
            schedule: Some(name.as_str().into()),
            ..EntryDetail::default()
        };
        tx.note_in_detail(incident.number, Reason::TargetGone, body, detail);
    }
}

fn is_same(one: &ResolvedTarget, other: &ResolvedTarget) -> bool {
    match (one, other) {
        (ResolvedTarget::Person { user: one, .. }, ResolvedTarget::Person { user: other, .. }) => {
            one == other
        }
        (
            ResolvedTarget::Channel { target: one, .. },
            ResolvedTarget::Channel { target: other, .. },
        ) => one == other,
        (ResolvedTarget::Person { .. }, ResolvedTarget::Channel { .. })
        | (ResolvedTarget::Channel { .. }, ResolvedTarget::Person { .. }) => false,
    }
}

fn resolve_target(
    tx: &StepTransaction<'_>,
    incident: &Incident,
    target: &Target,
) -> Result<ResolvedTarget, Reason> {
    let why = PageCause {
        route: incident.route.clone(),
        policy: incident.policy.as_ref().map(|pinned| pinned.name.clone()),
        position: incident.escalation.position,
        round: incident.escalation.round,
        schedule: None,
        revision: tx.rules.revision,
    };
    match target {
        Target::User(user) if tx.rules.users.contains_key(user) => Ok(ResolvedTarget::Person {
            user: user.clone(),
            why,
        }),
        Target::User(_) => Err(Reason::TargetGone),
        Target::Schedule(name) => {
            let schedule = tx.rules.schedules.get(name).ok_or(Reason::TargetGone)?;
            let overrides = tx.state.overrides_of(name, tx.rules);
            let person = schedule.person_at(tx.now.wall, &overrides);
            let user = person.ok_or(Reason::NobodyOnCall)?;
            if !tx.rules.users.contains_key(&user) {
                return Err(Reason::TargetGone);
            }
            Ok(ResolvedTarget::Person {
                user,
                why: PageCause {
                    schedule: Some(name.clone()),
                    ..why
                },
            })
        }
        Target::Channel(target) => {
            let channel = tx.rules.channel(&target.channel).ok_or(Reason::NoChannel)?;
            if channel.media.is_empty() {
                return Err(Reason::NoChannel);
            }
            Ok(ResolvedTarget::Channel {
                target: target.clone(),
                why,
            })
        }
    }
}

/// As a timeline keeps them.
pub fn paged_targets(named: &[ResolvedTarget]) -> Vec<PagedTarget> {
    let paged = |named: &ResolvedTarget| match named {
        ResolvedTarget::Person { user, why } => PagedTarget::User {
            user: user.clone(),
            schedule: why.schedule.clone(),
        },
        ResolvedTarget::Channel { target, .. } => PagedTarget::Channel(target.clone()),
    };
    named.iter().map(paged).collect()
}

/// The first step of the root route's policy as it is now.
pub fn present_fallback(tx: &StepTransaction<'_>) -> Vec<Target> {
    let root = tx.rules.tree.root().and_then(|root| root.policy.as_ref());
    let policy = root.and_then(|name| tx.rules.policies.get(name));
    policy
        .and_then(|policy| policy.steps.first())
        .map(|s| s.targets.clone())
        .unwrap_or_default()
}
