//! Watched providers: what a look at a status page pages, and what it never does.

use std::sync::Arc;

use reveille::engine::decision::Answer;
use reveille::engine::event::Text;
use reveille::engine::input::{CheckFound, Input, OwnChecked, PageLook};
use reveille::engine::own_check::CheckTarget;
use reveille::engine::provider::ProviderState;
use reveille::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use reveille::engine::time::{Duration, Timestamp};

use super::TEAM;
use super::world::World;

/// The usual people, with one provider of these settings.
fn team(settings: &str) -> String {
    format!("{TEAM}\nproviders:\n  helpline: {{ url: \"https://status.example.com\"{settings} }}\n")
}

fn world(settings: &str) -> World {
    World::new(&team(settings))
}

/// A page with two groups of components, all well, and no incidents.
pub fn page() -> StatusReport {
    let component = |id: &str, group: Option<&str>, name: &str| ReportedComponent {
        id: id.into(),
        name: name.into(),
        group: group.map(Into::into),
        state: ComponentState::Operational,
    };
    StatusReport {
        page: "page1".into(),
        name: "Helpline".into(),
        components: vec![
            component("c1", None, "Chat"),
            component("c2", Some("Email"), "Sending"),
            component("c3", Some("Email"), "Receiving"),
            component("c4", None, "API"),
        ],
        incidents: vec![closed("old").into()],
        listing: Listing::WithHistory,
        unknown_words: Vec::new(),
        skipped_components: 0,
        skipped_incidents: 0,
    }
}

pub fn incident(id: &str, impact: Impact) -> ReportedIncident {
    ReportedIncident {
        id: id.into(),
        title: format!("{id} is broken").into(),
        text: "We are looking into it.".into(),
        url: Some(format!("https://status.example.com/incidents/{id}").into()),
        impact,
        phase: ReportPhase::Open,
        state_word: "investigating".into(),
        is_maintenance: false,
        components: Vec::new(),
        started_at: None,
        updated_at: None,
        window: None,
    }
}

pub fn closed(id: &str) -> ReportedIncident {
    ReportedIncident {
        phase: ReportPhase::Closed,
        state_word: "resolved".into(),
        ..incident(id, Impact::Critical)
    }
}

/// The page with these incidents in front of its old ones.
pub fn with(incidents: impl IntoIterator<Item = ReportedIncident>) -> StatusReport {
    let mut page = page();
    let mut all: Vec<Arc<ReportedIncident>> = incidents.into_iter().map(Arc::new).collect();
    all.append(&mut page.incidents);
    page.incidents = all;
    page
}

/// A page with one component in another state.
pub trait With {
    fn component(self, id: &str, state: ComponentState) -> Self;
}

impl With for StatusReport {
    fn component(mut self, id: &str, state: ComponentState) -> Self {
        let component = self.components.iter_mut().find(|known| *known.id == *id);
        component.expect("the page has it").state = state;
        self
    }
}

/// The address of a provider, or that of the usual one if it is not in the rules.
pub fn url_of(world: &World, name: &str) -> Text {
    let rules = world.rules();
    let provider = rules.providers.get(name);
    provider.map_or_else(
        || "https://status.example.com".into(),
        |it| it.page.url.clone(),
    )
}

pub fn look_of(world: &mut World, name: &str, report: StatusReport, flips: bool) -> bool {
    let look = PageLook::Read {
        report: Box::new(report),
        kind: "statuspage".into(),
        flips,
    };
    let input = Input::LookedAt {
        provider: name.into(),
        url: url_of(world, name),
        look,
    };
    match world.ask(input) {
        Answer::LookedAt { again } => again,
        other => panic!("{other:?}"),
    }
}

/// A look at the page of the one provider. Whether the next one matters though it finds the same.
pub fn look(world: &mut World, report: StatusReport) -> bool {
    look_of(world, "helpline", report, false)
}

pub fn unreadable(world: &mut World, name: &str) {
    let input = Input::LookedAt {
        provider: name.into(),
        url: url_of(world, name),
        look: PageLook::Unreadable("it answered 503".into()),
    };
    world.ask(input);
}

fn state(world: &World) -> Arc<ProviderState> {
    let known = world.state().provider(&"helpline".into());
    known.expect("it was looked at").clone()
}

/// Why an open incident of the page has no alert.
fn why_not(world: &World, id: &str) -> String {
    use reveille::engine::provider::ProviderAlert;
    match &state(world).incidents[id].alert {
        ProviderAlert::None { why, .. } => why.as_str().to_owned(),
        raised @ ProviderAlert::Raised { .. } => panic!("{raised:?}"),
    }
}

#[test]
fn what_is_on_the_page_at_the_first_look_is_shown_and_pages_nobody() {
    let mut world = world("");
    let first = with([incident("login", Impact::Critical), closed("mail")])
        .component("c4", ComponentState::MajorOutage);
    look(&mut world, first.clone());
    look(&mut world, first);
    world.expect_nothing_until("01:00:00");
    assert_eq!(why_not(&world, "login"), "provider_open_when_added");
    let state = state(&world);
    let past: Vec<&str> = state.past.iter().map(|past| &*past.id).collect();
    assert_eq!(past, ["mail", "old"]);
    assert_eq!(state.components.len(), 1);
}

