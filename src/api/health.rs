//! Whether the process lives, whether it can do its work, and what it measures.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::runtime::handle::View;

use super::borders::Shared;

/// A timer may be late by so much before the process counts as not ready.
const TIMERS_LATE_MS: u64 = 30_000;

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `not_ready`.
    status: String,
    /// What is wrong; empty when all is well.
    causes: Vec<String>,
    /// Version and source of the time zones in use, such as `2026a (bundled)`.
    time_zones: String,
}

/// `GET /healthz`: the process lives and answers.
pub async fn healthz(State(state): State<Shared>) -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        causes: Vec::new(),
        time_zones: state.settings.time_zones.clone(),
    })
}

/// `GET /readyz`: the store is writable and timers are on time. Anybody may ask, so the look is
/// small: the full audit runs by itself every minute.
pub async fn readyz(State(state): State<Shared>) -> Response {
    let mut causes = Vec::new();
    let look = |view: View<'_>| view.state.overdue(view.now.steady, TIMERS_LATE_MS, 1);
    match state.handle.read(look).await {
        Ok(0) => {}
        Ok(_) => causes.push("timers are late by more than 30 seconds".to_owned()),
        Err(unavailable) => {
            tracing::debug!(%unavailable, "not ready");
            causes.push("the driver does not answer".to_owned());
        }
    }
    let free = state.history(|store, _| Ok(store.free_bytes())).await;
    let least = state.settings.disk_min_bytes;
    if free.ok().flatten().is_some_and(|free| free < least) {
        causes.push("less than disk_min is free on the store's disk".to_owned());
    }
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

/// `GET /metrics`
pub async fn metrics(State(state): State<Shared>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], (state.metrics)()).into_response()
}
