//! The router speaks of its own trouble: one open self-incident per cause and subject.
//!
//! Self-incidents take the policy of the watch settings, or the root route's; no user route,
//! page limit or label of theirs decides on them, and their own failing pages never raise another.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alert::{Alert, Matchable};
use super::assertions::Assertions;
use super::draft::Draft;
use super::event::{Content, Labels, Text};
use super::ids::{IncidentNumber, IntegrationName, ScheduleName};
use super::incident::{Incident, Trouble};
use super::membership::{self, Opening};
use super::reason::Reason;
use super::routing::{GroupBy, Route};
use super::ruleset::{ChannelTarget, Policy, Target};
use super::time::{Millis, Steady};
use super::trouble::Cause;
use super::urgency::{Urgency, UrgencyRule};
use super::{closing, contact_test, ingest, key, lane, silence};

/// Trouble without an end of its own is over after so long without another.
const ENDS_AFTER: Millis = Millis::hours(1);

/// Trouble of low urgency is counted for so long before it is told.
const COUNTED_FOR: Millis = Millis::minutes(1);

fn dedup_key(trouble: &Trouble) -> Text {
    key::joined(&[trouble.cause.as_str(), &trouble.subject]).into()
}

/// Raises a self-incident, or counts another occurrence of an open one.
pub(super) fn raise(draft: &mut Draft<'_>, trouble: Trouble, text: &str) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let key = dedup_key(&trouble);
    let now = draft.now;
    let expires = ends_by_itself(draft, &trouble).then(|| now.steady + ENDS_AFTER);
    if let Some(known) = draft.alert_by_key(&router, &key) {
        let known = closing::leave_closed(draft, known);
        if again(draft, &known, expires, text) {
            return;
        }
        for number in &known.incidents {
            draft.archive_alert(*number, &known);
        }
        draft.drop_alert(&known.id);
    }
    let content = Arc::new(content(&trouble, text));
    let id = draft.next_alert();
    let silenced_by = silence::covering(draft, &router, &content);
    let alert = Alert {
        id,
        integration: router,
        dedup_key: key,
        former_integration: None,
        content,
        firing: true,
        acknowledged: false,
        starts_at: None,
        first_seen: now.wall,
        last_seen: now.wall,
        repeats: 0,
        expires,
        unreported: None,
        assertions: Assertions::default(),
        resolved_at: None,
        resolved_source_time: None,
        entered: None,
        incidents: Vec::new(),
        held_old: false,
        silenced_by,
        holds: Vec::new(),
        forget: None,
    };
    draft.put_alert(id, alert);
    open(draft, id, trouble);
}

/// Whether nothing but time ends it: causes of one moment, and trouble with one of the many
/// endpoints of a channel, of which another one's success says nothing.
fn ends_by_itself(draft: &Draft<'_>, trouble: &Trouble) -> bool {
    let channel = trouble.channel();
    let info = channel.and_then(|name| draft.rules.channel(&name));
    let has_many_endpoints = info.is_some_and(|info| !info.is_one_endpoint);
    trouble.cause.ends_by_itself() || (has_many_endpoints && trouble.cause != Cause::ChannelSilent)
}

/// Another occurrence of trouble that is known. `false` if it is over and to be raised anew.
fn again(draft: &mut Draft<'_>, known: &Arc<Alert>, expires: Option<Steady>, text: &str) -> bool {
    let now = draft.now;
    if known.incidents.is_empty() && !(known.firing && is_held(draft, known)) {
        return false;
    }
    draft.edit_alert(&known.id, |alert| {
        alert.firing = true;
        alert.resolved_at = None;
        alert.repeats += 1;
        alert.last_seen = now.wall;
        alert.expires = expires;
        if *alert.content.summary != *text {
            Arc::make_mut(&mut alert.content).summary = text.into();
        }
    });
    membership::recount(draft, known);
    for number in &known.incidents {
        draft.edit_incident(number, |incident| {
            if *incident.title != *text {
                incident.title = text.into();
            }
        });
    }
    true
}

/// Whether a person resolved its incident a short while ago: as with every alert, that holds.
fn is_held(draft: &Draft<'_>, alert: &Alert) -> bool {
    let now = draft.now.steady;
    alert.holds.iter().any(|hold| hold.until > now)
}

