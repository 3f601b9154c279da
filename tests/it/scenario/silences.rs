//! Silences hold pages and lose none; overrides put somebody else on call.

use reveille::engine::decision::{Answer, Refusal};
use reveille::engine::input::{Input, SilenceRequest};
use reveille::engine::matcher::Matcher;
use reveille::engine::records::Disposition;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::{actor, trigger};
use super::events::team_with;
use super::world::World;

#[test]
fn a_held_page_leaves_once_when_the_silence_ends_and_it_still_fires() {
    let mut world = World::new(TEAM);
    let (silence, covers) = world.silence("host=a", "01:00:00");
    assert_eq!(covers, 0);
    let receipt = world.give(trigger("db").label("host", "a"));
    assert_eq!(receipt.disposition, Disposition::Silenced);
    for _ in 0..5 {
        world.give(trigger("db").label("host", "a"));
    }
    world.give(trigger("net").label("host", "a"));
    world.resolve_event("net");
    world.expect_nothing_until("00:59:59");
    let held = world
        .state()
        .silence(silence)
        .map(|silence| silence.held_pages);
    assert_eq!(held, Some(2));
    world.at("01:00:00");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "silence_over");
    world.ack(1, "ana");
    world.expect_nothing_until("03:00:00");
}

#[test]
fn a_silence_over_an_open_incident_stops_it_at_once_and_restarts_at_step_one() {
    let mut world = World::new(TEAM);
    world.give(trigger("db").label("host", "a"));
    world.at("00:06:00");
    world.take_seen();
    let (silence, covers) = world.silence("host=a", "04:00:00");
    assert_eq!(covers, 1);
    world.expect_reason(1, "silenced");
    world.expect_nothing_until("01:00:00");
    world.ask(Input::ExpireSilence(silence));
    world.expect(["ana sms twilio #1 page"]);
    world.at("01:05:00");
    world.expect(["ana email mail #1 page", "bo sms twilio #1 page"]);
    world.ack(1, "bo");
    world.wait("00:00:05");
    world.expect(["ana email mail #1 acknowledged"]);
}

