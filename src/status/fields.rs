//! Reads members of the JSON that status pages answer with; what is of the wrong type is not there.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::ReportedIncident;
use crate::engine::time::Timestamp;
use crate::text::hash::Fnv128;
use crate::text::{one_line, truncate};

use super::moment::moment_of;
use super::plain_text::plain_text;
use super::{StatusAnswer, StatusLook, StatusUnreadable};

/// Ids, names and titles are cut to so many characters; ids that differ stay different.
const CHARACTERS_MAX: usize = 300;

/// The JSON of an answer that was a success; `None` for any other and for what is no JSON.
pub fn root(answer: &StatusAnswer<'_>) -> Option<Value> {
    if !(200..300).contains(&answer.status) {
        return None;
    }
    match answer.body {
        [0xFE, 0xFF, rest @ ..] => from_utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => from_utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => serde_json::from_slice(rest).ok(),
        body => serde_json::from_slice(body).ok(),
    }
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Value> {
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    let text = String::from_utf16(&units)
        .ok()
        .filter(|_| rest.is_empty())?;
    serde_json::from_str(&text).ok()
}

/// The JSON of a document without which nothing can be said.
pub fn required(
    look: &StatusLook<'_>,
    position: usize,
    kind: &'static str,
) -> Result<Value, StatusUnreadable> {
    let answer = succeeded(look, position, kind)?;
    root(answer).ok_or_else(|| shape(kind, no_json(answer.body)))
}

/// The answer of a document without which nothing can be said, if it is a success.
pub fn succeeded<'look>(
    look: &StatusLook<'look>,
    position: usize,
    kind: &'static str,
) -> Result<&'look StatusAnswer<'look>, StatusUnreadable> {
    let Some(answer) = answer(look, position) else {
        return Err(shape(kind, "a document that it needs was not had"));
    };
    match answer.status {
        404 | 410 => Err(StatusUnreadable::Gone(answer.status)),
        200..300 => Ok(answer),
        other => Err(StatusUnreadable::Status(other)),
    }
}

/// The JSON of a document that may be missing; pages answer many addresses with anything.
pub fn optional(look: &StatusLook<'_>, position: usize) -> Option<Value> {
    root(answer(look, position)?)
}

fn answer<'look>(look: &StatusLook<'look>, position: usize) -> Option<&'look StatusAnswer<'look>> {
    look.answers.get(position)?.as_ref()
}

/// The body is of another shape than the kind's.
pub fn shape(kind: &'static str, problem: impl Into<String>) -> StatusUnreadable {
    let problem = problem.into();
    StatusUnreadable::Shape { kind, problem }
}

/// What stands there instead of JSON, as far as its first letter tells it.
fn no_json(body: &[u8]) -> &'static str {
    match body.trim_ascii_start().first() {
        None => "the body is empty",
        Some(b'<') => "it is HTML or XML",
        Some(b'{' | b'[') => "its JSON is cut off or invalid",
        Some(_) => "it is no JSON",
    }
}

/// A list that must be there: without it nothing is known of what it would contain.
pub fn listed<'root>(
    root: &'root Value,
    pointer: &str,
    kind: &'static str,
) -> Result<&'root [Value], StatusUnreadable> {
    match root.pointer(pointer) {
        Some(Value::Array(list)) => Ok(list),
        _ if pointer.is_empty() => Err(shape(kind, "a document is no list")),
        _ => Err(shape(
            kind,
            format!("`{}` is no list", pointer.trim_start_matches('/')),
        )),
    }
}

/// A list that the kind leaves out or makes null where it would be empty.
pub fn listed_if_any<'root>(
    root: &'root Value,
    pointer: &str,
    kind: &'static str,
) -> Result<&'root [Value], StatusUnreadable> {
    match root.pointer(pointer) {
        None | Some(Value::Null) => Ok(&[]),
        Some(_) => listed(root, pointer, kind),
    }
}

