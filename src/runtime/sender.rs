//! Runs attempts: one lane per channel, each attempt in a task of its own with a deadline. Every
//! outcome goes back to the driver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::{info, warn};

use crate::engine::decision::Order;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::input::{Input, Report};
use crate::engine::order::renewed;
use crate::engine::outcome::Outcome;
use crate::engine::time::Millis;
use crate::outbound::{Channel, Mark, Sent, Withdrawn};
use crate::runtime::driver::not_started;
use crate::runtime::handle::Handle;
use crate::runtime::lane::{Lane, Next};
use crate::runtime::supervise::Supervisor;
use crate::runtime::thread::Outlet;
use crate::runtime::unsure::Unsure;

/// A channel keeps its own deadline; this much later it is given up from outside.
const GRACE: Duration = Duration::from_secs(2);

/// What stood in a lane for so long is written again before it leaves.
const RENEWED_AFTER: Millis = Millis::seconds(1);
/// A driver that is busy for longer is not waited for.
const RENEWED_WITHIN: Duration = Duration::from_millis(500);

/// Time since the process began.
pub type Monotonic = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Told of each outcome, for metrics.
pub type OnOutcome = Arc<dyn Fn(&ChannelName, Outcome, Millis) + Send + Sync>;

/// All lanes.
#[derive(Clone)]
pub struct Sender {
    lanes: Arc<BTreeMap<ChannelName, Arc<Track>>>,
    handle: Handle,
    supervisor: Supervisor,
    monotonic: Monotonic,
    on_outcome: OnOutcome,
    landed: Arc<Notify>,
    /// The last page has not ended yet.
    is_last_under_way: Arc<AtomicBool>,
}

/// One lane with its channel.
struct Track {
    channel: Arc<dyn Channel>,
    lane: Mutex<Lane>,
    unsure: Mutex<Unsure>,
    bell: Notify,
}

impl Track {
    fn lane(&self) -> MutexGuard<'_, Lane> {
        // A lane is whole after every call; a panic elsewhere does not spoil it.
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Lanes for these channels, each with its concurrency; their tasks start at once.
    pub fn start(channels: Vec<(Arc<dyn Channel>, usize)>, around: Surroundings) -> Self {
        let track = |(channel, concurrency): (Arc<dyn Channel>, usize)| {
            let name = channel.info().name.clone();
            let lane = Mutex::new(Lane::new(concurrency));
            (
                name,
                Arc::new(Track {
                    channel,
                    lane,
                    unsure: Mutex::default(),
                    bell: Notify::new(),
                }),
            )
        };
        let sender = Self {
            lanes: Arc::new(channels.into_iter().map(track).collect()),
            handle: around.handle,
            supervisor: around.supervisor,
            monotonic: around.monotonic,
            on_outcome: around.on_outcome,
            landed: Arc::new(Notify::new()),
            is_last_under_way: Arc::default(),
        };
        for track in sender.lanes.values() {
            let (runs, track) = (sender.clone(), track.clone());
            let run = move || runs.clone().run(track.clone());
            sender.supervisor.keep("lane", run);
        }
        sender
    }

    /// How many orders wait in each lane.
    pub fn waiting(&self) -> Vec<(ChannelName, usize)> {
        let lanes = self.lanes.iter();
        lanes
            .map(|(name, track)| (name.clone(), track.lane().waiting()))
            .collect()
    }

