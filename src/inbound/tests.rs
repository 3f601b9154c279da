//! Fixtures of real bodies for every format, and properties that hold for any body.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{FORMATS, Parsed, of, pagerduty, parse};
use crate::engine::event::{Action, Event, EventTime, Fault, Labels, limit};
use crate::engine::ruleset::{GenericMapping, Integration, Unlisted};
use crate::engine::time::{Duration, Timestamp};

/// When all fixtures arrive.
pub fn now() -> Timestamp {
    let now: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    now.into()
}

/// An integration of a format, with one label of its own.
pub fn integration(format: &str) -> Integration {
    Integration {
        name: "monitor".into(),
        format: of(format).word,
        mapping: of(format).is_mapped.then(Box::default),
        labels: Labels::from_iter([("origin", "fixtures")]),
        max_age: Duration::hours(6),
        resolve_after: None,
        key_hashes: Vec::new(),
        was: Vec::new(),
    }
}

/// A mapping as rule documents write it.
pub fn mapping(value: &Value) -> GenericMapping {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let texts = |name: &str| -> BTreeMap<String, String> {
        serde_json::from_value(value.get(name).cloned().unwrap_or(json!({}))).unwrap()
    };
    let action = |word: &str| match word {
        "acknowledge" => Action::Acknowledge,
        "resolve" => Action::Resolve,
        "ignore" => Action::Ignore,
        _ => Action::Trigger,
    };
    let pointers = |name: &str| match &value[name] {
        Value::Array(pointers) => pointers
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::String(pointer) => vec![pointer.clone()],
        _ => Vec::new(),
    };
    let actions = texts("actions").into_iter();
    GenericMapping {
        each: text("each"),
        action: pointers("action"),
        actions: actions.map(|(from, to)| (from, action(&to))).collect(),
        unlisted: match text("unlisted").as_deref() {
            Some("ignore") => Unlisted::Ignore,
            Some("refuse") => Unlisted::Refuse,
            _ => Unlisted::Trigger,
        },
        dedup_key: pointers("dedup_key"),
        summary: pointers("summary"),
        severity: pointers("severity"),
        severities: texts("severities"),
        source: pointers("source"),
        component: pointers("component"),
        group: pointers("group"),
        class: pointers("class"),
        service: pointers("service"),
        occurred_at: pointers("occurred_at"),
        id: pointers("id"),
        labels: texts("labels"),
        labels_from: text("labels_from"),
        links: texts("links"),
        details: text("details"),
    }
}

fn folder(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/inbound")
        .join(format)
}

/// What was read, as people can compare it. Times are given where they are set.
fn show(parsed: &Parsed) -> Value {
    json!({
        "events": parsed.events.iter().map(show_event).collect::<Vec<_>>(),
        "faults": show_faults(&parsed.faults),
    })
}

fn show_event(event: &Event) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let mut shown = match serde_json::to_value(&*event.content).unwrap() {
        Value::Object(content) => content,
        other => panic!("{other}"),
    };
    if let Some(details) = &event.content.details {
        shown["details"] = serde_json::from_str(details).unwrap();
    }
    shown.insert("action".into(), json!(event.action));
    shown.insert("dedup_key".into(), json!(event.dedup_key));
    shown.insert("id".into(), json!(event.id));
    shown.insert("faults".into(), show_faults(&event.faults));
    shown.insert(
        "spoken".into(),
        match event.spoken {
            EventTime::StateAsserted { starts_at, ends_at } => {
                json!({"asserted": {"starts_at": time(starts_at), "ends_at": time(ends_at)}})
            }
            EventTime::OccurredAt(moment) => json!({"moment": time(moment)}),
        },
    );
    shown.insert("asserted_by".into(), json!(event.asserted_by));
    shown.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!(""));
    Value::Object(shown)
}

fn show_faults(faults: &[Fault]) -> Value {
    let lines = faults
        .iter()
        .map(|fault| json!(format!("{}: {}", fault.path, fault.problem)));
    lines.collect()
}

fn read_json(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of all files of a folder that end in this.
fn cases(folder: &Path, ending: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.into_string().unwrap()
    });
    names
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect()
}

