//! Steps, waits, failover: who is paged when the first does not answer or cannot be reached.

use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::TEAM;
use super::channels::Play;
use super::world::World;

#[test]
fn the_secondary_is_paged_after_the_wait_with_the_reason() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("00:02:59");
    world.at("00:03:00");
    world.expect(["ana email mail #1 page"]);
    world.expect_nothing_until("00:04:59");
    world.at("00:05:00");
    world.expect(["bo sms twilio #1 page"]);
    world.expect_reason(1, "wait_over");
    world.at("00:06:00");
    world.ack(1, "bo");
    world.at("00:06:05");
    world.expect(["ana email mail #1 acknowledged"]);
    world.expect_nothing_until("05:00:00");
}

#[test]
fn a_gateway_that_asks_for_an_hour_gives_way_to_mail_within_seconds() {
    let mut world = World::new(TEAM);
    let wait = Duration::seconds(3_600);
    world.always("twilio", Outcome::Throttled { wait });
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:00:01");
    world.expect(["ana email mail #1 page"]);
    world.expect_reason(1, "failover_contact");
    world.ack(1, "ana");
    world.wait("00:00:05");
    world.expect([]);
    world.expect_nothing_until("03:00:00");
}

#[test]
fn a_provider_that_is_silent_gives_way_after_ten_seconds() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Silence]);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("00:00:09");
    world.at("00:00:10");
    world.expect(["ana email mail #1 page"]);
    world.expect_reason(1, "no_outcome_in_time");
    world.ack(1, "ana");
    world.wait("00:00:05");
    world.expect([]);
    world.expect_nothing_until("03:00:00");
}

#[test]
fn the_fallback_is_paged_every_half_hour_and_then_the_end_is_said() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("00:14:59");
    world.take_seen();
    world.at("00:15:00");
    world.expect(["cy email mail #1 page"]);
    world.expect_nothing_until("00:44:59");
    world.at("00:45:00");
    world.expect(["cy email mail #1 page"]);
    world.at("24:00:00");
    let count = world.take_seen().len();
    assert_eq!(count, 46, "48 in all");
    assert!(world.own_incidents().is_empty());
    world.at("24:16:00");
    world.expect_reason(1, "exhausted");
    assert_eq!(world.own_incidents(), ["exhausted/"]);
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
    world.expect_nothing_until("30:00:00");
}

#[test]
fn the_same_alert_a_thousand_times_is_one_incident_and_one_page() {
    let mut world = World::new(TEAM);
    for _ in 0..1_000 {
        world.post("db");
    }
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    assert_eq!(world.state().incidents().count(), 1);
    world.expect_nothing_until("01:00:00");
}