/// A list within a record; empty if there is none.
pub fn list<'value>(value: &'value Value, pointer: &str) -> &'value [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// A text or a number as text on one line, cut; `None` if it is blank.
pub fn scalar(value: &Value) -> Option<Text> {
    let line = match value {
        Value::String(text) => one_line(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let cut = crate::text::truncate::distinct(&line, CHARACTERS_MAX);
    (!line.is_empty()).then(|| cut.into())
}

/// A member that is a text or a number.
pub fn text(value: &Value, pointer: &str) -> Option<Text> {
    scalar(value.pointer(pointer)?)
}

/// The first of several members that is a text or a number.
pub fn first_text(value: &Value, pointers: &[&str]) -> Option<Text> {
    pointers.iter().find_map(|pointer| text(value, pointer))
}

/// The texts of a list: of its elements, or of a member that each has.
pub fn texts(value: &Value, pointer: &str, member: &str) -> Vec<Text> {
    let elements = list(value, pointer).iter();
    elements
        .filter_map(|element| text(element, member))
        .collect()
}

/// A title: one line that people can read.
pub fn title(value: &Value, pointer: &str) -> Text {
    let title = value.pointer(pointer).and_then(Value::as_str);
    let title = one_line(title.unwrap_or_default());
    match &*title {
        "" => "incident without a title".into(),
        title => truncate(title, CHARACTERS_MAX).into(),
    }
}

/// What somebody wrote in HTML or Markdown, as plain text.
pub fn prose(value: Option<&Value>, pointer: &str) -> Text {
    let marked_up = value.and_then(|value| value.pointer(pointer)?.as_str());
    plain_text(
        marked_up.unwrap_or_default(),
        ReportedIncident::TEXT_CHARACTERS,
    )
    .into()
}

/// The first of several members that is a time.
pub fn time(value: &Value, pointers: &[&str]) -> Option<Timestamp> {
    pointers
        .iter()
        .find_map(|pointer| moment_of(value.pointer(pointer)?))
}

/// A link that a browser may follow.
pub fn link(value: &Value, pointer: &str) -> Option<Text> {
    let is_web = |link: &Text| link.starts_with("https://") || link.starts_with("http://");
    text(value, pointer).filter(is_web)
}

/// Whether a flag is set.
pub fn is_so(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer) == Some(&Value::Bool(true))
}

/// An id for what has none, of parts that do not change.
pub fn made_id(parts: &[&str]) -> Text {
    let hash = parts
        .iter()
        .fold(Fnv128::default(), |hash, part| hash.with(part));
    hash.to_hex().into()
}

/// The record with the latest time, the first of several; one without a time counts as old.
pub fn newest<'value>(records: &'value [Value], pointers: &[&str]) -> Option<&'value Value> {
    newest_of(records.iter(), pointers)
}

/// The same of records that are somewhere else.
pub fn newest_of<'value>(
    records: impl DoubleEndedIterator<Item = &'value Value>,
    pointers: &[&str],
) -> Option<&'value Value> {
    let at = |record: &&Value| time(record, pointers);
    records.rev().max_by_key(at)
}

/// A word as tables have it: `in_progress`, `In Progress` and `INPROGRESS` are one.
pub fn normalised(word: &str) -> String {
    let letters = word
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '));
    letters.flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: &[u8]) -> Result<Value, StatusUnreadable> {
        let address = super::super::StatusAddress::parse("https://status.example.com");
        let look = StatusLook {
            address: &address.expect("an address"),
            answers: &[Some(StatusAnswer { status, body })],
            now: Timestamp(0),
        };
        required(&look, 0, "some")
    }

    #[test]
    fn json_is_read_in_every_encoding_that_a_mark_announces() {
        let text = r#"{"name":"Ünï"}"#;
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bodies = [
            text.as_bytes().to_vec(),
            [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            [&[0xFE, 0xFF], &big[..]].concat(),
            [&[0xFF, 0xFE], &little[..]].concat(),
        ];
        for body in bodies {
            assert_eq!(read(200, &body), Ok(json!({"name": "Ünï"})), "{body:?}");
        }
        let odd = [&[0xFE, 0xFF], &big[..], &[0]].concat();
        assert!(read(200, &odd).is_err());
    }

    #[test]
    fn what_is_no_answer_of_the_kind_says_what_it_is() {
        let cases: [(u16, &[u8], &str); 8] = [
            (404, b"{}", "the page is gone: it answered 404"),
            (410, b"", "the page is gone: it answered 410"),
            (503, b"{}", "it answered 503"),
            (302, b"", "it answered 302"),
            (200, b" <!doctype html>", "it is HTML or XML"),
            (200, b"{\"a\": [1, 2", "its JSON is cut off or invalid"),
            (200, b"", "the body is empty"),
            (200, b"\xFF\xFE\x00", "it is no JSON"),
        ];
        for (status, body, told) in cases {
            let unreadable = read(status, body).expect_err("it is not of the kind");
            assert!(unreadable.to_string().contains(told), "{unreadable}");
        }
    }

    #[test]
    fn the_newest_record_is_found_in_any_order() {
        let record = |at: &str| json!({"at": at});
        let (old, new) = ("2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z");
        for records in [[record(old), record(new)], [record(new), record(old)]] {
            let found = newest(&records, &["/none", "/at"]);
            assert_eq!(found, Some(&record(new)));
        }
        let undated = [json!({"n": 1}), json!({"n": 2})];
        assert_eq!(newest(&undated, &["/at"]), Some(&undated[0]));
    }

    #[test]
    fn links_lead_to_the_web_and_nowhere_else() {
        assert_eq!(link(&json!({"url": "javascript:alert(1)"}), "/url"), None);
        let web = link(&json!({"url": "https://status.example.com/i/1"}), "/url");
        assert_eq!(web.as_deref(), Some("https://status.example.com/i/1"));
    }
}
