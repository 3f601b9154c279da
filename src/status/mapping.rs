//! Any JSON status page, read by pointers and value maps that people write.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::provider_rules::StatusMapping;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Timestamp;

use super::draft::{self, ReportDraft};
use super::fields::{
    link, listed, made_id, normalised, prose, required, scalar, shape, text, texts, time,
};
use super::{StatusLook, StatusUnreadable};

const WORD: &str = "json";

/// Reads the first document by a mapping. A list to which a pointer is given must be there: one
/// that moved is not one that is empty.
pub fn read(
    mapping: &StatusMapping,
    look: &StatusLook<'_>,
) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if mapping.components.is_none() && mapping.incidents.is_none() {
        return Err(shape(
            WORD,
            "the mapping names neither components nor incidents",
        ));
    }
    check_age(mapping, &root, look.now)?;
    let mut draft = ReportDraft::default();
    if let Some(pointer) = &mapping.components {
        match root.pointer(pointer) {
            Some(Value::Array(elements)) => {
                for element in elements {
                    let component = component(mapping, element, None, &mut draft);
                    draft.component(component);
                }
            }
            Some(Value::Object(members)) => {
                for (name, element) in members {
                    let component = component(mapping, element, Some(name), &mut draft);
                    draft.component(component);
                }
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
                return Err(shape(WORD, format!("there is no list at {pointer}")));
            }
        }
    }
    if let Some(pointer) = &mapping.incidents {
        for element in listed(&root, pointer, WORD)? {
            let incident = incident(mapping, element, &mut draft);
            draft.incident(incident);
        }
    }
    // Where states are told, those that ended may be listed too.
    let listing = match mapping.incident_state {
        Some(_) => Listing::WithHistory,
        None => Listing::OpenOnly,
    };
    let name = at(&root, &mapping.page).unwrap_or_else(|| look.host());
    draft.finish(name.clone(), name, listing)
}

/// Whether the page was made lately, where it promises to say when.
fn check_age(
    mapping: &StatusMapping,
    root: &Value,
    now: Timestamp,
) -> Result<(), StatusUnreadable> {
    let (Some(pointer), Some(age_max)) = (&mapping.generated_at, mapping.age_max) else {
        return Ok(());
    };
    let Some(generated_at) = time(root, &[pointer]) else {
        return Err(shape(WORD, format!("there is no time at {pointer}")));
    };
    if now.since(generated_at) <= age_max {
        return Ok(());
    }
    Err(StatusUnreadable::Stale {
        generated_at,
        age_max,
    })
}

fn at(value: &Value, pointer: &Option<String>) -> Option<Text> {
    text(value, pointer.as_deref()?)
}

/// A word that may be a text, a number, or true and false.
fn word_at(value: &Value, pointer: &Option<String>) -> Option<Text> {
    let pointer = pointer.as_deref()?;
    match value.pointer(pointer)? {
        Value::Bool(is_so) => Some(is_so.to_string().into()),
        _ => text(value, pointer),
    }
}

fn component(
    mapping: &StatusMapping,
    element: &Value,
    key: Option<&str>,
    draft: &mut ReportDraft,
) -> Option<ReportedComponent> {
    let key = key.and_then(|key| scalar(&key.into()));
    let name = at(element, &mapping.component_name).or(key)?;
    let word = word_at(element, &mapping.component_state);
    let known = look_up(&mapping.states, word.as_deref(), "component", draft);
    let state = match (known, word) {
        (Some(state), _) => state,
        (None, Some(_)) => ComponentState::Degraded,
        (None, None) => ComponentState::Unknown,
    };
    let group = at(element, &mapping.component_group);
    let id = at(element, &mapping.component_id);
    Some(draft::component(id, name, group, state))
}

