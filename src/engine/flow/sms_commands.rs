//! Text messages from phones: `ack`, `ack 1042`, `ack all`, `resolve 1042`, and STOP.
//!
//! Only a number that is somebody's contact is answered, in whatever spelling a gateway gives it,
//! and only for incidents that this contact was paged for. Where two people share a number, the
//! reply is that of whoever was paged. Words that carriers take for themselves (`end`, `quit`,
//! `cancel`, `yes`) are no commands. Of other numbers only STOP and START are remembered.

use std::sync::Arc;

use crate::engine::cause::Cause;
use crate::engine::decision::{ActResult, Acted, SmsAnswer};
use crate::engine::event::Text;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Incident, SelfIncident};
use crate::engine::input::{Act, ActOn, Actor, SmsReply, Verb, Via};
use crate::engine::page::PageKind;
use crate::engine::phone;
use crate::engine::replied::Said;
use crate::engine::sms_callers::{
    Caller, Owner, caller, paged_incidents, paged_last, was_paged_for_another,
};
use crate::engine::sms_parse::{Command, Which};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{actions, contact_test_result, replied, self_incidents, sms_parse};

/// Wrong numbers before a sender is blocked, and for how long.
const WRONG_MAX: usize = 5;
const BLOCKED_FOR: Duration = Duration::minutes(10);
/// Texts of a sender that are no command and are answered, and within which time.
const HELPED_MAX: usize = 3;
const HELPED_WITHIN: Duration = Duration::minutes(10);

/// Beyond so many phones and accounts no stranger's STOP is remembered.
const SENDERS_MAX: usize = 10_000;
/// Incidents named in a reply.
const LISTED_MAX: usize = 5;

/// Answers a text message.
pub fn sms(tx: &mut StepTransaction<'_>, reply: &SmsReply) -> SmsAnswer {
    let Some(caller) = caller(tx, &reply.from) else {
        stranger(tx, reply);
        return SmsAnswer::default();
    };
    let address = caller.address.clone();
    replied::ensure_sender(tx, &address);
    let id = replied::id(reply.channel.as_str(), &reply.message_id);
    let command = sms_parse::parse(&reply.text);
    // The carrier took STOP already: it counts whatever else is known of the sender.
    if command != Command::Stop {
        if let Some(first) = replied::find(tx, &address, &id) {
            return SmsAnswer {
                text: first.text,
                is_repeat: true,
            };
        }
        if is_blocked(tx, &address) {
            replied::remember(tx, &address, id, Said::default());
            return SmsAnswer::default();
        }
    }
    let (text, incidents) = obey(tx, &caller, command);
    let text = text.and_then(|text| replied::within_limit(tx, &address, text));
    let text: Option<Text> = text.map(Into::into);
    let said = Said {
        text: text.clone(),
        incidents,
    };
    replied::remember(tx, &address, id, said);
    SmsAnswer {
        text,
        is_repeat: false,
    }
}

/// Of a number that is nobody's contact only STOP and START count: the carrier took them, and the
/// number may become a contact, or one again. There is no answer.
fn stranger(tx: &mut StepTransaction<'_>, reply: &SmsReply) {
    let is_stopped = match sms_parse::parse(&reply.text) {
        Command::Stop => true,
        Command::Start => false,
        Command::Acknowledge(_) | Command::Resolve(_) | Command::Other => return,
    };
    let Some(address) = phone::international(&reply.from).map(Text::from) else {
        return;
    };
    let is_known = tx.sender(&address).is_some();
    let has_room = tx.state.senders_known() < SENDERS_MAX;
    if is_known || (is_stopped && has_room) {
        replied::ensure_sender(tx, &address);
        tx.edit_sender(&address, |sender| sender.is_stopped = is_stopped);
    }
}

fn is_blocked(tx: &StepTransaction<'_>, address: &Text) -> bool {
    let blocked_until = tx.sender(address).and_then(|sender| sender.blocked_until);
    blocked_until.is_some_and(|until| until > tx.now.steady)
}

