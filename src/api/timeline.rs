//! The story of an incident: every decision with its reason, every attempt with its outcome.

use axum::extract::State;

use crate::engine::ids::{EntryId, IncidentNumber};
use crate::store::Store;

use super::extract::{Json, Path, Query};
use super::incidents;
use super::parse::{self, Paging};
use super::ports::AppState;
use super::problem::Problem;
use super::wire::{self, ITEMS_MAX, List};

/// Every decision with its reason, every attempt with its outcome
///
/// Oldest first.
#[utoipa::path(
    get, path = "/v1/incidents/{number}/timeline", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::entry::Entry>))
)]
pub async fn timeline(
    State(state): State<AppState>,
    Path(number): Path<String>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::entry::Entry>>, Problem> {
    let number = IncidentNumber(parse::number("incident", &number)?);
    let limit = parse::limit(query.limit.or(Some(ITEMS_MAX)));
    let after = parse::cursor(query.cursor.as_deref())?.map(EntryId);
    incidents::find(&state, number).await?;
    let look = move |store: &dyn Store, partition| store.entries(partition, number, after, limit);
    let entries = state.history(look).await?;
    let items = entries.iter().map(wire::entry::entry).collect();
    Ok(Json(List::page(items, limit, |entry| entry.id)))
}
