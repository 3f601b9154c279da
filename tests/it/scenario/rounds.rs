//! Rounds: what became of an earlier round's pages is no matter of the present one.

use reveille::engine::input::{DeliveryReport, Input, Verb};
use reveille::engine::outcome::Outcome;

use super::TEAM;
use super::channels::Play;
use super::world::World;

fn with_two_rounds() -> String {
    TEAM.replace("fallback: [user/cy]", "fallback: [user/cy]\n    repeat: 1")
}

#[test]
fn a_late_failure_of_an_earlier_round_does_not_hurry_the_present_one() {
    let mut world = World::new(&with_two_rounds());
    world.post("db");
    world.at("00:14:59");
    let first = world.sent[0].order.attempt;
    world.take_seen();
    world.at("00:15:00");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "round_started");
    world.at("00:16:00");
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: "twilio".into(),
        attempt: first,
        outcome: Outcome::RefusedTarget,
        provider_message: None,
    }));
    world.expect_nothing_until("00:17:59");
    world.at("00:18:00");
    world.expect(["ana email mail #1 page"]);
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_late_failure_of_the_present_round_hurries_it_as_ever() {
    let mut world = World::new(&with_two_rounds());
    world.post("db");
    world.at("00:15:01");
    world.take_seen();
    let page = world.page_to("ana sms twilio #1");
    let attempt = world.page(page).attempts[0].id;
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: "twilio".into(),
        attempt,
        outcome: Outcome::RefusedTarget,
        provider_message: None,
    }));
    world.expect(["ana email mail #1 page"]);
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_page_that_arrived_in_an_earlier_round_gives_the_present_one_no_hope() {
    let mut world = World::new(&with_two_rounds());
    world.post("db");
    world.at("00:14:59");
    world.take_seen();
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    world.next("mail", [Play::Says(Outcome::RefusedTarget)]);
    world.at("00:15:01");
    world.expect([
        "ana sms twilio #1 page",
        "ana email mail #1 page",
        "bo sms twilio #1 page",
    ]);
    world.expect_reason(1, "nobody_reached");
    world.ack(1, "bo");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_page_that_arrived_before_the_escalation_started_again_keeps_no_failover_back() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.ack(1, "ana");
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    world.does("ana", 1, Verb::Unacknowledge);
    world.wait("00:00:01");
    world.expect(["ana sms twilio #1 page", "ana email mail #1 page"]);
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}
