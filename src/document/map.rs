//! Reading maps out of the tree, key by key, with a fault for whatever does not fit.
//!
//! Reading never stops: a value that does not fit is reported and left out.

use std::ops::RangeInclusive;

use crate::engine::time::Duration;
use crate::text::suggest;

use super::code::Code;
use super::diagnostic::Diagnostics;
use super::node::{Entry, Node, Position, Value};
use super::simple::{duration, join, list, named, text};

/// The keys that a map may have.
#[derive(Clone, Copy, Debug)]
pub struct MapSchema {
    /// What the map is, for messages: `a policy`.
    pub what: &'static str,
    pub keys: &'static [&'static str],
    /// Words of other systems, each with the help.
    pub foreign: &'static [(&'static str, &'static str)],
    /// Whether a key may stand without a value, as a section whose content is commented out.
    pub may_be_empty: bool,
}

impl MapSchema {
    /// These keys, each with a value.
    pub const fn new(what: &'static str, keys: &'static [&'static str]) -> Self {
        Self {
            what,
            keys,
            foreign: &[],
            may_be_empty: false,
        }
    }
}

/// A map whose keys have been checked.
#[derive(Clone, Copy, Debug)]
pub struct MapReader<'doc> {
    pub at: Position,
    schema: &'static MapSchema,
    entries: &'doc [Entry],
}

impl<'doc> MapReader<'doc> {
    /// Checks that the node is a map with known keys that all have a value.
    pub fn open(node: &'doc Node, schema: &'static MapSchema, faults: &mut Diagnostics) -> Self {
        if !matches!(node.value, Value::Map(_)) {
            let MapSchema { what, keys, .. } = schema;
            let message = format!(
                "{what} must be a map of keys, not {}",
                node.value.describe()
            );
            let help = format!("write keys and values; the keys are {}", join(keys));
            faults.error(Code::NotAMap, node.at, message, help);
        }
        let table = Self {
            at: node.at,
            schema,
            entries: node.entries(),
        };
        for entry in table.entries {
            table.check(entry, faults);
        }
        table
    }

    fn check(&self, entry: &Entry, faults: &mut Diagnostics) {
        let Entry { at, key, node } = entry;
        let MapSchema {
            what,
            keys,
            foreign,
            may_be_empty,
        } = self.schema;
        if let Some((word, help)) = foreign.iter().find(|(word, _)| word == key) {
            let message = format!("`{word}` is not a key of {what}");
            faults.error(Code::ForeignWord, *at, message, *help);
        } else if !keys.contains(&key.as_str()) {
            let message = format!("{what} has no key `{key}`");
            let help = suggest::help(key, keys.iter().copied(), "the keys are");
            faults.error(Code::UnknownKey, *at, message, help);
        } else if node.value == Value::Null && !may_be_empty {
            let message = format!("`{key}` has no value");
            let help = "give it a value or remove the key";
            faults.error(Code::EmptyValue, *at, message, help);
        }
    }

    /// A key of the schema with its value, if it is there.
    pub fn entry(&self, key: &str) -> Option<&'doc Entry> {
        debug_assert!(self.schema.keys.contains(&key), "{key} is in the schema");
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value under a key, if there is one.
    pub fn get(&self, key: &str) -> Option<&'doc Node> {
        let node = &self.entry(key)?.node;
        (node.value != Value::Null).then_some(node)
    }

    /// Where a key stands.
    pub fn key_at(&self, key: &str) -> Option<Position> {
        Some(self.entry(key)?.at)
    }

    /// The value under a key that must be there; `example` shows how.
    pub fn require(
        &self,
        key: &str,
        example: &str,
        faults: &mut Diagnostics,
    ) -> Option<&'doc Node> {
        let found = self.get(key);
        // A key without a value has been reported as such.
        if found.is_none() && self.key_at(key).is_none() {
            let at = self.at;
            let message = format!("{} needs `{key}`", self.schema.what);
            let help = format!("add it, such as `{key}: {example}`");
            faults.error(Code::MissingKey, at, message, help);
        }
        found
    }

    /// A text.
    pub fn text(&self, key: &str, faults: &mut Diagnostics) -> Option<&'doc str> {
        text(self.get(key)?, &format!("`{key}`"), faults)
    }

    /// A length of time within limits.
    pub fn duration(
        &self,
        key: &str,
        allowed: RangeInclusive<Duration>,
        faults: &mut Diagnostics,
    ) -> Option<Duration> {
        duration(self.get(key)?, key, allowed, faults)
    }

    /// `true` or `false`.
    pub fn truth(&self, key: &str, faults: &mut Diagnostics) -> Option<bool> {
        let node = self.get(key)?;
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        let message = format!(
            "`{key}` must be true or false, not {}",
            node.value.describe()
        );
        let help = format!("write `{key}: true` or `{key}: false`, without quotes");
        faults.error(Code::NotATruthValue, node.at, message, help);
        None
    }

    /// A whole number within limits.
    pub fn number(
        &self,
        key: &str,
        allowed: RangeInclusive<i64>,
        faults: &mut Diagnostics,
    ) -> Option<i64> {
        let node = self.get(key)?;
        let (least, most) = (allowed.start(), allowed.end());
        let help = format!("write a whole number from {least} to {most}, without quotes");
        let Value::Integer(value) = node.value else {
            let message = format!(
                "`{key}` must be a whole number, not {}",
                node.value.describe()
            );
            faults.error(Code::NotANumber, node.at, message, help);
            return None;
        };
        if !allowed.contains(&value) {
            let message = format!("`{key}` is {value}, outside {least} to {most}");
            faults.error(Code::BadNumber, node.at, message, help);
            return None;
        }
        Some(value)
    }

    /// The items of a list with at most so many.
    pub fn list(
        &self,
        key: &str,
        items_max: usize,
        faults: &mut Diagnostics,
    ) -> Option<&'doc [Node]> {
        let node = self.get(key)?;
        list(node, &format!("`{key}`"), items_max, faults)
    }

    /// One of some words; the answer is its index.
    pub fn choice(&self, key: &str, words: &[&str], faults: &mut Diagnostics) -> Option<usize> {
        let node = self.get(key)?;
        let text = text(node, &format!("`{key}`"), faults)?;
        let found = words.iter().position(|word| *word == text);
        if found.is_none() {
            let message = format!("`{key}` cannot be {text:?}");
            let help = suggest::help(text, words.iter().copied(), "it is one of");
            faults.error(Code::BadChoice, node.at, message, help);
        }
        found
    }

    /// The entries of a map whose keys are names of the user's choice.
    pub fn named(&self, key: &str, entries_max: usize, faults: &mut Diagnostics) -> &'doc [Entry] {
        match self.get(key) {
            Some(node) => named(node, &format!("`{key}`"), entries_max, faults),
            None => &[],
        }
    }
}
