//! Channels that do not do it: what each outcome leads to, and how the router speaks of itself.

use reveille::api::wire::sentence::Sentence;
use reveille::engine::decision::Answer;
use reveille::engine::input::{DeliveryReport, Input, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::trigger;
use super::channels::{ACCEPTED, Play, usual, with_second_sms};
use super::world::{BEGIN, World};

/// Ana by Slack first, then by text message.
const CHAT: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: UTC
    contacts:
      chat: { slack: U024BE7LH }
      phone: { sms: "+351900000001" }
      mail: { email: ana@example.com }
    notify:
      high:
        - { via: [chat] }
        - { after: 3m, via: [phone] }
  bo:
    full_name: Bo Lind
    time_zone: UTC
    contacts: { mail: { email: bo@example.com } }
policies:
  team: { steps: [{ targets: [user/ana], wait: 5m }], fallback: [user/bo] }
  watch: { steps: [{ targets: [user/bo], wait: 5m }] }
integrations:
  native: { format: native }
route: { policy: team, group_by: ["..."] }
"#;

fn throttled(seconds: u64) -> Outcome {
    Outcome::Throttled {
        wait: Duration::seconds(seconds),
    }
}

#[test]
fn slack_that_is_ratelimited_for_a_moment_is_waited_for_and_for_longer_is_not() {
    let mut world = World::new(CHAT);
    world.next("slack", [Play::Says(throttled(2)), ACCEPTED]);
    world.post("db");
    world.at("00:00:03");
    world.expect(["ana slack slack #1 page", "ana slack slack #1 page"]);
    world.ack(1, "ana");
    world.at("00:01:00");
    world.expect(["ana slack slack #1 acknowledged (edit)"]);
    world.next("slack", [Play::Says(throttled(30))]);
    world.post("net");
    world.at("00:01:01");
    world.expect(["ana slack slack #2 page", "ana sms twilio #2 page"]);
    world.ack(2, "ana");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn short_throttling_without_end_moves_on() {
    let mut world = World::new(CHAT);
    world.always("slack", throttled(1));
    world.post("db");
    world.at("00:00:14");
    let labels: Vec<String> = world
        .take_seen()
        .into_iter()
        .map(|sent| sent.label)
        .collect();
    // Slower with each refusal, and no longer than failover_after in all.
    assert_eq!(labels.len(), 5, "{labels:?}");
    assert_eq!(labels[4], "ana sms twilio #1 page");
    world.ack(1, "ana");
}

#[test]
fn each_outcome_moves_on_at_once_and_is_retried_as_it_allows() {
    let cases: [(Outcome, usize, &[&str]); 7] = [
        (Outcome::RefusedTarget, 1, &[]),
        (Outcome::RefusedContent, 2, &[]),
        (Outcome::Transient, 8, &[]),
        (Outcome::Unknown, 2, &[]),
        (Outcome::RefusedCredential, 1, &["channel_credential/slack"]),
        (Outcome::TlsNameMismatch, 1, &["channel_tls_name/slack"]),
        (Outcome::QuotaExhausted, 1, &["channel_quota/slack"]),
    ];
    for (outcome, attempts, own) in cases {
        let mut world = World::new(CHAT);
        world.always("slack", outcome);
        world.fake("slack").probe = Outcome::Transient;
        world.post("db");
        world.at("00:00:01");
        let second = world
            .sent
            .iter()
            .filter(|sent| sent.label.contains("sms twilio #1"));
        assert_eq!(second.count(), 1, "{outcome}: the next contact at once");
        world.at("00:01:00");
        assert_eq!(world.own_incidents(), own, "{outcome}");
        world.at("00:04:59");
        let on_slack = world
            .sent
            .iter()
            .filter(|sent| sent.label == "ana slack slack #1 page");
        let made = on_slack.count();
        let most = if outcome == Outcome::Transient {
            7..=8
        } else {
            attempts..=attempts
        };
        assert!(most.contains(&made), "{outcome}: {made} attempts");
        world.take_seen();
    }
}

#[test]
fn the_next_channel_of_the_medium_comes_before_the_next_contact() {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    world.next("twilio", [Play::Says(Outcome::Transient)]);
    world.post("db");
    world.at("00:00:00");
    world.wait("00:00:01");
    world.expect(["ana sms twilio #1 page", "ana sms gateway #1 page"]);
    world.expect_reason(1, "failover_channel");
    world.ack(1, "ana");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn a_refused_target_is_not_tried_on_the_next_channel() {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    world.post("db");
    world.wait("00:00:01");
    world.expect(["ana sms twilio #1 page", "ana email mail #1 page"]);
    world.ack(1, "ana");
    world.at("00:00:02");
    world.expect([]);
}

#[test]
fn when_every_contact_failed_for_good_the_next_step_begins_at_once() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    world.next("mail", [Play::Says(Outcome::RefusedTarget)]);
    world.post("db");
    world.at("00:00:01");
    world.expect([
        "ana sms twilio #1 page",
        "ana email mail #1 page",
        "bo sms twilio #1 page",
    ]);
    world.expect_reason(1, "nobody_reached");
    world.ack(1, "bo");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn a_token_revoked_under_fifty_waiting_pages_is_one_self_incident_and_all_fail_over() {
    let mut yaml = CHAT.to_owned();
    for person in 0..50 {
        let user = format!(
            "  p{person}:\n    full_name: P\n    time_zone: UTC\n    contacts:\n      \
             chat: {{ slack: U{person:08} }}\n      mail: {{ email: p{person}@example.com }}\n    \
             notify:\n      high:\n        - {{ via: [chat] }}\n        \
             - {{ after: 5m, via: [mail] }}\n"
        );
        yaml = yaml.replacen("users:\n", &format!("users:\n{user}"), 1);
        let policy =
            format!("  p{person}: {{ steps: [{{ targets: [user/p{person}], wait: 1h }}] }}\n");
        yaml = yaml.replacen("policies:\n", &format!("policies:\n{policy}"), 1);
    }
    let routes: String = (0..50)
        .map(|person| {
            format!(
                "    - {{ name: r{person}, matchers: ['p=\"{person}\"'], policy: p{person} }}\n"
            )
        })
        .collect();
    let tree = format!("route:\n  policy: watch\n  group_by: [\"...\"]\n  routes:\n{routes}");
    let yaml = yaml.replace("route: { policy: team, group_by: [\"...\"] }\n", &tree);
    let mut world = World::new(&yaml);
    world.fake("slack").default = Play::Late(Duration::seconds(1), Outcome::RefusedCredential);
    world.fake("slack").probe = Outcome::RefusedCredential;
    for person in 0..50 {
        world.give(trigger(&format!("a{person}")).label("p", &person.to_string()));
    }
    world.at("00:00:02");
    let seen = world.take_seen();
    let by_mail = seen
        .iter()
        .filter(|sent| sent.label.starts_with('p') && sent.label.contains("email"));
    assert_eq!(by_mail.count(), 50, "all pages fail over");
    let own = seen.iter().filter(|sent| sent.label.starts_with("bo "));
    assert_eq!(own.count(), 1, "one page about the channel");
    assert_eq!(world.own_incidents(), ["channel_credential/slack"]);
    world.ack(51, "bo");
    world.at("00:00:10");
    world.expect([]);
    world.fake("slack").probe = Outcome::Accepted;
    world.always("slack", Outcome::Accepted);
    world.at("00:01:10");
    world.take_seen();
    assert!(world.own_incidents().is_empty(), "the probe found it well");
    world.expect_status(51, "resolved");
}

#[test]
fn a_self_incident_whose_own_page_fails_raises_no_other() {
    let mut world = World::new(CHAT);
    for channel in ["slack", "twilio", "mail"] {
        world.always(channel, Outcome::RefusedCredential);
        world.fake(channel).probe = Outcome::RefusedCredential;
    }
    world.post("db");
    world.at("02:00:00");
    let mut own = world.own_incidents();
    own.sort();
    let expected = [
        "channel_credential/mail",
        "channel_credential/slack",
        "channel_credential/twilio",
    ];
    assert_eq!(
        own, expected,
        "one for each channel, none for a page about one"
    );
    assert_eq!(world.state().incidents().count(), 4);
    assert!(!world.audit().is_clean(), "the outside heartbeat stops");
    assert!(world.audit().all_channels_fail);
    world.take_seen();
}

#[test]
fn the_only_retry_of_the_day_is_allowed() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(Outcome::Transient), ACCEPTED]);
    world.next("mail", [Play::Says(Outcome::RefusedTarget)]);
    world.always("mail", Outcome::RefusedTarget);
    world.at("12:00:00");
    world.post("db");
    world.wait("00:00:02");
    world.expect([
        "ana sms twilio #1 page",
        "ana email mail #1 page",
        "ana sms twilio #1 page",
    ]);
    world.expect_reason(1, "retry");
    world.ack(1, "ana");
    world.expect_nothing_until("13:00:00");
}

