//! The part of Alertmanager's API v2 that its tools need to set silences here.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::engine::ids::SilenceId;
use crate::engine::input::SilenceRequest;
use crate::runtime::handle::View;

use super::auth::Caller;
use super::borders::Shared;
use super::extract::{Payload, Segment};
use super::problem::Problem;
use super::shapes::silence::{GettableSilence, PostableSilence, gettable, to_matcher};
use super::silences;
use super::words::{self, ITEMS_MAX};

/// `GET /api/v2/status`
pub async fn status(State(state): State<Shared>) -> Json<Value> {
    Json(json!({
        "cluster": {"name": "", "status": "disabled", "peers": []},
        "versionInfo": {
            "version": env!("CARGO_PKG_VERSION"),
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "",
        },
        "config": {"original": ""},
        "uptime": super::shapes::silence::alertmanager_time(state.started_at),
    }))
}

/// `GET /api/v2/silences`
pub async fn list(State(state): State<Shared>) -> Result<Json<Vec<GettableSilence>>, Problem> {
    let look = |view: View<'_>| {
        let silences = view.state.silences().take(ITEMS_MAX);
        silences.map(|silence| gettable(silence)).collect()
    };
    Ok(Json(state.handle.read(look).await?))
}

/// `GET /api/v2/silence/{id}`
pub async fn show(
    State(state): State<Shared>,
    Segment(id): Segment<String>,
) -> Result<Json<GettableSilence>, Problem> {
    let id = SilenceId(words::number("silence", &id)?);
    let look = move |view: View<'_>| view.state.silence(id).map(|known| gettable(known));
    let known = state.handle.read(look).await?;
    known.map(Json).ok_or_else(|| silences::not_there(id))
}

/// `POST /api/v2/silences`
pub async fn add(
    State(state): State<Shared>,
    caller: Caller,
    Payload(posted): Payload<PostableSilence>,
) -> Result<Json<Value>, Problem> {
    let replaces = match posted.id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(SilenceId(words::number("silence", id)?)),
    };
    let matchers = posted.matchers.iter().map(to_matcher).collect();
    let mut actor = caller.actor();
    let created_by = words::clean(&posted.created_by, 100);
    if !created_by.is_empty() && created_by != caller.name {
        // What the client says is shown; whose token it was stays visible.
        actor.name = format!("{created_by} (token of {})", caller.name).into();
    }
    let request = SilenceRequest {
        actor,
        matchers: silences::checked(matchers)?,
        from: Some(words::moment("startsAt", &posted.starts_at)?),
        until: words::moment("endsAt", &posted.ends_at)?,
        reason: words::clean(&posted.comment, 500).into(),
        replaces,
    };
    let (id, _) = silences::set(&state, &caller, request).await?;
    Ok(Json(json!({"silenceID": id.to_string()})))
}

/// `DELETE /api/v2/silence/{id}`
pub async fn expire(
    State(state): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
) -> Result<StatusCode, Problem> {
    silences::end(&state, &caller, &id).await?;
    Ok(StatusCode::OK)
}
