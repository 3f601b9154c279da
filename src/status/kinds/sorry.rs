//! Sorry's pages: components with parents, and notices that are open until they have ended.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{link, listed, made_id, required, root, shape, text, time};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "sorry";

/// The kind as it stands in the table.
pub static SORRY: StatusKind = StatusKind {
    word: WORD,
    name: "Sorry",
    documents: |address| {
        let paths = ["/api/v1/status", "/api/v1/components", "/api/v1/notices"];
        let document = |path| StatusDocument::required(address.on_host(path));
        paths.map(document).into()
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("OPERATIONAL", ComponentState::Operational),
    ("DEGRADED", ComponentState::Degraded),
    ("PARTIALLYDEGRADED", ComponentState::Degraded),
    ("OUTAGE", ComponentState::MajorOutage),
    ("MAINTENANCE", ComponentState::Maintenance),
];

fn has_anchors(root: &Value) -> bool {
    text(root, "/page/state").is_some()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no state of a page"));
    }
    let mut draft = ReportDraft::default();
    let components = required(look, 1, WORD)?;
    let rows = listed(&components, "/components", WORD)?;
    let parents: BTreeSet<Text> = rows
        .iter()
        .filter_map(|row| text(row, "/parent_id"))
        .collect();
    let names = rows
        .iter()
        .filter_map(|row| Some((text(row, "/id")?, text(row, "/name")?)));
    let names: BTreeMap<Text, Text> = names.collect();
    // A row that holds others says only what they say.
    let is_parent = |row: &&Value| text(row, "/id").is_some_and(|id| parents.contains(&id));
    for row in rows.iter().filter(|row| !is_parent(row)) {
        let component = component(&mut draft, row, &names);
        draft.component(component);
    }
    let notices = required(look, 2, WORD)?;
    for row in listed(&notices, "/notices", WORD)? {
        draft.incident(notice(row, look.now));
    }
    let name = text(&root, "/page/name").unwrap_or_else(|| look.host());
    draft.finish(name.clone(), name, Listing::WithHistory)
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    names: &BTreeMap<Text, Text>,
) -> Option<ReportedComponent> {
    let group = text(row, "/parent_id").and_then(|parent| names.get(&parent).cloned());
    let state = draft.state_in(STATES, row.pointer("/state"))?;
    Some(draft::component(
        text(row, "/id"),
        text(row, "/name")?,
        group,
        state,
    ))
}

fn notice(row: &Value, now: Timestamp) -> Option<ReportedIncident> {
    let title = text(row, "/subject")?;
    let url = link(row, "/url");
    let id = text(row, "/id").or_else(|| url.clone());
    let is_over = time(row, &["/ended_at"]).is_some_and(|ended| ended <= now);
    Some(ReportedIncident {
        url,
        phase: match is_over {
            true => ReportPhase::Closed,
            false => ReportPhase::Open,
        },
        ..draft::incident(id.unwrap_or_else(|| made_id(&[&title])), title)
    })
}