#[test]
fn a_second_attempt_that_fails_after_the_first_succeeded_moves_nowhere() {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    world.next(
        "twilio",
        [Play::Late(Duration::seconds(11), Outcome::Accepted)],
    );
    world.next(
        "gateway",
        [Play::Late(Duration::seconds(5), Outcome::Transient)],
    );
    world.post("db");
    world.at("00:00:30");
    world.expect(["ana sms twilio #1 page", "ana sms gateway #1 page"]);
    world.ack(1, "ana");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn an_attempt_that_waits_in_its_lane_does_not_leave_after_the_acknowledgment() {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    world.next(
        "twilio",
        [Play::Late(Duration::seconds(11), Outcome::Accepted)],
    );
    world.next(
        "gateway",
        [Play::LooksUp(Duration::seconds(20), Outcome::Accepted)],
    );
    world.post("db");
    world.at("00:00:15");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.expect_nothing_until("02:00:00");
    world.resolve_event("db");
    world.expect_nothing_until("03:00:00");
    assert_eq!(world.state().pages().count(), 0, "nothing lingers");
}

#[test]
fn an_attempt_that_waits_in_its_lane_beyond_its_deadline_does_not_leave_any_more() {
    let mut world = World::new(TEAM);
    world.next(
        "twilio",
        [Play::LooksUp(Duration::minutes(3), Outcome::Accepted)],
    );
    world.post("db");
    world.at("00:00:44");
    world.expect(["ana email mail #1 page"]);
    world.at("00:01:00");
    // Nobody answered for it: it counts as unknown, and the one retry takes its place.
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("00:04:59");
    world.ack(1, "ana");
    world.wait("00:00:10");
    world.expect([]);
}

#[test]
fn a_channel_with_nothing_left_is_asked_each_minute_and_then_one_page_tries_it() {
    let mut world = World::new(&CHAT.replace("wait: 5m", "wait: 2h"));
    world.always("slack", Outcome::QuotaExhausted);
    world.post("a");
    world.at("00:00:01");
    world.post("b");
    world.post("c");
    world.at("00:00:02");
    let tries = |world: &mut World| {
        let seen = world.take_seen().into_iter();
        let by_chat = seen.filter(|sent| sent.order.channel.as_str() == "slack");
        by_chat.count()
    };
    assert_eq!(tries(&mut world), 1, "the others wait until it is asked");
    assert_eq!(world.own_incidents(), ["channel_quota/slack"]);
    for minute in 1..=3 {
        world.at(&format!("00:{minute:02}:10"));
        assert_eq!(tries(&mut world), 1, "minute {minute}");
    }
    world.fake("slack").probe = Outcome::QuotaExhausted;
    world.at("00:06:00");
    assert_eq!(tries(&mut world), 0, "it says itself that nothing is left");
    world.fake("slack").probe = Outcome::Accepted;
    world.always("slack", Outcome::Accepted);
    world.at("00:07:30");
    assert!(tries(&mut world) >= 1);
    assert!(world.own_incidents().is_empty(), "a message was taken");
}

#[test]
fn late_and_doubled_delivery_reports_never_move_a_page_backwards() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("00:00:01");
    world.expect(["ana sms twilio #1 page"]);
    let attempt = world.sent[0].order.attempt;
    let report = |outcome| {
        Input::DeliveryReport(DeliveryReport {
            channel: "twilio".into(),
            attempt,
            outcome,
            provider_message: None,
        })
    };
    world.ask(report(Outcome::Delivered));
    for outcome in [
        Outcome::Accepted,
        Outcome::RefusedTarget,
        Outcome::Delivered,
    ] {
        world.ask(report(outcome));
    }
    let page = world.page(world.sent[0].order.page);
    assert_eq!(page.state.as_str(), "delivered");
    world.expect_nothing_until("00:02:59");
    world.ack(1, "ana");
}

