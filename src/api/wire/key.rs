//! Keys of integrations as the API lists them, and as it shows a new one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// `null` for one that stands in the rules, where it is changed.
    pub id: Option<String>,
    pub integration: String,
    /// `api` or `rules`.
    pub origin: String,
    /// What it is for.
    pub name: Option<String>,
    pub created: Option<String>,
    pub created_by: Option<Actor>,
    /// To the minute; not known of a key that stands in the rules.
    pub last_used: Option<String>,
}

/// A key that was just made; it is shown this once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MadeKey {
    pub key: String,
    pub id: String,
    pub integration: String,
}
