//! The router's own trouble, resolved by hand while its cause goes on.

use reveille::engine::cause::Cause;
use reveille::engine::incident::SelfIncident;
use reveille::engine::input::{Input, Verb};
use reveille::engine::outcome::Outcome;

use super::TEAM;
use super::silences::with_schedule;
use super::world::World;

#[test]
fn trouble_with_a_channel_that_was_resolved_by_hand_comes_back_while_it_goes_on() {
    let mut world = World::new(TEAM);
    world.always("twilio", Outcome::RefusedCredential);
    world.post("a");
    world.at("00:00:05");
    assert_eq!(world.own_incidents(), ["channel_credential/twilio"]);
    world.ack(1, "ana");
    world.does("ana", 2, Verb::Resolve);
    world.at("00:20:00");
    world.post("b");
    world.wait("00:00:05");
    world.ack(3, "ana");
    assert!(world.own_incidents().is_empty(), "somebody knows of it");
    world.at("00:40:00");
    world.post("c");
    world.wait("00:00:05");
    assert_eq!(world.own_incidents(), ["channel_credential/twilio"]);
    world.always("twilio", Outcome::Accepted);
    world.ack(4, "ana");
    world.wait("00:02:00");
    world.post("d");
    world.wait("00:00:05");
    assert!(world.own_incidents().is_empty(), "it is mended");
    world.take_seen();
    world.act("ana", super::acts::on(6), Verb::Acknowledge);
    world.take_seen();
}

#[test]
fn a_gap_that_was_resolved_by_hand_comes_back_while_it_goes_on() {
    let daytime = concat!(
        "    time_zone: UTC\n    layers:\n      - users: [ana]\n",
        "        only: [{ from: \"10:00\", to: \"18:00\" }]\n"
    );
    let mut world = World::new(&with_schedule(daytime));
    world.at("00:01:00");
    assert_eq!(world.own_incidents(), ["schedule_gap/primary"]);
    world.does("cy", 1, Verb::Resolve);
    world.at("00:30:00");
    assert!(world.own_incidents().is_empty(), "somebody knows of it");
    world.at("00:32:00");
    assert_eq!(world.own_incidents(), ["schedule_gap/primary"]);
    assert_eq!(world.incident(2).generation, 2);
    world.does("cy", 2, Verb::Resolve);
    world.at("02:02:00");
    assert!(world.own_incidents().is_empty(), "the gap is over");
    world.take_seen();
}

/// Ana hears of everything, again and again.
fn only_ana() -> World {
    World::new(&TEAM.replace("fallback: [user/cy]", "fallback: [user/ana]"))
}

fn disk_is_low() -> Input {
    Input::Raise {
        trouble: SelfIncident {
            cause: Cause::Disk,
            subject: "".into(),
        },
        text: "little space is left on disk".into(),
    }
}

#[test]
fn a_page_of_a_self_incident_that_fails_is_counted_and_raises_no_other() {
    let refusals = [
        Outcome::RefusedCredential,
        Outcome::TlsNameMismatch,
        Outcome::TlsOther,
        Outcome::QuotaExhausted,
        Outcome::Transient,
    ];
    for outcome in refusals {
        let mut world = only_ana();
        world.always("twilio", outcome);
        world.ask(disk_is_low());
        world.at("05:00:00");
        assert_eq!(world.own_incidents(), ["disk/"], "{outcome}");
        let channel = world.state().channel(&"twilio".into()).cloned();
        let channel = channel.expect("it was tried");
        assert!(
            channel.health.failures >= 5,
            "{outcome}: {}",
            channel.health.failures
        );
        assert!(channel.health.fails(), "the audit sees it");
        let story = world.timeline(1).join("\n");
        assert!(story.contains("twilio → ana by phone (sms)"), "{story}");
        world.take_seen();
        world.ack(1, "ana");
        world.take_seen();
    }
}

#[test]
fn trouble_that_only_a_self_incident_met_is_told_when_another_page_meets_it() {
    let mut world = only_ana();
    world.always("twilio", Outcome::RefusedCredential);
    world.ask(disk_is_low());
    world.at("02:00:00");
    assert_eq!(world.own_incidents(), ["disk/"]);
    world.post("db");
    world.wait("00:00:05");
    let own = world.own_incidents();
    assert_eq!(own, ["disk/", "channel_credential/twilio"]);
    world.take_seen();
    for number in [1, 2, 3] {
        world.ack(number, "ana");
    }
    world.take_seen();
}
