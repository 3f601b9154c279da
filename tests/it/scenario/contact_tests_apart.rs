//! Test pages hold up no real page, leave at no other hour, and say nothing that is not so.

use reveille::engine::input::{DeliveryReport, Input, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::ruleset::WeeklyTime;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::trigger;
use super::channels::{ACCEPTED, Play, usual};
use super::contact_tests::{MONDAY, is_test, tests, troubles, weekly, world, world_with};
use super::world::{Sent, World};

fn report(world: &mut World, sent: &Sent, outcome: Outcome) {
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: sent.order.channel.clone(),
        attempt: sent.order.attempt,
        outcome,
        provider_message: None,
    }));
}

const WEEK: i64 = 7 * 24 * 3_600;

#[test]
fn a_wrong_clock_that_was_set_back_does_not_end_the_tests_for_a_year() {
    let mut world = world(TEAM, MONDAY);
    world.at("01:30:00");
    // For an hour the clock is 52 weeks ahead: also a Monday.
    world.wall_jumps(52 * WEEK);
    world.at("02:40:00");
    let ahead = tests(&mut world).len();
    world.wall_jumps(-52 * WEEK);
    world.wait("04:00:00");
    let mut later = tests(&mut world).len();
    for _ in 0..21 {
        world.wait("24:00:00");
        later += tests(&mut world).len();
    }
    assert!(
        later >= 10,
        "{ahead} under the wrong clock, then {later} in three weeks"
    );
}

const TWO_MAILS: &str = r#"
users:
  ana:
    test_page: never
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
  dee:
    contacts:
      home: { email: home@example.com }
      work: { email: work@example.com }
    notify: { high: [{ via: [home] }], low: [{ via: [home] }] }
policies:
  team: { steps: [{ targets: [user/ana], wait: 5m }] }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

#[test]
fn a_channel_that_breaks_after_the_first_test_page_is_no_trouble_of_each_contact() {
    for outcome in [Outcome::Transient, Outcome::RefusedCredential] {
        // What one alone meets may be about its address.
        let third = "      away: { email: away@example.com }\n    notify: { high: [{ via: [home]";
        let yaml = TWO_MAILS.replace("    notify: { high: [{ via: [home]", third);
        let mut world = world(&yaml, MONDAY);
        world.next("mail", [ACCEPTED]);
        world.always("mail", outcome);
        world.at("03:30:00");
        let own = troubles(&world);
        world.take_seen();
        assert_eq!(own.len(), 1, "{outcome}: {own:?}");
    }
}

#[test]
fn a_test_page_that_a_restart_interrupted_is_not_sent_at_night() {
    let mut world = world(TWO_MAILS, MONDAY);
    world.fake("mail").default = Play::Lost;
    while tests(&mut world).is_empty() {
        world.wait("00:00:01");
        assert!(world.passed < Duration::hours(3));
    }
    world.fake("mail").default = ACCEPTED;
    world.crash_for(Duration::hours(16));
    world.wait("00:10:00");
    let late: Vec<String> = tests(&mut world).into_iter().map(|s| s.label).collect();
    assert!(late.is_empty(), "at {}: {late:?}", world.wall());
}

#[test]
fn a_test_page_that_a_short_silence_held_leaves_when_it_is_over() {
    let mut world = world(TWO_MAILS, "2026-03-02T09:59:00Z");
    world.silence("integration=reveille", "00:40:00");
    world.at("00:39:00");
    assert_eq!(tests(&mut world).len(), 0);
    world.at("03:00:00");
    let seen = tests(&mut world).len();
    assert_eq!(
        seen,
        2,
        "{:#?} {:#?}",
        world.timeline(1),
        world.incident(1).status
    );
}

