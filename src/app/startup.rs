//! Starts the process: what is made in which order, and what each part is given.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::api::audit_log::{AuditEvent, AuditLog};
use crate::api::wire::audit::Action;
use crate::channels::links::Links;
use crate::config::Settings;
use crate::engine::State;
use crate::engine::recovery::crash_loop;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Timestamp;
use crate::rules::zones::Zones;
use crate::runtime::channel_worker::{Sender, Surroundings};
use crate::runtime::clock::{self, Clock};
use crate::runtime::commit_loop::CommitLoop;
use crate::runtime::cycle::{Cycle, first_inputs};
use crate::runtime::driver::Driver;
use crate::runtime::handle::{Handle, NewRules};
use crate::runtime::monotonic::MonotonicClock;
use crate::runtime::room::Room;
use crate::runtime::supervise::Supervisor;
use crate::store::{Epoch, Loaded, Options, Partition, SledStore, Store};
use crate::telemetry::{LostLines, Metrics};

use super::options::ServeOptions;
use super::{
    background, banner, bootstrap, channels, descriptors, desk, observer, revision_store,
    rules_folder, rules_service, secrets, servers, shutdown, status_pages, supervisor, time_zones,
    watching,
};

/// Runs the router until it is told to stop.
pub fn serve(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let filter = options.environment.get("REVEILLE_LOG").map(String::as_str);
    let log = crate::telemetry::start(filter, options.shape)?;
    for warning in &options.warnings {
        let warning = warning.one_line();
        warn!("{warning}");
    }
    crate::channels::http::install_crypto_provider();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("failed to start the asynchronous runtime")?;
    let result = tokio.block_on(run(options, log.lost()));
    // Attempts in flight have had their time; what is left would only delay the end.
    tokio.shutdown_background();
    result
}

async fn run(options: ServeOptions, lost_lines: LostLines) -> anyhow::Result<ExitCode> {
    let clock = Clock::start();
    let (settings, started_at) = (&options.settings, clock::wall_now());
    let bound = servers::bind_all(settings, descriptors::arrange(settings)?)?;
    let store = open_store(settings)?;
    let (driver, loaded) = shutdown::DriverThreadBegun::load(loading(&store, started_at))?;
    let (partition, epoch, loaded) = loaded?;
    let mut first = bootstrap::prepare(&*store, &options)?;
    let metrics = Arc::new(Metrics::new());

    let links = Links::new(&settings.public_url, first.links_secret);
    let channels = channels::build(settings, &links, &standard_output())?;
    let (revisions, time_zones) = open_revision_store(&options, &store, &channels);
    let start = rules_folder::decide(&revisions, settings, options.apply)?;
    let Some(start) = report_faults(start)? else {
        return Ok(ExitCode::from(1));
    };
    first.keep(&*store, (partition, epoch), &loaded, &options)?;

    let in_force = Arc::new(start.in_force);
    let handle = Handle::new(store.clone(), partition, in_force.clone());
    let supervisor = supervisor(&handle, &metrics);
    let sender = start_sender(&channels, (&handle, &supervisor), clock, &metrics);
    let parts = DriverParts {
        store: store.clone(),
        partition,
        epoch,
        loaded,
        in_force,
        clock,
        disk_min_bytes: settings.disk_min_bytes,
    };
    let driver = start_driver(driver, parts, (&handle, &sender, &metrics));
    let audit_log = AuditLog::load(&*store)?;
    let act = audit_log.by_router(Action::RulesApplied, started_at);
    put_in_force(&handle, start.to_apply, act).await?;
    say(&start.warnings, &start.said);

    let rounds = background::Rounds::new(&supervisor, &metrics, &sender, lost_lines);
    let mut background = background::start(&handle, &store, settings, rounds);
    let rulebook = Arc::new(rules_service::RulesService::new(revisions, handle.clone()));
    let desk = Arc::new(desk::Desk::new(channels, &links, supervisor.clone()));
    let around = (&handle, &supervisor);
    let given = (clock, metrics.clone());
    let providers = watching::start(settings, around, given.clone(), &mut background)?;
    let status_pages = status_pages::start(settings, around, given, &mut background);
    let parts = servers::ServerParts {
        handle: &handle,
        rulebook,
        providers,
        desk,
        status_pages,
        metrics: &metrics,
        supervisor: &supervisor,
        first: &first,
        audit_log,
        started_at,
        time_zones,
    };
    let signals = shutdown::Signals::listen();
    let servers = servers::start(settings, &*store, bound, parts).await?;
    greet(&options, &first, &servers);
    shutdown::warn_about_links(settings, &links);
    background.push(supervisor::tell_ready(&handle));

    let code = shutdown::wait(signals, &handle, driver, servers, &sender).await;
    background.iter().for_each(JoinHandle::abort);
    shutdown::never_close(store);
    Ok(code)
}

/// Where the console prints its pages.
fn standard_output() -> crate::channels::console::Screen {
    Arc::new(Mutex::new(std::io::stdout()))
}

/// The time zones in use, as long as this process runs.
fn read_zones(options: &ServeOptions) -> Zones {
    let (zones, warning) = time_zones::load(options.settings.time_zones, &options.environment);
    info!(time_zones.version = %zones, "time zones");
    if let Some(warning) = warning {
        warn!("{warning}");
    }
    zones
}

