//! Uptime Kuma: monitors by their last heartbeat, and the incidents that are pinned.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{list, listed_if_any, prose, required, root, shape, text, time, title};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "uptime_kuma";

/// The kind as it stands in the table.
pub static UPTIME_KUMA: StatusKind = StatusKind {
    word: WORD,
    name: "Uptime Kuma",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: true,
};

const STATES: &[(&str, ComponentState)] = &[
    ("0", ComponentState::MajorOutage),
    ("1", ComponentState::Operational),
    ("2", ComponentState::Degraded),
    ("3", ComponentState::Maintenance),
];

/// Words of maintenance.
const PHASES: &[(&str, ReportPhase)] = &[
    ("UNDERMAINTENANCE", ReportPhase::Open),
    ("SCHEDULED", ReportPhase::Scheduled),
    ("INACTIVE", ReportPhase::Closed),
    ("ENDED", ReportPhase::Closed),
];

/// The page that an installation has from the start.
const FIRST_SLUG: &str = "default";

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let mut parts = address.path.split('/').skip_while(|part| *part != "status");
    let slug = parts.nth(1).filter(|slug| !slug.is_empty());
    let slug = slug.unwrap_or(FIRST_SLUG).to_lowercase();
    let paths = [
        format!("/api/status-page/{slug}"),
        format!("/api/status-page/heartbeat/{slug}"),
    ];
    let document = |path: &String| StatusDocument::required(address.on_host(path));
    paths.iter().map(document).collect()
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    text(root, "/config/slug").is_some()
        && root
            .pointer("/publicGroupList")
            .is_some_and(Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "`config.slug` or `publicGroupList` is missing"));
    }
    let heartbeats = required(look, 1, WORD)?;
    if !heartbeats
        .pointer("/heartbeatList")
        .is_some_and(Value::is_object)
    {
        return Err(shape(WORD, "`heartbeatList` is missing"));
    }
    let mut draft = ReportDraft::default();
    for group in list(&root, "/publicGroupList") {
        if !group.pointer("/monitorList").is_some_and(Value::is_array) {
            draft.component(None);
        }
        for row in list(group, "/monitorList") {
            let component = component(&mut draft, row, text(group, "/name"), &heartbeats);
            draft.component(component);
        }
    }
    for row in listed_if_any(&root, "/incidents", WORD)? {
        draft.incident(incident(row));
    }
    // Installations before 2.0 have one, or null.
    if let Some(row) = root.pointer("/incident").filter(|row| !row.is_null()) {
        draft.incident(incident(row));
    }
    for row in listed_if_any(&root, "/maintenanceList", WORD)? {
        let maintenance = maintenance(&mut draft, row);
        draft.incident(maintenance);
    }
    let page = text(&root, "/config/slug").unwrap_or_default();
    let name = text(&root, "/config/title").unwrap_or_else(|| page.clone());
    draft.finish(page, name, Listing::OpenOnly)
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    group: Option<Text>,
    heartbeats: &Value,
) -> Option<ReportedComponent> {
    let id = text(row, "/id")?;
    let beats = heartbeats.pointer("/heartbeatList")?.get(&*id);
    let last = beats.and_then(|beats| beats.as_array()?.last());
    let state = match last {
        Some(beat) => draft.state_in(STATES, beat.pointer("/status"))?,
        None => ComponentState::Unknown,
    };
    let name = text(row, "/name")?;
    Some(ReportedComponent {
        id,
        name,
        group,
        state,
    })
}

/// Only what is pinned and active is listed; the colour of the box is the only weight that it has.
fn incident(row: &Value) -> Option<ReportedIncident> {
    let is_over = row.pointer("/active").and_then(Value::as_bool) == Some(false);
    let style = text(row, "/style").unwrap_or_default();
    Some(ReportedIncident {
        text: prose(Some(row), "/content"),
        impact: if &*style == "danger" {
            Impact::Major
        } else {
            Impact::Minor
        },
        phase: if is_over {
            ReportPhase::Closed
        } else {
            ReportPhase::Open
        },
        state_word: style,
        started_at: time(row, &["/createdDate"]),
        updated_at: time(row, &["/lastUpdatedDate", "/createdDate"]),
        ..draft::incident(text(row, "/id")?, title(row, "/title"))
    })
}

fn maintenance(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    // Incidents count from one as well.
    let id = format!("maintenance-{}", text(row, "/id")?);
    Some(ReportedIncident {
        text: prose(Some(row), "/description"),
        impact: Impact::Maintenance,
        phase: draft.phase_in(PHASES, row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        is_maintenance: true,
        window: list(row, "/timeslotList").iter().find_map(slot),
        ..draft::incident(id.into(), title(row, "/title"))
    })
}

fn slot(row: &Value) -> Option<(Timestamp, Option<Timestamp>)> {
    Some((time(row, &["/startDate"])?, time(row, &["/endDate"])))
}