#[test]
fn a_dead_phone_stays_known_when_a_gateway_takes_a_real_page_for_it_in_vain() {
    let mut channels = usual();
    for channel in &mut channels {
        channel.capabilities.receipts = channel.name.as_str() == "twilio";
    }
    let mut world = world_with(channels, TEAM, MONDAY);
    world.at("02:31:00");
    let seen = tests(&mut world);
    let test = seen.iter().find(|sent| sent.label.starts_with("ana sms"));
    let test = test.expect("a test page to the phone").clone();
    report(&mut world, &test, Outcome::RefusedTarget);
    assert_eq!(troubles(&world), ["contact_unreachable/ana/phone"]);
    world.at("02:40:00");
    world.take_seen();
    world.post("db");
    world.wait("00:00:02");
    let seen = world.take_seen();
    let real = seen.iter().find(|sent| sent.label.starts_with("ana sms"));
    let real = real.expect("a real page").clone();
    assert!(!is_test(&real));
    report(&mut world, &real, Outcome::RefusedTarget);
    world.wait("00:00:02");
    let own = troubles(&world);
    world.take_seen();
    assert_eq!(own, ["contact_unreachable/ana/phone"]);
}

#[test]
fn a_test_page_to_the_old_address_says_nothing_about_the_new_one() {
    let mut world = world(TWO_MAILS, MONDAY);
    world.fake("mail").default = Play::Late(Duration::seconds(8), Outcome::RefusedTarget);
    while tests(&mut world).is_empty() {
        world.wait("00:00:01");
    }
    world.replace_rules(&TWO_MAILS.replace("home@example.com", "new@example.com"));
    world.wait("00:01:10");
    let own = troubles(&world);
    world.take_seen();
    assert_eq!(own, ["contact_unreachable/dee/work"]);
}

fn many(count: usize) -> String {
    let mut yaml = String::from("users:\n");
    for number in 0..count {
        yaml.push_str(&format!(
            "  u{number:05}:\n    contacts: {{ mail: {{ email: u{number}@example.com }} }}\n"
        ));
    }
    yaml.push_str(
        "  ana:\n    test_page: never\n    contacts: { mail: { email: ana@example.com } }\n\
         policies:\n  team: { steps: [{ targets: [user/ana], wait: 30m }] }\n\
         integrations: { native: { format: native } }\n\
         route: { policy: team, group_by: [\"...\"] }\n",
    );
    yaml
}

/// An outage of the relay of three minutes, and a real page in it: when it arrives.
fn arrival(yaml: &str) -> Option<Duration> {
    let mut world = world(yaml, "2026-03-02T09:59:00Z");
    world.at("00:12:00");
    world.take_seen();
    world.always("mail", Outcome::Transient);
    world.at("00:14:00");
    world.give(trigger("db"));
    let begun = world.passed;
    world.at("00:15:00");
    world.always("mail", Outcome::Accepted);
    world.take_seen();
    for _ in 0..1_200 {
        world.wait("00:00:01");
        let seen = world.take_seen();
        if seen.iter().any(|sent| sent.label.starts_with("ana email")) {
            return Some(Duration(world.passed.0 - begun.0));
        }
    }
    None
}

#[test]
fn test_pages_do_not_take_the_retries_of_a_real_page() {
    let without = arrival(&many(0));
    let with = arrival(&many(300));
    assert!(
        with.is_some_and(|with| with.0 <= without.expect("it arrives").0 + 60_000),
        "without tests after {without:?}, with tests after {with:?}"
    );
}

#[test]
fn everybody_is_tested_in_the_largest_rules() {
    let mut world = world(&many(4_500), "2026-03-02T09:59:00Z");
    let mut seen = 0;
    for _ in 0..16 {
        world.wait("00:15:00");
        seen += tests(&mut world).len();
    }
    assert_eq!(seen, 4_500);
}

#[test]
fn an_answer_to_a_test_page_does_not_take_an_incident_of_hours_ago() {
    let mut world = world(TEAM, MONDAY);
    world.post("db");
    world.at("02:31:00");
    let seen = tests(&mut world);
    assert!(seen.iter().any(|sent| sent.label.starts_with("ana sms")));
    world.wait("00:02:30");
    let answer = world.sms("+351900000001", "ack");
    world.take_seen();
    assert_eq!(world.incident(1).status.as_str(), "triggered", "{answer:?}");
}

