//! Copies, incidents nobody must acknowledge, and people whom a step names twice.

use super::acts::trigger;
use super::events::team_with;
use super::world::World;

#[test]
fn a_copy_is_posted_once_kept_updated_and_expects_no_acknowledgment() {
    let tree = "route:\n  policy: team\n  routes:\n    - name: told\n      policy: none\n      \
                group_by: [service]\n      copy_to: [channel/slack/C024BE7LH]\n";
    let mut world = World::new(&team_with(tree));
    world.give(trigger("a").label("service", "pay"));
    world.expect(["C024BE7LH slack slack #1 copy"]);
    world.expect_reason(1, "no_acknowledgment_expected");
    world.at("00:00:10");
    world.give(trigger("b").label("service", "pay"));
    world.at("00:01:00");
    world.expect(["C024BE7LH slack slack #1 joined (edit)"]);
    world.resolve_event("a");
    world.resolve_event("b");
    world.at("00:01:10");
    world.expect(["C024BE7LH slack slack #1 resolved (edit)"]);
    assert_eq!(world.state().pages().count(), 0, "nothing lingers");
    world.expect_nothing_until("10:00:00");
}

#[test]
fn a_copy_never_counts_as_reaching_somebody() {
    let tree = "route:\n  policy: team\n  group_by: [\"...\"]\n  \
                copy_to: [channel/slack/C024BE7LH]\n";
    let mut world = World::new(&team_with(tree));
    world.next(
        "twilio",
        [super::channels::Play::Says(
            reveille::engine::outcome::Outcome::RefusedTarget,
        )],
    );
    world.next(
        "mail",
        [super::channels::Play::Says(
            reveille::engine::outcome::Outcome::RefusedTarget,
        )],
    );
    world.post("a");
    world.wait("00:00:01");
    world.expect([
        "C024BE7LH slack slack #1 copy",
        "ana sms twilio #1 page",
        "ana email mail #1 page",
        "bo sms twilio #1 page",
    ]);
    world.ack(1, "bo");
    world.wait("00:00:05");
    world.expect(["C024BE7LH slack slack #1 acknowledged (edit)"]);
}

#[test]
fn somebody_whom_a_step_names_twice_is_paged_once() {
    let tree = "route:\n  policy: team\n  group_by: [\"...\"]\n";
    let yaml = team_with(tree).replace(
        "targets: [user/ana]",
        "targets: [user/ana, schedule/always]",
    );
    let always = "\nschedules:\n  always:\n    time_zone: UTC\n    layers: [{ users: [ana] }]\n\
                  \nintegrations:";
    let mut world = World::new(&yaml.replace("\nintegrations:", always));
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}
