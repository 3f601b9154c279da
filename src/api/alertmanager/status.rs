//! Receivers, and the status with the routes as a configuration that `amtool` can read.

use std::fmt::Write as _;

use axum::extract::State;
use serde_json::{Value, json};

use crate::api::extract::Json;
use crate::api::ports::AppState;
use crate::api::wire::alertmanager::Receiver;
use crate::api::wire::silence::alertmanager_time;
use crate::engine::routing::{GroupBy, Node};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Duration;

use super::{NOBODY, receiver};

/// As Alertmanager's API v2
#[utoipa::path(
    get, path = "/api/v2/status", security(("token" = ["viewer"])),
    responses((status = 200))
)]
pub async fn status(State(state): State<AppState>) -> Json<Value> {
    Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": env!("CARGO_PKG_VERSION"),
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "",
        },
        "config": {"original": configuration(&state.handle.rules())},
        "uptime": alertmanager_time(state.started_at),
    }))
}

/// As Alertmanager's API v2
#[utoipa::path(
    get, path = "/api/v2/receivers", security(("token" = ["viewer"])),
    responses((status = 200, body = Vec<Receiver>))
)]
pub async fn receivers(State(state): State<AppState>) -> Json<Vec<Receiver>> {
    let names = names(&state.handle.rules()).into_iter();
    Json(names.map(|name| Receiver { name }).collect())
}

/// All policies, and `none` where a route pages nobody.
fn names(rules: &RuleSet) -> Vec<String> {
    let mut names: Vec<String> = rules.policies.keys().map(ToString::to_string).collect();
    let nodes = rules.tree.all();
    let is_nobody = |node: &&Node| receiver(&node.route) == NOBODY;
    if nodes.is_empty() || nodes.iter().any(is_nobody) {
        names.push(NOBODY.to_owned());
    }
    names
}

/// The routes in Alertmanager's words. Strings stand in double quotes, whose escapes in JSON are
/// escapes in YAML.
fn configuration(rules: &RuleSet) -> String {
    let mut text =
        "# The routes of Reveille: a receiver is a policy, none pages nobody.\n".to_owned();
    text.push_str("route:\n");
    match rules.tree.all().first() {
        Some(root) => write_node(&mut text, root, 1),
        None => line(&mut text, 1, "receiver", &quoted(NOBODY)),
    }
    text.push_str("receivers:\n");
    for name in names(rules) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "- name: {}", quoted(&name));
    }
    text
}

fn write_node(text: &mut String, node: &Node, depth: usize) {
    let route = &node.route;
    line(text, depth, "receiver", &quoted(receiver(route)));
    let labels: Vec<String> = match &route.group_by {
        GroupBy::EachAlert => vec![quoted("...")],
        GroupBy::Labels(labels) => labels.iter().map(|label| quoted(label)).collect(),
    };
    line(text, depth, "group_by", &listed(&labels));
    line(text, depth, "group_wait", &length(route.group_wait));
    if !node.matchers.is_empty() {
        let matchers = node.matchers.iter();
        let matchers: Vec<_> = matchers.map(|known| quoted(&known.to_string())).collect();
        line(text, depth, "matchers", &listed(&matchers));
    }
    if node.go_on {
        line(text, depth, "continue", "true");
    }
    if node.children.is_empty() {
        return;
    }
    line(text, depth, "routes", "");
    for child in &node.children {
        let _ = writeln!(text, "{:1$}-", "", depth * 2);
        write_node(text, child, depth + 1);
    }
}

fn line(text: &mut String, depth: usize, key: &str, value: &str) {
    let written = format!("{key}: {value}");
    let _ = writeln!(text, "{:1$}{2}", "", depth * 2, written.trim_end());
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn listed(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

/// Without spaces, as the original reads it.
fn length(length: Duration) -> String {
    length.to_string().replace(' ', "")
}
