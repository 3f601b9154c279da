//! The state of one partition: open alerts, incidents, pages and all timers.
//!
//! [`State::apply`] is the only mutator, used live and on load. Indexes are derived here from the
//! records and are never stored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::alert::Alert;
use super::calendar::Override;
use super::channel_state::ChannelState;
use super::counters::Counters;
use super::event::Text;
use super::headline::{self, Place};
use super::ids::{
    AlertId, AttemptId, ChannelName, IncidentNumber, IntegrationName, OverrideId, PageId,
    SilenceId, UserName,
};
use super::incident::{Incident, PolicyRef};
use super::input::TimerKey;
use super::page::Page;
use super::recent_events::RecentEvents;
use super::records::{
    Change, Group, Person, PolicySnapshot, Record, RecordKey, Sender, Silence, UnconfirmedJump,
};
use super::time::{MonotonicTime, Timestamp};
use super::urgency::Urgency;

pub(super) mod lanes;
mod loading;
mod parts;
pub mod tasks;
mod timers;

use lanes::{Lane, Lanes};
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
    /// Accepted ids and resolves of unknown alerts, for an hour.
    pub(super) memory: RecentEvents,
    index: Index,
}

/// What is derived from the records.
#[derive(Clone, Debug, Default)]
struct Index {
    alert_by_key: BTreeMap<IntegrationName, BTreeMap<Text, AlertId>>,
    members: BTreeSet<(IncidentNumber, AlertId)>,
    /// The members again, as messages show them.
    places: BTreeSet<(IncidentNumber, Place, AlertId)>,
    /// And again, by when they began to fire there.
    entered: BTreeSet<(IncidentNumber, MonotonicTime, AlertId)>,
    /// Alerts without an incident.
    alone: BTreeSet<AlertId>,
    pages: BTreeSet<(IncidentNumber, PageId)>,
    attempts: BTreeMap<AttemptId, PageId>,
    /// The most pressing first.
    held: BTreeSet<(UserName, Reverse<Urgency>, IncidentNumber)>,
    closed_groups: BTreeSet<(MonotonicTime, Text)>,
    lanes: Lanes,
    due: BTreeSet<(MonotonicTime, TimerKey)>,
    due_on_wall: BTreeSet<(Timestamp, TimerKey)>,
    /// When records are forgotten, on the wall clock less an unconfirmed jump.
    forgotten: BTreeSet<(Timestamp, TimerKey)>,
}

