//! A world on moved time: real rules from YAML, the cycle that production runs, scripted channels,
//! and a durable copy from which a crash starts again. A message that no test expected fails it,
//! and so does a quarantined input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reveille::api::wire::sentence::Sentence;
use reveille::engine::State;
use reveille::engine::audit::{Audit, audit};
use reveille::engine::decision::{Answer, SendRequest, ThreadRef};
use reveille::engine::ids::{AttemptId, ChannelName, IncidentNumber, PageId};
use reveille::engine::incident::Incident;
use reveille::engine::input::{Input, Probed, Report};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::{Page, PageKind, Recipient, UpdateKind};
use reveille::engine::records::Entry;
use reveille::engine::ruleset::{ChannelInfo, RuleSet};
use reveille::engine::time::{Duration, Now, Timestamp};
use reveille::rules::{self, Environment, SourceFile};
use reveille::runtime::cycle::{Cycle, Release, first_inputs, released};
use reveille::runtime::driver::{Driver, not_started};
use reveille::runtime::handle::NewRules;
use reveille::runtime::monotonic::{MonotonicClock, Reading};
use reveille::runtime::room::Room;
use reveille::runtime::turn::{Command, Done, Job, Reply, Request, Turn};

use super::channels::{Fake, Play, usual};
use super::durable::Durable;

/// Monday, 2 March 2026, 08:00 UTC: when a world begins unless it says otherwise.
pub const BEGIN: &str = "2026-03-02T08:00:00Z";
/// How long a channel takes for an answer.
const LATENCY: Duration = Duration(100);

/// Before what in a turn the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    Commit,
    Answers,
    Sends,
}

/// One message that a channel was handed.
#[derive(Clone, Debug)]
pub struct Sent {
    pub label: String,
    /// After the world began.
    pub at: Duration,
    pub order: Arc<SendRequest>,
}

/// Something that a channel will do.
enum Coming {
    Answer(Report),
    Opens(Arc<SendRequest>, Outcome),
    Probed(ChannelName, Outcome),
}

pub struct World {
    cycle: Cycle<u64>,
    /// Requests for which the last turn had no room.
    left: Vec<Request<u64>>,
    /// What was said to whoever has this ticket.
    answers: BTreeMap<u64, Reply>,
    tickets: u64,
    /// The rules that a start would find.
    durable_rules: Arc<RuleSet>,
    environment: Environment,
    pub durable: Durable,
    /// Wall clock less time passed.
    origin: Timestamp,
    /// Time passed since the world began.
    pub passed: Duration,
    fakes: BTreeMap<ChannelName, Fake>,
    coming: BTreeMap<(Duration, u64), Coming>,
    sequence: u64,
    cancelled: BTreeSet<AttemptId>,
    seen: Vec<Sent>,
    /// Everything that was ever handed to a channel.
    pub sent: Vec<Sent>,
    /// When each channel was asked how it is.
    pub probed: Vec<(Duration, ChannelName)>,
    next_minute: Duration,
    commits: usize,
    /// Where the process is yet to die.
    deaths: Vec<(usize, Boundary)>,
    pub crashes: usize,
    /// Attempts that had left, or were about to, without a durable outcome when the process died.
    pub interrupted: Vec<AttemptId>,
    /// A failed expectation has said all there is to say.
    is_over: bool,
}

impl World {
    /// A world with the usual channels.
    pub fn new(yaml: &str) -> Self {
        Self::with(yaml, usual(), BEGIN)
    }

    pub fn with(yaml: &str, channels: Vec<ChannelInfo>, begin: &str) -> Self {
        let environment = Environment {
            channels,
            ..Environment::default()
        };
        Self::in_environment(yaml, environment, begin)
    }

