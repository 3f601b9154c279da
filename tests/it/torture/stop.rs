//! A router that is stopped in the midst of an attempt, for longer than its next steps wait, and
//! goes on: nobody is paged twice, and each step has its whole wait.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::http::Reply;
use crate::harness::webhook::start_receiver;
use crate::process::server::{HOOKS, Place, Server};

/// Longer than the waits of both steps.
const STOPPED: Duration = Duration::from_millis(2_500);
/// A step waits for a second, the shortest that rules may have; times are shown by another clock
/// than the one that waits.
const WAIT_MS: i64 = 950;

/// Three steps, which page three paths of a receiver.
fn rules(receiver: &str) -> String {
    format!(
        r#"
policies:
  default:
    steps:
      - {{ targets: ["channel/hooks/{receiver}/first"], wait: 1s }}
      - {{ targets: ["channel/hooks/{receiver}/second"], wait: 1s }}
      - {{ targets: ["channel/hooks/{receiver}/third"], wait: 1h }}
integrations:
  native: {{ format: native }}
route:
  policy: default
"#
    )
}

fn event() -> String {
    json!({"summary": "disk full", "severity": "critical", "dedup_key": "disk"}).to_string()
}

/// The pages of the one incident, when none of them is under way.
async fn settled_pages(server: &Server) -> Vec<Value> {
    server
        .until("every page was sent", async |server| {
            let pages = server.get("/v1/pages?incident=1").await;
            let pages = pages["items"].as_array().unwrap().clone();
            let is_sent = |page: &Value| page["state"] == "sent" || page["state"] == "delivered";
            pages.iter().all(is_sent).then_some(pages)
        })
        .await
}

/// When the steps paged.
fn times(pages: &[Value]) -> Vec<Timestamp> {
    let of = |step: u64| {
        let mut pages = pages.iter().filter(|page| page["step"] == step);
        let page = pages.next().unwrap();
        assert!(pages.next().is_none(), "step {step} paged twice");
        page["created_at"].as_str().unwrap().parse().unwrap()
    };
    (1..=3).map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_was_stopped_pages_each_step_once_and_gives_each_its_whole_wait() {
    let receiver = start_receiver().await;
    let place = Place::new(HOOKS, &rules(&receiver.url()));
    let server = place.start().await;
    let pid: Arc<OnceLock<Pid>> = Arc::default();
    pid.set(server.pid()).unwrap();
    // It is stopped before it can read the answer to its first page.
    let stop = move || kill_process(*pid.get().unwrap(), Signal::STOP).unwrap();
    receiver.script([Reply::new(204, "").after(stop)]);
    let stopped = async {
        assert_eq!(receiver.next().await.path(), "/first");
        let repeat = server.post("/v1/events", &server.key, event());
        let unanswered = tokio::time::timeout(STOPPED, repeat).await;
        assert!(unanswered.is_err(), "it is stopped: {unanswered:?}");
        receiver.expect_nothing_more();
        kill_process(server.pid(), Signal::CONT).unwrap();
    };
    // Whether the event was answered before the stop or after it is open.
    let posted = server.post("/v1/events", &server.key, event());
    let (answer, ()) = tokio::join!(posted, stopped);
    assert_eq!(answer.status(), 202);

    for path in ["/second", "/third"] {
        assert_eq!(receiver.next().await.path(), path);
    }
    let pages = settled_pages(&server).await;
    assert_eq!(pages.len(), 3, "{pages:#?}");
    for page in &pages {
        let attempts = page["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1, "{page:#}");
    }
    let times = times(&pages);
    for (before, after) in times.iter().zip(&times[1..]) {
        let waited = after.as_millisecond() - before.as_millisecond();
        assert!(waited >= WAIT_MS, "the next came after {waited} ms");
    }
    receiver.expect_nothing_more();
    assert!(server.stop().await.success(), "{}", place.log());
}
