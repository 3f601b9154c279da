//! The channel kind `sms_webhook`: one SMS through any gateway that is called by HTTP.
//!
//! Address, method, headers and body come from the settings; the body is a template. A success is
//! `accepted`: a gateway says that it took the message, not that a phone has it.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::http::{self, Answer, Auth, Http, Method, Reach, Request};
use super::links::Links;
use super::template::{Template, Values};
use super::{Channel, Mark, Pending, Probed, Sent, Withdrawn, outcome, settings, sms_text};
use crate::engine::decision::Order;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use crate::engine::time::Millis;

/// Statuses that mean "taken" unless the settings say otherwise.
pub const SUCCESS: [u16; 3] = [200, 201, 202];

/// Numbers of incidents that two segments hold beside the link.
const INCIDENTS_NAMED_MAX: usize = 20;

/// The page of a text that belongs to none.
const NO_PAGE: u64 = 0;

/// A confirmation is given up after this time.
const CONFIRM_TIME: Millis = Millis::seconds(15);

/// A text with all that a template must not let through unescaped.
const NASTY_TEXT: &str = "\"quoted\" \\ 100% & <b>\nnext=1";

/// Settings of one gateway.
pub struct Settings {
    pub name: ChannelName,
    pub url: String,
    /// `POST`, `PUT`, `PATCH` or `GET`.
    pub method: String,
    /// Without a `content-type` here, the body is JSON.
    pub headers: Vec<(String, SecretString)>,
    /// A template that can name `to`, `text` and `page_id`.
    pub body: String,
    pub success: Vec<u16>,
    /// Pointer (RFC 6901) to the message's id in the answer.
    pub message_id: Option<String>,
    pub replies: Replies,
}

/// Whether a text that is sent back reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// The gateway posts them to us: messages say how to acknowledge by reply.
    Read,
    Lost,
}

/// One gateway.
pub struct SmsWebhook {
    info: ChannelInfo,
    settings: Settings,
    method: Method,
    body: Template,
    http: Arc<Http>,
    links: Links,
}

impl SmsWebhook {
    /// A channel with these settings, which are checked.
    pub fn new(settings: Settings, http: Arc<Http>, links: Links) -> Result<Self, settings::Error> {
        let name = &settings.name;
        settings::url(name, "url", &settings.url)?;
        let method = method(&settings.method)
            .ok_or_else(|| settings::Error::new(name, "method", METHOD_CURE))?;
        for (header, value) in &settings.headers {
            http::check_header(header, value.expose_secret())
                .map_err(|fault| settings::Error::new(name, "headers", fault.to_string()))?;
        }
        if settings.success.is_empty() {
            let cure = "is empty; list the statuses that mean success, for example [200]";
            return Err(settings::Error::new(name, "success", cure));
        }
        if let Some(pointer) = &settings.message_id
            && !pointer.starts_with('/')
        {
            let cure = "is not a JSON pointer; write for example \"/id\"";
            return Err(settings::Error::new(name, "message_id", cure));
        }
        let body = Template::parse(&settings.body)
            .map_err(|error| settings::Error::new(name, "body", error.to_string()))?;
        check_escaping(&settings, &body)?;
        Ok(Self {
            info: info(name),
            settings,
            method,
            body,
            http,
            links,
        })
    }

    async fn attempt(&self, order: &Order, mark: &Mark) -> Result<Sent, Withdrawn> {
        let text = match self.settings.replies {
            Replies::Read => sms_text::compose(order, &self.links),
            Replies::Lost => sms_text::compose_one_way(order, &self.links),
        };
        let values = Values {
            to: &order.address,
            text: &text,
            page_id: order.page.0,
        };
        self.post(&values, order.deadline, mark).await
    }

    /// Hands a text to the gateway.
    async fn post(
        &self,
        values: &Values<'_>,
        deadline: Millis,
        mark: &Mark,
    ) -> Result<Sent, Withdrawn> {
        let body = match self.body.render(values) {
            Ok(body) => body,
            Err(error) => return Ok(self.sent(Outcome::RefusedContent, &error.to_string())),
        };
        let request = Request {
            method: self.method.clone(),
            url: &self.settings.url,
            reach: Reach::Configured,
            auth: Auth::None,
            headers: headers(&self.settings),
            body: body.into_bytes(),
            deadline,
        };
        Ok(match self.http.call_marked(request, mark).await? {
            Ok(answer) => self.read(&answer),
            Err(fault) => fault.sent(),
        })
    }

    fn read(&self, answer: &Answer) -> Sent {
        let settings = &self.settings;
        let outcome = outcome::sms_webhook(answer.status, &settings.success, answer.retry_after);
        let words = format!("HTTP {} {}", answer.status, answer.text());
        let mut sent = self.sent(outcome, &words);
        if let (Some(pointer), Some(json)) = (&settings.message_id, answer.json()) {
            sent.reference = json.pointer(pointer).and_then(scalar);
        }
        sent
    }

