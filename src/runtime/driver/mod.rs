//! The only code that changes state: a plain struct without await, so that simulations run the very
//! same code as production.
//!
//! One [`Driver::turn`] takes a batch of inputs and gives what must be made durable, the answers
//! that may be given once it is, and the effects that may then be released.
//!
//! A turn does so much work and no more, whatever that comes from, and what is divisible is done in
//! steps: so that nobody waits long for the next turn. What a step leaves is a task of the state;
//! tasks take turns.
//!
//! A decision that panics changes nothing: its input is set aside, the router raises a
//! self-incident, and whoever waits is told. Where events panic together each is decided on by
//! itself, and the one at which it does is kept in its receipt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::engine::State;
use crate::engine::cause::Cause;
use crate::engine::decision::{Answer, Decision, Effect, SendRequest};
use crate::engine::event::{Event, Text};
use crate::engine::ids::{AttemptId, IntegrationName, PageId, Revision, TaskId};
use crate::engine::incident::SelfIncident;
use crate::engine::input::{Input, Pick, Report, TimerKey};
use crate::engine::outcome::Outcome;
use crate::engine::page::Page;
use crate::engine::records::{Change, Record};
use crate::engine::ruleset::RuleSet;
use crate::engine::slots::{Picks, picks};
use crate::engine::task::TaskTurn;
use crate::engine::time::{Duration, Now};
use crate::engine::work::STEPS_OF_TURN;
use crate::runtime::describe::describe;
use crate::runtime::turn::{ApplyError, Command, Done, Job, NewRules, Request, Turn, Unavailable};
use crate::store::{Clocks, DocumentKind, DocumentWrite, revision_name};

mod tasks;

/// Timers handled in one turn; more wait for the next.
pub const TIMERS_MAX: usize = 256;
/// Slots given in one turn, about.
const SLOTS_MAX: usize = 512;

/// What decides: [`crate::engine::step`], or a fragile one in tests.
type Step = fn(&State, &RuleSet, Input, Now) -> Decision;

/// State, rules, and who waits for the end of a task. `W` is who waits.
pub struct Driver<W> {
    step: Step,
    state: State,
    rules: Arc<RuleSet>,
    /// Timers whose decision panicked; they are not tried again in this process.
    broken: BTreeSet<TimerKey>,
    /// Pages that panicked when they had a slot; likewise.
    without_slot: BTreeSet<PageId>,
    /// Tasks that panicked; likewise.
    broken_tasks: BTreeSet<TaskId>,
    /// Whose turn it was when a task went on last.
    task_turn: Option<TaskTurn>,
    /// Large requests that are being kept, in turns.
    keeping: VecDeque<Keeping>,
    /// Turns since tasks went on.
    turns_of_others: u32,
    /// Who is told when a task ends, and what is known so far.
    promises: BTreeMap<TaskId, (W, Answer)>,
    sending: Attempts,
}

/// What a decision said, and the task whose end says the rest.
struct AnswerSoFar {
    answer: Answer,
    task: Option<TaskId>,
}

/// The rest of a request of which a first part is kept.
struct Keeping {
    integration: IntegrationName,
    events: VecDeque<Event>,
    request: TaskId,
}

/// Whether attempts begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempts {
    Open,
    Held,
}

