//! What every store must do, run against each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ids::{EntryId, IncidentNumber, PageId, ReceiptId, Revision};
use crate::engine::records::{Change, Entry, Receipt, Record, RecordKey};
use crate::engine::time::{Millis, Steady, Wall};

use super::samples::{self, START};
use super::{
    Batch, Before, Clocks, CommitFault, DocumentKind, DocumentWrite, Epoch, Error, MemoryStore,
    Options, Partition, Purged, Retention, SledStore, Store, revision_name,
};

mod equal;

pub const HOME: Partition = Partition(0);
pub const KEEP_ALL: Retention = Retention {
    events: Millis::days(30),
    incidents: Millis::days(400),
    disk_bytes: u64::MAX,
};

/// A store that can be killed and started again.
pub trait Subject: Sized {
    fn fresh() -> Self;
    fn store(&self) -> &dyn Store;
    /// As a new process finds it.
    fn reopened(self) -> Self;
    /// One in which the next commit fails.
    fn failing() -> Self;
}

pub struct InMemory(MemoryStore);

impl Subject for InMemory {
    fn fresh() -> Self {
        Self(MemoryStore::new())
    }

    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopened(self) -> Self {
        Self(self.0.snapshot_durable())
    }

    fn failing() -> Self {
        let subject = Self::fresh();
        subject.0.fail_next_commit(CommitFault::Lost);
        subject
    }
}

pub struct OnDisk {
    store: SledStore,
    directory: tempfile::TempDir,
}

/// Options that do not take much of the machine that runs the tests.
pub fn small() -> Options {
    Options {
        cache_bytes: 8 * 1024 * 1024,
        reserve_bytes: 0,
        ..Options::default()
    }
}

struct FailingDisk;

impl super::Disk for FailingDisk {
    fn before_flush(&self) -> std::io::Result<()> {
        Err(std::io::Error::other("no space left"))
    }
}

impl OnDisk {
    fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SledStore::open(directory.path(), options).unwrap();
        Self { store, directory }
    }
}

