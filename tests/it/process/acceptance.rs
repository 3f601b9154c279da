//! What was accepted is never lost, even when the process is killed in the middle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::server::{HOOKS, NATIVE, Place, Server, hook_rules};
use crate::harness::http::client;
use crate::harness::webhook::start_receiver;

const EVENTS: usize = 10_000;
const CONNECTIONS: usize = 16;

/// A sender that posts its share and keeps what it was answered. It posts an event again, with the
/// same id, until it has an answer.
async fn send(
    sender: usize,
    (url, key): (String, String),
    accepted: Arc<AtomicUsize>,
    mut epoch: watch::Receiver<u32>,
) -> Vec<Value> {
    let client = client();
    let mut ledger = Vec::new();
    for number in 0..EVENTS / CONNECTIONS {
        let name = format!("{sender}-{number}");
        let body = json!({"summary": name, "dedup_key": name, "id": name, "severity": "critical"});
        loop {
            let seen = *epoch.borrow_and_update();
            let request = client.post(format!("{url}/v1/events")).bearer_auth(&key);
            let answer = request.body(body.to_string()).send().await;
            if let Ok(answer) = answer
                && answer.status() == 202
                && let Ok(answer) = answer.json::<Value>().await
            {
                ledger.push(answer["receipts"][0].clone());
                accepted.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if *epoch.borrow() == seen {
                epoch.changed().await.unwrap();
            }
        }
    }
    ledger
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_accepted_events_survive_a_kill_in_the_middle() {
    let receiver = start_receiver().await;
    let place = Place::new(HOOKS, &hook_rules(&receiver.url(), NATIVE));
    let server = place.start().await;
    let (restarted, epoch) = watch::channel(0);
    let accepted = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|sender| {
            let address = (server.url.clone(), server.key.clone());
            tokio::spawn(send(sender, address, accepted.clone(), epoch.clone()))
        })
        .collect();

    server
        .until("half of the events", async |_| {
            (accepted.load(Ordering::SeqCst) >= EVENTS / 2).then_some(())
        })
        .await;
    server.kill();
    let server = place.start().await;
    restarted.send(1).unwrap();

    let mut ledger = Vec::new();
    for sender in senders {
        ledger.extend(sender.await.unwrap());
    }
    assert_eq!(ledger.len(), EVENTS);
    check_receipts(&server, &ledger).await;
    let incidents: BTreeSet<u64> = ledger
        .iter()
        .map(|receipt| receipt["incident"].as_u64().unwrap())
        .collect();
    assert_eq!(
        incidents.len(),
        EVENTS,
        "every event has an incident of its own"
    );
    server
        .until("an attempt for every incident", async |server| {
            let attempted = attempted(server).await;
            incidents.is_subset(&attempted).then_some(())
        })
        .await;
}

/// Every receipt that a client holds is known and says what became of its event.
async fn check_receipts(server: &Server, ledger: &[Value]) {
    for known in ledger {
        let id = known["id"].as_str().unwrap();
        let receipt = server.get(&format!("/v1/receipts/{id}")).await;
        assert_eq!(receipt["disposition"], known["disposition"], "{id}");
        assert_eq!(receipt["incidents"], known["incidents"], "{id}");
    }
}

/// Incidents for which an attempt was made.
async fn attempted(server: &Server) -> BTreeSet<u64> {
    let mut attempted = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let pages = server.get(&format!("/v1/pages?limit=500{cursor}")).await;
        for page in pages["items"].as_array().unwrap() {
            if !page["attempts"].as_array().unwrap().is_empty() {
                let incidents = page["incidents"].as_array().unwrap();
                attempted.extend(incidents.iter().map(|number| number.as_u64().unwrap()));
            }
        }
        match &pages["next"] {
            Value::Null => return attempted,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
}
