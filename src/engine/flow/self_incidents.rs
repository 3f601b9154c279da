//! The router speaks of its own trouble: one open self-incident per cause and subject.
//!
//! Self-incidents take the policy of the watch settings, or the root route's; no user route,
//! page limit or label of theirs decides on them, and their own failing pages never raise another.

use std::sync::Arc;

use crate::engine::alert::{Alert, Matchable};
use crate::engine::cause::Cause;
use crate::engine::event::{Content, Labels, Text};
use crate::engine::ids::{IncidentNumber, IntegrationName};
use crate::engine::incident::{Incident, SelfIncident};
use crate::engine::opening::Opening;
use crate::engine::reason::Reason;
use crate::engine::routing::{GroupBy, Route};
use crate::engine::ruleset::Policy;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::{Urgency, UrgencyRule};
use crate::engine::{archive, counts, covering, key, opening, pinned_policy, resolution};

/// Trouble without an end of its own is over after so long without another.
const ENDS_AFTER: Duration = Duration::hours(1);

/// Trouble of low urgency is counted for so long before it is told.
const COUNTED_FOR: Duration = Duration::minutes(1);

fn dedup_key(trouble: &SelfIncident) -> Text {
    key::joined(&[trouble.cause.as_str(), &trouble.subject]).into()
}

/// Raises a self-incident, or counts another occurrence of an open one.
pub fn raise(tx: &mut StepTransaction<'_>, trouble: SelfIncident, text: &str) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let key = dedup_key(&trouble);
    let now = tx.now;
    let expires = ends_by_itself(tx, &trouble).then(|| now.steady + ENDS_AFTER);
    if let Some(known) = tx.alert_by_key(&router, &key) {
        let known = archive::leave_closed(tx, known);
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
    let silenced_by = covering::covering(tx, &router, &content);
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
    counts::recount(tx, known);
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
pub fn occurrences(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> u64 {
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
        dependencies: None,
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
    Some(opening::open_with(tx, &alert, opening))
}

/// Whether a silence covers it, so that its pages would be held.
pub fn is_silenced(tx: &StepTransaction<'_>, trouble: &SelfIncident, text: &str) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    !covering::covering(tx, &router, &content(trouble, text)).is_empty()
}

/// Opens the incident of a test page, unless one is open. It goes to no policy.
pub fn open_test(
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
    pinned_policy::policy_named(tx, &named.or(root)?)
}

/// The cause is over, unless it was met within so long: of what comes and goes each coming would
/// be an incident of its own.
pub fn clear_after(tx: &mut StepTransaction<'_>, trouble: &SelfIncident, quiet: Duration) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = tx.alert_by_key(&router, &dedup_key(trouble));
    let now = tx.now.wall;
    if known.is_some_and(|alert| now.apart(alert.last_seen) >= quiet) {
        clear(tx, trouble);
    }
}

/// The cause is over.
pub fn clear(tx: &mut StepTransaction<'_>, trouble: &SelfIncident) {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    let known = tx.alert_by_key(&router, &dedup_key(trouble));
    if let Some(alert) = known.filter(|alert| alert.firing) {
        let alert = archive::leave_closed(tx, alert);
        resolution::end_alert(tx, &alert, None, Reason::TroubleOver);
    }
}

/// Whether somebody was told of it: it has an open incident, or one was resolved by hand a short
/// while ago.
pub fn is_told(tx: &StepTransaction<'_>, trouble: &SelfIncident) -> bool {
    let router = IntegrationName::from(IntegrationName::ROUTER);
    tx.alert_by_key(&router, &dedup_key(trouble))
        .is_some_and(|alert| alert.firing && (!alert.incidents.is_empty() || is_held(tx, &alert)))
}

/// The escalation of an incident ended without an acknowledgment. Of a self-incident nothing more
/// is said.
pub fn exhausted(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.incident(&number);
    if incident.is_some_and(|incident| incident.about.is_none()) {
        let trouble = SelfIncident::new(Cause::Exhausted, "");
        let text = format!("nobody acknowledged incident #{number}, whose escalation is exhausted");
        raise(tx, trouble, &text);
    }
}
