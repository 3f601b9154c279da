//! From an order to a person: the look-up before the socket, the provider, the message.

use std::sync::Arc;

use reveille::channels::CancelToken;
use reveille::engine::decision::SendRequest;
use reveille::engine::ids::{AttemptId, ChannelName};
use reveille::engine::input::{DeliveryReport, Input, Probed, Report};
use reveille::engine::outcome::{Capacity, Outcome};
use reveille::engine::page::PageKind;
use reveille::engine::time::Duration;
use reveille::runtime::driver::not_started;

use super::history::Seen;
use super::marks::Mark;
use super::providers::Mood;
use super::world::{Happening, Within, World};

/// After its own deadline a channel is given up from outside.
const GRACE: Duration = Duration::seconds(2);

impl World {
    /// A released order goes to its channel, which looks up what it needs.
    pub fn send(&mut self, order: Arc<SendRequest>) {
        let is_known = self.providers.contains_key(&order.channel);
        let Some(process) = self.process.as_mut() else {
            return;
        };
        if !is_known {
            let report = Report {
                outcome: Outcome::RefusedTarget,
                was_started: true,
                ..not_started(order.attempt)
            };
            return process.tell(Input::Outcome(report));
        }
        let mark = CancelToken::default();
        process.under_way.insert(order.attempt, mark.clone());
        let looks_up = self.random.chance(self.plan.look_ups);
        let longest = if looks_up { 3_000 } else { 2 };
        let wait = Duration(self.random.between(1, longest));
        self.soon_within(wait, Within::Opens(order, mark));
    }

    /// A withdrawal, by the mark that is tested before the socket opens.
    pub fn withdraw(&mut self, attempt: AttemptId) {
        let process = self.process.as_ref();
        if let Some(mark) = process.and_then(|process| process.under_way.get(&attempt)) {
            mark.withdraw();
        }
    }

    /// The socket of an order opens, unless it was withdrawn meanwhile.
    pub fn opens(&mut self, order: &Arc<SendRequest>, mark: &CancelToken) {
        let channel = order.channel.clone();
        let Some(process) = self.process.as_mut() else {
            return;
        };
        if mark.test().is_err() {
            process.under_way.remove(&order.attempt);
            process.tell(Input::Outcome(not_started(order.attempt)));
            return self.marks.hit(Mark::WithdrawnInLookUp);
        }
        self.figures.handed_over += 1;
        self.note(format_args!(
            "opens {} page {} {:?} to {} by {}",
            order.attempt, order.page, order.message.kind, order.address, channel
        ));
        self.marks
            .hit_if(order.message.kind == PageKind::Bundle, Mark::Bundle);
        let planned = self.planned.get(&order.attempt).copied();
        let Some(provider) = self.providers.get_mut(&channel) else {
            return;
        };
        self.marks
            .hit_if(provider.mood == Mood::BlackHole, Mark::BlackHole);
        let reaction = provider.take(order);
        self.show(&Seen::Opened {
            order,
            planned: planned.unwrap_or_default(),
        });
        self.react(order, reaction);
    }

    fn react(&mut self, order: &Arc<SendRequest>, reaction: super::providers::Reaction) {
        let silence = (Duration(order.deadline.0 + GRACE.0), Outcome::Unknown);
        let (after, outcome) = reaction
            .answer
            .filter(|(after, _)| *after <= silence.0)
            .unwrap_or(silence);
        let report = Report {
            attempt: order.attempt,
            outcome,
            latency_ms: after.0,
            provider_message: None,
            reference: outcome
                .is_sent()
                .then(|| format!("ref-{}", order.page).into()),
            was_started: true,
        };
        self.soon_within(after, Within::Answer(order.clone(), report));
        if let Some(after) = reaction.reaches {
            self.soon(after, Happening::Reaches(order.clone()));
        }
        self.marks
            .hit_if(reaction.reports.len() > 1, Mark::ReportRepeated);
        for (wait, outcome) in reaction.reports {
            self.marks
                .hit_if(!outcome.is_sent() && wait > after, Mark::LateReport);
            let report = Happening::DeliveryReport {
                channel: order.channel.clone(),
                attempt: order.attempt,
                outcome,
                tries: 0,
            };
            self.soon(wait, report);
        }
    }

    /// A channel has its answer: what the sender of production does with it.
    pub fn answered(&mut self, order: &Arc<SendRequest>, report: Report) {
        self.note(format_args!("answer {} {}", order.attempt, report.outcome));
        self.show(&Seen::Answered { order });
        if let Some(process) = self.process.as_mut() {
            process.under_way.remove(&order.attempt);
            process.tell(Input::Outcome(report));
        }
    }

    pub fn probe(&mut self, channel: ChannelName) {
        let Some(provider) = self.providers.get_mut(&channel) else {
            return;
        };
        let outcome = provider.probe();
        self.soon_within(Duration(5_000), Within::Probed(channel, outcome));
    }

    pub fn probed(&mut self, channel: ChannelName, outcome: Outcome) {
        self.marks.hit_if(outcome.is_sent(), Mark::ChannelRecovered);
        if let Some(process) = self.process.as_mut() {
            process.tell(Input::Probed(Probed {
                channel,
                outcome,
                provider_message: None,
                capacity: Capacity::Enough,
                certificate: None,
            }));
        }
    }

    /// A provider calls back about an attempt, again and again until it is heard.
    pub fn delivery_report(
        &mut self,
        channel: ChannelName,
        attempt: AttemptId,
        outcome: Outcome,
        tries: u32,
    ) {
        let is_up = self.asleep_until.is_none();
        match self.process.as_mut().filter(|_| is_up) {
            Some(process) => process.tell(Input::DeliveryReport(DeliveryReport {
                channel,
                attempt,
                outcome,
                provider_message: None,
            })),
            None if tries < 3 => {
                let again = Happening::DeliveryReport {
                    channel,
                    attempt,
                    outcome,
                    tries: tries + 1,
                };
                self.soon(Duration::minutes(2), again);
            }
            None => {}
        }
    }
}
