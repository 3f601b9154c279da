//! Reads labels: scalars become text, surplus and length are cut, and ours are added.
//!
//! Values are kept as they were sent, line breaks and control characters included: two alerts that
//! differ in nothing else are two. They are cleaned where they are shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::engine::event::{Labels, Text, limit};
use crate::engine::ruleset::Integration;
use crate::text::hash::Fnv128;
use crate::text::shared;

use super::faults::{Faults, Place, quote};
use super::fields;
use super::limits;

/// The label that is always ours.
const INTEGRATION: &str = "integration";
/// Stands before the name of a sent label that is ours.
const EXPORTED: &str = "exported_";

/// Labels as sent, sorted by name. A label with an empty value is the same as no label.
#[derive(Debug, Default)]
pub struct Sent<'body>(BTreeMap<Cow<'body, str>, Label<'body>>);

#[derive(Debug)]
struct Label<'body> {
    value: Cow<'body, str>,
    place: Place<'body>,
}

impl<'body> Sent<'body> {
    /// All scalar members of the object, if there is one, that stands at `path`.
    pub fn of(
        object: Option<&'body Map<String, Value>>,
        path: &'body str,
        faults: &mut Faults,
    ) -> Self {
        let mut sent = Self::default();
        for (name, value) in object.into_iter().flatten() {
            sent.add(name, value, Place::Name(path, name), faults);
        }
        sent
    }

    /// Adds one label; it replaces one of the same name.
    pub fn add(
        &mut self,
        name: &'body str,
        value: &'body Value,
        place: Place<'body>,
        faults: &mut Faults,
    ) {
        if name.is_empty() {
            faults.add(place, "is a label without a name; it was omitted");
            return;
        }
        if let Some(value) = fields::as_sent(value, place, faults) {
            self.0.insert(Cow::Borrowed(name), Label { value, place });
        }
    }

    /// The value of a label, uncut, and where it stands.
    pub fn find(&self, name: &str) -> Option<(&str, Place<'body>)> {
        let label = self.0.get(name)?;
        Some((&label.value, label.place))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all labels to a hash: uncut, so that two alerts that differ only in what is cut later
    /// stay two.
    pub fn hash_into(&self, hash: Fnv128) -> Fnv128 {
        self.0.iter().fold(hash, |hash, (name, label)| {
            hash.with(name).with(&label.value)
        })
    }

    /// `name=value, name=value`, for a summary where there is nothing better.
    pub fn describe(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .take(20)
            .map(|(name, label)| format!("{name}={}", label.value))
            .collect();
        pairs.join(", ")
    }

    /// The labels as they are kept, with those of the integration where the sender has none.
    pub fn finish(self, integration: &Integration, path: &str, faults: &mut Faults) -> Labels {
        let labels_max = limit::LABELS.saturating_sub(integration.labels.len());
        let count = self.0.len();
        let mut kept: BTreeMap<Text, Text> = BTreeMap::new();
        for (name, label) in self.0.into_iter().take(labels_max) {
            let value = limits::as_sent(&label.value, label.place, faults);
            let name = kept_name(&name, label.place, faults);
            kept.insert(name, value);
        }
        if count > labels_max {
            faults.add(
                Place::Name(path, "labels"),
                format_args!(
                    "has {count} labels; the first {labels_max} by name are kept, {} are not",
                    count - labels_max
                ),
            );
        }
        rename_ours(&mut kept);
        for (name, value) in integration.labels.iter().take(limit::LABELS) {
            kept.entry(name.clone()).or_insert_with(|| value.clone());
        }
        kept.into()
    }
}

fn kept_name(name: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    let clean = limits::clean(name, place, faults);
    if clean.len() <= limit::LABEL_NAME_BYTES {
        return shared(&clean);
    }
    let kept = &clean[..clean.floor_char_boundary(limit::LABEL_NAME_BYTES)];
    faults.add(
        place,
        format_args!(
            "has a name of {} bytes; it is kept as {}",
            name.len(),
            quote(kept)
        ),
    );
    kept.into()
}

/// Keeps a sent label that has the name of ours under the first free name.
fn rename_ours(labels: &mut BTreeMap<Text, Text>) {
    if let Some(value) = labels.remove(INTEGRATION) {
        let mut name = format!("{EXPORTED}{INTEGRATION}");
        while labels.contains_key(&*name) && name.len() < limit::LABEL_NAME_BYTES {
            name.insert_str(0, EXPORTED);
        }
        name.truncate(limit::LABEL_NAME_BYTES);
        labels.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::integration;
    use super::*;
    use serde_json::json;

    fn finish(value: &Value) -> (Labels, Vec<String>) {
        let mut faults = Faults::of_event();
        let sent = Sent::of(value.as_object(), "$.labels", &mut faults);
        let labels = sent.finish(&integration("native"), "$", &mut faults);
        let list = faults.into_list().into_iter();
        (
            labels,
            list.map(|fault| format!("{}: {}", fault.path, fault.problem))
                .collect(),
        )
    }

    #[test]
    fn labels_are_kept_as_text_and_ours_are_added() {
        let cases = [
            (json!({}), json!({"origin": "fixtures"}), 0),
            (json!({"origin": "me"}), json!({"origin": "me"}), 0),
            (json!({"origin": ""}), json!({"origin": "fixtures"}), 0),
            (
                json!({"n": 1.5, "b": false, "z": null}),
                json!({"n": "1.5", "b": "false", "origin": "fixtures"}),
                0,
            ),
            (
                json!({"a": "x\r\ny\u{0}\u{202e}z ", "b": " "}),
                json!({"a": "x\r\ny\u{0}\u{202e}z ", "b": " ", "origin": "fixtures"}),
                0,
            ),
            (
                json!({"integration": "x"}),
                json!({"exported_integration": "x", "origin": "fixtures"}),
                0,
            ),
            (
                json!({"integration": "x", "exported_integration": "y"}),
                json!({
                    "exported_exported_integration": "x",
                    "exported_integration": "y",
                    "origin": "fixtures",
                }),
                0,
            ),
            (json!({"a": [], "": "x"}), json!({"origin": "fixtures"}), 2),
        ];
        for (sent, expected, fault_count) in cases {
            let (labels, faults) = finish(&sent);
            assert_eq!(serde_json::to_value(&labels).unwrap(), expected, "{sent}");
            assert_eq!(faults.len(), fault_count, "{faults:?}");
        }
    }

    #[test]
    fn surplus_and_length_are_cut_and_reported() {
        let many: Map<String, Value> = (0..10_000)
            .map(|index| (format!("l{index:05}"), json!("x")))
            .collect();
        let (labels, faults) = finish(&Value::Object(many));
        assert_eq!(labels.len(), limit::LABELS);
        assert_eq!(
            faults,
            ["$.labels: has 10000 labels; the first 255 by name are kept, 9745 are not"]
        );
        let long = format!("a{}", "ü".repeat(100));
        let (labels, faults) = finish(&json!({ long: "ü".repeat(4_000) }));
        let (name, value) = labels.iter().next().unwrap();
        assert_eq!((name.len(), value.len()), (127, 4_096));
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn identity_sees_what_is_cut() {
        let mut faults = Faults::of_event();
        let mut hash = |end: &str| {
            let value = json!({"a": format!("{}{end}", "x".repeat(5_000))});
            let sent = Sent::of(value.as_object(), "$", &mut faults);
            sent.hash_into(Fnv128::default()).to_hex()
        };
        assert_ne!(hash("1"), hash("2"));
    }
}
