//! Answers by text message.

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
        Some("#2 is yours. 1 more open.")
    );
    world.expect_status(2, "acknowledged");
    assert_eq!(
        world.sms(ANA, "ack").as_deref(),
        Some("#1 is yours. 0 more open.")
    );
    assert_eq!(
        world.sms(ANA, "ack 1").as_deref(),
        Some("Ana Silva has #1 already.")
    );
    assert_eq!(
        world.sms(ANA, "resolve 1").as_deref(),
        Some("#1 is resolved.")
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
fn one_message_id_is_answered_once() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.take_seen();
    assert!(world.sms_with_id(ANA, "ack 1", "m1").is_some());
    let again = world.sms_with_id(ANA, "ack 1", "m1");
    assert_eq!(again, None, "the same id again");
    let elsewhere = world.sms_by("gateway", ANA, "ack 1", "m1");
    assert!(elsewhere.is_some(), "another gateway counts for itself");
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
