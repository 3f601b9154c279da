//! Active records, commits and who may make them.

use super::*;

pub fn an_empty_store_holds_nothing<S: Subject>() {
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

pub fn what_was_committed_is_there_after_a_restart<S: Subject>() {
    let subject = S::fresh();
    let clocks = Clocks {
        wall: START,
        steady: MonotonicTime(77),
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
    let receipt = Arc::new(samples::receipt(1, START));
    assert_eq!(
        start.receipts,
        [crate::engine::recent_events::outcome(&receipt)]
    );
    let story = store.entries(HOME, IncidentNumber(1042), None, 10);
    assert_eq!(story.unwrap(), [samples::entry(1042, 1)]);
}

pub fn of_several_changes_on_one_record_the_last_counts<S: Subject>() {
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

pub fn a_record_of_any_size_is_kept_whole_and_replaced_whole<S: Subject>() {
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

pub fn an_archived_record_moves_into_history<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let incident = Archived::Incident(samples::incident(7).into());
    let page = Archived::Page(samples::page(3, &[7]).into());
    let alert = Archived::Alert(samples::alert(2).into());
    let records = [incident, page, alert];
    commit(store, records.clone().map(|it| put(it.record())).into());
    commit(store, records.map(Change::Archive).into());
    let subject = subject.reopened();
    let store = subject.store();
    assert!(loaded(store).is_empty());
    let found = store.closed_incident(HOME, IncidentNumber(7)).unwrap();
    assert_eq!(found, Some(samples::incident(7)));
    let found = store.closed_page(HOME, PageId(3)).unwrap();
    assert_eq!(found, Some(samples::page(3, &[7])));
    let found = store
        .closed_alerts(HOME, IncidentNumber(7), Span::ALL, 10)
        .unwrap();
    assert_eq!(found, [samples::alert(2)]);
    assert_eq!(
        store.closed_incident(HOME, IncidentNumber(8)).unwrap(),
        None
    );
    assert_eq!(store.closed_page(HOME, PageId(4)).unwrap(), None);
}

pub fn partitions_do_not_see_each_other<S: Subject>() {
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

pub fn another_epoch_is_refused_and_does_no_harm<S: Subject>() {
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

pub fn after_a_failed_commit_nothing_more_is_accepted<S: Subject>() {
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
