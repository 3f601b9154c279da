//! The world of one run: the agenda of everything that is to happen, in order of true time.

use std::collections::BTreeMap;
use std::sync::Arc;

use reveille::channels::CancelToken;
use reveille::engine::decision::SendRequest;
use reveille::engine::ids::{AttemptId, ChannelName};
use reveille::engine::input::Report as ChannelReport;
use reveille::engine::outcome::Outcome;
use reveille::engine::ruleset::Settings;
use reveille::engine::time::{Duration, Timestamp};
use reveille::rules::Environment;
use reveille::store::MemoryStore;

use super::checks::Checks;
use super::history::{Broken, Mailbox, Scene, Seen, Trace};
use super::marks::Marks;
use super::monitors::Monitor;
use super::people::{Deed, People};
use super::plan::Plan;
use super::process::{Clock, Process};
use super::providers::{Mood, Provider};
use super::random::Random;
use super::team::Team;
use super::traffic::Request;
use super::{Figures, Report};

/// After the faults: people answer whatever still fires for so long ...
const ANSWERING: Duration = Duration::hours(6);
/// ... and then the monitors say that all is well.
const RESOLVING: Duration = Duration::hours(4);

/// Something that is to happen.
pub enum Happening {
    Monitor(usize),
    Retry(u64),
    Deed {
        deed: Deed,
        tries: u32,
    },
    Admin,
    Disturbance,
    /// The supervisor starts the process.
    Start,
    /// The machine wakes.
    Wakes,
    Reaches(Arc<SendRequest>),
    DeliveryReport {
        channel: ChannelName,
        attempt: AttemptId,
        outcome: Outcome,
        tries: u32,
    },
    /// Within one life of the process.
    Within {
        life: u64,
        what: Within,
    },
}

/// What happens within a process, only while that process lives; it waits while the machine
/// sleeps.
pub enum Within {
    Minute,
    Committed,
    /// An order has looked up what it needs and opens its socket.
    Opens(Arc<SendRequest>, CancelToken),
    Answer(Arc<SendRequest>, ChannelReport),
    Probed(ChannelName, Outcome),
}

pub struct World {
    seed: u64,
    pub plan: Plan,
    pub random: Random,
    /// True time since the run began.
    pub passed: Duration,
    pub clock: Clock,
    agenda: BTreeMap<(Duration, u64), Happening>,
    sequence: u64,
    pub process: Option<Process>,
    pub lives: u64,
    /// The machine sleeps until then.
    pub asleep_until: Option<Duration>,
    pub store: MemoryStore,
    pub environment: Environment,
    pub team: Team,
    pub monitors: Vec<Monitor>,
    pub people: People,
    pub mailbox: Mailbox,
    pub providers: BTreeMap<ChannelName, Provider>,
    pub requests: BTreeMap<u64, Request>,
    pub next_request: u64,
    /// Turns of all lives.
    pub turns: u64,
    /// In which turn an order was planned.
    pub planned: BTreeMap<AttemptId, u64>,
    pub is_calm: bool,
    checks: Checks,
    broken: Option<Broken>,
    pub trace: Trace,
    pub marks: Marks,
    pub figures: Figures,
}

