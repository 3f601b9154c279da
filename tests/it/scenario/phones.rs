//! Answers by text message.

use reveille::engine::ids::UserName;
use reveille::engine::input::Verb;
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::TEAM;
use super::world::World;

const ANA: &str = "+351900000001";
const BO: &str = "+351900000002";

#[test]
fn an_acknowledgment_by_text_is_for_what_the_phone_was_paged_for() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.post("b");
    world.take_seen();
    let several = world.sms(ANA, "ack").expect("an answer");
    assert_eq!(several, "2 are open: #1 #2. Reply ack NUMBER.");
    assert_eq!(
        world.sms(ANA, "Ack #2").as_deref(),
        Some("You acknowledged #2. 1 more open.")
    );
    world.expect_status(2, "acknowledged");
    world.wait("00:02:00");
    assert_eq!(
        world.sms(ANA, "ack").as_deref(),
        Some("You acknowledged #1. Nothing else is open.")
    );
    assert_eq!(
        world.sms(ANA, "ack 1").as_deref(),
        Some("Ana Silva has #1 already.")
    );
    assert_eq!(
        world.sms(ANA, "resolve 1").as_deref(),
        Some("You resolved #1.")
    );
    assert_eq!(
        world.sms("+4799999999", "ack 1"),
        None,
        "unknown senders get no reply"
    );
    world.expect_nothing_until("01:00:00");
}

#[test]
fn five_wrong_numbers_block_a_sender_for_ten_minutes() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.take_seen();
    for number in 11..=15 {
        let answer = world.sms(BO, &format!("ack {number}")).expect("an answer");
        assert_eq!(answer.contains("Wait 10m"), number == 15, "{answer}");
    }
    assert_eq!(world.sms(BO, "ack 1"), None);
    world.expect_status(1, "triggered");
    assert!(world.sms(ANA, "ack 1").is_some(), "others are not blocked");
    world.wait("00:11:00");
    assert!(world.sms(BO, "ack").is_some());
    world.expect([]);
}

#[test]
fn a_gateway_that_hands_our_own_words_back_is_not_answered_for_ever() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.post("b");
    world.take_seen();
    for first in ["ack", "ack 99", "ack 1", "ack all", "I am driving."] {
        let mut said = world.sms(BO, first).or_else(|| world.sms(ANA, first));
        let mut answers = 0;
        while let Some(text) = said {
            answers += 1;
            assert!(answers < 10, "still answered: {text}");
            said = world.sms(ANA, &text);
        }
    }
    assert_eq!(world.sms(ANA, "what?"), None);
    let counted = world.sms(ANA, "ack 2");
    assert!(counted.is_some(), "what is a command still counts");
    world.expect_status(2, "acknowledged");
    world.wait("00:11:00");
    world.take_seen();
    let helped = world.sms(ANA, "what?").expect("an answer");
    assert!(helped.starts_with("Reply ack"), "{helped}");
}

#[test]
fn one_message_id_acts_once_and_gets_its_first_answer_again_also_after_a_crash() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.take_seen();
    let first = world.sms_with_id(ANA, "ack", "m1");
    let expected = "You acknowledged #1. Nothing else is open.";
    assert_eq!(first.as_deref(), Some(expected));
    world.does("ana", 1, Verb::Unacknowledge);
    for crash in [false, true] {
        if crash {
            world.crash_for(Duration::minutes(1));
        }
        world.take_seen();
        let again = world.sms_with_id(ANA, "ack", "m1");
        assert_eq!(again, first, "the same id again");
        world.expect_status(1, "triggered");
    }
    let elsewhere = world.sms_by("gateway", ANA, "ack 1", "m1");
    assert_eq!(elsewhere, first, "another gateway counts for itself");
    world.expect_status(1, "acknowledged");
}

#[test]
fn a_message_id_is_kept_for_seven_days_and_until_its_incident_is_closed() {
    let mut world = World::new(TEAM);
    world.post("a");
    let first = world.sms_with_id(ANA, "ack 1", "m1");
    let nothing = world.sms_with_id(BO, "ack", "m2");
    world.wait("144:00:00");
    assert_eq!(world.sms_with_id(BO, "ack", "m2"), nothing);
    world.wait("48:00:00");
    world.take_seen();
    assert!(world.sms(ANA, "what?").is_some(), "looks for what is old");
    assert_eq!(world.sms_with_id(ANA, "ack 1", "m1"), first, "#1 is open");
    world.does("ana", 1, Verb::Resolve);
    assert!(world.sms(ANA, "what?").is_some());
    assert_ne!(world.sms_with_id(ANA, "ack 1", "m1"), first, "forgotten");
    world.take_seen();
}

