//! Runs the simulator for long: `cargo run --release --example simulate -- --seed 1 --count 1000`.

#[path = "../tests/simulation/simulator/mod.rs"]
mod simulator;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Parser;
use reveille::engine::time::Duration;
use simulator::{Figures, Mark, Marks, Report, run};

/// Tries to lose a page, for as many seeds as wanted.
#[derive(Parser)]
struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Days with faults in each run.
    #[arg(long, default_value_t = 1.0 / 3.0)]
    days: f64,
    /// Lines of the trace that are shown of a run that breaks something.
    #[arg(long, default_value_t = 100)]
    lines: usize,
    /// Runs at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let stormy = Duration((options.days * 86_400_000.0) as u64);
    let next = AtomicU64::new(options.seed);
    let reports: Mutex<Vec<Report>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.seed + options.count {
                        return;
                    }
                    let mut report = run(seed, stormy, options.lines);
                    if report.broken.is_none() {
                        report.latest.clear();
                    }
                    let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
                    reports.push(report);
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    tell(&reports)
}

#[expect(clippy::print_stdout, reason = "it is a program for people")]
fn tell(reports: &[Report]) -> ExitCode {
    let (mut marks, mut figures) = (Marks::default(), Figures::default());
    let mut simulated = 0;
    let mut broken = 0;
    for report in reports {
        marks.add(&report.marks);
        figures.add(&report.figures);
        simulated += report.simulated.0;
        if let Some(found) = &report.broken {
            broken += 1;
            let Report {
                seed, hash, latest, ..
            } = report;
            println!("{latest}");
            println!(
                "seed {seed} (trace {hash:016x}) breaks {} at {}: {}\n",
                found.invariant, found.passed, found.what
            );
        }
    }
    let days = simulated / 86_400_000;
    println!("{} runs, {days} simulated days, {figures:?}", reports.len());
    for text in marks.missing().into_iter().map(Mark::text) {
        println!("never reached: {text}");
    }
    if let [report] = reports {
        println!("trace {:016x}", report.hash);
    }
    println!("{broken} runs broke something");
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
