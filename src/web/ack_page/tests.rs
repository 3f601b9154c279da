//! What is shown in which state, and that hostile text stays text.

use jiff::tz::TimeZone;

use super::*;
use crate::engine::ids::{ChannelName, IncidentNumber};
use crate::engine::input::Via;
use crate::engine::page::{IncidentRef, Page, PageKind, Recipient};
use crate::engine::samples;
use crate::engine::time::{MonotonicTime, Timestamp};
use crate::engine::urgency::Urgency;

const NOW: Timestamp = Timestamp(samples::OPENED.0 + 12 * 60_000);

fn handled(by: &str) -> Handled {
    samples::handled(by, Via::Link, Timestamp(samples::OPENED.0 + 5 * 60_000))
}

fn opened(incidents: Vec<Incident>) -> OpenedLink {
    let shown = incidents.iter().map(|incident| IncidentRef {
        number: incident.number,
        generation: incident.generation,
    });
    let kind = match incidents.len() {
        1 => PageKind::Page,
        _ => PageKind::Bundle,
    };
    let page = Page {
        kind,
        incidents: shown.collect(),
        ..samples::sent_page()
    };
    OpenedLink {
        page: Arc::new(page),
        incidents: incidents.into_iter().map(Arc::new).collect(),
        linked: Vec::new(),
        headlines: std::collections::BTreeMap::new(),
        is_expired: false,
    }
}

fn render(opened: &OpenedLink, alerts: &[&str], notice: Option<Notice>) -> String {
    let time_zone = TimeZone::get("Europe/Lisbon").unwrap();
    let view = AckPageView {
        opened,
        sent: vec![vec!["description: <b>grows</b>\n\u{202e}by 3 GB/h".to_owned()]; alerts.len()],
        alerts: alerts.iter().map(|text| (*text).to_owned()).collect(),
        clock: LocalClock {
            now: NOW,
            time_zone: &time_zone,
        },
        now: Now {
            wall: NOW,
            steady: MonotonicTime(0),
            seed: 0,
        },
        notice,
    };
    AckPage::new(view).render().unwrap()
}

/// Keeps a page for the eye of whoever works on it: set `REVEILLE_SHOW_PAGES` to a folder.
fn keep(name: &str, page: &str) {
    if let Some(folder) = option_env!("REVEILLE_SHOW_PAGES") {
        std::fs::write(format!("{folder}/{name}.html"), page).unwrap();
    }
}

fn has_button(page: &str, action: &str) -> bool {
    page.contains(&format!("name=\"action\" value=\"{action}\""))
}

#[test]
fn each_state_offers_what_can_be_done_in_it() {
    let taken = |by: &str| Incident {
        status: Status::Acknowledged,
        acknowledged: Some(handled(by)),
        ..samples::triggered_incident()
    };
    let over = Incident {
        status: Status::Resolved,
        resolved: Some(handled("bo")),
        ..samples::triggered_incident()
    };
    let cases = [
        (
            samples::triggered_incident(),
            "Nobody has acknowledged it yet.",
            vec!["acknowledge", "decline"],
        ),
        (
            taken("ana"),
            "Acknowledged by you, 03:15, 7 min ago.",
            vec!["resolve", "snooze"],
        ),
        (
            taken("bo"),
            "Acknowledged by bo, 03:15, 7 min ago.",
            vec!["resolve", "snooze"],
        ),
        (over, "Resolved 03:15, 7 min ago by bo.", vec![]),
    ];
    for (incident, holder, actions) in cases {
        let page = render(&opened(vec![incident]), &[], None);
        assert!(page.contains(holder), "{holder}: {page}");
        for action in ["acknowledge", "decline", "resolve", "snooze"] {
            assert_eq!(
                has_button(&page, action),
                actions.contains(&action),
                "{holder} {action}"
            );
        }
    }
}

