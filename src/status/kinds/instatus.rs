//! Instatus: a summary of its own at the address of Statuspage's, and a list of components.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{
    first_text, link, list, listed_if_any, optional, required, root, scalar, shape, text, time,
    title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "instatus";

/// The kind as it stands in the table.
pub static INSTATUS: StatusKind = StatusKind {
    word: WORD,
    name: "Instatus",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![
        StatusDocument::required(address.on_host("/api/v2/summary.json")),
        StatusDocument::optional(address.on_host("/v3/components.json")),
    ]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    root.pointer("/page/status").is_some_and(Value::is_string)
        && text(root, "/page/name").is_some()
        && root.get("status").is_none()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let summary = required(look, 0, WORD)?;
    if !has_anchors(&summary) {
        return Err(shape(WORD, "`page.status` is no text"));
    }
    // Both lists are left out where they would be empty.
    let incidents = listed_if_any(&summary, "/activeIncidents", WORD)?;
    let maintenances = listed_if_any(&summary, "/activeMaintenances", WORD)?;
    let mut draft = ReportDraft::default();
    if let Some(components) = optional(look, 1) {
        let rows = components.as_array();
        add_components(
            &mut draft,
            rows.map_or(list(&components, "/components"), Vec::as_slice),
        );
    }
    for row in incidents {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    for row in maintenances {
        let maintenance = incident(&mut draft, row);
        draft.incident(maintenance.map(|maintenance| ReportedIncident {
            is_maintenance: true,
            impact: Impact::Maintenance,
            window: window(row),
            ..maintenance
        }));
    }
    let name = text(&summary, "/page/name").unwrap_or_else(|| look.host());
    draft.finish(name.clone(), name, Listing::OpenOnly)
}

/// Parents hold their children inside in one form of the list; in the other, children name them.
fn add_components(draft: &mut ReportDraft, rows: &[Value]) {
    for row in rows {
        let children = list(row, "/children");
        let name = text(row, "/name");
        let is_parent = row.pointer("/isParent").and_then(Value::as_bool) == Some(true);
        if !is_parent && children.is_empty() {
            let group = row.pointer("/group").and_then(scalar);
            let group = group.or_else(|| first_text(row, &["/group/name", "/group/id"]));
            let component = component(draft, row, group);
            draft.component(component);
        }
        for child in children {
            let component = component(draft, child, name.clone());
            draft.component(component);
        }
    }
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    group: Option<Text>,
) -> Option<ReportedComponent> {
    let state = draft.state(row.pointer("/status"))?;
    Some(draft::component(
        text(row, "/id"),
        text(row, "/name")?,
        group,
        state,
    ))
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    // An open incident may carry the word for "all is well"; it is open all the same.
    let impact = draft.impact(row.pointer("/impact")).max(Impact::Minor);
    Some(ReportedIncident {
        url: link(row, "/url"),
        impact,
        phase: draft.phase(row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        is_maintenance: false,
        started_at: time(row, &["/started", "/start"]),
        updated_at: time(row, &["/updatedAt"]),
        ..draft::incident(text(row, "/id")?, title(row, "/name"))
    })
}

/// From the start over so many minutes, which are written as a text.
fn window(row: &Value) -> Option<(Timestamp, Option<Timestamp>)> {
    let from = time(row, &["/start"])?;
    let minutes = text(row, "/duration").and_then(|minutes| minutes.parse::<i64>().ok());
    let length = minutes.and_then(|minutes| minutes.checked_mul(60_000));
    let until = length.and_then(|length| from.0.checked_add(length));
    Some((from, until.map(Timestamp)))
}
