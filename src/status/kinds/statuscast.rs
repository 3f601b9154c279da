//! StatusCast's pages: words of their own for components, and incidents with a state.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "statuscast";

/// The kind as it stands in the table.
pub static STATUSCAST: StatusKind = StatusKind {
    word: WORD,
    name: "StatusCast",
    documents: |address| {
        let paths = ["/status.json", "/components.json", "/incidents.json"];
        values::required(paths.map(|path| address.on_host(path)).into())
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: values::WordTable<ComponentState> = &[
    ("Available", ComponentState::Operational),
    ("Monitoring", ComponentState::Degraded),
    ("Degraded", ComponentState::Degraded),
    ("PartialOutage", ComponentState::PartialOutage),
    ("Unavailable", ComponentState::MajorOutage),
    ("Maintenance", ComponentState::Maintenance),
];

fn is_anchored(root: &Value) -> bool {
    values::line(root, "/Status").is_some() && root.get("StatusText").is_some()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it has no Status and StatusText"));
    }
    let mut draft = ListedReport::default();
    let document = values::further_json(look, 1, WORD)?;
    for element in values::anchored_list(&document, "", WORD)? {
        let word = values::line(element, "/CurrentStatus");
        let otherwise = match word {
            Some(_) => ComponentState::Degraded,
            None => ComponentState::Unknown,
        };
        let state = draft.look_up(STATES, "component", word.as_deref(), otherwise);
        let name = values::line(element, "/text");
        draft.add_component(values::component(
            values::line(element, "/id"),
            name,
            None,
            state,
        ));
    }
    let document = values::further_json(look, 2, WORD)?;
    for element in values::anchored_list(&document, "", WORD)? {
        let incident = incident(element, &mut draft);
        draft.add_incident(incident);
    }
    draft.finish(None, None, Listing::WithHistory, look)
}

fn incident(element: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let id = values::line(element, "/Id")?;
    let title = values::line(element, "/Title").unwrap_or_else(|| id.clone());
    let mut incident = values::incident(id, title);
    incident.url = values::line(element, "/ShortUrl");
    let word = values::line(element, "/Status");
    incident.phase = draft.look_up(values::PHASES, "state", word.as_deref(), ReportPhase::Open);
    incident.state_word = word.unwrap_or_default();
    let kind = values::line(element, "/IncidentType").unwrap_or_default();
    incident.is_maintenance = values::normal(&kind).contains("MAINTENANCE");
    if incident.is_maintenance {
        incident.impact = Impact::Maintenance;
    }
    Some(incident)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{HeldPage, check_anchors, check_mutations};
    use super::*;
    use serde_json::json;

    fn bodies() -> [Value; 3] {
        [
            json!({"Status": "Degraded", "StatusText": "Some services are degraded"}),
            json!([
                {"id": 11, "text": "API", "Level": 1, "CurrentStatus": "PartialOutage"},
                {"id": 12, "text": "Web", "Level": 1, "CurrentStatus": "Available"}]),
            json!([
                {"Id": 501, "Title": "API errors", "Status": "InProgress",
                 "IncidentType": "Outage", "ShortUrl": "https://example.com/s/501"},
                {"Id": 500, "Title": "New disks", "Status": "Scheduled",
                 "IncidentType": "ScheduledMaintenance"}]),
        ]
    }

    #[test]
    fn components_and_incidents_are_read() {
        let page = HeldPage::new(&bodies().map(|body| body.to_string()));
        let report = page.look(STATUSCAST.read).unwrap();
        assert_eq!(report.components[0].state, ComponentState::PartialOutage);
        let [errors, disks] = &report.incidents[..] else {
            panic!("{report:?}")
        };
        assert_eq!((&*errors.id, errors.phase), ("501", ReportPhase::Open));
        assert_eq!(errors.impact, Impact::Minor);
        assert!(disks.is_maintenance);
        assert_eq!(report.unknown_words, []);
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&STATUSCAST, &bodies());
        check_anchors(&STATUSCAST);
    }
}
