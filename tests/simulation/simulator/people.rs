//! People: they answer, late, twice, by old links, from the wrong number, or not at all.

use reveille::engine::decision::SendRequest;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::input::{ActOn, ReassignTo, Verb};
use reveille::engine::page::Recipient;
use reveille::engine::ruleset::Target;
use reveille::engine::time::{Duration, Timestamp};

use super::history::Mailbox;
use super::random::Random;

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Act { user: String, verb: Verb, on: ActOn },
    Sms { from: String, text: String },
}

/// All of them.
pub struct People {
    random: Random,
    /// Thousandths of messages that somebody answers.
    diligence: u64,
}

impl People {
    pub fn new(random: Random, diligence: u64) -> Self {
        Self { random, diligence }
    }

    /// Who reads a message.
    pub fn reader(&mut self, order: &SendRequest) -> String {
        match &order.message.recipient {
            Recipient::User { user, .. } => user.to_string(),
            // Whoever is in the room.
            Recipient::Channel { .. } => "ops".to_owned(),
        }
    }

    /// Once faults are over everybody answers everything.
    pub fn respond_in_calm(&mut self, order: &SendRequest, user: &str) -> Vec<(Duration, Deed)> {
        if !order.asks {
            return Vec::new();
        }
        let delay = self.random.span(Duration::seconds(5), Duration::minutes(2));
        vec![(
            delay,
            self.act(user, Verb::Acknowledge, ActOn::Page(order.page)),
        )]
    }

    /// What somebody does about a message, and when.
    pub fn respond(
        &mut self,
        order: &SendRequest,
        user: &str,
        mailbox: &Mailbox,
        wall: Timestamp,
    ) -> Vec<(Duration, Deed)> {
        let mut deeds = Vec::new();
        if !self.random.chance(self.diligence) {
            return deeds;
        }
        let delay = self.random.span(Duration::seconds(2), Duration::hours(1));
        let later = |more: Duration| Duration(delay.0 + more.0);
        if self.random.chance(60) {
            // Tidying up: an old link, perhaps of an incident that came back since.
            let old = mailbox.of(user);
            if !old.is_empty() {
                let page = *self.random.pick(old);
                deeds.push((delay, self.act(user, Verb::Acknowledge, ActOn::Page(page))));
            }
        }
        if !order.asks {
            return deeds;
        }
        let on = ActOn::Page(order.page);
        deeds.push((delay, self.first(order, user, &on, wall)));
        if self.random.chance(80) {
            // Twice, or by somebody else a moment later.
            let other = if self.random.chance(500) { "ops" } else { user };
            deeds.push((
                later(Duration(300)),
                self.act(other, Verb::Acknowledge, on.clone()),
            ));
        }
        if self.random.chance(450) {
            let more = self.random.span(Duration::minutes(1), Duration::hours(3));
            deeds.push((later(more), self.act(user, Verb::Resolve, on.clone())));
        }
        if self.random.chance(50) {
            let more = self
                .random
                .span(Duration::seconds(10), Duration::minutes(20));
            deeds.push((later(more), self.act(user, Verb::Unacknowledge, on)));
        }
        deeds
    }

    fn first(&mut self, order: &SendRequest, user: &str, on: &ActOn, wall: Timestamp) -> Deed {
        let brief = order.message.incidents.first();
        let number = brief.map_or(IncidentNumber(0), |brief| brief.incident.number);
        let by_number = ActOn::Incidents(vec![number]);
        match self.random.below(20) {
            0 => self.act(user, Verb::Decline, on.clone()),
            1 => {
                let until = wall + self.random.span(Duration::minutes(5), Duration::hours(4));
                self.act(user, Verb::Snooze { until }, on.clone())
            }
            2 => self.act(user, Verb::Escalate, by_number),
            3 => {
                let to = ReassignTo::Target(Target::User("ops".into()));
                self.act(user, Verb::Reassign { to }, by_number)
            }
            4 => {
                let text = "looking".into();
                self.act(user, Verb::Note { text }, by_number)
            }
            5..=9 if order.medium.as_str() == "sms" => self.text(order, number),
            10..=12 => self.act(user, Verb::Acknowledge, by_number),
            _ => self.act(user, Verb::Acknowledge, on.clone()),
        }
    }

    fn text(&mut self, order: &SendRequest, number: IncidentNumber) -> Deed {
        let text = match self.random.below(8) {
            0 => "ack all".to_owned(),
            1 | 2 => "ack".to_owned(),
            3 => format!("ack {}", number.0 + 7),
            4 => "what is this?".to_owned(),
            _ => format!("ack {number}"),
        };
        let from = if self.random.chance(80) {
            "+351911111111".to_owned()
        } else {
            order.address.to_string()
        };
        Deed::Sms { from, text }
    }

    fn act(&self, user: &str, verb: Verb, on: ActOn) -> Deed {
        Deed::Act {
            user: user.to_owned(),
            verb,
            on,
        }
    }
}
