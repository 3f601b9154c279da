//! Where monitors post: the key names the integration, the path the format and the form of the
//! answer. A 2xx is sent only after the events are durable.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::engine::cause::Cause;
use crate::engine::ids::IntegrationName;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::ruleset::{Format, Integration};
use crate::inbound::pagerduty::{RoutingKey, routing_key};
use crate::inbound::{self, Parsed};

use super::access::{integration_key_of, note_use};
use super::body::{self, Received, Unread};
use super::body_budget::BodyOf;
use super::extract::{Path, Whose};
use super::guesses::peer;
use super::ingest_answers::{self, ResponseStyle, Stored};
use super::key_origin;
use super::peer::Peer;
use super::ports::{ApiState, AppState};
use super::problem::Problem;

/// By which path a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    /// `/v1/events`: our own format.
    Native,
    /// `/hooks/…`: the format of the integration.
    Hook,
    /// `…/api/v2/alerts`: what Prometheus sends.
    Alerts,
    /// `/v2/enqueue`: PagerDuty's Events API.
    Enqueue,
    /// `/v2/change/enqueue`: its change events.
    Change,
}

/// Post one event or an array
#[utoipa::path(
    post, path = "/v1/events", security(("integration_key" = [])),
    request_body = super::preview::NativeEvent,
    responses((status = 202, body = super::wire::receipt::AcceptedBatch))
)]
pub async fn events(State(state): State<AppState>, request: Request) -> Response {
    let key = integration_key_of(request.headers());
    take(&state, Endpoint::Native, None, key, request).await
}

/// Post events in the integration's format
#[utoipa::path(
    post, path = "/hooks/{integration}", security(("integration_key" = [])),
    responses((status = 202, body = super::wire::receipt::AcceptedBatch))
)]
pub async fn hook(
    State(state): State<AppState>,
    Path(integration): Path<String>,
    request: Request,
) -> Response {
    let key = integration_key_of(request.headers());
    take(&state, Endpoint::Hook, Some(integration), key, request).await
}

/// Post events in the integration's format
#[utoipa::path(
    post, path = "/hooks/{integration}/{key}", security(("integration_key" = [])),
    responses((status = 202, body = super::wire::receipt::AcceptedBatch))
)]
pub async fn hook_with_key(
    State(state): State<AppState>,
    Path((integration, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    take(
        &state,
        Endpoint::Hook,
        Some(integration),
        Some(key),
        request,
    )
    .await
}

/// As Alertmanager's API v2, with the key in the path
#[utoipa::path(
    post, path = "/hooks/{integration}/{key}/api/v2/alerts", security(("integration_key" = [])),
    responses((status = 200))
)]
pub async fn hook_alerts(
    State(state): State<AppState>,
    Path((integration, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    take(
        &state,
        Endpoint::Alerts,
        Some(integration),
        Some(key),
        request,
    )
    .await
}

/// As Alertmanager's API v2
#[utoipa::path(
    post, path = "/api/v2/alerts", security(("integration_key" = [])),
    responses((status = 200))
)]
pub async fn alerts(State(state): State<AppState>, request: Request) -> Response {
    let key = integration_key_of(request.headers());
    take(&state, Endpoint::Alerts, None, key, request).await
}

/// As PagerDuty's Events API v2
///
/// The key stands in the body.
#[utoipa::path(
    post, path = "/v2/enqueue", security(("integration_key" = [])),
    responses((status = 202))
)]
pub async fn enqueue(State(state): State<AppState>, request: Request) -> Response {
    take_keyed_body(&state, Endpoint::Enqueue, request).await
}

/// As PagerDuty's change events; they page nobody
#[utoipa::path(
    post, path = "/v2/change/enqueue", security(("integration_key" = [])),
    responses((status = 202))
)]
pub async fn enqueue_change(State(state): State<AppState>, request: Request) -> Response {
    take_keyed_body(&state, Endpoint::Change, request).await
}

