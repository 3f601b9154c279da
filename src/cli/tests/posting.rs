//! `send`: what is posted, and what happens while the server is away.

use std::path::Path;

use serde_json::{Value, json};

use super::harness::{Server, run_asked};
use crate::cli::report::{Failure, Report};
use crate::test_server::RefusingAddress;
use crate::text::{hash, hex};

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
        json!({"detail": "the router is shutting down"}),
    );
    let failure = send(&["--summary", "one"], &server.url, spool.path())
        .await
        .expect_err("503");
    assert_eq!(failure.code(), 3);
    let text = failure.to_string();
    assert!(
        text.contains("the router is shutting down\n1 event queued in "),
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
    assert_eq!(report.text, "nothing queued");
}

#[tokio::test]
async fn an_event_is_kept_when_nobody_listens() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let nobody = RefusingAddress::take();
    let failure = send(&["--summary", "one"], &nobody.url(), spool.path())
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
        {"id": "r7", "dedup_key": "k", "disposition": "ignored", "incident": null,
         "incidents": [], "faults": []}]}),
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

/// The fingerprint of `integration-key`, as the server would look it up.
fn fingerprint(key: &str) -> String {
    hex::encode(&hash::sha256(key))
}

async fn send_under(key: &str, words: &[&str], url: &str, spool: &Path) -> Result<Report, Failure> {
    let spool = spool.display().to_string();
    let words = [&["send", "--retry-for", "0s", "--spool", &spool], words].concat();
    run_asked(
        &words,
        &[("REVEILLE_URL", url), ("REVEILLE_KEY", key)],
        None,
    )
    .await
}

#[tokio::test]
async fn an_event_that_waits_says_under_which_key_it_was_made_when_another_one_delivers_it() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 503, json!({"detail": "stopping"}));
    let away = send_under("old", &["--summary", "one"], &server.url, spool.path()).await;
    away.expect_err("503");
    let kept = std::fs::read_to_string(&files(spool.path())[0]).expect("it reads");
    assert!(
        kept.contains(&fingerprint("old")) && kept.contains(&server.url),
        "{kept}"
    );

    server.answers("POST /v1/events", 202, accepted(5));
    let report = send_under("new", &["--summary", "two"], &server.url, spool.path()).await;
    assert_eq!(report.expect("it is taken").text.lines().count(), 2);
    let asked = server.asked();
    let asked = asked[1..].iter().map(|asked| {
        let summary = asked.body["summary"].as_str().unwrap_or_default();
        (asked.bearer.as_deref(), asked.made_under.clone(), summary)
    });
    let expected = [
        (Some("new"), Some(fingerprint("old")), "one"),
        (Some("new"), None, "two"),
    ];
    assert_eq!(asked.collect::<Vec<_>>(), expected);
    assert_eq!(files(spool.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_made_under_a_foreign_key_stays_is_named_and_keeps_nothing_else_waiting() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 503, json!({"detail": "stopping"}));
    for summary in ["one", "two"] {
        let words = ["--summary", summary];
        let away = send_under("foreign", &words, &server.url, spool.path()).await;
        away.expect_err("503");
    }
    let before = server.asked().len();
    server.answers_made_under(&fingerprint("foreign"), 409, json!({"detail": "not yours"}));
    server.answers("POST /v1/events", 202, accepted(5));
    let report = send_under("key", &["--summary", "three"], &server.url, spool.path()).await;
    let report = report.expect("its own event is taken");
    assert_eq!(report.text, "opened #5, dedup key k, receipt r5");
    let remarks = report.remarks.join("\n");
    for part in [
        "2 events kept in ",
        r#""one""#,
        r#""two""#,
        "not yours",
        "--with-this-key",
    ] {
        assert!(remarks.contains(part), "{part} in {remarks}");
    }
    assert_eq!(
        server.asked().len() - before,
        2,
        "the server is asked once for each key"
    );
    assert_eq!(files(spool.path()).len(), 2);

    let flushed = send_under("key", &["--flush"], &server.url, spool.path()).await;
    let text = flushed.expect_err("something is left").to_string();
    assert!(text.contains("2 events kept in "), "{text}");
    let words = ["--flush", "--with-this-key"];
    let flushed = send_under("key", &words, &server.url, spool.path()).await;
    assert_eq!(flushed.expect("all is sent").text.lines().count(), 2);
    assert_eq!(files(spool.path()), Vec::<String>::new());
}

#[tokio::test]
async fn after_a_refused_key_what_waits_is_named_and_nothing_is_promised_that_does_not_hold() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 401, json!({"detail": "unknown key"}));
    let words = ["--summary", "backup failed"];
    let sent = send_under("wrong", &words, &server.url, spool.path()).await;
    let flushed = send_under("wrong", &["--flush"], &server.url, spool.path()).await;
    for failure in [sent.expect_err("401"), flushed.expect_err("401")] {
        let text = failure.to_string();
        for part in [
            "unknown key",
            "1 event kept in ",
            "\"backup failed\"",
            "--with-this-key",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("the next"), "{text}");
        assert_eq!(failure.code(), 3);
    }
    server.answers("POST /v1/events", 202, accepted(5));
    let words = ["--flush", "--with-this-key"];
    let flushed = send_under("right", &words, &server.url, spool.path()).await;
    assert_eq!(
        flushed.expect("it is taken").text,
        "opened #5, dedup key k, receipt r5"
    );
}

#[tokio::test]
async fn an_event_that_waits_and_cannot_be_taken_now_does_not_keep_back_the_one_at_hand() {
    let spool = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("POST /v1/events", 503, json!({"detail": "stopping"}));
    let away = send_under("old", &["--summary", "one"], &server.url, spool.path()).await;
    away.expect_err("503");
    server.answers_made_under(&fingerprint("old"), 503, json!({"detail": "quarantined"}));
    server.answers("POST /v1/events", 202, accepted(5));
    let report = send_under("new", &["--summary", "two"], &server.url, spool.path()).await;
    assert_eq!(
        report.expect("it is taken").text,
        "opened #5, dedup key k, receipt r5"
    );
    assert_eq!(files(spool.path()).len(), 1);
}
