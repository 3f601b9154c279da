//! Test pages, probes and low urgency where something else goes wrong at the same time.

use reveille::engine::input::{DeliveryReport, Input};
use reveille::engine::matcher::Matcher;
use reveille::engine::outcome::{Outcome, Validity};
use reveille::engine::ruleset::ChannelInfo;
use reveille::engine::time::Duration;

use super::acts::{silence_input, trigger};
use super::channels::{Play, usual, with_second_sms};
use super::contact_tests::{MONDAY, is_test, tests, world, world_with};
use super::world::{BEGIN, World};

fn probing(name: &str, logs_in: bool) -> Vec<ChannelInfo> {
    let mut channels = with_second_sms();
    channels.retain(|channel| name == "gateway" || channel.name.as_str() != "gateway");
    for channel in &mut channels {
        let is_it = channel.name.as_str() == name;
        channel.capabilities.probes = is_it;
        channel.capabilities.probes_login = is_it && logs_in;
    }
    channels
}

const ONE: &str = r#"
users:
  ana:
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
policies:
  team: { steps: [{ targets: [user/ana], wait: 1h }] }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

/// When a page of a gateway that refused one message arrives, by how long a probe takes.
fn arrival_by_trial(probe: Duration) -> Option<Duration> {
    let mut world = World::with(ONE, probing("twilio", false), BEGIN);
    world.at("00:10:00");
    world.fake("twilio").probe_after = probe;
    world.next("twilio", [Play::Says(Outcome::RefusedCredential)]);
    world.post("db");
    let begun = world.passed;
    world.wait("00:00:01");
    world.take_seen();
    for _ in 0..3_600 {
        world.wait("00:00:01");
        let seen = world.take_seen();
        if seen.iter().any(|sent| sent.label.starts_with("ana sms")) {
            return Some(Duration(world.passed.0 - begun.0));
        }
    }
    None
}

#[test]
fn a_page_that_waits_for_a_blind_gateway_is_tried_although_a_probe_takes_two_seconds() {
    let quick = arrival_by_trial(Duration(100));
    let slow = arrival_by_trial(Duration::seconds(2));
    assert!(slow.is_some(), "quick probes {quick:?}, slow ones {slow:?}");
}

/// The same of a relay whose probe passed once before.
#[test]
fn a_page_that_waits_for_a_channel_that_a_probe_ended_before_is_tried() {
    let mut world = World::with(ONE, probing("twilio", true), BEGIN);
    world.at("00:10:00");
    world.fake("twilio").probe_after = Duration::seconds(2);
    for _ in 0..2 {
        world.next("twilio", [Play::Says(Outcome::RefusedCredential)]);
    }
    world.post("db");
    world.wait("00:00:01");
    world.take_seen();
    let mut left = 0;
    for _ in 0..60 {
        world.wait("00:01:00");
        left += world
            .take_seen()
            .iter()
            .filter(|sent| sent.label.starts_with("ana sms"))
            .count();
    }
    assert!(left >= 2, "{left} attempts in an hour");
}

#[test]
fn a_hiccup_of_a_page_ends_although_a_check_had_one_a_week_before() {
    let mut clear = Vec::new();
    for had_hiccup in [false, true] {
        let mut world = World::with(ONE, probing("twilio", true), BEGIN);
        world.at("00:10:00");
        if had_hiccup {
            world.fake("twilio").probe = Outcome::RefusedCredential;
            world.at("02:00:00");
            world.fake("twilio").probe = Outcome::Accepted;
        }
        world.at("168:00:00");
        assert_eq!(world.own_incidents(), [""; 0]);
        // Another cause than that of the check.
        world.next("twilio", [Play::Says(Outcome::TlsOther)]);
        world.post("db");
        world.wait("00:00:02");
        let number = 1 + u64::from(had_hiccup);
        world.ack(number, "ana");
        world.wait("24:00:00");
        clear.push(world.own_incidents());
        world.take_seen();
    }
    assert_eq!(clear, [vec![""; 0], vec![""; 0]]);
}

