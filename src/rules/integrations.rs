//! Integrations: format, labels, age, former names.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::document::{Code, Entry, MapReader, MapSchema, Node, text};
use crate::engine::event::{Labels, limit};
use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::{GenericMapping, Integration};
use crate::engine::time::Duration;
use crate::inbound::FORMATS;
use crate::text::truncate::quoted;

use super::Context;
use super::documents::Section;
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
        let entries = self.names.entries(Section::Integrations);
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
        let (format, mapping) = self.format(&table);
        Integration {
            name: entry.key.as_str().into(),
            format,
            mapping,
            labels: self.labels(&table),
            max_age: max_age.unwrap_or(MAX_AGE_DEFAULT),
            resolve_after,
            key_hashes: self.key_hashes(entry, &table),
            was: self.was(&table),
        }
    }

    /// The word of the format, and the mapping of one that needs it.
    fn format(&mut self, table: &MapReader<'_>) -> (&'static str, Option<Box<GenericMapping>>) {
        let faults = &mut self.faults;
        table.require("format", "native", faults);
        let words: Vec<&str> = FORMATS.iter().map(|format| format.word).collect();
        let chosen = table.choice("format", &words, faults);
        // Rules with a fault come into no force, so that any format will do there.
        let format = FORMATS[chosen.unwrap_or_default()];
        if format.is_mapped {
            let node = table.require("mapping", "{ summary: /title }", faults);
            let mapping = node.map(|node| mapping::read(node, faults));
            return (format.word, Some(Box::new(mapping.unwrap_or_default())));
        }
        if let Some(at) = table.key_at("mapping").filter(|_| chosen.is_some()) {
            let message = "only the format `generic` has a `mapping`";
            let help = "remove it, or write `format: generic`";
            faults.error(Code::UnknownKey, at, message, help);
        }
        (format.word, None)
    }

    pub(super) fn labels(&mut self, table: &MapReader<'_>) -> Labels {
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
                let problem = if self.names.of(Section::Integrations).contains_key(name) {
                    "is an integration".to_owned()
                } else if let Some(other) = claimed_by {
                    format!("is also in `was` of {other}")
                } else if name == IntegrationName::ROUTER {
                    "is the router itself".to_owned()
                } else {
                    continue;
                };
                let (whose, shown) = (&entry.key, quoted(name));
                let message = format!("`was` of {whose} names {shown}, which {problem}");
                let help = "list each former name once";
                self.faults
                    .error(Code::DuplicateName, node.at, message, help);
            }
        }
    }
}
