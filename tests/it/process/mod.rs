//! The real binary, seen from outside: started, killed, started again.

mod acceptance;
mod acting;
mod alertmanager;
mod amtool;
mod audit;
mod bundles;
mod buttons;
mod disk;
mod doors;
mod ending;
mod enqueue;
mod failed_store;
mod first_start;
mod gateway;
mod heartbeat;
mod keys;
mod life;
mod links;
mod log;
mod mapped;
mod metrics;
mod names;
mod public;
mod readme;
mod replicas;
mod sending;
mod server;
mod story;
mod texting;
mod warnings;

use std::io::Write as _;

/// Says that a test could not be run. Written past the capture of the test harness, which would
/// hide it because the test passes.
fn skipped(why: &str) {
    // Nobody is there to hear it if this fails.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
