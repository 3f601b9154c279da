//! Watched providers: what their pages say, and pages that are probed before they are watched.

use std::ops::Bound;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::ids::ProviderName;
use crate::engine::request::AcceptPage;
use crate::runtime::handle::View;

use super::actions::Nothing;
use super::audit;
use super::auth::Caller;
use super::extract::{Json, Path, Query};
use super::parse;
use super::ports::AppState;
use super::problem::Problem;
use super::wire::audit::Action;
use super::wire::provider::{ProbeRequest, ProbedPage, WatchedProvider, provider};
use super::wire::{ITEMS_MAX, List};

/// What a list of providers can be asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ProvidersQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// List the watched providers and what their pages say
#[utoipa::path(
    get, path = "/v1/providers", security(("token" = ["viewer"])),
    params(ProvidersQuery), responses((status = 200, body = List<WatchedProvider>))
)]
pub async fn list(
    State(state): State<AppState>,
    Query(query): Query<ProvidersQuery>,
) -> Result<Json<List<WatchedProvider>>, Problem> {
    let providers = state.providers.clone();
    let limit = parse::limit(query.limit);
    let look = move |view: View<'_>| {
        let after = query
            .cursor
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let watched = view
            .rules
            .providers
            .range::<str, _>((after, Bound::Unbounded));
        let mut items = Vec::new();
        let mut next = None;
        for (looked, (name, rules)) in watched.enumerate() {
            if items.len() >= limit || looked >= ITEMS_MAX {
                next = items.last().map(|last: &WatchedProvider| last.name.clone());
                break;
            }
            items.push(provider(rules, view.state, &providers.looked_at(name)));
        }
        List { items, next }
    };
    Ok(Json(state.handle.read(look).await?))
}

/// Show a watched provider
#[utoipa::path(
    get, path = "/v1/providers/{name}", security(("token" = ["viewer"])),
    responses((status = 200, body = WatchedProvider))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Json<WatchedProvider>, Problem> {
    let name = ProviderName::from(name);
    let looked = state.providers.looked_at(&name);
    let wanted = name.clone();
    let look = move |view: View<'_>| {
        let rules = view.rules.providers.get(&wanted)?;
        Some(provider(rules, view.state, &looked))
    };
    let shown = state.handle.read(look).await?;
    let shown = shown.ok_or_else(|| Problem::not_found("provider", &name))?;
    Ok(Json(shown))
}

/// Accept the page that is under a provider's address now
///
/// After another page appeared there, or most of the page was gone: the next look is believed.
#[utoipa::path(
    post, path = "/v1/providers/{name}/accept", security(("token" = ["admin"])),
    responses((status = 200, body = WatchedProvider))
)]
pub async fn accept(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    _: Json<Nothing>,
) -> Result<Json<WatchedProvider>, Problem> {
    let name = ProviderName::from(name);
    if !state.handle.rules().providers.contains_key(&name) {
        return Err(Problem::not_found("provider", &name));
    }
    let act =
        audit::event(&state, &caller, Action::ProviderPageAccepted).on(format!("provider {name}"));
    let request = AcceptPage(name.clone());
    state.handle.ask(request, Some(act.once_done())).await?;
    state.providers.hurry(&name);
    show(State(state), Path(name.to_string())).await
}

/// Look at a provider's page as soon as it may be asked
#[utoipa::path(
    post, path = "/v1/providers/{name}/look", security(("token" = ["responder"])),
    responses((status = 200, body = WatchedProvider))
)]
pub async fn look(
    State(state): State<AppState>,
    Path(name): Path<String>,
    _: Json<Nothing>,
) -> Result<Json<WatchedProvider>, Problem> {
    state.providers.hurry(&ProviderName::from(name.as_str()));
    show(State(state), Path(name)).await
}

/// Probe a status page, and what would follow from it
///
/// Asks the page now. Nothing is stored and nobody is paged.
#[utoipa::path(
    post, path = "/v1/providers/probe", security(("token" = ["responder"])),
    request_body = ProbeRequest,
    responses((status = 200, body = ProbedPage))
)]
pub async fn probe(
    State(state): State<AppState>,
    Json(request): Json<ProbeRequest>,
) -> Result<Json<ProbedPage>, Problem> {
    let probed = state.providers.probe(request.provider).await;
    Ok(Json(probed.map_err(|faults| Problem::rules(&faults))?))
}
