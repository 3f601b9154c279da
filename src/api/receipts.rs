//! Receipts: what became of each accepted event, and why.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::engine::ids::ReceiptId;
use crate::store::{Before, Store};

use super::borders::Shared;
use super::extract::{Params, Segment};
use super::problem::Problem;
use super::shapes::{self, List};
use super::words;

/// A position among the receipts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptsQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /v1/receipts/{id}`
pub async fn show(
    State(state): State<Shared>,
    Segment(id): Segment<String>,
) -> Result<Json<shapes::receipt::Receipt>, Problem> {
    let digits = id.strip_prefix('r').unwrap_or(&id);
    let number = ReceiptId(words::number("receipt", digits)?);
    let look = move |store: &dyn Store, partition| store.receipt(partition, number);
    let receipt = state.history(look).await?;
    let receipt = receipt.ok_or_else(|| Problem::not_found("receipt", &id))?;
    Ok(Json(shapes::receipt::receipt(&receipt)))
}

/// `GET /v1/receipts`, newest first.
pub async fn list(
    State(state): State<Shared>,
    Params(query): Params<ReceiptsQuery>,
) -> Result<Json<List<shapes::receipt::Receipt>>, Problem> {
    let limit = words::limit(query.limit);
    let before = words::cursor(query.cursor.as_deref())?.map(Before);
    let look = move |store: &dyn Store, partition| store.receipts(partition, before, limit);
    let receipts = state.history(look).await?;
    let last = receipts.last().filter(|_| receipts.len() >= limit);
    let next = last.map(|receipt| receipt.id.to_string());
    let items = receipts.iter().map(shapes::receipt::receipt).collect();
    Ok(Json(List { items, next }))
}
