//! The one table of what can be asked of the router over HTTP, and by whom.
//!
//! A path exists only by standing here, and a line cannot be written without its access: the router
//! and the description of the API are both made from this table.

use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use super::access::Access;
use super::borders::Shared;
use super::{
    actions, alertmanager, alerts, channels, explain, health, incidents, ingest, keys, oncall,
    openapi, overrides, pages, preview, receipts, rules, silences, slack, sms, sms_status,
    timeline, tokens,
};
use crate::web;

/// One line of the table.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// What it does, for the description of the API.
    pub summary: &'static str,
    /// Names of query parameters.
    pub query: &'static [&'static str],
    /// Name of the schema of the body that it takes.
    pub takes: Option<&'static str>,
    /// Name of the schema of the body with which it answers.
    pub gives: Option<&'static str>,
    /// Status of a good answer.
    pub status: u16,
    pub handler: MethodRouter<Shared>,
}

impl Route {
    fn new(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: MethodRouter<Shared>,
    ) -> Self {
        Self {
            method,
            path,
            access,
            summary,
            query: &[],
            takes: None,
            gives: None,
            status: 200,
            handler,
        }
    }

    fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some(schema);
        self
    }

    fn gives(mut self, schema: &'static str) -> Self {
        self.gives = Some(schema);
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Whether the listener for the internet side serves it.
    pub fn is_public(&self) -> bool {
        let prefixes = ["/a/", "/slack/", "/sms/", "/hooks/", "/ping/"];
        self.path == "/healthz" || prefixes.iter().any(|prefix| self.path.starts_with(prefix))
    }
}

/// The whole table.
pub fn all() -> Vec<Route> {
    let areas = [
        of_monitors(),
        of_people(),
        of_incidents(),
        of_actions(),
        of_history(),
        of_rules(),
        of_runtime_state(),
        of_alertmanager(),
        of_administration(),
        of_process(),
    ];
    areas.into_iter().flatten().collect()
}

fn of_monitors() -> Vec<Route> {
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
    ]
}

fn of_people() -> Vec<Route> {
    let signed = Access::Signed;
    vec![
        Route::new(
            Method::GET,
            "/a/{token}",
            signed,
            "Show what a page is about; changes nothing",
            get(web::acknowledge::show),
        ),
        Route::new(
            Method::POST,
            "/a/{token}",
            signed,
            "Acknowledge, decline, resolve or snooze what a page is about",
            post(web::acknowledge::act),
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
            "A text message came in",
            post(sms::inbound),
        )
        .query(&["key"]),
        Route::new(
            Method::POST,
            "/sms/{channel}/status",
            signed,
            "A delivery report came in",
            post(sms_status::status),
        )
        .query(&["attempt"]),
        Route::new(
            Method::GET,
            "/",
            Access::Open,
            "What runs, and the commands to post, acknowledge and explain",
            get(web::home::show),
        ),
    ]
}

fn of_incidents() -> Vec<Route> {
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
            "Its alerts",
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

fn of_actions() -> Vec<Route> {
    let responder = Access::RESPONDER;
    let act = |path, summary, handler| Route::new(Method::POST, path, responder, summary, handler);
    let one = |path, summary, handler| act(path, summary, handler).gives("Acted");
    vec![
        act(
            "/v1/incidents",
            "Page somebody by hand",
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
            "Take it",
            post(actions::acknowledge),
        ),
        one(
            "/v1/incidents/{number}/unacknowledge",
            "Give it back: a new round starts",
            post(actions::unacknowledge),
        ),
        one(
            "/v1/incidents/{number}/resolve",
            "It is over",
            post(actions::resolve),
        ),
        one(
            "/v1/incidents/{number}/snooze",
            "Take it and look later",
            post(actions::snooze),
        )
        .takes("Snooze"),
        one(
            "/v1/incidents/{number}/escalate",
            "Start the next step now",
            post(actions::escalate),
        ),
        one(
            "/v1/incidents/{number}/reassign",
            "Hand it to somebody else",
            post(actions::reassign),
        )
        .takes("Reassign"),
        one(
            "/v1/incidents/{number}/notes",
            "Leave a note",
            post(actions::note),
        )
        .takes("NewNote"),
    ]
}

fn of_history() -> Vec<Route> {
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
            "What became of an event, and why",
            get(receipts::show),
        )
        .gives("Receipt"),
        look("/v1/pages", "List pages, newest first", get(pages::list))
            .query(&["incident", "user", "state", "limit", "cursor"])
            .gives("PageList"),
        look("/v1/alerts", "List the alerts known now", get(alerts::list))
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
            "What would happen to an event; nothing is stored",
            post(preview::route),
        )
        .query(&["integration", "raw", "at"])
        .takes("NativeEvent")
        .gives("Preview"),
    ]
}