#[test]
fn a_bad_delivery_report_starts_failover_then() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("00:01:00");
    world.expect(["ana sms twilio #1 page"]);
    let attempt = world.sent[0].order.attempt;
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: "twilio".into(),
        attempt,
        outcome: Outcome::RefusedTarget,
        provider_message: None,
    }));
    world.expect(["ana email mail #1 page"]);
    world.ack(1, "ana");
    world.at("00:01:10");
    world.expect([]);
}

#[test]
fn a_delivery_report_of_another_channel_is_refused_and_changes_nothing() {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    world.next("twilio", [Play::Lost]);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    let attempt = world.sent[0].order.attempt;
    let mut report = |channel: &str, outcome| {
        world.ask(Input::DeliveryReport(DeliveryReport {
            channel: channel.into(),
            attempt,
            outcome,
            provider_message: None,
        }))
    };
    for outcome in [Outcome::Delivered, Outcome::RefusedTarget] {
        let answer = report("gateway", outcome);
        assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    }
    assert_eq!(report("twilio", Outcome::Accepted), Answer::Done);
    let answer = report("gateway", Outcome::RefusedTarget);
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    assert_eq!(world.page(world.sent[0].order.page).state.as_str(), "sent");
    world.expect_nothing_until("00:02:59");
    world.ack(1, "ana");
}

