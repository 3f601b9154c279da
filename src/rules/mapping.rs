//! The mapping of the generic format: JSON pointers and value maps.

use std::collections::BTreeMap;

use crate::document::{Code, Diagnostics, MapReader, MapSchema, Node, Value, list, text};
use crate::engine::event::{Action, limit};
use crate::engine::ruleset::{GenericMapping, Pointers, Unlisted};
use crate::text::{suggest, truncate::quoted};

use super::limits;

const MAPPING: MapSchema = MapSchema {
    what: "`mapping`",
    keys: &[
        "each",
        "action",
        "actions",
        "unlisted",
        "dedup_key",
        "summary",
        "severity",
        "severities",
        "source",
        "component",
        "group",
        "class",
        "service",
        "occurred_at",
        "id",
        "labels",
        "labels_from",
        "links",
        "details",
    ],
    foreign: &[
        ("title", "write `summary`"),
        ("time", "write `occurred_at`"),
        ("timestamp", "write `occurred_at`"),
        ("key", "write `dedup_key`"),
        ("status", "write `action`, with `actions` to map its texts"),
    ],
    may_be_empty: false,
};

/// Texts of an action or severity that a mapping may translate.
const VALUES_MAX: usize = 1_000;

/// Reads a mapping.
pub fn read(node: &Node, faults: &mut Diagnostics) -> GenericMapping {
    let table = MapReader::open(node, &MAPPING, faults);
    let mut pointer = |key| table.get(key).and_then(|node| pointer(node, faults));
    let (each, labels_from) = (pointer("each"), pointer("labels_from"));
    let details = pointer("details");
    let mut first = |key| pointers(&table, key, limits::FALLBACK_POINTERS, faults);
    let mapping = GenericMapping {
        each,
        labels_from,
        details,
        action: first("action"),
        summary: first("summary"),
        severity: first("severity"),
        source: first("source"),
        component: first("component"),
        group: first("group"),
        class: first("class"),
        service: first("service"),
        occurred_at: first("occurred_at"),
        id: first("id"),
        ..GenericMapping::default()
    };
    check_pair(&table, "unlisted", "action", faults);
    check_pair(&table, "actions", "action", faults);
    check_pair(&table, "severities", "severity", faults);
    GenericMapping {
        actions: actions(&table, faults),
        unlisted: unlisted(&table, faults),
        severities: texts(&table, "severities", VALUES_MAX, text_value, faults),
        dedup_key: pointers(&table, "dedup_key", limits::DEDUP_POINTERS, faults),
        labels: texts(&table, "labels", limit::LABELS, pointer_value, faults),
        links: texts(&table, "links", limit::LINKS, pointer_value, faults),
        ..mapping
    }
}

/// A map of values means nothing without the pointer to the text that it translates.
fn check_pair(table: &MapReader<'_>, values: &str, pointer: &str, faults: &mut Diagnostics) {
    if let Some(at) = table.key_at(values)
        && table.get(pointer).is_none()
    {
        let message = format!("`{values}` needs `{pointer}`, the pointer to the text it maps");
        let help = format!("add `{pointer}: /…`, or remove `{values}`");
        faults.error(Code::MissingKey, at, message, help);
    }
}

fn actions(table: &MapReader<'_>, faults: &mut Diagnostics) -> BTreeMap<String, Action> {
    let known = [
        Action::Trigger,
        Action::Acknowledge,
        Action::Resolve,
        Action::Ignore,
    ];
    let mut actions = BTreeMap::new();
    for entry in table.named("actions", VALUES_MAX, faults) {
        let Some(word) = text(&entry.node, "an action", faults) else {
            continue;
        };
        if let Some(action) = known.into_iter().find(|action| action.as_str() == word) {
            actions.insert(entry.key.clone(), action);
            continue;
        }
        let message = format!("{} is not an action", quoted(word));
        let help = suggest::help(
            word,
            known.iter().map(|known| known.as_str()),
            "write one of",
        );
        faults.error(Code::BadChoice, entry.node.at, message, help);
    }
    actions
}

/// One pointer or a list of them.
fn pointers(table: &MapReader<'_>, key: &str, most: usize, faults: &mut Diagnostics) -> Pointers {
    let Some(node) = table.get(key) else {
        return Vec::new();
    };
    if !matches!(node.value, Value::List(_)) {
        return pointer(node, faults).into_iter().collect();
    }
    if node.items().is_empty() {
        let message = format!("`{key}` lists no pointer");
        let help = format!("write `{key}: /…`, or remove it");
        faults.error(Code::EmptyValue, node.at, message, help);
    }
    let items = list(node, &format!("`{key}`"), most, faults);
    let items = items.unwrap_or_default().iter();
    items.filter_map(|item| pointer(item, faults)).collect()
}

fn unlisted(table: &MapReader<'_>, faults: &mut Diagnostics) -> Unlisted {
    let words = ["trigger", "ignore", "refuse"];
    match table.choice("unlisted", &words, faults) {
        Some(1) => Unlisted::Ignore,
        Some(2) => Unlisted::Refuse,
        Some(_) | None => Unlisted::Trigger,
    }
}

/// A map from words of the user's choice.
fn texts(
    table: &MapReader<'_>,
    key: &str,
    entries_max: usize,
    read: fn(&Node, &mut Diagnostics) -> Option<String>,
    faults: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let entries = table.named(key, entries_max, faults).iter();
    entries
        .filter_map(|entry| Some((entry.key.clone(), read(&entry.node, faults)?)))
        .collect()
}

fn text_value(node: &Node, faults: &mut Diagnostics) -> Option<String> {
    text(node, "a severity", faults).map(str::to_owned)
}

fn pointer_value(node: &Node, faults: &mut Diagnostics) -> Option<String> {
    pointer(node, faults)
}

/// An RFC 6901 pointer; the empty text points to the whole body.
pub fn pointer(node: &Node, faults: &mut Diagnostics) -> Option<String> {
    let found = node.as_text().filter(|text| is_pointer(text));
    if found.is_none() {
        let message = format!("a JSON pointer is expected, not {}", node.value.describe());
        let help = "start with a slash and separate names with slashes: /alert/title; inside a \
            name write ~1 for a slash and ~0 for ~";
        faults.error(Code::BadPointer, node.at, message, help);
    }
    found.map(str::to_owned)
}

fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1);
    let is_escaped = |after: &str| after.starts_with(['0', '1']);
    (text.is_empty() || text.starts_with('/')) && escapes.into_iter().all(is_escaped)
}
