//! What is too much for one step goes on in later ones, and a crash between them loses nothing.

use reveille::engine::event::Action;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::incident::Status;
use reveille::engine::input::{Input, Verb};
use reveille::engine::records::{Disposition, Receipt};
use reveille::engine::time::Millis;
use reveille::rules::Environment;
use reveille::runtime::turn::Done;

use super::TEAM;
use super::acts::{Post, act_input, actor, in_one_request, on, trigger};
use super::channels::usual;
use super::events::team_with;
use super::world::{BEGIN, Boundary, World};

/// About what three new alerts cost.
const STEP: u64 = 3_000;

/// A world in which a step does so much.
fn in_steps(yaml: &str) -> World {
    let mut environment = Environment {
        channels: usual(),
        ..Environment::default()
    };
    environment.settings.step_work_max = STEP;
    World::in_environment(yaml, environment, BEGIN)
}

fn numbered(count: usize) -> impl Iterator<Item = Post> {
    (0..count).map(|number| trigger(&format!("a{number:02}")).label("host", "a"))
}

fn became(receipts: &[std::sync::Arc<Receipt>]) -> Vec<Disposition> {
    receipts.iter().map(|receipt| receipt.disposition).collect()
}

#[test]
fn a_silence_reaches_all_it_covers_and_lets_go_of_it_whatever_commit_the_process_dies_at() {
    let mut deaths: Vec<(usize, Boundary)> = vec![(0, Boundary::Commit)];
    for commit in 1..6 {
        deaths.push((commit, Boundary::Commit));
        deaths.push((commit, Boundary::Answers));
    }
    for (commit, boundary) in deaths {
        let mut world = in_steps(TEAM);
        world.request(numbered(12).collect());
        world.request(vec![trigger("loud")]);
        world.at("00:01:00");
        world.take_seen();
        if commit > 0 {
            world.crash_at(world.commits() + commit, boundary);
        }
        let (_, covers) = world.silence("host=a", "01:00:00");
        assert_eq!(covers, 12, "dies at {commit}, {boundary:?}");
        let held = |world: &World| {
            let open = world.state().incidents();
            open.filter(|known| known.is_silenced).count()
        };
        assert_eq!(held(&world), 12, "dies at {commit}, {boundary:?}");
        world.take_seen();
        if commit > 0 {
            world.crash_at(world.commits() + commit, boundary);
        }
        // Whoever was not answered has set it twice.
        let silences: Vec<_> = world.state().silences().map(|known| known.id).collect();
        for silence in silences {
            world.ask(Input::ExpireSilence {
                silence,
                actor: actor("ana"),
            });
        }
        assert_eq!(held(&world), 0, "dies at {commit}, {boundary:?}");
        for number in 1..=12 {
            assert_eq!(world.count_reason(number, "silence_over"), 1, "#{number}");
        }
        let left = world.state().alerts().map(|alert| alert.silenced_by.len());
        assert_eq!(left.sum::<usize>(), 0, "dies at {commit}, {boundary:?}");
        world.take_seen();
    }
}

#[test]
fn an_alert_of_two_incidents_is_heard_in_both_when_its_silence_ends_in_steps() {
    let tree = r#"
route:
  policy: team
  routes:
    - { name: one, matchers: ["host=a"], continue: true, group_by: ["..."] }
    - { name: two, matchers: ["host=a"], group_by: [host] }
"#;
    let mut world = in_steps(&team_with(tree));
    let (silence, _) = world.silence("host=a", "01:00:00");
    world.request(numbered(8).collect());
    assert!(world.state().incidents().all(|known| known.is_silenced));
    world.ask(Input::ExpireSilence {
        silence,
        actor: actor("ana"),
    });
    let numbers: Vec<u64> = world.state().incidents().map(|it| it.number.0).collect();
    assert_eq!(numbers.len(), 9);
    for number in numbers {
        assert_eq!(world.count_reason(number, "silence_over"), 1, "#{number}");
    }
    world.take_seen();
}

#[test]
fn what_a_person_resolved_stays_so_for_every_alert_also_before_it_has_left_the_incident() {
    let tree = "route:\n  policy: team\n  group_by: [host]\n";
    let mut world = in_steps(&team_with(tree));
    let start = world.wall();
    let again = |post: Post| post.asserted(start, None);
    world.request(numbered(40).map(again).collect());
    world.take_seen();
    // The act is durable and the alerts have not left when the process dies.
    world.crash_at(world.commits() + 1, Boundary::Sends);
    world.does("ana", 1, Verb::Resolve);
    let receipts = world.request(numbered(40).map(again).collect());
    assert_eq!(became(&receipts), [Disposition::Recorded; 40]);
    assert_eq!(world.state().incidents().count(), 0, "it is in history");
    let alerts = world.durable.closed_alerts.values();
    let kept = alerts.filter(|alert| alert.incidents == [IncidentNumber(1)]);
    assert_eq!(kept.count(), 40, "with each of its alerts, once");
    assert_eq!(world.state().tasks().all().count(), 0);
    world.take_seen();
}

