//! Alerts enter and leave incidents: open or join, and the counts that follow.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::event::{Labels, Text};
use crate::engine::ids::{AlertId, IncidentNumber, PolicyName, Revision};
use crate::engine::incident::{
    AlertCounts, Escalation, Incident, Phase, PolicyRef, Position, SelfIncident, Status,
};
use crate::engine::reason::Reason;
use crate::engine::records::{Disposition, EntryDetail, EntryKind, Group, PolicySnapshot};
use crate::engine::routing::Route;
use crate::engine::ruleset::Policy;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::{escalation, notification, resolution, silence, updates, withdrawal};

/// So many re-triggers within [`FLAP_WINDOW`] make an incident flap.
pub(in crate::engine) const FLAP_CHANGES: usize = 5;
/// The time in which re-triggers are counted.
pub(in crate::engine) const FLAP_WINDOW: Duration = Duration::minutes(30);

/// A route on which an alert lands, and its group there.
pub(in crate::engine) struct Destination {
    pub route: Arc<Route>,
    pub group_key: Text,
    pub group_labels: Labels,
}

/// Puts an alert into the group's incident, opening one if none is open. `rejoins` says that the
/// alert was known and had been resolved.
pub(in crate::engine) fn join_or_open(
    tx: &mut StepTransaction<'_>,
    id: AlertId,
    destination: &Destination,
    rejoins: bool,
) -> (Disposition, Option<IncidentNumber>) {
    let Some(alert) = tx.alert(&id) else {
        return (Disposition::Recorded, None);
    };
    let open = tx
        .group(&destination.group_key)
        .and_then(|group| group.open);
    if let Some(number) = open {
        if alert.incidents.contains(&number) && !rejoins {
            follow_urgency(tx, &alert, number, &destination.route);
            return (Disposition::Repeated, Some(number));
        }
        return (join(tx, &alert, number, &destination.route), Some(number));
    }
    let hold = alert
        .holds
        .iter()
        .find(|hold| hold.group_key == destination.group_key);
    if let Some(hold) = hold {
        return (Disposition::Recorded, Some(hold.incident));
    }
    let number = open_incident(tx, &alert, destination);
    let silenced = alert.is_silenced();
    (
        if silenced {
            Disposition::Silenced
        } else {
            Disposition::Opened
        },
        Some(number),
    )
}

/// What a new incident is made of.
pub(in crate::engine) struct Opening<'a> {
    pub route: &'a Route,
    pub group_key: Text,
    pub group_labels: Labels,
    pub policy: Option<Arc<Policy>>,
    pub about: Option<SelfIncident>,
}

fn open_incident(
    tx: &mut StepTransaction<'_>,
    alert: &Arc<Alert>,
    destination: &Destination,
) -> IncidentNumber {
    let route = &destination.route;
    let policy = route
        .policy
        .as_ref()
        .and_then(|name| policy_named(tx, name));
    let opening = Opening {
        route,
        group_key: destination.group_key.clone(),
        group_labels: destination.group_labels.clone(),
        policy,
        about: None,
    };
    open_with(tx, alert, opening)
}

/// A policy of the rules in force; a name that is gone gives the root route's.
pub(in crate::engine) fn policy_named(
    tx: &StepTransaction<'_>,
    name: &PolicyName,
) -> Option<Arc<Policy>> {
    let root = || tx.rules.tree.root().and_then(|root| root.policy.clone());
    let found = tx.rules.policies.get(name).cloned();
    found.or_else(|| tx.rules.policies.get(&root()?).cloned())
}

/// Opens an incident for an alert and begins its escalation.
pub(in crate::engine) fn open_with(
    tx: &mut StepTransaction<'_>,
    alert: &Arc<Alert>,
    opening: Opening<'_>,
) -> IncidentNumber {
    let number = tx.next_incident();
    let generation = count_opening(tx, &opening.group_key, number);
    let policy = opening.policy.map(|policy| pin(tx, policy));
    let label = |name: &str| alert.content.labels.get(name).cloned();
    let service = opening
        .route
        .service
        .clone()
        .or_else(|| alert.content.service.clone());
    let incident = Incident {
        number,
        generation,
        route: opening.route.name.clone(),
        group_key: opening.group_key,
        group_labels: opening.group_labels,
        integration: alert.integration.clone(),
        status: Status::Triggered,
        urgency: opening.route.urgency.of(&alert.content.severity),
        title: alert.title(),
        service: service.or_else(|| label("service")),
        policy,
        copy_to: opening.route.copy_to.clone(),
        join_interval: opening.route.join_interval,
        opened_at: tx.now.wall,
        revision: tx.rules.revision,
        acknowledged: None,
        resolved: None,
        alerts: AlertCounts::default(),
        escalation: new_escalation(),
        runs: Vec::new(),
        is_silenced: false,
        flapping_until: None,
        joined_page_at: None,
        update_due: None,
        about: opening.about,
        opened_by: None,
        notes: Vec::new(),
        still_firing: false,
        last_alerts: Vec::new(),
        kept_alerts: Vec::new(),
    };
    let text = format!("opened by {}: {}", alert.integration, incident.title);
    let policy = incident.policy_name();
    tx.put_incident(number, incident);
    add_member(tx, alert, number);
    let detail = EntryDetail {
        route: Some(opening.route.name.as_str().into()),
        policy,
        ..EntryDetail::default()
    };
    tx.note_in_detail(number, EntryKind::Incident, Reason::Opened, text, detail);
    escalation::begin(tx, number, opening.route.group_wait);
    number
}

