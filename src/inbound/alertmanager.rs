//! Alertmanager's webhook, version 4, and Grafana's, which has the same shape under version 1.
//!
//! A message is about a group, but each alert in it has its own state and identity: the outer
//! `status` is not used where the alert has its own. The format re-asserts a state, so `startsAt`
//! is shown and never makes an alert old.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::engine::event::{Action, Content, Event, Link, Spoken, Text};
use crate::engine::time::Wall;

use super::batch::{Batch, wrong_root};
use super::dedup::{self, Hash};
use super::faults::{Faults, Place, quote};
use super::fields::{self, Fields};
use super::labels::Sent;
use super::links::Links;
use super::{Parsed, Source, details, json, limits, moment};

/// Reads a body.
pub fn parse(source: Source<'_>, body: &[u8]) -> Parsed {
    let document = match json::read(body) {
        Ok(document) => document,
        Err(fault) => return Parsed::refused(fault),
    };
    let mut batch = Batch::new(document.mended);
    let Value::Object(object) = &document.root else {
        let expected = "the message of an Alertmanager or Grafana webhook";
        return Parsed::refused(wrong_root(&document.root, expected));
    };
    let message = Fields { object, path: "$" };
    report_truncated(message, &mut batch.faults);
    let alerts = message.array("alerts", &mut batch.faults);
    if alerts.is_empty() {
        batch.faults.add(
            "$.alerts",
            "names no alert; nothing can be done with this message",
        );
    }
    batch.read_each(alerts, "$.alerts", |alert, path, faults| {
        read(source, message, Fields::of(alert, path, faults)?, faults)
    });
    batch.finish()
}

fn report_truncated(message: Fields<'_>, faults: &mut Faults) {
    let truncated = message.get("truncatedAlerts").and_then(Value::as_u64);
    if let Some(count) = truncated.filter(|count| *count > 0) {
        faults.add(
            message.place("truncatedAlerts"),
            format_args!(
                "{count} alerts were left out by the sender and are not known here; raise \
                 max_alerts of the webhook or group by more labels"
            ),
        );
    }
}

fn read(
    source: Source<'_>,
    message: Fields<'_>,
    alert: Fields<'_>,
    faults: &mut Faults,
) -> Option<Event> {
    let labels_path = alert.place("labels").to_string();
    let labels = match alert.object("labels", faults) {
        Some(object) => Sent::of(object, &labels_path, faults),
        None => Sent::default(),
    };
    let dedup_key = dedup_key(alert, &labels, faults)?;
    let annotations_path = alert.place("annotations").to_string();
    let annotations = match alert.object("annotations", faults) {
        Some(object) => Fields {
            object,
            path: &annotations_path,
        },
        None => Fields {
            object: &Map::new(),
            path: &annotations_path,
        },
    };
    let (action, spoken) = state(source.now, message, alert, faults);
    let summary = summary(annotations, &labels, faults);
    let severity = label_line(&labels, "severity", faults);
    let origin =
        label_line(&labels, "instance", faults).or_else(|| message.line("externalURL", faults));
    let content = Content {
        summary,
        severity: severity.unwrap_or_default(),
        source: origin,
        labels: labels.finish(source.integration, alert.path, faults),
        details: notes(alert, annotations, faults),
        links: links(message, alert, annotations, faults),
        ..Content::default()
    };
    Some(Event {
        action,
        dedup_key,
        id: None,
        spoken,
        content: Arc::new(content),
        faults: Vec::new(),
    })
}

/// The fingerprint, or a hash of the labels, which is what a fingerprint is.
fn dedup_key(alert: Fields<'_>, labels: &Sent<'_>, faults: &mut Faults) -> Option<Text> {
    if let Some(fingerprint) = alert.text("fingerprint", faults) {
        return Some(dedup::key(&fingerprint, alert.place("fingerprint"), faults));
    }
    if labels.is_empty() {
        faults.add(
            alert.path,
            "has neither a fingerprint nor labels, so it is no known alert",
        );
        return None;
    }
    Some(labels.hash_into(Hash::new()).key())
}

