//! What is too much for one step goes on in later ones, and a crash between them loses nothing.

use reveille::engine::cause::Cause;
use reveille::engine::decision::Answer;
use reveille::engine::event::Action;
use reveille::engine::ids::{IncidentNumber, SilenceId};
use reveille::engine::incident::{SelfIncident, Status};
use reveille::engine::input::{ActOn, Input, Verb};
use reveille::engine::records::{Disposition, Receipt};
use reveille::engine::time::Duration;
use reveille::engine::urgency::Urgency;
use reveille::rules::Environment;
use reveille::runtime::turn::Done;

use super::TEAM;
use super::acts::{Post, act_input, in_one_request, on, silence_input, trigger};
use super::channels::{Play, usual};
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
            world.ask(Input::ExpireSilence(silence));
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
    world.ask(Input::ExpireSilence(silence));
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
fn dies_with_most_undecided(world: &mut World, posts: Vec<Post>, away: Duration) {
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
    dies_with_most_undecided(&mut world, posts, Duration::hours(20));
    let open = world.state().incidents().filter(|known| known.is_open());
    assert_eq!(open.filter(|known| known.about.is_none()).count(), 40);
    world.take_seen();
}

#[test]
fn what_was_asserted_for_minutes_lasts_for_these_however_late_it_is_decided_on() {
    let mut world = in_steps(TEAM);
    let (start, end) = (world.wall(), world.wall() + Duration::minutes(8));
    let posts = numbered(40).map(|post| post.asserted(start, Some(end)));
    dies_with_most_undecided(&mut world, posts.collect(), Duration::hours(2));
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
        let answered = done
            .iter()
            .filter(|done| matches!(done, Ok(Done::Answer(_))));
        assert_eq!(answered.count(), 2, "in the very next turn");
        let has_gone_on = waiting(&world) < before;
        assert!(has_gone_on || work < 1_500, "which ends with them: {work}");
        let (_, work) = world.bare_turn(Vec::new(), Vec::new());
        assert!(waiting(&world) < before, "and then the request goes on");
        assert!(work < 4 * STEP, "for as much as a turn does: {work}");
    }
    world.crash_for(Duration::seconds(1));
    world.take_seen();
}

const ONE_GROUP: &str = "route:\n  policy: team\n  group_by: [host]\n";

fn expire(silence: SilenceId) -> Input {
    Input::ExpireSilence(silence)
}

#[test]
fn a_silence_that_ends_while_it_takes_the_place_of_another_leaves_neither() {
    let mut world = in_steps(TEAM);
    world.request(numbered(40).collect());
    world.at("00:01:00");
    world.take_seen();
    let (first, _) = world.silence("host=a", "01:00:00");
    let until = world.wall() + Duration::hours(2);
    let second = silence_input(Some(first), "host=~\"a|b\"", until);
    world.bare_turn(vec![second], Vec::new());
    assert_eq!(world.state().silences().count(), 2, "it is not done yet");
    let last = world.state().silences().map(|known| known.id).max();
    world.ask(expire(last.expect("the second")));
    assert_eq!(world.state().silences().count(), 0);
    assert!(!world.state().incidents().any(|known| known.is_silenced));
    world.take_seen();
}

#[test]
fn an_alert_is_heard_that_is_reported_before_the_end_of_its_silence_has_reached_it() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    let (silence, _) = world.silence("kind=late", "01:00:00");
    let many = (0..40).map(|number| {
        let post = trigger(&format!("a{number:02}")).label("kind", "late");
        post.label("host", &format!("h{number:02}"))
    });
    world.request(many.collect());
    world.give(trigger("loud").label("host", "z"));
    world.ack(41, "ana");
    let late = || trigger("late").label("host", "z").label("kind", "late");
    world.give(late());
    world.take_seen();
    world.bare_turn(vec![expire(silence)], vec![late().input()]);
    assert!(world.state().tasks().all().count() > 0, "it goes on");
    world.crash_for(Duration::seconds(1));
    let left = world.state().alerts().map(|alert| alert.silenced_by.len());
    assert_eq!(left.sum::<usize>(), 0);
    let has_been_asked = world.incident(41).escalation.is_join_pending;
    assert!(has_been_asked, "whoever has the incident learns of it");
    world.take_seen();
}

