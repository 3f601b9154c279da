//! Answers of a server, each with all the fields that the real one sends, and from where tests look
//! at them.

use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::wire::entry::Entry;
use crate::cli::context::Look;
use crate::cli::render::View;

/// Monday, 2026-11-23 03:20 in Lisbon.
pub fn view() -> View {
    let now: jiff::Timestamp = "2026-11-23T03:20:00Z".parse().expect("a timestamp");
    View {
        now: now.into(),
        zone: TimeZone::get("Europe/Lisbon").expect("a zone"),
        look: Look::PLAIN,
    }
}

/// An answer in the shape that the API gives it.
pub fn sample<T: DeserializeOwned>(answer: &Value) -> T {
    T::deserialize(answer).unwrap_or_else(|error| panic!("{error}: {answer:#}"))
}

/// An answer with other fields.
pub fn with(mut answer: Value, fields: Value) -> Value {
    let (Value::Object(answer_), Value::Object(fields)) = (&mut answer, fields) else {
        panic!("not objects");
    };
    answer_.extend(fields);
    answer
}

pub fn actor(name: &str) -> Value {
    json!({"user": name, "name": name, "via": "link"})
}

pub fn incident(number: u64) -> Value {
    json!({
        "number": number, "id": format!("incident-{number}"), "generation": 1,
        "status": "triggered", "urgency": "high", "service": null, "title": "down",
        "headline": "down", "integration": "native", "labels": {}, "route": "r", "policy": null,
        "revision": 3, "opened_at": "2026-11-23T03:12:04Z", "opened_by": null,
        "acknowledged_at": null, "acknowledged_by": null, "resolved_at": null,
        "resolved_by": null, "next_step_at": null, "escalation": "running", "round": 1,
        "silenced": false, "flapping": false, "still_firing": false, "notes": [],
        "alerts_total": 0, "alerts_firing": 0, "held_under": null, "provider_incident": null,
        "waiting": [], "waiting_total": 0,
    })
}

pub fn alert(summary: &str) -> Value {
    json!({
        "integration": "native", "dedup_key": "abc", "status": "firing", "acknowledged": false,
        "summary": summary, "severity": "critical", "source": null, "service": null,
        "component": null, "group": null, "class": null, "labels": {}, "links": [],
        "starts_at": null, "first_seen": "2026-11-23T03:12:04Z", "last_seen": null,
        "resolved_at": null, "repeats": 0, "incidents": [5], "silenced_by": [],
        "held_old": false,
    })
}

pub fn page(kind: &str) -> Value {
    json!({
        "id": 1, "kind": kind, "state": "sent", "incidents": [5], "user": "ana",
        "contact": "phone", "target": null, "channel": "sms", "medium": "sms", "urgency": "high",
        "route": "r", "policy": "p", "step": 1, "round": 1, "schedule": null, "why": "step 1",
        "created_at": "2026-11-23T03:12:05Z", "attempts": [],
    })
}

pub fn acted(number: u64, result: &str) -> Value {
    json!({"number": number, "result": result, "status": "acknowledged",
           "acknowledged_at": null, "acknowledged_by": null, "linked": []})
}

/// Entries of a timeline; fields that are not given are those of incident 5.
pub fn entries(entries: Value) -> Vec<Entry> {
    let Value::Array(entries) = entries else {
        panic!("not a list");
    };
    let entries = entries.into_iter();
    entries.map(|fields| sample(&entry(fields))).collect()
}

pub fn entry(fields: Value) -> Value {
    let entry = json!({"id": 1, "incident": 5, "at": "2026-11-23T03:12:04Z", "kind": "incident",
                       "reason": "opened", "text": ""});
    with(entry, fields)
}

pub fn receipt() -> Value {
    json!({"id": "r12", "at": "2026-11-23T03:12:04Z", "integration": "native",
           "action": "trigger", "dedup_key": "abc", "disposition": "opened", "incident": 5,
           "incidents": [5], "reason": "opened", "text": "opened #5", "routes": ["r"],
           "summary": "down", "severity": "critical",
           "faults": [{"path": "$.labels.x", "problem": "cut to 4096 bytes"}]})
}

/// What concerned ana.
pub fn explained(entries: &[Value], receipts: &[Value]) -> Value {
    json!({"user": "ana", "since": "2026-11-22T19:20:00Z", "items": entries, "incidents": [],
           "receipts": receipts, "truncated": false})
}

pub fn override_(id: u64, schedule: &str) -> Value {
    json!({"id": id, "user": "bo", "schedule": schedule, "reason": "swap",
           "from": "2026-11-23T03:00:00Z", "until": "2026-11-23T05:00:00Z",
           "created_at": "2026-11-23T02:00:00Z", "created_by": actor("ana")})
}

pub fn channel(name: &str, kind: &str) -> Value {
    json!({"name": name, "kind": kind, "media": [], "state": "up", "outcome": null,
           "down_since": null, "closed_until": null, "last_success_at": "2026-11-23T02:00:00Z",
           "last_check_passed_at": null, "failures": 0, "reaches_people": true})
}

pub fn key(id: &str) -> Value {
    json!({"id": id, "integration": "native", "origin": "api", "name": "backup",
           "created": "2026-11-23T02:00:00Z", "last_used": "2026-11-23T03:00:00Z",
           "created_by": actor("ana")})
}

pub fn made_key() -> Value {
    json!({"id": "k3", "key": "new-key", "integration": "native"})
}

pub fn made_token() -> Value {
    json!({"id": "t1", "token": "new-token", "role": "viewer", "expires": null})
}

/// What a change to revision 5 does.
pub fn change(differences: &Value, on_call: &Value) -> Value {
    json!({"revision": 5, "differences": differences, "on_call": on_call, "warnings": []})
}

/// The rules of revision 4.
pub fn rules(files: &Value) -> Value {
    json!({"revision": 4, "author": actor("ana"), "at": "2026-11-23T03:00:00Z",
           "message": "more people", "files": files, "origin": "as_applied", "hashed_keys": 0})
}

pub fn preview(decisions: &Value) -> Value {
    json!({"decisions": decisions, "events": [], "faults": []})
}
