//! Alertmanager's API v2, `POST /api/v2/alerts`: what Prometheus itself sends.
//!
//! An alert is its label set and nothing else. It asserts itself until `endsAt`; without a repeat
//! it then ends. Which start counts when copies differ is the engine's business.

use serde_json::Value;

use crate::engine::event::{Action, Event, EventTime, Fault};
use crate::engine::time::{Duration, Timestamp};
use crate::text::hash::Fnv128;
use crate::text::shared;

use super::batch::{Batch, wrong_root};
use super::faults::{Faults, Place};
use super::fields::Fields;
use super::labels::Sent;
use super::{Answer, Answers, BodyLimit, Descriptor, Source, moment, prometheus};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = Descriptor {
    word: "alertmanager_api",
    is_mapped: false,
    read: read_body,
    body_limit: BodyLimit::Alertmanager,
    key_characters: None,
    answers: Some(Answers {
        // As in the original, the valid alerts of a batch are stored and the answer is 400.
        stored: |_, faults| answer(faults),
        nothing_usable: |parsed| answer(&parsed.faults),
        refused: |refused| Answer {
            status: refused.status,
            body: Some(refused.detail.into()),
        },
    }),
};

/// How long an alert without `endsAt` holds.
const RESOLVE_TIMEOUT: Duration = Duration::minutes(5);

/// An empty array gives neither events nor faults: the original accepts it.
fn read_body(source: Source<'_>, root: &Value, batch: &mut Batch) -> Result<(), Fault> {
    let Value::Array(alerts) = root else {
        return Err(wrong_root(root, "an array of alerts"));
    };
    batch.read_each(alerts, "$", |alert, path, faults| {
        read(source, Fields::of(alert, path, faults)?, faults)
    });
    Ok(())
}

fn read(source: Source<'_>, fields: Fields<'_>, faults: &mut Faults) -> Option<Event> {
    let labels_path = fields.place("labels").to_string();
    let labels = labels(fields, &labels_path, faults)?;
    let (action, spoken) = state(source.now, fields, faults)?;
    let asserted_by = fields.text("generatorURL", faults).unwrap_or_default();
    let dedup_key = labels.hash_into(Fnv128::default()).to_hex();
    let other_links = [(fields, "generatorURL", "Source")];
    let content = prometheus::content(source, fields, labels, &other_links, faults);
    Some(Event {
        asserted_by: Some(shared(&asserted_by)),
        ..Event::new(action, dedup_key, spoken, content)
    })
}

/// The labels; an alert without any, or with a name that is none, is refused as by the original.
fn labels<'body>(
    alert: Fields<'body>,
    path: &'body str,
    faults: &mut Faults,
) -> Option<Sent<'body>> {
    let object = alert.object("labels", faults);
    let bad_name = object.and_then(|object| object.keys().find(|name| !is_label_name(name)));
    if let Some(name) = bad_name {
        faults.add(
            Place::Name(path, name),
            "is not a label name: it is empty or contains control characters",
        );
        return None;
    }
    let labels = Sent::of(object, path, faults);
    if labels.is_empty() {
        faults.add(
            path,
            "has no label with a value; an alert is identified by its labels",
        );
        return None;
    }
    Some(labels)
}

/// 200 with nothing, or 400 with all faults as one JSON string.
fn answer(faults: &[Fault]) -> Answer {
    if faults.is_empty() {
        return Answer {
            status: 200,
            body: None,
        };
    }
    let faults = faults.iter();
    let sentences = faults.map(|fault| format!("{}: {}", fault.path, fault.problem));
    let sentences: Vec<String> = sentences.collect();
    Answer {
        status: 400,
        body: Some(sentences.join("; ").into()),
    }
}

/// As the original since its version 0.27: any text in UTF-8.
fn is_label_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}

/// Whether the alert fires and until when; none if it ends before it starts.
fn state(now: Timestamp, alert: Fields<'_>, faults: &mut Faults) -> Option<(Action, EventTime)> {
    // A start that was not sent stays unknown: if it became the time of each request, every repeat
    // would look like a new beginning and open an incident that a person has just closed.
    let starts_at = alert.time("startsAt", faults);
    let ends_at = alert.time("endsAt", faults);
    if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
        && ends_at < starts_at
    {
        faults.add(alert.place("endsAt"), "is before startsAt");
        return None;
    }
    let (action, ends_at) = match ends_at {
        Some(ends_at) if ends_at <= now => (Action::Resolve, ends_at),
        Some(ends_at) => (Action::Trigger, ends_at),
        // Nobody knows what was meant; an end that is too early would lose the alert.
        None if alert.get("endsAt").is_some_and(moment::is_unreadable) => {
            (Action::Trigger, moment::LATEST)
        }
        None => (Action::Trigger, now + RESOLVE_TIMEOUT),
    };
    let ends_at = Some(ends_at);
    Some((action, EventTime::StateAsserted { starts_at, ends_at }))
}
