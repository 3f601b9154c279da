//! Mixed load on a real router for a while: events to a receiver that takes them, to a slow one, to
//! one that never answers and to one that asks to wait for a day, a storm for one person, and a log
//! that cannot be written. It tells how long who had to wait, how much memory was used, and whether
//! every page arrived. `cargo run --release --example soak -- --minutes 10`, after a build of the
//! binary with the same profile. Linux only: memory is read from `/proc`.

#![expect(
    clippy::disallowed_methods,
    reason = "it measures real time, and calls the router as a client does"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Parser;
use serde_json::{Value, json};

#[derive(Parser)]
struct Options {
    /// How long the load lasts.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Events of the storm, which begins after a quarter of the time.
    #[arg(long, default_value_t = 20_000)]
    storm: usize,
    /// The binary.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/reveille"))]
    binary: String,
}

/// What a receiver does with a page.
#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    Takes,
    Slow,
    Mute,
    AsksToWait,
}

/// When each title arrived first.
type Arrived = Arc<Mutex<BTreeMap<String, Instant>>>;

struct Receiver {
    port: u16,
    arrived: Arrived,
    /// Incidents that its bundled pages were about.
    bundled: Arc<Mutex<u64>>,
}

async fn take(
    State((manner, arrived, bundled)): State<(Behaviour, Arrived, Arc<Mutex<u64>>)>,
    body: String,
) -> (StatusCode, HeaderMap) {
    let value: Value = serde_json::from_str(&body).unwrap_or_default();
    let incidents = &value["data"]["incidents"];
    let mut headers = HeaderMap::new();
    match manner {
        Behaviour::Takes => {}
        Behaviour::Slow => tokio::time::sleep(Duration::from_secs(3)).await,
        Behaviour::Mute => tokio::time::sleep(Duration::from_secs(60)).await,
        Behaviour::AsksToWait => {
            headers.insert("retry-after", "86400".parse().expect("a number"));
            return (StatusCode::TOO_MANY_REQUESTS, headers);
        }
    }
    let mut known = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    for incident in incidents.as_array().into_iter().flatten() {
        let title = incident["title"].as_str().unwrap_or_default().to_owned();
        known.entry(title).or_insert_with(Instant::now);
    }
    let total = value["data"]["incidents_total"]
        .as_u64()
        .unwrap_or_default();
    *bundled.lock().unwrap_or_else(PoisonError::into_inner) += total;
    (StatusCode::OK, headers)
}

async fn receiver(manner: Behaviour) -> Receiver {
    let arrived = Arrived::default();
    let bundled = Arc::new(Mutex::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let state = (manner, arrived.clone(), bundled.clone());
    let router = Router::new().route("/", post(take)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Receiver {
        port,
        arrived,
        bundled,
    }
}

fn rules(ports: &[(&str, u16)]) -> String {
    let (mut policies, mut routes) = (String::new(), String::new());
    let mut person = 0;
    for (name, port) in ports {
        if *name == "storm" {
            person = *port;
            continue;
        }
        let target = format!("channel/hooks/http://127.0.0.1:{port}/");
        policies += &format!("  {name}: {{ steps: [{{ targets: [\"{target}\"], wait: 2h }}] }}\n");
        routes +=
            &format!("    - {{ name: {name}, matchers: ['to=\"{name}\"'], policy: {name} }}\n");
    }
    format!(
        "users:\n  ana:\n    full_name: Ana Silva\n    contacts:\n      hook: {{ webhook: \
         \"http://127.0.0.1:{person}/\" }}\npolicies:\n  storm: {{ steps: [{{ targets: [user/ana], \
         wait: 2h }}] }}\n{policies}integrations:\n  native: {{ format: native }}\nroute:\n  policy: \
         storm\n  group_by: [\"...\"]\n  routes:\n{routes}"
    )
}

fn start(folder: &Path, options: &Options, ports: &[(&str, u16)]) -> (Child, String, String) {
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port();
    let url = format!("http://127.0.0.1:{port}");
    let settings = format!(
        "listen = \"127.0.0.1:{port}\"\npublic_url = \"{url}\"\n[outbound]\nallow_networks = \
         [\"127.0.0.0/8\"]\n[[channel]]\nname = \"hooks\"\nkind = \"webhook\"\nsecret = \
         \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr\"\n"
    );
    std::fs::write(folder.join("reveille.toml"), settings).expect("settings");
    std::fs::create_dir(folder.join("rules")).expect("a folder");
    std::fs::write(folder.join("rules/all.yaml"), rules(ports)).expect("rules");
    // A disk without room for the log.
    let log = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let binary = std::fs::canonicalize(&options.binary).expect("the binary is built");
    let child = Command::new(binary)
        .arg("serve")
        .current_dir(folder)
        .env_clear()
        .stdout(Stdio::null())
        .stderr(log.expect("/dev/full"))
        .spawn();
    (
        child.expect("the binary"),
        url,
        folder.display().to_string(),
    )
}

/// How long several things took, and when after the begin of all.
#[derive(Clone)]
struct Times {
    begin: Instant,
    taken: Arc<Mutex<Vec<(Duration, Duration)>>>,
}

impl Times {
    fn from(begin: Instant) -> Self {
        Self {
            begin,
            taken: Arc::default(),
        }
    }

    fn add(&self, time: Duration) {
        let when = self.begin.elapsed();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.push((time, when));
    }

    fn show(&self, what: &str) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = taken.clone();
        taken.sort();
        let times: Vec<Duration> = taken.iter().map(|(time, _)| *time).collect();
        let at = |part: f64| {
            let index = (times.len() as f64 * part) as usize;
            times
                .get(index.min(times.len().saturating_sub(1)))
                .copied()
                .unwrap_or_default()
        };
        say(&format!(
            "{what:<34} {:>7}  p50 {:>8.1?}  p99 {:>8.1?}  max {:>8.1?}",
            times.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        ));
    }

    /// The longest ones, and when they ended.
    fn show_longest(&self) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = taken.clone();
        taken.sort();
        let longest = taken.iter().rev().take(5);
        let longest =
            longest.map(|(time, when)| format!("{time:.0?} at {:.0} s", when.as_secs_f64()));
        let longest: Vec<String> = longest.collect();
        say(&format!("  longest: {}", longest.join(", ")));
    }
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}

