//! Components of a provider's page that are down: they are alerts where no incident says so.

use std::collections::BTreeMap;

use crate::engine::event::Text;
use crate::engine::provider::{ProviderAlert, ProviderState, WatchedComponent};
use crate::engine::provider_alerts::{self, AlertText};
use crate::engine::provider_look::LookContext;
use crate::engine::reason::Reason;
use crate::engine::status_report::{ComponentState, Impact, ReportedComponent, ReportedIncident};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// Looks at which a component must be down where single ones flip, and after an incident that was
/// about it; and looks without it after which it is gone.
const LOOKS_MIN: u32 = 2;

/// An incident that names nothing is taken for one about a component that went down so long before
/// it at most.
const RELATED_FOR: Duration = Duration::hours(1);

/// Compares the components with those that were known. Whether the next look matters though it
/// finds the same.
pub fn compare(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
) -> bool {
    let mut known = std::mem::take(&mut provider.components);
    let mut again = false;
    // Those with alerts first: no other one may take their place.
    let is_alerted = |component: &&ReportedComponent| {
        let known = known.get(&component.id);
        known.is_some_and(|known| known.alert.is_raised())
    };
    let components = looked.report.components.iter();
    let (first, others): (Vec<_>, Vec<_>) = components.partition(is_alerted);
    for component in first.into_iter().chain(others) {
        let before = known.remove(&component.id);
        let has_room = provider.components.len() < ProviderState::COMPONENTS_MAX;
        if before.is_none() && !has_room {
            continue;
        }
        let watched = follow(tx, provider, looked, (component, before));
        if let Some(watched) = watched {
            again |=
                component.state.is_down() && is_because(&watched.alert, Reason::ProviderConfirming);
            provider.components.insert(component.id.clone(), watched);
        }
    }
    again | keep_missing(tx, provider, looked, known)
}

/// Whether it has no alert, for this reason.
fn is_because(alert: &ProviderAlert, reason: Reason) -> bool {
    matches!(alert, ProviderAlert::None { why, .. } if *why == reason)
}

/// One component; `None` if it is operational.
fn follow(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    looked: &LookContext<'_>,
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
        watched.alert = match &watched.alert {
            ProviderAlert::Raised {
                key,
                worst,
                urgency,
            } => {
                let told = (key.clone(), *worst, *urgency);
                follow_alert(tx, provider, looked, component, told)
            }
            ProviderAlert::None { .. } => decide(tx, provider, looked, (component, &watched)),
        };
        if is_because(&watched.alert, Reason::ProviderIncidentCovers) {
            // What counts is how it is found when the incident is over.
            watched.looks = 0;
        }
    }
    watched.state = state;
    watched.name = component.full_name();
    Some(watched)
}

/// A component with an alert is still down; where it is worse than was told, it pages again.
fn follow_alert(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    looked: &LookContext<'_>,
    component: &ReportedComponent,
    (key, worst, told): ToldAlert,
) -> ProviderAlert {
    let impact = component.state.impact();
    let urgency = looked.rules.urgency.of(impact).unwrap_or(Urgency::Low);
    let text = text(provider, looked, component, urgency.max(told));
    let text = AlertText {
        key: key.clone(),
        ..text
    };
    if impact > worst {
        provider_alerts::worsen(tx, looked.rules, text, impact);
    }
    ProviderAlert::Raised {
        key,
        worst: worst.max(impact),
        urgency: urgency.max(told),
    }
}

/// Whether a component that is down and has no alert gets one.
fn decide(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    looked: &LookContext<'_>,
    (component, watched): (&ReportedComponent, &WatchedComponent),
) -> ProviderAlert {
    let impact = component.state.impact();
    let none = |why| ProviderAlert::None { why, impact };
    if let ProviderAlert::None {
        why: Reason::ProviderOpenWhenAdded,
        impact: before,
    } = &watched.alert
        && impact <= *before
    {
        return watched.alert.clone();
    }
    if looked.is_first && !looked.rules.pages_on_add {
        return none(Reason::ProviderOpenWhenAdded);
    }
    if !looked.rules.filter.has_component(&component.full_name()) {
        return none(Reason::ProviderFilter);
    }
    if is_covered(provider, component) {
        return none(Reason::ProviderIncidentCovers);
    }
    let Some(urgency) = looked.rules.urgency.of(impact) else {
        return none(Reason::ProviderUrgencyNone);
    };
    let was_covered = is_because(&watched.alert, Reason::ProviderIncidentCovers);
    if (looked.flips || was_covered) && watched.looks < LOOKS_MIN {
        return none(Reason::ProviderConfirming);
    }
    let alerted = provider.components.values();
    let alerted = alerted.filter(|known| known.alert.is_raised()).count();
    if alerted >= ProviderState::COMPONENTS_ALERTED_MAX {
        return none(Reason::ProviderManyDown);
    }
    let mut text = text(provider, looked, component, urgency);
    text.key = free_key(provider, &text.key);
    provider_alerts::trigger(tx, looked.rules, text, impact)
}

