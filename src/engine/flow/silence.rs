//! Silences: quiet for a time.

use crate::engine::entry_body::{EscalationEntry, IncidentEntry};
use crate::engine::ids::{IncidentNumber, SilenceId};
use crate::engine::incident::Status;
use crate::engine::reason::Reason;
use crate::engine::task::{Pass, TaskKind};
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::engine::{covering, dependents, escalation};

/// A silence begins, ends or is no longer shown.
pub fn due(tx: &mut StepTransaction<'_>, id: SilenceId) {
    let Some(silence) = tx.silence(&id) else {
        return;
    };
    if let Some(at) = silence.forgotten_at() {
        if at <= tx.past() {
            tx.drop_silence(&id);
        }
    } else if silence.until <= tx.past() {
        end(tx, id);
    } else if silence.until <= tx.now.wall {
        lapse(tx, id);
    } else if !silence.is_active && silence.from <= tx.now.wall {
        activate(tx, id);
    }
}

fn activate(tx: &mut StepTransaction<'_>, id: SilenceId) {
    tx.edit_silence(&id, |silence| silence.is_active = true);
    tx.begin(TaskKind::BeginSilence(Pass::new(id)));
}

/// Ends a silence, which lets go of what it held.
pub fn end(tx: &mut StepTransaction<'_>, id: SilenceId) {
    if begin_end(tx, id) {
        release_covered(tx, id);
    }
}

/// From now on it covers nothing new. Whether it had not ended before.
pub fn begin_end(tx: &mut StepTransaction<'_>, id: SilenceId) -> bool {
    let known = tx.silence(&id);
    if known.is_none_or(|silence| silence.ended_at.is_some()) {
        return false;
    }
    let now = tx.now.wall;
    tx.edit_silence(&id, |silence| {
        silence.is_active = false;
        silence.from = silence.from.min(now);
        silence.until = silence.until.min(now);
        silence.ended_at = Some(now);
        silence.has_lapsed = false;
    });
    true
}

/// Its end came by a jump that is not confirmed. It lets go of what it held, because a wrong clock
/// must not hold a page, and is kept.
fn lapse(tx: &mut StepTransaction<'_>, id: SilenceId) {
    tx.edit_silence(&id, |silence| {
        silence.is_active = false;
        silence.has_lapsed = true;
    });
    release_covered(tx, id);
}

/// The clock came back, or its jump is confirmed: silences that lapsed hold again or are over.
pub fn look_at_lapsed(tx: &mut StepTransaction<'_>) {
    let silences = tx.state.silences();
    let lapsed = silences.filter(|silence| silence.has_lapsed);
    let lapsed: Vec<SilenceId> = lapsed.map(|silence| silence.id).collect();
    for id in lapsed {
        let wall = tx.now.wall;
        tx.edit_silence(&id, |silence| {
            silence.has_lapsed = silence.until <= wall;
        });
        due(tx, id);
    }
}

fn release_covered(tx: &mut StepTransaction<'_>, id: SilenceId) {
    tx.begin(TaskKind::EndSilence(Pass::new(id)));
}

/// Holds an incident whose firing alerts are all silenced, and lets go of one where some are not.
pub fn review(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    let counts = incident.alerts;
    let is_covered = counts.firing == counts.silenced;
    // A flapping incident without a firing alert stays as it is until one fires again.
    if !incident.is_open() || counts.firing == 0 || is_covered == incident.is_silenced {
        return;
    }
    if is_covered {
        dependents::end_hold(tx, number);
        covering::hold(tx, number);
    } else {
        release(tx, number);
    }
}

fn release(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    tx.edit_incident(&number, |incident| incident.is_silenced = false);
    let incident = tx.known_incident(number);
    if incident.status != Status::Triggered {
        return;
    }
    tx.note(number, Reason::SilenceOver, EscalationEntry::SilenceOver);
    follow_most_urgent(tx, number);
    escalation::start(tx, number);
}

/// What joined under the silence may be more urgent than what the incident was opened for.
fn follow_most_urgent(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let known = tx.incident(&number);
    let Some(incident) = known.filter(|known| known.urgency < Urgency::High) else {
        return;
    };
    let route = tx.rules.tree.route(&incident.route);
    let first = tx.first_alerts_of(number, 1).into_iter().next();
    let urgency = route
        .zip(first)
        .map(|(route, alert)| route.urgency.of(&alert.content.severity));
    let Some(urgency) = urgency.filter(|urgency| *urgency > incident.urgency) else {
        return;
    };
    tx.edit_incident(&number, |incident| incident.urgency = urgency);
    let raised = IncidentEntry::UrgencyRaised(urgency);
    tx.note(number, Reason::UrgencyRaised, raised);
}
