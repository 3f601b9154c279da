//! Routes about incidents, what people do with them, and what became of events.

use axum::http::Method;
use axum::routing::{get, post};

use super::Route;
use crate::api::access::Access;
use crate::api::{actions, alerts, explain, incidents, oncall, pages, preview, receipts, timeline};

pub fn of_incidents() -> Vec<Route> {
    let viewer = Access::VIEWER;
    let look = |path, summary, handler| Route::new(Method::GET, path, viewer, summary, handler);
    vec![
        look(
            "/v1/incidents",
            "List incidents, open ones first",
            get(incidents::list),
        )
        .query(&["status", "service", "urgency", "user", "limit", "cursor"])
        .gives("IncidentList"),
        look(
            "/v1/incidents/{number}",
            "One incident",
            get(incidents::show),
        )
        .gives("Incident"),
        look(
            "/v1/incidents/{number}/alerts",
            "List its alerts",
            get(incidents::alerts),
        )
        .query(&["limit", "cursor"])
        .gives("AlertList"),
        look(
            "/v1/incidents/{number}/pages",
            "Its pages",
            get(incidents::pages),
        )
        .query(&["limit", "cursor"])
        .gives("PageList"),
        look(
            "/v1/incidents/{number}/timeline",
            "Every decision with its reason, every attempt with its outcome",
            get(timeline::timeline),
        )
        .query(&["limit", "cursor"])
        .gives("EntryList"),
    ]
}

pub fn of_actions() -> Vec<Route> {
    let responder = Access::RESPONDER;
    let act = |path, summary, handler| Route::new(Method::POST, path, responder, summary, handler);
    let one = |path, summary, handler| act(path, summary, handler).gives("Acted");
    vec![
        act(
            "/v1/incidents",
            "Page somebody manually",
            post(actions::page_by_hand),
        )
        .takes("ByHand")
        .gives("Opened")
        .status(201),
        act(
            "/v1/incidents/acknowledge",
            "Acknowledge several incidents",
            post(actions::acknowledge_many),
        )
        .takes("Numbers")
        .gives("ManyActed"),
        one(
            "/v1/incidents/{number}/acknowledge",
            "Acknowledge",
            post(actions::acknowledge),
        ),
        one(
            "/v1/incidents/{number}/unacknowledge",
            "Unacknowledge: a new round starts",
            post(actions::unacknowledge),
        ),
        one(
            "/v1/incidents/{number}/resolve",
            "Resolve",
            post(actions::resolve),
        ),
        one(
            "/v1/incidents/{number}/snooze",
            "Acknowledge and snooze",
            post(actions::snooze),
        )
        .takes("Snooze"),
        one(
            "/v1/incidents/{number}/escalate",
            "Escalate: start the next step now",
            post(actions::escalate),
        ),
        one(
            "/v1/incidents/{number}/reassign",
            "Reassign to somebody else",
            post(actions::reassign),
        )
        .takes("Reassign"),
        one(
            "/v1/incidents/{number}/notes",
            "Add a note",
            post(actions::note),
        )
        .takes("NewNote"),
    ]
}

pub fn of_history() -> Vec<Route> {
    let viewer = Access::VIEWER;
    let look = |path, summary, handler| Route::new(Method::GET, path, viewer, summary, handler);
    vec![
        look(
            "/v1/receipts",
            "List receipts, newest first",
            get(receipts::list),
        )
        .query(&["limit", "cursor"])
        .gives("ReceiptList"),
        look(
            "/v1/receipts/{id}",
            "What happened to an event, and why",
            get(receipts::show),
        )
        .gives("Receipt"),
        look(
            "/v1/pages",
            "List the pages of open incidents, or of one incident",
            get(pages::list),
        )
        .query(&["incident", "user", "state", "limit", "cursor"])
        .gives("PageList"),
        look("/v1/alerts", "List the current alerts", get(alerts::list))
            .query(&["integration", "status", "limit", "cursor"])
            .gives("AlertList"),
        look(
            "/v1/explain",
            "Why somebody was or was not paged",
            get(explain::explain),
        )
        .query(&["user", "since"])
        .gives("Explained"),
        look("/v1/oncall", "Who is on call", get(oncall::oncall))
            .query(&["at", "schedule", "user"])
            .gives("OnCall"),
        Route::new(
            Method::POST,
            "/v1/route",
            viewer,
            "Preview what would happen to an event; nothing is stored",
            post(preview::route),
        )
        .query(&["integration", "raw", "at"])
        .takes("NativeEvent")
        .gives("Preview"),
    ]
}
