//! Mails to many readers through a relay, over connections that pages do not use.

use std::time::Duration;

use lettre::Address;
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};

use super::relay::Relay;
use super::settings::{self, Settings};
use super::stage::Progress;
use super::{header, mailbox, silent, subject_header, thread};
use crate::channels::bulk_mail::{BulkMail, BulkMailer};
use crate::channels::links::Links;
use crate::channels::outcome::provider_words;
use crate::channels::{CancelToken, Pending, Sent, check};
use crate::engine::outcome::Outcome;
use crate::text::{hash, hex, one_line};

/// For one mail, from the connection to the relay's consent.
const DEADLINE: Duration = Duration::from_secs(60);

/// The relay of a channel, used for readers who subscribed.
pub struct BulkEmail {
    relay: Relay,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    id_host: String,
}

impl BulkEmail {
    /// A mailer over the relay of these settings; connects only when there is something to send.
    pub fn new(mut settings: Settings, links: &Links) -> Result<Self, check::Error> {
        let from = mailbox(&settings, "from", &settings.from)?;
        let reply_to = settings.reply_to.as_ref();
        let reply_to = reply_to.map(|address| mailbox(&settings, "reply_to", address));
        let reply_to = reply_to.transpose()?;
        let hello = settings.hello.take();
        let hello = hello.unwrap_or_else(|| settings::greeting_name(links.host(), &settings.from));
        Ok(Self {
            from,
            reply_to,
            id_host: thread::host_for_ids(links.host()),
            relay: Relay::new(settings, &hello)?,
        })
    }

    async fn deliver(&self, mail: &BulkMail, progress: &Progress) -> Sent {
        let Ok(to) = mail.to.parse::<Address>() else {
            let words = Some("not an e-mail address".to_owned());
            return Sent::new(Outcome::RefusedTarget, words);
        };
        let Ok(bytes) = self.bytes(mail, &to) else {
            let words = Some("the mail could not be built".to_owned());
            return Sent::new(Outcome::RefusedContent, words);
        };
        let parties = [&self.from.email, &to];
        let never = CancelToken::default();
        let sent = self.relay.send(parties, &bytes, progress, &never).await;
        match sent.expect("nobody cancels a mail to many readers") {
            Ok(words) => Sent::new(Outcome::Accepted, provider_words(&words, &[])),
            Err(failure) => self.relay.sent(&failure),
        }
    }

    fn bytes(&self, mail: &BulkMail, to: &Address) -> Result<Vec<u8>, lettre::error::Error> {
        let list = format!("<{}.{}>", mail.list, self.id_host);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .raw_header(subject_header(one_line(&mail.subject)))
            .message_id(Some(format!("<{}@{}>", mail.key, self.id_host)))
            .date(thread::date(mail.written_at))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
            .raw_header(header("Precedence", "bulk"))
            .raw_header(header("List-Id", &list));
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.clone());
        }
        if let Some(url) = &mail.unsubscribe {
            let post = "List-Unsubscribe=One-Click";
            message = message
                .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", post));
        }
        // The same over repetitions, and nothing that the text could hold by accident.
        let boundary = hash::sha256(format!("{}\n{}\n{}", mail.key, mail.text, mail.html));
        let boundary = hex::encode(&boundary[..16]);
        let parts = MultiPart::builder().kind(MultiPartKind::Alternative);
        let parts = parts.boundary(boundary);
        let parts = parts.singlepart(SinglePart::plain(mail.text.clone()));
        let parts = parts.singlepart(SinglePart::html(mail.html.clone()));
        Ok(message.multipart(parts)?.formatted())
    }
}

impl BulkMailer for BulkEmail {
    fn send<'mailer>(&'mailer self, mail: &'mailer BulkMail) -> Pending<'mailer, Sent> {
        Box::pin(async move {
            let progress = Progress::default();
            let deliver = self.deliver(mail, &progress);
            match tokio::time::timeout(DEADLINE, deliver).await {
                Ok(sent) => sent,
                Err(_) => silent(&progress),
            }
        })
    }
}