    fn sent(&self, outcome: Outcome, words: &str) -> Sent {
        let headers = self.settings.headers.iter();
        let secrets: Vec<&SecretString> = headers.map(|(_, value)| value).collect();
        Sent {
            outcome,
            provider_message: outcome::provider_words(words, &secrets),
            reference: None,
        }
    }
}

impl Channel for SmsWebhook {
    fn info(&self) -> &ChannelInfo {
        &self.info
    }

    fn send<'channel>(
        &'channel self,
        order: &'channel Order,
        mark: &'channel Mark,
    ) -> Pending<'channel, Result<Sent, Withdrawn>> {
        Box::pin(self.attempt(order, mark))
    }

    fn probe(&self) -> Pending<'_, Probed> {
        let words = "a gateway cannot be asked without sending a message";
        Box::pin(std::future::ready(
            self.sent(Outcome::Unknown, words).into(),
        ))
    }

    fn confirm<'channel>(
        &'channel self,
        number: &'channel str,
        text: &'channel str,
    ) -> Pending<'channel, Sent> {
        Box::pin(async move {
            let values = Values {
                to: number,
                text,
                page_id: NO_PAGE,
            };
            let sent = self.post(&values, CONFIRM_TIME, &Mark::default()).await;
            sent.unwrap_or_else(|Withdrawn| self.sent(Outcome::Unknown, "nobody withdraws it"))
        })
    }
}

fn info(name: &ChannelName) -> ChannelInfo {
    ChannelInfo {
        name: name.clone(),
        media: vec![Medium::Sms],
        reaches_people: true,
        is_one_endpoint: true,
        concurrency: ChannelInfo::CONCURRENCY,
        capabilities: Capabilities {
            incidents_named_max: INCIDENTS_NAMED_MAX,
            ..Capabilities::default()
        },
    }
}

const METHOD_CURE: &str = "is not one of POST, PUT, PATCH and GET";

fn method(name: &str) -> Option<Method> {
    [Method::POST, Method::PUT, Method::PATCH, Method::GET]
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(name))
}

fn headers(settings: &Settings) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = settings
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose_secret().to_owned()))
        .collect();
    if content_type(settings).is_none() {
        headers.push(("content-type".to_owned(), JSON.to_owned()));
    }
    headers
}

const JSON: &str = "application/json";

fn content_type(settings: &Settings) -> Option<&str> {
    settings
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.expose_secret())
}

