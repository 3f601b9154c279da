//! Every kind by one page of an invented company: read as it is, and with anything wrong in it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::engine::event::Text;
use crate::engine::status_report::{
    Impact, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Timestamp;
use crate::status::{
    KINDS, StatusAddress, StatusAnswer, StatusKind, StatusLook, StatusUnreadable, kind,
};

mod addresses;
mod lists;
pub mod pages;

/// A page: its documents, and what is expected of it.
struct Sample {
    kind: &'static StatusKind,
    fixture: Value,
}

impl Sample {
    fn of(word: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/status");
        let text = fs::read_to_string(folder.join(format!("{word}.json"))).expect("a fixture");
        Self {
            kind: kind(word).expect("a kind"),
            fixture: serde_json::from_str(&text).expect("JSON"),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| Self::of(kind.word))
    }

    fn address(&self) -> StatusAddress {
        let address = self.fixture["address"].as_str().expect("a text");
        StatusAddress::parse(address).expect("an address")
    }

    fn documents(&self) -> Value {
        self.fixture["documents"].clone()
    }

    /// What a member of the fixture says of pointers into the documents.
    fn pointers(&self, name: &str) -> Vec<(String, Value)> {
        let pointers = self.fixture[name].as_object().expect("an object");
        let pair = |(pointer, value): (&String, &Value)| (pointer.clone(), value.clone());
        pointers.iter().map(pair).collect()
    }

    fn read(&self, documents: &Value) -> Result<StatusReport, StatusUnreadable> {
        let documents = documents.as_array().expect("a list");
        let bodies: Vec<Option<Vec<u8>>> = documents
            .iter()
            .map(|document| (!document.is_null()).then(|| self.body(document)))
            .collect();
        self.read_bodies(&bodies)
    }

    fn body(&self, document: &Value) -> Vec<u8> {
        let text = document.to_string();
        match self.kind.word {
            "aws" => {
                let units = text.encode_utf16().flat_map(u16::to_be_bytes);
                [0xFE, 0xFF].into_iter().chain(units).collect()
            }
            "azure" => document.as_str().unwrap_or(&text).into(),
            _ => text.into_bytes(),
        }
    }

    fn read_bodies(&self, bodies: &[Option<Vec<u8>>]) -> Result<StatusReport, StatusUnreadable> {
        let answers: Vec<Option<StatusAnswer<'_>>> = bodies
            .iter()
            .map(|body| {
                let body = body.as_ref()?;
                Some(StatusAnswer { status: 200, body })
            })
            .collect();
        self.read_answers(&answers)
    }

    fn read_answers(
        &self,
        answers: &[Option<StatusAnswer<'_>>],
    ) -> Result<StatusReport, StatusUnreadable> {
        (self.kind.read)(&StatusLook {
            address: &self.address(),
            answers,
            now: now(),
        })
    }
}

/// When the pages were looked at.
fn now() -> Timestamp {
    at("2026-11-30T10:10:00Z")
}

fn at(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<jiff::Timestamp>().expect("a time"))
}

fn spoken_component(component: &ReportedComponent) -> String {
    let ReportedComponent { id, state, .. } = component;
    format!("{id} = {}: {state}", component.full_name())
}

fn spoken_incident(incident: &ReportedIncident) -> String {
    let ReportedIncident {
        id,
        phase,
        impact,
        title,
        text,
        ..
    } = incident;
    let time = |name: &str, time: Timestamp| format!(" {name} {}", time.timestamp());
    let from = incident
        .started_at
        .map(|from| time("from", from))
        .unwrap_or_default();
    let until = match incident.window {
        Some((_, Some(until))) => time("until", until),
        Some((_, None)) => " until ?".to_owned(),
        None => String::new(),
    };
    let scopes = incident.components.join(", ");
    format!("{id} {phase} {impact}: {title} [{scopes}]{from}{until} | {text}")
}

fn open(report: &StatusReport) -> Vec<Text> {
    let incidents = report.incidents.iter();
    incidents
        .filter(|incident| incident.phase == ReportPhase::Open && !incident.is_maintenance)
        .map(|incident| incident.id.clone())
        .collect()
}

#[test]
fn every_kind_of_the_table_has_a_word_of_its_own() {
    let mut words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    words.sort_unstable();
    let count = words.len();
    words.dedup();
    assert_eq!(words.len(), count);
}

#[test]
fn a_page_in_trouble_is_read_as_it_says() {
    for sample in Sample::all() {
        let word = sample.kind.word;
        let report = sample.read(&sample.documents());
        let report = report.unwrap_or_else(|problem| panic!("{word}: {problem}"));
        let StatusReport {
            page,
            name,
            listing,
            ..
        } = &report;
        let mut says = vec![format!("{page} {name} {listing}")];
        says.extend(report.components.iter().map(spoken_component));
        says.extend(
            report
                .incidents
                .iter()
                .map(|incident| spoken_incident(incident)),
        );
        let says: Value = says.into();
        let expected = &sample.fixture["says"];
        assert_eq!(says, *expected, "{word}:\n{says:#}\n{expected:#}");
        assert_eq!(report.unknown_words, [], "{word}");
        let skipped = report.skipped_components + report.skipped_incidents;
        assert_eq!(skipped, 0, "{word}");
    }
}

#[test]
fn a_page_that_is_well_has_nothing_open_and_nothing_down() {
    for sample in Sample::all() {
        let word = sample.kind.word;
        let mut documents = sample.documents();
        for (pointer, value) in sample.pointers("well") {
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
            match documents.pointer_mut(parent).expect("a pointer") {
                Value::Array(list) => list[name.parse::<usize>().expect("a position")] = value,
                parent => parent[name] = value,
            }
        }
        let report = sample.read(&documents);
        let mut report = report.unwrap_or_else(|problem| panic!("{word}: {problem}"));
        assert_eq!(report.unknown_words, [], "{word}");
        report
            .components
            .retain(|component| component.state.is_down());
        assert_eq!(report.components, [], "{word}");
        assert_eq!(open(&report), [], "{word}");
    }
}

#[test]
fn an_unknown_word_keeps_the_trouble_and_is_told() {
    for sample in Sample::all() {
        let word = sample.kind.word;
        let before = open(&sample.read(&sample.documents()).expect("a report"));
        for (pointer, told) in sample.pointers("odd") {
            let mut documents = sample.documents();
            *documents.pointer_mut(&pointer).expect("a pointer") = json!("odd");
            let report = sample.read(&documents).expect("a report");
            let words: Vec<&str> = report.unknown_words.iter().map(AsRef::as_ref).collect();
            assert_eq!(words, [told.as_str().expect("a text")], "{word} {pointer}");
            let after = open(&report);
            assert!(
                before.iter().all(|id| after.contains(id)),
                "{word} {pointer}"
            );
        }
    }
}

#[test]
fn a_body_that_is_not_of_the_kind_says_nothing() {
    let bodies: [&[u8]; 10] = [
        b"<!doctype html><title>Status</title>",
        b"{\"error\": \"not found\"}",
        b"{\"error\": {}}",
        b"{}",
        b"null",
        b"7",
        b"\"All systems operational\"",
        b"[{\"error\": 1}]",
        b"",
        b"\xFE\xFF\x00",
    ];
    for sample in Sample::all() {
        for body in bodies {
            let answer = StatusAnswer { status: 200, body };
            let read = sample.read_answers(&[Some(answer); 5]);
            let is_shape = matches!(read, Err(StatusUnreadable::Shape { .. }));
            assert!(
                is_shape,
                "{} {:?}",
                sample.kind.word,
                String::from_utf8_lossy(body)
            );
            assert!(!(sample.kind.recognises)(&answer), "{}", sample.kind.word);
        }
        for (status, expected) in [
            (404, StatusUnreadable::Gone(404)),
            (410, StatusUnreadable::Gone(410)),
            (500, StatusUnreadable::Status(500)),
            (304, StatusUnreadable::Status(304)),
        ] {
            let answer = StatusAnswer {
                status,
                body: b"[]",
            };
            let read = sample.read_answers(&[Some(answer); 5]);
            assert_eq!(read, Err(expected), "{}", sample.kind.word);
        }
        assert!(sample.read_answers(&[]).is_err(), "{}", sample.kind.word);
    }
}

#[test]
fn a_document_that_is_cut_off_says_nothing() {
    for sample in Sample::all() {
        let body = sample.body(&sample.documents()[0]);
        for part in 1..8 {
            let mut bodies: Vec<Option<Vec<u8>>> = vec![None; 5];
            bodies[0] = Some(body[..body.len() * part / 8].to_vec());
            let read = sample.read_bodies(&bodies);
            let is_shape = matches!(read, Err(StatusUnreadable::Shape { .. }));
            assert!(is_shape, "{} {part}", sample.kind.word);
        }
    }
}

#[test]
fn no_page_is_taken_for_one_of_another_kind() {
    for sample in Sample::all() {
        let body = sample.body(&sample.documents()[0]);
        let answer = StatusAnswer {
            status: 200,
            body: &body,
        };
        let word = sample.kind.word;
        let known = KINDS.iter().filter(|kind| (kind.recognises)(&answer));
        let known: Vec<&str> = known.map(|kind| kind.word).collect();
        match word {
            "azure" => assert_eq!(known, ["azure", "feed"]),
            _ => assert_eq!(known, [word]),
        }
    }
}

#[test]
fn nothing_wrong_in_a_document_hides_an_open_incident() {
    for sample in Sample::all() {
        let documents = sample.documents();
        let before = open(&sample.read(&documents).expect("a report"));
        let has_incidents = sample.kind.word != "uptime_robot";
        assert_eq!(!before.is_empty(), has_incidents, "{}", sample.kind.word);
        let mut pointers = Vec::new();
        walk(&documents, &mut String::new(), &mut pointers);
        for pointer in pointers {
            for wrong in [json!(null), json!(7), json!("x"), json!([]), json!({})] {
                let was = documents.pointer(&pointer).expect("a pointer");
                // An empty list is an answer, and a document may be missing.
                let is_answer = was.is_array() && (wrong == json!([]) || wrong.is_null());
                let is_answer = is_answer || (wrong.is_null() && pointer.len() < 3);
                let mut documents = documents.clone();
                *documents.pointer_mut(&pointer).expect("a pointer") = wrong.clone();
                let Ok(report) = sample.read(&documents) else {
                    continue;
                };
                let gone = before.len().saturating_sub(open(&report).len());
                let place = format!("{} {pointer} = {wrong}", sample.kind.word);
                // Whoever reads the report knows that a record was left out.
                assert!(
                    is_answer || gone <= report.skipped_incidents,
                    "{place}: {:?}",
                    open(&report)
                );
                let is_closed = |id: &Text| {
                    let mut incidents = report.incidents.iter();
                    let same = incidents.find(|incident| incident.id == *id);
                    same.is_some_and(|incident| incident.phase == ReportPhase::Closed)
                };
                assert!(!before.iter().any(is_closed), "{place}");
            }
        }
    }
}

/// Every place in a value.
fn walk(value: &Value, place: &mut String, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Array(list) => (0..).map(|at: usize| at.to_string()).zip(list).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(name, child)| (name.clone(), child))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, child) in children {
        let length = place.len();
        place.push('/');
        place.push_str(&name);
        pointers.push(place.clone());
        walk(child, place, pointers);
        place.truncate(length);
    }
}
