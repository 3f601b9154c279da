//! Events: what opens, joins, repeats, waits, is held back or comes in the wrong order.

use reveille::engine::event::Action;
use reveille::engine::incident::Status;
use reveille::engine::input::Verb;
use reveille::engine::records::Disposition;
use reveille::engine::time::{Duration, Timestamp};

use super::TEAM;
use super::acts::{on, trigger};
use super::world::World;

const SERVICE: &str = r#"
route:
  policy: team
  group_by: [service]
"#;

/// The usual people with another tree.
pub fn team_with(tree: &str) -> String {
    let (people, _) = TEAM.split_once("route:").expect("the tree stands last");
    format!("{people}{tree}")
}

#[test]
fn a_resolve_that_comes_before_its_trigger_is_the_later_word() {
    let mut world = World::new(TEAM);
    let (earlier, later) = (world.wall().minus(Duration::seconds(60)), world.wall());
    let resolve = trigger("db").action(Action::Resolve).occurred(later);
    assert_eq!(world.give(resolve).disposition, Disposition::Ignored);
    let late = world.give(trigger("db").occurred(earlier));
    assert_eq!(late.disposition, Disposition::Recorded);
    world.expect_nothing_until("00:01:00");
    assert_eq!(
        world.post("db"),
        Disposition::Opened,
        "without a source time it opens"
    );
    world.expect(["ana sms twilio #1 page"]);
    world.resolve_event("db");
}

#[test]
fn an_event_id_that_was_accepted_answers_with_the_first_outcome() {
    let mut world = World::new(TEAM);
    let first = world.give(trigger("db").id("e1"));
    world.expect(["ana sms twilio #1 page"]);
    world.resolve_event("db");
    let again = world.give(trigger("db").id("e1"));
    assert_eq!((first.id, first.disposition), (again.id, again.disposition));
    world.crash_for(Duration::seconds(5));
    let after_restart = world.give(trigger("db").id("e1"));
    assert_eq!(after_restart.id, first.id, "restored on start");
    world.expect_nothing_until("00:30:00");
}

