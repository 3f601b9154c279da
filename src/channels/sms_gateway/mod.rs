//! The channel kind `sms_webhook`: one SMS through any gateway that is called by HTTP.
//!
//! Address, method, headers and body come from the settings; the body is a template. A success is
//! `accepted`: a gateway says that it took the message, not that a phone has it.

mod inbound;
mod outcome;
pub mod settings;
mod validation;

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub use self::settings::{Balance, KIND, Settings};
use self::settings::{JSON, SUCCESS};
use crate::channels::balance;
use crate::channels::http::{self, Answer, Auth, Http, Method, Reach, Request};
use crate::channels::links::Links;
use crate::channels::outcome::provider_words;
use crate::channels::template::{Template, Values};
use crate::channels::{
    CancelToken, Cancelled, Channel, Pending, Probed, Sending, Sent, check, sms_text,
};
use crate::engine::decision::SendRequest;
use crate::engine::outcome::{Capacity, Outcome};
use crate::engine::time::Duration;

/// The page of a text that belongs to none.
const NO_PAGE: u64 = 0;

/// A confirmation is given up after this time.
const CONFIRM_TIME: Duration = Duration::seconds(15);

/// The question for the balance is given up after this time.
const PROBE_TIME: Duration = Duration::seconds(10);

/// One gateway.
pub struct SmsGateway {
    settings: Settings,
    body: Template,
    http: Arc<Http>,
    links: Links,
    /// Values in the queries of its addresses, which may be keys.
    keys: Vec<SecretString>,
}

impl SmsGateway {
    /// A channel with these settings, which are checked.
    pub fn new(settings: Settings, http: Arc<Http>, links: Links) -> Result<Self, check::Error> {
        let body = validation::check(&settings)?;
        Ok(Self {
            keys: keys(&settings),
            settings,
            body,
            http,
            links,
        })
    }

    async fn attempt(&self, order: &SendRequest, mark: &CancelToken) -> Result<Sent, Cancelled> {
        let text = match self.settings.inbound_key {
            Some(_) => sms_text::compose(order, &self.links),
            None => sms_text::compose_one_way(order, &self.links),
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
        deadline: Duration,
        mark: &CancelToken,
    ) -> Result<Sent, Cancelled> {
        let body = match self.body.render(values) {
            Ok(body) => body,
            Err(error) => return Ok(self.sent(Outcome::RefusedContent, &error.to_string())),
        };
        let request = Request {
            method: self.settings.method.clone(),
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

    /// Asks what is left in the account, which shows as well that the gateway answers.
    async fn ask_balance(&self) -> Probed {
        let Some(balance) = &self.settings.balance else {
            let words = "a gateway without balance_url cannot be checked without sending";
            return self.sent(Outcome::Unknown, words).into();
        };
        let request = Request {
            method: Method::GET,
            url: &balance.url,
            reach: Reach::Configured,
            auth: Auth::None,
            headers: own_headers(&self.settings),
            body: Vec::new(),
            deadline: PROBE_TIME,
        };
        let answer = match self.http.call(request).await {
            Ok(answer) => answer,
            Err(fault) => return fault.sent().into(),
        };
        let outcome = outcome::of(answer.status, &SUCCESS, answer.retry_after);
        let words = format!("HTTP {} {}", answer.status, answer.text());
        let sent = self.sent(outcome, &words);
        let json = answer.json().unwrap_or_default();
        let capacity = balance::of(&sent, json.pointer(&balance.amount), "", balance.min);
        let outcome = match capacity {
            // It answers; what it says of this address says nothing about messages.
            Capacity::Enough | Capacity::Low { .. } => Outcome::Accepted,
            Capacity::Unread => outcome,
        };
        Probed {
            outcome,
            provider_message: sent.provider_message,
            capacity,
            certificate: answer.certificate,
        }
    }

    fn read(&self, answer: &Answer) -> Sent {
        let settings = &self.settings;
        let outcome = outcome::of(answer.status, &settings.success, answer.retry_after);
        let words = format!("HTTP {} {}", answer.status, answer.text());
        let mut sent = self.sent(outcome, &words);
        if let (Some(pointer), Some(json)) = (&settings.message_id, answer.json()) {
            sent.reference = json.pointer(pointer).and_then(scalar);
        }
        sent
    }

    fn sent(&self, outcome: Outcome, words: &str) -> Sent {
        let headers = self.settings.headers.iter();
        let headers = headers.map(|(_, value)| value);
        let secrets: Vec<&SecretString> = headers.chain(&self.keys).collect();
        Sent::new(outcome, provider_words(words, &secrets))
    }
}

impl Channel for SmsGateway {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(self.attempt(order, mark))
    }

    fn probe(&self) -> Pending<'_, Probed> {
        Box::pin(self.ask_balance())
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
            let sent = self
                .post(&values, CONFIRM_TIME, &CancelToken::default())
                .await;
            sent.unwrap_or_else(|Cancelled| self.sent(Outcome::Unknown, "nobody withdraws it"))
        })
    }
}

