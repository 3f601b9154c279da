//! The windows in which a layer of a schedule holds.

use jiff::civil::Weekday;

use crate::document::{
    Code, Diagnostics, MapReader, MapSchema, Node, Value, list, text,
    values::{self, DAY_MINUTES},
};
use crate::engine::calendar::Window;
use crate::text::{suggest, truncate::quoted};

const WINDOW: MapSchema = MapSchema {
    what: "a window of `only`",
    keys: &["days", "from", "to"],
    foreign: &[("until", "write `to`")],
    may_be_empty: false,
};

/// A window of `only`; without `from` it begins and without `to` it ends with the day.
pub fn window(node: &Node, faults: &mut Diagnostics) -> Window {
    let table = MapReader::open(node, &WINDOW, faults);
    let days = table.get("days").map(|node| days(node, faults));
    let from = table.get("from").map(|node| minute(node, "from", faults));
    let to = table.get("to").map(|node| minute(node, "to", faults));
    let (from, to) = (from.unwrap_or(Some(0)), to.unwrap_or(Some(DAY_MINUTES)));
    let window = Window {
        days: days.unwrap_or_default(),
        from_minute: from.unwrap_or(0),
        // `to: "00:00"` is the midnight at which the day ends.
        to_minute: to.filter(|minute| *minute > 0).unwrap_or(DAY_MINUTES),
    };
    if from == to && from.is_some() {
        let message = "`from` and `to` are the same, so the window is empty";
        let help = "for whole days omit both, or write from \"00:00\" to \"24:00\"";
        faults.error(Code::EmptyWindow, node.at, message, help);
    } else if from == Some(DAY_MINUTES) {
        let message = "`from` cannot be 24:00, the end of the day";
        faults.error(
            Code::BadTime,
            node.at,
            message,
            "write \"00:00\" of the next day",
        );
    }
    window
}

fn minute(node: &Node, key: &str, faults: &mut Diagnostics) -> Option<u16> {
    if let Value::Integer(number @ 0..=1_440) = node.value {
        let time = format!("\"{:02}:{:02}\"", number / 60, number % 60);
        let message = format!("`{key}` is the number {number}: a time without quotes was {time}");
        faults.error(Code::Unquoted, node.at, message, format!("write {time}"));
        return None;
    }
    let found = node.as_text().and_then(values::time_of_day);
    if found.is_none() {
        let message = format!("`{key}` is a time of day, not {}", node.value.describe());
        let help = "write hours and minutes in quotes: \"09:00\"; `to` may be \"24:00\"";
        faults.error(Code::BadTime, node.at, message, help);
    }
    found
}

fn days(node: &Node, faults: &mut Diagnostics) -> Vec<Weekday> {
    let items = list(node, "`days`", 7, faults);
    if items.is_some_and(<[Node]>::is_empty) {
        let help = "name days, or omit `days` for every day";
        faults.error(Code::EmptyList, node.at, "`days` names no day", help);
    }
    let items = items.unwrap_or_default().iter();
    items.filter_map(|item| day(item, faults)).collect()
}

fn day(node: &Node, faults: &mut Diagnostics) -> Option<Weekday> {
    let word = text(node, "a day", faults)?;
    let found = values::weekday(word);
    if found.is_none() {
        let message = format!("{} is not a weekday", quoted(word));
        let words = Weekday::Monday
            .cycle_forward()
            .take(7)
            .map(values::weekday_word);
        let help = suggest::help(word, words, "write one of");
        faults.error(Code::BadChoice, node.at, message, help);
    }
    found
}