/// Reads one fixture; `REVEILLE_BLESS=1` writes what is read as what is expected.
fn check_fixture(format: &str, case: &str) {
    let folder = folder(format);
    let mut integration = integration(format);
    if let Some(generic) = &mut integration.mapping {
        **generic = mapping(&read_json(&folder.join(format!("{case}.mapping.json"))));
    }
    let body = fs::read(folder.join(format!("{case}.json"))).unwrap();
    let actual = show(&parse(&integration, &body, now()));
    let expected_path = folder.join(format!("{case}.expected.json"));
    if std::env::var_os("REVEILLE_BLESS").is_some() {
        fs::write(&expected_path, format!("{actual:#}\n")).unwrap();
    }
    let expected = read_json(&expected_path);
    assert_eq!(
        actual, expected,
        "{format}/{case} is now read as\n{actual:#}"
    );
}

/// What senders write where there is no end, or where they do not know it.
fn ends_that_are_none() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "0001-01-01T00:00:00Z",
        "0001-01-01 00:00:00 +0000 UTC",
        "0000-00-00T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9999999+00:00",
        "2262-04-11T23:47:16.854775807Z",
        "292277026596-12-04T15:30:08Z",
        "+292278994-08-17T07:12:55.807Z",
        "never",
        "infinity",
        "2026-11-23T24:30:00Z",
        "2026-11-23T13:00:00",
    ];
    let numbers = [
        json!(null),
        json!(0),
        json!(0.0),
        json!(-1),
        json!(-62_135_596_800_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!([]),
    ];
    texts
        .map(|text| json!(text))
        .into_iter()
        .chain(numbers)
        .collect()
}

#[test]
fn an_end_that_is_none_never_shortens_the_life_of_an_alert() {
    let soon = now() + Duration::minutes(5);
    for end in ends_that_are_none() {
        let alert = |status: Option<&str>| {
            let mut alert = json!({"labels": {"alertname": "A"}, "endsAt": end});
            alert["startsAt"] = json!("2026-11-23T10:00:00Z");
            if let Some(status) = status {
                alert["status"] = json!(status);
            }
            alert
        };
        let cases = [
            ("alertmanager_api", json!([alert(None)])),
            ("alertmanager", json!({"alerts": [alert(Some("firing"))]})),
            ("alertmanager", json!({"alerts": [alert(None)]})),
        ];
        for (format, body) in cases {
            let parsed = parse(&integration(format), body.to_string().as_bytes(), now());
            let event = &parsed.events[0];
            assert_eq!(event.action, Action::Trigger, "{format} {end}");
            let EventTime::StateAsserted { ends_at, .. } = event.spoken else {
                panic!("{format} asserts a state");
            };
            assert!(
                ends_at.is_none_or(|ends_at| ends_at >= soon),
                "{format} {end}"
            );
        }
    }
}

#[test]
fn a_firing_alert_whose_end_is_not_after_its_start_goes_on() {
    let start = "2026-11-23T10:00:00Z";
    for end in [start, "2026-11-23T09:00:00Z", "2026-11-23T11:00:00Z"] {
        for status in [Some("firing"), None] {
            let alert = json!({"labels": {"a": "b"}, "startsAt": start, "endsAt": end});
            let mut body = json!({"alerts": [alert]});
            body["status"] = json!(status);
            let parsed = parse(
                &integration("alertmanager"),
                body.to_string().as_bytes(),
                now(),
            );
            let is_over = status.is_none() && end > start;
            let expected = if is_over {
                Action::Resolve
            } else {
                Action::Trigger
            };
            assert_eq!(parsed.events[0].action, expected, "{end} {status:?}");
        }
    }
}

#[test]
fn a_native_event_without_a_severity_takes_that_of_its_labels() {
    let cases = [
        (json!({"labels": {"severity": " critical "}}), "critical"),
        (
            json!({"severity": "info", "labels": {"severity": "critical"}}),
            "info",
        ),
        (
            json!({"severity": "", "labels": {"severity": "critical"}}),
            "critical",
        ),
        (json!({}), ""),
    ];
    for (mut event, severity) in cases {
        event["summary"] = json!("a");
        let parsed = parse(&integration("native"), event.to_string().as_bytes(), now());
        assert_eq!(&*parsed.events[0].content.severity, severity, "{event}");
    }
}

