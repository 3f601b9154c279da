//! Somebody stands in on a schedule for a while.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::calendar::Override;
use crate::engine::ids::{OverrideId, UserName};
use crate::engine::input::OverrideRequest;
use crate::engine::request::RemoveOverride;
use crate::runtime::handle::View;

use super::audit;
use super::auth::Caller;
use super::extract::{Json, Path, Query};
use super::names;
use super::parse::{self, Paging};
use super::ports::AppState;
use super::problem::Problem;
use super::wire::audit::Action;
use super::wire::{self, List};

/// Who stands in, and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOverride {
    /// A user, or `nobody`: then the turn falls to the layer beneath.
    user: String,
    /// RFC 3339; default: now.
    from: Option<String>,
    /// RFC 3339; or `for`.
    until: Option<String>,
    /// A length such as `8h`; or `until`.
    #[serde(rename = "for")]
    for_: Option<String>,
    #[serde(default)]
    reason: String,
}

/// List overrides
#[utoipa::path(
    get, path = "/v1/schedules/{schedule}/overrides", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::oncall::Override>))
)]
pub async fn list(
    State(state): State<AppState>,
    Path(schedule): Path<String>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::oncall::Override>>, Problem> {
    let (after, limit) = query.read()?;
    let schedule = names::schedule(&state.handle.rules(), &schedule)?.clone();
    let look = move |view: View<'_>| {
        let own = view
            .state
            .overrides()
            .filter(|one| one.schedule == schedule);
        let own = own.filter(|known| known.id.0 > after).take(limit);
        own.map(|known| wire::oncall::override_(known)).collect()
    };
    let overrides = state.handle.read(look).await?;
    Ok(Json(List::page(overrides, limit, |known| known.id)))
}

/// Put somebody on call for a time
#[utoipa::path(
    post, path = "/v1/schedules/{schedule}/overrides", security(("token" = ["responder"])),
    responses((status = 201, body = wire::oncall::Override))
)]
pub async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Path(schedule): Path<String>,
    Json(new): Json<NewOverride>,
) -> Result<(StatusCode, Json<wire::oncall::Override>), Problem> {
    let now = state.now();
    let rules = state.handle.rules();
    let schedule_name = names::schedule(&rules, &schedule)?.clone();
    if new.user != Override::NOBODY {
        names::user(&rules, &new.user)?;
    }
    let from = new.from.as_deref();
    let from = from.map(|from| parse::moment("from", from)).transpose()?;
    let until = parse::end(
        new.until.as_deref(),
        new.for_.as_deref(),
        from.unwrap_or(now),
    )?;
    let reason = parse::clean(&new.reason, 500);
    let act = audit::event(&state, &caller, Action::OverrideAdded).because(format!(
        "{} is on call on {schedule} until {until}: {reason}",
        new.user
    ));
    let request = OverrideRequest {
        actor: caller.actor(),
        schedule: schedule_name,
        user: UserName::from(new.user),
        from,
        until,
        reason: reason.into(),
    };
    let record = act.about(|id| format!("override {id}"));
    let id = state.handle.ask(request, Some(record)).await?;
    let look = move |view: View<'_>| view.state.override_by_id(id).cloned();
    let added = state.handle.read(look).await?;
    let added = added.ok_or_else(|| Problem::not_found("override", id))?;
    Ok((StatusCode::CREATED, Json(wire::oncall::override_(&added))))
}

/// Remove an override
#[utoipa::path(
    delete, path = "/v1/schedules/{schedule}/overrides/{id}", security(("token" = ["responder"])),
    responses((status = 204))
)]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path((schedule, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = OverrideId(parse::number("override", &id)?);
    let look = move |view: View<'_>| view.state.override_by_id(id).cloned();
    let known = state.handle.read(look).await?;
    if known.is_none_or(|known| known.schedule.as_str() != schedule) {
        return Err(Problem::not_found(
            "override",
            format_args!("{id} of schedule {schedule:?}"),
        ));
    }
    let act = audit::event(&state, &caller, Action::OverrideRemoved)
        .on(format!("override {id}"))
        .because(format!("of schedule {schedule}"));
    let record = Some(act.once_done());
    state.handle.ask(RemoveOverride(id), record).await?;
    Ok(StatusCode::NO_CONTENT)
}
