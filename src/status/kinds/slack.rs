//! Slack: open incidents with the services that they name; no states of components.

use serde_json::Value;

use crate::engine::status_report::{Impact, Listing, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{
    link, list, listed, newest, optional, prose, required, root, shape, text, texts, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "slack";

/// The kind as it stands in the table.
pub static SLACK: StatusKind = StatusKind {
    word: WORD,
    name: "Slack",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![
        StatusDocument::required(address.on_host("/api/v2.0.0/current")),
        StatusDocument::optional(address.on_host("/api/v2.0.0/history")),
    ]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    root.pointer("/status").is_some_and(Value::is_string)
        && root
            .pointer("/active_incidents")
            .is_some_and(Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "`status` or `active_incidents` is missing"));
    }
    let mut draft = ReportDraft::default();
    for row in listed(&root, "/active_incidents", WORD)? {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    let history = optional(look, 1);
    let history = history.as_ref().and_then(Value::as_array);
    for row in history.into_iter().flatten() {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    let listing = history.map_or(Listing::OpenOnly, |_| Listing::WithHistory);
    draft.finish(WORD.into(), SLACK.name.into(), listing)
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let note = newest(list(row, "/notes"), &["/date_created"]);
    let (impact, is_maintenance) = match text(row, "/type").as_deref() {
        Some("outage") => (Impact::Major, false),
        Some("maintenance") => (Impact::Maintenance, true),
        Some(_) | None => (Impact::Minor, false),
    };
    Some(ReportedIncident {
        text: prose(note, "/body"),
        url: link(row, "/url"),
        impact,
        phase: draft.phase(row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        is_maintenance,
        components: texts(row, "/services", ""),
        started_at: time(row, &["/date_created"]),
        updated_at: time(row, &["/date_updated"]),
        ..draft::incident(text(row, "/id")?, title(row, "/title"))
    })
}
