//! What a supervisor such as systemd is told: ready, alive, stopping. Without one nothing is sent.
//!
//! A sign of life is sent only after the driver has answered, so a driver that hangs is ended and
//! started again by the supervisor: nothing that was accepted is lost by that, and nothing is paged
//! while it hangs. If the loop itself fails, the signs end as well.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::runtime::handle::Handle;

/// So many signs of life within the supervisor's limit.
const SIGNS_PER_LIMIT: u32 = 4;

/// The process is ready. From now on it sends signs of life if the supervisor asks for them
/// (`WATCHDOG_USEC`).
pub fn tell_ready(handle: &Handle) -> JoinHandle<()> {
    tell(NotifyState::Ready, "ready");
    start_watchdog(handle)
}

/// The process ends in order.
pub fn tell_stopping() {
    tell(NotifyState::Stopping, "stopping");
}

fn start_watchdog(handle: &Handle) -> JoinHandle<()> {
    let limit = sd_notify::watchdog_enabled();
    let handle = handle.clone();
    tokio::spawn(async move {
        if let Some(limit) = limit.filter(|limit| !limit.is_zero()) {
            let sign = || tell(NotifyState::Watchdog, "alive");
            give_signs(&handle, limit / SIGNS_PER_LIMIT, sign).await;
        }
    })
}

/// Until the driver is gone: one sign for each answer of the driver.
async fn give_signs(handle: &Handle, pause: Duration, sign: impl Fn()) {
    while handle.read(|_| ()).await.is_ok() {
        sign();
        tokio::time::sleep(pause).await;
    }
}

fn tell(state: NotifyState<'_>, word: &str) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "the supervisor was not told that the process is {word}");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Poll;

    use super::*;
    use crate::runtime::handle::Unavailable;
    use crate::store::{MemoryStore, Partition};

    #[tokio::test]
    async fn a_driver_that_does_not_answer_gives_no_sign_of_life() {
        let store = Arc::new(MemoryStore::new());
        let handle = Handle::new(store, Partition::default(), Arc::default());
        let signs = Cell::new(0);
        let count = || signs.set(signs.get() + 1);
        let mut giving = pin!(give_signs(&handle, Duration::ZERO, count));
        for _ in 0..100 {
            let is_over = poll_fn(|context| Poll::Ready(giving.as_mut().poll(context))).await;
            assert!(is_over.is_pending(), "it waits for the answer");
            tokio::task::yield_now().await;
        }
        assert_eq!(signs.get(), 0);
        handle.end(&Unavailable::Stopping);
        giving.await;
        assert_eq!(signs.get(), 0, "the driver is gone");
    }
}
