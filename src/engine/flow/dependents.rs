//! Incidents of what depends on a provider: while the provider has an incident they wait under it,
//! and whoever was paged about one is told of the provider's.
//!
//! Nothing waits under an incident that nobody is paged about, under one that is less urgent, or
//! because of a page that cannot be read; and nothing waits for longer than the rules allow.

use std::sync::Arc;

use crate::engine::dependency::{Dependency, DependencyRules, HoldRule};
use crate::engine::dependent::{Dependent, ProviderHold};
use crate::engine::entry_body::{EscalationEntry, IncidentEntry};
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{IncidentNumber, IntegrationName, ProviderName};
use crate::engine::incident::{Incident, Phase, Status};
use crate::engine::provider::UnreadablePage;
use crate::engine::provider_rules::integration_of;
use crate::engine::reason::Reason;
use crate::engine::ruleset::RuleSet;
use crate::engine::task::TaskKind;
use crate::engine::transaction::StepTransaction;
use crate::engine::{escalation, updates};

/// A new incident: on what it depends is kept with it.
pub fn relate(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    let Some(dependent) = dependent_by_rules(tx.rules, &incident) else {
        return;
    };
    tx.put_dependent(number, dependent);
}

/// What the rules say an incident depends on. A provider's own incident depends on nothing, nor
/// does what the router says of itself.
fn dependent_by_rules(rules: &RuleSet, incident: &Incident) -> Option<Dependent> {
    if incident.integration.is_provider() || incident.about.is_some() {
        return None;
    }
    let route = rules.tree.route(&incident.route);
    let of_route = route.and_then(|route| route.dependencies.as_deref());
    let service = incident.service.as_ref();
    let of_service = service.and_then(|service| rules.services.get(service));
    // What a route says is nearer to the incident.
    let first = of_route.or(of_service);
    let own_check = whose_check(rules, incident).map(|provider| Dependency {
        provider: provider.clone(),
        component: None,
    });
    let said = [of_route, of_service].into_iter().flatten();
    let said = said.flat_map(|rules| rules.depends_on.iter().cloned());
    let mut depends_on: Vec<Dependency> = Vec::new();
    for dependency in said.chain(own_check) {
        if !depends_on.contains(&dependency) {
            depends_on.push(dependency);
        }
    }
    if depends_on.is_empty() {
        return None;
    }
    Some(Dependent {
        incident: incident.number,
        depends_on,
        hold: first.map_or(HoldRule::Low, |first| first.hold),
        hold_for: first.map_or(DependencyRules::HOLD_FOR, |first| first.hold_for),
        held: None,
        told: None,
    })
}

/// The provider whose service the check tries that an incident is of.
fn whose_check<'rules>(
    rules: &'rules RuleSet,
    incident: &Incident,
) -> Option<&'rules ProviderName> {
    let integration = incident.integration.as_str();
    let name = integration.strip_prefix(IntegrationName::CHECK)?;
    rules.checks.get(name)?.provider.as_ref()
}

/// Lets an incident that is about to page wait under one of a provider on which it depends. Whether
/// it waits.
pub fn hold(tx: &mut StepTransaction<'_>, number: IncidentNumber) -> bool {
    let Some(dependent) = tx.dependent(&number) else {
        return false;
    };
    let incident = tx.known_incident(number);
    count_own_alerts(tx, &dependent);
    let Some((under, because)) = cover(tx, &dependent, &incident) else {
        show_relation(tx, &dependent);
        return false;
    };
    if !dependent.hold.holds(incident.urgency) || !incident.expects_acknowledgment() {
        show_relation(tx, &dependent);
        return false;
    }
    let until = tx.now.steady + dependent.hold_for;
    let held = ProviderHold {
        under,
        because: because.clone(),
        since: tx.now.wall,
        until,
    };
    tx.edit_dependent(&number, |dependent| {
        dependent.held = Some(held);
        dependent.told = Some(under);
    });
    tx.edit_incident(&number, |incident| {
        incident.escalation.phase = Phase::Held;
        incident.escalation.due = Some(until);
        incident.escalation.skip_wait_reason = None;
    });
    let waits = EscalationEntry::HeldUnder {
        under,
        because,
        at_most: dependent.hold_for,
    };
    tx.note(number, Reason::ProviderHeld, waits);
    tell_waiting(tx, under, &incident);
    true
}

