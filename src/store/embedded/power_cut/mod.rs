//! The power goes at any moment of a run: whatever the disk kept of what was not synced, a start
//! finds all that was acknowledged.
//!
//! A run notes what each file holds whenever one is synced. Of every such moment disks are made
//! with any part of what was not durable then: none, all, the first blocks, some of them, torn
//! ones. Each must open as a start does it, show what was acknowledged and nothing half, and go on.
//! The power may go once more during that start.

mod recorder;
mod remains;

use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use self::recorder::{Moment, Reach, Recorder};
use super::checkpoint_tests::Dice;
use super::tests::{folder, open};
use crate::engine::records::Change;
use crate::engine::samples::START;
use crate::engine::time::{Duration, Timestamp};
use crate::store::contract::equal::{Seen, Step, batch, see};
use crate::store::contract::{HOME, KEEP_ALL, commit_batch, small};
use crate::store::{
    Batch, DocumentKind, DocumentWrite, MemoryStore, Options, Retention, SledStore, Store,
};

/// Disks that are tried; `REVEILLE_POWER_CUT_ROUNDS` is another number of them.
const ROUNDS: u64 = 30;

/// Of so many disks one run is the source.
const ROUNDS_OF_RUN: u64 = 15;

/// How a store is used.
#[derive(Clone, Copy)]
struct Habit {
    steps: u64,
    /// Of so many steps one closes the store, one purges and one settles.
    rare: u64,
    /// Steps of checkpoints among them.
    checkpoints: u64,
    document_bytes: u64,
    wal_bytes: u64,
}

/// The database takes over a little, often.
const OFTEN: Habit = Habit {
    steps: 260,
    rare: 40,
    checkpoints: 6,
    document_bytes: 30_000,
    wal_bytes: 16 * 1024,
};

/// The database takes over as much at once as outside of tests: several segments of its file.
const MUCH: Habit = Habit {
    steps: 120,
    rare: 60,
    checkpoints: 1,
    document_bytes: 150_000,
    wal_bytes: 2 * 1024 * 1024,
};

/// What is seen of a store, short: of each part of it a hash.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State([u64; 9]);

impl State {
    fn of(seen: &Seen) -> Self {
        Self([
            hash(&seen.clocks),
            hash(&seen.active),
            hash(&seen.remembered),
            hash(&seen.receipts),
            hash(&seen.stories),
            hash(&seen.incidents),
            hash(&seen.pages),
            hash(&seen.alerts),
            hash_bytes(&seen.documents),
        ])
    }
}

fn hash(value: &impl Debug) -> u64 {
    struct Hashing(DefaultHasher);
    impl Write for Hashing {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            text.hash(&mut self.0);
            Ok(())
        }
    }
    let mut hashing = Hashing(DefaultHasher::new());
    write!(hashing, "{value:?}").unwrap();
    hashing.0.finish()
}

