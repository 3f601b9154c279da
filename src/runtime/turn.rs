//! What goes into a turn of the driver, and what comes out of it.

use std::sync::Arc;

use crate::engine::decision::{Answer, SendRequest};
use crate::engine::ids::{AttemptId, ChannelName, IntegrationName, Revision, TaskId};
use crate::engine::input::Input;
use crate::engine::records::Receipt;
use crate::engine::ruleset::RuleSet;
use crate::store::{Batch, DocumentWrite};

/// Why the driver did not do as asked. Nothing was stored, unless it is [`Unavailable::Unsure`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("too many events are queued for integration {0}; try again in a second")]
    Busy(IntegrationName),
    #[error("too little space is left on disk to accept events")]
    DiskLow,
    #[error("the router is shutting down")]
    Stopping,
    /// An earlier commit failed; this was not even tried.
    #[error("the store failed and the router is about to exit: {0}")]
    StoreFailed(String),
    /// The commit that would have made this durable failed: nobody knows whether it is stored.
    #[error("the store failed; it is not known whether this was stored")]
    Unsure,
    /// The input is quarantined; the router has raised a self-incident.
    #[error("the decision on this input failed; it was quarantined and reported")]
    Quarantined,
}

/// Why a rule set was not put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error(
        "the rules are at revision {current}, not {expected}; check the difference and try again"
    )]
    Conflict {
        expected: Revision,
        current: Revision,
    },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// One thing for the driver to do.
pub enum Job {
    Input(Input),
    /// An input of which a document is kept.
    Recorded(Input, Record),
    Rules(Box<NewRules>),
    Documents(Vec<DocumentWrite>),
}

/// A new rule set to put in force.
pub struct NewRules {
    /// Its `revision` is set by the driver.
    pub rules: RuleSet,
    /// Kept under the new revision, as [`crate::store::DocumentKind::Rules`].
    pub document: Vec<u8>,
    /// Compare-and-set.
    pub expected: Option<Revision>,
    /// Makes a document to be kept in the same commit.
    pub record: Option<RecordOfRules>,
}

/// Makes a document of an answer, to be kept in the same commit as what led to it.
pub type Record = Box<dyn FnOnce(&Answer) -> Option<DocumentWrite> + Send>;

/// Makes a document of the revision under which rules were put in force.
pub type RecordOfRules = Box<dyn FnOnce(Revision) -> DocumentWrite + Send>;

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

impl Done {
    /// What is said to whoever gave an input.
    pub(super) fn into_answer(self) -> Result<Answer, Unavailable> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Quarantined | Self::Later(..) | Self::Rules(_) | Self::Documents => {
                Err(Unavailable::Quarantined)
            }
        }
    }
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
    pub left: JobsLeft,
}

/// Jobs that wait for the next turn, in their order.
#[derive(Default)]
pub struct JobsLeft {
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

    /// The receipts that it gives.
    pub(super) fn receipts(&self) -> impl Iterator<Item = &[Arc<Receipt>]> {
        let done = self.done.iter().filter_map(|done| match done {
            Done::Answer(answer) | Done::Later(answer, _) => Some(answer),
            Done::Rules(_) | Done::Documents | Done::Quarantined => None,
        });
        let went_on = self.went_on.iter().filter_map(|it| it.answer.as_ref());
        done.chain(went_on).map(Answer::receipts)
    }

    /// How many inputs it took: jobs, timers and steps of tasks.
    pub fn inputs(&self) -> usize {
        self.done.len() + self.timers + self.went_on.len()
    }
}
