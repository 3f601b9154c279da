//! The process under test: all that dies with kill -9. Its cycle and its queue are the product's
//! own; what surrounds them in production with threads and sockets is here a few moments.

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille::channels::CancelToken;
use reveille::engine::State;
use reveille::engine::ids::AttemptId;
use reveille::engine::input::Input;
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::{Duration, Now, Timestamp};
use reveille::runtime::cycle::{Begun, Cycle, first_inputs};
use reveille::runtime::driver::Driver;
use reveille::runtime::monotonic::{MonotonicClock, Reading};
use reveille::runtime::queue::Queue;
use reveille::runtime::room::Room;
use reveille::runtime::turn::{Command, Job};
use reveille::store::Clocks;

use super::history::{Asked, Turn};

/// Below this a self-incident is raised.
pub const DISK_WARN_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this events are refused.
pub const DISK_MIN_BYTES: u64 = 256 * 1024 * 1024;

/// Where a process dies within a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Nothing of the batch reaches the disk.
    BeforeCommit,
    /// All of the batch reaches the disk, and nobody is told.
    DuringCommit,
    BeforeAnswers,
    BeforeSends,
    /// After so many of the sends.
    AmongSends(usize),
}

/// A turn whose commit is under way.
pub struct Committing {
    pub turn: Turn,
    pub death: Option<Death>,
    pub number: u64,
}

/// One life of the process.
pub struct Process {
    pub cycle: Cycle<Asked>,
    pub queue: Queue<Asked>,
    /// Attempts that their channels have, each with the mark that is set when it is withdrawn.
    pub under_way: BTreeMap<AttemptId, CancelToken>,
    pub committing: Option<Committing>,
    /// Which life it is.
    pub life: u64,
    pub turns: u64,
    pub is_disk_low: bool,
}

impl Process {
    /// A start over what was durable. The first input is the recovery.
    pub fn start(
        state: State,
        rules: Arc<RuleSet>,
        clocks: Clocks,
        reading: Reading,
        life: u64,
    ) -> Self {
        let (clock, jump) = MonotonicClock::resume(clocks, reading, life);
        let (driver, room) = (Driver::new(state, rules), Room::new(DISK_MIN_BYTES));
        Self {
            cycle: Cycle::new(driver, clock, room, first_inputs(jump)),
            queue: Queue::default(),
            under_way: BTreeMap::new(),
            committing: None,
            life,
            turns: 0,
            is_disk_low: false,
        }
    }

    pub fn tell(&mut self, input: Input) {
        self.give(Job::Input(input), None);
    }

    pub fn give(&mut self, job: Job, waiter: Option<Asked>) {
        self.queue.command(Command { job, waiter });
    }

    /// Takes what waits and decides on it.
    pub fn turn(&mut self, now: Now, free_bytes: Option<u64>) -> Committing {
        let taken = if self.cycle.is_behind() {
            self.queue.take_commands()
        } else {
            self.queue.take()
        };
        self.turns += 1;
        let taken = (taken.commands, taken.requests);
        // Whoever is refused for want of space asks again.
        let Begun {
            turn,
            left,
            is_shut,
            ..
        } = self.cycle.begin(taken, now, || free_bytes);
        self.is_disk_low |= is_shut;
        self.queue.requeue(left);
        Committing {
            turn,
            death: None,
            number: self.turns,
        }
    }
}

/// Both clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Wall clock less true time.
    pub origin: Timestamp,
    /// True time spent asleep.
    pub slept: Duration,
}

impl Clock {
    pub fn wall(&self, passed: Duration) -> Timestamp {
        self.origin + passed
    }

    /// The monotonic clock does not count sleep.
    pub fn reading(&self, passed: Duration) -> Reading {
        Reading {
            wall: self.wall(passed),
            monotonic: Duration(passed.0.saturating_sub(self.slept.0)),
        }
    }
}
