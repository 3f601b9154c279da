//! The only place that names concrete stores, channels and the real clock. It puts the process
//! together, starts it, and ends it in order.

mod channels;
mod connection;
mod desk;
mod doors;
mod first_start;
mod greeting;
mod observer;
mod revisions;
mod rulebook;
mod rules_folder;
mod secrets;
mod servers;
mod stop;
mod supervisor;
pub mod time_zones;
mod watching;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tracing::{info, warn};

use crate::api::audit::{Act, Action, Journal};
use crate::config::{Settings, Warning};
use crate::engine::State;
use crate::engine::input::Input;
use crate::engine::ruleset::RuleSet;
use crate::engine::shown::is_unwanted;
use crate::engine::time::{Millis, Wall};
use crate::outbound::links::Links;
use crate::rules::zones::Zones;
use crate::runtime::clock::{self, Clock};
use crate::runtime::driver::Driver;
use crate::runtime::handle::{Handle, NewRules};
use crate::runtime::line::{Jump, Line};
use crate::runtime::sender::{Sender, Surroundings};
use crate::runtime::thread::{Works, clock_trouble};
use crate::store::{Loaded, Partition, Store};
use crate::store::{Options, SledStore};
use crate::telemetry::Metrics;
use crate::telemetry::Shape;

pub use channels::web_addresses;

/// What `serve` was asked for.
pub struct ServeOptions {
    pub settings: Settings,
    /// Found while the settings were read; to be logged when the log is set up.
    pub warnings: Vec<Warning>,
    pub apply: ApplyRules,
    /// For keys in rule documents and the first admin token.
    pub environment: BTreeMap<String, String>,
    /// Of the log.
    pub shape: Shape,
}

/// What a start does when the rules folder differs from the rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyRules {
    /// Only into an empty store; otherwise the difference is named.
    IfEmpty,
    /// The folder is put in force.
    Always,
}

/// The present, for commands that show or read times.
pub fn wall_now() -> Wall {
    clock::wall_now()
}

/// By which a key is known without being known: its SHA-256 in hex.
pub fn fingerprint(key: &str) -> String {
    secrets::hex(&secrets::hash(key))
}

/// Runs the router until it is told to stop.
pub fn serve(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let filter = options.environment.get("REVEILLE_LOG").map(String::as_str);
    crate::telemetry::start(filter, options.shape, is_unwanted)?;
    for warning in &options.warnings {
        warn!("{warning}");
    }
    crate::outbound::http::install_crypto_provider();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the asynchronous runtime")?;
    let result = tokio.block_on(run(options));
    // Attempts in flight have had their time; what is left would only delay the end.
    tokio.shutdown_background();
    result
}

async fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let clock = Clock::start();
    let settings = &options.settings;
    let started_at = clock::wall_now();
    let bound = servers::bind_all(settings)?;
    let store = open_store(settings)?;
    let partition = Partition::default();
    let epoch = store.claim(partition)?;
    let loaded = store.load(partition, started_at)?;
    let mut first = first_start::prepare(&*store, &options)?;
    let metrics = Arc::new(Metrics::new());

    let links = Links::new(&settings.public_url, first.links_secret);
    let screen: crate::outbound::console::Screen = Arc::new(Mutex::new(std::io::stdout()));
    let channels = channels::build(settings, &links, &screen)?;
    let zones = read_zones(&options);
    let time_zones = zones.to_string();
    let environment = channels::environment(settings, &channels, zones);
    let shelf = rulebook::Shelf::new(store.clone(), environment, options.environment.clone());
    let start = rules_folder::decide(&shelf, settings, options.apply)?;
    let Some(start) = report_faults(start)? else {
        return Ok(ExitCode::from(1));
    };
    first.keep(&*store, (partition, epoch), &loaded, &options)?;

    let in_force = Arc::new(start.in_force);
    let handle = Handle::new(store.clone(), partition, in_force.clone());
    let sender = start_sender(&channels, &handle, clock, &metrics);
    let driver = start_driver(
        Parts {
            store: store.clone(),
            partition,
            epoch,
            loaded,
            in_force,
            clock,
        },
        (&handle, &sender, &metrics),
    )?;
    let journal = Journal::load(&*store)?;
    if let Some(new) = start.to_apply {
        let act = journal.by_router(Action::RulesApplied, started_at);
        put_in_force(&handle, new, act).await?;
    }
    say(&start.warnings, &start.said);

    let watch = watching::start(&handle, &store, (settings, &metrics, &sender));
    let rulebook = Arc::new(rulebook::Book::new(shelf, handle.clone()));
    let desk = Arc::new(desk::Desk::new(channels, &links));
    let parts = servers::Parts {
        handle: &handle,
        rulebook,
        desk,
        metrics: &metrics,
        first: &first,
        journal,
        started_at,
        time_zones,
    };
    let signals = stop::Signals::listen();
    let servers = servers::start(settings, &*store, bound, parts).await?;
    greet(&options, &first, &servers)?;
    stop::warn_about_links(settings, &links);
    let watchdog = supervisor::tell_ready(&handle);

    let code = stop::wait(signals, &handle, driver, servers, &sender).await;
    watch.abort();
    watchdog.abort();
    Ok(code)
}