#[test]
fn what_is_open_at_the_first_look_pages_where_the_rules_want_it() {
    let mut world = world(", on_add: page");
    look(
        &mut world,
        with([incident("login", Impact::Critical), closed("mail")]),
    );
    world.expect(["ana sms twilio #1 page"]);
}

#[test]
fn what_was_open_when_added_pages_once_it_is_worse() {
    let mut world = world("");
    look(&mut world, with([incident("login", Impact::Minor)]));
    let mut update = incident("login", Impact::Minor);
    update.text = "Still looking.".into();
    look(&mut world, with([update]));
    world.expect_nothing_until("00:10:00");
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
}

#[test]
fn one_incident_is_one_alert_over_all_its_updates_and_ends_with_the_page_s_word() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    let update = |word: &str, text: &str| ReportedIncident {
        state_word: word.into(),
        text: text.into(),
        ..incident("login", Impact::Major)
    };
    look(&mut world, with([update("identified", "Found.")]));
    look(&mut world, with([update("monitoring", "Fixed, we think.")]));
    world.expect_nothing_until("00:01:00");
    let resolved = ReportedIncident {
        phase: ReportPhase::Closed,
        ..update("postmortem", "What happened.")
    };
    look(&mut world, with([resolved.clone()]));
    world.expect_status(1, "resolved");
    world.expect_status(1, "resolved");
    // An edit of what is over pages nobody, days later as well.
    let edited = ReportedIncident {
        impact: Impact::Critical,
        text: "What really happened.".into(),
        ..resolved
    };
    look(&mut world, with([edited]));
    world.expect_nothing_until("48:00:00");
    assert_eq!(state(&world).past[0].impact, Impact::Critical);
}

#[test]
fn an_incident_that_its_page_opens_again_pages_again() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    look(&mut world, with([closed("login")]));
    world.expect_status(1, "resolved");
    world.at("01:00:00");
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #2 page"]);
}

#[test]
fn the_impact_decides_on_urgency_and_a_raise_pages_again_while_a_fall_does_not() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect(["ana email mail #1 page"]);
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "urgency_raised");
    look(&mut world, with([incident("login", Impact::Critical)]));
    world.expect(["ana sms twilio #1 page"]);
    world.expect_reason(1, "provider_worse");
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect_nothing_until("00:01:00");
    look(&mut world, with([closed("login")]));
    world.expect(["ana email mail #1 resolved"]);
}

#[test]
fn an_outage_without_impact_is_not_nothing() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::None)]));
    world.expect(["ana email mail #1 page"]);
}

#[test]
fn a_component_that_it_names_makes_an_incident_as_bad_as_it_is() {
    let mut world = world("");
    look(&mut world, page());
    let named = ReportedIncident {
        components: vec!["c1".into()],
        ..incident("chat", Impact::Minor)
    };
    look(
        &mut world,
        with([named]).component("c1", ComponentState::MajorOutage),
    );
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(state(&world).incidents["chat"].impact, Impact::Critical);
}

#[test]
fn the_rules_say_which_impact_is_urgent_and_which_pages_nobody() {
    let mut world = world(", urgency: { minor: high, major: none }");
    look(&mut world, page());
    look(&mut world, with([incident("a", Impact::Minor)]));
    world.expect(["ana sms twilio #1 page"]);
    look(
        &mut world,
        with([incident("a", Impact::Minor), incident("b", Impact::Major)]),
    );
    world.expect_nothing_until("00:01:00");
    assert_eq!(why_not(&world, "b"), "provider_urgency_none");
    world.ask(Input::RulesChanged);
    look(
        &mut world,
        with([closed("a"), incident("b", Impact::Critical)]),
    );
    world.expect(["ana sms twilio #2 page"]);
    world.expect_status(1, "resolved");
}

#[test]
fn a_filter_narrows_what_is_scoped_and_what_is_not_scoped_counts() {
    let filter = r#", match: ['component=~"Chat|Email / .*"', 'title=~"(?i).*production 1.*"']"#;
    let named = |id: &str, title: &str, components: &[&str]| ReportedIncident {
        title: title.into(),
        components: components.iter().map(|&id| id.into()).collect(),
        ..incident(id, Impact::Major)
    };
    let cases = [
        (
            "a component that is used",
            named("a", "Chat is slow", &["c1"]),
            true,
        ),
        (
            "a component of a group",
            named("b", "Mail", &["c4", "c3"]),
            true,
        ),
        (
            "another component",
            named("c", "API, production 1", &["c4"]),
            false,
        ),
        (
            "its environment in the title",
            named("d", "Errors on Production 1", &[]),
            true,
        ),
        (
            "another environment",
            named("e", "Errors on Production 2", &[]),
            false,
        ),
        ("both", named("f", "Errors on Production 1 & 2", &[]), true),
        (
            "nothing is said",
            named("g", "Pages answer 500, pods affected", &[]),
            true,
        ),
    ];
    for (what, incident, pages) in cases {
        let mut world = world(filter);
        look(&mut world, page());
        let id = incident.id.clone();
        look(&mut world, with([incident]));
        if pages {
            assert_eq!(world.take_seen().len(), 1, "{what}");
        } else {
            world.expect([]);
            assert_eq!(why_not(&world, &id), "provider_filter", "{what}");
        }
    }
}

