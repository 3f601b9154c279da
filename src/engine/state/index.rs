//! What is derived from the records: each record's rows are listed once, and go in and out with it.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use super::super::alert::Alert;
use super::super::dependent::Dependent;
use super::super::event::Text;
use super::super::headline::{self, AlertRank};
use super::super::ids::{
    AlertId, AttemptId, IncidentNumber, IntegrationName, PageId, ProviderName, UserName,
};
use super::super::incident::Incident;
use super::super::input::TimerKey;
use super::super::page::Page;
use super::super::provider::UnreadablePage;
use super::super::records::{Group, Record, Silence};
use super::super::time::{MonotonicTime, Timestamp};
use super::super::urgency::Urgency;
use super::lanes::Lanes;

/// What is derived from the records.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub alert_by_key: BTreeMap<IntegrationName, BTreeMap<Text, AlertId>>,
    pub members: BTreeSet<(IncidentNumber, AlertId)>,
    /// The members again, as messages show them.
    pub ranked: BTreeSet<(IncidentNumber, AlertRank, AlertId)>,
    /// And again, by when they began to fire there.
    pub entered: BTreeSet<(IncidentNumber, MonotonicTime, AlertId)>,
    /// Alerts without an incident.
    pub alone: BTreeSet<AlertId>,
    pub pages: BTreeSet<(IncidentNumber, PageId)>,
    pub attempts: BTreeMap<AttemptId, PageId>,
    /// The most pressing first.
    pub held: BTreeSet<(UserName, Reverse<Urgency>, IncidentNumber)>,
    pub dependents: BTreeSet<(ProviderName, IncidentNumber)>,
    /// Under which incident, and which one waits.
    pub held_under: BTreeSet<(IncidentNumber, IncidentNumber)>,
    /// Of what status pages of ours show, the worst first.
    pub by_service: BTreeSet<(Text, Reverse<u8>, AlertId)>,
    pub closed_groups: BTreeSet<(MonotonicTime, Text)>,
    /// Of the keys of these.
    pub closed_groups_bytes: usize,
    pub lanes: Lanes,
    pub due: BTreeSet<(MonotonicTime, TimerKey)>,
    pub due_on_wall: BTreeSet<(Timestamp, TimerKey)>,
    /// When records are forgotten, on the wall clock less an unconfirmed jump.
    pub forgotten: BTreeSet<(Timestamp, TimerKey)>,
}

impl Index {
    /// A record has come, or taken the place of an earlier form of it.
    pub fn replace(&mut self, before: Option<&Record>, after: &Record) {
        match (before, after) {
            (Some(Record::Incident(before)), Record::Incident(after))
                if is_indexed_alike(before, after) => {}
            (Some(Record::Group(before)), Record::Group(after))
                if (before.forget, before.open) == (after.forget, after.open) => {}
            (before, after) => {
                if let Some(before) = before {
                    self.set(before, false);
                }
                self.set(after, true);
            }
        }
    }

    /// Puts the rows of a record in, or takes them out.
    pub fn set(&mut self, record: &Record, is_in: bool) {
        match record {
            Record::Alert(alert) => self.alert(alert, is_in),
            Record::Incident(incident) => self.incident(incident, is_in),
            Record::Page(page) => self.page(page, is_in),
            Record::Group(group) => self.group(group, is_in),
            Record::Person(person) => {
                let key = || TimerKey::Person(person.user.clone());
                set_timer(&mut self.due, person.bundle_due, key, is_in);
            }
            Record::Channel(channel) => {
                let key = || TimerKey::Channel(channel.name.clone());
                set_timer(&mut self.due, channel.next_due(), key, is_in);
            }
            Record::Silence(silence) => self.silence(silence, is_in),
            Record::Override(override_) => {
                let key = || TimerKey::Override(override_.id);
                set_timer(&mut self.forgotten, Some(override_.until), key, is_in);
            }
            Record::Jump(jump) => {
                let due = Some(jump.believed_at());
                set_timer(&mut self.due, due, || TimerKey::Jump, is_in);
            }
            Record::Provider(provider) => {
                let due = provider.unreadable.as_ref().and_then(UnreadablePage::due);
                let key = || TimerKey::Provider(provider.name.clone());
                set_timer(&mut self.due, due, key, is_in);
            }
            Record::Dependent(dependent) => self.dependent(dependent, is_in),
            Record::StatusComponent(component) => {
                let key = || TimerKey::StatusComponent(component.key.clone());
                set_timer(&mut self.due, component.next_due(), key, is_in);
                set_timer(&mut self.due_on_wall, component.by_hand_until(), key, is_in);
            }
            Record::StatusPost(post) => {
                let key = || TimerKey::StatusPost(post.key.clone());
                set_timer(&mut self.due_on_wall, post.next_due(), key, is_in);
            }
            Record::ServiceAlert(alert) => {
                for service in &alert.services {
                    let rank = Reverse(alert.class.rank());
                    set_row(
                        &mut self.by_service,
                        (service.clone(), rank, alert.alert),
                        is_in,
                    );
                }
            }
            Record::Sender(_)
            | Record::PolicySnapshot(_)
            | Record::Task(_)
            | Record::Counters(_) => {}
        }
    }

