//! A silence reaches the alerts that it covers, or lets go of them: incident by incident, so that
//! it can stop after each alert and go on in a later step. What comes meanwhile is looked at with
//! the silences in force at that moment, and so needs no second look.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::decision::Answer;
use crate::engine::ids::{AlertId, IncidentNumber, SilenceId};
use crate::engine::incident::Status;
use crate::engine::records::Silence;
use crate::engine::task::Pass;
use crate::engine::transaction::StepTransaction;
use crate::engine::{acknowledgment, archive, counts, covering, grouping, silence};

/// Reaches alerts; the answer is what is left.
pub fn cover(tx: &mut StepTransaction<'_>, mut pass: Pass) -> Option<Pass> {
    let id = pass.silence;
    let Some(silence) = tx.silence(&id).filter(|known| known.is_active) else {
        // It ended meanwhile, and its end lets go of what it had reached.
        finish_cover(tx, &pass);
        return None;
    };
    for (done, (number, alert)) in rest(&pass, tx).enumerate() {
        if done > 0 && tx.is_spent() {
            return Some(at(pass, number, alert));
        }
        if is_elsewhere(&pass, number) {
            leave_covered(tx, &mut pass);
            arrive(tx, &mut pass, number);
        }
        reach(tx, &silence, &mut pass, alert);
    }
    leave_covered(tx, &mut pass);
    finish_cover(tx, &pass);
    None
}

fn finish_cover(tx: &mut StepTransaction<'_>, pass: &Pass) {
    if let Some(replaced) = pass.replaces {
        silence::end(tx, replaced);
    }
    if pass.is_asked {
        tx.answer = Answer::Silence {
            silence: pass.silence,
            covers: pass.covers,
        };
    }
}

fn here(pass: &Pass) -> Option<IncidentNumber> {
    (!pass.is_past_incidents && pass.incident.0 > 0).then_some(pass.incident)
}

/// Whether the next alert is not where the pass is. Where no alert has an incident the pass begins
/// with those that have none.
fn is_elsewhere(pass: &Pass, number: Option<IncidentNumber>) -> bool {
    number != here(pass) || number.is_none() && !pass.is_past_incidents
}

/// A pass that goes on with this alert.
fn at(mut pass: Pass, number: Option<IncidentNumber>, alert: AlertId) -> Pass {
    match number {
        // The incident that was being looked at is left when the next step arrives at another.
        Some(number) if here(&pass) == Some(number) => pass.alert = alert,
        Some(_) => pass.alert = AlertId(u64::MAX),
        None if pass.is_past_incidents => pass.alert = alert,
        None => pass.alert = AlertId(u64::MAX),
    }
    pass
}

/// Begins with the next incident, or with the alerts that have none.
fn arrive(tx: &StepTransaction<'_>, pass: &mut Pass, number: Option<IncidentNumber>) {
    (pass.is_touched, pass.is_news) = (false, false);
    match number {
        Some(number) => {
            pass.incident = number;
            let incident = tx.incident(&number);
            pass.was_held = incident.is_some_and(|known| known.is_silenced);
        }
        None => pass.is_past_incidents = true,
    }
}

/// Puts a firing alert under the silence if that covers it.
fn reach(tx: &mut StepTransaction<'_>, silence: &Silence, pass: &mut Pass, id: AlertId) {
    let Some(before) = tx.alert(&id).filter(|alert| alert.firing) else {
        return;
    };
    if !covering::covers(tx, silence, &before.integration, &before.content) {
        return;
    }
    pass.is_touched = true;
    if !before.silenced_by.contains(&silence.id) {
        pass.is_news = true;
        let before = archive::leave_closed(tx, before);
        tx.edit_alert(&id, |alert| alert.silenced_by.push(silence.id));
        counts::recount(tx, &before);
    }
}

fn leave_covered(tx: &mut StepTransaction<'_>, pass: &mut Pass) {
    let Some(number) = here(pass).filter(|_| pass.is_touched) else {
        return;
    };
    let Some(incident) = tx.incident(&number).filter(|known| known.is_open()) else {
        return;
    };
    pass.covers += 1;
    // By others: where it is held since then, all that hold it were counted.
    let is_held = pass.was_held && incident.is_silenced;
    if pass.is_news && is_held && incident.status == Status::Triggered {
        tx.edit_silence(&pass.silence, |silence| silence.held_pages += 1);
    }
    silence::review(tx, number);
}