#[test]
fn a_time_that_is_none_makes_no_report_old() {
    for time in ends_that_are_none() {
        let event = json!({"summary": "a", "source": "b", "severity": "error", "timestamp": time});
        let bodies = [
            ("native", json!({"summary": "a", "occurred_at": time})),
            (
                "pagerduty",
                json!({"event_action": "trigger", "routing_key": "k", "payload": event}),
            ),
            ("generic", json!({"summary": "a", "at": time})),
        ];
        for (format, body) in bodies {
            let mut integration = integration(format);
            if let Some(generic) = &mut integration.mapping {
                **generic = mapping(&json!({"summary": "/summary", "occurred_at": "/at"}));
            }
            let parsed = parse(&integration, body.to_string().as_bytes(), now());
            let spoken = parsed.events[0].spoken;
            let is_fresh =
                matches!(spoken, EventTime::OccurredAt(at) if at.is_none_or(|at| at == now()));
            assert!(is_fresh, "{format} {time}: {spoken:?}");
        }
    }
}

proptest! {
    #[test]
    fn different_parts_of_a_generic_key_are_different_alerts(
        one in prop::array::uniform2(r"[ab/\\\x01\n ]{1,3}"),
        other in prop::array::uniform2(r"[ab/\\\x01\n ]{1,3}"),
    ) {
        let mut integration = integration("generic");
        if let Some(generic) = &mut integration.mapping {
            **generic = mapping(&json!({"summary": "/host", "dedup_key": ["/host", "/check"]}));
        }
        let key = |parts: &[String; 2]| {
            let body = json!({"host": parts[0], "check": parts[1], "n": 1}).to_string();
            let parsed = parse(&integration, body.as_bytes(), now());
            parsed.events[0].dedup_key.clone()
        };
        // A part of nothing but blanks is the same as none.
        let shown = |parts: &[String; 2]| parts.clone().map(|part| {
            if part.trim().is_empty() { String::new() } else { part }
        });
        if shown(&one).iter().chain(&shown(&other)).any(|part| !part.is_empty()) {
            prop_assert_eq!(key(&one) == key(&other), shown(&one) == shown(&other));
        }
    }
}

#[test]
fn every_fixture_is_read_as_expected() {
    for format in FORMATS.iter().map(|format| format.word) {
        let folder = folder(format);
        let mappings = cases(&folder, ".mapping.json");
        let bodies: BTreeSet<String> = cases(&folder, ".json")
            .into_iter()
            .filter(|case| !case.ends_with(".expected") && !case.ends_with(".mapping"))
            .collect();
        assert!(bodies.len() >= 6, "{format} has few fixtures");
        for case in &bodies {
            check_fixture(format, case);
        }
        let expected = cases(&folder, ".expected.json");
        assert_eq!(bodies, expected, "{format}: an expectation has no body");
        assert!(
            mappings.is_subset(&bodies),
            "{format}: a mapping has no body"
        );
    }
}

/// A mapping that reads the members that [`any_json`] makes.
fn any_mapping() -> GenericMapping {
    mapping(&json!({
        "each": "/alerts",
        "action": "/status",
        "actions": {"resolved": "resolve"},
        "dedup_key": ["/fingerprint", "/id"],
        "summary": "/summary",
        "severity": "/severity",
        "source": "/source",
        "occurred_at": "/timestamp",
        "id": "/id",
        "labels": {"status": "/status"},
        "labels_from": "/labels",
        "links": {"Source": "/generatorURL"},
        "details": "/details",
    }))
}

fn integrations() -> Vec<Integration> {
    let formats = FORMATS.iter();
    let mut all: Vec<Integration> = formats.map(|format| integration(format.word)).collect();
    all.push(Integration {
        mapping: Some(Box::new(any_mapping())),
        ..integration("generic")
    });
    all
}

fn check_limits(event: &Event) {
    let content = &event.content;
    let one_line = |text: &str| !text.contains(char::is_control);
    assert!(event.dedup_key.chars().count() <= limit::DEDUP_KEY_CHARACTERS);
    assert!(!event.dedup_key.is_empty());
    assert!(content.summary.chars().count() <= limit::SUMMARY_CHARACTERS);
    assert!(one_line(&content.summary) && one_line(&event.dedup_key));
    assert!(content.labels.len() <= limit::LABELS);
    for (name, value) in content.labels.iter() {
        assert!(name.len() <= limit::LABEL_NAME_BYTES && one_line(name));
        assert!(!value.is_empty() && value.len() <= limit::LABEL_VALUE_BYTES);
        assert!(&**name != "integration");
    }
    for field in [
        &content.source,
        &content.component,
        &content.group,
        &content.class,
    ] {
        let text = field.as_deref().unwrap_or("");
        assert!(text.len() <= limit::LABEL_VALUE_BYTES && one_line(text));
    }
    assert!(content.links.len() <= limit::LINKS);
    if let Some(details) = &content.details {
        assert!(details.len() <= limit::DETAILS_BYTES);
        serde_json::from_str::<Value>(details).unwrap();
    }
    if event.action == Action::Trigger {
        assert!(!content.summary.is_empty());
    }
    assert!(event.faults.len() <= 33);
}

