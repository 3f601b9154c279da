//! What is remembered of a watched provider: its page, what is open there, and which alerts it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::dependency::Dependency;
use crate::engine::event::Text;
use crate::engine::ids::ProviderName;
use crate::engine::reason::Reason;
use crate::engine::status_report::{ComponentState, Impact, ReportPhase, ReportedIncident};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::Urgency;

/// A watched provider. What its page says of times past is kept short, so that thousands fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderState {
    pub name: ProviderName,
    /// The address in the rules when it was looked at first; another one is another page.
    pub url: Text,
    /// What tells its page from another one under the same address; `None` before the first look.
    pub page: Option<Text>,
    /// As the page calls itself.
    pub page_name: Text,
    /// The kind of the page, as it was found.
    pub kind: Text,
    /// When it was first read.
    pub first_read_at: Option<Timestamp>,
    /// The page cannot be read: what it would say is unknown.
    pub unreadable: Option<UnreadablePage>,
    /// Components that the page has.
    pub components_total: u64,
    /// Those that are not operational, by their ids.
    pub components: BTreeMap<Text, WatchedComponent>,
    /// Open incidents and maintenances, by their ids.
    pub incidents: BTreeMap<Text, WatchedIncident>,
    /// What was open earlier or was over when it was first seen, the latest first.
    pub past: Vec<PastIncident>,
    /// Words of the page that no table knows, up to [`ProviderState::WORDS_MAX`].
    pub unknown_words: Vec<Text>,
    /// Rows of incidents and of components that could not be read when everything known was last
    /// there: what is missing beside more of them may be one of them.
    pub skipped_incidents: u64,
    pub skipped_components: u64,
    /// Since when an empty list in place of what is open is not believed.
    pub doubted_since: Option<MonotonicTime>,
}

/// Since when and why nothing can be said about a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadablePage {
    pub since: MonotonicTime,
    pub since_at: Timestamp,
    pub why: Text,
    /// It was looked at when this became due.
    pub is_reviewed: bool,
}

impl UnreadablePage {
    /// A page that cannot be read for so long is told.
    pub const TOLD_AFTER: Duration = Duration::minutes(10);

    pub fn due(&self) -> Option<MonotonicTime> {
        (!self.is_reviewed).then(|| self.since + Self::TOLD_AFTER)
    }
}

/// A component that is not operational.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedComponent {
    /// `group / name`
    pub name: Text,
    pub state: ComponentState,
    pub since: Timestamp,
    /// Looks at which it was down, as far as they are counted.
    pub looks: u32,
    /// Looks in a row at which the page did not have it.
    pub missing: u32,
    pub alert: ProviderAlert,
}

/// An incident or maintenance that its page has open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedIncident {
    /// As it was told last.
    pub report: Arc<ReportedIncident>,
    /// The worst of its own impact and the components that it names.
    pub impact: Impact,
    pub first_seen_at: Timestamp,
    /// Looks in a row at which it was not listed.
    pub missing: u32,
    pub alert: ProviderAlert,
}

/// Whether something on the page has an alert, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderAlert {
    /// The dedup key of its alert, the worst that was told of it, and how urgent that is.
    Raised {
        key: Text,
        worst: Impact,
        urgency: Urgency,
    },
    /// Why it has none, and how bad it was said to be then.
    None { why: Reason, impact: Impact },
}

impl ProviderAlert {
    /// Whether it has an alert.
    pub fn is_raised(&self) -> bool {
        self.key().is_some()
    }

    /// Whether it is about something that the provider's filter takes for used.
    pub fn counts(&self) -> bool {
        match self {
            Self::Raised { .. } => true,
            Self::None { why, .. } => *why != Reason::ProviderFilter,
        }
    }

    /// The dedup key of the alert.
    pub fn key(&self) -> Option<&Text> {
        match self {
            Self::Raised { key, .. } => Some(key),
            Self::None { .. } => None,
        }
    }
}