async fn take_keyed_body(state: &ApiState, endpoint: Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let limit = state.settings.body_limit;
    // A key in a header that opens something makes the sender known before the body, which may
    // name another key all the same.
    let key = integration_key_of(&parts.headers);
    // A wrong one counts as a guess once, below.
    let whose = match opened_by(state, None, key, None) {
        Ok(_) => Whose::Known,
        Err(_) => Whose::Unknown,
    };
    let of = whose.of(&parts);
    let bytes = match body::read(&parts.headers, body, limit, (&state.bodies, of)).await {
        Ok(bytes) => bytes,
        Err(unread) => {
            let problem = unread.problem(of.limit(limit));
            return ingest_answers::refused(ResponseStyle::Pagerduty, &problem);
        }
    };
    let key = match routing_key(&bytes) {
        RoutingKey::Given(key) => Some(key),
        RoutingKey::Missing => integration_key_of(&parts.headers),
        // What is wrong with the body is more of a help than that it has no key.
        RoutingKey::Unrecognized => return ingest_answers::unrecognized_object(),
    };
    let Some(key) = key else {
        return ingest_answers::without_routing_key();
    };
    let peer = peer(&parts.extensions);
    match opened_by(state, None, Some(key), peer) {
        Ok(integration) => {
            let answer = store(state, endpoint, &integration, &bytes).await;
            answer.unwrap_or_else(|problem| {
                ingest_answers::refused(ResponseStyle::Pagerduty, &problem)
            })
        }
        Err(problem) if problem.is_temporary() => {
            ingest_answers::refused(ResponseStyle::Pagerduty, &problem)
        }
        Err(_) => ingest_answers::unknown_routing_key(),
    }
}

async fn take(
    state: &ApiState,
    endpoint: Endpoint,
    named: Option<String>,
    key: Option<String>,
    request: Request,
) -> Response {
    let peer = peer(request.extensions());
    let integration = match opened_by(state, named.as_deref(), key, peer) {
        Ok(integration) => integration,
        Err(problem) => return problem.into_response(),
    };
    let manner = manner(endpoint, &integration.format);
    let answer = take_in(state, endpoint, &integration, request).await;
    answer.unwrap_or_else(|problem| ingest_answers::refused(manner, &problem))
}

async fn take_in(
    state: &ApiState,
    endpoint: Endpoint,
    integration: &Integration,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    if endpoint == Endpoint::Native {
        let known = (&state.auth, &state.handle.rules());
        key_origin::check(&parts.headers, &integration.name, known)?;
    }
    let limit = body_limit(state, endpoint, &integration.format);
    let bytes = read(state, &parts.headers, body, limit, &integration.name).await?;
    store(state, endpoint, integration, &bytes).await
}

/// The integration that the key opens. A name in the path must be its own; whether the name or the
/// key is wrong is not told.
fn opened_by(
    state: &ApiState,
    named: Option<&str>,
    key: Option<String>,
    peer: Option<Peer>,
) -> Result<Integration, Problem> {
    let key = key.ok_or_else(|| {
        Problem::unauthorized(
            "send the integration's key as `Authorization: Bearer …` or `X-Reveille-Key`",
        )
    })?;
    let rules = state.handle.rules();
    let name = state.auth.integration(&rules, &key);
    if name.is_some() {
        note_use(state, &key);
    }
    let name = name.filter(|name| named.is_none_or(|named| named == name.as_str()));
    let integration = name.and_then(|name| rules.integrations.get(&name).cloned());
    integration.ok_or_else(|| {
        let refused = Problem::unauthorized(
            "unknown integration key; see `reveille key list`, or create one",
        );
        state.guesses.answer(peer, state.now(), refused)
    })
}

async fn read(
    state: &ApiState,
    headers: &HeaderMap,
    body: axum::body::Body,
    limit: usize,
    integration: &IntegrationName,
) -> Result<Received, Problem> {
    match body::read(headers, body, limit, (&state.bodies, BodyOf::Known)).await {
        Ok(bytes) => Ok(bytes),
        Err(Unread::TooLarge) => {
            raise_too_large(state, integration, limit).await;
            Err(Unread::TooLarge.problem(limit))
        }
        Err(unread) => Err(unread.problem(limit)),
    }
}