/// The incident of the provider says what waits beneath it, and whoever was paged about it is told.
fn tell_waiting(tx: &mut StepTransaction<'_>, under: IncidentNumber, waiting: &Incident) {
    let beneath = IncidentEntry::WaitsBeneath {
        incident: waiting.number,
        title: waiting.title.clone(),
    };
    tx.note(under, Reason::ProviderHeld, beneath);
    updates::joined(tx, under);
}

/// Says which incident of a provider an incident that pages may be due to.
fn show_relation(tx: &mut StepTransaction<'_>, dependent: &Dependent) {
    let Some(under) = related(tx, dependent) else {
        return;
    };
    if dependent.told == Some(under) {
        return;
    }
    let number = dependent.incident;
    let incident = tx.known_incident(under);
    tx.edit_dependent(&number, |dependent| dependent.told = Some(under));
    let related = IncidentEntry::ProviderIncident {
        incident: under,
        title: incident.title.clone(),
    };
    tx.note(number, Reason::ProviderRelated, related);
}

/// Its own alerts may make an incident of a provider more urgent.
fn count_own_alerts(tx: &mut StepTransaction<'_>, dependent: &Dependent) {
    for dependency in &dependent.depends_on {
        tx.follow_up(FollowUp::OwnAlerts(dependency.provider.clone()));
    }
}

/// One more alert of an incident that may depend on something.
pub fn joined(tx: &mut StepTransaction<'_>, number: IncidentNumber, by: &IntegrationName) {
    let Some(dependent) = tx.dependent(&number) else {
        return;
    };
    if by.is_provider() && dependent.held.is_some() {
        // What the provider says is never held.
        release(tx, number, Reason::ProviderHoldDropped);
    }
    count_own_alerts(tx, &dependent);
}

/// The incident of a provider under which a dependent waits or may wait: one that somebody is paged
/// about and that is as urgent. The most urgent, and the first of those.
fn cover(
    tx: &StepTransaction<'_>,
    dependent: &Dependent,
    own: &Incident,
) -> Option<(IncidentNumber, Dependency)> {
    let is_held = dependent.held.is_some();
    let fits = |incident: &Incident| {
        incident.expects_acknowledgment()
            && !incident.is_silenced
            && incident.urgency >= own.urgency
    };
    let on = dependent.depends_on.iter();
    let known = on.filter(|dependency| is_readable(tx, &dependency.provider, is_held));
    let found = known.flat_map(|dependency| {
        let incidents = incidents_of(tx, dependency).filter(|incident| fits(incident));
        incidents.map(move |incident| (incident.urgency, incident.number, dependency))
    });
    let first = found.max_by_key(|(urgency, number, _)| (*urgency, std::cmp::Reverse(*number)));
    first.map(|(_, under, because)| (under, because.clone()))
}

/// Whether what is known of a provider is so now. What waits already waits on for as long as a page
/// may fail without being told.
fn is_readable(tx: &StepTransaction<'_>, provider: &ProviderName, is_held: bool) -> bool {
    let Some(provider) = tx.provider(provider) else {
        return false;
    };
    provider.unreadable.as_ref().is_none_or(|page| {
        let unreadable_for = tx.now.steady.since(page.since);
        is_held && unreadable_for < UnreadablePage::TOLD_AFTER
    })
}

/// The open incidents in which the alerts are that a provider has because of what is depended on.
pub fn incidents_of<'look>(
    tx: &'look StepTransaction<'_>,
    dependency: &'look Dependency,
) -> impl Iterator<Item = Arc<Incident>> + 'look {
    let integration = integration_of(&dependency.provider);
    let provider = tx.provider(&dependency.provider);
    let keys = provider.map_or_else(Vec::new, |known| known.keys_about(dependency));
    let alerts = keys.into_iter();
    let alerts = alerts.filter_map(move |key| tx.alert_by_key(&integration, &key));
    let firing = alerts.filter(|alert| alert.firing);
    let numbers = firing.flat_map(|alert| alert.incidents.clone());
    let incidents = numbers.filter_map(|number| tx.incident(&number));
    incidents.filter(|incident| incident.is_open() && incident.integration.is_provider())
}

