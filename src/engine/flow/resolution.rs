//! How incidents end: their alerts are over, a person says so, or they flap until it is quiet.

use std::sync::Arc;

use crate::engine::alert::{Alert, Hold};
use crate::engine::event::Text;
use crate::engine::grouping::{FLAP_CHANGES, FLAP_WINDOW, unpin};
use crate::engine::ids::{AlertId, IncidentNumber};
use crate::engine::incident::{Handled, Phase, Status};
use crate::engine::input::Via;
use crate::engine::page::{PageKind, PageState, UpdateKind};
use crate::engine::reason::Reason;
use crate::engine::records::{EntryDetail, EntryKind, Group};
use crate::engine::task::TaskKind;
use crate::engine::tasks;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{acknowledgment, send_request, silence, updates, withdrawal};

/// A flapping incident stays open until so much quiet.
const FLAP_QUIET: Duration = Duration::minutes(10);
/// A firing alert that pages nobody is remembered so long after its source last spoke of it.
const FIRING_REMEMBERED_FOR: Duration = Duration::days(1);
/// How long the link of a page can act.
const LINKS_GOOD_FOR: Duration = Duration::days(7);
/// A group is remembered so long after its last incident closed.
const GROUP_REMEMBERED_FOR: Duration = Duration::days(30);
/// Groups without an open incident that are remembered at once.
pub(in crate::engine) const GROUPS_REMEMBERED_MAX: usize = 100_000;
/// Groups that one step forgets, so that no commit grows without bound.
const FORGOTTEN_AT_ONCE_MAX: usize = 1_000;
/// Alerts that one step releases from a resolved incident.
const RELEASED_AT_ONCE_MAX: usize = 1_000;

/// A member alert is over: the incident may be too.
pub(in crate::engine) fn alert_ended(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    alert: &Alert,
    reason: Reason,
) {
    let title = alert.title();
    let text = match alert.unreported.filter(|_| reason == Reason::Unreported) {
        Some(wait) => format!("{title}: no report for {}", wait.resolve_after),
        None => format!("{title} is no longer firing"),
    };
    tx.note(number, EntryKind::Alert, reason, text);
    alert_left(tx, number, reason);
}

/// An alert no longer counts for the incident.
pub(in crate::engine) fn alert_left(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    reason: Reason,
) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    if !incident.is_open() {
        return;
    }
    if incident.alerts.firing == 0 {
        if !keep_flapping(tx, number) {
            resolve_by_source(tx, number, reason);
        }
        return;
    }
    silence::review(tx, number);
    acknowledge_if_all_are(tx, number, "its source");
}

/// Whether the incident came and went too often; it then stays open until it is quiet.
pub(in crate::engine) fn keep_flapping(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
) -> bool {
    let Some(incident) = tx.incident(&number) else {
        return false;
    };
    let now = tx.now.steady;
    let group = tx.group(&incident.group_key);
    let changes = group.map_or(0, |group| {
        group
            .changes
            .iter()
            .filter(|change| now.since(**change) <= FLAP_WINDOW)
            .count()
    });
    if incident.flapping_until.is_none() {
        if changes < FLAP_CHANGES || incident.alerts.firing > 0 {
            return false;
        }
        let text = format!(
            "fired and resolved {changes} times; stays open until {FLAP_QUIET} of \
            quiet"
        );
        let reason = Reason::Flapping;
        tx.note(number, EntryKind::Incident, reason, text);
    }
    tx.edit_incident(&number, |incident| {
        incident.flapping_until = Some(now + FLAP_QUIET);
    });
    true
}

/// It was quiet for long enough.
pub(in crate::engine) fn flapping_over(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    tx.edit_incident(&number, |incident| incident.flapping_until = None);
    let text = format!("quiet for {FLAP_QUIET}");
    let reason = Reason::FlappingOver;
    tx.note(number, EntryKind::Incident, reason, text);
    if tx
        .incident(&number)
        .is_some_and(|incident| incident.alerts.firing == 0)
    {
        resolve_by_source(tx, number, Reason::FlappingOver);
    }
}

fn resolve_by_source(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    let handled = Handled {
        by: incident.integration.as_str().into(),
        user: None,
        via: Via::Source,
        at: tx.now.wall,
    };
    let in_group_wait = incident.escalation.phase == Phase::GroupWait;
    let text = if in_group_wait {
        "resolved before the group wait ended; nobody was paged".to_owned()
    } else if reason == Reason::Unreported {
        "resolved: its last firing alert is no longer reported".to_owned()
    } else {
        "resolved: its last firing alert is no longer firing".to_owned()
    };
    let reason = match reason {
        _ if in_group_wait => Reason::ResolvedInGroupWait,
        Reason::TroubleOver | Reason::Unreported => reason,
        _ => Reason::AllAlertsResolved,
    };
    tx.note(number, EntryKind::Incident, reason, text);
    close(tx, number, handled);
}

/// A person says that the incident is over.
pub(in crate::engine) fn resolve_by_person(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    handled: Handled,
) {
    let text = format!("resolved by {} via {}", handled.by, handled.via);
    let detail = EntryDetail::of(&handled.actor());
    tx.note_in_detail(
        number,
        EntryKind::Person,
        Reason::ResolvedByPerson,
        text,
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
    let Some(incident) = tx.incident(&number) else {
        return;
    };
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
        unpin(tx, key);
    }
    tasks::begin(tx, TaskKind::ReleaseAlerts { incident: number });
    settle(tx, number);
}

