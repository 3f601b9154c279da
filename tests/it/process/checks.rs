//! Checks of the rules at the real router: how they stand, and one that is tried when somebody
//! asks.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place};
use crate::harness::http::{Call, FakeHttp, Reply};

const SETTINGS: &str = r#"
[outbound]
allow_networks = ["127.0.0.0/8"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_are_listed_with_their_last_try_and_their_alert_and_tried_when_somebody_asks() {
    let answer = |call: &Call| match call.path() {
        "/health" => Reply::new(200, "fine"),
        "/old" => Reply::new(503, "gone"),
        _ => Reply::new(404, "nothing here"),
    };
    let fake = FakeHttp::start(answer).await;
    let url = fake.url();
    let rules = format!(
        "{ONE_PERSON}\nproviders:\n  helpline:\n    url: \"{url}\"\n    checks:\n      \
         api: {{ http: \"{url}/health?key=open-sesame\", urgency: high }}\n\
         checks:\n  old: {{ http: \"{url}/old\" }}\n"
    );
    let place = Place::new(SETTINGS, &rules);
    let server = place.start().await;

    let is_alerted = async |server: &super::server::Server| {
        let checks = server.get("/v1/checks").await;
        let failing = &checks["items"][1];
        // The alert is there a moment before whoever tries has noted the try.
        let is_noted = failing["state"] == "failing";
        (is_noted && failing["numbers"] == json!([1])).then_some(checks)
    };
    let checks = server.until("an alert of what fails", is_alerted).await;
    assert_eq!(checks["next"], Value::Null, "{checks}");
    assert!(!checks.to_string().contains("open-sesame"), "{checks}");
    let told = |number: usize, field: &str| checks["items"][number][field].clone();
    for (number, field, expected) in [
        (0, "name", "helpline/api"),
        (0, "provider", "helpline"),
        (0, "kind", "http"),
        (0, "urgency", "high"),
        (0, "state", "good"),
        (0, "outcome", "good"),
        (0, "integration", "check/helpline/api"),
        (1, "name", "old"),
        (1, "state", "failing"),
        (1, "outcome", "failed"),
    ] {
        assert_eq!(told(number, field), expected, "{field} of {checks}");
    }
    assert_eq!(told(0, "numbers"), json!([]), "{checks}");
    assert_eq!(told(0, "firing_since"), Value::Null, "{checks}");
    assert!(told(1, "firing_since").is_string(), "{checks}");
    assert!(told(1, "next_try_at").is_string(), "{checks}");
    assert!(told(1, "latency_ms").is_u64(), "{checks}");
    let said = told(1, "said");
    assert!(said.to_string().contains("503"), "{checks}");

    let first = server.get("/v1/checks?limit=1").await;
    assert_eq!(first["next"], "helpline/api", "{first}");
    let rest = server.get("/v1/checks?limit=1&cursor=helpline/api").await;
    assert_eq!(rest["items"][0]["name"], "old", "{rest}");
    assert_eq!(rest["next"], Value::Null, "{rest}");

    for (name, outcome) in [("helpline%2Fapi", "good"), ("old", "failed")] {
        let path = format!("/v1/checks/{name}/try");
        let answer = server.act(&path, &json!({})).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        let tried: Value = answer.json().await.unwrap();
        assert_eq!(tried["outcome"], outcome, "{tried}");
        assert!(tried["latency_ms"].is_u64(), "{tried}");
    }
    let answer = server.act("/v1/checks/new/try", &json!({})).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
