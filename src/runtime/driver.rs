//! The only code that changes state: a plain struct without await, so that simulations run the very
//! same code as production.
//!
//! One [`Driver::turn`] takes a batch of inputs and gives what must be made durable, the answers
//! that may be given once it is, and the effects that may then be released.
//!
//! A decision that panics changes nothing: its input is set aside, the router raises a
//! self-incident, and whoever waits is told that nothing was stored. The events of one request are
//! one decision; where it panics each is decided on by itself, and the one at which it does is kept
//! in its receipt.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::engine::State;
use crate::engine::decision::{Answer, Decision, Effect, Order};
use crate::engine::event::{Event, Text};
use crate::engine::ids::{AttemptId, IntegrationName, PageId, Revision};
use crate::engine::incident::Trouble;
use crate::engine::input::{Input, Report, TimerKey};
use crate::engine::outcome::Outcome;
use crate::engine::page::Page;
use crate::engine::places::{Pick, Picks, picks};
use crate::engine::records::{Change, Record};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Millis, Now};
use crate::engine::trouble::Cause;
use crate::runtime::describe::describe;
use crate::runtime::handle::{ApplyError, NewRules, Record as Recorded};
use crate::store::{Batch, Clocks, DocumentKind, DocumentWrite, revision_name};

/// Timers handled in one turn; more wait for the next.
pub const TIMERS_MAX: usize = 256;
/// After so many changes a turn takes nothing more, so that whoever waits for the next does not
/// wait for long.
pub const CHANGES_MAX: usize = 4_000;
/// Places given in one turn, about.
const PLACES_MAX: usize = 512;

/// One thing for the driver to do.
pub enum Job {
    Input(Input),
    /// An input of which a document is kept.
    Recorded(Input, Recorded),
    Rules(Box<NewRules>),
    Documents(Vec<DocumentWrite>),
}

/// The result of one job, to be answered after the commit.
#[derive(Debug, PartialEq)]
pub enum Done {
    Answer(Answer),
    Rules(Result<Revision, ApplyError>),
    Documents,
    /// The decision panicked: nothing of the input was stored.
    Quarantined,
}

/// What one turn leads to.
#[derive(Default)]
pub struct Turn {
    pub batch: Batch,
    /// In the order of the jobs.
    pub done: Vec<Done>,
    pub sends: Vec<Arc<Order>>,
    /// Attempts of earlier turns that are withdrawn if their first byte has not left.
    pub cancels: Vec<AttemptId>,
    pub probes: Vec<crate::engine::ids::ChannelName>,
    /// Inputs whose decision panicked, as text for the log.
    pub quarantined: Vec<String>,
    /// Timers that were handled beside the jobs.
    pub timers: usize,
    /// Jobs for which the turn had no room.
    pub left: Left,
}

/// Jobs that wait for the next turn, in their order.
#[derive(Default)]
pub struct Left {
    pub controls: Vec<Job>,
    pub events: Vec<Job>,
}

impl Turn {
    /// Whether there is anything to make durable.
    pub fn is_empty(&self) -> bool {
        self.batch.changes.is_empty() && self.batch.documents.is_empty()
    }

    /// How much it holds now, to come back to.
    fn marks(&self) -> [usize; 4] {
        let changes = self.batch.changes.len();
        [
            changes,
            self.sends.len(),
            self.cancels.len(),
            self.probes.len(),
        ]
    }

    /// Drops what came after the marks.
    fn cut_to(&mut self, [changes, sends, cancels, probes]: [usize; 4]) {
        self.batch.changes.truncate(changes);
        self.sends.truncate(sends);
        self.cancels.truncate(cancels);
        self.probes.truncate(probes);
    }

    /// Whether it takes nothing more.
    fn is_full(&self) -> bool {
        self.batch.changes.len() >= CHANGES_MAX
    }

    /// How many inputs it took: jobs and timers.
    pub fn inputs(&self) -> usize {
        self.done.len() + self.timers
    }
}

/// What decides: [`crate::engine::step`], or a fragile one in tests.
type Step = fn(&State, &RuleSet, Input, Now) -> Decision;

