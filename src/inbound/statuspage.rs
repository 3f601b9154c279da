//! What Atlassian Statuspage posts to its webhook subscribers, and what imitates it (Instatus).
//!
//! A body tells either of an incident or of a component; nothing says which but its keys. What is
//! marked as backfilled is history, and maintenance is no outage: both leave a receipt and nothing
//! else. An impact is an alert of the severity that watched pages give it.

use serde_json::Value;

use crate::engine::event::{Action, Content, Event, EventTime, Fault, Labels, Link, Text, limit};
use crate::engine::time::Timestamp;
use crate::text::truncate;

use super::batch::{Batch, wrong_root};
use super::dedup;
use super::faults::{Faults, Place};
use super::fields::Fields;
use super::labels::Sent;
use super::links::Links;
use super::{BodyLimit, Descriptor, Source, details, limits};

/// The format as it stands in the table.
pub static FORMAT: Descriptor = Descriptor {
    word: "statuspage",
    is_mapped: false,
    read: read_body,
    body_limit: BodyLimit::Ordinary,
    key_characters: None,
    answers: None,
};

/// Names of components that an alert names.
const COMPONENTS_NAMED: usize = 5;

fn read_body(source: Source<'_>, root: &Value, batch: &mut Batch) -> Result<(), Fault> {
    match root {
        Value::Object(object) if object.contains_key("incident") => {
            batch.read("$", |faults| incident(source, root, faults));
        }
        Value::Object(object) if object.contains_key("component_update") => {
            batch.read("$", |faults| component(source, root, faults));
        }
        Value::Object(_) => batch.faults.add(
            "$",
            "has neither an incident nor a component_update, as a status page posts them",
        ),
        other => return Err(wrong_root(other, "what a status page posts: one object")),
    }
    Ok(())
}

fn incident(source: Source<'_>, root: &Value, faults: &mut Faults) -> Option<Event> {
    let body = Fields::of(root, "$", faults)?;
    let incident = body.inner("incident", "$.incident", faults)?;
    let id = id(incident, faults)?;
    let name = incident.text("name", faults);
    let status = word(incident, "status", faults);
    let impact = word(incident, "impact", faults);
    let is_history = incident.get("backfilled") == Some(&Value::Bool(true));
    let is_maintenance = incident.get("scheduled_for").is_some() || impact == "MAINTENANCE";
    let action = match &*status {
        _ if is_history => Action::Ignore,
        "RESOLVED" | "POSTMORTEM" | "COMPLETED" => Action::Resolve,
        _ if is_maintenance => Action::Ignore,
        _ => Action::Trigger,
    };
    let severity = match &*impact {
        "CRITICAL" | "MAJOROUTAGE" => "critical",
        "MAJOR" | "PARTIALOUTAGE" => "error",
        "MINOR" | "DEGRADEDPERFORMANCE" | "MINOROUTAGE" => "warning",
        "NONE" | "MAINTENANCE" | "UNDERMAINTENANCE" => "info",
        // A word that no table knows counts as the worse side.
        _ => "error",
    };
    let place = incident.place("name");
    let name = name.unwrap_or_else(|| "an incident without a name".into());
    let content = Content {
        summary: limits::summary(&name, place, faults),
        severity: severity.into(),
        component: component_names(incident, faults),
        class: Some("provider_incident".into()),
        details: last_update(incident, faults),
        links: link(incident, faults),
        ..content(
            source,
            body,
            &[("impact", &impact), ("state", &status)],
            faults,
        )
    };
    let starts_at = incident.time("created_at", faults);
    Some(event(
        action,
        format!("incident/{id}").into(),
        starts_at,
        content,
    ))
}

