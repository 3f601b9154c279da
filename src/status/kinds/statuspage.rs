//! Atlassian Statuspage: the summary tells how things are, the list of incidents how they ended.

use serde_json::Value;

use crate::engine::status_report::StatusReport;
use crate::engine::time::Duration;
use crate::status::fields::{listed, listed_if_any, required, root, shape, text};
use crate::status::statuspage_shape::{
    has_anchors, has_component_ids, is_original, is_ulid, no_anchors, report,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "statuspage";

/// The kind as it stands in the table.
pub static STATUSPAGE: StatusKind = StatusKind {
    word: WORD,
    name: "Atlassian Statuspage",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![
        StatusDocument::required(address.on_host("/api/v2/summary.json")),
        StatusDocument::optional(address.on_host("/api/v2/incidents.json")),
    ]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| {
        has_anchors(&root) && has_component_ids(&root) && is_original(&root) && !has_ulid(&root)
    })
}

fn has_ulid(root: &Value) -> bool {
    text(root, "/page/id").is_some_and(|id| is_ulid(&id))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let summary = required(look, 0, WORD)?;
    if !has_anchors(&summary) {
        return Err(no_anchors(WORD));
    }
    if has_ulid(&summary) {
        return Err(shape(
            WORD,
            "the page has an id as incident.io makes them; use incident_io",
        ));
    }
    let open = listed(&summary, "/incidents", WORD)?;
    let maintenances = listed_if_any(&summary, "/scheduled_maintenances", WORD)?;
    let base = look.address.on_host("");
    report(look, &summary, (open, maintenances), &base)
}
