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
use super::dependent::Dependent;
use super::event::Text;
use super::follow_up::FollowUp;
use super::ids::{
    AlertId, AttemptId, ChannelName, EntryId, IncidentNumber, IntegrationName, OverrideId, PageId,
    ProviderName, ReceiptId, SilenceId, TaskId, UserName,
};
use super::incident::{Incident, PolicyRef};
use super::page::Page;
use super::provider::ProviderState;
use super::recent_events::RecentEvents;
use super::records::{
    Archived, Change, Entry, Group, Person, PolicySnapshot, Receipt, Record, RecordKey, Sender,
    Silence, UnconfirmedJump,
};
use super::ruleset::{ChannelInfo, Policy, RuleSet};
use super::status_component::{ComponentKey, ServiceAlert, StatusComponent};
use super::status_post::{PostKey, StatusPost};
use super::task::{Task, TaskKind};
use super::time::{Duration, Now, Timestamp};
use super::work::{Effort, STEPS_OF_TURN};

mod reading;
mod writing;

/// What became of a record in this step.
enum PendingRecord<V> {
    Put(Arc<V>),
    Drop,
    Archive(Archived),
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
    changed: Changed,
    index: Index,
    /// Alerts as they were in an incident that is over for them.
    archived: Vec<Arc<Alert>>,
    receipts: Vec<Arc<Receipt>>,
    /// What later events of the same request may refer to.
    memory: RecentEvents,
    entries: Vec<Arc<Entry>>,
    pub effort: Effort,
}

/// One overlay for each kind of record, in the order in which their changes are written: how it is
/// read through, and how it is set, changed and dropped.
macro_rules! tables {
    ($($table:ident: $key:ty => $kind:ident($record:ty) = $get:ident, $put:ident
        $(, edit $edit:ident)? $(, drop $drop:ident)? $(, index $index:ident)?,
        |$state:ident, $id:ident| $base:expr;)*) => {
        /// What a step has changed.
        #[derive(Default)]
        struct Changed {
            $($table: Overlay<$key, $record>,)*
        }

        impl Changed {
            fn len(&self) -> usize {
                [$(self.$table.len(),)*].into_iter().sum()
            }

            fn into_changes(self, changes: &mut Vec<Change>) {
                $(collect(changes, self.$table, Record::$kind, RecordKey::$kind);)*
            }
        }

        impl StepTransaction<'_> {
            $(
                pub fn $get(&self, $id: &$key) -> Option<Arc<$record>> {
                    self.effort.look();
                    match self.changed.$table.get($id) {
                        Some(PendingRecord::Put(record)) => Some(record.clone()),
                        Some(PendingRecord::Drop | PendingRecord::Archive(_)) => None,
                        None => {
                            let $state = self.state;
                            $base.cloned()
                        }
                    }
                }

                pub fn $put(&mut self, key: $key, record: $record) {
                    $(self.index.$index(&record);)?
                    self.changed.$table.insert(key, PendingRecord::Put(Arc::new(record)));
                }

                $(
                    /// Changes a record; does nothing if there is none.
                    pub fn $edit<R>(
                        &mut self,
                        key: &$key,
                        edit: impl FnOnce(&mut $record) -> R,
                    ) -> Option<R> {
                        let mut record = self.$get(key)?;
                        // The overlay must not hold a second reference, or every edit would copy.
                        self.changed.$table.remove(key);
                        let result = edit(Arc::make_mut(&mut record));
                        self.changed.$table.insert(key.clone(), PendingRecord::Put(record));
                        Some(result)
                    }
                )?

                $(
                    pub fn $drop(&mut self, key: &$key) {
                        self.changed.$table.insert(key.clone(), PendingRecord::Drop);
                    }
                )?
            )*
        }
    };
}

tables! {
    pinned: PolicyRef => PolicySnapshot(PolicySnapshot) = pinned, put_pinned,
        edit edit_pinned, drop drop_pinned, |state, key| state.pinned(key);
    groups: Text => Group(Group) = group, put_group,
        edit edit_group, drop drop_group, |state, key| state.group(key);
    incidents: IncidentNumber => Incident(Incident) = incident, put_incident,
        edit edit_incident, |state, key| state.incident(*key);
    alerts: AlertId => Alert(Alert) = alert, put_alert,
        drop drop_alert, index new_alert, |state, key| state.alert(*key);
    pages: PageId => Page(Page) = page, put_page,
        edit edit_page, index new_page, |state, key| state.page(*key);
    people: UserName => Person(Person) = person, put_person,
        edit edit_person, |state, key| state.person(key);
    channels: ChannelName => Channel(ChannelState) = channel, put_channel,
        edit edit_channel_state, drop drop_channel, |state, key| state.channel(key);
    senders: Text => Sender(Sender) = sender, put_sender,
        edit edit_sender, |state, key| state.sender(key);
    silences: SilenceId => Silence(Silence) = silence, put_silence,
        edit edit_silence, drop drop_silence, |state, key| state.silence(*key);
    tasks: TaskId => Task(Task) = task, put_task,
        drop drop_task, |state, key| state.tasks().get(*key);
    overrides: OverrideId => Override(Override) = override_, put_override,
        edit edit_override, drop drop_override, |state, key| state.override_by_id(*key);
    providers: ProviderName => Provider(ProviderState) = provider, put_provider,
        drop drop_provider, |state, key| state.provider(key);
    dependents: IncidentNumber => Dependent(Dependent) = dependent, put_dependent,
        edit edit_dependent, drop drop_dependent, |state, key| state.dependent(*key);
    service_alerts: AlertId => ServiceAlert(ServiceAlert) = service_alert, put_service_alert,
        drop drop_service_alert, |state, key| state.service_alert(*key);
    status_components: ComponentKey => StatusComponent(StatusComponent) = status_component,
        put_status_component, drop drop_status_component,
        |state, key| state.status_component(key);
    status_posts: PostKey => StatusPost(StatusPost) = status_post, put_status_post,
        edit edit_status_post, drop drop_status_post, |state, key| state.status_post(key);
}

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
            changed: Changed::default(),
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
        let is_indexed = self.changed.alerts.remove(id).is_some();
        let before = alert.incidents.clone();
        let result = edit(Arc::make_mut(&mut alert));
        // An alert on very many routes changes with each incident that it enters: only that one is
        // new.
        let same = before.iter().zip(&alert.incidents);
        let same = same.take_while(|(one, other)| one == other).count();
        let known = if is_indexed { same } else { 0 };
        self.index.alert(&alert, known);
        self.changed.alerts.insert(*id, PendingRecord::Put(alert));
        Some(result)
    }

    /// How much this step has done.
    pub fn work(&self) -> u64 {
        let added = self.archived.len() + self.receipts.len() + self.entries.len();
        let changes = self.changed.len() + added + self.follow_ups.len();
        self.effort.with_changes(changes)
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
        self.changed.into_changes(&mut changes);
        let archived = self.archived.into_iter().map(Archived::Alert);
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
        PendingRecord::Archive(archived) => Change::Archive(archived),
    }));
}

/// An attempt that leaves once the step is decided.
pub struct Leaving {
    pub page: PageId,
    pub channel: ChannelInfo,
    pub attempt: AttemptId,
    pub deadline: Duration,
}
