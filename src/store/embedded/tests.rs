//! What only the embedded store can do wrong: files, locks, faults of the disk.

use std::fs::{self, File};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};

use super::*;
use crate::engine::ids::IncidentNumber;
use crate::engine::records::{Archived, Change, Record};
use crate::engine::samples::{self, START};
use crate::engine::time::Duration;
use crate::store::contract::{HOME, KEEP_ALL, commit, loaded, put, receipt_change, small};
use crate::store::keys::{Key, Kind};
use crate::store::writes::Writes;
use crate::store::{Batch, Epoch, Retention, Store};

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

pub fn open(path: &Path) -> SledStore {
    SledStore::open(path, small()).unwrap()
}

pub fn open_error(path: &Path) -> String {
    let error = SledStore::open(path, small()).err();
    error.expect("it must not open").to_string()
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// Commits that leave traces everywhere; `round` tells them apart.
fn commit_round(store: &SledStore, round: u64) {
    let mut alert = samples::alert(round % 10);
    alert.repeats = round;
    if round.is_multiple_of(7) {
        alert.dedup_key = "x".repeat(20_000).into();
    }
    let changes = vec![
        put(Record::Alert(alert.into())),
        put(Record::Counters(samples::counters(round))),
        receipt_change(samples::receipt(round, START)),
        Change::Entry(samples::entry(round % 5, round).into()),
    ];
    commit(store, changes);
}

/// All that rounds so far have left, as text.
fn contents(store: &SledStore) -> Result<String, Error> {
    let history = history(store)?.concat();
    Ok(format!("{}{history}", active(store)?))
}

/// What pages.
fn active(store: &SledStore) -> Result<String, Error> {
    let mut records = store.load(HOME, START)?.records;
    records.sort_by_key(Record::key);
    Ok(format!("{records:?}"))
}

/// What is only looked up.
fn history(store: &SledStore) -> Result<Vec<String>, Error> {
    let receipts = store.receipts(HOME, None, 10_000)?;
    let mut history: Vec<String> = receipts.iter().map(|known| format!("{known:?}")).collect();
    for incident in 0..5 {
        let entries = store.entries(HOME, IncidentNumber(incident), None, 10_000)?;
        history.extend(entries.iter().map(|entry| format!("{entry:?}")));
    }
    Ok(history)
}

#[test]
fn a_second_opening_is_refused_with_the_pid_of_the_first() {
    let data = folder();
    let first = open(data.path());
    let error = open_error(data.path());
    let pid = std::process::id();
    assert!(error.contains(&format!("(pid {pid})")), "{error}");
    drop(first);
    open(data.path());
}

/// Tells when an opening has come as far as the disk.
struct Announces(mpsc::Sender<()>);

impl Disk for Announces {
    fn free_bytes(&self, _: &Path) -> Option<u64> {
        let _ = self.0.send(());
        None
    }
}

/// sled's threads outlive the database by a moment, which once failed a reopening.
#[test]
fn an_opening_waits_for_a_file_that_is_held_a_moment_longer() {
    let folder = folder();
    drop(open(folder.path()));
    let held = File::open(folder.path().join("db/db")).unwrap();
    held.lock().unwrap();
    let (announce, announced) = mpsc::channel();
    let options = Options {
        disk: Arc::new(Announces(announce)),
        ..small()
    };
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| SledStore::open(folder.path(), options));
        announced.recv().unwrap();
        held.unlock().unwrap();
        assert!(opening.join().unwrap().is_ok());
    });
}

#[test]
fn all_that_was_acknowledged_is_in_the_files_when_a_commit_returns() {
    let data = folder();
    let store = open(data.path());
    for round in 1..=60 {
        commit_round(&store, round);
        if round % 6 == 0 {
            let crashed = folder();
            copy(data.path(), crashed.path());
            let after = open(crashed.path());
            assert_eq!(contents(&after).unwrap(), contents(&store).unwrap());
        }
    }
}

/// Notes what a commit asks of the disk, and fails as told.
#[derive(Default)]
struct Witness {
    calls: Mutex<Vec<&'static str>>,
    /// Which sync fails, from 1.
    failing_sync: AtomicU32,
}

