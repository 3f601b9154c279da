//! Any JSON status page, read by pointers and value maps that people write.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::provider_rules::StatusMapping;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};

use super::kinds::values::{self, ListedReport, made_id};
use super::{StatusLook, StatusUnreadable};

const WORD: &str = "json";

/// Reads the first document by a mapping. A list to which a pointer is given must be there: one that
/// moved is not one that is empty.
pub fn read(
    mapping: &StatusMapping,
    look: &StatusLook<'_>,
) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if mapping.components.is_none() && mapping.incidents.is_none() {
        return Err(values::shape(
            WORD,
            "the mapping names neither components nor incidents",
        ));
    }
    let mut draft = ListedReport::default();
    if let Some(pointer) = &mapping.components {
        match root.pointer(pointer) {
            Some(Value::Array(elements)) => {
                for element in elements {
                    let component = component(mapping, element, None, &mut draft);
                    draft.add_component(component);
                }
            }
            Some(Value::Object(members)) => {
                for (name, element) in members {
                    let component = component(mapping, element, Some(name), &mut draft);
                    draft.add_component(component);
                }
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                return Err(values::shape(
                    WORD,
                    &format!("there is no list at {pointer}"),
                ));
            }
        }
    }
    if let Some(pointer) = &mapping.incidents {
        let Some(Value::Array(elements)) = root.pointer(pointer) else {
            return Err(values::shape(
                WORD,
                &format!("there is no list at {pointer}"),
            ));
        };
        for element in elements {
            let incident = incident(mapping, element, &mut draft);
            draft.add_incident(incident);
        }
    }
    // Where states are told, those that ended may be listed too.
    let listing = match mapping.incident_state {
        Some(_) => Listing::WithHistory,
        None => Listing::OpenOnly,
    };
    let name = at(&root, &mapping.page);
    draft.finish(name.clone(), name, listing, look)
}

fn at(value: &Value, pointer: &Option<String>) -> Option<Text> {
    values::line(value, pointer.as_deref()?)
}

/// A word that may be a text, a number, or true and false.
fn word_at(value: &Value, pointer: &Option<String>) -> Option<Text> {
    let pointer = pointer.as_deref()?;
    match value.pointer(pointer)? {
        Value::Bool(is_so) => Some(is_so.to_string().into()),
        _ => values::line(value, pointer),
    }
}

fn component(
    mapping: &StatusMapping,
    element: &Value,
    key: Option<&str>,
    draft: &mut ListedReport,
) -> Option<ReportedComponent> {
    let key = key.and_then(|key| values::line(&Value::from(key), ""));
    let name = at(element, &mapping.component_name).or(key)?;
    let word = word_at(element, &mapping.component_state);
    let known = look_up(&mapping.states, word.as_deref(), "component", draft);
    let state = match (known, word) {
        (Some(state), _) => state,
        (None, Some(_)) => ComponentState::Degraded,
        (None, None) => ComponentState::Unknown,
    };
    let group = at(element, &mapping.component_group);
    values::component(at(element, &mapping.component_id), Some(name), group, state)
}

