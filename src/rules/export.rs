//! Documents become YAML text again, as people would write it.
//!
//! What is written reads back as the same tree. Comments are not kept.

use crate::document::scalar::{self, Plain};
use crate::document::{Entry, Node, Position, Value};
use crate::engine::time::Duration;
use crate::text::is_unwanted;

use super::documents::{Documents, SourceFile};

/// Columns up to which a small map or list stands on one line.
const COLUMNS_MAX: usize = 88;
/// Levels that are always written one key a line: the sections and what is in them.
const BLOCK_LEVELS: usize = 2;

impl Documents {
    /// The files as text.
    pub fn export(&self) -> Vec<SourceFile> {
        let files = self.trees();
        files
            .map(|(path, tree)| SourceFile {
                path: path.to_owned(),
                text: yaml(tree),
            })
            .collect()
    }

    /// Everything as one document that means the same: routes of other files stand as the last
    /// children of the root.
    pub fn merged(&self) -> Node {
        let mut root = Node::empty(0);
        for (_, tree) in self.trees() {
            for entry in tree.entries().iter().filter(|entry| entry.key != "routes") {
                merge(&mut root, entry);
            }
        }
        let added: Vec<Node> = self.added_routes().flat_map(Node::items).cloned().collect();
        if added.is_empty() {
            return root;
        }
        let routes = Entry {
            at: Position::default(),
            key: "routes".to_owned(),
            node: Node {
                at: Position::default(),
                value: Value::List(added),
            },
        };
        match root.get_mut("route") {
            Some(route) => merge(route, &routes),
            None => merge(&mut root, &routes),
        }
        root
    }
}

/// Adds an entry to a map; a map or list that is already there grows.
fn merge(map: &mut Node, entry: &Entry) {
    if let Some(known) = map.get_mut(&entry.key) {
        match &mut known.value {
            Value::Map(entries) => entries.extend_from_slice(entry.node.entries()),
            Value::List(items) => items.extend_from_slice(entry.node.items()),
            Value::Null => known.clone_from(&entry.node),
            _ => {}
        }
    } else if let Value::Map(entries) = &mut map.value {
        entries.push(entry.clone());
    }
}

/// A tree as YAML text.
pub fn yaml(node: &Node) -> String {
    if is_simple(node) {
        return format!("{}\n", inline(node));
    }
    let mut text = String::new();
    write_block(node, 0, &mut text);
    text
}

/// A tree on one line.
pub fn inline(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Text(text) | Value::Other(text) => quote(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entries = entries.iter();
            let entries: Vec<String> = entries
                .map(|entry| format!("{}: {}", quote(&entry.key), inline(&entry.node)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// Whether it can only stand on one line.
fn is_simple(node: &Node) -> bool {
    node.items().is_empty() && node.entries().is_empty()
}

fn write_block(node: &Node, indent: usize, text: &mut String) {
    let level = indent / 2;
    for (index, entry) in node.entries().iter().enumerate() {
        if level == 0 && index > 0 {
            text.push('\n');
        }
        let key = format!("{:indent$}{}:", "", quote(&entry.key));
        write_value(&key, &entry.node, indent + 2, text);
    }
    for item in node.items() {
        write_item(item, indent, text);
    }
}

/// Writes what stands after `lead`, on the same line if it is small.
fn write_value(lead: &str, node: &Node, indent: usize, text: &mut String) {
    text.push_str(lead);
    let is_inner = indent / 2 > BLOCK_LEVELS;
    let is_list = !node.items().is_empty();
    if is_simple(node) || ((is_inner || is_list) && is_small(lead, node)) {
        text.push(' ');
        text.push_str(&inline(node));
        text.push('\n');
        return;
    }
    text.push('\n');
    write_block(node, indent, text);
}

/// Writes an item of a list; the first key of a map stands after the dash.
fn write_item(item: &Node, indent: usize, text: &mut String) {
    let lead = format!("{:indent$}-", "");
    if is_simple(item) || is_small(&lead, item) {
        text.push_str(&lead);
        text.push(' ');
        text.push_str(&inline(item));
        text.push('\n');
        return;
    }
    if item.items().is_empty() {
        let start = text.len();
        for entry in item.entries() {
            let key = format!("{:width$}{}:", "", quote(&entry.key), width = indent + 2);
            write_value(&key, &entry.node, indent + 4, text);
        }
        text.replace_range(start + indent..=start + indent, "-");
        return;
    }
    text.push_str(&lead);
    text.push('\n');
    write_block(item, indent + 2, text);
}

/// Whether it fits on the line after `lead`. Large trees are not written out to find that out.
fn is_small(lead: &str, node: &Node) -> bool {
    let mut values = 0_usize;
    node.walk(&mut |_| values += 1);
    values <= COLUMNS_MAX && lead.chars().count() + 1 + inline(node).chars().count() <= COLUMNS_MAX
}

/// A text, in quotes where it must be.
fn quote(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let is_printable = |character: char| character == ' ' || !must_escape(character);
    let wants_single = text.contains(['"', '\\']) && text.chars().all(is_printable);
    if wants_single {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other if must_escape(other) => {
                quoted.push_str(&format!("\\U{:08X}", u32::from(other)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Characters that a line of text cannot show as they are.
fn must_escape(character: char) -> bool {
    let is_space = character.is_whitespace() && character != ' ';
    let is_special = matches!(character, '\u{fffe}' | '\u{ffff}' | '\u{200c}' | '\u{200d}');
    is_unwanted(character) || is_space || is_special
}

/// Whether a text reads as itself without quotes, to us and to other readers.
fn is_plain(text: &str) -> bool {
    let is_word =
        |character: char| character.is_ascii_alphanumeric() || "_./@-:".contains(character);
    let starts_as_word =
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let is_date = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    let is_length = text.parse::<Duration>().is_ok() && !text.contains(' ');
    (starts_as_word || is_date || is_length)
        && text.chars().all(is_word)
        && !text.ends_with(':')
        && !matches!(text, "y" | "Y" | "n" | "N")
        && scalar::plain(text) == Plain::Text
}
