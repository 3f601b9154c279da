//! The process under test: all that dies with kill -9. The driver, the steady line and the lanes
//! are the product's own; what surrounds them in production with threads and sockets is here a
//! queue and a few moments.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reveille::channels::CancelToken;
use reveille::engine::State;
use reveille::engine::ids::{AttemptId, TaskId};
use reveille::engine::input::Input;
use reveille::engine::records::Receipt;
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::{Duration, Now, Timestamp};
use reveille::runtime::cycle::first_inputs;
use reveille::runtime::driver::Driver;
use reveille::runtime::monotonic::{ClockJump, MonotonicClock, Reading};
use reveille::runtime::turn::{Job, Turn};
use reveille::store::Clocks;

use super::history::Asked;

/// Inputs of one turn, as the queue of production hands them out.
const BATCH_MAX: usize = 256;

/// Something to do, and who asked for it.
pub struct Work {
    pub job: Job,
    pub asked: Option<Asked>,
}

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
    pub asked: Vec<Option<Asked>>,
    pub death: Option<Death>,
    pub number: u64,
}

/// One life of the process.
pub struct Process {
    pub driver: Driver,
    line: MonotonicClock,
    /// Attempts that their channels have, each with the mark that is set when it is withdrawn.
    pub under_way: BTreeMap<AttemptId, CancelToken>,
    controls: VecDeque<Work>,
    requests: VecDeque<Work>,
    pub committing: Option<Committing>,
    /// Who waits for the end of a task, and the receipts so far.
    pub promised: BTreeMap<TaskId, (Option<Asked>, Vec<Arc<Receipt>>)>,
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
        let (line, jump) = MonotonicClock::resume(clocks, reading, life);
        let mut process = Self {
            under_way: BTreeMap::new(),
            driver: Driver::new(state, rules),
            line,
            controls: VecDeque::new(),
            requests: VecDeque::new(),
            committing: None,
            promised: BTreeMap::new(),
            life,
            turns: 0,
            is_disk_low: false,
        };
        for input in first_inputs(jump) {
            process.tell(input);
        }
        process
    }

    pub fn tell(&mut self, input: Input) {
        self.give(Job::Input(input), None);
    }

    pub fn give(&mut self, job: Job, asked: Option<Asked>) {
        self.controls.push_back(Work { job, asked });
    }

    /// A request of a monitor: it is never split.
    pub fn post(&mut self, work: Work) {
        self.requests.push_back(work);
    }

    /// The engine's present; notices what the wall clock did meanwhile.
    pub fn now(&mut self, reading: Reading) -> Now {
        let (now, jump) = self.line.advance(reading);
        if let Some(input) = jump.map(jump_input) {
            self.controls.push_front(Work {
                job: Job::Input(input),
                asked: None,
            });
        }
        now
    }

    /// Whether a turn has anything to do.
    pub fn has_work(&self, now: Now) -> bool {
        !self.controls.is_empty() || !self.requests.is_empty() || self.driver.is_due(now)
    }

    /// Takes what waits and decides on it.
    pub fn turn(&mut self, now: Now) -> Committing {
        let mut asked = Vec::new();
        let mut take = |work: Work, jobs: &mut Vec<Job>| {
            asked.push(work.asked);
            jobs.push(work.job);
        };
        let (mut controls, mut events) = (Vec::new(), Vec::new());
        for work in self.controls.drain(..self.controls.len().min(BATCH_MAX)) {
            take(work, &mut controls);
        }
        while controls.len() + events.len() < BATCH_MAX {
            let Some(request) = self.requests.pop_front() else {
                break;
            };
            take(request, &mut events);
        }
        self.turns += 1;
        let (given, posted) = (controls.len(), events.len());
        let mut turn = self.driver.turn(controls, events, now);
        // What the turn had no room for goes first in the next.
        let events = std::mem::take(&mut turn.left.events);
        let asked_of_events = asked.split_off(given + posted - events.len());
        let controls = std::mem::take(&mut turn.left.controls);
        let asked_of_controls: Vec<_> = asked.drain(given - controls.len()..given).collect();
        let again = |jobs: Vec<Job>, asked: Vec<Option<Asked>>| {
            let pairs = jobs.into_iter().zip(asked);
            pairs.map(|(job, asked)| Work { job, asked }).rev()
        };
        for work in again(controls, asked_of_controls) {
            self.controls.push_front(work);
        }
        for work in again(events, asked_of_events) {
            self.requests.push_front(work);
        }
        Committing {
            turn,
            asked,
            death: None,
            number: self.turns,
        }
    }

    /// How long until a timer is due, if there is one.
    pub fn next_timer(&self, now: Now) -> Option<Duration> {
        self.driver.wait(now)
    }
}

fn jump_input(jump: ClockJump) -> Input {
    match jump {
        ClockJump::Ahead(lost) => Input::Suspended { lost },
        ClockJump::Back(by) => Input::ClockBack { by },
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
