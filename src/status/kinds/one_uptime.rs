//! OneUptime's pages: states have the names of their owners and carry what they mean as flags.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "one_uptime";

/// The kind as it stands in the table.
pub static ONE_UPTIME: StatusKind = StatusKind {
    word: WORD,
    name: "OneUptime",
    documents: |address| {
        let page = match address.path.rsplit('/').next() {
            None | Some("") => address.host.as_str(),
            Some(part) => part,
        };
        let path = format!("/status-page-api/overview/{page}");
        values::required(vec![address.on_host(&path)])
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn is_anchored(root: &Value) -> bool {
    let has_list = |name: &str| root.get(name).is_some_and(Value::is_array);
    root.get("statusPage").is_some_and(Value::is_object)
        && has_list("activeIncidents")
        && has_list("statusPageResources")
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(
            WORD,
            "it has no statusPage with its incidents",
        ));
    }
    let mut draft = ListedReport::default();
    for element in values::list(&root, "/statusPageResources") {
        draft.add_component(resource(element, &root));
    }
    for element in values::list(&root, "/activeIncidents") {
        let incident = incident(element, &root, &mut draft);
        draft.add_incident(incident);
    }
    for element in values::list(&root, "/scheduledMaintenanceEvents") {
        draft.add_incident(maintenance(element));
    }
    let page = id(&root, "/statusPage/_id");
    let name = values::first_line(&root, &["/statusPage/pageTitle", "/statusPage/name"]);
    draft.finish(page, name, Listing::OpenOnly, look)
}

/// An id, as it is or in the wrapping that names its type.
fn id(value: &Value, pointer: &str) -> Option<Text> {
    let wrapped = format!("{pointer}/value");
    values::line(value, pointer).or_else(|| values::line(value, &wrapped))
}

/// The element of a list with this id.
fn with_id<'value>(root: &'value Value, list: &str, sought: &Text) -> Option<&'value Value> {
    let mut elements = values::list(root, list).iter();
    elements.find(|element| id(element, "/_id").as_ref() == Some(sought))
}

fn resource(element: &Value, root: &Value) -> Option<ReportedComponent> {
    let name = values::first_line(element, &["/displayName", "/monitor/name"]);
    let group = id(element, "/statusPageGroupId");
    let group = group.and_then(|group| with_id(root, "/resourceGroups", &group));
    let group = group.and_then(|group| values::line(group, "/name"));
    let status = id(element, "/monitor/currentMonitorStatusId");
    let status = status.and_then(|status| with_id(root, "/monitorStatuses", &status));
    let is_so = |flag: &str| status.and_then(|status| status.get(flag)) == Some(&Value::Bool(true));
    let state = match status {
        None => ComponentState::Unknown,
        Some(_) if is_so("isOperationalState") => ComponentState::Operational,
        Some(_) if is_so("isOfflineState") => ComponentState::MajorOutage,
        Some(_) => ComponentState::Degraded,
    };
    values::component(id(element, "/_id"), name, group, state)
}

fn incident(element: &Value, root: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let identity = id(element, "/_id")?;
    let title = values::line(element, "/title").unwrap_or_else(|| identity.clone());
    let mut incident = values::incident(identity.clone(), title);
    let state = "/currentIncidentState";
    incident.state_word = values::line(element, &format!("{state}/name")).unwrap_or_default();
    if element.pointer(&format!("{state}/isResolvedState")) == Some(&Value::Bool(true)) {
        incident.phase = ReportPhase::Closed;
    }
    let word = values::line(element, "/incidentSeverity/name");
    let severities = &[
        ("minor incident", Impact::Minor),
        ("major incident", Impact::Major),
        ("critical incident", Impact::Critical),
    ];
    incident.impact = draft.look_up(severities, "impact", word.as_deref(), Impact::Minor);
    incident.text = values::prose(element, "/description");
    let notes = values::list(root, "/incidentPublicNotes").iter();
    let notes = notes.filter(|note| id(note, "/incidentId").as_ref() == Some(&identity));
    if let Some(newest) = notes.max_by_key(|note| values::time(note, "/createdAt")) {
        incident.text = values::prose(newest, "/note");
        incident.updated_at = values::time(newest, "/createdAt");
    }
    // Incidents name monitors; a resource of the page shows one.
    let monitors = values::list(element, "/monitors").iter();
    let monitors: Vec<Text> = monitors.filter_map(|monitor| id(monitor, "/_id")).collect();
    let resources = values::list(root, "/statusPageResources").iter();
    let named = resources.filter(|resource| {
        id(resource, "/monitorId").is_some_and(|monitor| monitors.contains(&monitor))
    });
    incident.components = named.filter_map(|resource| id(resource, "/_id")).collect();
    let declared = values::time(element, "/declaredAt");
    incident.started_at = declared.or_else(|| values::time(element, "/createdAt"));
    Some(incident)
}

