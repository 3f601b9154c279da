//! Records for the tests of this room, in their stored form: what the engine adds to its records
//! has a default there.

use serde_json::json;

use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::time::Timestamp;

/// 2026-11-23T03:10:00Z.
pub const OPENED: Timestamp = Timestamp(1_795_403_400_000);

/// A triggered incident of high urgency.
pub fn incident() -> Incident {
    let stored = json!({
        "number": 1042,
        "generation": 1,
        "route": "payments",
        "group_key": "payments",
        "integration": "prometheus",
        "status": "triggered",
        "urgency": "high",
        "title": "disk full on db1",
        "service": "payments-api",
        "policy": {"revision": 3, "name": "payments"},
        "join_interval": 300_000,
        "opened_at": OPENED,
        "revision": 3,
        "alerts": {"total": 2, "firing": 2, "acknowledged": 0, "silenced": 0},
        "escalation": {"phase": "running", "position": {"step": 1}},
    });
    serde_json::from_value(stored).expect("the stored form of an incident")
}

/// A page to ana about that incident.
pub fn page() -> Page {
    let stored = json!({
        "id": 7,
        "kind": "page",
        "incidents": [{"number": 1042, "generation": 1}],
        "recipient": {"user": {"user": "ana", "contact": "phone"}},
        "medium": "sms",
        "address": "+351912345678",
        "urgency": "high",
        "integration": "prometheus",
        "why": {
            "route": "payments",
            "policy": "payments",
            "position": {"step": 1},
            "round": 0,
            "schedule": "night",
            "revision": 3,
        },
        "state": "sent",
        "created_at": OPENED,
        "created": 0,
    });
    serde_json::from_value(stored).expect("the stored form of a page")
}
