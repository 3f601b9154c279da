//! Damaged and whole databases, read again.

use std::collections::BTreeSet;

use super::reading::{DOCUMENTS, Piece};
use super::target::NUMBERS_LEFT_OUT;
use crate::engine::counters::Counters;
use crate::engine::ids::{
    AlertId, AttemptId, EntryId, IncidentNumber, OverrideId, PageId, ReceiptId, SilenceId, TaskId,
};
use crate::engine::incident::Incident;
use crate::engine::records::{Archived, Change, Record};
use crate::engine::samples::{self, START};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::store::contract::{KEEP_ALL, commit, put, receipt_change, small};
use crate::store::rows::Rows;
use crate::store::salvage::Hole;
use crate::store::sled::{Failure, Tree};
use crate::store::{
    Batch, Clocks, DocumentKind, DocumentWrite, Partition, Retention, SledStore, Store, salvage,
};

use super::*;

const HOME: Partition = Partition(0);
const ROUNDS: u64 = 1_500;

/// Numbers above all that are given.
fn counters(rounds: u64) -> Counters {
    Counters {
        incident: IncidentNumber(50_000),
        alert: AlertId(50_000),
        page: PageId(50_000),
        attempt: AttemptId(50_000),
        receipt: ReceiptId(rounds + 1),
        silence: SilenceId(50_000),
        override_: OverrideId(50_000),
        entry: EntryId(50_000),
        task: TaskId(50_000),
        ..Counters::default()
    }
}

/// Each commit is in the database at once.
fn settled() -> Options {
    Options {
        wal_bytes: 0,
        ..small()
    }
}

/// Takes away what is in the database as well.
fn remove_log(path: &Path) {
    for file in wal::paths(path) {
        fs::remove_file(file).unwrap();
    }
}

/// Everything of every kind, over and over, with nodes that split and values of several rows.
fn fill(path: &Path, rounds: u64) {
    let store = SledStore::open(path, settled()).unwrap();
    for round in 1..=rounds {
        let mut alert = samples::alert(round % 50 + 1);
        alert.repeats = round;
        if round.is_multiple_of(7) {
            alert.dedup_key = "x".repeat(20_000).into();
        }
        let mut closed = samples::alert(10_000 + round);
        // Not one of those that are open in the end.
        let number = 2_000 + round;
        closed.incidents = vec![IncidentNumber(number)];
        let changes = vec![
            put(Record::Alert(alert.into())),
            put(Record::Counters(counters(round))),
            receipt_change(samples::receipt(round, START)),
            Change::Entry(samples::entry(number, round).into()),
            Change::Archive(Archived::Alert(closed.into())),
            Change::Archive(Archived::Incident(
                samples::resolved_incident(number, START).into(),
            )),
        ];
        commit(&store, changes);
    }
    let mut records: Vec<Change> = samples::records().into_iter().map(put).collect();
    records.push(put(Record::Counters(counters(rounds))));
    let document = |kind, name: &str| DocumentWrite {
        kind,
        name: name.to_owned(),
        bytes: Some(name.as_bytes().to_vec()),
    };
    let batch = Batch {
        changes: records,
        documents: DOCUMENTS
            .map(|(kind, name)| match kind {
                DocumentKind::Secret => document(kind, "links"),
                _ => document(kind, name),
            })
            .into_iter()
            .chain((1..=4).map(|it| document(DocumentKind::Rules, &format!("{it:010}"))))
            .collect(),
        clocks: Clocks {
            wall: START,
            steady: MonotonicTime(77),
        },
    };
    let epoch = store.claim(HOME).unwrap();
    store.commit(HOME, epoch, &batch).unwrap();
    drop(store);
    remove_log(path);
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    (place, data)
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
    let (place, data) = place();
    let new = place.path().join("new");
    fill(&data, ROUNDS);
    let database = data.join("db");
    for opening in 0..3 {
        let salvaged = Salvaged::read(&database.join("db"), None).unwrap();
        assert_eq!(salvaged.holes, [], "opening {opening}");
        assert_eq!(salvaged.lost_changes, 0, "opening {opening}");
        let tree = Tree::open(&database, 8 << 20).map_err(Failure::cause);
        let tree = tree.unwrap();
        assert!(all_rows(&salvaged) == all_rows(&tree), "opening {opening}");
    }
    let survey = check(&data).unwrap();
    assert!(survey.is_whole(), "{survey:#?}");
    assert_eq!(survey.counts["receipts"], ROUNDS);
    assert_eq!(save(&data, &new, small()).unwrap(), survey);
    assert!(contents(&new) == contents(&data));
}