impl Subject for OnDisk {
    fn fresh() -> Self {
        Self::with(small())
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopened(self) -> Self {
        let Self { store, directory } = self;
        drop(store);
        let store = SledStore::open(directory.path(), small()).unwrap();
        Self { store, directory }
    }

    fn failing() -> Self {
        Self::with(Options {
            disk: Arc::new(FailingDisk),
            ..small()
        })
    }
}

macro_rules! contract {
    ($($behaviour:ident,)*) => {
        mod memory {
            $(#[test] fn $behaviour() { super::$behaviour::<super::InMemory>(); })*
        }
        mod embedded {
            $(#[test] fn $behaviour() { super::$behaviour::<super::OnDisk>(); })*
        }
    };
}

contract! {
    an_empty_store_holds_nothing,
    what_was_committed_is_there_after_a_restart,
    of_several_changes_on_one_record_the_last_counts,
    a_record_of_any_size_is_kept_whole_and_replaced_whole,
    an_archived_record_moves_into_history,
    a_receipt_is_found_by_its_id_wherever_it_lies,
    receipts_come_newest_first_in_pages,
    a_story_comes_oldest_first_in_pages,
    closed_incidents_come_highest_first_in_pages,
    pages_and_alerts_are_found_by_each_of_their_incidents,
    documents_are_set_replaced_removed_and_listed_last_name_first,
    a_start_loads_receipts_of_the_last_hour_that_can_still_decide,
    partitions_do_not_see_each_other,
    another_epoch_is_refused_and_does_no_harm,
    after_a_failed_commit_nothing_more_is_accepted,
    a_purge_removes_what_is_older_than_it_is_kept,
    a_purge_never_touches_what_is_open,
    a_folded_page_stays_as_long_as_one_of_its_incidents,
    over_the_cap_the_oldest_history_goes_first,
    a_purge_goes_in_small_steps,
}

pub fn commit(store: &dyn Store, changes: Vec<Change>) {
    let batch = Batch {
        changes,
        ..Batch::default()
    };
    commit_batch(store, &batch);
}

pub fn commit_batch(store: &dyn Store, batch: &Batch) {
    let epoch = store.claim(HOME).unwrap();
    store.commit(HOME, epoch, batch).unwrap();
}

pub fn put(record: impl Into<Record>) -> Change {
    Change::Put(record.into())
}

pub fn receipt_change(receipt: Receipt) -> Change {
    Change::Receipt(receipt.into())
}

fn entry_change(incident: u64, id: u64) -> Change {
    Change::Entry(samples::entry(incident, id).into())
}

fn archive_incident(number: u64, at: Wall) -> Change {
    let incident = samples::resolved_incident(number, at);
    Change::Archive(Record::Incident(incident.into()))
}

fn archive_page(id: u64, incidents: &[u64]) -> Change {
    Change::Archive(Record::Page(samples::page(id, incidents).into()))
}

pub fn loaded(store: &dyn Store) -> BTreeMap<RecordKey, Record> {
    let records = store.load(HOME, START).unwrap().records;
    records.into_iter().map(|it| (it.key(), it)).collect()
}

fn receipt_ids(receipts: &[Receipt]) -> Vec<u64> {
    receipts.iter().map(|receipt| receipt.id.0).collect()
}

fn entry_ids(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.id.0).collect()
}

fn purge_all(store: &dyn Store, retention: &Retention, now: Wall) -> Purged {
    let mut sum = Purged::default();
    loop {
        let purged = store.purge(HOME, retention, now).unwrap();
        sum.receipts += purged.receipts;
        sum.incidents += purged.incidents;
        sum.displaced += purged.displaced;
        if !purged.is_more {
            return sum;
        }
    }
}

fn an_empty_store_holds_nothing<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let loaded = store.load(HOME, START).unwrap();
    assert!(loaded.records.is_empty() && loaded.receipts.is_empty());
    assert_eq!(loaded.clocks, Clocks::default());
    assert!(store.receipts(HOME, None, 10).unwrap().is_empty());
    assert!(store.receipt(HOME, ReceiptId(1)).unwrap().is_none());
    let story = store.entries(HOME, IncidentNumber(1), None, 10).unwrap();
    assert!(story.is_empty());
    assert!(store.closed_incidents(HOME, None, 10).unwrap().is_empty());
    let purged = store.purge(HOME, &KEEP_ALL, START).unwrap();
    assert_eq!(purged, Purged::default());
}

fn what_was_committed_is_there_after_a_restart<S: Subject>() {
    let subject = S::fresh();
    let clocks = Clocks {
        wall: START,
        steady: Steady(77),
    };
    let mut changes: Vec<Change> = samples::records().into_iter().map(Change::Put).collect();
    changes.push(receipt_change(samples::receipt(1, START)));
    changes.push(entry_change(1042, 1));
    let batch = Batch {
        changes,
        documents: Vec::new(),
        clocks,
    };
    commit_batch(subject.store(), &batch);
    let subject = subject.reopened();
    let store = subject.store();
    let expected = samples::records().into_iter();
    let expected: BTreeMap<RecordKey, Record> = expected.map(|it| (it.key(), it)).collect();
    assert_eq!(loaded(store), expected);
    let start = store.load(HOME, START).unwrap();
    assert_eq!(start.clocks, clocks);
    assert_eq!(start.receipts, [Arc::new(samples::receipt(1, START))]);
    let story = store.entries(HOME, IncidentNumber(1042), None, 10);
    assert_eq!(story.unwrap(), [samples::entry(1042, 1)]);
}

fn of_several_changes_on_one_record_the_last_counts<S: Subject>() {
    let counters = |number| put(Record::Counters(samples::counters(number)));
    let drop = || Change::Drop(RecordKey::Counters);
    let cases = [
        (vec![counters(1), counters(2)], Some(2)),
        (vec![counters(1), drop()], None),
        (vec![drop(), counters(3)], Some(3)),
        (vec![drop(), drop()], None),
    ];
    for before in [None, Some(9)] {
        for (changes, expected) in &cases {
            let subject = S::fresh();
            let store = subject.store();
            commit(store, before.map(counters).into_iter().collect());
            commit(store, changes.clone());
            let found = loaded(store).remove(&RecordKey::Counters);
            let expected = expected.map(|number| Record::Counters(samples::counters(number)));
            assert_eq!(found, expected, "{changes:?}");
        }
    }
}

fn a_record_of_any_size_is_kept_whole_and_replaced_whole<S: Subject>() {
    let sized = |bytes: usize| {
        let mut alert = samples::alert(2);
        let mut content = (*alert.content).clone();
        content.summary = "ü".repeat(bytes / 2).into();
        alert.content = Arc::new(content);
        Record::Alert(alert.into())
    };
    let mut subject = S::fresh();
    // Around the limits of one row and of two, up and down again.
    for bytes in [10, 1_000_000, 20_000, 6_100, 12_300, 300_000, 10] {
        commit(subject.store(), vec![put(sized(bytes))]);
        subject = subject.reopened();
        let found: Vec<Record> = loaded(subject.store()).into_values().collect();
        assert_eq!(found, [sized(bytes)], "{bytes} bytes");
    }
    commit(subject.store(), vec![put(sized(50_000)), put(sized(7_000))]);
    let found: Vec<Record> = loaded(subject.store()).into_values().collect();
    assert_eq!(found, [sized(7_000)]);
    commit(subject.store(), vec![Change::Drop(sized(1).key())]);
    assert!(loaded(subject.store()).is_empty());
}

fn an_archived_record_moves_into_history<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let incident = Record::Incident(samples::incident(7).into());
    let page = Record::Page(samples::page(3, &[7]).into());
    let alert = Record::Alert(samples::alert(2).into());
    let records = [incident, page, alert];
    commit(store, records.clone().map(Change::Put).into());
    commit(store, records.map(Change::Archive).into());
    let subject = subject.reopened();
    let store = subject.store();
    assert!(loaded(store).is_empty());
    let found = store.closed_incident(HOME, IncidentNumber(7)).unwrap();
    assert_eq!(found, Some(samples::incident(7)));
    let found = store.closed_page(HOME, PageId(3)).unwrap();
    assert_eq!(found, Some(samples::page(3, &[7])));
    let found = store.closed_alerts(HOME, IncidentNumber(7), 10).unwrap();
    assert_eq!(found, [samples::alert(2)]);
    assert_eq!(
        store.closed_incident(HOME, IncidentNumber(8)).unwrap(),
        None
    );
    assert_eq!(store.closed_page(HOME, PageId(4)).unwrap(), None);
}

