//! The page limit counts incidents that interrupt a person, each once; what is over it waits for a
//! bundle, high urgency for a minute at most.

use reveille::engine::entry_body::PageEntry;
use reveille::engine::input::{ReassignTo, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::records::Interruption;
use reveille::engine::ruleset::Target;
use reveille::engine::time::Duration;
use reveille::engine::urgency::Urgency;

use super::TEAM;
use super::acts::{on, trigger};
use super::channels::{ACCEPTED, Play, with_second_sms};
use super::events::team_with;
use super::world::{BEGIN, Sent, World};

const LIMIT: usize = 10;

fn user(name: &str) -> ReassignTo {
    ReassignTo::Target(Target::User(name.into()))
}

/// So many incidents have interrupted Ana, as the limit counts.
#[track_caller]
fn expect_counted(world: &World, incidents: usize) {
    let person = world.state().person(&"ana".into());
    let counted = person.map_or(0, |person| person.interruptions.len());
    assert_eq!(counted, incidents, "incidents counted at {}", world.passed);
}

/// As many short incidents as there is room for interrupt Ana, and are over.
fn use_up_the_limit(world: &mut World) {
    for number in 1..=LIMIT {
        let key = format!("filler{number}");
        world.give(trigger(&key).label("service", &key));
        world.resolve_event(&key);
    }
    world.take_seen();
}

fn are_single(seen: &[Sent]) -> bool {
    seen.iter().all(|sent| sent.label.ends_with(" page"))
}

#[test]
fn a_notify_step_over_several_contacts_interrupts_once() {
    let yaml = TEAM
        .replacen(
            "      mail: { email: ana@example.com }\n",
            "      mail: { email: ana@example.com }\n      chat: { slack: U024BE7LH }\n",
            1,
        )
        .replacen("{ via: [phone] }", "{ via: [phone, mail, chat] }", 1);
    let mut world = World::new(&yaml);
    for number in 1..=LIMIT {
        world.post(&format!("a{number}"));
    }
    let seen = world.take_seen();
    assert_eq!(seen.len(), 3 * LIMIT, "three messages for each incident");
    assert!(are_single(&seen));
    expect_counted(&world, LIMIT);
    world.post("one more");
    world.expect([]);
    world.at("00:00:15");
    world.expect([
        "ana email mail #11 bundle of 1",
        "ana slack slack #11 bundle of 1",
        "ana sms twilio #11 bundle of 1",
    ]);
    for number in 1..=11 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn later_notify_steps_of_what_interrupted_are_neither_counted_nor_held() {
    let mut world = World::new(TEAM);
    for number in 1..=LIMIT {
        world.post(&format!("a{number}"));
    }
    world.take_seen();
    world.at("00:03:00");
    let seen = world.take_seen();
    assert!(are_single(&seen));
    assert_eq!(seen.len(), LIMIT, "the step by mail of each");
    expect_counted(&world, LIMIT);
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn low_urgency_never_uses_up_the_room_of_high_nor_delays_it() {
    let mut world = World::new(TEAM);
    for number in 1..=LIMIT + 1 {
        world.give(trigger(&format!("low{number}")).severity("warning"));
    }
    assert_eq!(world.take_seen().len(), LIMIT);
    world.expect_reason(11, "over_page_limit");
    for number in 1..=LIMIT {
        world.post(&format!("high{number}"));
    }
    let seen = world.take_seen();
    assert!(are_single(&seen));
    assert_eq!(seen.len(), LIMIT, "high urgency has its own room");
    world.post("one more");
    world.at("00:00:15");
    world.expect([
        "ana email mail #11 bundle of 1",
        "ana sms twilio #22 bundle of 1",
    ]);
    for number in 1..=22 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_page_by_hand_is_neither_held_nor_counted() {
    let mut world = World::new(TEAM);
    use_up_the_limit(&mut world);
    world.page_by_hand(user("ana"), "look at the door", Urgency::High);
    world.expect(["ana sms twilio #11 page"]);
    expect_counted(&world, LIMIT);
    world.ack(11, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn channel_targets_are_not_persons() {
    let target = "targets: [channel/hooks/https://pager.example.com/]";
    let mut world = World::new(&TEAM.replace("targets: [user/ana]", target));
    for number in 1..=3 * LIMIT {
        world.post(&format!("a{number}"));
    }
    world.wait("00:00:02");
    assert_eq!(world.take_seen().len(), 3 * LIMIT);
    for number in 1..=30 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

/// A way to be paged again: what comes until just before, and what then brings it about.
type Again = (&'static str, fn(&mut World), fn(&mut World));

const AGAIN: [Again; 5] = [
    ("acknowledge timeout", acknowledged, a_moment),
    ("snooze", snoozed, a_moment),
    ("silence", silenced, a_moment),
    ("round", not_answered, a_moment),
    ("join", acknowledged, joined),
];

fn acknowledged(world: &mut World) {
    world.give(trigger("a").label("service", "pay"));
    world.ack(1, "ana");
    world.at("00:19:59");
}

fn snoozed(world: &mut World) {
    world.give(trigger("a").label("service", "pay"));
    world.snooze(1, "ana", "00:20:00");
    world.at("00:19:59");
}

fn silenced(world: &mut World) {
    world.silence("service=pay", "00:20:00");
    world.give(trigger("a").label("service", "pay"));
    world.at("00:19:59");
}

fn not_answered(world: &mut World) {
    world.give(trigger("a").label("service", "pay"));
    world.at("00:14:59");
}

fn a_moment(world: &mut World) {
    world.wait("00:00:01");
}

fn joined(world: &mut World) {
    world.give(trigger("b").label("service", "pay"));
}

fn by_service() -> World {
    let yaml = team_with("route:\n  policy: team\n  group_by: [service]\n").replace(
        "fallback: [user/cy]",
        "fallback: [user/cy]\n    ack_timeout: 20m\n    repeat: 1",
    );
    World::new(&yaml)
}

/// The latest incident that interrupted Ana, as the limit counts.
fn last_counted(world: &World) -> Option<Interruption> {
    let person = world.state().person(&"ana".into())?;
    person.interruptions.last().copied()
}

#[test]
fn what_pages_anew_counts_again() {
    for (name, until, event) in AGAIN {
        let mut world = by_service();
        until(&mut world);
        world.take_seen();
        let before = last_counted(&world);
        event(&mut world);
        let seen = world.take_seen();
        assert!(
            seen.iter()
                .any(|sent| sent.label == "ana sms twilio #1 page"),
            "{name}: {seen:?}"
        );
        assert_ne!(last_counted(&world), before, "{name}");
        world.ack(1, "ana");
        world.take_seen();
    }
}

#[test]
fn what_pages_anew_over_the_limit_is_held() {
    for (name, until, event) in AGAIN {
        let mut world = by_service();
        until(&mut world);
        use_up_the_limit(&mut world);
        event(&mut world);
        assert_eq!(world.count_reason(1, "over_page_limit"), 1, "{name}");
        world.take_seen();
        world.wait("00:00:14");
        world.expect([]);
        world.wait("00:00:01");
        world.expect(["ana sms twilio #1 bundle of 1"]);
        world.ack(1, "ana");
        world.take_seen();
    }
}

#[test]
fn five_hundred_incidents_that_one_silence_releases_are_ten_pages_and_a_bundle() {
    let mut world = World::new(TEAM);
    world.silence("host=a", "01:00:00");
    for number in 1..=500 {
        world.give(trigger(&format!("a{number}")).label("host", "a"));
    }
    world.expect_nothing_until("00:59:59");
    world.at("01:00:00");
    let seen = world.take_seen();
    assert!(are_single(&seen));
    assert_eq!(seen.len(), LIMIT);
    world.expect_nothing_until("01:00:14");
    world.at("01:00:15");
    world.expect(["ana sms twilio #11 bundle of 490"]);
    for number in 1..=500 {
        world.ack(number, "ana");
    }
    world.take_seen();
}

#[test]
fn a_round_with_nothing_to_send_starts_no_timer() {
    let mut world = World::new(TEAM);
    use_up_the_limit(&mut world);
    world.post("a");
    world.ack(11, "ana");
    world.at("00:00:20");
    world.expect([]);
    // Not behind the round that was empty ...
    world.post("b");
    world.expect_nothing_until("00:00:34");
    world.at("00:00:35");
    world.expect(["ana sms twilio #12 bundle of 1"]);
    world.ack(12, "ana");
    // ... and one whose incident is acknowledged leaves the next its fifteen seconds.
    world.at("00:03:00");
    world.post("c");
    world.ack(13, "ana");
    world.at("00:03:10");
    world.post("d");
    world.expect_nothing_until("00:03:24");
    world.at("00:03:25");
    world.expect(["ana sms twilio #14 bundle of 1"]);
    world.ack(14, "ana");
}

#[test]
fn later_bundles_keep_a_minute_apart_and_nothing_is_held_for_longer() {
    let mut world = World::new(&TEAM.replace("wait: 5m", "wait: 1h"));
    use_up_the_limit(&mut world);
    let mut left = Vec::new();
    for second in 0..300 {
        world.at(&format!("00:{:02}:{:02}", second / 60, second % 60));
        if second % 10 == 0 {
            world.give(trigger(&format!("a{second}")));
        }
        let seen = world.take_seen();
        for sent in seen.iter().filter(|sent| sent.label.starts_with("ana sms")) {
            assert!(sent.label.contains("bundle"), "{}", sent.label);
            for brief in &sent.order.message.incidents {
                let waited = world.wall().since(brief.opened_at);
                assert!(waited <= Duration::seconds(60), "{waited}: {}", sent.label);
            }
            left.push(second);
        }
    }
    assert_eq!(left, [15, 75, 135, 195, 255]);
    for number in 11..=40 {
        world.ack(number, "ana");
    }
    world.wait("00:02:00");
    world.take_seen();
}

#[test]
fn the_timeline_says_until_when_a_page_is_held() {
    let mut world = World::new(TEAM);
    use_up_the_limit(&mut world);
    world.post("a");
    let entries = world.durable.entries.iter();
    let mut held = entries.filter(|entry| entry.reason.as_str() == "over_page_limit");
    let held = held.next().expect("it is over the limit");
    assert_eq!(held.body, PageEntry::OverLimit.into());
    assert_eq!(
        held.detail.held_until,
        Some(world.wall() + Duration::seconds(15))
    );
    assert_eq!(held.detail.user.as_deref(), Some("ana"));
    world.ack(11, "ana");
}

#[test]
fn pages_that_wait_for_a_closed_channel_count_as_well() {
    let mut world = World::new(TEAM);
    let closed = Outcome::Throttled {
        wait: Duration::minutes(2),
    };
    world.always("mail", Outcome::RefusedTarget);
    world.next("twilio", [Play::Says(closed), ACCEPTED]);
    world.post("first");
    world.at("00:00:01");
    for number in 2..=50 {
        world.give(trigger(&format!("a{number}")));
    }
    world.at("00:04:00");
    let seen = world.take_seen();
    let to_ana = seen.iter().filter(|sent| sent.label.starts_with("ana sms"));
    let single = to_ana.filter(|sent| sent.label.ends_with(" page"));
    // The first is tried twice.
    assert!(single.count() <= LIMIT + 1, "{seen:?}");
    for number in 1..=50 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn an_incident_whose_page_was_withdrawn_in_its_lane_is_not_counted() {
    let takes: [fn(&mut World, u64); 2] = [
        |world, number| world.ack(number, "ana"),
        |world, number| world.does("ana", number, Verb::Reassign { to: user("cy") }),
    ];
    for take in takes {
        let mut world = World::new(TEAM);
        let queued = Play::LooksUp(Duration::seconds(5), Outcome::Accepted);
        for number in 1..=10 {
            world.next("twilio", [queued]);
            world.post(&format!("a{number}"));
            take(&mut world, number);
        }
        world.wait("00:00:06");
        world.take_seen();
        expect_counted(&world, 0);
        for number in 11..=20 {
            world.post(&format!("a{number}"));
            world.ack(number, "ana");
        }
        let seen = world.take_seen();
        assert!(are_single(&seen));
        assert_eq!(seen.len(), 10, "none of them is held for a bundled page");
        expect_counted(&world, 10);
        for number in 1..=10 {
            world.act("cy", on(number), Verb::Acknowledge);
        }
        world.take_seen();
    }
}

#[test]
fn a_page_whose_second_channel_is_withdrawn_in_its_lane_is_counted_only_if_the_first_took_it() {
    for (first, counted) in [(Outcome::Transient, 0), (Outcome::Accepted, 1)] {
        let mut world = World::with(TEAM, with_second_sms(), BEGIN);
        world.next("twilio", [Play::Late(Duration::seconds(20), first)]);
        world.next(
            "gateway",
            [Play::LooksUp(Duration::seconds(15), Outcome::Accepted)],
        );
        world.post("a");
        world.at("00:00:15");
        world.expect(["ana sms twilio #1 page"]);
        world.ack(1, "ana");
        expect_counted(&world, 1);
        world.at("00:00:40");
        expect_counted(&world, counted);
        world.expect([]);
    }
}

#[test]
fn an_incident_whose_first_contact_failed_counts_once_for_as_long_as_it_may_reach_her() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(Outcome::RefusedTarget), ACCEPTED]);
    world.next(
        "mail",
        [Play::Late(Duration::seconds(5), Outcome::RefusedTarget)],
    );
    world.batch(Vec::new(), vec![trigger("a").input(), trigger("b").input()]);
    world.at("00:00:01");
    expect_counted(&world, 2);
    // The mail failed as well: nothing of the first reached her.
    world.at("00:00:06");
    world.take_seen();
    expect_counted(&world, 1);
    world.ack(1, "ana");
    world.ack(2, "ana");
    world.take_seen();
}

#[test]
fn a_page_withdrawn_while_it_waits_to_be_tried_again_takes_no_other_count_away() {
    let short = Outcome::Throttled {
        wait: Duration::seconds(3),
    };
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Says(short), ACCEPTED]);
    world.batch(Vec::new(), vec![trigger("a").input(), trigger("b").input()]);
    world.at("00:00:01");
    world.expect(["ana sms twilio #1 page", "ana sms twilio #2 page"]);
    expect_counted(&world, 2);
    world.ack(1, "ana");
    expect_counted(&world, 1);
    world.ack(2, "ana");
    world.expect_nothing_until("01:00:00");
}
