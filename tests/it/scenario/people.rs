//! What people do: acknowledge, give back, decline, escalate, hand over, snooze, page by hand.

use reveille::engine::decision::{ActResult, Answer};
use reveille::engine::input::{ReassignTo, Verb};
use reveille::engine::ruleset::Target;
use reveille::engine::time::Duration;
use reveille::engine::urgency::Urgency;

use super::TEAM;
use super::acts::{act_input, on, trigger};
use super::channels::Play;
use super::world::World;

fn user(name: &str) -> ReassignTo {
    ReassignTo::Target(Target::User(name.into()))
}

#[test]
fn the_second_to_acknowledge_is_told_who_was_first() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    let acted = world.act("bo", on(1), Verb::Acknowledge);
    assert_eq!(acted[0].result, ActResult::AlreadySo);
    assert_eq!(
        acted[0].acknowledged.as_ref().map(|first| &*first.by),
        Some("Ana Silva")
    );
    world.expect_reason(1, "already_acknowledged");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn a_resolve_that_races_an_acknowledgment_ends_it_in_either_order() {
    for is_ack_first in [true, false] {
        let mut world = World::new(TEAM);
        world.post("db");
        world.expect(["ana sms twilio #1 page"]);
        let ack = act_input("ana", on(1), Verb::Acknowledge);
        let resolve = trigger("db")
            .action(reveille::engine::event::Action::Resolve)
            .input();
        if is_ack_first {
            // In one turn acts go before events.
            world.batch(vec![ack], vec![resolve]);
        } else {
            world.batch(Vec::new(), vec![resolve]);
            world.batch(vec![ack], Vec::new());
        }
        world.expect_status(1, "resolved");
        world.expect_nothing_until("02:00:00");
    }
}

#[test]
fn what_ends_the_paging_in_the_turn_of_a_due_step_pages_nobody() {
    // Acts go before timers, events after them: then the page has no slot yet.
    use reveille::engine::event::Action;
    for event in [None, Some(Action::Acknowledge), Some(Action::Resolve)] {
        let mut world = World::new(TEAM);
        world.post("db");
        world.at("00:04:59");
        world.take_seen();
        // The step falls due exactly now; nothing has looked at the timer yet.
        world.passed = Duration::minutes(5);
        let ack = act_input("ana", on(1), Verb::Acknowledge);
        match event {
            None => world.batch(vec![ack], Vec::new()),
            Some(action) => world.batch(Vec::new(), vec![trigger("db").action(action).input()]),
        }
        world.at("00:05:05");
        match event {
            None => world.expect([]),
            Some(Action::Resolve) => world.expect(["ana email mail #1 resolved"]),
            Some(_) => world.expect(["ana email mail #1 acknowledged"]),
        }
        let status = match event {
            Some(Action::Resolve) => "resolved",
            Some(_) | None => "acknowledged",
        };
        world.expect_status(1, status);
        world.expect_nothing_until("02:00:00");
        assert_eq!(
            world
                .state()
                .pages_of(1.into_number())
                .filter(|page| { page.asks() && page.in_flight().is_some() })
                .count(),
            0
        );
    }
}

trait IntoNumber {
    fn into_number(self) -> reveille::engine::ids::IncidentNumber;
}

impl IntoNumber for u64 {
    fn into_number(self) -> reveille::engine::ids::IncidentNumber {
        reveille::engine::ids::IncidentNumber(self)
    }
}

#[test]
fn an_old_link_after_a_re_trigger_does_nothing() {
    let mut world = World::new(TEAM);
    world.post("db");
    let page = world.page_to("ana sms twilio #1");
    world.resolve_event("db");
    world.at("00:00:10");
    world.post("db");
    world.expect(["ana sms twilio #1 page", "ana sms twilio #2 page"]);
    let acted = world.link(page, "ana", Verb::Acknowledge);
    assert!(
        acted.iter().all(|acted| acted.result != ActResult::Done),
        "{acted:?}"
    );
    world.expect_status(2, "triggered");
    let fresh = world.page_to("ana sms twilio #2");
    assert_eq!(
        world.link(fresh, "ana", Verb::Acknowledge)[0].result,
        ActResult::Done
    );
    world.expect_nothing_until("01:00:00");
}

#[test]
fn unacknowledged_starts_a_new_round() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.at("00:05:00");
    world.take_seen();
    world.ack(1, "bo");
    world.at("00:06:00");
    world.take_seen();
    world.does("bo", 1, Verb::Unacknowledge);
    world.wait("00:00:05");
    world.expect(["ana sms twilio #1 page", "ana email mail #1 triggered"]);
    world.ack(1, "ana");
    world.wait("00:00:05");
    world.expect([]);
}

#[test]
fn who_declines_is_paged_no_further_and_the_next_step_starts() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.does("ana", 1, Verb::Decline);
    world.expect(["bo sms twilio #1 page"]);
    world.at("00:03:59");
    world.expect([]);
    world.at("00:04:00");
    world.expect(["bo email mail #1 page"]);
    world.does("bo", 1, Verb::Escalate);
    world.expect(["cy email mail #1 page"]);
    world.ack(1, "cy");
    world.wait("00:00:05");
    world.expect(["bo email mail #1 acknowledged"]);
}