/// What is to be said, and the incidents on which it acted.
type Obeyed = (Option<String>, Vec<IncidentNumber>);

fn obey(tx: &mut StepTransaction<'_>, caller: &Caller, command: Command) -> Obeyed {
    let said = |text| (text, Vec::new());
    match command {
        Command::Acknowledge(Which::TheOne) => acknowledge_the_one(tx, caller),
        Command::Acknowledge(Which::All) => acknowledge_all(tx, caller),
        Command::Acknowledge(Which::Number(number)) => {
            act_on(tx, caller, IncidentNumber(number), Verb::Acknowledge)
        }
        Command::Resolve(number) => act_on(tx, caller, IncidentNumber(number), Verb::Resolve),
        Command::Stop => said(stop(tx, caller)),
        Command::Start => said(start(tx, caller)),
        Command::Other => said(help(tx, &caller.address)),
    }
}

/// Says what can be written. Only a few times: a gateway that hands our own words back, or a phone
/// that answers by itself, would have itself answered for ever.
fn help(tx: &mut StepTransaction<'_>, address: &Text) -> Option<String> {
    let now = tx.now.steady;
    let is_answered = tx.edit_sender(address, |sender| {
        sender.helped.retain(|at| now.since(*at) < HELPED_WITHIN);
        let is_answered = sender.helped.len() < HELPED_MAX;
        if is_answered {
            sender.helped.push(now);
        }
        is_answered
    });
    let text = "Reply ack, ack NUMBER, ack all or resolve NUMBER.";
    is_answered.unwrap_or(false).then(|| text.to_owned())
}

/// A text takes its time: `ack` counts only where it cannot have been meant for another page.
fn acknowledge_the_one(tx: &mut StepTransaction<'_>, caller: &Caller) -> Obeyed {
    let open = paged_incidents(tx, caller);
    let text = match open.as_slice() {
        [] => "Nothing is open for you.".to_owned(),
        [one] if was_paged_for_another(tx, caller, one.number) => {
            let number = one.number;
            format!("#{number} is open, and another page left just now. Reply ack {number}.")
        }
        [one] => return act_on(tx, caller, one.number, Verb::Acknowledge),
        several => {
            let listed: Vec<String> = several
                .iter()
                .take(LISTED_MAX)
                .map(|one| format!("#{}", one.number))
                .collect();
            let count = several.len();
            format!("{count} are open: {}. Reply ack NUMBER.", listed.join(" "))
        }
    };
    (Some(text), Vec::new())
}

fn acknowledge_all(tx: &mut StepTransaction<'_>, caller: &Caller) -> Obeyed {
    let bundles = caller.owners.iter().filter_map(|owner| {
        let last = tx.person(&owner.user)?.last_bundle?;
        Some((last, owner))
    });
    let last = bundles.max_by_key(|(last, _)| *last);
    let page = last
        .and_then(|(id, owner)| Some((tx.page(&id)?, owner)))
        .filter(|(page, _)| page.kind == PageKind::Bundle);
    let Some((page, owner)) = page else {
        let text = "There is no list to acknowledge. Reply ack NUMBER.";
        return (Some(text.to_owned()), Vec::new());
    };
    let acted = perform(tx, owner, ActOn::Page(page.id), Verb::Acknowledge);
    let done = replied::done(&acted);
    let (count, still) = (done.len(), still_open(tx, caller));
    (Some(format!("You acknowledged {count}. {still}")), done)
}

fn act_on(
    tx: &mut StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
    verb: Verb,
) -> Obeyed {
    let Some(owner) = paged_last(tx, caller, number) else {
        return (wrong_number(tx, caller, number), Vec::new());
    };
    let is_resolve = verb == Verb::Resolve;
    let acted = perform(tx, &owner, ActOn::Incidents(vec![number]), verb);
    let done = replied::done(&acted);
    let Some(acted) = acted.first() else {
        return (None, done);
    };
    let text = match acted.result {
        ActResult::Done if is_resolve => format!("You resolved #{number}."),
        ActResult::Done => {
            format!("You acknowledged #{number}. {}", still_open(tx, caller))
        }
        ActResult::AlreadySo => {
            let by = acted
                .acknowledged
                .as_ref()
                .map_or("Somebody", |handled| &handled.by);
            format!("{by} has #{number} already.")
        }
        ActResult::NotOpen | ActResult::NotFound => format!("#{number} is not open."),
    };
    (Some(text), done)
}

