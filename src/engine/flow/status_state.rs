//! How a component of a status page of ours is by rule: by maintenance of ours, by alerts of its
//! services, and by what the pages of its providers say.

use std::cmp::Reverse;

use crate::engine::State;
use crate::engine::dependency::Dependency;
use crate::engine::provider::{ProviderAlert, ProviderState, WatchedIncident};
use crate::engine::provider_rules::ProviderRules;
use crate::engine::ruleset::RuleSet;
use crate::engine::status_alerts;
use crate::engine::status_component::{StateCause, StatusComponent};
use crate::engine::status_page_rules::{ComponentRules, StatusPageRules};
use crate::engine::status_post::PostKind;
use crate::engine::status_report::{ComponentState, Impact, ReportPhase};
use crate::engine::time::Now;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// A state, and what makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByRule {
    pub state: ComponentState,
    /// Those that are as bad as the state, up to [`StatusComponent::CAUSES_MAX`].
    pub causes: Vec<StateCause>,
}

type CauseOfState = (ComponentState, StateCause);

/// How a component is by rule now, for whoever asks why.
pub fn explain(
    state: &State,
    rules: &RuleSet,
    now: Now,
    (page, component): (&StatusPageRules, &ComponentRules),
) -> ByRule {
    by_rule(&StepTransaction::new(state, rules, now), page, component)
}

/// How a component is by rule now.
pub fn by_rule(
    tx: &StepTransaction<'_>,
    page: &StatusPageRules,
    component: &ComponentRules,
) -> ByRule {
    if let Some(cause) = maintenance(tx, page, component) {
        return ByRule {
            state: ComponentState::Maintenance,
            causes: vec![cause],
        };
    }
    let minimum = page.publish.minimum;
    let mut found = Vec::new();
    for service in &component.services {
        let alerts = status_alerts::of_service(tx, service, minimum, StatusComponent::CAUSES_MAX);
        let alerts = alerts.iter().filter_map(|alert| {
            let state = alert.state(minimum)?;
            let known = tx.alert(&alert.alert)?;
            let cause = StateCause::Alert {
                alert: alert.alert,
                integration: known.integration.clone(),
                service: service.clone(),
                title: known.title(),
            };
            Some((state, cause))
        });
        found.extend(alerts);
    }
    for on in &component.providers {
        found.extend(of_provider(tx, on, minimum));
    }
    found.sort_by_key(|(state, _)| Reverse(state.rank()));
    let worst = found.first();
    let state = worst.map_or(ComponentState::Operational, |(state, _)| *state);
    let causes = found.into_iter().filter(|(found, _)| *found == state);
    let causes = causes.map(|(_, cause)| cause);
    ByRule {
        state,
        causes: causes.take(StatusComponent::CAUSES_MAX).collect(),
    }
}

/// Maintenance of ours that goes on and names the component.
fn maintenance(
    tx: &StepTransaction<'_>,
    page: &StatusPageRules,
    component: &ComponentRules,
) -> Option<StateCause> {
    let posts = tx.status_posts_of(&page.name).into_iter();
    let mut posts = posts.filter(|post| post.kind == PostKind::Maintenance && post.is_open());
    let post = posts.find(|post| post.is_in_progress() && post.is_about(&component.id))?;
    Some(StateCause::Maintenance {
        post: post.key.number,
        title: post.title.clone(),
    })
}

/// What the page of a provider says of what is depended on.
fn of_provider(tx: &StepTransaction<'_>, on: &Dependency, minimum: Urgency) -> Vec<CauseOfState> {
    let unreadable = |why: &str| {
        let cause = StateCause::Unreadable {
            on: on.clone(),
            why: why.into(),
        };
        vec![(ComponentState::Unknown, cause)]
    };
    let Some(rules) = tx.rules.providers.get(&on.provider) else {
        return unreadable("the rules have no such provider");
    };
    let Some(provider) = tx.provider(&on.provider) else {
        return unreadable("not read yet");
    };
    match &provider.unreadable {
        // A short failure says nothing yet: what was known counts on.
        Some(page) if page.is_reviewed || provider.first_read_at.is_none() => {
            return unreadable(&page.why);
        }
        _ => {}
    }
    let mut found = said_of_components(&provider, rules, on, minimum);
    let incidents = provider.incidents.values();
    let incidents = incidents.filter(|known| is_about(&provider, on, known));
    let incidents = incidents.filter_map(|known| {
        let state = match known.report.is_maintenance {
            true if known.report.is_maintenance_at(tx.now.wall) => ComponentState::Maintenance,
            true => return None,
            false if known.report.phase == ReportPhase::Open => known.impact.state(),
            false => return None,
        };
        let is_told = is_urgent(&known.alert, rules, known.impact, minimum);
        let cause = StateCause::Provider {
            on: on.clone(),
            title: known.report.title.clone(),
        };
        (is_told || state == ComponentState::Maintenance).then_some((state, cause))
    });
    found.extend(incidents);
    found
}

fn said_of_components(
    provider: &ProviderState,
    rules: &ProviderRules,
    on: &Dependency,
    minimum: Urgency,
) -> Vec<CauseOfState> {
    let components = provider.components.values();
    let meant = components.filter(|known| on.is_on(&known.name) && counts(on, &known.alert));
    let found = meant.filter_map(|known| {
        let is_told = is_urgent(&known.alert, rules, known.state.impact(), minimum);
        let is_shown = is_told || !known.state.is_down();
        let cause = StateCause::Provider {
            on: on.clone(),
            title: format!("{}: {}", known.name, known.state).into(),
        };
        is_shown.then_some((known.state, cause))
    });
    found.collect()
}

/// Whether an incident of a provider is about what is depended on: it names it, or names nothing.
fn is_about(provider: &ProviderState, on: &Dependency, known: &WatchedIncident) -> bool {
    let named = &known.report.components;
    let is_named = || {
        let known = named.iter().filter_map(|id| provider.components.get(id));
        { known }.any(|component| on.is_on(&component.name))
    };
    let is_meant = on.component.is_none() || named.is_empty() || is_named();
    is_meant && counts(on, &known.alert)
}

/// A component that is named here counts, whatever the provider's own filter says.
fn counts(on: &Dependency, alert: &ProviderAlert) -> bool {
    on.component.is_some() || alert.counts()
}

/// Whether it is urgent enough for the page: as it was told, or as the provider's rules say.
fn is_urgent(
    alert: &ProviderAlert,
    rules: &ProviderRules,
    impact: Impact,
    minimum: Urgency,
) -> bool {
    match alert {
        ProviderAlert::Raised { urgency, .. } => *urgency >= minimum,
        ProviderAlert::None { .. } => rules.urgency.of(impact).is_some_and(|it| it >= minimum),
    }
}
