//! A wrong clock destroys nothing: what time forgets is kept until the clock is believed.

use reveille::engine::input::Input;
use reveille::engine::time::Duration;
use reveille::store::{Options, Partition, Retention, SledStore, Store};

use super::TEAM;
use super::acts::trigger;
use super::silences::{DAILY, with_schedule};
use super::world::World;

const DAY: i64 = 24 * 60 * 60;
const HOME: Partition = Partition(0);

/// All that is forgotten by time: a closed incident with its receipt, groups and alerts that are
/// remembered, an override, a silence that ended, and one that holds a page.
fn world_with_memory() -> World {
    let mut world = World::new(&with_schedule(DAILY));
    world.stand_in("primary", "bo", "48:00:00");
    world.give(trigger("closed"));
    world.resolve_event("closed");
    world.give(trigger("firing"));
    world.ack(2, "bo");
    let (ended, _) = world.silence("host=z", "00:10:00");
    world.ask(Input::ExpireSilence(ended));
    world.silence("host=a", "72:00:00");
    world.give(trigger("held").label("host", "a"));
    world.wait("00:01:00");
    world.take_seen();
    world
}

/// What of it is there.
fn memory(world: &World) -> [usize; 5] {
    let state = world.state();
    [
        state
            .alerts()
            .filter(|alert| !alert.integration.is_router())
            .count(),
        state.groups().count() - own_groups(world),
        state.overrides().count(),
        state.shown_silences().count(),
        state.silences().count(),
    ]
}

fn own_groups(world: &World) -> usize {
    let state = world.state();
    state
        .groups()
        .filter(|group| group.key.contains("reveille"))
        .count()
}

#[test]
fn a_start_500_days_ahead_forgets_nothing_of_every_thing_that_time_forgets() {
    let mut world = world_with_memory();
    let before = memory(&world);
    world.starts_under_clock(500 * DAY);
    world.wait("00:04:00");
    assert_eq!(memory(&world), before);
    assert!(world.state().past(world.wall()) < world.wall());
    world.starts_under_clock(-500 * DAY);
    world.wait("00:01:00");
    world.take_seen();
    assert_eq!(memory(&world), before);
    assert_eq!(world.state().past(world.wall()), world.wall());
}

#[test]
fn a_silence_that_a_jump_ended_releases_its_page_at_once_and_holds_again_when_the_clock_is_back() {
    for is_start in [true, false] {
        let mut world = World::new(TEAM);
        let (silence, _) = world.silence("host=a", "72:00:00");
        world.give(trigger("db").label("host", "a"));
        world.expect([]);
        let jump = |world: &mut World, seconds: i64| match is_start {
            true => world.starts_under_clock(seconds),
            false => world.wall_jumps(seconds),
        };
        jump(&mut world, 500 * DAY);
        world.wait("00:00:01");
        let seen: Vec<String> = world
            .take_seen()
            .into_iter()
            .map(|sent| sent.label)
            .collect();
        assert!(
            seen.contains(&"ana sms twilio #1 page".to_owned()),
            "{seen:?}"
        );
        world.wait("00:00:30");
        jump(&mut world, -500 * DAY);
        let kept = world.state().silence(silence).unwrap().clone();
        assert!(kept.is_active && !kept.has_lapsed, "{kept:?}");
        assert!(world.incident(1).is_silenced);
        world.take_seen();
        world.at("30:00:00");
        let seen = world.take_seen();
        assert!(
            seen.iter().all(|sent| !sent.label.contains("#1")),
            "held: {is_start}"
        );
        world.at("73:00:00");
        let seen = world.take_seen();
        assert!(
            seen.iter().any(|sent| sent.label.contains("#1")),
            "its true end"
        );
        let over = world.state().silence(silence).unwrap().clone();
        assert!(over.ended_at.is_some(), "{over:?}");
    }
}

