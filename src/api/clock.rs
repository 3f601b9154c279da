//! The wall clock jumped ahead: an admin says that it is right.

use axum::extract::State;

use crate::engine::request::ConfirmClock;
use crate::engine::time::Duration;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::audit;
use super::auth::Caller;
use super::extract::Json;
use super::ports::AppState;
use super::problem::Problem;
use super::wire::audit::Action;
use super::wire::process::ConfirmedClock;

/// Confirm that the clock is right after it jumped ahead
#[utoipa::path(
    post, path = "/v1/clock/confirm", security(("token" = ["admin"])),
    responses((status = 200, body = ConfirmedClock))
)]
pub async fn confirm(
    State(state): State<AppState>,
    caller: Caller,
    _: Json<Nothing>,
) -> Result<Json<ConfirmedClock>, Problem> {
    let now = state.now();
    let jump = state.handle.read(|view: View<'_>| view.state.jump());
    let jump = jump.await?.map(|jump| jump.by);
    if let Some(by) = jump {
        let act = audit::event(&state, &caller, Action::ClockConfirmed)
            .on("clock")
            .because(format!("{now}, {by} ahead"));
        let record = act.once_done();
        state.handle.ask(ConfirmClock, Some(record)).await?;
    }
    Ok(Json(ConfirmedClock {
        now: now.to_string(),
        jump_seconds: jump.map(Duration::as_seconds),
    }))
}