    fn dependent(&mut self, dependent: &Dependent, is_in: bool) {
        let number = dependent.incident;
        for dependency in &dependent.depends_on {
            let row = (dependency.provider.clone(), number);
            set_row(&mut self.dependents, row, is_in);
        }
        if let Some(held) = &dependent.held {
            set_row(&mut self.held_under, (held.under, number), is_in);
        }
    }

    fn alert(&mut self, alert: &Alert, is_in: bool) {
        let id = alert.id;
        if is_in {
            let keys = self.alert_by_key.entry(alert.integration.clone());
            keys.or_default().insert(alert.dedup_key.clone(), id);
        } else if let Some(keys) = self.alert_by_key.get_mut(&alert.integration) {
            keys.remove(&alert.dedup_key);
        }
        let rank = headline::rank(alert);
        for incident in &alert.incidents {
            set_row(&mut self.members, (*incident, id), is_in);
            set_row(&mut self.ranked, (*incident, rank, id), is_in);
            if let Some(at) = alert.entered {
                set_row(&mut self.entered, (*incident, at, id), is_in);
            }
        }
        if alert.incidents.is_empty() {
            set_row(&mut self.alone, id, is_in);
        }
        set_timer(
            &mut self.due,
            alert.next_due(),
            || TimerKey::Alert(id),
            is_in,
        );
    }

    fn incident(&mut self, incident: &Incident, is_in: bool) {
        let number = incident.number;
        for run in incident.runs.iter().filter(|run| !run.held.is_empty()) {
            let held = (run.user.clone(), Reverse(incident.urgency), number);
            set_row(&mut self.held, held, is_in);
        }
        let key = || TimerKey::Incident(number);
        set_timer(&mut self.due, incident.next_due(), key, is_in);
    }

    fn page(&mut self, page: &Page, is_in: bool) {
        for incident in &page.incidents {
            set_row(&mut self.pages, (incident.number, page.id), is_in);
        }
        for attempt in &page.attempts {
            match is_in {
                true => self.attempts.insert(attempt.id, page.id),
                false => self.attempts.remove(&attempt.id),
            };
        }
        match is_in {
            true => self.lanes.put(page),
            false => self.lanes.remove(page),
        }
        set_timer(
            &mut self.due,
            page.next_due(),
            || TimerKey::Page(page.id),
            is_in,
        );
    }

    fn group(&mut self, group: &Group, is_in: bool) {
        if let (Some(forget), None) = (group.forget, group.open) {
            let row = (forget, group.key.clone());
            let before = self.closed_groups.len();
            set_row(&mut self.closed_groups, row, is_in);
            match self.closed_groups.len().cmp(&before) {
                Ordering::Greater => self.closed_groups_bytes += group.key.len(),
                Ordering::Less => self.closed_groups_bytes -= group.key.len(),
                Ordering::Equal => {}
            }
        }
        let key = || TimerKey::Group(group.key.clone());
        set_timer(&mut self.due, group.forget, key, is_in);
    }

    fn silence(&mut self, silence: &Silence, is_in: bool) {
        let key = || TimerKey::Silence(silence.id);
        set_timer(&mut self.due_on_wall, silence.next_due(), key, is_in);
        set_timer(&mut self.forgotten, silence.forgotten_at(), key, is_in);
    }
}

/// Whether two forms of an incident have the same rows here. Each alert changes its incident, and
/// mostly only the counts.
fn is_indexed_alike(one: &Incident, other: &Incident) -> bool {
    let rows = |incident: &Incident| (incident.next_due(), incident.urgency);
    rows(one) == rows(other) && one.runs == other.runs
}

fn set_row<T: Ord>(rows: &mut BTreeSet<T>, row: T, is_in: bool) {
    if is_in {
        rows.insert(row);
    } else {
        rows.remove(&row);
    }
}

fn set_timer<T: Ord>(
    timers: &mut BTreeSet<(T, TimerKey)>,
    due: Option<T>,
    key: impl FnOnce() -> TimerKey,
    is_in: bool,
) {
    if let Some(due) = due {
        set_row(timers, (due, key()), is_in);
    }
}