fn component(source: Source<'_>, root: &Value, faults: &mut Faults) -> Option<Event> {
    let body = Fields::of(root, "$", faults)?;
    let update = body.inner("component_update", "$.component_update", faults)?;
    let known = body.inner("component", "$.component", faults);
    let id = update
        .text("component_id", faults)
        .or_else(|| known?.text("id", faults));
    let Some(id) = id else {
        faults.add(
            update.place("component_id"),
            "is missing; it tells which component it is",
        );
        return None;
    };
    let id = dedup::key(&id, update.place("component_id"), faults);
    let status = word(update, "new_status", faults);
    let (action, severity) = match &*status {
        "OPERATIONAL" | "UNDERMAINTENANCE" => (Action::Resolve, "info"),
        "DEGRADEDPERFORMANCE" | "MINOROUTAGE" => (Action::Trigger, "warning"),
        "PARTIALOUTAGE" => (Action::Trigger, "error"),
        "MAJOROUTAGE" => (Action::Trigger, "critical"),
        _ => (Action::Trigger, "error"),
    };
    let name = known.and_then(|component| component.line("name", faults));
    let shown = name.clone().unwrap_or_else(|| id.clone());
    let summary = format!("{shown}: {}", one_spelling(&status).replace('_', " "));
    let content = Content {
        summary: limits::summary(&summary, update.place("new_status"), faults),
        severity: severity.into(),
        component: name,
        class: Some("provider_component".into()),
        ..content(source, body, &[("state", &status)], faults)
    };
    let starts_at = update.time("created_at", faults);
    Some(event(
        action,
        format!("component/{id}").into(),
        starts_at,
        content,
    ))
}

/// A page says how things are now; when it began makes nothing old.
fn event(action: Action, dedup_key: Text, starts_at: Option<Timestamp>, content: Content) -> Event {
    let spoken = EventTime::StateAsserted {
        starts_at,
        ends_at: None,
    };
    Event::new(action, dedup_key, spoken, content)
}

fn id(incident: Fields<'_>, faults: &mut Faults) -> Option<Text> {
    let place = incident.place("id");
    match incident.text("id", faults) {
        Some(id) => Some(dedup::key(&id, place, faults)),
        None => {
            faults.add(place, "is missing; it tells one incident from another");
            None
        }
    }
}

/// A word as all its spellings have it: `under_maintenance` and `UNDERMAINTENANCE`.
fn word(fields: Fields<'_>, name: &str, faults: &mut Faults) -> String {
    let sent = fields.get(name).and_then(Value::as_str);
    if sent.is_none() {
        faults.add(
            Place::Name(fields.path, name),
            "is missing, so the worse side is assumed",
        );
    }
    let letters = sent
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphabetic);
    let letters = letters.take(limit::LABEL_VALUE_BYTES);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// The word as Statuspage writes it, whoever wrote it: rules match on it.
fn one_spelling(word: &str) -> String {
    let spelling = match word {
        "DEGRADEDPERFORMANCE" => "degraded_performance",
        "MINOROUTAGE" => "minor_outage",
        "PARTIALOUTAGE" => "partial_outage",
        "MAJOROUTAGE" => "major_outage",
        "UNDERMAINTENANCE" => "under_maintenance",
        "INPROGRESS" => "in_progress",
        other => return other.to_ascii_lowercase(),
    };
    spelling.into()
}

fn content(
    source: Source<'_>,
    body: Fields<'_>,
    words: &[(&str, &str)],
    faults: &mut Faults,
) -> Content {
    let page = body.inner("page", "$.page", faults);
    let page = page.and_then(|page| page.line("id", faults));
    let own = Sent::of(None, "$", faults).finish(source.integration, "$", faults);
    let own = own
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let words = words.iter().filter(|(_, word)| !word.is_empty());
    let words = words.map(|(name, word)| (Text::from(*name), one_spelling(word).into()));
    let labels: Labels = own.chain(words).collect();
    Content {
        source: page,
        labels,
        ..Content::default()
    }
}

fn component_names(incident: Fields<'_>, faults: &mut Faults) -> Option<Text> {
    let components = incident.array("components", faults).iter();
    let names = components.filter_map(|component| component.get("name")?.as_str());
    let names: Vec<&str> = names.take(COMPONENTS_NAMED).collect();
    let joined = names.join(", ");
    (!names.is_empty()).then(|| truncate(&joined, limit::SUMMARY_CHARACTERS).into())
}

/// The newest update stands first.
fn last_update(incident: Fields<'_>, faults: &mut Faults) -> Option<Text> {
    let updates = incident.array("incident_updates", faults);
    let body = updates.first()?.get("body")?;
    let place = incident.place("incident_updates");
    details::text(&serde_json::json!({ "update": body }), place, faults)
}

