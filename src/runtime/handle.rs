//! What the rest of the process may ask of the driver. Clones cheaply; hides the queues.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::oneshot;

use crate::engine::decision::{Answer, Refusal};
use crate::engine::event::Event;
use crate::engine::ids::{IntegrationName, Revision};
use crate::engine::input::Input;
use crate::engine::records::Receipt;
use crate::engine::ruleset::RuleSet;
use crate::engine::state::State;
use crate::engine::time::Now;
use crate::runtime::queue::{Control, Queue, Request, Taken};
use crate::store::{DocumentWrite, Partition, Store};

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

/// Why a request of a person was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Our own mistake.
    #[error("the driver answered with the wrong kind of answer")]
    Unexpected,
}

/// What a reader sees: the state between two commits.
#[derive(Clone, Copy)]
pub struct View<'driver> {
    pub state: &'driver State,
    pub rules: &'driver RuleSet,
    pub now: Now,
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

/// The handle of the driver.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    partition: Partition,
    rules: RwLock<Arc<RuleSet>>,
    gate: Mutex<Gate>,
    bell: Condvar,
}

/// The queue and whether it is open.
#[derive(Default)]
struct Gate {
    queue: Queue,
    intake: Intake,
    /// The driver is to end as soon as nothing waits.
    is_finishing: bool,
    /// The driver is gone, and why.
    ended: Option<Unavailable>,
}

/// Whether events are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intake {
    #[default]
    Open,
    /// Too little space on disk; acknowledgments, outcomes and timers go on.
    DiskLow,
    Stopping,
}

