//! The keys of integrations: the hashes that open each of them, and what is wrong with keys that
//! are shared, weak, unset or written down.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Code, Entry, MapReader, Node, Position, Value, list, text};
use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::Integration;
use crate::engine::strength::Strength;
use crate::inbound::FORMATS;
use crate::text::hex;

use super::keys::{self, KeySource};
use super::{Context, limits};

/// Integrations with a key in common: the later one and the first.
pub(super) type Pairs<'doc> = BTreeSet<(&'doc str, &'doc str)>;

impl Context<'_> {
    /// The hashes that stand in the documents and those that the process has made.
    pub(super) fn key_hashes(&mut self, entry: &Entry, table: &MapReader<'_>) -> Vec<[u8; 32]> {
        let mut hashes = Vec::new();
        if let Some(node) = table.get("key_sha256") {
            for node in self.texts(node, "`key_sha256`") {
                let text = node.as_text().unwrap_or_default();
                hashes.extend(self.hash(text, "`key_sha256`", node.at));
            }
        }
        let Some(node) = table.get("key") else {
            return hashes;
        };
        self.texts(node, "`key`");
        for (source, at) in keys::sources(node) {
            self.check_literal(entry, &source, at);
            self.check_strength(entry, &source, at);
            if let KeySource::Hash(hash) = &source {
                hashes.extend(self.hash(hash, "the hash behind `sha256:`", at));
            }
        }
        let resolved = self.environment.keys.as_ref().map(|keys| {
            keys.get(entry.key.as_str())
                .map(Vec::as_slice)
                .unwrap_or_default()
        });
        if let Some(resolved) = resolved {
            self.check_unset(entry, node, resolved.len());
            hashes.extend(resolved);
        }
        hashes
    }

    /// One text or a list of them; what is none is reported.
    fn texts<'node>(&mut self, node: &'node Node, what: &str) -> Vec<&'node Node> {
        let nodes = match &node.value {
            Value::List(_) => {
                list(node, what, limits::KEYS_PER_INTEGRATION, &mut self.faults).unwrap_or_default()
            }
            _ => std::slice::from_ref(node),
        };
        let nodes = nodes.iter();
        nodes
            .filter(|node| text(node, what, &mut self.faults).is_some())
            .collect()
    }

    fn hash(&mut self, text: &str, what: &str, at: Position) -> Option<[u8; 32]> {
        let found = hex::decode_hash(text);
        if found.is_none() {
            let message = format!("{what} is not a SHA-256 hash");
            let help = "write 64 hexadecimal digits, as `printf %s KEY | sha256sum` shows them";
            self.faults.error(Code::BadKeyHash, at, message, help);
        }
        found
    }

    fn check_literal(&mut self, entry: &Entry, source: &KeySource, at: Position) {
        let KeySource::Literal(literal) = source else {
            return;
        };
        let name = &entry.key;
        if literal.starts_with("env:") {
            let message = format!("the text after `env:` for {name} is not a variable name");
            let help = "write env:NAME without spaces, with letters, digits and `_`";
            self.faults.error(Code::BadKeyName, at, message, help);
            return;
        }
        let message = format!("the key of {name} is written in the file; only its hash is stored");
        let help = "write env:NAME or file:PATH, to keep secrets out of the files";
        self.faults.warning(Code::LiteralKey, at, message, help);
    }

    /// Whoever knows the key opens and resolves alerts in the name of the integration.
    fn check_strength(&mut self, entry: &Entry, source: &KeySource, at: Position) {
        let strength = match source {
            // A slip in the name of a variable, and an error already.
            KeySource::Literal(literal) if literal.starts_with("env:") => None,
            KeySource::Literal(literal) => Some(Strength::of(literal)),
            KeySource::Hash(_) => None,
            KeySource::Env(_) | KeySource::File(_) => {
                let known = &self.environment.key_strengths;
                known.get(&source.to_string()).copied()
            }
        };
        let Some(strength) = strength else {
            return;
        };
        self.check_length(entry, strength.characters, at);
        if let Some(weakness) = strength.weakness() {
            let name = &entry.key;
            let message = match source {
                KeySource::Literal(_) | KeySource::Hash(_) => {
                    format!("the key of {name} {weakness}")
                }
                KeySource::Env(_) | KeySource::File(_) => {
                    format!("the key {source} of {name} {weakness}")
                }
            };
            let help = "use a random one, such as from `openssl rand -hex 16`";
            self.faults.warning(Code::WeakKey, at, message, help);
        }
    }

    fn check_length(&mut self, entry: &Entry, characters: usize, at: Position) {
        let word = entry.node.get("format").and_then(Node::as_text);
        let format = FORMATS.iter().find(|format| Some(format.word) == word);
        let expected = format.and_then(|format| format.key_characters);
        if let Some(expected) = expected.filter(|expected| *expected != characters) {
            let name = &entry.key;
            let message = format!(
                "the key of {name} has {characters} characters; many senders accept a routing \
                 key of {expected} only"
            );
            let help = format!(
                "choose a key of {expected} characters, such as `reveille key create` makes"
            );
            self.faults.warning(Code::KeyLength, at, message, help);
        }
    }

    fn check_unset(&mut self, entry: &Entry, node: &Node, resolved: usize) {
        let (hashes, sources): (Vec<_>, Vec<_>) = keys::sources(node)
            .into_iter()
            .partition(|(source, _)| matches!(source, KeySource::Hash(_)));
        let unset = sources.len().saturating_sub(resolved);
        if unset == 0 {
            return;
        }
        let written: Vec<String> = sources
            .iter()
            .map(|(source, _)| source.to_string())
            .collect();
        let written = written.join(", ");
        let name = &entry.key;
        let has_hash = !hashes.is_empty() || entry.node.get("key_sha256").is_some();
        let is_made = self.environment.made_keys.contains(name.as_str());
        let effect = match (resolved, has_hash, is_made) {
            (0, false, false) => "; requests get 401",
            (0, false, true) => "; only keys from `reveille key create` work",
            (_, _, _) => "",
        };
        let message = match (resolved, sources.len()) {
            (0, 1) => format!("the key {written} of {name} is not set{effect}"),
            (0, _) => format!("no key of {name} is set ({written}){effect}"),
            (_, count) => format!("{unset} of {count} keys of {name} are not set ({written})"),
        };
        let help = "set the variable or the file, then restart or apply the rules again";
        self.faults.warning(Code::KeyUnset, node.at, message, help);
    }

    /// The same reference in two integrations is one key for two. Returns the pairs.
    pub(super) fn check_references<'doc>(&mut self, entries: &[&'doc Entry]) -> Pairs<'doc> {
        let mut pairs = Pairs::new();
        let mut first: BTreeMap<String, &str> = BTreeMap::new();
        for entry in entries {
            let node = entry.node.get("key");
            for (source, at) in node.map(keys::sources).unwrap_or_default() {
                let identity = match &source {
                    KeySource::Literal(literal) => format!("literal {literal}"),
                    KeySource::Env(_) | KeySource::File(_) | KeySource::Hash(_) => {
                        source.to_string()
                    }
                };
                let other = *first.entry(identity).or_insert(&entry.key);
                if other != entry.key {
                    pairs.insert((&entry.key, other));
                    self.report_same_key(&entry.key, other, at);
                }
            }
        }
        pairs
    }

    /// A key opens one integration; of two in force the first keeps it.
    pub(super) fn check_hashes(
        &mut self,
        entries: &[&Entry],
        reported: &Pairs<'_>,
        integrations: &mut BTreeMap<IntegrationName, Integration>,
    ) {
        let mut first: BTreeMap<[u8; 32], &str> = BTreeMap::new();
        let mut found = BTreeSet::new();
        for entry in entries {
            let Some(integration) = integrations.get_mut(entry.key.as_str()) else {
                continue;
            };
            integration.key_hashes.sort_unstable();
            integration.key_hashes.dedup();
            integration.key_hashes.retain(|hash| {
                let other = *first.entry(*hash).or_insert(&entry.key);
                if other != entry.key {
                    found.insert((entry.key.as_str(), other, key_at(entry)));
                }
                other == entry.key
            });
        }
        for (name, other, at) in found {
            if !reported.contains(&(name, other)) {
                self.report_same_key(name, other, at);
            }
        }
    }

    fn report_same_key(&mut self, name: &str, other: &str, at: Position) {
        let message = format!("{name} has the same key as {other}");
        let help = "give each integration its own key: the key identifies the sender";
        self.faults.error(Code::DuplicateKey, at, message, help);
    }
}

/// Where an integration's keys stand.
fn key_at(entry: &Entry) -> Position {
    let node = entry.node.get("key").or(entry.node.get("key_sha256"));
    node.map_or(entry.at, |node| node.at)
}
