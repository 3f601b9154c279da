//! One table of settings: keys are asked for one by one, and what nobody asked for is unknown.
//!
//! Asking records the key, so the list of known keys can never differ from what is read.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;

use super::document::{Entries, Entry, Value};
use super::fault::{Fault, Origin, Warning};
use super::layers::Layers;
use super::units::nearest;

/// A table that is being read.
pub(super) struct Section<'load> {
    layers: &'load Layers<'load>,
    entries: Entries,
    /// How its keys are written elsewhere: nothing, `watch.`, or `channel mail: ` in messages.
    prefix: String,
    scope: Scope,
    asked: Vec<String>,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

/// Whether flags and variables can set keys of a section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    AllLayers,
    FileOnly { line: usize },
}

/// What is left of a section when all its keys were asked for.
pub(super) struct Finished {
    pub faults: Vec<Fault>,
    pub warnings: Vec<Warning>,
    pub asked: Vec<String>,
}

impl<'load> Section<'load> {
    /// The top level.
    pub fn root(layers: &'load Layers<'load>, entries: Entries) -> Self {
        Self::new(layers, entries, String::new(), Scope::AllLayers)
    }

    fn new(layers: &'load Layers<'load>, entries: Entries, prefix: String, scope: Scope) -> Self {
        Self {
            layers,
            entries,
            prefix,
            scope,
            asked: Vec::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A table below this one; empty when the file has none.
    pub fn take_section(&mut self, key: &str) -> Self {
        let entries = match self.take_entry(key) {
            Some(Entry { value, line }) => self.expect_table(key, value, line),
            None => Entries::new(),
        };
        let prefix = format!("{}{key}.", self.prefix);
        Self::new(self.layers, entries, prefix, self.scope)
    }

    /// The tables `[[key]]` below this one. Only the file can set them.
    pub fn take_tables(&mut self, key: &str) -> Vec<Self> {
        let items = match self.take_entry(key) {
            None => Vec::new(),
            Some(Entry {
                value: Value::List(items),
                ..
            }) => items,
            Some(Entry { value, line }) => {
                self.fault(
                    line,
                    &format!("{key} = {}: write [[{key}]] for each", value.show()),
                );
                Vec::new()
            }
        };
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let line = item.line;
            let entries = self.expect_table(key, item.value, line);
            let name = match entries.get("name").map(|entry| &entry.value) {
                Some(Value::Text(name)) => name.clone(),
                _ => (index + 1).to_string(),
            };
            let prefix = format!("{key} {name}: ");
            sections.push(Self::new(
                self.layers,
                entries,
                prefix,
                Scope::FileOnly { line },
            ));
        }
        sections
    }

    fn expect_table(&mut self, key: &str, value: Value, line: usize) -> Entries {
        if let Value::Table(entries) = value {
            return entries;
        }
        self.fault(line, &format!("{key} = {}: must be a table", value.show()));
        Entries::new()
    }

    fn take_entry(&mut self, key: &str) -> Option<Entry> {
        self.asked.push(key.to_owned());
        self.entries.remove(key)
    }

    /// The value of a key from the highest layer that has it, if it is good. `parse` answers with
    /// what is wrong and the cure.
    pub fn read<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, Value::show, parse)
    }

    /// As [`Section::read`], for an address on the web: a fault shows no part that may hold a key.
    pub fn read_address<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, Value::show_address, parse)
    }

    fn read_shown<T>(
        &mut self,
        key: &str,
        show: fn(&Value) -> String,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let (value, origin) = self.take_value(key)?;
        parse(&value)
            .map_err(|problem| {
                let message = format!("{}{key} = {}: {problem}", self.prefix, show(&value));
                self.faults.push(Fault { origin, message });
            })
            .ok()
    }

    /// A key that has another name now: whoever still sets it is told the new one.
    pub fn renamed(&mut self, key: &str, cure: &str) {
        let asked = self.asked.len();
        let value = self.take_value(key);
        // It is not offered to those who mistype another.
        self.asked.truncate(asked);
        if let Some((value, origin)) = value {
            let message = format!("{}{key} = {}: {cure}", self.prefix, value.show());
            self.faults.push(Fault { origin, message });
        }
    }

    /// As [`Section::read`], and a fault when there is no value; `cure` names an example.
    pub fn require<T>(
        &mut self,
        key: &str,
        cure: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.require_shown(key, cure, Value::show, parse)
    }

    /// As [`Section::require`], for an address on the web.
    pub fn require_address<T>(
        &mut self,
        key: &str,
        cure: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.require_shown(key, cure, Value::show_address, parse)
    }

    fn require_shown<T>(
        &mut self,
        key: &str,
        cure: &str,
        show: fn(&Value) -> String,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        if self.entries.contains_key(key) {
            return self.read_shown(key, show, parse);
        }
        self.asked.push(key.to_owned());
        self.refuse(&format!("{key} is missing: {cure}"));
        None
    }

    /// A secret: `env:NAME`, `file:PATH`, or the literal with a warning. No message holds it.
    pub fn secret(&mut self, key: &str) -> Option<SecretString> {
        let (value, origin) = self.take_value(key)?;
        match resolve(&value, self.layers.secrets()) {
            Ok(Resolved::Absent) => None,
            Ok(Resolved::Referred(secret)) => Some(secret),
            Ok(Resolved::Literal(secret)) => {
                self.warn_of_literal(key, origin);
                Some(secret)
            }
            Err(problem) => {
                let message = format!("{}{key}: {problem}", self.prefix);
                self.faults.push(Fault { origin, message });
                None
            }
        }
    }

    fn warn_of_literal(&mut self, key: &str, origin: Option<Origin>) {
        let place = origin
            .map(|origin| format!("{origin}: "))
            .unwrap_or_default();
        self.warnings.push(Warning(format!(
            "{place}{}{key} is written as it is; env:NAME or file:PATH keeps it out of this file",
            self.prefix
        )));
    }

    /// As [`Section::secret`], and a fault when there is none.
    pub fn require_secret(&mut self, key: &str, cure: &str) -> Option<SecretString> {
        let faults = self.faults.len();
        let secret = self.secret(key);
        if secret.is_none() && self.faults.len() == faults {
            self.refuse(&format!("{key} is missing: {cure}"));
        }
        secret
    }

    /// A secret, or a list of them.
    pub fn secret_list(&mut self, key: &str) -> Vec<SecretString> {
        let Some(Entry { value, line }) = self.take_entry(key) else {
            return Vec::new();
        };
        let values = match value {
            Value::List(items) => items.into_iter().map(|item| item.value).collect(),
            value => vec![value],
        };
        let mut secrets = Vec::new();
        for value in values {
            match resolve(&value, self.layers.secrets()) {
                Ok(Resolved::Absent) => {}
                Ok(Resolved::Referred(secret)) => secrets.push(secret),
                Ok(Resolved::Literal(secret)) => {
                    self.warn_of_literal(key, self.layers.origin(line));
                    secrets.push(secret);
                }
                Err(problem) => self.fault(line, &format!("{key}: {problem}")),
            }
        }
        secrets
    }

    /// A table of secrets by free names, such as headers. Literals are not remarked on.
    pub fn secrets(&mut self, key: &str) -> Vec<(String, SecretString)> {
        let Some(Entry { value, line }) = self.take_entry(key) else {
            return Vec::new();
        };
        let entries = self.expect_table(key, value, line);
        let mut secrets = Vec::new();
        for (name, entry) in entries {
            match resolve(&entry.value, self.layers.secrets()) {
                Ok(Resolved::Absent) => secrets.push((name, SecretString::default())),
                Ok(Resolved::Referred(secret) | Resolved::Literal(secret)) => {
                    secrets.push((name, secret));
                }
                Err(problem) => self.fault(entry.line, &format!("{key}.{name}: {problem}")),
            }
        }
        secrets
    }

    /// Keys of which one means nothing without the others. Asked before they are read, so that a
    /// bad value is not told as a missing one.
    pub fn require_all_or_none(&mut self, keys: &[&str]) {
        let given = keys.iter().filter(|key| self.is_given(key)).count();
        if given > 0 && given < keys.len() {
            let (last, others) = keys.split_last().expect("there are several");
            let others = others.join(", ");
            let how_many = if keys.len() == 2 { "both" } else { "all" };
            self.refuse(&format!(
                "{others} and {last} belong together: give {how_many} or none"
            ));
        }
    }

    /// Whether it has a value; an empty text is as good as none.
    fn is_given(&self, key: &str) -> bool {
        let is_empty = |value: &Value| matches!(value, Value::Text(text) if text.is_empty());
        let above = match self.scope {
            Scope::AllLayers => self.layers.above_file(&format!("{}{key}", self.prefix)),
            Scope::FileOnly { .. } => None,
        };
        match (above, self.entries.get(key)) {
            (Some((value, _)), _) => !is_empty(&value),
            (None, Some(entry)) => !is_empty(&entry.value),
            (None, None) => false,
        }
    }

    /// A fault of the section as a whole.
    pub fn refuse(&mut self, message: &str) {
        let line = match self.scope {
            Scope::AllLayers => 1,
            Scope::FileOnly { line } => line,
        };
        self.fault(line, message);
    }

    fn fault(&mut self, line: usize, message: &str) {
        self.faults.push(Fault {
            origin: self.layers.origin(line),
            message: self.prefix.clone() + message,
        });
    }

    fn take_value(&mut self, key: &str) -> Option<(Value, Option<Origin>)> {
        let entry = self.take_entry(key);
        let above = match self.scope {
            Scope::AllLayers => self.layers.above_file(&format!("{}{key}", self.prefix)),
            Scope::FileOnly { .. } => None,
        };
        if let Some((value, origin)) = above {
            return Some((value, Some(origin)));
        }
        let Entry { value, line } = entry?;
        Some((value, self.layers.origin(line)))
    }

    /// Ends the reading: every key that is left is unknown.
    pub fn finish(mut self) -> Finished {
        let unknown: Vec<(String, usize)> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(key, entry)| (key, entry.line))
            .collect();
        for (key, line) in unknown {
            let known = self.asked.iter().map(String::as_str);
            let cure = nearest(&key, known).map_or_else(
                || format!("known keys are {}", self.asked.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let message = match self.prefix.ends_with('.') {
                true => format!("unknown key {}{key}: {cure}", self.prefix),
                false => format!("{}unknown key {key}: {cure}", self.prefix),
            };
            let origin = self.layers.origin(line);
            self.faults.push(Fault { origin, message });
        }
        let is_settable = self.scope == Scope::AllLayers;
        let prefix = &self.prefix;
        let asked = self.asked.iter().filter(|_| is_settable);
        Finished {
            asked: asked.map(|key| format!("{prefix}{key}")).collect(),
            faults: self.faults,
            warnings: self.warnings,
        }
    }
}