#[test]
fn of_a_damaged_database_all_but_what_was_hit_is_saved_and_the_rest_is_told() {
    let (place, data) = place();
    let new = place.path().join("new");
    fill(&data, ROUNDS);
    let whole = contents(&data);
    let file = data.join("db/db");
    let mut bytes = fs::read(&file).unwrap();
    let places = [0, 1, 3, 7, 12].map(|part| bytes.len() / 14 * part + 4_321);
    for at in places {
        bytes[at..at + 300].fill(b'x');
    }
    fs::write(&file, &bytes).unwrap();

    let survey = check(&data).unwrap();
    assert!(!survey.is_whole());
    assert!(!survey.damaged.is_empty(), "{survey:#?}");
    assert_eq!(save(&data, &new, small()).unwrap(), survey);
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

/// Damages a file at a place.
type Damage = fn(&mut [u8], usize);

const DAMAGES: [(&str, Damage); 4] = [
    ("a bit turned", |bytes, at| bytes[at] ^= 4),
    ("a sector of zeros", |bytes, at| {
        let at = at / SECTOR * SECTOR;
        bytes[at..at + SECTOR].fill(0);
    }),
    ("64 KiB of another place", |bytes, at| {
        bytes.copy_within(20_000..20_000 + (64 << 10), at);
    }),
    ("the rest zeroed", |bytes, at| bytes[at..].fill(0)),
];
const SECTOR: usize = 4_096;

#[test]
fn wherever_a_database_is_damaged_the_rest_is_saved_and_no_loss_goes_untold() {
    let (place, data) = place();
    fill(&data, 400);
    let whole = contents(&data);
    let file = data.join("db/db");
    let bytes = fs::read(&file).unwrap();
    let end = bytes.len() - (64 << 10) - 1;
    let places = [0, 7, 25, 300, end / 5, end / 3, end / 2, end / 4 * 3, end];
    let mut lost_total = 0;
    for (damage, apply) in DAMAGES {
        for at in places {
            let case = format!("{damage} at {at} of {}", bytes.len());
            let mut damaged = bytes.clone();
            apply(&mut damaged, at);
            fs::write(&file, &damaged).unwrap();
            let new = place.path().join(&case);
            let survey = save(&data, &new, small());
            assert!(
                fs::read(&file).unwrap() == damaged,
                "{case}: it is only read"
            );
            if damage == "the rest zeroed" && at < SECTOR {
                let error = survey.unwrap_err().to_string();
                assert!(error.contains("can be read"), "{case}: {error}");
                continue;
            }
            let survey = survey.unwrap();
            let saved = contents(&new);
            let lost = whole.difference(&saved).count();
            lost_total += lost;
            assert!(
                lost == 0 || !survey.is_whole(),
                "{case}: {lost} lost: {survey:#?}"
            );
            let history = |it: &&String| it.starts_with("Receipt") || it.starts_with("Entry");
            let unknown = saved.difference(&whole).filter(history).count();
            assert_eq!(unknown, 0, "{case}");
            let is_most = damage == "the rest zeroed" || lost * 4 < whole.len();
            assert!(
                is_most,
                "{case}: {lost} of {} lost: {survey:#?}",
                whole.len()
            );
            println!("{case}: {} of {} saved", whole.len() - lost, whole.len());
        }
    }
    assert!(lost_total > 0, "no damage hit anything");
}

#[test]
fn a_directory_in_use_and_one_without_a_database_are_left_alone() {
    let (_place, data) = place();
    let store = SledStore::open(&data, small()).unwrap();
    let error = check(&data).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    drop(store);
    let nothing = data.join("nothing");
    let error = check(&nothing).unwrap_err().to_string();
    assert!(error.contains("there is no database"), "{error}");
    assert!(!nothing.exists());
    let error = save(&data, &data, small()).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn numbers_go_on_above_all_that_is_there_even_if_the_last_ones_are_lost() {
    let (place, data) = place();
    let new = place.path().join("new");
    let store = SledStore::open(&data, small()).unwrap();
    commit(&store, vec![receipt_change(samples::receipt(41, START))]);
    drop(store);
    let survey = save(&data, &new, small()).unwrap();
    let told = survey.missing.concat();
    assert!(told.contains("numbers that were given last"), "{told}");
    let store = SledStore::open(&new, small()).unwrap();
    let records = store.load(HOME, START).unwrap().records;
    let [Record::Counters(counters)] = records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(counters.receipt, ReceiptId(42 + NUMBERS_LEFT_OUT));
}

fn saved_counters(new: &Path) -> Counters {
    let store = SledStore::open(new, small()).unwrap();
    let records = store.load(HOME, START).unwrap().records;
    let counters = records.into_iter().find_map(|record| match record {
        Record::Counters(counters) => Some(counters),
        _ => None,
    });
    counters.unwrap()
}

#[test]
fn a_saved_database_that_lost_commits_gives_no_number_twice() {
    let (place, data) = place();
    let task = |id| put(Record::Task(samples::task(id).into()));
    let store = SledStore::open(&data, small()).unwrap();
    let early = Counters {
        task: TaskId(3),
        ..counters(5)
    };
    commit(&store, vec![put(Record::Counters(early)), task(7)]);
    drop(store);
    let next = |name: &str| {
        let new = place.path().join(name);
        let survey = save(&data, &new, small()).unwrap();
        (survey.is_whole(), saved_counters(&new))
    };
    let whole = Counters {
        task: TaskId(8),
        ..early
    };
    assert_eq!(next("whole").1, whole, "the highest of what is there");
    // As if the commits after this one, with their numbers, were lost.
    fs::write(data.join("initialised"), format!("{0:020} {0:020}\n", 9)).unwrap();
    let (is_whole, after) = next("after a loss");
    assert!(!is_whole);
    let expected = Counters {
        incident: IncidentNumber(whole.incident.0 + NUMBERS_LEFT_OUT),
        alert: AlertId(whole.alert.0 + NUMBERS_LEFT_OUT),
        page: PageId(whole.page.0 + NUMBERS_LEFT_OUT),
        attempt: AttemptId(whole.attempt.0 + NUMBERS_LEFT_OUT),
        receipt: ReceiptId(whole.receipt.0 + NUMBERS_LEFT_OUT),
        silence: SilenceId(whole.silence.0 + NUMBERS_LEFT_OUT),
        override_: OverrideId(whole.override_.0 + NUMBERS_LEFT_OUT),
        entry: EntryId(whole.entry.0 + NUMBERS_LEFT_OUT),
        task: TaskId(whole.task.0 + NUMBERS_LEFT_OUT),
        ..whole
    };
    assert_eq!(after, expected);
}

fn zero(file: &Path, hole: Hole) {
    let mut bytes = fs::read(file).unwrap();
    let start = usize::try_from(hole.offset).unwrap();
    bytes[start..start + usize::try_from(hole.bytes).unwrap()].fill(0);
    fs::write(file, bytes).unwrap();
}

/// Fills a store that then loses the head of its last batch but `back`, and whose marker says so
/// many commits; gives what there was before it.
fn torn(data: &Path, back: usize, marker: u64) -> BTreeSet<String> {
    fill(data, 30);
    let before = contents(data);
    let store = SledStore::open(data, settled()).unwrap();
    for round in 0..=back as u64 {
        let alerts = (1..=20).map(|id| {
            let mut alert = samples::alert(id);
            alert.repeats = 9_000 + round;
            put(Record::Alert(alert.into()))
        });
        let receipt = receipt_change(samples::receipt(31 + round, START));
        commit(&store, alerts.chain([receipt]).collect());
    }
    drop(store);
    remove_log(data);
    let file = data.join("db/db");
    let heads = salvage::batch_heads(&file);
    zero(&file, heads[heads.len() - 1 - back]);
    fs::write(
        data.join("initialised"),
        format!("{marker:020} {marker:020}\n"),
    )
    .unwrap();
    before
}

/// Commits of [`fill`] with 30 rounds.
const FILLED: u64 = 31;

#[test]
fn a_batch_that_was_never_finished_did_not_happen_and_is_no_damage() {
    let (place, data) = place();
    let before = torn(&data, 0, FILLED);
    let new = place.path().join("new");
    let survey = save(&data, &new, small()).unwrap();
    assert!(survey.is_whole(), "{survey:#?}");
    assert!(contents(&new) == before);
    // As a start takes it.
    assert!(contents(&data) == before);
}

#[test]
fn a_batch_that_was_finished_and_damaged_is_told_as_damaged() {
    // The second: with a count that is too low, as after a power cut.
    for (back, marker) in [(0, FILLED + 1), (1, FILLED)] {
        let (_place, data) = place();
        torn(&data, back, marker);
        let survey = check(&data).unwrap();
        let [hole] = survey.damaged[..] else {
            panic!("{back}: {survey:#?}");
        };
        let file = fs::read(data.join("db/db")).unwrap();
        assert!(file[usize::try_from(hole.offset).unwrap()..][..20] == [0; 20]);
    }
}

#[test]
fn a_start_does_not_destroy_what_can_still_be_saved() {
    for (back, marker) in [(0, FILLED + 1), (1, FILLED), (1, FILLED + 2)] {
        let (_place, data) = place();
        torn(&data, back, marker);
        let file = data.join("db/db");
        let (bytes, survey) = (fs::read(&file).unwrap(), check(&data).unwrap());
        let error = SledStore::open(&data, small()).err();
        let error = error.expect("it must not open").to_string();
        assert!(error.contains("nothing was changed"), "{error}");
        assert!(error.contains("store save"), "{error}");
        assert!(fs::read(&file).unwrap() == bytes, "{back}, {marker}");
        assert!(!data.join("db.damaged").exists());
        assert_eq!(check(&data).unwrap(), survey);
    }
}

const SEGMENT: usize = 512 << 10;

#[test]
fn heads_of_segments_and_segments_of_garbage_are_told_as_damaged() {
    let (_place, data) = place();
    fill(&data, 300);
    let file = data.join("db/db");
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.len() > 2 * SEGMENT, "{}", bytes.len());
    let damaged = |damaged: &[u8]| {
        fs::write(&file, damaged).unwrap();
        check(&data).unwrap().damaged
    };
    let mut headless = bytes.clone();
    headless[SEGMENT..SEGMENT + 20].fill(0);
    let head = Hole {
        offset: SEGMENT as u64,
        bytes: 20,
    };
    assert_eq!(damaged(&headless), [head]);
    let mut longer = bytes.clone();
    longer.resize(bytes.len().next_multiple_of(SEGMENT), 0);
    let whole = longer.len();
    longer.resize(whole + SEGMENT, 0);
    assert_eq!(damaged(&longer), [], "what was never written");
    longer[whole..].fill(b'x');
    let garbage = damaged(&longer);
    let total: u64 = garbage.iter().map(|hole| hole.bytes).sum();
    assert_eq!(total, SEGMENT as u64, "{garbage:?}");
}

#[test]
fn rules_and_secrets_that_are_gone_are_missed() {
    type Kept = fn(&(DocumentKind, String)) -> bool;
    let cases: [(Kept, &[&str]); 5] = [
        (|_| true, &[]),
        (
            |(kind, name)| *kind != DocumentKind::Rules || name.ends_with('4'),
            &["3 revisions of the rules: 1, 2, 3"],
        ),
        (
            |(kind, name)| *kind != DocumentKind::Rules || !name.ends_with('4'),
            &["1 revisions of the rules: 4, the newest among them: apply the rules again"],
        ),
        (
            |(kind, _)| *kind != DocumentKind::Secret,
            &[
                "the secrets: links in earlier pages no longer work, and a new first admin token \
                 is created",
            ],
        ),
        (
            |(_, name)| name != "links",
            &["the secret of links: links in earlier pages no longer work"],
        ),
    ];
    for (kept, expected) in cases {
        let mut seen = Seen::default();
        let incident = samples::resolved_incident(1, START);
        assert_eq!(incident.revision.0, 4);
        seen.note(&Change::Archive(Archived::Incident(incident.into())));
        seen.note(&put(Record::Counters(counters(1))));
        let rules = (1..=4).map(|it| (DocumentKind::Rules, format!("{it:010}")));
        let secrets = ["admin", "links"].map(|name| (DocumentKind::Secret, name.to_owned()));
        let documents = rules.chain(secrets);
        for (kind, name) in documents.filter(kept) {
            seen.note_document(kind, &name);
        }
        assert_eq!(seen.missing(), expected);
    }
    assert_eq!(Seen::default().missing(), [""; 0], "nothing was ever used");
}

fn day(number: i64) -> Timestamp {
    Timestamp(START.0 + number * 86_400_000)
}

/// An incident that was opened on a day, and over on another.
fn incident(number: u64, opened: i64, closed: i64) -> Incident {
    let mut incident = samples::resolved_incident(number, day(closed));
    incident.opened_at = day(opened);
    incident
}

fn told_of_incidents(data: &Path) -> Vec<String> {
    let missing = check(data).unwrap().missing.into_iter();
    missing.filter(|it| it.contains("refer to")).collect()
}

#[test]
fn incidents_that_were_purged_are_not_missed_and_those_that_were_lost_are() {
    let (_place, data) = place();
    let store = SledStore::open(&data, small()).unwrap();
    let mut firing = samples::alert(1);
    firing.incidents = [1, 2].map(IncidentNumber).into();
    let mut bundled = samples::alert(2);
    bundled.incidents = [2, 5].map(IncidentNumber).into();
    commit(
        &store,
        vec![
            // The third was opened early and is over late.
            Change::Archive(Archived::Incident(incident(1, 0, 1).into())),
            Change::Archive(Archived::Incident(incident(2, 0, 2).into())),
            Change::Archive(Archived::Incident(incident(3, 0, 50).into())),
            Change::Archive(Archived::Incident(incident(4, 1, 3).into())),
            Change::Archive(Archived::Incident(incident(5, 2, 60).into())),
            Change::Archive(Archived::Incident(incident(6, 55, 61).into())),
            Change::Archive(Archived::Page(samples::page(1, &[1, 4, 5]).into())),
            Change::Archive(Archived::Page(samples::page(2, &[1, 2]).into())),
            Change::Archive(Archived::Alert(bundled.into())),
            put(Record::Alert(firing.into())),
            Change::Entry(samples::entry(2, 1).into()),
            Change::Entry(samples::entry(5, 2).into()),
        ],
    );
    let retention = Retention {
        incidents: Duration::days(30),
        ..KEEP_ALL
    };
    assert_eq!(store.purge(HOME, &retention, day(40)).unwrap().incidents, 3);
    drop(store);
    let counts = check(&data).unwrap().counts;
    assert_eq!(counts["closed incidents"], 3);
    assert_eq!(
        counts["pages in history"], 1,
        "the one that is kept by the fifth"
    );
    assert_eq!(told_of_incidents(&data), [""; 0]);

    // Nothing can have purged these: an open alert names one that was opened after all that was
    // purged was over, a page none that is there, and a timeline goes with its incident.
    let store = SledStore::open(&data, small()).unwrap();
    let mut alert = samples::alert(3);
    alert.incidents = [IncidentNumber(7)].into();
    commit(
        &store,
        vec![
            put(Record::Alert(alert.into())),
            Change::Archive(Archived::Page(samples::page(3, &[2, 4]).into())),
            Change::Entry(samples::entry(1, 3).into()),
        ],
    );
    drop(store);
    assert_eq!(
        told_of_incidents(&data),
        ["4 incidents that other records refer to: #1, #2, #4, #7"]
    );
}

#[test]
fn without_the_count_of_commits_nothing_is_said_to_be_whole() {
    let (_place, data) = place();
    fill(&data, 3);
    assert!(check(&data).unwrap().is_whole());
    let marker = data.join("initialised");
    let garbage: [Option<&[u8]>; 4] = [Some(b""), Some(b"x"), Some(&[0xff; 21]), None];
    for bytes in garbage {
        match bytes {
            Some(bytes) => fs::write(&marker, bytes).unwrap(),
            None => fs::remove_file(&marker).unwrap(),
        }
        let missing = check(&data).unwrap().missing;
        let told = "how many commits were acknowledged (";
        assert!(missing.concat().contains(told), "{bytes:?}: {missing:?}");
    }
}

#[test]
fn a_directory_whose_first_start_went_no_further_misses_nothing() {
    let (_place, data) = place();
    drop(SledStore::open(&data, small()).unwrap());
    let survey = check(&data).unwrap();
    assert!(survey.is_whole(), "{survey:#?}");
}

#[test]
fn where_nothing_can_be_read_nothing_is_written() {
    let (place, data) = place();
    fill(&data, 3);
    for garbage in [vec![], vec![b'x'; 100_000]] {
        fs::write(data.join("db/db"), garbage).unwrap();
        assert!(!check(&data).unwrap().is_whole());
        let error = save(&data, &place.path().join("new"), small()).unwrap_err();
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_slash_at_the_end_of_the_new_name_does_no_harm() {
    let (place, data) = place();
    fill(&data, 3);
    save(&data, &place.path().join("new/"), small()).unwrap();
    assert!(check(&place.path().join("new")).unwrap().is_whole());
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

struct FullDisk;

impl crate::store::Disk for FullDisk {
    fn before_flush(&self) -> io::Result<()> {
        Err(io::Error::other("no space left"))
    }
}

#[test]
fn a_disk_that_is_full_is_named_and_keeps_nothing_of_the_attempt() {
    let (place, data) = place();
    fill(&data, 3);
    let new = place.path().join("new");
    let options = Options {
        disk: std::sync::Arc::new(FullDisk),
        ..small()
    };
    let error = save(&data, &new, options).unwrap_err().to_string();
    let named = format!(
        "{}: no space left; what had been written was removed",
        new.display()
    );
    assert!(error.ends_with(&named), "{error}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn a_secret_beside_the_database_that_cannot_be_read_is_left_behind() {
    let (place, data) = place();
    fill(&data, 3);
    fs::write(data.join("first-key"), "key").unwrap();
    // Not even root can read this as a file.
    fs::create_dir(data.join("admin-token")).unwrap();
    let new = place.path().join("new");
    let survey = save(&data, &new, small()).unwrap();
    let [left] = &survey.left_behind[..] else {
        panic!("{survey:#?}");
    };
    assert!(left.contains("admin-token: "), "{left}");
    assert_eq!(fs::read(new.join("first-key")).unwrap(), b"key");
}

#[test]
fn a_lock_that_cannot_be_written_is_named_with_what_to_do() {
    let (_place, data) = place();
    fill(&data, 3);
    fs::remove_file(data.join("lock")).unwrap();
    fs::create_dir(data.join("lock")).unwrap();
    let error = check(&data).unwrap_err().to_string();
    assert!(error.contains("lock cannot be written"), "{error}");
    assert!(error.contains("copy the directory first"), "{error}");
}

#[test]
fn where_the_clocks_are_lost_time_goes_on_from_the_newest_moment_that_was_met() {
    let (_place, data) = place();
    let mut target = Target::open(&data, small(), None).unwrap();
    for (id, day) in [(1, day(3)), (2, day(7)), (3, day(5))] {
        let receipt = samples::receipt(id, day);
        target.take(Piece::Change(receipt_change(receipt))).unwrap();
    }
    target.finish(false).unwrap();
    let store = SledStore::open(&data, small()).unwrap();
    assert_eq!(store.load(HOME, START).unwrap().clocks.wall, day(7));
}

#[test]
fn an_incident_that_was_closed_is_not_open_again_because_its_closing_was_lost() {
    let (place, data) = place();
    let store = SledStore::open(&data, small()).unwrap();
    let open = samples::incidents().remove(0);
    let number = open.number;
    commit(&store, vec![put(Record::Incident(open.into()))]);
    let closed = samples::resolved_incident(number.0, START);
    commit(
        &store,
        vec![Change::Archive(Archived::Incident(closed.into()))],
    );
    drop(store);
    // What the second commit changed of open records is lost, and only that.
    let tree = Tree::open(&data.join("db"), 8 << 20).map_err(Failure::cause);
    let mut writes = crate::store::writes::Writes::default();
    writes.remove_appended(Key::active_changes(2), 0);
    let tree = tree.unwrap();
    tree.add_settled(writes.rows, || Ok(())).unwrap();
    drop(tree);
    let new = place.path().join("new");
    let survey = save(&data, &new, small()).unwrap();
    let told = "what commit 2 changed of the open records";
    assert!(survey.missing.iter().any(|it| it == told), "{survey:#?}");
    let store = SledStore::open(&new, small()).unwrap();
    assert!(store.closed_incident(HOME, number).unwrap().is_some());
    let records = store.load(HOME, START).unwrap().records;
    let is_incident = |it: &Record| matches!(it, Record::Incident(_));
    assert!(!records.iter().any(is_incident));
}
