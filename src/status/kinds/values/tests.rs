//! What the tests of all kinds share.

use serde_json::json;

use super::*;
use crate::status::{StatusAddress, StatusKind};

/// When tests look at a page.
pub const NOW: Timestamp = Timestamp(1_784_275_200_000);

/// A page whose documents were all had.
pub struct HeldPage {
    address: StatusAddress,
    bodies: Vec<String>,
}

impl HeldPage {
    pub fn new(bodies: &[String]) -> Self {
        Self {
            address: StatusAddress::parse("https://status.example.com/acme").unwrap(),
            bodies: bodies.to_vec(),
        }
    }

    pub fn look<T>(&self, read: impl FnOnce(&StatusLook<'_>) -> T) -> T {
        let answer = |body: &String| StatusAnswer {
            status: 200,
            body: body.clone().leak().as_bytes(),
        };
        let answers: Vec<_> = self.bodies.iter().map(|body| Some(answer(body))).collect();
        read(&StatusLook {
            address: &self.address,
            answers: &answers,
            now: NOW,
        })
    }
}

/// What a kind makes of one document.
pub fn look_at(kind: &StatusKind, body: &str) -> Result<StatusReport, StatusUnreadable> {
    HeldPage::new(&[body.to_owned()]).look(kind.read)
}

/// The document with each of its values replaced in turn, and where.
pub fn mutations(body: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect(body, "", &mut places);
    let others = [json!(null), json!(7), json!("x"), json!([]), json!({})];
    let mut changed = Vec::new();
    for place in places {
        for other in &others {
            let mut body = body.clone();
            *body.pointer_mut(&place).unwrap() = other.clone();
            changed.push((format!("{place} = {other}"), body));
        }
    }
    changed
}

fn collect(value: &Value, place: &str, places: &mut Vec<String>) {
    places.push(place.to_owned());
    match value {
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                collect(element, &format!("{place}/{at}"), places);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(member, &format!("{place}/{name}"), places);
            }
        }
        _ => {}
    }
}

/// With any value of any document changed, nothing panics, and what is open is never closed.
pub fn check_mutations(kind: &StatusKind, bodies: &[Value]) {
    let texts: Vec<String> = bodies.iter().map(Value::to_string).collect();
    let whole = HeldPage::new(&texts).look(kind.read).unwrap();
    let is_open = |report: &StatusReport, id: &str| {
        let mut known = report.incidents.iter();
        let found = known.find(|incident| &*incident.id == id);
        found.map(|incident| incident.phase != ReportPhase::Closed)
    };
    let open = whole
        .incidents
        .iter()
        .filter(|known| known.phase != ReportPhase::Closed);
    let open: Vec<Text> = open.map(|incident| incident.id.clone()).collect();
    for (at, body) in bodies.iter().enumerate() {
        for (place, changed) in mutations(body) {
            let mut texts = texts.clone();
            texts[at] = changed.to_string();
            let Ok(report) = HeldPage::new(&texts).look(kind.read) else {
                continue;
            };
            for id in &open {
                assert_ne!(is_open(&report, id), Some(false), "{place}: {id}");
            }
        }
    }
}

/// Pages that answer with success and are no such page, and those that are gone or broken.
pub fn check_anchors(kind: &StatusKind) {
    for body in [
        "<html>not here</html>",
        "",
        "{}",
        "[]",
        "null",
        "\"x\"",
        "{\"error\":{}}",
    ] {
        let read = look_at(kind, body);
        assert!(
            matches!(read, Err(StatusUnreadable::Shape { .. })),
            "{body}: {read:?}"
        );
        let answer = StatusAnswer {
            status: 200,
            body: body.as_bytes(),
        };
        assert!(!(kind.recognises)(&answer), "{body}");
    }
    let page = HeldPage::new(&["{}".to_owned()]);
    for (status, expected) in [
        (404, StatusUnreadable::Gone(404)),
        (410, StatusUnreadable::Gone(410)),
        (503, StatusUnreadable::Status(503)),
        (302, StatusUnreadable::Status(302)),
    ] {
        let read = page.look(|look| {
            let answers = [Some(StatusAnswer {
                status,
                body: b"{}",
            })];
            (kind.read)(&StatusLook {
                answers: &answers,
                ..*look
            })
        });
        assert_eq!(read, Err(expected));
    }
}