impl<W> Driver<W> {
    /// A driver over what was loaded.
    pub fn new(state: State, rules: Arc<RuleSet>) -> Self {
        Self {
            step: crate::engine::step,
            state,
            rules,
            broken: BTreeSet::new(),
            without_slot: BTreeSet::new(),
            broken_tasks: BTreeSet::new(),
            task_turn: None,
            keeping: VecDeque::new(),
            turns_of_others: 0,
            promises: BTreeMap::new(),
            sending: Attempts::Open,
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

    /// Does the commands, then the timers that are due, then the requests, then what was left to
    /// tasks; each sees what the earlier ones changed. A turn ends after so much work, whatever
    /// that came from.
    pub fn turn(
        &mut self,
        commands: Vec<Command<W>>,
        requests: Vec<Request<W>>,
        now: Now,
    ) -> Turn<W> {
        let clocks = Clocks {
            wall: now.wall,
            steady: now.steady,
        };
        let mut turn = Turn::new(clocks, self.rules.settings.step_work_max * STEPS_OF_TURN);
        turn.commands_left = self.each(&mut turn, commands, now, is_before_timers, Self::command);
        if !self.finish_first(&mut turn, &TaskTurn::Memory, now) {
            turn.requests_left.requests = requests;
            return turn;
        }
        let is_recovered = self.finish_first(&mut turn, &TaskTurn::Recovery, now);
        if is_recovered {
            self.timers(&mut turn, now);
        }
        turn.requests_left.requests = self.each(&mut turn, requests, now, |_| false, Self::request);
        self.tasks(&mut turn, now);
        if is_recovered && self.sending == Attempts::Open {
            self.slots(&mut turn, now);
        }
        turn
    }

    /// From now on no attempt begins: the process is about to end.
    pub fn hold_sending(&mut self) {
        self.sending = Attempts::Held;
    }

    /// Gives the free slots of the channels. It is done last, so that what leaves says what the
    /// whole turn led to, and nothing leaves that the turn withdrew.
    fn slots(&mut self, turn: &mut Turn<W>, now: Now) {
        let mut given = 0;
        while given < SLOTS_MAX {
            let picks = self.picks(now).now;
            if picks.is_empty() {
                return;
            }
            given += picks.len();
            for pick in picks {
                let page = pick.page;
                if self.decide(turn, &Input::SlotFree(pick), now).is_none() {
                    self.without_slot.insert(page);
                }
            }
        }
    }

    fn picks(&self, now: Now) -> Picks {
        picks(&self.state, &self.rules, now.steady, &self.without_slot)
    }

    fn command(&mut self, turn: &mut Turn<W>, command: Command<W>, now: Now) {
        let Command { job, waiter } = command;
        let done = match job {
            Job::Input(input) => {
                assert!(
                    !matches!(input, Input::Events { .. }),
                    "events come in requests"
                );
                let said = self.decide(turn, &input, now);
                return self.say(turn, waiter, said);
            }
            Job::Recorded(input, record) => {
                let said = self.decide(turn, &input, now);
                let document = said.as_ref().and_then(|said| record(&said.answer));
                turn.batch.documents.extend(document);
                return self.say(turn, waiter, said);
            }
            Job::Rules(new) => Done::Rules(self.put_in_force(turn, *new, now)),
            Job::Documents(writes, record) => {
                turn.batch.documents.extend(writes);
                turn.batch
                    .documents
                    .extend(record.map(|record| record(&())));
                Done::Documents
            }
        };
        turn.asked += 1;
        if let Some(waiter) = waiter {
            turn.reply(waiter, Ok(done));
        }
    }

    /// Tells whoever waits, after the commit, or when a task has ended.
    fn say(&mut self, turn: &mut Turn<W>, waiter: Option<W>, said: Option<AnswerSoFar>) {
        turn.asked += 1;
        let Some(waiter) = waiter else { return };
        let reply = match said {
            Some(AnswerSoFar {
                answer,
                task: Some(task),
            }) => {
                self.promises.insert(task, (waiter, answer));
                return;
            }
            Some(said) => Ok(Done::Answer(said.answer)),
            None => Err(Unavailable::Quarantined),
        };
        turn.reply(waiter, reply);
    }

    /// Does these until the turn has enough; what is left waits for the next one.
    fn each<T>(
        &mut self,
        turn: &mut Turn<W>,
        these: Vec<T>,
        now: Now,
        is_urgent: fn(&T) -> bool,
        one: fn(&mut Self, &mut Turn<W>, T, Now),
    ) -> Vec<T> {
        let mut these = these.into_iter().peekable();
        // At least one of each kind, so that each goes on.
        let mut is_first = true;
        while self.finish_first(turn, &TaskTurn::Memory, now)
            && let Some(this) = these.next_if(|it| is_first || !turn.is_full() || is_urgent(it))
        {
            is_first = false;
            one(self, turn, this, now);
        }
        these.collect()
    }

    fn timers(&mut self, turn: &mut Turn<W>, now: Now) {
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

    /// Whether a timer is due, or a slot free for a page, that a further turn could handle.
    pub fn is_due(&self, now: Now) -> bool {
        let is_due = self.state.due(now.steady, now.wall, &self.broken).is_some();
        let tasks = self.state.tasks();
        let has_task = tasks.next_after(None, &self.broken_tasks).is_some();
        is_due
            || has_task
            || !self.keeping.is_empty()
            || self.sending == Attempts::Open && !self.picks(now).now.is_empty()
    }

    /// How long until the next timer is due or a channel may be sent to again. What is due already
    /// and was set aside by a panic does not count.
    pub fn wait(&self, now: Now) -> Option<Duration> {
        let (steady, wall) = self.state.next_due();
        let slot = match self.sending {
            Attempts::Open => self.picks(now).next,
            Attempts::Held => None,
        };
        let steady = steady.into_iter().chain(slot);
        let waits = steady.map(|due| due.since(now.steady));
        let waits = waits.chain(wall.map(|due| due.since(now.wall)));
        waits.filter(|wait| wait.0 > 0).min()
    }

    /// Decides on one input and applies the changes at once. `None` if the decision panicked.
    fn decide(&mut self, turn: &mut Turn<W>, input: &Input, now: Now) -> Option<AnswerSoFar> {
        let now = seeded(turn, now);
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
    fn take(&mut self, turn: &mut Turn<W>, decision: Decision) -> AnswerSoFar {
        turn.work += decision.work;
        self.state.apply(&decision.changes);
        turn.batch.changes.extend(decision.changes);
        for effect in decision.effects {
            match effect {
                Effect::Send(order) => turn.sends.push(order),
                Effect::Cancel(attempt) => turn.cancels.push(attempt),
                Effect::Probe(channel) => turn.probes.push(channel),
            }
        }
        AnswerSoFar {
            answer: decision.answer,
            task: decision.later,
        }
    }

    fn report_panic(&mut self, turn: &mut Turn<W>, text: &str, now: Now) {
        turn.quarantined.push(text.to_owned());
        let trouble = SelfIncident::new(Cause::Panic, "");
        let text = format!("a decision failed and its input was set aside: {text}").into();
        let raise = Input::Raise { trouble, text };
        if let Some(decision) = self.caught(&self.state, raise, now) {
            self.take(turn, decision);
        }
    }

    /// The one page that may leave although nothing can be stored any more: of the self-incident
    /// that says so. It changes nothing; timers that are due wait for the next start.
    pub fn last_words(
        &self,
        trouble: SelfIncident,
        text: Text,
        now: Now,
    ) -> Option<Arc<SendRequest>> {
        let raise = self.caught(&self.state, Input::Raise { trouble, text }, now)?;
        let page = raise.changes.iter().find_map(queued)?;
        let channel = page.queued.first()?.channel.clone();
        let mut state = self.state.clone();
        state.apply(&raise.changes);
        // It waits for no slot.
        let page = page.id;
        let slot = Input::SlotFree(Pick { page, channel });
        let effects = self.caught(&state, slot, now)?.effects;
        effects.into_iter().find_map(|effect| match effect {
            Effect::Send(order) => Some(order),
            Effect::Cancel(_) | Effect::Probe(_) => None,
        })
    }

    fn put_in_force(
        &mut self,
        turn: &mut Turn<W>,
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
        turn.rules = Some(self.rules.clone());
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

/// The present with a seed of its own for the next decision of a turn.
fn seeded<W>(turn: &Turn<W>, now: Now) -> Now {
    let seed = now.seed ^ turn.asked as u64;
    Now { seed, ..now }
}

/// Whether no timer may be looked at, and nothing begin, before it is done: a start, and whatever
/// the clock did.
fn is_before_timers<W>(command: &Command<W>) -> bool {
    let Job::Input(input) = &command.job else {
        return false;
    };
    matches!(
        input,
        Input::Start | Input::Suspended { .. } | Input::ClockAhead { .. } | Input::ClockBack { .. }
    )
}

/// A page that asks, if it is one and waits for a slot.
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
    use crate::engine::event::{Action, Content, EventTime};
    use crate::engine::reason::Reason;
    use crate::engine::records::Change;
    use crate::engine::ruleset::STEP_MAX;
    use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
    use crate::engine::task::{Stride, TaskKind};
    use crate::engine::time::{Duration, MonotonicTime, Timestamp};
    use crate::rules::{Environment, SourceFile, check};
    use crate::runtime::turn::Reply;

    const WORK_MAX: u64 = STEP_MAX * STEPS_OF_TURN;

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

    /// The keys of the events that a step decides on, or sets aside.
    fn keys(state: &State, input: &Input) -> Vec<(Text, Stride)> {
        let events = match input {
            Input::Events { events, .. } => events.iter().map(|it| (it, Stride::Full)).collect(),
            Input::GoOn { task, stride } => match &state.tasks().get(*task).unwrap().kind {
                TaskKind::Events(part) => {
                    let most = if *stride == Stride::Full {
                        usize::MAX
                    } else {
                        1
                    };
                    part.events
                        .iter()
                        .take(most)
                        .map(|it| (it, *stride))
                        .collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let keys = events.into_iter();
        keys.map(|(event, stride): (&Event, _)| (event.dedup_key.clone(), stride))
            .collect()
    }

    /// Panics on events with the key `poison`.
    fn fragile(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        for (key, stride) in keys(state, &input) {
            let is_set_aside = stride == Stride::SetAside;
            assert!(is_set_aside || &*key != "poison", "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// Panics on an event with the key `poison`, and when it is to be set aside as well.
    fn hopeless(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        for (key, _) in keys(state, &input) {
            assert!(&*key != "poison", "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// Panics when an event with the key `poison` is to be kept.
    fn keeps_badly(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        if let Input::Keep { events, .. } = &input {
            let is_poison = |event: &Event| &*event.dedup_key == "poison";
            assert!(!events.iter().any(is_poison), "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// Panics when the second page has its slot.
    fn breaks_with_slot(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
        if let Input::SlotFree(pick) = &input {
            assert!(pick.page != PageId(2), "a fault for this test");
        }
        crate::engine::step(state, rules, input, now)
    }

    /// A driver that has decided on nothing yet, and on some inputs never will.
    pub fn fragile_driver<W>() -> Driver<W> {
        Driver {
            step: fragile,
            ..driver()
        }
    }

    pub fn driver<W>() -> Driver<W> {
        let file = SourceFile {
            path: "rules.yaml".to_owned(),
            text: RULES.to_owned(),
        };
        let channel = ChannelInfo::new("twilio".into(), Medium::Sms, Capabilities::default());
        let environment = Environment {
            channels: vec![channel],
            ..Environment::default()
        };
        let (_, compiled) = check(&[file], &environment);
        let rules = compiled.rules.expect("rules without faults");
        Driver::new(State::default(), Arc::new(rules))
    }

    pub fn at(seconds: u64) -> Now {
        let passed = Duration::seconds(seconds);
        Now {
            wall: Timestamp(1_772_000_000_000) + passed,
            steady: MonotonicTime(1_000_000) + passed,
            seed: 7,
        }
    }

    pub fn events(action: Action, keys: &[&str]) -> Vec<Event> {
        let event = |key: &&str| {
            let content = Content {
                severity: "critical".into(),
                ..Content::default()
            };
            Event::new(action, *key, EventTime::OccurredAt(None), content)
        };
        keys.iter().map(event).collect()
    }

    pub fn request(action: Action, keys: &[&str]) -> Request<()> {
        Request {
            integration: "native".into(),
            events: events(action, keys),
            waiter: (),
            is_admitted: false,
        }
    }

    /// One turn; nobody waits for the inputs.
    fn one_turn(
        driver: &mut Driver<()>,
        inputs: Vec<Input>,
        requests: Vec<Request<()>>,
        now: Now,
    ) -> Turn<()> {
        let commands = inputs.into_iter().map(Command::without_waiter).collect();
        driver.turn(commands, requests, now)
    }

    /// Does turns until nothing is left to do at this moment.
    fn turns_of(
        driver: &mut Driver<()>,
        inputs: Vec<Input>,
        requests: Vec<Request<()>>,
        now: Now,
    ) -> Vec<Turn<()>> {
        let mut turns = vec![one_turn(driver, inputs, requests, now)];
        while driver.is_due(now) {
            turns.push(driver.turn(Vec::new(), Vec::new(), now));
        }
        turns
    }

    /// Whether what was asked was done, in the order of the answers.
    fn are_taken(turns: &[Turn<()>]) -> Vec<bool> {
        let replies = turns.iter().flat_map(|turn| &turn.replies);
        replies.map(|(_, reply)| reply.is_ok()).collect()
    }

    #[test]
    fn each_is_told_what_became_of_what_they_asked_whenever_that_is() {
        let mut driver: Driver<&str> = fragile_driver();
        let asks = |waiter, job| Command {
            job,
            waiter: Some(waiter),
        };
        let commands = vec![
            asks("documents", Job::Documents(Vec::new(), None)),
            Command::without_waiter(Input::Minute),
            asks("command", Job::Input(Input::Minute)),
        ];
        let large = numbered(1_500);
        let large: Vec<&str> = large.iter().map(String::as_str).collect();
        let asked = [
            ("plain", vec!["a"]),
            ("with poison", vec!["b", "poison"]),
            ("large", large),
        ];
        let requests = asked.map(|(waiter, keys)| Request {
            integration: "native".into(),
            events: events(Action::Trigger, &keys),
            waiter,
            is_admitted: false,
        });
        let mut turns = vec![driver.turn(commands, requests.into(), at(0))];
        while driver.is_due(at(0)) {
            turns.push(driver.turn(Vec::new(), Vec::new(), at(0)));
        }
        let told = |(waiter, reply): &(&'static str, Reply)| match reply {
            Ok(Done::Answer(answer)) => (*waiter, answer.receipts().len()),
            Ok(Done::Documents | Done::Rules(_)) => (*waiter, 0),
            Err(error) => panic!("{waiter}: {error}"),
        };
        let told: Vec<_> = turns
            .iter()
            .flat_map(|turn| &turn.replies)
            .map(told)
            .collect();
        let expected = [
            ("documents", 0),
            ("command", 0),
            ("plain", 1),
            ("with poison", 2),
            ("large", 1_500),
        ];
        assert_eq!(told, expected);
        assert_eq!(driver.promises.len(), 0);
    }

    fn all_receipts(turns: &[Turn<()>]) -> Vec<String> {
        turns.iter().flat_map(receipts).collect()
    }

    fn receipts(turn: &Turn<()>) -> Vec<String> {
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
        let turns = turns_of(&mut driver, Vec::new(), events, at(0));

        assert_eq!(all_receipts(&turns), ["a", "b1", "poison", "b2", "c"]);
        assert_eq!(are_taken(&turns), [true, true, true]);
        let mut changes = turns.iter().flat_map(|turn| &turn.batch.changes);
        let kept = changes.any(|change| match change {
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
        let sends = turns.iter().map(|turn| turn.sends.len());
        assert_eq!(sends.sum::<usize>(), 5, "one each, the self-incident's too");
        let quarantined: Vec<_> = turns.iter().flat_map(|turn| &turn.quarantined).collect();
        assert_eq!(quarantined, ["trigger with dedup key \"poison\" of native"]);
    }

    #[test]
    fn an_event_that_cannot_even_be_set_aside_waits_for_another_process_and_holds_up_no_other() {
        let mut driver = Driver {
            step: hopeless,
            ..driver()
        };
        let events = vec![
            request(Action::Trigger, &["a"]),
            request(Action::Trigger, &["b", "poison", "c"]),
            request(Action::Trigger, &["d"]),
        ];
        let turns = turns_of(&mut driver, Vec::new(), events, at(0));
        assert_eq!(all_receipts(&turns), ["a", "b", "d"]);
        assert_eq!(
            are_taken(&turns),
            [true, false, true],
            "each sender is told"
        );
        assert!(!driver.is_due(at(0)), "it is not tried again and again");
        let alerts = driver.state().alerts();
        let keys: Vec<String> = alerts.map(|alert| alert.dedup_key.to_string()).collect();
        assert_eq!(
            keys,
            ["a", "b", "panic/", "d"],
            "the self-incident tells it"
        );

        // A version without the fault decides on it.
        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        let start = vec![Input::Start];
        let turns = turns_of(&mut driver, start, Vec::new(), at(5));
        assert_eq!(all_receipts(&turns), ["poison", "c"]);
    }

    #[test]
    fn also_of_a_request_in_several_parts_what_cannot_be_set_aside_waits_for_another_process() {
        let mut driver = Driver {
            step: hopeless,
            ..driver()
        };
        let mut keys = numbered(100);
        keys[5] = "poison".to_owned();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let request = vec![request(Action::Trigger, &keys)];
        let mut receipts = all_receipts(&turns_of(&mut driver, Vec::new(), request, at(0)));

        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        let start = vec![Input::Start];
        receipts.extend(all_receipts(&turns_of(
            &mut driver,
            start,
            Vec::new(),
            at(5),
        )));
        receipts.sort();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(receipts, keys, "each event is decided on once");
    }

    #[test]
    fn a_large_request_that_cannot_be_kept_takes_no_other_with_it() {
        let mut driver = Driver {
            step: keeps_badly,
            ..driver()
        };
        let mut broken = numbered(1_500);
        broken[600] = "poison".to_owned();
        let broken: Vec<&str> = broken.iter().map(String::as_str).collect();
        let whole = numbered(1_500);
        let whole: Vec<&str> = whole.iter().map(String::as_str).collect();
        let requests = [&broken, &whole].map(|keys| request(Action::Trigger, keys));
        let turns = turns_of(&mut driver, Vec::new(), requests.into(), at(0));
        assert_eq!(all_receipts(&turns), whole);
        assert_eq!(
            are_taken(&turns),
            [false, true],
            "each sender has its answer"
        );
    }

    /// Does turns until nothing is left, each with an outcome that comes meanwhile; the answers are
    /// how many turns, and the most that one of them cost.
    fn turns(driver: &mut Driver<()>, mut requests: Vec<Request<()>>, now: Now) -> (usize, u64) {
        let (mut turns, mut most) = (0, 0);
        while !requests.is_empty() || driver.is_due(now) {
            let outcome = Input::Outcome(not_started(AttemptId(9_999)));
            let turn = one_turn(driver, vec![outcome], requests, now);
            assert!(
                turn.commands_left.is_empty(),
                "an outcome is never behind them"
            );
            assert!(turn.quarantined.is_empty(), "{:?}", turn.quarantined);
            turns += 1;
            most = most.max(turn.work);
            requests = turn.requests_left.requests;
        }
        (turns, most)
    }

    fn numbered(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("a{number}")).collect()
    }

    #[test]
    fn a_turn_does_so_much_and_what_is_left_goes_on_whatever_it_is() {
        let keys = numbered(5_000);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut driver = driver();
        driver.hold_sending();
        let small: Vec<Request<()>> = keys
            .chunks(100)
            .map(|it| request(Action::Trigger, it))
            .collect();
        let (many, most) = turns(&mut driver, small, at(0));
        assert!(many > 10 && most < WORK_MAX * 3 / 2, "{many} turns, {most}");
        assert_eq!(driver.state().alerts().count(), 5_000);

        // One large request that resolves them, and one that opens as many.
        let large = vec![request(Action::Resolve, &keys)];
        let (many, most) = turns(&mut driver, large, at(1));
        assert!(many > 10 && most < WORK_MAX * 3 / 2, "{many} turns, {most}");
        assert_eq!(driver.state().incidents().count(), 0);
        let large = vec![request(Action::Trigger, &keys)];
        let (many, most) = turns(&mut driver, large, at(2));
        assert!(many > 10 && most < WORK_MAX * 3 / 2, "{many} turns, {most}");
        assert_eq!(driver.state().incidents().count(), 5_000);

        // A start at which the steps of all are overdue.
        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        driver.hold_sending();
        let start = vec![Input::Start];
        let first = one_turn(&mut driver, start, Vec::new(), at(310));
        assert_eq!(first.timers, 0, "no timer before all is recovered");
        let (many, most) = turns(&mut driver, Vec::new(), at(310));
        assert!(many > 5 && most < WORK_MAX * 3 / 2, "{many} turns, {most}");
        let is_moved = |known: &Arc<crate::engine::incident::Incident>| {
            known.escalation.position == crate::engine::incident::Position::Step(1)
        };
        assert!(driver.state().incidents().all(is_moved));
    }

    #[test]
    fn a_jump_of_the_clock_is_dealt_with_before_anything_else_however_many_turns_that_takes() {
        let keys = numbered(5_000);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut driver = driver();
        driver.hold_sending();
        for action in [Action::Trigger, Action::Resolve] {
            turns(&mut driver, vec![request(action, &keys)], at(0));
        }
        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        let days = Duration::days(30);
        let mut commands = vec![
            Command::without_waiter(Input::ClockAhead { by: days }),
            Command::without_waiter(Input::Start),
        ];
        let mut requests = vec![request(Action::Trigger, &["new"])];
        let now = at(30 * 24 * 3_600);
        let mut count = 0;
        while !requests.is_empty() {
            let turn = driver.turn(commands, requests, now);
            assert!(turn.work < WORK_MAX * 2, "{}", turn.work);
            commands = turn.commands_left;
            requests = turn.requests_left.requests;
            count += 1;
        }
        assert!(count > 3, "{count}");
        turns(&mut driver, Vec::new(), now);
        let known = driver.state().alerts().count();
        assert_eq!(
            known, 5_002,
            "nothing is forgotten, and the clock's own trouble is told"
        );
    }

    #[test]
    fn a_large_request_is_accepted_as_a_whole_or_not_at_all() {
        let keys = numbered(40_000);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut driver = driver();
        let large = vec![request(Action::Trigger, &keys)];
        let turn = driver.turn(Vec::new(), large, at(0));
        assert!(receipts(&turn).is_empty(), "it is still being kept");
        assert!(turn.replies.is_empty());
        assert_eq!(driver.promises.len(), 1, "its sender is not answered");

        // A process that dies meanwhile has accepted nothing.
        let mut other = Driver::new(driver.state().clone(), driver.rules().clone());
        one_turn(&mut other, vec![Input::Start], Vec::new(), at(5));
        turns(&mut other, Vec::new(), at(5));
        assert_eq!(other.state().alerts().count(), 0);
        assert_eq!(other.state().tasks().all().count(), 0);

        // One that dies after it has all, and has told nobody, decides on all.
        let is_whole = |driver: &Driver<()>| {
            let mut tasks = driver.state().tasks().all();
            tasks.any(|task| matches!(&task.kind, TaskKind::Events(part) if part.is_last))
        };
        while !is_whole(&driver) {
            driver.turn(Vec::new(), Vec::new(), at(0));
        }
        let mut driver = Driver::new(driver.state().clone(), driver.rules().clone());
        driver.hold_sending();
        one_turn(&mut driver, vec![Input::Start], Vec::new(), at(5));
        turns(&mut driver, Vec::new(), at(5));
        assert_eq!(driver.state().alerts().count(), 40_000);
    }

    #[test]
    fn a_page_that_panics_when_it_has_its_place_holds_up_no_other() {
        let mut driver = Driver {
            step: breaks_with_slot,
            ..driver()
        };
        let keys = request(Action::Trigger, &["a", "b", "c"]);
        let turn = driver.turn(Vec::new(), vec![keys], at(0));

        let pages: Vec<_> = turn.sends.iter().map(|order| order.page.0).collect();
        assert_eq!(pages, [1, 3, 4], "the fourth is of the self-incident");
        assert_eq!(turn.quarantined, ["slot of page 2 on twilio"]);
        assert!(!driver.is_due(at(1)), "it is not tried again and again");
        driver.turn(Vec::new(), Vec::new(), at(30));
        let page = driver.state().page(PageId(2)).expect("it is kept");
        assert!(page.failed_over, "the next contact is used: {page:?}");
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
        let start = vec![Input::Start];
        let turn = one_turn(&mut driver, start, Vec::new(), at(5));
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
