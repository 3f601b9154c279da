//! Damaged and whole databases, read again.

use std::collections::BTreeSet;

use super::target::NUMBERS_LEFT_OUT;
use crate::engine::ids::ReceiptId;
use crate::engine::time::Steady;
use crate::store::contract::{commit, put, receipt_change, small};
use crate::store::samples::{self, START};
use crate::store::sled::Tree;
use crate::store::{Batch, SledStore, Store};

use super::*;

const HOME: Partition = Partition(0);
const ROUNDS: u64 = 1_500;

fn archived(record: Record) -> Change {
    Change::Archive(record)
}

/// Everything of every kind, over and over, with nodes that split and values of several rows.
fn fill(path: &Path) {
    let store = SledStore::open(path, small()).unwrap();
    for round in 1..=ROUNDS {
        let mut alert = samples::alert(round % 50 + 1);
        alert.repeats = round;
        if round.is_multiple_of(7) {
            alert.dedup_key = "x".repeat(20_000).into();
        }
        let mut closed = samples::alert(10_000 + round);
        closed.incidents = vec![IncidentNumber(round)];
        let changes = vec![
            put(Record::Alert(alert.into())),
            put(Record::Counters(samples::counters(round + 1))),
            receipt_change(samples::receipt(round, START)),
            Change::Entry(samples::entry(round, round).into()),
            archived(Record::Alert(closed.into())),
            archived(Record::Incident(
                samples::resolved_incident(round, START).into(),
            )),
        ];
        commit(&store, changes);
    }
    let document = |kind, name: &str| DocumentWrite {
        kind,
        name: name.to_owned(),
        bytes: Some(name.as_bytes().to_vec()),
    };
    let batch = Batch {
        changes: samples::records().into_iter().map(put).collect(),
        documents: DOCUMENTS.map(|(kind, name)| document(kind, name)).into(),
        clocks: Clocks {
            wall: START,
            steady: Steady(77),
        },
    };
    let epoch = store.claim(HOME).unwrap();
    store.commit(HOME, epoch, &batch).unwrap();
}

fn all_rows(rows: &impl Rows) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
    let rows = rows.range(&Key::read(&[0]), &Key::read(&[u8::MAX]));
    let rows = rows.map(|row| {
        let (key, value) = row.unwrap();
        (key.as_ref().to_vec(), value.as_ref().to_vec())
    });
    rows.collect()
}

/// What people could look at, and what pages.
fn contents(path: &Path) -> BTreeSet<String> {
    let store = SledStore::open(path, small()).unwrap();
    let loaded = store.load(HOME, START).unwrap();
    let mut contents: BTreeSet<String> = BTreeSet::new();
    contents.extend(loaded.records.iter().map(|it| format!("{it:?}")));
    let receipts = store.receipts(HOME, None, usize::MAX).unwrap();
    contents.extend(receipts.iter().map(|it| format!("{it:?}")));
    let closed = store.closed_incidents(HOME, None, usize::MAX).unwrap();
    for incident in &closed {
        contents.insert(format!("{incident:?}"));
        let alerts = store.closed_alerts(HOME, incident.number, crate::store::Span::ALL, 100);
        contents.extend(alerts.unwrap().iter().map(|it| format!("{it:?}")));
        let entries = store.entries(HOME, incident.number, None, 100).unwrap();
        contents.extend(entries.iter().map(|it| format!("{it:?}")));
    }
    for (kind, name) in DOCUMENTS {
        let documents = store.documents(kind, None, 100).unwrap();
        contents.extend(documents.iter().map(|it| format!("{name} {it:?}")));
    }
    contents
}

