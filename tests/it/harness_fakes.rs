//! The fakes answer as the real ones do, so that tests over them mean something.

use serde_json::{Value, json};

use crate::harness::http::{FakeHttp, Reply, client};
use crate::harness::slack::{self, FakeSlack};
use crate::harness::twilio::{self, FakeTwilio};
use crate::harness::webhook;

async fn slack_call(slack: &FakeSlack, method: &str, body: &Value) -> (u16, Value) {
    let response = client()
        .post(format!("{}/{method}", slack.api_url()))
        .bearer_auth(slack::TOKEN)
        .json(body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn slack_posts_changes_and_looks_up() {
    let slack = FakeSlack::start().await;
    slack.add_user("ana@example.com", "U1");
    let (status, posted) = slack_call(&slack, "chat.postMessage", &json!({"channel": "U1"})).await;
    assert_eq!((status, &posted["channel"]), (200, &json!("D1")));
    let place = json!({"channel": "D1", "ts": posted["ts"]});
    let (_, changed) = slack_call(&slack, "chat.update", &place).await;
    assert_eq!(changed["ts"], posted["ts"]);
    let found = client()
        .get(format!(
            "{}/users.lookupByEmail?email=ana%40example.com",
            slack.api_url()
        ))
        .bearer_auth(slack::TOKEN)
        .send()
        .await
        .unwrap();
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["user"]["id"], "U1");
    assert_eq!(slack.http.next().await.json()["channel"], "U1");
}

#[tokio::test]
async fn slack_says_no_with_status_200_and_a_revoked_token_stays_revoked() {
    let slack = FakeSlack::start().await;
    slack.http.script([
        slack::refusal("ratelimited"),
        Reply::with_header(429, "retry-after: 30", ""),
        Reply::new(500, ""),
    ]);
    let (status, answer) = slack_call(&slack, "auth.test", &json!({})).await;
    assert_eq!((status, &answer["error"]), (200, &json!("ratelimited")));
    for expected in [429, 500] {
        let response = client()
            .post(format!("{}/auth.test", slack.api_url()))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), expected);
        let wait = response.headers().get("retry-after");
        assert_eq!(wait.is_some(), expected == 429);
    }
    slack.revoke_token();
    for _ in 0..2 {
        let (_, answer) = slack_call(&slack, "auth.test", &json!({})).await;
        assert_eq!(answer["error"], "token_revoked");
    }
}

#[tokio::test]
async fn twilio_takes_messages_of_its_account_and_reports_when_told() {
    let twilio = FakeTwilio::start().await;
    let app = webhook::start_receiver().await;
    let messages = format!(
        "{}/2010-04-01/Accounts/{}/Messages.json",
        twilio.api_url(),
        twilio::ACCOUNT
    );
    let callback = format!("{}/sms/sms/status?attempt=7", app.url());
    let body =
        format!("To=%2B351912345678&From=%2B1555&Body=disk%20full&StatusCallback={callback}");
    let send = |token: &'static str| {
        client()
            .post(&messages)
            .basic_auth(twilio::ACCOUNT, Some(token))
            .body(body.clone())
            .send()
    };
    assert_eq!(send("wrong").await.unwrap().status().as_u16(), 401);
    assert_eq!(send(twilio::TOKEN).await.unwrap().status().as_u16(), 201);
    let _refused = twilio.next().await;
    let sms = twilio.next().await;
    assert_eq!((&*sms.to, &*sms.text), ("+351912345678", "disk full"));
    assert_eq!(sms.validity_seconds, None);
    assert_eq!(twilio.report(&sms, "undelivered", Some("30003")).await, 204);
    let report = app.next().await;
    assert_eq!(report.field("ErrorCode").as_deref(), Some("30003"));
    assert_eq!(report.field("attempt").as_deref(), Some("7"));
    assert!(!report.header("x-twilio-signature").is_empty());
    let (status, _) = twilio.reply(&app.url(), "+351912345678", "ack 1042").await;
    assert_eq!(status, 204);
    assert_eq!(app.next().await.field("Body").as_deref(), Some("ack 1042"));
}

#[tokio::test]
async fn twilio_refuses_with_its_codes() {
    let twilio = FakeTwilio::start().await;
    twilio
        .http
        .script([twilio::refusal(400, 21610, "opted out")]);
    let response = client().post(twilio.api_url()).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 400);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["code"], 21610);
}

#[tokio::test]
async fn a_receiver_records_what_came_and_follows_its_script() {
    let gateway = webhook::start_sms_gateway().await;
    let get = |server: &FakeHttp| client().get(format!("{}/x?y=1", server.url())).send();
    let answer: Value = get(&gateway).await.unwrap().json().await.unwrap();
    assert_eq!(answer["id"], "m-1");
    let call = gateway.next().await;
    assert_eq!(call.line, "GET /x?y=1");
    gateway.expect_nothing_more();

    gateway.script([Reply::Silence]);
    let silent = tokio::spawn(get(&gateway));
    // The request is there and unanswered.
    let _request = gateway.next().await;
    assert!(!silent.is_finished());
    silent.abort();
}