#[test]
fn a_page_that_is_held_does_not_slip_out_while_its_silence_is_replaced() {
    let mut world = World::new(TEAM);
    let (first, _) = world.silence("host=a", "01:00:00");
    world.give(trigger("db").label("host", "a"));
    world.at("00:30:00");
    let (second, covers) = world.silence_in_place_of(Some(first), "host=~\"a|b\"", "02:00:00");
    assert_eq!(covers, 1);
    world.expect_nothing_until("02:29:59");
    assert_eq!(world.count_reason(1, "silence_over"), 0);
    assert_eq!(
        world.count_reason(1, "silenced"),
        1,
        "it was held throughout"
    );
    let held = world
        .state()
        .silence(second)
        .map(|silence| silence.held_pages);
    assert_eq!(held, Some(1), "the new silence holds it");
    let replaced = world.state().silence(first);
    assert!(replaced.is_some_and(|silence| silence.ended_at.is_some()));
    world.at("02:30:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn a_silence_is_changed_in_place_and_what_it_holds_stays_held() {
    let mut world = World::new(TEAM);
    let (first, _) = world.silence("host=a", "01:00:00");
    world.give(trigger("db").label("host", "a"));
    world.at("00:30:00");
    let (changed, covers) = world.silence_in_place_of(Some(first), "host=a", "02:00:00");
    assert_eq!((changed, covers), (first, 1));
    world.expect_nothing_until("02:29:59");
    assert_eq!(world.state().silences().count(), 1);
    world.at("02:30:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn an_ended_silence_is_shown_for_five_days_holds_nothing_and_cannot_be_changed() {
    let mut world = World::new(TEAM);
    let (first, _) = world.silence("host=a", "01:00:00");
    world.at("01:00:00");
    let ended = world.state().silence(first).expect("it is shown");
    assert!(ended.ended_at.is_some() && !ended.is_active, "{ended:?}");
    assert_eq!(world.state().silences().count(), 0);
    world.give(trigger("db").label("host", "a"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    let (second, covers) = world.silence_in_place_of(Some(first), "host=a", "01:00:00");
    assert_ne!(second, first);
    assert_eq!(covers, 1);
    world.wait("119:59:00");
    assert!(world.state().silence(first).is_some());
    world.wait("00:01:00");
    assert!(world.state().silence(first).is_none());
}

#[test]
fn a_page_that_the_new_silence_does_not_cover_leaves_when_the_old_one_is_replaced() {
    let mut world = World::new(TEAM);
    let (first, _) = world.silence("host=a", "01:00:00");
    world.give(trigger("db").label("host", "a"));
    world.at("00:30:00");
    world.silence_in_place_of(Some(first), "host=b", "02:00:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn one_alert_without_a_silence_lets_the_incident_go_on() {
    let mut world = World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ));
    world.silence("host=a", "01:00:00");
    world.give(trigger("x").label("host", "a").label("service", "pay"));
    world.expect_nothing_until("00:10:00");
    world.give(trigger("y").label("host", "b").label("service", "pay"));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:11:00");
    world.resolve_event("y");
    world.expect_nothing_until("00:59:59");
    world.at("01:00:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn a_silence_that_ends_while_a_flapping_alert_is_quiet_does_not_lose_it() {
    let mut world = World::new(TEAM);
    for _ in 0..6 {
        world.post("db");
        world.wait("00:00:10");
        world.resolve_event("db");
        world.wait("00:00:10");
    }
    world.take_seen();
    world.expect_reason(6, "flapping");
    world.post("db");
    world.silence("summary=db", "00:05:00");
    world.wait("00:04:00");
    world.resolve_event("db");
    world.wait("00:02:00");
    world.expect([]);
    world.post("db");
    world.wait("00:00:15");
    world.expect(["ana sms twilio #6 page"]);
    world.ack(6, "ana");
}

#[test]
fn a_silence_survives_a_restart_and_still_ends() {
    let mut world = World::new(TEAM);
    world.silence("host=a", "01:00:00");
    world.give(trigger("db").label("host", "a"));
    world.crash_for(reveille::engine::time::Duration::minutes(90));
    world.wait("00:00:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

const SCHEDULE: &str = r#"
route:
  policy: turns
  group_by: ["..."]
"#;

pub fn with_schedule(schedule: &str) -> String {
    let turns = format!(
        "  turns:\n    steps:\n      - {{ targets: [schedule/primary], wait: 5m }}\n    \
         fallback: [user/cy]\n\nschedules:\n  primary:\n{schedule}\nintegrations:"
    );
    team_with(SCHEDULE).replace("\nintegrations:", &turns)
}

pub const DAILY: &str = r#"    time_zone: UTC
    layers:
      - users: [ana, bo]
        rotate: daily
        handoff: "09:00"
        start: 2026-03-01
"#;

#[test]
fn an_override_pages_who_stands_in_and_survives_new_rules_and_a_restart() {
    let mut world = World::new(&with_schedule(DAILY));
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.stand_in("primary", "bo", "00:30:00");
    world.replace_rules(&with_schedule(DAILY));
    world.crash_for(reveille::engine::time::Duration::seconds(1));
    world.post("b");
    world.expect(["bo sms twilio #2 page"]);
    world.expect_reason(2, "step_started");
    world.ack(2, "bo");
    world.at("00:31:00");
    world.post("c");
    world.expect(["ana sms twilio #3 page"]);
    world.ack(3, "ana");
    world.at("01:00:00");
    world.post("d");
    world.expect(["bo sms twilio #4 page"]);
    world.ack(4, "bo");
}

/// Lisbon's clock goes from 01:00 to 02:00 on 29 March 2026 and back at 02:00 on 25 October.
const NIGHT: &str = r#"    time_zone: Europe/Lisbon
    layers:
      - users: [ana, bo]
        rotate: daily
        handoff: "01:30"
        start: 2026-03-01
"#;

fn paged_at(moments: &[&str], begin: &str) -> Vec<String> {
    let mut world = World::with(&with_schedule(NIGHT), super::channels::usual(), begin);
    let mut paged = Vec::new();
    for (index, moment) in (1..).zip(moments) {
        let at = reveille::engine::time::Timestamp::from(
            moment.parse::<jiff::Timestamp>().expect("a moment"),
        );
        let passed = Duration(world.passed.0 + at.since(world.wall()).0);
        world.until(passed);
        world.post(&format!("a{index}"));
        let sent = world.take_seen();
        assert_eq!(sent.len(), 1, "exactly one holder at {moment}");
        paged.extend(sent[0].label.split(' ').next().map(str::to_owned));
        world.ack(index, &paged[paged.len() - 1].clone());
        world.wait("00:00:01");
        world.take_seen();
    }
    paged
}

#[test]
fn a_handoff_in_the_hour_that_does_not_exist_happens_once() {
    // 01:30 of the 29th does not exist: one holder before, the other after, a day later the next.
    let moments = [
        "2026-03-29T00:59:00Z",
        "2026-03-29T01:31:00Z",
        "2026-03-30T00:29:00Z",
        "2026-03-30T00:31:00Z",
    ];
    let paged = paged_at(&moments, "2026-03-29T00:00:00Z");
    assert_eq!(paged[1], paged[2], "{paged:?}");
    assert_ne!(paged[0], paged[1], "{paged:?}");
    assert_ne!(paged[2], paged[3], "{paged:?}");
}

#[test]
fn a_handoff_in_the_hour_that_comes_twice_happens_at_its_first_coming() {
    // 01:30 comes at 00:30Z and at 01:30Z of the 25th.
    let moments = [
        "2026-10-25T00:29:00Z",
        "2026-10-25T00:31:00Z",
        "2026-10-25T01:29:00Z",
        "2026-10-25T01:31:00Z",
    ];
    let paged = paged_at(&moments, "2026-10-25T00:00:00Z");
    assert_ne!(paged[0], paged[1], "{paged:?}");
    assert_eq!(
        paged[1..],
        [paged[1].clone(), paged[1].clone(), paged[1].clone()],
        "{paged:?}"
    );
}

#[test]
fn a_schedule_with_a_gap_gives_way_and_is_told_once_and_until_it_is_over() {
    let gap = concat!(
        "    time_zone: UTC\n    layers:\n      - users: [ana]\n",
        "        only: [{ from: \"10:00\", to: \"18:00\" }]\n"
    );
    let mut world = World::new(&with_schedule(gap));
    world.post("a");
    world.expect_reason(1, "nobody_on_call");
    world.expect_reason(1, "nobody_named");
    world.expect(["cy email mail #1 page"]);
    world.ack(1, "cy");
    world.at("00:05:00");
    assert_eq!(world.own_incidents(), ["schedule_gap/primary"]);
    world.act(
        "cy",
        super::acts::on(2),
        reveille::engine::input::Verb::Acknowledge,
    );
    world.at("02:02:00");
    assert!(world.own_incidents().is_empty(), "the gap is over");
    world.take_seen();
}

#[test]
fn an_alert_whose_labels_leave_the_silence_is_paged_at_once() {
    let mut world = World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ));
    world.silence("env=staging", "04:00:00");
    let post = || trigger("x").label("service", "pay");
    world.give(post().label("env", "staging"));
    world.expect_nothing_until("00:10:00");
    world.give(post().label("env", "prod"));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.expect_nothing_until("05:00:00");
}

#[test]
fn a_critical_alert_that_joined_under_a_silence_is_heard_when_it_ends() {
    let mut world = World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ));
    world.give(trigger("low").severity("warning").label("service", "pay"));
    world.take_seen();
    world.ack(1, "ana");
    world.take_seen();
    world.silence("host=b", "01:00:00");
    world.give(trigger("high").label("service", "pay").label("host", "b"));
    world.at("00:59:00");
    world.take_seen();
    world.at("01:00:00");
    world.expect(["ana email mail #1 triggered", "ana sms twilio #1 page"]);
    world.expect_reason(1, "urgency_raised");
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn whoever_has_an_incident_hears_of_what_joined_under_a_silence_when_that_ends() {
    let mut world = World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ));
    world.give(trigger("first").label("service", "pay"));
    world.take_seen();
    world.ack(1, "ana");
    world.take_seen();
    world.silence("host=b", "01:00:00");
    world.give(trigger("next").label("service", "pay").label("host", "b"));
    world.expect_nothing_until("00:59:59");
    world.at("01:00:01");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.take_seen();
}

/// A silence with these matchers, until so long from now.
fn request(world: &World, matchers: &[&str], time: &str) -> SilenceRequest {
    let matchers = matchers.iter().map(|text| Matcher::parse(text).unwrap());
    SilenceRequest {
        actor: actor("ana"),
        matchers: matchers.collect(),
        everything: false,
        from: None,
        until: world.wall() + super::world::length(time),
        reason: "maintenance".into(),
        replaces: None,
    }
}

fn refusal(world: &mut World, request: SilenceRequest) -> Option<String> {
    match world.ask(Input::Silence(request)) {
        Answer::Refused(refusal @ Refusal::Invalid { .. }) => Some(refusal.to_string()),
        Answer::Silence { .. } => None,
        other => panic!("neither set nor refused: {other:?}"),
    }
}

#[test]
fn a_silence_that_matches_the_empty_text_is_refused_unless_everything_is_meant() {
    let mut world = World::new(TEAM);
    let over_everything: [&[&str]; 7] = [
        &[],
        &["team="],
        &["alertname=~\".*\""],
        &["alertname=~\"DiskFull|\""],
        &["team!=\"payments\""],
        &["team!~\"pay.+\""],
        &["team=\"\"", "env!=\"prod\""],
    ];
    for matchers in over_everything {
        let asked = request(&world, matchers, "01:00:00");
        let said = refusal(&mut world, asked.clone()).expect("it is refused");
        assert!(said.contains("alertname=~\".+\""), "{matchers:?}: {said}");
        for matcher in &asked.matchers {
            assert!(said.contains(&matcher.to_string()), "{matcher}: {said}");
        }
        let everything = true;
        let meant = SilenceRequest {
            everything,
            ..asked
        };
        assert_eq!(refusal(&mut world, meant), None, "{matchers:?}");
    }
    let narrow: [&[&str]; 3] = [
        &["alertname=~\".+\""],
        &["team!=\"\""],
        &["team=\"\"", "env=prod"],
    ];
    for matchers in narrow {
        let asked = request(&world, matchers, "01:00:00");
        assert_eq!(refusal(&mut world, asked), None, "{matchers:?}");
    }
}

#[test]
fn a_change_in_place_is_checked_like_a_new_silence() {
    let mut world = World::new(TEAM);
    let (first, _) = world.silence("host=a", "01:00:00");
    for (matcher, time) in [("host=", "01:00:00"), ("host=a", "721:00:00")] {
        let replaces = Some(first);
        let asked = request(&world, &[matcher], time);
        let said = refusal(&mut world, SilenceRequest { replaces, ..asked });
        assert!(said.is_some(), "{matcher} for {time}");
    }
}

#[test]
fn the_timeline_names_the_silences_that_hold_a_page_with_their_matchers() {
    let mut world = World::new(&team_with(
        "route:\n  policy: team\n  group_by: [service]\n",
    ));
    world.silence("host=a", "01:00:00");
    world.silence("service=pay", "01:00:00");
    world.give(trigger("x").label("host", "a").label("service", "pay"));
    let held = "silenced: pages are held: silence 1 [host=\"a\"], silence 2 [service=\"pay\"] \
                cover all its firing alerts";
    let story = world.timeline(1);
    assert!(story.iter().any(|line| line == held), "{story:#?}");
    world.give(trigger("y").label("service", "pay"));
    let joined = "joined_incident: joined by y (under silence 2 [service=\"pay\"])";
    let story = world.timeline(1);
    assert!(story.iter().any(|line| line == joined), "{story:#?}");
    world.resolve_event("x");
    world.resolve_event("y");
}

#[test]
fn no_more_than_2_000_silences_that_have_not_ended_are_set() {
    let mut world = World::new(TEAM);
    let mut last = None;
    for number in 0..2_000 {
        last = Some(world.silence(&format!("host=h{number}"), "01:00:00").0);
    }
    let request = SilenceRequest {
        actor: actor("ana"),
        matchers: vec![Matcher::parse("host=more").expect("a matcher")],
        everything: false,
        from: None,
        until: world.wall() + Duration::hours(3),
        reason: "maintenance".into(),
        replaces: None,
    };
    let refused = world.ask(Input::Silence(request.clone()));
    let Answer::Refused(refusal) = refused else {
        panic!("not refused: {refused:?}");
    };
    assert!(refusal.to_string().contains("2000"), "{refusal}");
    let (_, _) = world.silence_in_place_of(last, "host=other", "01:00:00");
    world.wait("01:00:01");
    assert!(matches!(
        world.ask(Input::Silence(request)),
        Answer::Silence { .. }
    ));
}

#[test]
fn what_joined_under_a_silence_makes_its_incident_as_urgent_when_that_ends() {
    let mut world = World::new(&team_with("route:\n  policy: team\n  group_by: [host]\n"));
    world.silence("host=a", "01:00:00");
    world.give(trigger("slow").label("host", "a").severity("warning"));
    world.give(trigger("down").label("host", "a"));
    world.expect_nothing_until("00:59:59");
    world.at("01:00:00");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}