    /// How many attempts are with their channels.
    pub fn under_way(&self) -> usize {
        self.lanes
            .values()
            .map(|track| track.lane().under_way())
            .sum()
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

    /// Feeds one lane for ever.
    async fn run(self, track: Arc<Track>) {
        loop {
            let next = track.lane().next((self.monotonic)());
            match next {
                Next::Start {
                    order,
                    mark,
                    waited,
                } => {
                    let place = Place::new(&self, &track, &order);
                    let (sender, track) = (self.clone(), track.clone());
                    self.supervisor.spawn("attempt", async move {
                        let order = sender.as_it_leaves(&track, order, waited).await;
                        sender.attempt(&track, order, mark, place).await;
                    });
                }
                Next::Idle => track.bell.notified().await,
                Next::NotBefore(moment) => {
                    let now = (self.monotonic)();
                    let wait = Duration::from_millis(moment.0.saturating_sub(now.0).max(1));
                    // A bell may bring an earlier order or a cancellation; both are looked at.
                    let _bell_or_time = tokio::time::timeout(wait, track.bell.notified()).await;
                }
            }
        }
    }

    /// What leaves: the very same as before if nobody knows whether that arrived, and otherwise
    /// what is so now if it stood in the lane for a while.
    async fn as_it_leaves(&self, track: &Track, order: Arc<Order>, waited: Millis) -> Arc<Order> {
        if let Some(same) = track.unsure().repeated(&order) {
            return Arc::new(same);
        }
        if waited < RENEWED_AFTER {
            return order;
        }
        let old = order.clone();
        let reading = self
            .handle
            .read(move |view| renewed(view.state, view.rules, &old, view.now));
        match tokio::time::timeout(RENEWED_WITHIN, reading).await {
            Ok(Ok(Some(renewed))) => Arc::new(renewed),
            // It says what was so when it was decided: better than to be late.
            Ok(Ok(None) | Err(_)) | Err(_) => order,
        }
    }

    async fn attempt(&self, track: &Track, order: Arc<Order>, mark: Mark, place: Place) {
        let began = (self.monotonic)();
        let Ok(sent) = self.call(track, &order, mark).await else {
            return self.withdrawn(&order, place);
        };
        let latency = Millis((self.monotonic)().0.saturating_sub(began.0));
        self.finish(track, &order, sent, (latency, place));
    }

    /// Hands an order to its channel and waits for the end of it.
    async fn call(&self, track: &Track, order: &Arc<Order>, mark: Mark) -> Result<Sent, Withdrawn> {
        let limit = Duration::from_millis(order.deadline.0) + GRACE;
        let (channel, sent_order) = (track.channel.clone(), order.clone());
        // In a task of its own, so that a panic in a channel is an outcome and not a lost attempt.
        let call = tokio::spawn(async move {
            tokio::time::timeout(limit, channel.send(&sent_order, &mark)).await
        });
        match call.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Ok(unknown("the channel did not end within its deadline")),
            Err(error) => {
                warn!(channel.name = %order.channel, error = %error, "a channel panicked");
                Ok(unknown("the channel failed inside"))
            }
        }
    }

    /// The channel kept the message back: as if the order had never left its lane.
    fn withdrawn(&self, order: &Order, place: Place) {
        place.end(not_started(order.attempt));
        info!(
            attempt.id = order.attempt.0,
            channel.name = %order.channel,
            "attempt withdrawn before its message left"
        );
    }

    fn finish(
        &self,
        track: &Track,
        order: &Arc<Order>,
        sent: Sent,
        (latency, place): (Millis, Place),
    ) {
        let outcome = sent.outcome;
        if sent.outcome == Outcome::Unknown {
            track.unsure().remember(order.clone());
        }
        let given_back = match sent.outcome {
            Outcome::Throttled { wait } => {
                let now = (self.monotonic)();
                let orders = track.lane().throttled(order.attempt, wait, now);
                orders.into_iter().map(|order| (order, wait)).collect()
            }
            Outcome::Delivered
            | Outcome::Accepted
            | Outcome::Transient
            | Outcome::RefusedTarget
            | Outcome::RefusedContent
            | Outcome::RefusedCredential
            | Outcome::TlsNameMismatch
            | Outcome::TlsOther
            | Outcome::QuotaExhausted
            | Outcome::Unknown => {
                track.lane().ended(order.attempt, sent.outcome.is_sent());
                Vec::new()
            }
        };
        place.end(Report {
            attempt: order.attempt,
            outcome: sent.outcome,
            latency_ms: latency.0,
            provider_message: sent.provider_message.map(Into::into),
            reference: sent.reference.map(Into::into),
            was_started: true,
        });
        for (order, wait) in given_back {
            self.give_back(&order, wait);
        }
        (self.on_outcome)(&order.channel, outcome, latency);
        info!(
            attempt.id = order.attempt.0,
            channel.name = %order.channel,
            outcome = %outcome,
            latency_ms = latency.0,
            "attempt ended"
        );
    }

