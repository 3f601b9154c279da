//! Statuspal's pages, by the summary of its public API.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "statuspal";

/// The kind as it stands in the table.
pub static STATUSPAL: StatusKind = StatusKind {
    word: WORD,
    name: "Statuspal",
    documents: |address| {
        if address.path.starts_with("/api/v1/status_pages/") {
            return values::required(vec![address.whole()]);
        }
        let page = values::last_part(address);
        let url = format!("https://statuspal.io/api/v1/status_pages/{page}/summary");
        values::required(vec![url])
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: values::WordTable<ComponentState> = &[
    ("minor", ComponentState::Degraded),
    ("major", ComponentState::MajorOutage),
    ("scheduled", ComponentState::Maintenance),
];

fn is_anchored(root: &Value) -> bool {
    let has_list = |name: &str| root.get(name).is_some_and(Value::is_array);
    values::line(root, "/status_page/name").is_some() && has_list("incidents")
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it has no status_page with incidents"));
    }
    let mut draft = ListedReport::default();
    for element in values::list(&root, "/services") {
        add_service(element, &mut draft);
    }
    for element in values::list(&root, "/incidents") {
        let incident = incident(element, look, &mut draft);
        draft.add_incident(incident);
    }
    for (pointer, phase) in [
        ("/maintenances", ReportPhase::Open),
        ("/upcoming_maintenances", ReportPhase::Scheduled),
    ] {
        for element in values::list(&root, pointer) {
            let maintenance = incident(element, look, &mut draft).map(|mut incident| {
                incident.is_maintenance = true;
                incident.impact = Impact::Maintenance;
                if incident.phase == ReportPhase::Open {
                    incident.phase = phase;
                }
                let until = values::time(element, "/ends_at");
                incident.window = incident.started_at.map(|from| (from, until));
                incident
            });
            draft.add_incident(maintenance);
        }
    }
    let name = values::line(&root, "/status_page/name");
    draft.finish(None, name, Listing::OpenOnly, look)
}

/// A service, or those that it holds; they are nested once.
fn add_service(element: &Value, draft: &mut ListedReport) {
    let children = values::list(element, "/children");
    let group = values::line(element, "/name");
    if children.is_empty() {
        let component = service(element, None, draft);
        draft.add_component(component);
    }
    for child in children {
        let component = service(child, group.clone(), draft);
        draft.add_component(component);
    }
}

fn service(
    element: &Value,
    group: Option<Text>,
    draft: &mut ListedReport,
) -> Option<ReportedComponent> {
    let pointer = "/current_incident_type";
    let state = match element.pointer(pointer) {
        Some(Value::Null) => ComponentState::Operational,
        Some(_) => {
            let word = values::line(element, pointer);
            draft.look_up(
                STATES,
                "component",
                word.as_deref(),
                ComponentState::Degraded,
            )
        }
        None => ComponentState::Unknown,
    };
    let name = values::line(element, "/name");
    values::component(values::line(element, "/id"), name, group, state)
}

fn incident(
    element: &Value,
    look: &StatusLook<'_>,
    draft: &mut ListedReport,
) -> Option<ReportedIncident> {
    let title = values::line(element, "/title")?;
    let opened = values::line(element, "/inserted_at").unwrap_or_default();
    let id = values::line(element, "/id");
    let id = id.unwrap_or_else(|| values::made_id(&[&title, &opened]));
    let mut incident = values::incident(id, title);
    let word = values::line(element, "/type");
    incident.impact = draft.look_up(values::IMPACTS, "impact", word.as_deref(), Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    if values::has_ended(element, "/ends_at", look.now) {
        incident.phase = ReportPhase::Closed;
    }
    incident.url = values::line(element, "/url");
    let started = values::time(element, "/starts_at");
    incident.started_at = started.or_else(|| values::time(element, "/inserted_at"));
    incident.updated_at = values::time(element, "/updated_at");
    Some(incident)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{check_anchors, check_mutations, look_at};
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "status_page": {"name": "Acme", "current_incident_type": "major"},
            "services": [
                {"id": 1, "name": "EU", "current_incident_type": "major", "children": [
                    {"id": 2, "name": "API", "current_incident_type": "major"},
                    {"id": 3, "name": "Web", "current_incident_type": null}]},
                {"id": 4, "name": "Mail"}],
            "incidents": [
                {"id": 70, "title": "API is down", "type": "major",
                 "inserted_at": "2026-07-16T20:10:00Z", "ends_at": null}],
            "maintenances": [],
            "upcoming_maintenances": [
                {"id": 71, "title": "New disks", "type": "scheduled",
                 "starts_at": "2026-08-01T02:00:00Z", "ends_at": "2026-08-01T03:00:00Z"}],
            "info_notices": [],
        })
    }

    #[test]
    fn services_incidents_and_maintenances_are_read() {
        let report = look_at(&STATUSPAL, &body().to_string()).unwrap();
        let states: Vec<_> = report.components.iter().map(|known| known.state).collect();
        let (well, down) = (ComponentState::Operational, ComponentState::MajorOutage);
        assert_eq!(states, [down, well, ComponentState::Unknown]);
        assert_eq!(&*report.components[0].full_name(), "EU / API");
        let [outage, disks] = &report.incidents[..] else {
            panic!("{report:?}")
        };
        assert_eq!(
            (outage.impact, outage.phase),
            (Impact::Major, ReportPhase::Open)
        );
        assert_eq!(disks.phase, ReportPhase::Scheduled);
        assert!(disks.window.is_some_and(|(_, until)| until.is_some()));
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&STATUSPAL, &[body()]);
        check_anchors(&STATUSPAL);
    }
}
