//! Handing messages to providers, and classifying every answer.
//!
//! Each channel is one file with declared capabilities and one outcome table. A channel makes one
//! attempt when asked and says what came of it; retries, failover and budgets are the engine's.

mod balance;
pub mod cancel;
pub mod certificate;
pub mod console;
pub mod email;
pub mod email_idle;
pub mod email_outcome;
pub mod email_settings;
mod email_stream;
pub mod form;
pub mod http;
mod http_fault;
pub mod http_guard;
pub mod links;
pub mod mail_html;
mod mail_subject;
pub mod mail_text;
pub mod mail_thread;
pub mod message_text;
pub mod outcome;
pub mod retry_after;
#[cfg(test)]
pub(crate) mod sample;
mod sent;
pub mod settings;
pub mod slack;
pub mod sms_text;
pub mod sms_webhook;
pub mod template;
#[cfg(test)]
mod tests;
pub mod twilio;
pub mod webhook;
mod webhook_body;

use std::future::Future;
use std::pin::Pin;

use crate::engine::decision::SendRequest;
use crate::engine::outcome::{Capacity, Outcome, Validity};
use crate::engine::ruleset::ChannelInfo;

pub use cancel::{CancelToken, Cancelled};

/// A future that a channel returns.
pub type Pending<'channel, T> = Pin<Box<dyn Future<Output = T> + Send + 'channel>>;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub outcome: Outcome,
    /// The provider's own words, cut to 300 characters, without control characters and secrets.
    pub provider_message: Option<String>,
    /// Where the provider put it; given back in later orders as their place.
    pub reference: Option<String>,
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

/// One configured provider that can carry media. Never panics; every call ends within the order's
/// deadline, whatever the provider does.
pub trait Channel: Send + Sync {
    /// Name, media and capabilities.
    fn info(&self) -> &ChannelInfo;

    /// Makes one attempt, unless the mark is set before the first byte of its message leaves.
    fn send<'channel>(
        &'channel self,
        order: &'channel SendRequest,
        mark: &'channel CancelToken,
    ) -> Pending<'channel, Result<Sent, Cancelled>>;

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

    /// Sends what became of a reply to whoever replied. Only channels whose provider does not take
    /// it from our answer do so.
    fn confirm<'channel>(
        &'channel self,
        _number: &'channel str,
        _text: &'channel str,
    ) -> Pending<'channel, Sent> {
        Box::pin(std::future::ready(Sent {
            outcome: Outcome::RefusedContent,
            provider_message: Some("this channel does not confirm replies".to_owned()),
            reference: None,
        }))
    }
}