/// A monitor whose reports do not fit is blind: somebody must hear of it.
async fn raise_too_large(state: &ApiState, integration: &IntegrationName, limit: usize) {
    let input = Input::Raise {
        trouble: SelfIncident {
            cause: Cause::TooLarge,
            subject: integration.as_str().into(),
        },
        text: format!(
            "integration {integration} sent a body of more than {limit} bytes; it was refused"
        )
        .into(),
    };
    if let Err(error) = state.handle.control(input).await {
        tracing::warn!(
            %error,
            integration.name = %integration,
            "a refused body could not be reported"
        );
    }
}

async fn store(
    state: &ApiState,
    endpoint: Endpoint,
    integration: &Integration,
    body: &[u8],
) -> Result<Response, Problem> {
    let manner = manner(endpoint, &integration.format);
    let parsed = parse(endpoint, integration, body, state);
    if parsed.events.is_empty() {
        return Ok(ingest_answers::nothing_usable(manner, &parsed));
    }
    let Parsed { events, faults } = parsed;
    let name = integration.name.clone();
    let receipts = state.handle.submit(name, events).await?;
    Ok(ingest_answers::stored(
        manner,
        &Stored {
            receipts: &receipts,
            faults: &faults,
        },
    ))
}

fn parse(endpoint: Endpoint, integration: &Integration, body: &[u8], state: &ApiState) -> Parsed {
    let now = state.now();
    match endpoint {
        Endpoint::Native => inbound::parse_as(&Format::Native, integration, body, now),
        Endpoint::Hook => inbound::parse(integration, body, now),
        Endpoint::Alerts => inbound::parse_as(&Format::AlertmanagerApi, integration, body, now),
        Endpoint::Enqueue => inbound::parse_as(&Format::Pagerduty, integration, body, now),
        Endpoint::Change => inbound::parse_change(integration, body, now),
    }
}

/// The form of the answer: as the program answers that the sender believes to speak to.
fn manner(endpoint: Endpoint, format: &Format) -> ResponseStyle {
    match endpoint {
        Endpoint::Native => ResponseStyle::Receipts,
        Endpoint::Alerts => ResponseStyle::Alertmanager,
        Endpoint::Enqueue => ResponseStyle::Pagerduty,
        Endpoint::Change => ResponseStyle::PagerdutyChange,
        Endpoint::Hook => match format {
            Format::Pagerduty => ResponseStyle::Pagerduty,
            Format::AlertmanagerApi => ResponseStyle::Alertmanager,
            Format::Native | Format::Alertmanager | Format::Generic(_) => ResponseStyle::Receipts,
        },
    }
}

fn body_limit(state: &ApiState, endpoint: Endpoint, format: &Format) -> usize {
    let settings = &state.settings;
    match endpoint {
        Endpoint::Native | Endpoint::Enqueue | Endpoint::Change => settings.body_limit,
        Endpoint::Alerts => settings.body_limit_alertmanager,
        Endpoint::Hook => match format {
            Format::Alertmanager | Format::AlertmanagerApi => settings.body_limit_alertmanager,
            Format::Native | Format::Pagerduty | Format::Generic(_) => settings.body_limit,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides_how_the_sender_is_answered() {
        let cases = [
            (Endpoint::Native, Format::Pagerduty, ResponseStyle::Receipts),
            (
                Endpoint::Alerts,
                Format::Native,
                ResponseStyle::Alertmanager,
            ),
            (Endpoint::Enqueue, Format::Native, ResponseStyle::Pagerduty),
            (
                Endpoint::Hook,
                Format::Alertmanager,
                ResponseStyle::Receipts,
            ),
            (
                Endpoint::Hook,
                Format::AlertmanagerApi,
                ResponseStyle::Alertmanager,
            ),
            (Endpoint::Hook, Format::Pagerduty, ResponseStyle::Pagerduty),
        ];
        for (endpoint, format, expected) in cases {
            assert_eq!(
                manner(endpoint, &format),
                expected,
                "{endpoint:?} {format:?}"
            );
        }
    }
}
