//! Whether the process lives, whether it can do its work, and what it measures.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use crate::runtime::handle::View;

use super::extract::Json;
use super::ports::AppState;
use super::wire::process::Health;

/// A timer may be late by so much before the process counts as not ready.
const TIMERS_LATE_MS: u64 = 30_000;

/// A look takes at most so long: the answer is there within a second.
const LOOK_TIME: Duration = Duration::from_millis(800);

/// The process is alive
#[utoipa::path(
    get, path = "/healthz", security(()),
    responses((status = 200, body = Health))
)]
pub async fn healthz(State(state): State<AppState>) -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        causes: Vec::new(),
        time_zones: state.settings.time_zones.clone(),
    })
}

/// The store is writable and timers are on time
///
/// Anybody may ask, so the look is small: the full audit runs by itself every minute. It answers
/// whatever the driver does.
#[utoipa::path(
    get, path = "/readyz", security(()),
    responses((status = 200, body = Health))
)]
pub async fn readyz(State(state): State<AppState>) -> Response {
    let (timers, disk) = tokio::join!(look_at_timers(&state), look_at_disk(&state));
    let causes: Vec<String> = [timers, disk]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect();
    let (status, word) = if causes.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let health = Health {
        status: word.to_owned(),
        causes,
        time_zones: state.settings.time_zones.clone(),
    };
    (status, Json(health)).into_response()
}

async fn look_at_timers(state: &AppState) -> Option<&'static str> {
    let looking = state.clone();
    let look = async move {
        let look = |view: View<'_>| view.state.overdue(view.now.steady, TIMERS_LATE_MS, 1);
        looking.handle.read(look).await
    };
    match alone_and_in_time(&state.looks.driver, LOOK_TIME, look).await {
        Some(Ok(0)) => None,
        Some(Ok(_)) => Some("timers are more than 30 seconds late"),
        Some(Err(unavailable)) => {
            tracing::debug!(error = %unavailable, "not ready");
            Some("the driver does not respond")
        }
        None => Some("the driver does not respond"),
    }
}

async fn look_at_disk(state: &AppState) -> Option<&'static str> {
    let looking = state.clone();
    let look = async move { looking.history(|store, _| Ok(store.free_bytes())).await };
    let least = state.settings.disk_min_bytes;
    match alone_and_in_time(&state.looks.disk, LOOK_TIME, look).await {
        Some(free) => {
            let is_low = free.ok().flatten().is_some_and(|free| free < least);
            is_low.then_some("less than disk_min is free on the store's disk")
        }
        None => Some("the store's disk does not respond"),
    }
}

/// What a look saw, if it ends in time. One that does not goes on, and nobody looks beside it.
async fn alone_and_in_time<T: Send + 'static>(
    turn: &Arc<Mutex<()>>,
    within: Duration,
    look: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let turn = turn.clone();
    let looking = async move {
        let turn = turn.lock_owned().await;
        let look = async move {
            let seen = look.await;
            drop(turn);
            seen
        };
        tokio::spawn(look).await.ok()
    };
    tokio::time::timeout(within, looking).await.ok()?
}

/// Metrics
#[utoipa::path(
    get, path = "/metrics", security(()),
    responses((status = 200))
)]
pub async fn metrics(State(state): State<AppState>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.render()).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_look_that_hangs_is_given_up_and_nobody_looks_beside_it() {
        assert!(LOOK_TIME < Duration::from_secs(1));
        let (soon, turn) = (Duration::from_millis(1), Arc::new(Mutex::new(())));
        let hanging = std::future::pending::<()>();
        assert_eq!(alone_and_in_time(&turn, soon, hanging).await, None);
        let begun = Arc::new(AtomicBool::new(false));
        let next = begun.clone();
        let look = async move { next.store(true, Ordering::SeqCst) };
        assert_eq!(alone_and_in_time(&turn, soon, look).await, None);
        assert!(!begun.load(Ordering::SeqCst));
        let free = Arc::new(Mutex::new(()));
        let look = async { 1 };
        assert_eq!(alone_and_in_time(&free, LOOK_TIME, look).await, Some(1));
    }
}
