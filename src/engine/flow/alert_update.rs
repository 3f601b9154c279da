//! A trigger is written into the record of its alert: what it says, until when it holds, and which
//! holds of people it ends.

use std::sync::Arc;

use crate::engine::alert::{Alert, Hold};
use crate::engine::event::{Event, EventTime};
use crate::engine::ids::{AlertId, IntegrationName};
use crate::engine::time::{MonotonicTime, Now, Timestamp};
use crate::engine::transaction::StepTransaction;
use crate::engine::{counts, covering, silence, silencing};

/// Writes what the event says into its alert record, or into a new one.
pub fn write(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: &Event,
    known: Option<Arc<Alert>>,
) -> AlertId {
    let now = tx.now;
    let Some(known) = known else {
        return create(tx, integration, event);
    };
    let known = silencing::leave_ended(tx, known);
    let silenced_by = covering::covering(tx, integration, &event.content);
    let asserted = asserted(tx, event);
    tx.edit_alert(&known.id, |alert| {
        alert.silenced_by = silenced_by;
        update(alert, event, asserted, now);
    });
    count_again(tx, &known);
    known.id
}

fn create(tx: &mut StepTransaction<'_>, integration: &IntegrationName, event: &Event) -> AlertId {
    let now = tx.now;
    let (starts_at, expires) = asserted(tx, event);
    let id = tx.next_alert();
    let (key, content) = (event.dedup_key.clone(), event.content.clone());
    let mut alert = Alert {
        starts_at,
        expires,
        silenced_by: covering::covering(tx, integration, &event.content),
        ..Alert::new(id, integration.clone(), key, content, now.wall)
    };
    assert_by_sender(&mut alert, event, now.steady);
    tx.put_alert(id, alert);
    id
}

/// Since when an event asserts its alert, and until when.
type Asserted = (Option<Timestamp>, Option<MonotonicTime>);

/// Since when and until when the event asserts its alert: for as long as it said when it came.
fn asserted(tx: &StepTransaction<'_>, event: &Event) -> Asserted {
    let lasts = |ends_at: Timestamp| ends_at.since(tx.accepted_at());
    match event.spoken {
        EventTime::StateAsserted { starts_at, ends_at } => {
            let expires = ends_at.map(|ends_at| tx.now.steady + lasts(ends_at));
            (starts_at, expires)
        }
        EventTime::OccurredAt(_) => (None, None),
    }
}

fn update(alert: &mut Alert, event: &Event, asserted: Asserted, now: Now) {
    let goes_on = alert.firing && !end_holds(alert, event, now.steady);
    if alert.firing {
        alert.repeats += 1;
    } else {
        alert.first_seen = now.wall;
        alert.repeats = 0;
        alert.acknowledged = false;
    }
    if *alert.content != *event.content {
        alert.content = event.content.clone();
    }
    let (starts_at, expires) = asserted;
    alert.starts_at = match (alert.starts_at, starts_at) {
        // Of several senders' starts the earliest is shown.
        (Some(known), start) if goes_on => Some(start.map_or(known, |start| start.min(known))),
        (_, starts_at) => starts_at,
    };
    alert.expires = expires;
    assert_by_sender(alert, event, now.steady);
    alert.last_seen = now.wall;
    alert.firing = true;
    alert.held_old = false;
    alert.resolved_at = None;
    alert.resolved_source_time = None;
    alert.forget = None;
}

/// Drops the holds that ran out or that the event ends. Whether it ended any.
fn end_holds(alert: &mut Alert, event: &Event, now: MonotonicTime) -> bool {
    let holds = std::mem::take(&mut alert.holds);
    let (ended, held): (Vec<Hold>, Vec<Hold>) = holds
        .into_iter()
        .partition(|hold| ends_hold(alert, hold, event, now));
    alert.holds = held;
    alert.holds.retain(|hold| hold.until > now);
    !ended.is_empty()
}

/// Whether an event is news to the person who resolved: it reports a moment, or asserts a start
/// after the resolve that is not another sender's word for the same condition.
fn ends_hold(before: &Alert, hold: &Hold, event: &Event, now: MonotonicTime) -> bool {
    match event.spoken {
        EventTime::OccurredAt(_) => true,
        EventTime::StateAsserted { starts_at, .. } => {
            let is_later = starts_at.is_some_and(|start| start > hold.since);
            let goes_on = event.assertion().is_some_and(|assertion| {
                before
                    .assertions
                    .is_continued_by(&assertion, hold.since, now)
            });
            is_later && !goes_on
        }
    }
}

/// Where the format tells senders apart, the alert goes on until the last of them is done.
fn assert_by_sender(alert: &mut Alert, event: &Event, now: MonotonicTime) {
    if let Some(assertion) = event.assertion() {
        alert.assertions.assert(assertion, alert.expires, now);
        alert.expires = alert.assertions.expires();
    }
}

/// Other labels may bring an alert under a silence, or out of one.
fn count_again(tx: &mut StepTransaction<'_>, before: &Alert) {
    counts::recount(tx, before);
    for number in &before.incidents {
        silence::review(tx, *number);
    }
}
