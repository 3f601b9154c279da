//! `reveille send` as monitors start it: with next to no environment, and over a change of keys.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::server::{MAIL, Place, Server, one_person};
use crate::harness::http::RefusingAddress;

const INTEGRATIONS: &str = "  native: { format: native }
  other: { format: native }
";

fn rules() -> String {
    one_person(MAIL, INTEGRATIONS)
}

/// A `send` with nothing in its environment but the address and the key.
fn send(url: &str, key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.arg("send").env_clear().current_dir("/");
    command.env("REVEILLE_URL", url).env("REVEILLE_KEY", key);
    command
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

async fn titles(server: &Server) -> Vec<String> {
    let answer = server.get("/v1/incidents").await;
    let items = answer["items"].as_array().unwrap();
    let title = |item: &Value| item["title"].as_str().unwrap().to_owned();
    let mut titles: Vec<String> = items.iter().map(title).collect();
    titles.sort();
    titles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_leaves_without_any_home_to_keep_it_in() {
    let place = Place::new("", &rules());
    let server = place.start().await;
    let file = place.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let within_a_file = file.join("missing");
    let homes = [
        ("none", None),
        ("empty", Some(OsStr::new(""))),
        ("a file", Some(file.as_os_str())),
        (
            "missing and not to be made",
            Some(within_a_file.as_os_str()),
        ),
        ("not UTF-8", Some(OsStr::from_bytes(b"/proc/\xff"))),
    ];
    let mut expected = Vec::new();
    for (name, home) in homes {
        let mut command = send(&server.url, &server.key);
        let summary = format!("home: {name}");
        command.args(["--summary", &summary]);
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let (code, out, errors) = told(&command.output().unwrap());
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert!(out.starts_with("opened #"), "{name}: {out}");
        assert!(
            errors.contains("sent without being saved first"),
            "{name}: {errors}"
        );
        expected.push(summary);
    }
    expected.sort();
    assert_eq!(titles(&server).await, expected);

    let home = place.path().join("made-as-needed");
    let mut command = send(&server.url, &server.key);
    command
        .env("HOME", &home)
        .args(["--summary", "a home that is made"]);
    let (code, _, errors) = told(&command.output().unwrap());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn what_can_neither_be_sent_nor_kept_is_told_plainly() {
    let nobody = RefusingAddress::take();
    let mut command = send(&nobody.url(), "key");
    command.args(["--summary", "backup failed", "--retry-for", "0s"]);
    let (code, _, errors) = told(&command.output().unwrap());
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("no server at "), "{errors}");
    assert!(errors.contains("nothing was saved"), "{errors}");
    assert!(!errors.contains("queued"), "{errors}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_with_a_dash_or_of_bytes_that_are_not_utf8_is_sent() {
    let place = Place::new("", &rules());
    let server = place.start().await;
    for text in [&b"-5 free slots on db1"[..], b"caf\xe9 is down"] {
        let mut command = send(&server.url, &server.key);
        command.arg("--summary").arg(OsStr::from_bytes(text));
        let (code, _, errors) = told(&command.output().unwrap());
        assert_eq!(code, Some(0), "{errors}");
        let is_warned = errors.contains("is not UTF-8");
        assert_eq!(is_warned, text.contains(&0xe9), "{errors}");
    }
    let expected = ["-5 free slots on db1", "caf\u{fffd} is down"];
    assert_eq!(titles(&server).await, expected);
}

/// Sends an event while no server is there; it waits in the spool.
fn leave_waiting(place: &Place, key: &str, summary: &str) {
    let url = format!("http://127.0.0.1:{}", place.port);
    let mut command = send(&url, key);
    command.env("HOME", place.path());
    command.args(["--summary", summary, "--retry-for", "0s"]);
    let (code, _, errors) = told(&command.output().unwrap());
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("1 event queued in "), "{errors}");
    assert!(
        errors.contains("the next `reveille send` delivers it first"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_waited_over_a_rotation_of_its_key_reaches_the_same_integration() {
    let place = Place::new("", &rules());
    let server = place.start().await;
    let (old, other) = (server.key.clone(), place.run(&["key", "create", "other"]));
    server.stop().await;
    leave_waiting(&place, &old, "made under the old key");

    let server = place.start().await;
    let new = place.run(&["key", "rotate", "native"]);
    // What is known of ended keys outlives the process.
    server.kill();
    let server = place.start().await;
    let flush = |key: &str, words: &[&str]| {
        let mut command = send(&server.url, key.trim());
        command.env("HOME", place.path()).args(words);
        told(&command.output().unwrap())
    };
    let (code, _, errors) = flush(&old, &["--flush"]);
    assert_eq!(code, Some(3), "the old key opens nothing: {errors}");
    assert!(errors.contains("\"made under the old key\""), "{errors}");
    let (code, _, errors) = flush(&other, &["--flush"]);
    assert_eq!(code, Some(3), "the key of another integration: {errors}");
    assert!(
        errors.contains("another integration than other"),
        "{errors}"
    );
    assert_eq!(titles(&server).await, Vec::<String>::new());
    let (code, out, errors) = flush(&new, &["--flush"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("opened #1"), "{out}");
    let receipt = server.get("/v1/receipts/r1").await;
    assert_eq!(receipt["integration"], json!("native"), "{receipt}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_waited_over_a_rotation_of_a_key_in_the_rules_reaches_its_integration() {
    let rules = |key: &str| {
        rules().replace(
            "native: { format: native }",
            &format!("native: {{ format: native, key: {key} }}"),
        )
    };
    let old = "1234567890abcdef1234567890abcdef";
    let new = "fedcba0987654321fedcba0987654321";
    let place = Place::new("", &rules(old));
    let server = place.start().await;
    server.stop().await;
    leave_waiting(&place, old, "made under the old key");
    std::fs::write(place.path().join("rules/all.yaml"), rules(new)).unwrap();
    let server = place.start().await;
    place.run(&["rules", "apply", "--yes"]);
    let mut command = send(&server.url, new);
    command.env("HOME", place.path()).arg("--flush");
    let (code, _, errors) = told(&command.output().unwrap());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(titles(&server).await, ["made under the old key"]);
}
