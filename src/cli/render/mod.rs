//! Answers as people read them. Pure: a JSON value and a view in, text out.
//!
//! Reading is tolerant: what a server leaves out is left blank. Text of others is cleaned, because
//! it ends up on a terminal.

pub mod admin;
pub mod incident;
pub mod people;
pub mod rules;
pub mod table;
pub mod time_format;
pub mod timeline;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::context::{Context, Look};
use crate::engine::time::Timestamp;
use crate::text::clean::blanked;

/// From where a reader looks at an answer.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub look: Look,
}

impl From<&Context> for View {
    fn from(context: &Context) -> Self {
        Self {
            now: context.now,
            zone: context.zone.clone(),
            look: context.look,
        }
    }
}

/// A field as one clean line; empty where it is missing or null.
pub fn text(value: &Value, field: &str) -> String {
    match value.get(field) {
        Some(Value::String(text)) => blanked(text),
        None | Some(Value::Null) => String::new(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            blanked(&other.to_string())
        }
    }
}

/// The name of whoever a field names.
pub fn actor(value: &Value, field: &str) -> String {
    value
        .get(field)
        .map_or_else(String::new, |actor| text(actor, "name"))
}

/// A field that is a time.
pub fn moment(value: &Value, field: &str) -> Option<Timestamp> {
    timestamp(value.get(field)?.as_str()?)
}

/// A time of the wire on the local clock; empty where it is not given.
pub fn local<'text>(text: impl Into<Option<&'text String>>, view: &View) -> String {
    let at = text.into().and_then(|text| timestamp(text));
    at.map_or_else(String::new, |at| time_format::local(at, view))
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    Some(timestamp.into())
}

/// A field that is a list; empty where it is missing.
pub fn list<'value>(value: &'value Value, field: &str) -> &'value [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The items of a list answer.
pub fn items(value: &Value) -> &[Value] {
    list(value, "items")
}

/// A list of texts or numbers with commas between them.
pub fn joined(value: &Value, field: &str) -> String {
    let words = list(value, field).iter().map(|item| match item {
        Value::String(text) => blanked(text),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => blanked(&other.to_string()),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub mod samples {
    //! What tests look at, and from where.

    use super::*;

    /// Monday, 2026-11-23 03:20 in Lisbon.
    pub fn view() -> View {
        let now: jiff::Timestamp = "2026-11-23T03:20:00Z".parse().expect("a timestamp");
        View {
            now: now.into(),
            zone: TimeZone::get("Europe/Lisbon").expect("a zone"),
            look: Look::PLAIN,
        }
    }
}
