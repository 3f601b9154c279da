//! Checkly's pages: open incidents, and no states of components.

use serde_json::Value;

use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "checkly";

/// The kind as it stands in the table.
pub static CHECKLY: StatusKind = StatusKind {
    word: WORD,
    name: "Checkly",
    documents: |address| {
        let slug = values::last_part(address);
        let path = format!("/api/status-page/{slug}/unresolved-incidents");
        values::required(vec![address.on_host(&path)])
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const IMPACTS: values::WordTable<Impact> = &[
    ("MINOR", Impact::Minor),
    ("MEDIUM", Impact::Major),
    ("MAJOR", Impact::Critical),
    ("MAINTENANCE", Impact::Maintenance),
];

/// A list of incidents and nothing else.
fn is_anchored(root: &Value) -> bool {
    let is_alone = root.as_object().is_some_and(|members| members.len() == 1);
    let of_kind = |incident: &Value| incident.get("incidentUpdates").is_some();
    let incidents = root.get("incidents").and_then(Value::as_array);
    is_alone && incidents.is_some_and(|all| all.is_empty() || all.iter().any(of_kind))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it is no list of incidents"));
    }
    let mut draft = ListedReport::default();
    for element in values::list(&root, "/incidents") {
        let incident = incident(element, &mut draft);
        draft.add_incident(incident);
    }
    draft.finish(None, None, Listing::OpenOnly, look)
}

fn incident(element: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let id = values::line(element, "/id")?;
    let title = values::line(element, "/name").unwrap_or_else(|| id.clone());
    let mut incident = values::incident(id, title);
    let word = values::line(element, "/severity");
    incident.impact = draft.look_up(IMPACTS, "impact", word.as_deref(), Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    let word = values::line(element, "/lastUpdateStatus");
    incident.phase = draft.look_up(values::PHASES, "state", word.as_deref(), ReportPhase::Open);
    incident.state_word = word.unwrap_or_default();
    // The updates are put in order here: the newest is what people read.
    let updates = values::list(element, "/incidentUpdates").iter();
    let newest = updates.max_by_key(|update| {
        let told = values::time(update, "/publicIncidentUpdateDate");
        told.or_else(|| values::time(update, "/created_at"))
    });
    if let Some(newest) = newest {
        incident.text = values::prose(newest, "/description");
    }
    incident.components = values::lines(element, "/services", "/name");
    incident.started_at = values::time(element, "/created_at");
    incident.updated_at = values::time(element, "/updated_at");
    Some(incident)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{check_anchors, check_mutations, look_at};
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        let update = |status: &str, text: &str, at: &str| {
            json!({"id": at, "status": status, "description": text,
                   "publicIncidentUpdateDate": at, "created_at": at, "notifySubscribers": true})
        };
        json!({"incidents": [
            {"id": "6a1f", "name": "Checkout is slow", "severity": "MEDIUM", "duration": null,
             "created_at": "2026-07-16T20:10:00.000Z", "updated_at": "2026-07-16T20:40:00.000Z",
             "lastUpdateStatus": "IDENTIFIED", "services": [{"id": "s1", "name": "Checkout"}],
             "incidentUpdates": [
                update("INVESTIGATING", "We look.", "2026-07-16T20:10:00.000Z"),
                update("IDENTIFIED", "The **cache** is full.", "2026-07-16T20:40:00.000Z")]},
            {"id": "6a20", "name": "New disks", "severity": "MAINTENANCE",
             "created_at": "2026-07-16T20:10:00.000Z", "updated_at": null,
             "lastUpdateStatus": "SCHEDULED", "services": [], "incidentUpdates": []},
        ]})
    }

    #[test]
    fn open_incidents_and_their_services_are_read() {
        let report = look_at(&CHECKLY, &body().to_string()).unwrap();
        assert_eq!(report.listing, Listing::OpenOnly);
        assert_eq!(report.unknown_words, []);
        let [slow, disks] = &report.incidents[..] else {
            panic!("{report:?}")
        };
        assert_eq!(
            (slow.impact, slow.phase),
            (Impact::Major, ReportPhase::Open)
        );
        assert_eq!(&*slow.text, "The cache is full.");
        assert_eq!(&*slow.components[0], "Checkout");
        assert!(disks.is_maintenance);
        assert_eq!(disks.phase, ReportPhase::Scheduled);
    }

    #[test]
    fn an_unknown_severity_is_told_and_never_nothing() {
        let body = body().to_string().replace("MEDIUM", "HUGE");
        let report = look_at(&CHECKLY, &body).unwrap();
        assert_eq!(report.incidents[0].impact, Impact::Minor);
        assert_eq!(&*report.unknown_words[0], "impact \"HUGE\"");
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&CHECKLY, &[body()]);
        check_anchors(&CHECKLY);
    }
}
