//! PagerDuty's hosted pages: open posts, and services that are as bad as the posts on them.

use serde_json::Value;

use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "pagerduty";

/// The kind as it stands in the table.
pub static PAGERDUTY: StatusKind = StatusKind {
    word: WORD,
    name: "PagerDuty",
    documents: |address| {
        let posts = "/api/posts?statuses[]=investigating&statuses[]=detected&limit=500";
        values::required(vec![
            address.on_host(posts),
            address.on_host("/api/services"),
        ])
    },
    recognises: |answer| values::answered_json(answer).is_some_and(|root| is_anchored(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// Pages define their own severities; these are the usual ones.
const SEVERITIES: values::WordTable<Impact> = &[
    ("all good", Impact::None),
    ("minor", Impact::Minor),
    ("major", Impact::Major),
    ("maintenance", Impact::Maintenance),
];

fn is_anchored(root: &Value) -> bool {
    let posts = root.get("posts").and_then(Value::as_array);
    let of_kind = |post: &Value| post.get("current_post_severity_enum").is_some();
    posts.is_some_and(|posts| posts.is_empty() || posts.iter().any(of_kind))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = values::first_json(look, WORD)?;
    if !is_anchored(&root) {
        return Err(values::shape(WORD, "it has no list of posts"));
    }
    let mut draft = ListedReport::default();
    for element in values::list(&root, "/posts") {
        let incident = post(element, &mut draft);
        draft.add_incident(incident);
    }
    let document = values::further_json(look, 1, WORD)?;
    for element in values::anchored_list(&document, "/services", WORD)? {
        if element.get("is_active") != Some(&Value::Bool(false)) {
            let component = service(element, &draft);
            draft.add_component(component);
        }
    }
    draft.finish(None, None, Listing::OpenOnly, look)
}

fn post(element: &Value, draft: &mut ListedReport) -> Option<ReportedIncident> {
    let id = values::line(element, "/id")?;
    let title = values::line(element, "/title").unwrap_or_else(|| id.clone());
    let mut incident = values::incident(id, title);
    let word = values::line(element, "/current_post_severity_enum/name");
    incident.impact = draft.look_up(SEVERITIES, "impact", word.as_deref(), Impact::Minor);
    incident.is_maintenance = incident.impact == Impact::Maintenance;
    incident.components = values::lines(element, "/incident_services", "/id");
    Some(incident)
}

/// The page tells no states: a service is as the worst open post that names it.
fn service(element: &Value, draft: &ListedReport) -> Option<ReportedComponent> {
    let id = values::line(element, "/id")?;
    let posts = draft.incidents.iter();
    let posts = posts.filter(|post| post.components.contains(&id));
    let state = match posts.map(|post| post.impact).max() {
        None | Some(Impact::None) => ComponentState::Operational,
        Some(Impact::Maintenance) => ComponentState::Maintenance,
        Some(Impact::Minor) => ComponentState::Degraded,
        Some(Impact::Major) => ComponentState::PartialOutage,
        Some(Impact::Critical) => ComponentState::MajorOutage,
    };
    let name = values::first_line(element, &["/display_name", "/name"]);
    values::component(Some(id), name, None, state)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{HeldPage, check_anchors, check_mutations};
    use super::*;
    use serde_json::json;

    fn bodies() -> [Value; 2] {
        [
            json!({"posts": [
                {"id": "P1", "title": "Checkout is slow", "incident_services": [{"id": "S1"}],
                 "current_post_severity_enum": {"name": "major"}},
                {"id": "P2", "title": "Mail", "incident_services": [],
                 "current_post_severity_enum": {"name": "purple"}}]}),
            json!({"services": [
                {"id": "S1", "name": "checkout", "display_name": "Checkout", "is_active": true},
                {"id": "S2", "name": "web", "display_name": null, "is_active": true},
                {"id": "S3", "name": "old", "display_name": "Old", "is_active": false}]}),
        ]
    }

    #[test]
    fn services_are_as_bad_as_the_posts_on_them() {
        let page = HeldPage::new(&bodies().map(|body| body.to_string()));
        let report = page.look(PAGERDUTY.read).unwrap();
        let told = report
            .components
            .iter()
            .map(|known| (&*known.name, known.state));
        let expected = [
            ("Checkout", ComponentState::PartialOutage),
            ("web", ComponentState::Operational),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(report.incidents[1].impact, Impact::Minor);
        assert_eq!(&*report.unknown_words[0], "impact \"purple\"");
    }

    #[test]
    fn no_value_makes_it_panic_or_closes_what_is_open() {
        check_mutations(&PAGERDUTY, &bodies());
        check_anchors(&PAGERDUTY);
    }
}