fn incident(
    mapping: &StatusMapping,
    element: &Value,
    draft: &mut ReportDraft,
) -> Option<ReportedIncident> {
    let title = at(element, &mapping.incident_title);
    let started_at = time_at(element, &mapping.started_at);
    let id = at(element, &mapping.incident_id).or_else(|| {
        let started = started_at.map(|time| time.to_string()).unwrap_or_default();
        title.as_deref().map(|title| made_id(&[title, &started]))
    })?;
    let title = title.unwrap_or_else(|| id.clone());
    let state = word_at(element, &mapping.incident_state);
    let phase = look_up(&mapping.phases, state.as_deref(), "incident", draft);
    let word = word_at(element, &mapping.incident_impact);
    let impact = look_up(&mapping.impacts, word.as_deref(), "impact", draft);
    let impact = impact.unwrap_or(Impact::Minor);
    let text_at = mapping.incident_text.as_deref();
    let url_at = mapping.incident_url.as_deref();
    let prose_at = |pointer: &str| prose(Some(element), pointer);
    let components = mapping.incident_components.as_deref().map(|pointer| {
        let named = texts(element, pointer, "").into_iter();
        named.chain(text(element, pointer)).collect()
    });
    Some(ReportedIncident {
        text: text_at.map(prose_at).unwrap_or_default(),
        url: url_at.and_then(|pointer| link(element, pointer)),
        impact,
        phase: phase.unwrap_or(ReportPhase::Open),
        state_word: state.unwrap_or_default(),
        is_maintenance: impact == Impact::Maintenance,
        components: components.unwrap_or_default(),
        started_at,
        updated_at: time_at(element, &mapping.updated_at),
        ..draft::incident(id, title)
    })
}

fn time_at(value: &Value, pointer: &Option<String>) -> Option<Timestamp> {
    time(value, &[pointer.as_deref()?])
}

/// What a word means, by the map of the mapping and else by our own words; an unknown one is noted.
fn look_up<T: Copy + serde::de::DeserializeOwned>(
    map: &BTreeMap<String, T>,
    word: Option<&str>,
    what: &str,
    draft: &mut ReportDraft,
) -> Option<T> {
    let word = word?;
    let listed = map.get(word).or_else(|| {
        let mut known = map.iter();
        known
            .find(|(key, _)| normalised(key) == normalised(word))
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
    use super::super::kinds::tests::pages::{HeldPage, mutations};
    use super::*;
    use crate::engine::time::Duration;
    use serde_json::json;

    fn mapping() -> StatusMapping {
        let at = |pointer: &str| Some(pointer.to_owned());
        StatusMapping {
            generated_at: None,
            age_max: None,
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
        let words = ["component \"5\"", "impact \"odd\"", "incident \"busy\""];
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
    fn a_page_that_promises_to_say_when_it_was_made_is_read_only_while_that_is_not_long_ago() {
        let mapping = StatusMapping {
            generated_at: Some("/made".to_owned()),
            age_max: Some(Duration::minutes(10)),
            ..mapping()
        };
        let mut body = body();
        let read = |made: &Value, body: &mut Value| {
            body["made"] = made.clone();
            let page = HeldPage::new(&[body.to_string()]);
            page.look(|look| (look.now, read(&mapping, look)))
        };
        let (now, _) = read(&json!("2020-01-01T00:00:00Z"), &mut body);
        let ago = |length: Duration| {
            json!(Timestamp(now.0 - i64::try_from(length.0).unwrap()).to_string())
        };
        assert!(read(&ago(Duration::minutes(10)), &mut body).1.is_ok());
        let ahead = json!(Timestamp(now.0 + 3_600_000).to_string());
        assert!(read(&ahead, &mut body).1.is_ok(), "its clock is ahead");
        let old = ago(Duration::minutes(11));
        let stale = read(&old, &mut body).1.unwrap_err().to_string();
        let made = old.as_str().unwrap();
        assert_eq!(
            stale,
            format!("the page was made at {made} and has not been made anew for more than 10m")
        );
        for none in [json!(null), json!("yesterday")] {
            let told = read(&none, &mut body).1;
            assert!(
                matches!(told, Err(StatusUnreadable::Shape { .. })),
                "{told:?}"
            );
        }
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
