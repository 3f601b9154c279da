//! Feeds of several page softwares, in shape.

use super::*;
use crate::status::kinds::tests::pages::look_at;

fn rss(items: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>Acme status</title>\
         <link>https://status.example.com</link><description>x</description>{items}\
         </channel></rss>"
    )
}

/// An item: guid, link, title, text, date.
fn item(guid: &str, link: &str, title: &str, text: &str, date: &str) -> String {
    let element = |name: &str, value: &str| match value {
        "" => String::new(),
        _ => format!("<{name}><![CDATA[{value}]]></{name}>"),
    };
    [
        "<item>".to_owned(),
        element("guid", guid),
        element("link", link),
        element("title", title),
        element("description", text),
        element("pubDate", date),
        "</item>".to_owned(),
    ]
    .concat()
}

/// Id, phase and whether it is a maintenance, of each incident.
fn told_of(items: &[String]) -> Vec<(String, ReportPhase, bool)> {
    let report = look_at(&FEED, &rss(&items.concat())).unwrap();
    let told = report.incidents.iter();
    told.map(|known| (known.id.to_string(), known.phase, known.is_maintenance))
        .collect()
}

const OPEN: ReportPhase = ReportPhase::Open;
const CLOSED: ReportPhase = ReportPhase::Closed;

#[test]
fn an_incident_is_as_its_newest_update_says() {
    let update = |state: &str| {
        format!("<p><small>Jul 16, 20:10 UTC</small><br><strong>{state}</strong> - Text.</p>")
    };
    let open = [
        update("Monitoring"),
        update("Resolved"),
        update("Investigating"),
    ]
    .concat();
    let closed = [
        update("Resolved"),
        update("Monitoring"),
        update("Investigating"),
    ]
    .concat();
    let link = |number: u8| format!("https://status.example.com/incidents/{number}");
    let items = [
        item(
            &link(3),
            &link(3),
            "API is slow",
            &open,
            "2026-07-16T20:10:00Z",
        ),
        item(
            &link(2),
            &link(2),
            "Mail is late",
            &closed,
            "2026-07-15T20:10:00Z",
        ),
        item(
            &link(1),
            &link(1),
            "Database upgrade",
            &update("Scheduled"),
            "2026-07-14T20:10:00Z",
        ),
        item(
            &link(0),
            &link(0),
            "Upgrade",
            &update("Completed"),
            "2026-07-13T20:10:00Z",
        ),
    ];
    let expected = [
        (link(3), OPEN, false),
        (link(2), CLOSED, false),
        (link(1), ReportPhase::Scheduled, true),
        (link(0), CLOSED, true),
    ];
    assert_eq!(told_of(&items), expected);
    let report = look_at(&FEED, &rss(&items.concat())).unwrap();
    assert_eq!(report.listing, Listing::WithHistory);
    assert_eq!(&*report.name, "Acme status");
    let newest = &report.incidents[0];
    assert_eq!(newest.impact, Impact::Minor);
    assert!(
        newest
            .text
            .starts_with("Jul 16, 20:10 UTC\nMonitoring - Text.")
    );
    assert!(newest.started_at.is_some());
}

#[test]
fn guids_that_change_with_each_update_are_seen_through() {
    let link = "https://status.example.com/incidents/9";
    let guid =
        |number: u8, mark: &str| format!("https://status.example.com/incident/{number}{mark}");
    // A monitor's two items share the link of its incident.
    let pair = [
        item(&guid(5, "#b"), link, "API recovered", "", ""),
        item(&guid(5, "#a"), link, "API went down", "", ""),
    ];
    assert_eq!(told_of(&pair), [(link.to_owned(), CLOSED, false)]);
    // The link is the page: the guid tells them apart.
    let page = "https://status.example.com";
    let apart = [
        item(&guid(6, "#b"), page, "Mail", "Still broken.", ""),
        item(&guid(5, "#b"), page, "API", "It is resolved.", ""),
    ];
    let expected = [(guid(6, ""), OPEN, false), (guid(5, ""), CLOSED, false)];
    assert_eq!(told_of(&apart), expected);
    let hash = "a1".repeat(20);
    let single = [
        (item(&hash, link, "[Fixed] API", "text", ""), link, CLOSED),
        (
            item("i12-1784232600", page, "API is down", "text", ""),
            "i12",
            OPEN,
        ),
        (item(link, link, "[Resolved] API", "text", ""), link, CLOSED),
    ];
    for (item, id, phase) in single {
        assert_eq!(told_of(&[item]), [(id.to_owned(), phase, false)]);
    }
}

