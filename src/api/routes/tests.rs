//! The table against what is meant: who may do what, written down once more by hand.

use std::collections::BTreeMap;

use super::*;
use crate::api::openapi;
use crate::api::wire::token::Role;
use crate::web;

/// Every path below `/v1` that takes a token, with the roles that may use it, as letters: `v`iewer,
/// `r`esponder, `a`dmin.
const EXPECTED: &[(&str, &str)] = &[
    ("DELETE /api/v2/silence/{id}", "ra"),
    ("DELETE /v1/integrations/{name}/keys/{id}", "a"),
    ("DELETE /v1/keys/{id}", "a"),
    ("DELETE /v1/schedules/{schedule}/overrides/{id}", "ra"),
    ("DELETE /v1/silences/{id}", "ra"),
    ("DELETE /v1/status/{page}/components/{component}", "ra"),
    ("DELETE /v1/status/{page}/posts/{number}", "ra"),
    ("DELETE /v1/tokens/{id}", "a"),
    ("GET /", "open"),
    ("GET /a/{token}", "signed"),
    ("GET /api/v2/alerts", "vra"),
    ("GET /api/v2/alerts/groups", "vra"),
    ("GET /api/v2/receivers", "vra"),
    ("GET /api/v2/silence/{id}", "vra"),
    ("GET /api/v2/silences", "vra"),
    ("GET /api/v2/status", "vra"),
    ("GET /healthz", "open"),
    ("GET /metrics", "open"),
    ("GET /openapi.json", "open"),
    ("GET /readyz", "open"),
    ("GET /v1/alerts", "vra"),
    ("GET /v1/audit", "a"),
    ("GET /v1/backup", "a"),
    ("GET /v1/channels", "vra"),
    ("GET /v1/checks", "vra"),
    ("GET /v1/explain", "vra"),
    ("GET /v1/incidents", "vra"),
    ("GET /v1/incidents/{number}", "vra"),
    ("GET /v1/incidents/{number}/alerts", "vra"),
    ("GET /v1/incidents/{number}/pages", "vra"),
    ("GET /v1/incidents/{number}/timeline", "vra"),
    ("GET /v1/integrations/{name}/keys", "a"),
    ("GET /v1/keys", "a"),
    ("GET /v1/oncall", "vra"),
    ("GET /v1/pages", "vra"),
    ("GET /v1/providers", "vra"),
    ("GET /v1/providers/{name}", "vra"),
    ("GET /v1/receipts", "vra"),
    ("GET /v1/receipts/{id}", "vra"),
    ("GET /v1/rules", "ra"),
    ("GET /v1/rules/revisions", "vra"),
    ("GET /v1/rules/revisions/{revision}", "ra"),
    ("GET /v1/schedules/{schedule}/overrides", "vra"),
    ("GET /v1/silences", "vra"),
    ("GET /v1/silences/{id}", "vra"),
    ("GET /v1/status", "vra"),
    ("GET /v1/status/{page}", "vra"),
    ("GET /v1/status/{page}/components/{component}", "vra"),
    ("GET /v1/status/{page}/posts/{number}", "vra"),
    ("GET /v1/tokens", "a"),
    ("POST /a/{token}", "signed"),
    ("POST /api/v2/alerts", "key"),
    ("POST /api/v2/silences", "ra"),
    ("POST /hooks/{integration}", "key"),
    ("POST /hooks/{integration}/{key}", "key"),
    ("POST /hooks/{integration}/{key}/api/v2/alerts", "key"),
    ("POST /slack/actions", "signed"),
    ("POST /sms/{channel}/inbound", "signed"),
    ("POST /sms/{channel}/status", "signed"),
    ("POST /v1/channels/{name}/check", "ra"),
    ("POST /v1/checks/{name}/try", "ra"),
    ("POST /v1/clock/confirm", "a"),
    ("POST /v1/events", "key"),
    ("POST /v1/incidents", "ra"),
    ("POST /v1/incidents/acknowledge", "ra"),
    ("POST /v1/incidents/{number}/acknowledge", "ra"),
    ("POST /v1/incidents/{number}/escalate", "ra"),
    ("POST /v1/incidents/{number}/notes", "ra"),
    ("POST /v1/incidents/{number}/reassign", "ra"),
    ("POST /v1/incidents/{number}/resolve", "ra"),
    ("POST /v1/incidents/{number}/snooze", "ra"),
    ("POST /v1/incidents/{number}/unacknowledge", "ra"),
    ("POST /v1/integrations/{name}/keys", "a"),
    ("POST /v1/providers/probe", "ra"),
    ("POST /v1/providers/{name}/accept", "a"),
    ("POST /v1/providers/{name}/look", "ra"),
    ("POST /v1/route", "vra"),
    ("POST /v1/rules/check", "vra"),
    ("POST /v1/rules/diff", "ra"),
    ("POST /v1/rules/rollback", "a"),
    ("POST /v1/schedules/{schedule}/overrides", "ra"),
    ("POST /v1/silences", "ra"),
    ("POST /v1/status/{page}/posts", "ra"),
    ("POST /v1/status/{page}/posts/{number}/publish", "ra"),
    ("POST /v1/status/{page}/posts/{number}/updates", "ra"),
    ("POST /v1/tokens", "a"),
    ("POST /v2/change/enqueue", "key"),
    ("POST /v2/enqueue", "key"),
    ("PUT /v1/rules", "a"),
    ("PUT /v1/status/{page}/components/{component}", "ra"),
    ("PUT /v1/status/{page}/posts/{number}", "ra"),
];

