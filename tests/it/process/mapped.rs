//! The generic format: a mapping in the rules makes events of any JSON.

use serde_json::{Value, json};

use super::server::{MAIL, Place, Server, one_person};

const KEY: &str = "checks-key-for-this-test-0000001";

const INTEGRATIONS: &str = r#"  checks:
    format: generic
    key: env:CHECKS_KEY
    mapping:
      action: /state
      actions: { alerting: trigger, ok: resolve, acked: acknowledge, pending: ignore }
      dedup_key: [/host, /check]
      summary: /text
      severity: /level
      severities: { "5": critical, "4": warning }
      source: /host
      labels: { env: /meta/env }
"#;

fn rules() -> String {
    one_person(MAIL, INTEGRATIONS)
}

async fn start() -> (Place, Server) {
    let place = Place::new("", &rules()).with_variable("CHECKS_KEY", KEY);
    let server = place.start().await;
    (place, server)
}

fn body(state: &str) -> Value {
    json!({"state": state, "host": "db1", "check": "disk", "text": "disk 97% full", "level": 5,
        "meta": {"env": "prod"}})
}

/// Posts a body; the answer is its receipt.
async fn post(server: &Server, body: &Value) -> Value {
    let answer = server.post("/hooks/checks", KEY, body.to_string()).await;
    assert_eq!(answer.status(), 202, "{body}");
    let answer: Value = answer.json().await.unwrap();
    answer["receipts"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapped_body_opens_acknowledges_and_resolves_its_incident() {
    let (_place, server) = start().await;
    post(&server, &body("alerting")).await;
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["title"], "disk 97% full");
    assert_eq!(incident["urgency"], "high");
    let alerts = server.get("/v1/incidents/1/alerts").await;
    let alert = &alerts["items"][0];
    assert_eq!(alert["dedup_key"], "db1/disk", "{alert}");
    assert_eq!(alert["severity"], "critical", "{alert}");
    assert_eq!(alert["labels"]["env"], "prod", "{alert}");
    let steps = [
        ("alerting", "repeated", "triggered"),
        ("pending", "ignored", "triggered"),
        ("acked", "acknowledged", "acknowledged"),
        ("ok", "resolved", "resolved"),
    ];
    for (state, disposition, status) in steps {
        let receipt = post(&server, &body(state)).await;
        assert_eq!(receipt["disposition"], disposition, "{state}: {receipt}");
        assert_eq!(receipt["faults"], json!([]), "{state}");
        let incident = server.get("/v1/incidents/1").await;
        assert_eq!(incident["status"], status, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pointer_that_leads_nowhere_is_a_fault_of_the_receipt_and_pages_all_the_same() {
    let (_place, server) = start().await;
    let mut without = body("alerting");
    without.as_object_mut().unwrap().remove("text");
    let accepted = post(&server, &without).await;
    assert_eq!(accepted["disposition"], "opened", "{accepted}");
    let fault = &accepted["faults"][0];
    assert!(
        fault["path"].as_str().unwrap().ends_with(".text"),
        "{fault}"
    );
    let id = accepted["id"].as_str().unwrap();
    let kept = server.get(&format!("/v1/receipts/{id}")).await;
    assert_eq!(kept["faults"], accepted["faults"], "{kept}");
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "triggered");
    let title = "event from checks without a summary";
    assert_eq!(incident["title"], title);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_the_mapping_does_not_list_pages_with_a_fault() {
    let (_place, server) = start().await;
    let accepted = post(&server, &body("broken")).await;
    assert_eq!(accepted["disposition"], "opened", "{accepted}");
    let faults = accepted["faults"].to_string();
    assert!(faults.contains("broken"), "{faults}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_which_nothing_is_usable_is_refused_with_its_faults() {
    let (_place, server) = start().await;
    let keyless = json!({"state": "ok", "text": "disk is well"}).to_string();
    for body in ["{", "", &keyless] {
        let answer = server.post("/hooks/checks", KEY, body.to_owned()).await;
        assert_eq!(answer.status(), 400, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "invalid_events", "{problem}");
    }
    let receipts = server.get("/v1/receipts").await;
    assert_eq!(receipts["items"], json!([]));
}
