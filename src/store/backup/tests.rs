//! Backups are made while the store is used in every way, and restored.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::records::Record;
use crate::engine::samples::{self, START};
use crate::engine::time::Duration;
use crate::store::contract::equal::{Step, batch, see};
use crate::store::contract::{HOME, KEEP_ALL, commit, commit_batch, loaded, put, small};
use crate::store::embedded::checkpoint_tests::Dice;
use crate::store::embedded::tests::{folder, open};
use crate::store::{
    Batch, Disk, Error, MemoryStore, Options, Retention, SledStore, Store, restore, verify,
};

use super::format::{BackupFrame, BackupReader};
use super::{BackupLimits, BackupWriter, Cut, Manifest};

/// Backups of many small frames.
fn options() -> Options {
    Options {
        backups: BackupLimits {
            frame_bytes: 2 * 1024,
            tap_bytes: 1024 * 1024,
            ..BackupLimits::default()
        },
        ..small()
    }
}

fn opened(path: &Path) -> SledStore {
    SledStore::open(path, options()).unwrap()
}

fn made(store: &SledStore) -> (Vec<u8>, Manifest) {
    let mut file = Vec::new();
    let manifest = store.backup(START, &mut file).unwrap();
    (file, manifest)
}

/// A folder with a backup in it.
fn kept(backup: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let place = folder();
    let file = place.path().join("backup");
    fs::write(&file, backup).unwrap();
    (place, file)
}

fn restored_into(file: &Path, data: &Path) -> Result<Manifest, Error> {
    restore(file, data, small(), START, &mut |_, _| {})
}

/// A backup, restored and opened.
fn restored(backup: &[u8]) -> (tempfile::TempDir, SledStore) {
    let (place, file) = kept(backup);
    let data = place.path().join("data");
    restored_into(&file, &data).unwrap();
    let store = open(&data);
    (place, store)
}

fn some_steps(dice: &mut Dice) -> Vec<Step> {
    let byte = |dice: &mut Dice, end| u8::try_from(dice.below(end)).unwrap();
    let some = dice.below(8);
    let steps = (0..some).map(|_| {
        let (what, id) = (byte(dice, 4), 1 + dice.below(3));
        let kilobytes = if dice.below(8) == 0 {
            byte(dice, 30)
        } else {
            0
        };
        match dice.below(6) {
            0 => Step::Put {
                what,
                id,
                kilobytes,
            },
            1 => Step::Drop { what, id },
            2 => Step::Archive {
                what: what.min(2),
                id,
                kilobytes,
            },
            3 => Step::Receipt { kilobytes },
            4 => Step::Entry {
                incident: id,
                kilobytes,
            },
            _ => Step::Document {
                name: what,
                kilobytes: (id > 1).then_some(kilobytes),
            },
        }
    });
    steps.collect()
}

/// All receipts that there are, at a moment.
const NO_RECEIPTS: Retention = Retention {
    events: Duration::ZERO,
    ..KEEP_ALL
};

fn purge_all(store: &dyn Store) {
    let now = START + Duration::minutes(1);
    while store.purge(HOME, &NO_RECEIPTS, now).unwrap().is_more {}
}

/// Uses a store in every way, and notes what it commits.
struct Usage<'store> {
    store: &'store SledStore,
    dice: Dice,
    next_id: u64,
    commits: Vec<Batch>,
    purges: bool,
}

impl Usage<'_> {
    fn go_on(&mut self) {
        match self.dice.below(12) {
            0 if self.purges => {
                let now = START + Duration::minutes(1);
                self.store.purge(HOME, &NO_RECEIPTS, now).unwrap();
            }
            0..3 => drop(self.store.checkpoint().unwrap()),
            _ => {
                let steps = some_steps(&mut self.dice);
                let batch = batch(&steps, &mut self.next_id);
                commit_batch(self.store, &batch);
                self.commits.push(batch);
            }
        }
    }

    /// What was committed up to there is what is restored.
    fn expect(&self, backup: &[u8], manifest: &Manifest) {
        let expected = MemoryStore::new();
        let until = usize::try_from(manifest.commits).unwrap();
        for batch in &self.commits[..until] {
            commit_batch(&expected, batch);
        }
        let (_place, store) = restored(backup);
        if self.purges {
            purge_all(&store);
            purge_all(&expected);
        }
        assert_eq!(see(&store), see(&expected), "commit {until}");
    }
}

