//! The configured channels: how they do, and whether they would take messages now.

use axum::extract::State;

use crate::engine::ids::ChannelName;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::extract::{Json, Path};
use super::ports::AppState;
use super::problem::Problem;
use super::wire::{self, List};

/// List the channels and their state
#[utoipa::path(
    get, path = "/v1/channels", security(("token" = ["viewer"])),
    responses((status = 200, body = List<wire::channel::Channel>))
)]
pub async fn list(
    State(state): State<AppState>,
) -> Result<Json<List<wire::channel::Channel>>, Problem> {
    let configured = state.channels.list();
    let look = move |view: View<'_>| {
        let configured = configured.iter();
        configured
            .map(|one| wire::channel::channel(one, view.state, view.rules, view.now))
            .collect()
    };
    Ok(Json(List::whole(state.handle.read(look).await?)))
}

/// Check whether a channel would accept messages
///
/// Asks the provider without sending a message.
#[utoipa::path(
    post, path = "/v1/channels/{name}/check", security(("token" = ["responder"])),
    responses((status = 200, body = wire::channel::Checked))
)]
pub async fn check(
    State(state): State<AppState>,
    Path(name): Path<String>,
    _: Json<Nothing>,
) -> Result<Json<wire::channel::Checked>, Problem> {
    let name = ChannelName::from(name);
    let checked = state.channels.check(&name).await;
    let checked = checked.ok_or_else(|| Problem::not_found("channel", &name))?;
    Ok(Json(checked))
}
