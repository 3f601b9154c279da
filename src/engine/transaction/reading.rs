//! Looking up records by what they belong to, as this step has changed them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::StepTransaction;
use crate::engine::alert::Alert;
use crate::engine::dependent::Dependent;
use crate::engine::headline;
use crate::engine::ids::{
    AlertId, AttemptId, IncidentNumber, IntegrationName, PageId, ProviderName, StatusPageName,
};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Receipt, Silence};
use crate::engine::ruleset::Policy;
use crate::engine::status_component::{ComponentKey, StatusComponent};
use crate::engine::status_post::{PostKey, StatusPost};
use crate::engine::time::{MonotonicTime, Timestamp};

/// Whoever names these records has just met them: that one is not there is a fault of ours. The
/// step that finds it changes nothing, and a self-incident says so.
impl StepTransaction<'_> {
    /// An incident that is not in history.
    #[track_caller]
    pub fn known_incident(&self, number: IncidentNumber) -> Arc<Incident> {
        let incident = self.incident(&number);
        incident.unwrap_or_else(|| panic!("incident #{number} is not in the state"))
    }

    /// An alert that is not forgotten.
    #[track_caller]
    pub fn known_alert(&self, id: AlertId) -> Arc<Alert> {
        let alert = self.alert(&id);
        alert.unwrap_or_else(|| panic!("alert {} is not in the state", id.0))
    }

    /// A page that is not in history.
    #[track_caller]
    pub fn known_page(&self, id: PageId) -> Arc<Page> {
        let page = self.page(&id);
        page.unwrap_or_else(|| panic!("page {} is not in the state", id.0))
    }

    /// The policy of an incident that expects an acknowledgment.
    #[track_caller]
    pub fn known_policy(&self, incident: &Incident) -> Arc<Policy> {
        let policy = self.policy_of(incident);
        policy.unwrap_or_else(|| panic!("incident #{} has no policy", incident.number))
    }
}

