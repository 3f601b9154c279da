//! The database of a stopped router is damaged: either the next start has all that pages, or it
//! refuses and says what helps, and what helps gives a directory that starts.
//!
//! What may be lost of history without a word is said in decision 0024.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::check::{settle, settle_what_is_active};
use super::clients::{Api, act_until_killed, ledgers};
use super::dice::Dice;
use super::ledger::Ledger;
use crate::process::server::{ONE_PERSON, Place, Server};

const SEED: u64 = 7;
const ANSWERS: u64 = 300;
const DATABASE: &str = "data/db/db";
const BLOCK: usize = 4096;

/// What happens to the file, given where its last byte stands that is not zero.
enum Damage {
    /// The end is missing.
    Shorter(usize),
    /// A block of zeros at so many thousandths of the file.
    Zeros(usize),
    /// One other bit there.
    Bit(usize),
}

fn damage(file: &Path, damage: &Damage, dice: &mut Dice) {
    let mut bytes = fs::read(file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let at = |thousandths: usize, dice: &mut Dice| {
        let spread = usize::try_from(dice.below(BLOCK as u64)).unwrap();
        (end * thousandths / 1_000).saturating_sub(spread)
    };
    match damage {
        Damage::Shorter(by) => bytes.truncate(end - by),
        Damage::Zeros(place) => {
            let at = at(*place, dice);
            bytes[at..(at + BLOCK).min(end)].fill(0);
        }
        Damage::Bit(place) => bytes[at(*place, dice)] ^= 1 << dice.below(8),
    }
    fs::write(file, bytes).unwrap();
}

/// A stopped router's directory, and what its clients were answered.
async fn filled(dice: &mut Dice) -> (Place, Vec<Ledger>) {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let mut ledgers = act_until_killed(server, ledgers(), ANSWERS, dice).await;
    let server = place.start().await;
    settle(&Api::of(&server), &mut ledgers).await;
    // Before a backup the database takes over all that the log has: there is something to damage.
    place.run(&["backup", "whole"]);
    assert!(server.stop().await.success());
    (place, ledgers)
}

fn copy(from: &Place) -> Place {
    let place = Place::new("", ONE_PERSON);
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from.path().join("data"));
    assert!(copy.arg(place.path()).status().unwrap().success());
    place
}

/// Saves what can be read and puts it in place of the damaged directory. Whether that is all: the
/// log still has what the end of the database had.
fn save(place: &Place) -> bool {
    let check = place.command(&["store", "check", "data"]).output().unwrap();
    let survey = String::from_utf8(check.stdout).unwrap();
    let is_whole = survey.contains("nothing is damaged or missing");
    let code = if is_whole { 0 } else { 1 };
    assert_eq!(check.status.code(), Some(code), "{survey}");
    let names = ["damaged:", "missing:", "unreadable:"];
    let is_named = names.iter().any(|name| survey.contains(name));
    assert_eq!(is_named, !is_whole, "{survey}");
    place.run(&["store", "save", "data", "new"]);
    let data = place.path().join("data");
    fs::rename(&data, place.path().join("old")).unwrap();
    fs::rename(place.path().join("new"), data).unwrap();
    is_whole
}

/// What was saved may be older than what was answered, and is nothing else.
async fn expect_nothing_made_up(server: &Server, ledgers: &[Ledger]) {
    for incident in Api::of(server).list("/v1/incidents").await {
        let number = incident["number"].as_u64().unwrap();
        let known = ledgers
            .iter()
            .find_map(|ledger| ledger.incidents.get(&number));
        let known = known.unwrap_or_else(|| panic!("nobody asked for {incident}"));
        assert_eq!(incident["title"], known.key, "{incident}");
    }
}

/// Whether the router starts on what is damaged.
async fn check(place: &Place, ledgers: &mut [Ledger]) -> bool {
    if let Some(server) = place.try_start().await {
        settle_what_is_active(&Api::of(&server), ledgers).await;
        assert!(server.stop().await.success(), "{}", place.log());
        return true;
    }
    let log = place.log();
    let said = log.lines().last().unwrap_or_default();
    for help in ["reveille store save", "restore a backup"] {
        assert!(said.contains(help), "{log}");
        place.expects_error(help);
    }
    let is_whole = save(place);
    let server = place.start().await;
    expect_nothing_made_up(&server, ledgers).await;
    if is_whole {
        settle_what_is_active(&Api::of(&server), ledgers).await;
    }
    assert!(server.stop().await.success(), "{}", place.log());
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_starts_with_all_that_pages_or_says_how_to_save_what_is_left() {
    let mut dice = Dice::new(SEED);
    let (whole, mut ledgers) = filled(&mut dice).await;
    let cases = [
        ("the end is cut off", Damage::Shorter(1)),
        ("the end is cut off further", Damage::Shorter(3 * BLOCK)),
        ("zeros at the end", Damage::Zeros(1_000)),
        ("a bit at the beginning", Damage::Bit(10)),
        ("a bit near the end", Damage::Bit(990)),
    ];
    let mut refused = 0;
    for (name, kind) in cases {
        let place = copy(&whole);
        damage(&place.path().join(DATABASE), &kind, &mut dice);
        let has_started = check(&place, &mut ledgers).await;
        eprintln!(
            "{name}: {}",
            if has_started { "started" } else { "refused" }
        );
        refused += usize::from(!has_started);
    }
    assert!(refused > 0, "no damage was noticed");
}
