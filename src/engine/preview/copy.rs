//! A copy of the state in which time goes on for the incidents that are followed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{PAGES_MAX, PreviewPage};
use crate::engine::State;
use crate::engine::decision::{Decision, Effect, SendRequest};
use crate::engine::entry::Entry;
use crate::engine::event::Event;
use crate::engine::ids::{IncidentNumber, IntegrationName, TaskId};
use crate::engine::incident::{Incident, PageCause, Position};
use crate::engine::input::{Input, Pick, Report, TimerKey};
use crate::engine::outcome::Outcome;
use crate::engine::page::{Page, PageKind, PageState, Recipient};
use crate::engine::records::{Change, Receipt, Silence};
use crate::engine::ruleset::RuleSet;
use crate::engine::step;
use crate::engine::task::{Stride, Task, TaskKind, TaskTurn};
use crate::engine::time::{MonotonicTime, Now};

/// Steps that are made on the copy.
pub const STEPS_MAX: usize = 20_000;

/// A copy of the state in which time goes on.
pub struct Copy<'rules> {
    pub state: State,
    pub rules: &'rules RuleSet,
    pub began: Now,
    pub now: Now,
    pub steps: usize,
    /// Tasks from this one on began in the copy.
    first_task: TaskId,
    /// Of the request.
    integration: IntegrationName,
    /// Incidents whose timers are followed.
    pub followed: BTreeSet<IncidentNumber>,
    pub pages: Vec<(IncidentNumber, PreviewPage)>,
    pub entries: BTreeMap<IncidentNumber, Vec<Arc<Entry>>>,
}

impl<'rules> Copy<'rules> {
    pub fn new(
        state: State,
        rules: &'rules RuleSet,
        integration: &IntegrationName,
        now: Now,
    ) -> Self {
        Self {
            first_task: state.counters.task,
            integration: integration.clone(),
            state,
            rules,
            began: now,
            now,
            steps: 0,
            followed: BTreeSet::new(),
            pages: Vec::new(),
            entries: BTreeMap::new(),
        }
    }

    fn step(&mut self, input: Input) -> Decision {
        self.steps += 1;
        let decision = step(&self.state, self.rules, input, self.now);
        self.state.apply(&decision.changes);
        for change in &decision.changes {
            if let Change::Entry(entry) = change {
                let entries = self.entries.entry(entry.incident).or_default();
                entries.push(entry.clone());
            }
        }
        decision
    }

    /// Silences that begin or end until the present of the copy.
    pub fn catch_up_silences(&mut self) {
        let wall = self.now.wall;
        let is_due = |silence: &&Arc<Silence>| silence.next_due().is_some_and(|due| due <= wall);
        let due = self.state.silences().filter(is_due);
        let due: Vec<_> = due.map(|silence| silence.id).collect();
        for id in due {
            self.step(Input::Due(TimerKey::Silence(id)));
            self.finish_tasks(None);
        }
    }

    pub fn take_in(&mut self, events: &[Event]) -> Vec<Arc<Receipt>> {
        let input = Input::Events {
            integration: self.integration.clone(),
            events: events.to_vec(),
        };
        let decision = self.step(input);
        let mut receipts = decision.answer.receipts().to_vec();
        receipts.extend(self.finish_tasks(decision.later));
        receipts
    }

    /// Goes on with what steps left; the answer is the receipts of this request.
    fn finish_tasks(&mut self, request: Option<TaskId>) -> Vec<Arc<Receipt>> {
        let mut all = Vec::new();
        while self.steps < STEPS_MAX {
            let mut tasks = self.state.tasks().all();
            let Some(task) = tasks.find(|task| self.is_concerned(task, request)).cloned() else {
                break;
            };
            let is_asked = match &task.kind {
                TaskKind::Events(part) => request == Some(part.request),
                _ => false,
            };
            drop(tasks);
            let task = task.id;
            let stride = Stride::Full;
            let decision = self.step(Input::GoOn { task, stride });
            if is_asked {
                all.extend_from_slice(decision.answer.receipts());
            }
        }
        all
    }

    /// Whether a task began in the copy, or its events come before those of the request. What else
    /// was begun before goes on by itself.
    fn is_concerned(&self, task: &Task, request: Option<TaskId>) -> bool {
        task.id >= self.first_task
            || request.is_some() && task.turn() == TaskTurn::Integration(self.integration.clone())
    }

    /// Lets time go on until nothing of the followed incidents is to come.
    pub fn run(&mut self) {
        loop {
            self.deliver();
            let is_enough = self.pages.len() >= PAGES_MAX || self.steps >= STEPS_MAX;
            let Some((at, key)) = self.next_due().filter(|_| !is_enough) else {
                return;
            };
            let passed = at.since(self.now.steady);
            self.now = Now {
                wall: self.now.wall + passed,
                steady: self.now.steady + passed,
                ..self.now
            };
            self.catch_up_silences();
            self.step(Input::Due(key));
            self.finish_tasks(None);
        }
    }

