//! What depends on a provider: its incidents wait under the provider's, and what it says counts.

use super::TEAM;
use super::acts::{Post, trigger};
use super::providers::{With, check, closed, failed, incident, look, page, unreadable, with};
use super::world::{World, length};
use reveille::engine::decision::IncidentSummary;
use reveille::engine::dependency::Dependency;
use reveille::engine::input::{CheckFound, Verb};
use reveille::engine::provider::ProviderAlert;
use reveille::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use reveille::engine::status_report::{ComponentState, Impact, ReportedIncident};
use reveille::engine::time::Duration;
use reveille::engine::urgency::Urgency;

/// The usual people; the service `chat` depends on one provider, which is never raised by itself.
fn rules(service: &str, provider: &str) -> String {
    format!(
        "{TEAM}\nproviders:\n  helpline: {{ url: \"https://status.example.com\"{provider} }}\n\
         services:\n  chat: {{ depends_on: [provider/helpline]{service} }}\n"
    )
}

fn world(service: &str) -> World {
    let mut world = World::new(&rules(service, ", raise_when: never"));
    look(&mut world, page());
    world
}

/// An own alert of the service that depends on the provider; low urgency.
fn own(key: &str) -> Post {
    trigger(key).severity("warning").label("service", "chat")
}

/// What the last message said of its incident.
fn last(world: &World) -> IncidentSummary {
    let sent = world.sent.last().expect("something was sent");
    sent.order.message.incidents[0].clone()
}

/// The provider has an incident, and Ana is paged about it.
fn provider_fails(world: &mut World, impact: Impact) {
    look(world, with([incident("login", impact)]));
    world.take_seen();
}

#[test]
fn an_alert_of_what_depends_on_a_provider_waits_under_its_incident() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    // Whoever was paged about the provider is told what waits beneath.
    world.at("00:00:15");
    world.expect(["ana email mail #1 joined"]);
    assert_eq!(last(&world).waiting_total, 1);
    assert_eq!(last(&world).waiting[0], "#2 chat is slow".into());
    world.expect_status(2, "triggered");
    world.expect_reason(2, "provider_held");
    world.expect_reason(1, "provider_held");
    assert_eq!(world.state().held_total(), 1);
    world.at("00:01:00");
    // It still fires when the provider is well: it pages for itself.
    look(&mut world, with([closed("login")]));
    world.expect(["ana email mail #1 resolved", "ana email mail #2 page"]);
    world.expect_reason(2, "provider_recovered");
    assert_eq!(world.state().held_total(), 0);
}

#[test]
fn what_is_over_before_its_provider_pages_nobody() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.resolve_event("chat is slow");
    world.expect_status(2, "resolved");
    world.at("00:01:00");
    world.take_seen();
    look(&mut world, with([closed("login")]));
    world.expect(["ana email mail #1 resolved"]);
    assert_eq!(world.state().held_total(), 0);
}

#[test]
fn high_urgency_waits_only_where_the_rules_say_all_and_never_under_what_is_less_urgent() {
    let high = || trigger("chat is down").label("service", "chat");
    let mut low = world("");
    provider_fails(&mut low, Impact::Major);
    low.give(high());
    low.expect(["ana sms twilio #2 page"]);
    low.expect_reason(2, "provider_related");

    let mut all = world(", hold: all");
    provider_fails(&mut all, Impact::Major);
    all.give(high());
    all.expect_nothing_until("00:00:14");
    all.expect_reason(2, "provider_held");

    let mut under_low = world(", hold: all");
    provider_fails(&mut under_low, Impact::Minor);
    under_low.give(high());
    under_low.expect(["ana sms twilio #2 page"]);
}

#[test]
fn without_hold_the_relation_is_only_shown() {
    let mut world = world(", hold: none");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.expect(["ana email mail #2 page"]);
    world.expect_reason(2, "provider_related");
    let told = last(&world).provider_incident.clone();
    assert_eq!(told, Some("#1 Helpline: login is broken".into()));
}