#[test]
fn each_week_has_one_test_where_clocks_change() {
    use jiff::civil::Weekday::Sunday;
    for (zone, begin, minute) in [
        ("America/New_York", "2026-03-01T00:00:00Z", 150),
        ("America/New_York", "2026-10-25T00:00:00Z", 90),
        ("Europe/Lisbon", "2026-10-18T00:00:00Z", 60),
        ("Australia/Lord_Howe", "2026-10-04T00:00:00Z", 120),
        ("America/Havana", "2026-03-01T00:00:00Z", 0),
        ("America/Havana", "2026-10-25T00:00:00Z", 30),
    ] {
        let yaml = TWO_MAILS.replace("  dee:\n", &format!("  dee:\n    time_zone: {zone}\n"));
        let mut world = weekly(
            usual(),
            &yaml,
            (
                begin,
                WeeklyTime {
                    weekday: Sunday,
                    minute,
                },
            ),
        );
        let mut counts = Vec::new();
        for _ in 0..3 {
            world.wait("168:00:00");
            counts.push(tests(&mut world).len());
        }
        assert_eq!(counts, [2, 2, 2], "{zone} {begin}");
    }
}

const HOOKED: &str = r#"
users:
  ana:
    test_page: never
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
  dee:
    contacts:
      desk: { webhook: "https://desk.example/pages" }
      chat: { slack: "U024BE7LH" }
    notify: { high: [{ via: [desk] }], low: [{ via: [desk] }] }
policies:
  team: { steps: [{ targets: [user/ana], wait: 5m }] }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

#[test]
fn a_program_that_got_a_test_page_is_told_that_it_is_over() {
    let mut world = world(HOOKED, MONDAY);
    world.at("04:30:00");
    let seen: Vec<String> = world.take_seen().into_iter().map(|s| s.label).collect();
    assert!(
        seen.iter()
            .any(|label| label.contains("hooks") && label.contains("resolved")),
        "{seen:?}"
    );
}

#[test]
fn a_button_on_a_test_page_shows_that_it_was_pressed() {
    let mut world = world(HOOKED, MONDAY);
    world.at("02:31:00");
    let page = world.page_to("dee slack");
    world.take_seen();
    world.link(page, "dee", Verb::Acknowledge);
    world.wait("00:01:00");
    let seen: Vec<String> = world.take_seen().into_iter().map(|s| s.label).collect();
    assert!(
        seen.iter().any(|label| label.contains("(edit)")),
        "{seen:?}"
    );
}

#[test]
fn that_the_first_of_the_watch_cannot_be_reached_is_told_to_somebody() {
    let mut world = world(TEAM, MONDAY);
    world
        .fake("mail")
        .refused
        .insert("ana@example.com".to_owned());
    world.at("02:31:00");
    assert_eq!(troubles(&world), ["contact_unreachable/ana/mail"]);
    world.at("12:00:00");
    let told: Vec<String> = world
        .take_seen()
        .into_iter()
        .filter(|sent| !is_test(sent))
        .map(|sent| sent.label)
        .collect();
    let in_vain = "ana email mail";
    assert!(
        told.iter().any(|label| !label.starts_with(in_vain)),
        "{told:?}"
    );
}

#[test]
fn a_real_page_is_not_lost_because_test_pages_took_the_retries() {
    let mut arrivals = Vec::new();
    for users in [0, 750] {
        let mut world = world(&many(users), "2026-03-02T09:59:00Z");
        world.at("00:10:00");
        world.take_seen();
        world.always("mail", Outcome::Transient);
        world.at("00:16:00");
        world.give(trigger("db"));
        let begun = world.passed;
        world.at("00:18:00");
        world.always("mail", Outcome::Accepted);
        world.take_seen();
        let mut arrived = None;
        while arrived.is_none() && world.passed < Duration::minutes(45) {
            world.wait("00:00:01");
            let seen = world.take_seen();
            if seen.iter().any(|sent| {
                sent.label.starts_with("ana email")
                    && sent.order.message.incidents[0].title.starts_with("db")
            }) {
                arrived = Some(Duration(world.passed.0 - begun.0));
            }
        }
        arrivals.push(arrived);
    }
    assert!(
        arrivals[1].is_some_and(|at| at < Duration::minutes(3)),
        "{arrivals:?}"
    );
}