    pub fn in_environment(yaml: &str, environment: Environment, begin: &str) -> Self {
        let origin = Timestamp::from(begin.parse::<jiff::Timestamp>().expect("a moment"));
        let rules = Arc::new(compiled(yaml, &environment));
        let reading = Reading {
            wall: origin,
            monotonic: Duration::ZERO,
        };
        let (clock, _) = MonotonicClock::resume(Default::default(), reading, 7);
        let driver = Driver::new(State::default(), rules.clone());
        let mut world = Self {
            cycle: Cycle::new(driver, clock, Room::new(0), Vec::new()),
            left: Vec::new(),
            answers: BTreeMap::new(),
            tickets: 0,
            durable_rules: rules,
            environment,
            durable: Durable::default(),
            origin,
            passed: Duration::ZERO,
            fakes: BTreeMap::new(),
            coming: BTreeMap::new(),
            sequence: 0,
            cancelled: BTreeSet::new(),
            seen: Vec::new(),
            sent: Vec::new(),
            probed: Vec::new(),
            next_minute: Duration::minutes(1),
            commits: 0,
            deaths: Vec::new(),
            crashes: 0,
            interrupted: Vec::new(),
            is_over: false,
        };
        world.ask(Input::Start);
        world
    }

    pub fn state(&self) -> &State {
        self.cycle.driver.state()
    }

    pub fn rules(&self) -> Arc<reveille::engine::ruleset::RuleSet> {
        self.cycle.driver.rules().clone()
    }

    pub fn wall(&self) -> Timestamp {
        self.origin + self.passed
    }

    /// The present as the driver is given it.
    pub fn now(&mut self) -> Now {
        let reading = self.reading();
        self.cycle.now(reading)
    }

    fn reading(&self) -> Reading {
        Reading {
            wall: self.wall(),
            monotonic: self.passed,
        }
    }

    // ---- what happens -------------------------------------------------------------------------

    /// Gives one input, and once more after a crash that left it without an answer.
    #[expect(clippy::needless_pass_by_value, reason = "a time line reads better so")]
    pub fn ask(&mut self, input: Input) -> Answer {
        for _ in 0..3 {
            match self.try_job(Job::Input(input.clone())) {
                Some(Ok(Done::Answer(answer))) => return answer,
                Some(other) => panic!("not an answer: {other:?}"),
                None => {}
            }
        }
        panic!("no answer in three tries");
    }

    /// What is said to a job; nothing after a crash.
    fn try_job(&mut self, job: Job) -> Option<Reply> {
        self.tickets += 1;
        let ticket = self.tickets;
        match job {
            Job::Input(Input::Events {
                integration,
                events,
            }) => {
                let request = Request {
                    integration,
                    events,
                    waiter: ticket,
                    is_admitted: true,
                };
                self.turn(Vec::new(), vec![request]);
            }
            job => {
                let waiter = Some(ticket);
                self.turn(vec![Command { job, waiter }], Vec::new());
            }
        }
        self.answers.remove(&ticket)
    }

    /// Commands and events of one batch, of which nobody waits for an answer.
    pub fn batch(&mut self, commands: Vec<Input>, events: Vec<Input>) {
        let commands = commands.into_iter().map(Command::without_waiter);
        self.turn(commands.collect(), requests(events));
    }

    /// Another rule set is put in force.
    pub fn replace_rules(&mut self, yaml: &str) {
        let rules = compiled(yaml, &self.environment);
        self.put(&rules);
    }

    /// Other channels and rules, as after a restart with other settings.
    pub fn replace_channels(&mut self, yaml: &str, channels: Vec<ChannelInfo>) {
        self.environment.channels = channels;
        self.replace_rules(yaml);
    }

    fn put(&mut self, rules: &RuleSet) {
        for _ in 0..3 {
            let new = NewRules {
                rules: rules.clone(),
                document: Vec::new(),
                expected: None,
                record: None,
            };
            if let Some(done) = self.try_job(Job::Rules(Box::new(new))) {
                assert!(matches!(done, Ok(Done::Rules(Ok(_)))));
                return;
            }
        }
        panic!("no answer in three tries");
    }

