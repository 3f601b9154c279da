//! UptimeRobot's pages: monitors and nothing else.

use serde_json::Value;

use crate::engine::status_report::{ComponentState, Listing, StatusReport};
use crate::engine::time::Duration;
use crate::status::{StatusKind, StatusLook, StatusUnreadable};

use super::values::{self, ListedReport};

const WORD: &str = "uptime_robot";

/// The kind as it stands in the table.
pub static UPTIME_ROBOT: StatusKind = StatusKind {
    word: WORD,
    name: "UptimeRobot",
    documents: |address| {
        let path = format!("/api/getMonitorList/{}", values::last_part(address));
        values::required(vec![address.on_host(&path)])
    },
    recognises: |answer| {
        values::answered_json(answer).is_some_and(|root| monitors(&root).is_some())
    },
    read,
    every: Duration::minutes(1),
    flips: true,
};

const STATES: values::WordTable<ComponentState> = &[
    ("success", ComponentState::Operational),
    ("warning", ComponentState::Degraded),
    ("danger", ComponentState::MajorOutage),
    ("paused", ComponentState::Unknown),
    ("black", ComponentState::Unknown),
    ("info", ComponentState::Unknown),
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
    let root = values::first_json(look, WORD)?;
    let Some(monitors) = monitors(&root) else {
        return Err(values::shape(WORD, "it has no list of monitors"));
    };
    let mut draft = ListedReport::default();
    for element in monitors {
        let word = values::line(element, "/statusClass");
        let otherwise = match word {
            Some(_) => ComponentState::Degraded,
            None => ComponentState::Unknown,
        };
        let state = draft.look_up(STATES, "component", word.as_deref(), otherwise);
        let id = values::line(element, "/monitorId");
        let name = values::line(element, "/name");
        draft.add_component(values::component(id, name, None, state));
    }
    draft.finish(None, None, Listing::OpenOnly, look)
}

#[cfg(test)]
mod tests {
    use super::super::values::tests::{check_anchors, look_at, mutations};
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
        check_anchors(&UPTIME_ROBOT);
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