#[test]
fn no_more_than_300_message_ids_of_a_sender_are_remembered() {
    let mut world = World::new(TEAM);
    let of = |world: &World| world.state().sender(ANA).map(|sender| sender.replies.len());
    for number in 0..310 {
        world.sms_with_id(ANA, "ack", &format!("m{number}"));
    }
    assert_eq!(of(&world), Some(300));
}

#[test]
fn stop_counts_from_a_blocked_phone_and_with_an_id_that_was_answered() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.take_seen();
    for number in 11..=15 {
        world.sms(ANA, &format!("ack {number}"));
    }
    assert_eq!(world.sms(ANA, "ack 1"), None, "blocked");
    let is_stopped = |world: &World| world.state().sender(ANA).map(|sender| sender.is_stopped);
    world.sms_with_id(ANA, "STOP", "m1");
    assert_eq!(is_stopped(&world), Some(true));
    world.wait("00:11:00");
    world.sms(ANA, "START");
    assert_eq!(is_stopped(&world), Some(false));
    world.sms_with_id(ANA, "STOP", "m1");
    assert_eq!(is_stopped(&world), Some(true));
    world.take_seen();
}

#[test]
fn ack_without_a_number_acts_on_nothing_that_it_may_not_have_been_meant_for() {
    type Act = fn(&mut World);
    let handled: [(&str, Act); 3] = [
        ("acknowledged", |world| world.ack(2, "bo")),
        ("resolved by somebody", |world| {
            world.does("bo", 2, Verb::Resolve);
        }),
        ("resolved by its monitor", |world| {
            world.resolve_event("b");
        }),
    ];
    for (case, act) in handled {
        let mut world = World::new(TEAM);
        world.post("a");
        world.wait("00:02:30");
        world.post("b");
        act(&mut world);
        world.wait("00:00:05");
        world.take_seen();
        let answer = world.sms(ANA, "ack");
        let expected = "#1 is open, and another page left just now. Reply ack 1.";
        assert_eq!(answer.as_deref(), Some(expected), "{case}");
        world.expect_status(1, "triggered");
        assert!(world.sms(ANA, "ack 1").is_some());
        world.expect_status(1, "acknowledged");
    }
    // The text was written for #1; it arrives when another one is the only one open.
    let mut world = World::new(TEAM);
    world.post("a");
    world.wait("00:02:30");
    world.resolve_event("a");
    world.post("b");
    world.take_seen();
    let answer = world.sms(ANA, "ack").expect("an answer");
    assert!(answer.starts_with("#2 is open, and another"), "{answer}");
    world.expect_status(2, "triggered");
    world.wait("00:02:00");
    assert!(world.sms(ANA, "ack").is_some());
    world.expect_status(2, "acknowledged");
    world.take_seen();
}

#[test]
fn a_phone_gets_twenty_answers_in_ten_minutes_and_whatever_it_writes_still_counts() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.post("b");
    world.take_seen();
    let answers: Vec<String> = (0..1_000).filter_map(|_| world.sms(ANA, "ack")).collect();
    assert_eq!(answers.len(), 20);
    assert!(
        answers[18].ends_with("Reply ack NUMBER."),
        "{}",
        answers[18]
    );
    let last = "More texts still count, but are not answered for a while.";
    assert!(answers[19].ends_with(last), "{}", answers[19]);
    assert_eq!(world.sms(ANA, "ack 1"), None);
    world.expect_status(1, "acknowledged");
    assert!(world.sms(BO, "ack").is_some(), "others are answered");
    world.wait("00:10:01");
    world.take_seen();
    assert!(world.sms(ANA, "ack 2").is_some());
    world.expect_status(2, "acknowledged");
    world.take_seen();
}

#[test]
fn stop_disables_the_contact_and_says_so_and_start_brings_it_back() {
    let mut world = World::new(TEAM);
    assert_eq!(world.sms(ANA, "STOP"), None, "the carrier answers");
    world.expect(["ana email mail #1 page"]);
    assert_eq!(world.own_incidents(), ["contact_stopped/ana"]);
    world.post("a");
    world.expect(["ana email mail #2 page"]);
    world.expect_reason(2, "contact_stopped");
    world.ack(2, "ana");
    world.at("00:01:00");
    world.expect([]);
    assert!(world.sms(ANA, "START").is_some());
    world.at("00:01:10");
    world.expect(["ana email mail #1 resolved"]);
    world.post("b");
    world.expect(["ana sms twilio #3 page"]);
    world.ack(3, "ana");
}

#[test]
fn a_reply_counts_in_every_spelling_of_the_number() {
    for spelled in [
        "+351900000001",
        "351900000001",
        "00351900000001",
        "+351 900 000 001",
        "tel:+351900000001",
        "whatsapp:+351900000001",
    ] {
        let mut world = World::new(TEAM);
        world.post("a");
        world.take_seen();
        let answer = world.sms(spelled, "ack 1");
        assert!(answer.is_some(), "{spelled}");
        world.expect_status(1, "acknowledged");
    }
}

