//! Watching the pages of providers: what looks at them is made here, and answers to the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinHandle;

use super::rules_service::fault;
use super::{channels, checking, secrets};
use crate::api::ports::{Pending, Providers};
use crate::api::wire::provider::{
    AskedAddress, LookedAt, ProbedComponent, ProbedIncident, ProbedPage,
};
use crate::api::wire::rules::RuleFault;
use crate::channels::http::fetch::Fetcher;
use crate::checks::runner::CheckRunner;
use crate::config::Settings;
use crate::engine::event::Text;
use crate::engine::ids::ProviderName;
use crate::engine::provider_incidents::as_if_new;
use crate::engine::provider_rules::{
    ComponentsById, FEED_KIND, ImpactUrgency, JSON_KIND, ProviderRules,
};
use crate::engine::status_report::{Impact, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::providers::detection::detect;
use crate::providers::look::{LookFound, PageReader, look};
use crate::providers::poller::{Poller, PollerParts};
use crate::providers::user_agent;
use crate::providers::watch::PageWatch;
use crate::rules::providers::alone;
use crate::runtime::clock::{Clock, wall_now};
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;
use crate::status::{self, StatusAddress};
use crate::telemetry::Metrics;

/// The poller, what probes pages that are not watched, and what tries checks.
pub struct Watching {
    fetcher: Arc<Fetcher>,
    poller: Arc<Poller>,
    pub checks: Arc<CheckRunner>,
}

/// Makes it, and begins to look at pages and to try checks.
pub fn start(
    settings: &Settings,
    (handle, supervisor): (&Handle, &Supervisor),
    (clock, metrics): (Clock, Arc<Metrics>),
    background: &mut Vec<JoinHandle<()>>,
) -> anyhow::Result<Arc<Watching>> {
    let agent = user_agent(&settings.public_url);
    let around = (clock, metrics.clone());
    let checks = checking::start(settings, (handle, supervisor), around, background)?;
    let fetcher = Fetcher::new(channels::http_options(settings), &agent);
    let fetcher = Arc::new(fetcher.context("failed to set up the watching of providers")?);
    let chance = || {
        let mut bytes = [0; 8];
        secrets::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    };
    let parts = (handle.clone(), supervisor.clone());
    let around = PollerParts {
        chance: Arc::new(chance),
        on_look: Arc::new(move |result| metrics.provider_look(result)),
    };
    let poller = Poller::new(fetcher.clone(), parts, clock, around);
    let looking = poller.clone();
    background.push(supervisor.keep("watching providers", move || looking.clone().run()));
    Ok(Arc::new(Watching {
        fetcher,
        poller,
        checks,
    }))
}

impl Watching {
    async fn probe_page(&self, rules: &ProviderRules) -> ProbedPage {
        let mut probed = empty(rules);
        let mut rules = rules.clone();
        let mut watch = PageWatch::new(rules.clone(), None, Duration::ZERO);
        let Some(mut address) = watch.address.take() else {
            probed.problem = Some("its address cannot be read".to_owned());
            return probed;
        };
        let mut stopped = None;
        if watch.reader.is_none() {
            let detected = detect(&self.fetcher, &address).await;
            let asked = detected.tried.into_iter();
            let asked = asked.map(|tried| AskedAddress {
                url: tried.url,
                outcome: tried.outcome,
            });
            probed.asked.extend(asked);
            stopped = detected.stopped;
            watch.reader = detected.kind.map(PageReader::Kind);
            if let Some(feed) = detected.feed {
                watch.reader = status::kind(FEED_KIND).map(PageReader::Kind);
                address = StatusAddress::parse(&feed).unwrap_or(address);
                rules.page.url = feed.into();
            }
        }
        let Some(reader) = &watch.reader else {
            let stopped = stopped.unwrap_or_else(|| "it is of no kind that is known".to_owned());
            probed.problem = Some(stopped);
            return probed;
        };
        probed.kind = Some(reader.word().to_owned());
        probed.kind_name = reader.name().map(str::to_owned);
        let at = (&address, wall_now());
        let looked = look(&self.fetcher, reader, at, &mut Vec::new(), true).await;
        match looked.found {
            LookFound::Report(report) => describe(&mut probed, &rules, &report),
            LookFound::Unreadable(why) => probed.problem = Some(why),
            LookFound::Same => probed.problem = Some("it answered nothing new".to_owned()),
        }
        probed
    }
}

impl Providers for Watching {
    fn looked_at(&self, name: &ProviderName) -> LookedAt {
        let last = self.poller.last_look(name).unwrap_or_default();
        LookedAt {
            at: last.at,
            next_at: last.next_at,
            kind: last.kind,
            problem: last.problem.map(|problem| problem.to_string()),
            moved_to: last.moved_to,
            bytes_today: last.bytes_today,
        }
    }

    fn hurry(&self, name: &ProviderName) {
        self.poller.hurry(name);
    }

    fn probe<'port>(
        &'port self,
        provider: serde_json::Value,
    ) -> Pending<'port, Result<ProbedPage, Vec<RuleFault>>> {
        Box::pin(async move {
            let (rules, faults) = alone(&provider.to_string());
            match rules {
                None => Err(faults.iter().map(fault).collect()),
                Some(rules) => Ok(self.probe_page(&rules).await),
            }
        })
    }
}

