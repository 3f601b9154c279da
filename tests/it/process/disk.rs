//! Little space on the disk: no event is taken, and what is open goes on.
//!
//! No disk has as much room as the settings of these tests ask for.

use serde_json::{Value, json};

use super::metrics::measured;
use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;

const MORE_THAN_THERE_IS: &str = "1000000 TiB";

async fn post(server: &Server, path: &str, body: &Value) -> reqwest::Response {
    server.post(path, &server.key, body.to_string()).await
}

/// Waits for the self-incident of the disk, which the round of the start raises.
async fn until_told(server: &Server) -> Value {
    server
        .until("a self-incident of the disk", async |server| {
            let open = server.get("/v1/incidents").await;
            let items = open["items"].as_array()?;
            let mut items = items.iter();
            items
                .find(|item| item["labels"]["cause"] == "disk")
                .cloned()
        })
        .await
}

async fn readiness(server: &Server) -> (u16, Value) {
    let request = client().get(format!("{}/readyz", server.url));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_disk_min_events_are_refused_and_acknowledging_goes_on() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let event = json!({"summary": "disk full", "severity": "critical"});
    assert_eq!(post(&server, "/v1/events", &event).await.status(), 202);
    assert_eq!(readiness(&server).await.0, 200);
    assert!(server.stop().await.success());

    // Nobody is told by disk_warn here: a refusal raises its self-incident all the same.
    let place = place
        .with_variable("REVEILLE_DISK_MIN", MORE_THAN_THERE_IS)
        .with_variable("REVEILLE_DISK_WARN", "0 B");
    let server = place.start().await;
    until_told(&server).await;
    let audit = async |server: &Server| measured(server, "reveille_audit_clean").await;
    server
        .until("the audit says so too", async |server| {
            audit(server).await.filter(|clean| *clean == 0.0)
        })
        .await;
    let pager = json!({"event_action": "trigger", "payload":
        {"summary": "disk full", "source": "db1", "severity": "critical"}});
    let alerts = json!([{"labels": {"alertname": "DiskFull"}}]);
    let cases = [
        ("/v1/events", &event, 503),
        ("/hooks/native", &event, 503),
        ("/api/v2/alerts", &alerts, 503),
        ("/v2/enqueue", &pager, 429),
    ];
    for (path, body, expected) in cases {
        let answer = post(&server, path, body).await;
        assert_eq!(answer.status(), expected, "{path}");
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        let said = answer.text().await.unwrap();
        assert!(said.contains("too little space"), "{path}: {said}");
    }
    let answer = post(&server, "/v1/events", &event).await;
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "disk_low", "{problem}");
    let (status, health) = readiness(&server).await;
    assert_eq!(status, 503);
    assert!(
        health["causes"].to_string().contains("disk_min"),
        "{health}"
    );

    let path = "/v1/incidents/1/acknowledge";
    let answer = server.act(path, &json!({})).await;
    assert!(answer.status().is_success());
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "acknowledged");
    let receipts = server.get("/v1/receipts").await;
    let kept = receipts["items"].as_array().unwrap().iter();
    let kept = kept.filter(|receipt| receipt["integration"] == "native");
    assert_eq!(kept.count(), 1, "{receipts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_disk_warn_somebody_is_told_and_events_are_taken() {
    let settings = format!("disk_warn = \"{MORE_THAN_THERE_IS}\"\n");
    let place = Place::new(&settings, ONE_PERSON);
    let server = place.start().await;
    let told = until_told(&server).await;
    let title = told["title"].as_str().unwrap();
    assert!(title.contains("MiB are free on the disk"), "{title}");
    let event = json!({"summary": "disk full", "severity": "critical"});
    assert_eq!(post(&server, "/v1/events", &event).await.status(), 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_beyond_the_cap_goes_within_seconds_and_what_is_open_stays() {
    let place = Place::new("disk_cap = \"1 MiB\"\n", ONE_PERSON);
    let server = place.start().await;
    let event = |action: &str, number: u64| {
        json!({"action": action, "summary": "disk full", "severity": "critical",
            "dedup_key": format!("key {number}"), "details": {"dump": "x".repeat(12_000)}})
    };
    let open = post(&server, "/v1/events", &event("trigger", 0)).await;
    assert_eq!(open.status(), 202);
    for number in 1..=60 {
        for action in ["trigger", "resolve"] {
            let answer = post(&server, "/v1/events", &event(action, number)).await;
            assert_eq!(answer.status(), 202);
        }
    }
    server
        .until("the oldest history goes", async |_| {
            let log = place.log();
            log.contains("history beyond disk_cap was removed")
                .then_some(())
        })
        .await;
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "triggered");
}