impl Disk for Witness {
    fn before_flush(&self) -> io::Result<()> {
        self.calls.lock().unwrap().push("flush");
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.calls.lock().unwrap().push("sync");
        // At 1 it fails, and goes on below.
        if self.failing_sync.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(io::Error::other("input/output error"));
        }
        file.sync_data()
    }
}

fn witnessed(path: &Path) -> (SledStore, Arc<Witness>) {
    let witness = Arc::new(Witness::default());
    let options = Options {
        disk: witness.clone(),
        ..small()
    };
    (SledStore::open(path, options).unwrap(), witness)
}

#[test]
fn a_commit_is_flushed_once_and_then_synced_once() {
    let data = folder();
    let (store, witness) = witnessed(data.path());
    for count in 1..=3 {
        commit_round(&store, count);
        let calls = ["flush", "sync"].repeat(usize::try_from(count).unwrap());
        assert_eq!(*witness.calls.lock().unwrap(), calls);
    }
}

/// D7: one error of fsync is final, even if the next would succeed.
#[test]
fn after_one_failed_sync_no_other_is_tried() {
    let data = folder();
    let (store, witness) = witnessed(data.path());
    commit_round(&store, 1);
    let acknowledged = contents(&store).unwrap();
    witness.failing_sync.store(1, Ordering::SeqCst);
    let batch = Batch::default();
    for _ in 0..3 {
        let error = store
            .commit(HOME, Epoch(1), &batch)
            .unwrap_err()
            .to_string();
        assert!(error.contains("input/output error"), "{error}");
    }
    let syncs = witness.calls.lock().unwrap().len();
    assert_eq!(syncs, 4, "one commit, and one that failed");
    drop(store);
    assert_eq!(contents(&open(data.path())).unwrap(), acknowledged);
}

#[test]
fn a_database_that_went_away_is_not_taken_for_a_new_one() {
    for lost in ["db", "db/db", "everything in db/db"] {
        let data = folder();
        let store = open(data.path());
        commit_round(&store, 1);
        drop(store);
        match lost {
            "db" => fs::remove_dir_all(data.path().join("db")).unwrap(),
            "db/db" => fs::remove_file(data.path().join("db/db")).unwrap(),
            _ => fs::write(data.path().join("db/db"), "").unwrap(),
        }
        let error = open_error(data.path());
        assert!(error.contains("restore a backup"), "{lost}: {error}");
        // The fix that the message names.
        fs::remove_file(data.path().join("initialised")).unwrap();
        let _ = fs::remove_dir_all(data.path().join("db"));
        let store = open(data.path());
        assert!(loaded(&store).is_empty());
    }
}

#[test]
fn a_database_older_than_what_was_acknowledged_does_not_open() {
    let data = folder();
    let old = folder();
    let store = open(data.path());
    commit_round(&store, 1);
    store.settle().unwrap();
    copy(&data.path().join("db"), &old.path().join("db"));
    commit_round(&store, 2);
    commit_round(&store, 3);
    drop(store);
    fs::remove_dir_all(data.path().join("db")).unwrap();
    copy(&old.path().join("db"), &data.path().join("db"));
    let error = open_error(data.path());
    assert!(
        error.contains("3 batches were in the database and only 1 are there"),
        "{error}"
    );
    assert!(data.path().join("db.damaged/db").exists());
    // The next start does not fill the disk with copies.
    let error = open_error(data.path());
    assert!(error.contains("move it away"), "{error}");
}

