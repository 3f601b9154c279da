//! Which marks a run reached, as far as they are read off what the engine wrote.

use std::collections::BTreeSet;

use reveille::engine::event::Text;
use reveille::engine::ids::ReceiptId;
use reveille::engine::incident::Status;
use reveille::engine::input::Verb;
use reveille::engine::reason::Reason;
use reveille::engine::records::{Change, Record};

use super::super::history::Seen;
use super::super::marks::{CancelToken, Marks};
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
                    marks.hit_if(incident.about.is_some(), CancelToken::SelfIncident);
                    let is_flapping = incident.flapping_until.is_some();
                    marks.hit_if(is_flapping, CancelToken::Flapping);
                    let is_joined = incident.escalation.is_join_pending;
                    marks.hit_if(is_joined, CancelToken::JoinedAcknowledged);
                    let is_taken = incident.status == Status::Acknowledged;
                    let in_flight = || {
                        let mut pages = state.pages_of(incident.number);
                        pages.any(|page| page.asks() && page.in_flight().is_some())
                    };
                    marks.hit_if(
                        is_taken && in_flight(),
                        CancelToken::AcknowledgedWhileSending,
                    );
                }
                for change in &turn.batch.changes {
                    self.look_at(change, marks);
                }
            }
            Seen::Acted { verb, .. } => match verb {
                Verb::Decline => marks.hit(CancelToken::Declined),
                Verb::Reassign { .. } => marks.hit(CancelToken::Reassigned),
                Verb::Unacknowledge => marks.hit(CancelToken::Unacknowledged),
                Verb::Acknowledge
                | Verb::Resolve
                | Verb::Snooze { .. }
                | Verb::Escalate
                | Verb::Note { .. } => {}
            },
            Seen::Accepted { receipt } => {
                let is_first = self.accepted.insert(receipt.id);
                marks.hit_if(!is_first, CancelToken::DuplicateId);
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
                    marks.hit(CancelToken::ChannelDown);
                    self.down.push(name);
                } else if self.down.contains(&name) {
                    self.down.retain(|known| *known != name);
                    marks.hit(CancelToken::ChannelRecovered);
                }
            }
            Change::Put(Record::Sender(sender)) => {
                marks.hit_if(!sender.wrong.is_empty(), CancelToken::WrongNumber);
            }
            Change::Put(_) | Change::Drop(_) | Change::Archive(_) | Change::Entry(_) => {}
        }
    }
}

fn mark_of(reason: Reason) -> Option<CancelToken> {
    Some(match reason.as_str() {
        "channel_throttled" => CancelToken::FailoverAfterThrottle,
        "retry_budget" => CancelToken::RetryBudgetEmpty,
        "fallback" => CancelToken::FallbackPaged,
        "exhausted" => CancelToken::Exhausted,
        "round_started" => CancelToken::RoundRepeated,
        "ack_timeout" => CancelToken::AckTimeout,
        "snooze_over" => CancelToken::SnoozeOver,
        "urgency_raised" => CancelToken::UrgencyRaised,
        "held_old" => CancelToken::HeldOld,
        "still_firing_hold" => CancelToken::StillFiringHold,
        "expired" => CancelToken::Expired,
        "unreported" => CancelToken::Unreported,
        "silenced" => CancelToken::SilencedOpen,
        "silence_over" => CancelToken::SilenceOver,
        "contact_test" => CancelToken::TestPage,
        "nobody_on_call" => CancelToken::NobodyOnCall,
        "nobody_reached" => CancelToken::NobodyReached,
        "target_gone" => CancelToken::TargetGone,
        _ => return None,
    })
}