/// Reads a body in all formats; whatever comes out keeps every limit, and silence is no answer.
fn check_body(body: &[u8]) {
    for integration in integrations() {
        let parsed = parse(&integration, body, now());
        parsed.events.iter().for_each(check_limits);
        let is_silent = parsed.events.is_empty() && parsed.faults.is_empty();
        let may_be_silent = integration.format == "alertmanager_api";
        assert!(!is_silent || may_be_silent, "{}", integration.format);
        assert_eq!(parsed, parse(&integration, body, now()));
    }
    let _ = pagerduty::routing_key(body);
}

fn any_name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "action",
        "alerts",
        "annotations",
        "class",
        "client_url",
        "custom_details",
        "dedup_key",
        "description",
        "details",
        "endsAt",
        "event_action",
        "fingerprint",
        "generatorURL",
        "href",
        "id",
        "images",
        "integration",
        "labels",
        "links",
        "occurred_at",
        "payload",
        "routing_key",
        "severity",
        "source",
        "startsAt",
        "status",
        "summary",
        "timestamp",
        "truncatedAlerts",
    ];
    prop_oneof![
        9 => proptest::sample::select(KNOWN).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "",
        "trigger",
        "resolve",
        "acknowledge",
        "firing",
        "resolved",
        "critical",
        "https://e.example",
        "2026-11-23T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "2026-11-23T13:00:00+0000",
    ];
    prop_oneof![
        4 => proptest::sample::select(KNOWN).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => "[\u{0}-\u{ff}\u{202e}\u{fffd}]{0,5000}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => proptest::collection::vec((any_name(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Bodies that are nearly events, so that the reading goes deep.
fn any_event() -> impl Strategy<Value = Value> {
    (any_json(), any_json(), any_json(), any_text()).prop_map(|(one, labels, links, text)| {
        let event = json!({
            "summary": text, "event_action": "trigger", "fingerprint": text, "labels": labels,
            "links": links, "annotations": one, "details": one, "status": text,
            "payload": {"summary": text, "source": "x", "severity": text, "custom_details": one},
        });
        let mut both: Map<String, Value> = event.as_object().unwrap().clone();
        both.insert("alerts".into(), json!([event, one]));
        Value::Object(both)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        check_body(&body);
    }

    #[test]
    fn any_json_is_read_or_refused(body in any_json()) {
        check_body(body.to_string().as_bytes());
    }

    #[test]
    fn any_event_keeps_every_limit(event in any_event()) {
        check_body(event.to_string().as_bytes());
        check_body(json!([event]).to_string().as_bytes());
    }

    #[test]
    fn damaged_json_is_read_or_refused(
        event in any_event(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = event.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check_body(&body);
        check_body(&body[..at]);
    }

    #[test]
    fn good_json_loses_nothing_in_our_reader(value in any_json()) {
        let document = super::json::read(value.to_string().as_bytes()).unwrap();
        prop_assert_eq!(document.root, value);
        prop_assert!(document.mended.into_list().is_empty());
    }
}

#[test]
fn hostile_bodies_are_read_or_refused() {
    let bombs = [
        "[".repeat(500_000),
        "{\"details\":".repeat(100_000),
        format!(
            "{{\"summary\":\"x\",\"details\":{}1{}}}",
            "[".repeat(9_000),
            "]".repeat(9_000)
        ),
        format!("[{}{{}}]", "{\"summary\":\"x\"},".repeat(12_000)),
        format!("{{\"summary\":\"{}\"}}", "\\u0000".repeat(100_000)),
        format!(
            "{{\"summary\":\"x\",\"labels\":{{{}\"z\":1}}}}",
            "\"a\":1,".repeat(100_000)
        ),
    ];
    for bomb in bombs {
        check_body(bomb.as_bytes());
    }
}

#[test]
fn the_path_decides_the_format_and_the_key_the_integration() {
    let integration = integration("pagerduty");
    let body = br#"{"summary": "disk full"}"#;
    let parsed = super::native::FORMAT.parse(super::Source {
        integration: &integration,
        body,
        now: now(),
    });
    assert_eq!(&*parsed.events[0].content.summary, "disk full");
    assert!(parse(&integration, body, now()).events.is_empty());
}
