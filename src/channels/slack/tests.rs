//! The channel against a scripted Slack.

use super::*;
use crate::channels::acknowledge_text;
use crate::channels::sample::{self, http};
use crate::channels::tests::{hostile, is_harmless, is_steering};
use crate::engine::incident::Status;
use crate::engine::page::{PageKind, UpdateKind};
use crate::engine::ruleset::Medium;
use crate::test_server::{Call, Reply, Server};

const TOKEN: &str = "xoxb-secret";
const POSTED: &str = r#"{"ok":true,"channel":"D1","ts":"1503435956.000247"}"#;

fn slack(server: &Server, links: Links, buttons: Buttons) -> Slack {
    let settings = Settings {
        name: "slack".into(),
        token: TOKEN.into(),
        api_url: format!("{}/api/", server.url()),
        signing_secret: (buttons == Buttons::Shown).then(|| "shh".into()),
    };
    Slack::new(settings, http(&[]), links).expect("good settings")
}

fn order() -> SendRequest {
    let mut order = sample::order(Medium::Slack);
    order.address = "U024BE7LH".into();
    order
}

fn acknowledged(thread: Option<ThreadRef>) -> SendRequest {
    let mut order = sample::update(
        Medium::Slack,
        UpdateKind::Acknowledged,
        sample::acknowledged(),
    );
    order.address = "U024BE7LH".into();
    order.thread = thread;
    order
}

fn ok(body: &str) -> Reply {
    Reply::new(200, body)
}

