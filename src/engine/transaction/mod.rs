//! A decision in the making: the state as it is, with what this step has changed laid over it.
//!
//! Steps read through a transaction and write to it; nothing but [`StepTransaction::finish`] leaves
//! it. So the stages of one decision see each other's changes while the state itself stays
//! untouched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::State;
use super::alert::Alert;
use super::calendar::Override;
use super::channel_state::ChannelState;
use super::counters::Counters;
use super::decision::{Answer, Decision, Effect, SendRequest};
use super::event::Text;
use super::follow_up::FollowUp;
use super::ids::{
    AlertId, AttemptId, ChannelName, EntryId, IncidentNumber, IntegrationName, OverrideId, PageId,
    ReceiptId, SilenceId, TaskId, UserName,
};
use super::incident::{Incident, PolicyRef};
use super::page::Page;
use super::recent_events::RecentEvents;
use super::records::{
    Change, Entry, Group, Person, PolicySnapshot, Receipt, Record, RecordKey, Sender, Silence,
    UnconfirmedJump,
};
use super::ruleset::{ChannelInfo, Policy, RuleSet};
use super::task::{Task, TaskKind};
use super::time::{Duration, Now, Timestamp};
use super::work::{Effort, STEPS_OF_TURN};

mod reading;
mod writing;

/// What became of a record in this step.
enum PendingRecord<V> {
    Put(Arc<V>),
    Drop,
    Archive(Arc<V>),
}

type Overlay<K, V> = BTreeMap<K, PendingRecord<V>>;

/// Where the overlay's alerts and pages belong, so that each look-up costs what it finds and not
/// what the step has touched. An alert stands here for every incident that it was in during the
/// step; a page keeps its incidents for life.
#[derive(Default)]
struct Index {
    alert_by_key: BTreeMap<IntegrationName, BTreeMap<Text, AlertId>>,
    members: BTreeSet<(IncidentNumber, AlertId)>,
    pages: BTreeSet<(IncidentNumber, PageId)>,
}

impl Index {
    /// Of its incidents the first `known` are here already.
    fn alert(&mut self, alert: &Alert, known: usize) {
        for number in &alert.incidents[known..] {
            self.members.insert((*number, alert.id));
        }
    }

    fn new_alert(&mut self, alert: &Alert) {
        let keys = self.alert_by_key.entry(alert.integration.clone());
        let keys = keys.or_default();
        keys.insert(alert.dedup_key.clone(), alert.id);
        self.alert(alert, 0);
    }

    fn new_page(&mut self, page: &Page) {
        for incident in &page.incidents {
            self.pages.insert((incident.number, page.id));
        }
    }
}

/// The state with the changes of one step over it.
pub struct StepTransaction<'step> {
    pub state: &'step State,
    pub rules: &'step RuleSet,
    pub now: Now,
    pub effects: Vec<Effect>,
    /// Attempts that leave; what they say is made when everything of the step is decided.
    pub leaving: Vec<Leaving>,
    /// What is still to be handed to a higher floor.
    pub follow_ups: VecDeque<FollowUp>,
    pub answer: Answer,
    /// The task that completes the answer.
    pub later: Option<TaskId>,
    /// When the events at hand were accepted, if they had to wait.
    pub accepted: Option<Timestamp>,
    pub counters: Counters,
    pub jump: Option<UnconfirmedJump>,
    alerts: Overlay<AlertId, Alert>,
    incidents: Overlay<IncidentNumber, Incident>,
    pages: Overlay<PageId, Page>,
    groups: Overlay<Text, Group>,
    people: Overlay<UserName, Person>,
    channels: Overlay<ChannelName, ChannelState>,
    senders: Overlay<Text, Sender>,
    silences: Overlay<SilenceId, Silence>,
    overrides: Overlay<OverrideId, Override>,
    pinned: Overlay<PolicyRef, PolicySnapshot>,
    tasks: Overlay<TaskId, Task>,
    index: Index,
    /// Alerts as they were in an incident that is over for them.
    archived: Vec<Arc<Alert>>,
    receipts: Vec<Arc<Receipt>>,
    /// What later events of the same request may refer to.
    memory: RecentEvents,
    entries: Vec<Arc<Entry>>,
    pub effort: Effort,
}

