//! The router speaks of its own trouble: one open self-incident per cause and subject.
//!
//! Self-incidents take the policy of the watch settings, or the root route's; no user route,
//! page limit or label of theirs decides on them, and their own failing pages never raise another.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::alert::{Alert, Matchable};
use crate::engine::cause::Cause;
use crate::engine::event::{Content, Labels, Text};
use crate::engine::grouping::{self, Opening};
use crate::engine::ids::{IncidentNumber, IntegrationName, ScheduleName};
use crate::engine::incident::{Incident, SelfIncident};
use crate::engine::reason::Reason;
use crate::engine::routing::{GroupBy, Route};
use crate::engine::ruleset::{ChannelTarget, Policy, Target};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::{Urgency, UrgencyRule};
use crate::engine::{channel_health, contact_test, ingest, key, resolution, silence};

/// Trouble without an end of its own is over after so long without another.
const ENDS_AFTER: Duration = Duration::hours(1);

/// Trouble of low urgency is counted for so long before it is told.
const COUNTED_FOR: Duration = Duration::minutes(1);

fn dedup_key(trouble: &SelfIncident) -> Text {
    key::joined(&[trouble.cause.as_str(), &trouble.subject]).into()
}

/// Raises a self-incident, or counts another occurrence of an open one.
pub(in crate::engine) fn raise(tx: &mut StepTransaction<'_>, trouble: SelfIncident, text: &str) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let key = dedup_key(&trouble);
    let now = tx.now;
    let expires = ends_by_itself(tx, &trouble).then(|| now.steady + ENDS_AFTER);
    if let Some(known) = tx.alert_by_key(&router, &key) {
        let known = resolution::leave_closed(tx, known);
        if again(tx, &known, expires, text) {
            return;
        }
        for number in &known.incidents {
            tx.archive_alert(*number, &known);
        }
        tx.drop_alert(&known.id);
    }
    let content = Arc::new(content(&trouble, text));
    let id = tx.next_alert();
    let silenced_by = silence::covering(tx, &router, &content);
    let alert = Alert {
        expires,
        silenced_by,
        ..Alert::new(id, router, key, content, now.wall)
    };
    tx.put_alert(id, alert);
    open(tx, id, trouble);
}

/// Whether nothing but time ends it: causes of one moment, and trouble with one of the many
/// endpoints of a channel, of which another one's success says nothing.
fn ends_by_itself(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> bool {
    let channel = trouble.channel();
    let info = channel.and_then(|name| tx.rules.channel(&name));
    let has_many_endpoints = info.is_some_and(|info| !info.is_one_endpoint);
    trouble.cause.ends_by_itself() || (has_many_endpoints && trouble.cause != Cause::ChannelSilent)
}

/// Another occurrence of trouble that is known. `false` if it is over and to be raised anew.
fn again(
    tx: &mut StepTransaction<'_>,
    known: &Arc<Alert>,
    expires: Option<MonotonicTime>,
    text: &str,
) -> bool {
    let now = tx.now;
    if known.incidents.is_empty() && !(known.firing && is_held(tx, known)) {
        return false;
    }
    tx.edit_alert(&known.id, |alert| {
        alert.firing = true;
        alert.resolved_at = None;
        alert.repeats += 1;
        alert.last_seen = now.wall;
        alert.expires = expires;
        if *alert.content.summary != *text {
            Arc::make_mut(&mut alert.content).summary = text.into();
        }
    });
    grouping::recount(tx, known);
    for number in &known.incidents {
        tx.edit_incident(number, |incident| {
            if *incident.title != *text {
                incident.title = text.into();
            }
        });
    }
    true
}

/// Whether a person resolved its incident a short while ago: as with every alert, that holds.
fn is_held(tx: &StepTransaction<'_>, alert: &Alert) -> bool {
    let now = tx.now.steady;
    alert.holds.iter().any(|hold| hold.until > now)
}

/// How often open trouble has occurred so far.
pub(in crate::engine) fn occurrences(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> u64 {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = tx.alert_by_key(&router, &dedup_key(trouble));
    known
        .filter(|alert| alert.firing)
        .map_or(0, |alert| alert.repeats + 1)
}

fn content(trouble: &SelfIncident, text: &str) -> Content {
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
    tx: &mut StepTransaction<'_>,
    id: crate::engine::ids::AlertId,
    trouble: SelfIncident,
) -> Option<IncidentNumber> {
    let alert = tx.alert(&id)?;
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
            Urgency::High => Duration::ZERO,
            // What can wait until morning can wait to be counted.
            Urgency::Low => COUNTED_FOR,
        },
        resolve_after: None,
        join_interval: Duration::minutes(5),
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
            .then(|| watch_policy(tx))
            .flatten(),
        about: Some(trouble),
    };
    Some(grouping::open_with(tx, &alert, opening))
}