impl World {
    pub fn new(seed: u64, stormy: Duration, kept_lines: usize) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random.fork(), stormy);
        let team = Team::draw(&mut random.fork(), plan.users);
        let environment = Environment {
            channels: super::channels::channels(&mut random.fork()),
            settings: Settings {
                step_work_max: plan.step_work_max,
                test_page: plan.test_page,
                ..Settings::default()
            },
            ..Environment::default()
        };
        let mut monitors = Vec::new();
        for name in 0..plan.monitors {
            monitors.push(Monitor::new(random.fork(), name as usize, plan.has_storms));
        }
        let mut providers = BTreeMap::new();
        for channel in &environment.channels {
            let provider = Provider::new(random.fork(), channel.capabilities.receipts);
            providers.insert(channel.name.clone(), provider);
        }
        Self {
            seed,
            clock: Clock {
                origin: plan.begin,
                slept: Duration::ZERO,
            },
            people: People::new(random.fork(), plan.diligence),
            plan,
            random,
            passed: Duration::ZERO,
            agenda: BTreeMap::new(),
            sequence: 0,
            process: None,
            lives: 0,
            asleep_until: None,
            store: MemoryStore::new(),
            environment,
            team,
            monitors,
            mailbox: Mailbox::default(),
            providers,
            requests: BTreeMap::new(),
            next_request: 0,
            turns: 0,
            planned: BTreeMap::new(),
            is_calm: false,
            checks: Checks::default(),
            broken: None,
            trace: Trace::new(kept_lines),
            marks: Marks::default(),
            figures: Figures::default(),
        }
    }

    /// Runs to the end or to the first thing that is broken.
    pub fn run(mut self) -> Report {
        let (seed, plan) = (self.seed, format!("{:?}", self.plan));
        self.note(format_args!("seed {seed} {plan}"));
        self.set_up();
        self.until(self.plan.stormy);
        if let Some(awake) = self.asleep_until {
            self.until(awake);
        }
        self.calm_down();
        self.until(Duration(self.passed.0 + ANSWERING.0));
        self.check_answered();
        self.all_is_well();
        self.until(Duration(self.passed.0 + RESOLVING.0));
        self.check_settled();
        Report {
            seed: self.seed,
            broken: self.broken,
            hash: self.trace.hash(),
            marks: self.marks,
            simulated: self.passed,
            figures: self.figures,
            latest: self.trace.latest(),
        }
    }

    fn set_up(&mut self) {
        self.put_first_rules();
        self.soon(Duration::ZERO, Happening::Start);
        for at in 0..self.monitors.len() {
            let pause = self.monitors[at].pause();
            self.soon(pause, Happening::Monitor(at));
        }
        self.soon(Duration::minutes(7), Happening::Admin);
        self.soon(Duration::minutes(3), Happening::Disturbance);
    }

    // ---- time ---------------------------------------------------------------------------------

    pub fn wall(&self) -> Timestamp {
        self.clock.wall(self.passed)
    }

    pub fn soon(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        let at = Duration(self.passed.0 + after.0);
        self.agenda.insert((at, self.sequence), happening);
    }

    fn until(&mut self, end: Duration) {
        while self.broken.is_none() {
            let timer = self.next_timer();
            let next = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let moment = timer.into_iter().chain(next).min();
            let Some(moment) = moment.filter(|moment| *moment <= end) else {
                break;
            };
            self.passed = self.passed.max(moment);
            if next == Some(moment)
                && let Some((_, happening)) = self.agenda.pop_first()
            {
                self.happen(happening);
            }
            self.work();
        }
        self.passed = self.passed.max(end);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Monitor(at) => self.monitor_acts(at),
            Happening::Retry(request) => self.retry(request),
            Happening::Deed { deed, tries } => self.does(deed, tries),
            Happening::Admin => self.admin_acts(),
            Happening::Disturbance => self.disturb(),
            Happening::Start => self.start(),
            Happening::Wakes => self.wakes(),
            Happening::Reaches(order) => self.reaches(&order),
            Happening::DeliveryReport {
                channel,
                attempt,
                outcome,
                tries,
            } => self.delivery_report(channel, attempt, outcome, tries),
            Happening::Within { life, what } => self.within(life, what),
        }
    }

    fn within(&mut self, life: u64, what: Within) {
        if self.process.as_ref().is_none_or(|it| it.life != life) {
            return;
        }
        if let Some(until) = self.asleep_until {
            let wait = Duration(until.0.saturating_sub(self.passed.0));
            return self.soon(wait, Happening::Within { life, what });
        }
        match what {
            Within::Minute => self.minute(),
            Within::Committed => self.committed(),
            Within::Opens(order, mark) => self.opens(&order, &mark),
            Within::Answer(order, report) => self.answered(&order, report),
            Within::Probed(channel, outcome) => self.probed(channel, outcome),
        }
    }

    /// Something within the process that lives now.
    pub fn soon_within(&mut self, after: Duration, what: Within) {
        if let Some(life) = self.process.as_ref().map(|process| process.life) {
            self.soon(after, Happening::Within { life, what });
        }
    }

    // ---- what is seen -------------------------------------------------------------------------

    pub fn note(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.note(self.passed, line);
    }

    /// Shows something to all checkers.
    pub fn show(&mut self, seen: &Seen<'_>) {
        let scene = Scene {
            passed: self.passed,
            store: &self.store,
        };
        let broken = self.checks.see(seen, scene, &mut self.marks);
        self.breaks(broken);
    }

    pub fn breaks(&mut self, broken: Option<Broken>) {
        if self.broken.is_none()
            && let Some(broken) = broken
        {
            self.note(format_args!("BROKEN {} {}", broken.invariant, broken.what));
            self.broken = Some(broken);
        }
    }

    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    // ---- the end ------------------------------------------------------------------------------

    /// Faults are over: providers are well, the disk has space, the process is up, people answer.
    fn calm_down(&mut self) {
        self.note(format_args!("calm"));
        self.is_calm = true;
        for provider in self.providers.values_mut() {
            provider.mood = Mood::Healthy;
        }
        self.store.set_free_bytes(None);
        self.minute_of_disk();
        if self.process.is_none() {
            self.soon(Duration::seconds(2), Happening::Start);
        }
    }

    fn all_is_well(&mut self) {
        for at in 0..self.monitors.len() {
            let wall = self.wall();
            let events = self.monitors[at].recover(wall);
            self.ask_with_events(at, events);
        }
    }

    fn check_answered(&mut self) {
        let Some(process) = self.process.as_ref() else {
            return;
        };
        let broken = self
            .checks
            .answered(process.cycle.driver.state(), self.passed);
        self.breaks(broken);
    }

    fn check_settled(&mut self) {
        let Some(process) = self.process.as_ref() else {
            let what = "no process is up at the end".to_owned();
            return self.breaks(Some(Broken {
                invariant: "L1",
                passed: self.passed,
                what,
            }));
        };
        let scene = Scene {
            passed: self.passed,
            store: &self.store,
        };
        let broken = self.checks.settled(process.cycle.driver.state(), scene);
        self.breaks(broken);
        let unanswered = self.requests.values().find(|request| !request.is_answered);
        let unanswered = unanswered.map(|request| Broken {
            invariant: "D2",
            passed: self.passed,
            what: format!("a request was never answered in calm: {:?}", request.events),
        });
        self.breaks(unanswered);
    }
}