#[test]
fn of_a_whole_database_the_log_says_what_the_database_says() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path());
    let database = data.path().join("db");
    for opening in 0..3 {
        let salvaged = Salvaged::read(&database.join("db")).unwrap();
        assert_eq!(salvaged.holes, [], "opening {opening}");
        assert_eq!(salvaged.lost_changes, 0, "opening {opening}");
        let tree = Tree::open(&database, 8 << 20).map_err(|failure| failure.cause());
        let tree = tree.unwrap();
        assert!(all_rows(&salvaged) == all_rows(&tree), "opening {opening}");
    }
    let survey = check(data.path()).unwrap();
    assert!(survey.is_whole(), "{survey:#?}");
    assert_eq!(survey.counts["receipts"], ROUNDS);
    let new = data.path().join("new");
    assert_eq!(save(data.path(), &new, small()).unwrap(), survey);
    assert!(contents(&new) == contents(data.path()));
}

#[test]
fn of_a_damaged_database_all_but_what_was_hit_is_saved_and_the_rest_is_told() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path());
    let whole = contents(data.path());
    let file = data.path().join("db/db");
    let mut bytes = fs::read(&file).unwrap();
    let places = [0, 1, 3, 7, 12].map(|part| bytes.len() / 14 * part + 4_321);
    for at in places {
        bytes[at..at + 300].fill(b'x');
    }
    fs::write(&file, &bytes).unwrap();

    let survey = check(data.path()).unwrap();
    assert!(!survey.is_whole());
    assert!(survey.damaged.len() >= places.len(), "{survey:#?}");
    let new = data.path().join("new");
    assert_eq!(save(data.path(), &new, small()).unwrap(), survey);
    assert!(
        fs::read(&file).unwrap() == bytes,
        "the old one is only read"
    );
    let saved = contents(&new);
    let lost = whole.difference(&saved).count();
    assert!(lost * 20 < whole.len(), "{lost} of {}", whole.len());
    let receipts = saved.iter().filter(|it| it.starts_with("Receipt")).count();
    assert_eq!(survey.counts["receipts"], receipts as u64);
}

#[test]
fn wherever_a_database_is_damaged_it_is_saved_into_one_that_opens() {
    let data = tempfile::tempdir().unwrap();
    fill(data.path());
    let whole = contents(data.path()).len();
    let file = data.path().join("db/db");
    let bytes = fs::read(&file).unwrap();
    for case in 0..12 {
        let mut damaged = bytes.clone();
        let at = bytes.len() / 13 * case + case;
        match case % 4 {
            0 => damaged[at] ^= 1 << (case % 8),
            1 => damaged[at..at + 4_096].fill(0),
            2 => damaged[at..].fill(0),
            _ => damaged.copy_within(0..4_096, at / SECTOR * SECTOR),
        }
        fs::write(&file, damaged).unwrap();
        let new = data.path().join(format!("new {case}"));
        let survey = save(data.path(), &new, small()).unwrap();
        let saved = contents(&new).len();
        let is_most = case % 4 == 2 || saved * 10 > whole * 9;
        assert!(is_most, "case {case}: {saved} of {whole}: {survey:#?}");
        SledStore::open(&new, small()).unwrap();
    }
}

const SECTOR: usize = 4_096;

#[test]
fn a_directory_in_use_and_one_without_a_database_are_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let store = SledStore::open(data.path(), small()).unwrap();
    let error = check(data.path()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(store);
    let nothing = data.path().join("nothing");
    let error = check(&nothing).unwrap_err().to_string();
    assert!(error.contains("there is no database"), "{error}");
    assert!(!nothing.exists());
    let error = save(data.path(), data.path(), small()).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn numbers_go_on_above_all_that_is_there_even_if_the_last_ones_are_lost() {
    let data = tempfile::tempdir().unwrap();
    let store = SledStore::open(data.path(), small()).unwrap();
    commit(&store, vec![receipt_change(samples::receipt(41, START))]);
    drop(store);
    let new = data.path().join("new");
    let survey = save(data.path(), &new, small()).unwrap();
    let told = survey.missing.concat();
    assert!(told.contains("numbers that were given last"), "{told}");
    let store = SledStore::open(&new, small()).unwrap();
    let records = store.load(HOME, START).unwrap().records;
    let [Record::Counters(counters)] = records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(counters.receipt, ReceiptId(42 + NUMBERS_LEFT_OUT));
}
