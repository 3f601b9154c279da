//! Alerts, groups and receivers in the shapes of Alertmanager's API v2.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::event::Content;
use crate::engine::ids::IntegrationName;

/// A firing alert.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GettableAlert {
    pub annotations: BTreeMap<String, String>,
    pub ends_at: String,
    pub fingerprint: String,
    /// Policies of the routes on which it lands; `none` pages nobody.
    pub receivers: Vec<Receiver>,
    pub starts_at: String,
    pub status: AlertStatus,
    pub updated_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// `active`, or `suppressed` by silences.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// Always empty: nothing is inhibited here.
    pub inhibited_by: Vec<String>,
    pub silenced_by: Vec<String>,
    pub state: String,
}

/// A policy, or `none`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Receiver {
    pub name: String,
}

/// An open incident with its firing alerts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AlertGroup {
    pub alerts: Vec<GettableAlert>,
    pub labels: BTreeMap<String, String>,
    pub receiver: Receiver,
}

/// What matchers can name: the labels, the fields where no label has their name, and the
/// integration.
pub fn labels(integration: &IntegrationName, content: &Content) -> BTreeMap<String, String> {
    let fields = [
        ("severity", Some(&content.severity)),
        ("source", content.source.as_ref()),
        ("component", content.component.as_ref()),
        ("group", content.group.as_ref()),
        ("class", content.class.as_ref()),
        ("service", content.service.as_ref()),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value.to_string()))
    });
    let sent = content.labels.iter();
    let sent = sent.map(|(name, value)| (name.to_string(), value.to_string()));
    let ours = ("integration".to_owned(), integration.to_string());
    given.chain(sent).chain([ours]).collect()
}

/// The details by their names, of which the summary is one.
pub fn annotations(content: &Content) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([("summary".to_owned(), content.summary.to_string())]);
    annotations.extend(super::alert::named_details(content));
    annotations
}

/// The hash by which Prometheus' programs know a set of labels.
pub fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        text.bytes().chain([0xff]).for_each(&mut add);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_the_fingerprint_that_alertmanager_gives_them() {
        let labels = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let cases = [
            (
                labels(&[("alertname", "A"), ("team", "db")]),
                "7c645696d60f2876",
            ),
            (labels(&[("alertname", "B")]), "d2c2efc389db2050"),
        ];
        for (labels, expected) in cases {
            assert_eq!(fingerprint(&labels), expected, "{labels:?}");
        }
    }

    #[test]
    fn fields_are_labels_where_no_label_has_their_name_and_details_are_annotations() {
        let content = Content {
            summary: "disk full".into(),
            severity: "critical".into(),
            service: Some("pay".into()),
            labels: [("severity", "page")].into_iter().collect(),
            details: Some(r#"{"used": 97, "runbook": "see wiki"}"#.into()),
            ..Content::default()
        };
        let shown = labels(&"billing".into(), &content);
        let shown: Vec<_> = shown
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            shown,
            ["integration=billing", "service=pay", "severity=page"]
        );
        let shown = annotations(&content);
        let shown: Vec<_> = shown
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(shown, ["runbook=see wiki", "summary=disk full", "used=97"]);
        let unnamed = Content {
            details: Some(r#"["a",1]"#.into()),
            ..content
        };
        assert_eq!(annotations(&unnamed)["details"], r#"["a",1]"#);
    }
}
