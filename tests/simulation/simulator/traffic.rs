//! What comes in from outside: requests of monitors with their retries, deeds of people, acts of
//! admins.

use std::sync::Arc;

use reveille::engine::decision::SendRequest;
use reveille::engine::event::Event;
use reveille::engine::input::{Act, Actor, Input, OverrideRequest, SilenceRequest, SmsReply, Via};
use reveille::engine::matcher::Matcher;
use reveille::engine::records::Receipt;
use reveille::engine::time::Duration;
use reveille::runtime::handle::NewRules;
use reveille::runtime::turn::{self, Job};

use super::history::{Asked, Broken, Seen};
use super::marks::Mark;
use super::people::Deed;
use super::team::TEAMS;
use super::world::{Happening, World};

/// A client gives up on an answer after so long.
const PATIENCE: Duration = Duration::seconds(10);
/// How often a client repeats a request while faults are about.
const TRIES_MAX: u32 = 8;

/// A request of a monitor.
pub struct Request {
    monitor: usize,
    pub events: Vec<Event>,
    tries: u32,
    pub is_answered: bool,
}

impl World {
    // ---- monitors -----------------------------------------------------------------------------

    pub fn monitor_acts(&mut self, at: usize) {
        if self.is_calm {
            return;
        }
        let wall = self.wall();
        let events = self.monitors[at].act(wall);
        if !events.is_empty() {
            self.ask_with_events(at, events);
        }
        let pause = self.monitors[at].pause();
        self.soon(pause, Happening::Monitor(at));
    }

    pub fn ask_with_events(&mut self, monitor: usize, events: Vec<Event>) {
        let request = Request {
            monitor,
            events,
            tries: 0,
            is_answered: false,
        };
        self.next_request += 1;
        let number = self.next_request;
        self.requests.insert(number, request);
        self.post(number);
    }

    fn post(&mut self, number: u64) {
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        request.tries += 1;
        if request.tries > TRIES_MAX && !self.is_calm {
            self.requests.remove(&number);
            return;
        }
        self.marks.hit_if(request.tries > 1, Mark::RequestRepeated);
        self.soon(PATIENCE, Happening::Retry(number));
        let is_up = self.asleep_until.is_none();
        let Some(process) = self.process.as_mut().filter(|_| is_up) else {
            return;
        };
        if process.is_disk_low {
            self.marks.hit(Mark::DiskLow);
            return;
        }
        let Some(request) = self.requests.get_mut(&number) else {
            return;
        };
        let integration = self.monitors[request.monitor].integration;
        // Whoever is told to come back later does.
        let _busy = process.queue.request(turn::Request {
            integration: integration.into(),
            events: request.events.clone(),
            waiter: Asked::Events { request: number },
            is_admitted: false,
        });
    }

    pub fn retry(&mut self, number: u64) {
        let request = self.requests.get(&number);
        if request.is_some_and(|request| request.is_answered) {
            self.requests.remove(&number);
        } else {
            self.post(number);
        }
    }

    /// A client gets its answer.
    pub fn received(&mut self, request: u64, receipts: &[Arc<Receipt>]) {
        let Some(request) = self.requests.get_mut(&request) else {
            return;
        };
        request.is_answered = true;
        if receipts.len() != request.events.len() {
            let what = "a request got another number of receipts than it had events".to_owned();
            return self.breaks(Some(Broken {
                invariant: "D2",
                passed: self.passed,
                what,
            }));
        }
        for receipt in receipts {
            self.figures.events += 1;
            self.note(format_args!(
                "accepted {} {} {} {:?}",
                receipt.id,
                receipt.dedup_key,
                receipt.disposition.as_str(),
                receipt.incidents
            ));
            self.show(&Seen::Accepted { receipt });
        }
    }

    // ---- people -------------------------------------------------------------------------------

    /// A message is with somebody.
    pub fn reaches(&mut self, order: &Arc<SendRequest>) {
        let user = self.people.reader(order);
        let wall = self.wall();
        let deeds = if self.is_calm {
            self.people.respond_in_calm(order, &user)
        } else {
            self.people.respond(order, &user, &self.mailbox, wall)
        };
        if order.asks {
            self.mailbox.put(&user, order);
        }
        for (after, deed) in deeds {
            self.soon(after, Happening::Deed { deed, tries: 0 });
        }
    }