fn error(error: &str) -> Reply {
    ok(&format!(r#"{{"ok":false,"error":"{error}"}}"#))
}

/// Sends one order to a Slack that answers so.
async fn send(order: &SendRequest, replies: Vec<Reply>) -> (Sent, Vec<Call>) {
    let server = Server::start(replies).await;
    let slack = slack(&server, sample::links(), Buttons::Shown);
    let sent = sample::send(&slack, order).await;
    (sent, server.calls())
}

fn paths(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.line.as_str()).collect()
}

#[tokio::test]
async fn a_page_is_posted_with_buttons_that_carry_its_token() {
    let (sent, calls) = send(&order(), vec![ok(POSTED)]).await;
    assert_eq!(sent.outcome, Outcome::Delivered);
    assert_eq!(sent.reference.as_deref(), Some("D1:1503435956.000247"));
    assert_eq!(paths(&calls), ["POST /api/chat.postMessage"]);
    assert_eq!(calls[0].header("authorization"), "Bearer xoxb-secret");
    let body = calls[0].json();
    assert_eq!(body["channel"], "U024BE7LH");
    let token = sample::links().token(&order().message.token);
    let blocks = body["blocks"].as_array().expect("blocks");
    let buttons = blocks.last().expect("a block")["elements"].clone();
    let actions: Vec<&str> = buttons
        .as_array()
        .expect("buttons")
        .iter()
        .map(|button| button["action_id"].as_str().expect("an action"))
        .collect();
    assert_eq!(
        actions,
        ["acknowledge", "decline", "resolve", "snooze", "open"]
    );
    assert_eq!(buttons[0]["value"], token);
    insta::assert_json_snapshot!("page", body);
}

#[tokio::test]
async fn an_acknowledged_message_is_changed_in_place_and_loses_its_buttons() {
    let order = acknowledged(Some(ThreadRef::Edit("D1:15.2".into())));
    let (sent, calls) = send(&order, vec![ok(POSTED)]).await;
    assert_eq!(sent.outcome, Outcome::Delivered);
    assert_eq!(paths(&calls), ["POST /api/chat.update"]);
    let body = calls[0].json();
    assert_eq!(
        (&body["channel"], &body["ts"]),
        (&json!("D1"), &json!("15.2"))
    );
    let text = body.to_string();
    assert!(
        text.contains("Acknowledged by Ana Silva at 03:12"),
        "{text}"
    );
    assert!(!text.contains("\"button\""), "{text}");
    insta::assert_json_snapshot!("acknowledged", body);
}

#[tokio::test]
async fn a_bundled_page_names_its_incidents() {
    let mut order = sample::bundle(Medium::Slack, 3);
    order.address = "U024BE7LH".into();
    order.message.incidents_total = 12;
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    insta::assert_json_snapshot!("bundle", calls[0].json()["blocks"]);
}

#[tokio::test]
async fn a_bundled_page_that_is_edited_shows_how_each_stands_and_keeps_its_buttons() {
    let mut order = sample::bundle(Medium::Slack, 3);
    let news = UpdateKind::Acknowledged;
    order.message.kind = PageKind::Update {
        of: order.page,
        news,
    };
    order.message.news = Some(news);
    order.thread = Some(ThreadRef::Edit("D1:15.2".into()));
    order.asks = false;
    order.message.incidents[1].status = Status::Resolved;
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    let body = &calls[0].body;
    assert!(body.contains("Bundle of 3 incidents"), "{body}");
    assert!(body.contains("#1042") && body.contains("#1044"), "{body}");
    assert!(body.contains("Acknowledge all"), "one still waits: {body}");
    for brief in &mut order.message.incidents {
        brief.status = Status::Resolved;
    }
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    assert!(!calls[0].body.contains("Acknowledge all"));
}

#[tokio::test]
async fn a_message_that_joined_alerts_change_keeps_its_buttons() {
    let mut order = sample::update(Medium::Slack, UpdateKind::Joined, sample::triggered());
    order.thread = Some(ThreadRef::Edit("D1:15.2".into()));
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    assert!(calls[0].body.contains("\"acknowledge\""));
}

#[tokio::test]
async fn what_cannot_be_changed_is_posted_anew_or_beneath() {
    let (edit, thread) = ("POST /api/chat.update", "POST /api/chat.postMessage");
    let cases = [
        (
            ThreadRef::Edit("D1:15.2".into()),
            "message_not_found",
            edit,
            None,
        ),
        (
            ThreadRef::Edit("D1:15.2".into()),
            "cant_update_message",
            edit,
            Some("15.2"),
        ),
        (
            ThreadRef::Edit("D1:15.2".into()),
            "edit_window_closed",
            edit,
            Some("15.2"),
        ),
        (
            ThreadRef::Thread("D1:15.2".into()),
            "thread_not_found",
            thread,
            None,
        ),
    ];
    for (under, refusal, first, thread_ts) in cases {
        let order = acknowledged(Some(under));
        let (sent, calls) = send(&order, vec![error(refusal), ok(POSTED)]).await;
        assert_eq!(sent.outcome, Outcome::Delivered, "{refusal}");
        assert_eq!(
            paths(&calls),
            [first, "POST /api/chat.postMessage"],
            "{refusal}"
        );
        let body = calls[1].json();
        assert_eq!(body["thread_ts"].as_str(), thread_ts, "{refusal}");
        let channel = if thread_ts.is_some() {
            "D1"
        } else {
            "U024BE7LH"
        };
        assert_eq!(body["channel"], channel, "{refusal}");
    }
}

#[tokio::test]
async fn a_page_about_a_join_under_an_earlier_one_names_what_joined_and_keeps_its_buttons() {
    let mut order = order();
    order.thread = Some(ThreadRef::Thread("D1:15.2".into()));
    let brief = &mut order.message.incidents[0];
    (brief.alerts_firing, brief.alerts_total) = (2, 2);
    brief.joined = vec!["zebra is hot".into()];
    brief.joined_total = 1;
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    let body = calls[0].json();
    let text = "HIGH #1042 disk full on db1 +1 more (Joined: zebra is hot)";
    assert_eq!(body["text"], text);
    let blocks = body["blocks"].to_string();
    assert!(blocks.contains("Joined: zebra is hot"), "{blocks}");
    assert!(blocks.contains("\"acknowledge\""), "{blocks}");
}

#[tokio::test]
async fn a_reply_that_asks_is_shown_outside_its_thread_too() {
    for (mut order, broadcast) in [(order(), true), (acknowledged(None), false)] {
        order.thread = Some(ThreadRef::Thread("D1:15.2".into()));
        let (_, calls) = send(&order, vec![ok(POSTED)]).await;
        let body = calls[0].json();
        assert_eq!(body["thread_ts"], "15.2");
        assert_eq!(body["reply_broadcast"], broadcast);
    }
}

#[tokio::test]
async fn people_are_found_by_their_address_once() {
    let found = ok(r#"{"ok":true,"user":{"id":"U7"}}"#);
    let server = Server::start([found, ok(POSTED), ok(POSTED)]).await;
    let slack = slack(&server, sample::links(), Buttons::Shown);
    let mut order = order();
    order.address = "ana@example.com".into();
    for _ in 0..2 {
        assert_eq!(
            sample::send(&slack, &order).await.outcome,
            Outcome::Delivered
        );
    }
    let calls = server.calls();
    let post = "POST /api/chat.postMessage";
    assert_eq!(paths(&calls), ["POST /api/users.lookupByEmail", post, post]);
    let email = ("email".to_owned(), "ana@example.com".to_owned());
    assert_eq!(calls[0].form(), [email]);
    assert_eq!(calls[2].json()["channel"], "U7");
}

#[tokio::test]
async fn a_look_up_that_fails_has_sent_nothing() {
    let cases = [
        (error("users_not_found"), Outcome::RefusedTarget),
        (error("missing_scope"), Outcome::RefusedCredential),
        (error("internal_error"), Outcome::Transient),
        (ok("<html>"), Outcome::Transient),
        (Reply::Silence, Outcome::Transient),
    ];
    for (reply, outcome) in cases {
        let mut order = order();
        order.address = "ana@example.com".into();
        order.deadline = Duration(600);
        let (sent, calls) = send(&order, vec![reply.clone()]).await;
        assert_eq!(sent.outcome, outcome, "{reply:?}");
        assert_eq!(calls.len(), 1);
    }
}

#[tokio::test]
async fn answers_become_outcomes() {
    let limited = Reply::with_header(429, "retry-after: 90", "");
    let limited_inside = Reply::with_header(
        200,
        "retry-after: 7",
        r#"{"ok":false,"error":"ratelimited"}"#,
    );
    let redirect = Reply::with_header(302, "location: https://login.example/", "");
    let cases = [
        (error("ratelimited"), throttled(30)),
        (limited_inside, throttled(7)),
        (limited, throttled(90)),
        (error("invalid_auth"), Outcome::RefusedCredential),
        (error("channel_not_found"), Outcome::RefusedTarget),
        (error("invalid_blocks"), Outcome::RefusedContent),
        (error("fatal_error"), Outcome::Unknown),
        (ok("<html>login</html>"), Outcome::Unknown),
        (redirect, Outcome::RefusedCredential),
        (Reply::new(503, "busy"), Outcome::Transient),
        (Reply::Raw(Vec::new()), Outcome::Unknown),
        (Reply::Silence, Outcome::Unknown),
    ];
    for (reply, outcome) in cases {
        let mut order = order();
        order.deadline = Duration(600);
        let (sent, calls) = send(&order, vec![reply.clone()]).await;
        assert_eq!(sent.outcome, outcome, "{reply:?}");
        assert_eq!(calls.len(), 1, "{reply:?}");
    }
}

fn throttled(seconds: u64) -> Outcome {
    Outcome::Throttled {
        wait: Duration::seconds(seconds),
    }
}

#[tokio::test]
async fn slacks_words_are_kept_without_our_token() {
    let body = r#"{"ok":false,"error":"invalid_arguments",
        "response_metadata":{"messages":["[ERROR] token xoxb-secret\nno"]}}"#;
    let (sent, _) = send(&order(), vec![ok(body)]).await;
    let words = sent.provider_message.expect("words");
    assert_eq!(words, "invalid_arguments; [ERROR] token *** no");
}

#[tokio::test]
async fn a_plain_message_has_no_blocks_and_says_how_to_acknowledge() {
    let mut order = order();
    order.plain_text_only = true;
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    let body = calls[0].json();
    assert_eq!(body.get("blocks"), None);
    let text = body["text"].as_str().expect("text");
    assert!(text.contains("HIGH #1042 disk full on db1"), "{text}");
    assert!(text.contains("Run `reveille ack 1042`"), "{text}");
    order.thread = Some(ThreadRef::Edit("D1:15.2".into()));
    let (_, calls) = send(&order, vec![ok(POSTED)]).await;
    assert_eq!(calls[0].json()["blocks"], json!([]));
}

#[tokio::test]
async fn without_buttons_or_a_public_address_the_message_says_how_to_acknowledge() {
    let local = || Links::new("http://127.0.0.1:8080", [7; 32]);
    let cases = [
        (
            sample::links(),
            Buttons::Hidden,
            "open the page",
            "\"button\"",
        ),
        (
            local(),
            Buttons::Hidden,
            "Run `reveille ack 1042`",
            "127.0.0.1",
        ),
        (
            local(),
            Buttons::Shown,
            "Run `reveille ack 1042`",
            "127.0.0.1",
        ),
    ];
    for (links, buttons, present, absent) in cases {
        let server = Server::start([ok(POSTED)]).await;
        let slack = slack(&server, links, buttons);
        sample::send(&slack, &order()).await;
        let body = &server.calls()[0].body;
        assert!(body.contains(present), "{body}");
        assert!(!body.contains(absent), "{body}");
    }
}

/// Every text of a message with the limit that Slack sets for its place.
fn check_limits(block: &Value) {
    let within = |text: &Value, limit: usize| {
        let text = text.as_str().expect("a text");
        assert!(!text.is_empty());
        assert!(mrkdwn::length(text) <= limit, "{text}");
        assert!(!text.contains("<!") && !text.contains("<@"), "{text}");
    };
    match block["type"].as_str() {
        Some("header") => within(&block["text"]["text"], 150),
        Some("section") => within(&block["text"]["text"], 3_000),
        Some("context") => within(&block["elements"][0]["text"], 2_000),
        Some("actions") => {
            for button in block["elements"].as_array().expect("buttons") {
                within(&button["text"]["text"], 75);
                let is_link = button.get("url").is_some();
                within(&button[if is_link { "url" } else { "value" }], 2_000);
            }
        }
        other => panic!("a block of type {other:?}"),
    }
}

#[tokio::test]
async fn no_element_is_longer_than_slack_takes_and_no_text_calls_anybody() {
    let nasty = "<!channel> <@U1> & \"x\" ".repeat(200);
    let mut brief = sample::brief(1042, &nasty);
    brief.service = Some(nasty.as_str().into());
    brief.group_labels = [("cluster", nasty.as_str())].into_iter().collect();
    let mut alert = sample::alert(&nasty, &nasty, Some(&nasty));
    sample::content(&mut alert).labels = (0..256)
        .map(|at| (format!("l{at}"), nasty.clone()))
        .collect();
    sample::content(&mut alert).links = vec![sample::link("https://a.example/?<|>", Some(&nasty))];
    brief.alerts = vec![alert; 10];
    brief.alerts_total = 300;
    let mut page = order();
    page.message.incidents = vec![brief.clone()];
    let mut bundle = sample::bundle(Medium::Slack, 2);
    bundle.address = "U024BE7LH".into();
    bundle.message.incidents = vec![brief; 40];
    bundle.message.incidents_total = 1_000;
    for order in [page, bundle] {
        let (_, calls) = send(&order, vec![ok(POSTED)]).await;
        let body = calls[0].json();
        let blocks = body["blocks"].as_array().expect("blocks");
        assert!(blocks.len() <= 50);
        blocks.iter().for_each(check_limits);
        let text = body["text"].as_str().expect("a text");
        assert!(text.len() <= 40_000 && !text.contains("<!"), "{text}");
    }
}

#[tokio::test]
async fn a_probe_asks_whether_the_token_is_good() {
    let cases = [
        (ok(r#"{"ok":true,"team":"T"}"#), Outcome::Delivered),
        (error("token_revoked"), Outcome::RefusedCredential),
        (Reply::new(500, ""), Outcome::Transient),
    ];
    for (reply, outcome) in cases {
        let server = Server::start([reply]).await;
        let slack = slack(&server, sample::links(), Buttons::Shown);
        assert_eq!(slack.probe().await.outcome, outcome);
        assert_eq!(paths(&server.calls()), ["POST /api/auth.test"]);
    }
}

#[test]
fn an_address_that_cannot_be_called_is_found_when_the_channel_is_made() {
    let settings = Settings {
        name: "slack".into(),
        token: TOKEN.into(),
        api_url: "slack.com/api".to_owned(),
        signing_secret: None,
    };
    let error = Slack::new(settings, http(&[]), sample::links()).err();
    let error = error.expect("a fault").to_string();
    assert!(error.starts_with("channel slack: api_url: "), "{error}");
}

#[test]
fn a_token_that_no_request_can_carry_is_found_when_the_channel_is_made() {
    for token in ["xoxb-1\n", "xoxb\u{0}2"] {
        let settings = Settings {
            name: "slack".into(),
            token: token.into(),
            api_url: "https://slack.com/api".to_owned(),
            signing_secret: None,
        };
        let error = Slack::new(settings, http(&[]), sample::links()).err();
        let error = error.expect("a fault").to_string();
        assert!(error.starts_with("channel slack: token: "), "{error}");
        assert!(!error.contains("xoxb"), "{error}");
    }
}

#[tokio::test]
async fn a_page_withdrawn_while_its_reader_is_looked_up_is_not_posted() {
    let mark = CancelToken::default();
    let withdraw = {
        let mark = mark.clone();
        move || mark.withdraw()
    };
    let found = ok(r#"{"ok":true,"user":{"id":"U024BE7LH"}}"#).after(withdraw);
    let server = Server::start([found, ok(POSTED)]).await;
    let slack = slack(&server, sample::links(), Buttons::Shown);
    let mut order = order();
    order.address = "ana@example.com".into();
    assert_eq!(slack.send(&order, &mark).await, Err(Cancelled));
    assert_eq!(
        paths(&server.calls()),
        ["POST /api/users.lookupByEmail"],
        "nothing is posted"
    );
}

#[test]
fn what_others_wrote_steers_no_screen() {
    let order = hostile(Medium::Slack);
    let text = blocks::text(&order, &sample::links());
    assert!(is_harmless(&text), "{text:?}");
    let shown = blocks::blocks(&order, &sample::links(), Buttons::Shown);
    for pointer in ["/0/text/text", "/1/text/text", "/2/elements/0/text"] {
        let text = Value::Array(shown.clone());
        let text = text.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        assert!(
            !text.contains("x\ny") && !text.contains(is_steering),
            "{text:?}"
        );
    }
    let whole = Value::Array(shown).to_string();
    let is_escaped = |sign: &str| whole.contains(sign);
    assert!(!whole.contains(is_steering), "{whole}");
    assert!(
        !["\\r", "\\u00", "x\\ny"].into_iter().any(is_escaped),
        "{whole}"
    );
}

/// All text objects of a message that Slack reads as markup, and its text.
fn markup_of(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) if fields.get("type") == Some(&json!("mrkdwn")) => {
            vec![fields["text"].as_str().expect("a text").to_owned()]
        }
        Value::Object(fields) => {
            let text = fields.get("text").and_then(Value::as_str);
            let is_message = fields.contains_key("channel");
            let text = text.filter(|_| is_message).map(str::to_owned);
            let inner = fields.values().flat_map(markup_of);
            inner.chain(text).collect()
        }
        Value::Array(items) => items.iter().flat_map(markup_of).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn text_of_others_formats_nothing_wherever_it_stands() {
    const SIGNS: [&str; 5] = ["*", "_", "~", "`", "&gt;"];
    let texts = [
        "*.a and *.b",
        "_a_ ~b~",
        "`code`",
        "> quoted",
        "*/5 * * * *",
    ];
    for text in texts {
        let mut page = order();
        let brief = &mut page.message.incidents[0];
        (brief.title, brief.service) = (text.into(), Some(text.into()));
        (brief.joined, brief.joined_total) = (vec![text.into()], 1);
        brief.group_labels = [(text, text)].into_iter().collect();
        let alert = &mut brief.alerts[0];
        alert.summary = text.into();
        sample::content(alert).source = Some(text.into());
        sample::content(alert).details = Some(format!("{{\"{text}\":\"{text}\"}}").into());
        sample::content(alert).labels = [(text, text)].into_iter().collect();
        sample::content(alert).links = vec![sample::link("https://wiki.example", Some(text))];
        page.message.why.route = text.into();
        let mut plain = page.clone();
        plain.plain_text_only = true;
        let mut notice = acknowledged(Some(ThreadRef::Thread("D1:15.2".into())));
        let by = notice.message.incidents[0].acknowledged.as_mut();
        by.expect("somebody has it").by = text.into();
        let mut bundle = sample::bundle(Medium::Slack, 2);
        bundle.address = "U024BE7LH".into();
        bundle.message.incidents[0].title = text.into();
        for order in [page, plain, notice, bundle] {
            let (_, calls) = send(&order, vec![ok(POSTED)]).await;
            let message = calls[0].json();
            let command = format!("`{}`", acknowledge_text::command(&order.message));
            let page = sample::links().page(&order.message.token);
            for markup in markup_of(&message) {
                let mut rest = markup.replace(&command, "").replace(&page, "");
                for sign in SIGNS {
                    rest = rest.replace(&format!("\u{2060}{sign}"), "");
                }
                let is_formatted = SIGNS.iter().any(|sign| rest.contains(sign));
                assert!(!is_formatted, "{markup}");
            }
        }
    }
}
