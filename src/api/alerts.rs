//! Alerts that are known now: firing, or resolved a short while ago.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::alert::Alert;
use crate::runtime::handle::View;

use super::extract::{Json, Query};
use super::names;
use super::parse;
use super::ports::AppState;
use super::problem::Problem;
use super::wire::{self, List};

/// What a list of alerts can be asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct AlertsQuery {
    integration: Option<String>,
    /// `firing` or `resolved`.
    status: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl AlertsQuery {
    fn check(&self) -> Result<(), Problem> {
        match self.status.as_deref() {
            None | Some("firing" | "resolved") => Ok(()),
            Some(word) => Err(Problem::invalid(format!(
                "status {word:?} is unknown; use firing or resolved"
            ))),
        }
    }

    fn takes(&self, alert: &Alert) -> bool {
        let integration = self.integration.as_deref();
        let status = self.status.as_deref();
        integration.is_none_or(|name| name == alert.integration.as_str())
            && status.is_none_or(|word| (word == "firing") == alert.firing)
    }
}

/// List the current alerts
#[utoipa::path(
    get, path = "/v1/alerts", security(("token" = ["viewer"])),
    params(AlertsQuery), responses((status = 200, body = List<wire::alert::Alert>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<AlertsQuery>,
) -> Result<Json<List<wire::alert::Alert>>, Problem> {
    query.check()?;
    let asked = query.integration.clone();
    let limit = parse::limit(query.limit);
    let before = parse::cursor(query.cursor.as_deref())?.unwrap_or(u64::MAX);
    let look = move |view: View<'_>| known(view, &query, before, limit);
    let list = state.handle.read(look).await?;
    // One that has left the rules may have left alerts.
    if let Some(name) = asked.filter(|_| list.items.is_empty()) {
        names::source(&state.handle.rules(), &name)?;
    }
    Ok(Json(list))
}

fn known(
    view: View<'_>,
    query: &AlertsQuery,
    before: u64,
    limit: usize,
) -> List<wire::alert::Alert> {
    let alerts = view
        .state
        .alerts()
        .rev()
        .filter(|alert| alert.id.0 < before);
    let choose = |alert: &&Arc<Alert>| query.takes(alert).then(|| wire::alert::alert(alert));
    List::chosen(alerts, limit, |alert| alert.id.0, choose)
}
