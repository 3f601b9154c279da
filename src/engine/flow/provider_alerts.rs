//! Alerts of watched providers: what is said of them, and how they begin and end.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::entry_body::{IncidentEntry, UrgencyBasis};
use crate::engine::event::{Action, Content, Event, EventTime, Labels, Link, Text};
use crate::engine::ids::{IncidentNumber, IntegrationName};
use crate::engine::provider::{ProviderAlert, ProviderState};
use crate::engine::provider_rules::{ProviderRules, integration_of};
use crate::engine::reason::Reason;
use crate::engine::receipts::{self, Verdict};
use crate::engine::records::Disposition;
use crate::engine::status_report::{ComponentState, Impact, ReportedIncident};
use crate::engine::time::Timestamp;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::engine::{archive, escalation, ingest, resolution, withdrawal};
use crate::text::{json_quoted, one_line, truncate};

/// Names of components that an alert names.
const COMPONENTS_NAMED: usize = 5;

/// What an alert says: an incident of the page, or a component that is down without one.
pub struct AlertText {
    pub key: Text,
    pub urgency: Urgency,
    pub content: Content,
    pub started_at: Option<Timestamp>,
    /// What decided on the urgency.
    pub basis: UrgencyBasis,
}

impl AlertText {
    /// An incident or a maintenance; `names` are the components that it names.
    pub fn incident(
        rules: &ProviderRules,
        page_name: &str,
        incident: &ReportedIncident,
        names: &[Text],
        (impact, urgency): (Impact, Urgency),
    ) -> Self {
        let class = if incident.is_maintenance {
            "provider_maintenance"
        } else {
            "provider_incident"
        };
        let details = [
            ("state", &*incident.state_word),
            ("update", &*incident.text),
        ];
        let shown = names.iter().take(COMPONENTS_NAMED).map(|name| &**name);
        let shown: Vec<&str> = shown.collect();
        let content = Content {
            component: (!shown.is_empty()).then(|| shown.join(", ").into()),
            class: Some(class.into()),
            details: Some(as_json(&details)),
            links: incident.url.iter().map(link).collect(),
            ..content(rules, page_name, &incident.title, (impact, urgency))
        };
        Self {
            key: format!("incident/{}", incident.id).into(),
            urgency,
            content,
            started_at: incident.started_at,
            basis: match impact > incident.impact {
                true => UrgencyBasis::Components,
                false => UrgencyBasis::Impact,
            },
        }
    }

    /// A component that is down without an incident that says so.
    pub fn component(
        rules: &ProviderRules,
        page_name: &str,
        (id, name): (&str, &Text),
        state: ComponentState,
        urgency: Urgency,
    ) -> Self {
        let impact = state.impact();
        let words = state.as_str().replace('_', " ");
        let title = format!("{name}: {words}");
        let content = Content {
            component: Some(name.clone()),
            class: Some("provider_component".into()),
            links: vec![link(&rules.page.shown_url())],
            ..content(rules, page_name, &title, (impact, urgency))
        };
        Self {
            key: format!("component/{id}").into(),
            urgency,
            content,
            started_at: None,
            basis: UrgencyBasis::Components,
        }
    }
}

fn content(
    rules: &ProviderRules,
    page_name: &str,
    title: &str,
    (impact, urgency): (Impact, Urgency),
) -> Content {
    let own = [
        ("provider", rules.name.as_str()),
        ("impact", impact.as_str()),
    ];
    let labels = rules.labels.iter().map(|(name, value)| (&**name, &**value));
    let summary = one_line(&format!("{page_name}: {title}"));
    Content {
        summary: truncate(&summary, crate::engine::event::limit::SUMMARY_CHARACTERS).into(),
        severity: severity(impact, urgency).into(),
        source: Some(rules.page.shown_url()),
        service: rules.service.clone(),
        labels: labels.chain(own).collect::<Labels>(),
        ..Content::default()
    }
}