/// How often open trouble has occurred so far.
pub(super) fn occurrences(draft: &Draft<'_>, trouble: &Trouble) -> u64 {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = draft.alert_by_key(&router, &dedup_key(trouble));
    known
        .filter(|alert| alert.firing)
        .map_or(0, |alert| alert.repeats + 1)
}

fn content(trouble: &Trouble, text: &str) -> Content {
    let subject_label = trouble.cause.subject_kind();
    let severity = match trouble.cause.urgency() {
        Urgency::High => "critical",
        Urgency::Low => "warning",
    };
    let subject = (!trouble.subject.is_empty()).then(|| (subject_label, &*trouble.subject));
    let labels = [("cause", trouble.cause.as_str())]
        .into_iter()
        .chain(subject);
    Content {
        summary: text.into(),
        severity: severity.into(),
        source: Some(IntegrationName::ROUTER.into()),
        labels: labels.collect::<Labels>(),
        ..Content::default()
    }
}

fn open(
    draft: &mut Draft<'_>,
    id: super::ids::AlertId,
    trouble: Trouble,
) -> Option<IncidentNumber> {
    let alert = draft.alert(&id)?;
    let route = Route {
        name: IntegrationName::ROUTER.into(),
        policy: None,
        service: Some(IntegrationName::ROUTER.into()),
        urgency: match trouble.cause.urgency() {
            Urgency::High => UrgencyRule::High,
            Urgency::Low => UrgencyRule::Low,
        },
        group_by: GroupBy::EachAlert,
        group_wait: match trouble.cause.urgency() {
            Urgency::High => Millis::ZERO,
            // What can wait until morning can wait to be counted.
            Urgency::Low => COUNTED_FOR,
        },
        resolve_after: None,
        join_interval: Millis::minutes(5),
        copy_to: Vec::new(),
        page: true,
    };
    // No integration of the rules has the router's name, so no group of theirs has this key.
    let identity = key::joined(&[IntegrationName::ROUTER, &alert.dedup_key]);
    let fields = Matchable {
        integration: &alert.integration,
        content: &alert.content,
    };
    let (group_key, _) = route.group_by.key(&route.name, &fields, &identity);
    let opening = Opening {
        route: &route,
        group_key,
        group_labels: Labels::default(),
        policy: (trouble.cause != Cause::ContactTest)
            .then(|| watch_policy(draft))
            .flatten(),
        about: Some(trouble),
    };
    Some(membership::open_with(draft, &alert, opening))
}

/// Whether a silence covers it, so that its pages would be held.
pub(super) fn is_silenced(draft: &Draft<'_>, trouble: &Trouble, text: &str) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    !silence::covering(draft, &router, &content(trouble, text)).is_empty()
}

/// Opens the incident of a test page, unless one is open. It goes to no policy.
pub(super) fn open_test(
    draft: &mut Draft<'_>,
    trouble: Trouble,
    text: &str,
) -> Option<Arc<Incident>> {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let key = dedup_key(&trouble);
    if draft
        .alert_by_key(&router, &key)
        .is_some_and(|known| known.firing)
    {
        return None;
    }
    raise(draft, trouble, text);
    let alert = draft.alert_by_key(&router, &key)?;
    draft.incident(alert.incidents.last()?)
}

fn watch_policy(draft: &Draft<'_>) -> Option<Arc<Policy>> {
    let named = draft.rules.settings.watch_policy.clone();
    let root = draft.rules.tree.root().and_then(|root| root.policy.clone());
    membership::policy_named(draft, &named.or(root)?)
}

/// The cause is over, unless it was met within so long: of what comes and goes each coming would
/// be an incident of its own.
pub(super) fn clear_after(draft: &mut Draft<'_>, trouble: &Trouble, quiet: Millis) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = draft.alert_by_key(&router, &dedup_key(trouble));
    let now = draft.now.wall;
    if known.is_some_and(|alert| now.apart(alert.last_seen) >= quiet) {
        clear(draft, trouble);
    }
}

/// The cause is over.
pub(super) fn clear(draft: &mut Draft<'_>, trouble: &Trouble) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = draft.alert_by_key(&router, &dedup_key(trouble));
    if let Some(alert) = known.filter(|alert| alert.firing) {
        let alert = closing::leave_closed(draft, alert);
        ingest::end_alert(draft, &alert, None, Reason::TroubleOver);
    }
}

