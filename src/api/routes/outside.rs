//! Routes for those outside: monitors, people with a link, providers, and Alertmanager's tools.

use axum::http::Method;
use axum::routing::{delete, get, post};

use super::Route;
use crate::api::access::Access;
use crate::api::alertmanager::{alerts, silences, status};
use crate::api::{home, ingest, link_page, slack, sms, sms_status};

pub fn of_monitors() -> Vec<Route> {
    let key = Access::Integration;
    let accept = |path, summary, handler| Route::new(Method::POST, path, key, summary, handler);
    let hook = "Post events in the integration's format";
    vec![
        accept(
            "/v1/events",
            "Post one event or an array",
            post(ingest::events),
        )
        .takes("NativeEvent")
        .gives("AcceptedBatch")
        .status(202),
        accept("/hooks/{integration}", hook, post(ingest::hook))
            .gives("AcceptedBatch")
            .status(202),
        accept(
            "/hooks/{integration}/{key}",
            hook,
            post(ingest::hook_with_key),
        )
        .gives("AcceptedBatch")
        .status(202),
        accept(
            "/hooks/{integration}/{key}/api/v2/alerts",
            "As Alertmanager's API v2, with the key in the path",
            post(ingest::hook_alerts),
        ),
        accept(
            "/api/v2/alerts",
            "As Alertmanager's API v2",
            post(ingest::alerts),
        ),
        accept(
            "/v2/enqueue",
            "As PagerDuty's Events API v2",
            post(ingest::enqueue),
        )
        .status(202),
        accept(
            "/v2/change/enqueue",
            "As PagerDuty's change events; they page nobody",
            post(ingest::enqueue_change),
        )
        .status(202),
    ]
}

pub fn of_people() -> Vec<Route> {
    let signed = Access::Signed;
    vec![
        Route::new(
            Method::GET,
            "/a/{token}",
            signed,
            "Show what a page is about; changes nothing",
            get(link_page::show),
        ),
        Route::new(
            Method::POST,
            "/a/{token}",
            signed,
            "Acknowledge, decline, resolve or snooze what a page is about",
            post(link_page::act),
        )
        .status(303),
        Route::new(
            Method::POST,
            "/slack/actions",
            signed,
            "A button in Slack was pressed",
            post(slack::actions),
        ),
        Route::new(
            Method::POST,
            "/sms/{channel}/inbound",
            signed,
            "An incoming text message",
            post(sms::inbound),
        )
        .query(&["key"]),
        Route::new(
            Method::POST,
            "/sms/{channel}/status",
            signed,
            "An incoming delivery report",
            post(sms_status::status),
        )
        .query(&["attempt"]),
        Route::new(
            Method::GET,
            "/",
            Access::Open,
            "The version, and the commands to post, acknowledge and explain",
            get(home::show),
        ),
    ]
}

/// What Alertmanager's tools ask; where it posts alerts stands with the monitors.
pub fn of_alertmanager() -> Vec<Route> {
    let (viewer, responder) = (Access::VIEWER, Access::RESPONDER);
    let summary = "As Alertmanager's API v2";
    let route = |method, path, access, handler| Route::new(method, path, access, summary, handler);
    let look = |path, handler| route(Method::GET, path, viewer, handler);
    let silences_path = "/api/v2/silences";
    let silence_path = "/api/v2/silence/{id}";
    let alerts_query = &[
        "filter",
        "receiver",
        "active",
        "silenced",
        "inhibited",
        "unprocessed",
    ];
    vec![
        look("/api/v2/status", get(status::status)),
        look("/api/v2/receivers", get(status::receivers)).gives("ReceiverArray"),
        look("/api/v2/alerts", get(alerts::list))
            .query(alerts_query)
            .gives("GettableAlertArray"),
        look("/api/v2/alerts/groups", get(alerts::groups))
            .query(alerts_query)
            .gives("AlertGroupArray"),
        look(silences_path, get(silences::list))
            .query(&["filter"])
            .gives("GettableSilenceArray"),
        route(Method::POST, silences_path, responder, post(silences::add)).takes("PostableSilence"),
        look(silence_path, get(silences::show)).gives("GettableSilence"),
        route(
            Method::DELETE,
            silence_path,
            responder,
            delete(silences::expire),
        ),
    ]
}
