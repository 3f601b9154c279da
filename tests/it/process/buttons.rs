//! Buttons in Slack, over HTTP with the real binary: what is pressed acts, once, for whom it was
//! meant, and only when Slack signed it.

use reveille::engine::time::Timestamp;
use reveille::runtime::clock::wall_now;
use serde_json::{Value, json};

use super::server::{CHAT, NATIVE, Place, Server, one_person};
use crate::harness::slack::{self, FakeSlack, Press};

const USER: &str = "U024BE7LH";
/// The direct conversation with that user.
const DIRECT: &str = "D024BE7LH";

fn rules() -> String {
    one_person(CHAT, NATIVE)
}

async fn start(slack: &FakeSlack) -> (Place, Server) {
    start_with(slack, &rules()).await
}

async fn start_with(slack: &FakeSlack, rules: &str) -> (Place, Server) {
    let settings = format!(
        "[[channel]]\nname = \"slack\"\nkind = \"slack\"\ntoken = \"{}\"\n\
         signing_secret = \"{}\"\napi_url = \"{}\"\n",
        slack::TOKEN,
        slack::SIGNING_SECRET,
        slack.api_url(),
    );
    let place = Place::new(&settings, rules);
    let place = place.with_variable("REVEILLE_PUBLIC_URL", "https://pager.example.com");
    let server = place.start().await;
    (place, server)
}

async fn report(server: &Server, action: &str) {
    let event = json!({"action": action, "summary": "disk full", "severity": "critical",
        "dedup_key": "db1/disk"});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202);
}

/// The next page, and its button for this.
async fn next_button(slack: &FakeSlack, action: &str) -> Value {
    button_in(slack, USER, action).await
}

/// The same of a page to this conversation.
async fn button_in(slack: &FakeSlack, place: &str, action: &str) -> Value {
    let post = slack.http.next().await;
    assert!(post.path().ends_with("/chat.postMessage"), "{post:?}");
    let message = post.json();
    assert_eq!(message["channel"], place, "{message}");
    let blocks = message["blocks"].as_array().unwrap();
    let mut buttons = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array())
        .flatten();
    let button = buttons.find(|button| button["action_id"] == action);
    button
        .unwrap_or_else(|| panic!("no {action}: {message}"))
        .clone()
}

/// The next request changes the message that was posted as this one, counted from 1.
async fn expect_edit(slack: &FakeSlack, posted: u64, word: &str) {
    let edit = slack.http.next().await;
    assert!(edit.path().ends_with("/chat.update"), "{edit:?}");
    let message = edit.json();
    assert_eq!(message["channel"], DIRECT);
    assert_eq!(message["ts"], format!("1503435956.{posted:06}"));
    assert!(edit.body.contains(word), "{word}: {message}");
    assert!(!edit.body.contains("\"acknowledge\""), "{message}");
}

async fn press(server: &Server, button: &Value, user: &str) {
    let place = DIRECT;
    let body = Press {
        button,
        user,
        place,
    }
    .body();
    let headers = slack::signed(&body, slack::SIGNING_SECRET, wall_now());
    let answered = slack::post_actions(&server.url, &body, &headers).await;
    assert_eq!(answered, 200);
}

