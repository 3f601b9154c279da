//! Alertmanager's webhook, version 4, and Grafana's, which has the same shape under version 1.
//!
//! A message is about a group, but each alert in it has its own state and identity: the outer
//! `status` is not used where the alert has its own. The format re-asserts a state, so `startsAt`
//! is shown and never makes an alert old.

use serde_json::Value;

use crate::engine::event::{Action, Event, EventTime, Fault, Text};
use crate::engine::time::Timestamp;
use crate::text::hash::Fnv128;

use super::batch::{Batch, wrong_root};
use super::dedup;
use super::faults::{Faults, quote};
use super::fields::Fields;
use super::labels::Sent;
use super::{BodyLimit, Descriptor, Source, prometheus};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = Descriptor {
    word: "alertmanager",
    is_mapped: false,
    read: read_body,
    body_limit: BodyLimit::Alertmanager,
    key_characters: None,
    answers: None,
};

fn read_body(source: Source<'_>, root: &Value, batch: &mut Batch) -> Result<(), Fault> {
    let Value::Object(object) = root else {
        let expected = "the message of an Alertmanager or Grafana webhook";
        return Err(wrong_root(root, expected));
    };
    let message = Fields { object, path: "$" };
    report_truncated(message, &mut batch.faults);
    let alerts = message.array("alerts", &mut batch.faults);
    if alerts.is_empty() {
        batch.faults.add(
            "$.alerts",
            "has no alerts; nothing can be done with this message",
        );
    }
    batch.read_each(alerts, "$.alerts", |alert, path, faults| {
        read(source, message, Fields::of(alert, path, faults)?, faults)
    });
    Ok(())
}

fn report_truncated(message: Fields<'_>, faults: &mut Faults) {
    let truncated = message.get("truncatedAlerts").and_then(Value::as_u64);
    if let Some(count) = truncated.filter(|count| *count > 0) {
        faults.add(
            message.place("truncatedAlerts"),
            format_args!(
                "{count} alerts were omitted by the sender and are not known here; raise \
                 max_alerts of the webhook or group by more labels"
            ),
        );
    }
}

fn read(
    source: Source<'_>,
    message: Fields<'_>,
    fields: Fields<'_>,
    faults: &mut Faults,
) -> Option<Event> {
    let labels_path = fields.place("labels").to_string();
    let labels = Sent::of(fields.object("labels", faults), &labels_path, faults);
    let dedup_key = dedup_key(fields, &labels, faults)?;
    let (action, spoken) = state(source.now, message, fields, faults);
    let other_links = [
        (fields, "generatorURL", "Source"),
        (fields, "dashboardURL", "Dashboard"),
        (fields, "panelURL", "Panel"),
        (fields, "silenceURL", "Silence at the source"),
        (message, "externalURL", sender(message)),
    ];
    let mut content = prometheus::content(source, fields, labels, &other_links, faults);
    content.source = content
        .source
        .or_else(|| message.line("externalURL", faults));
    Some(Event::new(action, dedup_key, spoken, content))
}

/// The fingerprint, or a hash of the labels, which is what a fingerprint is.
fn dedup_key(alert: Fields<'_>, labels: &Sent<'_>, faults: &mut Faults) -> Option<Text> {
    if let Some(fingerprint) = alert.text("fingerprint", faults) {
        return Some(dedup::key(&fingerprint, alert.place("fingerprint"), faults));
    }
    if labels.is_empty() {
        faults.add(
            alert.path,
            "has neither a fingerprint nor labels, so the alert cannot be identified",
        );
        return None;
    }
    Some(labels.hash_into(Fnv128::default()).to_hex().into())
}

/// Whether the alert fires, and since when. A firing alert's `endsAt` is no promise: the sender
/// says when it is over.
fn state(
    now: Timestamp,
    message: Fields<'_>,
    alert: Fields<'_>,
    faults: &mut Faults,
) -> (Action, EventTime) {
    let starts_at = alert.time("startsAt", faults);
    let ends_at = alert.time("endsAt", faults);
    let own = alert.text("status", faults);
    let status = own.or_else(|| message.text("status", faults));
    let is_over = match status.as_deref() {
        Some("firing") => false,
        Some("resolved") => true,
        // An end that is not after the start is none.
        None => ends_at.is_some_and(|end| end <= now && starts_at.is_none_or(|start| start < end)),
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
    (action, EventTime::StateAsserted { starts_at, ends_at })
}

/// Only Grafana's messages name an organisation.
fn sender(message: Fields<'_>) -> &'static str {
    match message.get("orgId") {
        Some(_) => "Grafana",
        None => "Alertmanager",
    }
}