fn text(
    provider: &ProviderState,
    looked: &LookContext<'_>,
    component: &ReportedComponent,
    urgency: Urgency,
) -> AlertText {
    let name = component.full_name();
    let id_and_name = (&*component.id, &name);
    let page_name = &provider.page_name;
    AlertText::component(
        looked.rules,
        page_name,
        id_and_name,
        component.state,
        urgency,
    )
}

/// The key, or one like it if an incident that took it over is still open.
fn free_key(provider: &ProviderState, key: &Text) -> Text {
    let numbered = (2..).map(|number| format!("{key}/{number}").into());
    let mut keys = std::iter::once(key.clone()).chain(numbered);
    let free = keys.find(|key: &Text| !provider.is_key_of_incident(key));
    free.expect("there are more numbers than incidents")
}

/// Whether an open incident of the page that has an alert is about a component: it names it, or
/// nothing.
fn is_covered(provider: &ProviderState, component: &ReportedComponent) -> bool {
    let open = provider.incidents.values();
    let is_told = |alert: &ProviderAlert| match alert {
        // What is worse than the incident is not explained by it.
        ProviderAlert::Raised { worst, .. } => *worst >= component.state.impact(),
        ProviderAlert::None { .. } => false,
    };
    open.filter(|known| is_told(&known.alert) && !known.report.is_maintenance)
        .any(|known| concerns(&known.report, &component.id))
}

/// Whether an incident is about a component.
fn concerns(incident: &ReportedIncident, id: &Text) -> bool {
    incident.components.is_empty() || incident.components.contains(id)
}

/// Components that the page has no longer: at the second look without them their alerts are over,
/// unless they may be among those that could not be read.
fn keep_missing(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    missing: BTreeMap<Text, WatchedComponent>,
) -> bool {
    let skipped = looked.report.skipped_components as u64;
    if missing.is_empty() {
        provider.skipped_components = skipped;
        return false;
    }
    let is_whole = skipped <= provider.skipped_components;
    let mut again = false;
    for (id, mut component) in missing {
        component.missing += u32::from(is_whole);
        if component.missing < LOOKS_MIN {
            provider.components.insert(id, component);
            again = true;
        } else if let Some(key) = component.alert.key() {
            provider_alerts::end(tx, provider, key, Reason::ProviderUnlisted);
        }
    }
    again
}

/// What was told of something: the key of its alert, the worst, and how urgent.
pub type ToldAlert = (Text, Impact, Urgency);

/// An incident takes over the alerts of the components that it is about. Without an alert of its
/// own that of the first becomes its own; the others are over. The answer is what was told of it.
pub fn take_over(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    incident: &ReportedIncident,
    own: Option<ToldAlert>,
) -> Option<ToldAlert> {
    let mut taken = Vec::new();
    let now = tx.now.wall;
    for (id, component) in &mut provider.components {
        // One that names nothing may be about what went down a while before it, not about what
        // has been down for long.
        let is_long = incident.components.is_empty() && now.since(component.since) > RELATED_FOR;
        if incident.is_maintenance || is_long || !concerns(incident, id) {
            continue;
        }
        let ProviderAlert::Raised {
            key,
            worst,
            urgency,
        } = &component.alert
        else {
            continue;
        };
        taken.push((key.clone(), *worst, *urgency));
        component.alert = ProviderAlert::None {
            why: Reason::ProviderIncidentCovers,
            impact: component.state.impact(),
        };
        component.looks = 0;
    }
    // The worst that was told of any was told of the incident.
    let worst = taken.iter().map(|(_, worst, _)| *worst).max();
    let urgency = taken.iter().map(|(_, _, urgency)| *urgency).max();
    let mut taken = taken.into_iter();
    let own = own.or_else(|| taken.next());
    let own = own.map(|(key, own_worst, own_urgency)| {
        let worst = worst.map_or(own_worst, |worst| worst.max(own_worst));
        let urgency = urgency.map_or(own_urgency, |urgency| urgency.max(own_urgency));
        (key, worst, urgency)
    });
    for (key, _, _) in taken {
        provider_alerts::end(tx, provider, &key, Reason::ProviderIncidentCovers);
    }
    own
}