#[test]
fn what_happens_before_an_alert_has_left_a_resolved_incident_is_not_in_its_history() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    world.request(numbered(40).collect());
    let (silence, _) = world.silence("host=b", "01:00:00");
    world.give(trigger("quiet").label("host", "b"));
    let trouble = || SelfIncident {
        cause: Cause::Clock,
        subject: "".into(),
    };
    let text = "a clock that jumps".into();
    world.ask(Input::Raise {
        trouble: trouble(),
        text,
    });
    world.take_seen();
    let numbers = vec![IncidentNumber(1), IncidentNumber(2), IncidentNumber(3)];
    let resolve = act_input("ana", ActOn::Incidents(numbers), Verb::Resolve);
    let until = world.wall() + Duration::hours(1);
    let commands = vec![
        resolve,
        silence_input(None, "host=a", until),
        expire(silence),
        Input::Clear { trouble: trouble() },
    ];
    world.bare_turn(commands, Vec::new());
    world.crash_for(Duration::seconds(1));
    let history = |number| {
        let alerts = world.durable.closed_alerts.values();
        alerts.filter(move |alert| alert.incidents == [IncidentNumber(number)])
    };
    assert_eq!(history(1).count(), 40);
    assert!(history(1).all(|alert| alert.silenced_by.is_empty()));
    assert!(history(2).all(|alert| alert.silenced_by == [silence]));
    assert!(history(3).all(|alert| alert.firing));
    for (number, silenced) in [(1, 0), (2, 1)] {
        let closed = &world.durable.closed[&IncidentNumber(number)];
        assert_eq!(closed.alerts.silenced, silenced, "#{number}");
    }
    world.take_seen();
}

#[test]
fn an_incident_that_was_resolved_is_linked_to_no_other_although_alerts_have_not_left_it() {
    let tree = r#"
route:
  policy: team
  routes:
    - { name: one, matchers: ["host=a"], continue: true, group_by: [host] }
    - { name: two, matchers: ["host=a"], group_by: [host] }
"#;
    let mut world = in_steps(&team_with(tree));
    world.request(numbered(40).collect());
    world.take_seen();
    let resolve = act_input("ana", on(1), Verb::Resolve);
    let acknowledge = act_input("ana", on(2), Verb::Acknowledge);
    let (done, _) = world.bare_turn(vec![resolve, acknowledge], Vec::new());
    let Some(Ok(Done::Answer(Answer::Acted(acted)))) = done.last() else {
        panic!("not an act: {done:?}");
    };
    assert_eq!(acted[0].linked, []);
    world.crash_for(Duration::seconds(1));
    world.take_seen();
}

#[test]
fn a_page_is_counted_once_as_held_when_events_hold_it_before_its_silence_is_through() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    world.request(numbered(36).collect());
    world.take_seen();
    let until = world.wall() + Duration::hours(1);
    world.bare_turn(vec![silence_input(None, "host=a", until)], Vec::new());
    let alerts = world.state().alerts();
    let loud: Vec<_> = alerts.filter(|alert| !alert.is_silenced()).collect();
    assert!((1..20).contains(&loud.len()), "{}", loud.len());
    let resolves = loud.iter().map(|alert| {
        let post = trigger(&alert.dedup_key).label("host", "a");
        post.action(Action::Resolve)
    });
    let resolves = resolves.collect();
    world.bare_turn(Vec::new(), vec![in_one_request(resolves)]);
    world.crash_for(Duration::seconds(1));
    let silence = world.state().silences().next().expect("it holds");
    assert_eq!(silence.held_pages, 1);
    world.take_seen();
}