fn a_receipt_is_found_by_its_id_wherever_it_lies<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    // Commits of 1, 100 and 3 receipts, with ids left out between them.
    for ids in [1..=1, 5..=104, 200..=202] {
        let receipts = ids.map(|id| receipt_change(samples::receipt(id, START)));
        commit(store, receipts.collect());
    }
    for id in [1, 5, 6, 50, 103, 104, 200, 202] {
        let found = store.receipt(HOME, ReceiptId(id)).unwrap();
        assert_eq!(found, Some(samples::receipt(id, START)), "receipt {id}");
    }
    for id in [0, 2, 4, 105, 199, 203, u64::MAX] {
        assert_eq!(
            store.receipt(HOME, ReceiptId(id)).unwrap(),
            None,
            "receipt {id}"
        );
    }
}

fn receipts_come_newest_first_in_pages<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for ids in [1..=3, 4..=4, 5..=60] {
        let receipts = ids.map(|id| receipt_change(samples::repeat_receipt(id, START)));
        commit(store, receipts.collect());
    }
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = store.receipts(HOME, before, 7).unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        before = Some(Before(last.id.0));
        seen.extend(receipt_ids(&page));
    }
    let expected: Vec<u64> = (1..=60).rev().collect();
    assert_eq!(seen, expected);
    assert!(store.receipts(HOME, None, 0).unwrap().is_empty());
}

fn a_story_comes_oldest_first_in_pages<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    // Two stories are told at once.
    for ids in [1..=5, 6..=6, 7..=100] {
        let entries = ids.map(|id| entry_change(7 + id % 2, id));
        commit(store, entries.collect());
    }
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = store.entries(HOME, IncidentNumber(8), after, 4).unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(entry_ids(&page));
    }
    let expected: Vec<u64> = (1..=100).step_by(2).collect();
    assert_eq!(seen, expected);
    let after_gap = store.entries(HOME, IncidentNumber(7), Some(EntryId(49)), 2);
    assert_eq!(entry_ids(&after_gap.unwrap()), [50, 52]);
    let none = store.entries(HOME, IncidentNumber(9), None, 10).unwrap();
    assert!(none.is_empty());
}

