//! Checkpoints: whatever step one is at, a start finds what was committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::ids::AlertId;
use crate::engine::records::{Change, Record, RecordKey};
use crate::engine::samples;
use crate::store::active;
use crate::store::contract::{HOME, commit, loaded, put, small};
use crate::store::keys::{Key, Kind};
use crate::store::rows::Rows;
use crate::store::writes::Writes;
use crate::store::{Disk, Options, Partition, SledStore, Store};

use super::tests::{copy, folder, open};

/// The same numbers in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

fn some_changes(dice: &mut Dice) -> Vec<Change> {
    let some = 1 + dice.below(6);
    let changes = (0..some).map(|_| {
        let id = dice.below(60);
        if dice.below(3) == 0 {
            return Change::Drop(RecordKey::Alert(AlertId(id)));
        }
        let mut alert = samples::alert(id);
        alert.repeats = dice.below(1_000);
        if dice.below(20) == 0 {
            // Of several slices by itself.
            alert.dedup_key = "x".repeat(60_000).into();
        }
        put(Record::Alert(alert.into()))
    });
    changes.collect()
}

fn apply(records: &mut BTreeMap<RecordKey, Record>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Put(record) => drop(records.insert(record.key(), record.clone())),
            Change::Drop(key) => drop(records.remove(key)),
            Change::Archive(_) | Change::Receipt(_) | Change::Entry(_) => {}
        }
    }
}

/// As a process finds it that starts after this one was killed.
fn after_a_crash(data: &Path) -> BTreeMap<RecordKey, Record> {
    let crashed = folder();
    copy(data, crashed.path());
    loaded(&open(crashed.path()))
}

/// How many checkpoints became whole so far.
fn checkpoints(store: &SledStore) -> u64 {
    store.writer().checkpoint.number
}

#[test]
fn whatever_step_a_checkpoint_is_at_a_start_finds_what_was_committed() {
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let data = folder();
        let mut store = open(data.path());
        let mut expected = BTreeMap::new();
        for round in 0..400 {
            match dice.below(40) {
                0 => {
                    drop(store);
                    store = open(data.path());
                }
                1 => assert_eq!(after_a_crash(data.path()), expected, "round {round}"),
                2..20 => {
                    let changes = some_changes(&mut dice);
                    commit(&store, changes.clone());
                    apply(&mut expected, &changes);
                }
                _ => drop(store.checkpoint().unwrap()),
            }
        }
        assert_eq!(loaded(&store), expected, "seed {seed}");
        assert!(checkpoints(&store) > 3, "seed {seed}");
    }
}

fn finish(store: &SledStore) {
    while store.checkpoint().unwrap() {}
}

fn rows_of(store: &SledStore, kind: Kind) -> usize {
    store
        .tree
        .all(&Key::all(kind, Partition::default()))
        .count()
}

#[test]
fn a_checkpoint_makes_the_changes_that_it_holds_needless_and_they_go() {
    let data = folder();
    let store = open(data.path());
    for round in 0..300 {
        let mut alert = samples::alert(round % 10);
        alert.repeats = round;
        commit(&store, vec![put(Record::Alert(alert.into()))]);
    }
    let before = loaded(&store);
    assert_eq!(rows_of(&store, Kind::ActiveChanges), 300);
    finish(&store);
    assert_eq!(checkpoints(&store), 1);
    assert_eq!(rows_of(&store, Kind::ActiveChanges), 0);
    assert_eq!(rows_of(&store, Kind::Slice), 1, "ten records, each once");
    // What the checkpoint wrote and removed the database takes over as well.
    finish(&store);
    assert!(!store.checkpoint().unwrap(), "there is nothing to do");
    commit(&store, Vec::new());
    assert_eq!(after_a_crash(data.path()), before);
    let parts = store.tree.all(&Key::continuations()).count();
    assert_eq!(parts, 0);
}

#[test]
fn without_space_for_a_checkpoint_none_is_begun() {
    struct Filled(AtomicU64);
    impl Disk for Filled {
        fn free_bytes(&self, _: &Path) -> Option<u64> {
            Some(self.0.load(Ordering::SeqCst))
        }
    }
    let disk = Arc::new(Filled(AtomicU64::new(10_000)));
    let options = Options {
        disk: disk.clone(),
        ..small()
    };
    let data = folder();
    let store = SledStore::open(data.path(), options).unwrap();
    for id in 0..200 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    finish(&store);
    assert_eq!(checkpoints(&store), 0);
    disk.0.store(1 << 30, Ordering::SeqCst);
    finish(&store);
    assert_eq!(checkpoints(&store), 1);
}

#[test]
fn what_a_commit_changed_and_a_slice_are_missed_when_they_are_gone() {
    let data = folder();
    let store = open(data.path());
    for id in 0..200 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    finish(&store);
    for id in 0..3 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    let checkpoint = store.writer().checkpoint;
    assert!(checkpoint.slices > 1);
    drop(store);
    for (lost, name) in [
        (Key::active_changes(202), "ActiveChanges/0/202"),
        (Key::active_changes(203), "ActiveChanges/0/203"),
        (Key::slice(1, 1), "Slice/0/1/1"),
    ] {
        let crashed = folder();
        copy(data.path(), crashed.path());
        let store = open(crashed.path());
        let mut writes = Writes::default();
        writes.remove_appended(lost, 2);
        store.tree.add_settled(writes.rows, || Ok(())).unwrap();
        let error = store.load(HOME, samples::START).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("missing"), "{error}");
        drop(store);
        let survey = crate::store::check(crashed.path()).unwrap();
        assert!(!survey.is_whole(), "{name}");
        assert!(survey.counts["alerts"] >= 100, "{name}: {survey:#?}");
    }
}

#[test]
fn commits_go_on_beside_checkpoints() {
    let data = folder();
    let store = open(data.path());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..400 {
                let mut alert = samples::alert(round % 100);
                alert.repeats = round;
                commit(&store, vec![put(Record::Alert(alert.into()))]);
            }
        });
        while !writer.is_finished() {
            store.checkpoint().unwrap();
        }
    });
    let expected: BTreeMap<RecordKey, Record> = (300..400)
        .map(|round| {
            let mut alert = samples::alert(round % 100);
            alert.repeats = round;
            let record = Record::Alert(alert.into());
            (record.key(), record)
        })
        .collect();
    assert_eq!(loaded(&store), expected);
    assert_eq!(after_a_crash(data.path()), expected);
    let bytes = active::bytes_of_changes(&store.tree, store.writer().checkpoint.until).unwrap();
    assert_eq!(store.writer().changed_bytes, bytes);
}
