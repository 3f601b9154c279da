//! How many of our own alerts fire where a provider has an incident: from a number on that makes it
//! urgent, whatever the provider admits.

use std::sync::Arc;

use crate::engine::dependent::Dependent;
use crate::engine::entry_body::IncidentEntry;
use crate::engine::event::Text;
use crate::engine::ids::{IncidentNumber, ProviderName};
use crate::engine::provider::{ProviderState, ToldOf};
use crate::engine::provider_alerts;
use crate::engine::provider_rules::{ProviderRules, integration_of};
use crate::engine::reason::Reason;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;

/// Alerts that began so long before the provider's incident was seen, and later, may be due to it.
const BEFORE: Duration = Duration::minutes(10);

/// So many incidents that depend on a provider are looked at, the newest first.
const DEPENDENTS_ASKED_MAX: usize = 1_000;

/// Incidents that a line of the timeline names.
const NAMED_MAX: usize = 10;

/// Counts, and makes urgent what enough of our own alerts say is.
pub fn count(tx: &mut StepTransaction<'_>, name: &ProviderName) {
    let Some(rules) = tx.rules.providers.get(name) else {
        return;
    };
    let Some(raise_when) = rules.raise_when else {
        return;
    };
    let Some(provider) = tx.provider(name) else {
        return;
    };
    let low: Vec<ToldOf> = provider.told_low().collect();
    if low.is_empty() {
        return;
    }
    let mut dependents = tx.dependents_on(name);
    dependents.reverse();
    dependents.truncate(DEPENDENTS_ASKED_MAX);
    for told in low {
        let counted = counted(tx, &provider, &dependents, &told);
        let total: usize = counted.iter().map(|(_, alerts)| alerts).sum();
        if total >= raise_when {
            let incidents = counted.into_iter().map(|(number, _)| number);
            raise(
                tx,
                rules,
                &told.key,
                incidents.take(NAMED_MAX).collect(),
                total,
            );
        }
    }
}

/// Which incidents count, and how many of their alerts.
fn counted(
    tx: &StepTransaction<'_>,
    provider: &ProviderState,
    dependents: &[Arc<Dependent>],
    told: &ToldOf,
) -> Vec<(IncidentNumber, usize)> {
    let seen_for = tx.now.wall.since(told.first_seen_at);
    let age_max = Duration(seen_for.0.saturating_add(BEFORE.0));
    let concerned = dependents.iter().filter(|dependent| {
        let mut on = dependent.depends_on.iter();
        on.any(|on| on.provider == provider.name && provider.keys_about(on).contains(&told.key))
    });
    let counted = concerned.map(|dependent| {
        let alerts = tx.first_alerts_of(dependent.incident, NAMED_MAX);
        let is_fresh = |entered| tx.now.steady.since(entered) <= age_max;
        let firing = alerts
            .iter()
            .filter(|alert| alert.firing && !alert.is_silenced());
        let fresh = firing.filter(|alert| alert.entered.is_some_and(is_fresh));
        (dependent.incident, fresh.count())
    });
    counted.filter(|(_, alerts)| *alerts > 0).collect()
}

fn raise(
    tx: &mut StepTransaction<'_>,
    rules: &ProviderRules,
    key: &Text,
    incidents: Vec<IncidentNumber>,
    total: usize,
) {
    let integration = integration_of(&rules.name);
    let Some(alert) = tx.alert_by_key(&integration, key).filter(|it| it.firing) else {
        return;
    };
    let own = IncidentEntry::OwnAlerts {
        alerts: u32::try_from(total).unwrap_or(u32::MAX),
        incidents,
    };
    for number in &alert.incidents {
        tx.note(*number, Reason::OwnAlerts, own.clone());
    }
    let Some(mut provider) = tx.provider(&rules.name).map(|known| (*known).clone()) else {
        return;
    };
    if let Some(worst) = provider.make_high(key) {
        tx.put_provider(rules.name.clone(), provider);
        provider_alerts::make_high(tx, rules, &alert, worst);
    }
}
