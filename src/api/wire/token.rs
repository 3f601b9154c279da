//! API tokens as the API lists them, and as it shows a new one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the holder of a token may do; each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Responder,
    Admin,
}

impl Role {
    /// All roles, the weakest first.
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Responder, Self::Admin];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }
}

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
