//! What a page says: what fires when it leaves, how much of it, and what joined.

use reveille::channels::message_text;
use reveille::engine::decision::{IncidentSummary, SendRequest};
use reveille::engine::event::Action;
use reveille::engine::input::{Input, ReassignTo};
use reveille::engine::outcome::Outcome;
use reveille::engine::ruleset::Target;
use reveille::engine::time::Duration;
use reveille::engine::urgency::Urgency;

use super::acts::{Post, trigger};
use super::channels::{Play, usual};
use super::events::team_with;
use super::world::{BEGIN, World};

const GROUPED: &str = "route:\n  policy: team\n  group_by: [service]\n";

fn pay(key: &str) -> Post {
    trigger(key).label("service", "pay")
}

/// Several events in one request.
fn request(posts: impl IntoIterator<Item = Post>) -> Input {
    let mut all = Vec::new();
    for post in posts {
        let Input::Events { events, .. } = post.input() else {
            unreachable!("a post is an event");
        };
        all.extend(events);
    }
    Input::Events {
        integration: "native".into(),
        events: all,
    }
}

fn last(world: &World) -> &SendRequest {
    &world.sent.last().expect("something was sent").order
}

fn brief(world: &World) -> &IncidentSummary {
    &last(world).message.incidents[0]
}

/// The headline of the last message, and what it says is new.
fn said(world: &World) -> (String, Option<String>) {
    (
        message_text::headline(brief(world)),
        message_text::news(&last(world).message),
    )
}

#[test]
fn the_first_page_counts_all_that_came_with_its_request() {
    let mut world = World::new(&team_with(GROUPED));
    let events = (0..120).map(|at| pay(&format!("h{at:03} is down")));
    world.ask(request(events));
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(brief(&world).alerts_firing, 120);
    let headline = "HIGH #1 h000 is down +119 more".to_owned();
    assert_eq!(said(&world), (headline, None));
    world.ack(1, "ana");
}

#[test]
fn a_request_whose_later_alert_is_more_urgent_pages_once_and_as_what_it_is() {
    let orders = [["warning", "critical"], ["critical", "warning"]];
    for severities in orders {
        let mut world = World::new(&team_with(GROUPED));
        let alerts = severities.map(|severity| pay(severity).severity(severity));
        world.ask(request(alerts));
        world.expect(["ana sms twilio #1 page"]);
        assert_eq!(brief(&world).alerts_firing, 2, "{severities:?}");
        assert_eq!(said(&world).0, "HIGH #1 critical +1 more");
        world.ack(1, "ana");
        world.expect_nothing_until("01:00:00");
    }
}

#[test]
fn a_page_of_low_urgency_that_waits_in_its_lane_does_not_leave_beside_one_of_high() {
    let mut world = World::new(&team_with(GROUPED));
    world.next(
        "mail",
        [Play::LooksUp(Duration::seconds(9), Outcome::Accepted)],
    );
    world.give(pay("a").severity("warning"));
    world.at("00:00:05");
    world.give(pay("b").severity("critical"));
    world.wait("00:00:20");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn a_page_counts_what_came_with_later_requests_of_the_same_turn() {
    let mut world = World::new(&team_with(GROUPED));
    let events = vec![pay("a is hot").input(), pay("b is hot").input()];
    world.batch(Vec::new(), events);
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(brief(&world).alerts_firing, 2);
    world.ack(1, "ana");
}

#[test]
fn a_page_that_waited_in_its_lane_says_what_fires_when_it_leaves() {
    let mut channels = usual();
    for channel in &mut channels {
        channel.concurrency = 1;
    }
    let mut world = World::with(&team_with(GROUPED), channels, BEGIN);
    world.next(
        "twilio",
        [Play::Late(Duration::seconds(5), Outcome::Accepted)],
    );
    let bo = ReassignTo::Target(Target::User("bo".into()));
    world.page_by_hand(bo, "the only place", Urgency::High);
    world.expect(["bo sms twilio #1 page"]);
    world.give(pay("a is slow").severity("error"));
    world.at("00:00:02");
    world.give(pay("b is down"));
    world.resolve_event("a is slow");
    world.expect_nothing_until("00:00:04");
    world.at("00:00:06");
    world.expect(["ana sms twilio #2 page"]);
    assert_eq!(said(&world).0, "HIGH #2 b is down");
    world.ack(1, "bo");
    world.ack(2, "ana");
}

#[test]
fn a_later_step_names_what_fires_then_and_the_subject_stays() {
    let mut world = World::new(&team_with(GROUPED));
    world.give(pay("demo1 is down"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.give(pay("shop2 is slow").severity("error"));
    world.give(pay("shop1 is down"));
    world.resolve_event("demo1 is down");
    world.at("00:03:30");
    world.expect(["ana email mail #1 page"]);
    let expected = "HIGH #1 shop1 is down +1 more";
    assert_eq!(said(&world).0, expected);
    assert_eq!(&*brief(&world).opened_with, "demo1 is down");
    world.ack(1, "ana");
    world.at("00:04:00");
    world.take_seen();
}

#[test]
fn a_page_about_a_join_names_what_joined_and_only_what_is_new() {
    let mut world = World::new(&team_with(GROUPED));
    world.give(pay("a is hot"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    for (at, key) in [("00:01:00", "zebra is hot"), ("00:10:00", "yak is hot")] {
        world.at(at);
        world.give(pay(key));
        world.expect(["ana sms twilio #1 page"]);
        let news = format!("Joined: {key}");
        assert_eq!(said(&world).1, Some(news), "{key}");
        world.ack(1, "ana");
    }
    world.resolve_event("zebra is hot");
    world.at("00:20:00");
    world.give(pay("zebra is hot"));
    world.expect(["ana sms twilio #1 page"]);
    let again = Some("Joined: zebra is hot".to_owned());
    assert_eq!(said(&world).1, again, "one that fires again joins again");
    world.ack(1, "ana");
    world.at("00:21:00");
    world.take_seen();
}

#[test]
fn what_an_incident_is_called_follows_what_fires_and_is_what_its_page_says() {
    let mut world = World::new(&team_with(GROUPED));
    let called = |world: &World| world.state().headline(&world.incident(1));
    world.give(pay("a is slow").severity("warning"));
    assert_eq!(called(&world), "a is slow");
    world.give(pay("b is down"));
    world.give(pay("c is down"));
    assert_eq!(called(&world), "b is down +2 more");
    world.resolve_event("b is down");
    assert_eq!(called(&world), "c is down +1 more");
    world.give(pay("c is down").severity("info"));
    assert_eq!(called(&world), "a is slow +1 more");
    world.crash_for(Duration::seconds(5));
    assert_eq!(called(&world), "a is slow +1 more", "and after a restart");
    world.at("00:03:30");
    world.take_seen();
    assert_eq!(said(&world).0, format!("HIGH #1 {}", called(&world)));
    world.resolve_event("c is down");
    world.give(pay("a is slow").action(Action::Resolve));
    assert_eq!(called(&world), "a is slow", "what it was opened with");
    world.wait("00:10:00");
    world.take_seen();
}

#[test]
fn a_raised_severity_pages_with_the_summary_of_now() {
    let mut world = World::new(&team_with(GROUPED));
    world.give(pay("disk").severity("warning"));
    world.expect(["ana email mail #1 page"]);
    world.at("00:01:00");
    let mut post = pay("disk");
    post = post.summary("disk is full");
    world.give(post);
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(said(&world).0, "HIGH #1 disk is full");
    world.ack(1, "ana");
    world.give(pay("disk").action(Action::Resolve));
    world.at("00:02:00");
    world.take_seen();
}
