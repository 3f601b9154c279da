//! Death at every boundary of every commit of a story: nothing accepted is lost, and the only
//! messages that come twice are those that had left without a durable outcome.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::event::Action;
use reveille::engine::ids::{AttemptId, ChannelName, PageId};
use reveille::engine::input::Verb;
use reveille::engine::outcome::Outcome;

use super::TEAM;
use super::acts::{on, trigger};
use super::channels::{Play, with_second_sms};
use super::world::{BEGIN, Boundary, Sent, World};

const BOUNDARIES: [Boundary; 3] = [Boundary::Commit, Boundary::Answers, Boundary::Sends];

/// What happens, told as a client would that repeats what was not answered.
struct Story {
    tell: fn(&mut World),
    /// Ids of events; each has one receipt at the end.
    events: &'static [&'static str],
}

/// Failover, acknowledging, the page limit, resolving.
const BUSY: Story = Story {
    tell: busy,
    events: &["e1", "e2", "e3", "e4"],
};

fn busy(world: &mut World) {
    world.next("twilio", [Play::Says(Outcome::Transient)]);
    world.give(trigger("a").id("e1"));
    world.wait("00:00:30");
    world.give(trigger("b").id("e2").severity("warning"));
    world.wait("00:05:00");
    world.give(trigger("c").id("e3"));
    world.wait("00:00:10");
    let page = world.page_to("bo sms");
    world.link(page, "bo", Verb::Acknowledge);
    world.wait("00:00:10");
    for number in 0..9 {
        world.give(trigger(&format!("d{number}")).id(&format!("f{number}")));
    }
    world.wait("00:01:00");
    world.give(trigger("a").id("e4").action(Action::Resolve));
    world.wait("00:12:00");
}

/// Silences over open and new incidents, snoozes, and rules that change under both.
const QUIET: Story = Story {
    tell: quiet,
    events: &["e1", "e2", "e3"],
};

fn quiet(world: &mut World) {
    world.give(trigger("a").id("e1").label("team", "payments"));
    world.wait("00:00:20");
    world.silence("team=payments", "00:04:00");
    world.wait("00:00:10");
    world.give(trigger("b").id("e2").label("team", "payments"));
    world.give(trigger("c").id("e3"));
    world.wait("00:00:30");
    let until = world.wall() + super::world::length("00:03:00");
    world.act("ana", on(3), Verb::Snooze { until });
    world.wait("00:01:00");
    world.replace_rules(&TEAM.replace("wait: 5m", "wait: 7m"));
    world.wait("00:06:00");
    world.act("bo", on(1), Verb::Acknowledge);
    world.act("bo", on(2), Verb::Acknowledge);
    world.replace_rules(TEAM);
    world.wait("00:10:00");
    world.act("ana", on(3), Verb::Resolve);
    world.wait("00:00:10");
}

/// A world in which a story was told, with these deaths.
fn told(story: &Story, deaths: &[(usize, Boundary)]) -> World {
    let mut world = World::with(TEAM, with_second_sms(), BEGIN);
    for (commit, boundary) in deaths {
        world.crash_at(*commit, *boundary);
    }
    (story.tell)(&mut world);
    world.take_seen();
    world
}

/// The story without a death: how many commits it has, and what is usually sent.
fn usual(story: &Story) -> (usize, BTreeMap<String, usize>) {
    let world = told(story, &[]);
    assert!(world.commits() > 25, "{} commits", world.commits());
    check_repetitions(&world, "without a death");
    (world.commits(), messages(&world))
}

fn counted<'sent>(sent: impl Iterator<Item = &'sent Sent>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in sent {
        *counts.entry(one.label.clone()).or_default() += 1;
    }
    counts
}

fn dies_at_every_boundary(story: &Story) {
    let (commits, usual) = usual(story);
    for boundary in BOUNDARIES {
        for commit in 1..=commits {
            let world = told(story, &[(commit, boundary)]);
            check(&world, story, &usual, &format!("{boundary:?} {commit}"));
        }
    }
}

#[test]
fn killed_at_every_commit_boundary_nothing_is_lost_and_only_what_was_in_flight_is_doubled() {
    dies_at_every_boundary(&BUSY);
}

#[test]
fn killed_around_silences_snoozes_and_new_rules_the_same_holds() {
    dies_at_every_boundary(&QUIET);
}