    pub fn does(&mut self, deed: Deed, tries: u32) {
        let is_up = self.asleep_until.is_none();
        let Some(process) = self.process.as_mut().filter(|_| is_up) else {
            if tries < 5 || self.is_calm {
                let tries = tries + 1;
                self.soon(Duration::seconds(20), Happening::Deed { deed, tries });
            }
            return;
        };
        self.figures.acts += 1;
        let is_disk_low = process.is_disk_low;
        match deed {
            Deed::Act { user, verb, on } => {
                let act = Act {
                    actor: actor(&user),
                    on: on.clone(),
                    verb: verb.clone(),
                };
                let asked = Asked::Act {
                    user,
                    verb,
                    on,
                    tries,
                };
                process.give(Job::Input(Input::Act(act)), Some(asked));
            }
            Deed::Sms { from, text } => {
                let reply = SmsReply {
                    channel: "twilio".into(),
                    from: from.as_str().into(),
                    text: text.as_str().into(),
                    message_id: format!("sms-{}", self.figures.acts).into(),
                };
                let asked = Asked::Sms { from, text };
                process.give(Job::Input(Input::Sms(reply)), Some(asked));
            }
        }
        self.marks.hit_if(is_disk_low, Mark::AcknowledgedOnLowDisk);
    }

    // ---- admins -------------------------------------------------------------------------------

    pub fn admin_acts(&mut self) {
        if self.is_calm {
            return;
        }
        let pause = self.random.span(Duration::minutes(3), Duration::hours(2));
        self.soon(pause, Happening::Admin);
        if self.process.is_none() || self.asleep_until.is_some() {
            return;
        }
        match self.random.below(6) {
            0..=2 if self.plan.has_rule_edits => self.edit_rules(),
            3 | 4 if self.plan.has_silences => self.silence(),
            5 => self.stand_in(),
            _ => {}
        }
    }

    fn edit_rules(&mut self) {
        let before = self.team.clone();
        self.team.edit(&mut self.random);
        let Some((documents, rules)) = self.compiled() else {
            // A rejected set leaves the old one in force.
            self.team = before;
            return;
        };
        self.note(format_args!("rules replaced"));
        let new = NewRules {
            rules,
            document: documents.to_json().into_bytes(),
            expected: None,
            record: None,
        };
        let change = self.figures.faults;
        if let Some(process) = self.process.as_mut() {
            let is_open = process.cycle.driver.state().incidents().next().is_some();
            process.give(Job::Rules(Box::new(new)), Some(Asked::Rules { change }));
            self.marks.hit_if(is_open, Mark::RulesReplacedOpen);
        }
    }

    fn silence(&mut self) {
        let wall = self.wall();
        let (team, number) = (self.random.word(TEAMS), self.random.below(6));
        let matcher = if self.random.chance(500) {
            format!("team=\"{team}\"")
        } else {
            format!("n=\"{number}\"")
        };
        let known = self.process.as_ref().and_then(|process| {
            let mut silences = process.cycle.driver.state().silences();
            silences.next().map(|silence| silence.id)
        });
        let actor = actor("ops");
        let input = match known {
            Some(silence) if self.random.chance(300) => Input::ExpireSilence(silence),
            known => {
                let ahead = self.random.span(Duration::minutes(1), Duration::hours(1));
                let from = self.random.chance(300).then(|| wall + ahead);
                let length = self.random.span(Duration::minutes(10), Duration::hours(6));
                Input::Silence(SilenceRequest {
                    actor,
                    matchers: vec![Matcher::parse(&matcher).expect("a matcher")],
                    everything: false,
                    from,
                    until: wall + Duration(ahead.0 + length.0),
                    reason: "maintenance".into(),
                    replaces: known.filter(|_| self.random.chance(300)),
                })
            }
        };
        self.note(format_args!("silence {matcher}"));
        if let Some(process) = self.process.as_mut() {
            process.give(Job::Input(input), Some(Asked::Silence));
        }
    }

    fn stand_in(&mut self) {
        let (wall, length) = (
            self.wall(),
            self.random.span(Duration::minutes(10), Duration::hours(8)),
        );
        let user = self.random.pick(&self.team.users).name.clone();
        let schedule = self.random.pick(&self.team.schedules).name.clone();
        self.note(format_args!("{user} stands in on {schedule}"));
        let request = OverrideRequest {
            actor: actor("ops"),
            schedule: schedule.into(),
            user: user.into(),
            from: None,
            until: wall + length,
            reason: "swap".into(),
        };
        if let Some(process) = self.process.as_mut() {
            process.give(Job::Input(Input::Override(request)), Some(Asked::Override));
            self.marks.hit(Mark::OverrideInForce);
        }
    }
}

fn actor(user: &str) -> Actor {
    Actor {
        name: user.into(),
        user: Some(user.into()),
        via: Via::Api,
    }
}