/// Reading a record through the overlay, and setting it there.
macro_rules! read_and_put {
    ($get:ident, $put:ident, $table:ident: $key_type:ty => $record:ty,
     |$state:ident, $key:ident| $base:expr $(, index $index:ident)?) => {
        impl StepTransaction<'_> {
            pub fn $get(&self, $key: &$key_type) -> Option<Arc<$record>> {
                self.effort.look();
                match self.$table.get($key) {
                    Some(PendingRecord::Put(record)) => Some(record.clone()),
                    Some(PendingRecord::Drop | PendingRecord::Archive(_)) => None,
                    None => {
                        let $state = self.state;
                        $base.cloned()
                    }
                }
            }

            pub fn $put(&mut self, key: $key_type, record: $record) {
                $(self.index.$index(&record);)?
                self.$table.insert(key, PendingRecord::Put(Arc::new(record)));
            }
        }
    };
}

/// Changing a record in the overlay.
macro_rules! edit {
    ($get:ident, $edit:ident, $table:ident: $key_type:ty => $record:ty) => {
        impl StepTransaction<'_> {
            /// Changes a record; does nothing if there is none.
            pub fn $edit<R>(
                &mut self,
                key: &$key_type,
                edit: impl FnOnce(&mut $record) -> R,
            ) -> Option<R> {
                let mut record = self.$get(key)?;
                // The overlay must not hold a second reference, or every edit would copy.
                self.$table.remove(key);
                let result = edit(Arc::make_mut(&mut record));
                self.$table.insert(key.clone(), PendingRecord::Put(record));
                Some(result)
            }
        }
    };
}

/// Dropping a record.
macro_rules! remove {
    ($remove:ident, $table:ident: $key_type:ty) => {
        impl StepTransaction<'_> {
            pub fn $remove(&mut self, key: &$key_type) {
                self.$table.insert(key.clone(), PendingRecord::Drop);
            }
        }
    };
}

read_and_put!(alert, put_alert, alerts: AlertId => Alert,
    |state, key| state.alert(*key), index new_alert);
read_and_put!(incident, put_incident, incidents: IncidentNumber => Incident,
    |state, key| state.incident(*key));
read_and_put!(page, put_page, pages: PageId => Page,
    |state, key| state.page(*key), index new_page);
read_and_put!(group, put_group, groups: Text => Group,
    |state, key| state.group(key));
read_and_put!(person, put_person, people: UserName => Person,
    |state, key| state.person(key));
read_and_put!(channel, put_channel, channels: ChannelName => ChannelState,
    |state, key| state.channel(key));
read_and_put!(sender, put_sender, senders: Text => Sender,
    |state, key| state.sender(key));
read_and_put!(silence, put_silence, silences: SilenceId => Silence,
    |state, key| state.silence(*key));
read_and_put!(override_, put_override, overrides: OverrideId => Override,
    |state, key| state.override_by_id(*key));
read_and_put!(pinned, put_pinned, pinned: PolicyRef => PolicySnapshot,
    |state, key| state.pinned(key));
read_and_put!(task, put_task, tasks: TaskId => Task,
    |state, key| state.tasks().get(*key));
edit!(incident, edit_incident, incidents: IncidentNumber => Incident);
edit!(page, edit_page, pages: PageId => Page);
edit!(group, edit_group, groups: Text => Group);
edit!(person, edit_person, people: UserName => Person);
edit!(channel, edit_channel_state, channels: ChannelName => ChannelState);
edit!(sender, edit_sender, senders: Text => Sender);
edit!(silence, edit_silence, silences: SilenceId => Silence);
edit!(override_, edit_override, overrides: OverrideId => Override);
edit!(pinned, edit_pinned, pinned: PolicyRef => PolicySnapshot);
remove!(drop_alert, alerts: AlertId);
remove!(drop_group, groups: Text);
remove!(drop_channel, channels: ChannelName);
remove!(drop_silence, silences: SilenceId);
remove!(drop_override, overrides: OverrideId);
remove!(drop_pinned, pinned: PolicyRef);
remove!(drop_task, tasks: TaskId);

