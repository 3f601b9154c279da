//! What changes between two sets of documents, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::document::Node;
use crate::text::truncate;

use super::documents::{Documents, Section};
use super::export::inline;
use super::keys::KeySource;
use super::names::Numbers;
use super::routes::ROOT;

/// Begins the name of a field that says in which order things stand.
const ORDER: &str = "order of";
/// Between the things of an order.
const SEPARATOR: &str = ", ";
/// Characters of a value that a line shows.
const SHOWN_CHARACTERS: usize = 160;

/// One thing that was added, removed or changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// `user`, `schedule`, `policy`, `integration`, `provider`, `check`, `status page` or `route`.
    pub kind: &'static str,
    pub name: String,
    pub change: Change,
}

/// What became of a thing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added,
    Removed,
    Changed(Vec<FieldChange>),
}

/// A field with its values as YAML; `None` where it does not stand.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldChange {
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

impl fmt::Display for Difference {
    /// One line, or one for each field.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, change } = self;
        match change {
            Change::Added => write!(formatter, "{kind} {name}: added"),
            Change::Removed => write!(formatter, "{kind} {name}: removed"),
            Change::Changed(fields) => {
                let lines: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{kind} {name}: {field}"))
                    .collect();
                formatter.write_str(&lines.join("\n"))
            }
        }
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.old, &self.new) {
            (None, Some(new)) => write!(formatter, "{} added: {new}", self.field),
            (Some(old), None) => write!(formatter, "{} removed: {old}", self.field),
            (old, new) => {
                let shown = |value: &Option<String>| value.clone().unwrap_or_default();
                write!(
                    formatter,
                    "{}: {} -> {}",
                    self.field,
                    shown(old),
                    shown(new)
                )
            }
        }
    }
}

/// What changes from one set to the other, in the order users, schedules, policies, integrations,
/// providers, checks, routes, each by name. Empty when both mean the same; in which file things
/// stand means nothing.
pub fn diff(old: &Documents, new: &Documents) -> Vec<Difference> {
    let mut differences = Vec::new();
    for section in Section::ALL {
        let of = |documents| things(documents, section);
        compare(section.noun(), &of(old), &of(new), &mut differences);
    }
    compare("route", &routes(old), &routes(new), &mut differences);
    differences
}

/// The fields of a thing: name and value as YAML, in order.
type Fields = Vec<(String, String)>;

fn things(documents: &Documents, section: Section) -> BTreeMap<String, Fields> {
    let entries = documents.things(section);
    entries
        .map(|entry| {
            let mut fields = Fields::new();
            collect(&entry.node, "", &mut fields);
            (entry.key.clone(), fields)
        })
        .collect()
}

/// Takes maps apart into their fields, and lists of maps into their items.
fn collect(node: &Node, path: &str, fields: &mut Fields) {
    let is_list_of_maps = node.items().iter().any(|item| !item.entries().is_empty());
    if !node.entries().is_empty() {
        for entry in node.entries() {
            let dot = if path.is_empty() { "" } else { "." };
            collect(&entry.node, &format!("{path}{dot}{}", entry.key), fields);
        }
        if path == "contacts" {
            let names: Vec<&str> = node
                .entries()
                .iter()
                .map(|entry| entry.key.as_str())
                .collect();
            fields.push((format!("{ORDER} contacts"), names.join(SEPARATOR)));
        }
    } else if is_list_of_maps {
        for (index, item) in node.items().iter().enumerate() {
            collect(item, &format!("{path}[{}]", index + 1), fields);
        }
    } else if path == "key" || path.starts_with("key[") {
        fields.push((path.to_owned(), hidden(node)));
    } else {
        fields.push((path.to_owned(), inline(node)));
    }
}

/// Keys as references; a literal is never shown.
fn hidden(node: &Node) -> String {
    let sources = super::keys::sources(node);
    let shown: Vec<String> = sources
        .into_iter()
        .map(|(source, _): (KeySource, _)| source.to_string())
        .collect();
    shown.join(", ")
}

/// All routes by name, with where they stand as a field of its own.
fn routes(documents: &Documents) -> BTreeMap<String, Fields> {
    let mut routes = Routes::default();
    let merged = documents.merged();
    if let Some(route) = merged.get("route") {
        routes.collect(route, None);
    }
    routes.found
}

