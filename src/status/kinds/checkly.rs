//! Checkly's pages: open incidents, and no states of components.

use serde_json::Value;

use crate::engine::status_report::{Impact, Listing, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{list, newest, prose, required, root, shape, text, texts, time, title};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "checkly";

/// The kind as it stands in the table.
pub static CHECKLY: StatusKind = StatusKind {
    word: WORD,
    name: "Checkly",
    documents: |address| {
        let slug = address.last_part();
        let path = format!("/api/status-page/{slug}/unresolved-incidents");
        vec![StatusDocument::required(address.on_host(&path))]
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const IMPACTS: &[(&str, Impact)] = &[
    ("MINOR", Impact::Minor),
    ("MEDIUM", Impact::Major),
    ("MAJOR", Impact::Critical),
    ("MAINTENANCE", Impact::Maintenance),
];

/// A list of incidents and nothing else.
fn has_anchors(root: &Value) -> bool {
    let is_alone = root.as_object().is_some_and(|members| members.len() == 1);
    let of_kind = |incident: &Value| incident.get("incidentUpdates").is_some();
    let incidents = root.get("incidents").and_then(Value::as_array);
    is_alone && incidents.is_some_and(|all| all.is_empty() || all.iter().any(of_kind))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it is no list of incidents"));
    }
    let mut draft = ReportDraft::default();
    for row in list(&root, "/incidents") {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    draft.finish(look.host(), look.host(), Listing::OpenOnly)
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let impact = draft.impact_in(IMPACTS, row.pointer("/severity"));
    let published = ["/publicIncidentUpdateDate", "/created_at"];
    let update = newest(list(row, "/incidentUpdates"), &published);
    Some(ReportedIncident {
        text: prose(update, "/description"),
        impact,
        phase: draft.phase(row.pointer("/lastUpdateStatus")),
        state_word: text(row, "/lastUpdateStatus").unwrap_or_default(),
        is_maintenance: impact == Impact::Maintenance,
        components: texts(row, "/services", "/name"),
        started_at: time(row, &["/created_at"]),
        updated_at: time(row, &["/updated_at"]),
        ..draft::incident(text(row, "/id")?, title(row, "/name"))
    })
}