#[test]
fn what_is_left_out_pages_once_it_names_what_is_used() {
    let mut world = world(r#", match: ['component="Chat"']"#);
    look(&mut world, page());
    let named = |components: &[&str]| ReportedIncident {
        components: components.iter().map(|&id| id.into()).collect(),
        ..incident("wide", Impact::Major)
    };
    look(&mut world, with([named(&["c4"])]));
    world.expect_nothing_until("00:05:00");
    look(&mut world, with([named(&["c4", "c1"])]));
    world.expect(["ana sms twilio #1 page"]);
    // Once told, it stays ours until it ends.
    look(&mut world, with([named(&["c4"])]));
    world.expect_status(1, "triggered");
    look(&mut world, with([closed("wide")]));
    world.expect_status(1, "resolved");
}

#[test]
fn an_incident_that_is_no_longer_listed_is_over_at_the_second_look_only() {
    for (listing, reason) in [
        (Listing::WithHistory, "provider_withdrawn"),
        (Listing::OpenOnly, "provider_unlisted"),
    ] {
        let of = |report: StatusReport| StatusReport { listing, ..report };
        let mut world = world("");
        look(&mut world, of(page()));
        look(&mut world, of(with([incident("login", Impact::Major)])));
        world.expect(["ana sms twilio #1 page"]);
        assert!(look(&mut world, of(page())), "the next look matters");
        world.expect_status(1, "triggered");
        // It was only left out once.
        look(&mut world, of(with([incident("login", Impact::Major)])));
        look(&mut world, of(page()));
        world.expect_status(1, "triggered");
        assert!(!look(&mut world, of(page())));
        world.expect_status(1, "resolved");
        world.expect_reason(1, reason);
        let is_withdrawn = state(&world).past.iter().any(|past| past.is_withdrawn);
        assert_eq!(is_withdrawn, listing == Listing::WithHistory);
    }
}

#[test]
fn where_records_could_not_be_read_what_is_missing_is_not_over() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    let partly = StatusReport {
        skipped_incidents: 1,
        ..page()
    };
    for _ in 0..5 {
        assert!(look(&mut world, partly.clone()), "the next look matters");
    }
    world.expect_status(1, "triggered");
    look(&mut world, page());
    look(&mut world, page());
    world.expect_status(1, "resolved");
}

#[test]
fn what_is_not_believed_ends_nothing_and_is_told_until_it_is_accepted() {
    let other = StatusReport {
        page: "page2".into(),
        ..page()
    };
    let collapsed = StatusReport {
        components: page().components[..1].to_vec(),
        ..page()
    };
    let forgotten = StatusReport {
        incidents: Vec::new(),
        ..page()
    };
    for doubtful in [other, collapsed, forgotten] {
        let mut world = world("");
        look(&mut world, page());
        look(&mut world, with([incident("login", Impact::Major)]));
        world.expect(["ana sms twilio #1 page"]);
        for _ in 0..5 {
            assert!(look(&mut world, doubtful.clone()));
        }
        world.expect_status(1, "triggered");
        world.at("00:04:00");
        world.expect(["ana email mail #1 page"]);
        world.at("00:15:00");
        assert_eq!(world.own_incidents(), ["provider_unreadable/helpline"]);
        let why = state(&world)
            .unreadable
            .clone()
            .expect("it is in doubt")
            .why;
        assert!(why.contains("reveille providers accept helpline"), "{why}");
        world.take_seen();
        world.ask(Input::AcceptPage("helpline".into()));
        look(&mut world, doubtful.clone());
        assert_eq!(world.own_incidents(), Vec::<String>::new());
        look(&mut world, doubtful);
        world.expect_status(1, "resolved");
        world.take_seen();
    }
}

#[test]
fn a_page_that_cannot_be_read_is_unknown_and_told_with_low_urgency_after_ten_minutes() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.take_seen();
    world.ack(1, "ana");
    world.take_seen();
    unreadable(&mut world, "helpline");
    let commits = world.commits();
    unreadable(&mut world, "helpline");
    assert_eq!(world.commits(), commits, "nothing new, nothing written");
    world.expect_nothing_until("00:09:59");
    world.at("00:12:00");
    world.expect(["ana email mail #2 page"]);
    world.expect_status(1, "acknowledged");
    // It can be read again, and the incident is still there.
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana email mail #2 resolved"]);
    world.expect_status(1, "acknowledged");
}

