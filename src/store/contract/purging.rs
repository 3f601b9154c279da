//! Which history goes, and which stays.

use super::*;

fn purge_all(store: &dyn Store, retention: &Retention, now: Timestamp) -> Purged {
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

pub fn a_purge_removes_what_is_older_than_it_is_kept<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for day in 0..10 {
        let at = START + Duration::days(day);
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
        events: Duration::days(3),
        incidents: Duration::days(5),
        disk_bytes: u64::MAX,
    };
    let now = START + Duration::days(9);
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
        let pages = store
            .closed_pages(HOME, IncidentNumber(id), Span::ALL, 9)
            .unwrap();
        let page = store.closed_page(HOME, PageId(id)).unwrap();
        let kept = (!story.is_empty(), !pages.is_empty(), page.is_some());
        assert_eq!(kept, (is_kept, is_kept, is_kept), "incident {id}");
    }
}

pub fn a_purge_never_touches_what_is_open<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let mut changes: Vec<Change> = samples::records().into_iter().map(Change::Put).collect();
    changes.push(entry_change(1042, 1));
    changes.push(archive_page(3, &[1042]));
    commit(store, changes);
    let nothing = Retention {
        events: Duration::ZERO,
        incidents: Duration::ZERO,
        disk_bytes: 0,
    };
    let now = START + Duration::days(9_000);
    purge_all(store, &nothing, now);
    assert_eq!(loaded(store).len(), samples::records().len());
    let story = store.entries(HOME, IncidentNumber(1042), None, 9).unwrap();
    assert_eq!(entry_ids(&story), [1]);
    assert!(store.closed_page(HOME, PageId(3)).unwrap().is_some());
}

pub fn a_story_is_read_whole_while_the_receipts_beside_it_go<S: Subject>() {
    let mut subject = S::fresh();
    // One long story, and another that ends early and goes.
    for id in 1..=200 {
        let at = START + Duration::minutes(id);
        let mut changes = vec![
            receipt_change(samples::receipt(id, at)),
            entry_change(7, 2 * id),
        ];
        if id < 100 {
            changes.push(entry_change(8, 2 * id + 1));
        } else if id == 100 {
            changes.push(archive_incident(8, START));
        }
        commit(subject.store(), changes);
    }
    let whole: Vec<u64> = (1..=200).map(|id| 2 * id).collect();
    for minutes in [0, 30, 90, 150, 201, 1_000] {
        let retention = Retention {
            events: Duration::ZERO,
            incidents: Duration::minutes(120),
            ..KEEP_ALL
        };
        let now = START + Duration::minutes(minutes);
        purge_all(subject.store(), &retention, now);
        subject = subject.reopened();
        let store = subject.store();
        let kept: Vec<u64> = (minutes.max(1)..=200).rev().collect();
        let receipts = store.receipts(HOME, None, 300).unwrap();
        assert_eq!(receipt_ids(&receipts), kept, "{minutes} minutes");
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.entries(HOME, IncidentNumber(7), after, 9).unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(entry_ids(&page));
        }
        assert_eq!(seen, whole, "{minutes} minutes");
        let other = store.entries(HOME, IncidentNumber(8), None, 300).unwrap();
        let expected = if minutes <= 120 { 99 } else { 0 };
        assert_eq!(other.len(), expected, "{minutes} minutes");
    }
}

pub fn what_was_kept_under_a_clock_that_was_ahead_stops_no_purge<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for (id, day) in [(1, 400), (2, 0)] {
        let ahead = Clocks {
            wall: START + Duration::days(day),
            ..Clocks::default()
        };
        let changes = vec![entry_change(7, id)];
        let (clocks, documents) = (ahead, Vec::new());
        commit_batch(
            store,
            &Batch {
                changes,
                documents,
                clocks,
            },
        );
    }
    commit(store, vec![receipt_change(samples::receipt(1, START))]);
    commit(store, vec![entry_change(7, 3)]);
    let retention = Retention {
        events: Duration::days(1),
        ..KEEP_ALL
    };
    let purged = purge_all(store, &retention, START + Duration::days(2));
    assert_eq!(purged.receipts, 1);
    assert!(store.receipts(HOME, None, 9).unwrap().is_empty());
    let story = store.entries(HOME, IncidentNumber(7), None, 9).unwrap();
    assert_eq!(entry_ids(&story), [1, 2, 3]);
}

pub fn a_bundled_page_stays_as_long_as_one_of_its_incidents<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let day = |count| START + Duration::days(count);
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
        incidents: Duration::days(10),
        ..KEEP_ALL
    };
    assert_eq!(purge_all(store, &retention, day(11)).incidents, 1);
    assert!(store.closed_page(HOME, PageId(1)).unwrap().is_some());
    assert_eq!(
        store
            .closed_pages(HOME, IncidentNumber(2), Span::ALL, 9)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(purge_all(store, &retention, day(12)).incidents, 2);
    assert!(store.closed_page(HOME, PageId(1)).unwrap().is_none());
}

pub fn an_alert_goes_with_the_last_of_its_incidents<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    let day = |count| START + Duration::days(count);
    // More than one purge removes at once; their own times do not count.
    let alerts = (1..=600).map(|id| archive_alert(id, &[1]));
    let mut changes: Vec<Change> = alerts.collect();
    changes.extend([
        archive_alert(601, &[1, 2]),
        archive_alert(602, &[]),
        archive_alert(603, &[3]),
        put(Record::Incident(samples::incident(3).into())),
        archive_incident(1, day(2)),
        archive_incident(2, day(3)),
    ]);
    commit(store, changes);
    let retention = Retention {
        incidents: Duration::days(10),
        ..KEEP_ALL
    };
    let kept = |number| -> Vec<u64> {
        let alerts = store.closed_alerts(HOME, IncidentNumber(number), Span::ALL, 1_000);
        alerts.unwrap().iter().map(|alert| alert.id.0).collect()
    };
    purge_all(store, &retention, day(11));
    assert_eq!((kept(1).len(), kept(2)), (601, vec![601]));
    assert_eq!(purge_all(store, &retention, day(13)).incidents, 1);
    assert_eq!((kept(1), kept(2)), (vec![], vec![601]));
    assert_eq!(purge_all(store, &retention, day(14)).incidents, 1);
    assert_eq!((kept(2), kept(3)), (vec![], vec![603]), "one is open");
}

pub fn over_the_cap_the_oldest_history_goes_first<S: Subject>() {
    let subject = S::fresh();
    let store = subject.store();
    for hour in 0..40 {
        let at = START + Duration::hours(hour);
        let id = hour + 1;
        let change = if hour % 2 == 0 {
            receipt_change(samples::receipt(id, at))
        } else {
            archive_incident(id, at)
        };
        commit(store, vec![change]);
    }
    let now = START + Duration::days(2);
    // Only history counts, and a quarter of the cap is left of it.
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

pub fn a_purge_goes_in_small_steps<S: Subject>() {
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
        events: Duration::ZERO,
        ..KEEP_ALL
    };
    let now = START + Duration::days(1);
    let first = store.purge(HOME, &retention, now).unwrap();
    assert_eq!((first.receipts, first.is_more), (500, true));
    let second = store.purge(HOME, &retention, now).unwrap();
    assert_eq!((second.receipts, second.is_more), (100, false));
}
