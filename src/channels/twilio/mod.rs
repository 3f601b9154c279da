//! The channel kind `twilio`: one SMS through Twilio's Messages API.
//!
//! Twilio answers that it has taken a message and reports later what became of it; the reports
//! name our attempt in their address, so that they find it even when they overtake the answer.

mod inbound;
mod outcome;
pub mod settings;
pub mod signature;

use std::sync::Arc;

use serde_json::Value;

pub use self::settings::{KIND, Sender, Settings};
use crate::channels::balance;
use crate::channels::http::{Answer, Auth, Http, Method, Reach, Request};
use crate::channels::links::Links;
use crate::channels::outcome::provider_words;
use crate::channels::{
    CancelToken, Cancelled, Channel, Pending, Probed, Sending, Sent, check, sms_text,
};
use crate::engine::decision::SendRequest;
use crate::engine::outcome::{Capacity, Outcome};
use crate::engine::time::Duration;
use crate::text::form;

/// A page that leaves the carrier's queue later than this is worse than one reported as failed.
const VALIDITY_SECONDS: &str = "300";

const PROBE_DEADLINE: Duration = Duration::seconds(10);

/// One Twilio account.
pub struct Twilio {
    settings: Settings,
    http: Arc<Http>,
    links: Links,
}

impl Twilio {
    /// A channel with these settings, which are checked.
    pub fn new(
        mut settings: Settings,
        http: Arc<Http>,
        links: Links,
    ) -> Result<Self, check::Error> {
        settings.api_url = check::url(&settings.name, "api_url", &settings.api_url)?;
        Ok(Self {
            settings,
            http,
            links,
        })
    }

