//! A log that cannot be written, or that nobody reads: people are paged all the same.

use std::process::Command;

use serde_json::json;

use super::server::{Place, Server};

/// Everybody who looks at the terminal is paged; it has one place, and no page limit.
const RULES: &str = "
policies:
  default:
    steps:
      - { targets: [channel/console/screen], wait: 1h }
integrations:
  native: { format: native }
route:
  policy: default
  group_by: [\"...\"]
";

/// The router with its standard error sent elsewhere by the shell.
fn logging_to(place: &Place, redirection: &str) -> Command {
    let plain = place.command(&["serve"]);
    let mut shell = Command::new("sh");
    let script = format!("exec \"$0\" serve {redirection}");
    shell
        .args(["-c", &script])
        .arg(plain.get_program())
        .current_dir(place.path())
        .env_clear()
        .env("REVEILLE_LOG", "trace");
    shell
}

async fn post(server: &Server, summary: &str) {
    let event = json!({"summary": summary, "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, event).await;
    assert_eq!(answer.status(), 202);
}

async fn lost_lines(server: &Server) -> Option<String> {
    let text = server.text("/metrics").await;
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with("reveille_log_lines_lost_total"))?;
    Some(line.to_owned()).filter(|line| !line.ends_with(" 0"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_disk_is_full_ends_no_attempt_and_what_was_lost_is_counted() {
    let place = Place::new("", RULES);
    let server = place.start_by(logging_to(&place, "2>/dev/full")).await;
    for number in 0..5 {
        let summary = format!("disk {number} full");
        post(&server, &summary).await;
        server.printed(&summary).await;
    }
    server.until("lost lines in the metrics", lost_lines).await;
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_stops_nothing_and_delays_no_end() {
    let place = Place::new("", RULES);
    let pipe = place.path().join("unread");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    // The process itself keeps the pipe open for reading, and never reads.
    let server = place.start_by(logging_to(&place, "2<>unread")).await;
    // At this level an event leaves many lines: far more than a pipe holds.
    for number in 0..60 {
        let summary = format!("disk {number} full");
        post(&server, &summary).await;
        server.printed(&summary).await;
    }
    assert!(server.stop().await.success());
}
