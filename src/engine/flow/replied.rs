//! Answers of people that a provider hands over: each id is accepted once, over restarts.
//!
//! Neither the provider's own repetition nor a recorded request acts a second time.
//!
//! Whoever wrote keeps the ids of their last messages and presses, each until the incidents are
//! closed on which it acted, and for at least [`REMEMBERED_FOR`]; never more than [`IDS_MAX`].

use crate::engine::decision::{ActResult, Acted, Refusal};
use crate::engine::event::Text;
use crate::engine::ids::IncidentNumber;
use crate::engine::input::Press;
use crate::engine::records::{Replied, Sender};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{actions, key};
use crate::text::truncate;

/// How long an id is remembered at least.
const REMEMBERED_FOR: Duration = Duration::days(7);
/// Ids remembered of one who writes; beyond it the oldest is forgotten.
const IDS_MAX: usize = 300;
/// Characters of an id; what is longer is told apart by its hash.
const ID_CHARACTERS_MAX: usize = 100;
/// Incidents of one message that are waited for.
const INCIDENTS_MAX: usize = 100;
/// Texts to one who writes, and within which time; what is written beyond it still acts.
const ANSWERS_MAX: usize = 20;
const ANSWERS_WITHIN: Duration = Duration::minutes(10);

/// The id under which a message of a channel is remembered: each provider counts for itself.
pub fn id(channel: &str, message: &str) -> Text {
    let joined = key::joined(&[channel, message]);
    truncate::distinct(&joined, ID_CHARACTERS_MAX)
        .into_owned()
        .into()
}

/// Makes sure that something can be remembered of this address.
pub fn ensure_sender(tx: &mut StepTransaction<'_>, address: &Text) {
    if tx.sender(address).is_none() {
        let sender = Sender {
            address: address.clone(),
            ..Sender::default()
        };
        tx.put_sender(address.clone(), sender);
    }
}

/// What was said to the message with this id; `None` if it is new.
pub fn find(tx: &StepTransaction<'_>, address: &Text, id: &Text) -> Option<Replied> {
    let sender = tx.sender(address)?;
    let mut known = sender.replies.iter();
    if let Some(known) = known.find(|known| known.id == *id) {
        return Some(known.clone());
    }
    let is_of_earlier_build = sender.answered.contains(id);
    is_of_earlier_build.then(|| Replied {
        id: id.clone(),
        at: tx.now.steady,
        text: None,
        incidents: Vec::new(),
    })
}

/// Keeps what was said, and forgets what is old.
pub fn remember(tx: &mut StepTransaction<'_>, address: &Text, id: Text, said: Said) {
    let now = tx.now.steady;
    let Some(sender) = tx.sender(address) else {
        return;
    };
    let is_open = |number: &IncidentNumber| {
        let incident = tx.incident(number);
        incident.is_some_and(|incident| incident.is_open())
    };
    let mut replies: Vec<Replied> = sender
        .replies
        .iter()
        .filter(|old| now.since(old.at) < REMEMBERED_FOR || old.incidents.iter().any(is_open))
        .cloned()
        .collect();
    let mut incidents = said.incidents;
    incidents.truncate(INCIDENTS_MAX);
    replies.retain(|known| known.id != id);
    replies.push(Replied {
        id,
        at: now,
        text: said.text,
        incidents,
    });
    let surplus = replies.len().saturating_sub(IDS_MAX);
    replies.drain(..surplus);
    tx.edit_sender(address, |sender| sender.replies = replies);
}

/// What a message led to.
#[derive(Default)]
pub struct Said {
    pub text: Option<Text>,
    /// On which it acted.
    pub incidents: Vec<IncidentNumber>,
}

/// The text as it is sent: an answer costs money, and a phone or gateway that repeats itself must
/// not spend it without end. The last one within the limit says that it is the last.
pub fn within_limit(tx: &mut StepTransaction<'_>, address: &Text, text: String) -> Option<String> {
    let now = tx.now.steady;
    let before = tx.edit_sender(address, |sender| {
        sender.told.retain(|at| now.since(*at) < ANSWERS_WITHIN);
        let before = sender.told.len();
        if before < ANSWERS_MAX {
            sender.told.push(now);
        }
        before
    })?;
    if before + 1 == ANSWERS_MAX {
        let last = "More texts still count, but are not answered for a while.";
        return Some(format!("{text} {last}"));
    }
    (before < ANSWERS_MAX).then_some(text)
}

/// Does what a button says, unless this press did it before: then nothing is left to be done.
pub fn press(tx: &mut StepTransaction<'_>, press: &Press) -> Result<Vec<Acted>, Refusal> {
    let address: Text = key::joined(&[press.channel.as_str(), &press.account]).into();
    let id = id(press.channel.as_str(), &press.id);
    ensure_sender(tx, &address);
    if find(tx, &address, &id).is_some() {
        return Ok(Vec::new());
    }
    let acted = actions::act(tx, &press.act);
    let said = Said {
        text: None,
        incidents: acted.as_deref().map(done).unwrap_or_default(),
    };
    remember(tx, &address, id, said);
    acted
}

/// The incidents on which something was done.
pub fn done(acted: &[Acted]) -> Vec<IncidentNumber> {
    let done = acted.iter().filter(|one| one.result == ActResult::Done);
    done.map(|one| one.number).collect()
}
