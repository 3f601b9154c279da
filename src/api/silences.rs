//! Silences in our own shape.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::ids::SilenceId;
use crate::engine::input::SilenceRequest;
use crate::engine::matcher::{Matcher, MatcherError};
use crate::engine::request::ExpireSilence;
use crate::runtime::handle::View;

use super::audit;
use super::auth::Caller;
use super::extract::{Json, Path, Query};
use super::parse::{self, Paging};
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::audit::Action;
use super::wire::silence::Silenced;
use super::wire::{self, List};

/// What is to be quiet, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Such as `team="payments"`; all must match, and one of them not the empty text.
    #[serde(default)]
    matchers: Vec<String>,
    /// It is meant that it may cover everything.
    #[serde(default)]
    everything: bool,
    /// RFC 3339; default: now.
    from: Option<String>,
    /// RFC 3339; or `for`.
    until: Option<String>,
    /// A length such as `2h`; or `until`.
    #[serde(rename = "for")]
    for_: Option<String>,
    #[serde(default)]
    reason: String,
}

/// List silences
///
/// Those that have not ended, by their ids.
#[utoipa::path(
    get, path = "/v1/silences", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::silence::Silence>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::silence::Silence>>, Problem> {
    let (after, limit) = query.read()?;
    let look = move |view: View<'_>| {
        let silences = view.state.silences();
        let later = silences.filter(|known| known.id.0 > after).take(limit);
        later.map(|known| wire::silence::silence(known)).collect()
    };
    let silences = state.handle.read(look).await?;
    Ok(Json(List::page(silences, limit, |known| known.id)))
}

/// Set a silence
#[utoipa::path(
    post, path = "/v1/silences", security(("token" = ["responder"])),
    responses((status = 201, body = Silenced))
)]
pub async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewSilence>,
) -> Result<(StatusCode, Json<Silenced>), Problem> {
    let from = new.from.as_deref();
    let from = from.map(|from| parse::moment("from", from)).transpose()?;
    let start = from.unwrap_or_else(|| state.now());
    let until = parse::end(new.until.as_deref(), new.for_.as_deref(), start)?;
    let matchers = new.matchers.iter().map(|text| Matcher::parse(text));
    let matchers: Result<Vec<_>, MatcherError> = matchers.collect();
    let request = SilenceRequest {
        actor: caller.actor(),
        matchers: checked(matchers)?,
        everything: new.everything,
        from,
        until,
        reason: parse::clean(&new.reason, 500).into(),
        replaces: None,
    };
    let (id, covers) = set(&state, &caller, request).await?;
    let silenced = Silenced {
        id: id.0,
        covers,
        until: until.to_string(),
    };
    Ok((StatusCode::CREATED, Json(silenced)))
}

/// One silence
#[utoipa::path(
    get, path = "/v1/silences/{id}", security(("token" = ["viewer"])),
    responses((status = 200, body = wire::silence::Silence))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<wire::silence::Silence>, Problem> {
    let id = SilenceId(parse::number("silence", &id)?);
    let look = move |view: View<'_>| {
        let known = view.state.silence(id);
        known.map(|known| wire::silence::silence(known))
    };
    let known = state.handle.read(look).await?;
    known.map(Json).ok_or_else(|| not_there(id))
}

/// End a silence now
#[utoipa::path(
    delete, path = "/v1/silences/{id}", security(("token" = ["responder"])),
    responses((status = 204))
)]
pub async fn expire(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = SilenceId(parse::number("silence", &id)?);
    end(&state, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a silence; the answer is its id and how many open incidents it covers.
pub async fn set(
    state: &ApiState,
    caller: &Caller,
    request: SilenceRequest,
) -> Result<(SilenceId, usize), Problem> {
    let matchers: Vec<String> = request.matchers.iter().map(ToString::to_string).collect();
    let (matchers, until, reason) = (matchers.join(", "), request.until, &request.reason);
    let act = audit::event(state, caller, Action::SilenceSet)
        .because(format!("{matchers} until {until}: {reason}"));
    let record = act.about(|(silence, _)| format!("silence {silence}"));
    Ok(state.handle.ask(request, Some(record)).await?)
}

/// Ends a silence now.
pub async fn end(state: &ApiState, caller: &Caller, silence: SilenceId) -> Result<(), Problem> {
    let look = move |view: View<'_>| view.state.silence(silence).is_some();
    if !state.handle.read(look).await? {
        return Err(not_there(silence));
    }
    let act = audit::event(state, caller, Action::SilenceEnded).on(format!("silence {silence}"));
    let end = ExpireSilence(silence);
    Ok(state.handle.ask(end, Some(act.once_done())).await?)
}

/// Matchers, if all of them are accepted.
pub fn checked(matchers: Result<Vec<Matcher>, MatcherError>) -> Result<Vec<Matcher>, Problem> {
    matchers.map_err(|error| Problem::invalid(error.to_string()))
}

/// No silence has this id, or not any more.
fn not_there(id: SilenceId) -> Problem {
    let what = format_args!("{id}, or it ended more than 5 days ago");
    Problem::not_found("silence", what)
}
