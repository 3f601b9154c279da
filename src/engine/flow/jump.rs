//! Jumps of the wall clock: what is overdue by them happens at once, and nothing is forgotten by
//! them until the clock is believed.
//!
//! A jump ahead of more than a day may be a machine that was switched off, or a wrong clock. Pages
//! leave in either case. What can only be lost waits: history, ended silences and overrides are
//! kept, silences that ended by the jump hold again when the clock comes back, and memory of groups
//! and alerts lasts as long as it would have without the jump.

use crate::engine::cause::Cause;
use crate::engine::decision::Answer;
use crate::engine::event::Text;
use crate::engine::ids::{AlertId, OverrideId, SilenceId};
use crate::engine::incident::SelfIncident;
use crate::engine::records::UnconfirmedJump;
use crate::engine::task::{Remembered, TaskKind};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{self_incidents, silence};

/// A jump ahead of at most so much is believed at once.
pub const BELIEVED: Duration = Duration::days(1);
/// A longer one than this is no weekend: somebody is woken.
const ORDINARY: Duration = Duration::days(7);

/// The wall clock is ahead by so much more than time has passed.
pub fn ahead(tx: &mut StepTransaction<'_>, by: Duration) {
    if by <= BELIEVED {
        return;
    }
    let known = tx.jump.map_or(Duration::ZERO, |jump| jump.by);
    tx.jump = Some(UnconfirmedJump {
        by: Duration(known.0.saturating_add(by.0)),
        since: tx.now.steady,
    });
    let next = Remembered::Groups("".into());
    tx.begin(TaskKind::KeepMemory { by, next });
}

/// Everything that is remembered is kept: what comes from now on counts by the clock as it is.
fn tell(tx: &mut StepTransaction<'_>, by: Duration) {
    let text = format!(
        "the wall clock is {by} ahead of the last commit; nothing is purged for an hour: if it is \
         wrong, set it back by then; if it is right, do nothing, or run `reveille clock confirm` \
         to end the wait"
    );
    self_incidents::raise(tx, trouble(cause_of(by)), &text);
}

fn cause_of(by: Duration) -> Cause {
    if by > ORDINARY {
        Cause::Clock
    } else {
        Cause::ClockAhead
    }
}

fn trouble(cause: Cause) -> SelfIncident {
    SelfIncident::new(cause, "")
}

/// A start or a sleep: an unconfirmed jump has to last its hour from now on, since nobody knows
/// how much time passed meanwhile.
pub fn begin_anew(tx: &mut StepTransaction<'_>) {
    // Of a jump of this very moment nothing has passed.
    let since = tx.now.steady;
    if let Some(jump) = &mut tx.jump {
        jump.since = since;
    }
}

/// The wall clock was set back.
pub fn back(tx: &mut StepTransaction<'_>, by: Duration) {
    let text = format!("the wall clock was set back by {by}; running waits are unchanged");
    self_incidents::raise(tx, trouble(Cause::Clock), &text);
    let Some(jump) = tx.jump else {
        return;
    };
    let rest = Duration(jump.by.0.saturating_sub(by.0));
    if rest > BELIEVED {
        tx.jump = Some(UnconfirmedJump { by: rest, ..jump });
    } else {
        tx.jump = None;
        set_back(tx, by);
        self_incidents::clear(tx, &trouble(Cause::ClockAhead));
    }
    silence::look_at_lapsed(tx);
}

/// An admin says that the clock is right.
pub fn confirm(tx: &mut StepTransaction<'_>) {
    if tx.jump.is_some() {
        believe(tx);
        self_incidents::clear(tx, &trouble(Cause::Clock));
    }
    tx.answer = Answer::Done;
}

/// It has lasted long enough.
pub fn due(tx: &mut StepTransaction<'_>) {
    let now = tx.now.steady;
    if tx.jump.is_some_and(|jump| jump.believed_at() <= now) {
        believe(tx);
    }
}

fn believe(tx: &mut StepTransaction<'_>) {
    tx.jump = None;
    silence::look_at_lapsed(tx);
    self_incidents::clear(tx, &trouble(Cause::ClockAhead));
}

/// What is remembered on the steady line is remembered for as long as if there had been no jump:
/// the line itself never goes back, so that it would be lost with a clock that does. The answer is
/// where to go on.
pub fn keep_memory(
    tx: &mut StepTransaction<'_>,
    by: Duration,
    next: Remembered,
) -> Option<Remembered> {
    match next {
        Remembered::Groups(last) => Some(keep_groups(tx, by, &last)),
        Remembered::Alerts(next) => keep_alerts(tx, by, next).map(Remembered::Alerts),
    }
}

fn keep_groups(tx: &mut StepTransaction<'_>, by: Duration, last: &Text) -> Remembered {
    for group in tx.state.groups_after(last) {
        if group.forget.is_some() {
            tx.edit_group(&group.key, |group| {
                group.forget = group.forget.map(|at| at + by);
            });
        }
        if tx.is_spent() {
            return Remembered::Groups(group.key.clone());
        }
    }
    Remembered::Alerts(AlertId(0))
}

fn keep_alerts(tx: &mut StepTransaction<'_>, by: Duration, next: AlertId) -> Option<AlertId> {
    for alert in tx.state.alerts_after(next) {
        if alert.forget.is_some() || alert.expires.is_some() {
            tx.edit_alert(&alert.id, |alert| {
                alert.forget = alert.forget.map(|at| at + by);
                alert.expires = alert.expires.map(|at| at + by);
                alert.assertions.put_off(by);
            });
        }
        if tx.is_spent() {
            return Some(AlertId(alert.id.0 + 1));
        }
    }
    tell(tx, by);
    None
}

/// What was set under the wrong clock lasts for as long as was meant.
fn set_back(tx: &mut StepTransaction<'_>, by: Duration) {
    let wall = tx.now.wall;
    let silences = tx.state.silences();
    let silences: Vec<SilenceId> = silences
        .filter(|known| known.created_at > wall || known.updated_at.is_some_and(|at| at > wall))
        .map(|known| known.id)
        .collect();
    for id in silences {
        tx.edit_silence(&id, |silence| {
            if silence.created_at > wall {
                silence.from = silence.from.minus(by);
                silence.created_at = silence.created_at.minus(by);
            }
            silence.until = silence.until.minus(by);
            silence.updated_at = silence.updated_at.map(|at| at.minus(by));
        });
    }
    let overrides = tx.state.overrides();
    let overrides: Vec<OverrideId> = overrides
        .filter(|known| known.created_at > wall)
        .map(|known| known.id)
        .collect();
    for id in overrides {
        tx.edit_override(&id, |known| {
            known.from = known.from.minus(by);
            known.until = known.until.minus(by);
            known.created_at = known.created_at.minus(by);
        });
    }
}
