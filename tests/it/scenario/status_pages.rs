//! Our own status pages: what they say by themselves, when, and what they never say.

use std::ops::{Deref, DerefMut};

use reveille::engine::decision::{Answer, Refusal};
use reveille::engine::input::{Input, Verb};
use reveille::engine::status_act::{NewPost, SaidUpdate, StatusAct, StatusActKind};
use reveille::engine::status_post::{PostKind, PostState};
use reveille::engine::status_report::{ComponentState, Impact};
use reveille::engine::time::Duration;
use reveille::status_page::overall;
use reveille::status_page::projection::{PageRecords, project};
use reveille::status_page::view::StatusPageView;

use super::TEAM;
use super::acts::{Post, actor, silence_input, trigger};
use super::providers::{With, incident, look, page, unreadable, with};
use super::world::{World, length};

/// The usual people, one provider, and a page with three components.
fn rules(publish: &str) -> String {
    format!(
        "{TEAM}\nproviders:\n  helpline: {{ url: \"https://status.example.com\" }}\n\
         status_pages:\n  public:\n    title: Example Status\n    components:\n    \
         - {{ name: API, services: [api] }}\n    \
         - {{ name: Shop, services: [shop] }}\n    \
         - {{ group: Support, components: [{{ name: Chat, providers: [helpline/Chat] }}] }}\n    \
         publish: {{ {publish} }}\n"
    )
}

/// A world of which only the status page is told: pages to people are tested elsewhere.
struct PageWorld(World);

impl Deref for PageWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for PageWorld {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.0
    }
}

impl Drop for PageWorld {
    fn drop(&mut self) {
        self.0.take_seen();
    }
}

fn world(publish: &str) -> PageWorld {
    let mut world = World::new(&rules(publish));
    look(&mut world, page());
    PageWorld(world)
}

fn view(world: &World) -> StatusPageView {
    let rules = world.rules();
    let page = &rules.status_pages.pages["public"];
    let records = PageRecords::of(world.state(), page);
    project(&records, page, world.wall(), "https://reveille.example.com")
}

/// An alert of a service; without more its severity is critical.
fn outage(service: &str) -> Post {
    trigger(&format!("{service} is down")).label("service", service)
}

/// Each component that is not operational, and each post with its state and last text.
#[track_caller]
fn expect<const N: usize>(world: &World, expected: [&str; N]) {
    let view = view(world);
    let components = overall::components(&view);
    let components = components.filter(|it| it.state != ComponentState::Operational);
    let components = components.map(|it| format!("{} {}", it.name, it.state));
    let posts = view.open.iter().chain(&view.maintenance).chain(&view.past);
    let posts = posts.map(|post| format!("{}: {}", post.state, post.updates[0].text));
    let lines: Vec<String> = components.chain(posts).collect();
    assert_eq!(lines, expected);
}