    /// Every page of the followed incidents that waits has its slot, leaves and arrives.
    fn deliver(&mut self) {
        while self.steps < STEPS_MAX
            && let Some(pick) = self.next_pick()
        {
            let decision = self.step(Input::SlotFree(pick));
            for effect in decision.effects {
                match effect {
                    Effect::Send(request) => self.arrives(&request),
                    Effect::Cancel(_) | Effect::Probe(_) => {}
                }
            }
        }
    }

    fn next_pick(&self) -> Option<Pick> {
        let mut pages = self.followed_pages();
        pages.find_map(|page| {
            let queued = page.queued.first()?;
            Some(Pick {
                page: page.id,
                channel: queued.channel.clone(),
            })
        })
    }

    fn followed_pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        let pages = |number: &IncidentNumber| self.state.pages_of(*number);
        self.followed.iter().flat_map(pages)
    }

    fn arrives(&mut self, request: &SendRequest) {
        let page = self.state.page(request.page).cloned();
        let page = page.expect("a page with an attempt under way is kept");
        match page.kind {
            PageKind::Page | PageKind::Bundle => self.record(&page, request),
            PageKind::Copy | PageKind::Update { .. } => {}
        }
        self.step(Input::Outcome(Report {
            attempt: request.attempt,
            outcome: Outcome::Delivered,
            latency_ms: 0,
            provider_message: None,
            reference: None,
            was_started: true,
        }));
    }

    fn record(&mut self, page: &Page, request: &SendRequest) {
        let (user, contact) = match &page.recipient {
            Recipient::User { user, contact } => (Some(user.clone()), Some(contact.clone())),
            Recipient::Channel { .. } => (None, None),
        };
        for shown in &page.incidents {
            if !self.followed.contains(&shown.number) {
                continue;
            }
            // A bundled page is about each of its incidents for a reason of its own.
            let incident = self.state.incident(shown.number);
            let run = incident.and_then(|incident| {
                let mut runs = incident.runs.iter();
                runs.find(|run| Some(&run.user) == user.as_ref())
            });
            let why = run.map_or(&page.why, |run| &run.why);
            let planned = PreviewPage {
                user: user.clone(),
                contact: contact.clone(),
                channel: request.channel.clone(),
                address: request.address.clone(),
                after: self.now.steady.since(self.began.steady),
                step: step_of(why),
                is_fallback: why.position == Position::Fallback,
                round: why.round + 1,
            };
            self.pages.push((shown.number, planned));
        }
    }

    /// The next timer of the followed incidents, of their pages or of the people they page.
    fn next_due(&self) -> Option<(MonotonicTime, TimerKey)> {
        let followed = self
            .followed
            .iter()
            .filter_map(|number| self.state.incident(*number));
        let incidents = followed.clone().filter_map(|incident| {
            let due = self.due_of(incident)?;
            Some((due, TimerKey::Incident(incident.number)))
        });
        let is_under_way = |page: &&Arc<Page>| page.state == PageState::Sending;
        let pages = self.followed_pages().filter(is_under_way);
        let pages = pages.filter_map(|page| Some((page.next_due()?, TimerKey::Page(page.id))));
        let runs = followed.clone().flat_map(|incident| &incident.runs);
        let held = runs.filter(|run| !run.held.is_empty());
        let bundles = held.filter_map(|run| {
            let due = self.state.person(&run.user)?.bundle_due?;
            Some((due, TimerKey::Person(run.user.clone())))
        });
        // A silence that holds one of them ends.
        let is_held = followed.clone().any(|incident| incident.is_silenced);
        let silences = self
            .state
            .silences()
            .filter(|silence| is_held && silence.is_active);
        let silences = silences.map(|silence| {
            let at = self.now.steady + silence.until.since(self.now.wall);
            (at, TimerKey::Silence(silence.id))
        });
        let all = incidents.chain(pages).chain(bundles).chain(silences);
        all.min_by_key(|(at, _)| *at)
    }

    /// When the next thing happens to an incident. Once the fallback was paged, only the notify
    /// steps of whoever it names are still of interest, until it is paged again.
    fn due_of(&self, incident: &Incident) -> Option<MonotonicTime> {
        let escalation = &incident.escalation;
        let was_fallback_paged =
            escalation.position == Position::Fallback && escalation.started >= self.began.steady;
        if !incident.is_open() {
            return None;
        }
        if !was_fallback_paged {
            return incident.next_due();
        }
        let runs = incident.runs.iter().filter_map(|run| run.due);
        runs.min()
            .filter(|due| escalation.due.is_none_or(|again| *due < again))
    }
}

fn step_of(why: &PageCause) -> Option<u32> {
    match why.position {
        Position::Step(index) => u32::try_from(index + 1).ok(),
        Position::Before | Position::Fallback | Position::Reassigned => None,
    }
}
