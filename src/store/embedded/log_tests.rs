//! The write-ahead log below a store: what a start does with what it finds in it.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::engine::ids::ReceiptId;
use crate::engine::records::Record;
use crate::engine::samples::{self, START};
use crate::store::contract::{HOME, commit, loaded, put, receipt_change, small};
use crate::store::{Disk, Options, SledStore, Store, check, save, wal};

use super::tests::{copy, folder, open, open_error};

/// The log takes all that these tests write.
fn unsettled(path: &Path) -> SledStore {
    let options = Options {
        wal_bytes: 1 << 20,
        ..small()
    };
    SledStore::open(path, options).unwrap()
}

fn commit_one(store: &SledStore, id: u64) {
    let alert = put(Record::Alert(samples::alert(id).into()));
    commit(
        store,
        vec![alert, receipt_change(samples::receipt(id, START))],
    );
}

/// The directory as it is when the process is killed now.
fn killed(data: &Path) -> tempfile::TempDir {
    let crashed = folder();
    copy(data, crashed.path());
    crashed
}

#[test]
fn what_only_the_log_has_is_read_before_and_after_a_crash() {
    let data = folder();
    let store = unsettled(data.path());
    for id in 1..=30 {
        commit_one(&store, id);
        if id == 10 {
            store.settle().unwrap();
        }
    }
    assert_eq!(loaded(&store).len(), 30);
    assert_eq!(store.receipts(HOME, None, 100).unwrap().len(), 30);
    assert!(store.receipt(HOME, ReceiptId(20)).unwrap().is_some());
    let crashed = killed(data.path());
    let after = open(crashed.path());
    assert_eq!(loaded(&after), loaded(&store));
    assert_eq!(
        after.receipts(HOME, None, 100).unwrap(),
        store.receipts(HOME, None, 100).unwrap()
    );
    // And once more, when the database has taken it over.
    drop(after);
    assert_eq!(loaded(&open(crashed.path())), loaded(&store));
}

/// Where the frames are in the file that was written last.
fn last_file(data: &Path) -> (std::path::PathBuf, Vec<u8>, usize) {
    let files = wal::paths(data).map(|path| (fs::read(&path).unwrap(), path));
    let last_byte = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    let (bytes, path) = files
        .into_iter()
        .max_by_key(|(bytes, _)| last_byte(bytes))
        .unwrap();
    let end = last_byte(&bytes);
    (path, bytes, end)
}

#[test]
fn a_log_that_lost_its_end_or_a_place_in_the_middle_stops_a_start_and_is_told() {
    let data = folder();
    let store = unsettled(data.path());
    for id in 1..=20 {
        commit_one(&store, id);
    }
    let crashed = killed(data.path());
    drop(store);
    let (path, whole, end) = last_file(crashed.path());
    for (name, at) in [("the end", end - 1), ("the middle", end / 2)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        let error = open_error(crashed.path());
        assert!(error.contains("write-ahead log"), "{name}: {error}");
        assert!(error.contains("store save"), "{name}: {error}");
        let survey = check(crashed.path()).unwrap();
        assert!(!survey.is_whole(), "{name}");
        let new = folder();
        let saved = save(crashed.path(), &new.path().join("new"), small()).unwrap();
        assert_eq!(saved, survey, "{name}");
        // All but the one commit that was hit; its successors hold the rest.
        assert_eq!(saved.counts["receipts"], 19, "{name}: {survey:#?}");
        // Nothing was changed by any of it.
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(loaded(&open(crashed.path())).len(), 20);
}

#[test]
fn a_commit_that_was_begun_and_not_acknowledged_may_be_cut_off() {
    let data = folder();
    let store = unsettled(data.path());
    for id in 1..=5 {
        commit_one(&store, id);
    }
    let marker = fs::read(data.path().join("initialised")).unwrap();
    commit_one(&store, 6);
    let crashed = killed(data.path());
    drop(store);
    // As it is when the process dies between the log and the answer.
    fs::write(crashed.path().join("initialised"), marker).unwrap();
    let (path, mut bytes, end) = last_file(crashed.path());
    bytes[end] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(loaded(&open(crashed.path())).len(), 5);
}

#[test]
fn a_log_that_is_gone_is_missed() {
    let data = folder();
    let store = unsettled(data.path());
    for id in 1..=5 {
        commit_one(&store, id);
    }
    let crashed = killed(data.path());
    drop(store);
    for path in wal::paths(crashed.path()) {
        fs::remove_file(path).unwrap();
    }
    let error = open_error(crashed.path());
    let told = "5 commits were acknowledged and only 0 are in the database and the write-ahead log";
    assert!(error.contains(told), "{error}");
}

/// Fails the sync that is so many calls away.
#[derive(Default)]
struct Failing(AtomicU32);

impl Disk for Failing {
    fn sync(&self, file: &File) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(io::Error::other("input/output error"));
        }
        file.sync_data()
    }
}