#[test]
fn a_bad_certificate_of_an_idle_gateway_ends_when_its_checks_pass() {
    let mut world = World::with(ONE, probing("twilio", false), BEGIN);
    world.at("00:10:00");
    world.next("twilio", [Play::Says(Outcome::TlsOther)]);
    world.post("db");
    world.wait("00:00:02");
    world.ack(1, "ana");
    world.wait("24:00:00");
    let own = world.own_incidents();
    world.take_seen();
    assert_eq!(own, [""; 0]);
}

const LOW: &str = r#"
users:
  ana:
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
  bo:
    contacts: { mail: { email: bo@example.com } }
    notify: { high: [{ via: [mail] }], low: [{ via: [mail] }] }
policies:
  team:
    steps:
      - { targets: [user/ana], wait: 5m }
      - { targets: [user/bo], wait: 5m }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

#[test]
fn low_urgency_goes_on_where_the_one_of_the_first_step_cannot_be_reached() {
    let mut reached = Vec::new();
    let outcomes = [
        Outcome::RefusedTarget,
        Outcome::Transient,
        Outcome::RefusedCredential,
    ];
    for outcome in outcomes {
        let mut world = World::with(LOW, usual(), BEGIN);
        world.always("twilio", outcome);
        world.give(trigger("db").severity("warning"));
        world.at("01:00:00");
        let seen = world.take_seen();
        let bo = seen.iter().any(|sent| {
            sent.label.starts_with("bo email")
                && !sent.order.message.incidents[0].title.contains("channel")
        });
        reached.push((outcome.as_str(), bo, world.timeline(1)));
    }
    assert!(reached.iter().all(|(_, bo, _)| *bo), "{reached:#?}");
}

const TWO_CONTACTS: &str = r#"
users:
  ana:
    contacts:
      phone: { sms: "+351900000001" }
      mail: { email: ana@example.com }
    notify: { high: [{ via: [phone] }, { after: 3m, via: [mail] }], low: [{ via: [phone] }] }
policies:
  team: { steps: [{ targets: [user/ana], wait: 5m }] }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

/// docs/self-incidents.md: "reported by any other contact of the person".
#[test]
fn a_dead_phone_is_told_by_the_other_contact_of_its_owner() {
    let mut world = world(TWO_CONTACTS, MONDAY);
    world
        .fake("twilio")
        .refused
        .insert("+351900000001".to_owned());
    world.at("06:00:00");
    assert_eq!(world.own_incidents(), ["contact_unreachable/ana/phone"]);
    let seen = world.take_seen();
    let told: Vec<&str> = seen
        .iter()
        .filter(|sent| !is_test(sent))
        .map(|sent| sent.label.as_str())
        .collect();
    let story = world.timeline(3);
    assert!(!told.is_empty(), "nobody was told: {story:#?}");
}

fn many(count: usize) -> String {
    let mut yaml = String::from("users:\n");
    for number in 0..count {
        yaml.push_str(&format!(
            "  u{number:05}:\n    contacts: {{ mail: {{ email: u{number}@example.com }} }}\n"
        ));
    }
    yaml.push_str(
        "policies:\n  team: { steps: [{ targets: [user/u00000], wait: 30m }] }\n\
         integrations: { native: { format: native } }\n\
         route: { policy: team, group_by: [\"...\"] }\n",
    );
    yaml
}

#[test]
fn people_whom_a_silence_covers_keep_nobody_from_being_tested() {
    let mut world = world(&many(120), "2026-03-02T09:59:00Z");
    let until = world.wall() + Duration::hours(8);
    let mut silence = silence_input(None, "integration=reveille", until);
    if let Input::Silence(request) = &mut silence {
        let matcher = Matcher::parse("contact=~\"u000[0-7].*\"").expect("a matcher");
        request.matchers.push(matcher);
    }
    world.ask(silence);
    world.at("04:00:00");
    let seen = tests(&mut world).len();
    assert_eq!(seen, 40);
}

