//! A disk that events fill: they are refused, people go on to act, and when there is room again
//! events are taken again. Nothing that was answered is missing.
//!
//! Storms and the last byte of such a disk are tested in `process::small_disk`.

use std::fs;
use std::path::Path;

use reqwest::Response;
use serde_json::{Value, json};

use super::check::expect_receipt;
use super::clients::Api;
use crate::harness::skipped;
use crate::process::failed_store::incompressible;
use crate::process::server::{ONE_PERSON, Place, Server};
use crate::process::small_disk::SmallDisk;

const SETTINGS: &str = "disk_min = \"8 MiB\"\ndisk_warn = \"8 MiB\"\n";
/// Somebody else's file, which is removed to make room.
const BALLAST_BYTES: usize = 16 * 1024 * 1024;

/// One request of several events with long labels.
async fn post(server: &Server, name: &str) -> Response {
    let events = (0..10).map(|part| {
        let filling: Value = (0..8)
            .map(|label| (format!("label{label}"), json!(incompressible(4_000))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let key = format!("{name} {part}");
        json!({"summary": key, "dedup_key": key, "severity": "critical", "labels": filling})
    });
    let body: Value = events.collect();
    server
        .post("/v1/events", &server.key, body.to_string())
        .await
}

/// Posts until a request is refused for want of room; adds what was answered before it.
async fn fill(server: &Server, round: &str, receipts: &mut Vec<Value>) -> usize {
    for number in 0..1_000 {
        let answer = post(server, &format!("{round} {number}")).await;
        let status = answer.status();
        let mut answer: Value = answer.json().await.unwrap();
        if status == 503 {
            assert_eq!(answer["code"], "disk_low", "{answer}");
            return number;
        }
        assert_eq!(status, 202, "{answer}");
        receipts.append(answer["receipts"].as_array_mut().unwrap());
    }
    panic!("the disk was never full");
}

async fn acknowledge(server: &Server, receipt: &Value) -> u64 {
    let number = receipt["incident"].as_u64().unwrap();
    let path = format!("/v1/incidents/{number}/acknowledge");
    let answer = server.act(&path, &json!({})).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    number
}

/// Everything answered, and nothing else.
async fn expect_all(server: &Server, receipts: &[Value], acknowledged: &[u64]) {
    let seen = Api::of(server).list("/v1/receipts").await;
    let seen = seen.iter().filter(|it| it["integration"] == "native");
    // The newest is listed first.
    let seen: Vec<&Value> = seen.collect();
    assert_eq!(seen.len(), receipts.len());
    for (seen, answered) in seen.iter().rev().zip(receipts) {
        expect_receipt(seen, answered);
    }
    for receipt in receipts {
        let number = receipt["incident"].as_u64().unwrap();
        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        let expected = match acknowledged.contains(&number) {
            true => "acknowledged",
            false => "triggered",
        };
        assert_eq!(incident["status"], expected, "{receipt}");
    }
}

fn add_ballast(path: &Path) {
    fs::write(path, vec![7; BALLAST_BYTES]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_events_and_loses_nothing_and_a_start_with_room_takes_them_again() {
    let place = Place::new(SETTINGS, ONE_PERSON);
    let data = place.path().join("data");
    let Some(_disk) = SmallDisk::mount(data.clone(), "64m") else {
        skipped("events that fill a disk: this user may not mount one");
        return;
    };
    let ballast = data.join("ballast");
    add_ballast(&ballast);
    let server = place.start().await;
    let (mut receipts, mut acknowledged) = (Vec::new(), Vec::new());
    let taken = fill(&server, "first", &mut receipts).await;
    assert!(taken > 0, "no request was taken");
    acknowledged.push(acknowledge(&server, &receipts[0]).await);
    // A checkpoint may have made a little room meanwhile; that ends as well.
    fill(&server, "more", &mut receipts).await;

    fs::remove_file(&ballast).unwrap();
    acknowledged.push(acknowledge(&server, receipts.last().unwrap()).await);
    expect_all(&server, &receipts, &acknowledged).await;

    server.kill();
    let server = place.start().await;
    let again = fill(&server, "second", &mut receipts).await;
    assert!(again > 0, "there is room again");
    expect_all(&server, &receipts, &acknowledged).await;
    acknowledged.push(acknowledge(&server, &receipts[1]).await);
    assert!(server.stop().await.success(), "{}", place.log());
    let survey = place.run(&["store", "check", "data"]);
    assert!(survey.contains("nothing is damaged or missing"), "{survey}");
}
