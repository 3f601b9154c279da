//! One cycle of the router: what a turn takes, what is committed, and in which order it is released
//! afterwards. It has no thread, socket, clock or disk, so that the simulator runs the very same.
//!
//! After a commit withdrawn attempts are marked first, then waiters are answered, then sends are
//! handed out. So no attempt that asks starts after its acknowledgment was answered.

use std::sync::Arc;

use tracing::{error, warn};

use crate::engine::decision::SendRequest;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::input::Input;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Now};
use crate::runtime::driver::Driver;
use crate::runtime::monotonic::{ClockJump, MonotonicClock, Reading};
use crate::runtime::room::{Room, little_space};
use crate::runtime::turn::{Command, Reply, Request, RequestsLeft, Turn};

/// The driver, and what it keeps from one turn to the next. `W` is who waits for an answer.
pub struct Cycle<W> {
    pub driver: Driver<W>,
    clock: MonotonicClock,
    /// The space that events may use; everything else goes on without it.
    room: Room,
    /// What the clock did since the last turn.
    jumps: Vec<Input>,
    /// Commands for which the last turn had no room.
    backlog: Vec<Command<W>>,
}

/// A turn that is to be committed, and what is to be done at once.
pub struct Begun<W> {
    pub turn: Turn<W>,
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
    Answer(W, Reply),
    Send(Arc<SendRequest>),
    Probe(ChannelName),
}

impl<W> Cycle<W> {
    /// A cycle that begins with these inputs; see [`first_inputs`].
    pub fn new(driver: Driver<W>, clock: MonotonicClock, room: Room, first: Vec<Input>) -> Self {
        let backlog = first.into_iter().map(Command::without_waiter).collect();
        Self {
            driver,
            clock,
            room,
            jumps: Vec::new(),
            backlog,
        }
    }

    /// The present. What the clock did meanwhile goes before everything else in the next turn: no
    /// timer may act on a jump that the engine has not heard of.
    pub fn now(&mut self, reading: Reading) -> Now {
        let (now, jump) = self.clock.advance(reading);
        self.jumps.extend(jump.map(jump_input));
        now
    }

    /// Whether commands are left of the last turn. They go first, and no events are taken: acts and
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
        backlog.into_iter().filter_map(|command| command.waiter)
    }

    /// One turn, up to its commit. The free space of the disk is asked for only if there are
    /// events, and then each time: what fills a disk does so within seconds.
    pub fn begin(
        &mut self,
        (taken, requests): (Vec<Command<W>>, Vec<Request<W>>),
        now: Now,
        free_bytes: impl FnOnce() -> Option<u64>,
    ) -> Begun<W> {
        let jumps = std::mem::take(&mut self.jumps).into_iter();
        let mut commands: Vec<_> = jumps.map(Command::without_waiter).collect();
        commands.append(&mut self.backlog);
        commands.extend(taken);
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
            commands.push(Command::without_waiter(little_space(free)));
        }
        let mut turn = self.driver.turn(commands, admission.taken, now);
        for text in &turn.quarantined {
            error!(input.text = %text, "a decision panicked; its input is set aside");
        }
        self.backlog = std::mem::take(&mut turn.commands_left);
        let mut left = std::mem::take(&mut turn.requests_left);
        for request in &mut left.requests {
            request.is_admitted = true;
        }
        Begun {
            turn,
            left,
            refused: admission.refused.into_iter().map(|it| it.waiter).collect(),
            is_shut: admission.is_shut,
        }
    }
}

/// What follows the commit of a turn, in this order.
pub fn released<W>(turn: Turn<W>) -> impl Iterator<Item = Release<W>> {
    let cancels = turn.cancels.into_iter().map(Release::Cancel);
    let replies = turn.replies.into_iter();
    let replies = replies.map(|(waiter, reply)| Release::Answer(waiter, reply));
    let sends = turn.sends.into_iter().map(Release::Send);
    let probes = turn.probes.into_iter().map(Release::Probe);
    let rules = turn.rules.into_iter().map(Release::Rules);
    cancels
        .chain(rules)
        .chain(replies)
        .chain(sends)
        .chain(probes)
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
