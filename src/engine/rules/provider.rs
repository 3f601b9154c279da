//! A watched provider, compiled: where its page is, which of its incidents count, and how urgent
//! they are.

use std::collections::BTreeMap;

use crate::engine::event::{Labels, Text};
use crate::engine::ids::{IntegrationName, ProviderName};
use crate::engine::matcher::{Fields, Matcher};
use crate::engine::reason::Reason;
use crate::engine::status_report::{
    ComponentState, Impact, ReportPhase, ReportedComponent, ReportedIncident,
};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;

/// The kind of a page that is read by a mapping, and that of any feed.
pub const JSON_KIND: &str = "json";
pub const FEED_KIND: &str = "feed";

/// A watched provider.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderRules {
    pub name: ProviderName,
    pub page: PageSource,
    /// `None`: as often as its kind of page wants.
    pub every: Option<Duration>,
    pub filter: ProviderFilter,
    pub urgency: ImpactUrgency,
    /// Added to each of its events.
    pub labels: Labels,
    pub service: Option<Text>,
    /// What is already open at the first look pages as well; otherwise it is only shown.
    pub pages_on_add: bool,
    /// So many alerts of what depends on it make its incidents urgent; `None`: none do.
    pub raise_when: Option<usize>,
}

impl ProviderRules {
    /// Own alerts that make an incident urgent unless the rules say otherwise.
    pub const RAISE_WHEN: usize = 2;
}

impl ProviderRules {
    /// The integration under which its alerts are known: `provider/<name>`.
    pub fn integration(&self) -> IntegrationName {
        integration_of(&self.name)
    }
}

impl PageSource {
    /// The address as it is shown: what follows a question mark may hold a key.
    pub fn shown_url(&self) -> Text {
        shown_url(&self.url)
    }
}

/// An address without what follows a question mark.
pub fn shown_url(url: &str) -> Text {
    match url.split_once('?') {
        Some((shown, _)) => format!("{shown}?…").into(),
        None => url.into(),
    }
}

/// The integration of a provider's alerts; no integration of the rules has such a name.
pub fn integration_of(name: &ProviderName) -> IntegrationName {
    format!("{}{name}", IntegrationName::PROVIDER).into()
}

/// Where a provider's page is, and of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSource {
    pub url: Text,
    /// The word of its kind; `None` is found by asking.
    pub kind: Option<&'static str>,
    /// How the page is read, for the kind that leaves it to the rules.
    pub mapping: Option<Box<StatusMapping>>,
}

/// How any JSON becomes a status report: where things are in the document, as RFC 6901 pointers,
/// and what its words mean. Pointers of components and incidents begin at the element; `""` is the
/// element itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusMapping {
    /// When the page was made, where it says that each time it is asked.
    pub generated_at: Option<String>,
    /// A page that was made longer ago says nothing about now.
    pub age_max: Option<Duration>,
    /// What tells the page from others, and its name.
    pub page: Option<String>,
    /// To an array, or an object whose members are the components by name.
    pub components: Option<String>,
    pub component_id: Option<String>,
    pub component_name: Option<String>,
    pub component_group: Option<String>,
    pub component_state: Option<String>,
    /// To an array.
    pub incidents: Option<String>,
    pub incident_id: Option<String>,
    pub incident_title: Option<String>,
    pub incident_text: Option<String>,
    pub incident_url: Option<String>,
    pub incident_impact: Option<String>,
    pub incident_state: Option<String>,
    /// To an array of ids or names, or to one.
    pub incident_components: Option<String>,
    pub started_at: Option<String>,
    pub updated_at: Option<String>,
    /// From the page's words to ours.
    pub states: BTreeMap<String, ComponentState>,
    pub impacts: BTreeMap<String, Impact>,
    pub phases: BTreeMap<String, ReportPhase>,
}

/// How urgent an impact is; `None` pages nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactUrgency {
    pub critical: Option<Urgency>,
    pub major: Option<Urgency>,
    pub minor: Option<Urgency>,
    pub none: Option<Urgency>,
    pub maintenance: Option<Urgency>,
}

impl Default for ImpactUrgency {
    fn default() -> Self {
        Self {
            critical: Some(Urgency::High),
            major: Some(Urgency::High),
            minor: Some(Urgency::Low),
            none: Some(Urgency::Low),
            maintenance: None,
        }
    }
}

impl ImpactUrgency {
    pub fn of(&self, impact: Impact) -> Option<Urgency> {
        match impact {
            Impact::Critical => self.critical,
            Impact::Major => self.major,
            Impact::Minor => self.minor,
            Impact::None => self.none,
            Impact::Maintenance => self.maintenance,
        }
    }
}

/// Which incidents count: those that concern what is used. It narrows only what is scoped, so that
/// an incident that says nothing of its scope always counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderFilter {
    /// Conditions on `component` and `title`. One that fits lets an incident count, whatever the
    /// negative ones say.
    pub matchers: Vec<Matcher>,
}

/// One value under one name.
struct NamedValue<'value> {
    name: &'value str,
    value: &'value str,
}

