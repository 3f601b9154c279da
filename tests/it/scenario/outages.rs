//! The outages that this router was founded on, each by its name.

use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::trigger;
use super::channels::with_second_sms;
use super::world::{BEGIN, World};

/// Ana by mail first, then by text message.
fn mail_first() -> String {
    TEAM.replace("{ via: [phone] }", "{ via: [chat] }")
        .replace("{ after: 3m, via: [mail] }", "{ after: 3m, via: [phone] }")
        .replace("via: [chat]", "via: [mail]")
}

#[test]
fn founding_outage_mail_capacity_is_silently_zero() {
    let mut world = World::new(&mail_first());
    world.always("mail", Outcome::QuotaExhausted);
    for number in 0..5 {
        world.post(&format!("a{number}"));
    }
    world.at("00:00:05");
    let seen = world.take_seen();
    let by_text = |number: u64| format!("ana sms twilio #{number} page");
    for sent in [1, 3, 4, 5, 6].map(by_text) {
        assert!(
            seen.iter().any(|known| known.label == sent),
            "{sent}: {seen:#?}"
        );
    }
    assert_eq!(
        world.own_incidents(),
        ["channel_quota/mail"],
        "told by another channel"
    );
    world.wait("00:01:30");
    let tries = world.take_seen();
    let by_mail = tries
        .iter()
        .filter(|sent| sent.order.channel.as_str() == "mail");
    assert!(
        by_mail.count() <= 2,
        "one trial a minute, not one for each page"
    );
}

#[test]
fn founding_outage_a_new_integration_floods_its_backlog() {
    let mut world = World::new(TEAM);
    for part in 0..100_u64 {
        let events = (0..100_u64).map(|number| {
            let age = Duration::hours(7 + part);
            let old = world.wall().minus(age);
            trigger(&format!("old{part}-{number}"))
                .occurred(old)
                .input()
        });
        let events = events.collect();
        world.batch(Vec::new(), events);
    }
    world.at("00:59:00");
    world.expect(["ana email mail #1 page"]);
    let own = world.incident(1);
    assert!(own.title.starts_with("10000 events"), "{}", own.title);
    assert_eq!(own.urgency.as_str(), "low");
    assert_eq!(world.state().incidents().count(), 1);
    world.at("26:00:00");
    assert_eq!(
        world.state().alerts().count(),
        0,
        "nor are they kept for ever"
    );
    world.take_seen();
}

#[test]
fn founding_outage_a_certificate_for_another_name_is_told_apart_from_a_rate_limit() {
    let wait = Duration::seconds(3_600);
    let cases = [
        (
            Outcome::TlsNameMismatch,
            Some("channel_tls_name/twilio"),
            "tls_name_mismatch",
        ),
        (Outcome::TlsOther, Some("channel_tls/twilio"), "tls_other"),
        (
            Outcome::RefusedCredential,
            Some("channel_credential/twilio"),
            "refused_credential",
        ),
        (Outcome::Throttled { wait }, None, "throttled"),
        (Outcome::Transient, None, "transient"),
    ];
    for (outcome, own, word) in cases {
        let mut world = World::with(TEAM, with_second_sms(), BEGIN);
        world.always("twilio", outcome);
        world.post("a");
        world.at("00:00:03");
        let expected: Vec<&str> = own.into_iter().collect();
        assert_eq!(world.own_incidents(), expected, "{word}");
        assert!(
            world
                .sent
                .iter()
                .any(|sent| sent.label == "ana sms gateway #1 page"),
            "{word}"
        );
        let entries = world.durable.entries.iter();
        let mut outcomes = entries.filter_map(|entry| entry.detail.outcome);
        assert!(
            outcomes.any(|known| known.as_str() == word),
            "{word} stands in the story"
        );
        world.take_seen();
    }
}
