//! Watched providers as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::State;
use crate::engine::ids::{IncidentNumber, ProviderName};
use crate::engine::provider::{
    PastIncident, ProviderAlert, ProviderState, WatchedComponent, WatchedIncident,
};
use crate::engine::provider_rules::{ProviderRules, integration_of};
use crate::engine::status_report::{Impact, ReportedIncident};
use crate::engine::time::Timestamp;

/// A watched provider, and what its page says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WatchedProvider {
    pub name: String,
    pub url: String,
    /// The word of the kind of page; `null` before it is found.
    pub kind: Option<String>,
    /// As the page calls itself.
    pub page_name: Option<String>,
    /// `operational`, `maintenance`, `none`, `minor`, `major`, `critical`, or `unknown`: the worst
    /// of what is open and counts. `unknown` is neither well nor broken.
    pub state: String,
    /// Why nothing can be said.
    pub problem: Option<String>,
    /// Since when its page cannot be read.
    pub unknown_since: Option<String>,
    /// When it was first read.
    pub first_read_at: Option<String>,
    pub last_look_at: Option<String>,
    pub next_look_at: Option<String>,
    /// Where the page has moved for good, by its own word.
    pub moved_to: Option<String>,
    /// Bytes that it sent since midnight UTC.
    pub bytes_today: u64,
    pub components_total: u64,
    /// Those that are not operational.
    pub components: Vec<ProviderComponent>,
    /// Open incidents and maintenances.
    pub incidents: Vec<ProviderIncident>,
    /// Incidents that are over, the latest first.
    pub past: Vec<ProviderPast>,
    /// Words of the page that no table knows; they were read as the worse side.
    pub unknown_words: Vec<String>,
}

/// A component that is not operational.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderComponent {
    pub id: String,
    /// `group / name`
    pub name: String,
    pub state: String,
    pub since: String,
    /// Incidents of ours that its alert is in.
    pub numbers: Vec<u64>,
    /// Why it has no alert.
    pub not_alerted: Option<String>,
}

/// An incident or a maintenance that the page has open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderIncident {
    pub id: String,
    pub title: String,
    /// The newest update.
    pub text: String,
    pub url: Option<String>,
    /// The worst of its own impact and the components that it names.
    pub impact: String,
    /// As the page says it.
    pub page_impact: String,
    pub page_state: String,
    pub is_maintenance: bool,
    /// The ids of the components that it names; empty: it concerns everybody.
    pub components: Vec<String>,
    pub started_at: Option<String>,
    pub first_seen_at: String,
    /// Incidents of ours that its alert is in.
    pub numbers: Vec<u64>,
    pub urgency: Option<String>,
    /// Why it has no alert.
    pub not_alerted: Option<String>,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderPast {
    pub id: String,
    pub title: String,
    pub impact: String,
    pub url: Option<String>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    /// The page removed it without a resolution.
    pub is_withdrawn: bool,
}

/// The last look at a page, as whoever looks remembers it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookedAt {
    pub at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    pub kind: Option<&'static str>,
    pub problem: Option<String>,
    pub moved_to: Option<String>,
    pub bytes_today: u64,
}

/// A page to be probed, and how it would be watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// What would stand in the rules under `providers:` and a name, such as
    /// `{"url": "https://status.example.com", "match": ["component=\"API\""]}`.
    #[schema(value_type = Object)]
    pub provider: serde_json::Value,
}

/// What a page is and says, and what would follow from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbedPage {
    pub url: String,
    /// `null`: of no kind that is known.
    pub kind: Option<String>,
    pub kind_name: Option<String>,
    pub page_name: Option<String>,
    /// Why nothing can be said.
    pub problem: Option<String>,
    /// The addresses that were asked, and what came of it.
    pub asked: Vec<AskedAddress>,
    pub components: Vec<ProbedComponent>,
    /// Incidents that the page itself hands over, each as if it were new.
    pub incidents: Vec<ProbedIncident>,
    /// Names that several components have.
    pub ambiguous: Vec<String>,
    pub unknown_words: Vec<String>,
    /// Records of the page that could not be read.
    pub skipped: u64,
    /// Lines for the rules.
    pub rules: String,
}

/// An address that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AskedAddress {
    pub url: String,
    pub outcome: String,
}

/// A component of a probed page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbedComponent {
    pub id: String,
    pub name: String,
    pub state: String,
    /// Whether the filter takes it for one that is used.
    pub is_used: bool,
}

/// An incident of a probed page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProbedIncident {
    pub id: String,
    pub title: String,
    pub impact: String,
    pub phase: String,
    pub is_maintenance: bool,
    pub started_at: Option<String>,
    pub components: Vec<String>,
    /// How urgent its page would have been; `null` for none.
    pub urgency: Option<String>,
    /// Why it would have paged nobody.
    pub not_alerted: Option<String>,
}

