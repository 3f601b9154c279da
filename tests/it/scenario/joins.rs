//! Alerts that join: held as old and fresh again, answered by text message, and more urgent than
//! the group wait.

use reveille::engine::event::Action;
use reveille::engine::records::Disposition;
use reveille::engine::time::Duration;

use super::acts::{Post, trigger};
use super::events::team_with;
use super::world::World;

const SERVICE: &str = "route:\n  policy: team\n  group_by: [service]\n";

fn pay(key: &str) -> Post {
    trigger(key).label("service", "pay")
}

fn seven_hours_ago(world: &World, key: &str) -> Post {
    pay(key).occurred(world.wall().minus(Duration::hours(7)))
}

#[test]
fn an_alert_held_as_old_that_is_triggered_fresh_joins_what_is_open() {
    let mut world = World::new(&team_with(SERVICE));
    let old = seven_hours_ago(&world, "a");
    assert_eq!(world.give(old).disposition, Disposition::HeldOld);
    world.give(pay("b"));
    world.expect(["ana sms twilio #2 page"]);
    assert_eq!(world.incident(2).alerts.firing, 1, "history is no member");
    world.at("00:02:00");
    world.take_seen();
    let receipt = world.give(pay("a").occurred(world.wall()));
    assert_eq!(receipt.disposition, Disposition::Joined);
    assert_eq!(world.incident(2).alerts.firing, 2);
    world.resolve_event("b");
    world.expect_status(2, "triggered");
    world.give(pay("a").action(Action::Resolve));
    world.expect_status(2, "resolved");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn an_alert_held_as_old_that_is_triggered_fresh_pages_the_acknowledger_of_what_it_joins() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(pay("b"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    let old = seven_hours_ago(&world, "a");
    assert_eq!(world.give(old).disposition, Disposition::HeldOld);
    world.expect([]);
    world.give(pay("a").occurred(world.wall()));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.wait("00:05:00");
    world.take_seen();
}

#[test]
fn an_old_report_of_a_member_that_is_over_neither_fires_nor_keeps_the_incident_open() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(pay("a"));
    world.give(pay("b"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.resolve_event("a");
    let old = seven_hours_ago(&world, "a");
    assert_eq!(world.give(old).disposition, Disposition::HeldOld);
    assert_eq!(world.incident(1).alerts.firing, 1);
    world.expect([]);
    let fresh = pay("a").occurred(world.wall());
    assert_eq!(world.give(fresh).disposition, Disposition::Joined);
    assert_eq!(world.incident(1).alerts.firing, 2);
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.resolve_event("a");
    world.give(seven_hours_ago(&world, "a"));
    world.resolve_event("b");
    world.expect_status(1, "resolved");
    world.wait("00:05:00");
    world.take_seen();
}

#[test]
fn a_bare_ack_by_text_answers_to_an_alert_that_joined() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(pay("a"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    let ana = "+351900000001";
    let nothing = world.sms(ana, "ack");
    assert_eq!(nothing.as_deref(), Some("Nothing is open for you."));
    world.at("00:01:00");
    world.give(pay("b"));
    world.expect(["ana sms twilio #1 page"]);
    let answer = world.sms(ana, "ack");
    assert_eq!(
        answer.as_deref(),
        Some("You acknowledged #1. Nothing else is open.")
    );
    world.expect_status(1, "acknowledged");
    world.expect_nothing_until("03:00:00");
    assert_eq!(world.count_reason(1, "join_unanswered"), 0);
}

#[test]
fn a_more_urgent_alert_cuts_the_group_wait_short_and_copies_are_posted_once() {
    let tree = format!("{SERVICE}  group_wait: 30s\n  copy_to: [channel/slack/C024BE7LH]\n");
    let mut world = World::new(&team_with(&tree));
    world.give(pay("a").severity("warning"));
    world.expect_nothing_until("00:00:10");
    world.give(pay("b"));
    world.expect_reason(1, "urgency_raised");
    world.expect(["ana sms twilio #1 page", "C024BE7LH slack slack #1 copy"]);
    world.expect_nothing_until("00:00:24");
    world.at("00:02:59");
    world.expect(["C024BE7LH slack slack #1 joined (edit)"]);
    world.ack(1, "ana");
    world.at("00:04:00");
    world.expect(["C024BE7LH slack slack #1 acknowledged (edit)"]);
}