#[test]
fn a_report_that_overtakes_the_answer_is_the_answer() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Lost]);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    let attempt = world.sent[0].order.attempt;
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: "twilio".into(),
        attempt,
        outcome: Outcome::Delivered,
        provider_message: None,
    }));
    world.expect_nothing_until("00:02:59");
    world.ack(1, "ana");
}

#[test]
fn a_channel_that_takes_nothing_for_minutes_is_told_by_another() {
    let mut world = World::new(TEAM);
    world.always("twilio", Outcome::Unknown);
    for minute in 1..8 {
        world.post(&format!("a{minute}"));
        world.ack(minute, "ana");
        world.wait("00:01:00");
    }
    assert_eq!(world.own_incidents(), ["channel_silent/twilio"]);
    let own = world
        .sent
        .iter()
        .filter(|sent| sent.order.message.incidents[0].is_self_incident);
    let labels: Vec<&str> = own.map(|sent| sent.label.as_str()).take(1).collect();
    assert_eq!(
        labels,
        ["ana email mail #7 page"],
        "not by the channel that it is about"
    );
    world.always("twilio", Outcome::Accepted);
    world.wait("00:10:00");
    world.post("b");
    world.wait("00:00:01");
    assert!(world.own_incidents().is_empty());
    world.take_seen();
    world.ack(9, "ana");
    world.take_seen();
}

#[test]
fn trouble_with_one_of_many_webhooks_is_told_once_and_ends_by_itself() {
    let yaml = TEAM.replace(
        "targets: [user/ana]",
        "targets: [channel/hooks/https://one.example.com/, channel/hooks/https://two.example.com/]",
    );
    let mut world = World::new(&yaml);
    for minute in 0..10 {
        world.next("hooks", [Play::Says(Outcome::TlsNameMismatch), ACCEPTED]);
        world.post(&format!("a{minute}"));
        world.wait("00:01:00");
    }
    let own = world
        .sent
        .iter()
        .filter(|sent| sent.order.message.incidents[0].is_self_incident);
    assert_eq!(world.own_incidents(), ["channel_tls_name/hooks"]);
    assert!(own.count() > 0);
    let opened = world
        .durable
        .entries
        .iter()
        .filter(|entry| Sentence(entry).to_string().contains("opened by reveille"));
    assert_eq!(opened.count(), 1);
    for number in 1..=11 {
        world.act("ana", super::acts::on(number), Verb::Acknowledge);
    }
    world.wait("01:10:00");
    assert!(world.own_incidents().is_empty());
    world.take_seen();
}

#[test]
fn a_channel_that_the_settings_lost_is_no_trouble_any_more() {
    let mut world = World::new(CHAT);
    world.always("slack", Outcome::RefusedCredential);
    world.fake("slack").probe = Outcome::RefusedCredential;
    world.post("db");
    world.at("00:00:05");
    assert_eq!(world.own_incidents(), ["channel_credential/slack"]);
    world.ack(1, "ana");
    let channels = usual()
        .into_iter()
        .filter(|known| known.name.as_str() != "slack")
        .collect();
    let yaml = CHAT.replace(
        "chat: { slack: U024BE7LH }",
        "chat: { email: a@example.com }",
    );
    world.replace_channels(&yaml, channels);
    assert!(world.own_incidents().is_empty());
    world.take_seen();
}
