//! The channel kind `smtp`: one mail for one reader through a configured relay.
//!
//! This file puts the mail together and keeps the deadline; [`super::email_relay`] holds the
//! conversation, [`super::email_outcome`] says what the answers mean.

use std::time::Duration;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp;
use secrecy::SecretString;

use super::email_outcome;
use super::email_relay::{Progress, Relay};
use super::links::Links;
use super::mail_thread::{self, Thread};
use super::{Channel, Pending, Sent, mail_html, mail_text, wording};
use crate::engine::decision::Order;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use crate::engine::urgency::Urgency;

/// Incidents that one mail names.
const INCIDENTS_NAMED_MAX: usize = 200;
const PROBE_SECONDS: u64 = 15;

/// The settings of one relay.
#[derive(Debug)]
pub struct Settings {
    pub name: ChannelName,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// `Reveille <pager@example.com>`, or the address alone.
    pub from: String,
    pub reply_to: Option<String>,
    /// The public host name under which message ids are made.
    pub id_host: String,
    /// Certificates (DER) to trust beside the system's.
    pub extra_roots: Vec<Vec<u8>>,
}

/// How the conversation is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Begin in clear text and insist on changing to TLS.
    StartTls,
    /// TLS from the first byte, usually on port 465.
    Implicit,
    /// Clear text, for a relay on this machine.
    None,
}

/// Settings with which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "channel {channel}: {setting} {value:?} is not an e-mail address; \
         write pager@example.com or \"Reveille <pager@example.com>\""
    )]
    Address {
        channel: ChannelName,
        setting: &'static str,
        value: String,
    },
    #[error("channel {channel}: set username and password together, or neither")]
    Credentials { channel: ChannelName },
    #[error(
        "channel {channel}: no certificate authorities to trust; \
         install ca-certificates or set SSL_CERT_FILE"
    )]
    Trust {
        channel: ChannelName,
        #[source]
        source: smtp::Error,
    },
}

/// A relay, and the mails that go through it.
pub struct Email {
    info: ChannelInfo,
    relay: Relay,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    id_host: String,
    links: Links,
}

impl Email {
    /// A channel over the relay of these settings; connects only when there is something to send.
    pub fn new(settings: Settings, links: Links) -> Result<Self, Error> {
        let from = mailbox(&settings, "from", &settings.from)?;
        let reply_to = settings
            .reply_to
            .as_ref()
            .map(|address| mailbox(&settings, "reply_to", address))
            .transpose()?;
        Ok(Self {
            info: info(settings.name.clone()),
            from,
            reply_to,
            id_host: mail_thread::host_for_ids(&settings.id_host),
            links,
            relay: Relay::new(settings)?,
        })
    }

    async fn deliver(&self, order: &Order, progress: &Progress) -> Sent {
        let Ok(to) = order.address.parse::<Address>() else {
            return refused_here(Outcome::RefusedTarget, "not an e-mail address");
        };
        let thread = Thread::of(order, &self.id_host);
        let Ok(mail) = self.mail(order, &to, &thread) else {
            return refused_here(
                Outcome::RefusedContent,
                "the mail could not be put together",
            );
        };
        match self
            .relay
            .send(&self.from.email, &to, &mail, progress)
            .await
        {
            Ok(words) => Sent {
                outcome: Outcome::Accepted,
                provider_message: Some(wording::provider_words(&words)),
                reference: Some(thread.message_id),
            },
            Err(failure) => self.relay.sent(&failure),
        }
    }

    /// The mail as bytes. Its `Date` is lettre's: the moment of this attempt.
    fn mail(
        &self,
        order: &Order,
        to: &Address,
        thread: &Thread,
    ) -> Result<Vec<u8>, lettre::error::Error> {
        let name = order.message.recipient_name.as_deref();
        let to = Mailbox::new(name.map(wording::one_line), to.clone());
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail_text::subject(&order.message))
            .message_id(Some(thread.message_id.clone()))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(reply_to.clone());
        }
        if let Some(root) = &thread.root {
            mail = mail.in_reply_to(root.clone());
        }
        if let Some(references) = &thread.references {
            mail = mail.references(references.clone());
        }
        if order.urgency == Urgency::High {
            mail = mail
                .raw_header(header("X-Priority", "1"))
                .raw_header(header("Importance", "high"));
        }
        let text = SinglePart::plain(mail_text::compose(order, &self.links));
        let mail = if order.is_plain {
            mail.singlepart(text)?
        } else {
            let html = SinglePart::html(mail_html::compose(order, &self.links));
            mail.multipart(MultiPart::alternative().singlepart(text).singlepart(html))?
        };
        Ok(mail.formatted())
    }
}

impl Channel for Email {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn send<'channel>(&'channel self, order: &'channel Order) -> Pending<'channel, Sent> {
        Box::pin(async move {
            let progress = Progress::default();
            let deadline = Duration::from_millis(order.deadline.0);
            match tokio::time::timeout(deadline, self.deliver(order, &progress)).await {
                Ok(sent) => sent,
                Err(_) => silent(&progress),
            }
        })
    }

    fn probe(&self) -> Pending<'_, Sent> {
        Box::pin(async move {
            let progress = Progress::default();
            let deadline = Duration::from_secs(PROBE_SECONDS);
            let probe = self.relay.probe(&self.from.email, &progress);
            match tokio::time::timeout(deadline, probe).await {
                Ok(Ok(words)) => Sent {
                    outcome: Outcome::Accepted,
                    provider_message: Some(wording::provider_words(&words)),
                    reference: None,
                },
                Ok(Err(failure)) => self.relay.sent(&failure),
                Err(_) => silent(&progress),
            }
        })
    }
}

fn info(name: ChannelName) -> ChannelInfo {
    ChannelInfo {
        name,
        media: vec![Medium::Email],
        reaches_people: true,
        is_one_endpoint: true,
        capabilities: Capabilities {
            threads: true,
            updates: false,
            buttons: false,
            receipts: false,
            probes: true,
            incidents_named_max: INCIDENTS_NAMED_MAX,
        },
    }
}

fn mailbox(settings: &Settings, setting: &'static str, value: &str) -> Result<Mailbox, Error> {
    value.parse().map_err(|_| Error::Address {
        channel: settings.name.clone(),
        setting,
        value: value.to_owned(),
    })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn refused_here(outcome: Outcome, words: &str) -> Sent {
    Sent {
        outcome,
        provider_message: Some(words.to_owned()),
        reference: None,
    }
}

fn silent(progress: &Progress) -> Sent {
    let stage = progress.stage();
    Sent {
        outcome: email_outcome::of_silence(stage),
        provider_message: Some(format!("no answer in time ({})", stage.as_str())),
        reference: None,
    }
}
