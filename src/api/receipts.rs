//! Receipts: what became of each accepted event, and why.

use axum::extract::State;

use crate::engine::ids::ReceiptId;
use crate::store::{Cursor, Store};

use super::extract::{Json, Path, Query};
use super::parse::{self, Paging};
use super::ports::AppState;
use super::problem::Problem;
use super::wire::{self, List};

/// What happened to an event, and why
#[utoipa::path(
    get, path = "/v1/receipts/{id}", security(("token" = ["viewer"])),
    responses((status = 200, body = wire::receipt::Receipt))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Result<Json<wire::receipt::Receipt>, Problem> {
    let digits = id.strip_prefix('r').unwrap_or(&id);
    let number = ReceiptId(parse::number("receipt", digits)?);
    let look = move |store: &dyn Store, partition| store.receipt(partition, number);
    let receipt = state.history(look).await?;
    let receipt = receipt.ok_or_else(|| Problem::not_found("receipt", &id))?;
    Ok(Json(wire::receipt::receipt(&receipt)))
}

/// List receipts, newest first
#[utoipa::path(
    get, path = "/v1/receipts", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::receipt::Receipt>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::receipt::Receipt>>, Problem> {
    let limit = parse::limit(query.limit);
    let before = parse::cursor(query.cursor.as_deref())?.map(Cursor);
    let look = move |store: &dyn Store, partition| store.receipts(partition, before, limit);
    let receipts = state.history(look).await?;
    let last = receipts.last().filter(|_| receipts.len() >= limit);
    let next = last.map(|receipt| receipt.id.to_string());
    let items = receipts.iter().map(wire::receipt::receipt).collect();
    Ok(Json(List { items, next }))
}