/// State, rules, and nothing else.
pub struct Driver {
    step: Step,
    state: State,
    rules: Arc<RuleSet>,
    /// Timers whose decision panicked; they are not tried again in this process.
    broken: BTreeSet<TimerKey>,
    /// Pages that panicked when they had a place; likewise.
    unplaced: BTreeSet<PageId>,
    sending: Sending,
}

/// Whether attempts begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Open,
    Held,
}

impl Driver {
    /// A driver over what was loaded.
    pub fn new(state: State, rules: Arc<RuleSet>) -> Self {
        Self {
            step: crate::engine::step,
            state,
            rules,
            broken: BTreeSet::new(),
            unplaced: BTreeSet::new(),
            sending: Sending::Open,
        }
    }

    /// The state between two turns.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Does the controls, then the timers that are due, then the events; each sees what the earlier
    /// ones changed. A turn ends after about [`CHANGES_MAX`] changes, whatever they came from.
    pub fn turn(&mut self, controls: Vec<Job>, events: Vec<Job>, now: Now) -> Turn {
        let mut turn = Turn::default();
        turn.batch.clocks = Clocks {
            wall: now.wall,
            steady: now.steady,
        };
        turn.left.controls = self.jobs(&mut turn, controls, now);
        self.timers(&mut turn, now);
        turn.left.events = self.jobs(&mut turn, events, now);
        if self.sending == Sending::Open {
            self.places(&mut turn, now);
        }
        turn
    }

    /// From now on no attempt begins: the process is about to end.
    pub fn hold_sending(&mut self) {
        self.sending = Sending::Held;
    }

    /// Gives the free places of the channels. It is done last, so that what leaves says what the
    /// whole turn led to, and nothing leaves that the turn withdrew.
    fn places(&mut self, turn: &mut Turn, now: Now) {
        let mut given = 0;
        while given < PLACES_MAX {
            let picks = self.picks(now).now;
            if picks.is_empty() {
                return;
            }
            given += picks.len();
            for pick in picks {
                let page = pick.page;
                if self.decide(turn, &Input::Place(pick), now).is_none() {
                    self.unplaced.insert(page);
                }
            }
        }
    }

    fn picks(&self, now: Now) -> Picks {
        picks(&self.state, &self.rules, now.steady, &self.unplaced)
    }

    fn job(&mut self, turn: &mut Turn, job: Job, now: Now) {
        let done = match job {
            Job::Input(Input::Events {
                integration,
                events,
            }) => match self.events(turn, &integration, events, now) {
                Some(answer) => Done::Answer(answer),
                None => Done::Quarantined,
            },
            Job::Input(input) => match self.decide(turn, &input, now) {
                Some(answer) => Done::Answer(answer),
                None => Done::Quarantined,
            },
            Job::Recorded(input, record) => match self.decide(turn, &input, now) {
                Some(answer) => {
                    turn.batch.documents.extend(record(&answer));
                    Done::Answer(answer)
                }
                None => Done::Quarantined,
            },
            Job::Rules(new) => Done::Rules(self.put_in_force(turn, *new, now)),
            Job::Documents(writes) => {
                turn.batch.documents.extend(writes);
                Done::Documents
            }
        };
        turn.done.push(done);
    }

    /// The events of one request are one decision. Where it panics they are decided on one by one,
    /// and only the one at which it does is set aside, in its receipt. Where even that panics
    /// nothing of the request is kept.
    fn events(
        &mut self,
        turn: &mut Turn,
        integration: &IntegrationName,
        events: Vec<Event>,
        now: Now,
    ) -> Option<Answer> {
        let seed = now.seed ^ turn.done.len() as u64;
        let now = Now { seed, ..now };
        let all = Input::Events {
            integration: integration.clone(),
            events: events.clone(),
        };
        if let Some(decision) = self.caught(&self.state, all, now) {
            return Some(self.take(turn, decision));
        }
        let (before, marks) = (self.state.clone(), turn.marks());
        let answer = self.one_by_one(turn, integration, events, now);
        if answer.is_none() {
            self.state = before;
            turn.cut_to(marks);
            let text = format!("a request of {integration}, of which nothing could be kept");
            self.report_panic(turn, &text, now);
        }
        answer
    }

