//! Silences: quiet for a time.

use crate::engine::decision::{Answer, Refusal};
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{IncidentNumber, SilenceId};
use crate::engine::incident::Status;
use crate::engine::input::SilenceRequest;
use crate::engine::matcher::Matcher;
use crate::engine::reason::Reason;
use crate::engine::records::{EntryKind, Silence};
use crate::engine::task::{Pass, TaskKind};
use crate::engine::time::Timestamp;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::engine::{covering, escalation};

/// Sets a silence and answers how many open incidents it covers now.
pub fn set(tx: &mut StepTransaction<'_>, request: SilenceRequest) {
    if let Err(refusal) = check_silence(tx, &request) {
        tx.answer = Answer::Refused(refusal);
        return;
    }
    let replaced = request.replaces.and_then(|id| tx.silence(&id));
    match replaced {
        Some(replaced) if can_change(&replaced, &request, tx.now.wall) => {
            change(tx, replaced.id, request);
        }
        Some(_) | None => add(tx, request),
    }
}

/// Whether a request changes a silence in place; otherwise another one replaces it. As in
/// Alertmanager, matchers never change, nor the start of a silence that has begun.
fn can_change(silence: &Silence, request: &SilenceRequest, now: Timestamp) -> bool {
    let starts_as_before = request.from.is_none_or(|from| {
        if silence.is_active {
            seconds(from) == seconds(silence.from)
        } else {
            from >= now
        }
    });
    silence.ended_at.is_none() && silence.matchers == request.matchers && starts_as_before
}

/// Clients may cut moments to the second.
fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

fn change(tx: &mut StepTransaction<'_>, id: SilenceId, request: SilenceRequest) {
    let now = tx.now.wall;
    let by = tx.rules.with_full_name(request.actor);
    let is_active = tx.edit_silence(&id, |silence| {
        if !silence.is_active {
            silence.from = request.from.unwrap_or(silence.from);
        }
        silence.is_active = silence.from <= now;
        silence.until = request.until;
        silence.has_lapsed = false;
        silence.reason = request.reason;
        silence.created_by = by;
        silence.updated_at = Some(now);
        silence.is_active
    });
    if is_active == Some(true) {
        reach(tx, Pass::new(id));
    } else {
        answer(tx, id);
    }
}

/// It covers nothing yet.
fn answer(tx: &mut StepTransaction<'_>, id: SilenceId) {
    tx.answer = Answer::Silence {
        silence: id,
        covers: 0,
    };
}

/// Reaches the alerts that the silence covers; whoever asked is told how many incidents it covers
/// when that is done.
fn reach(tx: &mut StepTransaction<'_>, pass: Pass) {
    answer(tx, pass.silence);
    let pass = Pass {
        is_asked: true,
        ..pass
    };
    begin_asked(tx, TaskKind::BeginSilence(pass));
}

fn begin_asked(tx: &mut StepTransaction<'_>, task: TaskKind) {
    let is_asked = true;
    tx.follow_up(FollowUp::Begin { task, is_asked });
}

fn add(tx: &mut StepTransaction<'_>, request: SilenceRequest) {
    let id = tx.next_silence();
    let from = request.from.unwrap_or(tx.now.wall).max(tx.now.wall);
    let silence = Silence {
        id,
        matchers: request.matchers,
        from,
        until: request.until,
        reason: request.reason,
        created_by: tx.rules.with_full_name(request.actor),
        created_at: tx.now.wall,
        held_pages: 0,
        is_active: false,
        updated_at: None,
        ended_at: None,
        has_lapsed: false,
    };
    tx.put_silence(id, silence);
    if from > tx.now.wall {
        if let Some(replaced) = request.replaces {
            end(tx, replaced);
        }
        return answer(tx, id);
    }
    tx.edit_silence(&id, |silence| silence.is_active = true);
    let pass = Pass {
        // What it holds is held by the new one by then, and does not slip out in between.
        replaces: request.replaces,
        ..Pass::new(id)
    };
    reach(tx, pass);
}

fn check_silence(tx: &StepTransaction<'_>, request: &SilenceRequest) -> Result<(), Refusal> {
    if !tx.state.has_room_for_silence(request.replaces) {
        return Err(Refusal::Invalid {
            what: "another silence in addition to",
            value: format!("{} that have not ended", Silence::MAX),
            help: "end some of them first".to_owned(),
        });
    }
    let invalid = |what, value: String, help: String| Err(Refusal::Invalid { what, value, help });
    let now = tx.now.wall;
    let most = tx.rules.settings.silence_max;
    // Most often a variable that was empty: `team=$TEAM`.
    let covers_everything = request.matchers.iter().all(Matcher::matches_empty);
    if covers_everything && !request.everything {
        let help = "at least one matcher must not match the empty text; to cover everything give \
            `everything: true` (--everything), or alertname=~\".+\" for every alert with a name"
            .to_owned();
        return invalid(
            "a silence that covers everything",
            covering::written(&request.matchers),
            help,
        );
    }
    if request.until <= request.from.unwrap_or(now).max(now) {
        let help = "give a time after now and after `from`".to_owned();
        return invalid("until", request.until.to_string(), help);
    }
    if request.until.since(now) > most {
        let help = format!("a silence ends at most {most} from now (setting silence_max)");
        return invalid("until", request.until.to_string(), help);
    }
    match request.replaces {
        Some(id) if tx.silence(&id).is_none() => Err(Refusal::Unknown {
            kind: "silence",
            name: id.to_string(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Ends a silence by hand.
pub fn expire(tx: &mut StepTransaction<'_>, id: SilenceId) {
    if tx.silence(&id).is_none() {
        let name = id.to_string();
        tx.answer = Answer::Refused(Refusal::Unknown {
            kind: "silence",
            name,
        });
        return;
    }
    tx.answer = Answer::Done;
    if begin_end(tx, id) {
        let pass = Pass {
            is_asked: true,
            ..Pass::new(id)
        };
        begin_asked(tx, TaskKind::EndSilence(pass));
    }
}

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
fn begin_end(tx: &mut StepTransaction<'_>, id: SilenceId) -> bool {
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
    let text = "the silence ended and it is still firing; escalation starts at step 1";
    let reason = Reason::SilenceOver;
    tx.note(number, EntryKind::Escalation, reason, text);
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
    let text = format!("urgency is now {urgency}");
    let reason = Reason::UrgencyRaised;
    tx.note(number, EntryKind::Incident, reason, text);
}
