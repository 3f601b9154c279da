//! Channels that nobody uses are asked how they are, and what they say is told by another channel.

use reveille::api::wire;
use reveille::engine::outcome::{Capacity, Outcome, Validity};
use reveille::engine::ruleset::ChannelInfo;
use reveille::engine::time::{Duration, MonotonicTime, Now};

use super::TEAM;
use super::channels::with_second_sms;
use super::world::{BEGIN, World};

/// Channels of which these can be probed.
pub fn probing(names: &[&str]) -> Vec<ChannelInfo> {
    let mut channels = with_second_sms();
    for channel in &mut channels {
        channel.capabilities.probes = names.contains(&channel.name.as_str());
        channel.capabilities.probes_login = channel.capabilities.probes;
    }
    channels
}

pub fn world(names: &[&str]) -> World {
    World::with(TEAM, probing(names), BEGIN)
}

/// When it was asked.
pub fn asked(world: &World, channel: &str) -> Vec<Duration> {
    let probed = world.probed.iter();
    let of_channel = probed.filter(|(_, name)| name.as_str() == channel);
    of_channel.map(|(at, _)| *at).collect()
}

/// Labels of what was sent about the router itself.
fn own_pages(world: &mut World) -> Vec<String> {
    let seen = world.take_seen().into_iter();
    let own = seen.filter(|sent| sent.order.message.incidents[0].is_self_incident);
    own.map(|sent| sent.label).collect()
}

#[test]
fn a_channel_that_nobody_uses_is_asked_soon_after_the_start_and_then_once_an_hour() {
    let mut world = world(&["slack", "mail", "twilio"]);
    world.at("24:00:00");
    for channel in ["slack", "mail", "twilio"] {
        let asked = asked(&world, channel);
        assert!(asked[0] <= Duration::minutes(5), "{channel}: {}", asked[0]);
        assert!((22..=24).contains(&asked.len()), "{channel}: {asked:?}");
        for pair in asked.windows(2) {
            let between = Duration(pair[1].0 - pair[0].0);
            assert!(between >= Duration::hours(1), "{channel}: {between}");
            assert!(between <= Duration::minutes(65), "{channel}: {between}");
        }
    }
    for channel in ["gateway", "hooks", "console"] {
        assert_eq!(asked(&world, channel), [], "{channel} cannot be asked");
    }
    world.expect([]);
    assert!(world.audit().is_clean());
}

#[test]
fn the_api_says_when_a_channel_passed_its_last_check() {
    let mut world = world(&["twilio"]);
    let configured = ("twilio".into(), "twilio");
    let shown = |world: &World| {
        let now = Now {
            wall: world.wall(),
            steady: MonotonicTime(0),
            seed: 0,
        };
        wire::channel::channel(&configured, world.state(), &world.rules(), now)
    };
    assert_eq!(shown(&world).last_check_passed_at, None);
    world.at("00:10:00");
    let passed = shown(&world);
    assert_eq!(passed.state, "up");
    assert!(passed.last_check_passed_at.is_some());
    world.fake("twilio").probe = Outcome::RefusedCredential;
    world.at("02:00:00");
    assert_eq!(shown(&world).state, "down");
    assert_eq!(
        shown(&world).last_check_passed_at,
        passed.last_check_passed_at
    );
    world.take_seen();
}

#[test]
fn the_checks_of_several_channels_do_not_fall_together_even_after_a_long_absence() {
    let mut channels = probing(&["twilio"]);
    let twilio = channels[2].clone();
    channels.extend((0..7).map(|number| ChannelInfo {
        name: format!("twilio{number}").as_str().into(),
        ..twilio.clone()
    }));
    let mut world = World::with(TEAM, channels, BEGIN);
    world.at("03:00:00");
    world.crash_for(Duration::hours(20));
    world.wait("03:00:00");
    // In the order of time.
    let mut seconds: Vec<u64> = world.probed.iter().map(|(at, _)| at.as_seconds()).collect();
    let all = seconds.len();
    seconds.dedup();
    assert!(all >= 8 * 4, "{all}");
    assert!(seconds.len() >= all * 8 / 10, "{seconds:?}");
}

#[test]
fn a_channel_that_takes_pages_is_not_asked() {
    let mut world = world(&["twilio"]);
    for number in 1..=12 {
        world.post(&format!("a{number}"));
        world.ack(number, "ana");
        world.wait("00:20:00");
    }
    world.take_seen();
    let asked = asked(&world, "twilio");
    assert!(asked.len() <= 1, "but after the start: {asked:?}");
    world.wait("01:10:00");
    assert!(!self::asked(&world, "twilio").is_empty());
}

