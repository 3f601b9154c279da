//! Test pages: each contact is proved once a week, and what does not work is told by another way.

use reveille::engine::outcome::Outcome;
use reveille::engine::ruleset::{ChannelInfo, Medium, WeeklyTime};
use reveille::engine::time::Duration;
use reveille::rules::Environment;

use super::TEAM;
use super::channels::usual;
use super::world::{Sent, World};

pub const MONDAY: &str = "2026-03-02T08:00:00Z";

/// Tests are on Mondays at ten o'clock of each person.
pub fn world(yaml: &str, begin: &str) -> World {
    world_with(usual(), yaml, begin)
}

/// The same with other channels.
pub fn world_with(channels: Vec<ChannelInfo>, yaml: &str, begin: &str) -> World {
    let monday = WeeklyTime {
        weekday: jiff::civil::Weekday::Monday,
        minute: 10 * 60,
    };
    weekly(channels, yaml, (begin, monday))
}

/// Tests are at this time of the week.
pub fn weekly(channels: Vec<ChannelInfo>, yaml: &str, (begin, at): (&str, WeeklyTime)) -> World {
    let mut environment = Environment {
        channels,
        ..Environment::default()
    };
    environment.settings.test_page = Some(at);
    World::in_environment(yaml, environment, begin)
}

pub fn is_test(sent: &Sent) -> bool {
    sent.order.message.incidents[0]
        .title
        .starts_with("test page, nothing to do: ")
}

/// The test pages that left.
pub fn tests(world: &mut World) -> Vec<Sent> {
    world.take_seen().into_iter().filter(is_test).collect()
}

/// Recipients and media of the test pages that left, in order.
fn sent(world: &mut World) -> Vec<String> {
    let seen = tests(world).into_iter();
    let mut sent: Vec<String> = seen.map(|sent| sent.label).collect();
    sent.sort();
    sent
}

/// What the router says of itself, its tests aside.
pub fn troubles(world: &World) -> Vec<String> {
    let own = world.own_incidents().into_iter();
    own.filter(|about| !about.starts_with("contact_test/"))
        .collect()
}

#[test]
fn each_contact_gets_one_page_a_week_that_asks_nothing_and_ends_by_itself() {
    let mut world = world(TEAM, MONDAY);
    world.expect_nothing_until("01:59:00");
    world.at("02:31:00");
    let seen = world.take_seen();
    let mut people: Vec<String> = seen
        .iter()
        .map(|sent| {
            let words: Vec<&str> = sent.label.split(' ').take(2).collect();
            words.join(" ")
        })
        .collect();
    people.sort();
    assert_eq!(
        people,
        ["ana email", "ana sms", "bo email", "bo sms", "cy email"]
    );
    for sent in &seen {
        assert!(is_test(sent), "{}", sent.label);
        let brief = &sent.order.message.incidents[0];
        assert_eq!(brief.urgency.as_str(), "low");
    }
    // Nobody is told that it is over, nobody else is paged.
    world.expect_nothing_until("05:00:00");
    assert_eq!(troubles(&world), [""; 0]);
    assert!(world.audit().is_clean());
    world.expect_nothing_until("169:59:00");
    world.at("170:31:00");
    assert_eq!(world.take_seen().len(), 5, "the next Monday");
}

#[test]
fn the_hour_is_that_of_the_person_and_who_wants_none_gets_none() {
    let yaml = TEAM
        .replacen(
            "time_zone: UTC",
            "time_zone: America/New_York\n    test_page: \"mon 09:00\"",
            1,
        )
        .replacen(
            "full_name: Bo Lind",
            "full_name: Bo Lind\n    test_page: never",
            1,
        );
    let mut world = world(&yaml, MONDAY);
    world.at("02:31:00");
    assert_eq!(sent(&mut world).len(), 1, "cy at ten in UTC");
    world.expect_nothing_until("05:59:00");
    world.at("06:31:00");
    let seen = sent(&mut world);
    assert_eq!(seen.len(), 2, "ana at nine in New York: {seen:?}");
    assert!(
        seen.iter().all(|label| label.starts_with("ana ")),
        "{seen:?}"
    );
    world.expect_nothing_until("160:00:00");
}

#[test]
fn without_the_setting_nobody_is_tested() {
    let mut world = World::new(TEAM);
    world.expect_nothing_until("200:00:00");
}

#[test]
fn a_router_that_was_away_makes_up_for_it_only_while_the_hour_suits() {
    for (away, expected) in [(Duration::minutes(90), 5), (Duration::hours(5), 0)] {
        let mut world = world(TEAM, "2026-03-02T09:55:00Z");
        world.crash_for(away);
        world.wait("00:10:00");
        assert_eq!(world.take_seen().len(), expected, "{away}");
    }
    // One that starts again within the hour repeats nothing.
    let mut world = world(TEAM, MONDAY);
    world.at("02:31:00");
    assert_eq!(world.take_seen().len(), 5);
    world.crash_for(Duration::seconds(5));
    world.expect_nothing_until("04:00:00");
}

#[test]
fn an_address_that_is_refused_is_told_to_whoever_watches_and_ends_when_a_page_arrives() {
    let mut world = world(TEAM, MONDAY);
    world
        .fake("mail")
        .refused
        .insert("bo@example.com".to_owned());
    world.at("02:31:00");
    assert_eq!(troubles(&world), ["contact_unreachable/bo/mail"]);
    world.wait("00:01:10");
    let seen = world.take_seen();
    let told = seen.iter().find(|sent| {
        let title = &*sent.order.message.incidents[0].title;
        title == "bo cannot be reached by mail: refused target"
    });
    assert!(
        told.is_some_and(|sent| sent.label.starts_with("ana email")),
        "{seen:?}"
    );
    let number = told.expect("it was told").order.message.incidents[0]
        .incident
        .number;
    world.ack(number.0, "ana");
    // The next page that bo's mail takes ends it.
    world.fake("mail").refused.clear();
    world.at("170:31:00");
    world.take_seen();
    assert_eq!(troubles(&world), [""; 0]);
    assert!(world.audit().is_clean());
}

