//! What people do with incidents through the API: acknowledge, give back, resolve, snooze,
//! escalate, hand over, note, and page somebody by hand.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::decision::{ActResult, Acted};
use crate::engine::ids::IncidentNumber;
use crate::engine::input::{Act, ActOn, PageByHand, Verb};

use super::audit;
use super::audit_log::AuditEvent;
use super::auth::Caller;
use super::extract::{Json, Path};
use super::names;
use super::parse;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire;
use super::wire::audit::Action;
use super::wire::incident::{ManyActed, Opened};

/// Characters of a note or of a page by hand.
const TEXT_CHARACTERS_MAX: usize = 1_024;

/// Incidents of one request.
const NUMBERS_MAX: usize = 1_000;

/// `{}`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// How long to sleep on it: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Snooze {
    /// A length such as `1h`.
    #[serde(rename = "for")]
    for_: Option<String>,
    /// RFC 3339.
    until: Option<String>,
}

/// Who is to have it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reassign {
    /// `user/…`, `schedule/…`, `policy/…` or `channel/…`.
    to: String,
}

/// Words to keep with an incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    text: String,
}

/// Incidents to acknowledge at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    numbers: Vec<u64>,
    /// The user in whose name; for admins only.
    #[serde(rename = "as")]
    as_user: Option<String>,
}

/// A page by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// `user/…`, `schedule/…`, `policy/…` or `channel/…`.
    to: String,
    text: String,
    /// `high` (the default) or `low`.
    urgency: Option<String>,
}

type Answered = Result<Json<wire::incident::Acted>, Problem>;

/// Acknowledge
#[utoipa::path(
    post, path = "/v1/incidents/{number}/acknowledge", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn acknowledge(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    _: Json<Nothing>,
) -> Answered {
    act(&state, &caller, &number, Verb::Acknowledge).await
}

/// Unacknowledge: a new round starts
#[utoipa::path(
    post, path = "/v1/incidents/{number}/unacknowledge", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn unacknowledge(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    _: Json<Nothing>,
) -> Answered {
    act(&state, &caller, &number, Verb::Unacknowledge).await
}

/// Resolve
#[utoipa::path(
    post, path = "/v1/incidents/{number}/resolve", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn resolve(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    _: Json<Nothing>,
) -> Answered {
    act(&state, &caller, &number, Verb::Resolve).await
}

/// Escalate: start the next step now
#[utoipa::path(
    post, path = "/v1/incidents/{number}/escalate", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn escalate(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    _: Json<Nothing>,
) -> Answered {
    act(&state, &caller, &number, Verb::Escalate).await
}

/// Acknowledge and snooze
#[utoipa::path(
    post, path = "/v1/incidents/{number}/snooze", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn snooze(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Json(snooze): Json<Snooze>,
) -> Answered {
    let until = parse::end(snooze.until.as_deref(), snooze.for_.as_deref(), state.now())?;
    act(&state, &caller, &number, Verb::Snooze { until }).await
}

/// Reassign to somebody else
#[utoipa::path(
    post, path = "/v1/incidents/{number}/reassign", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn reassign(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Json(reassign): Json<Reassign>,
) -> Answered {
    let to = parse::target(&reassign.to)?;
    names::target(&state.handle.rules(), &to)?;
    act(&state, &caller, &number, Verb::Reassign { to }).await
}

/// Add a note
#[utoipa::path(
    post, path = "/v1/incidents/{number}/notes", security(("token" = ["responder"])),
    responses((status = 200, body = wire::incident::Acted))
)]
pub async fn note(
    State(state): State<AppState>,
    caller: Caller,
    Path(number): Path<String>,
    Json(note): Json<NewNote>,
) -> Answered {
    let text = said(&note.text)?.into();
    act(&state, &caller, &number, Verb::Note { text }).await
}

