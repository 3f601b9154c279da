//! Salesforce Trust: instances, and incidents that name them.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusAddress, StatusDocument, StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "salesforce";

/// The kind as it stands in the table.
pub static SALESFORCE: StatusKind = StatusKind {
    word: WORD,
    name: "Salesforce Trust",
    documents,
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: values::WordTable<ComponentState> = &[
    ("OK", ComponentState::Operational),
    ("MINOR_INCIDENT_NONCORE", ComponentState::Degraded),
    ("MINOR_INCIDENT_CORE", ComponentState::Degraded),
    ("MAJOR_INCIDENT_NONCORE", ComponentState::PartialOutage),
    ("MAJOR_INCIDENT_CORE", ComponentState::MajorOutage),
    ("MAINTENANCE_CORE", ComponentState::Maintenance),
    ("MAINTENANCE_NONCORE", ComponentState::Maintenance),
];

const BASE: &str = "https://api.status.salesforce.com/v1";

/// One instance, those of a product, or all of them, by the address of the page for people.
fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let part = values::last_part(address);
    let first = if address.path.starts_with("/v1/") {
        address.whole()
    } else if address.path.starts_with("/instances/") {
        format!("{BASE}/instances/{part}/status?childProducts=false")
    } else if address.path.starts_with("/products/") {
        format!("{BASE}/instances/status/preview?products={part}")
    } else {
        format!("{BASE}/instances/status/preview")
    };
    values::required(vec![first, format!("{BASE}/incidents?limit=50")])
}

/// The instances of either document.
fn instances(root: &Value) -> Option<&[Value]> {
    let of_kind =
        |one: &Value| values::line(one, "/key").is_some() && values::line(one, "/status").is_some();
    let all = match root {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter().any(of_kind).then_some(all)
}

fn is_anchored(root: &Value) -> bool {
    instances(root).is_some()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    let Some(instances) = instances(&root) else {
        return Err(values::shape(WORD, "it lists no instance"));
    };
    let mut draft = ListedReport::default();
    for element in instances.iter().filter(|element| counts(element)) {
        let word = values::line(element, "/status");
        let otherwise = match word {
            Some(_) => ComponentState::Degraded,
            None => ComponentState::Unknown,
        };
        let state = draft.look_up(STATES, "component", word.as_deref(), otherwise);
        let key = values::line(element, "/key");
        draft.add_component(values::component(key.clone(), key, None, state));
    }
    let document = values::further_json(look, 1, WORD)?;
    for element in values::anchored_list(&document, "", WORD)? {
        let incident = incident(element, &mut draft);
        draft.add_incident(incident);
    }
    let name = values::line(&Value::from(SALESFORCE.name), "");
    draft.finish(None, name, Listing::WithHistory, look)
}

/// Only active instances in production concern anybody.
fn counts(element: &Value) -> bool {
    let is_inactive = element.get("isActive") == Some(&Value::Bool(false));
    let environment = values::line(element, "/environment");
    let is_production = environment.is_none_or(|word| word.eq_ignore_ascii_case("production"));
    !is_inactive && is_production
}

fn incident(element: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let id = values::line(element, "/id")?;
    let impacts = values::list(element, "/IncidentImpacts");
    let what = impacts
        .iter()
        .find_map(|impact| values::line(impact, "/type"));
    // Incidents have no titles there.
    let title = match what {
        Some(what) => format!("Incident {id}: {what}"),
        None => format!("Incident {id}"),
    };
    let mut incident = values::incident(id, title.into());
    let word = values::line(element, "/status");
    incident.phase = draft.look_up(values::PHASES, "state", word.as_deref(), ReportPhase::Open);
    incident.state_word = word.unwrap_or_default();
    let severities = impacts.iter().map(|impact| {
        let word = values::line(impact, "/severity");
        draft.look_up(values::IMPACTS, "impact", word.as_deref(), Impact::Minor)
    });
    incident.impact = severities.max().unwrap_or(Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    if element.get("affectsAll") != Some(&Value::Bool(true)) {
        incident.components = values::lines(element, "/instanceKeys", "");
    }
    let events = values::list(element, "/IncidentEvents").iter();
    if let Some(newest) = events.max_by_key(|event| values::time(event, "/createdAt")) {
        incident.text = values::prose(newest, "/message");
        incident.updated_at = values::time(newest, "/createdAt");
    }
    let started = impacts
        .iter()
        .filter_map(|impact| values::time(impact, "/startTime"))
        .min();
    incident.started_at = started.or_else(|| values::time(element, "/createdAt"));
    Some(incident)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{HeldPage, check_anchors, check_mutations};
    use super::*;
    use serde_json::json;

    fn bodies() -> [Value; 2] {
        let instance = |key: &str, environment: &str, status: &str, is_active: bool| {
            json!({"key": key, "location": "EMEA", "environment": environment, "status": status,
                   "isActive": is_active, "releaseVersion": "Summer", "releaseNumber": "1"})
        };
        [
            json!([
                instance("EU1", "production", "MAJOR_INCIDENT_CORE", true),
                instance("EU2", "production", "OK", true),
                instance("EU3", "production", "MAJOR_INCIDENT_CORE", false),
                instance("CS1", "sandbox", "MAJOR_INCIDENT_CORE", true)
            ]),
            json!([
                {"id": 9001, "status": "Identified", "createdAt": "2026-07-16T20:12:00Z",
                 "affectsAll": false, "instanceKeys": ["EU1"], "serviceKeys": ["core"],
                 "IncidentImpacts": [{"type": "featureDisruption", "severity": "major",
                                      "startTime": "2026-07-16T20:10:00Z", "endTime": null}],
                 "IncidentEvents": [
                    {"createdAt": "2026-07-16T20:12:00Z", "message": "We look."},
                    {"createdAt": "2026-07-16T20:30:00Z", "message": "Found."}]},
                {"id": 9000, "status": "Resolved", "affectsAll": true, "instanceKeys": ["EU1"],
                 "IncidentImpacts": [], "IncidentEvents": []}]),
        ]
    }

    #[test]
    fn active_instances_in_production_and_incidents_are_read() {
        let page = HeldPage::new(&bodies().map(|body| body.to_string()));
        let report = page.look(SALESFORCE.read).unwrap();
        let told = report
            .components
            .iter()
            .map(|known| (&*known.name, known.state));
        let expected = [
            ("EU1", ComponentState::MajorOutage),
            ("EU2", ComponentState::Operational),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let [open, closed] = &report.incidents[..] else {
            panic!("{report:?}")
        };
        assert_eq!(
            (open.phase, open.impact),
            (ReportPhase::Open, Impact::Major)
        );
        assert_eq!((&*open.text, &*open.components[0]), ("Found.", "EU1"));
        assert_eq!(closed.phase, ReportPhase::Closed);
        assert_eq!(closed.components, []);
    }

    #[test]
    fn the_address_says_which_instances_are_asked_for() {
        let cases = [
            (
                "https://status.example.com/instances/EU1",
                "/instances/EU1/status?childProducts=false",
            ),
            (
                "https://status.example.com/products/Mail",
                "/instances/status/preview?products=Mail",
            ),
            ("https://status.example.com", "/instances/status/preview"),
        ];
        for (address, expected) in cases {
            let documents = documents(&StatusAddress::parse(address).unwrap());
            assert_eq!(documents[0].url, format!("{BASE}{expected}"));
        }
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&SALESFORCE, &bodies());
        check_anchors(&SALESFORCE);
    }
}
