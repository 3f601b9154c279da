//! Death at any moment, long absences, clocks that jump, rules that change under open incidents.

use reveille::engine::input::Verb;
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::{on, trigger};
use super::channels::Play;
use super::world::World;

#[test]
fn after_a_night_away_each_incident_that_matters_pages_once_and_the_others_not() {
    let mut world = World::new(TEAM);
    for key in ["a", "b", "c", "d"] {
        world.post(key);
    }
    world.at("00:01:00");
    world.take_seen();
    world.ack(2, "ana");
    world.resolve_event("c");
    world.crash_for(Duration::hours(9));
    world.wait("00:00:30");
    world.expect(["cy email mail #1 page", "cy email mail #4 page"]);
    world.expect_reason(1, "collapsed_steps");
    world.resolve_event("d");
    world.ack(1, "cy");
    world.wait("00:00:10");
    world.expect(["cy email mail #4 resolved"]);
    world.expect_nothing_until("12:00:00");
}

#[test]
fn a_low_page_in_flight_at_a_crash_is_sent_again_though_its_wait_is_over() {
    let mut world = World::new(TEAM);
    world.next("mail", [Play::Lost]);
    world.give(trigger("a").severity("warning"));
    world.expect(["ana email mail #1 page"]);
    world.crash_for(Duration::hours(3));
    world.wait("00:00:01");
    world.expect(["ana email mail #1 page"]);
    world.expect_reason(1, "restart_resend");
    world.expect_nothing_until("24:00:00");
}

#[test]
fn an_attempt_interrupted_for_half_an_hour_is_repeated_once() {
    let yaml = TEAM
        .replace("wait: 5m", "wait: 2h")
        .replace("- { after: 3m, via: [mail] }", "");
    let mut world = World::new(&yaml);
    world.next("twilio", [Play::Lost]);
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.crash_for(Duration::minutes(30));
    world.wait("00:00:01");
    world.expect(["ana sms twilio #1 page"]);
    world.crash_for(Duration::minutes(1));
    world.expect_nothing_until("01:59:00");
    world.ack(1, "ana");
}