fn empty(rules: &ProviderRules) -> ProbedPage {
    ProbedPage {
        url: rules.page.shown_url().to_string(),
        kind: None,
        kind_name: None,
        page_name: None,
        problem: None,
        asked: Vec::new(),
        components: Vec::new(),
        incidents: Vec::new(),
        ambiguous: Vec::new(),
        unknown_words: Vec::new(),
        skipped: 0,
        rules: String::new(),
    }
}

fn describe(probed: &mut ProbedPage, rules: &ProviderRules, report: &StatusReport) {
    probed.page_name = Some(report.name.to_string());
    probed.components = report
        .components
        .iter()
        .map(|component| ProbedComponent {
            id: component.id.to_string(),
            name: component.full_name().to_string(),
            state: component.state.to_string(),
            is_used: rules.filter.has_component(&component.full_name()),
        })
        .collect();
    let incidents = report.incidents.iter();
    probed.incidents = incidents
        .map(|incident| judged(rules, report, incident))
        .collect();
    let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
    for component in &report.components {
        *counts.entry(component.full_name()).or_default() += 1;
    }
    counts.retain(|_, count| *count > 1);
    probed.ambiguous = counts.keys().map(ToString::to_string).collect();
    probed.unknown_words = report
        .unknown_words
        .iter()
        .map(ToString::to_string)
        .collect();
    probed.skipped = (report.skipped_components + report.skipped_incidents) as u64;
    probed.rules = lines(rules, probed.kind.as_deref(), report);
}

fn judged(
    rules: &ProviderRules,
    report: &StatusReport,
    incident: &ReportedIncident,
) -> ProbedIncident {
    let (impact, judged) = as_if_new(rules, report, incident);
    let names = ComponentsById::of(&report.components).names(incident);
    ProbedIncident {
        id: incident.id.to_string(),
        title: incident.title.to_string(),
        impact: impact.to_string(),
        phase: incident.phase.to_string(),
        is_maintenance: incident.is_maintenance,
        started_at: incident.started_at.map(|at| at.to_string()),
        components: names.iter().map(ToString::to_string).collect(),
        urgency: judged.ok().map(|urgency| urgency.to_string()),
        not_alerted: judged.err().map(|reason| reason.meaning().to_owned()),
    }
}

/// What to write into the rules.
fn lines(rules: &ProviderRules, kind: Option<&str>, report: &StatusReport) -> String {
    let name: String = report
        .name
        .to_lowercase()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "provider" } else { name };
    let url = crate::text::json_quoted(&rules.page.url);
    let (key, kind) = match kind {
        Some(FEED_KIND) => ("feed", String::new()),
        Some(JSON_KIND) => ("json", String::new()),
        Some(kind) => ("url", format!(", kind: {kind}")),
        None => ("url", String::new()),
    };
    let filter = rules.filter.matchers.iter();
    let filter: Vec<String> = filter
        .map(|matcher| format!("'{}'", matcher.to_string().replace('\'', "''")))
        .collect();
    let filter = match filter.is_empty() {
        true => String::new(),
        false => format!(",\n    match: [{}]", filter.join(", ")),
    };
    let urgency = urgency_line(&rules.urgency);
    format!("providers:\n  {name}: {{ {key}: {url}{kind}{filter}{urgency} }}\n")
}

/// The urgencies that differ from what holds without them.
fn urgency_line(urgency: &ImpactUrgency) -> String {
    let usual = ImpactUrgency::default();
    let impacts = [
        Impact::Critical,
        Impact::Major,
        Impact::Minor,
        Impact::None,
        Impact::Maintenance,
    ];
    let own = impacts
        .iter()
        .filter(|impact| urgency.of(**impact) != usual.of(**impact));
    let own = own.map(|impact| {
        let word = urgency.of(*impact).map_or("none", Urgency::as_str);
        format!("{impact}: {word}")
    });
    let own: Vec<String> = own.collect();
    match own.is_empty() {
        true => String::new(),
        false => format!(",\n    urgency: {{ {} }}", own.join(", ")),
    }
}
