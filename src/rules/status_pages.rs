//! Our own status pages: where they are, what they show, when they post and what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::document::{Code, Diagnostics, Entry, MapReader, MapSchema, Node, text};
use crate::engine::dependency::Dependency;
use crate::engine::event::Text;
use crate::engine::ids::{IntegrationName, StatusPageName};
use crate::engine::status_page_rules::{
    ComponentRules, PageAccess, PageAudience, PagePlace, PublishRules, StatusPageRules,
    StatusPageSet, SubscriberRules,
};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::status::StatusAddress;
use crate::text::truncate::quoted;
use crate::text::{hash, hex};

use super::documents::Section;
use super::{Context, limits};

const PAGE: MapSchema = MapSchema {
    what: "a status page",
    keys: &[
        "title",
        "path",
        "host",
        "components",
        "publish",
        "texts",
        "access",
        "key_sha256",
        "languages",
    ],
    foreign: &[
        ("name", "write `title`"),
        (
            "url",
            "write `path: /status`, or `host: status.example.com`",
        ),
        (
            "password",
            "write `access: password` and the hash of the password as `key_sha256`",
        ),
        (
            "token",
            "write `access: token` and the hash of the token as `key_sha256`",
        ),
        ("language", "write `languages: [en]`"),
    ],
    may_be_empty: false,
};

const COMPONENT: MapSchema = MapSchema {
    what: "a component",
    keys: &[
        "name",
        "description",
        "services",
        "providers",
        "group",
        "components",
    ],
    foreign: &[
        ("service", "write `services: [NAME]`"),
        ("provider", "write `providers: [NAME]`"),
    ],
    may_be_empty: false,
};

const PUBLISH: MapSchema = MapSchema {
    what: "`publish`",
    keys: &["auto", "after", "minimum", "review", "update_promise"],
    foreign: &[("delay", "write `after`"), ("urgency", "write `minimum`")],
    may_be_empty: false,
};

const PAGES: usize = 50;
const COMPONENTS: usize = 500;
const KEYS: usize = 20;
const AFTER_RANGE: RangeInclusive<Duration> = Duration::ZERO..=Duration::hours(1);
const PROMISE_RANGE: RangeInclusive<Duration> = Duration::minutes(5)..=Duration::days(1);
const TITLE_CHARACTERS: usize = 100;
const DESCRIPTION_CHARACTERS: usize = 500;
/// What a component's id is cut to.
const ID_CHARACTERS: usize = 12;
/// Paths under which the process itself answers.
const TAKEN_PATHS: [&str; 10] = [
    "a",
    "api",
    "healthz",
    "hooks",
    "metrics",
    "openapi.json",
    "readyz",
    "slack",
    "sms",
    "v1",
];