    fn give_back(&self, order: &Order, wait: Millis) {
        let outcome = Outcome::Throttled { wait };
        let report = Report {
            outcome,
            ..not_started(order.attempt)
        };
        self.handle.tell(Input::Outcome(report));
    }
}

/// The place of an attempt in its lane. Whatever becomes of its task, it is given back, and the
/// driver is told before anything else is done.
struct Place {
    sender: Sender,
    track: Arc<Track>,
    attempt: AttemptId,
    is_over: bool,
}

impl Place {
    fn new(sender: &Sender, track: &Arc<Track>, order: &Order) -> Self {
        Self {
            sender: sender.clone(),
            track: track.clone(),
            attempt: order.attempt,
            is_over: false,
        }
    }

    /// The attempt ended so.
    fn end(mut self, report: Report) {
        self.give_back(report);
    }

    fn give_back(&mut self, report: Report) {
        self.is_over = true;
        self.track.lane().ended(self.attempt, false);
        self.sender.handle.tell(Input::Outcome(report));
        self.track.bell.notify_one();
        self.sender.landed.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_over {
            let sent = unknown("the attempt failed inside");
            self.give_back(Report {
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

impl Outlet for Sender {
    fn cancel(&self, attempt: AttemptId) {
        let was_waiting = self
            .lanes
            .values()
            .any(|track| track.lane().cancel(attempt));
        if was_waiting {
            self.handle.tell(Input::Outcome(not_started(attempt)));
        }
    }

    fn send(&self, order: Arc<Order>) {
        let Some(track) = self.lanes.get(&order.channel) else {
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
        let pushed = track.lane().push(order, (self.monotonic)());
        match pushed {
            Ok(()) => track.bell.notify_one(),
            Err((order, wait)) => self.give_back(&order, wait),
        }
    }

    fn send_last(&self, order: Arc<Order>) {
        let Some(track) = self.lanes.get(&order.channel).cloned() else {
            warn!(channel.name = %order.channel, "no such channel; the last page does not leave");
            return;
        };
        self.is_last_under_way.store(true, Ordering::SeqCst);
        let sender = self.clone();
        self.supervisor.spawn("last page", async move {
            // A channel that panics is an outcome like any other, so that this is always reached.
            let result = sender.call(&track, &order, Mark::default()).await;
            sender.is_last_under_way.store(false, Ordering::SeqCst);
            sender.landed.notify_one();
            let outcome = result.map(|sent| sent.outcome.to_string());
            warn!(channel.name = %order.channel, outcome = ?outcome, "the last page ended");
        });
    }

    fn probe(&self, channel: ChannelName) {
        let Some(track) = self.lanes.get(&channel).cloned() else {
            return;
        };
        let handle = self.handle.clone();
        self.supervisor.spawn("probe", async move {
            let limit = Duration::from_secs(30);
            let probe = tokio::time::timeout(limit, track.channel.probe()).await;
            let sent = probe.unwrap_or_else(|_| unknown("the probe did not end in time"));
            handle.tell(Input::Probed {
                channel,
                outcome: sent.outcome,
                provider_message: sent.provider_message.map(Into::into),
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::engine::State;
    use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium, RuleSet};
    use crate::engine::time::Now;
    use crate::engine::urgency::Urgency;
    use crate::outbound::Pending;
    use crate::runtime::handle::View;
    use crate::runtime::lane::tests::order;
    use crate::runtime::queue::Control;
    use crate::store::{MemoryStore, Partition};

    /// A channel that looks something up for as long as the test wants before it posts.
    struct Slow {
        info: ChannelInfo,
        arrived: mpsc::UnboundedSender<u64>,
        go_on: Arc<Semaphore>,
        posted: mpsc::UnboundedSender<u64>,
    }

    impl Channel for Slow {
        fn info(&self) -> &ChannelInfo {
            &self.info
        }

        fn send<'channel>(
            &'channel self,
            order: &'channel Order,
            mark: &'channel Mark,
        ) -> Pending<'channel, Result<Sent, Withdrawn>> {
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

        fn probe(&self) -> Pending<'_, Sent> {
            Box::pin(async { unknown("never asked") })
        }
    }

    /// One lane of one attempt at a time, and all that can be seen of it.
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
            let info = ChannelInfo {
                name: "sms".into(),
                media: vec![Medium::Sms],
                reaches_people: true,
                is_one_endpoint: true,
                capabilities: Capabilities::default(),
            };
            let channel = Slow {
                info,
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
                monotonic: Arc::new(move || Millis(clock.load(Ordering::Relaxed))),
                on_outcome: Arc::new(|_, _, _| {}),
            };
            Self {
                sender: Sender::start(vec![(Arc::new(channel), 1)], around),
                handle,
                arrived,
                go_on,
                posted,
                time,
            }
        }

        fn send(&self, attempt: u64) {
            self.sender.send(order(attempt, Urgency::High, "native"));
        }

        /// What the driver is told next: the attempt, and whether it was started.
        async fn told(&self) -> Vec<(u64, bool)> {
            self.sender.landed().await;
            let taken = self.handle.take(Duration::ZERO);
            let reports = taken.controls.into_iter().map(|control| match control {
                Control::Input {
                    input: Input::Outcome(report),
                    ..
                } => (report.attempt.0, report.was_started),
                _ => panic!("only outcomes are told here"),
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
    async fn an_order_cancelled_while_it_waits_in_its_lane_never_reaches_its_channel() {
        let mut bench = Bench::new();
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.send(2);
        bench.send(3);
        bench.sender.cancel(AttemptId(2));
        bench.go_on.add_permits(1);
        assert_eq!(bench.told().await, [(2, false), (1, true)]);
        assert_eq!(bench.arrived.recv().await, Some(3), "the lane goes on");
        bench.go_on.add_permits(1);
        assert_eq!(bench.told().await, [(3, true)]);
        assert_eq!(bench.posted.recv().await, Some(1));
        assert_eq!(bench.posted.recv().await, Some(3));
    }

    #[tokio::test]
    async fn the_last_page_does_not_wait_for_a_place_in_its_lane() {
        let mut bench = Bench::new();
        bench.sender.last_landed().await;
        bench.send(1);
        bench.send(2);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.sender.send_last(order(3, Urgency::High, "native"));
        assert_eq!(bench.arrived.recv().await, Some(3), "2 still waits");
        bench.go_on.add_permits(3);
        bench.sender.last_landed().await;
        let posted = [bench.posted.recv().await, bench.posted.recv().await];
        assert!(posted.contains(&Some(3)), "{posted:?}");
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
    async fn an_order_that_stood_in_its_lane_is_written_again_before_it_leaves() {
        let mut bench = Bench::new();
        bench.send(1);
        assert_eq!(bench.arrived.recv().await, Some(1));
        bench.send(2);
        bench.time.store(1_000, Ordering::Relaxed);
        bench.go_on.add_permits(2);
        bench.sender.landed().await;
        let mut reads = Vec::new();
        for _ in 0..100 {
            reads.extend(bench.handle.take(Duration::ZERO).reads);
            tokio::task::yield_now().await;
        }
        let read = reads.pop().expect("the driver is asked what is so now");
        assert!(bench.arrived.try_recv().is_err(), "it waits for its words");
        // Its page is gone meanwhile: then it leaves as it was.
        read(View {
            state: &State::default(),
            rules: &RuleSet::default(),
            now: Now::default(),
        });
        assert_eq!(bench.arrived.recv().await, Some(2));
    }
}
