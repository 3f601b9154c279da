//! People, schedules and integrations that leave the rules while something still names them.

use reveille::engine::decision::Answer;
use reveille::engine::event::Action;
use reveille::engine::input::{Input, OverrideRequest};
use reveille::engine::records::Disposition;
use reveille::engine::ruleset::RuleSet;
use reveille::engine::touched::touched;

use super::acts::{Post, actor, trigger};
use super::silences::with_schedule;
use super::world::{World, length};

const ANA: &str = "    time_zone: UTC\n    layers:\n      - users: [ana]\n";

const TWO_LAYERS: &str =
    "    time_zone: UTC\n    layers:\n      - users: [bo]\n      - users: [ana]\n";

/// The rules with ana on call, without a user.
fn without(user: &str) -> String {
    let yaml = with_schedule(ANA).replace(&format!("user/{user}"), "user/cy");
    let begin = yaml.find(&format!("  {user}:\n")).expect("the user");
    let rest = &yaml[begin + 3..];
    let end = ["\n  cy:\n", "\n  bo:\n", "\npolicies:"];
    let end = end.iter().filter_map(|end| rest.find(end)).min();
    format!("{}{}", &yaml[..begin], &rest[end.expect("an end") + 1..])
}

/// What becomes of the present when other rules come.
fn touched_by(world: &mut World, yaml: &str) -> Vec<String> {
    let old: RuleSet = (*world.rules()).clone();
    world.replace_rules(yaml);
    touched(world.state(), &old, &world.rules())
}

#[test]
fn an_override_of_somebody_who_left_is_passed_over_and_the_layer_is_paged() {
    let mut world = World::new(&with_schedule(ANA));
    world.stand_in("primary", "bo", "08:00:00");
    let said = touched_by(&mut world, &without("bo"));
    let expected = "override 1 of schedule primary names bo, who is removed; it is ignored";
    assert!(said.iter().any(|line| line == expected), "{said:?}");
    world.post("a");
    world.expect(["ana sms twilio #1 page"]);
    let line = "target_gone: schedule/primary: override 1 names bo, who is not in the rules, and \
        is ignored";
    let story = world.timeline(1);
    assert!(story.iter().any(|known| known == line), "{story:#?}");
    world.ack(1, "ana");
    world.at("00:05:00");
    assert!(world.own_incidents().is_empty(), "the layer is on call");
}

#[test]
fn an_override_of_nobody_falls_to_the_layer_beneath() {
    let mut world = World::new(&with_schedule(TWO_LAYERS));
    world.stand_in("primary", "nobody", "01:00:00");
    world.post("a");
    world.expect(["bo sms twilio #1 page"]);
    world.ack(1, "bo");
    world.at("01:00:00");
    world.post("b");
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
}

#[test]
fn an_override_of_nobody_with_nothing_beneath_is_a_gap_that_is_told() {
    let mut world = World::new(&with_schedule(ANA));
    world.stand_in("primary", "nobody", "01:00:00");
    world.post("a");
    world.expect_reason(1, "nobody_on_call");
    world.at("00:02:00");
    assert_eq!(world.own_incidents(), ["schedule_gap/primary"]);
    world.take_seen();
}

#[test]
fn an_override_of_an_unknown_user_is_refused() {
    let mut world = World::new(&with_schedule(ANA));
    let request = OverrideRequest {
        actor: actor("ana"),
        schedule: "primary".into(),
        user: "dan".into(),
        from: None,
        until: world.wall() + length("01:00:00"),
        reason: "swap".into(),
    };
    let answer = world.ask(Input::Override(request));
    assert!(format!("{answer:?}").contains("dan"), "{answer:?}");
    assert_eq!(world.state().overrides().count(), 0);
}

#[test]
fn a_change_says_which_pinned_steps_and_open_incidents_a_removal_touches() {
    let mut world = World::new(super::TEAM);
    world.give(trigger("a"));
    world.ack(1, "bo");
    world.take_seen();
    world.post("b");
    world.take_seen();
    let gone = [
        "step 2 of policy team, which #1, #2 pinned, names user/bo, which is removed; it is \
         ignored",
        "bo, who is removed, has acknowledged #1",
    ];
    let said = touched_by(&mut world, &without("bo"));
    for line in gone {
        assert!(said.iter().any(|known| known == line), "{said:?}");
    }
    let again = touched_by(&mut world, &without("bo"));
    assert!(again.is_empty(), "it was said once: {again:?}");
    world.ack(2, "ana");
    world.take_seen();
}

#[test]
fn a_change_says_how_many_firing_alerts_lose_their_source() {
    let renamed = super::TEAM.replace("  native: {", "  renamed: {");
    for (count, what) in [
        (1, "1 firing alert loses its"),
        (2, "2 firing alerts lose their"),
    ] {
        let mut world = World::new(super::TEAM);
        for number in 0..count {
            world.post(&format!("a{number}"));
        }
        world.post("over");
        world.resolve_event("over");
        world.take_seen();
        let said = touched_by(&mut world, &renamed);
        assert_eq!(said.len(), 1, "{said:?}");
        let source = " source: integration native is removed";
        assert!(said[0].starts_with(&format!("{what}{source}")), "{said:?}");
    }
}

#[test]
fn a_renamed_integration_continues_and_resolves_its_alerts_also_after_a_restart() {
    for is_restarted in [false, true] {
        let mut world = World::new(super::TEAM);
        for key in ["a", "b"] {
            world.post(key);
            world.take_seen();
        }
        let renamed = super::TEAM.replace("  native: {", "  new: { was: [native],");
        assert_eq!(touched_by(&mut world, &renamed), [""; 0]);
        let as_new = |post: Post| match post.input() {
            Input::Events { events, .. } => Input::Events {
                integration: "new".into(),
                events,
            },
            other => panic!("no events: {other:?}"),
        };
        let told = |world: &mut World, post: Post| match world.ask(as_new(post)) {
            Answer::Receipts(receipts) => receipts[0].disposition,
            other => panic!("no receipts: {other:?}"),
        };
        assert_eq!(told(&mut world, trigger("a")), Disposition::Repeated);
        let changed = trigger("a").label("free", "2%");
        assert_eq!(told(&mut world, changed), Disposition::Repeated);
        if is_restarted {
            world.crash_for(reveille::engine::time::Duration::seconds(1));
        }
        for (number, key) in [(1, "a"), (2, "b")] {
            let resolve = trigger(key).action(Action::Resolve);
            assert_eq!(told(&mut world, resolve), Disposition::Resolved);
            world.expect_status(number, "resolved");
        }
        let last = world.state().incidents().map(|known| known.number.0).max();
        assert_eq!(last, Some(2), "no second incident");
        world.take_seen();
    }
}
