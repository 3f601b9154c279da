//! Silences as people set and end them.

use crate::engine::decision::Refusal;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::SilenceId;
use crate::engine::input::SilenceRequest;
use crate::engine::matcher::Matcher;
use crate::engine::records::Silence;
use crate::engine::task::{Pass, TaskKind};
use crate::engine::time::Timestamp;
use crate::engine::transaction::StepTransaction;
use crate::engine::{covering, silence};

/// Sets a silence. Where it has to reach alerts, whoever asked is told how many open incidents it
/// covers when that is done.
pub fn set(tx: &mut StepTransaction<'_>, request: SilenceRequest) -> Result<SilenceId, Refusal> {
    check_silence(tx, &request)?;
    let replaced = request.replaces.and_then(|id| tx.silence(&id));
    match replaced {
        Some(replaced) if can_change(&replaced, &request, tx.now.wall) => {
            change(tx, replaced.id, request);
            Ok(replaced.id)
        }
        Some(_) | None => Ok(add(tx, request)),
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
    }
}

/// Reaches the alerts that the silence covers.
fn reach(tx: &mut StepTransaction<'_>, pass: Pass) {
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

fn add(tx: &mut StepTransaction<'_>, request: SilenceRequest) -> SilenceId {
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
            silence::end(tx, replaced);
        }
        return id;
    }
    tx.edit_silence(&id, |silence| silence.is_active = true);
    let pass = Pass {
        // What it holds is held by the new one by then, and does not slip out in between.
        replaces: request.replaces,
        ..Pass::new(id)
    };
    reach(tx, pass);
    id
}

fn check_silence(tx: &StepTransaction<'_>, request: &SilenceRequest) -> Result<(), Refusal> {
    if !tx.state.has_room_for_silence(request.replaces) {
        let what = "another silence in addition to";
        let count = format!("{} that have not ended", Silence::MAX);
        return Err(Refusal::invalid(what, &count, "end some of them first"));
    }
    let now = tx.now.wall;
    let most = tx.rules.settings.silence_max;
    // Most often a variable that was empty: `team=$TEAM`.
    let covers_everything = request.matchers.iter().all(Matcher::matches_empty);
    if covers_everything && !request.everything {
        let help = "at least one matcher must not match the empty text; to cover everything give \
            `everything: true` (--everything), or alertname=~\".+\" for every alert with a name";
        let what = "a silence that covers everything";
        let written = covering::written(&request.matchers);
        return Err(Refusal::invalid(what, &written, help));
    }
    if request.until <= request.from.unwrap_or(now).max(now) {
        let help = "give a time after now and after `from`";
        return Err(Refusal::invalid("until", &request.until, help));
    }
    if request.until.since(now) > most {
        let help = format!("a silence ends at most {most} from now (setting silence_max)");
        return Err(Refusal::invalid("until", &request.until, help));
    }
    match request.replaces {
        Some(id) if tx.silence(&id).is_none() => Err(Refusal::unknown("silence", &id)),
        Some(_) | None => Ok(()),
    }
}

/// Ends a silence by hand.
pub fn expire(tx: &mut StepTransaction<'_>, id: SilenceId) -> Result<(), Refusal> {
    if tx.silence(&id).is_none() {
        return Err(Refusal::unknown("silence", &id));
    }
    if silence::begin_end(tx, id) {
        let pass = Pass {
            is_asked: true,
            ..Pass::new(id)
        };
        begin_asked(tx, TaskKind::EndSilence(pass));
    }
    Ok(())
}
