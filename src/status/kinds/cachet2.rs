//! Cachet 2: components, incidents and schedules in lists of their own, with codes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft, derived_impact};
use crate::status::fields::{
    link, list, listed, newest, optional, prose, required, root, shape, text, texts, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "cachet2";

/// The kind as it stands in the table.
pub static CACHET2: StatusKind = StatusKind {
    word: WORD,
    name: "Cachet 2",
    documents,
    recognises,
    read,
    every: Duration::minutes(2),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("0", ComponentState::Unknown),
    ("1", ComponentState::Operational),
    ("2", ComponentState::Degraded),
    ("3", ComponentState::PartialOutage),
    ("4", ComponentState::MajorOutage),
];

/// Of incidents; old versions announced maintenance as one with the first code.
const PHASES: &[(&str, ReportPhase)] = &[
    ("0", ReportPhase::Scheduled),
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
    // Few records are sent unless more are asked for, and the oldest first.
    let paths = [
        ("/api/v1/components?per_page=500", true),
        ("/api/v1/incidents?sort=id&order=desc&per_page=100", true),
        ("/api/v1/components/groups?per_page=500", false),
        ("/api/v1/schedules?sort=id&order=desc&per_page=100", false),
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
    let is_component = |row: &Value| text(row, "/name").is_some() && row.get("status").is_some();
    root.pointer("/meta/pagination")
        .is_some_and(Value::is_object)
        && root.pointer("/data").is_some_and(Value::is_array)
        && (list(root, "/data").is_empty() || list(root, "/data").iter().any(is_component))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let components = required(look, 0, WORD)?;
    if !has_anchors(&components) {
        return Err(shape(
            WORD,
            "`meta.pagination` or a `data` of components is missing",
        ));
    }
    let incidents = required(look, 1, WORD)?;
    let incidents = listed(&incidents, "/data", WORD)?;
    let groups = optional(look, 2).unwrap_or_default();
    let groups = list(&groups, "/data").iter();
    let groups: BTreeMap<Text, Text> = groups
        .filter_map(|row| Some((text(row, "/id")?, text(row, "/name")?)))
        .collect();
    let schedules = optional(look, 3).unwrap_or_default();
    let mut draft = ReportDraft::default();
    for row in list(&components, "/data") {
        let component = component(&mut draft, row, &groups);
        draft.component(component);
    }
    for row in incidents {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    for row in list(&schedules, "/data") {
        let schedule = schedule(&mut draft, row);
        draft.incident(schedule);
    }
    let host = look.host();
    draft.finish(host.clone(), host, Listing::WithHistory)
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    groups: &BTreeMap<Text, Text>,
) -> Option<ReportedComponent> {
    Some(ReportedComponent {
        id: text(row, "/id")?,
        name: text(row, "/name")?,
        group: text(row, "/group_id").and_then(|group| groups.get(&group).cloned()),
        state: draft.state_in(STATES, row.pointer("/status"))?,
    })
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    // Its own code can lag behind that of its newest update.
    let latest = row.pointer("/latest_status").filter(|code| !code.is_null());
    let is_latest = latest.is_some();
    let phase = draft.phase_in(PHASES, latest.or_else(|| row.pointer("/status")));
    let word = if is_latest {
        "/latest_human_status"
    } else {
        "/human_status"
    };
    let update = newest(list(row, "/updates"), &["/created_at"]);
    // Zero is no component.
    let component = text(row, "/component_id").filter(|id| &**id != "0");
    let components: Vec<Text> = component.into_iter().collect();
    let is_maintenance = phase == ReportPhase::Scheduled;
    Some(ReportedIncident {
        text: prose(update.or(Some(row)), "/message"),
        url: link(row, "/permalink"),
        impact: match is_maintenance {
            true => Impact::Maintenance,
            false => derived_impact(draft.worst(&components)),
        },
        phase,
        state_word: text(row, word).unwrap_or_default(),
        is_maintenance,
        components,
        started_at: time(row, &["/occurred_at", "/created_at"]),
        updated_at: time(row, &["/updated_at"]),
        window: time(row, &["/scheduled_at"])
            .filter(|_| is_maintenance)
            .map(|from| (from, None)),
        ..draft::incident(text(row, "/id")?, title(row, "/name"))
    })
}

fn schedule(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    // Incidents count from one as well.
    let id = format!("schedule-{}", text(row, "/id")?);
    let phase = draft.phase_in(SCHEDULE_PHASES, row.pointer("/status"));
    let window = time(row, &["/scheduled_at"]).map(|from| (from, time(row, &["/completed_at"])));
    Some(ReportedIncident {
        text: prose(Some(row), "/message"),
        impact: Impact::Maintenance,
        phase,
        state_word: text(row, "/human_status").unwrap_or_default(),
        is_maintenance: true,
        components: texts(row, "/components", "/component_id"),
        updated_at: time(row, &["/updated_at"]),
        // Times here have no zone: what is said to be in progress is, whatever they say.
        window: window.filter(|_| phase != ReportPhase::Open),
        ..draft::incident(id.into(), title(row, "/name"))
    })
}