impl StepTransaction<'_> {
    /// The known alert that a sender means.
    pub fn alert_by_key(&self, integration: &IntegrationName, key: &str) -> Option<Arc<Alert>> {
        let keys = self.index.alert_by_key.get(integration);
        let fresh = keys.and_then(|keys| keys.get(key));
        if let Some(alert) = fresh.and_then(|id| self.alert(id)) {
            return Some(alert);
        }
        let known = self.state.alert_by_key(integration, key)?;
        self.alert(&known.id)
    }

    /// The ids of the alerts that are, or were in this step, in an incident.
    fn touched_members(&self, number: IncidentNumber) -> impl Iterator<Item = AlertId> {
        let range = (number, AlertId(0))..=(number, AlertId(u64::MAX));
        self.index.members.range(range).map(|(_, id)| *id)
    }

    /// The alerts of an incident, in no order that would say anything.
    pub fn alerts_of(&self, number: IncidentNumber) -> impl Iterator<Item = Arc<Alert>> {
        let touched = self.touched_members(number);
        let known = self.state.alerts_of(number).map(|alert| alert.id);
        let untouched = known.filter(move |id| !self.index.members.contains(&(number, *id)));
        let alerts = touched.chain(untouched).filter_map(|id| self.alert(&id));
        alerts.filter(move |alert| alert.incidents.contains(&number))
    }

    /// The alerts of an incident as messages show them, the most pressing first, up to `most`.
    pub fn first_alerts_of(&self, number: IncidentNumber, most: usize) -> Vec<Arc<Alert>> {
        let touched = self.touched_members(number);
        let touched = touched.filter_map(|id| self.alert(&id));
        let touched = touched.filter(|alert| alert.incidents.contains(&number));
        let known = self.state.alerts_by_rank(number);
        let known = known.filter(|alert| !self.index.members.contains(&(number, alert.id)));
        let untouched = known.filter_map(|alert| self.alert(&alert.id));
        // One that this step let out of the incident and had not touched before.
        let untouched = untouched.filter(|alert| alert.incidents.contains(&number));
        let mut alerts: Vec<Arc<Alert>> = touched.chain(untouched.take(most)).collect();
        alerts.sort_by_cached_key(|alert| (headline::rank(alert), alert.id));
        alerts.truncate(most);
        alerts
    }

    /// The alerts of an incident that began to fire in it after a moment.
    pub fn alerts_entered_after(
        &self,
        number: IncidentNumber,
        at: MonotonicTime,
    ) -> Vec<Arc<Alert>> {
        let known = self.state.alerts_entered_after(number, at);
        let known = known.filter(|id| !self.index.members.contains(&(number, *id)));
        let alerts = self.touched_members(number).chain(known);
        let alerts = alerts.filter_map(|id| self.alert(&id));
        let entered = alerts.filter(|alert| alert.entered.is_some_and(|entered| entered > at));
        entered
            .filter(|alert| alert.incidents.contains(&number))
            .collect()
    }

    /// The pages of an incident that are not in history, in the order of their ids.
    pub fn pages_of(&self, number: IncidentNumber) -> Vec<Arc<Page>> {
        let known = self.state.pages_of(number).map(|page| page.id);
        let range = (number, PageId(0))..=(number, PageId(u64::MAX));
        let new = self.index.pages.range(range).map(|(_, id)| *id);
        // New pages have the higher ids, and none is in both.
        known.chain(new).filter_map(|id| self.page(&id)).collect()
    }

    /// Open incidents that depend on a provider, or on one of its components.
    pub fn dependents_on(&self, provider: &ProviderName) -> Vec<Arc<Dependent>> {
        let touched = self.changed.dependents.keys().copied();
        let known = self.state.dependents_on(provider);
        let numbers: BTreeSet<IncidentNumber> = touched.chain(known).collect();
        let dependents = numbers.iter().filter_map(|number| self.dependent(number));
        let depends = |known: &Arc<Dependent>| {
            let mut on = known.depends_on.iter();
            on.any(|dependency| dependency.provider == *provider)
        };
        dependents.filter(depends).collect()
    }

    /// Incidents that wait under one of a provider.
    pub fn held_under(&self, under: IncidentNumber) -> Vec<IncidentNumber> {
        let touched = self.changed.dependents.keys().copied();
        let numbers: BTreeSet<IncidentNumber> =
            touched.chain(self.state.held_under(under)).collect();
        let is_held = |number: &IncidentNumber| {
            let held = self.dependent(number).and_then(|known| known.held.clone());
            held.is_some_and(|held| held.under == under)
        };
        numbers.into_iter().filter(is_held).collect()
    }

    /// Alerts that this step changed.
    pub fn changed_alerts(&self) -> Vec<AlertId> {
        self.changed.alerts.keys().copied().collect()
    }

    /// Providers that this step changed.
    pub fn changed_providers(&self) -> Vec<ProviderName> {
        self.changed.providers.keys().cloned().collect()
    }

    /// Alerts of which this step changed what they mean for status pages.
    pub fn changed_service_alerts(&self) -> BTreeSet<AlertId> {
        self.changed.service_alerts.keys().copied().collect()
    }

    /// The posts of a status page, in the order of their numbers.
    pub fn status_posts_of(&self, page: &StatusPageName) -> Vec<Arc<StatusPost>> {
        let known = self.state.status_posts_of(page).map(|post| &post.key);
        let touched = self.changed.status_posts.keys();
        let touched = touched.filter(|key| key.page == *page);
        let keys: BTreeSet<&PostKey> = known.chain(touched).collect();
        keys.into_iter()
            .filter_map(|key| self.status_post(key))
            .collect()
    }

    /// The components of status pages that are known, also those that have left the rules.
    pub fn status_components(&self) -> Vec<Arc<StatusComponent>> {
        let known = self.state.status_components().map(|known| &known.key);
        let keys: BTreeSet<&ComponentKey> =
            known.chain(self.changed.status_components.keys()).collect();
        let components = keys.into_iter();
        components
            .filter_map(|key| self.status_component(key))
            .collect()
    }

    /// Whether a page is only a test.
    pub fn is_test_page(&self, page: &Page) -> bool {
        let first = page
            .incidents
            .first()
            .filter(|_| page.integration.is_router());
        let incident = first.and_then(|shown| self.incident(&shown.number));
        incident.is_some_and(|incident| incident.is_test_page())
    }

    /// Whether any of the page's incidents still asks for acknowledgment at the generation shown.
    /// Steps go through incidents from the front, so one that still asks is soon found from the
    /// end.
    pub fn still_asks(&self, page: &Page) -> bool {
        page.incidents.iter().rev().any(|shown| {
            self.incident(&shown.number)
                .is_some_and(|incident| incident.generation == shown.generation && incident.asks())
        })
    }

    /// The page to which an attempt belongs.
    pub fn page_of_attempt(&self, attempt: AttemptId) -> Option<Arc<Page>> {
        self.page(&self.state.page_of_attempt(attempt)?.id)
    }

    /// Silences that are in force, in the order of their ids.
    pub fn active_silences(&self) -> Vec<Arc<Silence>> {
        let known = self.state.silences();
        let known = known.filter(|silence| !self.changed.silences.contains_key(&silence.id));
        let touched = self
            .changed
            .silences
            .keys()
            .filter_map(|id| self.silence(id));
        let all = known.cloned().chain(touched);
        let mut active: Vec<_> = all.filter(|silence| silence.is_active).collect();
        active.sort_by_key(|silence| silence.id);
        active
    }

    /// When the event at hand was accepted.
    pub fn accepted_at(&self) -> Timestamp {
        self.accepted.unwrap_or(self.now.wall)
    }

    /// The receipt of an event with this id, accepted within the hour.
    pub fn receipt_by_id(&self, integration: &IntegrationName, id: &str) -> Option<&Receipt> {
        let wall = self.now.wall;
        let own = self.memory.by_id(integration, id, wall);
        own.or_else(|| self.state.memory.by_id(integration, id, wall))
    }

    /// A resolve that came within ten minutes for an alert that was not known.
    pub fn unknown_resolve(&self, integration: &IntegrationName, key: &str) -> Option<&Receipt> {
        let wall = self.now.wall;
        let own = self.memory.unknown_resolve(integration, key, wall);
        own.or_else(|| self.state.memory.unknown_resolve(integration, key, wall))
    }
}
