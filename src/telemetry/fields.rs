//! Names of log fields: dotted, and the same everywhere.
//!
//! Use them as `tracing::info!({ fields::INCIDENT_ID } = number, "opened")`.

pub const INCIDENT_ID: &str = "incident.id";
pub const INCIDENT_STATUS: &str = "incident.status";
pub const PAGE_ID: &str = "page.id";
pub const PAGE_STATE: &str = "page.state";
pub const ATTEMPT_ID: &str = "attempt.id";
pub const ATTEMPT_OUTCOME: &str = "attempt.outcome";
pub const ATTEMPT_LATENCY_MS: &str = "attempt.latency_ms";
pub const RECEIPT_ID: &str = "receipt.id";
pub const CHANNEL_NAME: &str = "channel.name";
pub const INTEGRATION_NAME: &str = "integration.name";
pub const INTEGRATION_FORMAT: &str = "integration.format";
pub const SCHEDULE_NAME: &str = "schedule.name";
pub const POLICY_NAME: &str = "policy.name";
pub const ROUTE_NAME: &str = "route.name";
pub const USER_NAME: &str = "user.name";
pub const ACTOR_NAME: &str = "actor.name";
pub const TOKEN_ID: &str = "token.id";
pub const RULES_REVISION: &str = "rules.revision";
pub const REASON: &str = "reason";
pub const ERROR: &str = "error";
pub const HTTP_METHOD: &str = "http.method";
pub const HTTP_ROUTE: &str = "http.route";
pub const HTTP_STATUS: &str = "http.status";