fn incident(
    mapping: &StatusMapping,
    element: &Value,
    draft: &mut ListedReport,
) -> Option<ReportedIncident> {
    let title = at(element, &mapping.incident_title);
    let started_at = time_at(element, &mapping.started_at);
    let id = at(element, &mapping.incident_id).or_else(|| {
        let started = started_at.map(|time| time.to_string()).unwrap_or_default();
        title.as_deref().map(|title| made_id(&[title, &started]))
    })?;
    let title = title.unwrap_or_else(|| id.clone());
    let mut incident = values::incident(id, title);
    if let Some(pointer) = &mapping.incident_text {
        incident.text = values::prose(element, pointer);
    }
    incident.url = at(element, &mapping.incident_url);
    let word = word_at(element, &mapping.incident_state);
    let phase = look_up(&mapping.phases, word.as_deref(), "state", draft);
    incident.phase = phase.unwrap_or(ReportPhase::Open);
    incident.state_word = word.unwrap_or_default();
    let word = word_at(element, &mapping.incident_impact);
    let impact = look_up(&mapping.impacts, word.as_deref(), "impact", draft);
    incident.impact = impact.unwrap_or(Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    incident.started_at = started_at;
    incident.updated_at = time_at(element, &mapping.updated_at);
    if let Some(pointer) = &mapping.incident_components {
        let named = values::list(element, pointer).iter();
        let named = named.filter_map(|name| values::line(name, ""));
        incident.components = named.chain(values::line(element, pointer)).collect();
    }
    Some(incident)
}

fn time_at(value: &Value, pointer: &Option<String>) -> Option<crate::engine::time::Timestamp> {
    values::time(value, pointer.as_deref()?)
}

/// What a word means, by the map of the mapping and else by our own words; an unknown one is noted.
fn look_up<T: Copy + serde::de::DeserializeOwned>(
    map: &BTreeMap<String, T>,
    word: Option<&str>,
    what: &str,
    draft: &mut ListedReport,
) -> Option<T> {
    let word = word?;
    let listed = map.get(word).or_else(|| {
        let mut known = map.iter();
        known
            .find(|(key, _)| values::normal(key) == values::normal(word))
            .map(|(_, meaning)| meaning)
    });
    let own = || serde_json::from_value(Value::from(word.to_lowercase())).ok();
    let found = listed.copied().or_else(own);
    if found.is_none() {
        draft.note(what, word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::kinds::values::tests::{HeldPage, mutations};
    use super::*;
    use serde_json::json;

    fn mapping() -> StatusMapping {
        let at = |pointer: &str| Some(pointer.to_owned());
        StatusMapping {
            page: at("/site/name"),
            components: at("/parts"),
            component_id: at("/key"),
            component_name: at("/label"),
            component_group: at("/area"),
            component_state: at("/health"),
            incidents: at("/troubles"),
            incident_id: at("/nr"),
            incident_title: at("/head"),
            incident_text: at("/log/0/html"),
            incident_url: at("/href"),
            incident_impact: at("/level"),
            incident_state: at("/stage"),
            incident_components: at("/hits"),
            started_at: at("/from"),
            updated_at: at("/log/0/at"),
            states: BTreeMap::from([
                ("2".to_owned(), ComponentState::Operational),
                ("9".to_owned(), ComponentState::MajorOutage),
            ]),
            impacts: BTreeMap::from([("P1".to_owned(), Impact::Critical)]),
            phases: BTreeMap::from([("done".to_owned(), ReportPhase::Closed)]),
        }
    }

    fn body() -> Value {
        json!({
            "site": {"name": "Acme"},
            "parts": [
                {"key": "a", "label": "API", "area": "EU", "health": 2},
                {"key": "m", "label": "Mail", "health": 9},
                {"key": "w", "label": "Web", "health": 5},
            ],
            "troubles": [
                {"nr": 7, "head": "Mail is late", "href": "https://example.com/7", "level": "p1",
                 "stage": "busy", "hits": ["m"], "from": "2026-07-16T20:10:00Z",
                 "log": [{"html": "<p>We look.</p>", "at": 1_784_232_700}]},
                {"nr": 6, "head": "API was slow", "level": "odd", "stage": "DONE", "hits": "a"},
            ],
        })
    }

    fn look(body: &Value) -> Result<StatusReport, StatusUnreadable> {
        let page = HeldPage::new(&[body.to_string()]);
        page.look(|look| read(&mapping(), look))
    }

    #[test]
    fn pointers_and_value_maps_make_a_report() {
        let report = look(&body()).unwrap();
        assert_eq!(&*report.name, "Acme");
        let states: Vec<_> = report.components.iter().map(|part| part.state).collect();
        let (well, down) = (ComponentState::Operational, ComponentState::MajorOutage);
        assert_eq!(states, [well, down, ComponentState::Degraded]);
        let open = &report.incidents[0];
        assert_eq!(
            (open.phase, open.impact),
            (ReportPhase::Open, Impact::Critical)
        );
        assert_eq!(
            (&*open.id, &*open.text, &*open.components[0]),
            ("7", "We look.", "m")
        );
        assert!(open.started_at < open.updated_at);
        assert_eq!(report.incidents[1].phase, ReportPhase::Closed);
        let words = ["component \"5\"", "state \"busy\"", "impact \"odd\""];
        let unknown: Vec<&str> = report.unknown_words.iter().map(|word| &**word).collect();
        assert_eq!(unknown, words);
    }

    #[test]
    fn a_list_that_moved_is_not_an_empty_one() {
        let mut moved = body();
        moved["troubles"] = json!(null);
        assert!(matches!(look(&moved), Err(StatusUnreadable::Shape { .. })));
        moved["troubles"] = json!([]);
        assert_eq!(look(&moved).unwrap().incidents, []);
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        for (place, changed) in mutations(&body()) {
            if let Ok(report) = look(&changed) {
                let closed = report
                    .incidents
                    .iter()
                    .find(|incident| &*incident.id == "7");
                assert!(
                    closed.is_none_or(|incident| incident.phase == ReportPhase::Open),
                    "{place}"
                );
            }
        }
    }
}
