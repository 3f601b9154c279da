//! One table of settings, read key by key: the value, or what is wrong with it and the help.

use secrecy::SecretString;

pub use super::secret::SecretSource;
use super::secret::{Resolved, resolve, trimmed};
use super::shown::{show, show_address};
use super::{Code, Diagnostics, Entry, MapReader, MapSchema, Node, Position, Value};

/// What all tables of one reading share.
pub struct Reading<'doc> {
    pub faults: Diagnostics,
    /// Where secrets are looked up; `None` when they are left alone.
    secrets: Option<SecretSource<'doc>>,
}

impl<'doc> Reading<'doc> {
    pub fn new(secrets: Option<SecretSource<'doc>>) -> Self {
        Self {
            faults: Diagnostics::default(),
            secrets,
        }
    }
}

/// A table that is being read.
pub struct Section<'read, 'doc> {
    map: MapReader<'doc>,
    /// How its keys are written in messages: nothing, `watch.`, or `channel mail: `.
    prefix: String,
    reading: &'read mut Reading<'doc>,
}

/// What a section holds that nobody has written.
static EMPTY: Node = Node {
    at: Position {
        file: 0,
        line: 1,
        column: 1,
    },
    value: Value::Map(Vec::new()),
};

impl<'read, 'doc> Section<'read, 'doc> {
    /// The table of a node; keys that it may not have are faults.
    pub fn open(
        node: &'doc Node,
        schema: &'static MapSchema,
        prefix: String,
        reading: &'read mut Reading<'doc>,
    ) -> Self {
        Self {
            map: MapReader::open(node, schema, &mut reading.faults),
            prefix,
            reading,
        }
    }

    /// A table below this one; empty when nobody has written it.
    pub fn section(&mut self, key: &str, schema: &'static MapSchema) -> Section<'_, 'doc> {
        let written = self.map.entry(key);
        let node = written
            .filter(|entry| self.expect_table(key, entry.at, &entry.node))
            .map_or(&EMPTY, |entry| &entry.node);
        let prefix = format!("{}{key}.", self.prefix);
        Section::open(node, schema, prefix, self.reading)
    }

