//! The one table of what can be asked of the router over HTTP, and by whom.
//!
//! A path exists only by standing here, and a line cannot be written without its access: the router
//! and the description of the API are both made from this table.

mod administration;
mod incidents;
mod outside;

use axum::http::Method;
use axum::routing::MethodRouter;

use super::access::Access;
use super::ports::AppState;

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
    pub handler: MethodRouter<AppState>,
}

impl Route {
    fn new(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: MethodRouter<AppState>,
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
        let prefixes = ["/a/", "/slack/", "/sms/", "/hooks/"];
        self.path == "/healthz" || prefixes.iter().any(|prefix| self.path.starts_with(prefix))
    }
}

/// The whole table.
pub fn all() -> Vec<Route> {
    let areas = [
        outside::of_monitors(),
        outside::of_people(),
        incidents::of_incidents(),
        incidents::of_actions(),
        incidents::of_history(),
        administration::of_rules(),
        administration::of_silences(),
        administration::of_schedules_and_channels(),
        outside::of_alertmanager(),
        administration::of_administration(),
        administration::of_process(),
    ];
    areas.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
