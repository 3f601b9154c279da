//! Replies through an SMS gateway of one's own, over HTTP with the real binary.

use serde_json::{Value, json};

use super::server::{NATIVE, PHONE, Place, Server, one_person};
use crate::harness::http::{FakeHttp, Reply, client};
use crate::harness::webhook::start_sms_gateway;

const KEY: &str = "inbound-key-for-this-test";
const NUMBER: &str = "+351912345678";

fn rules() -> String {
    one_person(PHONE, NATIVE)
}

/// A router whose channel `sms` takes replies and whose channel `mute` does not.
async fn start() -> (FakeHttp, Place, Server) {
    start_with("answer").await
}

/// The same; `confirm` says how a reply is confirmed.
async fn start_with(confirm: &str) -> (FakeHttp, Place, Server) {
    let gateway = start_sms_gateway().await;
    let channel = |name: &str| {
        let url = gateway.url();
        format!(
            "[[channel]]\nname = \"{name}\"\nkind = \"sms_webhook\"\nurl = \"{url}/{name}\"\n\
             message_id = \"/id\"\n"
        )
    };
    let settings = format!(
        "{}inbound_key = \"env:SMS_INBOUND_KEY\"\n\
         inbound = {{ from = \"/from\", text = \"/text\", message_id = \"/id\", \
         confirm = \"{confirm}\" }}\n{}",
        channel("sms"),
        channel("mute"),
    );
    let place = Place::new(&settings, &rules()).with_variable("SMS_INBOUND_KEY", KEY);
    let server = place.start().await;
    (gateway, place, server)
}

async fn open(server: &Server, gateway: &FakeHttp, number: u64) {
    let event = json!({"summary": format!("disk {number} full"), "severity": "critical"});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202);
    let sms = gateway.next().await;
    assert_eq!(sms.path(), "/sms");
    let message = sms.json();
    assert_eq!(message["to"], NUMBER, "{message}");
    let text = message["text"].as_str().unwrap();
    assert!(text.contains(&format!("#{number}")), "{text}");
    assert!(!text.contains("Replies are not read"), "{text}");
}

