//! What a start means: sources that fire again, and HA pairs whose replicas are one condition.

use reveille::engine::event::Action;
use reveille::engine::input::Verb;
use reveille::engine::records::{Disposition, Receipt};
use reveille::engine::time::{Duration, Timestamp};

use super::TEAM;
use super::acts::{Post, trigger};
use super::world::World;

/// One replica of a pair of Prometheus, with the start that it gives.
#[derive(Clone, Copy)]
struct Replica {
    url: &'static str,
    start: Timestamp,
}

impl Replica {
    fn fires(self, world: &World) -> Post {
        let end = world.wall() + Duration::minutes(4);
        let post = trigger("db").asserted(self.start, Some(end));
        post.asserted_by(self.url)
    }

    fn resolves(self, world: &World) -> Post {
        let post = trigger("db").asserted(self.start, Some(world.wall()));
        post.asserted_by(self.url).action(Action::Resolve)
    }

    fn since(self, start: Timestamp) -> Self {
        Self { start, ..self }
    }
}

/// A pair of which the second evaluates 15 seconds after the first.
fn pair(world: &World) -> (Replica, Replica) {
    let replica = |url, seconds| Replica {
        url,
        start: world.wall() + Duration::seconds(seconds),
    };
    (replica("http://a/graph", 0), replica("http://b/graph", 15))
}

fn told(receipt: &Receipt) -> (Disposition, &'static str) {
    (receipt.disposition, receipt.reason.as_str())
}

#[test]
fn a_replica_that_repeats_its_resolve_pages_nobody_again_however_long_the_other_lags() {
    let lags = [Some(15), Some(180), None];
    for lag in lags.map(|lag| lag.map(Duration::seconds)) {
        let mut world = World::new(TEAM);
        let (a, b) = pair(&world);
        world.give(a.fires(&world));
        world.expect(["ana sms twilio #1 page"]);
        world.give(b.fires(&world));
        world.ack(1, "ana");
        let recovered = Duration::minutes(2);
        for step in 8..=8 + 4 * 20 {
            let at = Duration::seconds(15 * step);
            world.until(at);
            let passed = at.0 - recovered.0;
            let is_minute = step % 4 == 0;
            if is_minute && passed <= Duration::minutes(15).0 {
                world.give(a.resolves(&world));
            }
            let is_over = lag.is_some_and(|lag| passed >= lag.0);
            // The lagging replica posts a while after the other.
            if step % 4 == 1 || lag.is_some_and(|lag| passed == lag.0) {
                let post = if is_over {
                    b.resolves(&world)
                } else {
                    b.fires(&world)
                };
                world.give(post);
            }
            let status = if is_over { "resolved" } else { "acknowledged" };
            world.expect_status(1, status);
        }
        world.expect([]);
    }
}

#[test]
fn each_resolve_of_a_pair_is_told_for_what_it_did() {
    let mut world = World::new(TEAM);
    let (a, b) = pair(&world);
    world.give(b.fires(&world));
    world.give(a.fires(&world));
    world.expect(["ana sms twilio #1 page"]);
    let alert = world.state().alerts().next().cloned();
    let starts_at = alert.and_then(|alert| alert.starts_at);
    assert_eq!(starts_at, Some(a.start), "the earliest is shown");
    let mut give = |post| told(&world.give(post));
    let wall = a.start + Duration::minutes(1);
    let resolve = |replica: Replica| {
        let post = trigger("db").asserted(replica.start, Some(wall));
        post.asserted_by(replica.url).action(Action::Resolve)
    };
    assert_eq!(give(resolve(a)), (Disposition::Recorded, "still_asserted"));
    assert_eq!(give(resolve(a)), (Disposition::Ignored, "assertion_over"));
    assert_eq!(give(resolve(b)), (Disposition::Resolved, "source_resolved"));
    assert_eq!(give(resolve(b)), (Disposition::Ignored, "unknown_alert"));
    world.expect_status(1, "resolved");
    world.give(b.since(wall).fires(&world));
    world.expect(["ana sms twilio #2 page"]);
    let late = world.give(resolve(a));
    assert_eq!(told(&late), (Disposition::Ignored, "assertion_over"));
    let unknown = world.give(resolve(a.since(Timestamp(1))));
    assert_eq!(told(&unknown), (Disposition::Resolved, "source_resolved"));
    world.expect_status(2, "resolved");
}

#[test]
fn a_repeated_resolve_ends_no_later_assertion_as_long_as_it_is_repeated() {
    let mut world = World::new(TEAM);
    let (a, b) = pair(&world);
    world.give(a.fires(&world));
    world.give(a.resolves(&world));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:14:30");
    world.give(b.since(world.wall()).fires(&world));
    world.expect(["ana sms twilio #2 page"]);
    world.at("00:15:00");
    world.give(a.resolves(&world));
    world.expect_status(2, "triggered");
    world.ack(2, "ana");
}

