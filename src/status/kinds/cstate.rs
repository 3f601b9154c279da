//! cState: a page of files, with its systems in one document and its issues in another.

use serde_json::Value;

use crate::engine::status_report::{
    Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{
    first_text, link, list, listed, prose, required, root, shape, text, texts, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "cstate";

/// The kind as it stands in the table.
pub static CSTATE: StatusKind = StatusKind {
    word: WORD,
    name: "cState",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let document = |path| StatusDocument::required(address.beneath(path));
    ["/index.json", "/issues/index.json"].map(document).into()
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    text(root, "/is").as_deref() == Some("index")
        && text(root, "/cStateVersion").is_some()
        && root.pointer("/systems").is_some_and(Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let index = required(look, 0, WORD)?;
    if !has_anchors(&index) {
        return Err(shape(WORD, "`is`, `cStateVersion` or `systems` is missing"));
    }
    let issues = required(look, 1, WORD)?;
    let mut draft = ReportDraft::default();
    for row in list(&index, "/systems") {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    for row in listed(&issues, "/pages", WORD)? {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    let host = || look.host();
    let page = text(&index, "/baseURL").unwrap_or_else(host);
    let name = first_text(&index, &["/title", "/baseURL"]).unwrap_or_else(host);
    draft.finish(page, name, Listing::WithHistory)
}

fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    let component = ReportedComponent {
        id: "".into(),
        name: text(row, "/name")?,
        group: text(row, "/category"),
        state: draft.state(row.pointer("/status"))?,
    };
    // Issues name systems by their names alone.
    let id = component.name.clone();
    Some(ReportedComponent { id, ..component })
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let is = |pointer| row.pointer(pointer).and_then(Value::as_bool) == Some(true);
    let impact = draft.impact(row.pointer("/severity"));
    Some(ReportedIncident {
        text: prose(Some(row), "/body"),
        url: link(row, "/permalink"),
        impact: match is("/informational") {
            true => Impact::None,
            false => impact.max(Impact::Minor),
        },
        phase: if is("/resolved") {
            ReportPhase::Closed
        } else {
            ReportPhase::Open
        },
        state_word: text(row, "/severity").unwrap_or_default(),
        components: texts(row, "/affected", ""),
        started_at: time(row, &["/createdAt"]),
        updated_at: time(row, &["/lastMod", "/createdAt"]),
        ..draft::incident(text(row, "/permalink")?, title(row, "/title"))
    })
}