/// Any incident of a provider to which this one may be due.
fn related(tx: &StepTransaction<'_>, dependent: &Dependent) -> Option<IncidentNumber> {
    let on = dependent.depends_on.iter();
    let incidents = on.flat_map(|dependency| incidents_of(tx, dependency));
    incidents.map(|incident| incident.number).min()
}

/// It waits no longer: it still fires, and pages for itself.
pub fn release(tx: &mut StepTransaction<'_>, number: IncidentNumber, reason: Reason) {
    end_hold(tx, number);
    let incident = tx.known_incident(number);
    if incident.status != Status::Triggered || incident.escalation.phase != Phase::Held {
        return;
    }
    tx.note(number, reason, EscalationEntry::HoldOver);
    escalation::start_now(tx, number);
}

/// Somebody or something else decides on the incident from now on.
pub fn end_hold(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let is_held = tx.dependent(&number).is_some_and(|it| it.held.is_some());
    if is_held {
        tx.edit_dependent(&number, |dependent| dependent.held = None);
    }
}

/// Something changed for those that depend on a provider: they are looked at in this step or in
/// later ones.
pub fn begin_review(tx: &mut StepTransaction<'_>, provider: &ProviderName) {
    if tx.state.dependents_on(provider).next().is_none() {
        return;
    }
    let provider = provider.clone();
    let next = IncidentNumber(0);
    tx.begin(TaskKind::ReviewDependents { provider, next });
}

/// Other rules are in force: what waits may wait no longer.
pub fn rules_changed(tx: &mut StepTransaction<'_>) {
    let providers: Vec<ProviderName> = tx.state.providers_depended_on().cloned().collect();
    for provider in providers {
        begin_review(tx, &provider);
    }
}

/// An incident is over: if it is of a provider, what waits under it is looked at; if it depends on
/// one, that is forgotten.
pub fn incident_closed(tx: &mut StepTransaction<'_>, incident: &Incident) {
    if tx.dependent(&incident.number).is_some() {
        tx.drop_dependent(&incident.number);
    }
    let of_provider = incident
        .integration
        .as_str()
        .strip_prefix(IntegrationName::PROVIDER);
    if let Some(provider) = of_provider {
        begin_review(tx, &provider.into());
    }
}

/// Looks at those that depend on a provider; the answer is where to go on.
pub fn review(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderName,
    next: IncidentNumber,
) -> Option<IncidentNumber> {
    let dependents = tx.dependents_on(provider).into_iter();
    let left = dependents.filter(|dependent| dependent.incident >= next);
    for (done, dependent) in left.enumerate() {
        if done > 0 && tx.is_spent() {
            return Some(dependent.incident);
        }
        review_one(tx, &dependent);
    }
    None
}

fn review_one(tx: &mut StepTransaction<'_>, dependent: &Dependent) {
    let number = dependent.incident;
    let Some(incident) = tx.incident(&number).filter(|it| it.is_open()) else {
        // Its incident was lost with a part of the store.
        tx.drop_dependent(&number);
        return;
    };
    let Some(held) = &dependent.held else {
        let before = dependent.told;
        show_relation(tx, dependent);
        let told = tx.dependent(&number).and_then(|dependent| dependent.told);
        if told != before {
            updates::joined(tx, number);
        }
        return;
    };
    let by_rules = dependent_by_rules(tx.rules, &incident);
    let is_still_meant = by_rules.is_some_and(|rules| {
        rules.hold.holds(incident.urgency) && rules.depends_on.contains(&held.because)
    });
    if !is_still_meant {
        return release(tx, number, Reason::ProviderHoldDropped);
    }
    match cover(tx, dependent, &incident) {
        Some((under, _)) if under == held.under => {}
        Some((under, because)) => {
            tx.edit_dependent(&number, |dependent| {
                dependent.told = Some(under);
                if let Some(held) = &mut dependent.held {
                    held.under = under;
                    held.because = because;
                }
            });
            tell_waiting(tx, under, &incident);
        }
        None if is_readable(tx, &held.because.provider, true) => {
            release(tx, number, Reason::ProviderRecovered);
        }
        None => release(tx, number, Reason::ProviderUnknown),
    }
}