#[test]
fn a_page_that_is_read_again_in_time_is_told_to_nobody() {
    let mut world = world("");
    look(&mut world, page());
    unreadable(&mut world, "helpline");
    world.at("00:09:00");
    look(&mut world, page());
    world.expect_nothing_until("01:00:00");
}

#[test]
fn many_pages_that_cannot_be_read_together_are_our_own_trouble_and_no_provider_s() {
    let names: Vec<String> = (0..12).map(|number| format!("p{number}")).collect();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("  {name}: {{ url: \"https://{name}.example.com\" }}\n"))
        .collect();
    let mut world = World::new(&format!("{TEAM}\nproviders:\n{}", lines.concat()));
    for name in &names {
        look_of(&mut world, name, page(), false);
    }
    for name in &names[..5] {
        unreadable(&mut world, name);
    }
    world.at("00:20:00");
    assert_eq!(world.own_incidents(), ["providers_unreadable/"]);
    world.expect(["ana email mail #1 page"]);
    for name in &names[..4] {
        look_of(&mut world, name, page(), false);
    }
    // The one that is left is its own trouble now.
    world.at("00:30:00");
    assert_eq!(world.own_incidents(), ["provider_unreadable/p4"]);
    world.expect(["ana email mail #1 resolved", "ana email mail #5 page"]);
}

#[test]
fn all_pages_of_one_kind_that_cannot_be_read_together_are_its_host_s_trouble() {
    let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("  {name}: {{ url: \"https://{name}.example.com\" }}\n"))
        .collect();
    let mut world = World::new(&format!("{TEAM}\nproviders:\n{}", lines.concat()));
    for (number, name) in names.iter().enumerate() {
        let kind = if number < 3 { "slack" } else { "statuspage" };
        let look = PageLook::Read {
            report: Box::new(page()),
            kind: kind.into(),
            flips: false,
        };
        let url = url_of(&world, name);
        world.ask(Input::LookedAt {
            provider: name.as_str().into(),
            url,
            look,
        });
    }
    for name in &names[..3] {
        unreadable(&mut world, name);
    }
    world.at("00:20:00");
    assert_eq!(world.own_incidents(), ["providers_unreadable/slack"]);
    world.take_seen();
    for name in &names[..3] {
        look_of(&mut world, name, page(), false);
    }
    assert_eq!(world.own_incidents(), Vec::<String>::new());
    world.take_seen();
}

#[test]
fn a_component_that_is_down_without_an_incident_is_an_alert_and_joins_the_one_that_names_it() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport| report.component("c1", ComponentState::MajorOutage);
    look(&mut world, down(page()));
    world.expect(["ana sms twilio #1 page"]);
    let named = ReportedIncident {
        components: vec!["c1".into()],
        ..incident("chat", Impact::Critical)
    };
    look(&mut world, down(with([named.clone()])));
    world.expect_nothing_until("00:01:00");
    assert!(
        world
            .state()
            .headline(&world.incident(1))
            .contains("chat is broken")
    );
    // The component is well before the incident is over: once told, it stays until it ends.
    look(&mut world, with([named]));
    world.expect_status(1, "triggered");
    look(&mut world, with([closed("chat")]));
    world.expect_status(1, "resolved");
    world.expect_nothing_until("01:00:00");
}

#[test]
fn a_component_that_stays_down_after_its_incident_is_an_alert_at_the_second_look() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport| report.component("c1", ComponentState::MajorOutage);
    look(&mut world, down(with([incident("all", Impact::Critical)])));
    world.expect(["ana sms twilio #1 page"]);
    assert!(look(&mut world, down(with([closed("all")]))));
    world.expect_status(1, "resolved");
    look(&mut world, down(with([closed("all")])));
    world.expect(["ana sms twilio #2 page"]);
    look(&mut world, with([closed("all")]));
    world.expect_status(2, "resolved");
}

#[test]
fn where_components_flip_one_counts_at_the_second_look() {
    let mut world = world("");
    look_of(&mut world, "helpline", page(), true);
    let down = page().component("c1", ComponentState::MajorOutage);
    assert!(look_of(&mut world, "helpline", down.clone(), true));
    look_of(&mut world, "helpline", page(), true);
    assert!(look_of(&mut world, "helpline", down.clone(), true));
    world.expect_nothing_until("00:01:00");
    assert!(!look_of(&mut world, "helpline", down, true));
    world.expect(["ana sms twilio #1 page"]);
}

#[test]
fn a_component_that_gets_worse_pages_again_and_one_that_is_unknown_is_not_well() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, page().component("c1", ComponentState::Degraded));
    world.expect(["ana email mail #1 page"]);
    look(
        &mut world,
        page().component("c1", ComponentState::PartialOutage),
    );
    world.expect(["ana sms twilio #1 page"]);
    look(&mut world, page().component("c1", ComponentState::Unknown));
    world.expect_status(1, "triggered");
    look(
        &mut world,
        page().component("c1", ComponentState::Maintenance),
    );
    world.expect_status(1, "resolved");
}

