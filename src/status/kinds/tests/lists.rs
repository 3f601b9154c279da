//! A list that is missing, null, empty or of the wrong type is four things, and which of them is
//! an answer depends on the kind.

use super::*;

/// Lists of open incidents, and whether their absence is an answer.
const LISTS: [(&str, &str, bool); 19] = [
    ("better_stack", "/0/included", false),
    ("cachet2", "/1/data", false),
    ("cachet3", "/2/data", false),
    ("cstate", "/1/pages", false),
    ("firehydrant", "/0/incidents", false),
    ("heroku", "/0/incidents", false),
    ("incident_io", "/0/incidents", true),
    ("instatus", "/0/activeIncidents", true),
    ("openstatus", "/0/incidents", false),
    ("slack", "/0/active_incidents", false),
    ("status_io", "/0/result/incidents", false),
    ("statuspage", "/0/incidents", false),
    ("checkly", "/0/incidents", false),
    ("one_uptime", "/0/activeIncidents", false),
    ("pagerduty", "/0/posts", false),
    ("rootly", "/1/incidents", false),
    ("sorry", "/2/notices", false),
    ("statuspal", "/0/incidents", false),
    ("uptime_robot", "/0/data", false),
];

#[test]
fn what_stands_for_an_empty_list_is_an_answer_only_where_the_kind_says_so() {
    for (word, pointer, is_absence_an_answer) in LISTS {
        let sample = Sample::of(word);
        let read = |change: &dyn Fn(&mut serde_json::Map<String, Value>, &str)| {
            let mut documents = sample.documents();
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            let parent = documents.pointer_mut(parent).and_then(Value::as_object_mut);
            change(parent.expect("an object"), name);
            sample.read(&documents)
        };
        let set = |value: Value| {
            read(&|parent, name| {
                parent.insert(name.to_owned(), value.clone());
            })
        };
        let absent = read(&|parent, name| {
            parent.remove(name);
        });
        assert_eq!(absent.is_ok(), is_absence_an_answer, "{word} absent");
        assert_eq!(
            set(json!(null)).is_ok(),
            is_absence_an_answer,
            "{word} null"
        );
        assert!(set(json!([])).is_ok(), "{word} empty");
        for wrong in [json!({}), json!("x"), json!(0), json!(false)] {
            let is_shape = matches!(set(wrong), Err(StatusUnreadable::Shape { .. }));
            assert!(is_shape, "{word} of the wrong type");
        }
    }
}

#[test]
fn an_empty_list_of_aws_is_an_answer_and_one_of_google_is_a_fault() {
    let empty = json!([[]]);
    let aws = Sample::of("aws").read(&empty).expect("a report");
    assert_eq!(aws.incidents, []);
    assert!(Sample::of("google").read(&empty).is_err());
}

#[test]
fn the_history_of_statuspage_may_be_anything_but_then_an_end_is_seen_by_absence() {
    let sample = Sample::of("statuspage");
    for other in [
        json!(null),
        json!({}),
        json!({"incidents": null}),
        json!("x"),
    ] {
        let mut documents = sample.documents();
        documents[1] = other;
        let report = sample.read(&documents).expect("a report");
        assert_eq!(report.listing.as_str(), "open_only");
        assert_eq!(open(&report).len(), 2);
    }
}

#[test]
fn a_page_that_moved_from_statuspage_to_incident_io_says_so() {
    let moved = Sample::of("incident_io").documents();
    let unreadable = Sample::of("statuspage")
        .read(&moved)
        .expect_err("another kind");
    assert!(
        unreadable.to_string().contains("use incident_io"),
        "{unreadable}"
    );
}

#[test]
fn the_widget_of_incident_io_ties_incidents_to_components() {
    let widget = json!([{
        "page_title": "Modelhouse", "page_url": "https://status.modelhouse.example",
        "ongoing_incidents": [{
            "id": "01A", "name": "Logins fail", "status": "identified",
            "url": "https://status.modelhouse.example/incidents/01A",
            "last_update_at": "2026-11-30T10:00:00Z", "last_update_message": "Nearly done.",
            "current_worst_impact": "partial_outage",
            "affected_components": [
                {"id": "c1", "name": "Login", "current_status": "partial_outage"}
            ]
        }],
        "in_progress_maintenances": [{
            "id": "01B", "name": "Move", "status": "maintenance_in_progress",
            "started_at": "2026-11-30T09:00:00Z", "scheduled_end_at": "2026-11-30T11:00:00Z",
            "affected_components": []
        }],
        "scheduled_maintenances": [{
            "id": "01C", "name": "Next move", "status": "maintenance_scheduled",
            "starts_at": "2026-12-30T09:00:00Z", "ends_at": "2026-12-30T11:00:00Z"
        }]
    }]);
    let report = Sample::of("incident_io").read(&widget).expect("a report");
    assert_eq!(report.unknown_words, []);
    let [trouble, move_, next] = &report.incidents[..] else {
        panic!("{:?}", report.incidents);
    };
    assert_eq!(
        (trouble.impact, &*trouble.components[0]),
        (Impact::Major, "c1")
    );
    assert!(move_.is_maintenance_at(now()));
    assert!(!move_.is_maintenance_at(at("2026-11-30T11:00:00Z")));
    assert_eq!(
        (next.phase, next.is_maintenance_at(now())),
        (ReportPhase::Scheduled, false)
    );
}

#[test]
fn kuma_before_its_second_version_has_one_incident_or_null() {
    let sample = Sample::of("uptime_kuma");
    let mut documents = sample.documents();
    let page = documents[0].as_object_mut().expect("an object");
    let list = page.remove("incidents").expect("a list");
    page.insert("incident".to_owned(), list[0].clone());
    assert_eq!(open(&sample.read(&documents).expect("a report")).len(), 1);
    documents[0]["incident"] = json!(null);
    assert_eq!(open(&sample.read(&documents).expect("a report")).len(), 0);
}

#[test]
fn cachet_reads_times_without_a_zone_as_utc() {
    let report = Sample::of("cachet2").read(&Sample::of("cachet2").documents());
    let report = report.expect("a report");
    assert_eq!(
        report.incidents[0].started_at,
        Some(at("2026-11-30T08:15:00Z"))
    );
}

#[test]
fn an_incident_that_the_summary_of_statuspage_calls_open_is_open() {
    let sample = Sample::of("statuspage");
    let mut documents = sample.documents();
    documents[1]["incidents"][0]["status"] = json!("resolved");
    let report = sample.read(&documents).expect("a report");
    assert_eq!(open(&report), ["i1".into(), "i2".into()]);
}