/// Takes a backup, and between its parts the store is used.
struct Taker<'usage, 'store> {
    usage: &'usage mut Usage<'store>,
    file: Vec<u8>,
    /// So often the store is used meanwhile; otherwise there would be more to take with each part.
    left: u64,
}

impl Write for Taker<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.extend_from_slice(bytes);
        for _ in 0..self.usage.dice.below(4).min(self.left) {
            self.usage.go_on();
            self.left -= 1;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn whatever_goes_on_between_its_parts_a_backup_restores_to_its_cut() {
    let mut commits_within = 0;
    for seed in 0..6 {
        let data = folder();
        let store = opened(data.path());
        let mut usage = Usage {
            store: &store,
            dice: Dice(seed),
            next_id: 0,
            commits: Vec::new(),
            purges: seed % 2 == 1,
        };
        for _ in 0..3 {
            for _ in 0..60 {
                usage.go_on();
            }
            let before = usage.commits.len() as u64;
            let mut taker = Taker {
                usage: &mut usage,
                file: Vec::new(),
                left: 40,
            };
            let manifest = store.backup(START, &mut taker).unwrap();
            let file = taker.file;
            commits_within += manifest.commits - before;
            usage.expect(&file, &manifest);
        }
    }
    assert!(commits_within > 100, "only {commits_within} of them");
}

#[test]
fn a_backup_made_while_another_thread_commits_restores_to_its_cut() {
    let data = folder();
    let store = opened(data.path());
    let mut usage = Usage {
        store: &store,
        dice: Dice(99),
        next_id: 0,
        commits: Vec::new(),
        purges: false,
    };
    (0..100).for_each(|_| usage.go_on());
    let is_done = AtomicBool::new(false);
    let (backups, usage) = std::thread::scope(|scope| {
        let committing = scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                usage.go_on();
            }
            usage
        });
        let mut backups = vec![made(&store)];
        // Until the thread has had its turns between two of them.
        while backups[backups.len() - 1].1.commits < backups[0].1.commits + 20 {
            backups.truncate(3);
            backups.push(made(&store));
        }
        is_done.store(true, Ordering::SeqCst);
        (backups, committing.join().unwrap())
    });
    for (file, manifest) in backups {
        usage.expect(&file, &manifest);
    }
}

/// A small store, and a backup of it.
fn small_backup() -> Vec<u8> {
    let data = folder();
    let store = opened(data.path());
    for id in 0..3 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    made(&store).0
}

fn verified(backup: &[u8]) -> Result<Manifest, String> {
    let (_place, file) = kept(backup);
    verify(&file, &mut |_, _| {}).map_err(|error| error.to_string())
}

#[test]
fn a_backup_that_is_cut_off_changed_or_longer_anywhere_is_refused() {
    let whole = small_backup();
    let manifest = verified(&whole).unwrap();
    assert_eq!(manifest.commits, 3);
    for end in 0..whole.len() {
        let error = verified(&whole[..end]).unwrap_err();
        assert!(error.contains("it ends too early"), "{end}: {error}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        assert!(verified(&changed).is_err(), "{at}");
    }
    let longer = [&whole[..], b"\n"].concat();
    let error = verified(&longer).unwrap_err();
    assert!(error.contains("something follows its end"), "{error}");
}

#[test]
fn files_of_another_kind_or_form_are_refused_with_what_to_do() {
    let newer = b"reveille backup 2\nwhatever is in it";
    let error = verified(newer).unwrap_err();
    assert!(error.contains("a backup of format 2"), "{error}");
    let error = verified(b"root:x:0:0:root:/root:/bin/sh\n").unwrap_err();
    assert!(error.contains("not a backup of Reveille"), "{error}");
}

/// Calls for each part that it is given.
struct EachPart<F>(F);

impl<F: FnMut() -> io::Result<()>> Write for EachPart<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)().map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A change that hardly can be packed.
fn large_change(store: &SledStore, dice: &mut Dice) {
    let mut alert = samples::alert(1);
    let text: String = (0..8_000)
        .map(|_| dice.below(1 << 31).to_string())
        .collect();
    alert.dedup_key = text.into();
    commit(store, vec![put(Record::Alert(alert.into()))]);
}

