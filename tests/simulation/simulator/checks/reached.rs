//! Which marks a run reached, as far as they are read off what the engine wrote.

use std::collections::BTreeSet;

use reveille::engine::event::Text;
use reveille::engine::ids::ReceiptId;
use reveille::engine::incident::Status;
use reveille::engine::input::Verb;
use reveille::engine::reason::Reason;
use reveille::engine::records::{Change, Record};

use super::super::history::Seen;
use super::super::marks::{Mark, Marks};
use super::{entries, incidents};

/// Remembers what it needs to tell a recovery and a repetition.
#[derive(Default)]
pub struct Reached {
    down: Vec<Text>,
    accepted: BTreeSet<ReceiptId>,
}

impl Reached {
    pub fn see(&mut self, seen: &Seen<'_>, marks: &mut Marks) {
        match seen {
            Seen::Turned { turn, state, .. } => {
                for entry in entries(turn) {
                    if let Some(mark) = mark_of(entry.reason) {
                        marks.hit(mark);
                    }
                }
                for incident in incidents(turn) {
                    marks.hit_if(incident.about.is_some(), Mark::SelfIncident);
                    let is_flapping = incident.flapping_until.is_some();
                    marks.hit_if(is_flapping, Mark::Flapping);
                    let is_joined = incident.escalation.is_join_pending;
                    marks.hit_if(is_joined, Mark::JoinedAcknowledged);
                    let is_taken = incident.status == Status::Acknowledged;
                    let in_flight = || {
                        let mut pages = state.pages_of(incident.number);
                        pages.any(|page| page.asks() && page.in_flight().is_some())
                    };
                    marks.hit_if(is_taken && in_flight(), Mark::AcknowledgedWhileSending);
                }
                for change in &turn.batch.changes {
                    self.look_at(change, marks);
                }
            }
            Seen::Acted { verb, .. } => match verb {
                Verb::Decline => marks.hit(Mark::Declined),
                Verb::Reassign { .. } => marks.hit(Mark::Reassigned),
                Verb::Unacknowledge => marks.hit(Mark::Unacknowledged),
                Verb::Acknowledge
                | Verb::Resolve
                | Verb::Snooze { .. }
                | Verb::Escalate
                | Verb::Note { .. } => {}
            },
            Seen::Accepted { receipt } => {
                let is_first = self.accepted.insert(receipt.id);
                marks.hit_if(!is_first, Mark::DuplicateId);
            }
            Seen::Started { .. }
            | Seen::Durable { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => {}
        }
    }

    fn look_at(&mut self, change: &Change, marks: &mut Marks) {
        match change {
            Change::Receipt(receipt) => {
                if let Some(mark) = mark_of(receipt.reason) {
                    marks.hit(mark);
                }
            }
            Change::Put(Record::Channel(channel)) => {
                let name: Text = channel.name.as_str().into();
                if channel.down.is_some() {
                    marks.hit(Mark::ChannelDown);
                    self.down.push(name);
                } else if self.down.contains(&name) {
                    self.down.retain(|known| *known != name);
                    marks.hit(Mark::ChannelRecovered);
                }
            }
            Change::Put(Record::Sender(sender)) => {
                marks.hit_if(!sender.wrong.is_empty(), Mark::WrongNumber);
            }
            Change::Put(_) | Change::Drop(_) | Change::Archive(_) | Change::Entry(_) => {}
        }
    }
}

fn mark_of(reason: Reason) -> Option<Mark> {
    Some(match reason.as_str() {
        "channel_throttled" => Mark::FailoverAfterThrottle,
        "retry_budget" => Mark::RetryBudgetEmpty,
        "fallback" => Mark::FallbackPaged,
        "exhausted" => Mark::Exhausted,
        "round_started" => Mark::RoundRepeated,
        "ack_timeout" => Mark::AckTimeout,
        "snooze_over" => Mark::SnoozeOver,
        "urgency_raised" => Mark::UrgencyRaised,
        "held_old" => Mark::HeldOld,
        "still_firing_hold" => Mark::StillFiringHold,
        "expired" => Mark::Expired,
        "unreported" => Mark::Unreported,
        "silenced" => Mark::SilencedOpen,
        "silence_over" => Mark::SilenceOver,
        "contact_test" => Mark::TestPage,
        "nobody_on_call" => Mark::NobodyOnCall,
        "nobody_reached" => Mark::NobodyReached,
        "target_gone" => Mark::TargetGone,
        _ => return None,
    })
}
