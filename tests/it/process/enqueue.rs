//! PagerDuty's Events API v2, as its clients use it: every answer is the original's.

use serde_json::{Value, json};

use super::server::{MAIL, Place, Server, one_person};
use crate::harness::http::client;

/// As long as PagerDuty's own, as some senders want it.
const KEY: &str = "0123456789abcdef0123456789abcdef";

const INTEGRATIONS: &str = "  pager: { format: pagerduty, key: env:PAGER_KEY }
";

fn rules() -> String {
    one_person(MAIL, INTEGRATIONS)
}

async fn start() -> (Place, Server) {
    let place = Place::new("", &rules()).with_variable("PAGER_KEY", KEY);
    let server = place.start().await;
    (place, server)
}

async fn enqueue(server: &Server, path: &str, body: String) -> (u16, Value) {
    let request = client().post(format!("{}{path}", server.url)).body(body);
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].clone();
    assert!(
        kind.to_str().unwrap().starts_with("application/json"),
        "{kind:?}"
    );
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

fn event(action: &str, dedup_key: Option<&str>) -> Value {
    let mut event = json!({"routing_key": KEY, "event_action": action, "payload":
        {"summary": "disk 97% full on db1", "source": "db1", "severity": "critical"}});
    if let Some(key) = dedup_key {
        event["dedup_key"] = json!(key);
    }
    event
}

async fn expect(server: &Server, status: &str) {
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], status, "{incident}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_triggered_acknowledged_and_resolved_by_its_dedup_key() {
    let (_place, server) = start().await;
    let steps = [
        (event("trigger", Some("db1/disk")), "triggered"),
        (event("trigger", Some("db1/disk")), "triggered"),
        // Without a payload, as most clients send them.
        (
            json!({"routing_key": KEY, "event_action": "acknowledge", "dedup_key": "db1/disk"}),
            "acknowledged",
        ),
        (
            json!({"routing_key": KEY, "event_action": "resolve", "dedup_key": "db1/disk"}),
            "resolved",
        ),
    ];
    for (body, status) in steps {
        let answer = enqueue(&server, "/v2/enqueue", body.to_string()).await;
        let good = json!({"status": "success", "message": "Event processed",
            "dedup_key": "db1/disk"});
        assert_eq!(answer, (202, good), "{body}");
        expect(&server, status).await;
    }
    let incidents = server.get("/v1/incidents?status=open,resolved").await;
    let count = incidents["items"].as_array().map(Vec::len);
    assert_eq!(count, Some(1), "{incidents}");
    assert_eq!(incidents["items"][0]["integration"], "pager");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_without_a_dedup_key_is_given_one_that_resolves_it() {
    let (_place, server) = start().await;
    let trigger = event("trigger", None).to_string();
    let (status, answer) = enqueue(&server, "/v2/enqueue", trigger).await;
    assert_eq!(status, 202);
    let key = answer["dedup_key"].as_str().unwrap();
    assert!(!key.is_empty());
    expect(&server, "triggered").await;
    let resolve = event("resolve", Some(key)).to_string();
    let (status, answered) = enqueue(&server, "/v2/enqueue", resolve).await;
    assert_eq!((status, &answered["dedup_key"]), (202, &json!(key)));
    expect(&server, "resolved").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_original_refuses_is_refused_in_its_words_and_opens_nothing() {
    let (place, server) = start().await;
    let invalid = |error: &str| {
        json!({"status": "invalid event", "message": "Event object is invalid",
            "errors": [error]})
    };
    let unrecognized = json!({"status": "Unrecognized object",
        "message": "Event object format is unrecognized", "errors": ["JSON parse error"]});
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = event("trigger", Some("db1/disk"));
        change(&mut event);
        event.to_string()
    };
    let other_key = with(&|event| event["routing_key"] = json!("f".repeat(32)));
    let no_key = with(&|event| event["routing_key"] = json!(""));
    let no_summary = with(&|event| event["payload"]["summary"] = json!(""));
    let keyless_resolve = event("resolve", None).to_string();
    let cases = [
        (
            other_key,
            invalid("'routing_key' is not a known integration key"),
        ),
        (no_key, invalid("'routing_key' is missing or blank")),
        (no_summary, invalid("'payload.summary' is missing or blank")),
        (keyless_resolve, invalid("'dedup_key' is missing or blank")),
        ("{\"routing_key\":".to_owned(), unrecognized.clone()),
        ("[]".to_owned(), unrecognized.clone()),
        (String::new(), unrecognized),
    ];
    for (body, expected) in cases {
        let answer = enqueue(&server, "/v2/enqueue", body.clone()).await;
        assert_eq!(answer, (400, expected), "{body}");
    }
    let receipts = server.get("/v1/receipts").await;
    assert_eq!(receipts["items"], json!([]));
    assert!(!place.log().contains(KEY), "no key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_event_is_kept_and_pages_nobody() {
    let (_place, server) = start().await;
    let change = json!({"routing_key": KEY, "payload":
        {"summary": "build 7 deployed", "timestamp": "2026-11-23T11:59:00Z"}});
    let answer = enqueue(&server, "/v2/change/enqueue", change.to_string()).await;
    let good = json!({"status": "success", "message": "Change event processed"});
    assert_eq!(answer, (202, good));
    let receipts = server.get("/v1/receipts").await;
    let receipt = &receipts["items"][0];
    assert_eq!(receipt["disposition"], "recorded", "{receipt}");
    assert_eq!(receipt["reason"], "change_event");
    let incidents = server.get("/v1/incidents").await;
    assert_eq!(incidents["items"], json!([]));
}
