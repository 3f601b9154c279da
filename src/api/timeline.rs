//! The story of an incident: every decision with its reason, every attempt with its outcome.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::engine::ids::{EntryId, IncidentNumber};
use crate::store::Store;

use super::borders::Shared;
use super::extract::{Params, Segment};
use super::incidents;
use super::problem::Problem;
use super::shapes::{self, List};
use super::words::{self, ITEMS_MAX};

/// A position in the story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /v1/incidents/{n}/timeline`, oldest first.
pub async fn timeline(
    State(state): State<Shared>,
    Segment(number): Segment<String>,
    Params(query): Params<TimelineQuery>,
) -> Result<Json<List<shapes::entry::Entry>>, Problem> {
    let number = IncidentNumber(words::number("incident", &number)?);
    let limit = words::limit(query.limit.or(Some(ITEMS_MAX)));
    let after = words::cursor(query.cursor.as_deref())?.map(EntryId);
    incidents::find(&state, number).await?;
    let look = move |store: &dyn Store, partition| store.entries(partition, number, after, limit);
    let entries = state.history(look).await?;
    let items = entries.iter().map(shapes::entry::entry).collect();
    Ok(Json(List::page(items, limit, |entry| entry.id)))
}