impl Fields for NamedValue<'_> {
    fn field(&self, name: &str) -> &str {
        if name == self.name { self.value } else { "" }
    }
}

const COMPONENT: &str = "component";
const TITLE: &str = "title";

impl ProviderFilter {
    /// The fields that a condition can be about.
    pub const FIELDS: [&str; 2] = [COMPONENT, TITLE];

    /// Whether a component is among those that are used.
    pub fn has_component(&self, full_name: &str) -> bool {
        self.counts(COMPONENT, std::iter::once(full_name))
            .unwrap_or(true)
    }

    /// Whether an incident counts, and why. `names` are the full names of the components and other
    /// scopes that it names. What components say goes before what the title says.
    pub fn verdict(&self, incident: &ReportedIncident, names: &[Text]) -> Result<(), Reason> {
        let by_component = match names {
            [] => None,
            names => self.counts(COMPONENT, names.iter().map(|name| &**name)),
        };
        let by_title = || match is_scoped(&incident.title) {
            true => self.counts(TITLE, std::iter::once(&*incident.title)),
            false => None,
        };
        match by_component.or_else(by_title) {
            Some(false) => Err(Reason::ProviderFilter),
            Some(true) | None => Ok(()),
        }
    }

    /// `None` if no condition is about this field.
    fn counts<'value>(
        &self,
        name: &str,
        values: impl Iterator<Item = &'value str> + Clone,
    ) -> Option<bool> {
        let about = self.matchers.iter().filter(|known| *known.name == *name);
        let (without, with): (Vec<&Matcher>, Vec<&Matcher>) =
            about.partition(|matcher| matcher.operator.negates());
        if with.is_empty() && without.is_empty() {
            return None;
        }
        let fits = |matcher: &&Matcher, value| matcher.matches(&NamedValue { name, value });
        let mut wanted = values.clone();
        if wanted.any(|value| with.iter().any(|matcher| fits(matcher, value))) {
            return Some(true);
        }
        // With negative conditions alone, one value that none of them excludes is enough.
        let mut left = values;
        let is_left = left.any(|value| without.iter().all(|matcher| fits(matcher, value)));
        Some(with.is_empty() && is_left)
    }
}

/// Whether a title says whom it concerns: it names an environment, region or pod by a number, such
/// as `production 1`, `prod-2 & 3`, `NA12`, `us-east-1`.
fn is_scoped(title: &str) -> bool {
    let lower = title.to_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric() && letter != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let is_numbered = |word: &str| {
        let name = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        name.len() < word.len() && SCOPES.contains(&name.trim_end_matches('-'))
    };
    let is_region = |word: &str| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.len() >= 3
            && parts[0].len() == 2
            && parts[parts.len() - 1].starts_with(|digit: char| digit.is_ascii_digit())
    };
    let is_number = |word: &str| word.chars().all(|letter| letter.is_ascii_digit());
    let is_named = words
        .windows(2)
        .any(|pair| SCOPES.contains(&pair[0]) && is_number(pair[1]));
    is_named
        || words
            .iter()
            .any(|word| is_numbered(word) || is_region(word))
}

/// What environments are called where they have numbers.
const SCOPES: [&str; 20] = [
    "prod",
    "production",
    "staging",
    "region",
    "zone",
    "cluster",
    "pod",
    "shard",
    "instance",
    "datacenter",
    "dc",
    "site",
    "cell",
    "stack",
    "tenant",
    "na",
    "eu",
    "us",
    "ap",
    "cs",
];

/// The components of a page by their ids. Of several with one id the first counts.
pub struct ComponentsById<'page>(BTreeMap<&'page str, &'page ReportedComponent>);

impl<'page> ComponentsById<'page> {
    pub fn of(components: &'page [ReportedComponent]) -> Self {
        let pairs = components.iter().rev();
        Self(pairs.map(|component| (&*component.id, component)).collect())
    }

    /// Those that an incident names.
    pub fn named(&self, incident: &ReportedIncident) -> impl Iterator<Item = &ReportedComponent> {
        let ids = incident.components.iter();
        ids.filter_map(|id| self.0.get(&**id).copied())
    }

    /// The full names of what an incident names; what is no component is named as it is.
    pub fn names(&self, incident: &ReportedIncident) -> Vec<Text> {
        let names = incident.components.iter().map(|id| {
            let component = self.0.get(&**id);
            component.map_or_else(|| id.clone(), |component| component.full_name())
        });
        names.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_scoped_when_it_names_a_numbered_environment() {
        let scoped = [
            "Messages failing, Production 1 & Production 2",
            "[Mail] send and receive - Prod-1",
            "Elevated errors on NA12",
            "Connectivity in us-east-1",
            "pod 7: slow",
        ];
        for title in scoped {
            assert!(is_scoped(title), "{title}");
        }
        let unscoped = [
            "Custom domains answer 500, pods affected",
            "Login outage",
            "Error 500 for all",
            "Delay of 20 minutes",
            "Production is down",
            "",
        ];
        for title in unscoped {
            assert!(!is_scoped(title), "{title}");
        }
    }
}