async fn status(server: &Server, number: u64) -> Value {
    server.get(&format!("/v1/incidents/{number}")).await["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_button_of_a_page_acknowledges_it_and_the_message_says_so() {
    let slack = FakeSlack::start().await;
    let (_place, server) = start(&slack).await;
    report(&server, "trigger").await;
    let button = next_button(&slack, "acknowledge").await;
    press(&server, &button, USER).await;
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "acknowledged");
    let ana = json!({"user": "ana", "name": "Ana Silva", "via": "slack"});
    assert_eq!(incident["acknowledged_by"], ana);
    expect_edit(&slack, 1, "Ana Silva").await;

    // Pressed again, it changes nothing and posts nothing.
    let before = server.reasons(1).await;
    let acknowledged = |reasons: &[String]| {
        let reasons = reasons.iter();
        reasons.filter(|reason| *reason == "acknowledged").count()
    };
    press(&server, &button, USER).await;
    assert_eq!(status(&server, 1).await, "acknowledged");
    let after = server.reasons(1).await;
    assert_eq!(acknowledged(&after), acknowledged(&before));
    slack.http.expect_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_acts_once_however_often_it_is_posted_also_after_a_restart() {
    let slack = FakeSlack::start().await;
    let (place, mut server) = start(&slack).await;
    report(&server, "trigger").await;
    let button = next_button(&slack, "acknowledge").await;
    let body = Press {
        button: &button,
        user: USER,
        place: DIRECT,
    };
    let body = body.body();
    let headers = slack::signed(&body, slack::SIGNING_SECRET, wall_now());
    let post = async |server: &Server| slack::post_actions(&server.url, &body, &headers).await;
    assert_eq!(post(&server).await, 200);
    assert_eq!(status(&server, 1).await, "acknowledged");
    let path = "/v1/incidents/1/unacknowledge";
    assert_eq!(server.act(path, &json!({})).await.status(), 200);
    for _ in 0..2 {
        assert_eq!(
            post(&server).await,
            200,
            "a repetition is answered as before"
        );
        assert_eq!(status(&server, 1).await, "triggered");
        server.kill();
        server = place.start().await;
    }
    // Another press of the same button is one of its own: its signature differs.
    let later = Timestamp(wall_now().0 + 1_000);
    let headers = slack::signed(&body, slack::SIGNING_SECRET, later);
    assert_eq!(slack::post_actions(&server.url, &body, &headers).await, 200);
    assert_eq!(status(&server, 1).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_did_not_sign_presses_no_button() {
    let slack = FakeSlack::start().await;
    let (place, server) = start(&slack).await;
    report(&server, "trigger").await;
    let button = next_button(&slack, "acknowledge").await;
    let press = |user| Press {
        button: &button,
        user,
        place: DIRECT,
    };
    let now = wall_now();
    let old = Timestamp(now.0 - 600_000);
    let body = press(USER).body();
    let sign = |secret, at| slack::signed(&body, secret, at).to_vec();
    let other = sign("another-secret", now);
    let stale = sign(slack::SIGNING_SECRET, old);
    let unsigned = Vec::new();
    let cut = sign(slack::SIGNING_SECRET, now)[..1].to_vec();
    for headers in [other, stale, unsigned, cut] {
        let answered = slack::post_actions(&server.url, &body, &headers).await;
        assert_eq!(answered, 401, "{headers:?}");
        assert_eq!(status(&server, 1).await, "triggered", "{headers:?}");
    }
    // The signature of one body is none for another.
    let other_body = press("U061F7AUR").body();
    let headers = sign(slack::SIGNING_SECRET, now);
    let answered = slack::post_actions(&server.url, &other_body, &headers).await;
    assert_eq!(answered, 401);
    assert_eq!(status(&server, 1).await, "triggered");
    assert!(place.log().contains("a request in the name of Slack"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_button_does_nothing_for_a_stranger_or_with_a_value_of_nobody() {
    let slack = FakeSlack::start().await;
    let (_place, server) = start(&slack).await;
    report(&server, "trigger").await;
    let button = next_button(&slack, "acknowledge").await;
    press(&server, &button, "U061F7AUR").await;
    let mut forged = button.clone();
    forged["value"] = json!("AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAA");
    press(&server, &forged, USER).await;
    let mut unknown = button;
    unknown["action_id"] = json!("delete");
    press(&server, &unknown, USER).await;
    assert_eq!(status(&server, 1).await, "triggered");
    let asked = slack.http.next().await;
    assert!(
        asked.path().ends_with("/users.info"),
        "who it was: {asked:?}"
    );
    slack.http.expect_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_shared_channel_whoever_the_rules_name_by_mail_address_acts_as_themselves() {
    let rules = rules()
        .replace(
            "chat: { slack: U024BE7LH }",
            "chat: { slack: ana@example.com }\n  bo:\n    full_name: Bo Lind\n    contacts:\n      \
             chat: { slack: Bo@example.com }",
        )
        .replace("user/ana", "channel/slack/C024BE7LH");
    let slack = FakeSlack::start().await;
    slack.add_user("ana@example.com", "U1ANA");
    slack.add_user("bo@example.com", "U2BO");
    slack.add_user("cy@example.com", "U3CY");
    let (_place, server) = start_with(&slack, &rules).await;
    report(&server, "trigger").await;
    let button = button_in(&slack, "C024BE7LH", "acknowledge").await;
    let press = async |user| {
        let place = "C024BE7LH";
        let body = Press {
            button: &button,
            user,
            place,
        };
        let body = body.body();
        let headers = slack::signed(&body, slack::SIGNING_SECRET, wall_now());
        assert_eq!(slack::post_actions(&server.url, &body, &headers).await, 200);
        let asked = slack.http.next().await;
        assert!(asked.path().ends_with("/users.info"), "{asked:?}");
    };
    press("U3CY").await;
    assert_eq!(
        status(&server, 1).await,
        "triggered",
        "no user of the rules"
    );
    press("U2BO").await;
    let incident = server.get("/v1/incidents/1").await;
    let bo = json!({"user": "bo", "name": "Bo Lind", "via": "slack"});
    assert_eq!(incident["acknowledged_by"], bo);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_of_a_former_generation_does_nothing_to_the_present_one() {
    let slack = FakeSlack::start().await;
    let (_place, server) = start(&slack).await;
    report(&server, "trigger").await;
    let former = next_button(&slack, "acknowledge").await;
    report(&server, "resolve").await;
    expect_edit(&slack, 1, "Resolved").await;
    report(&server, "trigger").await;
    let present = next_button(&slack, "acknowledge").await;

    press(&server, &former, USER).await;
    assert_eq!(status(&server, 1).await, "resolved");
    assert_eq!(status(&server, 2).await, "triggered");
    slack.http.expect_nothing_more();
    press(&server, &present, USER).await;
    assert_eq!(status(&server, 2).await, "acknowledged");
    expect_edit(&slack, 2, "Ana Silva").await;
}
