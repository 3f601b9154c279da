//! OneUptime's pages: states have the names of their owners and carry what they mean as flags.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{
    first_text, is_so, list, listed_if_any, prose, required, root, shape, text, time, title,
};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "one_uptime";

/// The kind as it stands in the table.
pub static ONE_UPTIME: StatusKind = StatusKind {
    word: WORD,
    name: "OneUptime",
    documents: |address| {
        let page = match address.path.as_str() {
            "" => address.host.as_str(),
            _ => address.last_part(),
        };
        let path = format!("/status-page-api/overview/{page}");
        vec![StatusDocument::required(address.on_host(&path))]
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// Severities have the names of their owners too; these are the usual ones.
const IMPACTS: &[(&str, Impact)] = &[
    ("MINORINCIDENT", Impact::Minor),
    ("MAJORINCIDENT", Impact::Major),
    ("CRITICALINCIDENT", Impact::Critical),
];

fn has_anchors(root: &Value) -> bool {
    let has_list = |name: &str| root.get(name).is_some_and(Value::is_array);
    root.get("statusPage").is_some_and(Value::is_object)
        && has_list("activeIncidents")
        && has_list("statusPageResources")
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no statusPage with its incidents"));
    }
    let mut draft = ReportDraft::default();
    for row in list(&root, "/statusPageResources") {
        draft.component(resource(row, &root));
    }
    for row in list(&root, "/activeIncidents") {
        let incident = incident(&mut draft, row, &root);
        draft.incident(incident);
    }
    for row in listed_if_any(&root, "/scheduledMaintenanceEvents", WORD)? {
        draft.incident(maintenance(row));
    }
    let name = first_text(&root, &["/statusPage/pageTitle", "/statusPage/name"]);
    let name = name.unwrap_or_else(|| look.host());
    let page = id(&root, "/statusPage/_id").unwrap_or_else(|| name.clone());
    draft.finish(page, name, Listing::OpenOnly)
}

/// An id, as it is or in the wrapping that names its type.
fn id(value: &Value, pointer: &str) -> Option<Text> {
    first_text(value, &[pointer, &format!("{pointer}/value")])
}

/// Rows of a list that are looked through for each row of another one.
const LOOKED_THROUGH_MAX: usize = 500;

/// The element of a list with this id.
fn with_id<'value>(root: &'value Value, pointer: &str, sought: &Text) -> Option<&'value Value> {
    let mut elements = list(root, pointer).iter().take(LOOKED_THROUGH_MAX);
    elements.find(|element| id(element, "/_id").as_ref() == Some(sought))
}

fn resource(row: &Value, root: &Value) -> Option<ReportedComponent> {
    let name = first_text(row, &["/displayName", "/monitor/name"])?;
    let group = id(row, "/statusPageGroupId");
    let group = group.and_then(|group| with_id(root, "/resourceGroups", &group));
    let group = group.and_then(|group| text(group, "/name"));
    let status = id(row, "/monitor/currentMonitorStatusId");
    let state = match status.and_then(|status| with_id(root, "/monitorStatuses", &status)) {
        None => ComponentState::Unknown,
        Some(status) if is_so(status, "/isOperationalState") => ComponentState::Operational,
        Some(status) if is_so(status, "/isOfflineState") => ComponentState::MajorOutage,
        Some(_) => ComponentState::Degraded,
    };
    Some(draft::component(id(row, "/_id"), name, group, state))
}

fn incident(draft: &mut ReportDraft, row: &Value, root: &Value) -> Option<ReportedIncident> {
    let identity = id(row, "/_id")?;
    let notes = list(root, "/incidentPublicNotes").iter();
    let notes = notes.take(LOOKED_THROUGH_MAX);
    let notes = notes.filter(|note| id(note, "/incidentId").as_ref() == Some(&identity));
    let note = notes.max_by_key(|note| time(note, &["/createdAt"]));
    // Incidents name monitors; a resource of the page shows one.
    let monitors = list(row, "/monitors").iter().take(LOOKED_THROUGH_MAX);
    let monitors: Vec<Text> = monitors.filter_map(|monitor| id(monitor, "/_id")).collect();
    let resources = list(root, "/statusPageResources").iter();
    let resources = resources.take(LOOKED_THROUGH_MAX);
    let named = resources.filter(|resource| {
        id(resource, "/monitorId").is_some_and(|monitor| monitors.contains(&monitor))
    });
    Some(ReportedIncident {
        text: match note {
            Some(note) => prose(Some(note), "/note"),
            None => prose(Some(row), "/description"),
        },
        impact: draft.impact_in(IMPACTS, row.pointer("/incidentSeverity/name")),
        phase: match is_so(row, "/currentIncidentState/isResolvedState") {
            true => ReportPhase::Closed,
            false => ReportPhase::Open,
        },
        state_word: text(row, "/currentIncidentState/name").unwrap_or_default(),
        components: named.filter_map(|resource| id(resource, "/_id")).collect(),
        started_at: time(row, &["/declaredAt", "/createdAt"]),
        updated_at: note.and_then(|note| time(note, &["/createdAt"])),
        ..draft::incident(identity, title(row, "/title"))
    })
}

fn maintenance(row: &Value) -> Option<ReportedIncident> {
    let state = row.pointer("/currentScheduledMaintenanceState");
    let is_so = |flag: &str| state.is_some_and(|state| is_so(state, flag));
    let phase = if is_so("/isEndedState") || is_so("/isResolvedState") {
        ReportPhase::Closed
    } else if is_so("/isOngoingState") {
        ReportPhase::Open
    } else {
        ReportPhase::Scheduled
    };
    let started_at = time(row, &["/startsAt"]);
    Some(ReportedIncident {
        text: prose(Some(row), "/description"),
        impact: Impact::Maintenance,
        phase,
        state_word: text(row, "/currentScheduledMaintenanceState/name").unwrap_or_default(),
        is_maintenance: true,
        started_at,
        window: started_at.map(|from| (from, time(row, &["/endsAt"]))),
        ..draft::incident(id(row, "/_id")?, title(row, "/title"))
    })
}
