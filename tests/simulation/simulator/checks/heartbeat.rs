//! M: the outside heartbeat tells the truth.

use reveille::engine::time::Duration;

use super::super::history::Seen;
use super::Finding;

/// A timer may be late by this much.
const LATE: Duration = Duration::seconds(70);

/// M1: no heartbeat while every channel that was tried is down, or while timers are late.
pub fn see(seen: &Seen<'_>) -> Finding {
    let Seen::Minute {
        is_beating: true,
        state,
        now,
    } = seen
    else {
        return None;
    };
    let mut tried = state
        .channels()
        .filter(|channel| channel.name.as_str() != "console")
        .peekable();
    let has_tried = tried.peek().is_some();
    if has_tried && tried.all(|channel| channel.down.is_some()) {
        return Some((
            "M1",
            "the heartbeat goes on with every channel down".to_owned(),
        ));
    }
    let late = state.overdue(now.steady, LATE.0, 10);
    (late > 0).then(|| {
        (
            "M1",
            format!("the heartbeat goes on with {late} timers late"),
        )
    })
}
