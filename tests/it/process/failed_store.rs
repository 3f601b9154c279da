//! A store that fails: the process ends, and what it has answered is there at the next start.

use std::ops::Range;
use std::process::Command;

use rand::Rng;
use reqwest::Response;
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;

/// Events of 4 KB each.
const ANSWERED: usize = 20;
/// Events of 4 KB each that do not fit into a file of [`LARGEST_FILE`], wherever their commit
/// begins.
pub const TOO_MANY: usize = 20;
/// No file of the process may grow beyond this: room for its log, and none for its database, which
/// holds more by then.
const LARGEST_FILE: u64 = 32 * 1024;

/// The router, which is told of a file that is too large by an error and not by a signal.
pub fn serve(place: &Place) -> Command {
    let plain = place.command(&["serve"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; exec \"$0\" serve"])
        .arg(plain.get_program())
        .current_dir(place.path())
        .env_clear();
    shell
}

/// From now on no file of the router grows, and what its database has written lies beyond.
pub fn fail_writes(server: &Server) {
    let limit = Rlimit {
        current: Some(LARGEST_FILE),
        maximum: None,
    };
    prlimit(Some(server.pid()), Resource::Fsize, limit).unwrap();
}

/// Text of so many characters that the store cannot pack.
pub fn incompressible(characters: usize) -> String {
    let mut bytes = vec![0; characters / 2];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// Posts events of these numbers in one request.
async fn post(server: &Server, numbers: Range<usize>) -> reqwest::Result<Response> {
    let event = |number| {
        json!({"summary": format!("disk {number} full"), "severity": "critical",
            "labels": {"filling": incompressible(4_000)}})
    };
    let events: Vec<Value> = numbers.map(event).collect();
    let request = client().post(format!("{}/v1/events", server.url));
    let request = request.bearer_auth(&server.key).json(&events);
    request.send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_ends_the_process_and_loses_nothing_that_was_answered() {
    let place = Place::new("", ONE_PERSON);
    place.expects_error("the store failed; nothing more is accepted");
    place.expects_error("the driver ended");
    let server = place.start_by(serve(&place)).await;
    for number in 0..ANSWERED {
        let answer = post(&server, number..number + 1).await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    fail_writes(&server);
    // Whoever is in the batch that fails is not answered at all; later ones are refused.
    let failed = post(&server, ANSWERED..ANSWERED + TOO_MANY).await;
    let is_refused = failed.map_or(true, |answer| answer.status() == 503);
    assert!(is_refused, "what is not stored is not accepted");
    let ended = server.ended().await;
    assert_eq!(ended.code(), Some(1), "{}", place.log());

    let server = place.start().await;
    let receipts = server.get("/v1/receipts?limit=500").await;
    let kept = receipts["items"].as_array().unwrap().len();
    assert_eq!(kept, ANSWERED);
}
