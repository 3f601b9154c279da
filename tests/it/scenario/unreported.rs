//! Ends that never come: `resolve_after` ends alerts of which no report comes any more.

use reveille::engine::event::Action;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::trigger;
use super::world::World;

/// The team's rules with this line on the integration and this on the root route.
fn rules(integration: &str, route: &str) -> String {
    let native = "native: { format: native }";
    let with = format!("native: {{ format: native{integration} }}");
    TEAM.replace(native, &with) + route
}

const TWO_HOURS: &str = ", resolve_after: 2h";

#[test]
fn an_alert_that_is_not_reported_any_more_is_over_with_its_own_reason() {
    let mut world = World::new(&rules(TWO_HOURS, ""));
    world.post("ups");
    world.ack(1, "ana");
    world.at("01:30:00");
    world.post("ups");
    world.at("03:29:59");
    world.expect_status(1, "acknowledged");
    world.at("03:30:00");
    world.expect_status(1, "resolved");
    assert_eq!(world.count_reason(1, "unreported"), 2, "alert and incident");
    let told = world.timeline(1).join("\n");
    assert!(told.contains("no report for 2h"), "{told}");

    world.post("ups");
    world.expect_status(2, "triggered");
    world.resolve_event("ups");
    assert_eq!(world.count_reason(2, "unreported"), 0);
    world.take_seen();
}

#[test]
fn an_acknowledgment_of_the_source_is_a_report_and_a_resolve_ends_the_wait() {
    let mut world = World::new(&rules(TWO_HOURS, ""));
    world.post("disk");
    world.at("01:00:00");
    world.give(trigger("disk").action(Action::Acknowledge));
    world.at("02:59:59");
    world.expect_status(1, "acknowledged");
    world.at("03:00:00");
    world.expect_status(1, "resolved");
    world.post("net");
    world.resolve_event("net");
    assert_eq!(world.count_reason(2, "unreported"), 0);
    world.at("09:00:00");
    assert_eq!(world.count_reason(2, "unreported"), 0);
    world.take_seen();
}

#[test]
fn the_words_of_routes_win_and_of_several_the_longest() {
    let route = |name: &str, team: &str, word: &str| {
        format!("    - {{ name: {name}, matchers: ['team=~\"{team}\"'], continue: true{word} }}\n")
    };
    let routes = format!(
        "  routes:\n{}{}{}{}",
        route("short", "short|both|ever", ", resolve_after: 10m"),
        route("long", "long|both|ever", ", resolve_after: 5h"),
        route("ever", "ever", ", resolve_after: never"),
        route("mute", "mute", ""),
    );
    let mut world = World::new(&rules(TWO_HOURS, &routes));
    let teams = ["short", "long", "both", "ever", "mute", "none"];
    for team in teams {
        world.give(trigger(team).label("team", team));
    }
    let mut firing = |at: &str| {
        world.at(at);
        let alerts = world.state().alerts().filter(|alert| alert.firing);
        let mut keys: Vec<String> = alerts.map(|alert| alert.dedup_key.to_string()).collect();
        keys.retain(|key| teams.contains(&key.as_str()));
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(firing("00:10:00"), "both ever long mute none");
    assert_eq!(firing("02:00:00"), "both ever long");
    assert_eq!(firing("05:00:00"), "ever");
    assert_eq!(firing("300:00:00"), "ever");
    world.take_seen();
}

#[test]
fn time_in_which_the_router_was_away_does_not_count() {
    let mut world = World::new(&rules(TWO_HOURS, ""));
    world.post("ups");
    world.at("01:00:00");
    world.crash_for(Duration::hours(9));
    world.wait("01:59:59");
    assert!(world.incident(1).is_open(), "two hours from the start on");
    world.wait("00:00:01");
    world.expect_status(1, "resolved");

    world.post("ups");
    world.wait("01:00:00");
    world.wall_jumps(5 * 3_600);
    world.wait("01:59:00");
    assert!(world.incident(2).is_open(), "the machine slept");
    world.wait("00:01:01");
    world.expect_status(2, "resolved");
    world.take_seen();
}

#[test]
fn other_rules_begin_the_wait_anew_and_rules_without_it_end_it() {
    let mut world = World::new(&rules("", ""));
    world.post("a");
    world.at("06:00:00");
    world.replace_rules(&rules(TWO_HOURS, ""));
    world.at("07:59:00");
    assert!(world.incident(1).is_open(), "not over at once");
    world.replace_rules(&rules(TWO_HOURS, "  group_wait: 1s\n"));
    world.at("08:00:00");
    world.expect_status(1, "resolved");

    world.post("b");
    world.replace_rules(&rules("", ""));
    world.wait("30:00:00");
    assert!(world.incident(2).is_open(), "nothing ends it any more");
    world.take_seen();
}

#[test]
fn a_report_that_is_too_old_to_page_ends_by_the_same_wait() {
    let mut world = World::new(&rules(", max_age: 1h, resolve_after: 2h", ""));
    let old = world.wall();
    world.at("05:00:00");
    world.give(trigger("old").occurred(old));
    world.at("06:59:59");
    let is_firing = |world: &World| {
        let mut alerts = world.state().alerts();
        alerts.any(|alert| &*alert.dedup_key == "old" && alert.firing)
    };
    assert!(is_firing(&world));
    world.at("07:00:00");
    assert!(!is_firing(&world));
    world.take_seen();
}
