//! Where monitors post: the key names the integration, the path the format and the form of the
//! answer. A 2xx is sent only after the events are durable.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::engine::cause::Cause;
use crate::engine::ids::IntegrationName;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::ruleset::{Integration, RuleSet};
use crate::inbound::pagerduty::{self, RoutingKey, routing_key};
use crate::inbound::{self, BodyLimit, Descriptor, Parsed, Source, alertmanager_api, native};
use crate::text::hash;

use super::access::{integration_key_of, note_use};
use super::body::{self, Received};
use super::body_budget::BodyOf;
use super::extract::Path;
use super::guesses::peer;
use super::ingest_answers;
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
}

impl Endpoint {
    fn format(self, integration: &Integration) -> &'static Descriptor {
        match self {
            Self::Native => &native::FORMAT,
            Self::Hook => inbound::of(integration.format),
            Self::Alerts => &alertmanager_api::FORMAT,
        }
    }
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
    let named = Some(integration);
    take(&state, Endpoint::Hook, named, Some(key), request).await
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
    let named = Some(integration);
    take(&state, Endpoint::Alerts, named, Some(key), request).await
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
    take_keyed_body(&state, &pagerduty::FORMAT, request).await
}

/// As PagerDuty's change events; they page nobody
#[utoipa::path(
    post, path = "/v2/change/enqueue", security(("integration_key" = [])),
    responses((status = 202))
)]
pub async fn enqueue_change(State(state): State<AppState>, request: Request) -> Response {
    take_keyed_body(&state, &pagerduty::CHANGE, request).await
}

async fn take_keyed_body(
    state: &ApiState,
    format: &'static Descriptor,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let limit = body_limit(state, format);
    // A key in a header that opens something makes the sender known before the body, which may
    // name another key all the same.
    let key = integration_key_of(&parts.headers);
    // A wrong one counts as a guess once, below.
    let of = match opened_by(state, None, key, None) {
        Ok(_) => BodyOf::Known,
        Err(_) => BodyOf::unknown(&parts.extensions),
    };
    let bytes = match body::read(&parts.headers, body, limit, (&state.bodies, of)).await {
        Ok(bytes) => bytes,
        Err(problem) => return ingest_answers::refused(format, &problem),
    };
    let key = match routing_key(&bytes) {
        RoutingKey::Given(key) => Some(key),
        RoutingKey::Missing => integration_key_of(&parts.headers),
        // What is wrong with the body is more of a help than that it has no key.
        RoutingKey::Unrecognized => {
            return ingest_answers::response(pagerduty::unrecognized_object());
        }
    };
    let Some(key) = key else {
        return ingest_answers::response(pagerduty::without_routing_key());
    };
    let peer = peer(&parts.extensions);
    match opened_by(state, None, Some(key), peer) {
        Ok(integration) => {
            let answer = store(state, format, &integration, &bytes).await;
            answer.unwrap_or_else(|problem| ingest_answers::refused(format, &problem))
        }
        Err(problem) if problem.is_temporary() => ingest_answers::refused(format, &problem),
        Err(_) => ingest_answers::response(pagerduty::unknown_routing_key()),
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
    let format = endpoint.format(&integration);
    let answer = take_in(state, endpoint, &integration, request).await;
    answer.unwrap_or_else(|problem| ingest_answers::refused(format, &problem))
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
    let format = endpoint.format(integration);
    let limit = body_limit(state, format);
    let bytes = read(state, &parts.headers, body, limit, &integration.name).await?;
    store(state, format, integration, &bytes).await
}

/// How many bytes a body of the format may have.
pub(super) fn body_limit(state: &ApiState, format: &Descriptor) -> usize {
    match format.body_limit {
        BodyLimit::Ordinary => state.settings.body_limit,
        BodyLimit::Alertmanager => state.settings.body_limit_alertmanager,
    }
}

/// The integration that a key opened, under the rules that say so.
struct Sender {
    rules: Arc<RuleSet>,
    name: IntegrationName,
}

impl Deref for Sender {
    type Target = Integration;

    fn deref(&self) -> &Integration {
        &self.rules.integrations[&self.name]
    }
}

/// The integration that the key opens. A name in the path must be its own; whether the name or the
/// key is wrong is not told.
fn opened_by(
    state: &ApiState,
    named: Option<&str>,
    key: Option<String>,
    peer: Option<Peer>,
) -> Result<Sender, Problem> {
    let key = key.ok_or_else(|| {
        Problem::unauthorized(
            "send the integration's key as `Authorization: Bearer …` or `X-Reveille-Key`",
        )
    })?;
    let rules = state.handle.rules();
    let hash = hash::sha256(&key);
    let name = state.auth.integration(&rules, &hash);
    if name.is_some() {
        note_use(state, &hash);
    }
    let name = name.filter(|name| named.is_none_or(|named| named == name.as_str()));
    let sender = name.map(|name| Sender { rules, name });
    sender.ok_or_else(|| {
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
    let read = body::read(headers, body, limit, (&state.bodies, BodyOf::Known)).await;
    if let Err(problem) = &read
        && problem.status() == StatusCode::PAYLOAD_TOO_LARGE
    {
        raise_too_large(state, integration, limit).await;
    }
    read
}

/// A monitor whose reports do not fit is blind: somebody must hear of it.
async fn raise_too_large(state: &ApiState, integration: &IntegrationName, limit: usize) {
    let input = Input::Raise {
        trouble: SelfIncident::new(Cause::TooLarge, integration.as_str()),
        text: format!(
            "integration {integration} sent a body of more than {limit} bytes; it was refused"
        )
        .into(),
    };
    if let Err(error) = state.handle.command(input).await {
        tracing::warn!(
            %error,
            integration.name = %integration,
            "a refused body could not be reported"
        );
    }
}

async fn store(
    state: &ApiState,
    format: &'static Descriptor,
    integration: &Integration,
    body: &[u8],
) -> Result<Response, Problem> {
    let now = state.now();
    let parsed = format.parse(Source {
        integration,
        body,
        now,
    });
    if parsed.events.is_empty() {
        return Ok(ingest_answers::nothing_usable(format, &parsed));
    }
    let Parsed { events, faults } = parsed;
    let name = integration.name.clone();
    let receipts = state.handle.submit(name, events).await?;
    Ok(ingest_answers::stored(format, &receipts, &faults))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::tests::integration;

    #[test]
    fn the_path_decides_how_the_sender_is_answered() {
        let cases = [
            (Endpoint::Native, "pagerduty", "native"),
            (Endpoint::Alerts, "native", "alertmanager_api"),
            (Endpoint::Hook, "native", "native"),
            (Endpoint::Hook, "alertmanager", "alertmanager"),
            (Endpoint::Hook, "alertmanager_api", "alertmanager_api"),
            (Endpoint::Hook, "pagerduty", "pagerduty"),
            (Endpoint::Hook, "generic", "generic"),
        ];
        for (endpoint, format, expected) in cases {
            let found = endpoint.format(&integration(format));
            assert_eq!(found.word, expected, "{endpoint:?} {format:?}");
        }
    }

    #[test]
    fn the_formats_of_alertmanager_have_a_limit_of_their_own() {
        for format in inbound::FORMATS {
            let is_alertmanager = format.word.starts_with("alertmanager");
            let is_own = format.body_limit == BodyLimit::Alertmanager;
            assert_eq!(is_own, is_alertmanager, "{}", format.word);
        }
    }
}
