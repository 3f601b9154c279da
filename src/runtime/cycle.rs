//! One cycle of the router: what a turn takes, what is committed, and in which order it is released
//! afterwards. It has no thread, socket, clock or disk, so that the simulator runs the very same.
//!
//! After a commit withdrawn attempts are marked first, then waiters are answered, then sends are
//! handed out. So no attempt that asks starts after its acknowledgment was answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{error, warn};

use crate::engine::decision::{Answer, SendRequest};
use crate::engine::ids::{AttemptId, ChannelName, IntegrationName, TaskId};
use crate::engine::input::Input;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Now};
use crate::runtime::driver::Driver;
use crate::runtime::monotonic::{ClockJump, MonotonicClock, Reading};
use crate::runtime::queue::{Control, Request, RequestsLeft};
use crate::runtime::room::{Room, little_space};
use crate::runtime::turn::{Done, Job, Turn, WentOn};

/// The driver, and what it keeps from one turn to the next. `W` is who waits for an answer.
pub struct Cycle<W> {
    pub driver: Driver,
    clock: MonotonicClock,
    /// The space that events may use; everything else goes on without it.
    room: Room,
    /// What the clock did since the last turn.
    jumps: Vec<Input>,
    /// Controls for which the last turn had no room.
    backlog: Vec<Control<W>>,
    /// Who is answered when a task ends, and the answer so far.
    promises: BTreeMap<TaskId, (W, Answer)>,
}

/// A turn that is to be committed, and what is to be done at once.
pub struct Begun<W> {
    pub turn: Turn,
    /// Who waits for what the turn did, in its order.
    pub waiters: Vec<Option<W>>,
    /// To be put back into the queue.
    pub left: RequestsLeft<W>,
    /// Those for whose events the disk has no room.
    pub refused: Vec<W>,
    /// Not even a small request has room: the intake is to be closed until the next look.
    pub is_shut: bool,
}

/// One thing to do after a commit.
pub enum Release<W> {
    /// Withdraws an attempt if its first byte has not left.
    Cancel(AttemptId),
    /// Other rules are in force: whoever learns of a revision must find its rules.
    Rules(Arc<RuleSet>),
    Answer(W, Done),
    Send(Arc<SendRequest>),
    Probe(ChannelName),
}

impl<W> Cycle<W> {
    /// A cycle that begins with these inputs; see [`first_inputs`].
    pub fn new(driver: Driver, clock: MonotonicClock, room: Room, first: Vec<Input>) -> Self {
        let backlog = first.into_iter().map(without_waiter).collect();
        Self {
            driver,
            clock,
            room,
            jumps: Vec::new(),
            backlog,
            promises: BTreeMap::new(),
        }
    }

    /// The present. What the clock did meanwhile goes before everything else in the next turn: no
    /// timer may act on a jump that the engine has not heard of.
    pub fn now(&mut self, reading: Reading) -> Now {
        let (now, jump) = self.clock.advance(reading);
        self.jumps.extend(jump.map(jump_input));
        now
    }

    /// Whether controls are left of the last turn. They go first, and no events are taken: acts and
    /// outcomes go before events all the same.
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether a turn has anything to do though nothing waits in the queue.
    pub fn is_due(&self, now: Now) -> bool {
        !self.jumps.is_empty() || self.is_behind() || self.driver.is_due(now)
    }

    /// How long until the next turn if nothing comes in.
    pub fn wait(&mut self, reading: Reading) -> Option<Duration> {
        let now = self.now(reading);
        if self.is_due(now) {
            return Some(Duration::ZERO);
        }
        self.driver.wait(now)
    }

    /// Who waits for the backlog, of which nothing is done.
    pub fn take_waiters(&mut self) -> impl Iterator<Item = W> + use<W> {
        let backlog = std::mem::take(&mut self.backlog);
        backlog.into_iter().filter_map(|control| control.waiter)
    }

