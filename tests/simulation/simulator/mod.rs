//! A deterministic simulator that tries to lose a page.
//!
//! It drives the real engine, the real rules compiler, the real driver and lanes, over a simulated
//! disk, under simulated time, between simulated monitors, providers, people, admins and clocks.
//! Everything follows from one seed. First comes a time with faults, then a calm in which all of it
//! must settle.

mod channels;
mod checks;
mod disturbances;
mod history;
mod lanes;
mod life;
mod marks;
mod monitors;
mod people;
mod plan;
mod process;
mod providers;
mod random;
mod team;
mod traffic;
mod world;

pub use history::Broken;
pub use marks::{Mark, Marks};

use reveille::engine::time::Duration;

/// How a run ended.
#[derive(Debug)]
pub struct Report {
    pub seed: u64,
    /// What was broken, first of all.
    pub broken: Option<Broken>,
    /// The same seed on the same commit gives the same hash.
    pub hash: u64,
    pub marks: Marks,
    pub simulated: Duration,
    pub figures: Figures,
    /// The latest lines of the trace.
    pub latest: String,
}

/// What a run consisted of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub events: u64,
    pub incidents: u64,
    pub handed_over: u64,
    pub acts: u64,
    pub commits: u64,
    pub deaths: u64,
    pub faults: u64,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.incidents += other.incidents;
        self.handed_over += other.handed_over;
        self.acts += other.acts;
        self.commits += other.commits;
        self.deaths += other.deaths;
        self.faults += other.faults;
    }
}

/// Runs one seed with so long a time of faults, keeping so many lines of its trace.
pub fn run(seed: u64, stormy: Duration, kept_lines: usize) -> Report {
    world::World::new(seed, stormy, kept_lines).run()
}
