//! The configured channels: how they do, and whether they would take messages now.

use axum::Json;
use axum::extract::State;

use crate::engine::ids::ChannelName;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::borders::Shared;
use super::extract::{Payload, Segment};
use super::problem::Problem;
use super::shapes::{self, List};

/// `GET /v1/channels`
pub async fn list(
    State(state): State<Shared>,
) -> Result<Json<List<shapes::channel::Channel>>, Problem> {
    let configured = state.channels.list();
    let look = move |view: View<'_>| {
        let configured = configured.iter();
        configured
            .map(|one| shapes::channel::channel(one, view.state, view.rules, view.now))
            .collect()
    };
    Ok(Json(List::whole(state.handle.read(look).await?)))
}

/// `POST /v1/channels/{name}/check`: asks the provider without sending a message.
pub async fn check(
    State(state): State<Shared>,
    Segment(name): Segment<String>,
    Payload(Nothing {}): Payload<Nothing>,
) -> Result<Json<shapes::channel::Checked>, Problem> {
    let name = ChannelName::from(name);
    let checked = state.channels.check(&name).await;
    let checked = checked.ok_or_else(|| Problem::not_found("channel", &name))?;
    Ok(Json(shapes::channel::checked(&name, checked)))
}
