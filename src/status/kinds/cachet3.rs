//! Cachet 3: JSON:API with components, incidents and schedules in lists of their own.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft, derived_impact};
use crate::status::fields::{
    first_text, list, listed, newest_of, optional, prose, required, root, shape, text, texts, time,
    title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "cachet3";

/// The kind as it stands in the table.
pub static CACHET3: StatusKind = StatusKind {
    word: WORD,
    name: "Cachet 3",
    documents,
    recognises,
    read,
    every: Duration::minutes(2),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("1", ComponentState::Operational),
    ("2", ComponentState::Degraded),
    ("3", ComponentState::PartialOutage),
    ("4", ComponentState::MajorOutage),
    ("5", ComponentState::Unknown),
    ("6", ComponentState::Maintenance),
];

const PHASES: &[(&str, ReportPhase)] = &[
    ("0", ReportPhase::Open),
    ("1", ReportPhase::Open),
    ("2", ReportPhase::Open),
    ("3", ReportPhase::Open),
    ("4", ReportPhase::Closed),
];

const SCHEDULE_PHASES: &[(&str, ReportPhase)] = &[
    ("0", ReportPhase::Scheduled),
    ("1", ReportPhase::Open),
    ("2", ReportPhase::Closed),
];

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    // Few records are sent unless more are asked for.
    let paths = [
        ("/api/status", true),
        ("/api/components?per_page=100", true),
        (
            "/api/incidents?include=updates,components&sort=-id&per_page=100",
            true,
        ),
        (
            "/api/component-groups?include=components&per_page=100",
            false,
        ),
        (
            "/api/schedules?include=components&sort=-id&per_page=100",
            false,
        ),
    ];
    let document = |(path, is_required): (&str, bool)| StatusDocument {
        url: address.beneath(path),
        is_required,
    };
    paths.map(document).into()
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    let is_text = |pointer| root.pointer(pointer).is_some_and(Value::is_string);
    is_text("/data/status") && is_text("/data/message")
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    if !has_anchors(&required(look, 0, WORD)?) {
        return Err(shape(WORD, "`data.status` or `data.message` is missing"));
    }
    let components = required(look, 1, WORD)?;
    let components = listed(&components, "/data", WORD)?;
    let incidents = required(look, 2, WORD)?;
    let updates = list(&incidents, "/included").iter();
    let updates: BTreeMap<Text, &Value> = updates
        .filter(|row| text(row, "/attributes/message").is_some())
        .filter_map(|row| Some((text(row, "/id")?, row)))
        .collect();
    let incidents = listed(&incidents, "/data", WORD)?;
    let groups = groups(&optional(look, 3).unwrap_or_default());
    let schedules = optional(look, 4).unwrap_or_default();
    let mut draft = ReportDraft::default();
    for row in components {
        let component = component(&mut draft, row, &groups);
        draft.component(component);
    }
    for row in incidents {
        let incident = incident(&mut draft, row, &updates);
        draft.incident(incident);
    }
    for row in list(&schedules, "/data") {
        let schedule = schedule(&mut draft, row);
        draft.incident(schedule);
    }
    let host = look.host();
    draft.finish(host.clone(), host, Listing::WithHistory)
}

/// The name of each component's group.
fn groups(root: &Value) -> BTreeMap<Text, Text> {
    let mut groups = BTreeMap::new();
    for row in list(root, "/data") {
        let name = text(row, "/attributes/name");
        for id in texts(row, "/relationships/components/data", "/id") {
            groups.extend(name.clone().map(|name| (id, name)));
        }
    }
    groups
}

/// The code of a state, which stands beside what people call it.
fn code<'row>(row: &'row Value, name: &str) -> Option<&'row Value> {
    let status = row.pointer("/attributes")?.get(name)?;
    status
        .get("value")
        .or(Some(status))
        .filter(|code| !code.is_null())
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    groups: &BTreeMap<Text, Text>,
) -> Option<ReportedComponent> {
    let id = text(row, "/id")?;
    // Where both are told, the latest counts incidents that are open.
    let code = code(row, "latest_status").or_else(|| code(row, "status"));
    Some(ReportedComponent {
        name: text(row, "/attributes/name")?,
        group: groups.get(&id).cloned(),
        state: draft.state_in(STATES, code)?,
        id,
    })
}

fn incident(
    draft: &mut ReportDraft,
    row: &Value,
    updates: &BTreeMap<Text, &Value>,
) -> Option<ReportedIncident> {
    let code = code(row, "latest_status").or_else(|| code(row, "status"));
    let ids = texts(row, "/relationships/updates/data", "/id");
    let own = ids.iter().filter_map(|id| updates.get(id).copied());
    let created = "/attributes/created/string";
    let update = newest_of(own, &[created]);
    let components = texts(row, "/relationships/components/data", "/id");
    Some(ReportedIncident {
        text: prose(update.or(Some(row)), "/attributes/message"),
        impact: derived_impact(draft.worst(&components)),
        phase: draft.phase_in(PHASES, code),
        state_word: first_text(
            row,
            &[
                "/attributes/latest_status/human",
                "/attributes/status/human",
            ],
        )
        .unwrap_or_default(),
        components,
        started_at: time(row, &["/attributes/occurred/string", created]),
        updated_at: time(row, &["/attributes/updated/string"]),
        ..draft::incident(text(row, "/id")?, title(row, "/attributes/name"))
    })
}

fn schedule(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    // Incidents count from one as well.
    let id = format!("schedule-{}", text(row, "/id")?);
    let until = time(row, &["/attributes/completed/string"]);
    let phase = draft.phase_in(SCHEDULE_PHASES, code(row, "status"));
    let window = time(row, &["/attributes/scheduled/string"]).map(|from| (from, until));
    Some(ReportedIncident {
        text: prose(Some(row), "/attributes/message"),
        impact: Impact::Maintenance,
        phase,
        state_word: text(row, "/attributes/status/human").unwrap_or_default(),
        is_maintenance: true,
        components: texts(row, "/relationships/components/data", "/id"),
        updated_at: time(row, &["/attributes/updated/string"]),
        // Times here have no zone: what is said to be in progress is, whatever they say.
        window: window.filter(|_| phase != ReportPhase::Open),
        ..draft::incident(id.into(), title(row, "/attributes/name"))
    })
}
