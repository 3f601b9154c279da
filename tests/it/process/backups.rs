//! A backup of a router that is being used, and a router that starts from it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use super::server::{MAIL, NATIVE, Place, Server, one_person};

/// Incidents before the backup begins.
const BEFORE: u64 = 150;

/// Its incident.
async fn report(server: &Server, number: u64) -> u64 {
    // Each with a text that hardly can be packed, so that the backup has several parts.
    let filler: String = (0..400_u64)
        .map(|at| (number * 7_919 + at * at * 104_729).to_string())
        .collect();
    let event = json!({"summary": format!("disk {number} is full"), "severity": "warning",
        "dedup_key": format!("disk-{number}"), "details": {"dump": filler}});
    let answer = server.post("/v1/events", &server.key, event.to_string());
    let answer = answer.await;
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.unwrap();
    answer["receipts"][0]["incident"].as_u64().unwrap()
}

/// What the command says, and whether it did what was asked.
fn said(place: &Place, arguments: &[&str]) -> (bool, String) {
    let output = place.command(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), said + &errors)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_starts_from_a_backup_of_one_that_was_being_used() {
    let rules = one_person(MAIL, NATIVE);
    let place = Place::new("", &rules);
    let server = place.start().await;
    let mut incidents = Vec::new();
    for number in 1..=BEFORE {
        incidents.push((number, report(&server, number).await));
    }
    let first = incidents[0].1.to_string();
    place.run(&["ack", &first, "--as", "ana"]);
    let (is_done, reported) = (AtomicBool::new(false), AtomicU64::new(BEFORE));
    let using = async {
        while !is_done.load(Ordering::SeqCst) {
            let number = reported.load(Ordering::SeqCst) + 1;
            report(&server, number).await;
            reported.store(number, Ordering::SeqCst);
        }
    };
    let backing_up = async {
        let mut command = place.command(&["--output", "json", "backup", "b"]);
        let taken = tokio::task::spawn_blocking(move || command.output().unwrap());
        let taken = taken.await.unwrap();
        is_done.store(true, Ordering::SeqCst);
        let errors = String::from_utf8_lossy(&taken.stderr);
        assert!(taken.status.success(), "{errors}");
        assert_eq!(errors, "", "there is no bar without a terminal");
        serde_json::from_slice::<Value>(&taken.stdout).unwrap()
    };
    let ((), taken) = tokio::join!(using, backing_up);
    let file = place.path().join("b");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!place.path().join("b.partial").exists());
    let audit = server.get("/v1/audit?limit=1").await;
    assert_eq!(audit["items"][0]["action"], "backup_taken");
    let (is_taken, refusal) = said(&place, &["backup", "b"]);
    assert!(
        !is_taken && refusal.contains("b exists already"),
        "{refusal}"
    );
    server.kill();

    let (is_whole, check) = said(&place, &["restore", "--check", "b"]);
    let commit = format!("commit {}", taken["manifest"]["commits"]);
    assert!(is_whole && check.contains(&commit), "{check}");
    let (is_restored, refusal) = said(&place, &["restore", "b"]);
    assert!(
        !is_restored && refusal.contains("it is not empty"),
        "{refusal}"
    );
    let other = Place::new("", &rules);
    fs::copy(&file, other.path().join("b")).unwrap();
    other.run(&["restore", "b"]);
    for name in ["admin-token", "first-key"] {
        let data = |place: &Place| place.path().join("data").join(name);
        fs::copy(data(&place), data(&other)).unwrap();
    }
    let server = other.start().await;
    for (number, incident) in &incidents {
        let incident = server.get(&format!("/v1/incidents/{incident}")).await;
        assert_eq!(incident["title"], format!("disk {number} is full"));
        let is_acknowledged = incident["status"] == "acknowledged";
        assert_eq!(is_acknowledged, *number == 1, "{incident}");
    }
    // It goes on where the backup ends.
    let last = reported.load(Ordering::SeqCst);
    let next = report(&server, last + 10).await;
    assert!(incidents.iter().all(|(_, known)| *known < next));
    let (is_well, audit) = said(&other, &["audit", "verify"]);
    assert!(is_well, "{audit}");
}
