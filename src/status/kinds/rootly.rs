//! Rootly's pages on domains of their owners, which speak almost as Statuspage does.

use serde_json::Value;

use crate::engine::status_report::{Listing, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::draft::ReportDraft;
use crate::status::fields::{listed, required, root, shape, texts};
use crate::status::statuspage_shape::{incident, page};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "rootly";

/// The kind as it stands in the table.
pub static ROOTLY: StatusKind = StatusKind {
    word: WORD,
    name: "Rootly",
    documents: |address| {
        let incidents = "/api/v1/incidents.json?page=1&per_page=50";
        let paths = ["/api/v1/status.json", incidents];
        let document = |path| StatusDocument::required(address.on_host(path));
        paths.map(document).into()
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn has_anchors(root: &Value) -> bool {
    let indicator = root.pointer("/status/indicator");
    indicator.is_some_and(Value::is_string) && root.get("components").is_none()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no status.indicator"));
    }
    let mut draft = ReportDraft::default();
    let incidents = required(look, 1, WORD)?;
    for row in listed(&incidents, "/incidents", WORD)? {
        let incident = incident(&mut draft, row, &look.address.on_host(""));
        // No document lists the components, so they are known by their names.
        draft.incident(incident.map(|incident| ReportedIncident {
            components: texts(row, "/components", "/name"),
            ..incident
        }));
    }
    let (page, name) = page(&root, &look.address.host);
    draft.finish(page, name, Listing::WithHistory)
}
