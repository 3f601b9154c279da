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
use crate::runtime::queue::{Queue, Taken};
use crate::runtime::turn::{Command, Done, Job, Record, Reply, Request, RequestsLeft};
use crate::store::{DocumentWrite, Partition, Store};

pub use crate::runtime::queue::View;
pub use crate::runtime::turn::{ApplyError, NewRules, RecordOf, RecordOfRules, Unavailable};

/// Who waits for the driver: it is told what was done, or why nothing was.
pub type Waiter = oneshot::Sender<Reply>;

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
    queue: Queue<Waiter>,
    /// The driver sleeps until somebody rings: to ring for nobody costs a call of the system.
    is_asleep: bool,
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

    /// Wakes the driver if it sleeps.
    fn wake(&self, mut gate: MutexGuard<'_, Gate>) {
        let is_asleep = std::mem::take(&mut gate.is_asleep);
        drop(gate);
        if is_asleep {
            self.inner.bell.notify_one();
        }
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
            gate.queue.request(request)?;
            self.wake(gate);
        }
        match wait(answer).await?.into_answer()? {
            Answer::Receipts(receipts) => Ok(receipts),
            _ => Err(Unavailable::Unsure),
        }
    }

    /// Hands in anything that is not an event, ahead of all events, and waits until it is durable.
    pub async fn command(&self, input: Input) -> Result<Answer, Unavailable> {
        self.done(Job::Input(input)).await?.into_answer()
    }

    /// As [`Handle::command`]; what `record` makes of the answer is durable with it.
    pub(super) async fn command_recorded(
        &self,
        input: Input,
        record: Record,
    ) -> Result<Answer, Unavailable> {
        self.done(Job::Recorded(input, record)).await?.into_answer()
    }

    async fn done(&self, job: Job) -> Reply {
        let (waiter, answer) = oneshot::channel();
        self.push(job, Some(waiter))?;
        wait(answer).await
    }

    /// Hands in something that nobody waits for, such as the outcome of an attempt.
    pub fn tell(&self, input: Input) {
        // After the driver has ended there is nobody to tell; recovery repeats the attempt.
        let _ended = self.push(Job::Input(input), None);
    }

    fn push(&self, job: Job, waiter: Option<Waiter>) -> Result<(), Unavailable> {
        let mut gate = self.gate();
        gate.check_alive()?;
        gate.queue.command(Command { job, waiter });
        self.wake(gate);
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
            self.wake(gate);
        }
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
        match self.done(Job::Rules(Box::new(new))).await? {
            Done::Rules(result) => result,
            _ => Err(Unavailable::Unsure.into()),
        }
    }

    /// Writes documents beside the state, durable when it returns.
    pub async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<(), Unavailable> {
        self.done(Job::Documents(writes, None)).await.map(|_| ())
    }

    /// As [`Handle::write_documents`]; what `record` makes is durable with them. It is called when
    /// they are written, so that records are made in the order of their commits.
    pub async fn write_recorded(
        &self,
        writes: Vec<DocumentWrite>,
        record: RecordOf<()>,
    ) -> Result<(), Unavailable> {
        let job = Job::Documents(writes, Some(record));
        self.done(job).await.map(|_| ())
    }

    /// Hands over documents that nobody waits for.
    pub fn hand_documents(&self, writes: Vec<DocumentWrite>) -> Result<(), Unavailable> {
        self.push(Job::Documents(writes, None), None)
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

    /// Takes commands and reads for one turn, and no events, without waiting.
    pub(super) fn take_commands(&self) -> Taken<Waiter> {
        self.gate().queue.take_commands()
    }

    /// Whether the process is about to end.
    pub fn is_stopping(&self) -> bool {
        self.gate().intake == Intake::Stopping
    }

    /// How many commands wait for the driver.
    pub fn commands_waiting(&self) -> usize {
        self.gate().queue.commands_waiting()
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
    pub(super) fn take(&self, patience: std::time::Duration) -> Taken<Waiter> {
        let mut gate = self.gate();
        if gate.queue.is_empty() && !patience.is_zero() {
            gate.is_asleep = true;
            let waited = self.inner.bell.wait_timeout(gate, patience);
            gate = waited.unwrap_or_else(PoisonError::into_inner).0;
            gate.is_asleep = false;
        }
        gate.queue.take()
    }

    /// For the driver's thread: puts back what was taken and not done.
    pub(super) fn requeue(&self, left: RequestsLeft<Waiter>) {
        self.gate().queue.requeue(left);
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
        for waiter in waiting.into_waiters() {
            refuse(waiter, why);
        }
    }

    /// Lets the driver end once nothing waits. Outcomes and acknowledgments are taken until then.
    pub fn finish(&self) {
        let mut gate = self.gate();
        gate.is_finishing = true;
        self.wake(gate);
    }
}

impl Gate {
    fn check_alive(&self) -> Result<(), Unavailable> {
        self.ended.clone().map_or(Ok(()), Err)
    }
}

/// The driver drops whoever waits for a commit that fails.
async fn wait(answer: oneshot::Receiver<Reply>) -> Reply {
    answer.await.unwrap_or(Err(Unavailable::Unsure))
}

/// Tells a waiter, who may have gone away meanwhile, that nothing was done.
pub(super) fn refuse(waiter: Waiter, why: &Unavailable) {
    let _gone = waiter.send(Err(why.clone()));
}
