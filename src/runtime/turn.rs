//! What goes into a turn of the driver, and what comes out of it.

use std::sync::Arc;

use crate::engine::decision::{Answer, SendRequest};
use crate::engine::ids::{AttemptId, ChannelName, Revision, TaskId};
use crate::engine::input::Input;
use crate::runtime::handle::{ApplyError, NewRules, Record};
use crate::store::{Batch, DocumentWrite};

/// One thing for the driver to do.
pub enum Job {
    Input(Input),
    /// An input of which a document is kept.
    Recorded(Input, Record),
    Rules(Box<NewRules>),
    Documents(Vec<DocumentWrite>),
}

/// The result of one job, to be answered after the commit.
#[derive(Debug, PartialEq)]
pub enum Done {
    Answer(Answer),
    /// This is known, and the rest is answered when a task ends; see [`Turn::went_on`].
    Later(Answer, TaskId),
    Rules(Result<Revision, ApplyError>),
    Documents,
    /// The decision panicked: nothing of the input was stored.
    Quarantined,
}

/// What a step of a task led to.
#[derive(Debug, PartialEq)]
pub struct WentOn {
    /// The task, or the first one of its request.
    pub task: TaskId,
    /// `None` if the decision panicked.
    pub answer: Option<Answer>,
    /// Nothing more of it follows.
    pub is_over: bool,
}

/// What one turn leads to.
#[derive(Default)]
pub struct Turn {
    pub batch: Batch,
    /// In the order of the jobs.
    pub done: Vec<Done>,
    /// To be answered after these.
    pub went_on: Vec<WentOn>,
    pub sends: Vec<Arc<SendRequest>>,
    /// Attempts of earlier turns that are withdrawn if their first byte has not left.
    pub cancels: Vec<AttemptId>,
    pub probes: Vec<ChannelName>,
    /// Inputs whose decision panicked, as text for the log.
    pub quarantined: Vec<String>,
    /// Timers that were handled beside the jobs.
    pub timers: usize,
    /// What it cost.
    pub work: u64,
    /// After so much it takes nothing more.
    pub work_max: u64,
    /// Jobs for which the turn had no room.
    pub left: Left,
}

/// Jobs that wait for the next turn, in their order.
#[derive(Default)]
pub struct Left {
    pub controls: Vec<Job>,
    pub events: Vec<Job>,
}

impl Turn {
    /// Whether there is anything to make durable.
    pub fn is_empty(&self) -> bool {
        self.batch.changes.is_empty() && self.batch.documents.is_empty()
    }

    /// Whether it takes nothing more.
    pub(super) fn is_full(&self) -> bool {
        self.work >= self.work_max
    }

    /// How many inputs it took: jobs, timers and steps of tasks.
    pub fn inputs(&self) -> usize {
        self.done.len() + self.timers + self.went_on.len()
    }
}
