//! The timers of an incident that are due: flapping, escalation, notify steps, news of joined
//! alerts.

use std::sync::Arc;

use crate::engine::entry_body::EscalationEntry;
use crate::engine::escalation::{advance, restart, start};
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Incident, Phase};
use crate::engine::page::UpdateKind;
use crate::engine::reason::Reason;
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;
use crate::engine::{acknowledgment, dependents, notification, reached, resolution, updates};

/// The incident's timers that are due.
pub fn due(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let steady = tx.now.steady;
    let is_due = |moment: Option<MonotonicTime>| moment.is_some_and(|due| due <= steady);
    let incident = tx.known_incident(number);
    if is_due(incident.flapping_until) {
        resolution::flapping_over(tx, number);
    }
    if tx
        .incident(&number)
        .is_some_and(|incident| is_due(incident.escalation.due))
    {
        escalation_due(tx, number);
    }
    notification::runs_due(tx, number);
    if tx
        .incident(&number)
        .is_some_and(|incident| is_due(incident.update_due))
    {
        tx.edit_incident(&number, |incident| incident.update_due = None);
        updates::tell(tx, number, UpdateKind::Joined);
    }
}

fn escalation_due(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    tx.edit_incident(&number, |incident| incident.escalation.due = None);
    match incident.escalation.phase {
        Phase::GroupWait => start(tx, number),
        Phase::Running => step_over(tx, number, &incident),
        Phase::Acknowledged if incident.escalation.is_join_pending => {
            join_unanswered(tx, number, &incident);
        }
        Phase::Acknowledged => restart(tx, number, Reason::AckTimeout),
        Phase::Snoozed => acknowledgment::snooze_over(tx, number),
        Phase::Held => dependents::release(tx, number, Reason::ProviderHoldOver),
        Phase::Silenced
        | Phase::StepsOver
        | Phase::Exhausted
        | Phase::NotExpected
        | Phase::Ended => {}
    }
}

/// The acknowledger did not answer to a joined alert in time, or a snooze ended first.
fn join_unanswered(tx: &mut StepTransaction<'_>, number: IncidentNumber, incident: &Incident) {
    let snoozed_until = incident.escalation.snoozed_until;
    if snoozed_until.is_some_and(|until| until <= tx.now.steady) {
        acknowledgment::snooze_over(tx, number);
    } else {
        restart(tx, number, Reason::JoinUnanswered);
    }
}

fn step_over(tx: &mut StepTransaction<'_>, number: IncidentNumber, incident: &Arc<Incident>) {
    let reason = incident
        .escalation
        .skip_wait_reason
        .unwrap_or(Reason::WaitOver);
    if reason == Reason::WaitOver {
        reached::note_unsent(tx, incident);
    } else {
        tx.note(number, reason, EscalationEntry::ContactsFailed);
    }
    tx.edit_incident(&number, |incident| {
        incident.escalation.skip_wait_reason = None;
    });
    advance(tx, number, reason);
}
