//! Salesforce Trust: instances, and incidents that name them.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, IMPACTS, ReportDraft};
use crate::status::fields::{
    is_so, list, listed, newest, prose, required, root, shape, text, texts, time,
};
use crate::status::{StatusAddress, StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "salesforce";

/// The kind as it stands in the table.
pub static SALESFORCE: StatusKind = StatusKind {
    word: WORD,
    name: "Salesforce Trust",
    documents,
    recognises: |answer| root(answer).is_some_and(|root| instances(&root).is_some()),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: &[(&str, ComponentState)] = &[
    ("OK", ComponentState::Operational),
    ("MINORINCIDENTNONCORE", ComponentState::Degraded),
    ("MINORINCIDENTCORE", ComponentState::Degraded),
    ("MAJORINCIDENTNONCORE", ComponentState::PartialOutage),
    ("MAJORINCIDENTCORE", ComponentState::MajorOutage),
    ("MAINTENANCECORE", ComponentState::Maintenance),
    ("MAINTENANCENONCORE", ComponentState::Maintenance),
];

const BASE: &str = "https://api.status.salesforce.com/v1";

/// One instance, those of a product, or all of them, by the address of the page for people.
fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let part = address.last_part();
    let first = if address.path.starts_with("/v1/") {
        address.whole()
    } else if address.path.starts_with("/instances/") {
        format!("{BASE}/instances/{part}/status?childProducts=false")
    } else if address.path.starts_with("/products/") {
        format!("{BASE}/instances/status/preview?products={part}")
    } else {
        format!("{BASE}/instances/status/preview")
    };
    [first, format!("{BASE}/incidents?limit=50")]
        .map(StatusDocument::required)
        .into()
}

/// The instances of either document.
fn instances(root: &Value) -> Option<&[Value]> {
    let of_kind = |one: &Value| text(one, "/key").is_some() && text(one, "/status").is_some();
    let all = match root {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter().any(of_kind).then_some(all)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    let Some(instances) = instances(&root) else {
        return Err(shape(WORD, "it lists no instance"));
    };
    let mut draft = ReportDraft::default();
    for row in instances.iter().filter(|row| counts(row)) {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    for row in listed(&required(look, 1, WORD)?, "", WORD)? {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    let name = SALESFORCE.name;
    draft.finish(name.into(), name.into(), Listing::WithHistory)
}

/// Only active instances in production concern anybody.
fn counts(row: &Value) -> bool {
    let is_inactive = row.get("isActive") == Some(&Value::Bool(false));
    let environment = text(row, "/environment");
    let is_production = environment.is_none_or(|word| word.eq_ignore_ascii_case("production"));
    !is_inactive && is_production
}

fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    let state = draft.state_in(STATES, row.pointer("/status"))?;
    Some(draft::component(None, text(row, "/key")?, None, state))
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let id = text(row, "/id")?;
    let impacts = list(row, "/IncidentImpacts").iter();
    // Incidents have no titles there.
    let title = match impacts.clone().find_map(|impact| text(impact, "/type")) {
        Some(what) => format!("Incident {id}: {what}"),
        None => format!("Incident {id}"),
    };
    let severities = impacts.clone().map(|impact| impact.pointer("/severity"));
    let impact = severities.map(|severity| draft.impact_in(IMPACTS, severity));
    let impact = impact.max().unwrap_or(Impact::Minor);
    let event = newest(list(row, "/IncidentEvents"), &["/createdAt"]);
    let started = impacts.filter_map(|impact| time(impact, &["/startTime"]));
    Some(ReportedIncident {
        text: prose(event, "/message"),
        impact,
        phase: draft.phase(row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        is_maintenance: impact == Impact::Maintenance,
        components: match is_so(row, "/affectsAll") {
            true => Vec::new(),
            false => texts(row, "/instanceKeys", ""),
        },
        started_at: started.min().or_else(|| time(row, &["/createdAt"])),
        updated_at: event.and_then(|event| time(event, &["/createdAt"])),
        ..draft::incident(id, title.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