#[test]
fn when_the_database_cannot_take_over_nothing_more_is_accepted_and_nothing_is_lost() {
    // The sync of the log at its end, and that of the database.
    for failing in 1..=2 {
        let data = folder();
        let disk = Arc::new(Failing::default());
        let options = Options {
            disk: disk.clone(),
            wal_bytes: 1 << 20,
            ..small()
        };
        let store = SledStore::open(data.path(), options).unwrap();
        for id in 1..=5 {
            commit_one(&store, id);
        }
        disk.0.store(failing, Ordering::SeqCst);
        let error = store.settle().unwrap_err().to_string();
        assert!(error.contains("input/output error"), "{error}");
        let refused = store.commit(
            HOME,
            crate::store::Epoch(1),
            &crate::store::Batch::default(),
        );
        assert!(refused.is_err());
        assert_eq!(loaded(&store).len(), 5, "what was accepted is still read");
        drop(store);
        assert_eq!(loaded(&open(data.path())).len(), 5);
    }
}

#[test]
fn a_start_leaves_to_later_what_only_the_log_has_and_may_be_killed_at_any_moment() {
    let data = folder();
    let store = unsettled(data.path());
    (1..=10).for_each(|id| commit_one(&store, id));
    store.settle().unwrap();
    (11..=30).for_each(|id| commit_one(&store, id));
    let expected = loaded(&store);
    let crashed = killed(data.path());
    let [_, second] = wal::paths(crashed.path()).map(|path| fs::read(path).unwrap());

    let again = unsettled(crashed.path());
    assert_eq!(loaded(&again), expected);
    let log = wal::read_all(crashed.path()).unwrap();
    assert_eq!(log.len(), 20, "the database has not taken it over yet");
    assert_eq!(loaded(&open(killed(crashed.path()).path())), expected);
    // Killed before the second file was begun anew, and once before the first one had its name.
    let crashed = killed(crashed.path());
    fs::write(&wal::paths(crashed.path())[1], &second).unwrap();
    fs::write(crashed.path().join("wal.new"), b"half of it").unwrap();
    let after = unsettled(crashed.path());
    assert_eq!(loaded(&after), expected);
    commit_one(&after, 31);
    let crashed = killed(crashed.path());
    assert_eq!(loaded(&open(crashed.path())).len(), 31);
}

#[test]
fn what_somebody_posts_is_never_taken_for_a_frame() {
    let data = folder();
    let store = unsettled(data.path());
    commit_one(&store, 1);
    // Somebody who has read the log posts what stands in it.
    let (_, bytes, end) = last_file(data.path());
    let mut alert = samples::alert(2);
    alert.dedup_key = hex::encode(&bytes[..=end]).into();
    commit(&store, vec![put(Record::Alert(alert.into()))]);
    let expected = loaded(&store);
    assert_eq!(loaded(&open(killed(data.path()).path())), expected);
}

#[test]
fn commits_and_reads_go_on_while_the_database_takes_over() {
    let data = folder();
    let store = unsettled(data.path());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..=300).for_each(|id| commit_one(&store, id)));
        let mut seen = 0;
        while !writer.is_finished() {
            store.settle().unwrap();
            let receipts = store.receipts(HOME, None, 1_000).unwrap();
            let ids: Vec<u64> = receipts.iter().rev().map(|it| it.id.0).collect();
            assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
            assert!(ids.len() >= seen);
            seen = ids.len();
        }
    });
    assert_eq!(loaded(&store).len(), 300);
    assert_eq!(loaded(&open(killed(data.path()).path())).len(), 300);
}
