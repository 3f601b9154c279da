//! Any JSON body, read by the pointers and value maps of the integration.
//!
//! The mapping may be wrong or the sender may change; an event is therefore kept whatever is
//! missing, with a summary of our own and a fault for each pointer that led nowhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::{Action, Content, Event, EventTime, Fault, Link, Text};
use crate::engine::key;
use crate::engine::ruleset::{GenericMapping, Pointers, Unlisted};
use crate::text::hash::Fnv128;

use super::batch::{Batch, wrong_root};
use super::dedup;
use super::faults::{Faults, Place, quote};
use super::fields::{self, scalar};
use super::labels::Sent;
use super::links::Links;
use super::{BodyLimit, Descriptor, Source, details, limits, moment};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = Descriptor {
    word: "generic",
    is_mapped: true,
    read: read_body,
    body_limit: BodyLimit::Ordinary,
    key_characters: None,
    answers: None,
};

fn read_body(source: Source<'_>, root: &Value, batch: &mut Batch) -> Result<(), Fault> {
    let unmapped = GenericMapping::default();
    let mapping = source.integration.mapping.as_deref().unwrap_or(&unmapped);
    if !root.is_object() && !root.is_array() {
        return Err(wrong_root(root, "a JSON object or array"));
    }
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
        return Ok(());
    };
    let path = Place::Pointer("$", pointer).to_string();
    match root.pointer(pointer) {
        Some(Value::Array(elements)) if elements.is_empty() => {
            batch
                .faults
                .add(&path, "is an empty array; it contains no event");
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
    Ok(())
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
        let action = self.action(faults)?;
        let labels_path = self
            .place(mapping.labels_from.as_deref().unwrap_or(""))
            .to_string();
        let labels = self.labels(&labels_path, faults);
        let summary = self.text(&mapping.summary, faults);
        let origin = self.text(&mapping.source, faults);
        let dedup_key = match self.dedup_key(faults) {
            Some(key) => key,
            None if self.may_make_key(action) => {
                let identity = Fnv128::default().with(origin.as_deref().unwrap_or(""));
                let identity = self.with_summary(identity, summary.as_deref(), faults);
                labels.hash_into(identity).to_hex().into()
            }
            None => {
                let problem = "has nothing for the dedup key, and this action needs one";
                faults.add(self.path, problem);
                return None;
            }
        };
        let moment = self.first(&mapping.occurred_at, faults);
        let moment =
            moment.and_then(|(value, place)| moment::reported(value, source.now, place, faults));
        let id = self.text(&mapping.id, faults);
        let id = id.map(|id| dedup::key(&id, self.first_place(&mapping.id), faults));
        let summary = self.summary(source, summary, faults);
        let content = Content {
            summary,
            severity: self.severity(faults),
            source: origin.map(|text| self.line(&text, &mapping.source, faults)),
            labels: labels.finish(source.integration, self.path, faults),
            ..self.other_content(faults)
        };
        Some(Event {
            id,
            ..Event::new(action, dedup_key, EventTime::OccurredAt(moment), content)
        })
    }

    fn place(&self, pointer: &'body str) -> Place<'body> {
        Place::Pointer(self.path, pointer)
    }

    /// Where a text should stand, to report what is wrong with it.
    fn first_place(&self, pointers: &'body Pointers) -> Place<'body> {
        self.place(pointers.first().map_or("", String::as_str))
    }

    /// What stands at a configured pointer.
    fn find(&self, pointer: &'body Option<String>, faults: &mut Faults) -> Option<&'body Value> {
        self.follow(pointer.as_deref()?, faults)
    }

    fn follow(&self, pointer: &'body str, faults: &mut Faults) -> Option<&'body Value> {
        let found = self.value.pointer(pointer).filter(|value| !value.is_null());
        if found.is_none() {
            faults.add(self.place(pointer), "is missing, but the mapping uses it");
        }
        found
    }

    /// The first of several values that is there and not blank.
    fn first(
        &self,
        pointers: &'body Pointers,
        faults: &mut Faults,
    ) -> Option<(&'body Value, Place<'body>)> {
        let values = pointers.iter().filter_map(|pointer| {
            let value = self.value.pointer(pointer)?;
            Some((value, self.place(pointer)))
        });
        let is_text = |(value, _): &(&Value, Place<'_>)| match value {
            Value::String(text) => !text.trim().is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        // Where there is none, what stands there instead is reported.
        let is_other = |(value, _): &(&Value, Place<'_>)| value.is_array() || value.is_object();
        let found = values
            .clone()
            .find(is_text)
            .or_else(|| values.clone().find(is_other));
        match &pointers[..] {
            [_, _, ..] if found.is_none() => {
                let named = pointers.join(", ");
                let problem = format_args!("has nothing at any of {named}");
                faults.add(self.path, problem);
            }
            [only] if found.is_none() => {
                self.follow(only, faults);
            }
            [] | [_, ..] => {}
        }
        found
    }

    fn text(&self, pointers: &'body Pointers, faults: &mut Faults) -> Option<Cow<'body, str>> {
        let (value, place) = self.first(pointers, faults)?;
        scalar(value, place, faults)
    }

    fn line(&self, text: &str, pointers: &'body Pointers, faults: &mut Faults) -> Text {
        fields::line(text, self.first_place(pointers), faults)
    }

    fn field(&self, pointers: &'body Pointers, faults: &mut Faults) -> Option<Text> {
        let text = self.text(pointers, faults)?;
        Some(self.line(&text, pointers, faults))
    }

    /// What the mapping says of the text at `action`. A text that it does not list triggers, unless
    /// it says otherwise: a word that nobody thought of must not keep somebody asleep.
    fn action(&self, faults: &mut Faults) -> Option<Action> {
        let mapping = self.mapping;
        let Some(word) = self.text(&mapping.action, faults) else {
            return Some(Action::Trigger);
        };
        if let Some(action) = look_up(&mapping.actions, &word) {
            return Some(*action);
        }
        let (action, becomes) = match mapping.unlisted {
            Unlisted::Trigger => (Some(Action::Trigger), "it triggers"),
            Unlisted::Ignore => return Some(Action::Ignore),
            Unlisted::Refuse => (None, "`unlisted` says refuse"),
        };
        let place = self.first_place(&mapping.action);
        let problem = format_args!(
            "is {}, which `actions` does not list; {becomes}",
            quote(&word)
        );
        faults.add(place, problem);
        action
    }

    /// Whether a key may be made up: not where the mapping names one and the action needs it.
    fn may_make_key(&self, action: Action) -> bool {
        match action {
            Action::Trigger | Action::Change | Action::Ignore => true,
            Action::Acknowledge | Action::Resolve => self.mapping.dedup_key.is_empty(),
        }
    }

    /// The identity with the summary. Where there is none the whole body stands for it: otherwise
    /// all that a sender reports without a summary would be one alert, which pages once.
    fn with_summary(&self, identity: Fnv128, summary: Option<&str>, faults: &mut Faults) -> Fnv128 {
        if let Some(summary) = summary {
            return identity.with(summary);
        }
        let problem = "has no summary; the dedup key is made from the whole body, so a different \
            body is a different alert. Map a `summary` or a `dedup_key` that is always there";
        faults.add(self.path, problem);
        identity.with("").with(&self.lasting_body())
    }

    /// The body with its members in order, without what differs from report to report.
    fn lasting_body(&self) -> String {
        let mut body = self.value.clone();
        let mapping = self.mapping;
        let passing = [&mapping.action, &mapping.occurred_at, &mapping.id];
        let pointers = passing.into_iter().flatten();
        for pointer in pointers.filter(|pointer| !pointer.is_empty()) {
            if let Some(value) = body.pointer_mut(pointer) {
                *value = Value::Null;
            }
        }
        body.to_string()
    }

    fn severity(&self, faults: &mut Faults) -> Text {
        let pointers = &self.mapping.severity;
        let Some(word) = self.text(pointers, faults) else {
            return Text::default();
        };
        match look_up(&self.mapping.severities, &word) {
            Some(mapped) => self.line(mapped, pointers, faults),
            None => self.line(&word, pointers, faults),
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
        let place = self.first_place(&self.mapping.summary);
        let own = || format!("event from {} without a summary", source.integration.name).into();
        limits::summary(&sent.unwrap_or_else(own), place, faults)
    }

    /// The members of the object at `labels_from`, and over them the labels with pointers.
    fn labels(&self, path: &'body str, faults: &mut Faults) -> Sent<'body> {
        let mut labels = match self.find(&self.mapping.labels_from, faults) {
            // It may hold other things too, which are passed over.
            Some(Value::Object(object)) => Sent::of(Some(object), path, &mut Faults::of_event()),
            Some(other) => {
                let found = fields::kind(other);
                faults.add(path, format_args!("is {found}, not an object of labels"));
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
        links.finish(Place::At(self.path), faults)
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
                let place = self.place(mapping.details.as_deref().unwrap_or(""));
                details::text(value, place, faults)
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

#[cfg(test)]
mod tests {
    use super::super::tests::{integration, mapping, now};
    use super::super::{Parsed, parse};
    use super::*;
    use serde_json::json;

    fn read(rules: &Value, body: &Value) -> Parsed {
        let mut integration = integration("generic");
        integration.mapping = Some(Box::new(mapping(rules)));
        parse(&integration, body.to_string().as_bytes(), now())
    }

    #[test]
    fn the_first_pointer_that_leads_to_a_text_wins() {
        let rules = json!({"summary": ["/title", "/meta", "/message"], "dedup_key": "/k"});
        let cases = [
            (json!({"title": "a", "message": "b", "k": 1}), "a"),
            (json!({"title": "", "message": "b", "k": 1}), "b"),
            (
                json!({"title": " ", "meta": {}, "message": "b", "k": 1}),
                "b",
            ),
            (json!({"title": null, "message": 7, "k": 1}), "7"),
        ];
        for (body, summary) in cases {
            let parsed = read(&rules, &body);
            assert_eq!(&*parsed.events[0].content.summary, summary, "{body}");
            assert_eq!(parsed.events[0].faults, [], "{body}");
        }
        let nothing = read(&rules, &json!({"k": 1}));
        let problem = "has nothing at any of /title, /meta, /message";
        assert_eq!(nothing.events[0].faults[0].problem, problem);
    }

    #[test]
    fn troubles_without_a_summary_stay_apart_and_their_ends_find_them() {
        let rules = json!({"summary": "/title", "action": "/state", "occurred_at": "/at",
                           "id": "/id", "actions": {"bad": "trigger", "good": "resolve"}});
        let body = |text: &str, state: &str, minute: u8| {
            json!({"title": "", "message": text, "state": state, "id": format!("{minute}"),
                   "at": format!("2026-11-23T11:{minute}:00Z")})
        };
        let key = |body: &Value| {
            let parsed = read(&rules, body);
            let told = parsed.events[0].faults.iter();
            let told = told.filter(|fault| fault.problem.contains("made from the whole body"));
            assert_eq!(told.count(), 1, "{body}");
            parsed.events[0].dedup_key.clone()
        };
        let disk = key(&body("disk full", "bad", 10));
        assert_ne!(disk, key(&body("site down", "bad", 10)));
        assert_eq!(disk, key(&body("disk full", "bad", 20)), "its repeat");
        assert_eq!(disk, key(&body("disk full", "good", 30)), "its end");
    }

    #[test]
    fn an_action_that_is_not_listed_is_told_and_becomes_what_the_mapping_says() {
        let rules = |unlisted: &str| {
            json!({"summary": "/s", "action": "/a", "unlisted": unlisted,
                   "actions": {"up": "resolve", "info": "ignore"}})
        };
        let cases = [
            ("trigger", "odd", Some(Action::Trigger), 1),
            ("ignore", "odd", Some(Action::Ignore), 0),
            ("refuse", "odd", None, 1),
            ("refuse", "up", Some(Action::Resolve), 0),
            ("trigger", "info", Some(Action::Ignore), 0),
        ];
        for (unlisted, word, action, faults) in cases {
            let parsed = read(&rules(unlisted), &json!({"s": "x", "a": word}));
            let event = parsed.events.first();
            assert_eq!(event.map(|event| event.action), action, "{unlisted} {word}");
            let told = event.map_or(&parsed.faults, |event| &event.faults);
            assert_eq!(told.len(), faults, "{unlisted} {word}");
        }
    }
}
