//! What others read of a page, read by our own readers of such pages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::status_report::{ComponentState, Impact, StatusReport};
use crate::engine::time::Timestamp;
use crate::status::feed::{self, FeedDocument};
use crate::status::{KINDS, StatusAddress, StatusAnswer, StatusLook};
use crate::status_page::statuspage_api::{StatuspageDocument, json};
use crate::status_page::view::StatusPageView;
use crate::status_page::{feeds, overall, samples};

fn document(view: &StatusPageView, document: StatuspageDocument) -> Value {
    serde_json::from_slice(&json(view, document)).expect("it is JSON")
}

fn report(view: &StatusPageView) -> StatusReport {
    let summary = json(view, StatuspageDocument::Summary);
    let incidents = json(view, StatuspageDocument::Incidents);
    let answer = |body| Some(StatusAnswer { status: 200, body });
    let first = StatusAnswer {
        status: 200,
        body: &summary,
    };
    let kind = KINDS.iter().find(|kind| kind.word == "statuspage");
    let kind = kind.expect("it is in the table");
    assert!((kind.recognises)(&first));
    let look = StatusLook {
        address: &StatusAddress::parse(&view.url).expect("an address"),
        answers: &[answer(&summary), answer(&incidents)],
        now: view.as_of,
    };
    (kind.read)(&look).expect("it is read")
}

#[test]
fn a_reader_of_statuspage_gets_our_components_and_posts() {
    let view = samples::busy();
    let report = report(&view);
    assert_eq!(
        (&*report.page, &*report.name),
        ("pagepagepage", "Acme Cloud")
    );
    assert_eq!(
        (report.skipped_components, report.skipped_incidents),
        (0, 0)
    );
    assert!(
        report.unknown_words.is_empty(),
        "{:?}",
        report.unknown_words
    );
    let read = report.components.iter().map(|component| {
        (
            component.id.clone(),
            component.name.clone(),
            component.state,
        )
    });
    let ours = overall::components(&view).map(|component| {
        (
            component.id.clone(),
            component.name.clone(),
            overall::last_known(component),
        )
    });
    assert_eq!(read.collect::<BTreeSet<_>>(), ours.collect::<BTreeSet<_>>());
    let api = report
        .components
        .iter()
        .find(|component| component.id == samples::id(0));
    assert_eq!(
        &*api.expect("it is read").full_name(),
        "Platform / Public API"
    );

    let posts = view.open.iter().chain(&view.maintenance).chain(&view.past);
    let ours = posts
        .filter(|post| &*post.id != "openopenope3")
        .map(|post| post.id.clone());
    let read = report.incidents.iter().map(|incident| incident.id.clone());
    assert_eq!(
        read.collect::<BTreeSet<_>>(),
        ours.collect(),
        "all but the announcement"
    );
    let incident = |id: &str| {
        let incidents = report.incidents.iter();
        incidents
            .clone()
            .find(|incident| &*incident.id == id)
            .expect("it is read")
    };
    let open = incident("openopenope1");
    assert_eq!(open.impact, Impact::Critical);
    assert_eq!(open.started_at, Some(view.open[0].started_at));
    assert_eq!(open.components, view.open[0].components);
    assert_eq!(
        &*open.text,
        "The change is taken back. Error rates fall; we keep watching."
    );
    let link = "https://status.example.com/incidents/openopenope1";
    assert_eq!(open.url.as_deref(), Some(link));
    let planned = incident("maintenance2");
    assert!(planned.is_maintenance && !planned.is_maintenance_at(view.as_of));
    assert!(incident("maintenance1").is_maintenance_at(view.as_of));
}

