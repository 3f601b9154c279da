//! Who changed what: the entry about an act of whoever asks, and the list of all entries.

use axum::extract::State;

use crate::store::Store;

use super::audit_log::{AuditEvent, AuditLog};
use super::auth::Caller;
use super::extract::{Json, Query};
use super::parse::{self, Paging};
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::List;
use super::wire::audit::{Action, AuditEntry};

/// The entry about an act of whoever asks.
pub fn event(state: &ApiState, caller: &Caller, action: Action) -> AuditEvent {
    let actor = state.handle.rules().with_full_name(caller.actor());
    let event = state.audit_log.by_router(action, state.now());
    event.by(actor, caller.token.as_deref())
}

/// Who changed what, newest first
#[utoipa::path(
    get, path = "/v1/audit", security(("token" = ["admin"])),
    params(Paging), responses((status = 200, body = List<AuditEntry>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<Paging>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let limit = parse::limit(query.limit);
    let before = parse::cursor(query.cursor.as_deref())?;
    let look = move |store: &dyn Store, _| AuditLog::entries(store, before, limit);
    Ok(Json(state.history(look).await?))
}
