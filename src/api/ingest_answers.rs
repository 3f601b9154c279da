//! What senders are answered: our receipts, or exactly what the imitated program would say.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::engine::event::Fault;
use crate::engine::records::Receipt;

use super::problem::Problem;
use super::shapes::receipt::{self, AcceptedBatch};

/// Whose form an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Our own: 202 with receipts.
    Receipts,
    /// Alertmanager's API v2: 200 with nothing, errors as a JSON string.
    Alertmanager,
    /// PagerDuty's Events API v2: always a JSON object.
    Pagerduty,
}

/// What was stored of a request.
pub struct Stored<'request> {
    pub receipts: &'request [Arc<Receipt>],
    /// What could not be used.
    pub faults: &'request [Fault],
}

/// At least one event is durable.
pub fn stored(manner: Manner, stored: &Stored) -> Response {
    match manner {
        Manner::Receipts => {
            let receipts = stored.receipts.iter();
            let batch = AcceptedBatch {
                receipts: receipts.map(|known| receipt::accepted(known)).collect(),
                faults: receipt::faults(stored.faults),
            };
            (StatusCode::ACCEPTED, Json(batch)).into_response()
        }
        // As in the original, the valid alerts of a batch are stored and the answer is 400.
        Manner::Alertmanager if stored.faults.is_empty() => StatusCode::OK.into_response(),
        Manner::Alertmanager => {
            (StatusCode::BAD_REQUEST, Json(as_sentence(stored.faults))).into_response()
        }
        Manner::Pagerduty => {
            let first = stored.receipts.first();
            let key = first.map_or("", |known| &*known.dedup_key);
            let body = json!({
                "status": "success",
                "message": "Event processed",
                "dedup_key": key,
            });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    }
}

/// Nothing of the request could be used, or it held nothing.
pub fn nothing_usable(manner: Manner, faults: &[Fault], body: &[u8]) -> Response {
    match manner {
        Manner::Receipts if faults.is_empty() => {
            let empty = AcceptedBatch {
                receipts: Vec::new(),
                faults: Vec::new(),
            };
            (StatusCode::ACCEPTED, Json(empty)).into_response()
        }
        Manner::Receipts => Problem::faulty(faults).into_response(),
        Manner::Alertmanager if faults.is_empty() => StatusCode::OK.into_response(),
        Manner::Alertmanager => {
            (StatusCode::BAD_REQUEST, Json(as_sentence(faults))).into_response()
        }
        Manner::Pagerduty => invalid_event(faults, body),
    }
}

/// The request was refused before anything was stored.
pub fn refused(manner: Manner, problem: &Problem) -> Response {
    match manner {
        Manner::Receipts => problem.clone().into_response(),
        Manner::Alertmanager => {
            let text = Json(problem.detail().to_owned());
            problem.with_body(problem.status(), text)
        }
        Manner::Pagerduty => {
            // The original asks for patience with 429, and its clients retry on that.
            let is_busy = problem.code() == "busy";
            let status = if is_busy {
                StatusCode::TOO_MANY_REQUESTS
            } else {
                problem.status()
            };
            let word = if problem.is_temporary() {
                "throttle exceeded"
            } else {
                "invalid event"
            };
            problem.with_body(
                status,
                pagerduty_error(word, &[problem.detail().to_owned()]),
            )
        }
    }
}

/// The routing key of an event opens nothing here.
pub fn unknown_routing_key() -> Response {
    let errors = ["'routing_key' opens no integration here".to_owned()];
    (
        StatusCode::BAD_REQUEST,
        pagerduty_error("invalid event", &errors),
    )
        .into_response()
}

/// An event brought no routing key at all.
pub fn without_routing_key(body: &[u8]) -> Response {
    let missing = Fault {
        path: "$.routing_key".to_owned(),
        problem: "is missing or blank".to_owned(),
    };
    invalid_event(&[missing], body)
}

fn invalid_event(faults: &[Fault], body: &[u8]) -> Response {
    let is_no_object = matches!(faults, [Fault { path, .. }] if path == "$");
    if is_no_object || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
        let unreadable = json!({
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        });
        return (StatusCode::BAD_REQUEST, Json(unreadable)).into_response();
    }
    let errors: Vec<String> = faults.iter().map(sentence).collect();
    (
        StatusCode::BAD_REQUEST,
        pagerduty_error("invalid event", &errors),
    )
        .into_response()
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
    use crate::engine::event::Action;
    use crate::engine::ids::{IncidentNumber, ReceiptId};
    use crate::engine::reason::Reason;
    use crate::engine::records::Disposition;
    use crate::engine::time::Wall;
    use crate::runtime::handle::Unavailable;

    fn receipt() -> Arc<Receipt> {
        Arc::new(Receipt {
            id: ReceiptId(17),
            at: Wall(0),
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
            (Manner::Receipts, 202, ours),
            (Manner::Alertmanager, 200, Value::Null),
            (Manner::Pagerduty, 202, theirs),
        ];
        for (manner, status, body) in cases {
            let answer = stored(
                manner,
                &Stored {
                    receipts: &receipts,
                    faults: &[],
                },
            );
            assert_eq!(read(answer).await, (status, body), "{manner:?}");
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
        let (status, body) = read(stored(Manner::Receipts, &half)).await;
        assert_eq!(
            (status, &body["faults"][0]["path"]),
            (202, &json!("$[1].labels"))
        );
        let (status, body) = read(stored(Manner::Alertmanager, &half)).await;
        assert_eq!((status, body), (400, json!("$[1].labels: is missing")));
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_refused_with_every_fault() {
        let invalid = json!({
            "status": "invalid event", "message": "Event object is invalid",
            "errors": ["$[1].labels: is missing"],
        });
        let unreadable = json!({
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized", "errors": ["JSON parse error"],
        });
        let cases: [(Manner, &[u8], Value); 3] = [
            (
                Manner::Alertmanager,
                b"[]",
                json!("$[1].labels: is missing"),
            ),
            (Manner::Pagerduty, b"{}", invalid),
            (Manner::Pagerduty, b"{", unreadable),
        ];
        for (manner, body, expected) in cases {
            let answer = nothing_usable(manner, &[fault()], body);
            assert_eq!(read(answer).await, (400, expected), "{manner:?}");
        }
        let (status, body) = read(nothing_usable(Manner::Receipts, &[fault()], b"{}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_events")));
    }

    #[tokio::test]
    async fn an_empty_list_is_no_fault() {
        let cases = [(Manner::Receipts, 202), (Manner::Alertmanager, 200)];
        for (manner, expected) in cases {
            let (status, _) = read(nothing_usable(manner, &[], b"[]")).await;
            assert_eq!(status, expected, "{manner:?}");
        }
    }

    #[tokio::test]
    async fn a_full_queue_is_429_only_for_the_program_that_knows_it() {
        let busy = Problem::from(Unavailable::Busy("billing".into()));
        let cases = [
            (Manner::Receipts, 503),
            (Manner::Alertmanager, 503),
            (Manner::Pagerduty, 429),
        ];
        for (manner, expected) in cases {
            let answer = refused(manner, &busy);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
            let (status, body) = read(answer).await;
            assert_eq!(status, expected, "{manner:?}");
            assert_ne!(body, Value::Null, "{manner:?} always answers JSON");
        }
    }
}