/// Renders the body with a nasty text: a template that forgets to escape would otherwise work
/// until the first alert with a quotation mark in it.
fn check_escaping(settings: &Settings, body: &Template) -> Result<(), settings::Error> {
    let error = |problem: &str| settings::Error::new(&settings.name, "body", problem);
    let values = Values {
        to: "+351912345678",
        text: NASTY_TEXT,
        page_id: 17,
    };
    let rendered = body
        .render(&values)
        .map_err(|problem| error(&problem.to_string()))?;
    let kind = content_type(settings).unwrap_or(JSON).to_ascii_lowercase();
    if rendered.is_empty() {
        return Ok(());
    }
    if kind.contains("json") && serde_json::from_str::<Value>(&rendered).is_err() {
        return Err(error(
            "gives no JSON when the text has quotation marks; write {{ text | tojson }}, \
             without quotation marks around it",
        ));
    }
    let unescaped = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<');
    if kind.contains("x-www-form-urlencoded") && rendered.trim_end().contains(unescaped) {
        return Err(error("gives no form; write {{ text | urlencode }}"));
    }
    Ok(())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Millis;
    use crate::outbound::sample;
    use crate::outbound::test_server::{Call, Reply, Server, http};

    const JSON_BODY: &str = r#"{"to": {{ to | tojson }}, "text": {{ text | tojson }}}"#;

    fn settings(url: String) -> Settings {
        Settings {
            name: "sms-backup".into(),
            url,
            method: "post".to_owned(),
            headers: vec![("X-Key".to_owned(), "hush".into())],
            body: JSON_BODY.to_owned(),
            success: SUCCESS.to_vec(),
            message_id: Some("/messages/0/id".to_owned()),
            replies: Replies::Lost,
        }
    }

    fn order() -> Order {
        let mut order = sample::order(Medium::Sms);
        order.address = "+351912345678".into();
        order.message.incidents[0].title = "say \"hi\"\\".into();
        order.deadline = Millis(600);
        order
    }

    async fn send(change: impl FnOnce(&mut Settings), reply: Reply) -> (Sent, Vec<Call>) {
        let server = Server::start([reply]).await;
        let mut settings = settings(format!("{}/send?v=2", server.url()));
        change(&mut settings);
        let channel = SmsWebhook::new(settings, http(&[]), sample::links());
        let channel = channel.expect("good settings");
        (sample::send(&channel, &order()).await, server.calls())
    }

    #[tokio::test]
    async fn the_template_makes_the_body_and_the_pointer_finds_the_id() {
        let taken = Reply::new(202, r#"{"messages":[{"id":77}]}"#);
        let (sent, calls) = send(|_| {}, taken).await;
        assert_eq!(sent.outcome, Outcome::Accepted);
        assert_eq!(sent.reference.as_deref(), Some("77"));
        let call = &calls[0];
        assert_eq!(call.line, "POST /send?v=2");
        assert_eq!(call.header("content-type"), "application/json");
        assert_eq!(call.header("x-key"), "hush");
        let body = call.json();
        assert_eq!(body["to"], "+351912345678");
        let text = sms_text::compose_one_way(&order(), &sample::links());
        assert_eq!(body["text"], text);
    }

    #[tokio::test]
    async fn a_gateway_that_reads_replies_is_told_how_to_reply() {
        let (_, calls) = send(
            |settings| settings.replies = Replies::Read,
            Reply::new(200, ""),
        )
        .await;
        let text = sms_text::compose(&order(), &sample::links());
        assert_eq!(calls[0].json()["text"], text);
    }

    #[tokio::test]
    async fn a_form_is_sent_as_a_form() {
        let form = |settings: &mut Settings| {
            let kind = "application/x-www-form-urlencoded";
            settings.headers = vec![("Content-Type".to_owned(), kind.into())];
            settings.body = "to={{ to | urlencode }}&m={{ text | urlencode }}".to_owned();
            settings.method = "PUT".to_owned();
        };
        let (sent, calls) = send(form, Reply::new(200, "queued")).await;
        assert_eq!(sent.reference, None);
        assert_eq!(calls[0].line, "PUT /send?v=2");
        let text = sms_text::compose_one_way(&order(), &sample::links());
        assert_eq!(calls[0].form()[1], ("m".to_owned(), text));
    }

    #[tokio::test]
    async fn answers_become_outcomes() {
        let redirect = Reply::with_header(301, "location: https://new.example/", "");
        let busy = Reply::with_header(503, "retry-after: 20", "");
        let wait = Millis::seconds(20);
        let cases = [
            (Reply::new(200, ""), Outcome::Accepted),
            (Reply::new(204, ""), Outcome::Unknown),
            (redirect, Outcome::RefusedCredential),
            (Reply::new(401, "bad key hush"), Outcome::RefusedCredential),
            (Reply::new(400, "number?"), Outcome::RefusedContent),
            (busy, Outcome::Throttled { wait }),
            (Reply::Raw(Vec::new()), Outcome::Unknown),
            (Reply::Silence, Outcome::Unknown),
        ];
        for (reply, outcome) in cases {
            let (sent, _) = send(|_| {}, reply.clone()).await;
            assert_eq!(sent.outcome, outcome, "{reply:?}");
            let words = sent.provider_message.unwrap_or_default();
            assert!(!words.contains("hush"), "{words}");
        }
    }

    #[test]
    fn settings_are_checked_when_the_channel_is_made() {
        type Change = fn(&mut Settings);
        let cases: [(Change, &str, &str); 8] = [
            (|s| s.url = "gateway".to_owned(), "url", "https://host"),
            (|s| s.method = "DELETE".to_owned(), "method", "POST"),
            (|s| s.headers[0].0 = "a b".to_owned(), "headers", "\"a b\""),
            (|s| s.success.clear(), "success", "[200]"),
            (
                |s| s.message_id = Some("id".to_owned()),
                "message_id",
                "/id",
            ),
            (
                |s| s.body = "{{ message }}".to_owned(),
                "body",
                "to, text and",
            ),
            (
                |s| s.body = r#"{"text": "{{ text }}"}"#.to_owned(),
                "body",
                "tojson",
            ),
            (
                |s| {
                    let kind = "application/x-www-form-urlencoded";
                    s.headers[0] = ("content-type".to_owned(), kind.into());
                    s.body = "text={{ text }}".to_owned();
                },
                "body",
                "urlencode",
            ),
        ];
        for (change, key, cure) in cases {
            let mut settings = settings("https://gateway.example/".to_owned());
            change(&mut settings);
            let error = SmsWebhook::new(settings, http(&[]), sample::links()).err();
            let error = error.expect(key);
            assert_eq!(error.key, key, "{error}");
            assert!(error.to_string().contains(cure), "{error}");
        }
    }
}
