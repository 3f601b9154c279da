//! The state of one partition: open alerts, incidents, pages and all timers.
//!
//! [`State::apply`] is the only mutator, used live and on load. Indexes are derived here from the
//! records and are never stored.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::alert::Alert;
use super::calendar::Override;
use super::channel_state::ChannelState;
use super::counters::Counters;
use super::dependent::Dependent;
use super::event::Text;
use super::ids::{
    AlertId, AttemptId, ChannelName, IncidentNumber, IntegrationName, OverrideId, PageId,
    ProviderName, SilenceId, StatusPageName, UserName,
};
use super::incident::{Incident, PolicyRef};
use super::page::Page;
use super::provider::ProviderState;
use super::recent_events::RecentEvents;
use super::records::{
    Change, Group, Person, PolicySnapshot, Record, RecordKey, Sender, Silence, UnconfirmedJump,
};
use super::status_component::{ComponentKey, ServiceAlert, StatusComponent};
use super::status_post::{PostKey, StatusPost};
use super::urgency::Urgency;

mod index;
pub(super) mod lanes;
mod loading;
mod parts;
pub mod tasks;
mod timers;

use index::Index;
use lanes::Lane;
use tasks::Tasks;

/// All active records with their indexes.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(super) counters: Counters,
    jump: Option<UnconfirmedJump>,
    alerts: BTreeMap<AlertId, Arc<Alert>>,
    incidents: BTreeMap<IncidentNumber, Arc<Incident>>,
    pages: BTreeMap<PageId, Arc<Page>>,
    groups: BTreeMap<Text, Arc<Group>>,
    people: BTreeMap<UserName, Arc<Person>>,
    channels: BTreeMap<ChannelName, Arc<ChannelState>>,
    senders: BTreeMap<Text, Arc<Sender>>,
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    overrides: BTreeMap<OverrideId, Arc<Override>>,
    pinned: BTreeMap<PolicyRef, Arc<PolicySnapshot>>,
    tasks: Tasks,
    providers: BTreeMap<ProviderName, Arc<ProviderState>>,
    dependents: BTreeMap<IncidentNumber, Arc<Dependent>>,
    status_components: BTreeMap<ComponentKey, Arc<StatusComponent>>,
    status_posts: BTreeMap<PostKey, Arc<StatusPost>>,
    service_alerts: BTreeMap<AlertId, Arc<ServiceAlert>>,
    /// Accepted ids and resolves of unknown alerts, for an hour.
    pub(super) memory: RecentEvents,
    index: Index,
}