/// Something of a provider that was told.
pub struct ToldOf {
    /// The dedup key of its alert.
    pub key: Text,
    pub first_seen_at: Timestamp,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastIncident {
    pub id: Text,
    pub title: Text,
    pub impact: Impact,
    pub url: Option<Text>,
    pub started_at: Option<Timestamp>,
    /// When the page said so, or when we saw that it was over.
    pub ended_at: Option<Timestamp>,
    /// It is no longer listed, and nobody said that it was resolved.
    pub is_withdrawn: bool,
}

impl ProviderState {
    /// Incidents kept that are over.
    pub const PAST_MAX: usize = 10;
    /// Open ones kept; a page with more is read as far as that.
    pub const INCIDENTS_MAX: usize = 200;
    /// Components kept that are not operational.
    pub const COMPONENTS_MAX: usize = 1_000;
    /// Components with alerts of their own at one time: with more of them down it is one outage.
    pub const COMPONENTS_ALERTED_MAX: usize = 20;
    /// Unknown words kept.
    pub const WORDS_MAX: usize = 50;

    /// Whether its page can be read and names nothing that is wrong and counts.
    pub fn says_operational(&self) -> bool {
        let mut incidents = self.incidents.values();
        let is_open =
            incidents.any(|known| known.alert.counts() && known.report.phase == ReportPhase::Open);
        let mut components = self.components.values();
        let is_down =
            components.any(|known| known.alert.counts() && known.state.impact() != Impact::None);
        self.first_read_at.is_some() && self.unreadable.is_none() && !is_open && !is_down
    }

    /// Nothing is known of it yet.
    pub fn new(name: ProviderName, url: Text) -> Self {
        Self {
            name,
            url,
            page: None,
            page_name: "".into(),
            kind: "".into(),
            first_read_at: None,
            unreadable: None,
            components_total: 0,
            components: BTreeMap::new(),
            incidents: BTreeMap::new(),
            past: Vec::new(),
            unknown_words: Vec::new(),
            skipped_incidents: 0,
            skipped_components: 0,
            doubted_since: None,
        }
    }

    /// Whether an open incident has this key for its alert.
    pub fn is_key_of_incident(&self, key: &str) -> bool {
        let mut alerts = self.incidents.values().map(|known| &known.alert);
        alerts.any(|alert| alert.key().is_some_and(|known| **known == *key))
    }

    /// The keys of alerts that are about what something depends on. What names no component is
    /// about all of them; one that is named and works is not known by its name any more, and
    /// nothing is due to it.
    pub fn keys_about(&self, dependency: &Dependency) -> Vec<Text> {
        let is_on = |component: &WatchedComponent| dependency.is_on(&component.name);
        let incidents = self.incidents.values().filter(|known| {
            let named = &known.report.components;
            let known = named.iter().filter_map(|id| self.components.get(id));
            dependency.component.is_none() || named.is_empty() || { known }.any(is_on)
        });
        let components = self.components.values();
        let components = components.filter(|component| is_on(component));
        let alerts = incidents.map(|known| &known.alert);
        let alerts = alerts.chain(components.map(|component| &component.alert));
        alerts.filter_map(ProviderAlert::key).cloned().collect()
    }

    /// What was told with low urgency.
    pub fn told_low(&self) -> impl Iterator<Item = ToldOf> {
        let incidents = self.incidents.values();
        let incidents = incidents.map(|known| (&known.alert, known.first_seen_at));
        let components = self.components.values();
        let components = components.map(|known| (&known.alert, known.since));
        incidents
            .chain(components)
            .filter_map(|(alert, first_seen_at)| match alert {
                ProviderAlert::Raised { key, urgency, .. } if *urgency == Urgency::Low => {
                    let key = key.clone();
                    Some(ToldOf { key, first_seen_at })
                }
                ProviderAlert::Raised { .. } | ProviderAlert::None { .. } => None,
            })
    }

    /// From now on what has this key is told as urgent; the answer is the worst that was told.
    pub fn make_high(&mut self, alert_key: &Text) -> Option<Impact> {
        let incidents = self.incidents.values_mut().map(|known| &mut known.alert);
        let components = self.components.values_mut().map(|known| &mut known.alert);
        incidents.chain(components).find_map(|alert| match alert {
            ProviderAlert::Raised {
                key,
                worst,
                urgency,
            } if key == alert_key => {
                *urgency = Urgency::High;
                Some(*worst)
            }
            ProviderAlert::Raised { .. } | ProviderAlert::None { .. } => None,
        })
    }

    /// The keys of its alerts.
    pub fn alert_keys(&self) -> impl Iterator<Item = &Text> {
        let of_incidents = self.incidents.values().map(|known| &known.alert);
        let of_components = self.components.values().map(|known| &known.alert);
        of_incidents
            .chain(of_components)
            .filter_map(ProviderAlert::key)
    }
}
