//! The channel kind `webhook`: JSON to any server, signed as Standard Webhooks.
//!
//! The address came with the rules, so it is called through the guard. Each target is a server of
//! its own: what one of them refuses says nothing about the others.

mod body;
mod outcome;

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::http::{Answer, Auth, Http, Method, Reach, Request};
use crate::channels::links::Links;
use crate::channels::{
    BuildError, CancelToken, Cancelled, Channel, Kind, Parts, Pending, Probed, Provider, Sending,
    Sent, check, no_probe,
};
use crate::document::MapSchema;
use crate::document::section::Section;
use crate::engine::decision::SendRequest;
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use crate::signing::standard_webhooks::{self, Secret};

/// Incidents of a bundled page that fit into the recommended 20 KB.
const INCIDENTS_NAMED_MAX: usize = 50;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "webhook",
    schema: MapSchema::new(
        "a channel of kind webhook",
        &["name", "kind", "concurrency", "depends_on", "secret"],
    ),
    concurrency: 32,
    read,
};

/// Settings of the webhooks.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: ChannelName,
    /// `whsec_` and bytes in base64.
    pub secret: SecretString,
}

impl Provider for Settings {
    fn info(&self) -> ChannelInfo {
        ChannelInfo {
            is_one_endpoint: false,
            ..ChannelInfo::new(
                self.name.clone(),
                Medium::Webhook,
                Capabilities {
                    incidents_named_max: INCIDENTS_NAMED_MAX,
                    ..Capabilities::default()
                },
            )
        }
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        let (http, links) = (parts.http.clone(), parts.links.clone());
        Ok(Arc::new(Webhook::new(self, http, links)?))
    }

    fn idle_connections(&self) -> Option<usize> {
        Some(0)
    }
}

fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    let secret =
        section.require_secret("secret", "write secret = \"env:WEBHOOK_SECRET\" (whsec_…)");
    Some(Arc::new(Settings {
        name,
        secret: secret?,
    }))
}

/// All webhooks that are signed with the same secret.
pub struct Webhook {
    secret: Secret,
    http: Arc<Http>,
    links: Links,
}

impl Webhook {
    /// A channel with these settings, which are checked.
    pub fn new(settings: &Settings, http: Arc<Http>, links: Links) -> Result<Self, check::Error> {
        let secret = Secret::parse(settings.secret.expose_secret())
            .map_err(|error| check::Error::new(&settings.name, "secret", error.to_string()))?;
        Ok(Self {
            secret,
            http,
            links,
        })
    }

    async fn attempt(&self, order: &SendRequest, mark: &CancelToken) -> Result<Sent, Cancelled> {
        let now = self.http.now();
        let body = body::render(order, &self.links);
        let id = body::id(order);
        let timestamp = now.0.div_euclid(1_000).to_string();
        let signature = standard_webhooks::sign(
            std::slice::from_ref(&self.secret),
            &id,
            &timestamp,
            body.as_bytes(),
        );
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        let request = Request {
            method: Method::POST,
            url: &order.address,
            reach: Reach::Guarded,
            auth: Auth::None,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: body.into_bytes(),
            deadline: order.deadline,
        };
        Ok(match self.http.call_marked(request, mark).await? {
            Ok(answer) => read_answer(&answer),
            Err(fault) => fault.sent(),
        })
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(self.attempt(order, mark))
    }

    fn probe(&self) -> Pending<'_, Probed> {
        no_probe()
    }
}

/// Whoever wrote the rules chose the server, so its words are not shown: they could be the answer
/// of something that was never meant to be read by them.
fn read_answer(answer: &Answer) -> Sent {
    Sent::new(
        outcome::of(answer.status, answer.retry_after),
        Some(format!("HTTP {}", answer.status)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{self, NOW, http};
    use crate::engine::outcome::Outcome;
    use crate::engine::time::Duration;
    use crate::test_server::{Call, Reply, Server};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn webhook(allow_networks: &[&str]) -> Webhook {
        let settings = Settings {
            name: "hooks".into(),
            secret: SECRET.into(),
        };
        Webhook::new(&settings, http(allow_networks), sample::links()).expect("a channel")
    }

    fn order(server: &Server) -> SendRequest {
        let mut order = sample::order(Medium::Webhook);
        order.address = format!("{}/ana", server.url()).into();
        order.deadline = Duration(600);
        order
    }

    async fn send(reply: Reply) -> (Sent, Vec<Call>) {
        let server = Server::start([reply]).await;
        let sent = sample::send(&webhook(&["127.0.0.1/32"]), &order(&server)).await;
        (sent, server.calls())
    }

    #[tokio::test]
    async fn a_page_arrives_signed() {
        let (sent, calls) = send(Reply::new(204, "")).await;
        assert_eq!(sent.outcome, Outcome::Delivered);
        let call = &calls[0];
        assert_eq!(call.line, "POST /ana");
        assert_eq!(call.header("content-type"), "application/json");
        let headers = standard_webhooks::Headers {
            id: call.header("webhook-id"),
            timestamp: call.header("webhook-timestamp"),
            signature: call.header("webhook-signature"),
        };
        assert_eq!(headers.id, "page_17");
        assert_eq!(headers.timestamp, "1778551920");
        let secrets = [Secret::parse(SECRET).expect("a secret")];
        let found = standard_webhooks::verify(&secrets, headers, call.body.as_bytes(), NOW);
        assert_eq!(found, Ok(()));
    }

    #[tokio::test]
    async fn answers_become_outcomes_and_are_not_shown() {
        let elsewhere = Server::start([Reply::new(200, "")]).await;
        let location = format!("location: {}/", elsewhere.url());
        let busy = Reply::with_header(503, "retry-after: 20", "inner secret");
        let wait = Duration::seconds(20);
        let cases = [
            (
                Reply::with_header(307, &location, ""),
                Outcome::RefusedTarget,
            ),
            (Reply::new(410, "inner secret"), Outcome::RefusedTarget),
            (Reply::new(401, "inner secret"), Outcome::RefusedCredential),
            (busy, Outcome::Throttled { wait }),
            (Reply::new(500, "inner secret"), Outcome::Transient),
            (Reply::Raw(Vec::new()), Outcome::Unknown),
            (Reply::Silence, Outcome::Unknown),
        ];
        for (reply, outcome) in cases {
            let (sent, _) = send(reply.clone()).await;
            assert_eq!(sent.outcome, outcome, "{reply:?}");
            let words = sent.provider_message.unwrap_or_default();
            assert!(!words.contains("inner secret"), "{words}");
        }
        assert!(elsewhere.calls().is_empty());
    }

    #[tokio::test]
    async fn a_private_network_is_refused_before_anything_is_sent() {
        let server = Server::start([]).await;
        let sent = sample::send(&webhook(&[]), &order(&server)).await;
        assert_eq!(sent.outcome, Outcome::RefusedTarget);
        let words = sent.provider_message.expect("words");
        assert!(words.contains("127.0.0.1 is a loopback address"), "{words}");
        assert!(server.calls().is_empty());
    }

    #[test]
    fn a_secret_is_required() {
        let settings = Settings {
            name: "hooks".into(),
            secret: SecretString::default(),
        };
        let error = Webhook::new(&settings, http(&[]), sample::links()).err();
        assert_eq!(error.map(|error| error.key), Some("secret"));
    }
}
