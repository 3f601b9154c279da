//! The whole story: Alertmanager's webhook, a route, Slack and SMS and e-mail, no answer, the
//! second person, a link, nothing more, resolved; and a timeline that reads as it happened.

use serde_json::{Value, json};

use super::server::{Place, Server};
use crate::harness::http::{Call, client};
use crate::harness::mime::Entity;
use crate::harness::slack::{self, FakeSlack};
use crate::harness::smtp::{FakeSmtp, Mail};
use crate::harness::twilio::{self, FakeTwilio};

const KEY: &str = "alertmanager-key-for-this-test-01";

const RULES: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: Europe/Lisbon
    contacts:
      chat: { slack: U024BE7LH }
      phone: { sms: "+351912345678" }
      mail: { email: ana@example.com }
  bo:
    full_name: Bo Chen
    contacts:
      chat: { slack: U061F7AUR }
      phone: { sms: "+6591234567" }
      mail: { email: bo@example.com }
policies:
  payments:
    steps:
      - { targets: [user/ana], wait: 3s }
      - { targets: [user/bo], wait: 1h }
integrations:
  prometheus:
    format: alertmanager
    key: env:PROMETHEUS_KEY
route:
  policy: payments
  routes:
    - name: payments-critical
      matchers: ['team="payments"']
      group_by: [alertname]
"#;

/// Every provider that the story needs.
struct Providers {
    slack: FakeSlack,
    twilio: FakeTwilio,
    mail: FakeSmtp,
}

impl Providers {
    async fn start() -> Self {
        Self {
            slack: FakeSlack::start().await,
            twilio: FakeTwilio::start().await,
            mail: FakeSmtp::start().await,
        }
    }

    fn settings(&self) -> String {
        format!(
            r#"
[[channel]]
name = "slack"
kind = "slack"
token = "{}"
signing_secret = "slack-signing-secret"
api_url = "{}"

[[channel]]
name = "sms"
kind = "twilio"
account_sid = "{}"
auth_token = "{}"
from = "+15005550006"
api_url = "{}"

[[channel]]
name = "mail"
kind = "smtp"
host = "127.0.0.1"
port = {}
tls = "none"
from = "pager@example.com"
"#,
            slack::TOKEN,
            self.slack.api_url(),
            twilio::ACCOUNT,
            twilio::TOKEN,
            self.twilio.api_url(),
            self.mail.address.port(),
        )
    }

    /// One page to one person on all three media; the mail comes back for its link.
    async fn expect_page(&self, user: &str, number: &str, address: &str) -> Mail {
        let post = self.slack.http.next().await;
        assert!(post.path().ends_with("/chat.postMessage"), "{post:?}");
        assert_eq!(post.json()["channel"], user);
        assert!(post.body.contains("disk 97%"), "{post:?}");
        let sms = self.twilio.next().await;
        assert_eq!(sms.to, number);
        assert!(
            sms.text.contains("#1") && sms.text.contains("disk 97%"),
            "{sms:?}"
        );
        let mail = self.mail.next().await;
        assert_eq!(mail.to, address);
        mail
    }

    /// Both who were paged are told by Slack, and these by mail; nobody by SMS.
    async fn expect_news(&self, word: &str, by_mail: &[&str]) {
        for _ in 0..2 {
            let edit: Call = self.slack.http.next().await;
            assert!(edit.path().ends_with("/chat.update"), "{edit:?}");
            assert!(edit.body.contains(word), "{word}: {edit:?}");
        }
        for _ in by_mail {
            let mail = self.mail.next().await;
            let is_told = by_mail.iter().any(|address| mail.to == *address);
            assert!(is_told, "{by_mail:?}: {mail:?}");
            assert!(mail.entity.header("References").is_some(), "{mail:?}");
        }
    }

    fn expect_nothing_more(&self) {
        self.slack.http.expect_nothing_more();
        self.twilio.http.expect_nothing_more();
        self.mail.expect_nothing_more();
    }
}

