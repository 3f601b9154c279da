//! One page as a kind reads it, for tests of a kind or of a mapping.

use serde_json::json;

use super::*;

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
