//! What Alertmanager's two formats share: how an alert's labels and annotations become content.

use serde_json::Value;

use crate::engine::event::{Content, Link, Text};

use super::faults::{Faults, Place};
use super::fields::{self, Fields};
use super::labels::Sent;
use super::links::Links;
use super::{Source, details, limits};

struct Alert<'body> {
    fields: Fields<'body>,
    labels: Sent<'body>,
    annotations: Option<Fields<'body>>,
}

/// A member that holds a link, and the text to show for it.
pub type LinkField<'body> = (Fields<'body>, &'static str, &'static str);

/// The content of an alert. Links that stand outside its annotations are given.
pub fn content(
    source: Source<'_>,
    fields: Fields<'_>,
    labels: Sent<'_>,
    other_links: &[LinkField<'_>],
    faults: &mut Faults,
) -> Content {
    let path = fields.place("annotations").to_string();
    let alert = Alert {
        fields,
        labels,
        annotations: fields.inner("annotations", &path, faults),
    };
    Content {
        summary: alert.summary(faults),
        severity: alert.label_line("severity", faults).unwrap_or_default(),
        source: alert.label_line("instance", faults),
        details: alert.details(faults),
        links: alert.links(other_links, faults),
        labels: alert.labels.finish(source.integration, fields.path, faults),
        ..Content::default()
    }
}

impl Alert<'_> {
    /// The annotation `summary`, else the first line of `description`, else the alert's name, else
    /// its labels.
    fn summary(&self, faults: &mut Faults) -> Text {
        for (name, lines_max) in [("summary", usize::MAX), ("description", 1)] {
            let Some(annotations) = self.annotations else {
                continue;
            };
            if let Some(text) = annotations.text(name, faults) {
                let lines: Vec<&str> = text.trim().lines().take(lines_max).collect();
                return limits::summary(&lines.join("\n"), annotations.place(name), faults);
            }
        }
        if let Some((name, place)) = self.labels.find("alertname") {
            return limits::summary(name, place, faults);
        }
        let text = match self.labels.describe() {
            labels if labels.is_empty() => "alert without a name".to_owned(),
            labels => labels,
        };
        limits::summary(&text, Place::At(self.fields.path), faults)
    }

    /// A label as a field of the content.
    fn label_line(&self, name: &str, faults: &mut Faults) -> Option<Text> {
        let (value, place) = self.labels.find(name)?;
        Some(fields::line(value, place, faults))
    }

    /// The annotations, with Grafana's measured values beside them.
    fn details(&self, faults: &mut Faults) -> Option<Text> {
        let place = self.fields.place("annotations");
        let notes = self.fields.get("annotations");
        let notes = notes.filter(|notes| notes.is_object());
        let Some(values @ Value::Object(_)) = self.fields.get("values") else {
            return details::text(notes?, place, faults);
        };
        let notes = notes.and_then(Value::as_object).cloned();
        let mut notes = notes.unwrap_or_default();
        notes.entry("values").or_insert_with(|| values.clone());
        details::text(&Value::Object(notes), place, faults)
    }

    /// The links that people wrote into annotations come first.
    fn links(&self, other: &[LinkField<'_>], faults: &mut Faults) -> Vec<Link> {
        let mut links = Links::default();
        let written = [("runbook_url", "Runbook"), ("dashboard_url", "Dashboard")];
        let annotations = self.annotations.into_iter();
        let written =
            annotations.flat_map(|fields| written.map(|(name, text)| (fields, name, text)));
        for (fields, name, text) in written.chain(other.iter().copied()) {
            if let Some(href) = fields.text(name, faults) {
                links.add(&href, Some(text), fields.place(name), faults);
            }
        }
        links.finish(self.fields.place("links"), faults)
    }
}