    fn one_by_one(
        &mut self,
        turn: &mut Turn,
        integration: &IntegrationName,
        events: Vec<Event>,
        now: Now,
    ) -> Option<Answer> {
        let mut receipts = Vec::new();
        for event in events {
            let one = Input::Events {
                integration: integration.clone(),
                events: vec![event.clone()],
            };
            let set_aside = Input::SetAside {
                integration: integration.clone(),
                event,
            };
            let answer = self.decide(turn, &one, now);
            match answer.or_else(|| self.decide(turn, &set_aside, now))? {
                Answer::Receipts(known) => receipts.extend(known),
                other => panic!("events are answered with receipts, not {other:?}"),
            }
        }
        Some(Answer::Receipts(receipts))
    }

    /// Does jobs until the turn has enough; what is left waits for the next one.
    fn jobs(&mut self, turn: &mut Turn, jobs: Vec<Job>, now: Now) -> Vec<Job> {
        let mut jobs = jobs.into_iter().peekable();
        // At least one of each kind, so that each goes on.
        if let Some(job) = jobs.next() {
            self.job(turn, job, now);
        }
        while let Some(job) = jobs.next_if(|job| !turn.is_full() || is_before_timers(job)) {
            self.job(turn, job, now);
        }
        jobs.collect()
    }

    fn timers(&mut self, turn: &mut Turn, now: Now) {
        for handled in 0..TIMERS_MAX {
            if handled > 0 && turn.is_full() {
                return;
            }
            let Some(key) = self.state.due(now.steady, now.wall, &self.broken) else {
                return;
            };
            turn.timers += 1;
            if self.decide(turn, &Input::Due(key.clone()), now).is_none() {
                self.broken.insert(key);
            }
        }
    }

    /// Whether a timer is due, or a place free for a page, that a further turn could handle.
    pub fn is_due(&self, now: Now) -> bool {
        let is_due = self.state.due(now.steady, now.wall, &self.broken).is_some();
        is_due || self.sending == Sending::Open && !self.picks(now).now.is_empty()
    }

    /// How long until the next timer is due or a channel may be sent to again. What is due already
    /// and was set aside by a panic does not count.
    pub fn wait(&self, now: Now) -> Option<Millis> {
        let (steady, wall) = self.state.next_due();
        let place = match self.sending {
            Sending::Open => self.picks(now).next,
            Sending::Held => None,
        };
        let steady = steady.into_iter().chain(place);
        let waits = steady.map(|due| due.since(now.steady));
        let waits = waits.chain(wall.map(|due| due.since(now.wall)));
        waits.filter(|wait| wait.0 > 0).min()
    }

    /// Decides on one input and applies the changes at once. `None` if the decision panicked.
    fn decide(&mut self, turn: &mut Turn, input: &Input, now: Now) -> Option<Answer> {
        let seed = now.seed ^ turn.done.len() as u64;
        let now = Now { seed, ..now };
        let Some(decision) = self.caught(&self.state, input.clone(), now) else {
            self.report_panic(turn, &describe(input), now);
            return None;
        };
        Some(self.take(turn, decision))
    }

    /// A decision on this state, or `None` if it panics.
    fn caught(&self, state: &State, input: Input, now: Now) -> Option<Decision> {
        let step = AssertUnwindSafe(|| (self.step)(state, &self.rules, input, now));
        catch_unwind(step).ok()
    }

    /// Applies a decision and keeps what is to be released after the commit.
    fn take(&mut self, turn: &mut Turn, decision: Decision) -> Answer {
        self.state.apply(&decision.changes);
        turn.batch.changes.extend(decision.changes);
        for effect in decision.effects {
            match effect {
                Effect::Send(order) => turn.sends.push(order),
                Effect::Cancel(attempt) => turn.cancels.push(attempt),
                Effect::Probe(channel) => turn.probes.push(channel),
            }
        }
        decision.answer
    }

