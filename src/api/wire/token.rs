//! API tokens as the API lists them, and as it shows a new one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::auth::Role;

/// A token as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    pub id: String,
    pub name: String,
    pub user: Option<String>,
    pub role: Role,
    pub created: String,
    pub expires: Option<String>,
    pub last_used: Option<String>,
}

/// A token that was just made; its secret is shown this once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    pub token: String,
    pub id: String,
    pub role: Role,
    pub expires: Option<String>,
}
