//! What a monitor sent of an alert beside its summary, as lines: labels, fields and details.
//!
//! Nothing is left out but for room, and then the last line tells where the rest is.

use serde_json::Value;

use super::message_text;
use crate::engine::alert::AlertSummary;
use crate::engine::decision::IncidentSummary;
use crate::text::{one_line, truncate};

/// What was sent of one alert.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// Its summary, where a message shows several alerts.
    pub summary: Option<String>,
    pub lines: Vec<String>,
}

impl Block {
    /// The summary and the lines, from top to bottom.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let lines = self.summary.iter().chain(&self.lines);
        lines.map(String::as_str)
    }
}

/// What was sent of the alerts that a message shows, in at most so many signs as `length` counts.
pub fn blocks(brief: &IncidentSummary, room: usize, length: fn(&str) -> usize) -> Vec<Block> {
    let is_single = brief.alerts.len() == 1;
    let mut room = room;
    let mut blocks = Vec::new();
    for alert in &brief.alerts {
        let mut lines = lines(alert);
        if lines.is_empty() {
            continue;
        }
        let summary = (!is_single).then(|| one_line(&alert.summary));
        let head = summary.as_deref().map_or(0, length);
        let is_whole = fit(&mut lines, room.saturating_sub(head + 1), length);
        if is_whole {
            let used: usize = lines.iter().map(|line| length(line) + 1).sum();
            room = room.saturating_sub(head + 1 + used);
            blocks.push(Block { summary, lines });
            continue;
        }
        lines.push(elsewhere(brief));
        blocks.push(Block { summary, lines });
        break;
    }
    blocks
}

/// Where all of it can be read.
pub fn elsewhere(brief: &IncidentSummary) -> String {
    format!("… all of it: reveille show {}", brief.incident.number)
}

/// Keeps as many whole lines as there is room for; true if these are all. The first line that is
/// too long is cut if something worth reading of it fits.
fn fit(lines: &mut Vec<String>, room: usize, length: fn(&str) -> usize) -> bool {
    const WORTH_READING: usize = 20;
    let mut left = room;
    for (at, line) in lines.iter().enumerate() {
        let needed = length(line) + 1;
        if needed <= left {
            left -= needed;
            continue;
        }
        // No sign counts for less than one; where some count for more, it is cut until it fits.
        let mut characters = left;
        let mut cut = truncate(line, characters);
        while characters >= WORTH_READING && length(&cut) > left {
            characters = characters * 3 / 4;
            cut = truncate(line, characters);
        }
        lines.truncate(at);
        if characters >= WORTH_READING {
            lines.push(cut);
        }
        return false;
    }
    true
}

/// `name=value` for each label, then `name: text` for each field and each detail.
fn lines(alert: &AlertSummary) -> Vec<String> {
    let labels = alert.content.labels.iter();
    let labels = labels.map(|(name, value)| message_text::pair(name, value));
    labels.chain(fields(alert)).chain(details(alert)).collect()
}

fn fields(alert: &AlertSummary) -> impl Iterator<Item = String> {
    let content = &alert.content;
    let fields = [
        ("service", &content.service),
        ("component", &content.component),
        ("group", &content.group),
        ("class", &content.class),
    ];
    fields.into_iter().filter_map(|(name, value)| {
        let text = one_line(value.as_deref()?);
        let is_label = content
            .labels
            .get(name)
            .is_some_and(|label| **label == text);
        (!text.is_empty() && !is_label).then(|| format!("{name}: {text}"))
    })
}

/// An annotation, a field of `custom_details`: each that does not only repeat the summary.
fn details(alert: &AlertSummary) -> Vec<String> {
    let summary = one_line(&alert.summary);
    let told = named(alert).into_iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => one_line(&text),
            other => one_line(&other.to_string()),
        };
        let name = one_line(&name);
        (text != summary).then(|| format!("{name}: {text}"))
    });
    told.collect()
}

/// The details by their names; what has none is `details`.
fn named(alert: &AlertSummary) -> Vec<(String, Value)> {
    let Some(text) = alert.content.details.as_deref() else {
        return Vec::new();
    };
    match value(text) {
        Value::Object(fields) => fields.into_iter().collect(),
        other => vec![("details".to_owned(), other)],
    }
}

/// Details as JSON; text that is none stands for itself.
pub fn value(details: &str) -> Value {
    serde_json::from_str(details).unwrap_or_else(|_| details.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::email::{html, text};
    use crate::channels::sample;
    use crate::engine::ruleset::Medium;

    fn with(details: &str) -> AlertSummary {
        let mut alert = sample::alert("disk full", "critical", None);
        sample::content(&mut alert).details = Some(details.into());
        alert
    }

    fn characters(text: &str) -> usize {
        text.chars().count()
    }

    #[test]
    fn details_of_any_form_are_lines_and_the_summary_is_not_said_twice() {
        let cases: [(&str, &[&str]); 6] = [
            (
                r#"{"summary":"disk full","description":"a\r\nb"}"#,
                &["description: a b"],
            ),
            (
                r#"{"free":3,"hosts":["a","b"],"deep":{"x":null}}"#,
                &["deep: {\"x\":null}", "free: 3", "hosts: [\"a\",\"b\"]"],
            ),
            (r#""free text""#, &["details: free text"]),
            (r#""disk full""#, &[]),
            ("[1,2]", &["details: [1,2]"]),
            ("not json", &["details: not json"]),
        ];
        for (text, expected) in cases {
            let mut found = details(&with(text));
            found.sort();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_mail_shows_all_that_was_sent_of_every_alert_it_names() {
        let mut order = sample::order(Medium::Email);
        let brief = &mut order.message.incidents[0];
        let labels = (0..60).map(|at| (format!("label{at}"), format!("value{at}")));
        let first = sample::content(&mut brief.alerts[0]);
        first.labels = labels.collect();
        first.component = Some("raid".into());
        let links = (0..20).map(|at| sample::link(&format!("https://wiki.example/{at}"), None));
        first.links = links.collect();
        brief
            .alerts
            .push(with(r#"{"description":"grows by 3 GB/h"}"#));
        brief.alerts_total = 2;
        for body in [
            text::compose(&order, &sample::links()),
            html::compose(&order, &sample::links()),
        ] {
            for at in 0..60 {
                assert!(body.contains(&format!("label{at}=value{at}")), "{body}");
            }
            for at in 0..20 {
                let link = format!("https://wiki.example/{at}");
                assert!(body.contains(&link), "{body}");
            }
            assert!(body.contains("component: raid"), "{body}");
            assert!(body.contains("description: grows by 3 GB/h"), "{body}");
            assert!(!body.contains("all of it"), "{body}");
        }
    }

    #[test]
    fn what_has_no_room_is_not_silently_gone() {
        for count in [1, 3] {
            let mut brief = sample::triggered();
            let long = format!("{{\"dump\":\"{}\"}}", "x".repeat(900));
            brief.alerts = vec![with(&long); count];
            for room in [0, 10, 50, 500] {
                let found = blocks(&brief, room, characters);
                let lines: Vec<&str> = found.iter().flat_map(Block::all).collect();
                let used: usize = lines.iter().map(|line| characters(line)).sum();
                assert!(used < room + 50, "{lines:?}");
                assert_eq!(lines.last(), Some(&"… all of it: reveille show 1042"));
            }
        }
    }
}
