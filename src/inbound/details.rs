//! Keeps free details as compact JSON text that is never longer than the limit and always JSON.
//!
//! When there is too much, long texts end with `…` and the surplus of objects and arrays is left
//! out, with `…` in its place.

use serde_json::Value;

use crate::engine::event::{Text, limit};

use super::faults::{Faults, Place};

/// Shows where something was left out.
const MARK: &str = "…";
/// Room for the mark of an object, `,"…":"…"`, and its closing brace.
const CLOSING_BYTES: usize = 14;

/// Details as text; `null`, `{}`, `[]` and empty text are none.
pub fn text(value: &Value, place: Place<'_>, faults: &mut Faults) -> Option<Text> {
    let is_empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    if is_empty {
        return None;
    }
    let whole = value.to_string();
    if whole.len() <= limit::DETAILS_BYTES {
        return Some(whole.into());
    }
    let mut kept = String::with_capacity(limit::DETAILS_BYTES);
    write(value, limit::DETAILS_BYTES, &mut kept);
    faults.add(
        place,
        format_args!("is {} bytes of JSON; {} are kept", whole.len(), kept.len()),
    );
    Some(kept.into())
}

/// Writes as much of a value as ends before `end`; whether all of it was written. The caller
/// leaves room for the shortest form of any value.
fn write(value: &Value, end: usize, to: &mut String) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let text = value.to_string();
            let fits = to.len() + text.len() <= end;
            to.push_str(if fits { &text } else { "\"…\"" });
            fits
        }
        Value::String(text) => write_text(text, end, to),
        Value::Array(elements) => write_elements(elements, end, to),
        Value::Object(members) => write_members(members, end, to),
    }
}

fn write_elements(elements: &[Value], end: usize, to: &mut String) -> bool {
    to.push('[');
    for (index, element) in elements.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let has_room = to.len() + 2 * CLOSING_BYTES <= end;
        to.push_str(comma);
        if !has_room || !write(element, end - CLOSING_BYTES, to) {
            to.push_str(if has_room { ",\"…\"]" } else { "\"…\"]" });
            return false;
        }
    }
    to.push(']');
    true
}

fn write_members(members: &serde_json::Map<String, Value>, end: usize, to: &mut String) -> bool {
    to.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let quoted = Value::from(name.as_str()).to_string();
        let has_room = to.len() + quoted.len() + 3 * CLOSING_BYTES <= end;
        to.push_str(comma);
        if has_room {
            to.push_str(&quoted);
            to.push(':');
        }
        if !has_room || !write(value, end - CLOSING_BYTES, to) {
            to.push_str(if has_room {
                ",\"…\":\"…\"}"
            } else {
                "\"…\":\"…\"}"
            });
            return false;
        }
    }
    to.push('}');
    true
}

fn write_text(text: &str, end: usize, to: &mut String) -> bool {
    let quoted = Value::from(text).to_string();
    if to.len() + quoted.len() <= end {
        to.push_str(&quoted);
        return true;
    }
    to.push('"');
    for character in text.chars() {
        let escaped = Value::from(character.to_string()).to_string();
        let inner = &escaped[1..escaped.len() - 1];
        if to.len() + inner.len() + MARK.len() + 1 > end {
            break;
        }
        to.push_str(inner);
    }
    to.push_str("…\"");
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn details_that_fit_are_kept_as_they_are() {
        let cases = [
            (json!(null), None),
            (json!({}), None),
            (json!([]), None),
            (json!(""), None),
            (json!("text"), Some("\"text\"")),
            (json!({"a": [1, "\u{0}"]}), Some("{\"a\":[1,\"\\u0000\"]}")),
        ];
        for (value, expected) in cases {
            let mut faults = Faults::of_event();
            let kept = text(&value, Place::At("$"), &mut faults);
            assert_eq!(kept.as_deref(), expected);
            assert!(faults.into_list().is_empty());
        }
    }

    #[test]
    fn what_is_too_long_is_cut_visibly_and_stays_json() {
        let nested = (0..50).fold(
            json!("x".repeat(20_000)),
            |inner, _| json!({"a": [1, inner]}),
        );
        let cases = [
            json!("\"\u{0}ü".repeat(20_000)),
            json!(vec![1; 20_000]),
            json!(vec!["x".repeat(700); 100]),
            json!({"long": "x".repeat(20_000), "z": 1}),
            (0..5_000)
                .map(|index| (format!("name{index}"), json!(index)))
                .collect(),
            json!({ "n".repeat(20_000): 1 }),
            nested,
        ];
        for value in cases {
            let mut faults = Faults::of_event();
            let kept = text(&value, Place::At("$"), &mut faults).unwrap();
            assert!(kept.len() <= limit::DETAILS_BYTES, "{}", kept.len());
            serde_json::from_str::<Value>(&kept).unwrap();
            assert!(kept.contains(MARK));
            assert_eq!(faults.into_list().len(), 1);
        }
    }
}
