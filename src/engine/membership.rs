//! Alerts enter and leave incidents: open or join, and the counts that follow.

use std::sync::Arc;

use super::alert::Alert;
use super::draft::Draft;
use super::event::{Labels, Text};
use super::ids::{AlertId, IncidentNumber, PolicyName, Revision};
use super::incident::{
    AlertCounts, Escalation, Incident, Phase, PinnedPolicy, Position, Status, Trouble,
};
use super::reason::Reason;
use super::records::{Disposition, EntryDetail, EntryKind, Group, Pinned};
use super::routing::Route;
use super::ruleset::Policy;
use super::time::{Millis, Steady};
use super::{closing, deliver, escalation, ingest, notify, silence, updates};

/// So many re-triggers within [`FLAP_WINDOW`] make an incident flap.
pub(super) const FLAP_CHANGES: usize = 5;
/// The time in which re-triggers are counted.
pub(super) const FLAP_WINDOW: Millis = Millis::minutes(30);

/// A route on which an alert lands, and its group there.
pub(super) struct Destination {
    pub route: Arc<Route>,
    pub group_key: Text,
    pub group_labels: Labels,
}

/// Puts an alert into the group's incident, opening one if none is open. `rejoins` says that the
/// alert was known and had been resolved.
pub(super) fn enter(
    draft: &mut Draft<'_>,
    id: AlertId,
    destination: &Destination,
    rejoins: bool,
) -> (Disposition, Option<IncidentNumber>) {
    let Some(alert) = draft.alert(&id) else {
        return (Disposition::Recorded, None);
    };
    let open = draft
        .group(&destination.group_key)
        .and_then(|group| group.open);
    if let Some(number) = open {
        if alert.incidents.contains(&number) && !rejoins {
            follow_urgency(draft, &alert, number, &destination.route);
            return (Disposition::Repeated, Some(number));
        }
        return (
            join(draft, &alert, number, &destination.route),
            Some(number),
        );
    }
    let hold = alert
        .holds
        .iter()
        .find(|hold| hold.group_key == destination.group_key);
    if let Some(hold) = hold {
        return (Disposition::Recorded, Some(hold.incident));
    }
    let number = open_incident(draft, &alert, destination);
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
pub(super) struct Opening<'a> {
    pub route: &'a Route,
    pub group_key: Text,
    pub group_labels: Labels,
    pub policy: Option<Arc<Policy>>,
    pub about: Option<Trouble>,
}

fn open_incident(
    draft: &mut Draft<'_>,
    alert: &Arc<Alert>,
    destination: &Destination,
) -> IncidentNumber {
    let route = &destination.route;
    let policy = route
        .policy
        .as_ref()
        .and_then(|name| policy_named(draft, name));
    let opening = Opening {
        route,
        group_key: destination.group_key.clone(),
        group_labels: destination.group_labels.clone(),
        policy,
        about: None,
    };
    open_with(draft, alert, opening)
}

/// A policy of the rules in force; a name that is gone gives the root route's.
pub(super) fn policy_named(draft: &Draft<'_>, name: &PolicyName) -> Option<Arc<Policy>> {
    let root = || draft.rules.tree.root().and_then(|root| root.policy.clone());
    let found = draft.rules.policies.get(name).cloned();
    found.or_else(|| draft.rules.policies.get(&root()?).cloned())
}

/// Opens an incident for an alert and begins its escalation.
pub(super) fn open_with(
    draft: &mut Draft<'_>,
    alert: &Arc<Alert>,
    opening: Opening<'_>,
) -> IncidentNumber {
    let number = draft.next_incident();
    let generation = count_opening(draft, &opening.group_key, number);
    let policy = opening.policy.map(|policy| pin(draft, policy));
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
        title: ingest::title_of(alert),
        service: service.or_else(|| label("service")),
        policy,
        copy_to: opening.route.copy_to.clone(),
        join_interval: opening.route.join_interval,
        opened_at: draft.now.wall,
        revision: draft.rules.revision,
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
    draft.put_incident(number, incident);
    add_member(draft, alert, number);
    let detail = EntryDetail {
        route: Some(opening.route.name.as_str().into()),
        policy,
        ..EntryDetail::default()
    };
    draft.note(number, EntryKind::Incident, Reason::Opened, text, detail);
    escalation::begin(draft, number, opening.route.group_wait);
    number
}

/// An escalation that has not begun.
pub(super) fn new_escalation() -> Escalation {
    Escalation {
        phase: Phase::NotExpected,
        round: 0,
        position: Position::Before,
        started: Steady(0),
        due: None,
        fallbacks: 0,
        reassigned: None,
        hurried: None,
        remaining: None,
        snoozed_until: None,
        is_join_pending: false,
    }
}