/// Beyond the bound the groups that closed first are forgotten. It looks at what earlier steps left
/// behind, so that many closings of one step cost no more than one.
pub(in crate::engine) fn forget_surplus_groups(tx: &mut StepTransaction<'_>) {
    let closed = tx.state.closed_groups();
    let surplus = closed.len().saturating_sub(GROUPS_REMEMBERED_MAX);
    let first: Vec<Text> = closed
        .take(surplus.min(FORGOTTEN_AT_ONCE_MAX))
        .cloned()
        .collect();
    for key in first {
        let is_closed = |group: Arc<Group>| group.open.is_none();
        if tx.group(&key).is_some_and(is_closed) {
            tx.drop_group(&key);
        }
    }
}

/// The alerts of a resolved incident live on; what they were stays in its history. Whether some
/// are left.
pub(in crate::engine) fn release_alerts(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
) -> bool {
    // Those of this step were there before it, or joined in it.
    let members: Vec<AlertId> = tx
        .alerts_of(number)
        .map(|alert| alert.id)
        .take(RELEASED_AT_ONCE_MAX)
        .collect();
    for id in members {
        release(tx, number, id);
        if tx.is_spent() {
            break;
        }
    }
    let has_more = tx.alerts_of(number).next().is_some();
    if !has_more {
        settle(tx, number);
    }
    has_more
}

/// An alert leaves an incident that was resolved. One that its source still asserts must not open
/// it again at the next repeat if a person resolved it.
fn release(tx: &mut StepTransaction<'_>, number: IncidentNumber, id: AlertId) {
    let (Some(alert), Some(incident)) = (tx.alert(&id), tx.incident(&number)) else {
        return;
    };
    tx.archive_alert(number, &alert);
    let now = tx.now;
    let resolved_at = incident
        .resolved
        .as_ref()
        .map_or(now.wall, |known| known.at);
    // It may leave late, after a restart even; the hold is counted from the resolve.
    let hold = tx.rules.settings.still_firing_hold.0;
    let rest = hold.saturating_sub(now.wall.since(resolved_at).0);
    let until = now.steady + Duration(rest);
    tx.edit_alert(&id, |alert| {
        alert.incidents.retain(|known| *known != number);
        if alert.firing && incident.still_firing {
            let start = alert.latest_start();
            alert.holds.push(Hold {
                group_key: incident.group_key.clone(),
                incident: number,
                until,
                since: start.map_or(resolved_at, |start| start.max(resolved_at)),
            });
        }
    });
    settle_alert(tx, id);
}

/// Before anything is decided about an alert it leaves the incidents that were resolved and have
/// not released it yet, as it was.
pub(in crate::engine) fn leave_closed(
    tx: &mut StepTransaction<'_>,
    alert: Arc<Alert>,
) -> Arc<Alert> {
    let is_closed = |number: &&IncidentNumber| {
        let incident = tx.incident(number);
        incident.is_some_and(|incident| !incident.is_open())
    };
    let closed: Vec<IncidentNumber> = alert.incidents.iter().filter(is_closed).copied().collect();
    if closed.is_empty() {
        return alert;
    }
    for number in closed {
        release(tx, number, alert.id);
    }
    tx.alert(&alert.id).expect("a released alert is kept")
}

/// An alert that belongs to no open incident is forgotten after a while: soon when it is over, and
/// after a day when its source says no more of it.
pub(in crate::engine) fn settle_alert(tx: &mut StepTransaction<'_>, id: AlertId) {
    let Some(alert) = tx.alert(&id) else {
        return;
    };
    if alert.incidents.is_empty() && alert.forget.is_none() {
        let remembered = if alert.firing {
            FIRING_REMEMBERED_FOR
        } else {
            alert.remembered_for()
        };
        let forget = tx.now.steady + remembered;
        tx.edit_alert(&id, |alert| alert.forget = Some(forget));
    }
}

/// Moves a resolved incident and its pages to history once nothing of it is under way.
pub(in crate::engine) fn settle(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    if incident.is_open() || tx.alerts_of(number).next().is_some() {
        return;
    }
    let pages = tx.pages_of(number);
    if pages.iter().any(|page| page.state == PageState::Sending) {
        return;
    }
    for page in pages {
        let others = page.incidents.iter().filter(|other| other.number != number);
        // Steps go through incidents from the front: one that is open is soon found from the end.
        let is_shared = others.rev().any(|other| {
            tx.incident(&other.number)
                .is_some_and(|incident| incident.is_open())
        });
        if !is_shared {
            tx.archive_page(page.id);
        }
    }
    tx.archive_incident(number);
}

/// Pages of an incident that stays open for weeks go to history when their links are no longer
/// good.
pub(in crate::engine) fn archive_old_pages(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let now = tx.now.steady;
    for page in tx.pages_of(number) {
        let is_over = page.state != PageState::Sending && page.kind == PageKind::Page;
        if is_over && now.since(page.created) > LINKS_GOOD_FOR {
            tx.archive_page(page.id);
        }
    }
}

/// The source acknowledged one of the alerts.
pub(in crate::engine) fn acknowledge_if_all(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    alert: &Arc<Alert>,
) {
    let text = format!("{} acknowledged {}", alert.integration, alert.title());
    let reason = Reason::SourceAcknowledged;
    tx.note(number, EntryKind::Alert, reason, text);
    acknowledge_if_all_are(tx, number, alert.integration.as_str());
}

fn acknowledge_if_all_are(tx: &mut StepTransaction<'_>, number: IncidentNumber, by: &str) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
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
    let text = format!("acknowledged in {by}: all firing alerts are acknowledged there");
    let reason = Reason::AllAlertsAcknowledged;
    tx.note(number, EntryKind::Incident, reason, text);
    acknowledgment::acknowledge(tx, number, handled);
}
