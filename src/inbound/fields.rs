//! Reads members of a JSON object as what they should be, and reports what they are instead.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::engine::event::{EventTime, Text, limit};
use crate::engine::time::Timestamp;

use super::faults::{Faults, Place};
use super::{limits, moment};

/// An object of the body and the path at which it stands.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'body> {
    pub object: &'body Map<String, Value>,
    pub path: &'body str,
}

impl<'body> Fields<'body> {
    /// A value that must be an object.
    pub fn of(value: &'body Value, path: &'body str, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Self { object, path }),
            other => {
                faults.add(path, format_args!("is {}, not an object", kind(other)));
                None
            }
        }
    }

    /// The place of a member.
    pub fn place(&self, name: &'body str) -> Place<'body> {
        Place::Name(self.path, name)
    }

    /// A member; one that is `null` counts as not given.
    pub fn get(&self, name: &str) -> Option<&'body Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A member as text; an empty one counts as not given.
    pub fn text(&self, name: &'body str, faults: &mut Faults) -> Option<Cow<'body, str>> {
        scalar(self.get(name)?, self.place(name), faults)
    }

    /// A member as text on one line.
    pub fn line(&self, name: &'body str, faults: &mut Faults) -> Option<Text> {
        let text = self.text(name, faults)?;
        Some(line(&text, self.place(name), faults))
    }

    /// A member as a time.
    pub fn time(&self, name: &'body str, faults: &mut Faults) -> Option<Timestamp> {
        moment::read(self.get(name)?, self.place(name), faults)
    }

    /// A member as the moment that an event reports; a future one counts as now.
    pub fn moment(&self, name: &'body str, now: Timestamp, faults: &mut Faults) -> EventTime {
        let sent = self.get(name);
        let moment = sent.and_then(|value| moment::reported(value, now, self.place(name), faults));
        EventTime::OccurredAt(moment)
    }

    /// A member that is an object and stands at `path`, to read its members.
    pub fn inner(&self, name: &'body str, path: &'body str, faults: &mut Faults) -> Option<Self> {
        let object = self.object(name, faults)?;
        Some(Self { object, path })
    }

    /// A member that is an object.
    pub fn object(
        &self,
        name: &'body str,
        faults: &mut Faults,
    ) -> Option<&'body Map<String, Value>> {
        match self.get(name)? {
            Value::Object(object) => Some(object),
            other => {
                self.wrong_kind(name, other, "an object", faults);
                None
            }
        }
    }

    /// The elements of a member that is an array.
    pub fn array(&self, name: &'body str, faults: &mut Faults) -> &'body [Value] {
        match self.get(name) {
            None => &[],
            Some(Value::Array(elements)) => elements,
            Some(other) => {
                self.wrong_kind(name, other, "an array", faults);
                &[]
            }
        }
    }

    fn wrong_kind(&self, name: &'body str, value: &Value, expected: &str, faults: &mut Faults) {
        let found = kind(value);
        faults.add(
            self.place(name),
            format_args!("is {found}, not {expected}, so it was omitted"),
        );
    }
}

/// Text, number or truth value as text; a blank text counts as not given.
pub fn scalar<'body>(
    value: &'body Value,
    place: Place<'_>,
    faults: &mut Faults,
) -> Option<Cow<'body, str>> {
    as_sent(value, place, faults).filter(|text| !text.trim().is_empty())
}

/// Text, number or truth value as text; only an empty text counts as not given.
pub fn as_sent<'body>(
    value: &'body Value,
    place: Place<'_>,
    faults: &mut Faults,
) -> Option<Cow<'body, str>> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        Value::Array(_) | Value::Object(_) => {
            let found = kind(value);
            faults.add(
                place,
                format_args!("is {found}, not text, so it was omitted"),
            );
            None
        }
    }
}

/// A short text on one line, such as a source or a severity.
pub fn line(text: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    limits::line(text.trim(), limit::LABEL_VALUE_BYTES, place, faults)
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_of_the_wrong_kind_is_left_out_and_reported_with_its_path() {
        let value = json!({"a": {}, "b": 7, "c": "x", "d": null, "e": " ", "f": true});
        let mut faults = Faults::of_event();
        let fields = Fields::of(&value, "$[3]", &mut faults).unwrap();
        let texts = ["a", "b", "c", "d", "e", "f", "g"].map(|name| fields.line(name, &mut faults));
        let expected = [None, Some("7"), Some("x"), None, None, Some("true"), None];
        assert_eq!(texts, expected.map(|text| text.map(Text::from)));
        assert!(fields.object("b", &mut faults).is_none());
        assert!(fields.array("c", &mut faults).is_empty());
        let lines: Vec<String> = faults
            .into_list()
            .into_iter()
            .map(|fault| format!("{} {}", fault.path, fault.problem))
            .collect();
        assert_eq!(
            lines,
            [
                "$[3].a is an object, not text, so it was omitted",
                "$[3].b is a number, not an object, so it was omitted",
                "$[3].c is text, not an array, so it was omitted",
            ]
        );
    }
}
