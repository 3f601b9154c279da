//! Bundled pages: each incident of one keeps its own reason and goes on at its own notify step.

use std::sync::Arc;

use reveille::engine::decision::ActResult;
use reveille::engine::input::{ReassignTo, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::records::Entry;
use reveille::engine::ruleset::Target;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::trigger;
use super::channels::Play;
use super::world::World;

fn user(name: &str) -> ReassignTo {
    ReassignTo::Target(Target::User(name.into()))
}

/// Ana by phone, after three minutes by mail, after six in the chat.
fn three_contacts() -> String {
    TEAM.replacen(
        "      mail: { email: ana@example.com }\n",
        "      mail: { email: ana@example.com }\n      chat: { slack: U024BE7LH }\n",
        1,
    )
    .replacen(
        "        - { after: 3m, via: [mail] }\n",
        "        - { after: 3m, via: [mail] }\n        - { after: 6m, via: [chat] }\n",
        1,
    )
    .replace("wait: 5m", "wait: 1h")
}

/// As many incidents as the page limit allows have interrupted Ana.
fn at_the_limit(yaml: &str) -> World {
    let mut world = World::new(yaml);
    for number in 1..=10 {
        world.post(&format!("a{number}"));
    }
    assert_eq!(world.take_seen().len(), 10);
    world.wait("00:00:01");
    world
}

fn bundle_line(world: &World, number: u64) -> Arc<Entry> {
    let entries = world.durable.entries.iter();
    let mut lines =
        entries.filter(|entry| entry.incident.0 == number && entry.reason.as_str() == "bundled");
    lines.next().expect("it was part of a bundled page").clone()
}

#[test]
fn each_incident_of_a_bundled_page_keeps_its_own_reason() {
    let mut world = at_the_limit(TEAM);
    world.post("a11");
    world.give(trigger("a12").severity("warning"));
    world.does("bo", 12, Verb::Reassign { to: user("ana") });
    world.at("00:00:17");
    world.expect([
        "ana email mail #12 bundle of 1",
        "ana sms twilio #11 bundle of 1",
    ]);
    let (first, second) = (bundle_line(&world, 11), bundle_line(&world, 12));
    assert_eq!(first.detail.step, Some(1));
    assert_eq!(second.detail.step, None, "it was handed to her");
    for number in 1..=12 {
        world.ack(number, "ana");
    }
    world.take_seen();
}

#[test]
fn a_bundled_page_whose_first_incident_was_handed_over_still_fails_over_for_the_others() {
    let mut world = at_the_limit(TEAM);
    for number in 11..=13 {
        world.post(&format!("a{number}"));
    }
    let refused = Play::Late(Duration::seconds(5), Outcome::RefusedTarget);
    world.next("twilio", [refused]);
    world.at("00:00:17");
    world.expect(["ana sms twilio #11 bundle of 3"]);
    world.does("ana", 11, Verb::Reassign { to: user("cy") });
    world.expect(["cy email mail #11 page"]);
    world.at("00:00:25");
    world.expect(["ana email mail #12 bundle of 2"]);
    for number in 1..=13 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_bundled_page_that_failed_over_repeats_no_notify_step() {
    let mut world = at_the_limit(TEAM);
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    for number in 11..=13 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:17");
    world.expect([
        "ana sms twilio #11 bundle of 3",
        "ana email mail #11 bundle of 3",
    ]);
    world.at("00:04:59");
    // Only those that went out alone have their step at three minutes.
    let seen = world.take_seen();
    assert!(seen.iter().all(|sent| sent.label.ends_with(" page")));
    assert_eq!(seen.len(), 10);
    for number in 1..=13 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn failover_of_a_bundled_page_goes_on_from_the_step_that_was_held() {
    let mut world = at_the_limit(&three_contacts());
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    world.post("a11");
    world.post("a12");
    world.at("00:00:17");
    world.expect(["ana sms twilio #11 bundle of 2"]);
    world.next("mail", [Play::Says(Outcome::RefusedTarget)]);
    world.at("00:03:17");
    world.expect([
        "ana email mail #11 bundle of 2",
        "ana slack slack #11 bundle of 2",
    ]);
    world.expect_nothing_until("00:30:00");
    world.ack(11, "ana");
    world.ack(12, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_bundled_page_whose_other_contact_was_reached_moves_nowhere() {
    let yaml = three_contacts().replacen("{ via: [phone] }", "{ via: [phone, mail] }", 1);
    let mut world = World::new(&yaml);
    for number in 1..=10 {
        world.post(&format!("a{number}"));
    }
    assert_eq!(world.take_seen().len(), 20);
    world.wait("00:00:01");
    let refused = Play::Late(Duration::seconds(2), Outcome::RefusedTarget);
    world.next("twilio", [refused]);
    world.post("a11");
    world.post("a12");
    world.at("00:02:59");
    world.expect([
        "ana email mail #11 bundle of 2",
        "ana sms twilio #11 bundle of 2",
    ]);
    for number in 1..=12 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn when_every_contact_of_a_bundled_page_failed_each_incident_goes_on_to_its_next_step() {
    let mut world = at_the_limit(TEAM);
    world.always("twilio", Outcome::RefusedTarget);
    world.always("mail", Outcome::RefusedTarget);
    world.give(trigger("a11"));
    world.give(trigger("a12"));
    world.at("00:00:18");
    let seen = world.take_seen();
    for number in [11, 12] {
        world.expect_reason(number, "nobody_reached");
        let page = format!("bo sms twilio #{number} page");
        assert!(seen.iter().any(|sent| sent.label == page), "{page}");
    }
}

#[test]
fn the_slack_message_of_a_bundle_is_edited_when_something_in_it_is_acknowledged_or_resolved() {
    let yaml = three_contacts().replacen("{ via: [phone] }", "{ via: [chat] }", 1);
    let mut world = at_the_limit(&yaml);
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    for number in 11..=13 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:17");
    let seen = world.take_seen();
    let bundle = seen.last().expect("the bundle left");
    assert_eq!(bundle.label, "ana slack slack #11 bundle of 3");
    let (page, token) = (bundle.order.page, bundle.order.message.token.clone());
    world.ack(12, "ana");
    world.wait("00:00:01");
    let seen = world.take_seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].label, "ana slack slack #11 acknowledged (edit)");
    let message = &seen[0].order.message;
    assert_eq!((message.incidents.len(), message.incidents_total), (3, 3));
    assert_eq!(message.token, token, "its buttons act on the same list");
    world.resolve_event("a13");
    world.wait("00:00:01");
    world.expect(["ana slack slack #11 resolved (edit)"]);
    // All at once: the list at the generation shown, and one edit or two.
    let acted = world.link(page, "ana", Verb::Acknowledge);
    let done = acted.iter().filter(|one| one.result == ActResult::Done);
    assert_eq!(done.count(), 1);
    world.wait("00:00:05");
    let seen = world.take_seen();
    assert!((1..=2).contains(&seen.len()), "{seen:?}");
    world.expect_nothing_until("02:00:00");
}

#[test]
fn what_happens_to_a_bundle_while_its_message_is_edited_is_told_as_what_it_is() {
    let yaml = three_contacts().replacen("{ via: [phone] }", "{ via: [chat] }", 1);
    let mut world = at_the_limit(&yaml);
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    for number in 11..=12 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:17");
    world.take_seen();
    // Both at once: the second edit waits for the first, and 11 was told of by then.
    world.resolve_event("a11");
    world.ack(12, "ana");
    world.wait("00:00:05");
    world.expect([
        "ana slack slack #11 resolved (edit)",
        "ana slack slack #11 acknowledged (edit)",
    ]);
    world.resolve_event("a12");
    world.wait("00:00:05");
    world.expect(["ana slack slack #12 resolved (edit)"]);
}

#[test]
fn a_bundle_by_mail_gets_no_notices() {
    let mut world = at_the_limit(&TEAM.replacen("{ via: [phone] }", "{ via: [mail] }", 1));
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    world.post("a11");
    world.post("a12");
    world.at("00:00:17");
    world.take_seen();
    world.ack(11, "ana");
    world.ack(12, "ana");
    world.expect_nothing_until("01:00:00");
}
