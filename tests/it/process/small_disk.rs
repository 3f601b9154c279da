//! A disk of its own that is small: it is filled as fast as events can be posted, and then to the
//! last byte by somebody else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;
use crate::harness::skipped;

const MEBIBYTE: u64 = 1024 * 1024;
const DISK_MIN: u64 = 24 * MEBIBYTE;
/// Pages, outcomes and timers of what was accepted go on below `disk_min`.
const SLACK: u64 = 4 * MEBIBYTE;
const SETTINGS: &str = "disk_min = \"24 MiB\"\ndisk_warn = \"24 MiB\"\n";

/// A file system in memory; it goes away with this.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One of this size in the words of `mount`; `None` where nobody may mount.
    pub fn mount(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        let done = mount.arg(&path).output().ok()?.status.success();
        done.then_some(Self(path))
    }

    fn free(&self) -> u64 {
        free(&self.0)
    }

    /// Takes all that is left.
    fn fill(&self) {
        let zeros = vec![0; 4096];
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &zeros).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn free(path: &Path) -> u64 {
    let free = rustix::fs::statvfs(path).unwrap();
    free.f_bavail * free.f_frsize
}

/// An event that opens an incident of its own.
fn event(number: u64, label_bytes: usize) -> String {
    let labels: serde_json::Map<String, Value> = (0..label_bytes / 4_000)
        .map(|label| (format!("label{label}"), json!("x".repeat(4_000))))
        .collect();
    let key = format!("key {number} {label_bytes}");
    json!({"summary": "disk full", "severity": "critical", "dedup_key": key, "labels": labels})
        .to_string()
}

/// Posts events from eight senders until each of them is refused. How many were taken, and the
/// least free space that was seen.
async fn storm(server: &Server, disk: &SmallDisk, label_bytes: usize) -> (u64, u64) {
    let least = Arc::new(AtomicU64::new(u64::MAX));
    let number = Arc::new(AtomicU64::new(0));
    let taken = Arc::new(AtomicU64::new(0));
    let senders = (0..8).map(|_| {
        let (number, taken, least) = (number.clone(), taken.clone(), least.clone());
        let disk = disk.0.clone();
        let url = format!("{}/v1/events", server.url);
        let key = server.key.clone();
        async move {
            loop {
                let body = event(number.fetch_add(1, Ordering::Relaxed), label_bytes);
                let request = client().post(&url).bearer_auth(&key).body(body);
                let answer = request.send().await.unwrap();
                least.fetch_min(free(&disk), Ordering::Relaxed);
                if answer.status() == 503 {
                    let problem: Value = answer.json().await.unwrap();
                    assert_eq!(problem["code"], "disk_low", "{problem}");
                    return;
                }
                assert_eq!(answer.status(), 202);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let senders: Vec<_> = senders.map(tokio::spawn).collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
    (load(&taken), load(&least))
}

async fn acknowledge(server: &Server, number: u64) {
    let path = format!("/v1/incidents/{number}/acknowledge");
    let answer = server.act(&path, &json!({})).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let incident = server.get(&format!("/v1/incidents/{number}")).await;
    assert_eq!(incident["status"], "acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_never_uses_the_last_of_a_small_disk_and_a_full_disk_starts_and_acknowledges() {
    let place = Place::new(SETTINGS, ONE_PERSON);
    let Some(disk) = SmallDisk::mount(place.path().join("data"), "96m") else {
        skipped("a small disk: this user may not mount one");
        return;
    };
    let server = place.start().await;
    let reserve = place.path().join("data/reserve");
    assert!(reserve.exists(), "a small disk has a reserve");

    let (large, least_by_large) = storm(&server, &disk, 400_000).await;
    let (small, least_by_small) = storm(&server, &disk, 0).await;
    assert!(large > 5, "{large} large events were taken");
    assert!(small > 0, "small ones have room where a large one has none");
    acknowledge(&server, 1).await;
    let least = least_by_large.min(least_by_small).min(disk.free());
    assert!(least >= DISK_MIN - SLACK, "{least} bytes were free");
    assert!(disk.free() < 2 * DISK_MIN, "it was not filled");

    server.kill();
    disk.fill();
    assert!(disk.free() < 4096);
    let server = place.start().await;
    assert!(!reserve.exists(), "it was given up for the start");
    acknowledge(&server, 2).await;
    let answer = server.post("/v1/events", &server.key, event(0, 0)).await;
    assert_eq!(answer.status(), 503);
    server.kill();

    // Once more, with what the reserve has left.
    let server = place.start().await;
    acknowledge(&server, 3).await;
    assert!(server.stop().await.success());
}
