#!/usr/bin/env bash
# sled wakes every thread of its pool for each flush, though one of them has work.
#
# A flush hands the write of its buffer to a pool of seven threads that wait. One would guess that
# one of them wakes. All seven do, contend for the queue, find it empty and sleep again: who makes
# each commit durable by itself pays for it each time, whatever the commit holds. No setting changes
# the number of threads.
#
# Seen with sled 0.34.7 of crates.io on Linux. Needs cargo and /proc.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --vcs none --name ask
cargo add --quiet sled@=0.34.7 2>/dev/null
cat >src/main.rs <<'RUST'
use std::fs;
use std::thread::sleep;
use std::time::Duration;

const FLUSHES: u64 = 500;

/// How often each thread of the pool went to sleep so far.
fn sleeps() -> Vec<u64> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let status = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let own = status.filter(|text| text.starts_with("Name:\tsled-io-"));
    own.map(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    })
    .collect()
}

fn main() {
    let config = sled::Config::new().path("data").flush_every_ms(None);
    let db = config.open().unwrap();
    db.insert("key", "value").unwrap();
    db.flush().unwrap();
    sleep(Duration::from_millis(200));
    let before: u64 = sleeps().iter().sum();
    for number in 0..FLUSHES {
        db.insert("key", &number.to_be_bytes()).unwrap();
        db.flush().unwrap();
        // Long enough for all to sleep again.
        sleep(Duration::from_millis(2));
    }
    let after = sleeps();
    let woken = (after.iter().sum::<u64>() - before) as f64 / FLUSHES as f64;
    eprintln!("{woken:.1} threads woke for a flush, on average");
    println!("threads of the pool: {}", after.len());
    println!("more than five wake for a flush: {}", woken > 5.0);
}
RUST

cargo run --quiet --release >seen
cat seen
cat >expected <<'EXPECTED'
threads of the pool: 7
more than five wake for a flush: true
EXPECTED
diff expected seen
echo "as seen before"
