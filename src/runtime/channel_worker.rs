//! Runs attempts: each in a task of its own with a deadline, from the moment at which the engine
//! gave it a slot. Every outcome goes back to the driver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tracing::{info, warn};

use crate::channels::{CancelToken, Cancelled, Channel, Sent};
use crate::engine::decision::SendRequest;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::input::{Input, Probed, Report};
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;
use crate::runtime::commit_loop::EffectSink;
use crate::runtime::driver::not_started;
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;
use crate::runtime::unsure::Unsure;

/// A channel keeps its own deadline; this much later it is given up from outside.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);
/// An attempt that is still there so long after its deadline has stalled.
const STALLED_AFTER: Duration = Duration::seconds(10);

/// Time since the process began.
pub type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Told of each outcome, for metrics.
pub type OnOutcome = Arc<dyn Fn(&ChannelName, Outcome, Duration) + Send + Sync>;

/// All channels with what is under way on them.
#[derive(Clone)]
pub struct Sender {
    workers: Arc<BTreeMap<ChannelName, Arc<ChannelWorker>>>,
    handle: Handle,
    supervisor: Supervisor,
    monotonic: Monotonic,
    on_outcome: OnOutcome,
    landed: Arc<Notify>,
    /// The last page has not ended yet.
    is_last_under_way: Arc<AtomicBool>,
}

/// One channel with its attempts.
struct ChannelWorker {
    channel: Arc<dyn Channel>,
    under_way: Mutex<BTreeMap<AttemptId, UnderWay>>,
    unsure: Mutex<Unsure>,
}

/// One attempt that its channel has.
struct UnderWay {
    /// Set when it is withdrawn: the channel tests it before the first byte.
    mark: CancelToken,
    /// By when it has ended, if all is well.
    ends: Duration,
}

