//! The founding outages, replayed: a provider that calls everything minor, and what its components
//! and our own alerts make of that.

use reveille::engine::status_report::StatusReport;
use reveille::status::{StatusAddress, StatusAnswer, StatusLook, kind};
use serde_json::{Value, json};

use super::TEAM;
use super::acts::{Post, trigger};
use super::providers::look;
use super::world::World;
use crate::harness::founding::{FOUNDING, incident, page};

/// The usual people, and a service that depends on the provider with these settings.
fn world(settings: &str) -> World {
    let mut world = World::new(&format!(
        "{TEAM}\nproviders:\n  helpline: {{ url: \"https://status.example.com\"{settings} }}\n\
         services:\n  support: {{ depends_on: [provider/helpline] }}\n"
    ));
    show(&mut world, &page(None));
    world.expect([]);
    world
}

/// A look at a page that shows this, read as the router reads it.
fn show(world: &mut World, shown: &(Value, Value)) {
    let report = read(world, shown);
    look(world, report);
}

fn read(world: &World, (summary, incidents): &(Value, Value)) -> StatusReport {
    let bodies = [summary.to_string(), incidents.to_string()];
    let answers = bodies.each_ref().map(|body| {
        Some(StatusAnswer {
            status: 200,
            body: body.as_bytes(),
        })
    });
    let statuspage = kind("statuspage").unwrap();
    let address = StatusAddress::parse("https://status.example.com").unwrap();
    let look = StatusLook {
        address: &address,
        answers: &answers,
        now: world.wall(),
    };
    (statuspage.read)(&look).unwrap()
}

/// The page with this incident open, which names its one component in this state.
fn with_component(open: Option<usize>, state: &str) -> (Value, Value) {
    let (mut summary, mut incidents) = page(open);
    let component = json!({"id": "hx0component", "name": "Drafts", "status": state,
        "group": false, "group_id": null});
    summary["components"] = json!([component]);
    if open.is_some() {
        summary["incidents"][0]["components"] = json!([component]);
        incidents["incidents"][0]["components"] = json!([component]);
    }
    (summary, incidents)
}

/// The page once this incident is over.
fn over(number: usize) -> (Value, Value) {
    let (mut summary, mut incidents) = page(Some(number));
    summary["incidents"] = json!([]);
    incidents["incidents"][0] = incident(number, false);
    (summary, incidents)
}

fn labels(world: &mut World) -> Vec<String> {
    world.take_seen().into_iter().map(|it| it.label).collect()
}

/// An own alert with low urgency of what depends on the provider.
fn own(key: &str) -> Post {
    trigger(key).severity("warning").label("service", "support")
}

#[test]
fn what_the_provider_calls_minor_is_urgent_at_once_when_two_own_alerts_say_so() {
    let cases = [
        (2, ["mail is not sent", "mail is not fetched"]),
        (4, ["help pages answer 500", "the help domain answers 500"]),
    ];
    for (number, [first, second]) in cases {
        let mut world = world("");
        show(&mut world, &page(Some(number)));
        world.expect(["ana email mail #1 page"]);
        world.at("00:04:00");
        world.give(own(first));
        world.at("00:04:15");
        world.expect(["ana email mail #1 joined"]);
        world.at("00:09:00");
        world.take_seen();
        world.give(own(second));
        // At once, by the contacts of high urgency, and in one message.
        let seen = world.take_seen();
        let pages: Vec<&str> = seen.iter().map(|it| &*it.label).collect();
        assert_eq!(pages, ["ana sms twilio #1 page"]);
        let paged = &seen[0].order.message.incidents[0];
        assert_eq!(*paged.title, *format!("Helpline: {}", FOUNDING[number].1));
        let waiting: Vec<&str> = paged.waiting.iter().map(|it| &**it).collect();
        assert_eq!(paged.waiting_total, 2);
        assert!(waiting.contains(&&*format!("#2 {first}")), "{waiting:?}");
        assert!(waiting.contains(&&*format!("#3 {second}")), "{waiting:?}");
        let said = world.timeline(1).join("\n");
        for part in [
            "provider_urgency: urgency low: the provider says minor",
            "own_alerts: urgency high: 2 alerts of what depends on it fire (#3, #2)",
        ] {
            assert!(said.contains(part), "{said}");
        }
        world.ack(1, "ana");
        world.take_seen();
        // What fires no more before the provider is well has paged nobody.
        world.resolve_event(first);
        show(&mut world, &over(number));
        world.expect_status(1, "resolved");
        world.wait("00:00:20");
        let pages = labels(&mut world);
        assert!(
            pages.contains(&"ana email mail #3 page".to_owned()),
            "{pages:?}"
        );
        assert!(!pages.iter().any(|page| page.contains("#2")), "{pages:?}");
    }
}

#[test]
fn a_minor_incident_whose_component_is_down_is_as_urgent_as_the_component() {
    let mut world = world("");
    show(&mut world, &with_component(None, "operational"));
    show(&mut world, &with_component(Some(3), "major_outage"));
    world.expect(["ana sms twilio #1 page"]);
    let said = world.timeline(1).join("\n");
    let expected = "urgency high: components that are used are down (critical)";
    assert!(said.contains(expected), "{said}");
    assert_eq!(world.count_reason(1, "own_alerts"), 0);
}

#[test]
fn a_condition_on_titles_keeps_what_names_the_environment_and_what_names_none() {
    let cases = [
        (r#"(?i).*prod(uction)?[- ]?1\\b.*"#, [true; 5]),
        (r"(?i).*prod.*\\b2\\b.*", [true, false, true, false, true]),
        (
            "(?i).*prod(uction)?[- ]?3.*",
            [false, false, false, false, true],
        ),
    ];
    for (condition, counts) in cases {
        for (number, counts) in counts.into_iter().enumerate() {
            let mut world = world(&format!(", match: ['title=~\"{condition}\"']"));
            show(&mut world, &page(Some(number)));
            let title = FOUNDING[number].1;
            let expected = if counts {
                vec!["ana email mail #1 page".to_owned()]
            } else {
                vec![]
            };
            assert_eq!(labels(&mut world), expected, "{condition}: {title}");
        }
    }
}