    /// Turns until everything that these begin is finished, as in production nothing passes before;
    /// nothing after a crash.
    fn turn(&mut self, commands: Vec<Command<u64>>, requests: Vec<Request<u64>>) -> Option<()> {
        let mut taken = (commands, requests);
        loop {
            self.one_turn(taken)?;
            let has_tasks = self.state().tasks().all().next().is_some();
            let is_behind = self.cycle.is_behind();
            if !has_tasks && !is_behind && self.left.is_empty() {
                return Some(());
            }
            let requests = match is_behind {
                true => Vec::new(),
                false => std::mem::take(&mut self.left),
            };
            taken = (Vec::new(), requests);
        }
    }

    fn one_turn(&mut self, taken: (Vec<Command<u64>>, Vec<Request<u64>>)) -> Option<()> {
        let turn = self.begin(taken);
        let is_commit = !turn.is_empty();
        self.commits += usize::from(is_commit);
        let commits = self.commits;
        let mut deaths = self.deaths.iter();
        let death = deaths.position(|(at, _)| is_commit && commits == *at);
        let boundary = death.map(|at| self.deaths.remove(at).1);
        if boundary != Some(Boundary::Commit) {
            if is_commit {
                self.durable.commit(&turn.batch);
                self.durable_rules = self.rules();
            }
            if boundary != Some(Boundary::Answers) {
                let is_dying = boundary == Some(Boundary::Sends);
                for release in released(turn) {
                    self.release(release, is_dying);
                }
            }
        }
        if boundary.is_some() {
            self.crash_for(Duration::seconds(2));
            return None;
        }
        let found = self.audit();
        assert_eq!(found.stuck, Vec::new(), "L1 at {}", self.passed);
        assert_eq!(found.idle_pages, Vec::new(), "at {}", self.passed);
        Some(())
    }

    fn begin(&mut self, taken: (Vec<Command<u64>>, Vec<Request<u64>>)) -> Turn<u64> {
        let now = self.now();
        let begun = self.cycle.begin(taken, now, || None);
        let quarantined = &begun.turn.quarantined;
        assert!(quarantined.is_empty(), "{quarantined:?}");
        self.left.extend(begun.left.requests);
        begun.turn
    }

    /// One thing after a commit. A process that dies then hands nothing to its channels.
    fn release(&mut self, release: Release<u64>, is_dying: bool) {
        match release {
            Release::Cancel(attempt) => {
                self.cancelled.insert(attempt);
            }
            Release::Answer(ticket, reply) => {
                self.answers.insert(ticket, reply);
            }
            Release::Rules(_) => {}
            Release::Send(_) | Release::Probe(_) if is_dying => {}
            Release::Send(order) => self.send(order),
            Release::Probe(channel) => {
                self.probed.push((self.passed, channel.clone()));
                let fake = self.fakes.entry(channel.clone()).or_default();
                let (after, outcome) = (fake.probe_after, fake.probe);
                self.comes(after, Coming::Probed(channel, outcome));
            }
        }
    }

    /// One turn and its commit, and nothing of what follows them: what it answered of these, and
    /// what it cost.
    pub fn bare_turn(&mut self, commands: Vec<Input>, events: Vec<Input>) -> (Vec<Reply>, u64) {
        let before = self.tickets;
        let mut ticket = || {
            self.tickets += 1;
            self.tickets
        };
        let waited_for = |input| Command {
            job: Job::Input(input),
            waiter: Some(ticket()),
        };
        let commands = commands.into_iter().map(waited_for).collect();
        let mut requests = requests(events);
        for request in &mut requests {
            request.waiter = ticket();
        }
        let turn = self.begin((commands, requests));
        self.commits += 1;
        self.durable.commit(&turn.batch);
        let replies = turn.replies.into_iter();
        let own = replies.filter(|(ticket, _)| *ticket > before);
        (own.map(|(_, reply)| reply).collect(), turn.work)
    }

    pub fn audit(&mut self) -> Audit {
        let now = Now {
            wall: self.wall(),
            steady: self.now().steady,
            seed: 0,
        };
        audit(self.state(), &self.rules(), now)
    }

    /// How many commits there were.
    pub fn commits(&self) -> usize {
        self.commits
    }

    /// The process dies at this boundary of a commit, and starts again two seconds later.
    pub fn crash_at(&mut self, commit: usize, boundary: Boundary) {
        self.deaths.push((commit, boundary));
    }

