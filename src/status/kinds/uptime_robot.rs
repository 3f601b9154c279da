//! UptimeRobot's pages: monitors and nothing else.

use serde_json::Value;

use crate::engine::status_report::{ComponentState, Listing, ReportedComponent, StatusReport};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft};
use crate::status::fields::{required, root, shape, text};
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};

const WORD: &str = "uptime_robot";

/// The kind as it stands in the table.
pub static UPTIME_ROBOT: StatusKind = StatusKind {
    word: WORD,
    name: "UptimeRobot",
    documents: |address| {
        let path = format!("/api/getMonitorList/{}", address.last_part());
        vec![StatusDocument::required(address.on_host(&path))]
    },
    recognises: |answer| root(answer).is_some_and(|root| monitors(&root).is_some()),
    read,
    every: Duration::minutes(1),
    flips: true,
};

const STATES: &[(&str, ComponentState)] = &[
    ("SUCCESS", ComponentState::Operational),
    ("WARNING", ComponentState::Degraded),
    ("DANGER", ComponentState::MajorOutage),
    ("PAUSED", ComponentState::Unknown),
    ("BLACK", ComponentState::Unknown),
    ("INFO", ComponentState::Unknown),
];

/// The monitors, of either generation of the document.
fn monitors(root: &Value) -> Option<&Vec<Value>> {
    let is_first = root.get("status").and_then(Value::as_str) == Some("ok");
    let first = root.get("data").filter(|_| is_first);
    let is_second = root.pointer("/statistics/counts").is_some();
    let second = root.pointer("/psp/monitors").filter(|_| is_second);
    first
        .and_then(Value::as_array)
        .or_else(|| second.and_then(Value::as_array))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    let Some(monitors) = monitors(&root) else {
        return Err(shape(WORD, "it has no list of monitors"));
    };
    let mut draft = ReportDraft::default();
    for row in monitors {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    draft.finish(look.host(), look.host(), Listing::OpenOnly)
}

fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    let state = draft.state_in(STATES, row.pointer("/statusClass"))?;
    let name = text(row, "/name")?;
    Some(draft::component(text(row, "/monitorId"), name, None, state))
}

#[cfg(test)]
mod tests {
    use super::super::tests::pages::{look_at, mutations};
    use super::*;
    use serde_json::json;

    fn monitor(id: u32, name: &str, class: &str) -> Value {
        json!({"monitorId": id, "name": name, "statusClass": class, "type": "HTTP",
               "ratio": {"ratio": "99.9", "label": "success"}})
    }

    fn body() -> Value {
        json!({"status": "ok", "data": [
            monitor(1, "API", "danger"), monitor(2, "Web", "success"), monitor(3, "Old", "black")]})
    }

    #[test]
    fn both_generations_of_the_document_are_read() {
        let data = body()["data"].clone();
        let other = json!({"statistics": {"counts": {"up": 1, "down": 1, "total": 3}},
                           "psp": {"monitors": data}});
        for body in [body(), other] {
            let report = look_at(&UPTIME_ROBOT, &body.to_string()).unwrap();
            let states: Vec<_> = report.components.iter().map(|known| known.state).collect();
            let (well, down) = (ComponentState::Operational, ComponentState::MajorOutage);
            assert_eq!(states, [down, well, ComponentState::Unknown]);
        }
    }

    #[test]
    fn no_value_makes_it_panic_or_heals_what_is_down() {
        for (place, changed) in mutations(&body()) {
            if let Ok(report) = look_at(&UPTIME_ROBOT, &changed.to_string()) {
                let mut known = report.components.iter();
                let api = known.find(|component| &*component.id == "1");
                assert!(
                    api.is_none_or(|api| api.state != ComponentState::Operational),
                    "{place}"
                );
            }
        }
    }
}