fn resident_mebibytes(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or_default() / 1_024
}

/// Somebody who posts and acts.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
    token: String,
    refusals: Refusals,
}

/// Answers other than 202, and how many there were; each is asked again after 100 ms.
#[derive(Clone, Default)]
struct Refusals(Arc<Mutex<BTreeMap<String, u64>>>);

impl Refusals {
    fn add(&self, answer: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(answer.to_owned()).or_default() += 1;
    }

    fn show(&self) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        say(&format!(
            "events that were not accepted at first: {counts:?}"
        ));
    }
}

impl Client {
    /// Posts a trigger until it is taken; the answer is its incident.
    async fn trigger(&self, title: &str, to: &str) -> Option<u64> {
        let body = json!({"summary": title, "dedup_key": title, "id": title,
            "severity": "critical", "labels": {"to": to}});
        for _ in 0..50 {
            let request = self.http.post(format!("{}/v1/events", self.url));
            let answer = request
                .bearer_auth(&self.key)
                .body(body.to_string())
                .send()
                .await;
            match answer {
                Ok(answer) if answer.status() == reqwest::StatusCode::ACCEPTED => {
                    let value: Value = answer.json().await.unwrap_or_default();
                    return value["receipts"][0]["incidents"][0].as_u64();
                }
                Ok(answer) => self.refusals.add(&answer.status().to_string()),
                Err(error) => self.refusals.add(&error.to_string()),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    async fn resolve(&self, incident: u64) -> bool {
        let path = format!("{}/v1/incidents/{incident}/resolve", self.url);
        let request = self.http.post(path).bearer_auth(&self.token).body("{}");
        let answer = request
            .header("content-type", "application/json")
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

/// How many commits took longer than these bounds of the router's own histogram: whether a wait was
/// one for the disk.
async fn slow_commits(client: &Client) -> String {
    let asked = client.http.get(format!("{}/metrics", client.url));
    let text = match asked.send().await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(error) => return error.to_string(),
    };
    let buckets = text.lines().filter_map(|line| {
        let line = line.strip_prefix("reveille_commit_seconds_bucket{le=\"")?;
        let (bound, count) = line.split_once("\"} ")?;
        Some((bound.parse::<f64>().ok()?, count.parse::<u64>().ok()?))
    });
    let buckets: Vec<(f64, u64)> = buckets.collect();
    let all = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let long = buckets
        .iter()
        .filter(|(bound, _)| (0.05..0.5).contains(bound));
    let long = long.map(|(bound, count)| format!("over {:.0} ms {}", bound * 1e3, all - count));
    let long: Vec<String> = long.collect();
    format!("commits: {all}, {}", long.join(", "))
}

async fn ready(folder: &str, url: &str) -> Client {
    let http = reqwest::Client::new();
    loop {
        let answer = http.get(format!("{url}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let read = |name: &str| {
        let text = std::fs::read_to_string(format!("{folder}/data/{name}"));
        text.expect("made at the first start").trim().to_owned()
    };
    Client {
        http,
        url: url.to_owned(),
        key: read("first-key"),
        token: read("admin-token"),
        refusals: Refusals::default(),
    }
}

/// Posts to one receiver, again and again, until the end. What was accepted, and when.
async fn load(
    client: Client,
    (to, pause): (&'static str, Duration),
    end: Instant,
    (posts, acts): (Times, Times),
) -> BTreeMap<String, Instant> {
    let mut accepted = BTreeMap::new();
    let mut number = 0;
    let mut open = std::collections::VecDeque::new();
    while Instant::now() < end {
        let title = format!("{to} {number}");
        number += 1;
        let began = Instant::now();
        if let Some(incident) = client.trigger(&title, to).await {
            posts.add(began.elapsed());
            accepted.insert(title, Instant::now());
            open.push_back(incident);
        }
        // Somebody deals with them after a while.
        if open.len() > 50
            && let Some(incident) = open.pop_front()
        {
            let began = Instant::now();
            if client.resolve(incident).await {
                acts.add(began.elapsed());
            }
        }
        tokio::time::sleep(pause).await;
    }
    accepted
}

async fn storm(client: Client, events: usize) {
    let senders = (0..8).map(|sender| {
        let client = client.clone();
        tokio::spawn(async move {
            for number in 0..events / 8 {
                client
                    .trigger(&format!("storm {sender}-{number}"), "storm")
                    .await;
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        // A sender that failed is seen by what did not arrive.
        let _joined = sender.await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let well = receiver(Behaviour::Takes).await;
    let slow = receiver(Behaviour::Slow).await;
    let mute = receiver(Behaviour::Mute).await;
    let wait = receiver(Behaviour::AsksToWait).await;
    let person = receiver(Behaviour::Takes).await;
    let ports = [
        ("well", well.port),
        ("slow", slow.port),
        ("mute", mute.port),
        ("wait", wait.port),
        ("storm", person.port),
    ];
    let (mut child, url, place) = start(folder.path(), &options, &ports);
    let client = ready(&place, &url).await;
    let began = Instant::now();
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let end = began + length;
    let (posts, acts, others) = (Times::from(began), Times::from(began), Times::from(began));
    let times = (posts.clone(), acts.clone());
    let pauses = [("slow", 1_000), ("mute", 1_000), ("wait", 1_000)].map(|(to, pause)| {
        let load = load(
            client.clone(),
            (to, Duration::from_millis(pause)),
            end,
            times.clone(),
        );
        tokio::spawn(load)
    });
    let own = Duration::from_millis(100);
    let wanted = tokio::spawn(load(client.clone(), ("well", own), end, times.clone()));
    let storms = tokio::spawn({
        let (client, events) = (client.clone(), options.storm);
        async move {
            tokio::time::sleep(length / 4).await;
            storm(client, events).await;
        }
    });
    let mut memory = Vec::new();
    while Instant::now() < end {
        memory.push(resident_mebibytes(&child));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let accepted = wanted.await.unwrap_or_default();
    let _done = storms.await;
    for load in pauses {
        let _done = load.await;
    }
    // The last bundled page leaves within a minute.
    tokio::time::sleep(Duration::from_secs(75)).await;
    let commits = slow_commits(&client).await;
    let arrived = well.arrived.lock().unwrap_or_else(PoisonError::into_inner);
    let mut missing = 0;
    for (title, at) in &accepted {
        match arrived.get(title) {
            Some(came) => others.add(came.saturating_duration_since(*at)),
            None => missing += 1,
        }
    }
    let bundled = *person
        .bundled
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    client.refusals.show();
    say(&commits);
    posts.show("an event is accepted after");
    posts.show_longest();
    acts.show("an incident is resolved after");
    acts.show_longest();
    others.show("a page to the good receiver after");
    let most = memory.iter().max().copied().unwrap_or_default();
    let first = memory.get(10).copied().unwrap_or_default();
    let last = resident_mebibytes(&child);
    say(&format!(
        "memory: {first} MiB at first, {most} MiB at most, {last} MiB at the end"
    ));
    say(&format!(
        "pages that did not arrive: {missing} of {}",
        accepted.len()
    ));
    say(&format!(
        "incidents told to the person: {bundled} of {}",
        options.storm
    ));
    if child.kill().and_then(|()| child.wait()).is_err() {
        return ExitCode::FAILURE;
    }
    if missing > 0 || bundled < options.storm as u64 {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