/// Lets go of alerts; the answer is what is left.
pub fn uncover(tx: &mut StepTransaction<'_>, mut pass: Pass) -> Option<Pass> {
    let id = pass.silence;
    if tx.silence(&id).is_some_and(|known| known.is_active) {
        // It holds again meanwhile: what it lost is reached anew.
        answer_uncovered(tx, &pass);
        return None;
    }
    for (done, (number, alert)) in rest(&pass, tx).enumerate() {
        if done > 0 && tx.is_spent() {
            return Some(at(pass, number, alert));
        }
        if is_elsewhere(&pass, number) {
            leave_uncovered(tx, &pass);
            arrive(tx, &mut pass, number);
        }
        let Some(before) = tx.alert(&alert).filter(|it| it.silenced_by.contains(&id)) else {
            continue;
        };
        let_go(tx, &[id], before);
    }
    leave_uncovered(tx, &pass);
    answer_uncovered(tx, &pass);
    None
}

fn answer_uncovered(tx: &mut StepTransaction<'_>, pass: &Pass) {
    if pass.is_asked {
        tx.answer = Answer::Done;
    }
}

fn leave_uncovered(tx: &mut StepTransaction<'_>, pass: &Pass) {
    if let Some(number) = here(pass) {
        silence::review(tx, number);
    }
}

/// Whether an incident is held: what lets go of it then speaks of all its alerts. An event may let
/// go of one that a silence is passing over, and then the rest of its alerts are heard.
fn is_held(tx: &StepTransaction<'_>, number: IncidentNumber) -> bool {
    let incident = tx.incident(&number);
    incident.is_some_and(|known| known.is_silenced)
}

/// Before a report is written into an alert, silences that are over and have not let go of it yet
/// do so: afterwards nothing would tell that it is to be heard.
pub fn leave_ended(tx: &mut StepTransaction<'_>, alert: Arc<Alert>) -> Arc<Alert> {
    let is_over = |id: &&SilenceId| tx.silence(id).is_none_or(|known| !known.is_active);
    let over: Vec<SilenceId> = alert.silenced_by.iter().filter(is_over).copied().collect();
    if over.is_empty() {
        return alert;
    }
    let id = alert.id;
    let_go(tx, &over, alert);
    tx.alert(&id).expect("a known alert stays known")
}

/// Silences let go of an alert, and it is heard in its incidents that are not held.
fn let_go(tx: &mut StepTransaction<'_>, silences: &[SilenceId], alert: Arc<Alert>) {
    let before = archive::leave_closed(tx, alert);
    tx.edit_alert(&before.id, |alert| {
        alert.silenced_by.retain(|known| !silences.contains(known));
    });
    counts::recount(tx, &before);
    for number in &before.incidents {
        if !is_held(tx, *number) {
            hear(tx, *number, before.id);
        }
    }
}

/// An alert that joined under a silence is heard now, as if it joined at this moment.
fn hear(tx: &mut StepTransaction<'_>, number: IncidentNumber, id: AlertId) {
    let (Some(alert), Some(incident)) = (tx.alert(&id), tx.incident(&number)) else {
        return;
    };
    if !alert.firing || !alert.silenced_by.is_empty() || !incident.is_open() {
        return;
    }
    let route = tx.rules.tree.route(&incident.route);
    let is_raised = route.is_some_and(|route| grouping::follow_urgency(tx, &alert, number, route));
    if !is_raised && incident.status == Status::Acknowledged {
        acknowledgment::page_acknowledger(tx, number);
    }
}

/// The alerts that are still to be looked at, each with its incident.
fn rest<'step>(
    pass: &Pass,
    tx: &StepTransaction<'step>,
) -> impl Iterator<Item = (Option<IncidentNumber>, AlertId)> + use<'step> {
    let state = tx.state;
    let (incident, alert) = (pass.incident, pass.alert);
    let members = (!pass.is_past_incidents).then(|| state.members_from(incident, alert));
    let first = if pass.is_past_incidents {
        alert
    } else {
        AlertId(0)
    };
    let alone = state.alerts_without_incident(first);
    let members = members.into_iter().flatten();
    let members = members.map(|(number, alert)| (Some(number), alert));
    members.chain(alone.map(|alert| (None, alert)))
}
