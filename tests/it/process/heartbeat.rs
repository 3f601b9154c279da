//! The call of the outside heartbeat: made after a clean self-audit, and withheld after another.
//!
//! The first round comes with the start, so no test waits for a minute.

use serde_json::json;

use super::server::{CHAT, NATIVE, Place, Server, one_person};
use crate::harness::http::{FakeHttp, Reply};
use crate::harness::slack::{self, FakeSlack};

fn rules() -> String {
    one_person(CHAT, NATIVE)
}

const WITHHELD: &str = "the heartbeat is withheld";

async fn service(status: u16) -> FakeHttp {
    FakeHttp::start(move |_| Reply::new(status, "")).await
}

fn settings(service: &FakeHttp, slack: &FakeSlack) -> String {
    format!(
        "[watch]\nheartbeat_url = \"{}/ping/of-this-router\"\n\n\
         [[channel]]\nname = \"slack\"\nkind = \"slack\"\ntoken = \"{}\"\napi_url = \"{}\"\n",
        service.url(),
        slack::TOKEN,
        slack.api_url(),
    )
}

/// Whether the last self-audit was clean, once there was one.
async fn is_clean(server: &Server) -> bool {
    server
        .until("a self-audit", async |server| {
            let metrics = server.text("/metrics").await;
            let mut lines = metrics.lines();
            let value = lines.find_map(|line| line.strip_prefix("reveille_audit_clean "))?;
            Some(value == "1")
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_self_audit_calls_the_heartbeat() {
    let (service, slack) = (service(200).await, FakeSlack::start().await);
    let place = Place::new(&settings(&service, &slack), &rules());
    let server = place.start().await;
    let call = service.next().await;
    assert_eq!(call.line, "GET /ping/of-this-router");
    assert!(is_clean(&server).await);
    assert!(!place.log().contains(WITHHELD), "{}", place.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_that_is_not_taken_is_told_in_the_log_without_its_address() {
    let (service, slack) = (service(500).await, FakeSlack::start().await);
    let place = Place::new(&settings(&service, &slack), &rules());
    let server = place.start().await;
    service.next().await;
    let line = server
        .until("a line of the log", async |_| {
            let log = place.log();
            let mut lines = log.lines();
            let line = lines.find(|line| line.contains("the outside heartbeat was not accepted"));
            line.map(str::to_owned)
        })
        .await;
    assert!(line.contains("it answered 500"), "{line}");
    assert!(!line.contains("of-this-router"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heartbeat_falls_silent_while_every_channel_fails() {
    let (service, slack) = (service(200).await, FakeSlack::start().await);
    slack.revoke_token();
    let place = Place::new(&settings(&service, &slack), &rules());
    let server = place.start().await;
    service.next().await;
    let event = json!({"summary": "disk full", "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, event).await;
    assert_eq!(answer.status(), 202);
    server
        .until("the channel is down", async |server| {
            let channels = server.get("/v1/channels").await;
            let channels = channels["items"].as_array()?.clone();
            let mut channels = channels.iter();
            let slack = channels.find(|channel| channel["name"] == "slack")?;
            (slack["state"] == "down").then_some(())
        })
        .await;
    assert!(server.stop().await.success());
    assert!(!place.log().contains(WITHHELD), "{}", place.log());

    // What is known of a channel outlives the process, and the first round comes with the start.
    let server = place.start().await;
    assert!(!is_clean(&server).await);
    server
        .until("a line of the log", async |_| {
            place.log().contains(WITHHELD).then_some(())
        })
        .await;
    service.expect_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heartbeat_falls_silent_while_events_are_refused_for_want_of_space() {
    let (service, slack) = (service(200).await, FakeSlack::start().await);
    let place = Place::new(&settings(&service, &slack), &rules());
    let place = place.with_variable("REVEILLE_DISK_MIN", "1000000 TiB");
    let server = place.start().await;
    server
        .until("a line of the log", async |_| {
            place.log().contains(WITHHELD).then_some(())
        })
        .await;
    service.expect_nothing_more();
}
