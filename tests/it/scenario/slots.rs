//! Who gets the slots of a channel: one receiver is one receiver, what waits has used nothing up,
//! and nothing waits for ever.

use reveille::engine::cause::Cause;
use reveille::engine::event::Action;
use reveille::engine::incident::SelfIncident;
use reveille::engine::input::{DeliveryReport, Input, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::PageState;
use reveille::engine::ruleset::ChannelInfo;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::{act_input, on, trigger};
use super::channels::{Play, usual, with_second_sms};
use super::events::team_with;
use super::world::{BEGIN, Sent, World};

/// Targets of a step: servers of other people.
const MUTE: &str = "https://mute.example.com/hook";
const WELL: &str = "https://well.example.com/hook";

fn hooks(target: &str) -> String {
    format!("channel/hooks/{target}")
}

/// Rules in which every incident of the label `to` goes to this server.
fn servers() -> String {
    format!(
        r#"
policies:
  mute: {{ steps: [{{ targets: ["{}"], wait: 1h }}] }}
  well: {{ steps: [{{ targets: ["{}"], wait: 1h }}] }}
integrations:
  native: {{ format: native }}
route:
  policy: well
  group_by: ["..."]
  routes:
    - {{ name: mute, matchers: ['to="mute"'], policy: mute }}
"#,
        hooks(MUTE),
        hooks(WELL)
    )
}

fn with_concurrency(concurrency: usize) -> Vec<ChannelInfo> {
    let mut channels = usual();
    for channel in &mut channels {
        channel.concurrency = concurrency;
    }
    channels
}

fn to(seen: &[Sent], address: &str) -> usize {
    let seen = seen.iter();
    seen.filter(|sent| &*sent.order.address == address).count()
}

/// Events that open an incident each, whose page goes to one of the servers.
fn post_many(world: &mut World, count: usize, to: &str) {
    let passed = world.passed;
    let key = |number| format!("{to}{number} at {passed}");
    let events = (0..count).map(|number| trigger(&key(number)).label("to", to).input());
    world.batch(Vec::new(), events.collect());
}

#[test]
fn two_hundred_pages_to_a_mute_receiver_delay_no_other_by_more_than_a_second() {
    let mut world = World::new(&servers());
    world.next("hooks", [Play::Silence; 8]);
    post_many(&mut world, 200, "mute");
    assert_eq!(to(&world.take_seen(), MUTE), 8, "its share of the 32 slots");
    for second in 1..=10 {
        world.wait("00:00:01");
        post_many(&mut world, 3, "well");
        assert_eq!(to(&world.take_seen(), WELL), 3, "second {second}: at once");
    }
    world.take_seen();
}

#[test]
fn many_mute_receivers_hold_up_a_new_one_for_no_longer_than_a_second() {
    let mutes: Vec<String> = (0..4)
        .map(|n| hooks(&format!("https://m{n}.example.com")))
        .collect();
    let rules = servers().replace(&hooks(MUTE), &mutes.join("\", \""));
    let mut world = World::new(&rules);
    world.next("hooks", [Play::Silence; 32]);
    post_many(&mut world, 20, "mute");
    assert_eq!(world.take_seen().len(), 32, "all slots are taken");
    post_many(&mut world, 1, "well");
    assert!(world.take_seen().is_empty());
    world.wait("00:00:01");
    assert_eq!(to(&world.take_seen(), WELL), 1);
    world.wait("00:00:20");
    world.take_seen();
}

#[test]
fn a_receiver_that_asks_to_wait_for_a_day_closes_no_other_and_is_asked_again_in_15_minutes() {
    let mut world = World::new(&servers());
    let wait = Duration::days(1);
    world.next("hooks", [Play::Says(Outcome::Throttled { wait })]);
    post_many(&mut world, 1, "mute");
    world.wait("00:00:01");
    post_many(&mut world, 5, "well");
    let seen = world.take_seen();
    // Who cannot be reached goes on to the policy of the root: that is the sixth.
    assert_eq!((to(&seen, MUTE), to(&seen, WELL)), (1, 6));
    world.wait("00:00:01");
    world.crash_for(Duration::seconds(2));
    post_many(&mut world, 6, "well");
    assert_eq!(to(&world.take_seen(), WELL), 6, "nor over a restart");
    world.at("00:14:59");
    assert!(world.take_seen().is_empty());
    world.at("00:15:01");
    post_many(&mut world, 1, "mute");
    assert_eq!(to(&world.take_seen(), MUTE), 1);
}

#[test]
fn high_urgency_goes_first_and_integrations_take_turns() {
    let rules = servers().replace(
        "  native: { format: native }\n",
        "  native: { format: native }\n  other: { format: native }\n",
    );
    let mut world = World::with(&rules, with_concurrency(1), BEGIN);
    world.next(
        "hooks",
        [Play::Late(Duration::seconds(1), Outcome::Accepted)],
    );
    let events = vec![
        trigger("first").input(),
        trigger("low").severity("info").input(),
        trigger("n1").input(),
        trigger("n2").input(),
        trigger("o1").of("other").input(),
    ];
    world.batch(Vec::new(), events);
    world.wait("00:00:10");
    let seen = world.take_seen();
    let order: Vec<&str> = seen
        .iter()
        .map(|sent| &*sent.order.message.incidents[0].title)
        .collect();
    assert_eq!(order, ["first", "o1", "n1", "n2", "low"]);
}

#[test]
fn what_waits_for_a_place_fails_over_in_time_and_waits_no_longer_than_a_quarter_of_an_hour() {
    let mut world = World::with(TEAM, with_concurrency(1), BEGIN);
    world.next("twilio", [Play::Lost]);
    world.post("a");
    world.post("b");
    world.expect(["ana sms twilio #1 page"]);
    world.expect_nothing_until("00:00:09");
    world.at("00:00:10");
    // Both go on by the next contact: the one without an answer, and the one without a slot.
    world.expect(["ana email mail #1 page"]);
    world.wait("00:00:01");
    world.expect(["ana email mail #2 page"]);
    world.expect_reason(2, "no_slot_in_time");
    // The answer never comes; its deadline frees the slot.
    world.expect_nothing_until("00:00:44");
    world.at("00:00:46");
    // The one without an answer is repeated, behind it or before.
    let seen = world.take_seen();
    let labels: Vec<&str> = seen.iter().map(|sent| sent.label.as_str()).collect();
    assert!(labels.contains(&"ana sms twilio #2 page"), "{labels:?}");
    world.ack(1, "ana");
    world.ack(2, "ana");
    world.take_seen();
}

#[test]
fn an_acknowledgment_takes_back_what_waits_for_a_place() {
    let mut world = World::with(TEAM, with_concurrency(1), BEGIN);
    world.next(
        "twilio",
        [Play::Late(Duration::seconds(5), Outcome::Accepted)],
    );
    world.post("a");
    world.post("b");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(2, "ana");
    world.expect_reason(2, "withdrawn");
    world.expect_nothing_until("00:00:10");
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn three_hundred_people_are_paged_whatever_nine_quick_restarts_interrupt() {
    let (teams, size) = (15, 20);
    let (mut users, mut policies, mut routes) = (String::new(), String::new(), String::new());
    for team in 0..teams {
        let members = (team * size)..((team + 1) * size);
        let targets: Vec<String> = members.map(|number| format!("user/p{number}")).collect();
        let targets = targets.join(", ");
        policies += &format!("  t{team}: {{ steps: [{{ targets: [{targets}], wait: 1h }}] }}\n");
        routes += &format!(
            "    - {{ name: t{team}, matchers: ['team=\"t{team}\"'], policy: t{team} }}\n"
        );
    }
    for number in 0..teams * size {
        users += &format!(
            "  p{number}:\n    full_name: P {number}\n    contacts:\n      mail: {{ email: p{number}@example.com }}\n"
        );
    }
    let rules = format!(
        "users:\n{users}policies:\n{policies}integrations:\n  native: {{ format: native }}\n\
         route:\n  policy: t0\n  routes:\n{routes}"
    );
    let mut world = World::with(&rules, with_concurrency(8), BEGIN);
    world.fake("mail").default = Play::Lost;
    let events = (0..teams).map(|team| {
        let team = format!("t{team}");
        trigger(&team).label("team", &team).input()
    });
    world.batch(Vec::new(), events.collect());
    for life in 1..=9 {
        if life == 9 {
            world.always("mail", Outcome::Accepted);
        }
        world.wait("00:00:01");
        world.crash_for(Duration::seconds(1));
    }
    assert_eq!(world.own_incidents(), ["crash_loop/"]);
    world.wait("00:00:40");
    let pages = world.state().pages();
    let own = pages.filter(|page| page.incidents[0].number.0 <= teams);
    let states: Vec<PageState> = own.map(|page| page.state).collect();
    assert_eq!(states.len() as u64, teams * size);
    assert!(
        states.iter().all(|state| *state == PageState::Sent),
        "{states:?}"
    );
    for page in world.state().pages() {
        assert!(page.attempts.len() <= 3, "{page:?}");
    }
    world.take_seen();
}

#[test]
fn what_waited_while_the_machine_slept_still_gets_its_place() {
    let mut world = World::with(TEAM, with_concurrency(1), BEGIN);
    world.next("twilio", [Play::Lost]);
    world.post("a");
    world.post("b");
    world.wait("00:00:11");
    world.take_seen();
    world.wall_jumps(20 * 60);
    world.wait("00:00:02");
    let seen = world.take_seen();
    let labels: Vec<&str> = seen.iter().map(|sent| sent.label.as_str()).collect();
    assert!(labels.contains(&"ana sms twilio #2 page"), "{labels:?}");
}

#[test]
fn an_attempt_that_a_crash_interrupted_holds_no_place_though_another_channel_had_the_page() {
    let mut channels = with_second_sms();
    for channel in &mut channels {
        channel.concurrency = 1;
    }
    let mut world = World::with(TEAM, channels, BEGIN);
    world.next("twilio", [Play::Lost]);
    world.post("a");
    world.at("00:00:12");
    world.expect(["ana sms twilio #1 page", "ana sms gateway #1 page"]);
    world.crash_for(Duration::seconds(1));
    world.expect([]);
    world.post("b");
    world.expect(["ana sms twilio #2 page"]);
    world.ack(1, "ana");
    world.ack(2, "ana");
}

#[test]
fn a_late_report_on_an_attempt_that_is_repeated_already_repeats_it_no_further() {
    let mut world = World::new(TEAM);
    world.next("twilio", [Play::Lost, Play::Lost]);
    world.post("a");
    world.crash_for(Duration::seconds(1));
    world.expect(["ana sms twilio #1 page", "ana sms twilio #1 page"]);
    let attempt = world.sent[0].order.attempt;
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: "twilio".into(),
        attempt,
        outcome: Outcome::Transient,
        provider_message: None,
    }));
    world.expect(["ana email mail #1 page"]);
    world.expect_nothing_until("00:00:09");
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn a_start_ends_the_trouble_of_a_lane_that_stalled_before_it() {
    let mut world = World::new(TEAM);
    let trouble = SelfIncident {
        cause: Cause::LaneStalled,
        subject: "mail".into(),
    };
    let text = "attempts do not end".into();
    world.ask(Input::Raise { trouble, text });
    assert_eq!(world.own_incidents(), ["lane_stalled/mail"]);
    world.wait("00:00:05");
    world.crash_for(Duration::seconds(1));
    assert!(world.own_incidents().is_empty());
    world.wait("00:00:05");
    world.take_seen();
}