/// The time zones in use, as long as this process runs.
fn read_zones(options: &ServeOptions) -> Zones {
    let (zones, warning) = time_zones::load(options.settings.time_zones, &options.environment);
    info!(version = %zones, "time zones");
    if let Some(warning) = warning {
        warn!("{warning}");
    }
    zones
}

fn open_store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    let store = SledStore::open(&settings.data, Options::default())?;
    if let Some(copy) = store.repaired() {
        let copy = copy.display();
        warn!(%copy, "the database did not open and was repaired; as it was, it lies in a copy");
    }
    Ok(Arc::new(store))
}

async fn put_in_force(handle: &Handle, new: NewRules, act: Act) -> anyhow::Result<()> {
    let record = act.because("by the start").on_revision();
    let new = NewRules {
        record: Some(record),
        ..new
    };
    let revision = handle.apply_rules(new).await?;
    info!(revision = revision.0, "rules put in force");
    Ok(())
}

/// Tells the log about the rules with which the process starts.
fn say(warnings: &[String], said: &[String]) {
    for warning in warnings {
        warn!("{warning}");
    }
    for line in said {
        info!("{line}");
    }
}

/// Prints the faults of rules that cannot be put in force.
fn report_faults(
    start: Result<rules_folder::Start, Vec<String>>,
) -> anyhow::Result<Option<rules_folder::Start>> {
    match start {
        Ok(start) => Ok(Some(start)),
        Err(faults) => {
            let mut out = std::io::stderr().lock();
            for fault in faults {
                writeln!(out, "{fault}")?;
            }
            Ok(None)
        }
    }
}

fn start_sender(
    channels: &channels::Built,
    handle: &Handle,
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Sender {
    let on_outcome = observer::on_outcome(metrics.clone());
    let around = Surroundings {
        handle: handle.clone(),
        tokio: tokio::runtime::Handle::current(),
        monotonic: Arc::new(move || clock.monotonic()),
        on_outcome,
    };
    Sender::start(channels.lanes(), around)
}

/// What the driver's thread begins with.
struct Parts {
    store: Arc<dyn Store>,
    partition: Partition,
    epoch: crate::store::Epoch,
    loaded: Loaded,
    in_force: Arc<RuleSet>,
    clock: Clock,
}

fn start_driver(
    parts: Parts,
    (handle, sender, metrics): (&Handle, &Sender, &Arc<Metrics>),
) -> anyhow::Result<stop::DriverThread> {
    let mut seed = [0; 8];
    secrets::fill(&mut seed);
    let clocks = parts.loaded.clocks;
    let (line, jump) = Line::resume(clocks, parts.clock.reading(), u64::from_be_bytes(seed));
    let mut first = vec![Input::Start];
    if let Some(Jump::Back(by) | Jump::Ahead(by)) = jump {
        first.push(clock_trouble(by));
    }
    let meter = observer::Meter::new(metrics.clone(), &parts.loaded.records);
    let state = State::load(parts.loaded.records, &parts.loaded.receipts);
    let clock = parts.clock;
    let works = Works {
        driver: Driver::new(state, parts.in_force),
        handle: handle.clone(),
        store: parts.store,
        partition: parts.partition,
        epoch: parts.epoch,
        line,
        clock: Box::new(move || clock.reading()),
        outlet: Box::new(sender.clone()),
        observer: Box::new(meter),
    };
    stop::DriverThread::spawn(works, first)
}

fn greet(
    options: &ServeOptions,
    first: &first_start::First,
    servers: &servers::Servers,
) -> anyhow::Result<()> {
    let text = greeting::text(&options.settings, first, servers.address);
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .context("failed to write the greeting")?;
    out.flush().context("failed to write the greeting")
}

/// A length of the settings as the engine counts it.
fn millis(length: std::time::Duration) -> Millis {
    Millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}