#[test]
fn components_that_are_not_used_are_shown_and_page_nobody() {
    let mut world = world(r#", match: ['component="Chat"']"#);
    look(&mut world, page());
    look(
        &mut world,
        page().component("c4", ComponentState::MajorOutage),
    );
    world.expect_nothing_until("01:00:00");
    assert!(state(&world).components.contains_key("c4"));
}

#[test]
fn a_maintenance_is_in_progress_by_the_clock_and_pages_only_where_the_rules_want_it() {
    for (settings, pages) in [("", false), (", urgency: { maintenance: low }", true)] {
        let mut world = world(settings);
        look(&mut world, page());
        let begins = world.wall() + Duration::hours(1);
        let window = |phase| ReportedIncident {
            phase,
            is_maintenance: true,
            window: Some((begins, Some(begins + Duration::hours(2)))),
            ..incident("upgrade", Impact::Maintenance)
        };
        // Some pages call a maintenance by the same word before it begins.
        look(&mut world, with([window(ReportPhase::Open)]));
        world.expect_nothing_until("01:00:00");
        look(&mut world, with([window(ReportPhase::Scheduled)]));
        if pages {
            world.expect(["ana email mail #1 page"]);
        } else {
            world.expect([]);
            assert_eq!(why_not(&world, "upgrade"), "provider_urgency_none");
        }
        world.at("03:00:00");
        look(&mut world, with([window(ReportPhase::Open)]));
        world.take_seen();
        assert!(state(&world).incidents.is_empty(), "its window is over");
    }
}

#[test]
fn a_restart_repeats_nothing_and_misses_nothing() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    world.wait("00:00:10");
    world.crash_for(Duration::seconds(30));
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect([]);
    world.crash_for(Duration::seconds(30));
    // What began and what ended while it was away.
    look(
        &mut world,
        with([closed("login"), incident("mail", Impact::Minor)]),
    );
    world.expect(["ana email mail #2 page"]);
    world.expect_status(1, "resolved");
}

#[test]
fn alerts_of_a_provider_that_is_no_longer_watched_are_over() {
    let moved = TEAM.to_owned()
        + "\nproviders:\n  helpline: { url: \"https://status.other.example.com\" }\n";
    for rules in [TEAM.to_owned(), moved] {
        let mut world = world("");
        look(&mut world, page());
        let down = with([incident("login", Impact::Major)]);
        look(&mut world, down.component("c1", ComponentState::Degraded));
        world.expect(["ana sms twilio #1 page"]);
        world.replace_rules(&rules);
        world.expect_status(1, "resolved");
        world.expect_reason(1, "provider_gone");
        assert!(world.state().provider(&"helpline".into()).is_none());
        // A look that was under way meanwhile.
        look(&mut world, with([incident("login", Impact::Major)]));
        world.expect_nothing_until("00:30:00");
    }
}

#[test]
fn its_alerts_are_routed_by_what_is_said_of_them() {
    let yaml = team(r#", labels: { team: support }, service: support-desk"#).replace(
        "  group_by: [\"...\"]\n",
        "  group_by: [\"...\"]
  routes:
    - name: support
      matchers:
        - 'integration=\"provider/helpline\"'
        - 'team=support'
        - 'impact=major'
        - 'class=provider_incident'
      urgency: low
      resolve_after: 5m
",
    );
    let mut world = World::new(&yaml);
    look(&mut world, page());
    let started = ReportedIncident {
        started_at: Some(Timestamp(world.wall().0 - 20 * 3_600_000)),
        ..incident("login", Impact::Major)
    };
    look(&mut world, with([started]));
    world.expect(["ana email mail #1 page"]);
    let shown = world.incident(1);
    assert_eq!(shown.service.as_deref(), Some("support-desk"));
    assert_eq!(&*shown.title, "Helpline: login is broken");
    // A page is looked at all the time and told when it changes: no report is no end.
    world.at("00:20:00");
    world.expect_status(1, "triggered");
}

fn naming(id: &str, impact: Impact, components: &[&str]) -> ReportedIncident {
    ReportedIncident {
        components: components.iter().map(|&id| id.into()).collect(),
        ..incident(id, impact)
    }
}

/// No alert of the provider fires any more.
fn expect_quiet(world: &World) {
    let firing = world.state().alerts().filter(|alert| alert.firing);
    let titles: Vec<String> = firing.map(|alert| alert.title().to_string()).collect();
    assert_eq!(titles, Vec::<String>::new());
}

#[test]
fn an_incident_that_names_a_component_later_takes_its_alert_over() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport, state| report.component("c1", state);
    let partial = ComponentState::PartialOutage;
    look(
        &mut world,
        down(with([naming("api", Impact::Major, &["c4"])]), partial),
    );
    assert_eq!(
        world.take_seen().len(),
        2,
        "the incident and the other component"
    );
    // Its next update names that component as well, which is worse by now.
    let wide = || with([naming("api", Impact::Major, &["c4", "c1"])]);
    look(&mut world, down(wide(), ComponentState::MajorOutage));
    world.expect(["ana sms twilio #1 page"]);
    world.expect_status(2, "resolved");
    look(&mut world, wide());
    look(&mut world, with([closed("api")]));
    expect_quiet(&world);
}

