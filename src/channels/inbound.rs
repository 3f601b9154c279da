//! What providers post to us: replies, presses of buttons and delivery reports. `api` hands each
//! request to the folder of its provider, which says whether it is genuine, what it means and how
//! it is answered. Pure.

use std::collections::BTreeMap;
use std::fmt;

use crate::engine::event::Text;
use crate::engine::ids::AttemptId;
use crate::engine::input::Verb;
use crate::engine::outcome::Outcome;
use crate::engine::time::Timestamp;
use crate::text::form;

/// Where a provider posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Replies,
    Reports,
    Buttons,
}

/// A request without its body. It holds keys and signatures, and is never printed.
#[derive(Clone)]
pub struct Head {
    pub endpoint: Endpoint,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As the provider called it: our configured address with path and query. The address in the
    /// request is never used, because a client can choose it.
    pub url: String,
    pub now: Timestamp,
}

impl Head {
    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.url.split_once('?')?;
        let query = form::fields(query.as_bytes());
        form::field(&query, name).map(str::to_owned)
    }
}

/// What is known of a request that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Genuine,
    /// The signature covers the body, which was not yet read.
    NeedsBody,
}

/// Why a request is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Such as "a request in the name of Slack".
    pub what: &'static str,
    /// For the log and whoever keeps the settings.
    pub cause: String,
    pub origin: Origin,
    pub denial: Denial,
}

/// Who seems to have sent it, beside its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It knows what only the provider and we know, such as the account, or is signed at all.
    LikelyProvider,
    /// Anybody on the internet may have sent it.
    Unknown,
}

/// What the sender of a refused request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    Unauthorized(String),
    /// As [`Denial::Unauthorized`], and it counts as a guess.
    WrongKey(String),
    Forbidden(String),
}

/// What a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    Reply(Reply),
    Report(Report),
    Press(ButtonPress),
    /// Nothing that we need to know.
    Nothing,
}

/// A text message that somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub from: Text,
    pub text: Text,
    /// One message acts once.
    pub message_id: Text,
}

/// What became of a message that the provider had accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Ours, never the provider's id, because it may come before the answer to the send.
    pub attempt: AttemptId,
    pub outcome: Outcome,
    pub provider_message: String,
}

/// A button that somebody pressed. What is printed of it has no token and no address.
#[derive(Clone, PartialEq, Eq)]
pub struct ButtonPress {
    pub verb: Verb,
    /// The acknowledge token, which names the page.
    pub token: String,
    /// The provider's id of whoever pressed.
    pub account: String,
    /// What only this press has; one id acts once.
    pub id: Text,
    /// Nobody but the recipient of the message can have pressed.
    pub is_direct: bool,
    /// Where whoever pressed is told what only they need to know.
    pub answer_address: Option<String>,
}

impl fmt::Debug for ButtonPress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ButtonPress");
        shown.field("verb", &self.verb).field("id", &self.id);
        shown.finish_non_exhaustive()
    }
}

/// What a request that was carried out is answered, with status 200.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Empty for an answer without a body.
    pub content_type: &'static str,
    pub body: String,
}

/// How what one channel's provider posts is believed, read and answered.
pub trait Inbound: Send + Sync {
    /// Whether it posts there at all.
    fn takes(&self, endpoint: Endpoint) -> bool;

    /// Whether the provider sent it. Asked without the body first, so that what cannot be genuine
    /// is refused before it is read.
    fn verify(&self, head: &Head, body: Option<&[u8]>) -> Result<Verdict, Refusal>;

    /// What it means, or what is wrong with it.
    fn read(&self, head: &Head, body: &[u8]) -> Result<Posted, String>;

    /// The answer, with what somebody who replied is told.
    fn answer(&self, _told: Option<&str>) -> Answer {
        Answer::default()
    }

    /// Whether somebody who replied is told by a message of its own instead of in the answer.
    fn confirms_by_message(&self) -> bool {
        false
    }
}