#[test]
fn nobody_gets_a_notice_of_what_they_did() {
    for (acknowledger, resolver) in [("cy", "bo"), ("bo", "cy")] {
        let mut world = World::new(TEAM);
        world.post("db");
        world.does("ana", 1, Verb::Decline);
        world.at("00:03:00");
        world.does("bo", 1, Verb::Escalate);
        world.take_seen();
        world.ack(1, acknowledger);
        world.wait("00:00:05");
        world.expect([format!("{resolver} email mail #1 acknowledged").as_str()]);
        world.does(resolver, 1, Verb::Resolve);
        world.wait("00:00:05");
        world.expect([format!("{acknowledger} email mail #1 resolved").as_str()]);
    }
}

#[test]
fn an_acknowledgment_that_times_out_starts_a_round() {
    let yaml = TEAM.replace(
        "fallback: [user/cy]",
        "fallback: [user/cy]\n    ack_timeout: 30m",
    );
    let mut world = World::new(&yaml);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.expect_nothing_until("00:29:59");
    world.crash_for(Duration::ZERO);
    world.at("00:30:00");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "ack_timeout");
    world.ack(1, "ana");
    world.resolve_event("db");
    world.expect_nothing_until("02:00:00");
}

#[test]
fn a_snooze_keeps_what_was_left_of_the_wait() {
    let mut world = World::new(TEAM);
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:02:00");
    world.snooze(1, "ana", "01:00:00");
    world.expect_status(1, "acknowledged");
    world.expect_nothing_until("01:01:59");
    world.at("01:02:00");
    world.expect(["ana sms twilio #1 page"]);
    world.at("01:04:59");
    world.expect([]);
    world.at("01:05:00");
    world.expect(["bo sms twilio #1 page", "ana email mail #1 page"]);
    world.ack(1, "bo");
    world.wait("00:00:05");
    world.expect(["ana email mail #1 acknowledged"]);
}

#[test]
fn handed_to_somebody_the_former_is_paged_no_further() {
    let mut world = World::new(TEAM);
    world.next(
        "twilio",
        [Play::LooksUp(
            Duration::seconds(20),
            reveille::engine::outcome::Outcome::Accepted,
        )],
    );
    world.post("db");
    world.at("00:00:05");
    world.does("ana", 1, Verb::Reassign { to: user("cy") });
    world.at("00:04:00");
    world.expect(["cy email mail #1 page"]);
    world.at("00:05:05");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "reassigned");
    world.ack(1, "cy");
    world.wait("00:00:05");
    world.expect([]);
}

#[test]
fn handed_to_another_policy_the_people_of_the_former_are_left_alone() {
    let other = "  other:\n    steps: [{ targets: [user/cy], wait: 1h }]\n\nintegrations:";
    let mut world = World::new(&TEAM.replace("\nintegrations:", other));
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.does(
        "ana",
        1,
        Verb::Reassign {
            to: ReassignTo::Policy("other".into()),
        },
    );
    world.expect(["cy email mail #1 page"]);
    world.expect_nothing_until("00:59:00");
    world.ack(1, "cy");
    world.wait("00:00:05");
    world.expect([]);
}

#[test]
fn a_page_by_hand_escalates_like_any_other_and_is_resolved_by_hand() {
    let mut world = World::new(TEAM);
    let answer = world.page_by_hand(user("bo"), "look at the door", Urgency::High);
    assert!(matches!(answer, Answer::Opened(_)), "{answer:?}");
    world.expect(["bo sms twilio #1 page"]);
    world.at("00:05:00");
    world.expect(["bo email mail #1 page", "ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.does(
        "ana",
        1,
        Verb::Note {
            text: "closed it".into(),
        },
    );
    world.does("ana", 1, Verb::Resolve);
    world.wait("00:00:10");
    world.take_seen();
    world.expect_nothing_until("02:00:00");
    assert_eq!(world.incident(1).notes.len(), 1);
    let refused = world.page_by_hand(user("zoe"), "x", Urgency::High);
    assert!(matches!(refused, Answer::Refused(_)));
}

#[test]
fn an_act_under_a_silence_leaves_the_incident_held_and_it_pages_when_the_silence_ends() {
    for verb in [
        Verb::Escalate,
        Verb::Reassign { to: user("cy") },
        Verb::Unacknowledge,
    ] {
        let mut world = World::new(TEAM);
        world.post("db");
        world.expect(["ana sms twilio #1 page"]);
        world.ack(1, "ana");
        world.silence("summary=db", "01:00:00");
        world.does("ana", 1, verb.clone());
        world.expect_status(1, "triggered");
        world.expect_nothing_until("00:59:59");
        world.at("01:00:00");
        world.expect(["ana sms twilio #1 page"]);
        world.ack(1, "ana");
    }
}

#[test]
fn a_timeout_and_a_snooze_that_end_under_a_silence_page_when_it_ends() {
    let yaml = TEAM.replace(
        "fallback: [user/cy]",
        "fallback: [user/cy]\n    ack_timeout: 30m",
    );
    for is_snooze in [true, false] {
        let mut world = World::new(&yaml);
        world.post("db");
        world.expect(["ana sms twilio #1 page"]);
        if is_snooze {
            world.snooze(1, "ana", "00:30:00");
        } else {
            world.ack(1, "ana");
        }
        world.silence("summary=db", "01:00:00");
        world.expect_nothing_until("00:59:59");
        world.expect_status(1, "triggered");
        world.at("01:00:00");
        world.expect(["ana sms twilio #1 page"]);
        world.ack(1, "ana");
    }
}