#[test]
fn a_test_page_that_never_arrived_takes_no_answer_from_a_real_page() {
    let mut world = world(ONE, "2026-03-02T09:59:00Z");
    while world.sent.is_empty() {
        world.next("twilio", [Play::Says(Outcome::Transient)]);
        world.wait("00:00:20");
        assert!(world.passed < Duration::hours(1));
        if world.sent.is_empty() {
            world.fake("twilio").next.clear();
        }
    }
    world.take_seen();
    world.fake("twilio").next.clear();
    world.post("db");
    // The test page is tried again and fails again.
    world.wait("00:00:02");
    assert_eq!(world.take_seen().len(), 1);
    world.always("twilio", Outcome::Transient);
    world.wait("00:25:00");
    let tried = tests(&mut world).len();
    let answer = world.sms("+351900000001", "ack");
    world.take_seen();
    let real = world.incident(2);
    assert_eq!(
        real.status.as_str(),
        "acknowledged",
        "{tried} tries in vain, answer {answer:?}"
    );
}

#[test]
fn a_certificate_that_only_a_wrong_clock_saw_end_is_cleared_when_the_clock_is_right() {
    let mut world = World::with(ONE, probing("twilio", true), BEGIN);
    world.at("00:10:00");
    let now = world.wall();
    world.fake("twilio").certificate = Some(Validity {
        begins: now.minus(Duration::days(10)),
        ends: now + Duration::days(80),
    });
    world.wall_jumps(75 * 24 * 3_600);
    world.wait("03:00:00");
    let ahead = world.own_incidents();
    world.wall_jumps(-75 * 24 * 3_600);
    world.wait("48:00:00");
    let own = world.own_incidents();
    world.take_seen();
    assert_eq!(own, [""; 0], "under the wrong clock {ahead:?}");
}

#[test]
fn a_stop_ends_what_is_told_of_the_phone() {
    let mut world = world(TWO_CONTACTS, MONDAY);
    world
        .fake("twilio")
        .refused
        .insert("+351900000001".to_owned());
    world.at("04:00:00");
    assert_eq!(world.own_incidents(), ["contact_unreachable/ana/phone"]);
    world.sms("+351900000001", "STOP");
    world.wait("340:00:00");
    let own = world.own_incidents();
    world.take_seen();
    assert!(
        !own.contains(&"contact_unreachable/ana/phone".to_owned()),
        "{own:?}"
    );
}

/// A page that waits for a place when its phone says STOP, with a retry beside it.
#[test]
fn a_stop_while_pages_wait_leaves_none_behind() {
    let mut channels = with_second_sms();
    for channel in &mut channels {
        if channel.name.as_str() == "twilio" {
            channel.concurrency = 1;
        }
    }
    let mut world = World::with(ONE, channels, BEGIN);
    world.fake("twilio").default = Play::Late(Duration::seconds(14), Outcome::Transient);
    world.always("gateway", Outcome::Transient);
    for number in 0..6 {
        world.post(&format!("a{number}"));
    }
    world.wait("00:00:05");
    world.sms("+351900000001", "stop");
    world.wait("00:40:00");
    let left = world.state().pages();
    let stuck: Vec<String> = left
        .filter(|page| page.state.as_str() == "sending")
        .map(|page| format!("{page:?}"))
        .collect();
    world.ask(Input::Minute);
    world.take_seen();
    assert_eq!(stuck, [""; 0]);
}

const REPORTED: &str = LOW;

/// A refusal that the provider reports after the wait of the step.
#[test]
fn low_urgency_goes_on_where_the_report_comes_late() {
    let mut channels = usual();
    for channel in &mut channels {
        channel.capabilities.receipts = channel.name.as_str() == "twilio";
    }
    let mut world = World::with(REPORTED, channels, BEGIN);
    world.give(trigger("db").severity("warning"));
    world.at("00:06:00");
    let seen = world.take_seen();
    let sent = seen.first().expect("a page").clone();
    world.ask(Input::DeliveryReport(DeliveryReport {
        channel: sent.order.channel.clone(),
        attempt: sent.order.attempt,
        outcome: Outcome::RefusedTarget,
        provider_message: None,
    }));
    world.at("01:00:00");
    let seen = world.take_seen();
    let bo = seen.iter().any(|sent| sent.label.starts_with("bo email"));
    assert!(bo, "{:#?}", world.timeline(1));
}

