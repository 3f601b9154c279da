//! incident.io: the routes that imitate Statuspage, and the widget's route where it is given.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{
    first_text, link, list, listed, listed_if_any, prose, required, root, text, texts, time, title,
};
use crate::status::statuspage_shape::{
    has_anchors, has_component_ids, is_original, is_ulid, no_anchors, report,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "incident_io";

/// The kind as it stands in the table.
pub static INCIDENT_IO: StatusKind = StatusKind {
    word: WORD,
    name: "incident.io",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// What the owner of the page must have switched on.
const WIDGET: &str = "/api/v1/summary";

/// The lists of the widget's route, and whether they contain maintenances.
const WIDGET_LISTS: [(&str, bool); 3] = [
    ("/ongoing_incidents", false),
    ("/in_progress_maintenances", true),
    ("/scheduled_maintenances", true),
];

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let document = |url, is_required| StatusDocument { url, is_required };
    if address.path.ends_with(WIDGET) {
        return vec![document(address.whole(), true)];
    }
    vec![
        document(address.on_host("/api/v2/summary.json"), true),
        document(address.on_host("/api/v2/incidents.json"), false),
    ]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    let Some(root) = root(answer) else {
        return false;
    };
    let id = text(&root, "/page/id");
    let is_imitation = || {
        let is_flat = !is_original(&root) && has_component_ids(&root);
        id.is_some_and(|id| is_ulid(&id) || is_flat)
    };
    is_widget(&root) || has_anchors(&root) && is_imitation()
}

fn is_widget(root: &Value) -> bool {
    let is_list = |(pointer, _): &(&str, bool)| root.pointer(pointer).is_some_and(Value::is_array);
    text(root, "/page_title").is_some() && WIDGET_LISTS.iter().any(is_list)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let summary = required(look, 0, WORD)?;
    if is_widget(&summary) {
        return read_widget(look, &summary);
    }
    if !has_anchors(&summary) {
        return Err(no_anchors(WORD));
    }
    // Both lists are null or left out while nothing is wrong.
    let open = listed_if_any(&summary, "/incidents", WORD)?;
    let maintenances = listed_if_any(&summary, "/scheduled_maintenances", WORD)?;
    let base = look.address.on_host("");
    report(look, &summary, (open, maintenances), &base)
}

fn read_widget(look: &StatusLook<'_>, root: &Value) -> Result<StatusReport, StatusUnreadable> {
    let mut draft = ReportDraft::default();
    listed(root, "/ongoing_incidents", WORD)?;
    for (pointer, is_maintenance) in WIDGET_LISTS {
        for row in listed_if_any(root, pointer, WORD)? {
            let incident = widget_incident(&mut draft, row);
            draft.incident(incident.map(|incident| {
                match is_maintenance {
                    true => ReportedIncident {
                        is_maintenance,
                        impact: Impact::Maintenance,
                        window: time(row, &["/started_at", "/starts_at"])
                            .map(|from| (from, time(row, &["/scheduled_end_at", "/ends_at"]))),
                        ..incident
                    },
                    false => incident,
                }
            }));
        }
    }
    let host = || Text::from(&*look.address.host);
    let name = text(root, "/page_title").unwrap_or_else(host);
    let page = first_text(root, &["/page_url", "/page_title"]).unwrap_or_else(host);
    draft.finish(page, name, Listing::OpenOnly)
}

fn widget_incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    for affected in list(row, "/affected_components") {
        let state = draft.state(affected.pointer("/current_status"));
        let named = text(affected, "/name").map(|name| {
            let group = text(affected, "/group_name");
            let state = state.unwrap_or(ComponentState::Unknown);
            draft::component(text(affected, "/id"), name, group, state)
        });
        if named.is_some() {
            draft.component(named);
        }
    }
    let impact = draft.impact(row.pointer("/current_worst_impact"));
    Some(ReportedIncident {
        text: prose(Some(row), "/last_update_message"),
        url: link(row, "/url"),
        impact: impact.max(Impact::Minor),
        phase: draft.phase(row.pointer("/status")),
        state_word: text(row, "/status").unwrap_or_default(),
        components: texts(row, "/affected_components", "/id"),
        started_at: time(row, &["/started_at"]),
        updated_at: time(row, &["/last_update_at"]),
        ..draft::incident(text(row, "/id")?, title(row, "/name"))
    })
}
