//! Text messages by Twilio, over HTTP with the real binary: replies, reports, and what is refused
//! for its signature.

use serde_json::{Value, json};

use super::server::{NATIVE, PHONE, Place, Server, one_person};
use crate::harness::twilio::{self, FakeTwilio};

const NUMBER: &str = "+351912345678";

fn rules() -> String {
    one_person(PHONE, NATIVE)
}

/// A state, and the code of what went wrong.
type Reported = (&'static str, Option<&'static str>);

async fn start(twilio: &FakeTwilio) -> (Place, Server) {
    let settings = format!(
        "[[channel]]\nname = \"sms\"\nkind = \"twilio\"\naccount_sid = \"{}\"\n\
         auth_token = \"{}\"\nshared_keys = \"{}\"\nfrom = \"+15005550006\"\napi_url = \"{}\"\n",
        twilio::ACCOUNT,
        twilio::TOKEN,
        twilio::SHARED_KEY,
        twilio.api_url(),
    );
    let place = Place::new(&settings, &rules());
    let server = place.start().await;
    (place, server)
}

async fn open(server: &Server, summary: &str) {
    let event = json!({"summary": summary, "severity": "critical"});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202);
}

/// The newest attempt of an incident, as its timeline names it.
async fn last_attempt(server: &Server, number: u64) -> u64 {
    let timeline = server
        .get(&format!("/v1/incidents/{number}/timeline"))
        .await;
    let entries = timeline["items"].as_array().cloned().unwrap_or_default();
    let attempts = entries.iter().filter_map(|entry| entry["attempt"].as_u64());
    attempts.max().expect("an attempt")
}

/// The state of the first page; the fallback's follows where it failed.
async fn page_state(server: &Server, number: u64) -> Value {
    let pages = server.get(&format!("/v1/pages?incident={number}")).await;
    let items = pages["items"].as_array().cloned().unwrap_or_default();
    items.last().expect("a page")["state"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_by_text_acts_whichever_way_twilio_signs_it() {
    let twilio = FakeTwilio::start().await;
    let (place, server) = start(&twilio).await;
    let inbound = format!("{}/sms/sms/inbound", server.url);
    let without_port = inbound.replace(&format!(":{}", place.port), "");
    for (number, signed_url, key) in [
        (1, &inbound, twilio::Key::AuthToken),
        (2, &without_port, twilio::Key::AuthToken),
        (3, &inbound, twilio::Key::Shared),
        (4, &without_port, twilio::Key::Shared),
    ] {
        open(&server, &format!("disk {number} full")).await;
        let sms = twilio.next().await;
        assert!(sms.text.contains(&format!("#{number}")), "{sms:?}");
        let text = format!("ack {number}");
        let id = format!("SM{number}");
        let reply = twilio::Text {
            from: NUMBER,
            text: &text,
            message_id: &id,
        };
        let (status, answer) = twilio.reply_signed(&inbound, signed_url, key, reply).await;
        assert_eq!(status, 200, "{answer}");
        let expected = format!("#{number}");
        assert!(
            answer.contains("<Message>") && answer.contains(&expected),
            "{answer}"
        );
        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        assert_eq!(incident["status"], "acknowledged");
    }
    // The same message again does nothing and is answered as before, also after a restart.
    let answer = server
        .act("/v1/incidents/4/unacknowledge", &json!({}))
        .await;
    assert_eq!(answer.status(), 200);
    server.kill();
    let server = place.start().await;
    let reply = twilio::Text {
        from: NUMBER,
        text: "ack 4",
        message_id: "SM4",
    };
    let key = twilio::Key::AuthToken;
    let (status, answer) = twilio.reply_signed(&inbound, &inbound, key, reply).await;
    assert_eq!(status, 200);
    assert!(answer.contains("You acknowledged #4."), "{answer}");
    let incident = server.get("/v1/incidents/4").await;
    assert_eq!(incident["status"], "triggered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_that_twilio_reports_moves_the_page_and_never_backwards() {
    let twilio = FakeTwilio::start().await;
    let (_place, server) = start(&twilio).await;
    let cases: [(&[Reported], &str); 5] = [
        (
            &[("queued", None), ("sending", None), ("sent", None)],
            "sent",
        ),
        (&[("sent", None), ("delivered", None)], "delivered"),
        (
            &[
                ("delivered", None),
                ("sent", None),
                ("failed", Some("30003")),
            ],
            "delivered",
        ),
        (&[("read", None)], "delivered"),
        (&[("undelivered", Some("30005"))], "failed"),
    ];
    for (at, (reports, expected)) in cases.into_iter().enumerate() {
        let number = at as u64 + 1;
        open(&server, &format!("disk {number} full")).await;
        let mut sms = twilio.next().await;
        let attempt = last_attempt(&server, number).await;
        sms.status_callback = Some(format!("{}/sms/sms/status?attempt={attempt}", server.url));
        for (status, code) in reports {
            let answered = twilio.report(&sms, status, *code).await;
            assert_eq!(answered, 200, "{status}");
        }
        assert_eq!(page_state(&server, number).await, expected, "{reports:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_that_keep_being_refused_raise_one_self_incident_with_the_cause() {
    let twilio = FakeTwilio::start().await;
    let (place, server) = start(&twilio).await;
    let inbound = format!("{}/sms/sms/inbound", server.url);
    let refuse = async |message_id: &str| {
        let reply = twilio::Text {
            from: NUMBER,
            text: "ack 1",
            message_id,
        };
        let wrong = "https://old-name.example.com/sms/sms/inbound";
        let key = twilio::Key::AuthToken;
        twilio.reply_signed(&inbound, wrong, key, reply).await.0
    };
    assert_eq!(refuse("SM1").await, 403);
    assert_eq!(refuse("SM2").await, 403);
    let open = server.get("/v1/incidents").await;
    assert_eq!(open["items"], json!([]), "twice may be an accident");
    assert_eq!(refuse("SM3").await, 403);
    assert_eq!(refuse("SM4").await, 403);
    let open = server.get("/v1/incidents").await;
    let items = open["items"].as_array().cloned().unwrap_or_default();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0]["integration"], "reveille");
    assert_eq!(items[0]["labels"]["cause"], "replies_refused");
    assert_eq!(items[0]["labels"]["channel"], "sms");
    let title = items[0]["title"].as_str().unwrap_or_default();
    assert!(title.contains("public_url"), "{title}");
    assert!(place.log().contains("in the name of Twilio is refused"));
    let metrics = server.text("/metrics").await;
    assert!(
        metrics.contains("reveille_requests_refused_total{channel=\"sms\"} 4"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_sender_gets_no_answer_and_leaves_a_log_line_without_the_whole_number() {
    let twilio = FakeTwilio::start().await;
    let (place, server) = start(&twilio).await;
    let inbound = format!("{}/sms/sms/inbound", server.url);
    let answered = twilio.reply(&inbound, "+4799991234", "ack 1").await;
    assert_eq!(answered.0, 200);
    assert!(
        answered.1.ends_with("<Response></Response>"),
        "{answered:?}"
    );
    // The log is written by a thread of its own.
    let log = server
        .until("the line in the log", async |_| {
            Some(place.log()).filter(|log| log.contains("no one's contact"))
        })
        .await;
    assert!(log.contains("1234"), "{log}");
    assert!(!log.contains("99991234"), "{log}");
}