const COPIED: &str = "route:\n  policy: team\n  group_by: [\"...\"]\n  \
                      copy_to: [channel/slack/C024BE7LH]\n";

#[test]
fn what_comes_while_a_notice_waits_is_told_with_it_and_once() {
    let mut world = World::new(&team_with(COPIED));
    world.post("a");
    world.wait("00:00:05");
    world.take_seen();
    let over = trigger("a").action(Action::Resolve).input();
    world.batch(vec![act_input("bo", on(1), Verb::Acknowledge)], vec![over]);
    world.wait("00:00:30");
    world.expect(["C024BE7LH slack slack #1 resolved (edit)"]);
}

#[test]
fn a_copy_of_which_nobody_knows_whether_it_arrived_is_kept_up_to_date() {
    let mut world = World::new(&team_with(COPIED));
    world.next("slack", [Play::Says(Outcome::Unknown)]);
    world.post("a");
    world.until(Duration(300));
    world.expect(["C024BE7LH slack slack #1 copy", "ana sms twilio #1 page"]);
    world.ack(1, "ana");
    world.wait("00:00:10");
    world.expect([
        "C024BE7LH slack slack #1 copy",
        "C024BE7LH slack slack #1 acknowledged (edit)",
    ]);
}

#[test]
fn no_integration_waits_while_another_is_served_again_and_again_at_the_same_server() {
    let rules = servers().replace(
        "  native: { format: native }\n",
        "  native: { format: native }\n  other: { format: native }\n",
    );
    // One slot, and two servers in turns.
    let mut world = World::with(&rules, with_concurrency(1), BEGIN);
    let mut events = Vec::new();
    for number in 0..6 {
        for to in ["mute", "well"] {
            for integration in ["native", "other"] {
                let key = format!("{to} {integration} {number}");
                events.push(trigger(&key).of(integration).label("to", to).input());
            }
        }
    }
    world.batch(Vec::new(), events);
    world.wait("00:00:02");
    let seen = world.take_seen();
    let first: Vec<(&str, &str)> = seen[..8]
        .iter()
        .map(|sent| (&*sent.order.address, sent.order.integration.as_str()))
        .collect();
    for server in [MUTE, WELL] {
        for integration in ["native", "other"] {
            let served = first
                .iter()
                .filter(|known| **known == (server, integration));
            assert_eq!(served.count(), 2, "{server} {integration}: {first:?}");
        }
    }
    world.wait("00:00:10");
    world.take_seen();
}
