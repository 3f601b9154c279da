//! What senders are answered: our receipts, or exactly what the imitated program would say.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::engine::event::Fault;
use crate::engine::records::Receipt;
use crate::inbound::Parsed;
use crate::inbound::pagerduty::is_unrecognized;

use super::extract::Json;
use super::problem::Problem;
use super::wire::receipt::{self, AcceptedBatch};

/// Whose form an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseStyle {
    /// Our own: 202 with receipts.
    Receipts,
    /// Alertmanager's API v2: 200 with nothing, errors as a JSON string.
    Alertmanager,
    /// PagerDuty's Events API v2: always a JSON object.
    Pagerduty,
    /// The same for its change events, which have no key.
    PagerdutyChange,
}

/// What was stored of a request.
pub struct Stored<'request> {
    pub receipts: &'request [Arc<Receipt>],
    /// What could not be used.
    pub faults: &'request [Fault],
}

/// At least one event is durable.
pub fn stored(style: ResponseStyle, stored: &Stored) -> Response {
    match style {
        ResponseStyle::Receipts => {
            let receipts = stored.receipts.iter();
            let batch = AcceptedBatch {
                receipts: receipts.map(|known| receipt::accepted(known)).collect(),
                faults: receipt::faults(stored.faults),
            };
            (StatusCode::ACCEPTED, Json(batch)).into_response()
        }
        // As in the original, the valid alerts of a batch are stored and the answer is 400.
        ResponseStyle::Alertmanager if stored.faults.is_empty() => StatusCode::OK.into_response(),
        ResponseStyle::Alertmanager => {
            (StatusCode::BAD_REQUEST, Json(as_sentence(stored.faults))).into_response()
        }
        ResponseStyle::Pagerduty => {
            let first = stored.receipts.first();
            let key = first.map_or("", |known| &*known.dedup_key);
            let body = json!({
                "status": "success",
                "message": "Event processed",
                "dedup_key": key,
            });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        ResponseStyle::PagerdutyChange => {
            let body = json!({"status": "success", "message": "Change event processed"});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    }
}

/// Nothing of the request could be used, or it held nothing.
pub fn nothing_usable(style: ResponseStyle, parsed: &Parsed) -> Response {
    let faults = &parsed.faults;
    match style {
        ResponseStyle::Receipts if faults.is_empty() => {
            let empty = AcceptedBatch {
                receipts: Vec::new(),
                faults: Vec::new(),
            };
            (StatusCode::ACCEPTED, Json(empty)).into_response()
        }
        ResponseStyle::Receipts => Problem::faulty(faults).into_response(),
        ResponseStyle::Alertmanager if faults.is_empty() => StatusCode::OK.into_response(),
        ResponseStyle::Alertmanager => {
            (StatusCode::BAD_REQUEST, Json(as_sentence(faults))).into_response()
        }
        ResponseStyle::Pagerduty | ResponseStyle::PagerdutyChange if is_unrecognized(parsed) => {
            unrecognized_object()
        }
        ResponseStyle::Pagerduty | ResponseStyle::PagerdutyChange => {
            let errors: Vec<String> = faults.iter().map(|fault| fault.problem.clone()).collect();
            invalid_event(&errors)
        }
    }
}

/// The request was refused before anything was stored.
pub fn refused(style: ResponseStyle, problem: &Problem) -> Response {
    match style {
        ResponseStyle::Receipts => problem.clone().into_response(),
        ResponseStyle::Alertmanager => {
            let text = Json(problem.detail().to_owned());
            problem.with_body(problem.status(), text)
        }
        ResponseStyle::Pagerduty | ResponseStyle::PagerdutyChange => refused_as_pagerduty(problem),
    }
}

/// The original's clients drop an event after some 503 (pdjs 2.2 at once), and come back after a
/// 429, for as long as it takes (pagerduty 7.2). What passes is therefore a 429.
fn refused_as_pagerduty(problem: &Problem) -> Response {
    let errors = [problem.detail().to_owned()];
    if !problem.is_temporary() {
        let body = pagerduty_error("invalid event", &errors);
        return problem.with_body(problem.status(), body);
    }
    let body = json!({
        "status": "throttle exceeded",
        "message": "Requests for this service are arriving too quickly. Please retry later.",
        "errors": errors,
    });
    problem.with_body(StatusCode::TOO_MANY_REQUESTS, Json(body))
}

/// The routing key of an event opens nothing here.
pub fn unknown_routing_key() -> Response {
    invalid_event(&["'routing_key' is not a known integration key".to_owned()])
}

/// An event brought no routing key at all.
pub fn without_routing_key() -> Response {
    invalid_event(&["'routing_key' is missing or blank".to_owned()])
}

/// The body was no JSON object, in the words of the original.
pub fn unrecognized_object() -> Response {
    let body = json!({
        "status": "Unrecognized object",
        "message": "Event object format is unrecognized",
        "errors": ["JSON parse error"],
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn invalid_event(errors: &[String]) -> Response {
    let body = pagerduty_error("invalid event", errors);
    (StatusCode::BAD_REQUEST, body).into_response()
}

fn pagerduty_error(status: &str, errors: &[String]) -> Json<serde_json::Value> {
    Json(json!({
        "status": status,
        "message": "Event object is invalid",
        "errors": errors,
    }))
}

fn as_sentence(faults: &[Fault]) -> String {
    let faults: Vec<String> = faults.iter().map(sentence).collect();
    faults.join("; ")
}

fn sentence(fault: &Fault) -> String {
    format!("{}: {}", fault.path, fault.problem)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::header;
    use serde_json::Value;

    use super::*;
    use crate::engine::event::{Action, Labels};
    use crate::engine::ids::{IncidentNumber, ReceiptId};
    use crate::engine::reason::Reason;
    use crate::engine::records::Disposition;
    use crate::engine::ruleset::{Format, Integration};
    use crate::engine::time::{Duration, Timestamp};
    use crate::runtime::handle::Unavailable;

    fn receipt() -> Arc<Receipt> {
        Arc::new(Receipt {
            id: ReceiptId(17),
            at: Timestamp(0),
            integration: "billing".into(),
            action: Action::Trigger,
            dedup_key: "disk/db1".into(),
            event_id: None,
            disposition: Disposition::Opened,
            incidents: vec![IncidentNumber(1042), IncidentNumber(1043)],
            reason: Reason::NewAlert,
            routes: Vec::new(),
            faults: Vec::new(),
            source_time: None,
            content: None,
        })
    }

    fn fault() -> Fault {
        Fault {
            path: "$[1].labels".to_owned(),
            problem: "is missing".to_owned(),
        }
    }

    async fn read(response: Response) -> (u16, Value) {
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    #[tokio::test]
    async fn each_sender_gets_the_answer_that_it_expects() {
        let receipts = [receipt()];
        let ours = json!({"receipts": [{
            "id": "r17", "dedup_key": "disk/db1", "disposition": "opened",
            "incident": 1042, "incidents": [1042, 1043], "faults": [],
        }]});
        let theirs = json!({
            "status": "success", "message": "Event processed", "dedup_key": "disk/db1",
        });
        let cases = [
            (ResponseStyle::Receipts, 202, ours),
            (ResponseStyle::Alertmanager, 200, Value::Null),
            (ResponseStyle::Pagerduty, 202, theirs),
        ];
        for (style, status, body) in cases {
            let answer = stored(
                style,
                &Stored {
                    receipts: &receipts,
                    faults: &[],
                },
            );
            assert_eq!(read(answer).await, (status, body), "{style:?}");
        }
    }

    #[tokio::test]
    async fn a_batch_with_a_bad_part_is_stored_and_says_so() {
        let receipts = [receipt()];
        let faults = [fault()];
        let half = Stored {
            receipts: &receipts,
            faults: &faults,
        };
        let (status, body) = read(stored(ResponseStyle::Receipts, &half)).await;
        assert_eq!(
            (status, &body["faults"][0]["path"]),
            (202, &json!("$[1].labels"))
        );
        let (status, body) = read(stored(ResponseStyle::Alertmanager, &half)).await;
        assert_eq!((status, body), (400, json!("$[1].labels: is missing")));
    }

    fn nothing_but(faults: Vec<Fault>) -> Parsed {
        Parsed {
            events: Vec::new(),
            faults,
        }
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_refused_with_every_fault() {
        let parsed = nothing_but(vec![fault()]);
        let (status, body) = read(nothing_usable(ResponseStyle::Alertmanager, &parsed)).await;
        assert_eq!((status, body), (400, json!("$[1].labels: is missing")));
        let (status, body) = read(nothing_usable(ResponseStyle::Receipts, &parsed)).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_events")));
    }

    #[tokio::test]
    async fn an_event_that_pagerduty_would_refuse_is_refused_in_its_words() {
        let invalid = |errors: Value| {
            json!({
                "status": "invalid event", "message": "Event object is invalid",
                "errors": errors,
            })
        };
        let unrecognized = json!({
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized", "errors": ["JSON parse error"],
        });
        let cases: [(&[u8], Value); 6] = [
            (b"{", unrecognized.clone()),
            (b"[]", unrecognized.clone()),
            (b"\"trigger\"", unrecognized),
            (
                b"{}",
                invalid(json!([
                    "'event_action' is missing or blank",
                    "'payload' is missing or blank",
                ])),
            ),
            (
                br#"{"event_action":"resolve"}"#,
                invalid(json!(["'dedup_key' is missing or blank"])),
            ),
            // Behind a mark of the byte order it is an object all the same.
            (
                b"\xEF\xBB\xBF{\"event_action\":\"trigger\",\
                  \"payload\":{\"summary\":\"a\",\"source\":\"b\"}}",
                invalid(json!(["'payload.severity' is missing or blank"])),
            ),
        ];
        let integration = Integration {
            name: "billing".into(),
            format: Format::Pagerduty,
            labels: Labels::default(),
            max_age: Duration::hours(6),
            resolve_after: None,
            key_hashes: Vec::new(),
            was: Vec::new(),
        };
        for (body, expected) in cases {
            let parsed = crate::inbound::parse(&integration, body, Timestamp(0));
            let answer = nothing_usable(ResponseStyle::Pagerduty, &parsed);
            let text = String::from_utf8_lossy(body);
            assert_eq!(read(answer).await, (400, expected), "{text}");
        }
    }

    #[tokio::test]
    async fn an_empty_list_is_no_fault() {
        let cases = [
            (ResponseStyle::Receipts, 202),
            (ResponseStyle::Alertmanager, 200),
        ];
        for (style, expected) in cases {
            let (status, _) = read(nothing_usable(style, &nothing_but(Vec::new()))).await;
            assert_eq!(status, expected, "{style:?}");
        }
    }

    #[tokio::test]
    async fn passing_trouble_is_429_only_for_the_programs_that_come_back_after_it() {
        let troubles = [
            Unavailable::Busy("billing".into()),
            Unavailable::DiskLow,
            Unavailable::Stopping,
            Unavailable::Quarantined,
            Unavailable::StoreFailed("disk on fire".to_owned()),
        ];
        let manners = [
            (ResponseStyle::Receipts, 503),
            (ResponseStyle::Alertmanager, 503),
            (ResponseStyle::Pagerduty, 429),
            (ResponseStyle::PagerdutyChange, 429),
        ];
        for trouble in troubles {
            let problem = Problem::from(trouble);
            for (style, expected) in manners {
                let answer = refused(style, &problem);
                assert!(answer.headers().contains_key(header::RETRY_AFTER));
                let (status, body) = read(answer).await;
                assert_eq!(status, expected, "{style:?} {}", problem.code());
                assert_ne!(body, Value::Null, "{style:?} always answers JSON");
                if expected == 429 {
                    assert_eq!(body["status"], "throttle exceeded");
                    assert_eq!(body["errors"][0], problem.detail());
                }
            }
        }
    }

    #[tokio::test]
    async fn a_change_event_is_answered_without_a_key() {
        let receipts = [receipt()];
        let stored_whole = Stored {
            receipts: &receipts,
            faults: &[],
        };
        let answer = stored(ResponseStyle::PagerdutyChange, &stored_whole);
        let body = json!({"status": "success", "message": "Change event processed"});
        assert_eq!(read(answer).await, (202, body));
    }
}
