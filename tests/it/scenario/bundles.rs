//! Bundled pages: each incident of one keeps its own reason and goes on at its own notify step.

use std::sync::Arc;

use reveille::engine::input::{ReassignTo, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::records::Entry;
use reveille::engine::ruleset::Target;
use reveille::engine::time::Millis;
use reveille::engine::urgency::Urgency;

use super::TEAM;
use super::acts::trigger;
use super::channels::{ACCEPTED, Play, with_second_sms};
use super::world::{BEGIN, World};

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

/// As many pages to Ana as her ceiling allows.
fn at_the_ceiling(yaml: &str) -> World {
    let mut world = World::new(yaml);
    for number in 1..=6 {
        world.post(&format!("a{number}"));
    }
    assert_eq!(world.take_seen().len(), 6);
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
    let mut world = at_the_ceiling(TEAM);
    world.post("a7");
    world.page_by_hand(user("ana"), "look at the door", Urgency::High);
    world.at("00:00:17");
    world.expect(["ana sms twilio #7 bundle of 2"]);
    let (first, second) = (bundle_line(&world, 7), bundle_line(&world, 8));
    assert_eq!(first.detail.step, Some(1));
    assert_eq!(second.detail.route.as_deref(), Some("by-hand"));
    assert_eq!(second.detail.step, None, "it was handed to her");
    for number in 1..=8 {
        world.ack(number, "ana");
    }
}

#[test]
fn a_bundled_page_whose_first_incident_was_handed_over_still_fails_over_for_the_others() {
    let mut world = at_the_ceiling(TEAM);
    for number in 7..=9 {
        world.post(&format!("a{number}"));
    }
    let refused = Play::Late(Millis::seconds(5), Outcome::RefusedTarget);
    world.next("twilio", [refused]);
    world.at("00:00:17");
    world.expect(["ana sms twilio #7 bundle of 3"]);
    world.does("ana", 7, Verb::Reassign { to: user("cy") });
    world.expect(["cy email mail #7 page"]);
    world.at("00:00:25");
    world.expect(["ana email mail #8 bundle of 2"]);
    for number in 1..=9 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_bundled_page_that_failed_over_repeats_no_notify_step() {
    let mut world = at_the_ceiling(TEAM);
    world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
    for number in 7..=9 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:17");
    world.expect([
        "ana sms twilio #7 bundle of 3",
        "ana email mail #7 bundle of 3",
    ]);
    world.at("00:04:59");
    // Only those that went out alone have their step at three minutes.
    world.expect(["ana email mail #1 bundle of 6"]);
    for number in 1..=9 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn failover_of_a_bundled_page_goes_on_from_the_step_that_was_held() {
    let mut world = at_the_ceiling(&three_contacts());
    world.next("mail", [Play::Says(Outcome::RefusedTarget)]);
    world.at("00:03:17");
    world.expect([
        "ana email mail #1 bundle of 6",
        "ana slack slack #1 bundle of 6",
    ]);
    world.expect_nothing_until("00:30:00");
    for number in 1..=6 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_bundled_page_whose_other_contact_was_reached_moves_nowhere() {
    let yaml = three_contacts().replacen("{ via: [phone] }", "{ via: [phone, mail] }", 1);
    let mut world = World::new(&yaml);
    for number in 1..=3 {
        world.post(&format!("a{number}"));
    }
    assert_eq!(world.take_seen().len(), 6);
    world.wait("00:00:01");
    let refused = Play::Late(Millis::seconds(2), Outcome::RefusedTarget);
    world.next("twilio", [refused]);
    world.post("a4");
    world.post("a5");
    world.at("00:02:59");
    world.expect([
        "ana email mail #4 bundle of 2",
        "ana sms twilio #4 bundle of 2",
    ]);
    for number in 1..=5 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn when_every_contact_of_a_bundled_page_failed_each_incident_goes_on_to_its_next_step() {
    let mut world = at_the_ceiling(TEAM);
    world.always("twilio", Outcome::RefusedTarget);
    world.always("mail", Outcome::RefusedTarget);
    world.give(trigger("a7"));
    world.give(trigger("a8"));
    world.at("00:00:18");
    let seen = world.take_seen();
    for number in [7, 8] {
        world.expect_reason(number, "nobody_reached");
        let page = format!("bo sms twilio #{number} page");
        assert!(seen.iter().any(|sent| sent.label == page), "{page}");
    }
}

/// Ana has been paged so often, as the ceiling counts.
#[track_caller]
fn expect_counted(world: &World, pages: usize) {
    let person = world.state().person(&"ana".into());
    let counted = person.map_or(0, |person| person.paged.len());
    assert_eq!(counted, pages, "pages counted at {}", world.passed);
}

#[test]
fn a_page_withdrawn_in_its_lane_is_not_counted() {
    let mut world = World::new(TEAM);
    let queued = Play::Queued(Millis::seconds(5), Outcome::Accepted);
    for number in 1..=6 {
        world.next("twilio", [queued]);
        world.post(&format!("a{number}"));
        world.ack(number, "ana");
    }
    world.wait("00:00:06");
    world.expect([]);
    expect_counted(&world, 0);
    for number in 7..=12 {
        world.post(&format!("a{number}"));
        world.ack(number, "ana");
    }
    let seen = world.take_seen();
    assert!(seen.iter().all(|sent| sent.label.ends_with("page")));
    assert_eq!(seen.len(), 6, "none of them is held for a bundled page");
    expect_counted(&world, 6);
}

#[test]
fn a_page_whose_second_channel_is_withdrawn_in_its_lane_is_counted_only_if_the_first_took_it() {
    for (first, counted) in [(Outcome::Transient, 0), (Outcome::Accepted, 1)] {
        let mut world = World::with(TEAM, with_second_sms(), BEGIN);
        world.next("twilio", [Play::Late(Millis::seconds(20), first)]);
        world.next(
            "gateway",
            [Play::Queued(Millis::seconds(15), Outcome::Accepted)],
        );
        world.post("a");
        world.at("00:00:15");
        world.expect(["ana sms twilio #1 page"]);
        world.ack(1, "ana");
        expect_counted(&world, 1);
        world.at("00:00:40");
        expect_counted(&world, counted);
        world.expect([]);
    }
}

#[test]
fn a_page_withdrawn_while_it_waits_to_be_tried_again_is_not_counted_and_takes_no_other_count() {
    let short = Outcome::Throttled {
        wait: Millis::seconds(3),
    };
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(short), ACCEPTED]);
    world.batch(Vec::new(), vec![trigger("a").input(), trigger("b").input()]);
    world.at("00:00:01");
    world.expect(["ana sms twilio #1 page", "ana sms twilio #2 page"]);
    expect_counted(&world, 2);
    world.ack(1, "ana");
    expect_counted(&world, 1);
    world.ack(2, "ana");
    world.expect_nothing_until("01:00:00");

    // It failed and moved on to mail, which took its count back already.
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(Outcome::Transient), ACCEPTED]);
    world.next("mail", [Play::Says(Outcome::Unknown)]);
    world.batch(Vec::new(), vec![trigger("a").input(), trigger("b").input()]);
    world.at("00:00:01");
    let counted = world.state().person(&"ana".into()).expect("she was paged");
    let counted = counted.paged.len();
    world.ack(1, "ana");
    world.wait("00:00:01");
    expect_counted(&world, counted);
    world.ack(2, "ana");
    world.take_seen();
}
