//! PagerDuty's Events API v2, `POST /v2/enqueue`, and its change events, `POST /v2/change/enqueue`.
//!
//! The problems of a refused event are worded as the original words them, because the answer gives
//! them back in its `errors`.

mod answers;
mod content;

use serde_json::Value;

use crate::engine::event::{Action, Event, EventTime, Fault, Text};
use crate::text::hash::Fnv128;

use self::answers::{ANSWERS, CHANGE_ANSWERS};
pub use self::answers::{unknown_routing_key, unrecognized_object, without_routing_key};
use self::content::content;
use super::batch::{Batch, wrong_root};
use super::dedup;
use super::faults::{Faults, Place};
use super::fields::Fields;
use super::{BodyLimit, Descriptor, Source, json};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = EVENTS;

const EVENTS: Descriptor = Descriptor {
    word: "pagerduty",
    is_mapped: false,
    read: |source, root, batch| read_event(source, root, batch, read),
    body_limit: BodyLimit::Ordinary,
    key_characters: Some(32),
    answers: Some(ANSWERS),
};

/// Change events, which have a path of their own and no key.
pub static CHANGE: Descriptor = Descriptor {
    read: |source, root, batch| read_event(source, root, batch, change),
    answers: Some(CHANGE_ANSWERS),
    ..EVENTS
};

/// A body is one event.
fn read_event(
    source: Source<'_>,
    root: &Value,
    batch: &mut Batch,
    read: fn(Source<'_>, Fields<'_>, &mut Faults) -> Option<Event>,
) -> Result<(), Fault> {
    let Value::Object(object) = root else {
        return Err(wrong_root(root, "one event object"));
    };
    let event = Fields { object, path: "$" };
    batch.read("$", |faults| read(source, event, faults));
    Ok(())
}

/// A change event: something was deployed or set, nothing is wrong.
fn change(source: Source<'_>, event: Fields<'_>, faults: &mut Faults) -> Option<Event> {
    let Some(payload) = event.inner("payload", "$.payload", faults) else {
        missing(event.place("payload"), "payload", faults);
        return None;
    };
    if payload.text("summary", faults).is_none() {
        missing(payload.place("summary"), "payload.summary", faults);
        return None;
    }
    let moment = payload.moment("timestamp", source.now, faults);
    let content = content(source, event, Some(payload), faults);
    Some(Event::new(
        Action::Change,
        unique_key(source),
        moment,
        content,
    ))
}

/// What a body, which need not be good otherwise, says about who posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoutingKey {
    Given(String),
    /// Missing or blank, which the original does not tell apart.
    Missing,
    /// The body is no JSON object at all.
    Unrecognized,
}

/// The key that says which integration posts.
pub fn routing_key(body: &[u8]) -> RoutingKey {
    let Ok(document) = json::read(body) else {
        return RoutingKey::Unrecognized;
    };
    let Value::Object(event) = &document.root else {
        return RoutingKey::Unrecognized;
    };
    match event.get("routing_key").and_then(Value::as_str) {
        Some(key) if !key.trim().is_empty() => RoutingKey::Given(key.to_owned()),
        Some(_) | None => RoutingKey::Missing,
    }
}

/// Stands for the random key that the original gives to a trigger without one. Nothing is random
/// here, so the time in milliseconds makes it unique: only the very same body within the same
/// millisecond gets the same key, and then it is one event sent twice.
fn unique_key(source: Source<'_>) -> Text {
    Fnv128::default()
        .with(source.integration.name.as_str())
        .with_bytes(source.body)
        .with_bytes(&source.now.0.to_le_bytes())
        .to_hex()
        .into()
}

fn read(source: Source<'_>, event: Fields<'_>, faults: &mut Faults) -> Option<Event> {
    let action = action(event, faults);
    let dedup_key = event.text("dedup_key", faults);
    if dedup_key.is_none() && matches!(action, Some(Action::Acknowledge | Action::Resolve)) {
        missing(event.place("dedup_key"), "dedup_key", faults);
        return None;
    }
    let dedup_key = match dedup_key {
        Some(key) => dedup::key(&key, event.place("dedup_key"), faults),
        None => unique_key(source),
    };
    let payload = event.inner("payload", "$.payload", faults);
    let is_complete = match action {
        // A missing payload is reported beside a missing action, all at once.
        None | Some(Action::Trigger) => require(event, payload, faults),
        Some(Action::Acknowledge | Action::Resolve | Action::Change | Action::Ignore) => true,
    };
    let action = action.filter(|_| is_complete)?;
    let moment = match payload {
        Some(payload) => payload.moment("timestamp", source.now, faults),
        None => EventTime::OccurredAt(None),
    };
    let content = content(source, event, payload, faults);
    Some(Event::new(action, dedup_key, moment, content))
}

fn action(event: Fields<'_>, faults: &mut Faults) -> Option<Action> {
    let place = event.place("event_action");
    let Some(word) = event.text("event_action", faults) else {
        missing(place, "event_action", faults);
        return None;
    };
    let known = [Action::Trigger, Action::Acknowledge, Action::Resolve];
    let action = known.into_iter().find(|action| action.as_str() == word);
    if action.is_none() {
        faults.add(
            place,
            "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or \
             'resolve')",
        );
    }
    action
}

/// Whether a trigger has what it must have; everything missing is reported at once.
fn require(event: Fields<'_>, payload: Option<Fields<'_>>, faults: &mut Faults) -> bool {
    let Some(payload) = payload else {
        missing(event.place("payload"), "payload", faults);
        return false;
    };
    let mut is_complete = true;
    for name in ["summary", "source", "severity"] {
        if payload.text(name, faults).is_none() {
            missing(payload.place(name), &format!("payload.{name}"), faults);
            is_complete = false;
        }
    }
    is_complete
}

fn missing(place: Place<'_>, name: &str, faults: &mut Faults) {
    faults.add(place, format_args!("'{name}' is missing or blank"));
}
