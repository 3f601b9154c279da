//! Stored forms: one record of each kind written and read by itself, and a start and a list read
//! through the store, with all that it does around them.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use reveille::engine::event::Action;
use reveille::engine::records::{Change, Record};
use reveille::engine::ruleset::RuleSet;
use reveille::engine::{State, step};
use reveille::store::{Partition, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{NOW, new_alerts, request};
use crate::folder::{Folder, Syncs, batch};
use crate::rules::with_routes;

const PARTITION: Partition = Partition(0);

/// What a start reads.
const OPEN_ALERTS: u64 = 10_000;

/// Events of one commit.
const GROUP: u64 = 50;

/// What a list reads.
const RECEIPTS: usize = 100;

pub fn forms(criterion: &mut Criterion) {
    let rules = with_routes(1);
    let trigger = request(Action::Trigger, 0, 1);
    let decision = step(&State::default(), &rules, trigger, NOW);
    for change in &decision.changes {
        match change {
            Change::Put(Record::Alert(alert)) => both_ways(criterion, "alert", &**alert),
            Change::Put(Record::Incident(incident)) => {
                both_ways(criterion, "incident", &**incident);
            }
            Change::Receipt(receipt) => both_ways(criterion, "receipt", &**receipt),
            // The other kinds are smaller, or not of one event.
            Change::Put(_) | Change::Drop(_) | Change::Archive(_) | Change::Entry(_) => {}
        }
    }
    through_the_store(criterion, &rules);
}

/// As `docs/decisions/0045` says: postcard, by the derive of the record itself.
fn both_ways<T: Serialize + DeserializeOwned>(criterion: &mut Criterion, name: &str, record: &T) {
    let written = || postcard::to_extend(black_box(record), Vec::new());
    let bytes = written().unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut group = criterion.benchmark_group("stored form");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(format!("{name}: encode"), |bencher| bencher.iter(written));
    group.bench_function(format!("{name}: decode"), |bencher| {
        bencher.iter(|| postcard::from_bytes::<T>(black_box(&bytes)));
    });
    group.finish();
}

fn through_the_store(criterion: &mut Criterion, rules: &RuleSet) {
    let folder = Folder::new(Syncs::Not);
    let store = &folder.store;
    let mut state = State::default();
    for first in (0..OPEN_ALERTS).step_by(GROUP as usize) {
        let changes = new_alerts(&mut state, rules, first..first + GROUP);
        folder.commit(&batch(changes));
    }
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.bench_function(
        BenchmarkId::new("load, open alerts", OPEN_ALERTS),
        |bencher| {
            bencher.iter_with_large_drop(|| match store.load(PARTITION, NOW.wall) {
                Ok(loaded) => {
                    let records = loaded.records.len() as u64;
                    assert!(records >= OPEN_ALERTS, "{records} records");
                    loaded
                }
                Err(error) => panic!("a start failed: {error}"),
            });
        },
    );
    group.bench_function(BenchmarkId::new("newest receipts", RECEIPTS), |bencher| {
        bencher.iter(|| match store.receipts(PARTITION, None, RECEIPTS) {
            Ok(receipts) => assert_eq!(receipts.len(), RECEIPTS, "receipts"),
            Err(error) => panic!("a list failed: {error}"),
        });
    });
    group.finish();
}
