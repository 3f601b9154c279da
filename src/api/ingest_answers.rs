//! What senders are answered over HTTP: our receipts and problems, or what their format says that
//! the imitated program would answer.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::engine::event::Fault;
use crate::engine::records::Receipt;
use crate::inbound::{Answer, Descriptor, Parsed, Refused};

use super::extract::Json;
use super::problem::Problem;
use super::wire::receipt::{self, AcceptedBatch};

/// At least one event is durable; the faults are of what could not be used.
pub fn stored(format: &Descriptor, receipts: &[Arc<Receipt>], faults: &[Fault]) -> Response {
    match &format.answers {
        Some(answers) => response((answers.stored)(receipts, faults)),
        None => accepted(receipts, faults),
    }
}

/// Nothing of the request could be used, or it held nothing.
pub fn nothing_usable(format: &Descriptor, parsed: &Parsed) -> Response {
    match &format.answers {
        Some(answers) => response((answers.nothing_usable)(parsed)),
        None if parsed.faults.is_empty() => accepted(&[], &[]),
        None => Problem::faulty(&parsed.faults).into_response(),
    }
}

/// The request was refused before anything was stored.
pub fn refused(format: &Descriptor, problem: &Problem) -> Response {
    let Some(answers) = &format.answers else {
        return problem.clone().into_response();
    };
    let answer = (answers.refused)(Refused {
        status: problem.status().as_u16(),
        detail: problem.detail(),
        is_temporary: problem.is_temporary(),
    });
    problem.with_body(status(&answer), Json(answer.body))
}

/// An answer as HTTP.
pub fn response(answer: Answer) -> Response {
    let status = status(&answer);
    match answer.body {
        Some(body) => (status, Json(body)).into_response(),
        None => status.into_response(),
    }
}

fn status(answer: &Answer) -> StatusCode {
    StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn accepted(receipts: &[Arc<Receipt>], faults: &[Fault]) -> Response {
    let receipts = receipts.iter();
    let batch = AcceptedBatch {
        receipts: receipts.map(|receipt| receipt::accepted(receipt)).collect(),
        faults: receipt::faults(faults),
    };
    (StatusCode::ACCEPTED, Json(batch)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::header;
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::event::Action;
    use crate::engine::ids::{IncidentNumber, ReceiptId};
    use crate::engine::reason::Reason;
    use crate::engine::records::Disposition;
    use crate::engine::time::Timestamp;
    use crate::inbound::tests::integration;
    use crate::inbound::{alertmanager_api, native, pagerduty};
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
            (&native::FORMAT, 202, ours),
            (&alertmanager_api::FORMAT, 200, Value::Null),
            (&pagerduty::FORMAT, 202, theirs),
        ];
        for (format, status, body) in cases {
            let answer = stored(format, &receipts, &[]);
            assert_eq!(read(answer).await, (status, body), "{}", format.word);
        }
    }

    #[tokio::test]
    async fn a_batch_with_a_bad_part_is_stored_and_says_so() {
        let receipts = [receipt()];
        let faults = [fault()];
        let (status, body) = read(stored(&native::FORMAT, &receipts, &faults)).await;
        assert_eq!(
            (status, &body["faults"][0]["path"]),
            (202, &json!("$[1].labels"))
        );
        let (status, body) = read(stored(&alertmanager_api::FORMAT, &receipts, &faults)).await;
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
        let (status, body) = read(nothing_usable(&alertmanager_api::FORMAT, &parsed)).await;
        assert_eq!((status, body), (400, json!("$[1].labels: is missing")));
        let (status, body) = read(nothing_usable(&native::FORMAT, &parsed)).await;
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
        for (body, expected) in cases {
            let parsed = crate::inbound::parse(&integration("pagerduty"), body, Timestamp(0));
            let answer = nothing_usable(&pagerduty::FORMAT, &parsed);
            let text = String::from_utf8_lossy(body);
            assert_eq!(read(answer).await, (400, expected), "{text}");
        }
    }

    #[tokio::test]
    async fn an_empty_list_is_no_fault() {
        let cases = [(&native::FORMAT, 202), (&alertmanager_api::FORMAT, 200)];
        for (format, expected) in cases {
            let (status, _) = read(nothing_usable(format, &nothing_but(Vec::new()))).await;
            assert_eq!(status, expected, "{}", format.word);
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
        let formats = [
            (&native::FORMAT, 503),
            (&alertmanager_api::FORMAT, 503),
            (&pagerduty::FORMAT, 429),
            (&pagerduty::CHANGE, 429),
        ];
        for trouble in troubles {
            let problem = Problem::from(trouble);
            for (format, expected) in formats {
                let answer = refused(format, &problem);
                assert!(answer.headers().contains_key(header::RETRY_AFTER));
                let (status, body) = read(answer).await;
                assert_eq!(status, expected, "{} {}", format.word, problem.code());
                assert_ne!(body, Value::Null, "{} always answers JSON", format.word);
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
        let answer = stored(&pagerduty::CHANGE, &receipts, &[]);
        let body = json!({"status": "success", "message": "Change event processed"});
        assert_eq!(read(answer).await, (202, body));
    }
}