#[test]
fn a_hold_ends_after_two_hours_or_as_the_rules_say() {
    for (service, end) in [("", "02:00:00"), (", hold_for: 20m", "00:20:00")] {
        let mut world = world(service);
        provider_fails(&mut world, Impact::Minor);
        world.give(own("chat is slow"));
        world.at("00:00:15");
        world.take_seen();
        world.until(Duration(length(end).0 - 1_000));
        let own_pages = world
            .take_seen()
            .iter()
            .filter(|it| it.label.contains("#2"))
            .count();
        assert_eq!(own_pages, 0, "{service}");
        world.at(end);
        let seen = world.take_seen();
        assert!(
            seen.iter().any(|it| it.label == "ana email mail #2 page"),
            "{service}"
        );
        world.expect_reason(2, "provider_hold_over");
    }
}

#[test]
fn nothing_waits_because_of_a_page_that_cannot_be_read() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.at("00:00:15");
    world.take_seen();
    unreadable(&mut world, "helpline");
    // What begins now does not wait; what waits does so until it is told that nobody knows.
    world.give(own("chat is slower"));
    world.expect(["ana email mail #3 page"]);
    world.at("00:10:15");
    let labels: Vec<String> = world.take_seen().into_iter().map(|it| it.label).collect();
    assert!(
        labels.contains(&"ana email mail #2 page".to_owned()),
        "{labels:?}"
    );
    world.expect_reason(2, "provider_unknown");
}

#[test]
fn who_resolves_the_provider_s_incident_lets_go_of_what_waits_under_it() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.does("ana", 1, Verb::Resolve);
    let labels: Vec<String> = world.take_seen().into_iter().map(|it| it.label).collect();
    assert!(
        labels.contains(&"ana email mail #2 page".to_owned()),
        "{labels:?}"
    );
}

#[test]
fn nothing_waits_under_what_nobody_is_paged_about() {
    let silent = rules("", ", raise_when: never").replace(
        "route:\n  policy: team\n",
        "route:\n  policy: team\n  routes:\n    - name: quiet\n      policy: none\n      \
         matchers: ['provider=\"helpline\"']\n",
    );
    let mut world = World::new(&silent);
    look(&mut world, page());
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.expect(["ana email mail #2 page"]);
}

#[test]
fn a_component_is_depended_on_by_its_name_and_what_names_none_concerns_all() {
    let on = |component: &str| {
        let rules = rules("", ", raise_when: never");
        rules.replace(
            "[provider/helpline]",
            &format!("[\"provider/helpline/{component}\"]"),
        )
    };
    let named = ReportedIncident {
        components: vec!["c1".into()],
        ..incident("login", Impact::Minor)
    };
    let about_chat = || with([named.clone()]).component("c1", ComponentState::Degraded);
    let about_all = || with([incident("login", Impact::Minor)]);
    let cases = [
        ("Chat", about_chat(), true),
        ("Email / Sending", about_chat(), false),
        ("API", about_all(), true),
    ];
    for (component, report, waits) in cases {
        let mut world = World::new(&on(component));
        look(&mut world, page());
        look(&mut world, report);
        world.take_seen();
        world.give(own("chat is slow"));
        assert_eq!(
            world.state().held_total(),
            usize::from(waits),
            "{component}"
        );
        world.take_seen();
    }
}

#[test]
fn a_person_and_a_higher_urgency_end_the_wait() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.ack(2, "ana");
    assert_eq!(world.state().held_total(), 0);
    world.take_seen();
    world.give(own("chat is slower"));
    assert_eq!(world.state().held_total(), 1);
    world.give(own("chat is slower").severity("critical"));
    world.expect(["ana sms twilio #3 page"]);
    assert_eq!(world.state().held_total(), 0);
}

