//! A router that is killed again and again while clients act: at the next start all that they were
//! answered is there.

use std::io::{Write as _, stderr};
use std::process::Stdio;

use super::check::{look_up, settle};
use super::clients::{Api, act_until_killed, ledgers};
use super::dice::Dice;
use super::ledger::Ledger;
use crate::process::server::{ONE_PERSON, Place};

/// In one data directory.
const ROUNDS: u64 = 25;
/// After so many answers at most the router is killed.
const ANSWERS_MAX: u64 = 50;

/// How many rounds somebody asks for by hand.
const ROUNDS_VARIABLE: &str = "REVEILLE_TORTURE_ROUNDS";
/// The seed of the first data directory.
const SEED_VARIABLE: &str = "REVEILLE_TORTURE_SEED";

/// Says where it was when the test fails.
struct Told {
    seed: u64,
    round: u64,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, round } = self;
            let place = format!("round {round} of seed {seed}");
            // Nobody is there to hear it if this fails.
            let _ = writeln!(
                stderr(),
                "failed in {place}; {SEED_VARIABLE}={seed} begins there"
            );
        }
    }
}

fn asked_for(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap())
}

/// Kills a router as soon as it has the data directory, in the midst of its start.
fn kill_a_start(place: &Place) {
    let mut command = place.command(&["serve"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let pid = child.id().to_string();
    let lock = place.path().join("data/lock");
    let names_it = || std::fs::read_to_string(&lock).is_ok_and(|text| text.trim() == pid);
    while !names_it() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn round(place: &Place, mut ledgers: Vec<Ledger>, dice: &mut Dice) -> Vec<Ledger> {
    let server = place.start().await;
    settle(&Api::of(&server), &mut ledgers).await;
    let answers = 1 + dice.below(ANSWERS_MAX);
    let ledgers = act_until_killed(server, ledgers, answers, dice).await;
    if dice.below(4) == 0 {
        kill_a_start(place);
    }
    ledgers
}

/// So many rounds in one data directory, and an orderly end.
async fn torture(seed: u64, rounds: u64) {
    let mut told = Told { seed, round: 0 };
    let place = Place::new("", ONE_PERSON);
    let mut dice = Dice::new(seed);
    let mut ledgers = ledgers();
    for number in 1..=rounds {
        told.round = number;
        ledgers = round(&place, ledgers, &mut dice).await;
        // What a kill leaves half done is no damage.
        expect_whole(&place);
    }
    let server = place.start().await;
    let api = Api::of(&server);
    settle(&api, &mut ledgers).await;
    look_up(&api, &ledgers).await;
    assert!(server.stop().await.success(), "{}", place.log());
    expect_whole(&place);
}

fn expect_whole(place: &Place) {
    let survey = place.run(&["store", "check", "data"]);
    assert!(survey.contains("nothing is damaged or missing"), "{survey}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_every_kill_and_nothing_is_half_there() {
    let first = asked_for(SEED_VARIABLE).unwrap_or(1);
    let rounds = asked_for(ROUNDS_VARIABLE).unwrap_or(ROUNDS);
    for seed in first..first + rounds.div_ceil(ROUNDS) {
        torture(seed, ROUNDS.min(rounds)).await;
    }
}