#[test]
fn what_tells_of_a_resolved_incident_is_the_same_before_its_alerts_have_left_it() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    world.give(trigger("first").label("host", "a"));
    world.at("00:04:00");
    world.request(numbered(40).collect());
    world.take_seen();
    world.does("bo", 1, Verb::Resolve);
    world.wait("00:00:05");
    let sent = world.take_seen();
    let notice = sent.iter().find(|sent| sent.label.contains("resolved"));
    let notice = &notice.expect("who was paged is told").order.message;
    assert_eq!(notice.incidents[0].joined_total, 0, "{notice:?}");
}

#[test]
fn what_a_recovery_went_over_is_not_sent_again_by_the_next_one_if_the_process_dies_in_between() {
    for commit in 0..6 {
        let mut world = in_steps(TEAM);
        world.next("twilio", vec![Play::Lost; 40]);
        world.request(numbered(40).collect());
        world.take_seen();
        if commit > 0 {
            world.crash_at(world.commits() + commit, Boundary::Commit);
        }
        world.crash_for(Duration::minutes(6));
        for number in 1..=40 {
            let again = world.count_reason(number, "restart_resend");
            assert_eq!(again, 0, "#{number}, dies at {commit}");
        }
        world.take_seen();
    }
}

#[test]
fn what_a_person_resolved_is_held_for_as_long_as_ever_although_its_alerts_left_it_late() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    let start = world.wall();
    let again = |post: Post| post.asserted(start, None);
    world.request(numbered(100).map(again).collect());
    world.take_seen();
    world.bare_turn(vec![act_input("ana", on(1), Verb::Resolve)], Vec::new());
    world.crash_for(Duration::minutes(20));
    world.wait("00:10:00");
    let last = world.give(again(trigger("a99").label("host", "a")));
    assert_eq!(last.disposition, Disposition::Opened);
    world.take_seen();
}

#[test]
fn a_person_who_resolves_and_the_end_of_a_silence_meet_in_one_incident_and_nothing_is_left() {
    for commit in 0..6 {
        for boundary in [Boundary::Commit, Boundary::Sends] {
            let mut world = in_steps(&team_with(ONE_GROUP));
            let (silence, _) = world.silence("host=a", "01:00:00");
            world.request(numbered(100).collect());
            world.bare_turn(vec![expire(silence)], Vec::new());
            let resolve = act_input("ana", on(1), Verb::Resolve);
            world.bare_turn(
                vec![resolve],
                vec![trigger("a99").label("host", "a").input()],
            );
            if commit > 0 {
                world.crash_at(world.commits() + commit, boundary);
            }
            world.crash_for(Duration::seconds(1));
            world.wait("00:00:10");
            let state = world.state();
            assert_eq!(state.tasks().all().count(), 0);
            let left = state.alerts().map(|alert| alert.silenced_by.len());
            assert_eq!(left.sum::<usize>(), 0, "dies at {commit}, {boundary:?}");
            let alerts = world.durable.closed_alerts.values();
            let mut keys: Vec<_> = alerts.map(|alert| alert.dedup_key.clone()).collect();
            keys.sort();
            keys.dedup();
            assert_eq!(world.durable.closed_alerts.len(), 100);
            assert_eq!(keys.len(), 100);
            let second = world.incident(2);
            assert_eq!((second.alerts.firing, second.alerts.silenced), (1, 0));
            assert!(!second.is_silenced);
            world.take_seen();
        }
    }
}

