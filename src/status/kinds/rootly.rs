//! Rootly's pages on domains of their owners, which speak almost as Statuspage does.

use serde_json::Value;

use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "rootly";

/// The kind as it stands in the table.
pub static ROOTLY: StatusKind = StatusKind {
    word: WORD,
    name: "Rootly",
    documents: |address| {
        let paths = [
            "/api/v1/status.json",
            "/api/v1/incidents.json?page=1&per_page=50",
        ];
        values::required(paths.map(|path| address.on_host(path)).into())
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

fn is_anchored(root: &Value) -> bool {
    let indicator = root.pointer("/status/indicator");
    indicator.is_some_and(Value::is_string) && root.get("components").is_none()
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it has no status.indicator"));
    }
    let mut draft = ListedReport::default();
    let document = values::further_json(look, 1, WORD)?;
    for element in values::anchored_list(&document, "/incidents", WORD)? {
        let incident = incident(element, &mut draft);
        draft.add_incident(incident);
    }
    let page = values::line(&root, "/page/id");
    draft.finish(
        page,
        values::line(&root, "/page/name"),
        Listing::WithHistory,
        look,
    )
}

fn incident(element: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let id = values::line(element, "/id")?;
    let title = values::first_line(element, &["/name", "/title"]);
    let title = title.unwrap_or_else(|| id.clone());
    let mut incident = values::incident(id, title);
    let word = values::line(element, "/status");
    incident.phase = draft.look_up(values::PHASES, "state", word.as_deref(), ReportPhase::Open);
    incident.state_word = word.unwrap_or_default();
    let word = values::line(element, "/impact");
    incident.impact = draft.look_up(values::IMPACTS, "impact", word.as_deref(), Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    let updates = values::list(element, "/incident_updates").iter();
    if let Some(newest) = updates.max_by_key(|update| values::time(update, "/created_at")) {
        incident.text = values::prose(newest, "/body");
    }
    incident.url = values::first_line(element, &["/shortlink", "/url"]);
    incident.components = values::lines(element, "/components", "/name");
    let started = values::time(element, "/started_at");
    incident.started_at = started.or_else(|| values::time(element, "/created_at"));
    incident.updated_at = values::time(element, "/updated_at");
    Some(incident)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{HeldPage, check_anchors, check_mutations};
    use super::*;
    use serde_json::json;

    fn bodies() -> [Value; 2] {
        [
            json!({"page": {"id": "p1", "name": "Acme", "url": "https://status.example.com"},
                   "status": {"indicator": "major", "description": "Outage"}}),
            json!({"incidents": [
                {"id": "i2", "name": "API errors", "status": "identified", "impact": "major",
                 "created_at": "2026-07-16T20:10:00Z", "updated_at": "2026-07-16T20:40:00Z",
                 "components": [{"id": "c1", "name": "API"}],
                 "incident_updates": [
                    {"body": "Found.", "created_at": "2026-07-16T20:40:00Z"},
                    {"body": "We look.", "created_at": "2026-07-16T20:10:00Z"}]},
                {"id": "i1", "name": "Mail", "status": "resolved", "impact": "minor"}]}),
        ]
    }

    #[test]
    fn incidents_are_read_with_their_newest_update() {
        let page = HeldPage::new(&bodies().map(|body| body.to_string()));
        let report = page.look(ROOTLY.read).unwrap();
        assert_eq!((&*report.page, &*report.name), ("p1", "Acme"));
        let open = &report.incidents[0];
        assert_eq!(
            (open.phase, open.impact),
            (ReportPhase::Open, Impact::Major)
        );
        assert_eq!((&*open.text, &*open.components[0]), ("Found.", "API"));
        assert_eq!(report.incidents[1].phase, ReportPhase::Closed);
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&ROOTLY, &bodies());
        check_anchors(&ROOTLY);
    }
}
