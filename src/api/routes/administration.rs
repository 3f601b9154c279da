//! Routes about rules, runtime state, keys and tokens, and the process itself.

use axum::http::Method;
use axum::routing::{delete, get, post, put};

use super::Route;
use crate::api::access::Access;
use crate::api::{
    audit, channels, clock, health, keys, openapi, overrides, rules, silences, tokens,
};

/// Rule documents hold telephone numbers and addresses: reading them takes more than looking at
/// incidents does.
pub fn of_rules() -> Vec<Route> {
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
            "Apply rules",
            put(rules::put),
        )
        .query(&["message"])
        .takes("RuleFiles")
        .gives("Applied"),
        route(
            Method::POST,
            "/v1/rules/check",
            viewer,
            "Check rules and report all errors",
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
            "List revisions, newest first",
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
            "Roll back to an earlier revision",
            post(rules::rollback),
        )
        .takes("Rollback")
        .gives("Applied"),
    ]
}

pub fn of_silences() -> Vec<Route> {
    let (viewer, responder) = (Access::VIEWER, Access::RESPONDER);
    let route = Route::new;
    vec![
        route(
            Method::GET,
            "/v1/silences",
            viewer,
            "List silences",
            get(silences::list),
        )
        .query(&["limit", "cursor"])
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
    ]
}

pub fn of_schedules_and_channels() -> Vec<Route> {
    let (viewer, responder) = (Access::VIEWER, Access::RESPONDER);
    let route = Route::new;
    let overrides_path = "/v1/schedules/{schedule}/overrides";
    let override_path = "/v1/schedules/{schedule}/overrides/{id}";
    vec![
        route(
            Method::GET,
            overrides_path,
            viewer,
            "List overrides",
            get(overrides::list),
        )
        .query(&["limit", "cursor"])
        .gives("OverrideList"),
        route(
            Method::POST,
            overrides_path,
            responder,
            "Put somebody on call for a time",
            post(overrides::add),
        )
        .takes("NewOverride")
        .gives("Override")
        .status(201),
        route(
            Method::DELETE,
            override_path,
            responder,
            "Remove an override",
            delete(overrides::remove),
        )
        .status(204),
        route(
            Method::GET,
            "/v1/channels",
            viewer,
            "List the channels and their state",
            get(channels::list),
        )
        .gives("ChannelList"),
        route(
            Method::POST,
            "/v1/channels/{name}/check",
            responder,
            "Check whether a channel would accept messages",
            post(channels::check),
        )
        .gives("Checked"),
    ]
}

pub fn of_administration() -> Vec<Route> {
    let admin = Access::ADMIN;
    let route = Route::new;
    let mut routes = of_keys();
    routes.extend([
        route(
            Method::POST,
            "/v1/clock/confirm",
            admin,
            "Confirm that the clock is right after it jumped ahead",
            post(clock::confirm),
        )
        .gives("ConfirmedClock"),
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
            "Create an API token",
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
            "/v1/audit",
            admin,
            "Who changed what, newest first",
            get(audit::list),
        )
        .query(&["limit", "cursor"])
        .gives("AuditEntryList"),
    ]);
    routes
}

fn of_keys() -> Vec<Route> {
    let admin = Access::ADMIN;
    let route = Route::new;
    let keys_path = "/v1/integrations/{name}/keys";
    let key_path = "/v1/integrations/{name}/keys/{id}";
    vec![
        route(
            Method::GET,
            "/v1/keys",
            admin,
            "List the keys of all integrations",
            get(keys::list_all),
        )
        .gives("KeyList"),
        route(
            Method::DELETE,
            "/v1/keys/{id}",
            admin,
            "Revoke a key by its id alone",
            delete(keys::revoke_by_id),
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
            "Create a key",
            post(keys::create),
        )
        .takes("NewKey")
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

pub fn of_process() -> Vec<Route> {
    let open = Access::Open;
    let look = |path, summary, handler| Route::new(Method::GET, path, open, summary, handler);
    vec![
        look("/healthz", "The process is alive", get(health::healthz)).gives("Health"),
        look(
            "/readyz",
            "The store is writable and timers are on time",
            get(health::readyz),
        )
        .gives("Health"),
        look("/metrics", "Metrics", get(health::metrics)),
        look("/openapi.json", "This description", get(openapi::show)),
    ]
}
