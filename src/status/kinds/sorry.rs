//! Sorry's pages: components with parents, and notices that are open until they have ended.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "sorry";

/// The kind as it stands in the table.
pub static SORRY: StatusKind = StatusKind {
    word: WORD,
    name: "Sorry",
    documents: |address| {
        let paths = ["/api/v1/status", "/api/v1/components", "/api/v1/notices"];
        values::required(paths.map(|path| address.on_host(path)).into())
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

const STATES: values::WordTable<ComponentState> = &[
    ("operational", ComponentState::Operational),
    ("degraded", ComponentState::Degraded),
    ("partially-degraded", ComponentState::Degraded),
    ("outage", ComponentState::MajorOutage),
    ("maintenance", ComponentState::Maintenance),
];

fn is_anchored(root: &Value) -> bool {
    values::line(root, "/page/state").is_some()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it has no state of a page"));
    }
    let mut draft = ListedReport::default();
    let document = values::further_json(look, 1, WORD)?;
    let elements = values::anchored_list(&document, "/components", WORD)?;
    for element in elements
        .iter()
        .filter(|element| !is_parent(element, elements))
    {
        let component = component(element, elements, &mut draft);
        draft.add_component(component);
    }
    let document = values::further_json(look, 2, WORD)?;
    for element in values::anchored_list(&document, "/notices", WORD)? {
        draft.add_incident(notice(element, look));
    }
    draft.finish(
        None,
        values::line(&root, "/page/name"),
        Listing::WithHistory,
        look,
    )
}

/// A row that holds others says only what they say.
fn is_parent(element: &Value, elements: &[Value]) -> bool {
    let id = values::line(element, "/id");
    let mut parents = elements
        .iter()
        .map(|other| values::line(other, "/parent_id"));
    id.is_some() && parents.any(|parent| parent == id)
}

fn component(
    element: &Value,
    elements: &[Value],
    draft: &mut ListedReport,
) -> Option<ReportedComponent> {
    let parent = values::line(element, "/parent_id");
    let mut others = elements.iter();
    let parent = others.find(|other| parent.is_some() && values::line(other, "/id") == parent);
    let group = parent.and_then(|parent| values::line(parent, "/name"));
    let word = values::line(element, "/state");
    let otherwise = match word {
        Some(_) => ComponentState::Degraded,
        None => ComponentState::Unknown,
    };
    let state = draft.look_up(STATES, "component", word.as_deref(), otherwise);
    let name = values::line(element, "/name");
    values::component(values::line(element, "/id"), name, group, state)
}

fn notice(element: &Value, look: &StatusLook<'_>) -> Option<ReportedIncident> {
    let title = values::line(element, "/subject")?;
    let url = values::line(element, "/url");
    let id = values::line(element, "/id").or_else(|| url.clone());
    let id = id.unwrap_or_else(|| values::made_id(&[&title]));
    let mut incident = values::incident(id, title);
    incident.url = url;
    if values::has_ended(element, "/ended_at", look.now) {
        incident.phase = ReportPhase::Closed;
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
            json!({"page": {"state": "degraded", "state_text": "Some trouble", "name": "Acme"}}),
            json!({"components": [
                {"id": 1, "name": "EU", "state": "degraded", "parent_id": null},
                {"id": 2, "name": "API", "state": "partially-degraded", "parent_id": 1},
                {"id": 3, "name": "Web", "state": "operational", "parent_id": null},
                {"id": 4, "name": "Mail", "state": "on fire", "parent_id": null}]}),
            json!({"notices": [
                {"subject": "API is slow", "url": "https://status.example.com/notices/8",
                 "ended_at": null},
                {"subject": "Web was slow", "url": "https://status.example.com/notices/7",
                 "ended_at": "2026-07-15T10:00:00Z"}]}),
        ]
    }

    #[test]
    fn parents_are_groups_and_notices_end_by_their_field() {
        let page = HeldPage::new(&bodies().map(|body| body.to_string()));
        let report = page.look(SORRY.read).unwrap();
        let names: Vec<_> = report
            .components
            .iter()
            .map(ReportedComponent::full_name)
            .collect();
        assert_eq!(
            names.iter().map(|name| &**name).collect::<Vec<_>>(),
            ["EU / API", "Web", "Mail"]
        );
        assert_eq!(report.components[2].state, ComponentState::Degraded);
        assert_eq!(&*report.unknown_words[0], "component \"on fire\"");
        assert_eq!(report.incidents[0].phase, ReportPhase::Open);
        assert_eq!(report.incidents[1].phase, ReportPhase::Closed);
        assert_eq!(&*report.name, "Acme");
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&SORRY, &bodies());
        check_anchors(&SORRY);
    }
}
