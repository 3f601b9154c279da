//! Handing messages to providers, and classifying every answer.
//!
//! Each provider is one folder with declared capabilities and one outcome table. A channel makes
//! one attempt when asked and says what came of it; retries, failover and budgets are the engine's.

mod acknowledge_text;
mod balance;
pub mod bulk_mail;
pub mod cancel;
pub mod certificate;
pub mod check;
pub mod configured;
pub mod console;
pub mod email;
pub mod http;
pub mod inbound;
pub mod links;
#[cfg(test)]
pub(crate) mod made_up;
pub mod message_text;
pub mod outcome;
pub mod retry_after;
#[cfg(test)]
pub(crate) mod sample;
mod sent;
pub mod slack;
pub mod sms_gateway;
pub mod sms_text;
pub mod template;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod twilio;
pub mod webhook;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::document::MapSchema;
use crate::document::section::Section;
use crate::engine::decision::SendRequest;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::{Capacity, Outcome, Validity};
use crate::engine::ruleset::ChannelInfo;

pub use cancel::{CancelToken, Cancelled};
pub use inbound::Inbound;

/// All kinds of provider. A new one is a folder and a line here.
pub static KINDS: &[Kind] = &[
    email::KIND,
    slack::KIND,
    twilio::KIND,
    sms_gateway::KIND,
    webhook::KIND,
    #[cfg(test)]
    made_up::KIND,
    console::KIND,
];

/// A kind of provider, and how its settings are read.
pub struct Kind {
    /// The word of the settings.
    pub name: &'static str,
    /// All its keys, those that every channel has included.
    pub schema: MapSchema,
    /// Attempts under way at once, unless the settings say otherwise.
    pub concurrency: usize,
    pub read: fn(ChannelName, &mut Section<'_, '_>) -> Option<Arc<dyn Provider>>,
}

/// The settings of one provider, as they were read.
pub trait Provider: Any + fmt::Debug + Send + Sync {
    /// What the engine and the rules must know of it.
    fn info(&self) -> ChannelInfo;

    /// Makes the channel, which connects only when there is something to send.
    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError>;

    /// What sends mails to many readers through it, if it carries e-mail.
    fn bulk_mailer(
        &self,
        _links: &links::Links,
    ) -> Option<Result<Arc<dyn bulk_mail::BulkMailer>, BuildError>> {
        None
    }

    /// Connections that it keeps for later; `None` for one that makes none at all.
    fn idle_connections(&self) -> Option<usize> {
        Some(http::IDLE_CONNECTIONS_MAX)
    }

    /// How what it posts to us is believed and read, if it posts anything.
    fn inbound(&self) -> Option<Arc<dyn Inbound>> {
        None
    }
}

/// Settings with which a channel cannot be made.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// What channels are made from, apart from their settings.
pub struct Parts {
    pub http: Arc<http::Http>,
    pub links: links::Links,
    pub screen: console::Screen,
}

/// A future that a channel returns.
pub type Pending<'channel, T> = Pin<Box<dyn Future<Output = T> + Send + 'channel>>;

/// An attempt that was begun.
pub type Sending<'channel> = Pending<'channel, Result<Sent, Cancelled>>;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub outcome: Outcome,
    /// The provider's own words, cut to 300 characters, without control characters and secrets.
    pub provider_message: Option<String>,
    /// Where the provider put it; given back in later requests as their place.
    pub reference: Option<String>,
}

impl Sent {
    /// Without a place at the provider's.
    pub fn new(outcome: Outcome, provider_message: Option<String>) -> Self {
        Self {
            outcome,
            provider_message,
            reference: None,
        }
    }
}

/// What a provider said when it was asked how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    pub outcome: Outcome,
    pub provider_message: Option<String>,
    pub capacity: Capacity,
    /// Of the server that answered, over TLS.
    pub certificate: Option<Validity>,
}

impl From<Sent> for Probed {
    /// Nothing is known of how much it can carry.
    fn from(sent: Sent) -> Self {
        Self {
            outcome: sent.outcome,
            provider_message: sent.provider_message,
            capacity: Capacity::Enough,
            certificate: None,
        }
    }
}

/// What a channel says whose capabilities do not say `probes`.
fn no_probe<'channel>() -> Pending<'channel, Probed> {
    let words = "this channel cannot be checked without sending".to_owned();
    let sent = Sent::new(Outcome::Unknown, Some(words));
    Box::pin(std::future::ready(sent.into()))
}

/// One configured provider that can carry media. Never panics; every call ends within the request's
/// deadline, whatever the provider does.
pub trait Channel: Send + Sync {
    /// Makes one attempt, unless the token is set before the first byte of its message leaves.
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a>;

    /// Asks the provider whether it would take messages, without sending one. Only called when the
    /// capabilities say `probes`.
    fn probe(&self) -> Pending<'_, Probed>;

    /// The e-mail address of an account of this channel's provider, where it tells.
    fn email_of<'channel>(
        &'channel self,
        _account: &'channel str,
    ) -> Pending<'channel, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// Tells whoever replied or pressed a button what became of it, at their number or the address
    /// that came with the press. Only channels whose provider does not take it from our answer.
    fn confirm<'channel>(
        &'channel self,
        _address: &'channel str,
        _text: &'channel str,
    ) -> Pending<'channel, Sent> {
        let words = "this channel answers no replies or presses".to_owned();
        let sent = Sent::new(Outcome::RefusedContent, Some(words));
        Box::pin(std::future::ready(sent))
    }
}
