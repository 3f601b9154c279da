//! Alerts enter and leave incidents: open or join.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::entry_body::{AlertEntry, IncidentEntry};
use crate::engine::event::{Labels, Text};
use crate::engine::ids::{AlertId, IncidentNumber};
use crate::engine::incident::Status;
use crate::engine::opening::Opening;
use crate::engine::reason::Reason;
use crate::engine::records::Disposition;
use crate::engine::routing::Route;
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    acknowledgment, counts, covering, dependents, escalation, flapping, opening, pinned_policy,
    resolution, silence, updates, withdrawal,
};

/// A route on which an alert lands, and its group there.
pub struct Destination {
    pub route: Arc<Route>,
    pub group_key: Text,
    pub group_labels: Labels,
}

/// Puts an alert into the group's incident, opening one if none is open. `rejoins` says that the
/// alert was known and had been resolved.
pub fn join_or_open(
    tx: &mut StepTransaction<'_>,
    id: AlertId,
    destination: &Destination,
    rejoins: bool,
) -> (Disposition, Option<IncidentNumber>) {
    let alert = tx.known_alert(id);
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

fn open_incident(
    tx: &mut StepTransaction<'_>,
    alert: &Arc<Alert>,
    destination: &Destination,
) -> IncidentNumber {
    let route = &destination.route;
    let policy = route
        .policy
        .as_ref()
        .and_then(|name| pinned_policy::policy_named(tx, name));
    let opening = Opening {
        route,
        group_key: destination.group_key.clone(),
        group_labels: destination.group_labels.clone(),
        policy,
        about: None,
    };
    opening::open_with(tx, alert, opening)
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
        opening::add_member(tx, alert, number);
    }
    let joined = AlertEntry::Joined {
        title: alert.title(),
        is_member,
        silences: covering::named(tx, &alert.silenced_by),
    };
    tx.note(number, Reason::JoinedIncident, joined);
    silence::review(tx, number);
    let incident = tx.known_incident(number);
    let urgency = route.urgency.of(&alert.content.severity);
    let is_damped = flapping::keep_flapping(tx, number) && is_member;
    if urgency > incident.urgency && !alert.is_silenced() {
        raise_urgency(tx, number, urgency);
    } else if is_damped {
        return Disposition::Joined;
    } else if incident.status == Status::Acknowledged && !alert.is_silenced() {
        acknowledgment::page_acknowledger(tx, number);
    }
    updates::joined(tx, number);
    dependents::joined(tx, number, &alert.integration);
    if alert.is_silenced() {
        Disposition::Silenced
    } else {
        Disposition::Joined
    }
}

/// A firing alert may have become more urgent than its incident. Whether it did.
pub fn follow_urgency(
    tx: &mut StepTransaction<'_>,
    alert: &Alert,
    number: IncidentNumber,
    route: &Route,
) -> bool {
    let urgency = route.urgency.of(&alert.content.severity);
    let incident = tx.known_incident(number);
    let is_raised = !alert.is_silenced() && incident.is_open() && urgency > incident.urgency;
    if is_raised {
        raise_urgency(tx, number, urgency);
    }
    is_raised
}

/// A more urgent alert sets the incident back to triggered and starts a round.
pub fn raise_urgency(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    urgency: crate::engine::urgency::Urgency,
) {
    tx.edit_incident(&number, |incident| {
        incident.urgency = urgency;
        // Runs count through the notify steps of the other urgency: they begin anew.
        incident.runs.clear();
    });
    let raised = IncidentEntry::UrgencyRaised(urgency);
    tx.note(number, Reason::UrgencyRaised, raised);
    // What has not left yet would say the same a moment before the new round does.
    withdrawal::withdraw_all(tx, number);
    escalation::restart(tx, number, Reason::UrgencyRaised);
}

/// After its labels changed, an alert leaves the incidents on which it lands no longer. The new
/// memberships are part of the same change.
pub fn leave_others(tx: &mut StepTransaction<'_>, id: AlertId, stay: &[IncidentNumber]) {
    let alert = tx.known_alert(id);
    let leaving: Vec<IncidentNumber> = alert
        .incidents
        .iter()
        .copied()
        .filter(|number| !stay.contains(number))
        .collect();
    for number in leaving {
        let before = tx.known_alert(id);
        tx.archive_alert(number, &before);
        tx.edit_alert(&id, |alert| {
            alert.incidents.retain(|known| *known != number);
        });
        counts::recount(tx, &before);
        let title = before.title();
        let elsewhere = AlertEntry::RoutedElsewhere { title };
        tx.note(number, Reason::LabelsChanged, elsewhere);
        resolution::alert_left(tx, number, Reason::LabelsChanged);
    }
}
