//! Components of a provider's page that are down: they are alerts where no incident says so.

use std::collections::BTreeMap;

use crate::engine::event::Text;
use crate::engine::provider::{ProviderAlert, ProviderState, WatchedComponent};
use crate::engine::provider_alerts::{self, AlertText};
use crate::engine::providers::Looked;
use crate::engine::reason::Reason;
use crate::engine::status_report::{ComponentState, Impact, ReportedComponent, ReportedIncident};
use crate::engine::transaction::StepTransaction;

/// Looks at which a component must be down where single ones flip, and after an incident that was
/// about it.
const LOOKS_MIN: u32 = 2;

/// Compares the components with those that were known. Whether the next look matters though it
/// finds the same.
pub fn compare(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &Looked<'_>,
) -> bool {
    let mut known = std::mem::take(&mut provider.components);
    let mut again = false;
    for component in &looked.report.components {
        let before = known.remove(&component.id);
        let Some(watched) = follow(tx, provider, looked, (component, before)) else {
            continue;
        };
        again |= is_because(&watched.alert, Reason::ProviderConfirming);
        if provider.components.len() < ProviderState::COMPONENTS_MAX {
            provider.components.insert(component.id.clone(), watched);
        }
    }
    again | keep_missing(tx, provider, known)
}

/// Whether it has no alert, for this reason.
fn is_because(alert: &ProviderAlert, reason: Reason) -> bool {
    matches!(alert, ProviderAlert::None { why, .. } if *why == reason)
}

/// One component; `None` if it is operational.
fn follow(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    looked: &Looked<'_>,
    (component, before): (&ReportedComponent, Option<WatchedComponent>),
) -> Option<WatchedComponent> {
    let state = component.state;
    // What is not known is not well: an alert stays until the page says something.
    let is_over = !state.is_down() && state != ComponentState::Unknown;
    let raised = before.as_ref().and_then(|known| known.alert.key());
    if let Some(key) = raised.filter(|_| is_over) {
        provider_alerts::end(tx, provider, key, Reason::SourceResolved);
    }
    if state == ComponentState::Operational {
        return None;
    }
    let none = |why| ProviderAlert::None {
        why,
        impact: state.impact(),
    };
    let mut watched = before.unwrap_or_else(|| WatchedComponent {
        name: component.full_name(),
        state,
        since: tx.now.wall,
        looks: 0,
        missing: 0,
        alert: none(Reason::ProviderConfirming),
    });
    if watched.state != state {
        watched.since = tx.now.wall;
    }
    watched.missing = 0;
    if is_over {
        watched.alert = none(Reason::ProviderUrgencyNone);
        watched.looks = 0;
    } else if state.is_down() {
        watched.looks = watched.looks.saturating_add(1).min(LOOKS_MIN);
        watched.alert = decide(tx, provider, looked, (component, &watched));
        if is_because(&watched.alert, Reason::ProviderIncidentCovers) {
            // What counts is how it is found when the incident is over.
            watched.looks = 0;
        }
    }
    watched.state = state;
    watched.name = component.full_name();
    Some(watched)
}

/// Whether a component that is down has an alert.
fn decide(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    looked: &Looked<'_>,
    (component, watched): (&ReportedComponent, &WatchedComponent),
) -> ProviderAlert {
    let impact = component.state.impact();
    let none = |why| ProviderAlert::None { why, impact };
    let urgency = looked.rules.urgency.of(impact);
    let is_worse = |before: Impact| impact > before;
    let (known_key, was_covered) = match &watched.alert {
        alert @ ProviderAlert::Raised { .. } if !is_worse(watched.state.impact()) => {
            return alert.clone();
        }
        ProviderAlert::Raised { key, .. } => (Some(key.clone()), false),
        ProviderAlert::None {
            why: Reason::ProviderOpenWhenAdded,
            impact: before,
        } if !is_worse(*before) => return watched.alert.clone(),
        ProviderAlert::None { why, .. } => (None, *why == Reason::ProviderIncidentCovers),
    };
    if looked.is_first && !looked.rules.pages_on_add {
        return none(Reason::ProviderOpenWhenAdded);
    }
    let name = component.full_name();
    if !looked.rules.filter.has_component(&name) {
        return none(Reason::ProviderFilter);
    }
    if is_covered(provider, component) {
        return none(Reason::ProviderIncidentCovers);
    }
    let Some(urgency) = urgency else {
        return none(Reason::ProviderUrgencyNone);
    };
    let must_confirm = (looked.flips || was_covered) && watched.looks < LOOKS_MIN;
    if must_confirm && known_key.is_none() {
        return none(Reason::ProviderConfirming);
    }
    let id_and_name = (&*component.id, &name);
    let said = AlertText::component(
        looked.rules,
        &provider.page_name,
        id_and_name,
        component.state,
        urgency,
    );
    let key = known_key.unwrap_or_else(|| said.key.clone());
    provider_alerts::trigger(tx, looked.rules, AlertText { key, ..said })
}

/// Whether an open incident of the page is about a component: it names it, or nothing.
fn is_covered(provider: &ProviderState, component: &ReportedComponent) -> bool {
    let open = provider.incidents.values();
    open.map(|known| &known.report)
        .any(|incident| !incident.is_maintenance && concerns(incident, &component.id))
}

/// Whether an incident is about a component.
fn concerns(incident: &ReportedIncident, id: &Text) -> bool {
    incident.components.is_empty() || incident.components.contains(id)
}

/// Components that the page has no longer: at the second look without them their alerts are over.
fn keep_missing(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    missing: BTreeMap<Text, WatchedComponent>,
) -> bool {
    let mut again = false;
    for (id, mut component) in missing {
        component.missing += 1;
        if component.missing < LOOKS_MIN {
            provider.components.insert(id, component);
            again = true;
        } else if let Some(key) = component.alert.key() {
            provider_alerts::end(tx, provider, key, Reason::ProviderUnlisted);
        }
    }
    again
}

/// A new incident takes over the alerts of the components that it is about: the key of the first
/// becomes its own, the others are over. `None` if there are none.
pub fn take_over(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    incident: &ReportedIncident,
) -> Option<Text> {
    let mut own = None;
    let mut over = Vec::new();
    for (id, component) in &mut provider.components {
        if !concerns(incident, id) {
            continue;
        }
        let impact = component.state.impact();
        let covered = ProviderAlert::None {
            why: Reason::ProviderIncidentCovers,
            impact,
        };
        let Some(key) = component.alert.key().cloned() else {
            continue;
        };
        component.alert = covered;
        component.looks = 0;
        match own {
            None => own = Some(key),
            Some(_) => over.push(key),
        }
    }
    for key in over {
        provider_alerts::end(tx, provider, &key, Reason::ProviderIncidentCovers);
    }
    own
}
