//! Who is on call.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::calendar::Override;
use crate::engine::ids::ScheduleName;
use crate::runtime::handle::View;

use super::auth::Caller;
use super::extract::{Json, Query};
use super::names;
use super::parse;
use super::ports::AppState;
use super::problem::Problem;
use super::wire;

/// Of which moment and schedule.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct OnCallQuery {
    at: Option<String>,
    schedule: Option<String>,
    user: Option<String>,
}

/// Who is on call
#[utoipa::path(
    get, path = "/v1/oncall", security(("token" = ["viewer"])),
    params(OnCallQuery), responses((status = 200, body = wire::oncall::OnCall))
)]
pub async fn oncall(
    State(state): State<AppState>,
    caller: Caller,
    Query(mut query): Query<OnCallQuery>,
) -> Result<Json<wire::oncall::OnCall>, Problem> {
    let at = query.at.as_deref();
    let at = at.map(|at| parse::moment("at", at)).transpose()?;
    let at = at.unwrap_or_else(|| state.now());
    let rules = state.handle.rules();
    query.user = caller.user_asked_for(query.user)?;
    if let Some(name) = query.schedule.as_deref() {
        names::schedule(&rules, name)?;
    }
    if let Some(name) = query.user.as_deref() {
        names::user(&rules, name)?;
    }
    // The calendar is walked outside the driver's thread: it can be long.
    let look = |view: View<'_>| by_schedule(view.state.overrides().cloned());
    let overrides = state.handle.read(look).await?;
    let walked = tokio::task::spawn_blocking(move || {
        let wanted = query.schedule.as_deref();
        let schedules = rules.schedules.iter();
        let schedules =
            schedules.filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()));
        let now = schedules.map(|(name, schedule)| {
            let own = overrides.get(name).map_or(&[][..], Vec::as_slice);
            let (own, gone): (Vec<Override>, Vec<Override>) = own
                .iter()
                .cloned()
                .partition(|known| rules.can_stand_in(known));
            let gone = gone.iter().filter(|known| known.covers(at));
            wire::oncall::ScheduleNow {
                passed_over: gone.map(wire::oncall::override_).collect(),
                ..wire::oncall::schedule_now(name, &schedule.on_call(at, &own))
            }
        });
        let user = query.user.as_deref();
        now.filter(|one| user.is_none_or(|user| one.user.as_deref() == Some(user)))
            .collect()
    });
    let schedules = walked.await.map_err(|_| Problem::internal())?;
    Ok(Json(wire::oncall::OnCall {
        at: at.to_string(),
        schedules,
    }))
}

fn by_schedule(
    overrides: impl Iterator<Item = std::sync::Arc<Override>>,
) -> BTreeMap<ScheduleName, Vec<Override>> {
    let mut sorted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for known in overrides {
        let own = sorted.entry(known.schedule.clone()).or_default();
        own.push((*known).clone());
    }
    sorted
}