/// D5: what is damaged is noticed, or was not needed, as far as it pages.
///
/// Of history this is not so, and this test says how far: where a part of sled's log is overwritten
/// that is not its end, sled 0.34 opens and leaves out what stood there, without a word (decision
/// 0024). What is read is never anything else than what was written.
#[test]
fn damage_anywhere_in_the_file_is_never_taken_for_health_by_what_pages() {
    let data = folder();
    let store = open(data.path());
    for round in 1..=200 {
        commit_round(&store, round);
    }
    let (pages, whole) = (active(&store).unwrap(), history(&store).unwrap());
    drop(store);
    let length = fs::metadata(data.path().join("db/db")).unwrap().len();
    let length = usize::try_from(length).unwrap();
    let (mut noticed, mut unnoticed) = (0, 0);
    for case in 0..40 {
        let crashed = folder();
        copy(data.path(), crashed.path());
        let path = crashed.path().join("db/db");
        let mut bytes = fs::read(&path).unwrap();
        let at = length / 41 * case + case;
        match case % 4 {
            0 => bytes[at] ^= 1 << (case % 8),
            1 => bytes[at..(at + 4096).min(length)].fill(0),
            2 => bytes.truncate(at),
            _ => bytes.copy_within(0..4096, at.min(length - 4096)),
        }
        fs::write(&path, bytes).unwrap();
        let seen = SledStore::open(crashed.path(), small())
            .and_then(|store| Ok((active(&store)?, history(&store)?)));
        let Ok((seen_pages, seen)) = seen else {
            noticed += 1;
            continue;
        };
        assert!(
            seen_pages == pages,
            "damage {case} at {at} changed what pages"
        );
        let is_written = seen.iter().all(|piece| whole.contains(piece));
        assert!(is_written, "damage {case} at {at} made up history");
        unnoticed += usize::from(seen.len() < whole.len());
    }
    assert!(unnoticed < 5, "{unnoticed} of 40 went unnoticed");
    assert!(noticed > 5, "only {noticed} of 40 were noticed");
}

#[test]
fn a_snapshot_that_is_damaged_or_unfinished_does_not_stop_a_start() {
    let data = folder();
    let store = open(data.path());
    for round in 1..=50 {
        commit_round(&store, round);
    }
    let whole = contents(&store).unwrap();
    drop(store);
    // An opening writes a snapshot.
    drop(open(data.path()));
    let database = data.path().join("db");
    let snapshot = fs::read_dir(&database).unwrap().flatten().find(|file| {
        let name = file.file_name();
        name.as_encoded_bytes().starts_with(b"snap.")
    });
    let snapshot = snapshot.expect("sled keeps a snapshot").path();
    let mut bytes = fs::read(&snapshot).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 0xff;
    fs::write(&snapshot, &bytes).unwrap();
    fs::write(database.join("snap.FFFFFFFFFFFFFFF0.generating"), "half").unwrap();
    let store = open(data.path());
    assert_eq!(contents(&store).unwrap(), whole);
    let copy = store
        .repaired()
        .expect("it could not open without a repair");
    assert!(copy.join("db").exists());
}

/// sled never syncs the files that it makes for large nodes: there must be none.
#[test]
fn no_set_of_values_makes_sled_write_blobs() {
    let data = folder();
    let store = open(data.path());
    for round in 0..40 {
        let alerts = (0..40).map(|id| {
            let mut alert = samples::alert(id);
            // Just under one row, and several rows.
            let bytes = if id % 8 == 0 { 40_000 } else { 4_900 };
            alert.dedup_key = "x".repeat(bytes + round).into();
            put(Record::Alert(alert.into()))
        });
        let groups = (0..40).map(|id| {
            let mut group = samples::group();
            group.key = format!("{id}{}", "g".repeat(10_000)).into();
            put(Record::Group(group.into()))
        });
        commit(&store, alerts.chain(groups).collect());
    }
    let store = {
        drop(store);
        open(data.path())
    };
    assert_eq!(loaded(&store).len(), 80);
    let blobs = fs::read_dir(data.path().join("db/blobs")).unwrap().count();
    assert_eq!(blobs, 0);
}

#[test]
fn a_purge_runs_beside_commits() {
    let data = folder();
    let store = open(data.path());
    let retention = Retention {
        disk_bytes: 0,
        ..KEEP_ALL
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..=300).for_each(|round| commit_round(&store, round)));
        let mut purged = 0;
        while !writer.is_finished() {
            purged += store.purge(HOME, &retention, START).unwrap().receipts;
        }
        writer.join().unwrap();
        loop {
            let last = store.purge(HOME, &retention, START).unwrap();
            purged += last.receipts;
            if !last.is_more {
                break;
            }
        }
        assert_eq!(purged, 300);
    });
    let store = {
        drop(store);
        open(data.path())
    };
    assert!(store.receipts(HOME, None, 1).unwrap().is_empty());
    assert_eq!(loaded(&store).len(), 11);
    assert_eq!(store.writer().progress.history_bytes, entries_bytes(&store));
}

