//! FireHydrant: one document with the whole history; components are as open incidents say.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft, worse};
use crate::status::fields::{
    list, listed, newest, normalised, prose, required, root, shape, text, texts, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "firehydrant";

/// The kind as it stands in the table.
pub static FIREHYDRANT: StatusKind = StatusKind {
    word: WORD,
    name: "FireHydrant",
    documents,
    recognises,
    read,
    every: Duration::minutes(2),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![StatusDocument::required(
        address.on_host("/data/payload.json"),
    )]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    let is = |pointer, is: fn(&Value) -> bool| root.pointer(pointer).is_some_and(is);
    is("/config", Value::is_object)
        && is("/conditions", Value::is_object)
        && is("/components", Value::is_array)
        && is("/incidents", Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(
            WORD,
            "`config`, `conditions`, `components` or `incidents` is missing",
        ));
    }
    let mut draft = ReportDraft::default();
    for row in list(&root, "/components") {
        draft.component(component(row));
    }
    let mut states = BTreeMap::new();
    for row in listed(&root, "/incidents", WORD)? {
        let incident = incident(&mut draft, row, look.now);
        if incident
            .as_ref()
            .is_some_and(|incident| incident.phase == ReportPhase::Open)
        {
            add_states(&mut draft, &mut states, &root, row);
        }
        draft.incident(incident);
    }
    for component in draft.components() {
        let told = states.get(&component.id);
        component.state = told.copied().unwrap_or(ComponentState::Operational);
    }
    let name = text(&root, "/config/companyName").or_else(|| text(&root, "/config/title"));
    let name = name.unwrap_or_else(|| look.host());
    draft.finish(name.clone(), name, Listing::WithHistory)
}

fn component(row: &Value) -> Option<ReportedComponent> {
    Some(ReportedComponent {
        id: text(row, "/id")?,
        name: text(row, "/name")?,
        group: None,
        state: ComponentState::Operational,
    })
}

/// How an open incident says that its components are. The table of the page translates the names
/// that its owner gave to conditions.
fn add_states(
    draft: &mut ReportDraft,
    states: &mut BTreeMap<Text, ComponentState>,
    root: &Value,
    row: &Value,
) {
    let conditions = root.pointer("/conditions").and_then(Value::as_object);
    for affected in list(row, "/components") {
        let condition = affected.pointer("/condition");
        let name = condition.and_then(Value::as_str).unwrap_or_default();
        let known = conditions.and_then(|conditions| conditions.get(name));
        let state = match is_maintenance(row) {
            true => Some(ComponentState::Maintenance),
            false => draft.state(known.or(condition)),
        };
        if let Some(id) = text(affected, "/id") {
            let state = state.unwrap_or(ComponentState::Degraded);
            let before = states.get(&id).copied();
            states.insert(id, before.map_or(state, |before| worse(before, state)));
        }
    }
}

fn is_maintenance(row: &Value) -> bool {
    let slug = text(row, "/severitySlug");
    slug.is_some_and(|slug| normalised(&slug) == "MAINTENANCE")
}

/// Of the slugs that a page has unless its owner makes others.
fn impact(draft: &mut ReportDraft, row: &Value) -> Impact {
    let slug = text(row, "/severitySlug").map(|slug| normalised(&slug));
    match slug.as_deref() {
        Some("SEV1") => Impact::Critical,
        Some("SEV2") => Impact::Major,
        Some("SEV3" | "SEV4" | "UNSET") | None => Impact::Minor,
        Some(_) => draft.impact(row.pointer("/severitySlug")),
    }
}

fn incident(draft: &mut ReportDraft, row: &Value, now: Timestamp) -> Option<ReportedIncident> {
    let is_maintenance = is_maintenance(row);
    let started_at = time(row, &["/timestamps/started", "/timestamps/detected"]);
    let is_ahead = is_maintenance && started_at.is_some_and(|from| now < from);
    let phase = match time(row, &["/timestamps/resolved"]) {
        Some(_) => ReportPhase::Closed,
        None if is_ahead => ReportPhase::Scheduled,
        None => ReportPhase::Open,
    };
    let entry = newest(list(row, "/timeline"), &["/occurredAt", "/time"]);
    let note = ["/details/note", "/details/note/note", "/details"];
    let texts_of = |pointer: &&str| Some(prose(entry, pointer)).filter(|text| !text.is_empty());
    let phases = list(row, "/lifecyclePhases");
    Some(ReportedIncident {
        text: note.iter().find_map(texts_of).unwrap_or_default(),
        impact: impact(draft, row),
        phase,
        state_word: phases
            .last()
            .and_then(|word| text(word, ""))
            .unwrap_or_default(),
        is_maintenance,
        components: texts(row, "/components", "/id"),
        started_at,
        updated_at: entry.and_then(|entry| time(entry, &["/occurredAt", "/time"])),
        window: started_at
            .filter(|_| is_maintenance)
            .map(|from| (from, None)),
        ..draft::incident(text(row, "/id")?, title(row, "/title"))
    })
}