#[test]
fn killed_again_at_each_commit_of_the_recovery_the_same_holds() {
    for story in [&BUSY, &QUIET] {
        let (commits, usual) = usual(story);
        for commit in 1..=commits {
            for (later, boundary) in (1..=3).flat_map(|later| BOUNDARIES.map(|b| (later, b))) {
                let deaths = [(commit, Boundary::Sends), (commit + later, boundary)];
                let world = told(story, &deaths);
                let place = format!("{commit}, then {boundary:?} {later} later");
                check(&world, story, &usual, &place);
            }
        }
    }
}

fn check(world: &World, story: &Story, usual: &BTreeMap<String, usize>, place: &str) {
    for id in story.events {
        let receipts = world.durable.receipts.iter();
        let own = receipts.filter(|receipt| receipt.event_id.as_deref() == Some(id));
        assert_eq!(own.count(), 1, "{place}: one receipt of {id}");
    }
    check_repetitions(world, place);
    check_messages(world, usual, place);
}

/// A page is sent once more on a channel only after an answer that allows it, or once for each
/// death at which its attempt had no durable outcome.
fn check_repetitions(world: &World, place: &str) {
    let attempts: BTreeSet<AttemptId> = world.sent.iter().map(|sent| sent.order.attempt).collect();
    assert_eq!(
        attempts.len(),
        world.sent.len(),
        "{place}: an attempt left twice"
    );
    for (earlier, later) in repetitions(world) {
        let was_in_flight = world.interrupted.contains(&earlier.order.attempt);
        assert!(
            has_failed(world, earlier) || was_in_flight,
            "{place}: {:?} is sent again",
            later.label
        );
    }
}

/// Messages of one page on one channel, each with the one before it.
fn repetitions(world: &World) -> Vec<(&Sent, &Sent)> {
    let mut last: BTreeMap<(PageId, ChannelName), &Sent> = BTreeMap::new();
    let mut repetitions = Vec::new();
    for sent in &world.sent {
        let key = (sent.order.page, sent.order.channel.clone());
        repetitions.extend(last.insert(key, sent).map(|earlier| (earlier, sent)));
    }
    repetitions
}

/// Whether the router knows that a message was not taken.
fn has_failed(world: &World, sent: &Sent) -> bool {
    let page = world.page(sent.order.page);
    let mut attempts = page.attempts.iter();
    let attempt = attempts.find(|known| known.id == sent.order.attempt);
    let outcome = attempt.and_then(|known| known.outcome);
    outcome.is_some_and(|outcome| !outcome.is_sent())
}

/// Every page of the usual story is sent, and no message more often than usual and once for each
/// of its attempts that a death interrupted. What was refused and is tried again does not count.
fn check_messages(world: &World, usual: &BTreeMap<String, usize>, place: &str) {
    let counts = messages(world);
    let is_interrupted = |sent: &&Sent| world.interrupted.contains(&sent.order.attempt);
    let interrupted = counted(world.sent.iter().filter(is_interrupted));
    let of = |counts: &BTreeMap<String, usize>, label| counts.get(label).copied().unwrap_or(0);
    for (label, count) in &counts {
        let most = of(usual, label) + of(&interrupted, label);
        assert!(
            *count <= most,
            "{place}: {label:?} {count} times, at most {most}"
        );
    }
    let told: BTreeSet<String> = counts.keys().filter_map(|label| page(label)).collect();
    for label in usual.keys().filter_map(|label| page(label)) {
        assert!(told.contains(&label), "{place}: {label:?} was never sent");
    }
}

/// How often each message was sent, without what follows a refusal.
fn messages(world: &World) -> BTreeMap<String, usize> {
    let again = repetitions(world).into_iter();
    let again = again.filter(|(earlier, _)| has_failed(world, earlier));
    let again: BTreeSet<AttemptId> = again.map(|(_, later)| later.order.attempt).collect();
    counted(
        world
            .sent
            .iter()
            .filter(|sent| !again.contains(&sent.order.attempt)),
    )
}

/// The label of a page without its channel: which of two took it depends on the death.
fn page(label: &str) -> Option<String> {
    let words: Vec<&str> = label.split(' ').collect();
    match words[..] {
        [who, medium, _, number, "page"] => Some(format!("{who} {medium} {number}")),
        _ => None,
    }
}