#[test]
fn updates_without_ids_are_chained_by_service_and_gap() {
    let guid = |time: u32| format!("https://status.example.com/#mail-eu_{time}");
    let event = |time: u32, title: &str, date: &str| {
        item(
            &guid(time),
            "https://status.example.com/",
            title,
            "text",
            date,
        )
    };
    let items = [
        event(4, "Service disruption: errors", "2026-07-16T20:00:00Z"),
        event(3, "Service degradation: errors", "2026-07-16T15:00:00Z"),
        event(
            2,
            "Service is operating normally: [RESOLVED] errors",
            "2026-05-02T12:00:00Z",
        ),
        event(1, "Informational message: errors", "2026-05-02T08:00:00Z"),
        item(
            "https://status.example.com/#db-eu_1",
            "",
            "Service impact: x",
            "",
            "2026-04-01T08:00:00Z",
        ),
    ];
    let expected = [
        ("mail-eu@2026-07-16T15:00:00Z".to_owned(), OPEN, false),
        ("mail-eu@2026-05-02T08:00:00Z".to_owned(), CLOSED, false),
        ("db-eu@2026-04-01T08:00:00Z".to_owned(), CLOSED, false),
    ];
    assert_eq!(told_of(&items), expected);
}

#[test]
fn a_new_guid_with_a_known_link_or_title_is_an_update() {
    let page = "https://status.example.com";
    let link = "https://status.example.com/posts/9";
    let (early, late) = ("2026-07-16T20:00:00Z", "2026-07-16T21:00:00Z");
    let by_link = [
        item("b", link, "Update on mail", "Mail has recovered.", late),
        item("a", link, "Mail is late", "We look.", early),
    ];
    assert_eq!(told_of(&by_link), [("a".to_owned(), CLOSED, false)]);
    let by_title = [
        item("b", page, "Mail is late", "This is resolved.", late),
        item("a", page, "Mail is late", "We look.", early),
    ];
    assert_eq!(told_of(&by_title), [("a".to_owned(), CLOSED, false)]);
    let again = [
        item("b", page, "Mail is late", "We look.", late),
        item("a", page, "Mail is late", "This is resolved.", early),
    ];
    let expected = [
        ("b".to_owned(), OPEN, false),
        ("a".to_owned(), CLOSED, false),
    ];
    assert_eq!(told_of(&again), expected, "the second outage of that name");
}

#[test]
fn maintenance_is_told_by_the_title_unless_it_tells_of_trouble() {
    let cases = [
        ("Authorization System Restart", true),
        ("Scheduled maintenance of the database", true),
        ("Unscheduled restart of routers", false),
        ("Login errors after maintenance", false),
        ("API outage", false),
    ];
    for (title, is_maintenance) in cases {
        let told = told_of(&[item("g", "", title, "text", "")]);
        assert_eq!(told[0].2, is_maintenance, "{title}");
        assert_ne!(told[0].1, CLOSED, "{title}");
    }
}

#[test]
fn items_without_dates_ids_and_links_have_an_identity() {
    let first = told_of(&[item("", "", "Mail is late", "a", "")]);
    let edited = told_of(&[item("", "", " <b>Mail</b> is late", "b", "")]);
    assert_eq!(first[0].0, edited[0].0);
    assert_ne!(
        first[0].0,
        told_of(&[item("", "", "Web is late", "a", "")])[0].0
    );
    let bad = look_at(
        &FEED,
        &rss("<item></item><item></item><item><title>x</title></item>"),
    );
    let expected = StatusUnreadable::TooManyBad {
        skipped: 2,
        total: 3,
    };
    assert_eq!(bad, Err(expected));
}

#[test]
fn an_empty_feed_is_one() {
    assert_eq!(told_of(&[]), []);
}

#[test]
fn a_feed_that_is_cut_anywhere_panics_nowhere() {
    let whole = rss(&item(
        "g",
        "https://x.example/1",
        "a",
        "<p>b &amp; c</p>",
        "2026-07-16",
    ));
    let closed = whole.find("</channel>").unwrap();
    for (end, _) in whole.char_indices() {
        let cut = look_at(&FEED, &whole[..end]);
        assert!(cut.is_err() || end > closed, "{end}: {cut:?}");
    }
}
