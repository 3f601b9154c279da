//! What checks of channels say begins and ends when it should, and they are made in time.

use std::collections::BTreeSet;

use reveille::engine::outcome::{Capacity, Outcome, Validity};
use reveille::engine::time::Duration;

use super::TEAM;
use super::channels::Play;
use super::checks::{asked, probing, world};
use super::world::{BEGIN, World};

#[test]
fn what_checks_said_ends_when_the_channel_is_not_checked_any_more() {
    let mut world = world(&["gateway"]);
    world.fake("gateway").capacity = Capacity::Low {
        text: "little".into(),
    };
    let ends = world.wall() + Duration::days(3);
    world.fake("gateway").certificate = Some(Validity {
        begins: ends.minus(Duration::days(90)),
        ends,
    });
    world.at("00:10:00");
    assert_eq!(world.own_incidents().len(), 2);
    world.ack(1, "ana");
    world.ack(2, "ana");
    // `balance_url` leaves the settings.
    world.replace_channels(TEAM, probing(&[]));
    world.crash_for(Duration::seconds(2));
    // A page is taken, over and over.
    for number in 3..=30 {
        world.next("twilio", [Play::Says(Outcome::RefusedTarget)]);
        world.post(&format!("a{number}"));
        world.wait("00:00:02");
        world.ack(number, "ana");
        world.wait("06:00:00");
    }
    let own = world.own_incidents();
    world.take_seen();
    assert_eq!(own, [""; 0], "a week later");
}

#[test]
fn a_server_of_which_one_of_two_nodes_has_an_old_certificate_is_told_once() {
    let mut world = world(&["twilio"]);
    let mut told = BTreeSet::new();
    let year = Duration::days(365);
    for hour in 0..48 {
        let left = if hour % 2 == 0 {
            Duration::days(5)
        } else {
            year
        };
        let ends = world.wall() + left;
        world.fake("twilio").certificate = Some(Validity {
            begins: ends.minus(year),
            ends,
        });
        let count = asked(&world, "twilio").len();
        while asked(&world, "twilio").len() == count {
            world.wait("00:01:00");
        }
        world.wait("00:02:00");
        for sent in world.take_seen() {
            if sent.label.ends_with(" page") {
                told.insert(sent.order.message.incidents[0].incident.number);
            }
        }
    }
    assert!(
        told.len() <= 4,
        "{} incidents were paged in two days",
        told.len()
    );
}

/// A gateway whose key was revoked: it refuses messages with 401, and `balance_url` as well, which
/// `sms_webhook` answers as `Accepted` with a low capacity (see its own test).
#[test]
fn a_gateway_that_refuses_its_key_stays_down_whatever_the_balance_says() {
    let yaml = TEAM.replace(
        "integrations:",
        "integrations:\n  other: { format: native }",
    );
    let mut channels = probing(&["twilio"]);
    channels.retain(|channel| channel.name.as_str() != "gateway");
    for channel in &mut channels {
        channel.capabilities.probes_login = false;
    }
    let mut world = World::with(&yaml, channels, BEGIN);
    world.at("00:10:00");
    world.always("twilio", Outcome::RefusedCredential);
    world.fake("twilio").probe = Outcome::Accepted;
    world.fake("twilio").capacity = Capacity::Low {
        text: "its balance cannot be read (HTTP 401)".into(),
    };
    world.post("db");
    let mut told = BTreeSet::new();
    let mut was_clear = 0;
    for _ in 0..12 * 60 {
        world.wait("00:00:05");
        let own = world.own_incidents();
        was_clear += usize::from(!own.iter().any(|own| own.starts_with("channel_credential")));
        for sent in world.take_seen() {
            let brief = &sent.order.message.incidents[0];
            if brief.title.contains("credentials") {
                told.insert(brief.incident.number);
            }
        }
    }
    assert!(
        was_clear == 0 && told.len() <= 1,
        "clear in {was_clear} of 720 looks, {} incidents paged",
        told.len()
    );
}

#[test]
fn a_check_that_was_asked_before_a_page_was_refused_does_not_clear_that() {
    let mut world = world(&["twilio"]);
    while asked(&world, "twilio").is_empty() {
        world.until(Duration(world.passed.0 + 10));
    }
    world.next(
        "twilio",
        [Play::Late(Duration(50), Outcome::RefusedCredential)],
    );
    world.post("db");
    world.until(Duration(world.passed.0 + 60));
    let before = world.own_incidents();
    world.until(Duration(world.passed.0 + 100));
    let after = world.own_incidents();
    world.take_seen();
    assert_eq!(before, ["channel_credential/twilio"]);
    assert_eq!(after, before, "cleared by an answer from before");
}

#[test]
fn the_first_check_comes_within_five_minutes_of_a_start_also_where_pages_leave() {
    let mut world = world(&["twilio"]);
    world.post("db");
    world.ack(1, "ana");
    world.wait("00:06:00");
    world.take_seen();
    assert_eq!(asked(&world, "twilio").len(), 1);
}

#[test]
fn a_busy_channel_of_a_router_that_is_started_anew_each_five_hours_is_checked() {
    let mut world = world(&["twilio"]);
    let mut number = 0;
    for _ in 0..10 {
        for _ in 0..10 {
            number += 1;
            world.post(&format!("a{number}"));
            world.wait("00:00:30");
            world.ack(number, "ana");
            world.wait("00:29:30");
        }
        world.take_seen();
        world.crash_for(Duration::seconds(5));
    }
    let asked = asked(&world, "twilio");
    world.take_seen();
    assert!(asked.len() >= 5, "in {}: {asked:?}", world.passed);
}

#[test]
fn a_check_that_found_the_channel_asking_to_wait_is_not_put_off_by_hours() {
    let mut longest = Vec::new();
    for begin in [351, 353, 355] {
        let mut world = world(&["twilio"]);
        world.at("00:10:00");
        let mut number = 0;
        let mut is_throttled = false;
        while world.passed < Duration::hours(11) {
            if !is_throttled && world.passed >= Duration::minutes(begin) {
                is_throttled = true;
                let wait = Duration::minutes(14);
                world.next("twilio", [Play::Says(Outcome::Throttled { wait })]);
            }
            number += 1;
            world.post(&format!("a{number}"));
            world.wait("00:01:00");
            world.ack(number, "ana");
            world.take_seen();
        }
        let asked = asked(&world, "twilio");
        longest.push(
            asked
                .iter()
                .map(|at| at.as_seconds() / 60)
                .collect::<Vec<_>>(),
        );
    }
    assert!(longest.iter().all(|asked| asked.len() >= 2), "{longest:?}");
}

#[test]
fn a_channel_that_is_up_again_has_passed_a_check() {
    let mut world = world(&["twilio"]);
    world.at("00:10:00");
    world.fake("twilio").probe = Outcome::RefusedCredential;
    world.at("06:00:00");
    world.fake("twilio").probe = Outcome::Accepted;
    world.at("06:03:00");
    assert_eq!(world.own_incidents(), [""; 0]);
    world.take_seen();
    let channel = world
        .state()
        .channel(&"twilio".into())
        .expect("it is known");
    let passed = channel.check.and_then(|check| check.last_passed_at);
    let ago = passed.map(|at| world.wall().since(at));
    assert!(ago < Some(Duration::minutes(5)), "{ago:?}");
}
