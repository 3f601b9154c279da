//! Runs attempts: one lane per channel, each attempt in a task of its own with a deadline. Every
//! outcome goes back to the driver.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle as Tokio;
use tokio::sync::Notify;
use tracing::{info, warn};

use crate::engine::decision::Order;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::input::{Input, Report};
use crate::engine::outcome::Outcome;
use crate::engine::time::Millis;
use crate::outbound::{Channel, Sent};
use crate::runtime::driver::not_started;
use crate::runtime::handle::Handle;
use crate::runtime::lane::{Lane, Next};
use crate::runtime::thread::Outlet;

/// A channel keeps its own deadline; this much later it is given up from outside.
const GRACE: Duration = Duration::from_secs(2);

/// Time since the process began.
pub type Monotonic = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Told of each outcome, for metrics.
pub type OnOutcome = Arc<dyn Fn(&ChannelName, Outcome, Millis) + Send + Sync>;

/// All lanes.
#[derive(Clone)]
pub struct Sender {
    lanes: Arc<BTreeMap<ChannelName, Arc<Track>>>,
    handle: Handle,
    tokio: Tokio,
    monotonic: Monotonic,
    on_outcome: OnOutcome,
    landed: Arc<Notify>,
}

/// One lane with its channel.
struct Track {
    channel: Arc<dyn Channel>,
    lane: Mutex<Lane>,
    bell: Notify,
}

impl Track {
    fn lane(&self) -> MutexGuard<'_, Lane> {
        // A lane is whole after every call; a panic elsewhere does not spoil it.
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the sender works with beside its channels.
pub struct Surroundings {
    pub handle: Handle,
    pub tokio: Tokio,
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
                    bell: Notify::new(),
                }),
            )
        };
        let sender = Self {
            lanes: Arc::new(channels.into_iter().map(track).collect()),
            handle: around.handle,
            tokio: around.tokio,
            monotonic: around.monotonic,
            on_outcome: around.on_outcome,
            landed: Arc::new(Notify::new()),
        };
        for track in sender.lanes.values() {
            sender.tokio.spawn(sender.clone().run(track.clone()));
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

    /// Feeds one lane for ever.
    async fn run(self, track: Arc<Track>) {
        loop {
            let next = track.lane().next((self.monotonic)());
            match next {
                Next::Start(order) => {
                    self.tokio.spawn(self.clone().attempt(track.clone(), order));
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

    async fn attempt(self, track: Arc<Track>, order: Arc<Order>) {
        let began = (self.monotonic)();
        let limit = Duration::from_millis(order.deadline.0) + GRACE;
        let (channel, sent_order) = (track.channel.clone(), order.clone());
        // In a task of its own, so that a panic in a channel is an outcome and not a lost attempt.
        let call = self
            .tokio
            .spawn(async move { tokio::time::timeout(limit, channel.send(&sent_order)).await });
        let sent = match call.await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => unknown("the channel did not end within its deadline"),
            Err(error) => {
                warn!(channel.name = %order.channel, error = %error, "a channel panicked");
                unknown("the channel failed inside")
            }
        };
        let latency = Millis((self.monotonic)().0.saturating_sub(began.0));
        self.finish(&track, &order, sent, latency);
    }

    fn finish(&self, track: &Track, order: &Order, sent: Sent, latency: Millis) {
        info!(
            attempt.id = order.attempt.0,
            channel.name = %order.channel,
            outcome = %sent.outcome,
            latency_ms = latency.0,
            "attempt ended"
        );
        (self.on_outcome)(&order.channel, sent.outcome, latency);
        let given_back = match sent.outcome {
            Outcome::Throttled { wait } => {
                let now = (self.monotonic)();
                let orders = track.lane().throttled(wait, now);
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
                track.lane().ended(sent.outcome.is_sent());
                Vec::new()
            }
        };
        track.bell.notify_one();
        self.handle.tell(Input::Outcome(Report {
            attempt: order.attempt,
            outcome: sent.outcome,
            latency_ms: latency.0,
            provider_message: sent.provider_message.map(Into::into),
            reference: sent.reference.map(Into::into),
            was_started: true,
        }));
        for (order, wait) in given_back {
            self.give_back(&order, wait);
        }
        self.landed.notify_one();
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

    fn probe(&self, channel: ChannelName) {
        let Some(track) = self.lanes.get(&channel).cloned() else {
            return;
        };
        let handle = self.handle.clone();
        self.tokio.spawn(async move {
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
