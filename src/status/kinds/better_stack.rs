//! Better Stack: one JSON:API document with resources, reports and their updates.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft, derived_impact, worse};
use crate::status::fields::{
    list, listed, newest_of, prose, required, root, shape, text, texts, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "better_stack";

/// The kind as it stands in the table.
pub static BETTER_STACK: StatusKind = StatusKind {
    word: WORD,
    name: "Better Stack",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: true,
};

const STATE: &str = "/attributes/aggregate_state";

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![StatusDocument::required(address.on_host("/index.json"))]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    text(root, "/data/type").as_deref() == Some("status_page")
        && root
            .pointer("/data/attributes/aggregate_state")
            .is_some_and(Value::is_string)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(
            WORD,
            "`data` is no status page with an `aggregate_state`",
        ));
    }
    let included = listed(&root, "/included", WORD)?;
    let mut parts = Included::default();
    let mut draft = ReportDraft::default();
    for row in included {
        match (text(row, "/type").as_deref(), text(row, "/id")) {
            (Some("status_page_section"), Some(id)) => {
                parts
                    .sections
                    .extend(text(row, "/attributes/name").map(|name| (id, name)));
            }
            (Some("status_update"), Some(id)) => {
                parts.updates.insert(id, row);
            }
            // It might be a report or a resource whose type cannot be read.
            (Some("status_page_resource" | "status_report"), _) => {}
            (None, _) => draft.incident(None),
            _ if row.pointer(STATE).is_some() => draft.incident(None),
            _ if row.pointer("/attributes/public_name").is_some() => draft.component(None),
            _ => {}
        }
    }
    for row in of_type(included, "status_page_resource") {
        let component = component(&mut draft, row, &parts);
        draft.component(component);
    }
    for row in of_type(included, "status_report") {
        let report = report(&mut draft, row, &parts, look.now);
        draft.incident(report);
    }
    let host = || look.host();
    let name = text(&root, "/data/attributes/company_name").unwrap_or_else(host);
    let page = text(&root, "/data/id").unwrap_or_else(|| name.clone());
    draft.finish(page, name, Listing::WithHistory)
}

fn of_type<'root>(included: &'root [Value], word: &str) -> impl Iterator<Item = &'root Value> {
    let is_one = move |row: &&Value| text(row, "/type").as_deref() == Some(word);
    included.iter().filter(is_one)
}

/// What resources and reports refer to.
#[derive(Default)]
struct Included<'root> {
    sections: BTreeMap<Text, Text>,
    updates: BTreeMap<Text, &'root Value>,
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    parts: &Included<'_>,
) -> Option<ReportedComponent> {
    let section = text(row, "/attributes/status_page_section_id");
    Some(ReportedComponent {
        id: text(row, "/id")?,
        name: text(row, "/attributes/public_name")?,
        group: section.and_then(|section| parts.sections.get(&section).cloned()),
        state: draft.state(row.pointer("/attributes/status"))?,
    })
}

fn report(
    draft: &mut ReportDraft,
    row: &Value,
    parts: &Included<'_>,
    now: Timestamp,
) -> Option<ReportedIncident> {
    let id = text(row, "/id")?;
    let kind = text(row, "/attributes/report_type");
    let state = draft.state(row.pointer(STATE));
    let is_maintenance = kind.as_deref() == Some("maintenance");
    let affected = list(row, "/attributes/affected_resources");
    let states = affected
        .iter()
        .filter_map(|one| draft.state(one.pointer("/status")));
    let worst = states.fold(state.unwrap_or(ComponentState::Degraded), worse);
    let started_at = time(row, &["/attributes/starts_at"]);
    let phase = match text(row, STATE).as_deref() {
        // The end is null on reports that are resolved: the state alone tells.
        Some("resolved") => ReportPhase::Closed,
        // An announced maintenance has the state of one that is under way.
        _ if is_maintenance && started_at.is_some_and(|from| now < from) => ReportPhase::Scheduled,
        _ => ReportPhase::Open,
    };
    let ids = texts(row, "/relationships/status_updates/data", "/id");
    let updates = ids.iter().filter_map(|id| parts.updates.get(id).copied());
    let update = newest_of(updates, &["/attributes/published_at"]);
    Some(ReportedIncident {
        text: prose(update, "/attributes/message"),
        impact: match is_maintenance {
            true => Impact::Maintenance,
            false => derived_impact(worst),
        },
        phase,
        state_word: text(row, STATE).unwrap_or_default(),
        is_maintenance,
        components: texts(
            row,
            "/attributes/affected_resources",
            "/status_page_resource_id",
        ),
        started_at,
        updated_at: update.and_then(|update| time(update, &["/attributes/published_at"])),
        window: started_at
            .filter(|_| is_maintenance)
            .map(|from| (from, time(row, &["/attributes/ends_at"]))),
        ..draft::incident(id, title(row, "/attributes/title"))
    })
}