/// Acknowledge several incidents
#[utoipa::path(
    post, path = "/v1/incidents/acknowledge", security(("token" = ["responder"])),
    responses((status = 200, body = ManyActed))
)]
pub async fn acknowledge_many(
    State(state): State<AppState>,
    caller: Caller,
    Json(Numbers { numbers, as_user }): Json<Numbers>,
) -> Result<Json<ManyActed>, Problem> {
    let actor = caller.acting_as(as_user.as_deref(), &state.handle.rules())?;
    if numbers.is_empty() || numbers.len() > NUMBERS_MAX {
        let count = numbers.len();
        return Err(Problem::invalid(format!(
            "numbers has {count} entries; give 1 to {NUMBERS_MAX}"
        )));
    }
    let numbers: Vec<_> = numbers.into_iter().map(IncidentNumber).collect();
    let entry = as_user.map(|user| entry_of(&state, &caller, &user, &numbers));
    let act = Act {
        actor,
        on: ActOn::Incidents(numbers),
        verb: Verb::Acknowledge,
    };
    let record = entry.map(AuditEvent::once_done);
    let acted = state.handle.ask(act, record).await?;
    let results = acted.iter().map(wire::incident::acted).collect();
    Ok(Json(ManyActed { results }))
}

/// Page somebody manually
#[utoipa::path(
    post, path = "/v1/incidents", security(("token" = ["responder"])),
    responses((status = 201, body = Opened))
)]
pub async fn page_by_hand(
    State(state): State<AppState>,
    caller: Caller,
    Json(by_hand): Json<ByHand>,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let urgency = by_hand.urgency.as_deref().unwrap_or("high");
    let urgency = parse::urgency(urgency)?;
    let to = parse::target(&by_hand.to)?;
    names::target(&state.handle.rules(), &to)?;
    let page = PageByHand {
        actor: caller.actor(),
        to,
        text: said(&by_hand.text)?.into(),
        urgency,
    };
    let number = state.handle.ask(page, None).await?.0;
    Ok((StatusCode::CREATED, Json(Opened { number })))
}

async fn act(state: &ApiState, caller: &Caller, number: &str, verb: Verb) -> Answered {
    let number = IncidentNumber(parse::number("incident", number)?);
    let act = Act {
        actor: caller.actor(),
        on: ActOn::Incidents(vec![number]),
        verb,
    };
    let acted = state.handle.ask(act, None).await?;
    let acted = acted.first().ok_or_else(Problem::internal)?;
    single(acted).map(Json)
}

/// The timeline names the user; the audit names who acted for them.
fn entry_of(
    state: &ApiState,
    caller: &Caller,
    user: &str,
    numbers: &[IncidentNumber],
) -> AuditEvent {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
    audit::event(state, caller, Action::ActedAs)
        .on(format!("user {user}"))
        .because(format!("acknowledge {}", numbers.join(" ")))
}

/// On a single incident, one that is not there or not open is a problem; doing something twice is
/// harmless.
fn single(acted: &Acted) -> Result<wire::incident::Acted, Problem> {
    let number = acted.number;
    match acted.result {
        ActResult::Done | ActResult::AlreadySo => Ok(wire::incident::acted(acted)),
        ActResult::NotOpen => Err(Problem::new(
            StatusCode::CONFLICT,
            "not_open",
            format!("incident #{number} is no longer open; nothing changed"),
        )),
        ActResult::NotFound => Err(Problem::not_found("incident", format_args!("#{number}"))),
    }
}

fn said(text: &str) -> Result<String, Problem> {
    let text = parse::clean(text, TEXT_CHARACTERS_MAX);
    if text.is_empty() {
        return Err(Problem::invalid("text is empty; say what it is about"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::incident::Status;
    use crate::engine::input::Via;
    use crate::engine::samples;
    use crate::engine::time::Timestamp;

    fn acted(result: ActResult) -> Acted {
        Acted {
            number: IncidentNumber(1042),
            result,
            status: Some(Status::Acknowledged),
            acknowledged: Some(samples::handled("bo", Via::Sms, Timestamp(0))),
            linked: vec![IncidentNumber(1043)],
        }
    }

    #[test]
    fn the_second_person_is_told_who_was_first() {
        let shown = single(&acted(ActResult::AlreadySo)).unwrap();
        assert_eq!(shown.result, "already_so");
        let first = wire::actor::Actor {
            user: Some("bo".to_owned()),
            name: "bo".to_owned(),
            via: "sms".to_owned(),
        };
        assert_eq!(shown.acknowledged_by, Some(first));
        assert_eq!(shown.linked, [1043]);
    }

    #[test]
    fn an_incident_that_is_over_or_unknown_is_a_problem() {
        let cases = [(ActResult::NotOpen, 409), (ActResult::NotFound, 404)];
        for (result, status) in cases {
            let problem = single(&acted(result)).unwrap_err();
            assert_eq!(problem.status().as_u16(), status, "{result:?}");
        }
    }
}
