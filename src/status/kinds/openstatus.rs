//! openstatus: Statuspage's shape without ids of components.

use crate::engine::status_report::StatusReport;
use crate::engine::time::Duration;
use crate::status::fields::{listed, listed_if_any, required, root};
use crate::status::statuspage_shape::{has_anchors, has_component_ids, no_anchors, report};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "openstatus";

/// The kind as it stands in the table.
pub static OPENSTATUS: StatusKind = StatusKind {
    word: WORD,
    name: "openstatus",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![
        StatusDocument::required(address.beneath("/summary.json")),
        StatusDocument::optional(address.beneath("/incidents.json")),
    ]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root) && !has_component_ids(&root))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let summary = required(look, 0, WORD)?;
    if !has_anchors(&summary) {
        return Err(no_anchors(WORD));
    }
    let open = listed(&summary, "/incidents", WORD)?;
    let maintenances = listed_if_any(&summary, "/scheduled_maintenances", WORD)?;
    let base = look.address.beneath("");
    report(look, &summary, (open, maintenances), &base)
}