fn webhook(status: &str) -> String {
    let (starts_at, ends_at) = ("2026-11-23T10:00:00Z", "0001-01-01T00:00:00Z");
    let ends_at = if status == "resolved" {
        "2026-11-23T10:09:00Z"
    } else {
        ends_at
    };
    let labels = json!({"alertname": "DiskFull", "severity": "critical", "team": "payments"});
    json!({
        "version": "4",
        "groupKey": "{}:{alertname=\"DiskFull\"}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "reveille",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": labels,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": {"summary": "disk 97%"},
            "startsAt": starts_at,
            "endsAt": ends_at,
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": "8f1c2d3e4a5b6c7d",
        }],
    })
    .to_string()
}

/// The acknowledge link in the plain text of a mail.
fn link_in(mail: &Mail, server: &Server) -> String {
    let text: String = mail.entity.parts().iter().map(Entity::text).collect();
    let start = text
        .find(&format!("{}/a/", server.url))
        .expect("a mail carries a link");
    text[start..].split_whitespace().next().unwrap().to_owned()
}

async fn page_of(link: &str) -> String {
    let answer = client().get(link).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_pages_one_person_then_the_next_until_a_link_acknowledges_it() {
    let providers = Providers::start().await;
    let place = Place::new(&providers.settings(), RULES).with_variable("PROMETHEUS_KEY", KEY);
    let server = place.start().await;
    let answer = server
        .post("/hooks/prometheus", KEY, webhook("firing"))
        .await;
    assert_eq!(answer.status(), 202);
    providers
        .expect_page("U024BE7LH", "+351912345678", "ana@example.com")
        .await;

    // Nobody answers within three seconds.
    let mail = providers
        .expect_page("U061F7AUR", "+6591234567", "bo@example.com")
        .await;
    let link = link_in(&mail, &server);
    assert!(page_of(&link).await.contains("Acknowledge"));
    assert_eq!(
        server.get("/v1/incidents/1").await["status"],
        "triggered",
        "a look acts not"
    );
    let act = client()
        .post(&link)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("action=acknowledge")
        .send()
        .await
        .unwrap();
    assert!(
        act.status().is_success() || act.status().is_redirection(),
        "{}",
        act.status()
    );
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "acknowledged");
    let bo = json!({"user": "bo", "name": "Bo Chen", "via": "link"});
    assert_eq!(incident["acknowledged_by"], bo);
    // Bo knows what he did.
    providers.expect_news("Bo Chen", &["ana@example.com"]).await;

    let answer = server
        .post("/hooks/prometheus", KEY, webhook("resolved"))
        .await;
    assert_eq!(answer.status(), 202);
    let both = ["ana@example.com", "bo@example.com"];
    providers.expect_news("esolved", &both).await;
    server
        .until("resolved", async |server| {
            let incident = server.get("/v1/incidents/1").await;
            (incident["status"] == "resolved").then_some(())
        })
        .await;
    providers.expect_nothing_more();
    check_story(&server).await;
    assert!(page_of(&link).await.contains("esolved"));
    assert!(!place.log().contains("ERROR"), "{}", place.log());
}

/// The timeline tells what happened in the order in which it did.
async fn check_story(server: &Server) {
    let reasons = server.reasons(1).await;
    let expected = [
        "opened",
        "step_started",
        "page_planned",
        "attempt_ended",
        "wait_over",
        "page_planned",
        "attempt_ended",
        "acknowledged",
        "update_sent",
        "all_alerts_resolved",
        "update_sent",
    ];
    let mut rest = reasons.iter();
    for reason in expected {
        assert!(
            rest.any(|known| known == reason),
            "{reason} is missing in {reasons:#?}"
        );
    }
    let story: Value = server.get("/v1/incidents/1/timeline?limit=500").await;
    for entry in story["items"].as_array().unwrap() {
        if entry["reason"] == "attempt_ended" {
            assert!(
                entry["outcome"].is_string() && entry["latency_ms"].is_u64(),
                "{entry}"
            );
        }
    }
}
