//! Alerts as the API shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::engine::alert;
use crate::engine::event::{Content, Labels, Text};

/// The condition that events speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Absent in history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    pub integration: String,
    pub dedup_key: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// Its source sent an acknowledge event.
    pub acknowledged: bool,
    pub summary: String,
    /// As sent.
    pub severity: String,
    pub source: Option<String>,
    pub service: Option<String>,
    pub component: Option<String>,
    pub group: Option<String>,
    pub class: Option<String>,
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
    pub links: Vec<Link>,
    pub starts_at: Option<String>,
    pub first_seen: String,
    pub last_seen: Option<String>,
    pub resolved_at: Option<String>,
    pub repeats: u64,
    pub incidents: Vec<u64>,
    /// Silences that cover it.
    pub silenced_by: Vec<u64>,
    /// Its only report was too old to page anybody.
    pub held_old: bool,
}

/// A link that the sender wants shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    pub href: String,
    pub text: Option<String>,
}

/// An alert that is known now.
pub fn alert(alert: &alert::Alert) -> Alert {
    let content = &alert.content;
    let links = content.links.iter().map(|link| Link {
        href: link.href.to_string(),
        text: optional(link.text.as_ref()),
    });
    Alert {
        id: Some(alert.id.0),
        integration: alert.integration.to_string(),
        dedup_key: alert.dedup_key.to_string(),
        status: status(alert.firing),
        acknowledged: alert.acknowledged,
        summary: content.summary.to_string(),
        severity: content.severity.to_string(),
        source: optional(content.source.as_ref()),
        service: optional(content.service.as_ref()),
        component: optional(content.component.as_ref()),
        group: optional(content.group.as_ref()),
        class: optional(content.class.as_ref()),
        labels: labels(&content.labels),
        details: details(content),
        links: links.collect(),
        starts_at: alert.starts_at.map(|at| at.to_string()),
        first_seen: alert.first_seen.to_string(),
        last_seen: Some(alert.last_seen.to_string()),
        resolved_at: alert.resolved_at.map(|at| at.to_string()),
        repeats: alert.repeats,
        incidents: alert.incidents.iter().map(|number| number.0).collect(),
        silenced_by: alert.silenced_by.iter().map(|silence| silence.0).collect(),
        held_old: alert.held_old,
    }
}

/// An alert as it was when it left its incident, or when that closed.
pub fn closed(closed: &alert::Alert) -> Alert {
    Alert {
        id: None,
        ..alert(closed)
    }
}

fn details(content: &Content) -> Option<Value> {
    let text = content.details.as_deref()?;
    // They are JSON; whatever else they were would still be shown.
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}

/// The details as texts by their names; what has no name is `details`.
pub fn named_details(content: &Content) -> Vec<(String, String)> {
    let named = match details(content) {
        Some(Value::Object(fields)) => fields.into_iter().collect(),
        Some(other) => vec![("details".to_owned(), other)],
        None => Vec::new(),
    };
    let texts = named.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    });
    texts.collect()
}

/// All that a monitor sent beside the summary, as lines for people.
pub fn sent_lines(content: &Content) -> Vec<String> {
    let fields = [
        ("severity", Some(&content.severity)),
        ("source", content.source.as_ref()),
        ("service", content.service.as_ref()),
        ("component", content.component.as_ref()),
        ("group", content.group.as_ref()),
        ("class", content.class.as_ref()),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| {
        let text = text.filter(|text| !text.is_empty())?;
        Some(format!("{name}: {text}"))
    });
    let labels = content.labels.iter();
    let labels = labels.map(|(name, value)| format!("{name}={value}"));
    let details = named_details(content).into_iter();
    let details = details.filter(|(_, text)| **text != *content.summary);
    let details = details.map(|(name, text)| format!("{name}: {text}"));
    let links = content.links.iter().map(|link| match &link.text {
        Some(text) => format!("{text}: {}", link.href),
        None => link.href.to_string(),
    });
    fields.chain(labels).chain(details).chain(links).collect()
}

fn status(firing: bool) -> String {
    if firing { "firing" } else { "resolved" }.to_owned()
}

/// Shared text as the wire has it.
pub fn optional(text: Option<&Text>) -> Option<String> {
    text.map(ToString::to_string)
}

/// Labels as the wire has them.
pub fn labels(labels: &Labels) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}