#[test]
fn a_wall_clock_set_a_year_ahead_and_back_stops_nothing() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.at("00:01:00");
    world.expect(["ana sms twilio #1 page"]);
    world.wall_jumps(365 * 86_400);
    world.wait("00:00:10");
    let first = world.take_seen();
    assert!(!first.is_empty() && first.len() <= 2, "{first:?}");
    world.wall_jumps(-365 * 86_400);
    world.wait("00:35:00");
    let later = world.take_seen();
    assert!(!later.is_empty(), "the fallback is asked again");
    world.post("b");
    // #2 is the router's own, about the clock.
    world.expect(["ana sms twilio #3 page"]);
    world.wait("00:05:00");
    let step = world.take_seen();
    assert!(
        step.iter()
            .any(|sent| sent.label == "bo sms twilio #3 page"),
        "{step:?}"
    );
    for number in [1, 2, 3] {
        world.act("ana", on(number), Verb::Acknowledge);
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn an_hour_away_does_not_resolve_what_still_fires() {
    let mut world = World::new(TEAM);
    let start = world.wall();
    let asserted =
        |world: &World| trigger("a").asserted(start, Some(world.wall() + Duration::minutes(4)));
    let post = asserted(&world);
    world.give(post);
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.crash_for(Duration::hours(1));
    world.wait("00:03:00");
    let post = asserted(&world);
    world.give(post);
    world.wait("00:03:59");
    world.expect_status(1, "acknowledged");
    world.expect([]);
}

#[test]
fn rules_replaced_under_open_incidents_orphan_none() {
    let without_people = r#"
users:
  zoe: { full_name: Zoe, time_zone: UTC, contacts: { mail: { email: zoe@example.com } } }
policies:
  new: { steps: [{ targets: [user/zoe], wait: 5m }] }
integrations:
  native: { format: native }
route: { policy: new, group_by: ["..."] }
"#;
    let mut world = World::new(TEAM);
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.replace_rules(without_people);
    world.crash_for(Duration::seconds(1));
    world.expect_nothing_until("00:04:59");
    world.at("00:05:00");
    world.expect(["zoe email mail #1 page"]);
    world.expect_reason(1, "target_gone");
    world.post("b");
    world.expect(["zoe email mail #2 page"]);
    world.ack(1, "zoe");
    world.ack(2, "zoe");
    world.wait("00:00:05");
    world.expect([]);
}

#[test]
fn a_channel_removed_under_open_incidents_is_said_and_the_next_contact_is_used() {
    let mut world = World::new(TEAM);
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    let mut channels = super::channels::usual();
    channels.retain(|channel| channel.name.as_str() != "twilio");
    let yaml = TEAM.replace("{ sms: \"+351900000002\" }", "{ email: bo2@example.com }");
    world.replace_channels(
        &yaml.replace("{ sms: \"+351900000001\" }", "{ email: a2@example.com }"),
        channels,
    );
    world.at("00:05:00");
    world.expect(["ana email mail #1 page", "bo email mail #1 page"]);
    world.ack(1, "bo");
    world.wait("00:00:05");
    world.expect(["ana email mail #1 acknowledged"]);
}

/// A router that is away for so long, with a retry of Ana's text message to come.
fn away_before_a_retry(away: Duration) -> World {
    let mut world = World::new(&TEAM.replace("wait: 5m", "wait: 4h"));
    world.next("twilio", [Play::Says(Outcome::Transient)]);
    world.post("a");
    world.until(Duration(300));
    world.expect(["ana sms twilio #1 page", "ana email mail #1 page"]);
    world.crash_for(away);
    world.wait("00:00:30");
    world
}

#[test]
fn a_retry_is_made_after_a_restart_within_a_quarter_of_an_hour_and_not_later() {
    let mut world = away_before_a_retry(Duration::minutes(14));
    world.expect(["ana sms twilio #1 page"]);
    let mut world = away_before_a_retry(Duration::minutes(16));
    world.expect([]);
    world.expect_reason(1, "retries_over");
}

#[test]
fn an_attempt_that_a_restart_interrupted_is_repeated_once_however_late() {
    let mut world = World::new(&TEAM.replace("wait: 5m", "wait: 4h"));
    world.next("twilio", [Play::Lost]);
    world.post("a");
    world.at("00:00:05");
    world.expect(["ana sms twilio #1 page"]);
    world.crash_for(Duration::minutes(20));
    world.wait("00:00:01");
    // Her step at three minutes is overdue too.
    world.expect(["ana sms twilio #1 page", "ana email mail #1 page"]);
    world.expect_reason(1, "restart_resend");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn a_schedule_deleted_under_an_open_incident_gives_way_to_the_other_targets_and_the_fallback() {
    let schedule = "    time_zone: UTC\n    layers:\n      - users: [ana]\n";
    let steps = "targets: [schedule/primary], wait: 5m }\n      \
                 - { targets: [schedule/primary, user/bo], wait: 5m }";
    let before = super::silences::with_schedule(schedule)
        .replace("targets: [schedule/primary], wait: 5m }", steps)
        .replace(
            "fallback: [user/cy]\n\nschedules",
            "fallback: [schedule/primary]\n\nschedules",
        );
    let late = "  late: { steps: [{ targets: [user/cy], wait: 5m }] }\n\nintegrations:";
    let after = TEAM
        .replace("\nintegrations:", late)
        .replace("route:\n  policy: team", "route:\n  policy: late");
    let mut world = World::new(&before);
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.replace_rules(&after);
    world.at("00:04:59");
    world.expect(["ana email mail #1 page"]);
    world.at("00:05:00");
    world.expect(["bo sms twilio #1 page"]);
    world.expect_reason(1, "target_gone");
    world.at("00:09:59");
    world.expect(["bo email mail #1 page"]);
    world.at("00:10:00");
    world.expect(["cy email mail #1 page"]);
    assert!(
        world.own_incidents().is_empty(),
        "a schedule that is gone has no gap"
    );
    world.ack(1, "cy");
    world.wait("00:01:00");
    world.take_seen();
}

/// R2: found by the simulator.
#[test]
fn restarts_repeat_an_attempt_no_more_often_than_retries_would() {
    let yaml = TEAM
        .replace("wait: 5m", "wait: 2h")
        .replace("- { after: 3m, via: [mail] }", "");
    let mut world = World::new(&yaml);
    world.fake("twilio").default = Play::Lost;
    world.post("a");
    for _ in 0..12 {
        world.wait("00:00:01");
        world.crash_for(Duration::seconds(1));
    }
    let sent = world.take_seen();
    let by_sms = sent
        .iter()
        .filter(|it| it.label == "ana sms twilio #1 page");
    assert_eq!(by_sms.count(), 8, "{sent:?}");
    world.expect_reason(1, "retries_over");
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}