fn closed_incidents_come_highest_first_in_pages<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for number in [3, 1, 1042, 7] {
        commit(store, vec![archive_incident(number, START)]);
    }
    let numbers = |before, limit| -> Vec<u64> {
        let incidents = store.closed_incidents(HOME, before, limit).unwrap();
        incidents.iter().map(|incident| incident.number.0).collect()
    };
    assert_eq!(numbers(None, 3), [1042, 7, 3]);
    assert_eq!(numbers(Some(Before(3)), 3), [1]);
    assert_eq!(numbers(Some(Before(7)), 1), [3]);
    assert!(numbers(Some(Before(1)), 3).is_empty());
}

fn pages_and_alerts_are_found_by_each_of_their_incidents<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let mut alert = samples::alert(5);
    alert.incidents = vec![IncidentNumber(1), IncidentNumber(2)];
    commit(
        store,
        vec![
            archive_page(12, &[1]),
            archive_page(10, &[1, 2]),
            archive_page(11, &[2]),
            Change::Archive(Record::Alert(alert.into())),
        ],
    );
    let pages = |incident, limit| -> Vec<u64> {
        let pages = store.closed_pages(HOME, IncidentNumber(incident), limit);
        pages.unwrap().iter().map(|page| page.id.0).collect()
    };
    assert_eq!(pages(1, 10), [10, 12]);
    assert_eq!(pages(2, 10), [10, 11]);
    assert_eq!(pages(2, 1), [10]);
    assert!(pages(3, 10).is_empty());
    for (incident, count) in [(1, 1), (2, 1), (3, 0)] {
        let alerts = store.closed_alerts(HOME, IncidentNumber(incident), 10);
        assert_eq!(alerts.unwrap().len(), count);
    }
}

fn documents_are_set_replaced_removed_and_listed_last_name_first<S: Subject>() {
    let subject = S::fresh();
    let write = |kind, name: &str, bytes: Option<&[u8]>| DocumentWrite {
        kind,
        name: name.to_owned(),
        bytes: bytes.map(<[u8]>::to_vec),
    };
    let rules = DocumentKind::Rules;
    let large = vec![7; 100_000];
    let commits = [
        vec![
            write(rules, &revision_name(Revision(9)), Some(b"nine")),
            write(rules, &revision_name(Revision(10)), Some(&large)),
            write(DocumentKind::Token, "t1", Some(b"hash")),
        ],
        vec![
            write(rules, &revision_name(Revision(9)), Some(b"nine again")),
            write(rules, &revision_name(Revision(8)), Some(b"eight")),
            write(DocumentKind::Token, "t1", None),
            write(DocumentKind::Secret, "none", None),
        ],
    ];
    for documents in commits {
        let batch = Batch {
            documents,
            ..Batch::default()
        };
        commit_batch(subject.store(), &batch);
    }
    let subject = subject.reopened();
    let store = subject.store();
    let ten = revision_name(Revision(10));
    assert_eq!(store.document(rules, &ten).unwrap(), Some(large));
    assert_eq!(store.document(rules, "absent").unwrap(), None);
    assert_eq!(store.document(DocumentKind::Token, "t1").unwrap(), None);
    let names = |before: Option<&str>, limit| -> Vec<String> {
        let documents = store.documents(rules, before, limit).unwrap();
        documents.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(None, 2), ["0000000010", "0000000009"]);
    assert_eq!(names(Some("0000000009"), 2), ["0000000008"]);
    let before_ten = store.documents(rules, Some(&ten), 1).unwrap();
    assert_eq!(before_ten[0].1, b"nine again");
    assert!(
        store
            .documents(DocumentKind::Token, None, 9)
            .unwrap()
            .is_empty()
    );
}

