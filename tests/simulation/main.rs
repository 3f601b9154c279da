//! Runs the simulator over many seeds.

mod simulator;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use reveille::engine::time::Duration;
use simulator::{Figures, Mark, Marks, Report, run};

/// Seeds of one check.
const SEEDS: u64 = 500;
const STORMY: Duration = Duration::hours(8);

fn describe(report: &Report) -> String {
    let broken = report.broken.as_ref();
    let broken = broken.map_or_else(String::new, |broken| {
        format!("{} at {}: {}", broken.invariant, broken.passed, broken.what)
    });
    format!("seed {}: {broken}\n{}", report.seed, report.latest)
}

#[test]
fn five_hundred_seeds_break_nothing_and_reach_every_interesting_state() {
    let next = AtomicU64::new(1);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        return;
                    }
                    let report = run(seed, STORMY, 60);
                    reports
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(report);
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut marks, mut figures) = (Marks::default(), Figures::default());
    let mut simulated = 0;
    for report in &reports {
        simulated += report.simulated.as_seconds();
        marks.add(&report.marks);
        figures.add(&report.figures);
    }
    let broken: Vec<String> = reports
        .iter()
        .filter(|report| report.broken.is_some())
        .map(describe)
        .collect();
    assert!(
        broken.is_empty(),
        "{} of {SEEDS} runs broke:\n{}",
        broken.len(),
        broken[0]
    );
    let missing: Vec<&str> = marks.missing().into_iter().map(Mark::text).collect();
    assert!(
        missing.is_empty(),
        "never reached in {simulated} s: {missing:#?} {figures:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [3, 77] {
        let (one, other) = (run(seed, STORMY, 1), run(seed, STORMY, 1));
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}