/// Gives out the next id of a kind.
macro_rules! next_id {
    ($name:ident, $counter:ident, $id:ident) => {
        pub fn $name(&mut self) -> $id {
            let id = self.counters.$counter;
            self.counters.$counter = $id(id.0 + 1);
            id
        }
    };
}

impl<'step> StepTransaction<'step> {
    /// A transaction with no changes yet.
    pub fn new(state: &'step State, rules: &'step RuleSet, now: Now) -> Self {
        Self {
            state,
            rules,
            now,
            effects: Vec::new(),
            leaving: Vec::new(),
            follow_ups: VecDeque::new(),
            answer: Answer::None,
            later: None,
            accepted: None,
            counters: state.counters,
            jump: state.jump(),
            alerts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            pages: BTreeMap::new(),
            groups: BTreeMap::new(),
            people: BTreeMap::new(),
            channels: BTreeMap::new(),
            senders: BTreeMap::new(),
            silences: BTreeMap::new(),
            overrides: BTreeMap::new(),
            pinned: BTreeMap::new(),
            tasks: BTreeMap::new(),
            index: Index::default(),
            archived: Vec::new(),
            receipts: Vec::new(),
            memory: RecentEvents::default(),
            entries: Vec::new(),
            effort: Effort::default(),
        }
    }

    next_id!(next_incident, incident, IncidentNumber);
    next_id!(next_alert, alert, AlertId);
    next_id!(next_page, page, PageId);
    next_id!(next_attempt, attempt, AttemptId);
    next_id!(next_receipt, receipt, ReceiptId);
    next_id!(next_silence, silence, SilenceId);
    next_id!(next_override, override_, OverrideId);
    next_id!(next_entry, entry, EntryId);
    next_id!(next_task, task, TaskId);

    /// Asks a higher floor for what follows.
    pub fn follow_up(&mut self, follow_up: FollowUp) {
        self.follow_ups.push_back(follow_up);
    }

    /// Begins something, in this step if it has room for it.
    pub fn begin(&mut self, task: TaskKind) {
        let is_asked = false;
        self.follow_up(FollowUp::Begin { task, is_asked });
    }

    /// Leaves something to later steps.
    pub fn keep(&mut self, kind: TaskKind) -> TaskId {
        let id = self.next_task();
        self.put_task(id, Task { id, kind });
        id
    }

    /// The number that the next incident will have.
    pub fn next_number(&self) -> IncidentNumber {
        self.counters.incident
    }

    /// The id that the next page will have.
    pub fn next_page_id(&self) -> PageId {
        self.counters.page
    }

    /// Changes an alert; does nothing if there is none.
    pub fn edit_alert<R>(&mut self, id: &AlertId, edit: impl FnOnce(&mut Alert) -> R) -> Option<R> {
        let mut alert = self.alert(id)?;
        let is_indexed = self.alerts.remove(id).is_some();
        let before = alert.incidents.clone();
        let result = edit(Arc::make_mut(&mut alert));
        // An alert on very many routes changes with each incident that it enters: only that one is
        // new.
        let same = before.iter().zip(&alert.incidents);
        let same = same.take_while(|(one, other)| one == other).count();
        let known = if is_indexed { same } else { 0 };
        self.index.alert(&alert, known);
        self.alerts.insert(*id, PendingRecord::Put(alert));
        Some(result)
    }