fn a_start_loads_receipts_of_the_last_hour_that_can_still_decide<S: Subject>() {
    use crate::engine::reason::Reason;
    let subject = S::fresh();
    let store = subject.store();
    let minutes = |count| START + Millis::minutes(count);
    let unknown = Receipt {
        event_id: None,
        reason: Reason::UnknownAlert,
        ..samples::receipt(5, minutes(60))
    };
    let receipts = [
        samples::receipt(1, START),
        samples::receipt(2, minutes(10)),
        samples::receipt(3, minutes(30)),
        samples::repeat_receipt(4, minutes(40)),
        unknown,
    ];
    for receipt in receipts {
        commit(store, vec![receipt_change(receipt)]);
    }
    let ids = |now| -> Vec<u64> {
        let receipts = store.load(HOME, now).unwrap().receipts;
        receipts.iter().map(|receipt| receipt.id.0).collect()
    };
    assert_eq!(ids(minutes(60)), [1, 2, 3, 5]);
    assert_eq!(ids(minutes(75)), [3, 5]);
    assert!(ids(minutes(200)).is_empty());
}

fn partitions_do_not_see_each_other<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let away = Partition(1);
    let epoch = store.claim(away).unwrap();
    let batch = Batch {
        changes: vec![
            put(Record::Counters(samples::counters(4))),
            receipt_change(samples::receipt(1, START)),
            archive_incident(1, START),
        ],
        ..Batch::default()
    };
    store.commit(away, epoch, &batch).unwrap();
    assert!(loaded(store).is_empty());
    assert!(store.receipts(HOME, None, 10).unwrap().is_empty());
    assert!(store.closed_incidents(HOME, None, 10).unwrap().is_empty());
    assert_eq!(store.load(away, START).unwrap().records.len(), 1);
    assert_eq!(store.receipts(away, None, 10).unwrap().len(), 1);
}

fn another_epoch_is_refused_and_does_no_harm<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let Epoch(ours) = store.claim(HOME).unwrap();
    let batch = Batch {
        changes: vec![put(Record::Counters(samples::counters(4)))],
        ..Batch::default()
    };
    let error = store.commit(HOME, Epoch(ours + 1), &batch).unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error}");
    assert!(loaded(store).is_empty());
    store.commit(HOME, Epoch(ours), &batch).unwrap();
    assert_eq!(loaded(store).len(), 1);
}

fn after_a_failed_commit_nothing_more_is_accepted<S: Subject>() {
    let subject = S::failing();
    let store = subject.store();
    let epoch = store.claim(HOME).unwrap();
    let batch = Batch::default();
    let first = store.commit(HOME, epoch, &batch).unwrap_err().to_string();
    let cause = first
        .strip_prefix("failed to make a batch durable: ")
        .unwrap();
    for _ in 0..3 {
        let later = store.commit(HOME, epoch, &batch).unwrap_err().to_string();
        assert!(later.contains("an earlier batch failed"), "{later}");
        assert!(later.ends_with(cause), "{later} does not name {cause}");
    }
    assert!(store.purge(HOME, &KEEP_ALL, START).is_err());
    assert!(store.claim(HOME).is_err());
}

fn a_purge_removes_what_is_older_than_it_is_kept<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for day in 0..10 {
        let at = START + Millis::days(day);
        let id = day + 1;
        commit(
            store,
            vec![
                receipt_change(samples::receipt(id, at)),
                archive_incident(id, at),
                archive_page(id, &[id]),
                entry_change(id, id),
            ],
        );
    }
    let retention = Retention {
        events: Millis::days(3),
        incidents: Millis::days(5),
        disk_bytes: u64::MAX,
    };
    let now = START + Millis::days(9);
    let expected = Purged {
        receipts: 6,
        incidents: 4,
        ..Purged::default()
    };
    assert_eq!(purge_all(store, &retention, now), expected);
    assert_eq!(purge_all(store, &retention, now), Purged::default());
    let subject = subject.reopened();
    let store = subject.store();
    let receipts = store.receipts(HOME, None, 100).unwrap();
    assert_eq!(receipt_ids(&receipts), [10, 9, 8, 7]);
    let incidents = store.closed_incidents(HOME, None, 100).unwrap();
    assert_eq!(incidents.last().unwrap().number.0, 5);
    for (id, is_kept) in [(4, false), (5, true)] {
        let story = store.entries(HOME, IncidentNumber(id), None, 9).unwrap();
        let pages = store.closed_pages(HOME, IncidentNumber(id), 9).unwrap();
        let page = store.closed_page(HOME, PageId(id)).unwrap();
        let kept = (!story.is_empty(), !pages.is_empty(), page.is_some());
        assert_eq!(kept, (is_kept, is_kept, is_kept), "incident {id}");
    }
}