#[test]
fn a_check_that_fails_is_told_by_another_channel_before_anybody_is_paged_in_vain() {
    let cases = [
        (Outcome::RefusedCredential, "channel_credential/twilio"),
        (Outcome::TlsNameMismatch, "channel_tls_name/twilio"),
        (Outcome::TlsOther, "channel_tls/twilio"),
        (Outcome::QuotaExhausted, "channel_quota/twilio"),
    ];
    for (outcome, expected) in cases {
        let mut world = world(&["twilio"]);
        world.at("00:10:00");
        world.fake("twilio").probe = outcome;
        world.always("twilio", outcome);
        world.at("01:30:00");
        assert_eq!(world.own_incidents(), [expected]);
        world.ack(1, "ana");
        let own = own_pages(&mut world);
        assert!(!own.is_empty());
        assert!(own.iter().all(|label| !label.contains("twilio")), "{own:?}");
        // The channel is down: the page goes by the second gateway at once.
        world.post("db");
        world.wait("00:00:02");
        world.expect(["ana sms gateway #2 page"]);
        world.ack(2, "ana");
        world.fake("twilio").probe = Outcome::Accepted;
        world.always("twilio", Outcome::Accepted);
        world.wait("00:01:30");
        assert_eq!(world.own_incidents(), [""; 0], "{outcome}: it is over");
        world.post("net");
        world.wait("00:00:02");
        let seen = world.take_seen();
        let page = seen.iter().find(|sent| sent.label.ends_with("#3 page"));
        assert_eq!(page.expect("a page").label, "ana sms twilio #3 page");
        world.ack(3, "ana");
        world.take_seen();
    }
}

#[test]
fn a_channel_that_two_checks_in_a_row_do_not_reach_is_told_and_one_is_not() {
    for outcome in [Outcome::Transient, Outcome::Unknown] {
        let mut world = world(&["twilio"]);
        world.fake("twilio").probe = outcome;
        world.at("00:05:00");
        assert_eq!(asked(&world, "twilio").len(), 1);
        world.fake("twilio").probe = Outcome::Accepted;
        world.at("00:20:00");
        assert_eq!(asked(&world, "twilio").len(), 2, "again soon");
        world.fake("twilio").probe = outcome;
        world.at("01:30:00");
        world.fake("twilio").probe = outcome;
        world.at("01:45:00");
        assert_eq!(world.own_incidents(), ["channel_silent/twilio"]);
        world.ack(1, "ana");
        let own = own_pages(&mut world);
        assert!(own.iter().all(|label| !label.contains("twilio")), "{own:?}");
        world.fake("twilio").probe = Outcome::Accepted;
        world.wait("00:10:00");
        assert_eq!(world.own_incidents(), [""; 0]);
        assert!(world.audit().is_clean());
        world.take_seen();
    }
}

#[test]
fn a_page_that_is_taken_ends_what_checks_said() {
    let mut world = world(&["twilio"]);
    world.fake("twilio").probe = Outcome::Transient;
    world.at("00:20:00");
    assert_eq!(world.own_incidents(), ["channel_silent/twilio"]);
    world.ack(1, "ana");
    world.post("db");
    world.wait("00:00:02");
    world.ack(2, "ana");
    assert_eq!(world.own_incidents(), [""; 0]);
    world.take_seen();
}

#[test]
fn a_provider_with_much_to_do_passes_for_a_check_that_says_nothing() {
    let mut world = world(&["twilio"]);
    world.fake("twilio").probe = Outcome::Throttled {
        wait: Duration::minutes(5),
    };
    world.expect_nothing_until("05:00:00");
    assert_eq!(world.own_incidents(), [""; 0]);
}

#[test]
fn a_check_takes_no_slot_of_a_page_and_delays_none() {
    let mut channels = probing(&["twilio"]);
    for channel in &mut channels {
        channel.concurrency = 1;
    }
    let mut world = World::with(TEAM, channels, BEGIN);
    while asked(&world, "twilio").is_empty() {
        world.wait("00:00:01");
    }
    // It was asked within the second that passed, and the page leaves all the same.
    world.post("db");
    world.expect(["ana sms twilio #1 page"]);
    world.ack(1, "ana");
}

