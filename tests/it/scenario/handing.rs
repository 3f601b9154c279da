//! Handing an incident to somebody, or paging by hand: refused when nobody would be told.

use reveille::engine::decision::Answer;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::incident::Phase;
use reveille::engine::input::{ActOn, ReassignTo, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::ruleset::Target;
use reveille::engine::urgency::Urgency;

use super::TEAM;
use super::acts::{act_input, on};
use super::events::team_with;
use super::silences::with_schedule;
use super::world::World;

const DAYTIME: &str = concat!(
    "    time_zone: UTC\n    gaps: expected\n    layers:\n      - users: [ana]\n",
    "        only: [{ from: \"10:00\", to: \"18:00\" }]\n"
);

fn user(name: &str) -> ReassignTo {
    ReassignTo::Target(Target::User(name.into()))
}

fn primary() -> ReassignTo {
    ReassignTo::Target(Target::Schedule("primary".into()))
}

/// The world at 08:00, two hours before anybody is on call; Cy has #1.
fn before_the_shift() -> World {
    let mut world = World::new(&with_schedule(DAYTIME));
    world.post("a");
    world.expect(["cy email mail #1 page"]);
    world.ack(1, "cy");
    world.wait("00:00:10");
    world.take_seen();
    world
}

/// What is answered to a request that must be refused and change nothing.
#[track_caller]
fn refused(world: &mut World, on: ActOn, to: ReassignTo) -> String {
    let commits = world.commits();
    let answer = world.ask(act_input("cy", on, Verb::Reassign { to }));
    let Answer::Refused(refusal) = answer else {
        panic!("not refused: {answer:?}");
    };
    assert_eq!(world.commits(), commits, "nothing was changed");
    refusal.to_string()
}

#[test]
fn handing_an_incident_to_a_schedule_that_names_nobody_is_refused_and_changes_nothing() {
    let mut world = before_the_shift();
    let said = refused(&mut world, on(1), primary());
    for part in [
        "schedule/primary",
        "nobody is on call until 2026-03-02T10:00:00",
        "override",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    world.expect_status(1, "acknowledged");
    world.stand_in("primary", "bo", "01:00:00");
    world.does("cy", 1, Verb::Reassign { to: primary() });
    world.expect(["bo sms twilio #1 page"]);
    world.ack(1, "bo");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn handing_to_what_does_not_exist_is_refused_and_changes_nothing() {
    let mut world = before_the_shift();
    let cases = [
        (user("zoe"), "no user zoe;"),
        (
            ReassignTo::Target(Target::Schedule("nights".into())),
            "no schedule nights;",
        ),
        (ReassignTo::Policy("nobodys".into()), "no policy nobodys;"),
    ];
    for (to, expected) in cases {
        let said = refused(&mut world, on(1), to);
        assert!(said.contains(expected), "{said}");
    }
    world.expect_status(1, "acknowledged");
}

#[test]
fn handing_to_somebody_without_a_usable_contact_is_refused_and_changes_nothing() {
    let only_phone = TEAM.replacen("        - { after: 3m, via: [mail] }\n", "", 1);
    let mut world = World::new(&only_phone);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    assert_eq!(world.sms("+351900000001", "STOP"), None);
    world.take_seen();
    let said = refused(&mut world, on(1), user("ana"));
    assert!(said.contains("user/ana"), "{said}");
    assert!(said.contains("no usable contact"), "{said}");
    assert!(said.contains("START"), "{said}");
    world.expect_status(1, "acknowledged");
    let both = ActOn::Incidents(vec![IncidentNumber(1), IncidentNumber(2)]);
    let said = refused(&mut world, both, user("ana"));
    assert!(said.contains("no usable contact"), "{said}");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_page_by_hand_that_would_tell_nobody_is_refused_and_opens_nothing() {
    let mut world = before_the_shift();
    let commits = world.commits();
    for to in [primary(), user("zoe")] {
        let answer = world.page_by_hand(to, "look at the door", Urgency::High);
        assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    }
    assert_eq!(world.commits(), commits);
    assert_eq!(world.state().incidents().count(), 1);
}

#[test]
fn a_policy_of_which_nobody_can_be_told_is_refused_like_its_targets() {
    let empty = "  daytime: { steps: [{ targets: [schedule/primary], wait: 5m }], \
                 fallback: [schedule/primary] }\n\nschedules:";
    let yaml = with_schedule(DAYTIME)
        .replace("\nschedules:", empty)
        .replace("policy: turns", "policy: daytime");
    let mut world = World::new(&yaml);
    world.post("a");
    let said = refused(&mut world, on(1), ReassignTo::Policy("daytime".into()));
    assert!(said.contains("policy/daytime"), "{said}");
    let others = ReassignTo::Policy("team".into());
    world.does("cy", 1, Verb::Reassign { to: others });
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn a_page_by_hand_escalates_by_the_first_policy_where_the_root_route_has_none() {
    let tree = "route:\n  policy: none\n  group_by: [service]\n";
    let mut world = World::new(&team_with(tree));
    let answer = world.page_by_hand(user("bo"), "look at the door", Urgency::High);
    assert!(matches!(answer, Answer::Opened(_)), "{answer:?}");
    world.expect(["bo sms twilio #1 page"]);
    world.at("00:05:00");
    world.expect(["bo email mail #1 page", "ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn handing_what_has_no_policy_to_somebody_whom_nothing_reaches_ends_and_says_so() {
    let tree = "route:\n  policy: none\n  group_by: [service]\n";
    let mut world = World::new(&team_with(tree));
    world.post("a");
    world.expect([]);
    world.always("mail", Outcome::RefusedTarget);
    world.always("twilio", Outcome::RefusedTarget);
    world.does("cy", 1, Verb::Reassign { to: user("ana") });
    world.wait("01:00:00");
    world.take_seen();
    world.expect_status(1, "triggered");
    assert_eq!(world.count_reason(1, "no_acknowledgment_expected"), 2);
    assert_eq!(world.incident(1).escalation.phase, Phase::NotExpected);
    let panics = world.own_incidents();
    assert!(
        !panics.iter().any(|about| about.starts_with("panic")),
        "{panics:?}"
    );
}
