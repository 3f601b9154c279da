//! Jumps of the wall clock: what is overdue by them happens at once, and nothing is forgotten by
//! them until the clock is believed.
//!
//! A jump ahead of more than a day may be a machine that was switched off, or a wrong clock. Pages
//! leave in either case. What can only be lost waits: history, ended silences and overrides are
//! kept, silences that ended by the jump hold again when the clock comes back, and memory of groups
//! and alerts lasts as long as it would have without the jump.

use serde::{Deserialize, Serialize};

use super::decision::Answer;
use super::draft::Draft;
use super::event::Text;
use super::ids::{AlertId, OverrideId, SilenceId};
use super::incident::Trouble;
use super::records::UnconfirmedJump;
use super::task::{self, TaskKind};
use super::time::{Millis, Steady};
use super::trouble::Cause;
use super::{silence, trouble_desk};

/// A jump ahead of at most so much is believed at once.
pub const BELIEVED: Millis = Millis::days(1);
/// A longer one is believed once it has lasted so long in one process.
const BELIEVED_AFTER: Millis = Millis::hours(1);
/// A longer one than this is no weekend: somebody is woken.
const ORDINARY: Millis = Millis::days(7);

/// When a jump is believed if the clock stays as it is.
pub(super) fn believed_at(jump: &UnconfirmedJump) -> Steady {
    jump.since + BELIEVED_AFTER
}

/// The wall clock is ahead by so much more than time has passed.
pub(super) fn ahead(draft: &mut Draft<'_>, by: Millis) {
    if by <= BELIEVED {
        return;
    }
    let known = draft.jump.map_or(Millis::ZERO, |jump| jump.by);
    draft.jump = Some(UnconfirmedJump {
        by: Millis(known.0.saturating_add(by.0)),
        since: draft.now.steady,
    });
    let next = Remembered::Groups("".into());
    task::begin(draft, TaskKind::KeepMemory { by, next });
}

/// Everything that is remembered is kept: what comes from now on counts by the clock as it is.
fn tell(draft: &mut Draft<'_>, by: Millis) {
    let text = format!(
        "the wall clock is {by} ahead of the last commit; nothing is forgotten by it for an hour: \
         if it is wrong set it back by then, if it is right there is nothing to do, or \
         `reveille clock confirm` ends the wait"
    );
    trouble_desk::raise(draft, trouble(cause_of(by)), &text);
}

fn cause_of(by: Millis) -> Cause {
    if by > ORDINARY {
        Cause::Clock
    } else {
        Cause::ClockAhead
    }
}

fn trouble(cause: Cause) -> Trouble {
    Trouble {
        cause,
        subject: "".into(),
    }
}

/// A start or a sleep: an unconfirmed jump has to last its hour from now on, since nobody knows
/// how much time passed meanwhile.
pub(super) fn begin_anew(draft: &mut Draft<'_>) {
    // Of a jump of this very moment nothing has passed.
    let since = draft.now.steady;
    if let Some(jump) = &mut draft.jump {
        jump.since = since;
    }
}

/// The wall clock was set back.
pub(super) fn back(draft: &mut Draft<'_>, by: Millis) {
    let text = format!("the wall clock was set back by {by}; remaining waits hold");
    trouble_desk::raise(draft, trouble(Cause::Clock), &text);
    let Some(jump) = draft.jump else {
        return;
    };
    let rest = Millis(jump.by.0.saturating_sub(by.0));
    if rest > BELIEVED {
        draft.jump = Some(UnconfirmedJump { by: rest, ..jump });
    } else {
        draft.jump = None;
        set_back(draft, by);
        trouble_desk::clear(draft, &trouble(Cause::ClockAhead));
    }
    silence::look_at_lapsed(draft);
}

/// An admin says that the clock is right.
pub(super) fn confirm(draft: &mut Draft<'_>) {
    if draft.jump.is_some() {
        believe(draft);
        trouble_desk::clear(draft, &trouble(Cause::Clock));
    }
    draft.answer = Answer::Done;
}

/// It has lasted long enough.
pub(super) fn due(draft: &mut Draft<'_>) {
    let now = draft.now.steady;
    if draft.jump.is_some_and(|jump| believed_at(&jump) <= now) {
        believe(draft);
    }
}

fn believe(draft: &mut Draft<'_>) {
    draft.jump = None;
    silence::look_at_lapsed(draft);
    trouble_desk::clear(draft, &trouble(Cause::ClockAhead));
}

/// How far it got through what is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remembered {
    /// Groups after this one.
    Groups(Text),
    /// Alerts from this one on.
    Alerts(AlertId),
}

/// What is remembered on the steady line is remembered for as long as if there had been no jump:
/// the line itself never goes back, so that it would be lost with a clock that does. The answer is
/// where to go on.
pub(super) fn keep_memory(
    draft: &mut Draft<'_>,
    by: Millis,
    next: Remembered,
) -> Option<Remembered> {
    match next {
        Remembered::Groups(last) => Some(keep_groups(draft, by, &last)),
        Remembered::Alerts(next) => keep_alerts(draft, by, next).map(Remembered::Alerts),
    }
}

fn keep_groups(draft: &mut Draft<'_>, by: Millis, last: &Text) -> Remembered {
    for group in draft.state.groups_after(last) {
        if group.forget.is_some() {
            draft.edit_group(&group.key, |group| {
                group.forget = group.forget.map(|at| at + by);
            });
        }
        if draft.is_spent() {
            return Remembered::Groups(group.key.clone());
        }
    }
    Remembered::Alerts(AlertId(0))
}

fn keep_alerts(draft: &mut Draft<'_>, by: Millis, next: AlertId) -> Option<AlertId> {
    for alert in draft.state.alerts_after(next) {
        if alert.forget.is_some() || alert.expires.is_some() {
            draft.edit_alert(&alert.id, |alert| {
                alert.forget = alert.forget.map(|at| at + by);
                alert.expires = alert.expires.map(|at| at + by);
                alert.assertions.put_off(by);
            });
        }
        if draft.is_spent() {
            return Some(AlertId(alert.id.0 + 1));
        }
    }
    tell(draft, by);
    None
}

/// What was set under the wrong clock lasts for as long as was meant.
fn set_back(draft: &mut Draft<'_>, by: Millis) {
    let wall = draft.now.wall;
    let silences = draft.state.silences();
    let silences: Vec<SilenceId> = silences
        .filter(|known| known.created_at > wall || known.updated_at.is_some_and(|at| at > wall))
        .map(|known| known.id)
        .collect();
    for id in silences {
        draft.edit_silence(&id, |silence| {
            if silence.created_at > wall {
                silence.from = silence.from.minus(by);
                silence.created_at = silence.created_at.minus(by);
            }
            silence.until = silence.until.minus(by);
            silence.updated_at = silence.updated_at.map(|at| at.minus(by));
        });
    }
    let overrides = draft.state.overrides();
    let overrides: Vec<OverrideId> = overrides
        .filter(|known| known.created_at > wall)
        .map(|known| known.id)
        .collect();
    for id in overrides {
        draft.edit_override(&id, |known| {
            known.from = known.from.minus(by);
            known.until = known.until.minus(by);
            known.created_at = known.created_at.minus(by);
        });
    }
}
