//! Heroku: three systems with colours; announced maintenance is shown and never acted on.

use serde_json::Value;

use crate::engine::status_report::{
    Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft, derived_impact};
use crate::status::fields::{
    link, list, listed, listed_if_any, newest, prose, required, root, shape, text, texts, time,
    title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "heroku";

/// The kind as it stands in the table.
pub static HEROKU: StatusKind = StatusKind {
    word: WORD,
    name: "Heroku",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![StatusDocument::required(
        address.on_host("/api/v4/current-status"),
    )]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    let is_system = |row: &Value| text(row, "/system").is_some();
    list(root, "/status").iter().any(is_system)
        && root.pointer("/incidents").is_some_and(Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(
            WORD,
            "`status` lists no `system`, or `incidents` is no list",
        ));
    }
    let mut draft = ReportDraft::default();
    for row in list(&root, "/status") {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    for row in listed(&root, "/incidents", WORD)? {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    for row in listed_if_any(&root, "/scheduled", WORD)? {
        let announced = incident(&mut draft, row);
        draft.incident(announced.map(|announced| ReportedIncident {
            is_maintenance: true,
            impact: Impact::Maintenance,
            started_at: None,
            // The window stands in prose alone, and ones that ended long ago are still listed.
            phase: match announced.phase {
                ReportPhase::Closed => ReportPhase::Closed,
                ReportPhase::Open | ReportPhase::Scheduled => ReportPhase::Scheduled,
            },
            ..announced
        }));
    }
    draft.finish(WORD.into(), HEROKU.name.into(), Listing::OpenOnly)
}

fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    let system = text(row, "/system")?;
    Some(ReportedComponent {
        id: system.clone(),
        name: system,
        group: None,
        state: draft.state(row.pointer("/status"))?,
    })
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let update = newest(list(row, "/updates"), &["/created_at", "/updated_at"]);
    let components = texts(row, "/systems", "/name");
    Some(ReportedIncident {
        text: prose(update, "/contents"),
        url: link(row, "/full_url"),
        impact: derived_impact(draft.worst(&components)),
        // `resolved` beside it is sometimes wrong.
        phase: draft.phase(row.pointer("/state")),
        state_word: text(row, "/state").unwrap_or_default(),
        components: [components, texts(row, "/tags", "")].concat(),
        started_at: time(row, &["/created_at"]),
        updated_at: time(row, &["/updated_at"]),
        ..draft::incident(text(row, "/id")?, title(row, "/title"))
    })
}