#[test]
fn a_component_down_again_beside_the_incident_that_took_its_alert_has_one_of_its_own() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport| report.component("c1", ComponentState::MajorOutage);
    look(&mut world, down(page()));
    world.expect(["ana sms twilio #1 page"]);
    look(
        &mut world,
        down(with([naming("chat", Impact::Critical, &["c1"])])),
    );
    world.expect([]);
    let elsewhere = || with([naming("chat", Impact::Critical, &["c4"])]);
    look(&mut world, down(elsewhere()));
    look(&mut world, down(elsewhere()));
    world.expect(["ana sms twilio #2 page"]);
    look(&mut world, elsewhere());
    world.expect_status(2, "resolved");
    world.expect_status(1, "triggered");
    look(&mut world, with([closed("chat")]));
    world.expect_status(1, "resolved");
    expect_quiet(&world);
}

#[test]
fn an_incident_that_pages_nobody_covers_no_component() {
    let mut world = world("");
    look(&mut world, with([incident("old news", Impact::Minor)]));
    let down = with([incident("old news", Impact::Minor)]);
    look(
        &mut world,
        down.component("c4", ComponentState::MajorOutage),
    );
    world.expect(["ana sms twilio #1 page"]);
}

#[test]
fn what_a_person_resolved_pages_again_only_when_it_is_worse() {
    let mut world = world("");
    look(&mut world, page());
    let started = Timestamp(world.wall().0 - 3_600_000);
    let with_start = |impact, text: &str| ReportedIncident {
        started_at: Some(started),
        text: text.into(),
        ..incident("login", impact)
    };
    look(
        &mut world,
        with([with_start(Impact::Minor, "We look into it.")]),
    );
    world.expect(["ana email mail #1 page"]);
    world.does("ana", 1, reveille::engine::input::Verb::Resolve);
    world.take_seen();
    // Long after the hold of a person's resolve an update that is no worse is only noted.
    world.at("01:00:00");
    look(
        &mut world,
        with([with_start(Impact::Minor, "Still at it.")]),
    );
    world.expect_nothing_until("01:30:00");
    look(
        &mut world,
        with([with_start(Impact::Critical, "It is down.")]),
    );
    world.expect(["ana sms twilio #2 page"]);
    world.does("ana", 2, reveille::engine::input::Verb::Resolve);
    world.take_seen();
    world.wait("00:01:00");
    // An incident that takes over the alert of a component that a person resolved.
    look(
        &mut world,
        with([closed("login")]).component("c2", ComponentState::Degraded),
    );
    world.expect(["ana email mail #3 page"]);
    world.does("ana", 3, reveille::engine::input::Verb::Resolve);
    world.take_seen();
    let named = ReportedIncident {
        started_at: Some(started),
        ..naming("mail", Impact::Critical, &["c2"])
    };
    let report = with([closed("login"), named]);
    look(&mut world, report.component("c2", ComponentState::Degraded));
    world.expect(["ana sms twilio #4 page"]);
}

#[test]
fn a_raise_pages_again_on_routes_that_fix_the_urgency_and_only_above_the_worst_that_was_told() {
    let yaml = team("").replace(
        "  group_by: [\"...\"]\n",
        "  group_by: [\"...\"]\n  urgency: high\n",
    );
    let mut world = World::new(&yaml);
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Minor)]));
    world.expect(["ana sms twilio #1 page"]);
    world.wait("00:00:10");
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    world.wait("00:00:10");
    world.ack(1, "ana");
    for _ in 0..5 {
        look(&mut world, with([incident("login", Impact::Minor)]));
        look(&mut world, with([incident("login", Impact::Major)]));
    }
    world.expect_nothing_until("00:10:00");
    world.expect_status(1, "acknowledged");
    look(&mut world, with([incident("login", Impact::Critical)]));
    world.expect(["ana sms twilio #1 page"]);
}

#[test]
fn what_is_edited_stays_in_its_incident_whatever_routes_match() {
    let yaml = team("").replace(
        "  group_by: [\"...\"]\n",
        "  group_by: [provider, impact, component]\n",
    );
    let mut world = World::new(&yaml);
    look(&mut world, page());
    look(
        &mut world,
        with([naming("login", Impact::Critical, &["c1"])]),
    );
    world.expect(["ana sms twilio #1 page"]);
    let edited = ReportedIncident {
        title: "Logins of some customers fail".into(),
        ..naming("login", Impact::Minor, &["c1", "c2"])
    };
    look(&mut world, with([edited]));
    world.expect_nothing_until("00:01:00");
    assert_eq!(
        &*world.incident(1).title,
        "Helpline: Logins of some customers fail"
    );
    look(&mut world, with([closed("login")]));
    expect_quiet(&world);
}