#[test]
fn a_jump_is_believed_after_an_hour_in_one_process_and_restarts_begin_the_hour_anew() {
    let mut world = world_with_memory();
    let [.., shown, open] = memory(&world);
    world.starts_under_clock(10 * DAY);
    world.wait("00:50:00");
    world.crash_for(Duration::hours(5));
    world.wait("00:50:00");
    assert!(world.state().jump().is_some());
    assert_eq!(memory(&world)[3..], [shown, open]);
    world.wait("00:10:01");
    assert_eq!(world.state().jump(), None);
    let [_, _, overrides, shown_now, open_now] = memory(&world);
    assert_eq!(
        (overrides, shown_now, open_now),
        (0, 1, 0),
        "as without doubt"
    );
    world.take_seen();
}

#[test]
fn an_admin_who_confirms_the_clock_ends_the_wait_and_the_trouble() {
    let mut world = world_with_memory();
    world.starts_under_clock(500 * DAY);
    assert_eq!(world.own_incidents(), ["clock/"]);
    world.wait("00:00:02");
    world.ask(Input::ConfirmClock);
    world.wait("00:00:02");
    assert_eq!(world.state().jump(), None);
    assert_eq!(memory(&world)[2..], [0, 1, 0]);
    assert_eq!(world.own_incidents(), [""; 0]);
    world.take_seen();
}

#[test]
fn a_weekend_switched_off_wakes_nobody_and_a_day_is_not_even_told() {
    for (hours, told) in [(23, ""), (72, "clock_ahead/"), (8 * 24, "clock/")] {
        let mut world = World::new(TEAM);
        world.give(trigger("db"));
        world.ack(1, "ana");
        world.resolve_event("db");
        world.wait("00:01:00");
        world.take_seen();
        world.crash_for(Duration::hours(hours));
        let own = world.own_incidents();
        assert_eq!(own.concat(), told, "{hours} hours off");
        world.wait("00:30:00");
        let seen = world.take_seen();
        let woken = seen.iter().any(|sent| sent.label.contains(" sms "));
        assert_eq!(woken, hours > 7 * 24, "{hours} hours off: {seen:#?}");
        world.wait("01:00:00");
        assert_eq!(world.own_incidents(), [""; 0], "{hours} hours off");
        world.take_seen();
    }
}

#[test]
fn what_is_set_under_a_wrong_clock_lasts_as_long_as_was_meant() {
    let mut world = World::new(&with_schedule(DAILY));
    world.give(trigger("db"));
    world.ack(1, "ana");
    world.starts_under_clock(500 * DAY);
    world.wait("00:01:00");
    let (silence, _) = world.silence("host=a", "02:00:00");
    world.stand_in("primary", "bo", "02:00:00");
    world.starts_under_clock(-500 * DAY);
    let kept = world.state().silence(silence).unwrap().clone();
    let left = kept.until.since(world.wall());
    assert!(
        left <= Duration::hours(2) && left > Duration::minutes(119),
        "{left}"
    );
    assert!(kept.is_active);
    world.wait("02:00:01");
    assert_eq!(
        (
            world.state().silences().count(),
            world.state().overrides().count()
        ),
        (0, 0)
    );
    world.take_seen();
}

#[test]
fn history_is_purged_by_the_clock_that_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(TEAM);
    world.durable.mirror = Some(SledStore::open(folder.path(), Options::default()).unwrap());
    world.give(trigger("db"));
    world.ack(1, "ana");
    world.resolve_event("db");
    world.wait("00:01:00");
    world.take_seen();
    let retention = Retention {
        events: Duration::days(30),
        incidents: Duration::days(400),
        disk_bytes: u64::MAX,
    };
    let purge = |world: &World| {
        let store = world.durable.mirror.as_ref().unwrap();
        let past = world.state().past(world.wall());
        while store.purge(HOME, &retention, past).unwrap().is_more {}
        let incidents = store.closed_incidents(HOME, None, 10).unwrap().len();
        (store.receipts(HOME, None, 10).unwrap().len(), incidents)
    };
    let before = purge(&world);
    assert_eq!(before.1, 1);
    world.starts_under_clock(500 * DAY);
    assert_eq!(purge(&world), before, "of a jump that is not confirmed");
    // A second start under the same clock is no jump any more; the first one is remembered.
    world.crash_for(Duration::seconds(1));
    assert_eq!(purge(&world), before, "after another start");
    world.ask(Input::ConfirmClock);
    assert_eq!(purge(&world), (0, 0));
    world.take_seen();
}