async fn reply(server: &Server, path: &str, bearer: Option<&str>, body: &Value) -> (u16, Value) {
    let request = client().post(format!("{}{path}", server.url)).json(body);
    let request = match bearer {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

fn message(text: &str, id: &str) -> Value {
    json!({"from": NUMBER, "text": text, "id": id})
}

async fn act(server: &Server, number: u64, verb: &str) {
    let path = format!("/v1/incidents/{number}/{verb}");
    let answer = server.act(&path, &json!({})).await;
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

async fn status(server: &Server, number: u64) -> Value {
    server.get(&format!("/v1/incidents/{number}")).await["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_with_the_key_acts_once_whichever_way_the_gateway_shows_it() {
    let (gateway, _place, server) = start().await;
    let in_query = format!("/sms/sms/inbound?key={KEY}");
    let ways = [
        (1, "/sms/sms/inbound", Some(KEY)),
        (2, in_query.as_str(), None),
    ];
    for (number, path, bearer) in ways {
        open(&server, &gateway, number).await;
        let message = message(&format!("ack {number}"), &format!("m{number}"));
        let (code, answer) = reply(&server, path, bearer, &message).await;
        assert_eq!(code, 200, "{answer}");
        let told = answer["reply"].as_str().unwrap();
        assert!(told.contains(&format!("#{number}")), "{told}");
        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        assert_eq!(incident["status"], "acknowledged");
        let ana = json!({"user": "ana", "name": "Ana Silva", "via": "sms"});
        assert_eq!(incident["acknowledged_by"], ana);
        // A gateway that posts it twice changes nothing more.
        act(&server, number, "unacknowledge").await;
        assert_eq!(gateway.next().await.path(), "/sms", "a new round begins");
        let again = reply(&server, path, bearer, &message).await;
        assert_eq!(again, (200, answer));
        assert_eq!(status(&server, number).await, "triggered");
        act(&server, number, "resolve").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_without_the_key_or_to_a_channel_that_takes_none_is_refused() {
    let (gateway, place, server) = start().await;
    open(&server, &gateway, 1).await;
    let ack = message("ack 1", "m1");
    let cases = [
        ("/sms/sms/inbound", None, 401),
        ("/sms/sms/inbound", Some("wrong"), 401),
        ("/sms/sms/inbound?key=wrong", None, 401),
        ("/sms/sms/inbound?key=", None, 401),
        ("/sms/mute/inbound", Some(KEY), 404),
        ("/sms/nobody/inbound", Some(KEY), 404),
        ("/sms/console/inbound", Some(KEY), 404),
    ];
    for (path, bearer, expected) in cases {
        let (code, answer) = reply(&server, path, bearer, &ack).await;
        assert_eq!(code, expected, "{path} {bearer:?}: {answer}");
        assert_eq!(status(&server, 1).await, "triggered", "{path} {bearer:?}");
    }
    assert!(place.log().contains("a reply through the gateway"));
    assert!(!place.log().contains(KEY), "no key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_of_the_gateway_counts_as_a_guess_and_the_right_one_still_acts() {
    let (gateway, _place, server) = start().await;
    open(&server, &gateway, 1).await;
    let ack = message("ack 1", "m1");
    for number in 0..20 {
        // In the query as in the header, and with wrong keys of integrations in one count.
        let wrong = format!("guess-{number}");
        let status = match number % 3 {
            0 => {
                let path = format!("/sms/sms/inbound?key={wrong}");
                reply(&server, &path, None, &ack).await.0
            }
            1 => {
                reply(&server, "/sms/sms/inbound", Some(&wrong), &ack)
                    .await
                    .0
            }
            _ => {
                let event = "{\"summary\":\"a\"}".to_owned();
                let answer = server.post("/v1/events", &wrong, event).await;
                answer.status().as_u16()
            }
        };
        assert_eq!(status, 401, "{number}");
    }
    let (code, answer) = reply(&server, "/sms/sms/inbound", Some("another"), &ack).await;
    assert_eq!((code, &answer["code"]), (429, &json!("too_many_guesses")));
    assert_eq!(status(&server, 1).await, "triggered");
    let (code, _) = reply(&server, "/sms/sms/inbound", Some(KEY), &ack).await;
    assert_eq!(code, 200);
    assert_eq!(status(&server, 1).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_of_another_shape_names_the_setting_and_a_strangers_reply_acts_on_nothing() {
    let (gateway, _place, server) = start().await;
    open(&server, &gateway, 1).await;
    let path = "/sms/sms/inbound";
    for missing in ["from", "text", "id"] {
        let mut body = message("ack 1", "m1");
        body.as_object_mut().unwrap().remove(missing);
        let (code, answer) = reply(&server, path, Some(KEY), &body).await;
        assert_eq!(code, 400, "{missing}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            detail.contains(&format!("no text at /{missing}")),
            "{detail}"
        );
    }
    let stranger = json!({"from": "+4799991234", "text": "ack 1", "id": "m2"});
    let (code, answer) = reply(&server, path, Some(KEY), &stranger).await;
    assert_eq!((code, &answer["reply"]), (200, &Value::Null));
    assert_eq!(status(&server, 1).await, "triggered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_confirmed_by_one_message_of_its_own_unless_the_gateway_takes_our_answer() {
    let (gateway, place, server) = start_with("sms").await;
    open(&server, &gateway, 1).await;
    let path = "/sms/sms/inbound";
    let spelled = json!({"from": "00351 912 345 678", "text": "ack 1", "id": "m1"});
    let (code, answer) = reply(&server, path, Some(KEY), &spelled).await;
    assert_eq!((code, &answer["reply"]), (200, &Value::Null));
    let confirmation = gateway.next().await.json();
    assert_eq!(confirmation["to"], NUMBER, "as the rules write it");
    assert_eq!(confirmation["page_id"], 0);
    let text = confirmation["text"].as_str().unwrap();
    assert!(text.contains("#1"), "{text}");

    // Posted twice, or by a stranger: nothing more is sent.
    reply(&server, path, Some(KEY), &spelled).await;
    let stranger = json!({"from": "+4799991234", "text": "ack 1", "id": "m2"});
    reply(&server, path, Some(KEY), &stranger).await;

    // A confirmation that fails is told in the log, and changes nothing else.
    gateway.script([Reply::new(500, "")]);
    let again = message("ack 1", "m3");
    reply(&server, path, Some(KEY), &again).await;
    assert_eq!(gateway.next().await.json()["page_id"], 0);
    let logged = "the answer to a reply or press was not sent";
    server
        .until(logged, async |_| place.log().contains(logged).then_some(()))
        .await;
    gateway.expect_nothing_more();
    assert_eq!(status(&server, 1).await, "acknowledged");
}
