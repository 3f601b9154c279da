//! Large loads, and how long everybody else waits meanwhile:
//! `cargo run --release --example loads`, or `-- --only silence` for one of them.
//!
//! Each load runs in a process of its own, on a database in a folder of its own. Beside it somebody
//! acknowledges an incident of another team and posts an event for it, one after the other without
//! a pause. Printed are how long the load itself took, the longest waits of these two, the longest
//! time until the other team's page left, and the memory before, at the most, and after.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use reveille::engine::State;
use reveille::engine::decision::{Answer, SendRequest};
use reveille::engine::event::{Action, Content, Event, EventTime, Labels};
use reveille::engine::ids::{AttemptId, ChannelName, IncidentNumber, SilenceId};
use reveille::engine::input::{Act, ActOn, Actor, Input, Report, SilenceRequest, Verb, Via};
use reveille::engine::matcher::Matcher;
use reveille::engine::outcome::Outcome;
use reveille::engine::page::PageKind;
use reveille::engine::ruleset::{Capabilities, ChannelInfo, Medium, RuleSet};
use reveille::engine::time::Duration;
use reveille::rules::{Environment, SourceFile, check};
use reveille::runtime::clock::Clock;
use reveille::runtime::commit_loop::{CommitLoop, EffectSink, Observer};
use reveille::runtime::cycle::{Cycle, first_inputs};
use reveille::runtime::driver::Driver;
use reveille::runtime::handle::Handle;
use reveille::runtime::monotonic::{MonotonicClock, Reading};
use reveille::runtime::room::Room;
use reveille::store::{Batch, Options as StoreOptions, Partition, SledStore, Store};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is done, and for how many.
const LOADS: &[(&str, &str)] = &[
    ("bundle", "50,000 alerts for one person"),
    ("silence", "a silence over 30,000 incidents, and its end"),
    (
        "routes",
        "50 events on 1,000 continue routes with 2,000 silences",
    ),
    (
        "request",
        "80,000 events in one request, the same routes and silences not matching",
    ),
    (
        "resolve",
        "a group of 50,000 resolved by its source in one request",
    ),
    ("person", "a group of 50,000 resolved by a person"),
    (
        "act",
        "a bundled page about 1,000 incidents acknowledged, then resolved",
    ),
    (
        "start",
        "a start of a new process with 100,000 open incidents whose steps are overdue",
    ),
];

