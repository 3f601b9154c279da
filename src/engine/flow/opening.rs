//! A new incident.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::counts::Share;
use crate::engine::entry_body::IncidentEntry;
use crate::engine::event::{Labels, Text};
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{
    AlertCounts, Escalation, Incident, Phase, Position, SelfIncident, Status,
};
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::routing::Route;
use crate::engine::ruleset::Policy;
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;
use crate::engine::{counts, dependents, escalation, flapping, pinned_policy};

/// What a new incident is made of.
pub struct Opening<'a> {
    pub route: &'a Route,
    pub group_key: Text,
    pub group_labels: Labels,
    pub policy: Option<Arc<Policy>>,
    pub about: Option<SelfIncident>,
}

/// Opens an incident for an alert and begins its escalation.
pub fn open_with(
    tx: &mut StepTransaction<'_>,
    alert: &Arc<Alert>,
    opening: Opening<'_>,
) -> IncidentNumber {
    let number = tx.next_incident();
    let generation = flapping::count_opening(tx, &opening.group_key, number);
    let policy = opening.policy.map(|policy| pinned_policy::pin(tx, policy));
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
    };
    let opened = IncidentEntry::Opened {
        integration: alert.integration.clone(),
        title: incident.title.clone(),
    };
    let policy = incident.policy_name();
    tx.put_incident(number, incident);
    dependents::relate(tx, number);
    add_member(tx, alert, number);
    let detail = EntryDetail {
        route: Some(opening.route.name.as_str().into()),
        policy,
        ..EntryDetail::default()
    };
    tx.note_in_detail(number, Reason::Opened, opened, detail);
    escalation::begin(tx, number, opening.route.group_wait);
    number
}

/// An escalation that has not begun.
pub fn new_escalation() -> Escalation {
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

/// Makes an alert a member and counts it.
pub fn add_member(tx: &mut StepTransaction<'_>, alert: &Arc<Alert>, number: IncidentNumber) {
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
    counts::recount_in(tx, number, &was, &Share::of(&after, true));
}