impl Context<'_> {
    pub(super) fn status_pages(&mut self) -> StatusPageSet {
        let entries = self.names.entries(Section::StatusPages);
        if let Some(last) = entries.get(PAGES) {
            let message = format!("there are more than {PAGES} status pages");
            let help = "join some of them";
            self.faults.error(Code::TooMany, last.at, message, help);
        }
        let mut pages: BTreeMap<StatusPageName, Arc<StatusPageRules>> = BTreeMap::new();
        for entry in entries {
            let page = self.status_page(entry);
            let other = pages.values().find(|other| other.place == page.place);
            if let Some(other) = other {
                let message = format!(
                    "status page {} is where status page {} is",
                    quoted(&entry.key),
                    quoted(other.name.as_str())
                );
                let help = "give it a `path` or a `host` of its own";
                self.faults
                    .error(Code::RepeatedKey, entry.at, message, help);
            }
            pages.insert(page.name.clone(), Arc::new(page));
        }
        StatusPageSet::new(pages)
    }

    fn status_page(&mut self, entry: &Entry) -> StatusPageRules {
        let table = MapReader::open(&entry.node, &PAGE, &mut self.faults);
        table.require("title", "Example Status", &mut self.faults);
        let title = self.short_text(&table, "title", TITLE_CHARACTERS);
        let languages = self.languages(&table);
        StatusPageRules {
            name: entry.key.as_str().into(),
            title: title.unwrap_or_else(|| entry.key.as_str().into()),
            place: self.page_place(entry, &table),
            components: self.page_components(entry, &table),
            publish: self.publish_rules(&table),
            texts: self.post_texts(&table, languages.first()),
            access: self.page_access(&table),
            languages,
            subscribers: SubscriberRules::default(),
        }
    }

    fn short_text(&mut self, table: &MapReader<'_>, key: &str, most: usize) -> Option<Text> {
        let written = table.text(key, &mut self.faults)?;
        let count = written.chars().count();
        if let Some(at) = table.get(key).map(|node| node.at)
            && count > most
        {
            let message = format!("`{key}` has {count} characters");
            let help = format!("write {most} at most");
            self.faults.error(Code::TooMany, at, message, help);
        }
        Some(written.into())
    }

    /// The first language is that of the page and its texts.
    fn languages(&mut self, table: &MapReader<'_>) -> Vec<Text> {
        let known = StatusPageRules::LANGUAGES;
        let items = table.list("languages", known.len(), &mut self.faults);
        let mut languages: Vec<Text> = Vec::new();
        for item in items.unwrap_or_default() {
            let Some(written) = text(item, "a language", &mut self.faults) else {
                continue;
            };
            if !known.contains(&written) {
                let message = format!("there are no words in the language {}", quoted(written));
                let help = format!("the languages are {}", known.join(" and "));
                self.faults.error(Code::BadChoice, item.at, message, help);
            }
            languages.push(written.into());
        }
        if languages.is_empty() {
            languages.push(known[0].into());
        }
        languages
    }

    /// Exactly one of `path` and `host`; `/status` without both.
    fn page_place(&mut self, entry: &Entry, table: &MapReader<'_>) -> PagePlace {
        let path = table.text("path", &mut self.faults);
        let host = table.text("host", &mut self.faults);
        match (path, host) {
            (Some(_), Some(_)) => {
                let at = table.key_at("host").unwrap_or(entry.at);
                let message = "a status page has `path` or `host`, not both";
                let help = "remove one of them";
                self.faults.error(Code::RepeatedKey, at, message, help);
                PagePlace::Path("/status".into())
            }
            (None, None) => PagePlace::Path("/status".into()),
            (Some(path), None) => {
                let at = table.get("path").map_or(entry.at, |node| node.at);
                check_path(path, at, &mut self.faults);
                PagePlace::Path(path.into())
            }
            (None, Some(host)) => {
                let at = table.get("host").map_or(entry.at, |node| node.at);
                self.check_host(host, at);
                PagePlace::Host(host.to_ascii_lowercase().into())
            }
        }
    }

    /// A page must not follow itself over a provider of these rules.
    fn check_host(&mut self, host: &str, at: crate::document::Position) {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let is_host = !host.is_empty() && host.len() <= 253 && host.bytes().all(is_allowed);
        if !is_host {
            let message = format!("{} is no name of a host", quoted(host));
            let help = "write a name such as \"status.example.com\", without https:// and port";
            self.faults.error(Code::BadAddress, at, message, help);
        }
        for entry in self.names.entries(Section::Providers) {
            let url = entry.node.get("url").and_then(Node::as_text);
            let address = url.and_then(StatusAddress::parse);
            if address.is_some_and(|address| address.host.eq_ignore_ascii_case(host)) {
                let message = format!(
                    "provider {} watches this status page: what it shows would depend on itself",
                    quoted(&entry.key)
                );
                let help = "remove the provider, or depend on what it depends on";
                self.faults.warning(Code::BadTarget, at, message, help);
            }
        }
    }

    fn page_components(&mut self, entry: &Entry, table: &MapReader<'_>) -> Vec<ComponentRules> {
        table.require(
            "components",
            "[{ name: API, services: [api] }]",
            &mut self.faults,
        );
        let items = table.list("components", COMPONENTS, &mut self.faults);
        let mut components = Vec::new();
        for item in items.unwrap_or_default() {
            let reader = MapReader::open(item, &COMPONENT, &mut self.faults);
            if reader.key_at("components").is_none() {
                components.extend(self.page_component(entry, &reader, None));
                continue;
            }
            reader.require("group", "Payments", &mut self.faults);
            for key in ["name", "description", "services", "providers"] {
                if let Some(at) = reader.key_at(key) {
                    let message = format!("`{key}` says nothing of a group");
                    let help = "write it of one of its components";
                    self.faults.error(Code::UnknownKey, at, message, help);
                }
            }
            let group = self.short_text(&reader, "group", TITLE_CHARACTERS);
            let members = reader.list("components", COMPONENTS, &mut self.faults);
            for member in members.unwrap_or_default() {
                let reader = MapReader::open(member, &COMPONENT, &mut self.faults);
                components.extend(self.page_component(entry, &reader, group.clone()));
            }
        }
        self.check_components(entry, &components);
        components
    }

    fn check_components(&mut self, entry: &Entry, components: &[ComponentRules]) {
        let count = components.len();
        if count > COMPONENTS {
            let message = format!("status page {} has {count} components", quoted(&entry.key));
            let help = format!("a page has {COMPONENTS} at most");
            self.faults.error(Code::TooMany, entry.at, message, help);
        }
        let mut ids = BTreeSet::new();
        for component in components {
            if !ids.insert(&component.id) {
                let name = component.full_name();
                let message = format!("component {} is defined twice", quoted(&name));
                let help = "give one of them another name, or another group";
                self.faults
                    .error(Code::DuplicateName, entry.at, message, help);
            }
        }
    }

    fn page_component(
        &mut self,
        page: &Entry,
        table: &MapReader<'_>,
        group: Option<Text>,
    ) -> Option<ComponentRules> {
        table.require("name", "API", &mut self.faults);
        for key in ["group", "components"] {
            if let Some(at) = table.key_at(key) {
                let message = format!("`{key}` belongs to a group, which holds only components");
                let help = "write { group: NAME, components: [{ name: NAME }] }";
                self.faults.error(Code::UnknownKey, at, message, help);
            }
        }
        let name = self.short_text(table, "name", TITLE_CHARACTERS)?;
        let description = self.short_text(table, "description", DESCRIPTION_CHARACTERS);
        let services = table.list("services", limits::DEPENDENCIES, &mut self.faults);
        let services = services.unwrap_or_default().iter();
        let services: Vec<Text> = services
            .filter_map(|node| text(node, "a service", &mut self.faults).map(Text::from))
            .collect();
        let providers = table.list("providers", limits::DEPENDENCIES, &mut self.faults);
        let mut depends_on = Vec::new();
        for node in providers.unwrap_or_default() {
            depends_on.extend(self.page_dependency(node));
        }
        Some(ComponentRules {
            id: component_id(&page.key, group.as_deref().unwrap_or_default(), &name),
            group,
            name,
            description: description.unwrap_or_else(|| "".into()),
            services,
            providers: depends_on,
        })
    }

    /// `stripe`, `helpline/Chat`, and the same behind `provider/` as it is written elsewhere.
    fn page_dependency(&mut self, node: &Node) -> Option<Dependency> {
        let written = text(node, "a provider", &mut self.faults)?;
        let prefix = IntegrationName::PROVIDER;
        let named = written.strip_prefix(prefix).unwrap_or(written);
        let Some(on) = Dependency::parse(&format!("{prefix}{named}")) else {
            let message = format!("{} is not a provider", quoted(written));
            let help = "write `NAME`, or \"NAME/Component\"";
            self.faults.error(Code::BadTarget, node.at, message, help);
            return None;
        };
        self.check_reference(Section::Providers, on.provider.as_str(), node.at);
        Some(on)
    }

    fn publish_rules(&mut self, table: &MapReader<'_>) -> PublishRules {
        let default = PublishRules::default();
        let Some(node) = table.get("publish") else {
            return default;
        };
        let faults = &mut self.faults;
        let table = MapReader::open(node, &PUBLISH, faults);
        let minimum = table.choice("minimum", &["high", "low"], faults);
        PublishRules {
            auto: table.truth("auto", faults).unwrap_or(default.auto),
            after: table
                .duration("after", AFTER_RANGE, faults)
                .unwrap_or(default.after),
            minimum: match minimum {
                Some(1) => Urgency::Low,
                _ => default.minimum,
            },
            review: table.truth("review", faults).unwrap_or(default.review),
            update_promise: table.duration("update_promise", PROMISE_RANGE, faults),
        }
    }

    fn page_access(&mut self, table: &MapReader<'_>) -> PageAccess {
        let words = ["public", "password", "token"];
        let choice = table.choice("access", &words, &mut self.faults);
        let audience = match choice {
            Some(1) => PageAudience::Password,
            Some(2) => PageAudience::Token,
            _ => PageAudience::Public,
        };
        let key = table.get("key_sha256");
        let nodes = key.map_or(&[][..], Node::one_or_many);
        let mut key_hashes = Vec::new();
        for node in nodes.iter().take(KEYS) {
            let Some(written) = text(node, "`key_sha256`", &mut self.faults) else {
                continue;
            };
            match hex::decode_hash(written) {
                Some(hash) => key_hashes.push(hash),
                None => {
                    let message = "`key_sha256` is not a SHA-256 hash";
                    let help = "write 64 hexadecimal digits, as `printf %s KEY | sha256sum` shows \
                        them";
                    self.faults.error(Code::BadKeyHash, node.at, message, help);
                }
            }
        }
        match (audience, key) {
            (PageAudience::Public, Some(node)) => {
                let message = "`key_sha256` says nothing of a page that everybody may read";
                let help = "remove it, or write `access: password` or `access: token`";
                self.faults.error(Code::UnknownKey, node.at, message, help);
            }
            (PageAudience::Password | PageAudience::Token, None) => {
                let at = table.key_at("access").unwrap_or(table.at);
                let message = "nobody could read this page: it has no `key_sha256`";
                let help = "write what `printf %s KEY | sha256sum` shows";
                self.faults.error(Code::MissingKey, at, message, help);
            }
            (PageAudience::Public, None) | (_, Some(_)) => {}
        }
        if nodes.len() > KEYS {
            let message = format!("a page has {KEYS} keys at most");
            let at = nodes[KEYS].at;
            self.faults
                .error(Code::TooMany, at, message, "remove some of them");
        }
        PageAccess {
            audience,
            key_hashes,
        }
    }
}

/// The id is part of addresses and of what readers keep: it must be the same for ever.
fn component_id(page: &str, group: &str, name: &str) -> Text {
    let named = format!("{page}\0{group}\0{name}");
    let mut id = hex::encode(&hash::sha256(named));
    id.truncate(ID_CHARACTERS);
    id.into()
}

fn check_path(path: &str, at: crate::document::Position, faults: &mut Diagnostics) {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let mut parts = path.split('/');
    let is_absolute = parts.next() == Some("");
    let parts: Vec<&str> = parts.collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(is_allowed);
    if !is_absolute || parts.is_empty() || !parts.iter().all(is_part) {
        let message = format!("{} is no path of a status page", quoted(path));
        let help = "write one such as /status, of small letters, digits, - and _";
        faults.error(Code::BadAddress, at, message, help);
    } else if TAKEN_PATHS.contains(&parts[0]) {
        let message = format!("the path {} is taken by Reveille itself", quoted(path));
        let help = "write another one, such as /status";
        faults.error(Code::BadAddress, at, message, help);
    }
}