fn who(access: Access) -> String {
    let letters = [
        (Role::Viewer, 'v'),
        (Role::Responder, 'r'),
        (Role::Admin, 'a'),
    ];
    match access {
        Access::Open => "open".to_owned(),
        Access::Signed => "signed".to_owned(),
        Access::Integration => "key".to_owned(),
        Access::Role(_) => letters
            .iter()
            .filter(|(role, _)| access.allows(*role))
            .map(|(_, letter)| letter)
            .collect(),
    }
}

#[test]
fn every_route_lets_in_exactly_those_who_are_meant() {
    let found: BTreeMap<String, String> = openapi::routes(web::routes)
        .into_iter()
        .map(|route| {
            (
                format!("{} {}", route.method, route.path),
                who(route.access),
            )
        })
        .collect();
    let expected: BTreeMap<String, String> = EXPECTED
        .iter()
        .map(|(route, who)| ((*route).to_owned(), (*who).to_owned()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        found.len(),
        openapi::routes(web::routes).len(),
        "no route stands there twice"
    );
}

#[test]
fn the_public_listener_serves_nothing_that_takes_a_token() {
    for route in openapi::routes(web::routes)
        .iter()
        .filter(|route| route.is_public())
    {
        assert!(
            !matches!(route.access, Access::Role(_)),
            "{} {}",
            route.method,
            route.path
        );
    }
    let public = openapi::routes(web::routes)
        .into_iter()
        .filter(Route::is_public);
    let mut paths: Vec<_> = public.map(|route| route.path).collect();
    paths.dedup();
    let expected = [
        "/hooks/{integration}",
        "/hooks/{integration}/{key}",
        "/hooks/{integration}/{key}/api/v2/alerts",
        "/slack/actions",
        "/sms/{channel}/inbound",
        "/sms/{channel}/status",
        "/healthz",
        "/a/{token}",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_manual_names_every_route_and_no_other() {
    let manual = include_str!("../../../docs/api.md");
    let lines = manual.lines().filter_map(|line| line.strip_prefix("| `"));
    let methods = ["GET ", "POST ", "PUT ", "DELETE "];
    let told = lines.filter(|line| methods.iter().any(|method| line.starts_with(method)));
    let told: Vec<_> = told.filter_map(|line| line.split_once('`')).collect();
    let who_in_words = |access| match access {
        Access::Open => "nothing",
        Access::Role(role) => role.as_str(),
        // Said in more words, because they differ from route to route.
        Access::Signed | Access::Integration => "",
    };
    for route in openapi::routes(web::routes) {
        let name = format!("{} {}", route.method, route.path);
        let line = told.iter().find(|(known, _)| *known == name);
        let (_, rest) = line.unwrap_or_else(|| panic!("{name} is missing"));
        let needs = rest.split('|').nth(1).unwrap_or("").trim();
        let expected = who_in_words(route.access);
        assert!(
            expected.is_empty() || needs == expected,
            "{name} needs {expected}"
        );
    }
    assert_eq!(told.len(), openapi::routes(web::routes).len());
}
