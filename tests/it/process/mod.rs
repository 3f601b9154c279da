//! The real binary, seen from outside: started, killed, started again.

mod acceptance;
mod acting;
mod alertmanager;
mod amtool;
mod audit;
mod ending;
mod first_start;
mod keys;
mod life;
mod links;
mod metrics;
mod names;
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