/// The stories of open incidents are all that such a purge leaves of history.
fn entries_bytes(store: &SledStore) -> u64 {
    use crate::store::rows::Rows;
    let rows = store.tree.all(&Key::all(Kind::Entries, HOME));
    let sizes = rows.map(|row| {
        let (key, value) = row.unwrap();
        (key.len() + value.len()) as u64
    });
    sizes.sum()
}

#[test]
fn a_start_without_space_gives_up_the_reserve() {
    struct Filled(u64);
    impl Disk for Filled {
        fn free_bytes(&self, _path: &Path) -> Option<u64> {
            Some(self.0)
        }
    }
    let data = folder();
    let reserve = data.path().join("reserve");
    // Free bytes at a start, and whether there is a reserve after it.
    for (free, is_reserved) in [(1 << 40, true), (1 << 16, true), (1 << 10, false)] {
        let options = Options {
            reserve_bytes: 1 << 16,
            disk: Arc::new(Filled(free)),
            ..small()
        };
        let store = SledStore::open(data.path(), options).unwrap();
        assert_eq!(reserve.exists(), is_reserved, "{free} bytes free");
        assert_eq!(store.free_bytes(), Some(free));
    }
}

/// An incident is closed with a long alert, and a receipt is given.
fn closed(number: u64) -> Vec<Change> {
    let at = START + Duration(number);
    let mut alert = samples::alert(number);
    alert.dedup_key = "x".repeat(5_000).into();
    alert.incidents = vec![IncidentNumber(number)];
    vec![
        receipt_change(samples::receipt(number, at)),
        Change::Entry(samples::entry(number, number).into()),
        Change::Archive(Archived::Alert(alert.into())),
        Change::Archive(Archived::Incident(
            samples::resolved_incident(number, at).into(),
        )),
    ]
}

#[test]
fn the_cap_bounds_the_files_and_not_only_what_is_in_them() {
    const CAP: u64 = 20 * 1024 * 1024;
    /// What is written between two looks at the cap, what the database has in hand whatever its
    /// size, and segments that its own threads have not given back yet: on a busy machine more of
    /// them (6.5 MiB in all were seen).
    const SLACK: u64 = 8 * 1024 * 1024;
    struct Quick;
    impl Disk for Quick {
        fn sync(&self, _: &File) -> io::Result<()> {
            Ok(())
        }
    }
    let data = folder();
    let options = Options {
        disk: Arc::new(Quick),
        ..small()
    };
    let store = SledStore::open(data.path(), options).unwrap();
    let retention = Retention {
        disk_bytes: CAP,
        ..KEEP_ALL
    };
    let mut largest = 0;
    for round in 0..900 {
        commit(
            &store,
            (round * 10..round * 10 + 10).flat_map(closed).collect(),
        );
        if round % 10 == 9 {
            while store.purge(HOME, &retention, START).unwrap().is_more {}
            while store.checkpoint().unwrap() {}
            largest = largest.max(store.used_bytes());
        }
    }
    assert!(largest > CAP / 2, "so much was never there: {largest}");
    assert!(
        largest <= CAP + SLACK,
        "{largest} bytes with a cap of {CAP}"
    );
    assert!(store.writer().progress.history_bytes >= CAP / 5);
}

#[test]
fn a_record_that_lost_a_part_can_be_purged() {
    let data = folder();
    let store = open(data.path());
    let mut long = samples::page(5, &[]);
    long.address = "x".repeat(crate::store::record::VALUE_BYTES_MAX).into();
    commit(
        &store,
        vec![Change::Archive(Archived::Page(long.clone().into()))],
    );
    let part = Key::closed_page(HOME, long.id).continuation(1);
    let mut writes = Writes::default();
    writes.rows.push((part, None));
    store.tree.add_settled(writes.rows, || Ok(())).unwrap();
    assert!(store.closed_page(HOME, long.id).is_err());
    let nothing = Retention {
        disk_bytes: 0,
        ..KEEP_ALL
    };
    store.purge(HOME, &nothing, START).unwrap();
    assert_eq!(store.closed_page(HOME, long.id).unwrap(), None);
}

