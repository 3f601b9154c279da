//! Statuspal's pages, by the summary of its public API.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, IMPACTS, ReportDraft};
use crate::status::fields::{
    link, list, listed, listed_if_any, made_id, required, root, shape, text, time,
};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "statuspal";

/// The kind as it stands in the table.
pub static STATUSPAL: StatusKind = StatusKind {
    word: WORD,
    name: "Statuspal",
    documents: |address| {
        let page = address.last_part();
        let url = match address.path.starts_with("/api/v1/status_pages/") {
            true => address.whole(),
            false => format!("https://statuspal.io/api/v1/status_pages/{page}/summary"),
        };
        vec![StatusDocument::required(url)]
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("MINOR", ComponentState::Degraded),
    ("MAJOR", ComponentState::MajorOutage),
    ("SCHEDULED", ComponentState::Maintenance),
];

fn has_anchors(root: &Value) -> bool {
    let has_list = |name: &str| root.get(name).is_some_and(Value::is_array);
    text(root, "/status_page/name").is_some() && has_list("incidents")
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no status_page with incidents"));
    }
    let mut draft = ReportDraft::default();
    for row in listed_if_any(&root, "/services", WORD)? {
        add_service(&mut draft, row);
    }
    for row in listed(&root, "/incidents", WORD)? {
        let incident = incident(&mut draft, row, look.now);
        draft.incident(incident);
    }
    for (pointer, phase) in [
        ("/maintenances", ReportPhase::Open),
        ("/upcoming_maintenances", ReportPhase::Scheduled),
    ] {
        for row in listed_if_any(&root, pointer, WORD)? {
            let maintenance = incident(&mut draft, row, look.now);
            draft.incident(maintenance.map(|maintenance| {
                ReportedIncident {
                    is_maintenance: true,
                    impact: Impact::Maintenance,
                    phase: match maintenance.phase {
                        ReportPhase::Closed => ReportPhase::Closed,
                        ReportPhase::Open | ReportPhase::Scheduled => phase,
                    },
                    window: maintenance
                        .started_at
                        .map(|from| (from, time(row, &["/ends_at"]))),
                    ..maintenance
                }
            }));
        }
    }
    let name = text(&root, "/status_page/name").unwrap_or_else(|| look.host());
    draft.finish(name.clone(), name, Listing::OpenOnly)
}

/// A service, or those that it holds; they are nested once.
fn add_service(draft: &mut ReportDraft, row: &Value) {
    let children = list(row, "/children");
    if children.is_empty() {
        let component = service(draft, row, None);
        draft.component(component);
    }
    for child in children {
        let component = service(draft, child, text(row, "/name"));
        draft.component(component);
    }
}

fn service(draft: &mut ReportDraft, row: &Value, group: Option<Text>) -> Option<ReportedComponent> {
    let state = match row.pointer("/current_incident_type") {
        Some(Value::Null) => ComponentState::Operational,
        None => ComponentState::Unknown,
        word => draft
            .state_in(STATES, word)
            .unwrap_or(ComponentState::Degraded),
    };
    Some(draft::component(
        text(row, "/id"),
        text(row, "/name")?,
        group,
        state,
    ))
}

fn incident(draft: &mut ReportDraft, row: &Value, now: Timestamp) -> Option<ReportedIncident> {
    let title = text(row, "/title")?;
    let opened = text(row, "/inserted_at").unwrap_or_default();
    let id = text(row, "/id").unwrap_or_else(|| made_id(&[&title, &opened]));
    let impact = draft.impact_in(IMPACTS, row.pointer("/type"));
    let is_over = time(row, &["/ends_at"]).is_some_and(|ended| ended <= now);
    Some(ReportedIncident {
        url: link(row, "/url"),
        impact,
        phase: match is_over {
            true => ReportPhase::Closed,
            false => ReportPhase::Open,
        },
        is_maintenance: impact == Impact::Maintenance,
        started_at: time(row, &["/starts_at", "/inserted_at"]),
        updated_at: time(row, &["/updated_at"]),
        ..draft::incident(id, title)
    })
}
