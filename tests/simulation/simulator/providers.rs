//! Providers: what becomes of a message that was handed over, and what is answered about it. Each
//! has a mood that changes while faults are about.

use reveille::engine::decision::SendRequest;
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::random::Random;

/// How a provider is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Healthy,
    /// So many thousandths fail, with errors of all kinds.
    BrownOut(u64),
    /// Everything is accepted and nothing delivered.
    BlackHole,
    /// Takes the message or not, and never answers.
    Tarpit,
    /// 429 with this wait.
    Throttling(Duration),
    /// Nothing works for this reason.
    Broken(Outcome),
    /// Takes everything and reports a failure later.
    FailsLater,
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    pub mood: Mood,
    random: Random,
    gives_reports: bool,
}

/// What follows from one order.
#[derive(Debug, Default)]
pub struct Reaction {
    /// After so long it answers; `None` is silence.
    pub answer: Option<(Duration, Outcome)>,
    /// After so long the person has the message.
    pub reaches: Option<Duration>,
    /// Later words on it, in the order in which they arrive.
    pub reports: Vec<(Duration, Outcome)>,
}

impl Provider {
    pub fn new(random: Random, gives_reports: bool) -> Self {
        Self {
            mood: Mood::Healthy,
            random,
            gives_reports,
        }
    }

    /// Draws another mood.
    pub fn change_mood(&mut self) {
        let wait = self.random.span(Duration(500), Duration::hours(2));
        let broken = *self.random.pick(&[
            Outcome::Transient,
            Outcome::RefusedCredential,
            Outcome::TlsNameMismatch,
            Outcome::TlsOther,
            Outcome::QuotaExhausted,
            Outcome::RefusedTarget,
            Outcome::RefusedContent,
            Outcome::Unknown,
        ]);
        let share = self.random.between(100, 1_000);
        self.mood = self.random.weighted(&[
            (5, Mood::Healthy),
            (3, Mood::BrownOut(share)),
            (1, Mood::BlackHole),
            (1, Mood::Tarpit),
            (2, Mood::Throttling(wait)),
            (3, Mood::Broken(broken)),
            (1, Mood::FailsLater),
        ]);
    }

    /// Takes an order whose socket has opened.
    pub fn take(&mut self, order: &SendRequest) -> Reaction {
        match self.mood {
            Mood::Healthy => self.healthy(),
            Mood::BrownOut(share) if self.random.chance(share) => self.fails(order),
            Mood::BrownOut(_) => self.healthy(),
            Mood::BlackHole => Reaction {
                reaches: None,
                reports: Vec::new(),
                ..self.healthy()
            },
            Mood::Tarpit => Reaction {
                reaches: self.random.chance(500).then_some(Duration::seconds(3)),
                ..Reaction::default()
            },
            Mood::Throttling(wait) => self.throttles(wait),
            Mood::Broken(outcome) => self.answers(outcome),
            Mood::FailsLater => self.fails_later(),
        }
    }

    /// How a probe ends now.
    pub fn probe(&mut self) -> Outcome {
        match self.mood {
            Mood::Broken(outcome) => outcome,
            Mood::Healthy
            | Mood::BrownOut(_)
            | Mood::BlackHole
            | Mood::Tarpit
            | Mood::Throttling(_)
            | Mood::FailsLater => Outcome::Accepted,
        }
    }

    fn healthy(&mut self) -> Reaction {
        let latency = self.random.span(Duration(20), Duration::seconds(4));
        let outcome = *self.random.pick(&[Outcome::Accepted, Outcome::Delivered]);
        let mut reports = Vec::new();
        if self.gives_reports && self.random.chance(600) {
            // Sometimes before the answer, sometimes twice.
            let after = self.random.span(Duration(10), Duration::minutes(10));
            reports.push((after, Outcome::Delivered));
            if self.random.chance(200) {
                reports.push((Duration(after.0 * 2), Outcome::Delivered));
            }
            if self.random.chance(100) {
                reports.push((Duration(after.0 + 1), Outcome::Accepted));
            }
        }
        Reaction {
            answer: Some((latency, outcome)),
            reaches: Some(Duration(latency.0 + 500)),
            reports,
        }
    }

    fn fails(&mut self, order: &SendRequest) -> Reaction {
        match self.random.below(8) {
            0 => self.throttles(Duration::seconds(2)),
            1 => Reaction::default(),
            2 => Reaction {
                reaches: Some(Duration::seconds(2)),
                ..self.answers(Outcome::Unknown)
            },
            3 => self.answers(Outcome::RefusedTarget),
            4 if !order.plain_text_only => self.answers(Outcome::RefusedContent),
            5 => self.fails_later(),
            _ => self.answers(Outcome::Transient),
        }
    }

    fn fails_later(&mut self) -> Reaction {
        let after = self
            .random
            .span(Duration::seconds(1), Duration::minutes(30));
        let outcome =
            *self
                .random
                .pick(&[Outcome::RefusedTarget, Outcome::Transient, Outcome::Unknown]);
        Reaction {
            answer: Some((Duration(300), Outcome::Accepted)),
            reaches: None,
            reports: vec![(after, outcome)],
        }
    }

    fn throttles(&self, wait: Duration) -> Reaction {
        Reaction {
            answer: Some((Duration(50), Outcome::Throttled { wait })),
            ..Reaction::default()
        }
    }

    fn answers(&mut self, outcome: Outcome) -> Reaction {
        let latency = self.random.span(Duration(20), Duration::seconds(14));
        Reaction {
            answer: Some((latency, outcome)),
            ..Reaction::default()
        }
    }
}