fn maintenance(element: &Value) -> Option<ReportedIncident> {
    let identity = id(element, "/_id")?;
    let title = values::line(element, "/title").unwrap_or_else(|| identity.clone());
    let mut maintenance = values::incident(identity, title);
    maintenance.is_maintenance = true;
    maintenance.impact = Impact::Maintenance;
    maintenance.text = values::prose(element, "/description");
    let state = "/currentScheduledMaintenanceState";
    let word = values::line(element, &format!("{state}/name"));
    maintenance.state_word = word.unwrap_or_default();
    let is_so =
        |flag: &str| element.pointer(&format!("{state}/{flag}")) == Some(&Value::Bool(true));
    maintenance.phase = if is_so("isEndedState") || is_so("isResolvedState") {
        ReportPhase::Closed
    } else if is_so("isOngoingState") {
        ReportPhase::Open
    } else {
        ReportPhase::Scheduled
    };
    let until = values::time(element, "/endsAt");
    maintenance.started_at = values::time(element, "/startsAt");
    maintenance.window = maintenance.started_at.map(|from| (from, until));
    Some(maintenance)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{check_anchors, check_mutations, look_at};
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        let id = |id: &str| json!({"_type": "ObjectID", "value": id});
        let resource = |number: u8, name: &str, status: &str| {
            json!({"_id": id(&format!("r{number}")), "displayName": name,
                   "monitorId": id(&format!("m{number}")), "statusPageGroupId": id("g1"),
                   "monitor": {"currentMonitorStatusId": id(status)}})
        };
        json!({
            "overallStatus": {"name": "Broken"},
            "statusPage": {"_id": id("p1"), "name": "Acme"},
            "resourceGroups": [{"_id": id("g1"), "name": "EU"}],
            "monitorStatuses": [
                {"_id": id("s1"), "name": "Fine", "isOperationalState": true},
                {"_id": id("s2"), "name": "Meh", "isOperationalState": false},
                {"_id": id("s3"), "name": "Broken", "isOfflineState": true}],
            "statusPageResources": [
                resource(1, "API", "s3"), resource(2, "Web", "s1"), resource(3, "Mail", "s2")],
            "activeIncidents": [
                {"_id": id("i1"), "title": "API is down", "description": "**All** of it.",
                 "currentIncidentState": {"name": "Seen", "isResolvedState": false},
                 "incidentSeverity": {"name": "Critical Incident"},
                 "monitors": [{"_id": id("m1")}], "createdAt": "2026-07-16T20:10:00Z"}],
            "incidentPublicNotes": [
                {"incidentId": id("i1"), "note": "We look.", "createdAt": "2026-07-16T20:20:00Z"}],
            "scheduledMaintenanceEvents": [
                {"_id": id("e1"), "title": "New disks", "startsAt": "2026-08-01T02:00:00Z",
                 "endsAt": "2026-08-01T03:00:00Z",
                 "currentScheduledMaintenanceState": {"name": "Soon", "isScheduledState": true}}],
        })
    }

    #[test]
    fn flags_decide_and_names_are_shown() {
        let report = look_at(&ONE_UPTIME, &body().to_string()).unwrap();
        assert_eq!((&*report.page, &*report.name), ("p1", "Acme"));
        let states: Vec<_> = report.components.iter().map(|known| known.state).collect();
        let (well, down) = (ComponentState::Operational, ComponentState::MajorOutage);
        assert_eq!(states, [down, well, ComponentState::Degraded]);
        assert_eq!(&*report.components[0].full_name(), "EU / API");
        let [outage, disks] = &report.incidents[..] else {
            panic!("{report:?}")
        };
        assert_eq!(
            (&*outage.state_word, outage.phase),
            ("Seen", ReportPhase::Open)
        );
        assert_eq!(outage.impact, Impact::Critical);
        assert_eq!((&*outage.text, &*outage.components[0]), ("We look.", "r1"));
        assert_eq!(disks.phase, ReportPhase::Scheduled);
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&ONE_UPTIME, &[body()]);
        check_anchors(&ONE_UPTIME);
    }
}
