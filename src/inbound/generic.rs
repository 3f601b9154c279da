//! Any JSON body, read by the pointers and value maps of the integration.
//!
//! The mapping may be wrong or the sender may change; an event is therefore kept whatever is
//! missing, with a summary of our own and a fault for each pointer that led nowhere.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::engine::event::{Action, Content, Event, Link, Spoken, Text};
use crate::engine::key;
use crate::engine::ruleset::GenericMapping;

use super::batch::{Batch, wrong_root};
use super::dedup::{self, Hash};
use super::faults::{Faults, Place};
use super::fields::{self, scalar};
use super::labels::Sent;
use super::links::Links;
use super::{Parsed, Source, details, json, limits, moment};

/// Reads a body.
pub fn parse(mapping: &GenericMapping, source: Source<'_>, body: &[u8]) -> Parsed {
    let document = match json::read(body) {
        Ok(document) => document,
        Err(fault) => return Parsed::refused(fault),
    };
    let root = &document.root;
    if !root.is_object() && !root.is_array() {
        return Parsed::refused(wrong_root(root, "a JSON object or array"));
    }
    let mut batch = Batch::new(document.mended);
    let read = |value, path: &str, faults: &mut Faults| {
        let element = Element {
            mapping,
            value,
            path,
        };
        element.read(source, faults)
    };
    let Some(pointer) = &mapping.each else {
        batch.read("$", |faults| read(root, "$", faults));
        return batch.finish();
    };
    let path = Place::pointer("$", pointer).to_string();
    match root.pointer(pointer) {
        Some(Value::Array(elements)) if elements.is_empty() => {
            batch
                .faults
                .add(&path, "is an empty array; it says nothing about any event");
        }
        Some(Value::Array(elements)) => batch.read_each(elements, &path, read),
        found => {
            let found = found.map_or("missing", fields::kind);
            batch.faults.add(
                &path,
                format_args!(
                    "is {found}; the integration's `each` expects an array here, so the whole \
                     body was read as one event"
                ),
            );
            batch.read("$", |faults| read(root, "$", faults));
        }
    }
    batch.finish()
}

/// One event of the body, and how to read it.
struct Element<'body> {
    mapping: &'body GenericMapping,
    value: &'body Value,
    path: &'body str,
}

impl<'body> Element<'body> {
    fn read(&self, source: Source<'_>, faults: &mut Faults) -> Option<Event> {
        let mapping = self.mapping;
        let action = self.action(faults);
        let labels_path = self
            .place(mapping.labels_from.as_deref().unwrap_or(""))
            .to_string();
        let labels = self.labels(&labels_path, faults);
        let summary = self.text(&mapping.summary, faults);
        let origin = self.text(&mapping.source, faults);
        let identity = Hash::new()
            .with(source.integration.name.as_str())
            .with(origin.as_deref().unwrap_or(""))
            .with(summary.as_deref().unwrap_or(""));
        let dedup_key = match self.dedup_key(faults) {
            Some(key) => key,
            None if mapping.dedup_key.is_empty() || action == Action::Trigger => {
                labels.hash_into(identity).key()
            }
            None => {
                let problem = "holds nothing for the dedup key, and this action needs one";
                faults.add(self.path, problem);
                return None;
            }
        };
        let moment = self.find(&mapping.occurred_at, faults).and_then(|value| {
            let place = self.place(mapping.occurred_at.as_deref().unwrap_or(""));
            moment::reported(value, source.now, place, faults)
        });
        let id = self.text(&mapping.id, faults);
        let id = id.map(|id| dedup::key(&id, self.pointer_place(&mapping.id), faults));
        let summary = self.summary(source, summary, faults);
        let content = Content {
            summary,
            severity: self.severity(faults),
            source: origin.map(|text| self.line(&text, &mapping.source, faults)),
            labels: labels.finish(source.integration, self.path, faults),
            ..self.other_content(faults)
        };
        Some(Event {
            action,
            dedup_key,
            id,
            spoken: Spoken::Moment(moment),
            asserted_by: None,
            content: Arc::new(content),
            faults: Vec::new(),
        })
    }

