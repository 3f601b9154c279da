//! The home page: looks up what it may show.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::html;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::ITEMS_MAX;
use crate::runtime::handle::View;
use crate::store::Store;
use crate::web::home::{Home, IncidentRow, LINES_MAX};

/// The version, and the commands to post, acknowledge and explain
#[utoipa::path(
    get, path = "/", security(()),
    responses((status = 200))
)]
pub async fn show(State(state): State<AppState>) -> Response {
    match home(&state).await {
        Ok(home) => html::page(StatusCode::OK, &home),
        Err(problem) => html::refusal(&problem),
    }
}

async fn home(state: &ApiState) -> Result<Home, Problem> {
    let look = |view: View<'_>| {
        let newest = view.state.incidents().rev().take(LINES_MAX);
        let lines: Vec<IncidentRow> = newest.map(|incident| IncidentRow::of(incident)).collect();
        let open = view.state.incidents().take(ITEMS_MAX);
        (lines, open.filter(|one| one.is_open()).count())
    };
    let (mut lines, open) = state.handle.read(look).await?;
    let look = |store: &dyn Store, partition| store.closed_incidents(partition, None, LINES_MAX);
    lines.extend(state.history(look).await?.iter().map(IncidentRow::of));
    Ok(Home::new(&state.settings.public_url, open, lines))
}