fn link(incident: Fields<'_>, faults: &mut Faults) -> Vec<Link> {
    let mut links = Links::default();
    let place = incident.place("shortlink");
    if let Some(href) = incident.text("shortlink", faults) {
        links.add(&href, Some("Status page"), place, faults);
    }
    links.finish(Place::At("$.incident"), faults)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{integration, now};
    use super::super::{Parsed, parse};
    use super::*;

    fn parsed(format: &str, body: &Value) -> Parsed {
        parse(&integration(format), body.to_string().as_bytes(), now())
    }

    fn incident_body(status: &str, impact: &str) -> Value {
        json!({
            "meta": { "generated_at": "2026-05-14T12:00:00Z" },
            "page": { "id": "p1", "status_indicator": "minor" },
            "incident": {
                "id": "i1", "name": "Chat fails", "status": status, "impact": impact,
                "created_at": "2026-05-14T11:50:00Z", "backfilled": false,
                "shortlink": "https://stspg.example/i1",
                "components": [{ "id": "c1", "name": "Chat" }, { "id": "c2", "name": "Mail" }],
                "incident_updates": [{ "body": "We look into it." }, { "body": "Older." }],
            },
        })
    }

    #[test]
    fn an_incident_is_one_alert_over_its_updates() {
        let open = parsed("statuspage", &incident_body("investigating", "major"));
        let event = &open.events[0];
        assert_eq!(
            (event.action, &*event.dedup_key),
            (Action::Trigger, "incident/i1")
        );
        assert_eq!(
            (&*event.content.summary, &*event.content.severity),
            ("Chat fails", "error")
        );
        assert_eq!(event.content.component.as_deref(), Some("Chat, Mail"));
        assert_eq!(
            event.content.labels.get("impact").map(|it| &**it),
            Some("major")
        );
        assert!(
            event
                .content
                .details
                .as_deref()
                .unwrap()
                .contains("We look into it.")
        );
        for status in ["resolved", "postmortem", "RESOLVED"] {
            let over = parsed("statuspage", &incident_body(status, "major"));
            assert_eq!(over.events[0].action, Action::Resolve, "{status}");
        }
    }

    #[test]
    fn history_and_maintenance_page_nobody_and_unknown_words_count_as_worse() {
        let mut history = incident_body("investigating", "critical");
        history["incident"]["backfilled"] = json!(true);
        assert_eq!(
            parsed("statuspage", &history).events[0].action,
            Action::Ignore
        );
        let mut work = incident_body("scheduled", "maintenance");
        work["incident"]["scheduled_for"] = json!("2026-05-20T00:00:00Z");
        assert_eq!(parsed("statuspage", &work).events[0].action, Action::Ignore);
        let odd = parsed("statuspage", &incident_body("investigating", "apocalyptic"));
        assert_eq!(&*odd.events[0].content.severity, "error");
    }

    #[test]
    fn a_component_that_goes_down_is_an_alert_until_it_is_well() {
        let body = |status: &str| {
            json!({
                "page": { "id": "p1" },
                "component": { "id": "c1", "name": "Chat", "status": status },
                "component_update": { "id": "u1", "component_id": "c1", "new_status": status },
            })
        };
        let cases = [
            ("degraded_performance", Action::Trigger, "warning"),
            ("PARTIALOUTAGE", Action::Trigger, "error"),
            ("major_outage", Action::Trigger, "critical"),
            ("under_maintenance", Action::Resolve, "info"),
            ("OPERATIONAL", Action::Resolve, "info"),
        ];
        for (status, action, severity) in cases {
            let read = parsed("statuspage", &body(status));
            let event = &read.events[0];
            assert_eq!(
                (event.action, &*event.dedup_key),
                (action, "component/c1"),
                "{status}"
            );
            assert_eq!(&*event.content.severity, severity, "{status}");
        }
    }

    #[test]
    fn what_is_no_page_s_word_is_a_fault_with_its_place() {
        for body in [
            json!({}),
            json!([]),
            json!({"incident": {}}),
            json!({"component_update": 5}),
        ] {
            let read = parsed("statuspage", &body);
            assert!(read.events.is_empty() && !read.faults.is_empty(), "{body}");
        }
    }
}
