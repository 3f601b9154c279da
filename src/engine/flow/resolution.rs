//! How incidents end: their alerts are over, a person says so, or they flap until it is quiet.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::entry_body::{AlertEntry, IncidentEntry, PersonEntry};
use crate::engine::flapping::FLAP_QUIET;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Handled, Phase, Status};
use crate::engine::input::Via;
use crate::engine::page::UpdateKind;
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::task::TaskKind;
use crate::engine::time::{Duration, Timestamp};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    acknowledgment, counts, dependents, flapping, pinned_policy, send_request, silence, updates,
    withdrawal,
};

/// A group is remembered so long after its last incident closed.
const GROUP_REMEMBERED_FOR: Duration = Duration::days(30);

/// A member alert is over: the incident may be too.
pub fn alert_ended(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    alert: &Alert,
    reason: Reason,
) {
    let unreported = alert.unreported.filter(|_| reason == Reason::Unreported);
    let ended = AlertEntry::Ended {
        title: alert.title(),
        unreported_for: unreported.map(|wait| wait.resolve_after),
    };
    tx.note(number, reason, ended);
    alert_left(tx, number, reason);
}

/// An alert no longer counts for the incident.
pub fn alert_left(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let incident = tx.known_incident(number);
    if !incident.is_open() {
        return;
    }
    if incident.alerts.firing == 0 {
        if !flapping::keep_flapping(tx, number) {
            resolve_by_source(tx, number, reason);
        }
        return;
    }
    silence::review(tx, number);
    acknowledge_if_all_are(tx, number, "its source");
}

/// It was quiet for long enough.
pub fn flapping_over(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    tx.edit_incident(&number, |incident| incident.flapping_until = None);
    let over = IncidentEntry::FlappingOver(FLAP_QUIET);
    tx.note(number, Reason::FlappingOver, over);
    if tx
        .incident(&number)
        .is_some_and(|incident| incident.alerts.firing == 0)
    {
        resolve_by_source(tx, number, Reason::FlappingOver);
    }
}

fn resolve_by_source(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let incident = tx.known_incident(number);
    let handled = Handled {
        by: incident.integration.as_str().into(),
        user: None,
        via: Via::Source,
        at: tx.now.wall,
    };
    let (reason, entry) = if incident.escalation.phase == Phase::GroupWait {
        let entry = IncidentEntry::ResolvedInGroupWait;
        (Reason::ResolvedInGroupWait, entry)
    } else if reason == Reason::Unreported {
        (reason, IncidentEntry::Unreported)
    } else if reason == Reason::TroubleOver {
        (reason, IncidentEntry::Resolved)
    } else {
        (Reason::AllAlertsResolved, IncidentEntry::Resolved)
    };
    tx.note(number, reason, entry);
    close(tx, number, handled);
}

/// A person says that the incident is over.
pub fn resolve_by_person(tx: &mut StepTransaction<'_>, number: IncidentNumber, handled: Handled) {
    let detail = EntryDetail::of(&handled.actor());
    tx.note_in_detail(
        number,
        Reason::ResolvedByPerson,
        PersonEntry::Resolved,
        detail,
    );
    tx.edit_incident(&number, |incident| {
        incident.still_firing = incident.alerts.firing > 0;
    });
    close(tx, number, handled);
}

/// Ends the incident: nothing asks any more, those who were paged are told, it goes to history when
/// the last notice is out.
fn close(tx: &mut StepTransaction<'_>, number: IncidentNumber, handled: Handled) {
    let incident = tx.known_incident(number);
    let last_alerts = send_request::alert_summaries(tx, number);
    tx.edit_incident(&number, |incident| {
        incident.status = Status::Resolved;
        incident.resolved = Some(handled);
        incident.last_alerts = last_alerts;
        incident.runs.clear();
        incident.flapping_until = None;
        incident.update_due = None;
        incident.escalation.phase = Phase::Ended;
        incident.escalation.due = None;
        incident.is_silenced = false;
    });
    dependents::incident_closed(tx, &incident);
    withdrawal::withdraw(tx, number);
    updates::tell(tx, number, UpdateKind::Resolved);
    let forget = tx.now.steady + GROUP_REMEMBERED_FOR;
    tx.edit_group(&incident.group_key, |group| {
        if group.open == Some(number) {
            group.open = None;
        }
        group.forget = Some(forget);
    });
    if let Some(key) = &incident.policy {
        pinned_policy::unpin(tx, key);
    }
    tx.begin(TaskKind::ReleaseAlerts { incident: number });
}

/// The source acknowledged one of the alerts.
pub fn acknowledge_if_all(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    alert: &Arc<Alert>,
) {
    let acknowledged = AlertEntry::Acknowledged {
        integration: alert.integration.clone(),
        title: alert.title(),
    };
    tx.note(number, Reason::SourceAcknowledged, acknowledged);
    acknowledge_if_all_are(tx, number, alert.integration.as_str());
}

fn acknowledge_if_all_are(tx: &mut StepTransaction<'_>, number: IncidentNumber, by: &str) {
    let incident = tx.known_incident(number);
    let counts = incident.alerts;
    let all = counts.firing > 0 && counts.firing == counts.acknowledged;
    if !all || incident.status != Status::Triggered {
        return;
    }
    let handled = Handled {
        by: by.into(),
        user: None,
        via: Via::Source,
        at: tx.now.wall,
    };
    let all = IncidentEntry::Acknowledged { by: by.into() };
    tx.note(number, Reason::AllAlertsAcknowledged, all);
    acknowledgment::acknowledge(tx, number, handled);
}

/// An alert is over: by its source, by its end time, or because the router's trouble is.
pub fn end_alert(
    tx: &mut StepTransaction<'_>,
    before: &Arc<Alert>,
    source_time: Option<Timestamp>,
    reason: Reason,
) {
    let now = tx.now;
    tx.edit_alert(&before.id, |alert| {
        alert.firing = false;
        alert.held_old = false;
        alert.expires = None;
        alert.unreported = None;
        alert.assertions.end_all();
        alert.resolved_at = Some(now.wall);
        alert.resolved_source_time = source_time;
        alert.holds.clear();
        alert.forget = Some(now.steady + alert.remembered_for());
    });
    counts::recount(tx, before);
    for number in &before.incidents {
        alert_ended(tx, *number, before, reason);
    }
}