fn still_open(tx: &StepTransaction<'_>, caller: &Caller) -> String {
    let open = paged_incidents(tx, caller);
    let still =
        |incident: &&Arc<Incident>| tx.incident(&incident.number).is_some_and(|now| now.asks());
    match open.iter().filter(still).count() {
        0 => "Nothing else is open.".to_owned(),
        count => format!("{count} more open."),
    }
}

fn wrong_number(
    tx: &mut StepTransaction<'_>,
    caller: &Caller,
    number: IncidentNumber,
) -> Option<String> {
    let now = tx.now.steady;
    let is_blocked = tx.edit_sender(&caller.address, |sender| {
        sender.wrong.retain(|at| now.since(*at) < BLOCKED_FOR);
        sender.wrong.push(now);
        let is_blocked = sender.wrong.len() >= WRONG_MAX;
        if is_blocked {
            sender.blocked_until = Some(now + BLOCKED_FOR);
            sender.wrong.clear();
        }
        is_blocked
    });
    let blocked = is_blocked
        .unwrap_or(false)
        .then(|| format!(" Wait {BLOCKED_FOR}."));
    Some(format!(
        "You were not paged for #{number}.{}",
        blocked.unwrap_or_default()
    ))
}

fn perform(tx: &mut StepTransaction<'_>, owner: &Owner, on: ActOn, verb: Verb) -> Vec<Acted> {
    let actor = Actor {
        name: owner.user.as_str().into(),
        user: Some(owner.user.clone()),
        via: Via::Sms,
    };
    let acted = actions::act(tx, &Act { actor, on, verb });
    // Only a snooze, a note or a reassignment can be refused.
    acted.unwrap_or_else(|refusal| panic!("a text message was refused: {refusal}"))
}

/// The carrier takes STOP for itself: the contact is of no use until START, which must be known.
fn stop(tx: &mut StepTransaction<'_>, caller: &Caller) -> Option<String> {
    tx.edit_sender(&caller.address, |sender| sender.is_stopped = true);
    for Owner { user, contact } in &caller.owners {
        let trouble = SelfIncident::new(Cause::ContactStopped, user.as_str());
        let text =
            format!("{user} answered STOP: contact {contact} is disabled until they answer START");
        self_incidents::raise(tx, trouble, &text);
        contact_test_result::stopped(tx, user, contact);
    }
    None
}

fn start(tx: &mut StepTransaction<'_>, caller: &Caller) -> Option<String> {
    tx.edit_sender(&caller.address, |sender| sender.is_stopped = false);
    for owner in &caller.owners {
        let trouble = SelfIncident::new(Cause::ContactStopped, owner.user.as_str());
        self_incidents::clear(tx, &trouble);
    }
    Some("You will be paged here again.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_people_type_them() {
        let cases = [
            ("ack", Command::Acknowledge(Which::TheOne)),
            (" ACK. ", Command::Acknowledge(Which::TheOne)),
            ("Ack 1042", Command::Acknowledge(Which::Number(1042))),
            ("ack #1042", Command::Acknowledge(Which::Number(1042))),
            ("\"ack all\"", Command::Acknowledge(Which::All)),
            ("resolve 7", Command::Resolve(7)),
            ("STOP", Command::Stop),
            ("start", Command::Start),
            ("resolve", Command::Other),
            ("what is up", Command::Other),
            ("", Command::Other),
        ];
        for (text, command) in cases {
            assert_eq!(sms_parse::parse(text), command, "{text}");
        }
    }
}