fn act(world: &mut World, kind: StatusActKind) -> Result<Option<u64>, Refusal> {
    let input = Input::Status(StatusAct {
        page: "public".into(),
        actor: actor("ana"),
        kind,
    });
    match world.ask(input) {
        Answer::StatusActed(post) => Ok(post),
        Answer::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn said(state: PostState, text: &str) -> SaidUpdate {
    SaidUpdate {
        state: Some(state),
        text: Some(text.into()),
        ..SaidUpdate::default()
    }
}

fn post(kind: PostKind, title: &str, said: SaidUpdate) -> NewPost {
    NewPost {
        kind,
        title: title.into(),
        scheduled_for: None,
        scheduled_until: None,
        is_draft: false,
        said,
    }
}

#[test]
fn an_outage_is_published_after_two_minutes_and_its_end_after_five_quiet_ones() {
    let mut world = world("");
    world.at("00:01:00");
    world.give(outage("api"));
    world.at("00:02:59");
    expect(&world, []);
    world.at("00:03:00");
    let investigating = "investigating: We are investigating an issue with API.";
    expect(&world, ["API major_outage", investigating]);
    let opened = &view(&world).open[0];
    assert_eq!(opened.title, "Issue with API".into());
    assert_eq!(opened.impact, Impact::Critical);
    assert_eq!(
        opened.started_at,
        opened.created_at.minus(Duration::minutes(2))
    );
    world.at("00:30:00");
    world.resolve_event("api is down");
    world.at("00:34:59");
    expect(&world, ["API major_outage", investigating]);
    world.at("00:35:00");
    expect(
        &world,
        ["resolved: This is resolved: API. It lasted 34 min."],
    );
    let resolved = &view(&world).past[0];
    assert_eq!(resolved.updates.len(), 2);
    assert_eq!(
        resolved.updates[0].components[0].after,
        ComponentState::Operational
    );
}

#[test]
fn what_flaps_is_not_published_and_does_not_end_too_early() {
    let mut world = world("");
    world.give(outage("api"));
    world.at("00:01:59");
    world.resolve_event("api is down");
    world.at("00:10:00");
    expect(&world, []);
    world.give(outage("api"));
    world.at("00:13:00");
    world.resolve_event("api is down");
    world.at("00:16:00");
    world.give(outage("api"));
    world.at("00:20:00");
    world.resolve_event("api is down");
    world.at("00:24:59");
    let view = view(&world);
    assert_eq!(view.open[0].updates.len(), 1, "{:?}", view.open);
    world.at("00:25:00");
    assert!(self::view(&world).open.is_empty());
}

#[test]
fn it_follows_what_fires_and_never_what_people_make_of_their_pages() {
    let mut world = world("");
    let until = world.wall() + Duration::days(1);
    world.ask(silence_input(None, "service=\"api\"", until));
    world.give(outage("api"));
    world.give(outage("shop"));
    world.does("ana", 2, Verb::Resolve);
    world.at("00:02:00");
    let investigating = "investigating: We are investigating an issue with API, Shop.";
    expect(
        &world,
        ["API major_outage", "Shop major_outage", investigating],
    );
}

#[test]
fn how_bad_it_is_follows_severity_and_what_is_not_urgent_is_nothing() {
    for (minimum, severity, expected) in [
        ("high", "critical", Some("API major_outage")),
        ("high", "error", Some("API partial_outage")),
        ("high", "no word that is known", Some("API partial_outage")),
        ("high", "warning", None),
        ("low", "warning", Some("API degraded_performance")),
        ("low", "info", None),
    ] {
        let mut world = world(&format!("auto: false, minimum: {minimum}"));
        world.give(outage("api").severity(severity));
        world.at("00:03:00");
        match expected {
            Some(expected) => expect(&world, [expected]),
            None => expect(&world, []),
        }
    }
}

#[test]
fn nothing_of_the_inside_is_in_what_is_published() {
    let mut world = world("");
    let secret = outage("api")
        .summary("db-17.internal.example: password of svc_payments refused")
        .label("host", "db-17.internal.example")
        .label("owner", "ana")
        .details("{\"query\": \"select secret\"}");
    world.give(secret);
    world.at("00:03:00");
    world.ack(1, "ana");
    world.resolve_event("api is down");
    world.at("00:20:00");
    let view = view(&world);
    let html = reveille::status_page::page::html(&view);
    let published = format!("{view:?}{html}");
    for inside in [
        "db-17",
        "svc_payments",
        "secret",
        "ana",
        "Ana",
        "native",
        "is down",
        "team",
    ] {
        assert!(!published.contains(inside), "{inside} leaks");
    }
    assert!(published.contains("This is resolved: API."));
}

#[test]
fn one_outage_is_one_post_until_all_of_it_is_well() {
    let mut world = world("");
    world.give(outage("api"));
    world.at("00:02:03");
    world.give(outage("shop").severity("error"));
    world.at("00:05:00");
    expect(
        &world,
        [
            "API major_outage",
            "Shop partial_outage",
            "investigating: Affected: API, Shop.",
        ],
    );
    world.resolve_event("api is down");
    world.at("00:10:00");
    expect(
        &world,
        ["Shop partial_outage", "investigating: Affected: Shop."],
    );
    world.resolve_event("shop is down");
    world.at("00:15:00");
    expect(
        &world,
        ["resolved: This is resolved: API, Shop. It lasted 15 min."],
    );
}

#[test]
fn what_fails_again_within_half_an_hour_opens_its_post_again() {
    let mut world = world("");
    world.give(outage("api"));
    world.at("00:03:00");
    world.resolve_event("api is down");
    world.at("00:30:00");
    world.give(outage("api"));
    world.at("00:32:00");
    expect(
        &world,
        [
            "API major_outage",
            "investigating: The issue with API has come back.",
        ],
    );
    assert_eq!(view(&world).open[0].updates.len(), 3);
    world.resolve_event("api is down");
    world.at("01:20:00");
    world.give(outage("api"));
    world.at("01:23:00");
    assert_eq!((view(&world).open.len(), view(&world).past.len()), (1, 1));
}

#[test]
fn a_component_follows_its_providers_and_what_cannot_be_read_is_unknown() {
    let mut world = world("");
    let down = page().component("c1", ComponentState::MajorOutage);
    look(&mut world, down);
    world.at("00:03:00");
    let investigating = "investigating: We are investigating an issue with Chat.";
    expect(&world, ["Chat major_outage", investigating]);
    // Neither well nor broken: the post stays open.
    unreadable(&mut world, "helpline");
    world.at("00:12:00");
    expect(&world, ["Chat major_outage", investigating]);
    world.at("00:13:01");
    expect(&world, ["Chat unknown", "investigating: Affected: Chat."]);
    look(&mut world, page());
    world.at("00:13:02");
    look(&mut world, page());
    world.at("00:20:00");
    expect(
        &world,
        ["resolved: This is resolved: Chat. It lasted 14 min."],
    );
}

#[test]
fn an_incident_about_something_else_of_the_provider_changes_nothing() {
    let mut world = world("");
    let mut about_mail = incident("mail", Impact::Critical);
    about_mail.components = vec!["c2".into()];
    let report = with([about_mail]).component("c2", ComponentState::MajorOutage);
    look(&mut world, report);
    world.at("00:05:00");
    expect(&world, []);
    let unscoped = with([incident("all", Impact::Critical)]);
    look(&mut world, unscoped);
    world.at("00:08:00");
    expect(
        &world,
        [
            "Chat major_outage",
            "investigating: We are investigating an issue with Chat.",
        ],
    );
}

#[test]
fn a_maintenance_of_the_provider_is_shown_at_once_and_for_as_long_as_its_window() {
    let mut world = world("");
    let mut work = incident("work", Impact::Maintenance);
    work.is_maintenance = true;
    work.window = Some((
        world.wall() + length("00:10:00"),
        Some(world.wall() + length("00:20:00")),
    ));
    look(&mut world, with([work.clone()]));
    world.at("00:10:00");
    expect(&world, []);
    // What is announced is looked at with everything else; that it ends, the clock says.
    look(&mut world, with([work]));
    expect(&world, ["Chat under_maintenance"]);
    world.at("00:19:00");
    expect(&world, ["Chat under_maintenance"]);
    world.at("00:21:00");
    expect(&world, []);
}

#[test]
fn the_draft_of_an_outage_that_somebody_deleted_is_not_proposed_again() {
    let mut world = world("review: true");
    world.give(outage("api"));
    world.at("00:05:00");
    assert_eq!(
        act(&mut world, StatusActKind::Delete { post: 1 }),
        Ok(Some(1))
    );
    world.at("00:30:00");
    expect(&world, []);
    assert!(world.own_incidents().is_empty());
    world.resolve_event("api is down");
    world.at("00:40:00");
    world.give(outage("api"));
    world.at("00:43:00");
    assert_eq!(world.own_incidents(), ["status_draft/public/1"]);
}

#[test]
fn with_review_nothing_is_published_until_somebody_says_so() {
    let mut world = world("review: true");
    world.give(outage("api"));
    world.at("00:05:00");
    expect(&world, []);
    assert_eq!(world.own_incidents(), ["status_draft/public/1"]);
    assert_eq!(
        act(&mut world, StatusActKind::Publish { post: 1 }),
        Ok(Some(1))
    );
    let investigating = "investigating: We are investigating an issue with API.";
    expect(&world, ["API major_outage", investigating]);
    assert!(world.own_incidents().is_empty());
    // From here on it goes by itself.
    world.resolve_event("api is down");
    world.at("00:11:00");
    expect(
        &world,
        ["resolved: This is resolved: API. It lasted 10 min."],
    );
}

#[test]
fn a_draft_whose_outage_ends_is_gone() {
    let mut world = world("review: true");
    world.give(outage("api"));
    world.at("00:05:00");
    world.resolve_event("api is down");
    world.at("00:06:00");
    expect(&world, []);
    assert!(world.own_incidents().is_empty());
    let refused = act(&mut world, StatusActKind::Publish { post: 1 });
    assert_eq!(refused, Err(Refusal::unknown("post", "public/1")));
}

#[test]
fn a_maintenance_begins_and_ends_by_its_window_and_hides_what_it_breaks() {
    let mut world = world("");
    let mut window = post(
        PostKind::Maintenance,
        "New database",
        SaidUpdate {
            text: Some("The API is down for an hour.".into()),
            components: vec![("api".into(), None)],
            ..SaidUpdate::default()
        },
    );
    window.scheduled_for = Some(world.wall() + length("01:00:00"));
    window.scheduled_until = Some(world.wall() + length("02:00:00"));
    assert_eq!(act(&mut world, StatusActKind::Post(window)), Ok(Some(1)));
    expect(&world, ["scheduled: The API is down for an hour."]);
    world.at("01:00:00");
    let begun = "in_progress: The maintenance has begun: API.";
    expect(&world, ["API under_maintenance", begun]);
    world.give(outage("api"));
    world.at("01:30:00");
    expect(&world, ["API under_maintenance", begun]);
    // It still fires when the window ends.
    world.at("02:01:00");
    let complete = "completed: The maintenance is complete: API.";
    expect(&world, ["API under_maintenance", complete]);
    world.at("02:02:00");
    let investigating = "investigating: We are investigating an issue with API.";
    expect(&world, ["API major_outage", investigating, complete]);
}

#[test]
fn a_promised_update_that_is_overdue_is_asked_for_until_it_comes() {
    let mut world = world("update_promise: 60m");
    world.give(outage("api"));
    world.at("01:01:59");
    assert!(world.own_incidents().is_empty());
    world.at("01:02:00");
    assert_eq!(world.own_incidents(), ["status_update_due/public/1"]);
    let update = StatusActKind::Update {
        post: 1,
        said: said(PostState::Identified, "A disk is full."),
    };
    assert_eq!(act(&mut world, update), Ok(Some(1)));
    assert!(world.own_incidents().is_empty());
    expect(&world, ["API major_outage", "identified: A disk is full."]);
}

#[test]
fn a_state_that_somebody_sets_holds_until_it_ends() {
    let mut world = world("");
    let until = world.wall() + Duration::hours(1);
    let set = StatusActKind::Set {
        component: "Chat".into(),
        state: ComponentState::Degraded,
        until,
    };
    assert_eq!(act(&mut world, set), Ok(None));
    expect(&world, ["Chat degraded_performance"]);
    look(
        &mut world,
        page().component("c1", ComponentState::MajorOutage),
    );
    world.at("00:59:00");
    expect(&world, ["Chat degraded_performance"]);
    world.at("01:00:00");
    expect(
        &world,
        [
            "Chat major_outage",
            "investigating: We are investigating an issue with Chat.",
        ],
    );
}

#[test]
fn what_people_post_stays_theirs() {
    let mut world = world("");
    let mut own = said(PostState::Investigating, "We are on it.");
    own.components = vec![("API".into(), Some(ComponentState::PartialOutage))];
    let own = post(PostKind::Incident, "Logins fail", own);
    assert_eq!(act(&mut world, StatusActKind::Post(own)), Ok(Some(1)));
    world.give(outage("api"));
    world.at("00:10:00");
    expect(
        &world,
        ["API partial_outage", "investigating: We are on it."],
    );
    world.resolve_event("api is down");
    world.at("00:20:00");
    let resolve = StatusActKind::Update {
        post: 1,
        said: said(PostState::Resolved, "All good."),
    };
    assert_eq!(act(&mut world, resolve), Ok(Some(1)));
    expect(&world, ["resolved: All good."]);
}

#[test]
fn bad_requests_say_what_is_wrong_and_change_nothing() {
    let mut world = world("");
    let long = "x".repeat(201);
    let cases = [
        (
            StatusActKind::Publish { post: 7 },
            "unknown post \"public/7\"",
        ),
        (
            StatusActKind::FollowRules {
                component: "Nothing".into(),
            },
            "unknown component \"Nothing\"",
        ),
        (
            StatusActKind::Post(post(PostKind::Maintenance, "Now", SaidUpdate::default())),
            "window that is not whole is not allowed: a maintenance has both its begin and its end",
        ),
        (
            StatusActKind::Post(post(
                PostKind::Incident,
                &long,
                said(PostState::Investigating, ""),
            )),
            "title of 201 characters is not allowed: 200 characters at most",
        ),
        (
            StatusActKind::Post(post(
                PostKind::Incident,
                "A",
                said(PostState::Completed, "done"),
            )),
            "state completed is not allowed: a post of kind incident is never so",
        ),
    ];
    for (kind, expected) in cases {
        let refused = act(&mut world, kind).expect_err("it is refused");
        assert_eq!(refused.to_string(), expected);
    }
    expect(&world, []);
}

#[test]
fn a_crash_loses_nothing_of_what_waits_and_says_nothing_twice() {
    let mut world = world("");
    world.give(outage("api"));
    world.at("00:01:00");
    world.crash_for(Duration::seconds(30));
    world.at("00:03:00");
    let investigating = "investigating: We are investigating an issue with API.";
    expect(&world, ["API major_outage", investigating]);
    world.crash_for(Duration::minutes(10));
    assert_eq!(view(&world).open[0].updates.len(), 1);
    world.resolve_event("api is down");
    world.at("00:30:00");
    assert_eq!(view(&world).past[0].updates.len(), 2);
}

#[test]
fn other_rules_show_other_components_and_the_past_of_one_that_returns() {
    let mut world = world("auto: false");
    world.give(outage("api"));
    world.at("00:03:00");
    expect(&world, ["API major_outage"]);
    world.replace_rules(TEAM);
    world.at("00:04:00");
    world.replace_rules(&rules("auto: false"));
    world.at("00:07:00");
    expect(&world, ["API major_outage", "Chat unknown"]);
    let view = view(&world);
    let api = overall::components(&view).next().expect("the page has it");
    assert_eq!(api.created_at, world.wall().minus(length("00:07:00")));
    assert!(
        api.days[0].major_outage > Duration::minutes(1),
        "{:?}",
        api.days
    );
}

#[test]
fn uptime_counts_what_was_published_day_by_day() {
    let mut world = world("auto: false");
    world.give(outage("api"));
    world.at("03:00:00");
    let view = view(&world);
    let api = overall::components(&view).next().expect("the page has it");
    let total: u64 = api.days.iter().map(|day| day.major_outage.0).sum();
    assert_eq!(Duration(total), length("02:58:00"));
    let observed: u64 = api.days.iter().map(|day| day.observed.0).sum();
    assert_eq!(Duration(observed), length("03:00:00"));
}