    fn report_panic(&mut self, turn: &mut Turn, text: &str, now: Now) {
        turn.quarantined.push(text.to_owned());
        let trouble = Trouble {
            cause: Cause::Panic,
            subject: "".into(),
        };
        let text = format!("a decision failed and its input was set aside: {text}").into();
        let raise = Input::Raise { trouble, text };
        if let Some(decision) = self.caught(&self.state, raise, now) {
            self.take(turn, decision);
        }
    }

    /// The one page that may leave although nothing can be stored any more: of the self-incident
    /// that says so. It changes nothing; timers that are due wait for the next start.
    pub fn last_words(&self, trouble: Trouble, text: Text, now: Now) -> Option<Arc<Order>> {
        let raise = self.caught(&self.state, Input::Raise { trouble, text }, now)?;
        let page = raise.changes.iter().find_map(queued)?;
        let channel = page.queued.first()?.channel.clone();
        let mut state = self.state.clone();
        state.apply(&raise.changes);
        // It waits for no place.
        let page = page.id;
        let place = Input::Place(Pick { page, channel });
        let effects = self.caught(&state, place, now)?.effects;
        effects.into_iter().find_map(|effect| match effect {
            Effect::Send(order) => Some(order),
            Effect::Cancel(_) | Effect::Probe(_) => None,
        })
    }

    fn put_in_force(
        &mut self,
        turn: &mut Turn,
        new: NewRules,
        now: Now,
    ) -> Result<Revision, ApplyError> {
        let current = self.rules.revision;
        if let Some(expected) = new.expected.filter(|expected| *expected != current) {
            return Err(ApplyError::Conflict { expected, current });
        }
        let revision = Revision(current.0 + 1);
        self.rules = Arc::new(RuleSet {
            revision,
            ..new.rules
        });
        turn.batch.documents.push(DocumentWrite {
            kind: DocumentKind::Rules,
            name: revision_name(revision),
            bytes: Some(new.document),
        });
        let record = new.record.map(|record| record(revision));
        turn.batch.documents.extend(record);
        self.decide(turn, &Input::RulesChanged, now);
        Ok(revision)
    }
}

/// Whether no timer may be looked at, and nothing begin, before it is done: a start, and whatever
/// the clock did.
fn is_before_timers(job: &Job) -> bool {
    let Job::Input(input) = job else { return false };
    matches!(
        input,
        Input::Start | Input::Suspended { .. } | Input::ClockAhead { .. } | Input::ClockBack { .. }
    )
}

/// A page that asks, if it is one and waits for a place.
fn queued(change: &Change) -> Option<Arc<Page>> {
    match change {
        Change::Put(Record::Page(page)) if page.asks() && !page.queued.is_empty() => {
            Some(page.clone())
        }
        Change::Put(_)
        | Change::Drop(_)
        | Change::Archive(_)
        | Change::Receipt(_)
        | Change::Entry(_) => None,
    }
}

