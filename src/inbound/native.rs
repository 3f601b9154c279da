//! The native format: one event object, or an array of them.

use std::borrow::Cow;

use serde_json::Value;

use crate::engine::event::{Action, Content, Event, Fault, Labels, Link, Text};
use crate::text::hash::Fnv128;

use super::batch::{Batch, wrong_root};
use super::dedup;
use super::faults::{Faults, Place, quote};
use super::fields::{self, Fields};
use super::labels::Sent;
use super::links::Links;
use super::{BodyLimit, Descriptor, Source, details, limits};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = Descriptor {
    word: "native",
    is_mapped: false,
    read: read_body,
    body_limit: BodyLimit::Ordinary,
    key_characters: None,
    answers: None,
};

fn read_body(source: Source<'_>, root: &Value, batch: &mut Batch) -> Result<(), Fault> {
    match root {
        Value::Object(_) => batch.read("$", |faults| read(source, root, "$", faults)),
        Value::Array(elements) if elements.is_empty() => {
            batch
                .faults
                .add("$", "is an empty array; send at least one event");
        }
        Value::Array(elements) => batch.read_each(elements, "$", |element, path, faults| {
            read(source, element, path, faults)
        }),
        other => return Err(wrong_root(other, "one event object or an array of them")),
    }
    Ok(())
}

fn read(source: Source<'_>, value: &Value, path: &str, faults: &mut Faults) -> Option<Event> {
    let fields = Fields::of(value, path, faults)?;
    let action = action(fields, faults)?;
    let labels_path = fields.place("labels").to_string();
    let labels = Sent::of(fields.object("labels", faults), &labels_path, faults);
    let dedup_key = dedup_key(action, fields, &labels, faults)?;
    let summary = summary(action, fields, &labels, faults)?;
    let occurred_at = fields.moment("occurred_at", source.now, faults);
    let id = fields.text("id", faults);
    let id = id.map(|id| dedup::key(&id, fields.place("id"), faults));
    let severity = severity(fields, &labels, faults);
    let labels = labels.finish(source.integration, path, faults);
    let content = content(fields, (summary, severity, labels), faults);
    Some(Event {
        id,
        ..Event::new(action, dedup_key, occurred_at, content)
    })
}

/// The severity, else the label of that name, as in the formats whose severity is a label.
fn severity(fields: Fields<'_>, labels: &Sent<'_>, faults: &mut Faults) -> Text {
    let sent = fields.line("severity", faults);
    let sent = sent.filter(|severity| !severity.is_empty());
    let from_label = || {
        let (value, place) = labels.find("severity")?;
        Some(fields::line(value, place, faults))
    };
    sent.or_else(from_label).unwrap_or_default()
}

fn content(
    fields: Fields<'_>,
    (summary, severity, labels): (Text, Text, Labels),
    faults: &mut Faults,
) -> Content {
    let details = fields
        .get("details")
        .and_then(|value| details::text(value, fields.place("details"), faults));
    Content {
        summary,
        severity,
        source: fields.line("source", faults),
        component: fields.line("component", faults),
        group: fields.line("group", faults),
        class: fields.line("class", faults),
        service: fields.line("service", faults),
        labels,
        details,
        links: links(fields, faults),
    }
}

fn action(fields: Fields<'_>, faults: &mut Faults) -> Option<Action> {
    let word = match fields.get("action") {
        None => return Some(Action::Trigger),
        Some(Value::String(word)) => word.trim(),
        Some(other) => &other.to_string(),
    };
    let known = [Action::Trigger, Action::Acknowledge, Action::Resolve];
    let action = known
        .into_iter()
        .find(|action| action.as_str().eq_ignore_ascii_case(word));
    if action.is_none() {
        faults.add(
            fields.place("action"),
            format_args!(
                "is {}; it must be trigger, acknowledge or resolve",
                quote(word)
            ),
        );
    }
    action
}

/// The key as sent, or for a trigger the hash of integration, source, summary and labels.
fn dedup_key(
    action: Action,
    fields: Fields<'_>,
    labels: &Sent<'_>,
    faults: &mut Faults,
) -> Option<Text> {
    if let Some(key) = fields.text("dedup_key", faults) {
        return Some(dedup::key(&key, fields.place("dedup_key"), faults));
    }
    match action {
        Action::Trigger | Action::Change => {
            // Read again with their faults when the content is made.
            let mut passed_over = Faults::of_event();
            let mut text = |name| fields.text(name, &mut passed_over).unwrap_or_default();
            let hash = Fnv128::default()
                .with(&text("source"))
                .with(&text("summary"));
            Some(labels.hash_into(hash).to_hex().into())
        }
        Action::Acknowledge | Action::Resolve | Action::Ignore => {
            faults.add(
                fields.place("dedup_key"),
                format_args!("is missing; {action} needs the key of its alert"),
            );
            None
        }
    }
}

/// The summary as sent, or the best that can be said instead. A trigger that says nothing at all
/// is refused.
fn summary(
    action: Action,
    fields: Fields<'_>,
    labels: &Sent<'_>,
    faults: &mut Faults,
) -> Option<Text> {
    let place = fields.place("summary");
    if let Some(summary) = fields.text("summary", faults) {
        return Some(limits::summary(&summary, place, faults));
    }
    match action {
        Action::Acknowledge | Action::Resolve | Action::Ignore => Some(Text::default()),
        Action::Trigger | Action::Change => match instead_of_summary(fields, labels) {
            Some(instead) => {
                faults.add(
                    place,
                    "is missing; a text was generated from the other fields",
                );
                Some(limits::summary(&instead, place, faults))
            }
            None => {
                faults.add(place, "is missing; say in one line what is wrong");
                None
            }
        },
    }
}

fn instead_of_summary(fields: Fields<'_>, labels: &Sent<'_>) -> Option<String> {
    if let Some((name, _)) = labels.find("alertname") {
        return Some(name.to_owned());
    }
    if !labels.is_empty() {
        return Some(labels.describe());
    }
    let text = |name| fields.get(name).and_then(Value::as_str);
    if let Some(source) = text("source") {
        return Some(format!("event from {source}"));
    }
    text("dedup_key").map(|key| format!("event {key}"))
}

fn links(fields: Fields<'_>, faults: &mut Faults) -> Vec<Link> {
    let path = fields.place("links").to_string();
    let mut links = Links::default();
    for (index, value) in fields.array("links", faults).iter().enumerate() {
        let path = Place::Index(&path, index).to_string();
        if let Value::String(href) = value {
            links.add(href, None, Place::At(&path), faults);
        } else if let Some(link) = Fields::of(value, &path, faults) {
            let text = link.text("text", faults);
            let href = link.text("href", faults).unwrap_or(Cow::Borrowed(""));
            links.add(&href, text.as_deref(), link.place("href"), faults);
        }
    }
    links.finish(Place::At(&path), faults)
}