    /// The process dies now and is away for so long.
    pub fn crash_for(&mut self, away: Duration) {
        self.crashes += 1;
        let state = self.durable.load();
        let attempts = state.pages().flat_map(|page| &page.attempts);
        let open = attempts.filter(|known| known.outcome.is_none() && !known.is_interrupted);
        self.interrupted.extend(open.map(|known| known.id));
        self.coming.clear();
        self.cancelled.clear();
        self.passed = Duration(self.passed.0 + away.0);
        self.next_minute = Duration(self.passed.0 + 60_000);
        self.left.clear();
        let (clock, jump) = MonotonicClock::resume(self.durable.clocks, self.reading(), 11);
        let driver = Driver::new(state, self.durable_rules.clone());
        self.cycle = Cycle::new(driver, clock, Room::new(0), first_inputs(jump));
        self.turn(Vec::new(), Vec::new());
    }

    /// The process is stopped and starts again a second later under a clock that is so many seconds
    /// ahead, or back.
    pub fn starts_under_clock(&mut self, seconds: i64) {
        self.origin = Timestamp(self.origin.0 + seconds * 1_000);
        self.crash_for(Duration::seconds(1));
    }

    /// The wall clock is set by so many seconds, ahead or back.
    pub fn wall_jumps(&mut self, seconds: i64) {
        self.origin = Timestamp(self.origin.0 + seconds * 1_000);
        self.turn(Vec::new(), Vec::new());
    }

    // ---- channels -----------------------------------------------------------------------------

    pub fn fake(&mut self, channel: &str) -> &mut Fake {
        self.fakes.entry(channel.into()).or_default()
    }

    /// The next attempts on a channel are answered so.
    pub fn next(&mut self, channel: &str, plays: impl IntoIterator<Item = Play>) {
        self.fake(channel).next.extend(plays);
    }

    /// All attempts on a channel are answered so from now on.
    pub fn always(&mut self, channel: &str, outcome: Outcome) {
        self.fake(channel).default = Play::Says(outcome);
    }

    fn comes(&mut self, after: Duration, coming: Coming) {
        self.sequence += 1;
        let at = Duration(self.passed.0 + after.0);
        self.coming.insert((at, self.sequence), coming);
    }

    fn send(&mut self, order: Arc<SendRequest>) {
        let fake = self.fakes.entry(order.channel.clone()).or_default();
        let play = fake.play(&order.address);
        let (after, outcome) = match play {
            Play::LooksUp(wait, outcome) => {
                self.comes(wait, Coming::Opens(order, outcome));
                return;
            }
            Play::Says(outcome) => (LATENCY, outcome),
            Play::Late(after, outcome) => (after, outcome),
            Play::Silence => (order.deadline, Outcome::Unknown),
            Play::Lost => (Duration::days(1_000), Outcome::Unknown),
        };
        self.open(&order, after, outcome);
    }

    fn open(&mut self, order: &Arc<SendRequest>, after: Duration, outcome: Outcome) {
        let sent = Sent {
            label: label(order),
            at: self.passed,
            order: order.clone(),
        };
        self.seen.push(sent.clone());
        self.sent.push(sent);
        let report = Report {
            attempt: order.attempt,
            outcome,
            latency_ms: after.0,
            provider_message: None,
            reference: outcome
                .is_sent()
                .then(|| format!("ref-{}", order.attempt).into()),
            was_started: true,
        };
        self.comes(after, Coming::Answer(report));
    }

    fn come(&mut self, coming: Coming) {
        let input = match coming {
            Coming::Answer(report) => Input::Outcome(report),
            Coming::Opens(order, _) if self.cancelled.contains(&order.attempt) => {
                Input::Outcome(not_started(order.attempt))
            }
            Coming::Opens(order, outcome) => {
                return self.open(&order, LATENCY, outcome);
            }
            Coming::Probed(channel, outcome) => {
                let fake = self.fakes.entry(channel.clone()).or_default();
                Input::Probed(Probed {
                    channel,
                    outcome,
                    provider_message: None,
                    capacity: fake.capacity.clone(),
                    certificate: fake.certificate,
                })
            }
        };
        self.batch(vec![input], Vec::new());
    }