enum Resolved {
    /// An empty text: not set.
    Absent,
    Referred(SecretString),
    Literal(SecretString),
}

fn resolve(
    value: &Value,
    environment: Option<&BTreeMap<String, String>>,
) -> Result<Resolved, String> {
    let Value::Text(text) = value else {
        return Err("must be text: write env:NAME or file:PATH in quotes".to_owned());
    };
    let Some(environment) = environment else {
        return Ok(Resolved::Referred(SecretString::default()));
    };
    if let Some(name) = text.strip_prefix("env:") {
        let secret = environment.get(name).map(|secret| trimmed(secret));
        return match secret {
            Some(secret) if !secret.is_empty() => checked(secret)
                .map(Resolved::Referred)
                .map_err(|problem| format!("{text} {problem}")),
            Some(_) | None => Err(format!("{text} is not set: export {name} with its value")),
        };
    }
    if let Some(path) = text.strip_prefix("file:") {
        return read_secret(Path::new(path))
            .map(Resolved::Referred)
            .map_err(|problem| format!("{text} {problem}"));
    }
    let secret = trimmed(text);
    if secret.is_empty() {
        return Ok(Resolved::Absent);
    }
    checked(secret).map(Resolved::Literal)
}

/// Programs that print or keep a secret end it with a line break, which is none of it.
fn trimmed(secret: &str) -> &str {
    secret.trim_end_matches(['\r', '\n'])
}

/// No provider takes a secret with control characters in it: whatever put them there, each page
/// would fail.
fn checked(secret: &str) -> Result<SecretString, String> {
    if secret.contains(char::is_control) {
        return Err(
            "holds a line break or another control character: give the secret alone".to_owned(),
        );
    }
    Ok(secret.into())
}

fn read_secret(path: &Path) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot be read ({error}): write the secret into that file"))?;
    let secret = trimmed(&text);
    if secret.is_empty() {
        return Err("is empty: write the secret into that file".to_owned());
    }
    checked(secret)
}
