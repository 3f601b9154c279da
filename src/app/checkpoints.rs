//! Upkeep of the store, in small steps beside the commits: the database takes over the log, and
//! checkpoints are made.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::warn;

use crate::runtime::supervise::Supervisor;
use crate::store::Store;

/// Between two looks whether anything is due.
const LOOK: Duration = Duration::from_millis(250);

/// Between two steps: commits go between them, and 500 steps a second are faster than
/// commits can make work for them.
const STEP: Duration = Duration::from_millis(2);

/// After an error, which the log tells each time.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// Starts the steps, which go on for as long as the process runs.
pub fn keep(supervisor: &Supervisor, store: &Arc<dyn Store>) -> JoinHandle<()> {
    let store = store.clone();
    supervisor.keep("checkpoints", move || steps(store.clone()))
}

async fn steps(store: Arc<dyn Store>) {
    loop {
        let step = store.clone();
        let pause = match tokio::task::spawn_blocking(move || step.checkpoint()).await {
            Ok(Ok(true)) => STEP,
            Ok(Ok(false)) => LOOK,
            Ok(Err(error)) => {
                let what = "the database did not take over the log, or no checkpoint was made: \
                    the next start takes longer, and both grow";
                warn!(%error, "{what}");
                AFTER_ERROR
            }
            Err(error) => {
                warn!(%error, "the upkeep of the store had an internal error");
                AFTER_ERROR
            }
        };
        tokio::time::sleep(pause).await;
    }
}