/// Rule documents hold telephone numbers and addresses: reading them takes more than looking at
/// incidents does.
fn of_rules() -> Vec<Route> {
    let (viewer, responder, admin) = (Access::VIEWER, Access::RESPONDER, Access::ADMIN);
    let route = Route::new;
    vec![
        route(
            Method::GET,
            "/v1/rules",
            responder,
            "The rules in force",
            get(rules::show),
        )
        .gives("Rules"),
        route(
            Method::PUT,
            "/v1/rules",
            admin,
            "Put rules in force",
            put(rules::put),
        )
        .query(&["message"])
        .takes("RuleFiles")
        .gives("Applied"),
        route(
            Method::POST,
            "/v1/rules/check",
            viewer,
            "All faults of rules at once",
            post(rules::check),
        )
        .takes("RuleFiles")
        .gives("CheckedRules"),
        route(
            Method::POST,
            "/v1/rules/diff",
            responder,
            "What rules would change",
            post(rules::diff),
        )
        .takes("RuleFiles")
        .gives("Diff"),
        route(
            Method::GET,
            "/v1/rules/revisions",
            viewer,
            "The history of rules, newest first",
            get(rules::revisions),
        )
        .query(&["limit", "cursor"])
        .gives("RevisionList"),
        route(
            Method::GET,
            "/v1/rules/revisions/{revision}",
            responder,
            "The rules of a revision",
            get(rules::revision),
        )
        .gives("Rules"),
        route(
            Method::POST,
            "/v1/rules/rollback",
            admin,
            "Put an old revision in force again",
            post(rules::rollback),
        )
        .takes("Rollback")
        .gives("Applied"),
    ]
}

fn of_runtime_state() -> Vec<Route> {
    let (viewer, responder) = (Access::VIEWER, Access::RESPONDER);
    let route = Route::new;
    let overrides_path = "/v1/schedules/{schedule}/overrides";
    let override_path = "/v1/schedules/{schedule}/overrides/{id}";
    vec![
        route(
            Method::GET,
            "/v1/silences",
            viewer,
            "List silences",
            get(silences::list),
        )
        .gives("SilenceList"),
        route(
            Method::POST,
            "/v1/silences",
            responder,
            "Set a silence",
            post(silences::add),
        )
        .takes("NewSilence")
        .gives("Silenced")
        .status(201),
        route(
            Method::GET,
            "/v1/silences/{id}",
            viewer,
            "One silence",
            get(silences::show),
        )
        .gives("Silence"),
        route(
            Method::DELETE,
            "/v1/silences/{id}",
            responder,
            "End a silence now",
            delete(silences::expire),
        )
        .status(204),
        route(
            Method::GET,
            overrides_path,
            viewer,
            "List overrides",
            get(overrides::list),
        )
        .gives("OverrideList"),
        route(
            Method::POST,
            overrides_path,
            responder,
            "Let somebody stand in",
            post(overrides::add),
        )
        .takes("NewOverride")
        .gives("Override")
        .status(201),
        route(
            Method::DELETE,
            override_path,
            responder,
            "Take an override back",
            delete(overrides::remove),
        )
        .status(204),
        route(
            Method::GET,
            "/v1/channels",
            viewer,
            "How the channels do",
            get(channels::list),
        )
        .gives("ChannelList"),
        route(
            Method::POST,
            "/v1/channels/{name}/check",
            responder,
            "Ask a channel whether it would take messages",
            post(channels::check),
        )
        .gives("Checked"),
    ]
}

fn of_alertmanager() -> Vec<Route> {
    let (viewer, responder) = (Access::VIEWER, Access::RESPONDER);
    let route = Route::new;
    let one = "/api/v2/silence/{id}";
    let summary = "As Alertmanager's API v2";
    vec![
        route(
            Method::GET,
            "/api/v2/status",
            viewer,
            summary,
            get(alertmanager::status),
        ),
        route(
            Method::GET,
            "/api/v2/silences",
            viewer,
            summary,
            get(alertmanager::list),
        ),
        route(
            Method::POST,
            "/api/v2/silences",
            responder,
            summary,
            post(alertmanager::add),
        )
        .takes("PostableSilence"),
        route(Method::GET, one, viewer, summary, get(alertmanager::show)).gives("GettableSilence"),
        route(
            Method::DELETE,
            one,
            responder,
            summary,
            delete(alertmanager::expire),
        ),
    ]
}

fn of_administration() -> Vec<Route> {
    let admin = Access::ADMIN;
    let route = Route::new;
    let keys_path = "/v1/integrations/{name}/keys";
    let key_path = "/v1/integrations/{name}/keys/{id}";
    vec![
        route(
            Method::GET,
            "/v1/tokens",
            admin,
            "List API tokens",
            get(tokens::list),
        )
        .gives("TokenList"),
        route(
            Method::POST,
            "/v1/tokens",
            admin,
            "Make an API token",
            post(tokens::create),
        )
        .takes("NewToken")
        .gives("MadeToken")
        .status(201),
        route(
            Method::DELETE,
            "/v1/tokens/{id}",
            admin,
            "Revoke an API token",
            delete(tokens::revoke),
        )
        .status(204),
        route(
            Method::GET,
            keys_path,
            admin,
            "List an integration's keys",
            get(keys::list),
        )
        .gives("KeyList"),
        route(
            Method::POST,
            keys_path,
            admin,
            "Make another key",
            post(keys::create),
        )
        .gives("MadeKey")
        .status(201),
        route(
            Method::DELETE,
            key_path,
            admin,
            "Revoke a key",
            delete(keys::revoke),
        )
        .status(204),
    ]
}

fn of_process() -> Vec<Route> {
    let open = Access::Open;
    let look = |path, summary, handler| Route::new(Method::GET, path, open, summary, handler);
    vec![
        look("/healthz", "The process lives", get(health::healthz)).gives("Health"),
        look(
            "/readyz",
            "The store is writable and timers are on time",
            get(health::readyz),
        )
        .gives("Health"),
        look(
            "/metrics",
            "What the process measures",
            get(health::metrics),
        ),
        look("/openapi.json", "This description", get(openapi::show)),
    ]
}

#[cfg(test)]
mod tests;
