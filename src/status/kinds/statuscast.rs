//! StatusCast's pages: words of their own for components, and incidents with a state.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{link, listed, normalised, required, root, shape, text, title};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "statuscast";

/// The kind as it stands in the table.
pub static STATUSCAST: StatusKind = StatusKind {
    word: WORD,
    name: "StatusCast",
    documents: |address| {
        let paths = ["/status.json", "/components.json", "/incidents.json"];
        let document = |path| StatusDocument::required(address.on_host(path));
        paths.map(document).into()
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("AVAILABLE", ComponentState::Operational),
    ("MONITORING", ComponentState::Degraded),
    ("DEGRADED", ComponentState::Degraded),
    ("PARTIALOUTAGE", ComponentState::PartialOutage),
    ("UNAVAILABLE", ComponentState::MajorOutage),
    ("MAINTENANCE", ComponentState::Maintenance),
];

fn has_anchors(root: &Value) -> bool {
    text(root, "/Status").is_some() && root.get("StatusText").is_some()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no Status and StatusText"));
    }
    let mut draft = ReportDraft::default();
    for row in listed(&required(look, 1, WORD)?, "", WORD)? {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    for row in listed(&required(look, 2, WORD)?, "", WORD)? {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    draft.finish(look.host(), look.host(), Listing::WithHistory)
}

fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    let state = draft.state_in(STATES, row.pointer("/CurrentStatus"))?;
    Some(draft::component(
        text(row, "/id"),
        text(row, "/text")?,
        None,
        state,
    ))
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let kind = text(row, "/IncidentType").unwrap_or_default();
    let is_maintenance = normalised(&kind).contains("MAINTENANCE");
    Some(ReportedIncident {
        url: link(row, "/ShortUrl"),
        impact: match is_maintenance {
            true => Impact::Maintenance,
            false => Impact::Minor,
        },
        phase: draft.phase(row.pointer("/Status")),
        state_word: text(row, "/Status").unwrap_or_default(),
        is_maintenance,
        ..draft::incident(text(row, "/Id")?, title(row, "/Title"))
    })
}