    /// One turn, up to its commit. The free space of the disk is asked for only if there are
    /// events, and then each time: what fills a disk does so within seconds.
    pub fn begin(
        &mut self,
        (taken, requests): (Vec<Control<W>>, Vec<Request<W>>),
        now: Now,
        free_bytes: impl FnOnce() -> Option<u64>,
    ) -> Begun<W> {
        let jumps = std::mem::take(&mut self.jumps);
        let mut controls: Vec<_> = jumps.into_iter().map(without_waiter).collect();
        controls.append(&mut self.backlog);
        controls.extend(taken);
        let free = if requests.is_empty() {
            None
        } else {
            free_bytes()
        };
        let admission = self.room.admit(requests, free, now.steady);
        if let Some(free) = free.filter(|_| admission.is_told) {
            warn!(
                disk.free_bytes = free,
                "too little space is left on disk; events are refused"
            );
            controls.push(without_waiter(little_space(free)));
        }
        let pairs = controls.into_iter().map(|it| (it.job, it.waiter));
        let (jobs, mut waiters): (Vec<_>, Vec<_>) = pairs.unzip();
        let (events, mut senders): (Vec<_>, Vec<_>) =
            admission.taken.into_iter().map(split).unzip();
        let mut turn = self.driver.turn(jobs, events, now);
        for text in &turn.quarantined {
            error!(input.text = %text, "a decision panicked; its input is set aside");
        }
        let left = std::mem::take(&mut turn.left);
        let left_waiters = waiters.split_off(waiters.len() - left.controls.len());
        let backlog = left.controls.into_iter().zip(left_waiters);
        let backlog = backlog.map(|(job, waiter)| Control { job, waiter });
        self.backlog = backlog.collect();
        let left_senders = senders.split_off(senders.len() - left.events.len());
        let requests = left.events.into_iter().zip(left_senders);
        let left = RequestsLeft {
            requests: requests.map(request_again).collect(),
            last: senders.last().map(|(integration, _)| integration.clone()),
        };
        waiters.extend(senders.into_iter().map(|(_, waiter)| Some(waiter)));
        Begun {
            turn,
            waiters,
            left,
            refused: admission.refused.into_iter().map(|it| it.waiter).collect(),
            is_shut: admission.is_shut,
        }
    }

    /// What follows a commit, in this order.
    pub fn release(&mut self, turn: Turn, waiters: Vec<Option<W>>) -> Vec<Release<W>> {
        let cancels = turn.cancels.into_iter();
        let mut released: Vec<_> = cancels.map(Release::Cancel).collect();
        if turn.done.iter().any(|it| matches!(it, Done::Rules(Ok(_)))) {
            released.push(Release::Rules(self.driver.rules().clone()));
        }
        for (waiter, done) in waiters.into_iter().zip(turn.done) {
            match (waiter, done) {
                (None, _) => {}
                (Some(waiter), Done::Later(answer, task)) => {
                    self.promises.insert(task, (waiter, answer));
                }
                (Some(waiter), done) => released.push(Release::Answer(waiter, done)),
            }
        }
        let went_on = turn.went_on.into_iter();
        released.extend(went_on.filter_map(|went_on| self.keep_promise(went_on)));
        released.extend(turn.sends.into_iter().map(Release::Send));
        released.extend(turn.probes.into_iter().map(Release::Probe));
        released
    }

    /// Keeps what a step of a task said for whoever waits for it, and answers when it is over.
    /// After a restart nobody waits.
    fn keep_promise(&mut self, went_on: WentOn) -> Option<Release<W>> {
        let (waiter, before) = self.promises.remove(&went_on.task)?;
        let Some(answer) = went_on.answer else {
            return Some(Release::Answer(waiter, Done::Quarantined));
        };
        let answer = if let Answer::Receipts(mut receipts) = before {
            receipts.extend_from_slice(answer.receipts());
            Answer::Receipts(receipts)
        } else {
            answer
        };
        if went_on.is_over {
            return Some(Release::Answer(waiter, Done::Answer(answer)));
        }
        self.promises.insert(went_on.task, (waiter, answer));
        None
    }
}

fn without_waiter<W>(input: Input) -> Control<W> {
    Control {
        job: Job::Input(input),
        waiter: None,
    }
}

/// The driver's part of a request, and who waits for it.
fn split<W>(request: Request<W>) -> (Job, (IntegrationName, W)) {
    let sender = (request.integration.clone(), request.waiter);
    let job = Job::Input(Input::Events {
        integration: request.integration,
        events: request.events,
    });
    (job, sender)
}

fn request_again<W>((job, (_, waiter)): (Job, (IntegrationName, W))) -> Request<W> {
    let Job::Input(Input::Events {
        integration,
        events,
    }) = job
    else {
        panic!("of events only requests are left");
    };
    Request {
        integration,
        events,
        waiter,
        is_admitted: true,
    }
}

fn jump_input(jump: ClockJump) -> Input {
    match jump {
        ClockJump::Ahead(lost) => {
            warn!(clock.jump = %lost, "the clock jumped ahead; overdue steps are collapsed");
            Input::Suspended { lost }
        }
        ClockJump::Back(by) => {
            warn!(clock.jump = %by, "the wall clock was set back; running waits are unchanged");
            Input::ClockBack { by }
        }
    }
}

/// What a start begins with: what the wall clock did since the last commit, and the recovery.
pub fn first_inputs(jump: Option<ClockJump>) -> Vec<Input> {
    match jump {
        Some(ClockJump::Ahead(by)) => {
            let what = "the wall clock is far ahead of the last commit; nothing is purged for an \
                hour";
            warn!(clock.jump = %by, "{what}");
            vec![Input::ClockAhead { by }, Input::Start]
        }
        Some(ClockJump::Back(by)) => {
            warn!(
                clock.jump = %by,
                "the wall clock is behind the last commit; running waits are unchanged"
            );
            vec![Input::Start, Input::ClockBack { by }]
        }
        None => vec![Input::Start],
    }
}