#[test]
fn what_a_check_found_ends_when_the_channel_is_not_checked_any_more() {
    let mut world = World::with(ONE, probing("twilio", false), BEGIN);
    world.fake("twilio").probe = Outcome::TlsOther;
    world.at("00:20:00");
    assert_eq!(world.own_incidents(), ["channel_tls/twilio"]);
    world.replace_channels(ONE, usual());
    world.crash_for(Duration::seconds(2));
    world.wait("24:00:00");
    let own = world.own_incidents();
    world.take_seen();
    assert_eq!(own, [""; 0]);
}

/// Test pages to phones that are refused take the only trial of each minute.
#[test]
fn test_pages_on_a_channel_that_is_down_hold_up_no_real_page() {
    let mut late = Vec::new();
    for test_page in ["never", "mon 10:00"] {
        let mut yaml = String::from("users:\n");
        for number in 0..200 {
            yaml.push_str(&format!(
                "  u{number:03}:\n    test_page: {test_page}\n    contacts: {{ phone: {{ sms: \"+351910000{number:03}\" }} }}\n"
            ));
        }
        yaml.push_str(
            "policies:\n  team: { steps: [{ targets: [user/u000], wait: 1h }] }\n\
             integrations: { native: { format: native } }\n\
             route: { policy: team, group_by: [\"...\"] }\n",
        );
        let channels = probing("twilio", false);
        let mut world = world_with(channels, &yaml, "2026-03-02T09:59:00Z");
        world.at("00:12:00");
        world.always("twilio", Outcome::QuotaExhausted);
        world.post("db");
        world.at("00:16:30");
        world.always("twilio", Outcome::Accepted);
        let begun = world.passed;
        world.take_seen();
        let mut arrived = None;
        for _ in 0..1_800 {
            world.wait("00:00:01");
            let seen = world.take_seen();
            if arrived.is_none()
                && seen
                    .iter()
                    .any(|sent| !is_test(sent) && sent.label.starts_with("u000 sms"))
            {
                arrived = Some(Duration(world.passed.0 - begun.0));
            }
        }
        late.push(arrived);
    }
    assert!(
        late[1].is_some() && late[1] <= late[0].map(|at| Duration(at.0 + 61_000)),
        "without tests, with tests: {late:?}"
    );
}

/// Where real pages go by the second channel at once.
#[test]
fn a_contact_is_tested_by_the_second_channel_while_the_first_is_down() {
    let mut channels = probing("gateway", true);
    for channel in &mut channels {
        let is_it = channel.name.as_str() == "twilio";
        channel.capabilities.probes |= is_it;
        channel.capabilities.probes_login |= is_it;
    }
    let mut world = world_with(channels, ONE, MONDAY);
    world.always("twilio", Outcome::QuotaExhausted);
    world.fake("twilio").probe = Outcome::QuotaExhausted;
    world.at("01:00:00");
    world.post("db");
    world.wait("00:01:00");
    world.ack(1, "ana");
    let real: Vec<String> = world
        .take_seen()
        .into_iter()
        .map(|sent| sent.label)
        .collect();
    world.at("05:00:00");
    let seen: Vec<String> = tests(&mut world)
        .into_iter()
        .map(|sent| sent.label)
        .collect();
    let story = world.timeline(3);
    world.take_seen();
    assert!(
        !seen.is_empty(),
        "real ones {real:?}, tests {seen:?} {story:#?}"
    );
}

