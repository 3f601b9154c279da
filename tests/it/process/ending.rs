//! How a process ends when its store fails, and when nothing around it does.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use super::failed_store;
use super::metrics::measured;
use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;
use crate::harness::smtp::{FakeSmtp, Reply, Stage};

/// The documented time in which a process that was asked to end has ended.
const STOP_TIME: Duration = Duration::from_secs(10);

/// What is not answered by then waits.
const ANSWER_TIME: Duration = Duration::from_secs(3);

/// Events of 4 KB each, of one alert.
const FILLING: usize = 20;

async fn place(relay: &FakeSmtp) -> Place {
    let settings = format!(
        r#"
[[channel]]
name = "mail"
kind = "smtp"
host = "127.0.0.1"
port = {}
tls = "none"
from = "reveille@example.com"

"#,
        relay.address.port()
    );
    Place::new(&settings, ONE_PERSON)
}

async fn post(server: &Server, name: &str) -> Result<reqwest::Response, reqwest::Error> {
    post_some(server, name, 1).await
}

/// So many events in one request, each of an alert of its own.
async fn post_some(
    server: &Server,
    name: &str,
    count: usize,
) -> Result<reqwest::Response, reqwest::Error> {
    let key = |number: usize| match number {
        0 => name.to_owned(),
        number => format!("{name} {number}"),
    };
    let event = |number| {
        json!({"summary": name, "severity": "critical", "dedup_key": key(number),
            "labels": {"filling": failed_store::incompressible(4_000)}})
    };
    let events: Vec<Value> = (0..count).map(event).collect();
    let request = client().post(format!("{}/v1/events", server.url));
    request.bearer_auth(&server.key).json(&events).send().await
}

/// A router with nothing left to write, whose next write fails.
async fn about_to_fail(place: &Place, relay: &FakeSmtp) -> Server {
    place.expects_error("the store failed; nothing more is accepted");
    place.expects_error("the driver ended");
    let server = place.start_by(failed_store::serve(place)).await;
    for _ in 0..FILLING {
        let answer = post(&server, "before it").await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    relay.next().await;
    let sent = "reveille_pages_total{kind=\"page\",medium=\"email\",state=\"sent\"}";
    for name in [sent, "reveille_audit_clean"] {
        let look = async |server: &Server| measured(server, name).await.filter(|n| *n == 1.0);
        server.until(name, look).await;
    }
    failed_store::fail_writes(&server);
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_store_fails_its_senders_hear_nothing_and_the_last_page_leaves_before_the_end() {
    let relay = FakeSmtp::start().await;
    let place = place(&relay).await;
    let server = about_to_fail(&place, &relay).await;
    let unanswered = post_some(&server, "lost or not", failed_store::TOO_MANY).await;
    assert!(unanswered.is_err(), "{unanswered:?}");
    let mail = relay.next().await;
    let subject = mail.entity.header("Subject").unwrap();
    assert!(subject.contains("the store failed"), "{subject}");
    assert_eq!(server.ended().await.code(), Some(1));

    let server = place.start().await;
    let answer = post(&server, "after it").await.unwrap();
    assert_eq!(answer.status(), 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_last_page_is_waited_for_whoever_comes_is_refused_with_the_reason() {
    let relay = FakeSmtp::start().await;
    relay.script([Reply::ok(), Reply::silence(Stage::Data)]);
    let place = place(&relay).await;
    let server = about_to_fail(&place, &relay).await;
    let unanswered = post_some(&server, "lost or not", failed_store::TOO_MANY).await;
    assert!(unanswered.is_err());
    let refused = post(&server, "too late").await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["code"], "store_failed");
    // The relay never answers, and the process ends all the same.
    assert_eq!(server.ended().await.code(), Some(1));
    assert!(
        place
            .log()
            .contains("it is not known whether the last page was sent"),
        "{}",
        place.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_asked_to_end_does_so_in_ten_seconds_whoever_keeps_it() {
    let relay = FakeSmtp::start().await;
    relay.script([Reply::silence(Stage::Greeting)]);
    let place = place(&relay).await;
    let server = place.start().await;
    let answer = post(&server, "never delivered").await.unwrap();
    assert_eq!(answer.status(), 202);
    // A request that is never finished.
    let address = format!("127.0.0.1:{}", place.port);
    let mut sender = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n\
         content-length: 100\r\n\r\n{{",
        server.key
    );
    sender.write_all(head.as_bytes()).await.unwrap();
    let ended = tokio::time::timeout(STOP_TIME, server.stop()).await;
    assert!(ended.unwrap().success(), "{}", place.log());
    let warning = "some attempts did not end in time";
    assert!(place.log().contains(warning), "{}", place.log());
}

/// The flush looks at the files that the database keeps beside its own, and opening this one
/// waits for somebody who never comes.
fn hang_the_flush(place: &Place) -> PathBuf {
    let hanging = place.path().join("data/db/blobs/hanging");
    let made = Command::new("mkfifo").arg(&hanging).status().unwrap();
    assert!(made.success());
    hanging
}

/// The log takes commits until it is far ahead of the database, which hangs; then they wait.
async fn until_unanswered(server: &Server) -> JoinHandle<reqwest::Result<reqwest::Response>> {
    let url = format!("{}/v1/events", server.url);
    for number in 0.. {
        let events: Vec<Value> = (0..100)
            .map(|event| {
                json!({"summary": format!("{number} {event}"), "severity": "critical",
                    "labels": {"filling": failed_store::incompressible(4_000)}})
            })
            .collect();
        let request = client().post(&url).bearer_auth(&server.key).json(&events);
        let mut answer = tokio::spawn(request.send());
        match tokio::time::timeout(ANSWER_TIME, &mut answer).await {
            Ok(answer) => assert_eq!(answer.unwrap().unwrap().status(), 202),
            Err(_) => return answer,
        }
    }
    unreachable!("the log has no end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_asked_to_end_does_so_in_ten_seconds_while_its_flush_hangs() {
    let relay = FakeSmtp::start().await;
    let place = place(&relay).await;
    let server = place.start().await;
    let accepted = post(&server, "before it").await.unwrap();
    let accepted: Value = accepted.json().await.unwrap();
    let receipt = accepted["receipts"][0]["id"].as_str().unwrap().to_owned();
    let hanging = hang_the_flush(&place);
    let unanswered = until_unanswered(&server).await;
    let ended = tokio::time::timeout(STOP_TIME, server.stop()).await;
    assert_eq!(ended.unwrap().code(), Some(1), "{}", place.log());
    let warning = "the last commit did not end in time";
    assert!(place.log().contains(warning), "{}", place.log());
    let answer = unanswered.await.unwrap();
    let is_accepted = answer.is_ok_and(|answer| answer.status().is_success());
    assert!(!is_accepted, "nobody knows whether it is durable");

    std::fs::remove_file(hanging).unwrap();
    let server = place.start().await;
    let receipt = server.get(&format!("/v1/receipts/{receipt}")).await;
    assert_eq!(receipt["dedup_key"], "before it", "{receipt:#?}");
}
