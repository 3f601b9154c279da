//! How the process and its clock are, as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the process is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok` or `not_ready`.
    pub status: String,
    /// What is wrong; empty when all is well.
    pub causes: Vec<String>,
    /// Version and source of the time zones in use, such as `2026a (bundled)`.
    pub time_zones: String,
}

/// What was confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedClock {
    /// The wall clock as it is now.
    pub now: String,
    /// How far it had jumped ahead; `null` if it was believed already.
    pub jump_seconds: Option<u64>,
}