impl Handle {
    /// A handle of a driver that is about to run over this store.
    pub fn new(store: Arc<dyn Store>, partition: Partition, rules: Arc<RuleSet>) -> Self {
        let rules = RwLock::new(rules);
        let (gate, bell) = (Mutex::default(), Condvar::new());
        Self {
            inner: Arc::new(Inner {
                store,
                partition,
                rules,
                gate,
                bell,
            }),
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        // Nothing panics while it holds the gate; if something did, the queue is still whole.
        self.inner
            .gate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the events of one request to the driver and waits until they are durable. The receipts
    /// come in the order of the events.
    pub async fn submit(
        &self,
        integration: IntegrationName,
        events: Vec<Event>,
    ) -> Result<Vec<Arc<Receipt>>, Unavailable> {
        let (waiter, answer) = oneshot::channel();
        {
            let mut gate = self.gate();
            gate.check_alive()?;
            match gate.intake {
                Intake::Open => {}
                Intake::DiskLow => return Err(Unavailable::DiskLow),
                Intake::Stopping => return Err(Unavailable::Stopping),
            }
            let request = Request {
                integration,
                events,
                waiter,
                is_admitted: false,
            };
            gate.queue
                .request(request)
                .map_err(|(_, unavailable)| unavailable)?;
        }
        self.inner.bell.notify_one();
        answer.await.unwrap_or(Err(Unavailable::Unsure))
    }

    /// Hands in anything that is not an event, ahead of all events, and waits until it is durable.
    pub async fn control(&self, input: Input) -> Result<Answer, Unavailable> {
        let (waiter, answer) = oneshot::channel();
        self.push(Control::Input {
            input,
            waiter: Some(waiter),
        })?;
        answer.await.unwrap_or(Err(Unavailable::Unsure))
    }

    /// As [`Handle::control`]; what `record` makes of the answer is durable with it.
    pub(super) async fn control_recorded(
        &self,
        input: Input,
        record: Record,
    ) -> Result<Answer, Unavailable> {
        let (waiter, answer) = oneshot::channel();
        self.push(Control::Recorded {
            input,
            record,
            waiter,
        })?;
        answer.await.unwrap_or(Err(Unavailable::Unsure))
    }

    /// Hands in something that nobody waits for, such as the outcome of an attempt.
    pub fn tell(&self, input: Input) {
        // After the driver has ended there is nobody to tell; recovery repeats the attempt.
        let _ended = self.push(Control::Input {
            input,
            waiter: None,
        });
    }

    fn push(&self, control: Control) -> Result<(), Unavailable> {
        let mut gate = self.gate();
        gate.check_alive()?;
        gate.queue.control(control);
        drop(gate);
        self.inner.bell.notify_one();
        Ok(())
    }

    /// Reads the state between two commits. Look at no more than 500 items.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(View<'_>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (waiter, answer) = oneshot::channel();
        {
            let mut gate = self.gate();
            gate.check_alive()?;
            gate.queue.read(Box::new(move |view| {
                // The reader may have gone away meanwhile.
                let _gone = waiter.send(read(view));
            }));
        }
        self.inner.bell.notify_one();
        answer.await.map_err(|_| self.why_ended())
    }

    /// The rule set in force.
    pub fn rules(&self) -> Arc<RuleSet> {
        self.inner
            .rules
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts a rule set in force; the answer is its revision.
    pub async fn apply_rules(&self, new: NewRules) -> Result<Revision, ApplyError> {
        let (waiter, answer) = oneshot::channel();
        self.push(Control::Rules {
            new: Box::new(new),
            waiter,
        })?;
        answer
            .await
            .unwrap_or(Err(ApplyError::Unavailable(Unavailable::Unsure)))
    }

    /// Writes documents beside the state, durable when it returns.
    pub async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<(), Unavailable> {
        let (waiter, answer) = oneshot::channel();
        self.push(Control::Documents { writes, waiter })?;
        answer.await.unwrap_or(Err(Unavailable::Unsure))
    }

    /// Hands over documents that nobody waits for.
    pub fn hand_documents(&self, writes: Vec<DocumentWrite>) -> Result<(), Unavailable> {
        let (waiter, _) = oneshot::channel();
        self.push(Control::Documents { writes, waiter })?;
        Ok(())
    }

    /// History and documents; calls block, so make them from `spawn_blocking`.
    pub fn store(&self) -> (&dyn Store, Partition) {
        (&*self.inner.store, self.inner.partition)
    }

    /// Opens or closes the intake for events.
    pub fn set_intake(&self, intake: Intake) {
        let mut gate = self.gate();
        // Stopping is for good.
        if gate.intake != Intake::Stopping {
            gate.intake = intake;
        }
    }

    /// Takes controls and reads for one turn, and no events, without waiting.
    pub fn take_controls(&self) -> Taken {
        self.gate().queue.take_controls()
    }

    /// Whether the process is about to end.
    pub fn is_stopping(&self) -> bool {
        self.gate().intake == Intake::Stopping
    }

    /// How many controls wait for the driver.
    pub fn controls_waiting(&self) -> usize {
        self.gate().queue.controls_waiting()
    }

    /// How many events wait for the driver.
    pub fn events_waiting(&self) -> usize {
        self.gate().queue.events_waiting()
    }

    /// Why the driver ended, if it did.
    pub fn ended(&self) -> Option<Unavailable> {
        self.gate().ended.clone()
    }

    fn why_ended(&self) -> Unavailable {
        self.gate().ended.clone().unwrap_or(Unavailable::Stopping)
    }

    /// For the driver's thread: waits until there is something to do, at most for `patience`, and
    /// takes it.
    pub(super) fn take(&self, patience: std::time::Duration) -> Taken {
        let mut gate = self.gate();
        if gate.queue.is_empty() && !patience.is_zero() {
            let waited = self.inner.bell.wait_timeout(gate, patience);
            gate = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        gate.queue.take()
    }

    /// For the driver's thread: puts back what was taken and not done.
    pub(super) fn requeue(&self, requests: Vec<Request>, last: Option<&IntegrationName>) {
        self.gate().queue.requeue(requests, last);
    }

    /// For the driver's thread: so many accepted events wait for a decision.
    pub(super) fn set_undecided(&self, events: &BTreeMap<IntegrationName, usize>) {
        self.gate().queue.set_undecided(events);
    }

    /// For the driver's thread: ends it if it is to end and nothing waits. Whether it did.
    pub(super) fn end_if_drained(&self) -> bool {
        let mut gate = self.gate();
        let is_drained = gate.is_finishing && gate.queue.is_empty();
        if is_drained {
            // Under the same lock: what comes a moment later is refused, and not left waiting.
            gate.ended = Some(Unavailable::Stopping);
        }
        is_drained
    }

    /// For the driver's thread: other rules are in force.
    pub(super) fn publish(&self, rules: Arc<RuleSet>) {
        *self
            .inner
            .rules
            .write()
            .unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// For the driver's thread: it ended badly. Whoever still waits in the queue, or comes later,
    /// learns why and that nothing of theirs was stored.
    pub fn end(&self, why: &Unavailable) {
        let waiting = {
            let mut gate = self.gate();
            gate.ended.get_or_insert_with(|| why.clone());
            std::mem::take(&mut gate.queue)
        };
        waiting.refuse(why);
    }

    /// Lets the driver end once nothing waits. Outcomes and acknowledgments are taken until then.
    pub fn finish(&self) {
        self.gate().is_finishing = true;
        self.inner.bell.notify_one();
    }
}

impl Gate {
    fn check_alive(&self) -> Result<(), Unavailable> {
        self.ended.clone().map_or(Ok(()), Err)
    }
}
