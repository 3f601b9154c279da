//! What a router may write into its log while a test watches it: no error that the test does not
//! expect, and nothing that is no log line, such as a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place};
use crate::harness::smtp::{FakeSmtp, Reply, Stage};

/// What is wrong with a log, given parts of the errors that are expected in it.
pub fn faults(log: &str, expected: &[String]) -> Vec<String> {
    let errors: Vec<&str> = log.lines().filter(|line| is_error(line)).collect();
    let is_expected = |line: &str| expected.iter().any(|part| line.contains(part));
    let unexpected = errors.iter().filter(|line| !is_expected(line));
    let unexpected = unexpected.map(|line| format!("unexpected: {line}"));
    let missing = expected
        .iter()
        .filter(|part| !errors.iter().any(|line| line.contains(part.as_str())));
    let missing = missing.map(|part| format!("expected, but never logged: {part}"));
    unexpected.chain(missing).collect()
}

/// The router logs one JSON object a line; whatever else stands there was written in distress.
fn is_error(line: &str) -> bool {
    let logged: Result<Value, _> = serde_json::from_str(line);
    logged.map_or(true, |logged| logged["level"] == "ERROR")
}

#[test]
fn an_error_or_a_panic_in_the_log_is_a_fault_unless_it_is_expected() {
    let log = "{\"level\":\"INFO\",\"message\":\"ERROR is only a word here\"}\n\
               {\"level\":\"WARN\",\"message\":\"slow\"}\n\
               {\"level\":\"ERROR\",\"message\":\"the store failed\"}\n\
               thread 'main' panicked at src/main.rs:1:1:\n";
    let expecting = |parts: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        faults(log, &parts).len()
    };
    assert_eq!(expecting(&[]), 2);
    assert_eq!(expecting(&["the store failed"]), 1);
    assert_eq!(expecting(&["the store failed", "panicked"]), 0);
    assert_eq!(
        expecting(&["the store failed", "panicked", "slow"]),
        1,
        "a warning is no error"
    );
    assert_eq!(faults("", &["never".to_owned()]).len(), 1);
    assert_eq!(faults("", &[]).len(), 0);
}

#[test]
fn a_test_fails_for_an_error_in_the_log_of_its_router_that_it_does_not_expect() {
    let error = "{\"level\":\"ERROR\",\"message\":\"the store failed\"}\n";
    let ends_well = |expected: Option<&str>| {
        let place = Place::new("", "");
        std::fs::write(place.path().join("log"), error).unwrap();
        if let Some(part) = expected {
            place.expects_error(part);
        }
        catch_unwind(AssertUnwindSafe(|| drop(place))).is_ok()
    };
    assert!(!ends_well(None));
    assert!(!ends_well(Some("something else")));
    assert!(ends_well(Some("the store failed")));
}

/// Would be lines of their own, or a cleared screen, if anybody wrote it down as it is.
const HOSTILE: &str = "a\r\n{\"level\":\"ERROR\"}\nb\u{1b}[2J\u{0}\u{85}\u{202e}\"c";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_monitors_and_providers_wrote_leaves_each_line_of_the_log_one_json_object() {
    let mail = FakeSmtp::start().await;
    let words = "no \u{1b}[2J\u{202e} \"}{\u{1} for you";
    mail.script([Reply::at(Stage::Rcpt, 550, words)]);
    let port = mail.address.port();
    let settings = format!(
        "[[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nfrom = \"pager@example.com\"\n"
    );
    let place = Place::new(&settings, ONE_PERSON).with_variable("REVEILLE_LOG", "debug");
    let server = place.start().await;
    let event = json!({"summary": HOSTILE, "severity": HOSTILE, "dedup_key": HOSTILE,
        "source": HOSTILE, "labels": {"team": HOSTILE}, "details": {"text": HOSTILE}});
    let (key, path) = (&server.key, "/v1/events");
    let answer = server.post(path, key, event.to_string()).await;
    assert_eq!(answer.status(), 202);
    for refused in [HOSTILE, "{\"summary\": 5}", "\u{1b}\u{0}"] {
        server.post(path, key, refused.to_owned()).await;
    }
    server
        .until("the attempt has ended", async |server| {
            let reasons = server.reasons(1).await;
            reasons
                .iter()
                .any(|reason| reason == "attempt_ended")
                .then_some(())
        })
        .await;
    server.stop().await;
    let log = place.log();
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let logged: Value = serde_json::from_str(line).unwrap();
        assert!(
            logged.is_object() && logged["timestamp"].is_string(),
            "{line:?}"
        );
        assert!(!line.contains(|letter: char| letter < ' '), "{line:?}");
    }
    assert!(log.contains("refused_target"), "the attempt: {log}");
    assert!(
        !log.contains("for you"),
        "a provider's words stand in the timeline: {log}"
    );
}
