//! What would happen to an event: nothing is stored and nobody is paged.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::event::Labels;
use crate::engine::ids::IntegrationName;
use crate::engine::preview::preview;
use crate::engine::ruleset::{Integration, RuleSet};
use crate::engine::time::{Duration, Now, Timestamp};
use crate::inbound::{self, Parsed, Source};
use crate::runtime::handle::View;

use super::body_budget::BodyOf;
use super::extract::{Json, Query, whole_body};
use super::names;
use super::parse;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire;

/// Events of one dry run.
const EVENTS_MAX: usize = 50;

/// How the body is to be read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RouteQuery {
    /// The integration as which the body is read.
    integration: Option<String>,
    /// `1`: the body is in that integration's own format.
    raw: Option<String>,
    at: Option<String>,
}

/// What is asked: events as some integration, at some time.
struct Question {
    integration: Integration,
    body: Vec<u8>,
    is_raw: bool,
    at: Option<Timestamp>,
}

/// Preview what would happen to an event; nothing is stored
#[utoipa::path(
    post, path = "/v1/route", security(("token" = ["viewer"])),
    request_body = NativeEvent,
    params(RouteQuery), responses((status = 200, body = wire::preview::Preview))
)]
pub async fn route(
    State(state): State<AppState>,
    Query(query): Query<RouteQuery>,
    request: Request,
) -> Result<Json<wire::preview::Preview>, Problem> {
    let limit = state.settings.body_limit_alertmanager;
    let body = whole_body(&state, request, limit, BodyOf::Known).await?;
    let question = question(&state, &query, &body)?;
    let now = question.at.unwrap_or_else(|| state.now());
    let integration = question.integration;
    let format = match question.is_raw {
        true => inbound::of(integration.format),
        false => &inbound::native::FORMAT,
    };
    let mut parsed = format.parse(Source {
        integration: &integration,
        body: &question.body,
        now,
    });
    if parsed.events.is_empty() && !parsed.faults.is_empty() {
        return Err(Problem::faulty(&parsed.faults));
    }
    parsed.events.truncate(EVENTS_MAX);
    let answer = decide(&state, integration.name, parsed, question.at).await?;
    Ok(Json(answer))
}

fn question(state: &ApiState, query: &RouteQuery, body: &[u8]) -> Result<Question, Problem> {
    let rules = state.handle.rules();
    let at = query.at.as_deref();
    if query.raw.as_deref().is_some_and(|raw| raw != "0") {
        let name = query.integration.as_deref().ok_or_else(|| {
            Problem::invalid("raw=1 needs integration=NAME, which says how to read the body")
        })?;
        return Ok(Question {
            integration: names::integration(&rules, name)?.clone(),
            body: body.to_vec(),
            is_raw: true,
            at: at.map(|at| parse::moment("at", at)).transpose()?,
        });
    }
    let (event, extras) = without_extras(body)?;
    let name = extras.integration.or_else(|| query.integration.clone());
    let integration = match name {
        Some(name) => names::integration(&rules, &name)?.clone(),
        None => any_native(&rules),
    };
    let at = extras.at.as_deref().or(at);
    Ok(Question {
        integration,
        body: event,
        is_raw: false,
        at: at.map(|at| parse::moment("at", at)).transpose()?,
    })
}

/// The first integration of our own format, else one without any labels of its own.
fn any_native(rules: &RuleSet) -> Integration {
    let mut known = rules.integrations.values();
    let native = known.find(|known| known.format == inbound::native::FORMAT.word);
    native.cloned().unwrap_or_else(|| Integration {
        name: IntegrationName::from("native"),
        format: inbound::native::FORMAT.word,
        mapping: None,
        labels: Labels::default(),
        max_age: Duration::hours(6),
        resolve_after: None,
        key_hashes: Vec::new(),
        was: Vec::new(),
    })
}

/// What stands beside the event in a dry run.
#[derive(Debug, Default, PartialEq)]
struct Extras {
    integration: Option<String>,
    at: Option<String>,
}

/// Takes `integration` and `at` out of an event, so that the rest is the native format.
fn without_extras(body: &[u8]) -> Result<(Vec<u8>, Extras), Problem> {
    let Ok(Value::Object(mut event)) = serde_json::from_slice(body) else {
        // Whatever is wrong with it, the format says it best.
        return Ok((body.to_vec(), Extras::default()));
    };
    let mut text = |name: &str| match event.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Problem::invalid(format!("$.{name} is not text")))
        }
    };
    let extras = Extras {
        integration: text("integration")?,
        at: text("at")?,
    };
    let rest = serde_json::to_vec(&event).map_err(|_| Problem::internal())?;
    Ok((rest, extras))
}

async fn decide(
    state: &ApiState,
    integration: IntegrationName,
    parsed: Parsed,
    at: Option<Timestamp>,
) -> Result<wire::preview::Preview, Problem> {
    // One at a time: each holds a copy of the state, and the driver while it is made.
    let turn = state.looks.preview.clone().lock_owned().await;
    let copy = |view: View<'_>| (view.state.clone(), view.rules.clone(), view.now);
    let (copy, rules, now) = state.handle.read(copy).await?;
    let now = Now {
        wall: at.unwrap_or(now.wall),
        ..now
    };
    // Hours of many incidents may be gone through: not where others wait.
    let decide = move || {
        let _turn = turn;
        let previews = preview(copy, &rules, &integration, &parsed.events, now);
        let decisions = parsed
            .events
            .iter()
            .zip(&previews)
            .flat_map(|(event, previews)| {
                let previews = previews.iter();
                previews.map(|preview| wire::preview::decision(&event.dedup_key, preview))
            });
        wire::preview::Preview {
            decisions: decisions.collect(),
            events: parsed
                .events
                .iter()
                .map(wire::preview::understood)
                .collect(),
            faults: wire::receipt::faults(&parsed.faults),
        }
    };
    let decided = tokio::task::spawn_blocking(decide).await;
    decided.map_err(|_| Problem::internal())
}

/// The body of a dry run, for the description of the API.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "only its shape is used; the format reads the event itself"
)]
pub struct NativeEvent {
    /// `trigger`, `acknowledge` or `resolve`.
    action: Option<String>,
    dedup_key: Option<String>,
    summary: Option<String>,
    /// `critical`, `error`, `warning` or `info`.
    severity: Option<String>,
    source: Option<String>,
    /// RFC 3339.
    occurred_at: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    links: Option<Vec<wire::alert::Link>>,
    /// Events with one id count once.
    id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_the_event_is_taken_out_of_it() {
        let body = br#"{"summary":"disk","integration":"billing","at":"2026-11-23T03:10:00Z"}"#;
        let (event, extras) = without_extras(body).unwrap();
        assert_eq!(event, br#"{"summary":"disk"}"#);
        assert_eq!(extras.integration.as_deref(), Some("billing"));
        assert_eq!(extras.at.as_deref(), Some("2026-11-23T03:10:00Z"));
        let (same, none) = without_extras(b"[{}]").unwrap();
        assert_eq!(
            (same.as_slice(), none),
            (b"[{}]".as_slice(), Extras::default())
        );
        assert!(without_extras(br#"{"at":5}"#).is_err());
    }
}