/// An escalation that has not begun.
pub(in crate::engine) fn new_escalation() -> Escalation {
    Escalation {
        phase: Phase::NotExpected,
        round: 0,
        position: Position::Before,
        started: MonotonicTime(0),
        due: None,
        fallbacks: 0,
        reassigned: None,
        skip_wait_reason: None,
        remaining: None,
        snoozed_until: None,
        is_join_pending: false,
    }
}

/// Counts an opening of the group; the answer is the generation.
pub(in crate::engine) fn count_opening(
    tx: &mut StepTransaction<'_>,
    key: &Text,
    number: IncidentNumber,
) -> u64 {
    if tx.group(key).is_none() {
        tx.put_group(
            key.clone(),
            Group {
                key: key.clone(),
                ..Group::default()
            },
        );
    }
    let now = tx.now.steady;
    let generation = tx.edit_group(key, |group| {
        if group.generation > 0 {
            group.changes.push(now);
        }
        group
            .changes
            .retain(|change| now.since(*change) <= FLAP_WINDOW);
        let surplus = group.changes.len().saturating_sub(FLAP_CHANGES);
        group.changes.drain(..surplus);
        group.generation += 1;
        group.open = Some(number);
        group.forget = None;
        group.generation
    });
    generation.unwrap_or(1)
}

/// Keeps the policy as it is now for as long as the incident is open.
pub(in crate::engine) fn pin(tx: &mut StepTransaction<'_>, policy: Arc<Policy>) -> PolicyRef {
    let revision: Revision = tx.rules.revision;
    let key = PolicyRef {
        revision,
        name: policy.name.clone(),
    };
    if tx.edit_pinned(&key, |pinned| pinned.uses += 1).is_none() {
        tx.put_pinned(
            key.clone(),
            PolicySnapshot {
                key: key.clone(),
                policy,
                uses: 1,
            },
        );
    }
    key
}

/// Lets go of a pinned policy.
pub(in crate::engine) fn unpin(tx: &mut StepTransaction<'_>, key: &PolicyRef) {
    let uses = tx.edit_pinned(key, |pinned| {
        pinned.uses = pinned.uses.saturating_sub(1);
        pinned.uses
    });
    if uses == Some(0) {
        tx.drop_pinned(key);
    }
}

/// Makes an alert a member and counts it.
fn add_member(tx: &mut StepTransaction<'_>, alert: &Arc<Alert>, number: IncidentNumber) {
    let before = alert.clone();
    let now = tx.now.steady;
    tx.edit_alert(&alert.id, |alert| {
        alert.forget = None;
        alert.entered = Some(now);
        if !alert.incidents.contains(&number) {
            alert.incidents.push(number);
        }
    });
    tx.edit_incident(&number, |incident| incident.alerts.total += 1);
    let after = tx.alert(&alert.id).expect("a member is kept");
    let was = Share::of(&before, before.incidents.contains(&number));
    recount_in(tx, number, &was, &Share::of(&after, true));
}

/// A new or returning alert joins an open incident.
fn join(
    tx: &mut StepTransaction<'_>,
    alert: &Arc<Alert>,
    number: IncidentNumber,
    route: &Route,
) -> Disposition {
    let is_member = alert.incidents.contains(&number);
    if is_member {
        let now = tx.now.steady;
        tx.edit_alert(&alert.id, |alert| alert.entered = Some(now));
    } else {
        add_member(tx, alert, number);
    }
    let title = alert.title();
    let under = match alert.is_silenced() {
        true => format!(" (under {})", silence::named(tx, &alert.silenced_by)),
        false => String::new(),
    };
    let text = format!("{} {title}{under}", joined_word(is_member));
    let reason = Reason::JoinedIncident;
    tx.note(number, EntryKind::Alert, reason, text);
    silence::review(tx, number);
    let Some(incident) = tx.incident(&number) else {
        return Disposition::Joined;
    };
    let urgency = route.urgency.of(&alert.content.severity);
    let is_damped = resolution::keep_flapping(tx, number) && is_member;
    if urgency > incident.urgency && !alert.is_silenced() {
        raise_urgency(tx, number, urgency);
    } else if is_damped {
        return Disposition::Joined;
    } else if incident.status == Status::Acknowledged && !alert.is_silenced() {
        notification::page_acknowledger(tx, number);
    }
    updates::joined(tx, number);
    if alert.is_silenced() {
        Disposition::Silenced
    } else {
        Disposition::Joined
    }
}

