//! TOML text to a tree of values that know their lines.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Origin};

/// A value of the file, or the text of a flag or variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Entry>),
    Table(Entries),
    /// A kind of value that no setting has, as text.
    Other(String),
}

impl Value {
    /// As it would be written, for messages.
    pub fn show(&self) -> String {
        match self {
            Self::Text(text) => format!("{:?}", without_secrets(text)),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(truth) => truth.to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|entry| entry.value.show()).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Table(_) => "a table".to_owned(),
            Self::Other(text) => text.clone(),
        }
    }

    /// As [`Value::show`], for what should be an address on the web and may lack the beginning.
    pub fn show_address(&self) -> String {
        match self {
            Self::Text(text) if !text.contains("://") => format!("{:?}", host_of(text)),
            Self::Text(_)
            | Self::Integer(_)
            | Self::Boolean(_)
            | Self::List(_)
            | Self::Table(_)
            | Self::Other(_) => self.show(),
        }
    }
}

/// Addresses on the web may hold keys in every part but scheme and host: only these are shown.
fn without_secrets(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", host_of(rest)),
        None => text.to_owned(),
    }
}

/// The host, and that there was more.
fn host_of(rest: &str) -> String {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.len() > 1 { "/…" } else { path };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}{path}"),
        None => format!("{authority}{path}"),
    }
}

/// A value and the line on which it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub value: Value,
    pub line: usize,
}

/// A table of the file.
pub type Entries = BTreeMap<String, Entry>;

/// Reads the text; all faults of its grammar at once.
pub fn parse(text: &str, path: &Path) -> Result<Entries, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(entries(text, table.into_inner()));
    }
    let fault = |error: &toml::de::Error| Fault {
        origin: Some(Origin::File {
            path: path.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
        }),
        message: format!("not TOML: {}", error.message()),
    };
    Err(errors.iter().map(fault).collect())
}

fn entries(text: &str, table: DeTable<'_>) -> Entries {
    table
        .into_iter()
        .map(|(key, value)| {
            let line = line_of(text, key.span().start);
            let value = convert(text, value.into_inner());
            (key.into_inner().into_owned(), Entry { value, line })
        })
        .collect()
}

fn convert(text: &str, value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(string) => Value::Text(string.into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| Value::Other(integer.to_string()), Value::Integer),
        DeValue::Boolean(truth) => Value::Boolean(truth),
        DeValue::Float(float) => Value::Other(float.to_string()),
        DeValue::Datetime(moment) => Value::Other(moment.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item: Spanned<DeValue<'_>>| Entry {
                    line: line_of(text, item.span().start),
                    value: convert(text, item.into_inner()),
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(text, table)),
    }
}

/// The line of a byte position, counted from 1.
fn line_of(text: &str, position: usize) -> usize {
    let before = text.as_bytes().iter().take(position);
    1 + before.filter(|byte| **byte == b'\n').count()
}
