//! `send`: what is posted, and what happens while the server is away.

use std::path::Path;

use serde_json::{Value, json};

use super::harness::{Server, nobody, run_asked};
use crate::cli::report::{Failure, Report};

async fn send(words: &[&str], url: &str, spool: &Path) -> Result<Report, Failure> {
    let spool = spool.display().to_string();
    let words = [&["send", "--retry-for", "0s", "--spool", &spool], words].concat();
    let environment = [("REVEILLE_URL", url), ("REVEILLE_KEY", "integration-key")];
    run_asked(&words, &environment, None).await
}

/// The files beneath the spool, by their ends.
fn files(spool: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![spool.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

fn accepted(number: u64) -> Value {
    json!({"receipts": [{"id": format!("r{number}"), "dedup_key": "k", "disposition": "opened",
                         "incident": number, "incidents": [number], "faults": []}]})
}

#[tokio::test]
async fn an_event_is_posted_with_the_integration_key() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 202, accepted(5));
    let words = [
        "--summary",
        "down",
        "--severity",
        "critical",
        "--key",
        "k",
        "--label",
        "a=b=c",
        "--source",
        "web-1",
        "--link",
        "https://example.com/run",
    ];
    let report = send(&words, &server.url, spool.path())
        .await
        .expect("it is taken");
    assert_eq!(report.text, "opened #5, dedup key k, receipt r5");
    let asked = &server.asked()[0];
    assert_eq!(asked.bearer.as_deref(), Some("integration-key"));
    let mut body = asked.body.clone();
    let id = body.as_object_mut().and_then(|body| body.remove("id"));
    assert!(id.is_some_and(|id| id.as_str().is_some_and(|id| id.starts_with("send-"))));
    let expected = json!({
        "action": "trigger", "summary": "down", "severity": "critical", "dedup_key": "k",
        "source": "web-1", "labels": {"a": "b=c"},
        "links": [{"href": "https://example.com/run"}],
        "occurred_at": "2026-11-23T03:20:00Z",
    });
    assert_eq!(body, expected);
    assert_eq!(files(spool.path()), Vec::<String>::new());
}

#[tokio::test]
async fn events_wait_on_disk_while_the_server_is_away_and_go_first_when_it_is_back() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers(
        "POST /v1/events",
        503,
        json!({"detail": "the router is stopping"}),
    );
    let failure = send(&["--summary", "one"], &server.url, spool.path())
        .await
        .expect_err("503");
    assert_eq!(failure.code(), 3);
    let text = failure.to_string();
    assert!(
        text.contains("the router is stopping\n1 event waits in "),
        "{text}"
    );
    let kept = files(spool.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(
        !std::fs::read_to_string(&kept[0])
            .expect("it reads")
            .contains("integration-key")
    );

    server.answers("POST /v1/events", 202, accepted(5));
    let report = send(&["--flush"], &server.url, spool.path())
        .await
        .expect("it is back");
    assert_eq!(report.text, "opened #5, dedup key k, receipt r5");
    let ids: Vec<Value> = server
        .asked()
        .iter()
        .map(|asked| asked.body["id"].clone())
        .collect();
    assert_eq!(ids[0], ids[1], "a repeated event keeps its id");
    assert_eq!(files(spool.path()), Vec::<String>::new());
    let report = send(&["--flush"], &server.url, spool.path())
        .await
        .expect("nothing to do");
    assert_eq!(report.text, "nothing waits");
}

#[tokio::test]
async fn an_event_is_kept_when_nobody_listens() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let url = nobody().await;
    let failure = send(&["--summary", "one"], &url, spool.path())
        .await
        .expect_err("nobody");
    assert_eq!(failure.code(), 3);
    assert!(
        failure.to_string().starts_with("no server at "),
        "{failure}"
    );
    assert_eq!(files(spool.path()).len(), 1);
}

#[tokio::test]
async fn an_event_that_will_never_be_taken_does_not_stand_in_the_way() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    let faults = json!({"detail": "bad", "faults": [{"path": "$.links", "problem": "no URL"}]});
    server.answers("POST /v1/events", 400, faults);
    let failure = send(&["--summary", "x"], &server.url, spool.path())
        .await
        .expect_err("400");
    assert_eq!(failure.code(), 3);
    assert!(failure.to_string().contains("$.links: no URL"), "{failure}");
    let kept = files(spool.path());
    assert!(kept.len() == 1 && kept[0].contains("/refused/"), "{kept:?}");

    server.answers("POST /v1/events", 202, accepted(6));
    let report = send(&["--summary", "y"], &server.url, spool.path())
        .await
        .expect("it is taken");
    assert_eq!(report.value["receipts"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_wrong_key_keeps_the_event_and_no_key_is_a_usage_error() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 401, json!({"detail": "unknown key"}));
    let failure = send(&["--summary", "x"], &server.url, spool.path())
        .await
        .expect_err("401");
    assert_eq!(failure.code(), 3);
    assert_eq!(files(spool.path()).len(), 1);
    let environment = [("REVEILLE_TOKEN", "an-admin-token")];
    let words = ["send", "--summary", "x"];
    let failure = run_asked(&words, &environment, None)
        .await
        .expect_err("no key");
    assert_eq!(failure.code(), 2);
}

#[tokio::test]
async fn a_resolve_names_its_key_and_nothing_else() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers(
        "POST /v1/events",
        202,
        json!({"receipts": [
        {"id": "r7", "dedup_key": "k", "disposition": "ignored", "incidents": []}]}),
    );
    let report = send(&["--key", "k", "--resolve"], &server.url, spool.path())
        .await
        .expect("it is taken");
    assert_eq!(report.text, "ignored, dedup key k, receipt r7");
    let body = &server.asked()[0].body;
    assert_eq!(
        (&body["action"], &body["dedup_key"]),
        (&json!("resolve"), &json!("k"))
    );
}
