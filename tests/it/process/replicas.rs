//! HA pairs over HTTP: two replicas of Prometheus, and two Alertmanagers, tell of one alert.

use serde_json::{Value, json};

use super::server::{HOOKS, Place, Server, hook_rules};
use crate::harness::http::FakeHttp;
use crate::harness::webhook::start_receiver;

const KEY: &str = "prometheus-key-for-this-test-003";

async fn start(format: &str) -> (FakeHttp, Place, Server) {
    let receiver = start_receiver().await;
    let integration =
        format!("  prometheus: {{ format: {format}, key: \"env:PROMETHEUS_KEY\" }}\n");
    let rules = hook_rules(&receiver.url(), &integration);
    let place = Place::new(HOOKS, &rules).with_variable("PROMETHEUS_KEY", KEY);
    let server = place.start().await;
    (receiver, place, server)
}

async fn expect_next(receiver: &FakeHttp, kind: &str) {
    let message = receiver.next().await.json();
    assert_eq!(message["type"], kind, "{message}");
}

async fn count_incidents(server: &Server) -> usize {
    let listed = server.get("/v1/incidents").await;
    listed["items"].as_array().unwrap().len()
}

/// Starts of two replicas, one restarted, and ends that have passed and that are ahead.
const EARLY: &str = "2026-01-05T08:00:00Z";
const LATE: &str = "2026-01-05T08:00:15Z";
const RESTARTED: &str = "2998-01-05T08:00:00Z";
const PASSED: &str = "2026-01-05T09:00:00Z";
const AHEAD: &str = "2999-01-05T08:00:00Z";

/// One replica of Prometheus; it gives its start to each of its posts.
struct Replica {
    name: &'static str,
    starts_at: &'static str,
}

impl Replica {
    async fn posts(&self, server: &Server, ends_at: &str) {
        let alert = json!([{
            "labels": {"alertname": "Down", "severity": "critical"},
            "startsAt": self.starts_at,
            "endsAt": ends_at,
            "generatorURL": format!("http://{}.example.com:9090/graph", self.name),
        }]);
        let answer = server.post("/api/v2/alerts", KEY, alert.to_string()).await;
        assert_eq!(answer.status(), 200);
    }

    async fn fires(&self, server: &Server) {
        self.posts(server, AHEAD).await;
    }

    async fn resolves(&self, server: &Server) {
        self.posts(server, PASSED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_of_prometheus_are_one_alert_until_the_last_of_them_resolves() {
    let (receiver, _place, server) = start("alertmanager_api").await;
    let a = Replica {
        name: "a",
        starts_at: EARLY,
    };
    let b = Replica {
        name: "b",
        starts_at: LATE,
    };
    b.fires(&server).await;
    expect_next(&receiver, "incident.page").await;
    a.fires(&server).await;
    a.resolves(&server).await;
    b.fires(&server).await;
    a.resolves(&server).await;
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "triggered", "{incident}");
    b.resolves(&server).await;
    expect_next(&receiver, "incident.resolved").await;
    for _ in 0..3 {
        a.resolves(&server).await;
        b.resolves(&server).await;
    }
    assert_eq!(count_incidents(&server).await, 1);

    a.fires(&server).await;
    expect_next(&receiver, "incident.page").await;
    b.fires(&server).await;
    let answer = server.act("/v1/incidents/2/resolve", &json!({})).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    expect_next(&receiver, "incident.resolved").await;
    let restarted = Replica {
        name: "a",
        starts_at: RESTARTED,
    };
    for replica in [&b, &a, &b, &a, &restarted] {
        replica.fires(&server).await;
    }
    assert_eq!(count_incidents(&server).await, 2, "the resolve holds");
}

fn message(status: &str, sender: &str, starts_at: &str) -> Value {
    let ends_at = match status {
        "resolved" => PASSED,
        _ => "0001-01-01T00:00:00Z",
    };
    json!({
        "version": "4",
        "status": status,
        "externalURL": format!("http://{sender}.example.com:9093"),
        "alerts": [{
            "status": status,
            "fingerprint": "8f1c2d3e4a5b6c7d",
            "labels": {"alertname": "Down", "severity": "critical"},
            "startsAt": starts_at,
            "endsAt": ends_at,
        }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_alertmanagers_with_different_starts_are_one_alert_and_a_re_fire_pages() {
    let (receiver, _place, server) = start("alertmanager").await;
    let post = async |status: &str, sender: &str, starts_at: &str| {
        let body = message(status, sender, starts_at).to_string();
        let answer = server.post("/hooks/prometheus", KEY, body).await;
        assert!(answer.status().is_success(), "{}", answer.status());
    };
    post("firing", "am1", LATE).await;
    expect_next(&receiver, "incident.page").await;
    post("firing", "am2", EARLY).await;
    let answer = server.act("/v1/incidents/1/resolve", &json!({})).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    expect_next(&receiver, "incident.resolved").await;
    for (sender, starts_at) in [("am2", EARLY), ("am1", LATE), ("am2", EARLY)] {
        post("firing", sender, starts_at).await;
    }
    post("resolved", "am1", LATE).await;
    post("resolved", "am2", EARLY).await;
    assert_eq!(count_incidents(&server).await, 1, "the resolve holds");

    post("firing", "am1", LATE).await;
    expect_next(&receiver, "incident.page").await;
    post("firing", "am2", EARLY).await;
    post("resolved", "am2", EARLY).await;
    expect_next(&receiver, "incident.resolved").await;
    post("resolved", "am1", LATE).await;
    assert_eq!(count_incidents(&server).await, 2);
}