/// A minute passed: raises one self-incident for each schedule that names nobody, unless that is
/// meant, and ends those whose gap is over.
pub(super) fn look_for_gaps(draft: &mut Draft<'_>) {
    let wall = draft.now.wall;
    let mut gaps: Vec<(ScheduleName, bool)> = Vec::new();
    for (name, schedule) in &draft.rules.schedules {
        let overrides = draft.state.overrides_of(name, draft.rules);
        let is_gap = !schedule.gaps_expected && schedule.person_at(wall, &overrides).is_none();
        gaps.push((name.clone(), is_gap));
    }
    for (name, is_gap) in gaps {
        let trouble = Trouble {
            cause: Cause::ScheduleGap,
            subject: name.as_str().into(),
        };
        if !is_gap {
            clear(draft, &trouble);
        } else if !is_told(draft, &trouble) {
            let mut text = format!("schedule {name} names nobody now");
            for said in draft.state.passed_over(&name, draft.rules, wall) {
                text.push_str("; ");
                text.push_str(&said);
            }
            raise(draft, trouble, &text);
        }
    }
}

/// Trouble with channels, schedules or rules that are gone is over.
pub(super) fn look_for_gone(draft: &mut Draft<'_>) {
    let own = draft.state.incidents().filter(|known| known.is_open());
    let troubles = own.filter_map(|incident| incident.about.clone());
    let gone: Vec<Trouble> = troubles.filter(|about| is_gone(draft, about)).collect();
    for trouble in gone {
        clear(draft, &trouble);
    }
    lane::forget_gone(draft);
}

/// All troubles of this cause are over.
pub(super) fn clear_all_of(draft: &mut Draft<'_>, cause: Cause) {
    let own = draft.state.incidents().filter(|known| known.is_open());
    let troubles = own.filter_map(|incident| incident.about.clone());
    let over: Vec<Trouble> = troubles.filter(|about| about.cause == cause).collect();
    for trouble in over {
        clear(draft, &trouble);
    }
}

fn is_gone(draft: &Draft<'_>, trouble: &Trouble) -> bool {
    if let Some(channel) = trouble.channel() {
        return draft.rules.channel(&channel).is_none();
    }
    if trouble.cause == Cause::ContactUnreachable {
        return contact_test::is_gone(draft, trouble);
    }
    trouble.cause == Cause::ScheduleGap && !draft.rules.schedules.contains_key(&*trouble.subject)
}

/// Whether somebody was told of it: it has an open incident, or one was resolved by hand a short
/// while ago.
fn is_told(draft: &Draft<'_>, trouble: &Trouble) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    draft
        .alert_by_key(&router, &dedup_key(trouble))
        .is_some_and(|alert| {
            alert.firing && (!alert.incidents.is_empty() || is_held(draft, &alert))
        })
}

/// Rules that name channels which the settings do not have are used as far as they go, and said.
pub(super) fn look_for_unusable_targets(draft: &mut Draft<'_>) {
    let missing: BTreeSet<String> = channel_targets(draft)
        .into_iter()
        .filter(|target| draft.rules.channel(&target.channel).is_none())
        .map(|target| target.to_string())
        .collect();
    let trouble = Trouble {
        cause: Cause::UnusableTargets,
        subject: "".into(),
    };
    if missing.is_empty() {
        clear(draft, &trouble);
    } else if !is_told(draft, &trouble) {
        let names: Vec<&str> = missing.iter().map(String::as_str).take(10).collect();
        let text = format!(
            "{} targets of the rules name channels that the settings do not have: {}",
            missing.len(),
            names.join(", ")
        );
        raise(draft, trouble, &text);
    }
}

fn channel_targets(draft: &Draft<'_>) -> Vec<ChannelTarget> {
    let of = |target: &Target| match target {
        Target::Channel(target) => Some(target.clone()),
        Target::User(_) | Target::Schedule(_) => None,
    };
    let policies = draft.rules.policies.values();
    let steps = policies.flat_map(|policy| {
        policy
            .steps
            .iter()
            .flat_map(|step| step.targets.iter())
            .chain(policy.fallback.iter())
    });
    let nodes = draft.rules.tree.all();
    let copies = nodes
        .into_iter()
        .flat_map(|node| node.route.copy_to.iter().cloned());
    steps.filter_map(of).chain(copies).collect()
}