#[test]
fn what_moves_between_incidents_while_silences_pass_is_counted_right_everywhere() {
    let tree = r#"
route:
  policy: team
  routes:
    - { name: one, matchers: ["host=~\".+\""], continue: true, group_by: [host] }
    - { name: two, matchers: ["kind=~\".+\""], group_by: [kind] }
"#;
    for turns in 0..5 {
        let mut world = in_steps(&team_with(tree));
        let post = |number: usize, host: usize, kind: usize| {
            let post = trigger(&format!("a{number:02}"));
            let post = post.label("host", &format!("h{host}"));
            post.label("kind", &format!("k{kind}"))
        };
        world.request((0..60).map(|it| post(it, it % 5, it % 7)).collect());
        let (old, _) = world.silence("host=~\"h[01]\"", "05:00:00");
        let until = world.wall() + Duration::hours(1);
        let new = silence_input(Some(old), "kind=~\"k[0-3]\"", until);
        world.bare_turn(vec![new], Vec::new());
        for turn in 0..turns {
            let moved = (0..60).filter(|it| it % 4 == turn);
            let moved = moved.map(|it| post(it, (it + turn) % 6, (it + 1) % 7));
            let moved = vec![in_one_request(moved.collect())];
            let act = match turn {
                1 => act_input("ana", on(3), Verb::Resolve),
                2 => act_input("bo", on(2), Verb::Resolve),
                _ => act_input("bo", on(4), Verb::Acknowledge),
            };
            world.bare_turn(vec![act], moved);
        }
        world.crash_for(Duration::seconds(1));
        world.request(
            (0..60)
                .step_by(9)
                .map(|it| post(it, it % 3, it % 5))
                .collect(),
        );
        let state = world.state();
        for alert in state.alerts() {
            let is_covered =
                matches!(alert.content.labels.get("kind"), Some(kind) if &**kind <= "k3");
            assert_eq!(alert.is_silenced(), is_covered, "{turns}: {alert:?}");
        }
        for incident in state.incidents() {
            let own: Vec<_> = state.alerts_of(incident.number).collect();
            let firing = own.iter().filter(|alert| alert.firing).count();
            let silenced = own.iter().filter(|alert| alert.is_silenced()).count();
            let counts = (
                incident.alerts.firing as usize,
                incident.alerts.silenced as usize,
            );
            assert_eq!(counts, (firing, silenced), "{turns}: {incident:?}");
            if incident.is_open() {
                assert_eq!(
                    incident.is_silenced,
                    firing == silenced,
                    "{turns}: {incident:?}"
                );
            }
        }
        assert_eq!(state.silences().count(), 1);
        world.take_seen();
    }
}

#[test]
fn what_joined_under_a_silence_makes_its_incident_as_urgent_also_if_an_event_ends_the_hold() {
    let mut world = in_steps(&team_with(ONE_GROUP));
    let (silence, _) = world.silence("kind=late", "01:00:00");
    let slow = |key: &str| trigger(key).label("host", "a").severity("warning");
    let many = (0..100).map(|number| slow(&format!("a{number:02}")).label("kind", "late"));
    world.request(many.collect());
    world.give(trigger("down").label("host", "a").label("kind", "late"));
    assert!(world.incident(1).is_silenced);
    world.bare_turn(vec![expire(silence)], vec![slow("other").input()]);
    assert!(!world.incident(1).is_silenced, "the event is not silenced");
    let alerts = world.state().alerts();
    assert!(alerts.filter(|alert| alert.is_silenced()).count() > 10);
    world.crash_for(Duration::seconds(1));
    let urgency = world.incident(1).urgency;
    assert_eq!(urgency, Urgency::High);
    world.take_seen();
}

#[test]
fn a_silence_ends_where_no_alert_has_an_incident() {
    let tree = "route:\n  policy: team\n  page: false\n";
    let mut world = in_steps(&team_with(tree));
    world.request(numbered(60).collect());
    let (silence, covers) = world.silence("host=a", "01:00:00");
    assert_eq!(covers, 0);
    let under = |world: &World| {
        let alerts = world.state().alerts();
        alerts.filter(|alert| alert.is_silenced()).count()
    };
    assert_eq!(under(&world), 60);
    world.ask(Input::ExpireSilence(silence));
    assert_eq!(under(&world), 0);
    world.take_seen();
}
