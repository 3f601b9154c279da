//! Texts, lengths of time, lists and names: the value of one node, with a fault where it does not
//! fit.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::engine::time::{Duration, NoLength};

use super::code::Code;
use super::diagnostic::Diagnostics;
use super::node::{Entry, Node, Position, Value};
use super::values;

/// The text of a node; `what` is in the message.
pub fn text<'doc>(node: &'doc Node, what: &str, faults: &mut Diagnostics) -> Option<&'doc str> {
    match &node.value {
        Value::Text(text) if !text.is_empty() => Some(text),
        Value::Text(_) => {
            let message = format!("{what} is empty");
            faults.error(Code::EmptyValue, node.at, message, "write a text");
            None
        }
        other @ (Value::Bool(_) | Value::Integer(_)) => {
            let message = format!("{what} must be text, not {}", other.describe());
            let help = format!("put it in quotes: {}", quoted(other));
            faults.error(Code::NotText, node.at, message, help);
            None
        }
        other => {
            let message = format!("{what} must be text, not {}", other.describe());
            faults.error(Code::NotText, node.at, message, "write a single text");
            None
        }
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Bool(value) => format!("\"{value}\""),
        Value::Integer(value) => format!("\"{value}\""),
        _ => "\"…\"".to_owned(),
    }
}

/// A length of time within limits.
pub fn duration(
    node: &Node,
    key: &str,
    allowed: RangeInclusive<Duration>,
    faults: &mut Diagnostics,
) -> Option<Duration> {
    let least = values::shown(*allowed.start());
    let most = values::shown(*allowed.end());
    let shown = node.value.describe();
    let length = node.as_text().ok_or(NoLength).and_then(Duration::from_str);
    let report = |help: &NoLength| {
        let message = format!("`{key}` must be a duration, not {shown}");
        faults.error(Code::BadDuration, node.at, message, help.to_string());
    };
    let length = length.inspect_err(report).ok()?;
    if !allowed.contains(&length) {
        let length = values::shown(length);
        let message = format!("`{key}` is {length}, outside {least} to {most}");
        let help = format!("choose a duration from {least} to {most}");
        faults.error(Code::BadDuration, node.at, message, help);
        return None;
    }
    Some(length)
}

/// The items of a list with at most so many.
pub fn list<'doc>(
    node: &'doc Node,
    what: &str,
    items_max: usize,
    faults: &mut Diagnostics,
) -> Option<&'doc [Node]> {
    let Value::List(items) = &node.value else {
        let message = format!("{what} must be a list, not {}", node.value.describe());
        let help = "write a list, such as [one, two], or one item per line after `- `";
        faults.error(Code::NotAList, node.at, message, help);
        return None;
    };
    check_count(node.at, what, items.len(), items_max, faults);
    Some(&items[..items.len().min(items_max)])
}

/// The entries of a map whose keys are names of the user's choice.
pub fn named<'doc>(
    node: &'doc Node,
    what: &str,
    entries_max: usize,
    faults: &mut Diagnostics,
) -> &'doc [Entry] {
    if !matches!(node.value, Value::Map(_)) {
        let message = format!(
            "{what} must be a map of names, not {}",
            node.value.describe()
        );
        let help = "write `name: value`, one per line";
        faults.error(Code::NotAMap, node.at, message, help);
    }
    let entries = node.entries();
    check_count(node.at, what, entries.len(), entries_max, faults);
    &entries[..entries.len().min(entries_max)]
}

/// Reports a count beyond its limit.
pub fn check_count(at: Position, what: &str, count: usize, most: usize, faults: &mut Diagnostics) {
    if count > most {
        let message = format!("{what} has {count} items, more than {most}");
        faults.error(Code::TooMany, at, message, format!("keep at most {most}"));
    }
}

/// Words in backticks, for messages.
pub fn join(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
