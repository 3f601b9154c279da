//! The channel kind `smtp`: one mail for one reader through a configured relay.
//!
//! `relay.rs` leads the conversation, and `outcome.rs` says what the answers mean.

mod bulk;
pub mod html;
pub mod idle;
pub mod outcome;
mod relay;
pub mod settings;
mod stage;
mod stream;
mod subject;
pub mod text;
pub mod thread;
mod words;

use std::time::Duration;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};

pub use self::bulk::BulkEmail;
pub use self::idle::IDLE_MAX;
use self::relay::Relay;
pub use self::settings::{KIND, Settings, Tls};
use self::stage::Progress;
use self::thread::Thread;
use crate::channels::links::Links;
use crate::channels::outcome::provider_words;
use crate::channels::{CancelToken, Cancelled, Channel, Pending, Probed, Sending, Sent, check};
use crate::engine::decision::SendRequest;
use crate::engine::outcome::{Capacity, Outcome};
use crate::engine::urgency::Urgency;
use crate::text::one_line;

const PROBE_SECONDS: u64 = 15;

/// A relay, and the mails that go through it.
pub struct Email {
    relay: Relay,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    id_host: String,
    links: Links,
}

impl Email {
    /// A channel over the relay of these settings; connects only when there is something to send.
    pub fn new(mut settings: Settings, links: Links) -> Result<Self, check::Error> {
        let from = mailbox(&settings, "from", &settings.from)?;
        let reply_to = settings
            .reply_to
            .as_ref()
            .map(|address| mailbox(&settings, "reply_to", address))
            .transpose()?;
        let public_url = links.public_url();
        let authority = public_url.split_once("://");
        let authority = authority.map_or(public_url, |(_, rest)| rest);
        let hello = settings.hello.take();
        let hello = hello.unwrap_or_else(|| settings::greeting_name(links.host(), &settings.from));
        Ok(Self {
            from,
            reply_to,
            id_host: thread::host_for_ids(authority),
            relay: Relay::new(settings, &hello)?,
            links,
        })
    }

    async fn deliver(
        &self,
        order: &SendRequest,
        progress: &Progress,
        mark: &CancelToken,
    ) -> Result<Sent, Cancelled> {
        let Ok(to) = order.address.parse::<Address>() else {
            let words = Some("not an e-mail address".to_owned());
            return Ok(Sent::new(Outcome::RefusedTarget, words));
        };
        let thread = Thread::of(order, &self.id_host);
        let Ok(mail) = self.mail(order, &to, &thread) else {
            let words = Some("the mail could not be built".to_owned());
            return Ok(Sent::new(Outcome::RefusedContent, words));
        };
        let parties = [&self.from.email, &to];
        Ok(
            match self.relay.send(parties, &mail, progress, mark).await? {
                Ok(words) => Sent {
                    outcome: Outcome::Accepted,
                    provider_message: provider_words(&words, &[]),
                    reference: Some(thread.message_id),
                },
                Err(failure) => self.relay.sent(&failure),
            },
        )
    }

    /// The mail as bytes: the same ones whenever the request says the same.
    fn mail(
        &self,
        order: &SendRequest,
        to: &Address,
        thread: &Thread,
    ) -> Result<Vec<u8>, lettre::error::Error> {
        let name = order.message.recipient_name.as_deref();
        let to = Mailbox::new(name.map(one_line), to.clone());
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(to)
            .raw_header(subject_header(subject::subject(order)))
            .message_id(Some(thread.message_id.clone()))
            .date(thread::date(order.message.written_at))
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
        // A notice asks nothing of anybody, so it must not ring like a page.
        if order.urgency == Urgency::High && order.asks {
            mail = mail
                .raw_header(header("X-Priority", "1"))
                .raw_header(header("Importance", "high"));
        }
        let text = SinglePart::plain(text::compose(order, &self.links));
        let mail = if order.plain_text_only {
            mail.singlepart(text)?
        } else {
            let html = SinglePart::html(html::compose(order, &self.links));
            // The same over repetitions, and nothing that a monitor could guess and write.
            let boundary = self.links.token(&order.message.token);
            let parts = MultiPart::builder().kind(MultiPartKind::Alternative);
            mail.multipart(parts.boundary(boundary).singlepart(text).singlepart(html))?
        };
        Ok(mail.formatted())
    }
}

impl Channel for Email {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(async move {
            let progress = Progress::default();
            let deadline = Duration::from_millis(order.deadline.0);
            match tokio::time::timeout(deadline, self.deliver(order, &progress, mark)).await {
                Ok(result) => result,
                Err(_) => Ok(silent(&progress)),
            }
        })
    }

    fn probe(&self) -> Pending<'_, Probed> {
        Box::pin(async move {
            let progress = Progress::default();
            let deadline = Duration::from_secs(PROBE_SECONDS);
            let probe = self.relay.probe(&self.from.email, &progress);
            // Relays give no figure of what they would still take.
            match tokio::time::timeout(deadline, probe).await {
                Ok(Ok(certificate)) => Probed {
                    outcome: Outcome::Accepted,
                    provider_message: Some("ready to accept mail".to_owned()),
                    capacity: Capacity::Enough,
                    certificate,
                },
                Ok(Err(failure)) => self.relay.sent(&failure).into(),
                Err(_) => silent(&progress).into(),
            }
        })
    }
}

fn mailbox(settings: &Settings, key: &'static str, value: &str) -> Result<Mailbox, check::Error> {
    value.parse().map_err(|_| {
        let problem = format!(
            "{value:?} is not an e-mail address; write pager@example.com or \"Reveille \
             <pager@example.com>\""
        );
        check::Error::new(&settings.name, key, problem)
    })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn subject_header(text: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    let encoded = subject::encoded(&text);
    HeaderValue::dangerous_new_pre_encoded(name, text, encoded)
}

fn silent(progress: &Progress) -> Sent {
    let stage = progress.stage();
    let words = format!("no answer in time ({})", stage.as_str());
    Sent::new(outcome::of_silence(stage), Some(words))
}