#[test]
fn a_channel_that_is_down_is_told_once_and_not_for_each_contact() {
    for outcome in [
        Outcome::RefusedCredential,
        Outcome::Transient,
        Outcome::QuotaExhausted,
    ] {
        let mut world = world(TEAM, MONDAY);
        world.always("mail", outcome);
        world.at("03:30:00");
        let own = troubles(&world);
        assert_eq!(own.len(), 1, "{outcome}: {own:?}");
        assert!(own[0].starts_with("channel_"), "{outcome}: {own:?}");
        world.take_seen();
    }
}

#[test]
fn of_many_contacts_that_do_not_work_ten_are_told_and_the_others_counted() {
    use std::fmt::Write;
    let mut yaml = TEAM.to_owned();
    let mut people = String::from("users:\n");
    for number in 0..40 {
        let name = format!("far{number}");
        let _ = writeln!(
            people,
            "  {name}: {{ time_zone: UTC, contacts: {{ mail: {{ email: {name}@example.org }} }} }}"
        );
    }
    yaml = yaml.replacen("users:\n", &people, 1);
    let mut world = world(&yaml, MONDAY);
    for number in 0..40 {
        let address = format!("far{number}@example.org");
        world.fake("mail").refused.insert(address);
    }
    world.at("03:10:00");
    let own = troubles(&world);
    assert_eq!(own.len(), 11, "{own:?}");
    assert!(own.contains(&"contact_unreachable/".to_owned()), "{own:?}");
    let mut titles = world.take_seen().into_iter();
    let title = titles.find_map(|sent| {
        let mut briefs = sent.order.message.incidents.iter();
        let told = briefs.find(|brief| brief.title.starts_with("more test pages failed"));
        told.map(|brief| brief.title.to_string())
    });
    let title = title.expect("the others are told as well");
    assert!(
        title.contains(" cannot be reached by mail: refused target"),
        "{title}"
    );
    // Once they all work, nothing of it stays.
    world.fake("mail").refused.clear();
    world.at("171:10:00");
    world.take_seen();
    assert_eq!(troubles(&world), [""; 0]);
    assert!(world.audit().is_clean());
}

#[test]
fn a_contact_that_no_channel_carries_is_not_tested() {
    let yaml = TEAM.replacen(
        "      mail: { email: cy@example.com }",
        "      chat: { slack: U01234567 }",
        1,
    );
    let mut channels = usual();
    channels.retain(|channel| !channel.media.contains(&Medium::Slack));
    assert!(yaml != TEAM);
    let mut world = world_with(channels, &yaml, MONDAY);
    world.at("03:10:00");
    let seen = sent(&mut world);
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(troubles(&world), [""; 0]);
}

#[test]
fn a_contact_that_left_the_rules_is_no_trouble_any_more() {
    let mut world = world(TEAM, MONDAY);
    world
        .fake("mail")
        .refused
        .insert("cy@example.com".to_owned());
    world.at("02:31:00");
    assert_eq!(troubles(&world), ["contact_unreachable/cy/mail"]);
    world.replace_rules(&TEAM.replace("cy@example.com", "cy@example.org"));
    world.wait("00:01:00");
    assert_eq!(
        troubles(&world),
        ["contact_unreachable/cy/mail"],
        "another address of the same contact is not yet proved"
    );
    let gone = TEAM.replace(
        "mail: { email: cy@example.com }",
        "post: { email: cy@example.com }",
    );
    world.replace_rules(&gone);
    world.wait("00:01:00");
    assert_eq!(troubles(&world), [""; 0]);
    world.take_seen();
}

#[test]
fn a_phone_that_answered_stop_is_left_in_peace() {
    let mut world = world(TEAM, MONDAY);
    world.sms("+351900000001", "stop");
    world.at("00:05:00");
    world.take_seen();
    world.at("02:31:00");
    let seen = sent(&mut world);
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(
        seen.iter().all(|label| !label.starts_with("ana sms")),
        "{seen:?}"
    );
}

#[test]
fn an_answer_without_a_number_is_for_the_real_page() {
    let mut world = world(TEAM, MONDAY);
    world.at("02:31:00");
    world.take_seen();
    let answer = world.sms("+351900000001", "ack").expect("an answer");
    assert!(
        answer.starts_with("You acknowledged #"),
        "the test itself: {answer}"
    );
    world.post("db");
    world.wait("00:03:00");
    let answer = world.sms("+351900000001", "ack").expect("an answer");
    assert_eq!(answer, "You acknowledged #6. Nothing else is open.");
    world.take_seen();
}

#[test]
fn test_pages_use_up_nobodys_page_limit_and_a_silence_of_the_router_holds_them() {
    let mut world = world(TEAM, "2026-03-02T09:59:00Z");
    world.at("00:31:00");
    world.take_seen();
    let person = world.state().person(&"ana".into()).expect("she was tested");
    assert!(person.interruptions.is_empty());
    let mut world = self::world(TEAM, "2026-03-02T09:59:00Z");
    world.silence("integration=reveille", "02:00:00");
    world.expect_nothing_until("01:50:00");
}
