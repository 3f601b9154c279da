//! Snoozes: the same step goes on when they end, and a joined alert does not lose them.

use reveille::engine::incident::Phase;
use reveille::engine::input::{ReassignTo, Verb};
use reveille::engine::ruleset::Target;

use super::TEAM;
use super::acts::trigger;
use super::events::team_with;
use super::world::World;

fn by_service() -> World {
    World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ))
}

/// Ana has #1 and sleeps on it for an hour, with three minutes left of her step.
fn snoozed_for_an_hour() -> World {
    let mut world = by_service();
    world.give(trigger("a").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:02:00");
    world.snooze(1, "ana", "01:00:00");
    world
}

#[test]
fn a_join_that_is_acknowledged_gives_the_snooze_back() {
    let mut world = snoozed_for_an_hour();
    world.at("00:20:00");
    world.give(trigger("b").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:21:00");
    world.ack(1, "ana");
    assert_eq!(world.incident(1).escalation.phase, Phase::Snoozed);
    world.crash_for(reveille::engine::time::Duration::seconds(5));
    world.expect_nothing_until("01:01:59");
    world.expect_status(1, "acknowledged");
    world.at("01:02:00");
    world.expect_reason(1, "snooze_over");
    world.expect(["ana sms twilio #1 page"]);
    world.at("01:05:00");
    world.expect(["bo sms twilio #1 page", "ana email mail #1 page"]);
    world.ack(1, "bo");
    world.take_seen();
}

#[test]
fn a_snooze_that_ends_while_a_join_is_unanswered_ends_then() {
    let mut world = snoozed_for_an_hour();
    world.at("01:00:00");
    world.give(trigger("b").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("01:01:59");
    world.at("01:02:00");
    world.expect_status(1, "triggered");
    world.expect_reason(1, "snooze_over");
    world.at("01:04:59");
    world.expect(["ana email mail #1 page"]);
    world.at("01:05:00");
    world.expect(["bo sms twilio #1 page"]);
    world.ack(1, "bo");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_snooze_that_was_given_back_is_not_resumed_by_a_later_acknowledgment() {
    let mut world = snoozed_for_an_hour();
    world.does("ana", 1, Verb::Unacknowledge);
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.at("00:20:00");
    world.give(trigger("b").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.expect_nothing_until("05:00:00");
    world.expect_status(1, "acknowledged");
}

#[test]
fn a_snooze_at_the_fallback_goes_on_at_the_fallback() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("00:15:00");
    world.take_seen();
    world.at("00:25:00");
    world.snooze(1, "cy", "01:00:00");
    world.at("00:26:00");
    world.take_seen();
    world.expect_nothing_until("01:24:59");
    world.at("01:25:00");
    world.expect([
        "cy email mail #1 page",
        "ana email mail #1 triggered",
        "bo email mail #1 triggered",
        "cy email mail #1 triggered",
    ]);
    world.expect_nothing_until("01:44:59");
    world.at("01:45:00");
    world.expect(["cy email mail #1 page"]);
    world.ack(1, "cy");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_snooze_of_what_was_handed_over_goes_on_with_whom_it_was_handed_to() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    let to = ReassignTo::Target(Target::User("cy".into()));
    world.does("ana", 1, Verb::Reassign { to });
    world.expect(["cy email mail #1 page"]);
    world.at("00:04:00");
    world.snooze(1, "cy", "01:00:00");
    world.at("00:05:00");
    world.take_seen();
    world.expect_nothing_until("01:03:59");
    world.at("01:04:00");
    world.expect(["cy email mail #1 page", "cy email mail #1 triggered"]);
    world.expect_nothing_until("01:04:59");
    world.at("01:05:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_snooze_of_an_exhausted_escalation_pages_the_fallback_again() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("24:16:00");
    world.take_seen();
    world.ack(2, "ana");
    world.snooze(1, "cy", "01:00:00");
    world.at("25:15:59");
    world.take_seen();
    world.at("25:16:00");
    let seen = world.take_seen();
    let pages: Vec<&str> = seen.iter().map(|sent| sent.label.as_str()).collect();
    assert!(pages.contains(&"cy email mail #1 page"), "{pages:?}");
    world.ack(1, "cy");
    world.wait("00:01:00");
    world.take_seen();
}