#[test]
fn the_page_says_what_since_when_and_why_you() {
    let page = render(
        &opened(vec![samples::triggered_incident()]),
        &["disk full on db1"],
        None,
    );
    keep("triggered", &page);
    for expected in [
        "#1042",
        "HIGH",
        "disk full on db1",
        "payments-api",
        "03:10, 12 min ago",
        "route payments → policy payments, step 2 → schedule night",
        "Europe/Lisbon",
        "and 1 more: <code>reveille show 1042</code>",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let hostile =
        "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> &amp; \u{202e}evil <!channel>";
    let incident = Incident {
        title: hostile.into(),
        service: Some("<b>ser\u{202e}vice\u{1b}[2J\n</b>".into()),
        acknowledged: Some(handled("<i>bo</i>")),
        status: Status::Acknowledged,
        ..samples::triggered_incident()
    };
    let mut opened = opened(vec![incident]);
    let linked = Incident {
        number: IncidentNumber(1043),
        title: hostile.into(),
        ..samples::triggered_incident()
    };
    opened.linked = vec![Arc::new(linked)];
    let long = "x".repeat(1_000);
    let page = render(&opened, &[hostile, &long], None);
    keep("hostile", &page);
    for forbidden in ["<script", "<img", "<b>", "<i>", "<!channel", "\"'><"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let escaped = "&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#62;&#60;img src=x \
                   onerror=alert(2)&#62; &#38;amp; evil &#60;!channel&#62;";
    assert!(page.contains(escaped), "{page}");
    for unwanted in ["\u{202e}", "\u{1b}", "vice\u{1b}[2J\n"] {
        assert!(!page.contains(unwanted), "{unwanted:?}");
    }
    let (above, below) = page
        .split_once("What the monitor sent")
        .expect("it is told");
    assert!(
        !above.contains(&long),
        "a long line is cut over the buttons"
    );
    assert!(below.contains(&long), "nothing is cut of what was sent");
    assert!(below.contains("description: &#60;b&#62;grows&#60;/b&#62; by 3 GB/h"));
}

#[test]
fn a_bundled_page_lists_its_incidents_and_acts_on_all_of_them() {
    let incidents = (0..12).map(|index| Incident {
        number: IncidentNumber(1042 + index),
        title: format!("replication lag on db{index} is above the limit").into(),
        urgency: if index < 8 {
            Urgency::High
        } else {
            Urgency::Low
        },
        status: if index == 2 {
            Status::Acknowledged
        } else {
            Status::Triggered
        },
        acknowledged: (index == 2).then(|| handled("bo")),
        ..samples::triggered_incident()
    });
    let page = render(&opened(incidents.collect()), &[], None);
    keep("bundle", &page);
    assert!(page.contains("12 incidents"));
    assert!(
        page.contains("11 not acknowledged · 1 acknowledged"),
        "{page}"
    );
    assert!(page.contains("Acknowledge all 11"));
    assert!(page.contains("#1053"));
    let own = page.matches(r#"<button form="act" class="plain" name="one""#);
    assert_eq!(own.count(), 11, "each that waits has a button of its own");
    assert!(page.contains(r#"value="1053""#) && !page.contains(r#"value="1044""#));
}

#[test]
fn a_page_to_a_channel_target_asks_who_is_acting() {
    let mut opened = opened(vec![samples::triggered_incident()]);
    let page = Page {
        recipient: Recipient::Channel {
            channel: ChannelName::from("slack"),
        },
        ..samples::sent_page()
    };
    opened.page = Arc::new(page);
    let shown = render(&opened, &[], None);
    keep("channel", &shown);
    assert!(shown.contains("Who are you?") && shown.contains("required"));
    assert!(!has_button(&shown, "decline"), "a channel cannot decline");
    let of_person = render(
        &super::tests::opened(vec![samples::triggered_incident()]),
        &[],
        None,
    );
    assert!(!of_person.contains("Who are you?"));
}

#[test]
fn an_old_link_shows_the_state_and_offers_nothing() {
    let mut opened = opened(vec![samples::triggered_incident()]);
    opened.is_expired = true;
    let page = render(&opened, &[], None);
    assert!(page.contains("older than 7 days") && page.contains("reveille ack 1042"));
    assert!(!page.contains("<form"));
}

#[test]
fn after_acknowledging_the_page_offers_what_comes_next() {
    let mut incident = Incident {
        status: Status::Acknowledged,
        acknowledged: Some(handled("ana")),
        ..samples::triggered_incident()
    };
    incident.escalation.phase = Phase::Snoozed;
    incident.escalation.due = Some(MonotonicTime(3_600_000));
    let mut opened = opened(vec![incident]);
    let linked = Incident {
        number: IncidentNumber(1043),
        ..samples::triggered_incident()
    };
    opened.linked = vec![Arc::new(linked)];
    let notice = Notice {
        text: "Acknowledged.".to_owned(),
        is_bad: false,
    };
    let page = render(
        &opened,
        &["disk full on db1", "disk full on db2"],
        Some(notice),
    );
    keep("acknowledged", &page);
    assert!(page.contains("Snoozed until 04:22."), "{page}");
    assert!(page.contains("name=\"linked\" value=\"1043\""));
    assert!(page.contains("role=\"status\">Acknowledged.</p>"));
}
