//! What `/metrics` says after real input, and after a restart.

use serde_json::json;

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;

/// The value of a measurement, if it was measured.
pub async fn measured(server: &Server, name: &str) -> Option<f64> {
    let answer = client().get(format!("{}/metrics", server.url)).send().await;
    let text = answer.unwrap().text().await.unwrap();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

async fn expect(server: &Server, cases: &[(&str, f64)]) {
    for (name, expected) in cases {
        assert_eq!(measured(server, name).await, Some(*expected), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_measured_where_it_happened() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    expect(
        &server,
        &[
            ("reveille_open_incidents{status=\"triggered\"}", 0.0),
            ("reveille_open_incidents{status=\"acknowledged\"}", 0.0),
        ],
    )
    .await;
    let event = |key: &str| json!({"summary": key, "severity": "critical", "dedup_key": key});
    let events = json!([event("one"), event("two"), event("one")]).to_string();
    let answer = server.post("/v1/events", &server.key, events).await;
    assert_eq!(answer.status(), 202);
    // What its sender repeats is answered as before, and counted once.
    let again = json!({"summary": "one", "dedup_key": "one", "id": "first"}).to_string();
    for _ in 0..3 {
        let answer = server.post("/v1/events", &server.key, again.clone()).await;
        assert_eq!(answer.status(), 202);
    }
    let shown = "reveille_pages_total{kind=\"page\",medium=\"email\",state=\"delivered\"}";
    server
        .until("both pages are on the console", async |server| {
            measured(server, shown).await.filter(|count| *count == 2.0)
        })
        .await;
    let answer = server.act("/v1/incidents/1/acknowledge", &json!({})).await;
    assert!(answer.status().is_success());
    let made = "reveille_pages_total{kind=\"page\",medium=\"email\",state=\"sending\"}";
    expect(
        &server,
        &[
            (
                "reveille_events_accepted_total{integration=\"native\"}",
                4.0,
            ),
            ("reveille_receipts_total{disposition=\"repeated\"}", 2.0),
            ("reveille_open_incidents{status=\"triggered\"}", 1.0),
            ("reveille_open_incidents{status=\"acknowledged\"}", 1.0),
            (made, 2.0),
        ],
    )
    .await;
    let success = "reveille_channel_last_success_timestamp_seconds{channel=\"console\"}";
    let at = measured(&server, success).await.unwrap();
    assert!(at > 1_700_000_000.0, "seconds since 1970: {at}");
    server.kill();

    let server = place.start().await;
    expect(
        &server,
        &[
            ("reveille_open_incidents{status=\"triggered\"}", 1.0),
            ("reveille_open_incidents{status=\"acknowledged\"}", 1.0),
            (success, at),
        ],
    )
    .await;
    let answer = server.act("/v1/incidents/1/resolve", &json!({})).await;
    assert!(answer.status().is_success());
    expect(
        &server,
        &[("reveille_open_incidents{status=\"acknowledged\"}", 0.0)],
    )
    .await;
    assert_eq!(
        measured(&server, made).await,
        None,
        "the other process made them"
    );
}
