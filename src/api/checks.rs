//! Checks of our own: how they stand, and tries that somebody asks for.

use std::ops::Bound;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::ids::OwnCheckName;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::extract::{Json, Path, Query};
use super::parse;
use super::ports::AppState;
use super::problem::Problem;
use super::wire::List;
use super::wire::check::{CheckTried, ShownCheck, check};

/// What a list of checks can be asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ChecksQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// List the checks of the rules and how they stand
#[utoipa::path(
    get, path = "/v1/checks", security(("token" = ["viewer"])),
    params(ChecksQuery), responses((status = 200, body = List<ShownCheck>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<ChecksQuery>,
) -> Result<Json<List<ShownCheck>>, Problem> {
    let checks = state.checks.clone();
    let limit = parse::limit(query.limit);
    let look = move |view: View<'_>| {
        let after = query
            .cursor
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let mut known = view
            .rules
            .checks
            .range::<str, _>((after, Bound::Unbounded))
            .map(|(name, rules)| check(rules, view.state, checks.last_try(name)));
        let items: Vec<ShownCheck> = known.by_ref().take(limit).collect();
        let next = known
            .next()
            .and_then(|_| items.last().map(|last| last.name.clone()));
        List { items, next }
    };
    Ok(Json(state.handle.read(look).await?))
}

/// Try a check now
///
/// What comes of it is answered and does not count; its own next try, which does, follows at once.
/// The `/` in the name of a provider's check is written `%2F`.
#[utoipa::path(
    post, path = "/v1/checks/{name}/try", security(("token" = ["responder"])),
    responses((status = 200, body = CheckTried))
)]
pub async fn try_now(
    State(state): State<AppState>,
    Path(name): Path<String>,
    _: Json<Nothing>,
) -> Result<Json<CheckTried>, Problem> {
    let name = OwnCheckName::from(name);
    let tried = state.checks.try_now(&name).await?;
    let tried = tried.ok_or_else(|| Problem::not_found("check", &name))?;
    Ok(Json(tried))
}