/// As its text takes long.
fn hash_bytes(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A store that is used in all ways, beside one in memory that says how it must look.
struct Run {
    habit: Habit,
    dice: Dice,
    folder: tempfile::TempDir,
    recorder: Arc<Recorder>,
    memory: MemoryStore,
    /// How the store looked after each commit and purge.
    states: Vec<State>,
    next_id: u64,
    now: Timestamp,
}

impl Run {
    fn new(seed: u64) -> Self {
        let habit = if seed.is_multiple_of(2) { MUCH } else { OFTEN };
        let folder = folder();
        let memory = MemoryStore::new();
        Self {
            habit,
            dice: Dice(seed),
            recorder: Arc::new(Recorder::of(folder.path(), Reach::at(0))),
            folder,
            states: vec![State::of(&see(&memory))],
            memory,
            next_id: 0,
            now: START,
        }
    }

    fn open(&self) -> SledStore {
        let path = self.folder.path().join("data");
        let options = Options {
            wal_bytes: self.habit.wal_bytes,
            ..options(&self.recorder)
        };
        SledStore::open(&path, options).unwrap()
    }

    /// Uses the store in all ways.
    fn go(&mut self) {
        let mut store = self.open();
        let first = 3 + self.habit.checkpoints;
        for _ in 0..self.habit.steps {
            match self.dice.below(self.habit.rare) {
                0 => {
                    drop(store);
                    store = self.open();
                }
                1 => self.purge(&store),
                2 => store.settle().unwrap(),
                step if step < first => drop(store.checkpoint().unwrap()),
                step if step < first + 2 => std::thread::scope(|scope| {
                    let settling = scope.spawn(|| store.settle());
                    for _ in 0..=self.dice.below(4) {
                        self.commit(&store);
                    }
                    settling.join().unwrap().unwrap();
                }),
                _ => self.commit(&store),
            }
        }
        drop(store);
    }

    fn commit(&mut self, store: &SledStore) {
        let batch = some_batch(
            &mut self.dice,
            &mut self.next_id,
            self.now,
            self.habit.document_bytes,
        );
        self.now = self.now + Duration::minutes(1);
        commit_batch(&self.memory, &batch);
        self.states.push(State::of(&see(&self.memory)));
        commit_batch(store, &batch);
        self.recorder.reach.acknowledge(self.states.len() - 1);
    }

    /// What is purged may come back until the next commit.
    fn purge(&mut self, store: &SledStore) {
        let is_all = self.dice.below(3) == 0;
        let kept = Duration::minutes(30);
        let retention = Retention {
            events: kept,
            incidents: if is_all { kept } else { KEEP_ALL.incidents },
            ..KEEP_ALL
        };
        store.purge(HOME, &retention, self.now).unwrap();
        self.memory.purge(HOME, &retention, self.now).unwrap();
        let state = State::of(&see(&self.memory));
        assert_eq!(State::of(&see(store)), state, "after a purge");
        self.states.push(state);
        self.recorder.reach.pass(self.states.len() - 1);
    }
}

fn options(recorder: &Arc<Recorder>) -> Options {
    Options {
        disk: recorder.clone(),
        ..small()
    }
}

/// A batch of any size.
fn some_batch(dice: &mut Dice, next_id: &mut u64, now: Timestamp, most: u64) -> Batch {
    let steps: Vec<Step> = (0..dice.below(10)).map(|_| some_step(dice)).collect();
    let mut batch = batch(&steps, next_id);
    for change in &mut batch.changes {
        if let Change::Receipt(receipt) = change {
            Arc::make_mut(receipt).at = now;
        }
    }
    if dice.below(3) == 0 {
        // What cannot be packed, and takes several rows.
        let length = dice.below(most);
        let bytes = (0..length).map(|_| dice.below(256).to_le_bytes()[0]);
        let bytes = bytes.collect();
        batch.documents.push(DocumentWrite {
            kind: DocumentKind::Rules,
            name: format!("random {}", dice.below(6)),
            bytes: Some(bytes),
        });
    }
    batch
}

fn some_step(dice: &mut Dice) -> Step {
    let kilobytes = match dice.below(9) {
        0 => dice.below(40).to_le_bytes()[0],
        _ => 0,
    };
    let what = dice.below(4).to_le_bytes()[0];
    let id = 1 + dice.below(3);
    match dice.below(6) {
        0 => Step::Put {
            what,
            id,
            kilobytes,
        },
        1 => Step::Drop { what, id },
        2 => Step::Archive {
            what: what % 3,
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
}

/// Whether the power may go once more, while what it left is opened.
#[derive(Clone, Copy, PartialEq)]
enum Again {
    Yes,
    No,
}

/// Makes a disk as the power may leave it, and starts on it. `allowed` are the states that may be
/// found.
fn check(moment: &Moment, allowed: &[State], seed: u64, again: Again) -> Result<(), String> {
    let root = folder();
    let mut dice = Dice(seed);
    let told = remains::write(moment, &mut dice, root.path());
    let before = moment.before.display();
    let place = format!("at {} before a sync of {before} ({told})", moment.number);
    let path = root.path().join("data");
    let recorder = Arc::new(Recorder::of(root.path(), Reach::at(0)));
    let store =
        SledStore::open(&path, options(&recorder)).map_err(|it| format!("{place}: {it}"))?;
    let opened_at = recorder.moments().len();
    let found = State::of(&see(&store));
    if !allowed.contains(&found) {
        let near = allowed.first().map(|it| difference(it, &found));
        return Err(format!(
            "{place}: what was acknowledged is not there: {near:?}"
        ));
    }
    let next = some_batch(&mut dice, &mut 1_000_000, START, OFTEN.document_bytes);
    commit_batch(&store, &next);
    recorder.reach.acknowledge(1);
    let after = State::of(&see(&store));
    drop(store);
    if State::of(&see(&open(&path))) != after {
        return Err(format!("{place}: what followed is not there"));
    }
    let moments = recorder.moments();
    let index = usize::try_from(dice.below(moments.len() as u64)).unwrap();
    let (moment, states) = (&moments[index], [found, after]);
    let allowed = match index {
        _ if index < opened_at => allowed,
        _ if *moment.states.start() == 0 => &states[..],
        _ => &states[1..],
    };
    if again == Again::No {
        return Ok(());
    }
    let seed = dice.below(1 << 30);
    check(moment, allowed, seed, Again::No).map_err(|it| format!("{place}, and again {it}"))
}

/// Which parts differ.
fn difference(expected: &State, found: &State) -> Vec<usize> {
    let pairs = expected.0.iter().zip(&found.0).enumerate();
    let different = pairs.filter(|(_, (expected, found))| expected != found);
    different.map(|(index, _)| index).collect()
}

fn asked_for(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap())
}

#[test]
fn whatever_a_power_cut_leaves_a_start_finds_all_that_was_acknowledged() {
    let rounds = asked_for("REVEILLE_POWER_CUT_ROUNDS").unwrap_or(ROUNDS);
    let first = asked_for("REVEILLE_POWER_CUT_SEED").unwrap_or(1);
    let mut faults = Vec::new();
    for seed in first..first + rounds.div_ceil(ROUNDS_OF_RUN) {
        let mut run = Run::new(seed);
        run.go();
        let moments = run.recorder.moments();
        let mut dice = Dice(seed);
        for round in 0..ROUNDS_OF_RUN.min(rounds - (seed - first) * ROUNDS_OF_RUN) {
            let index = usize::try_from(dice.below(moments.len() as u64)).unwrap();
            let moment = &moments[index];
            let last = (*moment.states.end()).min(run.states.len() - 1);
            let allowed = &run.states[*moment.states.start()..=last];
            let disk = dice.below(1 << 30);
            let checked = || check(moment, allowed, disk, Again::Yes);
            let checked = catch_unwind(AssertUnwindSafe(checked));
            let checked = checked.unwrap_or_else(|_| Err("a panic, told above".to_owned()));
            if let Err(fault) = checked {
                let fault = format!("seed {seed}, round {round}, disk {disk}, {fault}");
                println!("{fault}");
                faults.push(fault);
            }
        }
        println!(
            "seed {seed}: {} moments, {} states, {} faults",
            moments.len(),
            run.states.len(),
            faults.len()
        );
    }
    let told = faults
        .iter()
        .take(8)
        .fold(String::new(), |told, it| told + it + "\n\n");
    assert!(faults.is_empty(), "{} of {rounds}:\n{told}", faults.len());
}