/// The report of an attempt whose first byte never left.
pub fn not_started(attempt: AttemptId) -> Report {
    Report {
        attempt,
        outcome: Outcome::Unknown,
        latency_ms: 0,
        provider_message: None,
        reference: None,
        was_started: false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::event::{Action, Content, Spoken};
    use crate::engine::reason::Reason;
    use crate::engine::records::Change;
    use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
    use crate::engine::time::{Millis, Steady, Wall};
    use crate::rules::{Environment, SourceFile, check};

    const RULES: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000001" }
policies:
  team:
    steps:
      - { targets: [user/ana], wait: 5m }
      - { targets: [channel/twilio/+351900000009], wait: 5m }
integrations:
  native: { format: native }
route:
  policy: team
  group_by: ["..."]
"#;

    /// Panics on events with the key `poison`.
    fn fragile(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        if let Input::Events { events, .. } = &input {
            let mut keys = events.iter().map(|event| &*event.dedup_key);
            assert!(keys.all(|key| key != "poison"), "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// Panics on an event with the key `poison`, and when it is to be set aside as well.
    fn hopeless(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        if let Input::SetAside { event, .. } = &input {
            assert!(&*event.dedup_key != "poison", "a fault for this test");
        }
        fragile(state, rules, input, now)
    }

    /// Panics when the second page has its place.
    fn places_badly(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        if let Input::Place(pick) = &input {
            assert!(pick.page != PageId(2), "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// A driver that has decided on nothing yet, and on some inputs never will.
    pub fn fragile_driver() -> Driver {
        Driver {
            step: fragile,
            ..driver()
        }
    }

    pub fn driver() -> Driver {
        let file = SourceFile {
            path: "rules.yaml".to_owned(),
            text: RULES.to_owned(),
        };
        let channel = ChannelInfo {
            name: "twilio".into(),
            media: vec![Medium::Sms],
            reaches_people: true,
            is_one_endpoint: true,
            concurrency: ChannelInfo::CONCURRENCY,
            capabilities: Capabilities::default(),
        };
        let environment = Environment {
            channels: vec![channel],
            ..Environment::default()
        };
        let (_, compiled) = check(&[file], &environment);
        let rules = compiled.rules.expect("rules without faults");
        Driver::new(State::default(), Arc::new(rules))
    }

    pub fn at(seconds: u64) -> Now {
        let passed = Millis::seconds(seconds);
        Now {
            wall: Wall(1_772_000_000_000) + passed,
            steady: Steady(1_000_000) + passed,
            seed: 7,
        }
    }

    pub fn events(action: Action, keys: &[&str]) -> Vec<Event> {
        let event = |key: &&str| Event {
            action,
            dedup_key: (*key).into(),
            id: None,
            spoken: Spoken::Moment(None),
            asserted_by: None,
            content: Arc::new(Content {
                severity: "critical".into(),
                ..Content::default()
            }),
            faults: Vec::new(),
        };
        keys.iter().map(event).collect()
    }

    pub fn request(action: Action, keys: &[&str]) -> Job {
        Job::Input(Input::Events {
            integration: "native".into(),
            events: events(action, keys),
        })
    }

    fn receipts(turn: &Turn) -> Vec<String> {
        let changes = turn.batch.changes.iter();
        let receipts = changes.filter_map(|change| match change {
            Change::Receipt(receipt) => Some(receipt.dedup_key.to_string()),
            _ => None,
        });
        receipts.collect()
    }

    #[test]
    fn of_a_request_with_an_event_that_panics_that_one_alone_is_set_aside() {
        let mut driver = fragile_driver();
        let events = vec![
            request(Action::Trigger, &["a"]),
            request(Action::Trigger, &["b1", "poison", "b2"]),
            request(Action::Trigger, &["c"]),
        ];
        let turn = driver.turn(Vec::new(), events, at(0));

        assert_eq!(receipts(&turn), ["a", "b1", "poison", "b2", "c"]);
        assert!(turn.done.iter().all(|done| *done != Done::Quarantined));
        let kept = turn.batch.changes.iter().any(|change| match change {
            Change::Receipt(receipt) => {
                let is_told = receipt.reason == Reason::SetAside && receipt.content.is_some();
                &*receipt.dedup_key == "poison" && is_told
            }
            _ => false,
        });
        assert!(kept, "what it said is in its receipt");
        let keys: Vec<String> = driver
            .state()
            .alerts()
            .map(|alert| alert.dedup_key.to_string())
            .collect();
        assert_eq!(keys, ["a", "b1", "panic/", "b2", "c"]);
        assert_eq!(turn.sends.len(), 5, "one each, the self-incident's too");
        assert_eq!(
            turn.quarantined,
            ["trigger with dedup key \"poison\" of native"]
        );
    }

    #[test]
    fn of_a_request_with_an_event_that_cannot_even_be_set_aside_nothing_is_kept() {
        let mut driver = Driver {
            step: hopeless,
            ..driver()
        };
        let events = vec![
            request(Action::Trigger, &["a"]),
            request(Action::Trigger, &["b", "poison", "c"]),
        ];
        let turn = driver.turn(Vec::new(), events, at(0));
        assert_eq!(turn.done[1], Done::Quarantined);
        assert_eq!(receipts(&turn), ["a"]);
        let alerts = driver.state().alerts();
        let keys: Vec<String> = alerts.map(|alert| alert.dedup_key.to_string()).collect();
        assert_eq!(keys, ["a", "panic/"], "the self-incident tells it");
    }

    #[test]
    fn a_turn_ends_after_enough_changes_and_what_is_left_goes_on_in_its_order() {
        let mut driver = driver();
        let posted = |number: usize| {
            let keys: Vec<String> = (0..100).map(|n| format!("{number}-{n}")).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            request(Action::Trigger, &keys)
        };
        let mut waiting: Vec<Job> = (0..40).map(posted).collect();
        let (mut turns, mut done) = (0, 0);
        while !waiting.is_empty() {
            // An outcome that comes meanwhile is never behind them.
            let outcome = Input::Outcome(not_started(AttemptId(9_999)));
            let turn = driver.turn(vec![Job::Input(outcome)], waiting, at(0));
            assert!(turn.left.controls.is_empty());
            let changes = turn.batch.changes.len();
            assert!(changes < CHANGES_MAX * 2, "{changes}");
            done += turn.done.len() - 1;
            turns += 1;
            waiting = turn.left.events;
        }
        assert_eq!(done, 40);
        assert!(turns > 3, "{turns}");
        assert_eq!(driver.state().alerts().count(), 4_000);
    }

    #[test]
    fn a_start_is_whole_before_any_timer_or_place_however_much_the_clock_before_it_changed() {
        let mut driver = driver();
        driver.hold_sending();
        for number in 0..50 {
            let keys: Vec<String> = (0..100).map(|n| format!("{number}-{n}")).collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let jobs = vec![
                request(Action::Trigger, &keys),
                request(Action::Resolve, &keys),
            ];
            let left = driver.turn(Vec::new(), jobs, at(0)).left;
            driver.turn(Vec::new(), left.events, at(0));
        }
        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        let days = Millis::days(30);
        let first = vec![
            Job::Input(Input::ClockAhead { by: days }),
            Job::Input(Input::Start),
        ];
        let turn = driver.turn(first, Vec::new(), at(30 * 24 * 3_600));
        assert!(turn.batch.changes.len() > CHANGES_MAX);
        assert!(turn.left.controls.is_empty(), "the start is left");
    }

    #[test]
    fn a_page_that_panics_when_it_has_its_place_holds_up_no_other() {
        let mut driver = Driver {
            step: places_badly,
            ..driver()
        };
        let keys = request(Action::Trigger, &["a", "b", "c"]);
        let turn = driver.turn(Vec::new(), vec![keys], at(0));

        let pages: Vec<_> = turn.sends.iter().map(|order| order.page.0).collect();
        assert_eq!(pages, [1, 3, 4], "the fourth is of the self-incident");
        assert_eq!(turn.quarantined, ["place of page 2 on twilio"]);
        assert!(!driver.is_due(at(1)), "it is not tried again and again");
        driver.turn(Vec::new(), Vec::new(), at(30));
        let page = driver.state().page(PageId(2)).expect("it is kept");
        assert!(page.has_moved_on, "the next contact is used: {page:?}");
    }

    #[test]
    fn what_is_about_to_end_begins_nothing_and_the_next_start_does() {
        let mut driver = driver();
        driver.hold_sending();
        let turn = driver.turn(Vec::new(), vec![request(Action::Trigger, &["a"])], at(0));
        assert!(turn.sends.is_empty());
        assert!(!driver.is_due(at(0)), "nothing is left to do");

        let state = driver.state().clone();
        let mut driver = Driver::new(state, driver.rules().clone());
        let start = vec![Job::Input(Input::Start)];
        let turn = driver.turn(start, Vec::new(), at(5));
        assert_eq!(turn.sends.len(), 1);
    }

    #[test]
    fn what_one_request_triggers_and_resolves_is_neither_sent_nor_cancelled() {
        let mut driver = driver();
        let triggers = request(Action::Trigger, &["a", "b"]);
        driver.turn(Vec::new(), vec![triggers], at(0));

        let events = vec![
            request(Action::Trigger, &["c", "d"]),
            request(Action::Resolve, &["b", "c"]),
        ];
        let turn = driver.turn(Vec::new(), events, at(0));

        let sent: Vec<_> = turn.sends.iter().map(|order| order.attempt.0).collect();
        assert_eq!(sent, [3], "only d");
        assert_eq!(turn.cancels, [AttemptId(2)]);
    }
}
