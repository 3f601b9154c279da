//! Too much at once: the page limit, bundled pages, retry budgets.

use reveille::engine::cause::Cause;
use reveille::engine::decision::ActResult;
use reveille::engine::incident::SelfIncident;
use reveille::engine::input::{Input, Verb};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::PageKind;

use super::TEAM;
use super::acts::{on, trigger};
use super::channels::{ACCEPTED, Play};
use super::events::team_with;
use super::world::World;

#[test]
fn five_thousand_alerts_in_a_minute_are_a_handful_of_pages_and_every_incident_is_listed() {
    let mut world = World::new(TEAM);
    for second in 0..50 {
        world.at(&format!("00:00:{second:02}"));
        let events = (0..100).map(|n| trigger(&format!("a{second}-{n}")).input());
        world.batch(Vec::new(), events.collect());
    }
    world.at("00:02:59");
    let seen = world.take_seen();
    let to_ana = seen
        .iter()
        .filter(|sent| sent.label.starts_with("ana "))
        .count();
    assert!(to_ana <= 16, "{to_ana} pages to one person");
    let mut listed: Vec<u64> = world
        .state()
        .pages()
        .filter(|page| page.asks())
        .flat_map(|page| page.incidents.iter().map(|known| known.number.0))
        .collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), 5_000, "every incident is in some page");
    let most = world.state().pages().map(|page| page.incidents.len()).max();
    assert_eq!(most, Some(1_000));
}

#[test]
fn beyond_the_page_limit_pages_gather_and_ack_all_takes_the_list() {
    let mut world = World::new(TEAM);
    for number in 1..=10 {
        world.post(&format!("a{number}"));
    }
    assert_eq!(world.take_seen().len(), 10);
    for number in 11..=14 {
        world.post(&format!("a{number}"));
    }
    world.expect_nothing_until("00:00:14");
    world.at("00:00:15");
    world.expect(["ana sms twilio #11 bundle of 4"]);
    world.expect_reason(14, "over_page_limit");
    world.expect_reason(14, "bundled");
    world.post("a15");
    world.expect_nothing_until("00:01:14");
    world.at("00:01:15");
    world.expect(["ana sms twilio #15 bundle of 1"]);
    let answer = world.sms("+351900000001", "ack all").expect("an answer");
    assert_eq!(answer, "You acknowledged 1. 14 more open.");
    world.expect_status(15, "acknowledged");
    let bundle = world.page_to("ana sms twilio #11");
    let acted = world.link(bundle, "ana", Verb::Acknowledge);
    assert_eq!(
        acted
            .iter()
            .filter(|one| one.result == ActResult::Done)
            .count(),
        4
    );
    for number in 1..=10 {
        world.ack(number, "ana");
    }
    world.expect_nothing_until("02:00:00");
}

#[test]
fn a_step_to_another_person_is_not_delayed_by_the_page_limit() {
    let mut world = World::new(TEAM);
    for number in 1..=12 {
        world.post(&format!("a{number}"));
    }
    world.at("00:05:00");
    let seen = world.take_seen();
    let to_bo = seen.iter().filter(|sent| sent.label.starts_with("bo "));
    assert_eq!(to_bo.count(), 10, "ten at once, the rest in a bundle");
    world.at("00:05:16");
    let seen = world.take_seen();
    assert!(
        seen.iter()
            .any(|sent| sent.label == "bo sms twilio #11 bundle of 2")
    );
    for number in 1..=12 {
        world.ack(number, "bo");
    }
    world.wait("00:01:00");
    world.take_seen();
}

#[test]
fn a_bundled_page_that_fails_goes_to_the_next_contact() {
    let mut world = World::new(TEAM);
    for number in 1..=10 {
        world.post(&format!("a{number}"));
    }
    world.wait("00:00:01");
    world.take_seen();
    world.always("twilio", Outcome::RefusedTarget);
    for number in 11..=13 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:17");
    world.expect([
        "ana sms twilio #11 bundle of 3",
        "ana email mail #11 bundle of 3",
    ]);
    for number in 1..=13 {
        world.ack(number, "ana");
    }
    world.expect_nothing_until("01:00:00");
}

