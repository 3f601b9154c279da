//! The page of the founding outages: a Statuspage with five incidents, as it is today and as it was
//! while each of them went on.

use serde_json::{Value, json};

/// Five incidents, all of which their provider calls minor: id, title, opened, resolved.
pub const FOUNDING: [(&str, &str, &str, &str); 5] = [
    (
        "hx26chatmsgs",
        "Messages of the web chat fail to deliver - Production 1 + 2",
        "2026-05-26T14:05:00.000Z",
        "2026-05-27T19:40:00.000Z",
    ),
    (
        "hx14chatflow",
        "Chat: messages fail and assistants leave their flow - Production 1",
        "2026-05-14T13:20:00.000Z",
        "2026-05-14T18:02:00.000Z",
    ),
    (
        "hx01mailconn",
        "[Mail connector] Connectivity and send/receive - Production 1 & 2",
        "2026-05-01T06:40:00.000Z",
        "2026-05-01T13:20:00.000Z",
    ),
    (
        "hx24draftapi",
        "[Drafts] Internal API errors - Production 1",
        "2026-04-24T19:26:00.000Z",
        "2026-04-24T20:07:00.000Z",
    ),
    (
        "hx14kbdomain",
        "[Knowledge base] Custom domains answer 500, pods affected",
        "2026-04-14T13:51:00.000Z",
        "2026-04-14T14:38:00.000Z",
    ),
];

/// One of the incidents, while it goes on or after it.
pub fn incident(number: usize, is_open: bool) -> Value {
    let (id, name, opened, resolved) = FOUNDING[number];
    let update = |status: &str, at: &str, body: &str| {
        json!({"id": format!("{id}-{status}"), "status": status, "body": body, "incident_id": id,
            "created_at": at, "updated_at": at, "display_at": at, "affected_components": null})
    };
    let first = update("investigating", opened, "We are looking into this.");
    let last = update(
        "resolved",
        resolved,
        "**Resolved.**\n\n| when | what |\n|---|---|\n| 02:40 ET | mail stops |\n\
         | 09:20 ET | mail goes on \\[all\\] |",
    );
    let updates = if is_open {
        vec![first]
    } else {
        vec![last, first]
    };
    json!({"id": id, "name": name, "status": if is_open { "investigating" } else { "resolved" },
        "created_at": opened, "updated_at": if is_open { opened } else { resolved },
        "started_at": opened, "monitoring_at": null,
        "resolved_at": if is_open { Value::Null } else { json!(resolved) },
        "impact": "minor", "shortlink": format!("https://stspg.example.com/{id}"),
        "page_id": "hx0page00001", "incident_updates": updates, "components": []})
}

/// The page with the incident of this number open, or with history only: its summary and its list
/// of incidents.
pub fn page(open: Option<usize>) -> (Value, Value) {
    let head = json!({"id": "hx0page00001", "name": "Helpline", "url": "https://status.example.com",
        "time_zone": "America/New_York", "updated_at": "2026-05-27T19:40:00.000Z"});
    let all: Vec<Value> = (0..FOUNDING.len())
        .filter(|number| open.is_none_or(|open| *number >= open))
        .map(|number| incident(number, open == Some(number)))
        .collect();
    let unresolved: Vec<&Value> = all
        .iter()
        .filter(|known| known["resolved_at"].is_null())
        .collect();
    let summary = json!({"page": head, "components": [],
        "status": {"indicator": if open.is_some() { "minor" } else { "none" },
            "description": "All Systems Operational"},
        "incidents": unresolved, "scheduled_maintenances": []});
    (summary, json!({"page": head, "incidents": all}))
}
