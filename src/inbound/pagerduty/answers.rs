//! Answers in the words of the original; each is a JSON object.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::event::Fault;
use crate::engine::records::Receipt;
use crate::inbound::{Answer, Answers, Parsed, Refused};

/// To events.
pub const ANSWERS: Answers = Answers {
    stored,
    nothing_usable,
    refused,
};

/// To change events.
pub const CHANGE_ANSWERS: Answers = Answers {
    stored: |_, _| success(serde_json::json!({"message": "Change event processed"})),
    ..ANSWERS
};

/// The event is durable; its key is for later events about the same alert.
fn stored(receipts: &[Arc<Receipt>], _: &[Fault]) -> Answer {
    let key = receipts.first().map_or("", |receipt| &*receipt.dedup_key);
    success(serde_json::json!({"message": "Event processed", "dedup_key": key}))
}

fn success(mut body: Value) -> Answer {
    body["status"] = "success".into();
    let body = Some(body);
    Answer { status: 202, body }
}

fn nothing_usable(parsed: &Parsed) -> Answer {
    if is_unrecognized(parsed) {
        return unrecognized_object();
    }
    let errors: Vec<&str> = parsed.faults.iter().map(|fault| &*fault.problem).collect();
    invalid_event(400, &errors)
}

/// The original's clients drop an event after some 503 (pdjs 2.2 at once), and come back after a
/// 429, for as long as it takes (pagerduty 7.2). What passes is therefore a 429.
fn refused(refused: Refused<'_>) -> Answer {
    if !refused.is_temporary {
        return invalid_event(refused.status, &[refused.detail]);
    }
    let message = "Requests for this service are arriving too quickly. Please retry later.";
    error(429, "throttle exceeded", message, &[refused.detail])
}

/// The routing key of an event opens nothing here.
pub fn unknown_routing_key() -> Answer {
    invalid_event(400, &["'routing_key' is not a known integration key"])
}

/// An event brought no routing key at all.
pub fn without_routing_key() -> Answer {
    invalid_event(400, &["'routing_key' is missing or blank"])
}

/// The body was no JSON object, in the words of the original.
pub fn unrecognized_object() -> Answer {
    let message = "Event object format is unrecognized";
    error(400, "Unrecognized object", message, &["JSON parse error"])
}

fn invalid_event(status: u16, errors: &[&str]) -> Answer {
    error(status, "invalid event", "Event object is invalid", errors)
}

fn error(status: u16, word: &str, message: &str, errors: &[&str]) -> Answer {
    let body = serde_json::json!({"status": word, "message": message, "errors": errors});
    let body = Some(body);
    Answer { status, body }
}

/// Whether the body was no JSON object at all, which the original answers in words of its own.
fn is_unrecognized(parsed: &Parsed) -> bool {
    parsed.events.is_empty() && matches!(&*parsed.faults, [Fault { path, .. }] if path == "$")
}