/// Counts an opening of the group; the answer is the generation.
pub(super) fn count_opening(draft: &mut Draft<'_>, key: &Text, number: IncidentNumber) -> u64 {
    if draft.group(key).is_none() {
        draft.put_group(
            key.clone(),
            Group {
                key: key.clone(),
                ..Group::default()
            },
        );
    }
    let now = draft.now.steady;
    let generation = draft.edit_group(key, |group| {
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
pub(super) fn pin(draft: &mut Draft<'_>, policy: Arc<Policy>) -> PinnedPolicy {
    let revision: Revision = draft.rules.revision;
    let key = PinnedPolicy {
        revision,
        name: policy.name.clone(),
    };
    if draft.edit_pinned(&key, |pinned| pinned.uses += 1).is_none() {
        draft.put_pinned(
            key.clone(),
            Pinned {
                key: key.clone(),
                policy,
                uses: 1,
            },
        );
    }
    key
}

/// Lets go of a pinned policy.
pub(super) fn unpin(draft: &mut Draft<'_>, key: &PinnedPolicy) {
    let uses = draft.edit_pinned(key, |pinned| {
        pinned.uses = pinned.uses.saturating_sub(1);
        pinned.uses
    });
    if uses == Some(0) {
        draft.drop_pinned(key);
    }
}

/// Makes an alert a member and counts it.
fn add_member(draft: &mut Draft<'_>, alert: &Arc<Alert>, number: IncidentNumber) {
    let before = alert.clone();
    let now = draft.now.steady;
    draft.edit_alert(&alert.id, |alert| {
        alert.forget = None;
        alert.entered = Some(now);
        if !alert.incidents.contains(&number) {
            alert.incidents.push(number);
        }
    });
    draft.edit_incident(&number, |incident| incident.alerts.total += 1);
    let after = draft.alert(&alert.id).expect("a member is kept");
    let was = Share::of(&before, before.incidents.contains(&number));
    recount_in(draft, number, &was, &Share::of(&after, true));
}

/// A new or returning alert joins an open incident.
fn join(
    draft: &mut Draft<'_>,
    alert: &Arc<Alert>,
    number: IncidentNumber,
    route: &Route,
) -> Disposition {
    let is_member = alert.incidents.contains(&number);
    if is_member {
        let now = draft.now.steady;
        draft.edit_alert(&alert.id, |alert| alert.entered = Some(now));
    } else {
        add_member(draft, alert, number);
    }
    let title = ingest::title_of(alert);
    let under = match alert.is_silenced() {
        true => format!(" (under {})", silence::named(draft, &alert.silenced_by)),
        false => String::new(),
    };
    let text = format!("{} {title}{under}", joined_word(is_member));
    let reason = Reason::JoinedIncident;
    draft.note(
        number,
        EntryKind::Alert,
        reason,
        text,
        EntryDetail::default(),
    );
    silence::review(draft, number);
    let Some(incident) = draft.incident(&number) else {
        return Disposition::Joined;
    };
    let urgency = route.urgency.of(&alert.content.severity);
    let is_damped = closing::keep_flapping(draft, number) && is_member;
    if urgency > incident.urgency && !alert.is_silenced() {
        raise_urgency(draft, number, urgency);
    } else if is_damped {
        return Disposition::Joined;
    } else if incident.status == Status::Acknowledged && !alert.is_silenced() {
        notify::page_acknowledger(draft, number);
    }
    updates::joined(draft, number);
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
pub(super) fn follow_urgency(
    draft: &mut Draft<'_>,
    alert: &Alert,
    number: IncidentNumber,
    route: &Route,
) -> bool {
    let urgency = route.urgency.of(&alert.content.severity);
    let Some(incident) = draft.incident(&number) else {
        return false;
    };
    let is_raised = !alert.is_silenced() && incident.is_open() && urgency > incident.urgency;
    if is_raised {
        raise_urgency(draft, number, urgency);
    }
    is_raised
}

/// A more urgent alert sets the incident back to triggered and starts a round.
pub(super) fn raise_urgency(
    draft: &mut Draft<'_>,
    number: IncidentNumber,
    urgency: super::urgency::Urgency,
) {
    draft.edit_incident(&number, |incident| {
        incident.urgency = urgency;
        // Runs count through the notify steps of the other urgency: they begin anew.
        incident.runs.clear();
    });
    let text = format!("urgency is {urgency} now");
    let reason = Reason::UrgencyRaised;
    draft.note(
        number,
        EntryKind::Incident,
        reason,
        text,
        EntryDetail::default(),
    );
    // What has not left yet would say the same a moment before the new round does.
    deliver::withdraw_all(draft, number);
    escalation::restart(draft, number, Reason::UrgencyRaised);
}

/// After its labels changed, an alert leaves the incidents on which it lands no longer. The new
/// memberships are part of the same change.
pub(super) fn leave_others(draft: &mut Draft<'_>, id: AlertId, stay: &[IncidentNumber]) {
    let Some(alert) = draft.alert(&id) else {
        return;
    };
    let leaving: Vec<IncidentNumber> = alert
        .incidents
        .iter()
        .copied()
        .filter(|number| !stay.contains(number))
        .collect();
    for number in leaving {
        let Some(before) = draft.alert(&id) else {
            return;
        };
        draft.archive_alert(number, &before);
        draft.edit_alert(&id, |alert| {
            alert.incidents.retain(|known| *known != number);
        });
        recount(draft, &before);
        let text = format!("{} lands elsewhere now", ingest::title_of(&before));
        let reason = Reason::LabelsChanged;
        draft.note(
            number,
            EntryKind::Alert,
            reason,
            text,
            EntryDetail::default(),
        );
        closing::alert_left(draft, number, Reason::LabelsChanged);
    }
}

/// Brings the counts of an alert's incidents up to date after the alert changed.
pub(super) fn recount(draft: &mut Draft<'_>, before: &Alert) {
    let Some(after) = draft.alert(&before.id) else {
        return;
    };
    let is_in_same = before.incidents == after.incidents;
    for number in &before.incidents {
        let was = Share::of(before, true);
        let stays = is_in_same || after.incidents.contains(number);
        recount_in(draft, *number, &was, &Share::of(&after, stays));
    }
    if is_in_same {
        return;
    }
    let entered = after.incidents.iter();
    for number in entered.filter(|number| !before.incidents.contains(number)) {
        let was = Share::of(before, false);
        recount_in(draft, *number, &was, &Share::of(&after, true));
    }
}

fn recount_in(draft: &mut Draft<'_>, number: IncidentNumber, was: &Share, is: &Share) {
    if was == is {
        return;
    }
    draft.edit_incident(&number, |incident| {
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