    /// The tables `[[key]]` below this one.
    pub fn tables(&mut self, key: &str) -> Vec<&'doc Node> {
        let Some(entry) = self.map.entry(key) else {
            return Vec::new();
        };
        if !matches!(entry.node.value, Value::List(_)) {
            let message = format!("{key} = {}", show(&entry.node.value));
            self.fault(entry.at, &message, format!("write [[{key}]] for each"));
        }
        let items = entry.node.items().iter();
        items
            .filter(|node| self.expect_table(key, node.at, node))
            .collect()
    }

    /// Whether it is a table. Of anything else, only what holds no secret is shown.
    fn expect_table(&mut self, key: &str, at: Position, node: &Node) -> bool {
        let is_table = matches!(node.value, Value::Map(_));
        if !is_table {
            let message = format!("{key} = {}", show(&node.value));
            self.fault(at, &message, "must be a table".to_owned());
        }
        is_table
    }

    /// One of the tables `[[key]]`; messages name it.
    pub fn table(
        &mut self,
        node: &'doc Node,
        name: &str,
        schema: &'static MapSchema,
    ) -> Section<'_, 'doc> {
        Section::open(node, schema, format!("{name}: "), self.reading)
    }

    /// The value of a key, if it is good. `parse` answers with the help for one that is not.
    pub fn read<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, show, parse)
    }

    /// As [`Section::read`], for an address on the web: a fault shows no part that may hold a key.
    pub fn read_address<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.read_shown(key, show_address, parse)
    }

    /// As [`Section::read`], into a setting that stays as it is without a good value.
    pub fn read_into<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
        setting: &mut T,
    ) {
        if let Some(value) = self.read(key, parse) {
            *setting = value;
        }
    }

    fn read_shown<T>(
        &mut self,
        key: &str,
        show: fn(&Value) -> String,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let Entry { at, node, .. } = self.map.entry(key)?;
        let fault = |help| self.fault(*at, &format!("{key} = {}", show(&node.value)), help);
        parse(&node.value).map_err(fault).ok()
    }

    /// Reports a key that must be there and is not.
    pub fn expect(&mut self, key: &str, help: &str) {
        if self.map.entry(key).is_none() {
            self.refuse(&format!("{key} is missing"), help);
        }
    }

    /// As [`Section::read`], of a key that must be there.
    pub fn require<T>(
        &mut self,
        key: &str,
        help: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.expect(key, help);
        self.read(key, parse)
    }

    /// A secret: `env:NAME`, `file:PATH`, or the literal with a warning. No message holds it.
    pub fn secret(&mut self, key: &str) -> Option<SecretString> {
        let Entry { at, node, .. } = self.map.entry(key)?;
        self.resolved(key, *at, &node.value)
    }

    fn resolved(&mut self, key: &str, at: Position, value: &Value) -> Option<SecretString> {
        match resolve(value, self.reading.secrets) {
            Ok(Resolved::Absent) => None,
            Ok(Resolved::Referred(secret)) => Some(secret),
            Ok(Resolved::Literal(secret)) => {
                let message = format!("{}{key} is written in plain text", self.prefix);
                let help = "use env:NAME or file:PATH to keep it out of this file";
                let faults = &mut self.reading.faults;
                faults.warning(Code::BadSetting, at, message, help);
                Some(secret)
            }
            Err((problem, help)) => {
                self.fault(at, &format!("{key}: {problem}"), help);
                None
            }
        }
    }

    /// As [`Section::secret`], and a fault when there is none.
    pub fn require_secret(&mut self, key: &str, help: &str) -> Option<SecretString> {
        let text = self.map.entry(key).and_then(|entry| entry.node.as_text());
        let is_empty = text.is_some_and(|text| trimmed(text).is_empty());
        if is_empty && self.reading.secrets.is_some() {
            self.refuse(&format!("{key} is missing"), help);
        }
        self.expect(key, help);
        self.secret(key)
    }

    /// A secret, or a list of them.
    pub fn secret_list(&mut self, key: &str) -> Vec<SecretString> {
        let Some(Entry { at, node, .. }) = self.map.entry(key) else {
            return Vec::new();
        };
        let secrets = node.one_or_many().iter();
        secrets
            .filter_map(|node| self.resolved(key, *at, &node.value))
            .collect()
    }

    /// A table of secrets by free names, such as headers. Literals are not remarked on.
    pub fn secrets(&mut self, key: &str) -> Vec<(String, SecretString)> {
        let mut secrets = Vec::new();
        let Some(Entry { at, node, .. }) = self.map.entry(key) else {
            return secrets;
        };
        if !matches!(node.value, Value::Map(_)) {
            let help = "write a table of names with their values".to_owned();
            self.fault(*at, &format!("{key} is not a table"), help);
        }
        for entry in node.entries() {
            match resolve(&entry.node.value, self.reading.secrets) {
                Ok(Resolved::Absent) => secrets.push((entry.key.clone(), SecretString::default())),
                Ok(Resolved::Referred(secret) | Resolved::Literal(secret)) => {
                    secrets.push((entry.key.clone(), secret));
                }
                Err((problem, help)) => {
                    self.fault(entry.at, &format!("{key}.{}: {problem}", entry.key), help);
                }
            }
        }
        secrets
    }

    /// Keys of which one means nothing without the others.
    pub fn require_all_or_none(&mut self, keys: &[&str]) {
        let given = keys.iter().filter(|key| self.is_given(key)).count();
        if given > 0 && given < keys.len() {
            let (last, others) = keys.split_last().expect("there are several");
            let how_many = if keys.len() == 2 { "both" } else { "all" };
            self.refuse(
                &format!("{} and {last} must be set together", others.join(", ")),
                &format!("set {how_many} or none"),
            );
        }
    }

    /// Whether it has a value; an empty text is as good as none.
    fn is_given(&self, key: &str) -> bool {
        let value = self.map.entry(key).map(|entry| &entry.node.value);
        value.is_some_and(|value| !matches!(value, Value::Text(text) if text.is_empty()))
    }

    /// A fault of the section as a whole.
    pub fn refuse(&mut self, message: &str, help: &str) {
        self.fault(self.map.at, message, help.to_owned());
    }

    /// Something that works and should be better.
    pub fn warn(&mut self, message: String, help: &str) {
        let faults = &mut self.reading.faults;
        faults.warning(Code::BadSetting, Position::NOWHERE, message, help);
    }

    fn fault(&mut self, at: Position, message: &str, help: String) {
        let message = self.prefix.clone() + message;
        self.reading
            .faults
            .error(Code::BadSetting, at, message, help);
    }
}