#[test]
fn very_many_components_that_go_down_at_once_are_so_many_alerts_at_most_and_all_end() {
    let many = |state| {
        let mut page = page();
        page.components = (0..1_500)
            .map(|number| ReportedComponent {
                id: format!("c{number}").into(),
                name: format!("Part {number}").into(),
                group: None,
                state,
            })
            .collect();
        page
    };
    let mut world = world("");
    look(&mut world, many(ComponentState::Operational));
    for _ in 0..3 {
        look(&mut world, many(ComponentState::MajorOutage));
    }
    let firing = world.state().alerts().filter(|alert| alert.firing).count();
    assert_eq!(firing, ProviderState::COMPONENTS_ALERTED_MAX);
    assert_eq!(
        state(&world).components.len(),
        ProviderState::COMPONENTS_MAX
    );
    look(&mut world, many(ComponentState::Operational));
    expect_quiet(&world);
    world.take_seen();
}

#[test]
fn very_many_incidents_are_followed_as_far_as_there_is_room_and_all_end() {
    let many = |count: usize| {
        with((0..count).map(|number| incident(&format!("i{number}"), Impact::Minor)))
    };
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, many(250));
    look(&mut world, many(250));
    let open = state(&world).incidents.len();
    assert_eq!(open, ProviderState::INCIDENTS_MAX);
    look(
        &mut world,
        with((0..250).map(|number| closed(&format!("i{number}")))),
    );
    expect_quiet(&world);
    world.take_seen();
}

#[test]
fn a_row_that_is_never_readable_keeps_nothing_open_for_ever() {
    let skipping = |report: StatusReport| StatusReport {
        skipped_incidents: 1,
        listing: Listing::OpenOnly,
        ..report
    };
    let mut world = world("");
    look(&mut world, skipping(page()));
    look(
        &mut world,
        skipping(with([incident("login", Impact::Major)])),
    );
    world.expect(["ana sms twilio #1 page"]);
    look(&mut world, skipping(page()));
    look(&mut world, skipping(page()));
    world.expect_status(1, "resolved");
}

#[test]
fn an_empty_history_is_doubted_while_something_is_open_and_not_for_ever() {
    let forgotten = || StatusReport {
        incidents: Vec::new(),
        ..page()
    };
    let mut world = world("");
    look(&mut world, page());
    assert!(
        !look(&mut world, forgotten()),
        "nothing is open: nothing is lost"
    );
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    look(&mut world, forgotten());
    world.at("05:00:00");
    look(&mut world, forgotten());
    world.expect_status(1, "triggered");
    world.at("07:00:00");
    look(&mut world, forgotten());
    look(&mut world, forgotten());
    world.expect_status(1, "resolved");
    world.take_seen();
}

#[test]
fn trouble_with_many_pages_ends_when_they_are_no_longer_many() {
    let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    let rules = |names: &[String]| {
        let lines = names
            .iter()
            .map(|name| format!("  {name}: {{ url: \"https://{name}.example.com\" }}\n"));
        format!("{TEAM}\nproviders:\n{}", lines.collect::<String>())
    };
    let mut world = World::new(&rules(&names));
    for name in &names {
        look_of(&mut world, name, page(), false);
    }
    for name in &names[..12] {
        unreadable(&mut world, name);
    }
    world.at("00:20:00");
    assert_eq!(world.own_incidents(), ["providers_unreadable/"]);
    // Eight that stay dead of forty are no fifth: each is told by itself.
    for name in &names[..4] {
        look_of(&mut world, name, page(), false);
    }
    assert_eq!(world.own_incidents().len(), 8);
    world.take_seen();
    world.replace_rules(&rules(&names[12..]));
    assert_eq!(world.own_incidents(), Vec::<String>::new());
    world.take_seen();
}

#[test]
fn a_look_at_an_address_that_is_no_longer_the_provider_s_says_nothing() {
    let mut world = world("");
    let input = Input::LookedAt {
        provider: "helpline".into(),
        url: "https://old.example.com".into(),
        look: PageLook::Read {
            report: Box::new(with([incident("login", Impact::Critical)])),
            kind: "statuspage".into(),
            flips: false,
        },
    };
    world.ask(input);
    assert!(world.state().provider(&"helpline".into()).is_none());
}

#[test]
fn a_component_that_is_worse_than_its_incident_has_an_alert_of_its_own() {
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("slow", Impact::Minor)]));
    world.expect(["ana email mail #1 page"]);
    let down = with([incident("slow", Impact::Minor)]);
    look(
        &mut world,
        down.component("c4", ComponentState::MajorOutage),
    );
    world.expect(["ana sms twilio #2 page"]);
}

#[test]
fn an_incident_that_names_nothing_is_not_about_what_has_been_down_for_long() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport| report.component("c1", ComponentState::MajorOutage);
    look(&mut world, down(page()));
    world.expect(["ana sms twilio #1 page"]);
    world.wait("00:00:10");
    world.ack(1, "ana");
    world.at("26:00:00");
    look(&mut world, down(with([incident("login", Impact::Major)])));
    world.expect(["ana sms twilio #2 page"]);
}

