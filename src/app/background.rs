//! The minute rounds: self-audit, heartbeat, metrics.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tracing::{error, warn};

use super::{channels, checkpoints, displacing};
use crate::channels::http::{Http, HttpOptions, Method, Reach, Request};
use crate::config::Settings;
use crate::runtime::channel_worker::Sender;
use crate::runtime::handle::Handle;
use crate::runtime::lane_watch::{LaneWatch, Stalled};
use crate::runtime::supervise::Supervisor;
use crate::runtime::watch::{Heartbeat, OnAudit, Watch};
use crate::store::Store;
use crate::telemetry::{self, LostLines, Metrics, Queue};

const ROUND: std::time::Duration = std::time::Duration::from_secs(60);
const LANES_ROUND: std::time::Duration = std::time::Duration::from_secs(10);

/// What the rounds look at beside the state.
pub struct Rounds<'app> {
    supervisor: &'app Supervisor,
    metrics: &'app Arc<Metrics>,
    sender: &'app Sender,
    lost_lines: LostLines,
}

impl<'app> Rounds<'app> {
    /// All of it.
    pub fn new(
        supervisor: &'app Supervisor,
        metrics: &'app Arc<Metrics>,
        sender: &'app Sender,
        lost_lines: LostLines,
    ) -> Self {
        Self {
            supervisor,
            metrics,
            sender,
            lost_lines,
        }
    }
}

/// Starts the rounds.
pub fn start(
    handle: &Handle,
    store: &Arc<dyn Store>,
    settings: &Settings,
    rounds: Rounds<'_>,
) -> Vec<JoinHandle<()>> {
    let supervisor = rounds.supervisor.clone();
    let stalled = Stalled::default();
    let (lanes_handle, sender) = (handle.clone(), rounds.sender.clone());
    let lanes_stalled = stalled.clone();
    let lanes = move || {
        let sender = sender.clone();
        let attempts = Arc::new(move || sender.stalled());
        let watch = LaneWatch::new(lanes_handle.clone(), attempts, lanes_stalled.clone());
        rounds_of_lanes(watch)
    };
    let watch = Watch {
        handle: handle.clone(),
        store: store.clone(),
        disk_warn_bytes: settings.disk_warn_bytes,
        disk_min_bytes: settings.disk_min_bytes,
        retention: displacing::retention(settings),
        heartbeat: heartbeat(settings),
        stalled,
        on_audit: on_audit(handle, rounds),
    };
    vec![
        supervisor.keep("self-audit", move || rounds_of(watch.clone())),
        supervisor.keep("lane watch", lanes),
        displacing::keep(&supervisor, store, handle.store().1, settings),
        checkpoints::keep(&supervisor, store),
    ]
}

async fn rounds_of_lanes(mut watch: LaneWatch) {
    let mut ticks = tokio::time::interval(LANES_ROUND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if watch.round().await.is_err() {
            // The driver has ended; so does the process.
            return;
        }
    }
}

async fn rounds_of(watch: Watch) {
    let mut ticks = tokio::time::interval(ROUND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(unavailable) = watch.round().await {
            warn!(error = %unavailable, "a self-audit round was not finished");
        }
    }
}

fn on_audit(handle: &Handle, rounds: Rounds<'_>) -> OnAudit {
    let (metrics, lost_lines) = (rounds.metrics.clone(), rounds.lost_lines);
    let handle = handle.clone();
    Arc::new(move |audit, is_clean, free| {
        let result = if is_clean {
            telemetry::Audit::Clean
        } else {
            telemetry::Audit::Troubled
        };
        metrics.set_audit(result);
        metrics.set_timers_overdue(audit.overdue);
        metrics.set_incidents_held(audit.held);
        metrics.set_queue_length(Queue::Command, handle.commands_waiting());
        metrics.set_queue_length(Queue::Events, handle.events_waiting());
        if let Some(free) = free {
            metrics.set_disk_free(free);
        }
        let lost = lost_lines.count();
        if metrics.set_log_lines_lost(lost) {
            warn!(
                log.lost = lost,
                "log lines were lost: the log is not being read, or cannot be written"
            );
        }
        for (channel, waiting) in &audit.waiting {
            metrics.set_lane_waiting(channel.as_str(), *waiting);
        }
    })
}

/// The call of the outside heartbeat, if one is configured.
fn heartbeat(settings: &Settings) -> Option<Heartbeat> {
    let url: Arc<str> = settings.watch.heartbeat_url.as_deref()?.into();
    let options = HttpOptions {
        allow_networks: Vec::new(),
        ..channels::http_options(settings)
    };
    let http = match Http::new(options) {
        Ok(http) => Arc::new(http),
        Err(error) => {
            error!(%error, "the outside heartbeat could not be sent");
            return None;
        }
    };
    Some(Arc::new(move || {
        let (http, url) = (http.clone(), url.clone());
        Box::pin(async move {
            let request = Request {
                method: Method::GET,
                url: &url,
                reach: Reach::Configured,
                auth: crate::channels::http::Auth::None,
                headers: Vec::new(),
                body: Vec::new(),
                deadline: crate::engine::time::Duration::seconds(10),
            };
            match http.call(request).await {
                Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
                Ok(answer) => Err(format!("it answered {}", answer.status)),
                Err(fault) => Err(fault.to_string()),
            }
        })
    }))
}
