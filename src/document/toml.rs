//! TOML text becomes a tree with positions. The only file that knows the TOML crate.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Code, Diagnostics, Entry, Node, Position, Value};

/// Reads one document; `None` when it is not TOML, with a fault for each place where it is not.
pub fn parse(text: &str, file: u32, faults: &mut Diagnostics) -> Option<Node> {
    let source = Source { text, file };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.error(
            Code::Syntax,
            source.position(error.span().map_or(0, |span| span.start)),
            format!("invalid TOML: {}", error.message()),
            "check quotes, brackets and equals signs here and on the line above",
        );
    }
    errors.is_empty().then(|| Node {
        at: source.position(0),
        value: source.map(table.into_inner()),
    })
}

/// The text, to find positions in.
struct Source<'text> {
    text: &'text str,
    file: u32,
}

impl Source<'_> {
    /// The place of a byte.
    fn position(&self, byte: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line = before.rsplit('\n').next().unwrap_or_default();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position {
            file: self.file,
            line: number(1 + before.matches('\n').count()),
            column: number(1 + line.chars().count()),
        }
    }

    fn map(&self, table: DeTable<'_>) -> Value {
        let entry = |(key, value): (Spanned<_>, _)| Entry {
            at: self.position(key.span().start),
            key: std::borrow::Cow::into_owned(key.into_inner()),
            node: self.node(value),
        };
        Value::Map(table.into_iter().map(entry).collect())
    }

    fn node(&self, value: Spanned<DeValue<'_>>) -> Node {
        let at = self.position(value.span().start);
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map_or_else(|_| Value::Other(integer.to_string()), Value::Integer),
            DeValue::Boolean(truth) => Value::Bool(truth),
            DeValue::Float(float) => Value::Other(float.to_string()),
            DeValue::Datetime(moment) => Value::Other(moment.to_string()),
            DeValue::Array(items) => {
                Value::List(items.into_iter().map(|item| self.node(item)).collect())
            }
            DeValue::Table(table) => self.map(table),
        };
        Node { at, value }
    }
}
