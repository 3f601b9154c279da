//! PagerDuty's hosted pages: open posts, and services that are as bad as the posts on them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{first_text, list, listed, required, root, shape, text, texts, title};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "pagerduty";

/// The kind as it stands in the table.
pub static PAGERDUTY: StatusKind = StatusKind {
    word: WORD,
    name: "PagerDuty",
    documents: |address| {
        let posts = "/api/posts?statuses[]=investigating&statuses[]=detected&limit=500";
        let paths = [posts, "/api/services"];
        let document = |path| StatusDocument::required(address.on_host(path));
        paths.map(document).into()
    },
    recognises: |answer| root(answer).is_some_and(|root| has_anchors(&root)),
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// Pages define their own severities; these are the usual ones.
const SEVERITIES: &[(&str, Impact)] = &[
    ("ALLGOOD", Impact::None),
    ("MINOR", Impact::Minor),
    ("MAJOR", Impact::Major),
    ("MAINTENANCE", Impact::Maintenance),
];

fn has_anchors(root: &Value) -> bool {
    let posts = root.get("posts").and_then(Value::as_array);
    let of_kind = |post: &Value| post.get("current_post_severity_enum").is_some();
    posts.is_some_and(|posts| posts.is_empty() || posts.iter().any(of_kind))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        return Err(shape(WORD, "it has no list of posts"));
    }
    let mut draft = ReportDraft::default();
    let mut impacts: BTreeMap<Text, Impact> = BTreeMap::new();
    for row in list(&root, "/posts") {
        let post = post(&mut draft, row);
        if let Some(post) = &post {
            for id in &post.components {
                let impact = impacts.entry(id.clone()).or_insert(post.impact);
                *impact = post.impact.max(*impact);
            }
        }
        draft.incident(post);
    }
    let services = required(look, 1, WORD)?;
    for row in listed(&services, "/services", WORD)? {
        if row.get("is_active") != Some(&Value::Bool(false)) {
            draft.component(service(row, &impacts));
        }
    }
    draft.finish(look.host(), look.host(), Listing::OpenOnly)
}

fn post(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let severity = row.pointer("/current_post_severity_enum/name");
    let impact = draft.impact_in(SEVERITIES, severity);
    Some(ReportedIncident {
        impact,
        is_maintenance: impact == Impact::Maintenance,
        components: texts(row, "/incident_services", "/id"),
        ..draft::incident(text(row, "/id")?, title(row, "/title"))
    })
}

/// The page tells no states: a service is as the worst open post that names it.
fn service(row: &Value, impacts: &BTreeMap<Text, Impact>) -> Option<ReportedComponent> {
    let id = text(row, "/id")?;
    let state = match impacts.get(&id) {
        None | Some(Impact::None) => ComponentState::Operational,
        Some(Impact::Maintenance) => ComponentState::Maintenance,
        Some(Impact::Minor) => ComponentState::Degraded,
        Some(Impact::Major) => ComponentState::PartialOutage,
        Some(Impact::Critical) => ComponentState::MajorOutage,
    };
    let name = first_text(row, &["/display_name", "/name"])?;
    Some(draft::component(Some(id), name, None, state))
}