#[test]
fn an_alert_expires_with_its_last_assertion_and_never_by_time_in_which_the_router_was_down() {
    let mut world = World::new(TEAM);
    let (a, b) = pair(&world);
    world.give(a.fires(&world));
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.at("00:02:00");
    world.give(b.fires(&world));
    world.at("00:05:00");
    world.expect_status(1, "acknowledged");
    world.crash_for(Duration::hours(1));
    world.wait("00:04:50");
    world.expect_status(1, "acknowledged");
    world.give(a.fires(&world));
    world.give(b.resolves(&world));
    world.expect_status(1, "acknowledged");
    world.wait("00:03:50");
    world.expect_status(1, "acknowledged");
    world.wait("00:00:20");
    world.expect_status(1, "resolved");
    world.expect([]);
}

/// Posts with a start, each by the replica that it is of, or by no known sender.
type Starts = fn(&World, Timestamp) -> Vec<Post>;

#[test]
fn a_start_that_is_no_news_does_not_undo_what_a_person_did() {
    let sequences: [(&str, Starts); 4] = [
        ("the starts known before", |world, start| {
            pair_at(world, start, [0, 15, 0, 15])
        }),
        ("a replica that evaluates earlier", |world, start| {
            pair_at(world, start, [-30, 15, -30, 15])
        }),
        (
            "a replica that restarted after the resolve",
            |world, start| pair_at(world, start, [120, 15, 120, 15]),
        ),
        ("a webhook with an earlier start", |_, start| {
            let post =
                |seconds: i64| trigger("db").asserted(Timestamp(start.0 + seconds * 1_000), None);
            vec![post(-30), post(15), post(0)]
        }),
    ];
    for (what, starts) in sequences {
        let mut world = World::new(TEAM);
        let (a, b) = pair(&world);
        if what.contains("webhook") {
            world.give(trigger("db").asserted(a.start, None));
        } else {
            world.give(a.fires(&world));
            world.give(b.fires(&world));
        }
        world.expect(["ana sms twilio #1 page"]);
        world.at("00:01:00");
        world.does("ana", 1, Verb::Resolve);
        world.at("00:02:00");
        for post in starts(&world, a.start) {
            let receipt = world.give(post);
            assert_eq!(
                told(&receipt),
                (Disposition::Recorded, "still_firing_hold"),
                "{what}"
            );
        }
        world.expect([]);
    }
}

fn pair_at(world: &World, start: Timestamp, seconds: [i64; 4]) -> Vec<Post> {
    let (a, b) = pair(world);
    let posts = seconds.into_iter().zip([a, b, a, b]);
    let posts = posts.map(|(seconds, replica)| {
        let start = Timestamp(start.0 + seconds * 1_000);
        replica.since(start).fires(world)
    });
    posts.collect()
}

#[test]
fn an_ordinary_recovery_after_a_person_resolved_and_a_replica_restarted_pages_nobody() {
    let mut world = World::new(TEAM);
    let (a, b) = pair(&world);
    world.give(a.fires(&world));
    world.give(b.fires(&world));
    world.expect(["ana sms twilio #1 page"]);
    world.at("00:01:00");
    world.does("ana", 1, Verb::Resolve);
    world.at("00:02:00");
    let restarted = a.since(world.wall());
    world.give(restarted.fires(&world));
    world.give(b.resolves(&world));
    world.at("00:02:15");
    world.give(restarted.fires(&world));
    world.give(restarted.resolves(&world));
    world.expect_nothing_until("00:20:00");
    // It is over: whatever fires now is news.
    world.give(restarted.fires(&world));
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
}

#[test]
fn a_start_after_a_persons_resolve_opens_at_once_where_nobody_else_asserts_the_old_one() {
    let by = [None, Some("http://a/graph")];
    for by in by {
        let post = |start: Timestamp| {
            let post = trigger("db").asserted(start, Some(start + Duration::minutes(4)));
            match by {
                Some(url) => post.asserted_by(url),
                None => post,
            }
        };
        let mut world = World::new(TEAM);
        world.give(post(world.wall()));
        world.expect(["ana sms twilio #1 page"]);
        world.does("ana", 1, Verb::Resolve);
        world.at("00:01:00");
        let receipt = world.give(post(world.wall()));
        assert_eq!(receipt.disposition, Disposition::Opened, "{by:?}");
        world.expect(["ana sms twilio #2 page"]);
        world.ack(2, "ana");
    }
}

#[test]
fn a_source_that_fires_again_after_its_resolve_pages_whatever_its_start() {
    for by in [None, Some("http://a/graph")] {
        for seconds in [0, -3_600, 30, 3_600] {
            let mut world = World::new(TEAM);
            let start = world.wall();
            let post = |start: Timestamp, end: Timestamp| {
                let post = trigger("db").asserted(start, Some(end));
                match by {
                    Some(url) => post.asserted_by(url),
                    None => post,
                }
            };
            let end = start + Duration::minutes(60);
            world.give(post(start, end));
            world.expect(["ana sms twilio #1 page"]);
            world.at("00:01:00");
            world.give(post(start, world.wall()).action(Action::Resolve));
            world.expect_status(1, "resolved");
            world.at("00:01:10");
            let again = world.give(post(Timestamp(start.0 + seconds * 1_000), end));
            assert_eq!(again.disposition, Disposition::Opened, "{by:?} {seconds}");
            world.expect(["ana sms twilio #2 page"]);
            world.ack(2, "ana");
        }
    }
}
