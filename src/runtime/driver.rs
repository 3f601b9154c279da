//! The only code that changes state: a plain struct without await, so that simulations run the very
//! same code as production.
//!
//! One [`Driver::turn`] takes a batch of inputs and gives what must be made durable, the answers
//! that may be given once it is, and the effects that may then be released.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::engine::State;
use crate::engine::decision::{Answer, Decision, Effect, Order};
use crate::engine::ids::{AttemptId, Revision};
use crate::engine::incident::Trouble;
use crate::engine::input::{Input, Report, TimerKey};
use crate::engine::outcome::Outcome;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Now;
use crate::engine::trouble::Cause;
use crate::runtime::handle::{ApplyError, NewRules, Record};
use crate::store::{Batch, Clocks, DocumentKind, DocumentWrite, revision_name};

/// Timers handled in one turn; more wait for the next.
pub const TIMERS_MAX: usize = 256;

/// One thing for the driver to do.
pub enum Job {
    Input(Input),
    /// An input of which a document is kept.
    Recorded(Input, Record),
    Rules(Box<NewRules>),
    Documents(Vec<DocumentWrite>),
}

/// The result of one job, to be answered after the commit.
#[derive(Debug, PartialEq)]
pub enum Done {
    Answer(Answer),
    Rules(Result<Revision, ApplyError>),
    Documents,
    /// The decision panicked.
    Quarantined,
}

/// What one turn leads to.
#[derive(Debug, Default)]
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
}

impl Turn {
    /// Whether there is anything to make durable.
    pub fn is_empty(&self) -> bool {
        self.batch.changes.is_empty() && self.batch.documents.is_empty()
    }

    /// How many inputs it took: jobs and timers.
    pub fn inputs(&self) -> usize {
        self.done.len() + self.timers
    }
}

/// State, rules, and nothing else.
pub struct Driver {
    state: State,
    rules: Arc<RuleSet>,
    /// Timers whose decision panicked; they are not tried again in this process.
    broken: BTreeSet<TimerKey>,
}

impl Driver {
    /// A driver over what was loaded.
    pub fn new(state: State, rules: Arc<RuleSet>) -> Self {
        Self {
            state,
            rules,
            broken: BTreeSet::new(),
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
    /// ones changed.
    pub fn turn(&mut self, controls: Vec<Job>, events: Vec<Job>, now: Now) -> Turn {
        let mut turn = Turn::default();
        turn.batch.clocks = Clocks {
            wall: now.wall,
            steady: now.steady,
        };
        for job in controls {
            self.job(&mut turn, job, now);
        }
        self.timers(&mut turn, now);
        for job in events {
            self.job(&mut turn, job, now);
        }
        turn
    }

    fn job(&mut self, turn: &mut Turn, job: Job, now: Now) {
        let done = match job {
            Job::Input(input) => match self.decide(turn, input, now) {
                Some(answer) => Done::Answer(answer),
                None => Done::Quarantined,
            },
            Job::Recorded(input, record) => match self.decide(turn, input, now) {
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

    fn timers(&mut self, turn: &mut Turn, now: Now) {
        for _ in 0..TIMERS_MAX {
            let Some(key) = self.state.due(now.steady, now.wall, &self.broken) else {
                return;
            };
            turn.timers += 1;
            if self.decide(turn, Input::Due(key.clone()), now).is_none() {
                self.broken.insert(key);
            }
        }
    }

    /// Whether a timer is due that a further turn could handle.
    pub fn is_due(&self, now: Now) -> bool {
        self.state.due(now.steady, now.wall, &self.broken).is_some()
    }

    /// Decides on one input and applies the changes at once. `None` if the decision panicked.
    fn decide(&mut self, turn: &mut Turn, input: Input, now: Now) -> Option<Answer> {
        let seed = now.seed ^ turn.done.len() as u64;
        let now = Now { seed, ..now };
        let text = describe(&input);
        let step = AssertUnwindSafe(|| crate::engine::step(&self.state, &self.rules, input, now));
        let Ok(decision) = catch_unwind(step) else {
            self.report_panic(turn, &text, now);
            return None;
        };
        let answer = self.take(turn, decision);
        self.withdraw_unsent(turn, now);
        Some(answer)
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

    /// A later decision of a turn withdraws sends of earlier ones before they are released.
    fn withdraw_unsent(&mut self, turn: &mut Turn, now: Now) {
        while let Some(at) = turn
            .cancels
            .iter()
            .position(|attempt| turn.sends.iter().any(|order| order.attempt == *attempt))
        {
            let attempt = turn.cancels.remove(at);
            turn.sends.retain(|order| order.attempt != attempt);
            let report = not_started(attempt);
            let decision =
                crate::engine::step(&self.state, &self.rules, Input::Outcome(report), now);
            self.take(turn, decision);
        }
    }

    fn report_panic(&mut self, turn: &mut Turn, text: &str, now: Now) {
        turn.quarantined.push(text.to_owned());
        let trouble = Trouble {
            cause: Cause::Panic,
            subject: "".into(),
        };
        let text = format!("a decision failed and its input was set aside: {text}").into();
        let raise = Input::Raise { trouble, text };
        let step = AssertUnwindSafe(|| crate::engine::step(&self.state, &self.rules, raise, now));
        if let Ok(decision) = catch_unwind(step) {
            self.take(turn, decision);
        }
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
        self.decide(turn, Input::RulesChanged, now);
        Ok(revision)
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

/// The input without its contents, for a log line.
fn describe(input: &Input) -> String {
    match input {
        Input::Start => "start".to_owned(),
        Input::Suspended { lost } => format!("suspended for {lost}"),
        Input::Event { integration, event } => {
            format!(
                "{} of {integration}, dedup key {:?}",
                event.action, event.dedup_key
            )
        }
        Input::Due(key) => format!("timer of {key:?}"),
        Input::Outcome(report) => format!("outcome of attempt {}", report.attempt),
        Input::DeliveryReport { attempt, .. } => format!("delivery report on attempt {attempt}"),
        Input::Probed { channel, .. } => format!("probe of channel {channel}"),
        Input::Act(act) => format!("act of {}", act.actor.name),
        Input::Sms(sms) => format!("text message on channel {}", sms.channel),
        Input::PageByHand(_) => "page by hand".to_owned(),
        Input::Silence(_) | Input::ExpireSilence { .. } => "silence".to_owned(),
        Input::Override(_) | Input::RemoveOverride { .. } => "override".to_owned(),
        Input::RulesChanged => "change of rules".to_owned(),
        Input::Raise { trouble, .. } => format!("trouble {}", trouble.cause),
        Input::Clear { trouble } => format!("end of trouble {}", trouble.cause),
        Input::Minute => "minute".to_owned(),
    }
}