#[test]
fn who_takes_a_backup_too_slowly_gets_none_and_disturbs_nobody() {
    let data = folder();
    let store = opened(data.path());
    let mut dice = Dice(1);
    large_change(&store, &mut dice);
    let slow = || {
        // Much is going on meanwhile.
        (0..40).for_each(|_| large_change(&store, &mut dice));
        Ok(())
    };
    let error = store.backup(START, &mut EachPart(slow)).unwrap_err();
    let expected = "over 1 MiB were changed while one part of the backup was written";
    assert!(error.to_string().contains(expected), "{error}");
    large_change(&store, &mut dice);
    let (file, _) = made(&store);
    let (_place, other) = restored(&file);
    assert_eq!(loaded(&other), loaded(&store));
}

#[test]
fn one_backup_is_made_at_a_time_and_a_broken_one_is_over() {
    let data = folder();
    let store = opened(data.path());
    commit(&store, vec![put(Record::Alert(samples::alert(1).into()))]);
    let mut refusals = Vec::new();
    let second = || {
        refusals.push(store.backup(START, &mut Vec::new()).unwrap_err());
        Ok(())
    };
    store.backup(START, &mut EachPart(second)).unwrap();
    assert!(refusals.len() > 2);
    assert!(
        refusals
            .iter()
            .all(|it| matches!(it, Error::BackupUnderWay))
    );
    let broken = || Err(io::Error::other("the client went away"));
    let error = store.backup(START, &mut EachPart(broken)).unwrap_err();
    assert!(
        error.to_string().contains("the client went away"),
        "{error}"
    );
    made(&store);
    // Checkpoints go on too.
    let before = store.checkpoints();
    for id in 0..200 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    while store.checkpoint().unwrap() {}
    assert!(store.checkpoints() > before);
}

#[test]
fn the_state_has_the_same_hash_whatever_the_checkpoints_are() {
    let data = folder();
    let store = opened(data.path());
    for id in 0..200 {
        commit(&store, vec![put(Record::Alert(samples::alert(id).into()))]);
    }
    let (_, before) = made(&store);
    while store.checkpoint().unwrap() {}
    let (_, after) = made(&store);
    assert_eq!(before.state_hash, after.state_hash);
    commit(&store, vec![put(Record::Alert(samples::alert(300).into()))]);
    assert_ne!(made(&store).1.state_hash, before.state_hash);
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_restore_goes_only_where_nothing_is() {
    let (place, file) = kept(&small_backup());
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("notes"), "mine").unwrap();
    let error = restored_into(&file, &data).unwrap_err().to_string();
    assert!(error.contains("it is not empty"), "{error}");
    assert_eq!(names(place.path()), ["backup", "data"]);
    assert_eq!(names(&data), ["notes"]);
    fs::remove_file(data.join("notes")).unwrap();
    restored_into(&file, &data).unwrap();
    assert_eq!(loaded(&open(&data)).len(), 3);
    assert_eq!(names(place.path()), ["backup", "data"]);
}

#[test]
fn a_restore_on_a_disk_that_fails_leaves_nothing() {
    struct Failing;
    impl Disk for Failing {
        fn sync(&self, _: &File) -> io::Result<()> {
            Err(io::Error::other("no space left"))
        }
    }
    let (place, file) = kept(&small_backup());
    let options = Options {
        disk: Arc::new(Failing),
        ..small()
    };
    let data = place.path().join("data");
    let error = restore(&file, &data, options, START, &mut |_, _| {}).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("no space left; what had been written was removed"),
        "{error}"
    );
    assert_eq!(names(place.path()), ["backup"]);
}

#[test]
fn what_is_restored_must_be_what_the_manifest_says() {
    let data = folder();
    let store = opened(data.path());
    commit(&store, vec![put(Record::Alert(samples::alert(1).into()))]);
    let (whole, right) = made(&store);
    for (commits, state_hash) in [(2, &*right.state_hash), (1, "00"), (1, &*right.state_hash)] {
        let mut file = Vec::new();
        let mut writer = BackupWriter::begin(&mut file, 1024).unwrap();
        let mut reader = BackupReader::begin(&whole[..]).unwrap();
        while let BackupFrame::Rows(rows) = reader.next().unwrap() {
            super::write_tapped(rows, &mut writer).unwrap();
        }
        let cut = Cut {
            commits,
            made_at: START,
            state_hash: state_hash.to_owned(),
        };
        writer.finish(cut).unwrap();
        let (place, file) = kept(&file);
        let result = restored_into(&file, &place.path().join("data"));
        let is_right = commits == 1 && state_hash == right.state_hash;
        assert_eq!(result.is_ok(), is_right, "{result:?}");
        let expected: &[&str] = if is_right {
            &["backup", "data"]
        } else {
            &["backup"]
        };
        assert_eq!(names(place.path()), expected);
    }
}
