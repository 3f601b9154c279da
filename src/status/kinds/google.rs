//! Google Cloud and Workspace: incidents with products and regions, open while they have no end.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft, derived_impact};
use crate::status::fields::{list, newest, prose, required, root, shape, text, texts, time, title};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "google";

/// The kind as it stands in the table.
pub static GOOGLE: StatusKind = StatusKind {
    word: WORD,
    name: "Google Cloud or Workspace",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

const FILE: &str = "/incidents.json";
/// Where Workspace has its page, on a host with much else.
const WORKSPACE: &str = "/appsstatus/dashboard";

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    vec![StatusDocument::required(format!("{}{FILE}", base(address)))]
}

/// What links of incidents are relative to.
fn base(address: &StatusAddress) -> String {
    let is_workspace = address.path.starts_with(WORKSPACE);
    address.on_host(if is_workspace { WORKSPACE } else { "" })
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| incidents(&root).is_some())
}

/// The list, if it is one of incidents: an empty one is none, since closed ones stay listed.
fn incidents(root: &Value) -> Option<&[Value]> {
    let list = root.as_array()?;
    let is_incident = |row: &Value| {
        let is_named = row.get("external_desc").is_some() || row.get("affected_products").is_some();
        text(row, "/id").is_some() && text(row, "/begin").is_some() && is_named
    };
    list.iter().any(is_incident).then_some(list)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    let Some(rows) = incidents(&root) else {
        return Err(shape(
            WORD,
            "it is no list of incidents with `id` and `begin`",
        ));
    };
    let mut draft = ReportDraft::default();
    let base = base(look.address);
    for row in rows {
        let incident = incident(&mut draft, row, &base);
        draft.incident(incident);
    }
    let is_workspace = look.address.path.starts_with(WORKSPACE);
    let name = if is_workspace {
        "Google Workspace"
    } else {
        "Google Cloud"
    };
    draft.finish(name.into(), name.into(), Listing::WithHistory)
}

fn incident(draft: &mut ReportDraft, row: &Value, base: &str) -> Option<ReportedIncident> {
    // A number there is no end, and neither is a text that is no time.
    let end = row.pointer("/end").filter(|end| end.is_string());
    let is_closed = end.is_some_and(|_| time(row, &["/end"]).is_some());
    let update = row
        .pointer("/most_recent_update")
        .filter(|update| update.is_object());
    let update = update.or_else(|| newest(list(row, "/updates"), &["/when", "/created"]));
    Some(ReportedIncident {
        text: prose(update, "/text"),
        url: text(row, "/uri").map(|path| url(base, &path)),
        impact: impact(draft, row),
        phase: if is_closed {
            ReportPhase::Closed
        } else {
            ReportPhase::Open
        },
        state_word: update
            .and_then(|update| text(update, "/status"))
            .unwrap_or_default(),
        components: scopes(row),
        started_at: time(row, &["/begin", "/created"]),
        updated_at: time(row, &["/modified"]),
        ..draft::incident(text(row, "/id")?, title(row, "/external_desc"))
    })
}

fn url(base: &str, path: &str) -> Text {
    format!("{base}/{}", path.trim_start_matches('/')).into()
}

/// The word for what is hit, and what Google says of how bad that is.
fn impact(draft: &mut ReportDraft, row: &Value) -> Impact {
    let state = draft.state(row.pointer("/status_impact"));
    state.map_or(Impact::Minor, derived_impact)
}

/// The products by id, by today's name and by the name of that day, and the regions by id.
fn scopes(row: &Value) -> Vec<Text> {
    let products = "/affected_products";
    let mut scopes = texts(row, products, "/id");
    scopes.extend(texts(row, products, "/current_title"));
    scopes.extend(texts(row, products, "/title"));
    scopes.extend(texts(row, "/currently_affected_locations", "/id"));
    let mut seen = std::collections::BTreeSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes
}