/// The severity that leads to this urgency, and tells the impact as far as that allows.
fn severity(impact: Impact, urgency: Urgency) -> &'static str {
    match (urgency, impact) {
        (Urgency::High, Impact::Critical) => "critical",
        (Urgency::High, _) => "error",
        (Urgency::Low, Impact::Minor | Impact::Major | Impact::Critical) => "warning",
        (Urgency::Low, Impact::None | Impact::Maintenance) => "info",
    }
}

fn link(url: &Text) -> Link {
    Link {
        href: url.clone(),
        text: Some("Status page".into()),
    }
}

fn as_json(members: &[(&str, &str)]) -> Text {
    let members = members.iter().filter(|(_, value)| !value.is_empty());
    let members = members.map(|(name, value)| format!("\"{name}\":{}", json_quoted(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into()
}

/// An alert begins.
pub fn trigger(
    tx: &mut StepTransaction<'_>,
    rules: &ProviderRules,
    text: AlertText,
    impact: Impact,
) -> ProviderAlert {
    let content = Arc::new(text.content);
    let event = event(Action::Trigger, text.key.clone(), content, text.started_at);
    let integration = rules.integration();
    ingest::event(tx, &integration, event);
    let decided = IncidentEntry::ProviderUrgency {
        urgency: text.urgency,
        impact,
        basis: text.basis,
    };
    let alert = tx.alert_by_key(&integration, &text.key);
    for number in alert.iter().flat_map(|alert| &alert.incidents) {
        tx.note(*number, Reason::ProviderUrgency, decided.clone());
    }
    ProviderAlert::Raised {
        key: text.key,
        worst: impact,
        urgency: text.urgency,
    }
}

/// It is worse than was ever told: whoever has the alert is paged again, whether or not it is more
/// urgent, and so is who resolved its incident.
pub fn worsen(
    tx: &mut StepTransaction<'_>,
    rules: &ProviderRules,
    text: AlertText,
    impact: Impact,
) -> ProviderAlert {
    let integration = rules.integration();
    let key = text.key.clone();
    let before = tx.alert_by_key(&integration, &key);
    let numbers = before.as_ref().map_or(&[][..], |alert| &alert.incidents);
    let open: Vec<(IncidentNumber, Urgency)> = numbers
        .iter()
        .filter_map(|number| tx.incident(number))
        .filter(|incident| incident.is_open())
        .map(|incident| (incident.number, incident.urgency))
        .collect();
    if let Some(alert) = &before {
        // A person resolved something that was not as bad.
        tx.edit_alert(&alert.id, |alert| alert.holds.clear());
    }
    let raised = trigger(tx, rules, text, impact);
    let now = tx.alert_by_key(&integration, &key);
    for (number, urgency) in open {
        let is_in = now
            .as_ref()
            .is_some_and(|alert| alert.incidents.contains(&number));
        let incident = tx.incident(&number).filter(|incident| incident.is_open());
        // One whose urgency rose was restarted for that.
        if is_in && incident.is_some_and(|incident| incident.urgency == urgency) {
            page_again(tx, number, impact);
        }
    }
    raised
}

/// Enough of our own alerts fire: it is urgent, whatever the provider admits.
pub fn make_high(
    tx: &mut StepTransaction<'_>,
    rules: &ProviderRules,
    alert: &Alert,
    worst: Impact,
) {
    let mut content = (*alert.content).clone();
    content.severity = severity(worst, Urgency::High).into();
    let key = alert.dedup_key.clone();
    let event = event(Action::Trigger, key, Arc::new(content), alert.starts_at);
    ingest::event(tx, &rules.integration(), event);
}

fn page_again(tx: &mut StepTransaction<'_>, number: IncidentNumber, impact: Impact) {
    let raised = IncidentEntry::ImpactRaised(impact);
    tx.note(number, Reason::ProviderWorse, raised);
    // Whoever is being paged hears of it from the start.
    tx.edit_incident(&number, |incident| incident.runs.clear());
    withdrawal::withdraw_all(tx, number);
    escalation::restart(tx, number, Reason::ProviderWorse);
}

/// An alert says something else and is no worse. By what routes match it stays as it was, so that
/// it stays where it is and pages nobody.
pub fn rewrite(tx: &mut StepTransaction<'_>, provider: &ProviderState, text: AlertText) {
    let integration = integration_of(&provider.name);
    rewrite_of(tx, &integration, (text.key, text.content), text.started_at);
}

/// The same for the alert of a built-in integration.
pub fn rewrite_of(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    (key, said): (Text, Content),
    started_at: Option<Timestamp>,
) {
    let known = tx.alert_by_key(integration, &key);
    let Some(alert) = known.filter(|alert| alert.firing) else {
        // A store that was saved in parts may have lost it: what is open is told once more.
        let event = event(Action::Trigger, key, Arc::new(said), started_at);
        ingest::event(tx, integration, event);
        return;
    };
    let now = tx.now.wall;
    let before = alert.content.summary.clone();
    let Content {
        summary,
        details,
        links,
        ..
    } = said.clone();
    tx.edit_alert(&alert.id, |alert| {
        let content = Arc::make_mut(&mut alert.content);
        content.summary = summary.clone();
        content.details = details;
        content.links = links;
        alert.last_seen = now;
        alert.repeats += 1;
    });
    for number in &alert.incidents {
        tx.edit_incident(number, |incident| {
            if incident.title == before {
                incident.title = summary.clone();
            }
        });
    }
    let event = event(Action::Trigger, key, Arc::new(said), started_at);
    let verdict = Verdict {
        incidents: alert.incidents.clone(),
        is_news: true,
        ..Verdict::nothing(Disposition::Repeated, Reason::Repeat)
    };
    keep(tx, integration, event, verdict);
}

/// An alert is over, for this reason.
pub fn end(tx: &mut StepTransaction<'_>, provider: &ProviderState, key: &Text, reason: Reason) {
    end_of(tx, &integration_of(&provider.name), key, reason);
}

/// The same for the alert of a built-in integration.
pub fn end_of(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    key: &Text,
    reason: Reason,
) {
    let known = tx.alert_by_key(integration, key);
    let firing = known.filter(|alert| alert.firing);
    let mut verdict = Verdict::nothing(Disposition::Ignored, Reason::UnknownAlert);
    if let Some(alert) = firing {
        let alert = archive::leave_closed(tx, alert);
        verdict = Verdict {
            incidents: alert.incidents.clone(),
            ..Verdict::nothing(Disposition::Resolved, reason)
        };
        resolution::end_alert(tx, &alert, None, reason);
    }
    let event = event(Action::Resolve, key.clone(), Arc::default(), None);
    keep(tx, integration, event, verdict);
}

/// Something that pages nobody, and why: it leaves a receipt.
pub fn record(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    said: AlertText,
    reason: Reason,
) {
    let event = event(
        Action::Trigger,
        said.key,
        Arc::new(said.content),
        said.started_at,
    );
    let verdict = Verdict {
        is_news: true,
        ..Verdict::nothing(Disposition::Recorded, reason)
    };
    keep(tx, &integration_of(&provider.name), event, verdict);
}

fn keep(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: Event,
    verdict: Verdict,
) {
    let id = tx.next_receipt();
    let receipt = receipts::receipt(tx.now.wall, id, integration, event, verdict);
    tx.receipt(receipt);
}

fn event(
    action: Action,
    dedup_key: Text,
    content: Arc<Content>,
    starts_at: Option<Timestamp>,
) -> Event {
    Event {
        action,
        dedup_key,
        id: None,
        // A page says how things are now; when it began makes nothing old.
        spoken: EventTime::StateAsserted {
            starts_at,
            ends_at: None,
        },
        asserted_by: None,
        content,
        faults: Vec::new(),
    }
}
