//! What goes into a turn of the driver, and what comes out of it.

use std::sync::Arc;

use crate::engine::decision::{Answer, SendRequest};
use crate::engine::event::Event;
use crate::engine::ids::{AttemptId, ChannelName, IntegrationName, Revision};
use crate::engine::input::Input;
use crate::engine::ruleset::RuleSet;
use crate::store::{Batch, Clocks, DocumentWrite};

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

/// Something that is not an event, and who waits for it. It travels whole, from the queue to the
/// answer.
pub struct Command<W> {
    pub job: Job,
    pub waiter: Option<W>,
}

impl<W> Command<W> {
    /// An input that nobody waits for.
    pub fn without_waiter(input: Input) -> Self {
        let (job, waiter) = (Job::Input(input), None);
        Self { job, waiter }
    }
}

/// The events of one request, and who waits for their receipts. It travels whole as well.
pub struct Request<W> {
    pub integration: IntegrationName,
    pub events: Vec<Event>,
    pub waiter: W,
    /// The disk has room for it: it was taken before, and the turn had none.
    pub is_admitted: bool,
}

impl<W> Request<W> {
    /// Bytes of its events, about.
    pub(super) fn bytes(&self) -> usize {
        self.events.iter().map(Event::bytes).sum()
    }
}

/// Requests that were taken and not done.
pub struct RequestsLeft<W> {
    /// In their order.
    pub requests: Vec<Request<W>>,
    /// The integration whose request was done last.
    pub last: Option<IntegrationName>,
}

impl<W> Default for RequestsLeft<W> {
    fn default() -> Self {
        let (requests, last) = (Vec::new(), None);
        Self { requests, last }
    }
}

/// One thing for the driver to do.
pub enum Job {
    Input(Input),
    /// An input of which a document is kept.
    Recorded(Input, Record),
    Rules(Box<NewRules>),
    /// Documents, and one that is made of their being written.
    Documents(Vec<DocumentWrite>, Option<RecordOf<()>>),
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

/// Makes a document of the result of a request, to be kept in the same commit.
pub type RecordOf<T> = Box<dyn FnOnce(&T) -> DocumentWrite + Send>;

/// Makes a document of the revision under which rules were put in force.
pub type RecordOfRules = Box<dyn FnOnce(Revision) -> DocumentWrite + Send>;

/// The result of one job, to be answered after the commit.
#[derive(Debug, PartialEq)]
pub enum Done {
    Answer(Answer),
    Rules(Result<Revision, ApplyError>),
    Documents,
}

impl Done {
    /// What is said to whoever gave an input.
    pub(super) fn into_answer(self) -> Result<Answer, Unavailable> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Rules(_) | Self::Documents => Err(Unavailable::Unsure),
        }
    }
}

/// What whoever waits is told: what was done, or why nothing was.
pub type Reply = Result<Done, Unavailable>;

/// What one turn leads to. `W` is who waits for an answer.
pub struct Turn<W> {
    pub batch: Batch,
    /// Who is told what, in the order in which it was decided.
    pub replies: Vec<(W, Reply)>,
    /// Other rules are in force since.
    pub rules: Option<Arc<RuleSet>>,
    pub sends: Vec<Arc<SendRequest>>,
    /// Attempts of earlier turns that are withdrawn if their first byte has not left.
    pub cancels: Vec<AttemptId>,
    pub probes: Vec<ChannelName>,
    /// Inputs whose decision panicked, as text for the log.
    pub quarantined: Vec<String>,
    /// Commands and requests that were done.
    pub asked: usize,
    /// Timers that were handled beside them.
    pub timers: usize,
    /// Steps of tasks, and parts of requests that could not be kept.
    pub task_steps: usize,
    /// What it cost.
    pub work: u64,
    /// After so much it takes nothing more.
    pub work_max: u64,
    /// Commands for which it had no room; they wait for the next one, in their order.
    pub commands_left: Vec<Command<W>>,
    /// Likewise.
    pub requests_left: RequestsLeft<W>,
}

impl<W> Turn<W> {
    /// One that has done nothing yet.
    pub(super) fn new(clocks: Clocks, work_max: u64) -> Self {
        let batch = Batch {
            clocks,
            ..Batch::default()
        };
        Self {
            batch,
            replies: Vec::new(),
            rules: None,
            sends: Vec::new(),
            cancels: Vec::new(),
            probes: Vec::new(),
            quarantined: Vec::new(),
            asked: 0,
            timers: 0,
            task_steps: 0,
            work: 0,
            work_max,
            commands_left: Vec::new(),
            requests_left: RequestsLeft::default(),
        }
    }

    /// Whether there is anything to make durable.
    pub fn is_empty(&self) -> bool {
        self.batch.changes.is_empty() && self.batch.documents.is_empty()
    }

    /// Whether it takes nothing more.
    pub(super) fn is_full(&self) -> bool {
        self.work >= self.work_max
    }

    /// Tells this when all is durable.
    pub(super) fn reply(&mut self, waiter: W, reply: Reply) {
        self.replies.push((waiter, reply));
    }

    /// How many inputs it took: commands and requests, timers, and steps of tasks.
    pub fn inputs(&self) -> usize {
        self.asked + self.timers + self.task_steps
    }
}
