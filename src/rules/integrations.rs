//! Integrations: format, keys, labels, age.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use crate::document::{Code, Entry, MapReader, MapSchema, Node, Position, Value, list, text};
use crate::engine::event::{Labels, limit};
use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::{Format, Integration};
use crate::engine::strength::Strength;
use crate::engine::time::Duration;
use crate::inbound::FORMATS;
use crate::text::{hex, truncate::quoted};

use super::Context;
use super::keys::{self, KeySource};
use super::limits;
use super::mapping;

const INTEGRATION: MapSchema = MapSchema {
    what: "an integration",
    keys: &[
        "format",
        "key",
        "key_sha256",
        "labels",
        "max_age",
        "resolve_after",
        "mapping",
        "was",
    ],
    foreign: &[
        ("type", "write `format`"),
        ("routing_key", "write `key`"),
        ("token", "write `key`"),
    ],
    may_be_empty: false,
};

/// Integrations with a key in common: the later one and the first.
type Pairs<'doc> = BTreeSet<(&'doc str, &'doc str)>;

const MAX_AGE_DEFAULT: Duration = Duration::hours(6);
const MAX_AGE_MIN: Duration = Duration::minutes(1);
const MAX_AGE_MAX: Duration = Duration::days(365);
/// How long alerts may go without a report where rules end them then.
pub(super) const RESOLVE_AFTER: RangeInclusive<Duration> =
    Duration::minutes(1)..=Duration::days(365);
/// Former names of one integration.
const NAMES_BEFORE_MAX: usize = 20;

impl Context<'_> {
    pub(super) fn integrations(&mut self) -> BTreeMap<IntegrationName, Integration> {
        let entries: Vec<&Entry> = self.names.integrations.values().copied().collect();
        let mut integrations: BTreeMap<IntegrationName, Integration> = entries
            .iter()
            .map(|entry| (entry.key.as_str().into(), self.integration(entry)))
            .collect();
        let reported = self.check_references(&entries);
        self.check_hashes(&entries, &reported, &mut integrations);
        self.check_was(&entries);
        integrations
    }

    fn integration(&mut self, entry: &Entry) -> Integration {
        let table = MapReader::open(&entry.node, &INTEGRATION, &mut self.faults);
        let max_age = table.duration("max_age", MAX_AGE_MIN..=MAX_AGE_MAX, &mut self.faults);
        let resolve_after = table.duration("resolve_after", RESOLVE_AFTER, &mut self.faults);
        Integration {
            name: entry.key.as_str().into(),
            format: self.format(&table),
            labels: self.labels(&table),
            max_age: max_age.unwrap_or(MAX_AGE_DEFAULT),
            resolve_after,
            key_hashes: self.key_hashes(entry, &table),
            was: self.was(&table),
        }
    }

    fn format(&mut self, table: &MapReader<'_>) -> Format {
        let faults = &mut self.faults;
        table.require("format", "native", faults);
        let words = FORMATS.map(|format| format.word);
        let format = table.choice("format", &words, faults);
        let format = format.map(|index| FORMATS[index].format.as_ref());
        if let Some(None) = format {
            let node = table.require("mapping", "{ summary: /title }", faults);
            let mapping = node.map(|node| mapping::read(node, faults));
            return Format::Generic(Box::new(mapping.unwrap_or_default()));
        }
        if let Some(at) = table.key_at("mapping").filter(|_| format.is_some()) {
            let message = "only the format `generic` has a `mapping`";
            let help = "remove it, or write `format: generic`";
            faults.error(Code::UnknownKey, at, message, help);
        }
        format.flatten().cloned().unwrap_or(Format::Native)
    }

    fn labels(&mut self, table: &MapReader<'_>) -> Labels {
        let faults = &mut self.faults;
        let entries = table.named("labels", limit::LABELS, faults);
        for entry in entries.iter().filter(|entry| entry.key == "integration") {
            let message = "the label `integration` is always the name of the integration";
            faults.error(Code::BadName, entry.at, message, "choose another label");
        }
        let labels = entries.iter().filter_map(|entry| {
            let what = format!("the label {}", quoted(&entry.key));
            Some((entry.key.as_str(), text(&entry.node, &what, faults)?))
        });
        labels.collect()
    }

    fn was(&mut self, table: &MapReader<'_>) -> Vec<IntegrationName> {
        let nodes = table.list("was", NAMES_BEFORE_MAX, &mut self.faults);
        let texts = nodes.unwrap_or_default().iter();
        texts
            .filter_map(|node| text(node, "a name in `was`", &mut self.faults))
            .map(IntegrationName::from)
            .collect()
    }

    /// A former name is no present one, and only one integration has it.
    fn check_was(&mut self, entries: &[&Entry]) {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for entry in entries {
            let nodes = entry.node.get("was").map_or(&[][..], Node::items);
            for node in nodes {
                let Some(name) = node.as_text() else {
                    continue;
                };
                let claimed_by = first.insert(name, &entry.key);
                let shown = quoted(name);
                let message = if self.names.integrations.contains_key(name) {
                    format!(
                        "`was` of {} names {shown}, which is an integration",
                        entry.key
                    )
                } else if let Some(other) = claimed_by {
                    format!(
                        "`was` of {} names {shown}, which is also in `was` of {other}",
                        entry.key
                    )
                } else if name == IntegrationName::ROUTER {
                    format!(
                        "`was` of {} names {shown}, which is the router itself",
                        entry.key
                    )
                } else {
                    continue;
                };
                let help = "list each former name once";
                self.faults
                    .error(Code::DuplicateName, node.at, message, help);
            }
        }
    }

    /// The hashes that stand in the documents and those that the process has made.
    fn key_hashes(&mut self, entry: &Entry, table: &MapReader<'_>) -> Vec<[u8; 32]> {
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
    fn check_references<'doc>(&mut self, entries: &[&'doc Entry]) -> Pairs<'doc> {
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
    fn check_hashes(
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
