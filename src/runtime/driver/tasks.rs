//! Requests, and what is left of them and of other inputs to later steps.

use std::collections::VecDeque;

use super::{AnswerSoFar, Driver, Keeping, seeded};
use crate::engine::decision::Answer;
use crate::engine::event::Event;
use crate::engine::ids::{IntegrationName, TaskId};
use crate::engine::input::Input;
use crate::engine::task::{Stride, TaskKind, TaskTurn};
use crate::engine::time::Now;
use crate::runtime::describe::describe_task;
use crate::runtime::turn::{Done, Request, Turn, Unavailable};

/// A request with more events is kept first, over as many turns as it takes.
const EVENTS_AT_ONCE_MAX: usize = 1_024;
/// So many of its events are kept at a time.
const KEPT_AT_ONCE_MAX: usize = 512;

impl<W> Driver<W> {
    /// Takes a request.
    pub(super) fn request(&mut self, turn: &mut Turn<W>, request: Request<W>, now: Now) {
        turn.requests_left.last = Some(request.integration.clone());
        let said = self.decide_or_keep(turn, request.integration, request.events, now);
        self.say(turn, Some(request.waiter), said);
    }

    /// Where the events of a request panic together each is decided on by itself, later.
    fn decide_or_keep(
        &mut self,
        turn: &mut Turn<W>,
        integration: IntegrationName,
        events: Vec<Event>,
        now: Now,
    ) -> Option<AnswerSoFar> {
        if events.len() <= EVENTS_AT_ONCE_MAX {
            let said = self.events(turn, &integration, events.clone(), now);
            if said.is_some() {
                return said;
            }
        }
        let mut events: VecDeque<Event> = events.into();
        let request = self.keep_some(turn, &integration, &mut events, None, now)?;
        if !events.is_empty() {
            self.keeping.push_back(Keeping {
                integration,
                events,
                request,
            });
        }
        Some(AnswerSoFar {
            answer: Answer::Receipts(Vec::new()),
            task: Some(request),
        })
    }

    /// The events of one request, if they do not panic together.
    fn events(
        &mut self,
        turn: &mut Turn<W>,
        integration: &IntegrationName,
        events: Vec<Event>,
        now: Now,
    ) -> Option<AnswerSoFar> {
        let all = Input::Events {
            integration: integration.clone(),
            events,
        };
        let now = seeded(turn, now);
        let decision = self.caught(&self.state, all, now)?;
        Some(self.take(turn, decision))
    }

    /// Keeps the first events to be decided on later; the answer is their request.
    fn keep_some(
        &mut self,
        turn: &mut Turn<W>,
        integration: &IntegrationName,
        events: &mut VecDeque<Event>,
        request: Option<TaskId>,
        now: Now,
    ) -> Option<TaskId> {
        let first = events.len().min(KEPT_AT_ONCE_MAX);
        let input = Input::Keep {
            integration: integration.clone(),
            is_whole: first == events.len(),
            events: events.drain(..first).collect(),
            request,
        };
        let said = self.decide(turn, &input, now)?;
        Some(said.task.expect("events that are kept are answered later"))
    }

    /// Keeps more of the large request whose turn it is.
    fn go_on_keeping(&mut self, turn: &mut Turn<W>, now: Now) {
        let Some(mut keeping) = self.keeping.pop_front() else {
            return;
        };
        let request = Some(keeping.request);
        let (integration, events) = (&keeping.integration, &mut keeping.events);
        if self
            .keep_some(turn, integration, events, request, now)
            .is_none()
        {
            // What is kept of it is dropped by the next start, and holds up nothing until then.
            let tasks = self.state.tasks();
            let kept = tasks.parts_of(&keeping.integration, keeping.request);
            self.broken_tasks.extend(kept);
            self.went_on(turn, keeping.request, None, true);
        } else if !keeping.events.is_empty() {
            self.keeping.push_back(keeping);
        }
    }

