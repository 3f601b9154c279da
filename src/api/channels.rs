//! The configured channels: how they do, and whether they would take messages now.

use axum::extract::State;

use crate::engine::ids::ChannelName;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::extract::{Json, Path};
use super::ports::AppState;
use super::problem::Problem;
use super::wire::{self, List};

/// `GET /v1/channels`
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

/// `POST /v1/channels/{name}/check`: asks the provider without sending a message.
pub async fn check(
    State(state): State<AppState>,
    Path(name): Path<String>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<wire::channel::Checked>, Problem> {
    let name = ChannelName::from(name);
    let checked = state.channels.check(&name).await;
    let checked = checked.ok_or_else(|| Problem::not_found("channel", &name))?;
    Ok(Json(wire::channel::checked(&name, checked)))
}