    // ---- time ---------------------------------------------------------------------------------

    /// Lets time pass until this moment after the beginning, as `hh:mm:ss`.
    pub fn at(&mut self, time: &str) {
        let target = length(time);
        assert!(target >= self.passed, "time does not go back to {time}");
        self.until(target);
    }

    /// Lets so much time pass, as `hh:mm:ss`.
    pub fn wait(&mut self, time: &str) {
        let target = Duration(self.passed.0 + length(time).0);
        self.until(target);
    }

    pub fn until(&mut self, target: Duration) {
        loop {
            let next = self.next_moment();
            if next > target {
                break;
            }
            self.passed = self.passed.max(next);
            self.happen();
        }
        self.passed = self.passed.max(target);
    }

    fn next_moment(&mut self) -> Duration {
        let reading = self.reading();
        let ahead = self.cycle.wait(reading);
        let due = ahead.map(|ahead| Duration(self.passed.0 + ahead.0));
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        [due, coming, Some(self.next_minute)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.next_minute)
    }

    fn happen(&mut self) {
        if self.next_minute <= self.passed {
            self.next_minute = Duration(self.passed.0 + 60_000);
            self.batch(vec![Input::Minute], Vec::new());
        }
        while let Some(entry) = self.coming.first_entry() {
            if entry.key().0 > self.passed {
                break;
            }
            let coming = entry.remove();
            self.come(coming);
        }
        for _ in 0..1_000 {
            let now = self.now();
            if !self.cycle.is_due(now) {
                return;
            }
            self.batch(Vec::new(), Vec::new());
        }
        let now = self.now();
        let key = self.state().due(now.steady, now.wall, &BTreeSet::new());
        panic!("a timer is due again and again: {key:?}");
    }

    // ---- what is expected ---------------------------------------------------------------------

    /// The messages since the last look, in any order; no others.
    #[track_caller]
    pub fn expect<const N: usize>(&mut self, expected: [&str; N]) {
        let mut seen: Vec<String> = self.seen.drain(..).map(|sent| sent.label).collect();
        let mut expected: Vec<String> = expected.iter().map(|&text| text.to_owned()).collect();
        seen.sort();
        expected.sort();
        if seen != expected {
            let story = self.stories();
            self.is_over = true;
            panic!(
                "at {}\nexpected {expected:#?}\nseen     {seen:#?}\n{story}",
                self.passed
            );
        }
    }

    /// Nothing is sent until this moment.
    #[track_caller]
    pub fn expect_nothing_until(&mut self, time: &str) {
        self.expect([]);
        self.at(time);
        self.expect([]);
    }