/// R2: an outage is not multiplied by retries.
#[test]
fn founding_outage_retries_do_not_multiply_an_outage() {
    let route = "route:\n  policy: team\n  group_by: [\"...\"]\n";
    let target = "targets: [channel/hooks/https://pager.example.com/]";
    let yaml = team_with(route)
        .replace("targets: [user/ana]", target)
        .replace("wait: 5m", "wait: 8h");
    let mut world = World::new(&yaml);
    world.always("hooks", Outcome::Transient);
    for number in 0..10 {
        let events = (0..100).map(|n| {
            trigger(&format!("a{number}-{n}"))
                .severity("warning")
                .input()
        });
        world.batch(Vec::new(), events.collect());
    }
    world.at("06:00:00");
    let seen = world.take_seen();
    let pages = seen
        .iter()
        .filter(|sent| sent.order.message.kind == PageKind::Page);
    let attempts = pages
        .filter(|sent| sent.order.channel.as_str() == "hooks")
        .count();
    // A thousand first attempts; the bucket, what it gains in a page's quarter of an hour, and a
    // tenth for each first attempt.
    assert!((1_000..=1_300).contains(&attempts), "{attempts}");
    let notes = world
        .durable
        .entries
        .iter()
        .filter(|entry| entry.reason.as_str() == "retry_budget");
    assert!(notes.count() <= 1_000, "one line for each page at most");
    for page in world.state().pages() {
        assert!(page.attempts.len() <= 8);
    }
}

#[test]
fn an_outage_of_hours_leaves_nothing_behind_when_it_is_over() {
    let mut world = World::new(TEAM);
    for round in 0..40 {
        for number in 0..3 {
            world.post(&format!("a{round}-{number}"));
        }
        world.wait("00:04:00");
        for number in 0..3 {
            world.resolve_event(&format!("a{round}-{number}"));
        }
        world.wait("00:01:00");
    }
    world.wait("00:30:00");
    world.take_seen();
    let state = world.state();
    assert_eq!(state.incidents().count(), 0);
    assert_eq!(state.pages().count(), 0);
    assert_eq!(state.alerts().count(), 0);
    let groups = 120;
    assert!(
        world.durable.len() <= groups + 10,
        "{} records",
        world.durable.len()
    );
}

#[test]
fn an_incident_that_stays_open_for_weeks_does_not_gather_pages_without_end() {
    let yaml = team_with("route:\n  policy: team\n  group_by: [service]\n")
        .replace(
            "fallback: [user/cy]",
            "fallback: [user/cy]\n    ack_timeout: 1h",
        )
        .replace("{ via: [phone] }", "{ via: [mail] }");
    let mut world = World::new(&yaml);
    world.give(trigger("a").label("service", "pay"));
    let mut kept = Vec::new();
    for hour in 1..=9 * 24 {
        world.act("ana", on(1), Verb::Acknowledge);
        world.give(trigger(&format!("b{hour}")).label("service", "pay"));
        world.wait("01:00:00");
        kept.push(world.state().pages().count());
    }
    world.take_seen();
    // Links are good for a week: what is older goes to history.
    let (eighth, ninth) = (kept[8 * 24 - 1], kept[9 * 24 - 1]);
    assert!(
        ninth <= eighth + 10,
        "{eighth} pages after eight days, {ninth} after nine"
    );
}

/// F3: found by the simulator.
#[test]
fn the_failed_page_of_a_self_incident_takes_no_count_of_another_page_away() {
    let mut world = World::new(TEAM);
    // Places are given in turns between integrations: first one of the monitor, then the router's.
    world.next("twilio", [ACCEPTED, Play::Says(Outcome::RefusedTarget)]);
    let trouble = SelfIncident {
        cause: Cause::Disk,
        subject: "".into(),
    };
    let text = "little space".into();
    let posts = (1..=9).map(|number| trigger(&format!("a{number}")).input());
    world.batch(vec![Input::Raise { trouble, text }], posts.collect());
    world.wait("00:00:02");
    let seen = world.take_seen();
    let by_mail = seen
        .iter()
        .filter(|it| it.label == "ana email mail #1 page");
    assert_eq!(
        by_mail.count(),
        1,
        "the self-incident goes on by mail: {seen:?}"
    );
    world.post("a10");
    world.post("a11");
    world.expect(["ana sms twilio #11 page"]);
    world.expect_reason(12, "over_page_limit");
    for number in 1..=12 {
        world.ack(number, "ana");
    }
    world.wait("00:01:00");
    world.take_seen();
}