/// Routes as they are collected.
#[derive(Default)]
struct Routes {
    found: BTreeMap<String, Fields>,
    numbers: Numbers,
}

impl Routes {
    /// Adds a route and those beneath it; returns its name.
    fn collect(&mut self, node: &Node, parent: Option<&str>) -> String {
        let name = self.name(node, parent);
        self.found.insert(name.clone(), Fields::new());
        let mut fields = Fields::new();
        fields.extend(parent.map(|parent| ("parent".to_owned(), parent.to_owned())));
        for entry in node.entries() {
            if !matches!(entry.key.as_str(), "routes" | "name") {
                collect(&entry.node, &entry.key, &mut fields);
            }
        }
        let children = node.get("routes").map_or(&[][..], Node::items).iter();
        let names: Vec<String> = children
            .map(|child| self.collect(child, Some(&name)))
            .collect();
        fields.push((format!("{ORDER} its routes"), names.join(SEPARATOR)));
        self.found.insert(name.clone(), fields);
        name
    }

    /// Its name; an unnamed one is told by its matchers.
    fn name(&mut self, node: &Node, parent: Option<&str>) -> String {
        let given = node.get("name").and_then(Node::as_text).map(str::to_owned);
        let matchers = node.get("matchers").map(inline).unwrap_or_default();
        let base = given.unwrap_or_else(|| match parent {
            None => ROOT.to_owned(),
            Some(parent) => format!("{parent}/{matchers}"),
        });
        let found = &self.found;
        self.numbers.free(&base, |name| found.contains_key(name))
    }
}

fn compare(
    kind: &'static str,
    old: &BTreeMap<String, Fields>,
    new: &BTreeMap<String, Fields>,
    differences: &mut Vec<Difference>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let change = match (old.get(name), new.get(name)) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => Change::Changed(field_changes(old, new)),
        };
        let is_change = !matches!(&change, Change::Changed(fields) if fields.is_empty());
        differences.extend(is_change.then(|| Difference {
            kind,
            name: name.clone(),
            change,
        }));
    }
}

fn field_changes(old: &Fields, new: &Fields) -> Vec<FieldChange> {
    fn by_name(fields: &Fields) -> BTreeMap<&str, &str> {
        let fields = fields.iter();
        fields
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
    let (old_values, new_values) = (by_name(old), by_name(new));
    let added = new
        .iter()
        .filter(|(name, _)| !old_values.contains_key(name.as_str()));
    let names = old.iter().chain(added).map(|(name, _)| name.as_str());
    names
        .filter(|name| old_values.get(name) != new_values.get(name))
        .filter_map(|name| match name.strip_prefix(ORDER) {
            Some(_) => order_change(name, old_values.get(name)?, new_values.get(name)?),
            None => Some(FieldChange {
                field: name.to_owned(),
                old: old_values.get(name).copied().map(shortened),
                new: new_values.get(name).copied().map(shortened),
            }),
        })
        .collect()
}

fn shortened(value: &str) -> String {
    truncate(value, SHOWN_CHARACTERS)
}

/// How the order of those that stand on both sides changes, from the first that differs.
fn order_change(field: &str, old: &str, new: &str) -> Option<FieldChange> {
    let (old, new): (Vec<&str>, Vec<&str>) = (
        old.split(SEPARATOR).collect(),
        new.split(SEPARATOR).collect(),
    );
    let (in_old, in_new): (BTreeSet<&str>, BTreeSet<&str>) =
        (old.iter().copied().collect(), new.iter().copied().collect());
    let old: Vec<&str> = old
        .into_iter()
        .filter(|name| in_new.contains(name))
        .collect();
    let new: Vec<&str> = new
        .into_iter()
        .filter(|name| in_old.contains(name))
        .collect();
    let first = old.iter().zip(&new).position(|(one, other)| one != other)?;
    let shown = |names: &[&str]| Some(shortened(&names[first..].join(SEPARATOR)));
    Some(FieldChange {
        field: field.to_owned(),
        old: shown(&old),
        new: shown(&new),
    })
}
