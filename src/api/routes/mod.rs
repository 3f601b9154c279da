//! The one list of what can be asked of the router over HTTP.
//!
//! A handler declares its route itself, in `#[utoipa::path]`: method, path, parameters, bodies, and
//! as `security` who may use it. The router and the description of the API are both made from that.
//! Access is enforced by the router before the handler; a route that declares none, or one that is
//! not understood, is for admins only.

use axum::http::Method;
use utoipa::openapi::path::{Operation, Paths};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use super::access::Access;
use super::alertmanager::status as alertmanager;
use super::alertmanager::{alerts as alertmanager_alerts, silences as alertmanager_silences};
use super::ports::AppState;
use super::{
    actions, alerts, audit, backup, channels, checks, clock, explain, health, incidents, ingest,
    keys, oncall, overrides, pages, preview, providers, receipts, rules, silences, slack, sms,
    status, timeline, tokens,
};

/// A handler with what it declares.
pub struct Route {
    pub method: Method,
    pub path: String,
    pub access: Access,
    pub declared: UtoipaMethodRouter<AppState>,
}

impl Route {
    /// With what a handler declares.
    pub fn new(mut declared: UtoipaMethodRouter<AppState>) -> Self {
        let (path, method, operation) =
            operation(&mut declared.1).expect("a handler declares one operation");
        Self {
            access: Access::declared(operation).unwrap_or(Access::ADMIN),
            method,
            path,
            declared,
        }
    }

    /// Whether the listener for the internet side serves it.
    pub fn is_public(&self) -> bool {
        let prefixes = ["/a/", "/slack/", "/sms/", "/hooks/"];
        self.path == "/healthz" || prefixes.iter().any(|prefix| self.path.starts_with(prefix))
    }
}

/// The operation of a single handler, with its path and method.
pub fn operation(paths: &mut Paths) -> Option<(String, Method, &mut Operation)> {
    let (path, item) = paths.paths.iter_mut().next()?;
    let operations = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::DELETE, &mut item.delete),
    ];
    let mut declared = operations
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)));
    let (method, operation) = declared.next()?;
    Some((path.clone(), method, operation))
}

macro_rules! handlers {
    ($($module:ident: $($handler:ident),+;)+) => {
        vec![$($(Route::new(routes!($module::$handler)),)+)+]
    };
}

/// The routes of other rooms that the router serves along with those of this one.
pub type MoreRoutes = fn() -> Vec<Route>;

/// The routes of this room but that of the description, which is made from all.
pub fn own() -> Vec<Route> {
    handlers! {
        ingest: events, hook, hook_with_key, hook_alerts, alerts, enqueue, enqueue_change;
        slack: actions;
        sms: inbound, status;
        incidents: list, show, alerts, pages;
        timeline: timeline;
        actions: page_by_hand, acknowledge_many, acknowledge, unacknowledge, resolve, snooze;
        actions: escalate, reassign, note;
        receipts: list, show;
        pages: list;
        alerts: list;
        explain: explain;
        oncall: oncall;
        preview: route;
        rules: show, put, check, diff, revisions, revision, rollback;
        silences: list, add, show, expire;
        overrides: list, add, remove;
        channels: list, check;
        checks: list, try_now;
        providers: list, show, look, accept, probe;
        status: list, show, component, set, follow, post, add, update, edit, publish, delete;
        alertmanager: status, receivers;
        alertmanager_alerts: list, groups;
        alertmanager_silences: list, add, show, expire;
        keys: list_all, revoke_by_id, list, create, revoke;
        clock: confirm;
        tokens: list, create, revoke;
        audit: list;
        backup: take;
        health: healthz, readyz, metrics;
    }
}

#[cfg(test)]
mod tests;