#[test]
fn an_incident_that_takes_several_alerts_over_was_told_the_worst_of_them() {
    let mut world = world("");
    look(&mut world, page());
    let down = |report: StatusReport| {
        let report = report.component("c1", ComponentState::Degraded);
        report.component("c2", ComponentState::MajorOutage)
    };
    look(&mut world, down(page()));
    world.expect(["ana email mail #1 page", "ana sms twilio #2 page"]);
    look(
        &mut world,
        down(with([naming("mail", Impact::Major, &["c1", "c2"])])),
    );
    world.expect([]);
    look(&mut world, with([closed("mail")]));
    expect_quiet(&world);
}

#[test]
fn other_rules_decide_again_on_what_is_open_and_paged_nobody() {
    let mut world = world(r#", match: ['component="Chat"'], urgency: { minor: none }"#);
    look(&mut world, page());
    let open = || {
        with([
            naming("api", Impact::Major, &["c4"]),
            incident("slow", Impact::Minor),
        ])
    };
    look(&mut world, open());
    world.expect_nothing_until("00:05:00");
    world.replace_rules(&team(""));
    look(&mut world, open());
    world.expect(["ana email mail #2 page", "ana sms twilio #1 page"]);
}

#[test]
fn a_row_that_is_no_longer_readable_is_accepted_as_well() {
    let skipping = || StatusReport {
        skipped_incidents: 1,
        ..page()
    };
    let mut world = world("");
    look(&mut world, page());
    look(&mut world, with([incident("login", Impact::Major)]));
    world.expect(["ana sms twilio #1 page"]);
    look(&mut world, skipping());
    look(&mut world, skipping());
    world.expect_status(1, "triggered");
    world.ask(Input::AcceptPage("helpline".into()));
    look(&mut world, skipping());
    look(&mut world, skipping());
    world.expect_status(1, "resolved");
}

#[test]
fn items_of_a_feed_from_before_it_was_watched_page_nobody() {
    let url = "https://status.example.com/history.rss";
    let yaml = format!("{TEAM}\nproviders:\n  helpline: {{ feed: \"{url}\" }}\n");
    let mut world = World::new(&yaml);
    look(&mut world, page());
    let item = |id: &str, started_at: i64| ReportedIncident {
        started_at: Some(Timestamp(started_at)),
        ..incident(id, Impact::Major)
    };
    let now = world.wall().0;
    let report = with([
        item("of last year", now - 400 * 86_400_000),
        item("new", now + 1),
    ]);
    look(&mut world, report);
    world.expect(["ana sms twilio #1 page"]);
    assert_eq!(why_not(&world, "of last year"), "provider_open_when_added");
}

/// What a check of the one provider, or one that stands alone, found.
pub fn check(world: &mut World, name: &str, found: CheckFound) {
    let target = world.rules().checks.get(name).map(|it| it.target.clone());
    let gone = CheckTarget::Dns {
        name: "gone.example.com".into(),
        address: None,
    };
    world.ask(Input::OwnChecked(OwnChecked {
        check: name.into(),
        target: target.unwrap_or(gone),
        found,
    }));
}

pub fn failed() -> CheckFound {
    CheckFound::Failed("503 instead of 200–299 (HTTP)".into())
}

const CHECKS: &str = ", checks: { api: { http: \"https://api.example.com\", urgency: high } }";

#[test]
fn a_check_that_fails_while_the_page_is_well_is_not_yet_reported_until_the_page_says_so() {
    let mut world = world(CHECKS);
    look(&mut world, page());
    check(&mut world, "helpline/api", failed());
    world.expect(["ana sms twilio #1 page"]);
    let title = world.incident(1).title.to_string();
    let said = "helpline/api: 503 instead of 200–299 (HTTP)";
    assert_eq!(title, format!("{said}; not yet reported by the provider"));
    check(&mut world, "helpline/api", failed());
    let down = page().component("c4", ComponentState::MajorOutage);
    look(&mut world, down);
    world.expect(["ana sms twilio #2 page"]);
    check(&mut world, "helpline/api", failed());
    assert_eq!(&*world.incident(1).title, said);
    check(&mut world, "helpline/api", CheckFound::Good);
    world.expect_status(1, "resolved");
}

#[test]
fn a_page_that_cannot_be_read_says_nothing_about_a_check() {
    let mut world = world(CHECKS);
    look(&mut world, page());
    unreadable(&mut world, "helpline");
    check(&mut world, "helpline/api", failed());
    world.expect(["ana sms twilio #1 page"]);
    let title = world.incident(1).title.to_string();
    assert!(!title.contains("not yet reported"), "{title}");
}

#[test]
fn the_alert_of_a_check_ends_when_it_leaves_the_rules_and_not_with_a_restart() {
    let mut world = world(CHECKS);
    check(&mut world, "helpline/api", failed());
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("00:01:00");
    world.crash_for(Duration::seconds(10));
    world.expect_status(1, "triggered");
    world.replace_rules(&team(""));
    world.expect_status(1, "resolved");
    world.expect_reason(1, "check_gone");
    check(&mut world, "helpline/api", failed());
    world.expect_status(1, "resolved");
}