/// Whoever sends a test page to the second channel tells of the person, not of the channel.
#[test]
fn low_urgency_with_all_dead_ends_and_pages_nobody_twice() {
    let yaml = LOW.replace("wait: 5m }\nintegr", "wait: 5m }\n    repeat: 3\nintegr");
    let mut world = World::with(&yaml, usual(), BEGIN);
    world.always("twilio", Outcome::RefusedTarget);
    world.always("mail", Outcome::RefusedTarget);
    world.give(trigger("db").severity("warning"));
    world.at("05:00:00");
    let seen = world.take_seen().len();
    assert!(seen <= 3, "{seen} {:#?}", world.timeline(1));
}

const HOOKED: &str = r#"
users:
  ana:
    test_page: never
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
  dee:
    contacts:
      desk: { webhook: "https://desk.example/pages" }
    notify: { high: [{ via: [desk] }], low: [{ via: [desk] }] }
policies:
  team: { steps: [{ targets: [user/ana], wait: 5m }] }
integrations: { native: { format: native } }
route: { policy: team, group_by: ["..."] }
"#;

#[test]
fn a_test_page_that_a_restart_interrupted_says_nothing_about_the_contact() {
    let mut world = world(HOOKED, MONDAY);
    world.fake("hooks").default = Play::Lost;
    while tests(&mut world).is_empty() {
        world.wait("00:00:01");
        assert!(world.passed < Duration::hours(3));
    }
    world.fake("hooks").default = super::channels::ACCEPTED;
    world.crash_for(Duration::hours(2));
    world.wait("00:10:00");
    let own = world.own_incidents();
    world.take_seen();
    assert!(
        !own.iter().any(|own| own.starts_with("contact_unreachable")),
        "{own:?} {:#?}",
        world.timeline(1)
    );
}

#[test]
fn a_low_step_whose_channel_target_took_it_goes_no_further() {
    let yaml = LOW.replace(
        "targets: [user/ana], wait",
        "targets: [user/ana, \"channel/slack/#ops\"], wait",
    );
    let mut world = World::with(&yaml, usual(), BEGIN);
    world.always("twilio", Outcome::RefusedTarget);
    world.give(trigger("db").severity("warning"));
    world.at("01:00:00");
    let seen: Vec<String> = world
        .take_seen()
        .into_iter()
        .map(|sent| sent.label)
        .collect();
    assert!(
        !seen.iter().any(|label| label.starts_with("bo")),
        "{seen:?}"
    );
}

/// Acknowledge timeout and joins restart low urgency; each round pages each dead contact once.
#[test]
fn a_low_incident_that_is_given_back_begins_anew_once() {
    let mut world = World::with(LOW, usual(), BEGIN);
    world.always("twilio", Outcome::RefusedTarget);
    world.give(trigger("db").severity("warning"));
    world.at("00:20:00");
    world.ack(1, "bo");
    world.does("bo", 1, reveille::engine::input::Verb::Unacknowledge);
    world.at("02:00:00");
    let seen: Vec<String> = world
        .take_seen()
        .into_iter()
        .map(|sent| sent.label)
        .collect();
    assert_eq!(
        seen.iter().filter(|label| label.contains(" page")).count(),
        4,
        "{seen:?}"
    );
}

/// The first page was interrupted and may have arrived; mail is one endpoint, and takes others.
#[test]
fn a_mail_that_a_restart_interrupted_says_nothing_about_the_contact() {
    let yaml = HOOKED.replace(
        "desk: { webhook: \"https://desk.example/pages\" }",
        "desk: { email: a@example.com }\n      home: { email: b@example.com }",
    );
    let mut world = world(&yaml, MONDAY);
    world.next("mail", [Play::Lost]);
    while world.sent.len() < 2 {
        world.wait("00:00:01");
        assert!(world.passed < Duration::hours(3));
    }
    world.wait("00:00:01");
    world.crash_for(Duration::hours(2));
    world.wait("00:10:00");
    let own = world.own_incidents();
    world.take_seen();
    assert!(
        !own.iter().any(|own| own.starts_with("contact_unreachable")),
        "{own:?} {:#?}",
        world.timeline(1)
    );
}