impl State {
    /// Makes changes that an engine step decided, or that were loaded.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(record) => self.put(record),
                Change::Drop(key) => self.remove(key),
                Change::Archive(record) => self.remove(&record.key()),
                Change::Receipt(receipt) => self.memory.remember(receipt),
                Change::Entry(_) => {}
            }
        }
    }

    fn put(&mut self, record: &Record) {
        let before = match record.clone() {
            Record::Alert(alert) => self.alerts.insert(alert.id, alert).map(Record::Alert),
            Record::Incident(incident) => {
                let before = self.incidents.insert(incident.number, incident);
                before.map(Record::Incident)
            }
            Record::Page(page) => self.pages.insert(page.id, page).map(Record::Page),
            Record::Group(group) => {
                let before = self.groups.insert(group.key.clone(), group);
                before.map(Record::Group)
            }
            Record::Person(person) => {
                let before = self.people.insert(person.user.clone(), person);
                before.map(Record::Person)
            }
            Record::Channel(channel) => {
                let before = self.channels.insert(channel.name.clone(), channel);
                before.map(Record::Channel)
            }
            Record::Sender(sender) => {
                let before = self.senders.insert(sender.address.clone(), sender);
                before.map(Record::Sender)
            }
            Record::Silence(silence) => {
                let before = self.silences.insert(silence.id, silence);
                before.map(Record::Silence)
            }
            Record::Override(override_) => {
                let before = self.overrides.insert(override_.id, override_);
                before.map(Record::Override)
            }
            Record::PolicySnapshot(pinned) => {
                let before = self.pinned.insert(pinned.key.clone(), pinned);
                before.map(Record::PolicySnapshot)
            }
            Record::Task(task) => {
                self.tasks.remove(task.id);
                return self.tasks.put(task);
            }
            Record::Counters(counters) => return self.counters = counters,
            Record::Jump(jump) => self.jump.replace(jump).map(Record::Jump),
            Record::Provider(provider) => {
                let before = self.providers.insert(provider.name.clone(), provider);
                before.map(Record::Provider)
            }
            Record::Dependent(dependent) => {
                let before = self.dependents.insert(dependent.incident, dependent);
                before.map(Record::Dependent)
            }
            Record::StatusComponent(component) => {
                let key = component.key.clone();
                let before = self.status_components.insert(key, component);
                before.map(Record::StatusComponent)
            }
            Record::StatusPost(post) => {
                let before = self.status_posts.insert(post.key.clone(), post);
                before.map(Record::StatusPost)
            }
            Record::ServiceAlert(alert) => {
                let before = self.service_alerts.insert(alert.alert, alert);
                before.map(Record::ServiceAlert)
            }
        };
        self.index.replace(before.as_ref(), record);
    }

    fn remove(&mut self, key: &RecordKey) {
        let removed = match key {
            RecordKey::Alert(id) => self.alerts.remove(id).map(Record::Alert),
            RecordKey::Incident(number) => self.incidents.remove(number).map(Record::Incident),
            RecordKey::Page(id) => self.pages.remove(id).map(Record::Page),
            RecordKey::Group(key) => self.groups.remove(key).map(Record::Group),
            RecordKey::Person(user) => self.people.remove(user).map(Record::Person),
            RecordKey::Channel(name) => self.channels.remove(name).map(Record::Channel),
            RecordKey::Sender(address) => self.senders.remove(address).map(Record::Sender),
            RecordKey::Silence(id) => self.silences.remove(id).map(Record::Silence),
            RecordKey::Override(id) => self.overrides.remove(id).map(Record::Override),
            RecordKey::PolicySnapshot(key) => self.pinned.remove(key).map(Record::PolicySnapshot),
            RecordKey::Task(id) => return self.tasks.remove(*id),
            RecordKey::Counters => return,
            RecordKey::Jump => self.jump.take().map(Record::Jump),
            RecordKey::Provider(name) => self.providers.remove(name).map(Record::Provider),
            RecordKey::Dependent(number) => self.dependents.remove(number).map(Record::Dependent),
            RecordKey::StatusComponent(key) => {
                let component = self.status_components.remove(key);
                component.map(Record::StatusComponent)
            }
            RecordKey::StatusPost(key) => self.status_posts.remove(key).map(Record::StatusPost),
            RecordKey::ServiceAlert(id) => self.service_alerts.remove(id).map(Record::ServiceAlert),
        };
        if let Some(record) = removed {
            self.index.set(&record, false);
        }
    }
}

/// Reading. Lists come in the order of their ids.
impl State {
    /// An open incident, or a resolved one whose last notices are still under way.
    pub fn incident(&self, number: IncidentNumber) -> Option<&Arc<Incident>> {
        self.incidents.get(&number)
    }

    /// All of them; `rev()` gives the newest first.
    pub fn incidents(&self) -> impl DoubleEndedIterator<Item = &Arc<Incident>> {
        self.incidents.values()
    }

