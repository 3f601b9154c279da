//! Our own status pages, compiled: where they are, what they show and when they post.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::dependency::Dependency;
use crate::engine::event::Text;
use crate::engine::ids::{ChannelName, ProviderName, StatusPageName};
use crate::engine::status_component::ComponentKey;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::engine::words::words;

/// A status page of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPageRules {
    pub name: StatusPageName,
    pub title: Text,
    pub place: PagePlace,
    /// In the order of the page; those of one group stand together.
    pub components: Vec<ComponentRules>,
    pub publish: PublishRules,
    pub texts: PostTexts,
    pub access: PageAccess,
    /// Tags such as `en`; the first is the page's own.
    pub languages: Vec<Text>,
    pub subscribers: SubscriberRules,
}

/// Where readers find a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagePlace {
    /// Beneath the public address of the process: `/status`.
    Path(Text),
    /// A name of its own: `status.example.com`.
    Host(Text),
}

/// What a page shows the state of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRules {
    /// Twelve lower-case letters and digits, the same while page, group and name stay.
    pub id: Text,
    pub group: Option<Text>,
    pub name: Text,
    pub description: Text,
    /// Services of alerts that it depends on.
    pub services: Vec<Text>,
    /// Providers, or components of them, that it depends on.
    pub providers: Vec<Dependency>,
}

impl ComponentRules {
    /// As people tell it from others: `group / name`.
    pub fn full_name(&self) -> Text {
        match &self.group {
            Some(group) => format!("{group} / {}", self.name).into(),
            None => self.name.clone(),
        }
    }
}

/// When a page posts by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishRules {
    /// Without it only people post; components change all the same.
    pub auto: bool,
    /// A component that is worse for so long is published.
    pub after: Duration,
    /// Alerts below this urgency change nothing.
    pub minimum: Urgency,
    /// Nothing is published by itself until somebody says so.
    pub review: bool,
    /// After so long without an update a post asks for one.
    pub update_promise: Option<Duration>,
}

impl PublishRules {
    pub const AFTER: Duration = Duration::minutes(2);
}

impl Default for PublishRules {
    fn default() -> Self {
        Self {
            auto: true,
            after: Self::AFTER,
            minimum: Urgency::High,
            review: false,
            update_promise: None,
        }
    }
}

/// What posts say that open by themselves, with [`PostTexts::VARIABLES`] in double braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostTexts {
    pub title: Text,
    pub investigating: Text,
    /// Other components are affected, or the same ones otherwise.
    pub changed: Text,
    pub monitoring: Text,
    pub resolved: Text,
    /// It fires again soon after it was resolved.
    pub reopened: Text,
    /// A maintenance begins, and ends, by its window.
    pub in_progress: Text,
    pub completed: Text,
}

impl PostTexts {
    /// `component`: the names of what is affected; `duration`: for how long it was.
    pub const VARIABLES: [&'static str; 2] = ["component", "duration"];
}

words! {
    /// Who may read a page.
    pub enum PageAudience {
        Public = "public",
        Password = "password",
        Token = "token",
    }
}

/// Who may read a page, and by which secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAccess {
    pub audience: PageAudience,
    /// SHA-256 of the passwords or tokens.
    pub key_hashes: Vec<[u8; 32]>,
}

impl PageAccess {
    pub const PUBLIC: Self = Self {
        audience: PageAudience::Public,
        key_hashes: Vec::new(),
    };
}

/// How readers are told of posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberRules {
    /// The e-mail channel whose relay sends; without one nobody can subscribe by mail.
    pub email: Option<ChannelName>,
    /// Whether web addresses can subscribe.
    pub webhooks: bool,
    /// The Slack channel of the settings through which Slack channels are told.
    pub slack: Option<ChannelName>,
    /// Updates of one post within so long are told together.
    pub wait: Duration,
    /// Mails that leave in a minute at most.
    pub per_minute: u32,
}

impl Default for SubscriberRules {
    fn default() -> Self {
        Self {
            email: None,
            webhooks: false,
            slack: None,
            wait: Duration::minutes(1),
            per_minute: 600,
        }
    }
}

impl StatusPageRules {
    /// Languages in which a page can be; the first one is that of pages that name none.
    pub const LANGUAGES: [&'static str; 2] = ["en", "de"];

    /// How a component of it is known.
    pub fn key(&self, component: &ComponentRules) -> ComponentKey {
        ComponentKey {
            page: self.name.clone(),
            id: component.id.clone(),
        }
    }

    /// The components that somebody means: by id, by name, or by `group / name`.
    pub fn components_called<'rules>(
        &'rules self,
        name: &'rules str,
    ) -> impl Iterator<Item = &'rules ComponentRules> {
        let name_lower = name.to_lowercase();
        self.components.iter().filter(move |component| {
            *component.id == *name
                || component.name.to_lowercase() == name_lower
                || component.full_name().to_lowercase() == name_lower
        })
    }

    pub fn component(&self, id: &str) -> Option<&ComponentRules> {
        self.components
            .iter()
            .find(|component| *component.id == *id)
    }
}

/// All status pages of ours, and what of them depends on what.
#[derive(Clone, Debug, Default)]
pub struct StatusPageSet {
    pub pages: BTreeMap<StatusPageName, Arc<StatusPageRules>>,
    by_service: BTreeMap<Text, Vec<ComponentKey>>,
    by_provider: BTreeMap<ProviderName, Vec<ComponentKey>>,
}

impl StatusPageSet {
    pub fn new(pages: BTreeMap<StatusPageName, Arc<StatusPageRules>>) -> Self {
        let mut by_service: BTreeMap<Text, Vec<ComponentKey>> = BTreeMap::new();
        let mut by_provider: BTreeMap<ProviderName, Vec<ComponentKey>> = BTreeMap::new();
        for page in pages.values() {
            for component in &page.components {
                let key = page.key(component);
                for service in &component.services {
                    let keys = by_service.entry(service.clone()).or_default();
                    keys.push(key.clone());
                }
                for on in &component.providers {
                    let keys = by_provider.entry(on.provider.clone()).or_default();
                    keys.push(key.clone());
                }
            }
        }
        Self {
            pages,
            by_service,
            by_provider,
        }
    }

    /// Whether any component shows this service.
    pub fn shows(&self, service: &Text) -> bool {
        self.by_service.contains_key(service)
    }

    /// Whether any component shows any service.
    pub fn show_services(&self) -> bool {
        !self.by_service.is_empty()
    }

    /// The components that show this service.
    pub fn of_service(&self, service: &Text) -> &[ComponentKey] {
        self.by_service.get(service).map_or(&[], Vec::as_slice)
    }

    /// The components that depend on this provider.
    pub fn of_provider(&self, provider: &ProviderName) -> &[ComponentKey] {
        self.by_provider.get(provider).map_or(&[], Vec::as_slice)
    }

    /// A component with its page.
    pub fn component(
        &self,
        key: &ComponentKey,
    ) -> Option<(&Arc<StatusPageRules>, &ComponentRules)> {
        let page = self.pages.get(&key.page)?;
        Some((page, page.component(&key.id)?))
    }
}