#[test]
fn a_notice_to_the_old_address_does_not_prove_the_new_one() {
    let mut world = world(TEAM, MONDAY);
    world.give(trigger("db").severity("warning"));
    world.wait("00:00:05");
    world.ack(1, "bo");
    world.replace_rules(&TEAM.replace("ana@example.com", "typo@example.com"));
    world
        .fake("mail")
        .refused
        .insert("typo@example.com".to_owned());
    world.at("02:31:00");
    assert_eq!(troubles(&world), ["contact_unreachable/ana/mail"]);
    world.resolve_event("db");
    world.wait("00:00:01");
    let last: Vec<String> = world.take_seen().into_iter().map(|s| s.label).collect();
    assert!(
        last.iter().any(|label| label.ends_with("#1 resolved")),
        "{last:?}"
    );
    assert_eq!(troubles(&world), ["contact_unreachable/ana/mail"]);
}

#[test]
fn an_answer_just_after_a_test_page_and_a_real_one_must_name_which() {
    let mut world = world(TEAM, MONDAY);
    while world
        .take_seen()
        .iter()
        .all(|sent| !sent.label.starts_with("ana sms"))
    {
        world.wait("00:00:01");
    }
    world.wait("00:00:30");
    world.post("db");
    world.wait("00:00:20");
    world.take_seen();
    let answer = world.sms("+351900000001", "ack").expect("an answer");
    world.take_seen();
    assert!(answer.contains("another page left just now"), "{answer}");
}

#[test]
fn no_test_page_leaves_at_night_because_the_clock_is_wrong() {
    // Monday, 20:00; the clock jumps ahead to Monday, ten o'clock, of another week.
    let mut world = world(TEAM, "2026-03-02T20:00:00Z");
    world.at("00:05:00");
    world.wall_jumps(WEEK - 10 * 3_600);
    world.at("00:40:00");
    let seen = tests(&mut world).len();
    assert_eq!(seen, 0, "at {}", world.wall());
}

#[test]
fn a_webhook_of_one_person_that_refuses_is_not_told_as_the_end_of_the_channel() {
    for outcome in [Outcome::RefusedCredential, Outcome::Transient] {
        let mut world = world(HOOKED, MONDAY);
        world.always("hooks", outcome);
        world.at("03:45:00");
        let own = troubles(&world);
        let seen = world.take_seen().into_iter();
        let told: Vec<String> = seen
            .filter(|sent| !is_test(sent))
            .map(|sent| {
                let brief = &sent.order.message.incidents[0];
                format!("{}: {} {}", sent.label, brief.urgency, brief.title)
            })
            .collect();
        assert_eq!(own, ["contact_unreachable/dee/desk"], "{told:#?}");
    }
}

#[test]
fn a_provider_that_is_overrun_by_test_pages_still_takes_a_real_one() {
    let mut waits = Vec::new();
    for users in [0, 750] {
        let mut world = world(&many(users), "2026-03-02T09:59:00Z");
        world.at("00:09:50");
        world.take_seen();
        if users > 0 {
            // Five messages a minute, as of a phone number of its own: the sixth is asked to wait.
            let wait = Duration::seconds(60);
            let mut plays = vec![ACCEPTED; 5];
            plays.push(Play::Says(Outcome::Throttled { wait }));
            world.next("mail", plays);
        }
        world.at("00:10:03");
        world.take_seen();
        world.give(trigger("db"));
        let begun = world.passed;
        let mut arrived = None;
        while arrived.is_none() && world.passed < Duration::minutes(40) {
            world.wait("00:00:01");
            let seen = world.take_seen();
            if seen.iter().any(|sent| sent.label.starts_with("ana email")) {
                arrived = Some(Duration(world.passed.0 - begun.0));
            }
        }
        waits.push(arrived);
    }
    assert!(waits[1] <= Some(Duration::seconds(10)), "{waits:?}");
}