    /// Goes on with tasks before which nothing else of some kind is done, as long as the turn has
    /// room. Whether none is left.
    pub(super) fn finish_first(&mut self, turn: &mut Turn<W>, kind: &TaskTurn, now: Now) -> bool {
        let mut is_first = true;
        while let Some(task) = self.state.tasks().first_of(kind, &self.broken_tasks) {
            if !is_first && turn.is_full() {
                return false;
            }
            is_first = false;
            self.go_on(turn, task, now);
        }
        true
    }

    /// Goes on with what was begun, in turns, until the turn has enough.
    pub(super) fn tasks(&mut self, turn: &mut Turn<W>, now: Now) {
        if self.is_turn_of_others(turn) {
            self.turns_of_others += 1;
            return;
        }
        let mut is_first = true;
        while is_first || !turn.is_full() {
            let last = self.task_turn.as_ref();
            let next = self.state.tasks().next_after(last, &self.broken_tasks);
            if next.is_none() && self.keeping.is_empty() {
                return;
            }
            is_first = false;
            self.turns_of_others = 0;
            self.go_on_keeping(turn, now);
            if let Some((next, task)) = next {
                self.task_turn = Some(next);
                self.go_on(turn, task, now);
            }
        }
    }

    /// Whether the turn ends without going on with tasks, so that whoever came while the turn
    /// before did waits for that one only. Two turns in a row may.
    fn is_turn_of_others(&self, turn: &Turn<W>) -> bool {
        let has_gone_on = self.turns_of_others == 0;
        turn.inputs() > 0 && self.turns_of_others < 2 && (has_gone_on || turn.is_full())
    }

    /// One step of a task. Where events panic together the first is decided on by itself, and kept
    /// in its receipt if it does so alone.
    fn go_on(&mut self, turn: &mut Turn<W>, id: TaskId, now: Now) {
        let task = self
            .state
            .tasks()
            .get(id)
            .expect("a task that has its turn")
            .clone();
        let strides: &[Stride] = match task.kind {
            TaskKind::Events(_) => &[Stride::Full, Stride::One, Stride::SetAside],
            _ => &[Stride::Full],
        };
        let mut answer = None;
        for stride in strides {
            let step = Input::GoOn {
                task: id,
                stride: *stride,
            };
            let now = seeded(turn, now);
            if let Some(decision) = self.caught(&self.state, step, now) {
                answer = Some(decision);
                break;
            }
            let is_told = strides.len() == 1 || *stride == Stride::One;
            if is_told {
                self.report_panic(turn, &describe_task(&task), now);
            }
        }
        let answer = answer.map(|decision| {
            let said = self.take(turn, decision);
            assert!(said.task.is_none(), "a task leaves nothing to another");
            said.answer
        });
        if answer.is_none() {
            self.broken_tasks.insert(id);
        }
        let is_left = self.state.tasks().get(id).is_some();
        let (first, is_last) = match &task.kind {
            TaskKind::Events(part) => (part.request, part.is_last),
            _ => (id, true),
        };
        self.went_on(turn, first, answer, is_last && !is_left);
    }

    /// Keeps what a step of a task said for whoever waits for it, and tells it when all is over, or
    /// when the decision panicked. `task` is the first one of its request. After a restart nobody
    /// waits.
    fn went_on(&mut self, turn: &mut Turn<W>, task: TaskId, answer: Option<Answer>, is_over: bool) {
        turn.task_steps += 1;
        let Some((waiter, before)) = self.promises.remove(&task) else {
            return;
        };
        let Some(answer) = answer else {
            return turn.reply(waiter, Err(Unavailable::Quarantined));
        };
        let answer = if let Answer::Receipts(mut receipts) = before {
            receipts.extend_from_slice(answer.receipts());
            Answer::Receipts(receipts)
        } else {
            answer
        };
        if is_over {
            turn.reply(waiter, Ok(Done::Answer(answer)));
        } else {
            self.promises.insert(task, (waiter, answer));
        }
    }
}