    /// The messages since the last look, for tests that count.
    pub fn take_seen(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.seen)
    }

    fn stories(&self) -> String {
        let lines = self.durable.entries.iter().rev().take(60).rev();
        let lines = lines.map(|entry| {
            let at = entry.at.since(self.origin);
            format!(
                "{at} #{} [{}] {}\n",
                entry.incident,
                entry.reason,
                Sentence(entry)
            )
        });
        lines.collect()
    }

    /// The story of an incident as `reason: text` lines.
    pub fn timeline(&self, number: u64) -> Vec<String> {
        self.entries(number)
            .map(|entry| format!("{}: {}", entry.reason, Sentence(entry)))
            .collect()
    }

    fn entries(&self, number: u64) -> impl Iterator<Item = &Arc<Entry>> {
        self.durable
            .entries
            .iter()
            .filter(move |entry| entry.incident == IncidentNumber(number))
    }

    /// Whether a line of an incident's story has this reason.
    #[track_caller]
    pub fn expect_reason(&self, number: u64, reason: &str) {
        assert!(
            self.count_reason(number, reason) > 0,
            "no {reason} in the story of #{number}: {:#?}",
            self.timeline(number)
        );
    }

    pub fn count_reason(&self, number: u64, reason: &str) -> usize {
        self.entries(number)
            .filter(|entry| entry.reason.as_str() == reason)
            .count()
    }

    /// An incident, open or closed.
    #[track_caller]
    pub fn incident(&self, number: u64) -> Arc<Incident> {
        let number = IncidentNumber(number);
        let open = self.state().incident(number);
        open.or_else(|| self.durable.closed.get(&number))
            .unwrap_or_else(|| panic!("there is no #{number}"))
            .clone()
    }

    #[track_caller]
    pub fn expect_status(&self, number: u64, status: &str) {
        assert_eq!(self.incident(number).status.as_str(), status, "#{number}");
    }

    /// Open incidents that are about the router itself.
    pub fn own_incidents(&self) -> Vec<String> {
        self.state()
            .incidents()
            .filter(|incident| incident.is_open())
            .filter_map(|incident| incident.about.as_ref())
            .map(|about| format!("{}/{}", about.cause, about.subject))
            .collect()
    }

    /// The last page to an address whose label begins so.
    #[track_caller]
    pub fn page_to(&self, begin: &str) -> PageId {
        let found = self.sent.iter().rev();
        let mut found = found.filter(|sent| sent.label.starts_with(begin));
        found.next().expect("such a page was sent").order.page
    }

    pub fn page(&self, id: PageId) -> Arc<Page> {
        let open = self.state().page(id);
        open.or_else(|| self.durable.closed_pages.get(&id))
            .expect("the page is known")
            .clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.is_over || std::thread::panicking() {
            return;
        }
        let seen: Vec<&String> = self.seen.iter().map(|sent| &sent.label).collect();
        assert!(seen.is_empty(), "nobody expected {seen:#?}");
    }
}

/// Requests whose answers nobody reads.
fn requests(inputs: Vec<Input>) -> Vec<Request<u64>> {
    let request = |input| match input {
        Input::Events {
            integration,
            events,
        } => Request {
            integration,
            events,
            waiter: 0,
            is_admitted: true,
        },
        other => panic!("not events: {other:?}"),
    };
    inputs.into_iter().map(request).collect()
}

fn compiled(yaml: &str, environment: &Environment) -> RuleSet {
    let files = [SourceFile {
        path: "rules.yaml".to_owned(),
        text: yaml.to_owned(),
    }];
    let (_, compiled) = rules::check(&files, environment);
    compiled
        .rules
        .unwrap_or_else(|| panic!("rules with faults: {:#?}", compiled.faults))
}

/// `hh:mm:ss` as a length.
pub fn length(time: &str) -> Duration {
    let parts: Vec<u64> = time
        .split(':')
        .map(|part| part.parse().expect("a time as hh:mm:ss"))
        .collect();
    let [hours, minutes, seconds] = parts[..] else {
        panic!("a time as hh:mm:ss, not {time}");
    };
    Duration::seconds(hours * 3_600 + minutes * 60 + seconds)
}

fn label(order: &SendRequest) -> String {
    let who = match &order.message.recipient {
        Recipient::User { user, .. } => user.to_string(),
        Recipient::Channel { .. } => order.address.to_string(),
    };
    let numbers: Vec<String> = order
        .message
        .incidents
        .iter()
        .take(1)
        .map(|brief| format!("#{}", brief.incident.number))
        .collect();
    let numbers = numbers.join(" ");
    let kind = match order.message.kind {
        PageKind::Page => "page".to_owned(),
        PageKind::Bundle => format!("bundle of {}", order.message.incidents_total),
        PageKind::Copy => "copy".to_owned(),
        PageKind::Update { news, .. } => match news {
            UpdateKind::Joined => "joined",
            UpdateKind::Acknowledged => "acknowledged",
            UpdateKind::Triggered => "triggered",
            UpdateKind::Resolved => "resolved",
        }
        .to_owned(),
    };
    let edit = match &order.thread {
        Some(ThreadRef::Edit(_)) => " (edit)",
        Some(ThreadRef::Thread(_)) | None => "",
    };
    format!(
        "{who} {} {} {numbers} {kind}{edit}",
        order.medium, order.channel
    )
}