fn joined_word(is_member: bool) -> &'static str {
    if is_member {
        "fires again:"
    } else {
        "joined by"
    }
}

/// A firing alert may have become more urgent than its incident. Whether it did.
pub(in crate::engine) fn follow_urgency(
    tx: &mut StepTransaction<'_>,
    alert: &Alert,
    number: IncidentNumber,
    route: &Route,
) -> bool {
    let urgency = route.urgency.of(&alert.content.severity);
    let Some(incident) = tx.incident(&number) else {
        return false;
    };
    let is_raised = !alert.is_silenced() && incident.is_open() && urgency > incident.urgency;
    if is_raised {
        raise_urgency(tx, number, urgency);
    }
    is_raised
}

/// A more urgent alert sets the incident back to triggered and starts a round.
pub(in crate::engine) fn raise_urgency(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    urgency: crate::engine::urgency::Urgency,
) {
    tx.edit_incident(&number, |incident| {
        incident.urgency = urgency;
        // Runs count through the notify steps of the other urgency: they begin anew.
        incident.runs.clear();
    });
    let text = format!("urgency is now {urgency}");
    let reason = Reason::UrgencyRaised;
    tx.note(number, EntryKind::Incident, reason, text);
    // What has not left yet would say the same a moment before the new round does.
    withdrawal::withdraw_all(tx, number);
    escalation::restart(tx, number, Reason::UrgencyRaised);
}

/// After its labels changed, an alert leaves the incidents on which it lands no longer. The new
/// memberships are part of the same change.
pub(in crate::engine) fn leave_others(
    tx: &mut StepTransaction<'_>,
    id: AlertId,
    stay: &[IncidentNumber],
) {
    let Some(alert) = tx.alert(&id) else {
        return;
    };
    let leaving: Vec<IncidentNumber> = alert
        .incidents
        .iter()
        .copied()
        .filter(|number| !stay.contains(number))
        .collect();
    for number in leaving {
        let Some(before) = tx.alert(&id) else {
            return;
        };
        tx.archive_alert(number, &before);
        tx.edit_alert(&id, |alert| {
            alert.incidents.retain(|known| *known != number);
        });
        recount(tx, &before);
        let text = format!("{} is now routed elsewhere", before.title());
        let reason = Reason::LabelsChanged;
        tx.note(number, EntryKind::Alert, reason, text);
        resolution::alert_left(tx, number, Reason::LabelsChanged);
    }
}

/// Brings the counts of an alert's incidents up to date after the alert changed.
pub(in crate::engine) fn recount(tx: &mut StepTransaction<'_>, before: &Alert) {
    let Some(after) = tx.alert(&before.id) else {
        return;
    };
    let is_in_same = before.incidents == after.incidents;
    for number in &before.incidents {
        let was = Share::of(before, true);
        let stays = is_in_same || after.incidents.contains(number);
        recount_in(tx, *number, &was, &Share::of(&after, stays));
    }
    if is_in_same {
        return;
    }
    let entered = after.incidents.iter();
    for number in entered.filter(|number| !before.incidents.contains(number)) {
        let was = Share::of(before, false);
        recount_in(tx, *number, &was, &Share::of(&after, true));
    }
}

fn recount_in(tx: &mut StepTransaction<'_>, number: IncidentNumber, was: &Share, is: &Share) {
    if was == is {
        return;
    }
    tx.edit_incident(&number, |incident| {
        let counts = &mut incident.alerts;
        moved(&mut counts.firing, was.firing, is.firing);
        moved(&mut counts.silenced, was.silenced, is.silenced);
        moved(&mut counts.acknowledged, was.acknowledged, is.acknowledged);
    });
}

fn moved(count: &mut u32, was: bool, is: bool) {
    *count = (*count + u32::from(is)).saturating_sub(u32::from(was));
}

/// What one alert adds to the counts of one incident.
#[derive(PartialEq, Eq)]
struct Share {
    firing: bool,
    silenced: bool,
    acknowledged: bool,
}

impl Share {
    /// Of an incident that the alert is in, or is not in.
    fn of(alert: &Alert, is_in: bool) -> Self {
        let firing = alert.firing && is_in;
        Self {
            firing,
            silenced: firing && alert.is_silenced(),
            acknowledged: firing && alert.acknowledged,
        }
    }
}