#[test]
fn the_events_of_one_request_see_what_the_earlier_ones_of_it_did() {
    let mut world = World::new(TEAM);
    let (earlier, later) = (world.wall().minus(Duration::seconds(60)), world.wall());
    let receipts = world.request(vec![
        trigger("db").id("e1"),
        trigger("db").id("e1"),
        trigger("db").id("e2"),
        trigger("late").action(Action::Resolve).occurred(later),
        trigger("late").occurred(earlier),
        trigger("short"),
        trigger("short").action(Action::Resolve),
    ]);
    let became: Vec<&str> = receipts
        .iter()
        .map(|receipt| receipt.disposition.as_str())
        .collect();
    let expected = [
        "opened", "opened", "repeated", "ignored", "recorded", "opened", "resolved",
    ];
    assert_eq!(became, expected);
    assert_eq!(
        receipts[0].id, receipts[1].id,
        "an id is accepted only once"
    );
    world.expect(["ana sms twilio #1 page"]);
    world.expect_status(2, "resolved");
    world.ack(1, "ana");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn an_alert_that_fires_for_two_hours_when_the_router_is_connected_pages() {
    let mut world = World::new(TEAM);
    let start = world.wall().minus(Duration::hours(2));
    let receipt = world.give(trigger("db").asserted(start, None));
    assert_eq!(receipt.disposition, Disposition::Opened);
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn a_person_resolves_while_the_source_goes_on_asserting() {
    let mut world = World::new(TEAM);
    let start = world.wall();
    let again = trigger("db").asserted(start, None);
    world.give(again.clone());
    world.expect(["ana sms twilio #1 page"]);
    world.does("ana", 1, Verb::Resolve);
    assert!(world.incident(1).still_firing);
    for minute in 1..30 {
        world.at(&format!("00:{minute:02}:00"));
        assert_eq!(world.give(again.clone()).disposition, Disposition::Recorded);
    }
    world.expect([]);
    world.at("00:30:01");
    assert_eq!(world.give(again.clone()).disposition, Disposition::Opened);
    world.expect(["ana sms twilio #2 page"]);
    assert_eq!(world.incident(2).generation, 2);
    world.does("ana", 2, Verb::Resolve);
    let earlier = trigger("db").asserted(Timestamp(start.0 + 1_000), None);
    assert_eq!(world.give(earlier).disposition, Disposition::Recorded);
    world.at("00:30:02");
    let fresh = trigger("db").asserted(world.wall(), None);
    assert_eq!(
        world.give(fresh).disposition,
        Disposition::Opened,
        "a start after the resolve opens at once"
    );
    world.expect(["ana sms twilio #3 page"]);
    world.ack(3, "ana");
}

#[test]
fn a_hold_that_ran_out_opens_again_though_the_other_route_is_still_open() {
    let mut world = World::new(&two_routes());
    let again = trigger("db").asserted(world.wall(), None);
    world.give(again.clone());
    world.expect(["ana sms twilio #1 page", "bo sms twilio #2 page"]);
    world.ack(2, "bo");
    world.does("ana", 1, Verb::Resolve);
    world.at("00:30:01");
    let receipt = world.give(again);
    assert_eq!(receipt.disposition, Disposition::Opened);
    world.expect(["ana sms twilio #3 page"]);
    world.ack(3, "ana");
}

fn two_routes() -> String {
    let other = "  other:\n    steps: [{ targets: [user/bo], wait: 5m }]\n\nintegrations:";
    team_with(
        r#"
route:
  policy: team
  group_by: ["..."]
  routes:
    - { name: first, policy: team, continue: true }
    - { name: second, policy: other }
"#,
    )
    .replace("\nintegrations:", other)
}

#[test]
fn two_routes_are_two_incidents_and_one_acknowledgment_is_for_one() {
    let mut world = World::new(&two_routes());
    let receipt = world.give(trigger("db"));
    assert_eq!(receipt.incidents.len(), 2);
    world.expect(["ana sms twilio #1 page", "bo sms twilio #2 page"]);
    let acted = world.act("ana", on(1), Verb::Acknowledge);
    assert_eq!(acted[0].linked.len(), 1, "the other is named");
    world.at("00:03:00");
    world.expect(["bo email mail #2 page"]);
    world.ack(2, "bo");
    world.at("00:03:01");
    world.expect([]);
    world.resolve_event("db");
    world.at("00:04:00");
    world.expect(["bo email mail #2 resolved"]);
    world.expect_status(1, "resolved");
    world.expect_status(2, "resolved");
}

#[test]
fn an_alert_that_is_over_within_the_group_wait_pages_nobody() {
    let tree = "route:\n  policy: team\n  group_by: [\"...\"]\n  group_wait: 30s\n";
    let mut world = World::new(&team_with(tree));
    world.post("db");
    world.expect_nothing_until("00:00:20");
    world.resolve_event("db");
    world.expect_nothing_until("00:10:00");
    world.expect_reason(1, "resolved_in_group_wait");
    world.post("net");
    world.expect_nothing_until("00:10:29");
    world.at("00:10:30");
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
}

#[test]
fn a_joined_alert_is_an_update_and_no_interruption() {
    let mut world = World::new(&team_with(SERVICE).replace("{ via: [phone] }", "{ via: [mail] }"));
    world.give(trigger("a").label("service", "pay"));
    world.expect(["ana email mail #1 page"]);
    world.at("00:00:10");
    for key in ["b", "c", "d"] {
        let receipt = world.give(trigger(key).label("service", "pay"));
        assert_eq!(receipt.disposition, Disposition::Joined);
    }
    world.at("00:00:30");
    world.expect(["ana email mail #1 joined"]);
    assert_eq!(world.incident(1).alerts.firing, 4);
    for key in ["a", "b", "c"] {
        world.resolve_event(key);
    }
    world.expect_status(1, "triggered");
    world.resolve_event("d");
    world.expect_status(1, "resolved");
    world.at("00:01:00");
    world.expect(["ana email mail #1 resolved"]);
}

#[test]
fn a_join_to_an_acknowledged_incident_pages_its_acknowledger_once_in_the_interval() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(trigger("a").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.ack(1, "bo");
    world.give(trigger("b").label("service", "pay"));
    world.give(trigger("c").label("service", "pay"));
    world.at("00:01:30");
    world.expect(["bo sms twilio #1 page"]);
    world.expect_status(1, "acknowledged");
    world.at("00:04:00");
    world.expect(["bo email mail #1 page"]);
    world.at("00:06:00");
    world.expect_reason(1, "join_unanswered");
    world.expect(["ana sms twilio #1 page", "bo email mail #1 triggered"]);
    world.ack(1, "ana");
    world.at("00:06:01");
    world.expect(["bo email mail #1 acknowledged"]);
}

#[test]
fn a_more_urgent_alert_sets_an_acknowledged_incident_back_to_triggered() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(trigger("a").label("service", "pay").severity("warning"));
    world.expect(["ana email mail #1 page"]);
    world.ack(1, "ana");
    world.at("00:01:00");
    world.expect([]);
    world.give(trigger("b").label("service", "pay"));
    world.expect_status(1, "triggered");
    world.expect_reason(1, "urgency_raised");
    world.at("00:01:10");
    world.expect(["ana sms twilio #1 page", "ana email mail #1 triggered"]);
    world.ack(1, "ana");
    world.at("00:02:00");
    world.expect([]);
}

#[test]
fn urgency_raised_while_the_low_steps_still_run_starts_the_high_ones() {
    let low = "      low:\n        - { via: [mail] }\n        - { after: 1h, via: [phone] }\n";
    let yaml = team_with(SERVICE).replacen("      low:\n        - { via: [mail] }\n", low, 1);
    let mut world = World::new(&yaml);
    world.give(trigger("a").label("service", "pay").severity("info"));
    world.expect(["ana email mail #1 page"]);
    world.at("00:01:00");
    world.give(trigger("b").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:04:00");
    world.expect(["ana email mail #1 joined", "ana email mail #1 page"]);
    world.ack(1, "ana");
    world.at("00:04:10");
    world.expect([]);
}

#[test]
fn low_urgency_runs_one_step_and_says_so() {
    let mut world = World::new(TEAM);
    world.give(trigger("a").severity("warning"));
    world.expect(["ana email mail #1 page"]);
    world.expect_nothing_until("24:00:00");
    world.expect_reason(1, "steps_over");
    let yaml = TEAM.replace(
        "fallback: [user/cy]",
        "fallback: [user/cy]\n    escalate_low: true",
    );
    let mut world = World::new(&yaml);
    world.give(trigger("a").severity("warning"));
    world.expect(["ana email mail #1 page"]);
    world.at("00:05:00");
    world.expect(["bo email mail #1 page"]);
    world.at("00:15:00");
    world.expect(["cy email mail #1 page"]);
    world.ack(1, "cy");
    world.take_seen();
}

#[test]
fn flapping_stays_open_until_it_is_quiet_and_a_more_urgent_alert_is_still_heard() {
    let mut world = World::new(&team_with(SERVICE));
    let low = |key| trigger(key).label("service", "pay").severity("warning");
    for _ in 0..6 {
        world.give(low("a"));
        world.wait("00:00:30");
        world.resolve_event("a");
        world.wait("00:00:30");
    }
    world.expect_status(6, "triggered");
    world.expect_reason(6, "flapping");
    world.take_seen();
    for _ in 0..20 {
        assert_eq!(
            world.give(low("a")).incidents[0].0,
            6,
            "no further incident"
        );
        world.wait("00:01:00");
        world.resolve_event("a");
        world.wait("00:01:00");
    }
    world.take_seen();
    world.give(trigger("b").label("service", "pay"));
    world.expect(["ana sms twilio #6 page"]);
    world.ack(6, "ana");
    world.resolve_event("b");
    world.wait("00:09:00");
    world.take_seen();
    world.expect_status(6, "acknowledged");
    world.wait("00:02:00");
    world.expect_status(6, "resolved");
    world.take_seen();
}

#[test]
fn history_pages_nobody_and_a_fresh_report_does() {
    let mut world = World::new(TEAM);
    let old = world.wall().minus(Duration::hours(7));
    let held = world.give(trigger("db").occurred(old));
    assert_eq!(held.disposition, Disposition::HeldOld);
    world.at("00:05:00");
    world.expect(["ana email mail #1 page"]);
    assert_eq!(world.own_incidents(), ["held_events/native"]);
    let fresh = world.wall();
    assert_eq!(
        world.give(trigger("db").occurred(fresh)).disposition,
        Disposition::Opened
    );
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
    world.at("01:10:00");
    assert!(world.own_incidents().is_empty(), "an hour without another");
    world.expect(["ana email mail #1 resolved"]);
}

#[test]
fn a_route_that_does_not_page_keeps_the_alert_and_forgets_it_in_time() {
    let tree = "route:\n  policy: team\n  routes:\n    - { name: quiet, page: false }\n";
    let mut world = World::new(&team_with(tree));
    let receipt = world.give(trigger("a"));
    assert_eq!(receipt.disposition, Disposition::Recorded);
    assert_eq!(receipt.reason.as_str(), "route_does_not_page");
    world.at("23:00:00");
    assert_eq!(world.state().alerts().count(), 1);
    world.give(trigger("a"));
    world.at("46:00:00");
    assert_eq!(world.state().alerts().count(), 1, "a repeat renews it");
    world.at("48:00:00");
    assert_eq!(
        world.state().alerts().count(),
        0,
        "nothing is kept for ever"
    );
    world.expect([]);
}

#[test]
fn an_end_time_resolves_but_not_while_the_router_was_away() {
    let mut world = World::new(TEAM);
    let (start, end) = (world.wall(), world.wall() + Duration::minutes(4));
    world.give(trigger("a").asserted(start, Some(end)));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.crash_for(Duration::hours(1));
    world.wait("00:04:00");
    world.expect_status(1, "acknowledged");
    world.wait("00:02:00");
    world.expect_status(1, "resolved");
    world.expect([]);
}

#[test]
fn a_source_that_acknowledges_all_alerts_stops_the_escalation() {
    let mut world = World::new(&team_with(SERVICE));
    for key in ["a", "b"] {
        world.give(trigger(key).label("service", "pay"));
    }
    world.expect(["ana sms twilio #1 page"]);
    world.give(trigger("a").action(Action::Acknowledge));
    assert_eq!(world.incident(1).status, Status::Triggered);
    world.give(trigger("b").action(Action::Acknowledge));
    assert_eq!(world.incident(1).status, Status::Acknowledged);
    world.expect_nothing_until("02:00:00");
}

#[test]
fn an_alert_whose_labels_changed_moves_to_the_other_group() {
    let mut world = World::new(&team_with(SERVICE));
    world.give(trigger("a").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    let receipt = world.give(trigger("a").label("service", "mail"));
    assert_eq!(receipt.disposition, Disposition::Opened);
    world.expect(["ana sms twilio #2 page"]);
    world.expect_status(1, "resolved");
    world.ack(2, "ana");
}

#[test]
fn a_firing_alert_that_becomes_critical_raises_its_incident() {
    let mut world = World::new(TEAM);
    world.give(trigger("db").severity("warning"));
    world.take_seen();
    world.give(trigger("db").severity("critical"));
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "urgency_raised");
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn labels_are_grouped_routed_and_silenced_as_they_were_sent() {
    let tree = "route:\n  policy: team\n  group_by: [job]\n  routes:\n    - name: broken\n      \
                matchers: ['job=\"a\\nb\"']\n";
    let mut world = World::new(&team_with(tree));
    world.give(trigger("one").label("job", "a b"));
    let broken = world.give(trigger("two").label("job", "a\nb"));
    assert_eq!(broken.disposition, Disposition::Opened, "another group");
    assert_eq!(broken.routes, ["broken".into()]);
    world.expect(["ana sms twilio #1 page", "ana sms twilio #2 page"]);
    let (_, covers) = world.silence(r#"job="a\nb""#, "01:00:00");
    assert_eq!(covers, 1);
    world.expect_reason(2, "silenced");
    assert_eq!(world.count_reason(1, "silenced"), 0);
    let other = world.give(trigger("three").label("job", "a\u{1b}b"));
    assert_eq!(other.disposition, Disposition::Opened);
    world.expect(["ana sms twilio #3 page"]);
}
