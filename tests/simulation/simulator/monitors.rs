//! Monitors: each watches a few things that break, says so, repeats itself, loses answers and says
//! it again, speaks of the past, flaps, storms, and falls silent.

use std::sync::Arc;

use reveille::engine::event::{Action, Content, Event, EventTime};
use reveille::engine::time::{Duration, Timestamp};

use super::random::Random;
use super::team::TEAMS;

const SEVERITIES: &[&str] = &["critical", "error", "warning", "info", "none", ""];

/// One monitor.
pub struct Monitor {
    pub integration: &'static str,
    name: usize,
    random: Random,
    things: Vec<Thing>,
    /// It gives its events ids, and repeats a request that was not answered under the same ones.
    has_ids: bool,
    next_id: u64,
    is_storming: bool,
    /// Keeps quiet about everything.
    is_silent: bool,
    last: Option<Event>,
}

/// Something that is well or not.
struct Thing {
    key: String,
    team: &'static str,
    severity: &'static str,
    firing_since: Option<Timestamp>,
}

impl Monitor {
    pub fn new(mut random: Random, name: usize, is_storming: bool) -> Self {
        let is_asserting = random.chance(500);
        let count = random.between(1, 6);
        let things = (0..count).map(|number| Thing {
            key: format!("m{name}-{number}"),
            team: random.word(TEAMS),
            severity: random.word(SEVERITIES),
            firing_since: None,
        });
        let things = things.collect();
        Self {
            integration: if is_asserting { "prom" } else { "native" },
            name,
            things,
            has_ids: !is_asserting && random.chance(600),
            next_id: 0,
            is_storming,
            is_silent: false,
            last: None,
            random,
        }
    }

    /// What it posts now.
    pub fn act(&mut self, wall: Timestamp) -> Vec<Event> {
        if self.random.chance(20) {
            self.is_silent = !self.is_silent;
        }
        if self.is_silent {
            return Vec::new();
        }
        if self.is_storming && self.random.chance(30) {
            return self.storm(wall);
        }
        if self.random.chance(60)
            && let Some(last) = &self.last
        {
            // The network delivers it twice.
            return vec![last.clone()];
        }
        let count = self.random.weighted(&[(6, 1), (2, 2), (1, 5)]);
        let events: Vec<Event> = (0..count).map(|_| self.one(wall)).collect();
        self.last = events.last().cloned();
        events
    }

    /// When it acts again.
    pub fn pause(&mut self) -> Duration {
        let longest = *self.random.pick(&[
            Duration::seconds(20),
            Duration::minutes(5),
            Duration::minutes(40),
        ]);
        self.random.span(Duration(200), longest)
    }

    /// Everything is well again: what it posts until the router has heard of all of it.
    pub fn recover(&mut self, wall: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        for at in 0..self.things.len() {
            self.things[at].firing_since = None;
            events.push(self.event(at, Action::Resolve, wall));
        }
        events
    }

    fn one(&mut self, wall: Timestamp) -> Event {
        let at = self.random.below(self.things.len() as u64) as usize;
        let is_firing = self.things[at].firing_since.is_some();
        let action = if is_firing {
            self.random.weighted(&[
                (5, Action::Trigger),
                (4, Action::Resolve),
                (1, Action::Acknowledge),
            ])
        } else {
            self.random
                .weighted(&[(9, Action::Trigger), (1, Action::Resolve)])
        };
        match action {
            Action::Trigger => {
                self.things[at].firing_since.get_or_insert(wall);
                if self.random.chance(100) {
                    self.things[at].severity = self.random.word(SEVERITIES);
                }
                if self.random.chance(50) {
                    self.things[at].team = self.random.word(TEAMS);
                }
            }
            Action::Resolve => self.things[at].firing_since = None,
            Action::Acknowledge | Action::Change | Action::Ignore => {}
        }
        self.event(at, action, wall)
    }

    fn event(&mut self, at: usize, action: Action, wall: Timestamp) -> Event {
        let spoken = self.spoken(at, wall);
        let thing = &self.things[at];
        let labels = [
            ("team", thing.team),
            ("alertname", &thing.key[..2]),
            ("n", &thing.key[3..]),
        ];
        let content = Content {
            summary: thing.key.as_str().into(),
            severity: thing.severity.into(),
            labels: labels.into_iter().collect(),
            ..Content::default()
        };
        let has_end = matches!(
            spoken,
            EventTime::StateAsserted {
                ends_at: Some(_),
                ..
            }
        );
        let asserted_by = has_end.then(|| "http://prometheus.example.com/".into());
        let dedup_key = thing.key.as_str().into();
        Event {
            action,
            dedup_key,
            id: self.id(),
            spoken,
            asserted_by,
            content: Arc::new(content),
            faults: Vec::new(),
        }
    }

    fn spoken(&mut self, at: usize, wall: Timestamp) -> EventTime {
        if self.integration == "prom" {
            let ends_at = self.random.chance(400).then(|| wall + Duration::minutes(4));
            return EventTime::StateAsserted {
                starts_at: self.things[at].firing_since.or(Some(wall)),
                ends_at,
            };
        }
        let late = self.random.span(Duration::seconds(1), Duration::hours(30));
        EventTime::OccurredAt(match self.random.below(20) {
            0 => Some(wall.minus(late)),
            1 => Some(wall + late),
            2..=9 => Some(wall),
            _ => None,
        })
    }

    fn id(&mut self) -> Option<Arc<str>> {
        self.next_id += 1;
        let id = || format!("m{}-{}", self.name, self.next_id).into();
        self.has_ids.then(id)
    }

    /// Hundreds of things break at once.
    fn storm(&mut self, wall: Timestamp) -> Vec<Event> {
        let count = self.random.between(50, 400);
        let from = self.things.len();
        let team = self.random.word(TEAMS);
        for number in 0..count as usize {
            if self.things.len() < 500 {
                self.things.push(Thing {
                    key: format!("m{}-{}", self.name, from + number),
                    team,
                    severity: "critical",
                    firing_since: Some(wall),
                });
            }
        }
        let most = self.things.len();
        let events = (from..most).map(|at| self.event(at, Action::Trigger, wall));
        let events = events.collect();
        self.is_storming = false;
        events
    }
}