/// How long everybody else waits during large loads.
#[derive(Parser)]
struct Options {
    /// One load alone, in this process.
    #[arg(long)]
    only: Option<String>,
    /// The folder of a load that another process began.
    #[arg(long, hide = true)]
    folder: Option<PathBuf>,
    /// A hundredth of each load, to see that it runs.
    #[arg(long)]
    small: bool,
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match (&options.only, &options.folder) {
        (_, Some(folder)) => run(recover(folder)),
        (Some(name), None) => run(load(name, if options.small { 100 } else { 1 })),
        (None, None) => all(options.small),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn all(small: bool) -> Result<(), Failure> {
    let own = std::env::current_exe()?;
    for (name, what) in LOADS {
        say(&format!("{name}: {what}"));
        let mut command = Command::new(&own);
        command.args(["--only", name]);
        if small {
            command.arg("--small");
        }
        let status = command.status()?;
        if !status.success() {
            return Err(format!("{name} ended with {status}").into());
        }
    }
    Ok(())
}

fn run(load: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(load)
}

const RULES: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000001" }
  bob:
    full_name: Bob Stone
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000002" }
policies:
  team:
    steps:
      - { targets: [user/ana], wait: 5m }
      - { targets: [user/ana], wait: 5m }
  other:
    steps:
      - { targets: [channel/twilio/+351900000009], wait: 5m }
integrations:
  native: { format: native }
  quiet: { format: native }
  many: { format: native }
route:
  policy: team
  group_by: ["..."]
  routes:
    - { name: other, matchers: ["integration=quiet"], policy: other }
    - { name: one, matchers: ["team=one"], group_by: [team] }
"#;

fn rules(routes: usize) -> Arc<RuleSet> {
    let mut text = RULES.to_owned();
    for number in 0..routes {
        let line = format!(
            "    - {{ name: r{number}, matchers: ['integration=~\"ma.+\"', 'summary=~\".*br[a-z]+ \
             {}.*\"'], continue: true }}\n",
            if number % 2 == 0 { "twice" } else { "[tx]wice" }
        );
        text.push_str(&line);
    }
    let file = SourceFile {
        path: "rules.yaml".to_owned(),
        text,
    };
    let channel = ChannelInfo::new("twilio".into(), Medium::Sms, Capabilities::default());
    let environment = Environment {
        channels: vec![channel],
        ..Environment::default()
    };
    let (_, compiled) = check(&[file], &environment);
    let faults = &compiled.faults;
    let rules = compiled.rules;
    Arc::new(rules.unwrap_or_else(|| panic!("rules with faults: {faults:?}")))
}

/// What the other team waited for.
#[derive(Default)]
struct Waits {
    act: AtomicU64,
    event: AtomicU64,
    page: AtomicU64,
    acts: AtomicU64,
    posted: Mutex<Option<Instant>>,
}

fn longest(most: &AtomicU64, since: Instant) {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    most.fetch_max(micros, Ordering::Relaxed);
}

/// Channels that take every page at once.
struct Taker {
    handle: Handle,
    waits: Arc<Waits>,
}

impl EffectSink for Taker {
    fn cancel(&self, _: AttemptId) {}

    fn send(&self, order: Arc<SendRequest>) {
        if order.integration.as_str() == "quiet" {
            let mut posted = self
                .waits
                .posted
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(posted) = posted.take() {
                longest(&self.waits.page, posted);
            }
        }
        self.handle.tell(Input::Outcome(Report {
            attempt: order.attempt,
            outcome: Outcome::Accepted,
            latency_ms: 1,
            provider_message: None,
            reference: None,
            was_started: true,
        }));
    }

    fn send_last(&self, _: Arc<SendRequest>) {}
    fn probe(&self, _: ChannelName) {}
}

/// The largest commit, and the longest.
#[derive(Clone, Default)]
struct Commits(Arc<(AtomicU64, AtomicU64)>);

impl Observer for Commits {
    fn committed(&mut self, batch: &Batch, _: usize, took: Duration) {
        let (changes, longest) = &*self.0;
        changes.fetch_max(batch.changes.len() as u64, Ordering::Relaxed);
        longest.fetch_max(took.0, Ordering::Relaxed);
    }
}

struct Router {
    handle: Handle,
    waits: Arc<Waits>,
    commits: Commits,
    thread: std::thread::JoinHandle<Result<(), reveille::store::Error>>,
}

/// Starts a router on a folder; the clocks are ahead by so much.
fn start(folder: &Path, rules: Arc<RuleSet>, ahead: Duration) -> Result<Router, Failure> {
    let store: Arc<dyn Store> = Arc::new(SledStore::open(folder, StoreOptions::default())?);
    let clock = Clock::start();
    let reading = move || {
        let now = clock.reading();
        Reading {
            wall: now.wall + ahead,
            monotonic: now.monotonic,
        }
    };
    let partition = Partition::default();
    let handle = Handle::new(store.clone(), partition, rules.clone());
    let (waits, commits) = (Arc::new(Waits::default()), Commits::default());
    let outlet = Taker {
        handle: handle.clone(),
        waits: waits.clone(),
    };
    let (to_driver, observer) = (handle.clone(), commits.clone());
    // As in the process itself the driver's thread loads.
    let run = move || {
        let epoch = store.claim(partition)?;
        let loaded = store.load(partition, reading().wall)?;
        let (line, jump) = MonotonicClock::resume(loaded.clocks, reading(), 7);
        let state = State::load(loaded.records, &loaded.receipts);
        let driver = Driver::new(state, rules);
        let works = CommitLoop {
            cycle: Cycle::new(driver, line, Room::new(0), first_inputs(jump)),
            handle: to_driver,
            store,
            partition,
            epoch,
            clock: Box::new(reading),
            effects: Box::new(outlet),
            observer: Box::new(observer),
        };
        works.run()
    };
    let thread = std::thread::spawn(run);
    Ok(Router {
        handle,
        waits,
        commits,
        thread,
    })
}

impl Router {
    fn stop(self) -> Result<(), Failure> {
        self.handle.finish();
        match self.thread.join() {
            Ok(ended) => Ok(ended?),
            Err(_) => Err("the driver panicked".into()),
        }
    }

    /// The other team goes on until it is told to stop.
    async fn others(handle: Handle, waits: Arc<Waits>, goes_on: Arc<AtomicBool>) {
        let mut number = 0;
        while goes_on.load(Ordering::Relaxed) {
            number += 1;
            let at = now();
            let mine = vec![event(Action::Trigger, &format!("quiet{number}"), &[])];
            *waits.posted.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
            let Ok(receipts) = handle.submit("quiet".into(), mine).await else {
                return;
            };
            longest(&waits.event, at);
            let at = now();
            let on = receipts[0].incidents.clone();
            if handle.command(act(on, Verb::Resolve)).await.is_err() {
                return;
            }
            longest(&waits.act, at);
            waits.acts.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }

    /// Does the load while the others go on, and says what came of it.
    async fn measure<T>(
        &self,
        what: &str,
        load: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let before = memory()?;
        for most in [
            &self.waits.act,
            &self.waits.event,
            &self.waits.page,
            &self.waits.acts,
        ] {
            most.store(0, Ordering::Relaxed);
        }
        let (changes, longest) = &*self.commits.0;
        changes.store(0, Ordering::Relaxed);
        longest.store(0, Ordering::Relaxed);
        let goes_on = Arc::new(AtomicBool::new(true));
        let (handle, waits) = (self.handle.clone(), self.waits.clone());
        let others = tokio::spawn(Self::others(handle, waits, goes_on.clone()));
        let began = now();
        let done = load.await?;
        let took = began.elapsed();
        // What it leads to goes on for a while.
        self.settle().await?;
        goes_on.store(false, Ordering::Relaxed);
        others.await?;
        let millis = |most: &AtomicU64| most.load(Ordering::Relaxed) / 1_000;
        say(&format!(
            "  {what:<10} {:>6} ms; others: act {} ms, event {} ms, page {} ms ({} each); commit \
             {} changes, {} ms; memory {} -> {} MiB",
            took.as_millis(),
            millis(&self.waits.act),
            millis(&self.waits.event),
            millis(&self.waits.page),
            self.waits.acts.load(Ordering::Relaxed),
            changes.load(Ordering::Relaxed),
            longest.load(Ordering::Relaxed),
            before.0,
            memory()?.0,
        ));
        Ok(done)
    }

    /// Waits until nothing is due for now.
    async fn settle(&self) -> Result<(), Failure> {
        for _ in 0..600 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            let is_idle = self.handle.read(|view| {
                let due = view.state.next_due().0;
                due.is_none_or(|due| due > view.now.steady + Duration(50))
            });
            if is_idle.await? {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "this measures")]
fn now() -> Instant {
    Instant::now()
}

/// Resident memory now and at the most, in MiB.
fn memory() -> Result<(u64, u64), Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024
    };
    Ok((field("VmRSS:"), field("VmHWM:")))
}

fn event(action: Action, key: &str, labels: &[(&str, &str)]) -> Event {
    let mut all = vec![("host", key), ("alertname", "Broken")];
    all.extend(labels);
    Event {
        action,
        dedup_key: key.into(),
        id: None,
        spoken: EventTime::StateAsserted {
            starts_at: None,
            ends_at: None,
        },
        asserted_by: None,
        content: Arc::new(Content {
            summary: "it broke twice".into(),
            severity: "critical".into(),
            labels: all.into_iter().collect::<Labels>(),
            ..Content::default()
        }),
        faults: Vec::new(),
    }
}

fn events(action: Action, count: usize, labels: &[(&str, &str)]) -> Vec<Event> {
    let keys = (0..count).map(|number| format!("key{number}"));
    keys.map(|key| event(action, &key, labels)).collect()
}

fn actor() -> Actor {
    Actor {
        name: "Bob Stone".into(),
        user: Some("bob".into()),
        via: Via::Api,
    }
}

fn act(on: Vec<IncidentNumber>, verb: Verb) -> Input {
    Input::Act(Act {
        actor: actor(),
        on: ActOn::Incidents(on),
        verb,
    })
}

async fn post(router: &Router, events: Vec<Event>) -> Result<(), Failure> {
    let name = if events.len() == 50 { "many" } else { "native" };
    router.handle.submit(name.into(), events).await?;
    Ok(())
}

async fn fill(router: &Router, count: usize, labels: &[(&str, &str)]) -> Result<(), Failure> {
    let all = events(Action::Trigger, count, labels);
    for part in all.chunks(200) {
        post(router, part.to_vec()).await?;
    }
    Ok(())
}

async fn silence(router: &Router, matchers: &[&str]) -> Result<(SilenceId, usize), Failure> {
    let matchers: Result<Vec<Matcher>, _> = matchers.iter().map(|it| Matcher::parse(it)).collect();
    let now = router.handle.read(|view| view.now.wall).await?;
    let request = SilenceRequest {
        actor: actor(),
        matchers: matchers.map_err(|fault| format!("{fault:?}"))?,
        everything: false,
        from: None,
        until: now + Duration::hours(1),
        reason: "maintenance".into(),
        replaces: None,
    };
    match router.handle.command(Input::Silence(request)).await? {
        Answer::Silence { silence, covers } => Ok((silence, covers)),
        other => Err(format!("not a silence: {other:?}").into()),
    }
}

/// Silences that look hard and cover nothing of what is posted.
async fn many_silences(router: &Router, count: usize) -> Result<(), Failure> {
    for number in 0..count {
        let host = format!("host=~\".*(a|b)c+-{number}.*\"");
        silence(router, &["alertname=~\"Bro.+\"", &host]).await?;
    }
    Ok(())
}

async fn load(name: &str, scale: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let hard = ["routes", "request"].contains(&name);
    let rules = rules(if hard { 1_000 / scale } else { 0 });
    let router = start(folder.path(), rules.clone(), Duration::ZERO)?;
    let one = [("team", "one")];
    match name {
        "bundle" => {
            let posted = fill(&router, 50_000 / scale, &[]);
            router.measure("bundle", posted).await?;
        }
        "silence" => {
            fill(&router, 30_000 / scale, &[]).await?;
            router.settle().await?;
            let set = router.measure("set", silence(&router, &["host=~\"key.*\""]));
            let (id, covers) = set.await?;
            say(&format!("  covers {covers}"));
            let end = Input::ExpireSilence(id);
            let end = async { Ok(router.handle.command(end).await?) };
            router.measure("end", end).await?;
        }
        "routes" => {
            many_silences(&router, 2_000 / scale).await?;
            let posted = events(Action::Trigger, 50, &[]);
            router.measure("post", post(&router, posted)).await?;
        }
        "request" => {
            many_silences(&router, 2_000 / scale).await?;
            let posted = events(Action::Trigger, 80_000 / scale, &[]);
            router.measure("post", post(&router, posted)).await?;
        }
        "resolve" => {
            fill(&router, 50_000 / scale, &one).await?;
            let posted = events(Action::Resolve, 50_000 / scale, &one);
            router.measure("resolve", post(&router, posted)).await?;
        }
        "person" => {
            fill(&router, 50_000 / scale, &one).await?;
            let numbers = router.handle.read(|view| {
                let own = view
                    .state
                    .incidents()
                    .filter(|it| it.route.as_str() == "one");
                own.map(|it| it.number).collect::<Vec<_>>()
            });
            let resolve = act(numbers.await?, Verb::Resolve);
            let resolve = async { Ok(router.handle.command(resolve).await?) };
            router.measure("resolve", resolve).await?;
        }
        "act" => {
            fill(&router, 2_000 / scale, &[]).await?;
            tokio::time::sleep(std::time::Duration::from_secs(20)).await;
            let page = router.handle.read(|view| {
                let mut pages = view.state.pages();
                let bundle = pages.find(|page| page.kind == PageKind::Bundle);
                bundle.map(|page| page.id)
            });
            let page = page.await?.ok_or("no bundled page left")?;
            for (what, verb) in [("ack", Verb::Acknowledge), ("resolve", Verb::Resolve)] {
                let act = Input::Act(Act {
                    actor: actor(),
                    on: ActOn::Page(page),
                    verb,
                });
                let act = async { Ok(router.handle.command(act).await?) };
                router.measure(what, act).await?;
            }
        }
        "start" => {
            fill(&router, 100_000 / scale, &[]).await?;
            router.settle().await?;
            say(&format!("  before the stop {} MiB", memory()?.0));
            router.stop()?;
            let mut command = Command::new(std::env::current_exe()?);
            let status = command.arg("--folder").arg(folder.path()).status()?;
            let error = || format!("the new process ended with {status}");
            return status.success().then_some(()).ok_or_else(|| error().into());
        }
        other => return Err(format!("no load is called {other}").into()),
    }
    say(&format!("  at the most {} MiB", memory()?.1));
    router.stop()
}

/// The start of a new process, twenty minutes later.
async fn recover(folder: &Path) -> Result<(), Failure> {
    let router = start(folder, rules(0), Duration::minutes(20))?;
    let nothing = async { Ok(router.handle.command(Input::Minute).await?) };
    router.measure("start", nothing).await?;
    say(&format!("  at the most {} MiB", memory()?.1));
    router.stop()
}