    fn place(&self, pointer: &'body str) -> Place<'body> {
        Place::pointer(self.path, pointer)
    }

    fn pointer_place(&self, pointer: &'body Option<String>) -> Place<'body> {
        self.place(pointer.as_deref().unwrap_or(""))
    }

    /// What stands at a configured pointer.
    fn find(&self, pointer: &'body Option<String>, faults: &mut Faults) -> Option<&'body Value> {
        self.follow(pointer.as_deref()?, faults)
    }

    fn follow(&self, pointer: &'body str, faults: &mut Faults) -> Option<&'body Value> {
        let found = self.value.pointer(pointer).filter(|value| !value.is_null());
        if found.is_none() {
            faults.add(self.place(pointer), "is missing, and the mapping names it");
        }
        found
    }

    fn text(&self, pointer: &'body Option<String>, faults: &mut Faults) -> Option<Cow<'body, str>> {
        let value = self.find(pointer, faults)?;
        scalar(value, self.pointer_place(pointer), faults)
    }

    fn line(&self, text: &str, pointer: &'body Option<String>, faults: &mut Faults) -> Text {
        fields::line(text, self.pointer_place(pointer), faults)
    }

    fn field(&self, pointer: &'body Option<String>, faults: &mut Faults) -> Option<Text> {
        let text = self.text(pointer, faults)?;
        Some(self.line(&text, pointer, faults))
    }

    fn action(&self, faults: &mut Faults) -> Action {
        let word = self.text(&self.mapping.action, faults);
        word.and_then(|word| look_up(&self.mapping.actions, &word).copied())
            .unwrap_or(Action::Trigger)
    }

    fn severity(&self, faults: &mut Faults) -> Text {
        let pointer = &self.mapping.severity;
        let Some(word) = self.text(pointer, faults) else {
            return Text::default();
        };
        match look_up(&self.mapping.severities, &word) {
            Some(mapped) => self.line(mapped, pointer, faults),
            None => self.line(&word, pointer, faults),
        }
    }

    /// The value of the key's pointer, or those of several with `/` between them, kept apart from
    /// any `/` of their own. A part that is missing leaves its place empty.
    fn dedup_key(&self, faults: &mut Faults) -> Option<Text> {
        let pointers = &self.mapping.dedup_key;
        let parts: Vec<Cow<'_, str>> = pointers
            .iter()
            .map(|pointer| {
                let value = self.follow(pointer, faults);
                value.and_then(|value| scalar(value, self.place(pointer), faults))
            })
            .map(Option::unwrap_or_default)
            .collect();
        if parts.iter().all(|part| part.is_empty()) {
            return None;
        }
        let place = self.place(pointers.first()?);
        let texts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        let key = match *texts {
            [text] => text.into(),
            _ => key::joined(&texts),
        };
        Some(dedup::key(&key, place, faults))
    }

    fn summary(&self, source: Source<'_>, sent: Option<Cow<'_, str>>, faults: &mut Faults) -> Text {
        let place = self.pointer_place(&self.mapping.summary);
        match sent {
            Some(text) => limits::summary(&text, place, faults),
            None => {
                let text = format!("event from {} without a summary", source.integration.name);
                limits::summary(&text, place, faults)
            }
        }
    }

    /// The members of the object at `labels_from`, and over them the labels with pointers.
    fn labels(&self, path: &'body str, faults: &mut Faults) -> Sent<'body> {
        let mut labels = match self.find(&self.mapping.labels_from, faults) {
            Some(Value::Object(object)) => Sent::of_scalars(object, path),
            Some(other) => {
                let found = fields::kind(other);
                faults.add(
                    path,
                    format_args!("is {found}; an object of labels is expected"),
                );
                Sent::default()
            }
            None => Sent::default(),
        };
        for (name, pointer) in &self.mapping.labels {
            if let Some(value) = self.follow(pointer, faults) {
                labels.add(name, value, self.place(pointer), faults);
            }
        }
        labels
    }

    fn links(&self, faults: &mut Faults) -> Vec<Link> {
        let mut links = Links::default();
        for (text, pointer) in &self.mapping.links {
            let place = self.place(pointer);
            let href = self.follow(pointer, faults);
            if let Some(href) = href.and_then(|value| scalar(value, place, faults)) {
                links.add(&href, Some(text), place, faults);
            }
        }
        links.finish(Place::at(self.path), faults)
    }

    /// The fields that nothing else depends on.
    fn other_content(&self, faults: &mut Faults) -> Content {
        let mapping = self.mapping;
        let details = self.find(&mapping.details, faults);
        Content {
            component: self.field(&mapping.component, faults),
            group: self.field(&mapping.group, faults),
            class: self.field(&mapping.class, faults),
            service: self.field(&mapping.service, faults),
            details: details.and_then(|value| {
                details::text(value, self.pointer_place(&mapping.details), faults)
            }),
            links: self.links(faults),
            ..Content::default()
        }
    }
}

/// A value map is looked up exactly, and then without regard to upper and lower case.
fn look_up<'map, T>(map: &'map BTreeMap<String, T>, word: &str) -> Option<&'map T> {
    map.get(word).or_else(|| {
        let mut known = map.iter();
        known
            .find(|(key, _)| key.eq_ignore_ascii_case(word.trim()))
            .map(|(_, value)| value)
    })
}
