//! The shape of Atlassian's status pages, which several other kinds imitate in part.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    Impact, Listing, ReportedComponent, ReportedIncident, StatusReport,
};

use super::draft::{self, ReportDraft};
use super::fields::{
    first_text, link, list, newest, optional, prose, shape, text, texts, time, title,
};
use super::{StatusLook, StatusUnreadable};

/// Records that some pages list for their own tests.
const TEST_RECORD: &str = "_system_metadata:";

/// When an update was published; its author may have set the first by hand.
const PUBLISHED: [&str; 3] = ["/display_at", "/created_at", "/updated_at"];

/// Whether the members stand that every imitation has.
pub fn has_anchors(root: &Value) -> bool {
    root.pointer("/page").is_some_and(Value::is_object)
        && root
            .pointer("/status/indicator")
            .is_some_and(Value::is_string)
        && root.pointer("/components").is_some_and(Value::is_array)
}

/// Whether an id is a ULID, as incident.io makes them; Atlassian's have twelve characters.
pub fn is_ulid(id: &str) -> bool {
    let is_digit = |letter: u8| letter.is_ascii_alphanumeric() && !b"ILOUilou".contains(&letter);
    id.len() == 26 && id.bytes().all(is_digit)
}

/// Whether components are told apart by ids.
pub fn has_component_ids(root: &Value) -> bool {
    list(root, "/components")
        .iter()
        .all(|row| text(row, "/id").is_some())
}

/// Whether the page says what only Atlassian's pages say.
pub fn is_original(root: &Value) -> bool {
    let has_group = |row: &Value| row.get("group").is_some();
    root.pointer("/page/time_zone").is_some() || list(root, "/components").iter().any(has_group)
}

/// The id of the page, or its name where it has none, and its name.
pub fn page(root: &Value, host: &str) -> (Text, Text) {
    let id = text(root, "/page/id");
    let name = first_text(root, &["/page/name", "/page/url"]).unwrap_or_else(|| host.into());
    (id.unwrap_or_else(|| name.clone()), name)
}

/// Adds the components. Rows of groups are left out, and their children get the group's name.
fn add_components(draft: &mut ReportDraft, rows: &[Value]) {
    let is_group = |row: &&Value| row.pointer("/group").and_then(Value::as_bool) == Some(true);
    let groups: BTreeMap<Text, Text> = rows
        .iter()
        .filter(is_group)
        .filter_map(|row| Some((text(row, "/id")?, text(row, "/name")?)))
        .collect();
    for row in rows.iter().filter(|row| !is_group(row)) {
        let component = component(draft, row, &groups);
        draft.component(component);
    }
}

fn component(
    draft: &mut ReportDraft,
    row: &Value,
    groups: &BTreeMap<Text, Text>,
) -> Option<ReportedComponent> {
    let group = text(row, "/group_id").and_then(|id| groups.get(&id).cloned());
    let state = draft.state(row.pointer("/status"))?;
    Some(draft::component(
        text(row, "/id"),
        text(row, "/name")?,
        group,
        state,
    ))
}

/// Adds the incidents, without those that the list of maintenances tells more of.
fn add_incidents(
    draft: &mut ReportDraft,
    (incidents, maintenances): (&[Value], &[Value]),
    base: &str,
) {
    let planned: BTreeSet<Text> = maintenances
        .iter()
        .filter_map(|row| text(row, "/id"))
        .collect();
    let is_planned = |row: &&Value| text(row, "/id").is_some_and(|id| planned.contains(&id));
    let incidents = incidents.iter().filter(|row| !is_planned(row));
    for row in incidents.filter(|row| !is_test(row)) {
        let incident = incident(draft, row, base);
        draft.incident(incident);
    }
    for row in maintenances.iter().filter(|row| !is_test(row)) {
        let maintenance = incident(draft, row, base);
        draft.incident(maintenance.map(|maintenance| ReportedIncident {
            is_maintenance: true,
            impact: Impact::Maintenance,
            ..maintenance
        }));
    }
}

fn is_test(row: &Value) -> bool {
    text(row, "/name").is_some_and(|name| name.starts_with(TEST_RECORD))
}

/// An incident as the page tells it; its link is made where it has none.
pub fn incident(draft: &mut ReportDraft, row: &Value, base: &str) -> Option<ReportedIncident> {
    // A page may be so old that its records have no link.
    let id = text(row, "/id")?;
    let own_link = || Some(format!("{base}/incidents/{id}").into());
    let impact = draft.impact(row.pointer("/impact"));
    let update = newest(list(row, "/incident_updates"), &PUBLISHED);
    Some(ReportedIncident {
        text: prose(update, "/body"),
        url: link(row, "/shortlink").or_else(own_link),
        impact,
        phase: draft.phase(row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        is_maintenance: impact == Impact::Maintenance,
        components: texts(row, "/components", "/id"),
        // A maintenance is announced long before it begins.
        started_at: time(row, &["/scheduled_for", "/started_at", "/created_at"]),
        updated_at: time(row, &["/updated_at"]),
        window: time(row, &["/scheduled_for"]).map(|from| (from, time(row, &["/scheduled_until"]))),
        ..draft::incident(id.clone(), title(row, "/name"))
    })
}

/// The report of a summary whose lists were found, and of the list of incidents at the second
/// address. Some hosts answer that one with anything; then an end is seen by absence alone.
pub fn report(
    look: &StatusLook<'_>,
    summary: &Value,
    lists: (&[Value], &[Value]),
    base: &str,
) -> Result<StatusReport, StatusUnreadable> {
    let mut draft = ReportDraft::default();
    add_components(&mut draft, list(summary, "/components"));
    add_incidents(&mut draft, lists, base);
    let history = optional(look, 1);
    let history = history
        .as_ref()
        .and_then(|history| history.pointer("/incidents")?.as_array());
    if let Some(history) = history {
        add_incidents(&mut draft, (history, &[]), base);
    }
    let listing = history.map_or(Listing::OpenOnly, |_| Listing::WithHistory);
    let (page, name) = page(summary, &look.address.host);
    draft.finish(page, name, listing)
}

/// That a member of the shape is missing.
pub fn no_anchors(kind: &'static str) -> StatusUnreadable {
    shape(
        kind,
        "`page`, `status.indicator` or `components` is missing",
    )
}