    /// How much this step has done.
    pub fn work(&self) -> u64 {
        let changes = [
            self.alerts.len(),
            self.incidents.len(),
            self.pages.len(),
            self.groups.len(),
            self.people.len(),
            self.channels.len(),
            self.senders.len(),
            self.silences.len(),
            self.overrides.len(),
            self.pinned.len(),
            self.tasks.len(),
            self.archived.len(),
            self.receipts.len(),
            self.entries.len(),
            self.follow_ups.len(),
        ];
        self.effort.with_changes(changes.into_iter().sum())
    }

    /// Whether this step has done enough for a whole turn.
    pub fn is_turn_spent(&self) -> bool {
        self.work() >= self.rules.settings.step_work_max * STEPS_OF_TURN
    }

    /// Whether this step has done enough: what can be divided goes on in a later one.
    pub fn is_spent(&self) -> bool {
        self.work() >= self.rules.settings.step_work_max
    }

    /// The wall time up to which anything may be forgotten.
    pub fn past(&self) -> Timestamp {
        let ahead = self.jump.map_or(Duration::ZERO, |jump| jump.by);
        self.now.wall.minus(ahead)
    }

    /// The policy that an incident pinned.
    pub fn policy_of(&self, incident: &Incident) -> Option<Arc<Policy>> {
        let key = incident.policy.as_ref()?;
        Some(self.pinned(key)?.policy.clone())
    }

    /// The decision, with what leaves: all changes in a fixed order.
    pub fn finish(mut self, requests: Vec<Arc<SendRequest>>) -> Decision {
        self.effects.extend(requests.into_iter().map(Effect::Send));
        let work = self.work();
        let mut changes = Vec::new();
        if self.counters != self.state.counters {
            changes.push(Change::Put(Record::Counters(self.counters)));
        }
        if self.jump != self.state.jump() {
            changes.push(match self.jump {
                Some(jump) => Change::Put(Record::Jump(jump)),
                None => Change::Drop(RecordKey::Jump),
            });
        }
        collect(
            &mut changes,
            self.pinned,
            Record::PolicySnapshot,
            RecordKey::PolicySnapshot,
        );
        collect(&mut changes, self.groups, Record::Group, RecordKey::Group);
        collect(
            &mut changes,
            self.incidents,
            Record::Incident,
            RecordKey::Incident,
        );
        collect(&mut changes, self.alerts, Record::Alert, RecordKey::Alert);
        collect(&mut changes, self.pages, Record::Page, RecordKey::Page);
        collect(&mut changes, self.people, Record::Person, RecordKey::Person);
        collect(
            &mut changes,
            self.channels,
            Record::Channel,
            RecordKey::Channel,
        );
        collect(
            &mut changes,
            self.senders,
            Record::Sender,
            RecordKey::Sender,
        );
        collect(
            &mut changes,
            self.silences,
            Record::Silence,
            RecordKey::Silence,
        );
        collect(&mut changes, self.tasks, Record::Task, RecordKey::Task);
        collect(
            &mut changes,
            self.overrides,
            Record::Override,
            RecordKey::Override,
        );
        let archived = self.archived.into_iter().map(Record::Alert);
        changes.extend(archived.map(Change::Archive));
        changes.extend(self.receipts.into_iter().map(Change::Receipt));
        changes.extend(self.entries.into_iter().map(Change::Entry));
        Decision {
            changes,
            effects: self.effects,
            answer: self.answer,
            later: self.later,
            work,
        }
    }
}

fn collect<K, V>(
    changes: &mut Vec<Change>,
    overlay: Overlay<K, V>,
    record: impl Fn(Arc<V>) -> Record,
    key: impl Fn(K) -> RecordKey,
) {
    changes.extend(overlay.into_iter().map(|(id, slot)| match slot {
        PendingRecord::Put(value) => Change::Put(record(value)),
        PendingRecord::Drop => Change::Drop(key(id)),
        PendingRecord::Archive(value) => Change::Archive(record(value)),
    }));
}

/// An attempt that leaves once the step is decided.
pub struct Leaving {
    pub page: PageId,
    pub channel: ChannelInfo,
    pub attempt: AttemptId,
    pub deadline: Duration,
}
