//! What observers outside of the process saw, as the checkers need it, and the trace.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use reveille::engine::State;
use reveille::engine::decision::{Acted, SendRequest};
use reveille::engine::ids::PageId;
use reveille::engine::input::{ActOn, Verb};
use reveille::engine::records::Receipt;
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::{Duration, Now};
use reveille::runtime::turn;
use reveille::store::MemoryStore;

use super::providers::Mood;

/// A turn of the process under test.
pub type Turn = turn::Turn<Asked>;

/// Who waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A request of a monitor.
    Events {
        request: u64,
    },
    /// An act of a person.
    Act {
        user: String,
        verb: Verb,
        on: ActOn,
        tries: u32,
    },
    Sms {
        from: String,
        text: String,
    },
    Silence,
    Override,
    /// A change of rules, by its number.
    Rules {
        change: u64,
    },
}

/// Something that happened.
pub enum Seen<'a> {
    /// A process has loaded its state and is about to recover.
    Started {
        state: &'a State,
    },
    /// It decided on a turn; nothing of it is out yet.
    Turned {
        turn: &'a Turn,
        state: &'a State,
        rules: &'a RuleSet,
        now: Now,
    },
    /// A turn is durable.
    Durable {
        turn: &'a Turn,
    },
    /// A client learnt what became of its event.
    Accepted {
        receipt: &'a Arc<Receipt>,
    },
    /// A person learnt what became of an act, decided in this turn.
    Acted {
        number: u64,
        verb: &'a Verb,
        on: &'a ActOn,
        acted: &'a [Acted],
    },
    /// An order left: from now on a provider may have it.
    Opened {
        order: &'a Arc<SendRequest>,
        planned: u64,
    },
    /// A provider answered, and the process heard it.
    Answered {
        order: &'a SendRequest,
    },
    /// The process died.
    Died,
    /// A provider's mood changed.
    Mood {
        mood: Mood,
    },
    /// The minute's audit was made; whether the heartbeat was called.
    Minute {
        is_beating: bool,
        state: &'a State,
        now: Now,
    },
    ClockJumped,
}

/// Where it happened.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// True time since the run began.
    pub passed: Duration,
    pub store: &'a MemoryStore,
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub invariant: &'static str,
    pub passed: Duration,
    pub what: String,
}

/// The trace: a hash over everything, and the latest lines for people.
pub struct Trace {
    hash: u64,
    latest: VecDeque<String>,
    pub lines: u64,
    kept: usize,
}

impl Trace {
    pub fn new(kept: usize) -> Self {
        Self {
            hash: 0xCBF2_9CE4_8422_2325,
            latest: VecDeque::new(),
            lines: 0,
            kept,
        }
    }

    pub fn note(&mut self, passed: Duration, line: std::fmt::Arguments<'_>) {
        let mut text = String::new();
        let _ = write!(text, "{:>12} {line}", passed.0);
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        self.lines += 1;
        if self.latest.len() == self.kept {
            self.latest.pop_front();
        }
        self.latest.push_back(text);
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn latest(&self) -> String {
        let lines: Vec<&str> = self.latest.iter().map(String::as_str).collect();
        lines.join("\n")
    }
}

/// Pages that people have seen, so that they may come back to an old one.
#[derive(Default)]
pub struct Mailbox {
    pages: BTreeMap<String, Vec<PageId>>,
}

impl Mailbox {
    /// Somebody got a page.
    pub fn put(&mut self, user: &str, order: &SendRequest) {
        let pages = self.pages.entry(user.to_owned()).or_default();
        pages.push(order.page);
        if pages.len() > 20 {
            pages.remove(0);
        }
    }

    /// What somebody has, oldest first.
    pub fn of(&self, user: &str) -> &[PageId] {
        self.pages.get(user).map_or(&[], Vec::as_slice)
    }
}