#[test]
fn an_account_with_little_left_is_told_at_low_urgency_and_goes_on_sending() {
    let mut world = world(&["twilio"]);
    world.at("00:10:00");
    let text = "its account has 3.00 EUR left, less than balance_min (20)";
    world.fake("twilio").capacity = Capacity::Low { text: text.into() };
    world.at("01:30:00");
    assert_eq!(world.own_incidents(), ["channel_capacity/twilio"]);
    assert_eq!(&*world.incident(1).title, format!("channel twilio: {text}"));
    assert_eq!(world.incident(1).urgency.as_str(), "low");
    let own = own_pages(&mut world);
    assert!(!own.is_empty());
    assert!(own.iter().all(|label| !label.contains("twilio")), "{own:?}");
    world.ack(1, "ana");
    world.post("db");
    world.wait("00:00:02");
    world.expect(["ana sms twilio #2 page"]);
    world.ack(2, "ana");
    assert_eq!(
        world.own_incidents(),
        ["channel_capacity/twilio"],
        "a page that was taken says nothing about it"
    );
    world.fake("twilio").capacity = Capacity::Unread;
    world.wait("01:20:00");
    assert_eq!(world.own_incidents(), ["channel_capacity/twilio"]);
    world.fake("twilio").capacity = Capacity::Enough;
    world.wait("01:20:00");
    assert_eq!(world.own_incidents(), [""; 0]);
    world.take_seen();
}

/// A certificate that ends so long from now.
fn ending_in(world: &World, left: Duration, whole: Duration) -> Option<Validity> {
    let ends = world.wall() + left;
    Some(Validity {
        begins: ends.minus(whole),
        ends,
    })
}

#[test]
fn a_certificate_that_nobody_renewed_in_time_is_told_before_it_ends() {
    let (year, week) = (Duration::days(365), Duration::days(7));
    for (left, whole, is_told) in [
        (Duration::days(13), year, true),
        (Duration::days(16), year, false),
        (Duration::days(3), week, false),
        (Duration::hours(36), week, true),
        (Duration::ZERO, year, true),
    ] {
        let mut world = world(&["twilio"]);
        let begin = world.wall();
        world.fake("twilio").certificate = ending_in(&world, left, whole);
        world.at("00:10:00");
        if !is_told {
            assert_eq!(world.own_incidents(), [""; 0], "{left} of {whole}");
            continue;
        }
        assert_eq!(world.own_incidents(), ["channel_certificate/twilio"]);
        let ends = begin + left;
        let title = format!("channel twilio: the certificate of its server expires {ends}");
        assert_eq!(&*world.incident(1).title, title);
        assert_eq!(world.incident(1).urgency.as_str(), "low");
        let own = own_pages(&mut world);
        assert!(own.iter().all(|label| !label.contains("twilio")), "{own:?}");
        world.ack(1, "ana");
        world.fake("twilio").certificate = ending_in(&world, year, year);
        world.wait("01:20:00");
        // Another server of the same name may have been forgotten.
        assert_eq!(world.own_incidents(), ["channel_certificate/twilio"]);
        world.wait("14:00:00");
        assert_eq!(world.own_incidents(), [""; 0], "it was renewed");
        world.take_seen();
    }
}

#[test]
fn a_channel_that_is_never_idle_is_asked_every_few_hours() {
    let mut world = world(&["twilio"]);
    for number in 1..=60 {
        world.post(&format!("a{number}"));
        world.ack(number, "ana");
        world.wait("00:20:00");
    }
    world.take_seen();
    let asked = asked(&world, "twilio");
    assert!((3..=5).contains(&asked.len()), "in 20 hours: {asked:?}");
}

#[test]
fn a_restart_checks_anew_since_settings_may_have_changed() {
    let mut world = world(&["twilio"]);
    world.at("00:10:00");
    assert_eq!(asked(&world, "twilio").len(), 1);
    world.fake("twilio").probe = Outcome::RefusedCredential;
    world.crash_for(Duration::seconds(2));
    world.wait("00:05:00");
    assert_eq!(world.own_incidents(), ["channel_credential/twilio"]);
    world.ack(1, "ana");
    world.take_seen();
}

#[test]
fn checks_are_planned_where_settings_change_and_dropped_with_their_channel() {
    let mut world = world(&[]);
    world.at("02:00:00");
    assert_eq!(world.probed.len(), 0);
    world.replace_channels(TEAM, probing(&["twilio"]));
    world.wait("00:06:00");
    assert_eq!(asked(&world, "twilio").len(), 1);
    world.replace_channels(TEAM, probing(&[]));
    world.wait("05:00:00");
    assert_eq!(asked(&world, "twilio").len(), 1);
}