#[test]
fn who_was_paged_already_is_told_of_the_provider_s_incident() {
    let mut world = world("");
    world.give(own("chat is slow"));
    world.expect(["ana email mail #1 page"]);
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect(["ana email mail #2 page"]);
    world.at("00:00:15");
    world.expect(["ana email mail #1 joined"]);
    let told = last(&world).provider_incident.clone();
    assert_eq!(told, Some("#2 Helpline: login is broken".into()));
    world.expect_reason(1, "provider_related");
}

#[test]
fn enough_own_alerts_make_the_provider_s_incident_urgent_and_it_is_said_why() {
    // Two by default; what began before and what comes later counts the same.
    let mut world = World::new(&rules("", ""));
    look(&mut world, page());
    world.give(own("chat is slow"));
    world.expect(["ana email mail #1 page"]);
    world.at("00:05:00");
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect(["ana email mail #2 page"]);
    world.expect_reason(2, "provider_urgency");
    world.at("00:06:00");
    world.take_seen();
    world.give(own("chat sends nothing"));
    world.expect(["ana sms twilio #2 page"]);
    world.expect_reason(2, "own_alerts");
    let said = world.timeline(2).join("\n");
    assert!(
        said.contains("urgency low: the provider says minor"),
        "{said}"
    );
    assert!(
        said.contains("urgency high: 2 alerts of what depends on it fire (#3, #1)"),
        "{said}"
    );
    // The page's later words lower nothing.
    let mut update = incident("login", Impact::Minor);
    update.text = "Still looking.".into();
    look(&mut world, with([update]));
    let provider = world.state().provider(&"helpline".into()).unwrap().clone();
    let raised = &provider.incidents["login"].alert;
    assert!(matches!(
        raised,
        ProviderAlert::Raised {
            urgency: Urgency::High,
            ..
        }
    ));
    world.take_seen();
}

#[test]
fn alerts_of_long_before_say_nothing_of_a_provider_s_incident() {
    let mut world = World::new(&rules("", ""));
    look(&mut world, page());
    world.give(own("chat is slow"));
    world.give(own("chat sends nothing"));
    world.take_seen();
    world.at("00:11:00");
    world.take_seen();
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect(["ana email mail #3 page"]);
    assert_eq!(world.count_reason(3, "own_alerts"), 0);
}

#[test]
fn components_that_are_worse_than_their_incident_are_named_as_what_decided() {
    let mut world = world("");
    let named = ReportedIncident {
        components: vec!["c1".into()],
        ..incident("login", Impact::Minor)
    };
    look(
        &mut world,
        with([named]).component("c1", ComponentState::MajorOutage),
    );
    world.expect(["ana sms twilio #1 page"]);
    let said = world.timeline(1).join("\n");
    assert!(
        said.contains("urgency high: components that are used are down (critical)"),
        "{said}"
    );
}

#[test]
fn a_crash_loses_no_wait_and_pages_nobody_twice() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.at("00:00:20");
    world.take_seen();
    world.crash_for(Duration::minutes(1));
    assert_eq!(world.state().held_total(), 1);
    world.expect_nothing_until("00:03:00");
    look(&mut world, with([closed("login")]));
    let labels: Vec<String> = world.take_seen().into_iter().map(|it| it.label).collect();
    let pages = labels.iter().filter(|it| *it == "ana email mail #2 page");
    assert_eq!(pages.count(), 1, "{labels:?}");
}

#[test]
fn rules_that_no_longer_let_it_wait_let_go_of_it() {
    let mut world = world("");
    provider_fails(&mut world, Impact::Minor);
    world.give(own("chat is slow"));
    world.at("00:00:15");
    world.take_seen();
    world.replace_rules(&rules(", hold: none", ", raise_when: never"));
    world.expect(["ana email mail #2 page"]);
    world.expect_reason(2, "provider_hold_dropped");
}