fn open_store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    let options = Options {
        cache_bytes: settings.store_cache_bytes as u64,
        ..Options::default()
    };
    let store = SledStore::open(&settings.data, options)?;
    if let Some(copy) = store.repaired() {
        let copy = copy.display();
        warn!(
            store.copy = %copy,
            "the database did not open and was repaired; a copy from before the repair was kept"
        );
    }
    Ok(Arc::new(store))
}

/// What the driver's thread does first.
fn loading(
    store: &Arc<dyn Store>,
    now: Timestamp,
) -> impl FnOnce() -> anyhow::Result<(Partition, Epoch, Loaded)> + Send + 'static {
    let store = store.clone();
    move || {
        let partition = Partition::default();
        let epoch = store.claim(partition)?;
        Ok((partition, epoch, store.load(partition, now)?))
    }
}

/// The rules with all that they are read with, and the version of the time zones.
fn open_revision_store(
    options: &ServeOptions,
    store: &Arc<dyn Store>,
    channels: &channels::Built,
) -> (revision_store::RevisionStore, String) {
    let zones = read_zones(options);
    let time_zones = zones.to_string();
    let environment = channels::environment(&options.settings, channels, zones);
    let revisions =
        revision_store::RevisionStore::new(store.clone(), environment, options.environment.clone());
    (revisions, time_zones)
}

/// Puts the rules of the folder in force, if the start asks for it.
async fn put_in_force(
    handle: &Handle,
    new: Option<NewRules>,
    act: AuditEvent,
) -> anyhow::Result<()> {
    let Some(new) = new else {
        return Ok(());
    };
    let record = act.because("by the start").on_revision();
    let new = NewRules {
        record: Some(record),
        ..new
    };
    let revision = handle.apply_rules(new).await?;
    info!(rules.revision = revision.0, "rules put in force");
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

/// Watches over tasks that nobody waits for.
fn supervisor(handle: &Handle, metrics: &Arc<Metrics>) -> Supervisor {
    let metrics = metrics.clone();
    let count = Arc::new(move |task| metrics.task_panicked(task));
    Supervisor::new(tokio::runtime::Handle::current(), handle.clone(), count)
}

fn start_sender(
    channels: &channels::Built,
    (handle, supervisor): (&Handle, &Supervisor),
    clock: Clock,
    metrics: &Arc<Metrics>,
) -> Sender {
    let metrics = metrics.clone();
    let around = Surroundings {
        handle: handle.clone(),
        supervisor: supervisor.clone(),
        monotonic: Arc::new(move || clock.monotonic()),
        on_outcome: Arc::new(move |channel, outcome, took| {
            let took = std::time::Duration::from_millis(took.0);
            metrics.attempt(channel.as_str(), outcome.as_str(), took);
        }),
    };
    let channels = channels.all().iter();
    let named = channels.map(|built| (built.info.name.clone(), built.channel.clone()));
    Sender::new(named.collect(), around)
}

/// What the driver's thread begins with.
struct DriverParts {
    store: Arc<dyn Store>,
    partition: Partition,
    epoch: Epoch,
    loaded: Loaded,
    in_force: Arc<RuleSet>,
    clock: Clock,
    disk_min_bytes: u64,
}

fn start_driver(
    driver: shutdown::DriverThreadBegun,
    parts: DriverParts,
    (handle, sender, metrics): (&Handle, &Sender, &Arc<Metrics>),
) -> shutdown::DriverThread {
    let mut seed = [0; 8];
    secrets::fill(&mut seed);
    let seed = u64::from_be_bytes(seed);
    let (to_driver, outlet, metrics) = (handle.clone(), sender.clone(), metrics.clone());
    let make = move || {
        let clocks = parts.loaded.clocks;
        let (mut line, jump) = MonotonicClock::resume(clocks, parts.clock.reading(), seed);
        let meter = observer::Meter::new(metrics, &parts.loaded.records);
        let state = State::load(parts.loaded.records, &parts.loaded.receipts);
        let clock = parts.clock;
        let (now, _) = line.advance(clock.reading());
        if let Some(count) = crash_loop(&state, now.steady) {
            warn!(
                process.starts = count + 1,
                "started several times in a row without an orderly end"
            );
        }
        let (driver, room) = (
            Driver::new(state, parts.in_force),
            Room::new(parts.disk_min_bytes),
        );
        CommitLoop {
            cycle: Cycle::new(driver, line, room, first_inputs(jump)),
            handle: to_driver,
            store: parts.store,
            partition: parts.partition,
            epoch: parts.epoch,
            clock: Box::new(move || clock.reading()),
            effects: Box::new(outlet),
            observer: Box::new(meter),
        }
    };
    driver.run(handle.clone(), Box::new(make))
}

/// Greets whoever looks at the terminal. A router that nobody looks at pages all the same.
fn greet(options: &ServeOptions, first: &bootstrap::First, servers: &servers::Servers) {
    let text = banner::text(&options.settings, first, servers.address);
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written {
        warn!(%error, "the banner could not be written to standard output");
    }
}
