//! Calls of Slack's Web API. A failure is `ok: false` in an answer with status 200.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::channels::http::{Answer, Auth, Fault, Http, Method, Reach, Request};
use crate::channels::outcome::provider_words;
use crate::channels::{CancelToken, Cancelled, Sent};
use crate::engine::outcome::{Outcome, Validity};
use crate::engine::time::Duration;
use crate::text::form;

use super::outcome::{self, SlackAnswer};

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// Where Slack takes private answers to pressed buttons.
const ANSWERS: &str = "https://hooks.slack.com/";

/// A private answer is given up after this time.
const ANSWER_TIME: Duration = Duration::seconds(10);

/// One workspace's API.
pub(super) struct Api {
    http: Arc<Http>,
    token: SecretString,
    /// Without a slash at the end.
    api_url: String,
}

/// What a call brought.
pub(super) struct Reply {
    pub(super) sent: Sent,
    /// Empty when Slack named none.
    error: String,
    pub(super) json: Value,
    /// Of the server that answered, over TLS.
    pub(super) certificate: Option<Validity>,
}

impl Reply {
    /// Whether Slack named one of these errors.
    pub(super) fn says(&self, errors: &[&str]) -> bool {
        errors.contains(&self.error.as_str())
    }
}

impl Api {
    pub(super) fn new(http: Arc<Http>, token: SecretString, api_url: String) -> Self {
        Self {
            http,
            token,
            api_url,
        }
    }

    /// Calls a method with a JSON body.
    pub(super) async fn post(&self, method: &str, body: &Value, deadline: Duration) -> Reply {
        let url = self.url(method);
        let request = self.request(&url, JSON, body.to_string(), deadline);
        self.reply(self.http.call(request).await)
    }

    /// The same for a message that may be withdrawn.
    pub(super) async fn post_marked(
        &self,
        method: &str,
        body: &Value,
        deadline: Duration,
        mark: &CancelToken,
    ) -> Result<Reply, Cancelled> {
        let url = self.url(method);
        let request = self.request(&url, JSON, body.to_string(), deadline);
        Ok(self.reply(self.http.call_marked(request, mark).await?))
    }

    /// Calls a method that takes no JSON.
    pub(super) async fn post_form(
        &self,
        method: &str,
        fields: &[(&str, &str)],
        deadline: Duration,
    ) -> Reply {
        let url = self.url(method);
        let request = self.request(&url, FORM, form::body(fields), deadline);
        self.reply(self.http.call(request).await)
    }

    /// Tells whoever pressed a button, and nobody else.
    pub(super) async fn answer_privately(&self, address: &str, text: &str) -> Sent {
        // It came in a signed request; it is Slack's or it is not called.
        if !address.starts_with(ANSWERS) {
            return Sent::new(
                Outcome::RefusedTarget,
                Some("the answer is addressed elsewhere".to_owned()),
            );
        }
        let body = json!({
            "response_type": "ephemeral",
            "replace_original": false,
            "text": text,
        });
        let request = Request {
            reach: Reach::Guarded,
            auth: Auth::None,
            ..self.request(address, JSON, body.to_string(), ANSWER_TIME)
        };
        match self.http.call(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                Sent::new(Outcome::Delivered, None)
            }
            Ok(answer) => Sent::new(
                Outcome::Unknown,
                Some(format!("Slack answered {}", answer.status)),
            ),
            Err(fault) => fault.sent(),
        }
    }

    fn url(&self, method: &str) -> String {
        format!("{}/{method}", self.api_url)
    }

    fn request<'call>(
        &'call self,
        url: &'call str,
        kind: &str,
        body: String,
        deadline: Duration,
    ) -> Request<'call> {
        Request {
            method: Method::POST,
            url,
            reach: Reach::Configured,
            auth: Auth::Bearer(&self.token),
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.into_bytes(),
            deadline,
        }
    }

    fn reply(&self, result: Result<Answer, Fault>) -> Reply {
        match result {
            Ok(answer) => self.read(&answer),
            Err(fault) => Reply {
                sent: fault.sent(),
                error: String::new(),
                json: Value::Null,
                certificate: None,
            },
        }
    }

    fn read(&self, answer: &Answer) -> Reply {
        let json = answer.json().unwrap_or_default();
        let error = json["error"].as_str().unwrap_or("").to_owned();
        let meaning = match (json["ok"].as_bool(), error.as_str()) {
            (Some(true), _) => SlackAnswer::Ok,
            (Some(false), error) => SlackAnswer::Error(error),
            (None, _) => SlackAnswer::Unreadable,
        };
        let words = self.words(&json, answer);
        let sent = Sent {
            outcome: outcome::of(answer.status, meaning, answer.retry_after),
            provider_message: provider_words(&words, &[&self.token]),
            reference: reference(&json),
        };
        Reply {
            sent,
            error,
            json,
            certificate: answer.certificate,
        }
    }

    /// Slack's error, with the explanation that it sometimes gives.
    fn words(&self, json: &Value, answer: &Answer) -> String {
        let Some(ok) = json["ok"].as_bool() else {
            return format!("HTTP {} {}", answer.status, answer.text());
        };
        let explained = json["response_metadata"]["messages"].as_array();
        let explained = explained.into_iter().flatten().filter_map(Value::as_str);
        let error = json["error"].as_str();
        let words: Vec<&str> = error.into_iter().chain(explained).collect();
        if ok && words.is_empty() {
            "ok".to_owned()
        } else {
            words.join("; ")
        }
    }
}

fn reference(json: &Value) -> Option<String> {
    let (channel, ts) = (json["channel"].as_str()?, json["ts"].as_str()?);
    Some(format!("{channel}:{ts}"))
}
