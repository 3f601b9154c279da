//! The channel kind `slack`: one message in a Slack workspace, by its Web API.
//!
//! This file decides where a message goes: a new one, a reply in a thread, or a change of the one
//! that stands there, and what to do when that one is gone. `slack/blocks.rs` makes the message,
//! `slack/api.rs` talks to Slack, `slack/people.rs` finds people by their e-mail address.

mod api;
mod blocks;
mod inbound;
mod mrkdwn;
mod outcome;
mod people;
pub mod settings;
pub mod signature;

use std::sync::Arc;

use serde_json::{Value, json};

use self::api::Api;
use self::people::People;
pub use self::settings::{Buttons, KIND, Settings};
use crate::channels::http::{self, Http};
use crate::channels::links::Links;
use crate::channels::{CancelToken, Cancelled, Channel, Pending, Probed, Sending, Sent, check};
use crate::engine::decision::{SendRequest, ThreadRef};
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

const PROBE_DEADLINE: Duration = Duration::seconds(10);

/// One workspace.
pub struct Slack {
    api: Api,
    people: People,
    links: Links,
    buttons: Buttons,
}

impl Slack {
    /// A channel with these settings, which are checked.
    pub fn new(settings: Settings, http: Arc<Http>, links: Links) -> Result<Self, check::Error> {
        let api_url = check::url(&settings.name, "api_url", &settings.api_url)?;
        if http::check_bearer(&settings.token).is_err() {
            let problem = "contains a character that is not allowed in a request; copy the token \
                again";
            return Err(check::Error::new(&settings.name, "token", problem));
        }
        Ok(Self {
            buttons: settings.buttons(),
            api: Api::new(http, settings.token, api_url),
            people: People::default(),
            links,
        })
    }

    /// Several calls share the request's time; only the last of them hands the message over, so
    /// that running out of time means that it may have been posted.
    async fn attempt_in_time(
        &self,
        order: &SendRequest,
        mark: &CancelToken,
    ) -> Result<Sent, Cancelled> {
        let deadline = std::time::Duration::from_millis(order.deadline.0);
        match tokio::time::timeout(deadline, self.attempt(order, mark)).await {
            Ok(sent) => sent,
            Err(_) => Ok(Sent::new(
                Outcome::Unknown,
                Some("no answer within the deadline".to_owned()),
            )),
        }
    }

    async fn attempt(&self, order: &SendRequest, mark: &CancelToken) -> Result<Sent, Cancelled> {
        match &order.thread {
            Some(ThreadRef::Edit(text)) => match Reference::read(text) {
                Some(reference) => self.edit(order, &reference, mark).await,
                None => self.post(order, mark).await,
            },
            Some(ThreadRef::Thread(text)) => match Reference::read(text) {
                Some(reference) => self.reply(order, &reference, mark).await,
                None => self.post(order, mark).await,
            },
            None => self.post(order, mark).await,
        }
    }

    /// A new message to the request's address.
    async fn post(&self, order: &SendRequest, mark: &CancelToken) -> Result<Sent, Cancelled> {
        let channel = match self.people.find(&self.api, order).await {
            Ok(channel) => channel,
            Err(sent) => return Ok(sent),
        };
        let mut message = self.message(order);
        message["channel"] = channel.into();
        let reply = self
            .api
            .post_marked("chat.postMessage", &message, order.deadline, mark)
            .await?;
        if reply.sent.outcome == Outcome::RefusedTarget {
            self.people.forget(&order.address);
        }
        Ok(reply.sent)
    }

    /// A message under an earlier one; a new one if that is gone.
    async fn reply(
        &self,
        order: &SendRequest,
        reference: &Reference<'_>,
        mark: &CancelToken,
    ) -> Result<Sent, Cancelled> {
        let mut message = self.message(order);
        message["channel"] = reference.channel.into();
        message["thread_ts"] = reference.ts.into();
        // Replies notify nobody who does not follow the thread; what asks must be seen.
        message["reply_broadcast"] = order.asks.into();
        let reply = self
            .api
            .post_marked("chat.postMessage", &message, order.deadline, mark)
            .await?;
        if reply.says(&[
            "message_not_found",
            "thread_not_found",
            "cannot_reply_to_message",
        ]) {
            return self.post(order, mark).await;
        }
        Ok(reply.sent)
    }

    /// An earlier message, changed to what is so now.
    async fn edit(
        &self,
        order: &SendRequest,
        reference: &Reference<'_>,
        mark: &CancelToken,
    ) -> Result<Sent, Cancelled> {
        let mut message = self.message(order);
        message["channel"] = reference.channel.into();
        message["ts"] = reference.ts.into();
        if order.plain_text_only {
            // Without this the old blocks would stay.
            message["blocks"] = json!([]);
        }
        let reply = self
            .api
            .post_marked("chat.update", &message, order.deadline, mark)
            .await?;
        if reply.says(&["message_not_found"]) {
            return self.post(order, mark).await;
        }
        if reply.says(&["cant_update_message", "edit_window_closed"]) {
            return self.reply(order, reference, mark).await;
        }
        Ok(reply.sent)
    }

    fn message(&self, order: &SendRequest) -> Value {
        let mut message = json!({
            "text": blocks::text(order, &self.links),
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if !order.plain_text_only {
            message["blocks"] = blocks::blocks(order, &self.links, self.buttons).into();
        }
        message
    }
}

impl Channel for Slack {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(self.attempt_in_time(order, mark))
    }

    fn probe(&self) -> Pending<'_, Probed> {
        Box::pin(async {
            let nothing = json!({});
            let reply = self.api.post("auth.test", &nothing, PROBE_DEADLINE).await;
            Probed {
                certificate: reply.certificate,
                ..reply.sent.into()
            }
        })
    }

    fn email_of<'channel>(
        &'channel self,
        account: &'channel str,
    ) -> Pending<'channel, Option<String>> {
        Box::pin(self.people.email_of(&self.api, account))
    }

    fn confirm<'channel>(
        &'channel self,
        address: &'channel str,
        text: &'channel str,
    ) -> Pending<'channel, Sent> {
        Box::pin(self.api.answer_privately(address, text))
    }
}

/// Where a message stands: `C024BE7LH:1503435956.000247`.
struct Reference<'text> {
    channel: &'text str,
    ts: &'text str,
}

impl<'text> Reference<'text> {
    fn read(text: &'text str) -> Option<Self> {
        let (channel, ts) = text.split_once(':')?;
        let is_whole = !channel.is_empty() && !ts.is_empty();
        is_whole.then_some(Self { channel, ts })
    }
}

#[cfg(test)]
mod tests;
