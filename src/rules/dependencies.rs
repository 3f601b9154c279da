//! On which providers services and routes depend, and what waits under an incident of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Code, Entry, MapReader, MapSchema, Node, text};
use crate::engine::dependency::{Dependency, DependencyRules, HoldRule};
use crate::engine::event::Text;
use crate::engine::time::Duration;
use crate::text::truncate::quoted;

use super::documents::Section;
use super::{Context, limits};

const SERVICE: MapSchema = MapSchema {
    what: "a service",
    keys: &["depends_on", "hold", "hold_for"],
    foreign: &[("providers", "write `depends_on: [provider/NAME]`")],
    may_be_empty: false,
};

const HOLD_FOR_MIN: Duration = Duration::minutes(1);
const HOLD_FOR_MAX: Duration = Duration::days(1);

impl Context<'_> {
    pub(super) fn services(&mut self) -> BTreeMap<Text, DependencyRules> {
        let entries = self.names.entries(Section::Services);
        let read = entries.iter().filter_map(|entry| self.service(entry));
        read.collect()
    }

    fn service(&mut self, entry: &Entry) -> Option<(Text, DependencyRules)> {
        let table = MapReader::open(&entry.node, &SERVICE, &mut self.faults);
        table.require("depends_on", "[provider/stripe]", &mut self.faults);
        let rules = self.dependencies(&table)?;
        Some((entry.key.as_str().into(), rules))
    }

    /// What a route says, and otherwise what it inherits.
    pub(super) fn route_dependencies(
        &mut self,
        table: &MapReader<'_>,
        inherited: Option<&Arc<DependencyRules>>,
    ) -> Option<Arc<DependencyRules>> {
        if table.key_at("depends_on").is_some() {
            return self.dependencies(table).map(Arc::new);
        }
        for key in ["hold", "hold_for"] {
            if let Some(at) = table.key_at(key) {
                let message = format!("`{key}` says nothing without `depends_on`");
                let help = "add `depends_on: [provider/NAME]`, or remove it";
                self.faults.error(Code::UnknownKey, at, message, help);
            }
        }
        inherited.cloned()
    }

    /// Channels of the settings may name providers as well.
    pub(super) fn check_channels(&mut self) {
        if self.documents.is_incomplete() {
            return;
        }
        let at = self.documents.roots().next().map(|root| root.at);
        for channel in &self.environment.channels {
            for dependency in &channel.depends_on {
                let name = dependency.provider.as_str();
                if self.names.of(Section::Providers).contains_key(name) {
                    continue;
                }
                let channel = &channel.name;
                let message = format!(
                    "the channel {channel} depends on {dependency}, which no \
                    rule watches"
                );
                let help = "add this provider under `providers`, or change `depends_on` of the \
                    channel in reveille.toml";
                let at = at.unwrap_or_default();
                self.faults.warning(Code::UnknownChannel, at, message, help);
            }
        }
    }

    fn dependencies(&mut self, table: &MapReader<'_>) -> Option<DependencyRules> {
        let faults = &mut self.faults;
        let hold = table.choice("hold", &["low", "all", "none"], faults);
        let hold_for = table.duration("hold_for", HOLD_FOR_MIN..=HOLD_FOR_MAX, faults);
        let items = table.list("depends_on", limits::DEPENDENCIES, faults);
        let mut depends_on: Vec<Dependency> = Vec::new();
        for item in items.unwrap_or_default() {
            let dependency = self.dependency(item);
            depends_on.extend(dependency.filter(|dependency| !depends_on.contains(dependency)));
        }
        let rules = [HoldRule::Low, HoldRule::All, HoldRule::None];
        (!depends_on.is_empty()).then(|| DependencyRules {
            depends_on,
            hold: hold.map_or(HoldRule::Low, |index| rules[index]),
            hold_for: hold_for.unwrap_or(DependencyRules::HOLD_FOR),
        })
    }

    fn dependency(&mut self, node: &Node) -> Option<Dependency> {
        let written = text(node, "a dependency", &mut self.faults)?;
        let Some(dependency) = Dependency::parse(written) else {
            let message = format!("{} is not a provider", quoted(written));
            let help = "write `provider/NAME`, or \"provider/NAME/Component\"";
            self.faults.error(Code::BadTarget, node.at, message, help);
            return None;
        };
        self.check_reference(Section::Providers, dependency.provider.as_str(), node.at);
        Some(dependency)
    }
}
