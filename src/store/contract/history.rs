//! What is kept beside the active records, and how it is found.

use super::*;

pub fn a_receipt_is_found_by_its_id_wherever_it_lies<S: Subject>() {
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

pub fn receipts_come_newest_first_in_pages<S: Subject>() {
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
        before = Some(Cursor(last.id.0));
        seen.extend(receipt_ids(&page));
    }
    let expected: Vec<u64> = (1..=60).rev().collect();
    assert_eq!(seen, expected);
    assert!(store.receipts(HOME, None, 0).unwrap().is_empty());
}

pub fn a_story_comes_oldest_first_in_pages<S: Subject>() {
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

pub fn closed_incidents_come_highest_first_in_pages<S: Subject>() {
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
    assert_eq!(numbers(Some(Cursor(3)), 3), [1]);
    assert_eq!(numbers(Some(Cursor(7)), 1), [3]);
    assert!(numbers(Some(Cursor(1)), 3).is_empty());
}

pub fn pages_and_alerts_are_found_by_each_of_their_incidents<S: Subject>() {
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
            Change::Archive(Archived::Alert(alert.into())),
        ],
    );
    let pages = |incident, limit| -> Vec<u64> {
        let pages = store.closed_pages(HOME, IncidentNumber(incident), Span::ALL, limit);
        pages.unwrap().iter().map(|page| page.id.0).collect()
    };
    assert_eq!(pages(1, 10), [10, 12]);
    assert_eq!(pages(2, 10), [10, 11]);
    assert_eq!(pages(2, 1), [10]);
    assert!(pages(3, 10).is_empty());
    for (incident, count) in [(1, 1), (2, 1), (3, 0)] {
        let alerts = store.closed_alerts(HOME, IncidentNumber(incident), Span::ALL, 10);
        assert_eq!(alerts.unwrap().len(), count);
    }
}

pub fn pages_and_alerts_of_an_incident_come_in_parts_from_either_end<S: Subject>() {
    let subject = S::fresh();
    for id in [5, 1, 1_042, 7, 256] {
        commit(
            subject.store(),
            vec![
                archive_page(id, &[1]),
                archive_alert(id, &[1]),
                archive_page(id + 1, &[2]),
                archive_alert(id + 1, &[2]),
            ],
        );
    }
    let subject = subject.reopened();
    let store = subject.store();
    let cases: [(Span, usize, &[u64]); 8] = [
        (Span::ALL, 9, &[1, 5, 7, 256, 1_042]),
        (Span::ALL, 2, &[1, 5]),
        (Span::After(5), 2, &[7, 256]),
        (Span::After(1_042), 2, &[]),
        (Span::After(u64::MAX), 2, &[]),
        (Span::Before(u64::MAX), 2, &[1_042, 256]),
        (Span::Before(256), 9, &[7, 5, 1]),
        (Span::Before(1), 9, &[]),
    ];
    for (span, limit, expected) in cases {
        let pages = store.closed_pages(HOME, IncidentNumber(1), span, limit);
        let pages: Vec<u64> = pages.unwrap().iter().map(|page| page.id.0).collect();
        assert_eq!(pages, expected, "{span:?}");
        let alerts = store.closed_alerts(HOME, IncidentNumber(1), span, limit);
        let alerts: Vec<u64> = alerts.unwrap().iter().map(|alert| alert.id.0).collect();
        assert_eq!(alerts, expected, "{span:?}");
    }
    let total = |number| {
        store
            .closed_pages_total(HOME, IncidentNumber(number))
            .unwrap()
    };
    assert_eq!((total(1), total(2), total(3)), (5, 5, 0));
}

pub fn documents_are_set_replaced_removed_and_listed_last_name_first<S: Subject>() {
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

pub fn a_start_loads_receipts_of_the_last_hour_that_can_still_decide<S: Subject>() {
    use crate::engine::reason::Reason;
    let subject = S::fresh();
    let store = subject.store();
    let minutes = |count| START + Duration::minutes(count);
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
