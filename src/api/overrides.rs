//! Somebody stands in on a schedule for a while.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::calendar::Override;
use crate::engine::ids::{OverrideId, ScheduleName, UserName};
use crate::engine::input::{Input, OverrideRequest};
use crate::runtime::handle::View;

use super::answers;
use super::audit::{Act, Action};
use super::auth::Caller;
use super::borders::{ApiState, Shared};
use super::extract::{Params, Payload, Segment};
use super::names;
use super::problem::Problem;
use super::shapes::{self, List};
use super::words::{self, ByNumber};

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

/// `GET /v1/schedules/{name}/overrides`
pub async fn list(
    State(state): State<Shared>,
    Segment(schedule): Segment<String>,
    Params(query): Params<ByNumber>,
) -> Result<Json<List<shapes::oncall::Override>>, Problem> {
    let (after, limit) = query.read()?;
    let schedule = known_schedule(&state, &schedule)?;
    let look = move |view: View<'_>| {
        let own = view
            .state
            .overrides()
            .filter(|one| one.schedule == schedule);
        let own = own.filter(|known| known.id.0 > after).take(limit);
        own.map(|known| shapes::oncall::override_(known)).collect()
    };
    let overrides = state.handle.read(look).await?;
    Ok(Json(List::page(overrides, limit, |known| known.id)))
}

/// `POST /v1/schedules/{name}/overrides`
pub async fn add(
    State(state): State<Shared>,
    caller: Caller,
    Segment(schedule): Segment<String>,
    Payload(new): Payload<NewOverride>,
) -> Result<(StatusCode, Json<shapes::oncall::Override>), Problem> {
    let now = state.now();
    let schedule_name = known_schedule(&state, &schedule)?;
    if new.user != Override::NOBODY {
        names::user(&state.handle.rules(), &new.user)?;
    }
    let from = new.from.as_deref();
    let from = from.map(|from| words::moment("from", from)).transpose()?;
    let until = words::end(
        new.until.as_deref(),
        new.for_.as_deref(),
        from.unwrap_or(now),
    )?;
    let reason = words::clean(&new.reason, 500);
    let act = Act::of(&state, &caller, Action::OverrideAdded).because(format!(
        "{} stands in on {schedule} until {until}: {reason}",
        new.user
    ));
    let input = Input::Override(OverrideRequest {
        actor: caller.actor(),
        schedule: schedule_name,
        user: UserName::from(new.user),
        from,
        until,
        reason: reason.into(),
    });
    let answer = state.handle.control_recorded(input, act.unless_refused());
    let id = answers::override_(answer.await?)?;
    let look = move |view: View<'_>| view.state.override_by_id(id).cloned();
    let added = state.handle.read(look).await?;
    let added = added.ok_or_else(|| Problem::not_found("override", id))?;
    Ok((StatusCode::CREATED, Json(shapes::oncall::override_(&added))))
}

/// `DELETE /v1/schedules/{name}/overrides/{id}`
pub async fn remove(
    State(state): State<Shared>,
    caller: Caller,
    Segment((schedule, id)): Segment<(String, String)>,
) -> Result<StatusCode, Problem> {
    let id = OverrideId(words::number("override", &id)?);
    let look = move |view: View<'_>| view.state.override_by_id(id).cloned();
    let known = state.handle.read(look).await?;
    if known.is_none_or(|known| known.schedule.as_str() != schedule) {
        return Err(Problem::not_found(
            "override",
            format_args!("{id} of schedule {schedule:?}"),
        ));
    }
    let input = Input::RemoveOverride {
        override_: id,
        actor: caller.actor(),
    };
    let act = Act::of(&state, &caller, Action::OverrideRemoved)
        .on(format!("override {id}"))
        .because(format!("of schedule {schedule}"));
    let answer = state.handle.control_recorded(input, act.unless_refused());
    answers::done(answer.await?)?;
    Ok(StatusCode::NO_CONTENT)
}

fn known_schedule(state: &ApiState, name: &str) -> Result<ScheduleName, Problem> {
    let rules = state.handle.rules();
    names::schedule(&rules, name)?;
    Ok(ScheduleName::from(name))
}
