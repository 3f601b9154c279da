//! Alertmanager's API v2, as far as `amtool`, Grafana and others of its tools use it.
//!
//! A receiver of theirs is a policy here; what pages nobody has the receiver `none`. What a list
//! is asked for is read as by the original, which ignores parameters that it does not know.

pub mod alerts;
mod query;
pub mod silences;
pub mod status;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::engine::routing::Route;
use crate::inbound::alertmanager_api;

use super::ingest_answers;
use super::problem::Problem;

/// The receiver of what pages nobody.
const NOBODY: &str = "none";

/// Where an alert on this route goes, in Alertmanager's words.
fn receiver(route: &Route) -> &str {
    let policy = route.policy.as_ref().filter(|_| route.page);
    policy.map_or(NOBODY, |policy| policy.as_str())
}

/// Refuses in the form of the original, where its tools ask: they show no other.
pub async fn refuse_as_alertmanager(request: Request, next: Next) -> Response {
    let is_theirs = is_of_alertmanager(request.uri().path());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) if is_theirs => ingest_answers::refused(&alertmanager_api::FORMAT, &problem),
        Some(_) | None => response,
    }
}

fn is_of_alertmanager(path: &str) -> bool {
    path.starts_with("/api/v2/") || (path.starts_with("/hooks/") && path.contains("/api/v2/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_paths_of_alertmanager_refuse_in_its_form() {
        let cases = [
            ("/api/v2/silences", true),
            ("/hooks/prometheus/key/api/v2/alerts", true),
            ("/hooks/prometheus/key", false),
            ("/v1/silences", false),
            ("/v2/enqueue", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_of_alertmanager(path), expected, "{path}");
        }
    }
}