    /// Those whose numbers are in this range; `rev()` gives the newest first.
    pub fn incidents_in(
        &self,
        numbers: impl RangeBounds<IncidentNumber>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Incident>> {
        self.incidents.range(numbers).map(|(_, incident)| incident)
    }

    /// An alert by its id.
    pub fn alert(&self, id: AlertId) -> Option<&Arc<Alert>> {
        self.alerts.get(&id)
    }

    /// An alert by what its sender calls it.
    pub fn alert_by_key(&self, integration: &IntegrationName, key: &str) -> Option<&Arc<Alert>> {
        let id = self.index.alert_by_key.get(integration)?.get(key)?;
        self.alerts.get(id)
    }

    /// The integrations with known alerts whose names begin so.
    pub fn integrations_beneath(&self, prefix: &str) -> impl Iterator<Item = &IntegrationName> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let names = self.index.alert_by_key.range::<str, _>(from);
        let names = names.map(|(name, _)| name);
        names.take_while(move |name| name.as_str().starts_with(prefix))
    }

    /// All alerts that are known: firing, or resolved a short while ago.
    pub fn alerts(&self) -> impl DoubleEndedIterator<Item = &Arc<Alert>> {
        self.alerts.values()
    }

    /// Those from this id on.
    pub(super) fn alerts_after(&self, first: AlertId) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.range(first..).map(|(_, alert)| alert)
    }

    /// A page that is not in history yet.
    pub fn page(&self, id: PageId) -> Option<&Arc<Page>> {
        self.pages.get(&id)
    }

    /// All pages that are not in history yet.
    pub fn pages(&self) -> impl DoubleEndedIterator<Item = &Arc<Page>> {
        self.pages.values()
    }

    /// Those from this id on.
    pub(super) fn pages_after(&self, first: PageId) -> impl Iterator<Item = &Arc<Page>> {
        self.pages.range(first..).map(|(_, page)| page)
    }

    /// The page to which an attempt belongs.
    pub fn page_of_attempt(&self, attempt: AttemptId) -> Option<&Arc<Page>> {
        self.pages.get(self.index.attempts.get(&attempt)?)
    }

    /// Channels with pages that wait for a slot or attempts under way.
    pub fn lanes(&self) -> impl Iterator<Item = (&ChannelName, &Lane)> {
        self.index.lanes.iter()
    }

    /// The lane of one channel; nothing if it has nothing to do.
    pub fn lane(&self, channel: &ChannelName) -> Option<&Lane> {
        self.index.lanes.get(channel)
    }

    /// What is remembered of a route and group.
    pub fn group(&self, key: &str) -> Option<&Arc<Group>> {
        self.groups.get(key)
    }

    /// What is remembered of all routes and groups.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    /// Those behind this key.
    pub(super) fn groups_after(&self, key: &Text) -> impl Iterator<Item = &Arc<Group>> {
        let behind = (Bound::Excluded(key), Bound::Unbounded);
        self.groups.range::<Text, _>(behind).map(|(_, group)| group)
    }

    /// The keys of groups without an open incident; the one to be forgotten first comes first.
    pub fn closed_groups(&self) -> impl ExactSizeIterator<Item = &Text> {
        self.index.closed_groups.iter().map(|(_, key)| key)
    }

    /// Bytes of these keys.
    pub(super) fn closed_groups_bytes(&self) -> usize {
        self.index.closed_groups_bytes
    }

    /// What is remembered of a person.
    pub fn person(&self, user: &UserName) -> Option<&Arc<Person>> {
        self.people.get(user)
    }

    /// Incidents whose page to this person waits for the next bundled page, those of high urgency
    /// first, then by number.
    pub fn held_for<'state>(
        &'state self,
        user: &'state UserName,
    ) -> impl Iterator<Item = IncidentNumber> + 'state {
        let first = (user.clone(), Reverse(Urgency::High), IncidentNumber(0));
        let held = self.index.held.range(first..);
        let own = held.take_while(move |(held_for, _, _)| held_for == user);
        own.map(|(_, _, number)| *number)
    }

    /// What is remembered of a channel; nothing before its first attempt.
    pub fn channel(&self, name: &ChannelName) -> Option<&Arc<ChannelState>> {
        self.channels.get(name)
    }

    /// All channels that made attempts.
    pub fn channels(&self) -> impl Iterator<Item = &Arc<ChannelState>> {
        self.channels.values()
    }

    /// What is remembered of a phone number that wrote to us.
    pub fn sender(&self, address: &str) -> Option<&Arc<Sender>> {
        self.senders.get(address)
    }

    /// How many are remembered that wrote to us or pressed a button.
    pub fn senders_known(&self) -> usize {
        self.senders.len()
    }

    /// What is remembered of a watched provider; nothing before its first look.
    pub fn provider(&self, name: &ProviderName) -> Option<&Arc<ProviderState>> {
        self.providers.get(name)
    }

    /// All providers that were looked at.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<ProviderState>> {
        self.providers.values()
    }

    /// What is remembered of an open incident that depends on providers.
    pub fn dependent(&self, number: IncidentNumber) -> Option<&Arc<Dependent>> {
        self.dependents.get(&number)
    }

    /// Open incidents that depend on a provider, or on one of its components.
    pub fn dependents_on<'state>(
        &'state self,
        provider: &'state ProviderName,
    ) -> impl Iterator<Item = IncidentNumber> + 'state {
        let first = (provider.clone(), IncidentNumber(0));
        let dependents = self.index.dependents.range(first..);
        let own = dependents.take_while(move |(known, _)| known == provider);
        own.map(|(_, number)| *number)
    }

    /// Providers on which open incidents depend.
    pub fn providers_depended_on(&self) -> impl Iterator<Item = &ProviderName> {
        let providers = self.index.dependents.iter().map(|(name, _)| name);
        let mut last = None;
        providers.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Incidents that wait under one of a provider.
    pub fn held_under(&self, under: IncidentNumber) -> impl Iterator<Item = IncidentNumber> {
        let range = (under, IncidentNumber(0))..=(under, IncidentNumber(u64::MAX));
        self.index.held_under.range(range).map(|(_, held)| *held)
    }

    /// How many incidents wait under those of providers.
    pub fn held_total(&self) -> usize {
        self.index.held_under.len()
    }

    /// A component of a status page of ours.
    pub fn status_component(&self, key: &ComponentKey) -> Option<&Arc<StatusComponent>> {
        self.status_components.get(key)
    }

    /// All components of status pages of ours, also some that have left the rules.
    pub fn status_components(&self) -> impl Iterator<Item = &Arc<StatusComponent>> {
        self.status_components.values()
    }

    /// A post on a status page of ours.
    pub fn status_post(&self, key: &PostKey) -> Option<&Arc<StatusPost>> {
        self.status_posts.get(key)
    }

    /// The posts of a page; `rev()` gives the newest first.
    pub fn status_posts_of(
        &self,
        page: &StatusPageName,
    ) -> impl DoubleEndedIterator<Item = &Arc<StatusPost>> {
        let key = |number| PostKey {
            page: page.clone(),
            number,
        };
        let posts = self.status_posts.range(key(0)..=key(u64::MAX));
        posts.map(|(_, post)| post)
    }

    /// What an alert means for status pages of ours.
    pub fn service_alert(&self, id: AlertId) -> Option<&Arc<ServiceAlert>> {
        self.service_alerts.get(&id)
    }

    /// Firing alerts of services that status pages of ours show.
    pub fn service_alerts(&self) -> impl Iterator<Item = &Arc<ServiceAlert>> {
        self.service_alerts.values()
    }

    /// Those of one service, the worst first.
    pub fn alerts_of_service<'state>(
        &'state self,
        service: &'state Text,
    ) -> impl Iterator<Item = &'state Arc<ServiceAlert>> {
        let first = (service.clone(), Reverse(u8::MAX), AlertId(0));
        let rows = self.index.by_service.range(first..);
        let own = rows.take_while(move |(known, _, _)| known == service);
        own.filter_map(|(_, _, id)| self.service_alerts.get(id))
    }

    /// A policy that an open incident pinned.
    pub fn pinned(&self, key: &PolicyRef) -> Option<&Arc<PolicySnapshot>> {
        self.pinned.get(key)
    }
}