/// Whether the alert fires, and since when. A firing alert's `endsAt` is no promise: the sender
/// says when it is over.
fn state(
    now: Wall,
    message: Fields<'_>,
    alert: Fields<'_>,
    faults: &mut Faults,
) -> (Action, Spoken) {
    let mut time = |name| {
        let value = alert.get(name)?;
        moment::read(value, alert.place(name), faults)
    };
    let starts_at = time("startsAt");
    let ends_at = time("endsAt");
    let own = alert.text("status", faults);
    let status = own.or_else(|| message.text("status", faults));
    let is_over = match status.as_deref() {
        Some("firing") => false,
        Some("resolved") => true,
        None => ends_at.is_some_and(|ends_at| ends_at <= now),
        Some(word) => {
            faults.add(
                alert.place("status"),
                format_args!("is {}; it counts as firing", quote(word)),
            );
            false
        }
    };
    let action = if is_over {
        Action::Resolve
    } else {
        Action::Trigger
    };
    let ends_at = ends_at.filter(|_| is_over);
    (action, Spoken::Asserted { starts_at, ends_at })
}

/// The annotation `summary`, else the first line of `description`, else the alert's name, else its
/// labels.
pub fn summary(annotations: Fields<'_>, labels: &Sent<'_>, faults: &mut Faults) -> Text {
    let annotated = [("summary", usize::MAX), ("description", 1)];
    for (name, lines_max) in annotated {
        if let Some(text) = annotations.text(name, faults) {
            let lines: Vec<&str> = text.trim().lines().take(lines_max).collect();
            return limits::summary(&lines.join("\n"), annotations.place(name), faults);
        }
    }
    if let (Some(name), Some(place)) = (labels.get("alertname"), labels.place("alertname")) {
        return limits::summary(name, place, faults);
    }
    let text = match labels.describe() {
        labels if labels.is_empty() => "alert without a name".to_owned(),
        labels => labels,
    };
    limits::summary(&text, Place::at(annotations.path), faults)
}

/// A label as a field of the content.
pub fn label_line(labels: &Sent<'_>, name: &str, faults: &mut Faults) -> Option<Text> {
    Some(fields::line(labels.get(name)?, labels.place(name)?, faults))
}

/// The annotations as details, with Grafana's measured values beside them.
fn notes(alert: Fields<'_>, annotations: Fields<'_>, faults: &mut Faults) -> Option<Text> {
    let place = Place::at(annotations.path);
    let mut notes = Cow::Borrowed(annotations.object);
    if let Some(values @ Value::Object(_)) = alert.get("values") {
        notes
            .to_mut()
            .entry("values")
            .or_insert_with(|| values.clone());
    }
    details::text(&Value::Object(notes.into_owned()), place, faults)
}

/// Only Grafana's messages name an organisation.
fn sender(message: Fields<'_>) -> &'static str {
    match message.get("orgId") {
        Some(_) => "Grafana",
        None => "Alertmanager",
    }
}

/// Where to look: the graph, the links that people wrote into annotations, and the sender.
fn links(
    message: Fields<'_>,
    alert: Fields<'_>,
    annotations: Fields<'_>,
    faults: &mut Faults,
) -> Vec<Link> {
    let mut links = Links::default();
    let known = [
        (annotations, "runbook_url", "Runbook"),
        (annotations, "dashboard_url", "Dashboard"),
        (alert, "generatorURL", "Source"),
        (alert, "dashboardURL", "Dashboard"),
        (alert, "panelURL", "Panel"),
        (alert, "silenceURL", "Silence at the source"),
        (message, "externalURL", sender(message)),
    ];
    for (fields, name, text) in known {
        if let Some(href) = fields.text(name, faults) {
            links.add(&href, Some(text), fields.place(name), faults);
        }
    }
    links.finish(Place::at(alert.path), faults)
}