#[test]
fn two_purges_at_once_count_what_they_remove_once() {
    let data = folder();
    let store = open(data.path());
    for number in 1..=60 {
        commit(
            &store,
            (number * 10..number * 10 + 10).flat_map(closed).collect(),
        );
    }
    // Of several rows, the last of which is nearly empty.
    let mut long = samples::alert(5_000);
    long.dedup_key = "x".repeat(crate::store::record::VALUE_BYTES_MAX).into();
    long.incidents = vec![IncidentNumber(20)];
    let stays = Change::Entry(samples::entry(9_000, 9_000).into());
    commit(
        &store,
        vec![Change::Archive(Archived::Alert(long.into())), stays],
    );
    let nothing = Retention {
        disk_bytes: 0,
        ..KEEP_ALL
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| while store.purge(HOME, &nothing, START).unwrap().is_more {});
        }
    });
    let bytes = store.writer().progress.history_bytes;
    assert_eq!(bytes, entries_bytes(&store));
}

#[test]
fn a_timeline_is_read_whole_while_its_commits_leave_the_journal() {
    let data = folder();
    let store = open(data.path());
    for id in 1..=300 {
        let entry = Change::Entry(samples::entry(7, id).into());
        let receipt = samples::receipt(id, START + Duration::minutes(id));
        commit(&store, vec![receipt_change(receipt), entry]);
    }
    let nothing = Retention {
        events: Duration::ZERO,
        ..KEEP_ALL
    };
    std::thread::scope(|scope| {
        let purges = scope.spawn(|| {
            // Each call moves the entry of one commit.
            for minutes in 0..=301 {
                store
                    .purge(HOME, &nothing, START + Duration::minutes(minutes))
                    .unwrap();
            }
        });
        let mut is_last = false;
        while !is_last {
            is_last = purges.is_finished();
            let story = store.entries(HOME, IncidentNumber(7), None, 1_000).unwrap();
            let ids: Vec<u64> = story.iter().map(|entry| entry.id.0).collect();
            assert_eq!(ids, (1..=300).collect::<Vec<_>>());
        }
    });
    assert!(store.receipts(HOME, None, 1).unwrap().is_empty());
}

#[test]
fn a_damaged_commit_stops_neither_later_purges_nor_the_timeline_beside_it() {
    let data = folder();
    let store = open(data.path());
    for id in 1..=5 {
        let entry = Change::Entry(samples::entry(7, id).into());
        commit(
            &store,
            vec![receipt_change(samples::receipt(id, START)), entry],
        );
    }
    let key = Key::journal(HOME, 2);
    let mut value = crate::store::rows::Rows::get(&store.tree, key.as_ref())
        .unwrap()
        .unwrap()
        .to_vec();
    *value.last_mut().unwrap() ^= 1;
    let mut writes = Writes::default();
    writes.rows.push((key, Some(value)));
    store.tree.add_settled(writes.rows, || Ok(())).unwrap();
    let entries = || store.entries(HOME, IncidentNumber(7), None, 9);
    assert!(entries().unwrap_err().to_string().contains("checksum"));
    let nothing = Retention {
        events: Duration::ZERO,
        ..KEEP_ALL
    };
    let now = START + Duration::minutes(1);
    assert_eq!(store.purge(HOME, &nothing, now).unwrap().receipts, 5);
    let ids: Vec<u64> = entries().unwrap().iter().map(|entry| entry.id.0).collect();
    assert_eq!(ids, [1, 3, 4, 5], "all that could be read");
}

#[test]
fn a_timeline_whose_story_is_lost_is_found_by_its_incident() {
    let data = folder();
    let store = open(data.path());
    let incident = put(Record::Incident(samples::incidents().remove(0).into()));
    let number = samples::incidents()[0].number.0;
    for id in 1..=5 {
        let entry = Change::Entry(samples::entry(number, id).into());
        let gone = Change::Entry(samples::entry(number + 1, id + 5).into());
        commit(&store, vec![incident.clone(), entry, gone]);
    }
    let mut writes = Writes::default();
    for row in crate::store::rows::Rows::all(&store.tree, &Key::all(Kind::Story, HOME)) {
        writes.rows.push((Key::read(&row.unwrap().0), None));
    }
    store.tree.add_settled(writes.rows, || Ok(())).unwrap();
    drop(store);
    let counts = crate::store::check(data.path()).unwrap().counts;
    assert_eq!(
        counts["timeline entries"], 5,
        "not those of an incident that is gone"
    );
}