/// Ana and Bo share a phone; Bo is paged.
const SHARED: &str = r#"
users:
  ana:
    full_name: Ana Silva
    contacts: { phone: { sms: "+351900000001" } }
  bo:
    full_name: Bo Lind
    contacts: { duty: { sms: "+351900000001" } }
policies:
  default:
    steps:
      - { targets: [user/bo], wait: 1h }
integrations:
  native: { format: native }
route: { policy: default }
"#;

#[test]
fn a_reply_from_a_shared_phone_is_that_of_whoever_was_paged() {
    for text in ["ack", "ack 1"] {
        let mut world = World::new(SHARED);
        world.post("a");
        world.take_seen();
        let answer = world.sms(ANA, text);
        let expected = "You acknowledged #1. Nothing else is open.";
        assert_eq!(answer.as_deref(), Some(expected), "{text}");
        let handled = world.incident(1).acknowledged.clone();
        let user = handled.and_then(|handled| handled.user);
        assert_eq!(user.as_ref().map(UserName::as_str), Some("bo"));
    }
}

#[test]
fn stop_from_a_number_that_is_nobodys_contact_holds_once_it_is_one() {
    const NEW: &str = "+351900000009";
    let mut world = World::new(TEAM);
    assert_eq!(world.sms("+351 900 000 009", "STOP"), None);
    assert_eq!(world.sms("+351900000008", "ack 1"), None);
    assert!(world.state().sender("+351900000008").is_none());
    world.crash_for(Duration::minutes(1));
    assert!(world.own_incidents().is_empty(), "nobody is concerned yet");
    world.replace_rules(&TEAM.replace(ANA, NEW));
    world.post("a");
    world.expect(["ana email mail #1 page"]);
    world.expect_reason(1, "contact_stopped");
    world.ack(1, "ana");
    assert!(world.sms(NEW, "START").is_some(), "ana's number by now");
    world.post("b");
    world.expect(["ana sms twilio #2 page"]);
    // Whoever left the rules starts and stops as before.
    world.ack(2, "ana");
    world.replace_rules(TEAM);
    assert_eq!(world.sms(NEW, "STOP"), None);
    let is_stopped = |world: &World| world.state().sender(NEW).map(|sender| sender.is_stopped);
    assert_eq!(is_stopped(&world), Some(true));
    assert_eq!(world.sms(NEW, "START"), None);
    assert_eq!(is_stopped(&world), Some(false));
    world.take_seen();
}

#[test]
fn a_phone_that_is_only_the_target_of_a_channel_is_not_texted_after_stop() {
    const DUTY: &str = "+351900000009";
    let step = format!("targets: [user/ana, channel/twilio/{DUTY}]");
    let yaml = TEAM.replacen("targets: [user/ana]", &step, 1);
    let copied = "  copy_to: [channel/twilio/+351900000009]\n";
    let mut world = World::new(&format!("{yaml}{copied}"));
    assert_eq!(world.sms(DUTY, "STOP"), None);
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(world.count_reason(1, "contact_stopped"), 2, "page and copy");
    world.ack(1, "ana");
    world.sms(DUTY, "START");
    world.post("b");
    let mut seen: Vec<String> = world.take_seen().into_iter().map(|it| it.label).collect();
    seen.sort();
    assert_eq!(seen.len(), 3, "{seen:?}");
    world.ack(2, "ana");
    world.take_seen();
}

#[test]
fn what_waits_for_a_phone_when_it_answers_stop_does_not_leave_and_the_next_contact_is_used() {
    let wait = Duration::minutes(1);
    let mut world = World::new(TEAM);
    world.always("twilio", Outcome::Throttled { wait });
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.sms(ANA, "STOP");
    world.always("twilio", Outcome::Accepted);
    world.at("00:04:00");
    let seen = world.take_seen();
    assert!(
        seen.iter().all(|sent| !sent.label.starts_with("ana sms")),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .any(|sent| sent.label == "ana email mail #1 page"),
        "{seen:?}"
    );
    world.expect_reason(1, "contact_stopped");
    world.ack(1, "ana");
    world.take_seen();
    assert!(world.audit().is_clean());
}

#[test]
fn stop_from_a_shared_phone_concerns_all_who_share_it() {
    let mut world = World::new(SHARED);
    world.sms(ANA, "STOP");
    let mut told = world.own_incidents();
    told.sort();
    assert_eq!(told, ["contact_stopped/ana", "contact_stopped/bo"]);
    world.sms(ANA, "START");
    assert!(world.own_incidents().is_empty());
}