#[test]
fn a_quiet_page_has_every_key_and_no_null_lists() {
    let view = samples::quiet();
    for kind in StatuspageDocument::ALL {
        let body = document(&view, kind);
        assert_eq!(body["page"]["id"], "pagepagepage", "{kind:?}");
        assert_eq!(body["page"]["time_zone"], "Etc/UTC");
        assert_eq!(body["page"]["updated_at"], "2026-11-30T14:04:00.000Z");
        for list in ["components", "incidents", "scheduled_maintenances"] {
            assert!(
                body.get(list).is_none_or(Value::is_array),
                "{kind:?} {list}"
            );
        }
    }
    let summary = document(&view, StatuspageDocument::Summary);
    assert_eq!(summary["status"]["description"], "All Systems Operational");
    assert_eq!(summary["incidents"], Value::Array(Vec::new()));
    assert_eq!(summary["scheduled_maintenances"], Value::Array(Vec::new()));
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn rows_have_the_keys_of_the_original() {
    let summary = document(&samples::busy(), StatuspageDocument::Summary);
    let component = "created_at description group group_id id name only_show_if_degraded page_id \
                     position showcase start_date status updated_at";
    let rows = summary["components"].as_array().expect("a list");
    let row = |id: &str| {
        rows.iter()
            .find(|row| row["id"] == id)
            .expect("it is there")
    };
    assert_eq!(keys(row("component000")).join(" "), component);
    let group = row("groupplatfor");
    assert_eq!(group["group"], true);
    assert_eq!(group["status"], "major_outage");
    assert_eq!(group["components"].as_array().map(Vec::len), Some(5));
    assert_eq!(row("component000")["group_id"], "groupplatfor");
    let incident = "components created_at id impact incident_updates monitoring_at name page_id \
                    reminder_intervals resolved_at shortlink started_at status updated_at";
    assert_eq!(keys(&summary["incidents"][0]).join(" "), incident);
    assert_eq!(
        keys(&summary["incidents"][0]["components"][0]).join(" "),
        component
    );
    let update = "affected_components body created_at custom_tweet deliver_notifications \
                  display_at id incident_id status tweet_id updated_at";
    let updates = &summary["incidents"][0]["incident_updates"];
    assert_eq!(keys(&updates[0]).join(" "), update);
    assert_eq!(updates[0]["status"], "monitoring", "the newest first");
    assert_eq!(
        updates[2]["affected_components"][0]["new_status"],
        "major_outage"
    );
    let planned = &summary["scheduled_maintenances"][0];
    assert_eq!(planned["impact"], "maintenance");
    assert_eq!(planned["scheduled_until"], "2026-11-30T17:04:00.000Z");
}

#[test]
fn lists_of_maintenance_tell_upcoming_and_active_apart() {
    let view = samples::busy();
    let ids = |kind| {
        let body = document(&view, kind);
        let rows = body["scheduled_maintenances"].as_array().expect("a list");
        let ids = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap_or_default().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(
        ids(StatuspageDocument::ActiveMaintenances),
        ["maintenance1"]
    );
    assert_eq!(
        ids(StatuspageDocument::UpcomingMaintenances),
        ["maintenance2"]
    );
    let all = ids(StatuspageDocument::Maintenances);
    assert_eq!(all, ["maintenance1", "maintenance2"]);
    let open = document(&view, StatuspageDocument::UnresolvedIncidents);
    assert_eq!(open["incidents"].as_array().map(Vec::len), Some(2));
}

#[test]
fn unknown_keeps_the_last_known_status_and_says_the_truth_beside_it() {
    let view = samples::busy();
    let body = document(&view, StatuspageDocument::Components);
    let rows = body["components"].as_array().expect("a list");
    let unknown = rows
        .iter()
        .filter(|row| row.get("reveille_state").is_some());
    let unknown: Vec<&Value> = unknown.collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0]["id"], "component015");
    assert_eq!(unknown[0]["status"], "operational");
    assert_eq!(
        unknown[0]["reveille_state"],
        ComponentState::Unknown.as_str()
    );
    assert_eq!(unknown[0]["as_of"], "2026-11-30T13:04:00.000Z");
}

fn read_feeds(view: &StatusPageView) -> [FeedDocument; 3] {
    let bodies = [feeds::rss(view), feeds::atom(view), feeds::json_feed(view)];
    bodies.map(|body| feed::parse(body.as_bytes(), "feed").expect("it is a feed"))
}

#[test]
fn every_feed_has_the_same_items_known_by_the_addresses_of_their_posts() {
    let view = samples::busy();
    let [rss, atom, json] = read_feeds(&view);
    assert_eq!(rss.title, "Acme Cloud");
    assert_eq!(rss.items.len(), 15);
    assert_eq!(atom.items, json.items);
    for (one, other) in rss.items.iter().zip(&atom.items) {
        assert_eq!((&one.guid, &one.link), (&other.guid, &other.link));
        assert_eq!((&one.title, &one.text), (&other.title, &other.text));
        assert_eq!(
            (one.published, &one.categories),
            (other.published, &other.categories)
        );
        assert_eq!(one.guid, one.link, "stable");
    }
    let guid = "https://status.example.com/incidents/openopenope1";
    let open = atom
        .items
        .iter()
        .find(|item| item.guid == guid)
        .expect("it is there");
    assert_eq!(open.updated, Some(view.open[0].updated_at));
    assert!(
        open.text.starts_with("<p><strong>Monitoring</strong>"),
        "{}",
        open.text
    );
    assert_eq!(open.text.matches("<time").count(), 3, "all updates");
    assert_eq!(open.categories, ["Public API", "Web application"]);
    assert!(
        rss.items
            .iter()
            .any(|item| item.title == "Maintenance: Databases move to a new rack")
    );
}

#[test]
fn an_update_moves_an_item_and_does_not_make_another() {
    let mut view = samples::busy();
    let [before, ..] = read_feeds(&view);
    let later = Timestamp(view.as_of.0 + 60_000);
    view.past[9].updated_at = later;
    let [_, after, _] = read_feeds(&view);
    assert_eq!(after.items.len(), before.items.len());
    assert_eq!(after.items[0].guid, before.items[14].guid);
    assert_eq!(after.items[0].updated, Some(later));
}

#[test]
fn hostile_text_stays_text_in_every_feed() {
    let hostile = "]]></title><x> & \"q\" \u{0}\u{b}\u{202e}<script>alert(1)</script>";
    let mut view = samples::busy();
    view.title = hostile.into();
    view.open[0].title = hostile.into();
    view.open[0].updates[0].text = hostile.into();
    for feed in read_feeds(&view) {
        let item = feed
            .items
            .iter()
            .find(|item| item.guid.ends_with("openopenope1"));
        let item = item.expect("it is there");
        assert!(
            item.title.starts_with("]]></title><x> & \"q\""),
            "{}",
            item.title
        );
        assert!(!item.text.contains("<script"), "{}", item.text);
        assert!(item.text.contains("&lt;script&gt;"), "{}", item.text);
    }
}
