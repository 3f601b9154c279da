//! Silences in Alertmanager's form. They are known by UUIDs; a number of ours is understood too.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::auth::Caller;
use crate::api::extract::{Json, Path};
use crate::api::ports::{ApiState, AppState};
use crate::api::problem::Problem;
use crate::api::wire::silence::{
    GettableSilence, PostableSilence, SilenceState, gettable, to_matcher, uuid,
};
use crate::api::{parse, silences};
use crate::engine::input::{Actor, SilenceRequest, Via};
use crate::engine::records::Silence;
use crate::runtime::handle::View;

use super::query::{Parameters, passes};

/// As Alertmanager's API v2
///
/// The ones in force first, then those to come, then those that ended.
#[utoipa::path(
    get, path = "/api/v2/silences", security(("token" = ["viewer"])),
    params(("filter" = Option<Vec<String>>, Query)),
    responses((status = 200, body = Vec<GettableSilence>))
)]
pub async fn list(
    State(state): State<AppState>,
    parameters: Parameters,
) -> Result<Json<Vec<GettableSilence>>, Problem> {
    let filter = parameters.matchers()?;
    let look = |view: View<'_>| view.state.shown_silences().cloned().collect::<Vec<_>>();
    let mut known: Vec<Arc<Silence>> = state.handle.read(look).await?;
    known.retain(|silence| passes(&silence.matchers, &filter));
    known.sort_by_key(|silence| {
        let state = SilenceState::of(silence);
        let order = match state {
            SilenceState::Active => silence.until.0,
            SilenceState::Pending => silence.from.0,
            SilenceState::Expired => -silence.until.0,
        };
        (state, order)
    });
    Ok(Json(
        known.iter().map(|silence| gettable(silence)).collect(),
    ))
}

/// As Alertmanager's API v2
#[utoipa::path(
    get, path = "/api/v2/silence/{id}", security(("token" = ["viewer"])),
    responses((status = 200, body = GettableSilence))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<GettableSilence>, Problem> {
    let silence = find(&state, &id).await?;
    Ok(Json(gettable(&silence)))
}

/// As Alertmanager's API v2
///
/// Sets one, or changes the one whose id it has. What cannot be changed in place is replaced under
/// a new id, as by the original.
#[utoipa::path(
    post, path = "/api/v2/silences", security(("token" = ["responder"])),
    responses((status = 200))
)]
pub async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Json(posted): Json<PostableSilence>,
) -> Result<Json<Value>, Problem> {
    let replaces = match posted.id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(find(&state, id).await?.id),
    };
    let from = parse::moment("startsAt", &posted.starts_at)?;
    let until = parse::moment("endsAt", &posted.ends_at)?;
    if from >= until {
        let detail = "Failed to create silence: start time must be before end time";
        return Err(Problem::invalid(detail));
    }
    if until <= state.now() {
        let detail = "Failed to create silence: end time can't be in the past";
        return Err(Problem::invalid(detail));
    }
    let matchers = posted.matchers.iter().map(to_matcher).collect();
    let mut actor = caller.actor();
    let created_by = parse::clean(&posted.created_by, 100);
    if !created_by.is_empty() {
        // The client says who; whose token it was stands in the audit.
        actor = Actor::named(created_by, Via::Api);
    }
    let request = SilenceRequest {
        actor,
        matchers: silences::checked(matchers)?,
        everything: posted.everything,
        from: Some(from),
        until,
        reason: parse::clean(&posted.comment, 500).into(),
        replaces,
    };
    let (id, _) = silences::set(&state, &caller, request).await?;
    let look = move |view: View<'_>| view.state.silence(id).map(|known| uuid(known));
    let id = state.handle.read(look).await?;
    let id = id.ok_or_else(Problem::internal)?;
    Ok(Json(json!({ "silenceID": id })))
}

/// As Alertmanager's API v2
///
/// To end one that has ended changes nothing.
#[utoipa::path(
    delete, path = "/api/v2/silence/{id}", security(("token" = ["responder"])),
    responses((status = 200))
)]
pub async fn expire(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let silence = find(&state, &id).await?;
    if silence.ended_at.is_none() {
        silences::end(&state, &caller, silence.id).await?;
    }
    Ok(StatusCode::OK)
}

async fn find(state: &ApiState, id: &str) -> Result<Arc<Silence>, Problem> {
    let wanted = id.to_ascii_lowercase();
    let look = move |view: View<'_>| {
        let mut known = view.state.shown_silences();
        let number = wanted.parse::<u64>().ok();
        let is_it = |silence: &&Arc<Silence>| match number {
            Some(number) => silence.id.0 == number,
            None => uuid(silence) == wanted,
        };
        known.find(is_it).cloned()
    };
    let found = state.handle.read(look).await?;
    found.ok_or_else(|| {
        let id = parse::clean(id, 40);
        let detail = format!("silence not found: {id:?}; see `amtool silence query`");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    })
}