#[test]
fn an_alert_that_fires_again_before_it_has_left_a_resolved_incident_opens_the_next() {
    let tree = "route:\n  policy: team\n  group_by: [host]\n";
    let mut world = in_steps(&team_with(tree));
    world.request(numbered(40).collect());
    let resolved = numbered(40).map(|post| post.action(Action::Resolve));
    world.request(resolved.collect());
    let again = world.request(vec![trigger("a39").label("host", "a")]);
    assert_eq!(became(&again), [Disposition::Opened]);
    assert_eq!(world.incident(2).alerts.firing, 1);
    assert_eq!(world.incident(2).alerts.total, 1);
    let alerts = world.durable.closed_alerts.values();
    let kept: Vec<bool> = alerts.map(|alert| alert.firing).collect();
    assert_eq!(kept, [false; 40], "history has them as they were");
    world.take_seen();
}

#[test]
fn a_request_is_decided_on_as_a_whole_and_in_its_order_whatever_commit_the_process_dies_at() {
    for commit in 0..8 {
        for boundary in [Boundary::Commit, Boundary::Answers, Boundary::Sends] {
            let mut world = in_steps(TEAM);
            if commit > 0 {
                world.crash_at(world.commits() + commit, boundary);
            }
            let mut posts: Vec<Post> = numbered(40).collect();
            posts.extend(numbered(40).map(|post| post.action(Action::Resolve)));
            posts.push(trigger("a07").label("host", "a"));
            let receipts = world.request(posts);
            assert_eq!(receipts.len(), 81, "dies at {commit}, {boundary:?}");
            assert_eq!(receipts[80].disposition, Disposition::Opened);
            let open = world.state().incidents();
            let open: Vec<_> = open.filter(|known| known.is_open()).collect();
            assert_eq!(open.len(), 1, "dies at {commit}, {boundary:?}");
            assert_eq!(open[0].status, Status::Triggered);
            assert_eq!(world.state().tasks().all().count(), 0);
            world.take_seen();
        }
    }
}

/// Lets the process die when the request is accepted and most of it is not decided on.
fn dies_with_most_undecided(world: &mut World, posts: Vec<Post>, away: Millis) {
    world.bare_turn(Vec::new(), vec![in_one_request(posts)]);
    let events = world.state().tasks().events().values();
    assert!(events.sum::<usize>() > 10, "most is not decided on yet");
    world.crash_for(away);
}

#[test]
fn what_was_fresh_when_it_was_accepted_pages_however_late_it_is_decided_on() {
    let mut world = in_steps(TEAM);
    let moment = world.wall();
    let posts = numbered(40).map(|post| post.occurred(moment)).collect();
    dies_with_most_undecided(&mut world, posts, Millis::hours(20));
    let open = world.state().incidents().filter(|known| known.is_open());
    assert_eq!(open.filter(|known| known.about.is_none()).count(), 40);
    world.take_seen();
}

#[test]
fn what_was_asserted_for_minutes_lasts_for_these_however_late_it_is_decided_on() {
    let mut world = in_steps(TEAM);
    let (start, end) = (world.wall(), world.wall() + Millis::minutes(8));
    let posts = numbered(40).map(|post| post.asserted(start, Some(end)));
    dies_with_most_undecided(&mut world, posts.collect(), Millis::hours(2));
    let firing = |world: &World| world.state().alerts().filter(|it| it.firing).count();
    assert_eq!(firing(&world), 40);
    world.wait("00:04:30");
    assert_eq!(firing(&world), 40);
    world.wait("00:04:00");
    assert_eq!(firing(&world), 0);
    world.take_seen();
}

#[test]
fn while_a_large_request_is_decided_on_others_are_answered_in_turn() {
    let mut world = in_steps(TEAM);
    world.bare_turn(Vec::new(), vec![in_one_request(numbered(400).collect())]);
    let waiting = |world: &World| world.state().tasks().events().values().sum::<usize>();
    while waiting(&world) > 0 {
        let before = waiting(&world);
        let act = act_input(
            "ana",
            on(1),
            Verb::Note {
                text: "seen".into(),
            },
        );
        let other = trigger("loud").of("other").input();
        let (done, work) = world.bare_turn(vec![act], vec![other]);
        let answered = done.iter().filter(|done| matches!(done, Done::Answer(_)));
        assert_eq!(answered.count(), 2, "in the very next turn");
        let has_gone_on = waiting(&world) < before;
        assert!(has_gone_on || work < 1_500, "which ends with them: {work}");
        let (_, work) = world.bare_turn(Vec::new(), Vec::new());
        assert!(waiting(&world) < before, "and then the request goes on");
        assert!(work < 4 * STEP, "for as much as a turn does: {work}");
    }
    world.crash_for(Millis::seconds(1));
    world.take_seen();
}