fn a_purge_never_touches_what_is_open<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let mut changes: Vec<Change> = samples::records().into_iter().map(Change::Put).collect();
    changes.push(entry_change(1042, 1));
    changes.push(archive_page(3, &[1042]));
    // Archived once, and open again under its number.
    commit(store, vec![archive_incident(1042, START)]);
    commit(store, changes);
    let nothing = Retention {
        events: Millis::ZERO,
        incidents: Millis::ZERO,
        disk_bytes: 0,
    };
    let now = START + Millis::days(9_000);
    purge_all(store, &nothing, now);
    assert_eq!(loaded(store).len(), samples::records().len());
    let story = store.entries(HOME, IncidentNumber(1042), None, 9).unwrap();
    assert_eq!(entry_ids(&story), [1]);
    assert!(store.closed_page(HOME, PageId(3)).unwrap().is_some());
}

fn a_folded_page_stays_as_long_as_one_of_its_incidents<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let day = |count| START + Millis::days(count);
    commit(
        store,
        vec![
            archive_page(1, &[1, 2, 3]),
            archive_incident(1, day(0)),
            archive_incident(2, day(1)),
            archive_incident(3, day(1)),
        ],
    );
    let retention = Retention {
        incidents: Millis::days(10),
        ..KEEP_ALL
    };
    assert_eq!(purge_all(store, &retention, day(11)).incidents, 1);
    assert!(store.closed_page(HOME, PageId(1)).unwrap().is_some());
    assert_eq!(
        store
            .closed_pages(HOME, IncidentNumber(2), 9)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(purge_all(store, &retention, day(12)).incidents, 2);
    assert!(store.closed_page(HOME, PageId(1)).unwrap().is_none());
}

fn over_the_cap_the_oldest_history_goes_first<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for hour in 0..40 {
        let at = START + Millis::hours(hour);
        let id = hour + 1;
        let change = if hour % 2 == 0 {
            receipt_change(samples::receipt(id, at))
        } else {
            archive_incident(id, at)
        };
        commit(store, vec![change]);
    }
    let now = START + Millis::days(2);
    // Twice what is to be left, as only history counts and that to one half of the cap.
    let retention = Retention {
        disk_bytes: 20 * 1024,
        ..KEEP_ALL
    };
    let purged = purge_all(store, &retention, now);
    assert!(purged.displaced > 5, "{purged:?}");
    assert_eq!(purged.displaced, purged.receipts + purged.incidents);
    let receipts = receipt_ids(&store.receipts(HOME, None, 100).unwrap());
    let incidents = store.closed_incidents(HOME, None, 100).unwrap();
    let mut kept: Vec<u64> = incidents.iter().map(|it| it.number.0).collect();
    kept.extend(&receipts);
    kept.sort_unstable();
    let newest: Vec<u64> = (41 - kept.len() as u64..=40).collect();
    assert_eq!(kept, newest, "the newest are kept, whatever they are");
    assert!(!kept.is_empty());
    let nothing = Retention {
        disk_bytes: 0,
        ..KEEP_ALL
    };
    purge_all(store, &nothing, now);
    assert!(store.receipts(HOME, None, 1).unwrap().is_empty());
    assert!(store.closed_incidents(HOME, None, 1).unwrap().is_empty());
}

fn a_purge_goes_in_small_steps<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    // A commit each, so that each receipt has a row of its own.
    for id in 1..=600 {
        commit(
            store,
            vec![receipt_change(samples::repeat_receipt(id, START))],
        );
    }
    let retention = Retention {
        events: Millis::ZERO,
        ..KEEP_ALL
    };
    let now = START + Millis::days(1);
    let first = store.purge(HOME, &retention, now).unwrap();
    assert_eq!((first.receipts, first.is_more), (500, true));
    let second = store.purge(HOME, &retention, now).unwrap();
    assert_eq!((second.receipts, second.is_more), (100, false));
}