#[test]
fn a_channel_whose_provider_is_down_is_tried_last() {
    let channel = |name: &str, depends_on: Vec<Dependency>| ChannelInfo {
        depends_on,
        ..ChannelInfo::new(name.into(), Medium::Sms, Capabilities::default())
    };
    let on = Dependency::parse("provider/helpline").unwrap();
    let channels = vec![channel("first", vec![on]), channel("second", Vec::new())];
    let yaml = rules("", ", raise_when: never, urgency: { major: low }");
    let mut world = World::with(&yaml, channels, super::world::BEGIN);
    look(&mut world, page());
    world.give(trigger("disk"));
    world.expect(["ana sms first #1 page"]);
    provider_fails(&mut world, Impact::Major);
    world.give(trigger("power"));
    world.expect(["ana sms second #3 page"]);
    world.expect_reason(3, "provider_down");
}

/// The usual people, and a provider with two checks that no service depends on.
fn checked(provider: &str) -> String {
    let checks = "checks: { api: { tcp: \"api.example.com:443\" }, \
                  login: { tcp: \"login.example.com:443\", urgency: high } }";
    let url = "url: \"https://status.example.com\"";
    format!("{TEAM}\nproviders:\n  helpline: {{ {url}, {checks}{provider} }}\n")
}

#[test]
fn a_provider_s_own_check_waits_under_its_incident_and_pages_if_it_still_fails_after_it() {
    let mut world = World::new(&checked(", raise_when: never"));
    look(&mut world, page());
    provider_fails(&mut world, Impact::Minor);
    check(&mut world, "helpline/api", failed());
    world.expect_reason(2, "provider_held");
    world.at("00:00:15");
    world.expect(["ana email mail #1 joined"]);
    // An urgent one waits for nothing, and says to what it may be due.
    check(&mut world, "helpline/login", failed());
    world.expect(["ana sms twilio #3 page"]);
    let told = last(&world).provider_incident.clone();
    assert_eq!(told, Some("#1 Helpline: login is broken".into()));
    check(&mut world, "helpline/login", CheckFound::Good);
    world.at("00:01:00");
    world.take_seen();
    look(&mut world, with([closed("login")]));
    world.expect(["ana email mail #1 resolved", "ana email mail #2 page"]);
    world.expect_reason(2, "provider_recovered");
}

#[test]
fn a_provider_s_own_checks_count_as_alerts_that_make_its_incident_urgent() {
    let mut world = World::new(&checked(""));
    look(&mut world, page());
    provider_fails(&mut world, Impact::Minor);
    check(&mut world, "helpline/api", failed());
    assert_eq!(world.count_reason(1, "own_alerts"), 0);
    check(&mut world, "helpline/login", failed());
    let labels: Vec<String> = world.take_seen().into_iter().map(|it| it.label).collect();
    assert!(
        labels.contains(&"ana sms twilio #1 page".to_owned()),
        "{labels:?}"
    );
    let said = world.timeline(1).join("\n");
    let expected = "urgency high: 2 alerts of what depends on it fire (#3, #2)";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_check_that_leaves_its_provider_waits_no_longer_and_pages_nobody() {
    let mut world = World::new(&checked(", raise_when: never"));
    look(&mut world, page());
    provider_fails(&mut world, Impact::Minor);
    check(&mut world, "helpline/api", failed());
    world.expect_reason(2, "provider_held");
    world.at("00:01:00");
    world.take_seen();
    // The same check, of nobody's service: it has another name, and nothing to wait for.
    let alone =
        rules("", ", raise_when: never") + "checks: { api: { tcp: \"api.example.com:443\" } }\n";
    world.replace_rules(&alone);
    world.expect_status(2, "resolved");
    world.expect_reason(2, "check_gone");
    assert_eq!(world.state().held_total(), 0);
    world.expect_nothing_until("00:02:00");
    check(&mut world, "api", failed());
    world.expect(["ana email mail #3 page"]);
}