impl State {
    /// Makes changes that an engine step decided, or that were loaded.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(record) => self.put(record.clone()),
                Change::Drop(key) => self.remove(key),
                Change::Archive(record) => self.remove(&record.key()),
                Change::Receipt(receipt) => self.memory.remember(receipt),
                Change::Entry(_) => {}
            }
        }
    }

    fn put(&mut self, record: Record) {
        self.remove(&record.key());
        match record {
            Record::Alert(alert) => self.put_alert(alert),
            Record::Incident(incident) => self.put_incident(incident),
            Record::Page(page) => self.put_page(page),
            Record::Group(group) => self.put_group(group),
            Record::Person(person) => {
                self.index
                    .start(person.bundle_due, || TimerKey::Person(person.user.clone()));
                self.people.insert(person.user.clone(), person);
            }
            Record::Channel(channel) => {
                self.index.start(channel.next_due(), || {
                    TimerKey::Channel(channel.name.clone())
                });
                self.channels.insert(channel.name.clone(), channel);
            }
            Record::Sender(sender) => {
                self.senders.insert(sender.address.clone(), sender);
            }
            Record::Silence(silence) => {
                let key = || TimerKey::Silence(silence.id);
                let (due, forgotten) = (silence.next_due(), silence.forgotten_at());
                self.index.due_on_wall.extend(due.map(|at| (at, key())));
                self.index.forgotten.extend(forgotten.map(|at| (at, key())));
                self.silences.insert(silence.id, silence);
            }
            Record::Override(override_) => {
                let key = TimerKey::Override(override_.id);
                self.index.forgotten.insert((override_.until, key));
                self.overrides.insert(override_.id, override_);
            }
            Record::PolicySnapshot(pinned) => {
                self.pinned.insert(pinned.key.clone(), pinned);
            }
            Record::Task(task) => self.tasks.put(task),
            Record::Counters(counters) => self.counters = counters,
            Record::Jump(jump) => {
                let due = Some(jump.believed_at());
                self.index.start(due, || TimerKey::Jump);
                self.jump = Some(jump);
            }
        }
    }

    fn put_alert(&mut self, alert: Arc<Alert>) {
        let keys = self
            .index
            .alert_by_key
            .entry(alert.integration.clone())
            .or_default();
        keys.insert(alert.dedup_key.clone(), alert.id);
        let place = headline::place(&alert);
        for incident in &alert.incidents {
            self.index.members.insert((*incident, alert.id));
            self.index.places.insert((*incident, place, alert.id));
            if let Some(at) = alert.entered {
                self.index.entered.insert((*incident, at, alert.id));
            }
        }
        if alert.incidents.is_empty() {
            self.index.alone.insert(alert.id);
        }
        self.index
            .start(alert.next_due(), || TimerKey::Alert(alert.id));
        self.alerts.insert(alert.id, alert);
    }

    fn put_incident(&mut self, incident: Arc<Incident>) {
        for run in incident.runs.iter().filter(|run| !run.held.is_empty()) {
            let held = (run.user.clone(), Reverse(incident.urgency), incident.number);
            self.index.held.insert(held);
        }
        self.index
            .start(incident.next_due(), || TimerKey::Incident(incident.number));
        self.incidents.insert(incident.number, incident);
    }

    fn put_page(&mut self, page: Arc<Page>) {
        for incident in &page.incidents {
            self.index.pages.insert((incident.number, page.id));
        }
        for attempt in &page.attempts {
            self.index.attempts.insert(attempt.id, page.id);
        }
        self.index.lanes.put(&page);
        self.index
            .start(page.next_due(), || TimerKey::Page(page.id));
        self.pages.insert(page.id, page);
    }

    fn remove(&mut self, key: &RecordKey) {
        match key {
            RecordKey::Alert(id) => self.remove_alert(*id),
            RecordKey::Incident(number) => self.remove_incident(*number),
            RecordKey::Page(id) => self.remove_page(*id),
            RecordKey::Group(key) => self.remove_group(key),
            RecordKey::Person(user) => {
                if let Some(person) = self.people.remove(user) {
                    self.index
                        .stop(person.bundle_due, || TimerKey::Person(user.clone()));
                }
            }
            RecordKey::Channel(name) => {
                if let Some(channel) = self.channels.remove(name) {
                    self.index
                        .stop(channel.next_due(), || TimerKey::Channel(name.clone()));
                }
            }
            RecordKey::Sender(address) => {
                self.senders.remove(address);
            }
            RecordKey::Silence(id) => {
                if let Some(silence) = self.silences.remove(id) {
                    let key = || TimerKey::Silence(*id);
                    if let Some(at) = silence.next_due() {
                        self.index.due_on_wall.remove(&(at, key()));
                    }
                    if let Some(at) = silence.forgotten_at() {
                        self.index.forgotten.remove(&(at, key()));
                    }
                }
            }
            RecordKey::Override(id) => {
                if let Some(override_) = self.overrides.remove(id) {
                    let key = TimerKey::Override(*id);
                    self.index.forgotten.remove(&(override_.until, key));
                }
            }
            RecordKey::PolicySnapshot(key) => {
                self.pinned.remove(key);
            }
            RecordKey::Task(id) => self.tasks.remove(*id),
            RecordKey::Counters => {}
            RecordKey::Jump => {
                if let Some(jump) = self.jump.take() {
                    let due = Some(jump.believed_at());
                    self.index.stop(due, || TimerKey::Jump);
                }
            }
        }
    }

    fn put_group(&mut self, group: Arc<Group>) {
        if let (Some(forget), None) = (group.forget, group.open) {
            let closed = (forget, group.key.clone());
            self.index.closed_groups.insert(closed);
        }
        self.index
            .start(group.forget, || TimerKey::Group(group.key.clone()));
        self.groups.insert(group.key.clone(), group);
    }

    fn remove_group(&mut self, key: &Text) {
        let Some(group) = self.groups.remove(key) else {
            return;
        };
        if let Some(forget) = group.forget {
            self.index.closed_groups.remove(&(forget, key.clone()));
        }
        self.index
            .stop(group.forget, || TimerKey::Group(key.clone()));
    }

    fn remove_alert(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.remove(&id) else {
            return;
        };
        if let Some(keys) = self.index.alert_by_key.get_mut(&alert.integration) {
            keys.remove(&alert.dedup_key);
        }
        let place = headline::place(&alert);
        for incident in &alert.incidents {
            self.index.members.remove(&(*incident, id));
            self.index.places.remove(&(*incident, place, id));
            if let Some(at) = alert.entered {
                self.index.entered.remove(&(*incident, at, id));
            }
        }
        self.index.alone.remove(&id);
        self.index.stop(alert.next_due(), || TimerKey::Alert(id));
    }

    fn remove_incident(&mut self, number: IncidentNumber) {
        let Some(incident) = self.incidents.remove(&number) else {
            return;
        };
        for run in &incident.runs {
            let held = (run.user.clone(), Reverse(incident.urgency), number);
            self.index.held.remove(&held);
        }
        self.index
            .stop(incident.next_due(), || TimerKey::Incident(number));
    }

    fn remove_page(&mut self, id: PageId) {
        let Some(page) = self.pages.remove(&id) else {
            return;
        };
        for incident in &page.incidents {
            self.index.pages.remove(&(incident.number, id));
        }
        for attempt in &page.attempts {
            self.index.attempts.remove(&attempt.id);
        }
        self.index.lanes.remove(&page);
        self.index.stop(page.next_due(), || TimerKey::Page(id));
    }
}

impl Index {
    fn start(&mut self, due: Option<MonotonicTime>, key: impl FnOnce() -> TimerKey) {
        if let Some(due) = due {
            self.due.insert((due, key()));
        }
    }

    fn stop(&mut self, due: Option<MonotonicTime>, key: impl FnOnce() -> TimerKey) {
        if let Some(due) = due {
            self.due.remove(&(due, key()));
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

    /// Those with a number below `before`; `rev()` gives the newest first.
    pub fn incidents_before(
        &self,
        before: IncidentNumber,
    ) -> impl DoubleEndedIterator<Item = &Arc<Incident>> {
        self.incidents.range(..before).map(|(_, incident)| incident)
    }

    /// Those from this number on.
    pub(super) fn incidents_after(
        &self,
        first: IncidentNumber,
    ) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.range(first..).map(|(_, incident)| incident)
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

    /// Channels with pages that wait for a place or attempts under way.
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

    /// A policy that an open incident pinned.
    pub fn pinned(&self, key: &PolicyRef) -> Option<&Arc<PolicySnapshot>> {
        self.pinned.get(key)
    }
}
