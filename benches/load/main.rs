//! Reveille beside Alertmanager and beside a bare floor, under the same load:
//! `cargo bench --bench load`, or `-- --only 1 --quick` for one row in short.
//!
//! The three run alternately on this machine, each time as a new process in a new folder, and get
//! the same bytes. Printed is the median of the rounds; ratios are taken within a round, so that a
//! machine that is slow for a minute is slow for all of them. `docs/performance.md` says what each
//! row means.
//!
//! `-- --curves` shows instead how cost grows, and `-- --mixed` runs one load for minutes; both are
//! of Reveille alone and write plots into `docs/performance/`.

mod alertmanager;
mod alerts;
mod client;
mod curves;
mod floor;
mod machine;
mod memory;
mod mixed;
mod pages;
mod plot;
mod providers;
mod rates;
mod restart;
mod reveille;
mod server;
mod status_pages;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use server::Kind;
use table::Line;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Reveille beside Alertmanager and a bare floor.
#[derive(Parser)]
struct Options {
    /// How often each of them runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// One row alone, by its number.
    #[arg(long)]
    only: Option<u8>,
    /// A tenth of each load.
    #[arg(long)]
    quick: bool,
    /// Leaves Alertmanager out.
    #[arg(long)]
    no_alertmanager: bool,
    /// How cost grows with alerts, routes, schedules and incidents; with `--quick` up to a tenth.
    #[arg(long, conflicts_with_all = ["only", "mixed"])]
    curves: bool,
    /// A mixed load for so many minutes, and the memory that it takes.
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "10")]
    #[arg(conflicts_with = "only")]
    mixed: Option<u64>,
    /// Thousands of watched status pages; with `--quick` hundreds.
    #[arg(long, conflicts_with_all = ["only", "mixed", "curves"])]
    providers: bool,
    /// Readers of a status page of our own.
    #[arg(long, conflicts_with_all = ["only", "mixed", "curves", "providers"])]
    status_pages: bool,
    /// Cargo gives this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
    /// Becomes the floor: a server that appends to this file.
    #[arg(long, hide = true, requires = "port")]
    floor: Option<PathBuf>,
    #[arg(long, hide = true)]
    port: Option<u16>,
}

/// What all rows are measured with.
pub struct Plan {
    pub rounds: usize,
    pub kinds: Vec<Kind>,
    /// By which each load is divided.
    pub divisor: u64,
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "progress is not part of the table")]
pub fn tell(line: &str) {
    eprintln!("{line}");
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match (&options.floor, options.port, options.mixed) {
        (Some(file), Some(port), _) => run(floor::serve(file, port)),
        (_, _, Some(minutes)) => run(mixed::measure(minutes)),
        _ if options.providers => run(providers::measure(providers::pages(divisor(&options)))),
        _ if options.status_pages => run(status_pages::measure()),
        _ if options.curves => run(curves::measure(divisor(&options))),
        _ => run(measure(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

async fn measure(options: &Options) -> Result<(), Failure> {
    let plan = plan(options);
    let is_wanted = |rows: &[u8]| options.only.is_none_or(|only| rows.contains(&only));
    let mut lines: Vec<Line> = Vec::new();
    for load in rates::LOADS {
        if is_wanted(load.rows) {
            lines.extend(rates::measure(&plan, load).await?);
        }
    }
    if is_wanted(&[5]) {
        lines.push(memory::measure(&plan).await?);
    }
    if is_wanted(&[7]) {
        lines.extend(pages::idle(&plan).await?);
    }
    if is_wanted(&[8]) {
        lines.push(pages::steady(&plan).await?);
    }
    if is_wanted(&[9]) {
        lines.push(restart::measure(&plan).await?);
    }
    lines.sort_by_key(|line| line.row);
    say(&table::markdown(&lines, &plan));
    Ok(())
}

fn plan(options: &Options) -> Plan {
    let mut kinds = vec![Kind::Reveille, Kind::Alertmanager, Kind::Floor];
    let version = alertmanager::version().filter(|_| !options.no_alertmanager);
    match &version {
        Some(version) => tell(&format!("beside {version}")),
        None => {
            tell("Alertmanager is not installed or was left out: its columns stay empty");
            kinds.retain(|kind| *kind != Kind::Alertmanager);
        }
    }
    Plan {
        rounds: options.rounds.max(1),
        kinds,
        divisor: divisor(options),
    }
}

fn divisor(options: &Options) -> u64 {
    if options.quick { 10 } else { 1 }
}