    async fn attempt(&self, order: &SendRequest, mark: &CancelToken) -> Result<Sent, Cancelled> {
        let url = self.account_url("/Messages.json");
        let request = Request {
            method: Method::POST,
            headers: vec![(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: form::body(&self.form(order)).into_bytes(),
            ..self.request(&url, order.deadline)
        };
        Ok(match self.http.call_marked(request, mark).await? {
            Ok(answer) => self.read(&answer),
            Err(fault) => fault.sent(),
        })
    }

    fn form(&self, order: &SendRequest) -> Vec<(&'static str, String)> {
        let text = match self.settings.sender {
            Sender::Number(_) | Sender::MessagingService(_) => {
                sms_text::compose(order, &self.links)
            }
            Sender::Letters(_) => sms_text::compose_one_way(order, &self.links),
        };
        let mut form = vec![
            ("To", order.address.to_string()),
            ("Body", text),
            ("ValidityPeriod", VALIDITY_SECONDS.to_owned()),
        ];
        form.push(match &self.settings.sender {
            Sender::Number(from) | Sender::Letters(from) => ("From", from.clone()),
            Sender::MessagingService(sid) => ("MessagingServiceSid", sid.clone()),
        });
        if !self.links.is_local() {
            form.push(("StatusCallback", self.status_callback(order)));
        }
        form
    }

    fn status_callback(&self, order: &SendRequest) -> String {
        format!(
            "{}/sms/{}/status?attempt={}",
            self.links.public_url(),
            form::encode(self.settings.name.as_str()),
            order.attempt
        )
    }

    async fn ask_account(&self) -> Probed {
        let url = self.account_url(".json");
        let answer = match self.http.call(self.request(&url, PROBE_DEADLINE)).await {
            Ok(answer) => answer,
            Err(fault) => return fault.sent().into(),
        };
        let mut probed = Probed {
            certificate: answer.certificate,
            ..self.read(&answer).into()
        };
        let json = answer.json().unwrap_or_default();
        // An account that answers and may not send: suspended or closed.
        if probed.outcome == Outcome::Accepted && json["status"] != "active" {
            probed.outcome = Outcome::QuotaExhausted;
        }
        if let (Outcome::Accepted, Some(least)) = (probed.outcome, self.settings.balance_min) {
            probed.capacity = self.ask_balance(least).await;
        }
        probed
    }

    async fn ask_balance(&self, least: f64) -> Capacity {
        let url = self.account_url("/Balance.json");
        let Ok(answer) = self.http.call(self.request(&url, PROBE_DEADLINE)).await else {
            return Capacity::Unread;
        };
        let json = answer.json().unwrap_or_default();
        let currency = json["currency"].as_str().unwrap_or_default();
        balance::of(&self.read(&answer), json.get("balance"), currency, least)
    }

    fn account_url(&self, rest: &str) -> String {
        let sid = form::encode(&self.settings.account_sid);
        format!("{}/2010-04-01/Accounts/{sid}{rest}", self.settings.api_url)
    }

    fn request<'call>(&'call self, url: &'call str, deadline: Duration) -> Request<'call> {
        Request {
            method: Method::GET,
            url,
            reach: Reach::Configured,
            auth: Auth::Basic {
                user: &self.settings.account_sid,
                password: &self.settings.auth_token,
            },
            headers: Vec::new(),
            body: Vec::new(),
            deadline,
        }
    }

    fn read(&self, answer: &Answer) -> Sent {
        let json = answer.json().unwrap_or_default();
        let code = json["code"].as_u64().and_then(|code| code.try_into().ok());
        Sent {
            outcome: outcome::of(answer.status, code, answer.retry_after),
            provider_message: self.words(&json, answer),
            reference: json["sid"].as_str().map(str::to_owned),
        }
    }

    fn words(&self, json: &Value, answer: &Answer) -> Option<String> {
        let words = match (json["message"].as_str(), json["status"].as_str()) {
            (Some(message), _) => format!("{} {message}", json["code"]),
            (None, Some(status)) => status.to_owned(),
            (None, None) => format!("HTTP {} {}", answer.status, answer.text()),
        };
        provider_words(&words, &[&self.settings.auth_token])
    }
}

impl Channel for Twilio {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(self.attempt(order, mark))
    }

    fn probe(&self) -> Pending<'_, Probed> {
        Box::pin(self.ask_account())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{self, http};
    use crate::engine::ruleset::Medium;
    use crate::test_server::{Call, Reply, Server};

    pub fn settings(api_url: String) -> Settings {
        Settings {
            name: "sms".into(),
            account_sid: "AC1".to_owned(),
            auth_token: "hush".into(),
            shared_keys: Vec::new(),
            sender: Sender::Number("+15005550006".to_owned()),
            balance_min: None,
            api_url,
        }
    }

    fn order() -> SendRequest {
        let mut order = sample::order(Medium::Sms);
        order.address = "+351912345678".into();
        order.deadline = Duration(600);
        order
    }

    async fn send(links: Links, reply: Reply) -> (Sent, Vec<Call>) {
        let server = Server::start([reply]).await;
        let twilio = Twilio::new(settings(server.url()), http(&[]), links).expect("a channel");
        (sample::send(&twilio, &order()).await, server.calls())
    }

    #[tokio::test]
    async fn a_message_is_handed_over_with_its_validity_and_where_to_report() {
        let taken = Reply::new(201, r#"{"sid":"SM7","status":"queued"}"#);
        let (sent, calls) = send(sample::links(), taken).await;
        let expected = Sent {
            outcome: Outcome::Accepted,
            provider_message: Some("queued".to_owned()),
            reference: Some("SM7".to_owned()),
        };
        assert_eq!(sent, expected);
        let call = &calls[0];
        assert_eq!(call.line, "POST /2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!(call.header("authorization"), "Basic QUMxOmh1c2g=");
        let callback = "https://pager.example.com/sms/sms/status?attempt=23";
        let text = sms_text::compose(&order(), &sample::links());
        let cases = [
            ("To", Some("+351912345678")),
            ("From", Some("+15005550006")),
            ("Body", Some(text.as_str())),
            ("ValidityPeriod", Some("300")),
            ("StatusCallback", Some(callback)),
            ("MessagingServiceSid", None),
        ];
        for (name, value) in cases {
            assert_eq!(call.field(name).as_deref(), value, "{name}");
        }
    }

    #[tokio::test]
    async fn no_report_is_asked_for_at_an_address_of_this_machine() {
        let links = Links::new("http://localhost:8080", [7; 32]);
        let (_, calls) = send(links, Reply::new(201, "{}")).await;
        assert_eq!(calls[0].field("StatusCallback"), None);
    }

    #[tokio::test]
    async fn a_messaging_service_stands_in_for_the_number() {
        let server = Server::start([Reply::new(201, "{}")]).await;
        let mut settings = settings(server.url());
        settings.sender = Sender::MessagingService("MG1".to_owned());
        let twilio = Twilio::new(settings, http(&[]), sample::links()).expect("a channel");
        sample::send(&twilio, &order()).await;
        let call = &server.calls()[0];
        assert_eq!(call.field("MessagingServiceSid").as_deref(), Some("MG1"));
        assert_eq!(call.field("From"), None);
    }

    #[tokio::test]
    async fn letters_as_sender_ask_nobody_to_reply() {
        let cases = [
            (Sender::Number("+15005550006".to_owned()), true),
            (Sender::Number("70500".to_owned()), true),
            (Sender::MessagingService("MG1".to_owned()), true),
            (Sender::Letters("REVEILLE".to_owned()), false),
        ];
        for (sender, is_asked) in cases {
            let server = Server::start([Reply::new(201, "{}")]).await;
            let mut settings = settings(server.url());
            settings.sender = sender;
            let twilio = Twilio::new(settings, http(&[]), sample::links()).expect("a channel");
            sample::send(&twilio, &order()).await;
            let body = server.calls()[0].field("Body").expect("a text");
            assert_eq!(body.contains("Reply: ack"), is_asked, "{body}");
            assert_eq!(body.contains("Replies are not read"), !is_asked, "{body}");
        }
    }

    #[tokio::test]
    async fn answers_become_outcomes() {
        let opted_out = r#"{"code":21610,"message":"recipient opted out, hush","status":400}"#;
        let cases = [
            (Reply::new(400, opted_out), Outcome::RefusedTarget),
            (
                Reply::new(401, r#"{"code":20003}"#),
                Outcome::RefusedCredential,
            ),
            (
                Reply::with_header(429, "retry-after: 3600", ""),
                Outcome::Throttled {
                    wait: Duration::hours(1),
                },
            ),
            (Reply::new(201, "<html>"), Outcome::Accepted),
            (Reply::new(500, ""), Outcome::Transient),
            (Reply::Raw(Vec::new()), Outcome::Unknown),
            (Reply::Silence, Outcome::Unknown),
        ];
        for (reply, outcome) in cases {
            let (sent, _) = send(sample::links(), reply.clone()).await;
            assert_eq!(sent.outcome, outcome, "{reply:?}");
            let words = sent.provider_message.unwrap_or_default();
            assert!(!words.contains("hush"), "{words}");
        }
    }

    #[tokio::test]
    async fn a_probe_asks_for_the_account() {
        let cases = [
            (Reply::new(200, r#"{"status":"active"}"#), Outcome::Accepted),
            (
                Reply::new(200, r#"{"status":"suspended"}"#),
                Outcome::QuotaExhausted,
            ),
            (
                Reply::new(401, r#"{"code":20003}"#),
                Outcome::RefusedCredential,
            ),
        ];
        for (reply, outcome) in cases {
            let server = Server::start([reply]).await;
            let settings = settings(server.url());
            let twilio = Twilio::new(settings, http(&[]), sample::links()).expect("a channel");
            assert_eq!(twilio.probe().await.outcome, outcome);
            assert_eq!(server.calls()[0].line, "GET /2010-04-01/Accounts/AC1.json");
        }
    }

    #[tokio::test]
    async fn a_balance_below_the_setting_is_told_and_one_that_was_not_read_says_nothing() {
        let low = |text: &str| Capacity::Low { text: text.into() };
        let cases = [
            (
                Reply::new(200, r#"{"balance":"20.0000","currency":"EUR"}"#),
                Capacity::Enough,
            ),
            (
                Reply::new(200, r#"{"balance":"19.9900","currency":"EUR"}"#),
                low("its account has 19.9900 EUR left, less than balance_min (20)"),
            ),
            (
                Reply::new(200, r#"{"balance":-3.5,"currency":"USD"}"#),
                low("its account has -3.5 USD left, less than balance_min (20)"),
            ),
            (
                Reply::new(200, r#"{"balance":"NaN"}"#),
                low("its balance cannot be parsed"),
            ),
            (
                Reply::new(200, "<html>"),
                low("its balance cannot be parsed"),
            ),
            (
                Reply::new(403, r#"{"code":20403,"message":"parents only, hush"}"#),
                low("its balance cannot be read (20403 parents only, ***)"),
            ),
            (Reply::new(503, ""), Capacity::Unread),
            (Reply::new(429, ""), Capacity::Unread),
            (Reply::Raw(Vec::new()), Capacity::Unread),
        ];
        for (reply, capacity) in cases {
            let active = Reply::new(200, r#"{"status":"active"}"#);
            let server = Server::start([active, reply.clone()]).await;
            let mut settings = settings(server.url());
            settings.balance_min = Some(20.0);
            let twilio = Twilio::new(settings, http(&[]), sample::links()).expect("a channel");
            let probed = twilio.probe().await;
            assert_eq!(probed.outcome, Outcome::Accepted, "{reply:?}");
            assert_eq!(probed.capacity, capacity, "{reply:?}");
            let line = "GET /2010-04-01/Accounts/AC1/Balance.json";
            assert_eq!(server.calls()[1].line, line);
        }
    }

    #[test]
    fn settings_are_checked_when_the_channel_is_made() {
        let settings = settings("ftp://x".to_owned());
        let error = Twilio::new(settings, http(&[]), sample::links()).err();
        assert_eq!(error.map(|error| error.key), Some("api_url"));
    }
}
