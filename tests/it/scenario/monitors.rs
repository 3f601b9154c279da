//! Notifications of Nagios and Icinga 2, read by the mappings of the documentation.

use std::fs;
use std::path::Path;

use reveille::engine::decision::Answer;
use reveille::engine::input::Input;
use reveille::engine::records::{Disposition, Receipt};
use serde_json::{Value, json};

use super::TEAM;
use super::world::World;

/// A world with the integration that a page of the documentation shows.
fn documented(page: &str) -> World {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats");
    let page = fs::read_to_string(path.join(page)).expect("a page");
    let (_, yaml) = page.split_once("```yaml\nintegrations:\n").expect("rules");
    let (integration, _) = yaml.split_once("```").expect("an end");
    let (before, after) = TEAM.split_once("integrations:\n").expect("integrations");
    World::new(&format!("{before}integrations:\n{integration}{after}"))
}

fn post(world: &mut World, integration: &str, body: &Value) -> Receipt {
    let rules = world.rules();
    let format = &rules.integrations[integration];
    let parsed = reveille::inbound::parse(format, body.to_string().as_bytes(), world.wall());
    assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
    let input = Input::Events {
        integration: integration.into(),
        events: parsed.events,
    };
    match world.ask(input) {
        Answer::Receipts(receipts) => Receipt::clone(&receipts[0]),
        other => panic!("not receipts: {other:?}"),
    }
}

/// What the documented command posts.
fn notification(kind: &str, service: &str, state: &str) -> Value {
    let name = if service.is_empty() { "db1" } else { service };
    let mut body = json!({"type": kind, "host": "db1", "service": service, "state": state,
        "output": format!("{name} is {state}"), "name": name});
    if kind == "ACKNOWLEDGEMENT" {
        body["acknowledgement"] = json!(kind);
    }
    body
}

/// Types of notifications and states, with what they are for an alert that does not fire, and for
/// one that does.
const CASES: [(&str, &str, &str, Disposition, Disposition); 13] = {
    use Disposition::{Acknowledged, Ignored, Opened, Repeated, Resolved};
    [
        ("PROBLEM", "disk", "CRITICAL", Opened, Repeated),
        ("PROBLEM", "disk", "UNKNOWN", Opened, Repeated),
        ("PROBLEM", "", "DOWN", Opened, Repeated),
        ("RECOVERY", "disk", "OK", Ignored, Resolved),
        ("RECOVERY", "", "UP", Ignored, Resolved),
        ("ACKNOWLEDGEMENT", "disk", "CRITICAL", Ignored, Acknowledged),
        ("FLAPPINGSTART", "disk", "CRITICAL", Opened, Repeated),
        ("FLAPPINGSTOP", "disk", "OK", Ignored, Resolved),
        ("FLAPPINGEND", "disk", "OK", Ignored, Resolved),
        ("DOWNTIMEEND", "disk", "OK", Ignored, Resolved),
        ("DOWNTIMEEND", "disk", "CRITICAL", Opened, Repeated),
        ("DOWNTIMEREMOVED", "", "UP", Ignored, Resolved),
        ("DOWNTIMECANCELLED", "", "DOWN", Opened, Repeated),
    ]
};

#[test]
fn each_notification_of_nagios_and_icinga_is_read_by_its_state() {
    for (page, integration) in [("nagios.md", "nagios"), ("icinga2.md", "icinga")] {
        for (kind, service, state, quiet, firing) in CASES {
            let mut world = documented(page);
            let receipt = post(&mut world, integration, &notification(kind, service, state));
            assert_eq!(receipt.disposition, quiet, "{page}: {kind} {state}, quiet");
            assert!(receipt.faults.is_empty(), "{:?}", receipt.faults);
            world.take_seen();
            let mut world = documented(page);
            let bad = match (service, state) {
                ("", _) => "DOWN",
                (_, "UNKNOWN") => "UNKNOWN",
                (_, _) => "CRITICAL",
            };
            post(
                &mut world,
                integration,
                &notification("PROBLEM", service, bad),
            );
            let receipt = post(&mut world, integration, &notification(kind, service, state));
            assert_eq!(
                receipt.disposition, firing,
                "{page}: {kind} {state}, firing"
            );
            world.take_seen();
        }
    }
}

#[test]
fn what_recovers_inside_a_downtime_ends_with_the_downtime_and_what_lasts_goes_on() {
    let mut world = documented("icinga2.md");
    let mut give = |kind: &str, state: &str| {
        let receipt = post(&mut world, "icinga", &notification(kind, "disk", state));
        receipt.disposition
    };
    assert_eq!(give("PROBLEM", "CRITICAL"), Disposition::Opened);
    assert_eq!(give("DOWNTIMEEND", "CRITICAL"), Disposition::Repeated);
    assert_eq!(give("PROBLEM", "CRITICAL"), Disposition::Repeated);
    assert_eq!(give("DOWNTIMEEND", "OK"), Disposition::Resolved);
    world.expect_status(1, "resolved");
    world.take_seen();
}