/// The clock of the machine is put right by two hours while a test page waits for its retry.
#[test]
fn a_test_page_that_a_clock_made_late_says_nothing_about_the_contact() {
    let mut world = world(ONE, MONDAY);
    world.next("twilio", [Play::Says(Outcome::Transient)]);
    while world.sent.is_empty() {
        world.wait("00:00:01");
        assert!(world.passed < Duration::hours(3));
    }
    world.wait("00:00:01");
    world.wall_jumps(2 * 3_600);
    world.post("db");
    world.wait("00:30:00");
    let own = world.own_incidents();
    world.take_seen();
    assert!(
        !own.iter().any(|own| own.starts_with("contact_unreachable")),
        "{own:?} {:#?}",
        world.timeline(1)
    );
}

/// A probe passes while the page that met it is the only one: restarts in each phase.
#[test]
fn a_channel_comes_back_whatever_restart_falls_between_probe_and_answer() {
    let mut bad = Vec::new();
    for tenths in 0..40 {
        let mut world = World::with(ONE, probing("twilio", true), BEGIN);
        world.at("00:10:00");
        world.next("twilio", [Play::Says(Outcome::RefusedCredential)]);
        world.post("db");
        world.wait("00:00:59");
        world.until(Duration(world.passed.0 + tenths * 100));
        world.crash_for(Duration::seconds(3));
        world.wait("00:05:00");
        let own = world.own_incidents();
        let sent = world.take_seen().len();
        if !own.is_empty() || sent < 2 {
            bad.push((tenths, own, sent));
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

/// Restarts at each second while a low incident goes on to the next step.
#[test]
fn a_low_incident_goes_on_whatever_restart_falls_between() {
    let mut bad = Vec::new();
    for tenths in 0..30 {
        let mut world = World::with(LOW, usual(), BEGIN);
        world.always("twilio", Outcome::RefusedTarget);
        world.give(trigger("db").severity("warning"));
        world.until(Duration(world.passed.0 + tenths * 20));
        world.crash_for(Duration::minutes(if tenths % 2 == 0 { 1 } else { 20 }));
        world.wait("00:30:00");
        let seen: Vec<String> = world
            .take_seen()
            .into_iter()
            .map(|sent| sent.label)
            .collect();
        let bo = seen
            .iter()
            .filter(|label| label.starts_with("bo email"))
            .count();
        if bo == 0 || bo > 2 {
            bad.push((tenths, bo, world.timeline(1)));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Slack had a blip, the page was acknowledged by the time its probe passed; weeks later another.
#[test]
fn the_second_blip_of_a_channel_ends_as_the_first_did() {
    let yaml = TWO_CONTACTS.replace(
        "phone: { sms: \"+351900000001\" }",
        "phone: { slack: U024BE7LH }",
    );
    let mut world = World::with(&yaml, usual(), BEGIN);
    let mut ended = Vec::new();
    for blip in 0..2 {
        world.at(if blip == 0 { "01:00:00" } else { "336:00:00" });
        world.take_seen();
        world.next("slack", [Play::Says(Outcome::RefusedCredential)]);
        world.post(&format!("db{blip}"));
        world.wait("00:00:20");
        let number = world.sent.last().expect("a page").order.message.incidents[0]
            .incident
            .number;
        let open: Vec<u64> = (1..=number.0)
            .filter(|n| {
                world.incident(*n).status.as_str() == "triggered"
                    && world.incident(*n).about.is_none()
            })
            .collect();
        for number in open {
            world.ack(number, "ana");
        }
        world.take_seen();
        world.wait("10:00:00");
        let own = world.own_incidents();
        ended.push((own, world.take_seen().len()));
    }
    assert!(
        ended.iter().all(|(own, _)| own.is_empty()),
        "open, pages in ten hours: {ended:?}"
    );
}

const TWO_PHONES: &str = r#"
users:
  ana:
    contacts: { phone: { sms: "+351900000001" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
  bo:
    contacts: { phone: { sms: "+351900000002" } }
    notify: { high: [{ via: [phone] }], low: [{ via: [phone] }] }
policies:
  ana: { steps: [{ targets: [user/ana], wait: 1h }] }
  bo: { steps: [{ targets: [user/bo], wait: 1h }] }
integrations: { native: { format: native } }
route:
  policy: ana
  group_by: ["..."]
  routes:
    - { name: b, matchers: ['host="b"'], policy: bo }
"#;

/// A gateway answers 403 for one number alone: one of which a check sees the login, one of which it
/// sees the balance, and one that cannot be asked.
#[test]
fn one_number_that_a_gateway_denies_holds_up_no_other_for_minutes() {
    let gateways = [probing("twilio", true), probing("twilio", false), usual()];
    for (index, channels) in gateways.into_iter().enumerate() {
        let mut world = World::with(TWO_PHONES, channels, BEGIN);
        world.at("00:10:00");
        world
            .fake("twilio")
            .denied
            .insert("+351900000001".to_owned());
        world.post("db");
        world.wait("00:00:10");
        world.give(trigger("web").label("host", "b"));
        let by = Duration(world.passed.0 + Duration::minutes(2).0);
        let mut labels: Vec<String> = Vec::new();
        while world.passed < by {
            world.wait("00:00:01");
            labels.extend(world.take_seen().into_iter().map(|sent| sent.label));
        }
        let mut to_bo = labels
            .iter()
            .filter(|label| label.starts_with("bo sms twilio #3"));
        assert!(to_bo.next().is_some(), "{index}: {:#?}", world.timeline(3));
        world.wait("00:20:00");
        world.take_seen();
    }
}

/// A test page meets the 403 of one number: the gateway is good for all others.
#[test]
fn a_test_page_to_a_denied_number_is_no_end_of_the_gateway_for_hours() {
    let mut told = Vec::new();
    for probes_login in [true, false] {
        let channels = probing("twilio", probes_login);
        let yaml = TWO_CONTACTS.replace(
            "integrations:",
            "  other: { steps: [{ targets: [user/ana], wait: 5m }] }\nintegrations:",
        );
        let mut world = world_with(channels, &yaml, MONDAY);
        world
            .fake("twilio")
            .denied
            .insert("+351900000001".to_owned());
        world.at("04:00:00");
        let pages = world
            .take_seen()
            .iter()
            .filter(|sent| !is_test(sent))
            .count();
        world.wait("08:00:00");
        let own = world.own_incidents();
        let later = world.take_seen().len();
        told.push((own, pages, later));
    }
    let is_quiet = |(own, _, later): &(Vec<String>, usize, usize)| own.is_empty() && *later == 0;
    assert!(
        told.iter().all(is_quiet),
        "open, pages by then, pages in the next eight hours: {told:?}"
    );
}

/// A provider that asked to wait said nothing about the contact.
#[test]
fn a_test_page_that_was_only_asked_to_wait_says_nothing_about_the_contact() {
    let mut world = world(&many(60), "2026-03-02T09:59:00Z");
    world
        .fake("mail")
        .throttled
        .insert("u7@example.com".to_owned());
    world.at("03:00:00");
    let own = world.own_incidents();
    world.take_seen();
    assert_eq!(own, [""; 0]);
}

#[test]
fn a_login_that_is_refused_to_one_test_page_is_checked_at_once() {
    let channels = probing("twilio", true);
    let mut world = world_with(channels, ONE, MONDAY);
    world.always("twilio", Outcome::RefusedCredential);
    while tests(&mut world).is_empty() {
        world.wait("00:00:01");
        assert!(world.passed < Duration::hours(3));
    }
    world.fake("twilio").probe = Outcome::RefusedCredential;
    world.wait("00:00:02");
    let own = world.own_incidents();
    assert!(
        own.contains(&"channel_credential/twilio".to_owned()),
        "{own:?}"
    );
    world.take_seen();
}