/// A provider of the rules, with what the state and whoever looks remember of it.
pub fn provider(rules: &ProviderRules, state: &State, looked: &LookedAt) -> WatchedProvider {
    let known = state.provider(&rules.name);
    let known = known.filter(|known| known.url == rules.page.url);
    let unreadable = known.and_then(|known| known.unreadable.as_ref());
    let kind = known.map(|known| known.kind.to_string());
    let kind = kind.filter(|kind| !kind.is_empty());
    let problem = unreadable.map(|page| page.why.to_string());
    WatchedProvider {
        name: rules.name.to_string(),
        url: rules.page.shown_url().to_string(),
        kind: kind.or(looked.kind.map(str::to_owned)),
        page_name: known
            .map(|known| known.page_name.to_string())
            .filter(|name| !name.is_empty()),
        state: known.map_or("unknown", |known| state_of(known)).to_owned(),
        problem: problem.or_else(|| looked.problem.clone()),
        unknown_since: unreadable.map(|page| page.since_at.to_string()),
        first_read_at: told(known.and_then(|known| known.first_read_at)),
        last_look_at: told(looked.at),
        next_look_at: told(looked.next_at),
        moved_to: looked.moved_to.clone(),
        bytes_today: looked.bytes_today,
        components_total: known.map_or(0, |known| known.components_total),
        components: known.map_or_else(Vec::new, |known| {
            let components = known.components.iter();
            components
                .map(|(id, component)| shown_component(state, &rules.name, (id, component)))
                .collect()
        }),
        incidents: known.map_or_else(Vec::new, |known| {
            let incidents = known.incidents.values();
            incidents
                .map(|incident| shown_incident(state, &rules.name, incident))
                .collect()
        }),
        past: known.map_or_else(Vec::new, |known| known.past.iter().map(past).collect()),
        unknown_words: known.map_or_else(Vec::new, |known| {
            known
                .unknown_words
                .iter()
                .map(ToString::to_string)
                .collect()
        }),
    }
}

fn told(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// The worst of what is open and has, or would have, an alert.
fn state_of(known: &ProviderState) -> &'static str {
    if known.unreadable.is_some() || known.first_read_at.is_none() {
        return "unknown";
    }
    let incidents = known.incidents.values();
    let incidents = incidents.filter(|incident| incident.alert.counts());
    let impacts = incidents.map(|incident| incident.impact);
    let components = known.components.values();
    let components = components.filter(|component| component.alert.counts());
    let down = components.map(|component| component.state.impact());
    let down = down.filter(|impact| *impact != Impact::None);
    impacts
        .chain(down)
        .max()
        .map_or("operational", Impact::as_str)
}

/// The numbers of the incidents of ours that an alert is in, its urgency, or why there is none.
fn alerted(
    state: &State,
    name: &ProviderName,
    alert: &ProviderAlert,
) -> (Vec<u64>, Option<String>, Option<String>) {
    match alert {
        ProviderAlert::Raised { key, urgency, .. } => {
            let alert = state.alert_by_key(&integration_of(name), key);
            let numbers = alert.map_or(&[][..], |alert| &alert.incidents);
            let numbers = numbers.iter().map(|IncidentNumber(number)| *number);
            (numbers.collect(), Some(urgency.to_string()), None)
        }
        ProviderAlert::None { why, .. } => (Vec::new(), None, Some(why.meaning().to_owned())),
    }
}

fn shown_component(
    state: &State,
    name: &ProviderName,
    (id, component): (&std::sync::Arc<str>, &WatchedComponent),
) -> ProviderComponent {
    let (numbers, _, not_alerted) = alerted(state, name, &component.alert);
    ProviderComponent {
        id: id.to_string(),
        name: component.name.to_string(),
        state: component.state.to_string(),
        since: component.since.to_string(),
        numbers,
        not_alerted,
    }
}

fn shown_incident(
    state: &State,
    name: &ProviderName,
    incident: &WatchedIncident,
) -> ProviderIncident {
    let (numbers, urgency, not_alerted) = alerted(state, name, &incident.alert);
    let report: &ReportedIncident = &incident.report;
    ProviderIncident {
        id: report.id.to_string(),
        title: report.title.to_string(),
        text: report.text.to_string(),
        url: report.url.as_ref().map(ToString::to_string),
        impact: incident.impact.to_string(),
        page_impact: report.impact.to_string(),
        page_state: report.state_word.to_string(),
        is_maintenance: report.is_maintenance,
        components: report.components.iter().map(ToString::to_string).collect(),
        started_at: told(report.started_at),
        first_seen_at: incident.first_seen_at.to_string(),
        numbers,
        urgency,
        not_alerted,
    }
}

fn past(past: &PastIncident) -> ProviderPast {
    ProviderPast {
        id: past.id.to_string(),
        title: past.title.to_string(),
        impact: past.impact.to_string(),
        url: past.url.as_ref().map(ToString::to_string),
        started_at: told(past.started_at),
        ended_at: told(past.ended_at),
        is_withdrawn: past.is_withdrawn,
    }
}