impl ChannelWorker {
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<AttemptId, UnderWay>> {
        // The map is whole after every call; a panic elsewhere does not spoil it.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unsure(&self) -> MutexGuard<'_, Unsure> {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the sender works with beside its channels.
pub struct Surroundings {
    pub handle: Handle,
    pub supervisor: Supervisor,
    pub monotonic: Monotonic,
    pub on_outcome: OnOutcome,
}

impl Sender {
    /// A sender over these channels.
    pub fn new(channels: Vec<(ChannelName, Arc<dyn Channel>)>, around: Surroundings) -> Self {
        let workers = channels.into_iter().map(|(name, channel)| {
            let worker = ChannelWorker {
                channel,
                under_way: Mutex::default(),
                unsure: Mutex::default(),
            };
            (name, Arc::new(worker))
        });
        Self {
            workers: Arc::new(workers.collect()),
            handle: around.handle,
            supervisor: around.supervisor,
            monotonic: around.monotonic,
            on_outcome: around.on_outcome,
            landed: Arc::new(Notify::new()),
            is_last_under_way: Arc::default(),
        }
    }

    /// How many attempts are with their channels.
    pub fn under_way(&self) -> usize {
        self.workers
            .values()
            .map(|worker| worker.under_way().len())
            .sum()
    }

    /// The channels with attempts that have outlived their deadline.
    pub fn stalled(&self) -> Vec<ChannelName> {
        let now = (self.monotonic)();
        let is_late = |known: &UnderWay| known.ends.0 + STALLED_AFTER.0 < now.0;
        let workers = self.workers.iter();
        workers
            .filter(|(_, worker)| worker.under_way().values().any(is_late))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Waits until another attempt has ended.
    pub async fn landed(&self) {
        self.landed.notified().await;
    }

    /// Waits until the last page has ended, if there is one.
    pub async fn last_landed(&self) {
        while self.is_last_under_way.load(Ordering::SeqCst) {
            self.landed().await;
        }
    }

    async fn attempt(
        &self,
        worker: &ChannelWorker,
        order: Arc<SendRequest>,
        (mark, end): (CancelToken, End),
    ) {
        let began = (self.monotonic)();
        let Ok(sent) = self.call(worker, &order, mark).await else {
            return withdrawn(&order, end);
        };
        let latency = Duration((self.monotonic)().0.saturating_sub(began.0));
        self.finish(worker, &order, sent, (latency, end));
    }

    /// Hands a request to its channel and waits for the end of it.
    async fn call(
        &self,
        worker: &ChannelWorker,
        order: &Arc<SendRequest>,
        mark: CancelToken,
    ) -> Result<Sent, Cancelled> {
        let limit = std::time::Duration::from_millis(order.deadline.0) + GRACE;
        let (channel, sent_order) = (worker.channel.clone(), order.clone());
        // In a task of its own, so that a panic in a channel is an outcome and not a lost attempt.
        let call = tokio::spawn(async move {
            tokio::time::timeout(limit, channel.send(&sent_order, &mark)).await
        });
        match call.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Ok(unknown("the channel did not end within its deadline")),
            Err(error) => {
                warn!(channel.name = %order.channel, %error, "a channel panicked");
                Ok(unknown("the channel had an internal error"))
            }
        }
    }

    fn finish(
        &self,
        worker: &ChannelWorker,
        order: &Arc<SendRequest>,
        sent: Sent,
        (latency, end): (Duration, End),
    ) {
        let outcome = sent.outcome;
        if outcome == Outcome::Unknown {
            worker.unsure().remember(order.clone());
        }
        end.with(Report {
            attempt: order.attempt,
            outcome,
            latency_ms: latency.0,
            provider_message: sent.provider_message.map(Into::into),
            reference: sent.reference.map(Into::into),
            was_started: true,
        });
        (self.on_outcome)(&order.channel, outcome, latency);
        info!(
            attempt.id = order.attempt.0,
            channel.name = %order.channel,
            outcome = %outcome,
            attempt.latency_ms = latency.0,
            "attempt ended"
        );
    }
}

/// The channel kept the message back: as if the request had never been handed to it.
fn withdrawn(order: &SendRequest, end: End) {
    end.with(not_started(order.attempt));
    info!(
        attempt.id = order.attempt.0,
        channel.name = %order.channel,
        "attempt cancelled before its message was sent"
    );
}

/// The end of an attempt. Whatever becomes of its task, the driver is told, and before anything
/// else is done.
struct End {
    sender: Sender,
    worker: Arc<ChannelWorker>,
    attempt: AttemptId,
    is_told: bool,
}

impl End {
    /// The attempt ended so.
    fn with(mut self, report: Report) {
        self.tell(report);
    }

    fn tell(&mut self, report: Report) {
        self.is_told = true;
        self.worker.under_way().remove(&self.attempt);
        self.sender.handle.tell(Input::Outcome(report));
        self.sender.landed.notify_one();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if !self.is_told {
            let sent = unknown("the attempt had an internal error");
            self.tell(Report {
                provider_message: sent.provider_message.map(Into::into),
                was_started: true,
                ..not_started(self.attempt)
            });
        }
    }
}

fn unknown(text: &str) -> Sent {
    Sent {
        outcome: Outcome::Unknown,
        provider_message: Some(text.to_owned()),
        reference: None,
    }
}

impl EffectSink for Sender {
    fn cancel(&self, attempt: AttemptId) {
        for worker in self.workers.values() {
            if let Some(known) = worker.under_way().get(&attempt) {
                known.mark.withdraw();
            }
        }
    }

    fn send(&self, order: Arc<SendRequest>) {
        let Some(worker) = self.workers.get(&order.channel) else {
            // Rules and channels are checked against each other; should a channel be missing all
            // the same, the attempt ends and failover begins.
            warn!(channel.name = %order.channel, "no such channel");
            let outcome = Outcome::RefusedTarget;
            let report = Report {
                outcome,
                was_started: true,
                ..not_started(order.attempt)
            };
            self.handle.tell(Input::Outcome(report));
            return;
        };
        let mark = CancelToken::default();
        let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let under_way = UnderWay {
            mark: mark.clone(),
            ends: Duration((self.monotonic)().0 + order.deadline.0 + grace),
        };
        worker.under_way().insert(order.attempt, under_way);
        let end = End {
            sender: self.clone(),
            worker: worker.clone(),
            attempt: order.attempt,
            is_told: false,
        };
        // What may have arrived is repeated word for word.
        let repeated = worker.unsure().repeated(&order);
        let order = repeated.map_or(order, Arc::new);
        let (sender, worker) = (self.clone(), worker.clone());
        self.supervisor.spawn("attempt", async move {
            sender.attempt(&worker, order, (mark, end)).await;
        });
    }

    fn send_last(&self, order: Arc<SendRequest>) {
        let Some(worker) = self.workers.get(&order.channel).cloned() else {
            warn!(channel.name = %order.channel, "no such channel; the last page is not sent");
            return;
        };
        self.is_last_under_way.store(true, Ordering::SeqCst);
        let sender = self.clone();
        self.supervisor.spawn("last page", async move {
            // A channel that panics is an outcome like any other, so that this is always reached.
            let result = sender.call(&worker, &order, CancelToken::default()).await;
            sender.is_last_under_way.store(false, Ordering::SeqCst);
            sender.landed.notify_one();
            let outcome = result.map(|sent| sent.outcome.to_string());
            warn!(channel.name = %order.channel, outcome = ?outcome, "the last page ended");
        });
    }

    fn probe(&self, channel: ChannelName) {
        let Some(worker) = self.workers.get(&channel).cloned() else {
            return;
        };
        let handle = self.handle.clone();
        self.supervisor.spawn("probe", async move {
            let limit = std::time::Duration::from_secs(30);
            let probe = tokio::time::timeout(limit, worker.channel.probe()).await;
            let probed = probe.unwrap_or_else(|_| unknown("the probe did not end in time").into());
            handle.tell(Input::Probed(Probed {
                channel,
                outcome: probed.outcome,
                provider_message: probed.provider_message.map(Into::into),
                capacity: probed.capacity,
                certificate: probed.certificate,
            }));
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::channels::{Pending, sample};
    use crate::engine::ids::PageId;
    use crate::engine::ruleset::Medium;
    use crate::runtime::turn::Job;
    use crate::store::{MemoryStore, Partition};

    fn order(attempt: u64) -> Arc<SendRequest> {
        Arc::new(SendRequest {
            attempt: AttemptId(attempt),
            page: PageId(attempt),
            channel: "sms".into(),
            ..sample::order(Medium::Sms)
        })
    }

    /// A channel that looks something up for as long as the test wants before it posts.
    struct Slow {
        arrived: mpsc::UnboundedSender<u64>,
        go_on: Arc<Semaphore>,
        posted: mpsc::UnboundedSender<u64>,
    }

    impl Channel for Slow {
        fn send<'channel>(
            &'channel self,
            order: &'channel SendRequest,
            mark: &'channel CancelToken,
        ) -> Pending<'channel, Result<Sent, Cancelled>> {
            Box::pin(async move {
                let number = order.attempt.0;
                self.arrived.send(number).expect("a test that listens");
                let permit = self.go_on.acquire().await;
                permit.expect("never closed").forget();
                mark.test()?;
                self.posted.send(number).expect("a test that listens");
                Ok(Sent {
                    outcome: Outcome::Accepted,
                    ..unknown("posted")
                })
            })
        }

        fn probe(&self) -> Pending<'_, crate::channels::Probed> {
            Box::pin(async { unknown("never asked").into() })
        }
    }

    /// One channel, and all that can be seen of its attempts.
    struct Bench {
        sender: Sender,
        handle: Handle,
        arrived: mpsc::UnboundedReceiver<u64>,
        go_on: Arc<Semaphore>,
        posted: mpsc::UnboundedReceiver<u64>,
        time: Arc<AtomicU64>,
    }

    impl Bench {
        fn new() -> Self {
            let (arrives, arrived) = mpsc::unbounded_channel();
            let (posts, posted) = mpsc::unbounded_channel();
            let go_on = Arc::new(Semaphore::new(0));
            let channel = Slow {
                arrived: arrives,
                go_on: go_on.clone(),
                posted: posts,
            };
            let time = Arc::new(AtomicU64::new(0));
            let clock = time.clone();
            let store = Arc::new(MemoryStore::new());
            let handle = Handle::new(store, Partition::default(), Arc::default());
            let tokio = tokio::runtime::Handle::current();
            let around = Surroundings {
                handle: handle.clone(),
                supervisor: Supervisor::new(tokio, handle.clone(), Arc::new(|_| {})),
                monotonic: Arc::new(move || Duration(clock.load(Ordering::Relaxed))),
                on_outcome: Arc::new(|_, _, _| {}),
            };
            Self {
                sender: Sender::new(vec![("sms".into(), Arc::new(channel))], around),
                handle,
                arrived,
                go_on,
                posted,
                time,
            }
        }

        fn send(&self, attempt: u64) {
            self.sender.send(order(attempt));
        }

        /// What the driver is told next: the attempt, and whether it was started.
        async fn told(&self) -> Vec<(u64, bool)> {
            let reports = self.inputs().await.into_iter().map(|input| match input {
                Input::Outcome(report) => (report.attempt.0, report.was_started),
                other => panic!("only outcomes are told here: {other:?}"),
            });
            reports.collect()
        }

        async fn inputs(&self) -> Vec<Input> {
            self.sender.landed().await;
            let taken = self.handle.take(std::time::Duration::ZERO);
            let reports = taken.commands.into_iter().map(|command| match command.job {
                Job::Input(input) => input,
                _ => panic!("only inputs are told here"),
            });
            reports.collect()
        }
    }

    #[tokio::test]
    async fn an_order_cancelled_while_its_channel_looks_somebody_up_is_told_as_not_started() {
        let mut bench = Bench::new();
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.sender.cancel(AttemptId(1));
        bench.go_on.add_permits(1);
        assert_eq!(bench.told().await, [(1, false)]);
        assert!(bench.posted.try_recv().is_err(), "nothing was posted");
        assert_eq!(bench.sender.under_way(), 0);
    }

    #[tokio::test]
    async fn the_last_page_is_waited_for() {
        let mut bench = Bench::new();
        bench.sender.last_landed().await;
        bench.sender.send_last(order(3));
        assert_eq!(bench.arrived.recv().await, Some(3));
        bench.go_on.add_permits(1);
        bench.sender.last_landed().await;
        assert_eq!(bench.posted.recv().await, Some(3));
    }

    #[tokio::test]
    async fn a_cancellation_that_comes_after_the_message_left_changes_nothing() {
        let mut bench = Bench::new();
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.go_on.add_permits(1);
        assert_eq!(bench.posted.recv().await, Some(1));
        bench.sender.cancel(AttemptId(1));
        assert_eq!(bench.told().await, [(1, true)]);
    }

    #[tokio::test]
    async fn an_attempt_that_outlives_its_deadline_by_ten_seconds_has_stalled() {
        let mut bench = Bench::new();
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        let deadline = order(1).deadline.0;
        for (passed, is_stalled) in [(deadline + 12_000, false), (deadline + 12_001, true)] {
            bench.time.store(passed, Ordering::Relaxed);
            assert_eq!(!bench.sender.stalled().is_empty(), is_stalled, "{passed}");
        }
        bench.go_on.add_permits(1);
        assert_eq!(bench.told().await, [(1, true)]);
        assert!(bench.sender.stalled().is_empty(), "it has ended");
    }

    #[tokio::test]
    async fn an_attempt_whose_task_fails_has_ended_all_the_same_and_the_failure_is_told() {
        let mut bench = Bench::new();
        bench.sender.on_outcome = Arc::new(|_, _, _| panic!("measuring failed"));
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.go_on.add_permits(1);
        let mut inputs = bench.inputs().await;
        assert_eq!(bench.sender.under_way(), 0);
        while inputs.len() < 2 {
            let commands = bench.handle.take(std::time::Duration::ZERO).commands;
            inputs.extend(commands.into_iter().map(|command| match command.job {
                Job::Input(input) => input,
                _ => panic!("only inputs are told here"),
            }));
            tokio::task::yield_now().await;
        }
        assert!(matches!(&inputs[0], Input::Outcome(report) if report.was_started));
        let Input::Raise { trouble, text } = &inputs[1] else {
            panic!("{inputs:?}");
        };
        assert_eq!(trouble.cause, crate::engine::cause::Cause::Panic);
        assert!(text.contains("`attempt`"), "{text}");
    }

    #[tokio::test]
    async fn an_attempt_whose_task_is_gone_before_its_end_is_told_as_unknown() {
        let bench = Bench::new();
        let worker = bench.sender.workers.values().next().expect("one channel");
        drop(End {
            sender: bench.sender.clone(),
            worker: worker.clone(),
            attempt: AttemptId(1),
            is_told: false,
        });
        assert_eq!(bench.told().await, [(1, true)]);
    }
}
