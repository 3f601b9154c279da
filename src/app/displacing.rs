//! The cap on disk use, looked at every second: what fills a disk does so within seconds, and the
//! database gives no room back that it once took.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::options::millis;
use crate::config::Settings;
use crate::engine::time::Timestamp;
use crate::runtime::supervise::Supervisor;
use crate::store::{Error, Partition, Retention, Store};

const ROUND: Duration = Duration::from_secs(1);

/// Before this nothing was: by it nothing is too old, and only what is over the cap goes.
const BEFORE_ALL: Timestamp = Timestamp(i64::MIN);

/// Starts the rounds, which go on for as long as the process runs.
pub fn keep(
    supervisor: &Supervisor,
    store: &Arc<dyn Store>,
    partition: Partition,
    settings: &Settings,
) -> JoinHandle<()> {
    let store = store.clone();
    let retention = retention(settings);
    supervisor.keep("displacing", move || {
        rounds(store.clone(), partition, retention)
    })
}

/// What the settings keep of history.
pub fn retention(settings: &Settings) -> Retention {
    Retention {
        events: millis(settings.keep_events),
        incidents: millis(settings.keep_incidents),
        disk_bytes: settings.disk_cap_bytes,
    }
}

async fn rounds(store: Arc<dyn Store>, partition: Partition, retention: Retention) {
    let mut ticks = tokio::time::interval(ROUND);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let store = store.clone();
        let round = move || displace(&*store, partition, &retention);
        match tokio::task::spawn_blocking(round).await {
            Ok(Ok(0)) => {}
            Ok(Ok(displaced)) => info!(
                history.removed = displaced,
                "history beyond disk_cap was removed"
            ),
            // The minute's purge says so too.
            Ok(Err(error)) => warn!(%error, "history beyond disk_cap was not removed"),
            Err(error) => warn!(%error, "removing history beyond disk_cap failed"),
        }
    }
}

/// Removes the oldest history until the store is within its cap. How much went.
fn displace(store: &dyn Store, partition: Partition, retention: &Retention) -> Result<u64, Error> {
    let mut displaced = 0;
    loop {
        let purged = store.purge(partition, retention, BEFORE_ALL)?;
        displaced += purged.displaced;
        if !purged.is_more {
            return Ok(displaced);
        }
    }
}