/// Whether a silence covers it, so that its pages would be held.
pub(in crate::engine) fn is_silenced(
    tx: &StepTransaction<'_>,
    trouble: &SelfIncident,
    text: &str,
) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    !silence::covering(tx, &router, &content(trouble, text)).is_empty()
}

/// Opens the incident of a test page, unless one is open. It goes to no policy.
pub(in crate::engine) fn open_test(
    tx: &mut StepTransaction<'_>,
    trouble: SelfIncident,
    text: &str,
) -> Option<Arc<Incident>> {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let key = dedup_key(&trouble);
    if tx
        .alert_by_key(&router, &key)
        .is_some_and(|known| known.firing)
    {
        return None;
    }
    raise(tx, trouble, text);
    let alert = tx.alert_by_key(&router, &key)?;
    tx.incident(alert.incidents.last()?)
}

fn watch_policy(tx: &StepTransaction<'_>) -> Option<Arc<Policy>> {
    let named = tx.rules.settings.watch_policy.clone();
    let root = tx.rules.tree.root().and_then(|root| root.policy.clone());
    grouping::policy_named(tx, &named.or(root)?)
}

/// The cause is over, unless it was met within so long: of what comes and goes each coming would
/// be an incident of its own.
pub(in crate::engine) fn clear_after(
    tx: &mut StepTransaction<'_>,
    trouble: &SelfIncident,
    quiet: Duration,
) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = tx.alert_by_key(&router, &dedup_key(trouble));
    let now = tx.now.wall;
    if known.is_some_and(|alert| now.apart(alert.last_seen) >= quiet) {
        clear(tx, trouble);
    }
}

/// The cause is over.
pub(in crate::engine) fn clear(tx: &mut StepTransaction<'_>, trouble: &SelfIncident) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = tx.alert_by_key(&router, &dedup_key(trouble));
    if let Some(alert) = known.filter(|alert| alert.firing) {
        let alert = resolution::leave_closed(tx, alert);
        ingest::end_alert(tx, &alert, None, Reason::TroubleOver);
    }
}

/// A minute passed: raises one self-incident for each schedule that names nobody, unless that is
/// meant, and ends those whose gap is over.
pub(in crate::engine) fn look_for_gaps(tx: &mut StepTransaction<'_>) {
    let wall = tx.now.wall;
    let mut gaps: Vec<(ScheduleName, bool)> = Vec::new();
    for (name, schedule) in &tx.rules.schedules {
        let overrides = tx.state.overrides_of(name, tx.rules);
        let is_gap = !schedule.gaps_expected && schedule.person_at(wall, &overrides).is_none();
        gaps.push((name.clone(), is_gap));
    }
    for (name, is_gap) in gaps {
        let trouble = SelfIncident {
            cause: Cause::ScheduleGap,
            subject: name.as_str().into(),
        };
        if !is_gap {
            clear(tx, &trouble);
        } else if !is_told(tx, &trouble) {
            let mut text = format!("schedule {name} has nobody on call");
            for said in tx.state.passed_over(&name, tx.rules, wall) {
                text.push_str("; ");
                text.push_str(&said);
            }
            raise(tx, trouble, &text);
        }
    }
}

/// Trouble with channels, schedules or rules that are gone is over.
pub(in crate::engine) fn look_for_gone(tx: &mut StepTransaction<'_>) {
    let own = tx.state.incidents().filter(|known| known.is_open());
    let troubles = own.filter_map(|incident| incident.about.clone());
    let gone: Vec<SelfIncident> = troubles.filter(|about| is_gone(tx, about)).collect();
    for trouble in gone {
        clear(tx, &trouble);
    }
    channel_health::forget_gone(tx);
}

/// All troubles of this cause are over.
pub(in crate::engine) fn clear_all_of(tx: &mut StepTransaction<'_>, cause: Cause) {
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
        return contact_test::is_gone(tx, trouble);
    }
    trouble.cause == Cause::ScheduleGap && !tx.rules.schedules.contains_key(&*trouble.subject)
}

/// Whether somebody was told of it: it has an open incident, or one was resolved by hand a short
/// while ago.
fn is_told(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    tx.alert_by_key(&router, &dedup_key(trouble))
        .is_some_and(|alert| alert.firing && (!alert.incidents.is_empty() || is_held(tx, &alert)))
}

/// Rules that name channels which the settings do not have are used as far as they go, and said.
pub(in crate::engine) fn look_for_unusable_targets(tx: &mut StepTransaction<'_>) {
    let missing: BTreeSet<String> = channel_targets(tx)
        .into_iter()
        .filter(|target| tx.rules.channel(&target.channel).is_none())
        .map(|target| target.to_string())
        .collect();
    let trouble = SelfIncident {
        cause: Cause::UnusableTargets,
        subject: "".into(),
    };
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