fn keys(settings: &Settings) -> Vec<SecretString> {
    let balance = settings.balance.as_ref().map(|balance| &balance.url);
    let addresses = [&settings.url].into_iter().chain(balance);
    let parsed = addresses.filter_map(|url| http::parse_url(url).ok());
    let values = parsed.flat_map(|url| {
        let pairs = url.query_pairs();
        let values = pairs.map(|(_, value)| value.into_owned());
        // As it stands in the address as well, since that is what is repeated.
        let written = url.query().unwrap_or_default().split('&');
        let written = written.filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
        values.chain(written).collect::<Vec<_>>()
    });
    let long = values.filter(|value| value.len() >= KEY_BYTES_MIN);
    long.map(SecretString::from).collect()
}

/// Shorter values are flags and numbers.
const KEY_BYTES_MIN: usize = 6;

fn own_headers(settings: &Settings) -> Vec<(String, String)> {
    let headers = settings.headers.iter();
    let shown = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    shown.collect()
}

fn headers(settings: &Settings) -> Vec<(String, String)> {
    let mut headers = own_headers(settings);
    if settings.content_type().is_none() {
        headers.push(("content-type".to_owned(), JSON.to_owned()));
    }
    headers
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
    use crate::channels::Provider as _;
    use crate::channels::sample::{self, http};
    use crate::engine::ruleset::Medium;
    use crate::engine::time::Duration;
    use crate::test_server::{Call, Reply, Server};

    const JSON_BODY: &str = r#"{"to": {{ to | tojson }}, "text": {{ text | tojson }}}"#;

    pub fn settings(url: String) -> Settings {
        Settings {
            name: "sms-backup".into(),
            url,
            method: Method::POST,
            headers: vec![("X-Key".to_owned(), "hush".into())],
            body: JSON_BODY.to_owned(),
            success: SUCCESS.to_vec(),
            message_id: Some("/messages/0/id".to_owned()),
            balance: None,
            inbound_key: None,
            inbound: settings::Pointers::default(),
        }
    }

    fn order() -> SendRequest {
        let mut order = sample::order(Medium::Sms);
        order.address = "+351912345678".into();
        order.message.incidents[0].title = "say \"hi\"\\".into();
        order.deadline = Duration(600);
        order
    }

    async fn send(change: impl FnOnce(&mut Settings), reply: Reply) -> (Sent, Vec<Call>) {
        let server = Server::start([reply]).await;
        let mut settings = settings(format!("{}/send?v=2", server.url()));
        change(&mut settings);
        let channel = SmsGateway::new(settings, http(&[]), sample::links());
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
            |settings| settings.inbound_key = Some("key".into()),
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
            settings.method = Method::PUT;
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
        let wait = Duration::seconds(20);
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
        let cases: [(Change, &str, &str); 5] = [
            (|s| s.url = "gateway".to_owned(), "url", "https://host"),
            (|s| s.headers[0].0 = "a b".to_owned(), "headers", "\"a b\""),
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
        for (change, key, help) in cases {
            let mut settings = settings("https://gateway.example/".to_owned());
            change(&mut settings);
            let error = SmsGateway::new(settings, http(&[]), sample::links()).err();
            let error = error.expect(key);
            assert_eq!(error.key, key, "{error}");
            assert!(error.to_string().contains(help), "{error}");
        }
    }

    async fn probe(reply: Reply) -> (Probed, Vec<Call>) {
        let server = Server::start([reply]).await;
        let settings = Settings {
            balance: Some(Balance {
                url: format!("{}/balance?key=in%2Baddress", server.url()),
                amount: "/account/left".to_owned(),
                min: 20.0,
            }),
            ..settings(format!("{}/send", server.url()))
        };
        assert!(settings.info().capabilities.probes);
        let channel = SmsGateway::new(settings, http(&[]), sample::links());
        let channel = channel.expect("good settings");
        (channel.probe().await, server.calls())
    }

    #[tokio::test]
    async fn a_gateway_is_asked_for_its_balance_without_sending_anything() {
        let low = |text: &str| Capacity::Low { text: text.into() };
        let less = "its account has 19.99 left, less than balance_min (20)";
        let refused = "its balance cannot be read (HTTP 403 no ***)";
        let lost = "its balance cannot be parsed";
        let wait = Outcome::Throttled {
            wait: Duration::seconds(30),
        };
        let accepted = Outcome::Accepted;
        for (reply, outcome, capacity) in [
            (
                Reply::new(200, r#"{"account":{"left":"20"}}"#),
                accepted,
                Capacity::Enough,
            ),
            (
                Reply::new(200, r#"{"account":{"left":19.99}}"#),
                accepted,
                low(less),
            ),
            (
                Reply::new(200, r#"{"account":{"left":19.9999}}"#),
                accepted,
                low("its account has 19.9999 left, less than balance_min (20)"),
            ),
            (
                Reply::new(
                    200,
                    &format!(r#"{{"account":{{"left":"-{}"}}}}"#, "9".repeat(300)),
                ),
                accepted,
                low(&format!(
                    "its account has -{}… left, less than balance_min (20)",
                    "9".repeat(22)
                )),
            ),
            (Reply::new(200, r#"{"left":30}"#), accepted, low(lost)),
            (Reply::new(200, "30"), accepted, low(lost)),
            (Reply::new(403, "no hush"), accepted, low(refused)),
            (Reply::new(403, "no in+address"), accepted, low(refused)),
            (Reply::new(403, "no in%2Baddress"), accepted, low(refused)),
            (Reply::new(429, ""), wait, Capacity::Unread),
            (Reply::new(500, ""), Outcome::Transient, Capacity::Unread),
        ] {
            let (probed, calls) = probe(reply).await;
            assert_eq!((probed.outcome, probed.capacity), (outcome, capacity));
            assert_eq!(calls[0].line, "GET /balance?key=in%2Baddress");
            assert_eq!(calls[0].header("x-key"), "hush");
            assert!(calls[0].body.is_empty());
        }
    }

    #[test]
    fn the_keys_of_a_gateway_go_to_no_other_server() {
        for url in [
            "https://other.example/balance",
            "http://sms.example/balance",
            "https://sms.example:8443/balance",
        ] {
            let settings = Settings {
                balance: Some(Balance {
                    url: url.to_owned(),
                    amount: "/left".to_owned(),
                    min: 1.0,
                }),
                ..settings("https://sms.example/send".to_owned())
            };
            let made = SmsGateway::new(settings, http(&[]), sample::links());
            let error = made.err().expect("another server").to_string();
            assert!(error.contains("another server"), "{url}: {error}");
        }
    }
}
