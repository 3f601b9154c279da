//! Who did something, in one form wherever the API names somebody.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::input;

/// Who acted, and how they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// Of the rules; `null` where it is nobody of them, such as a monitor or a token of a machine.
    pub user: Option<String>,
    /// The user's full name; without a user the name of the token, or what they call themselves.
    pub name: String,
    /// `api`, `link`, `slack`, `sms`, `source` (the monitor) or `router` (Reveille itself).
    pub via: String,
}

impl From<&input::Actor> for Actor {
    fn from(actor: &input::Actor) -> Self {
        Self {
            user: actor.user.as_ref().map(ToString::to_string),
            name: actor.name.to_string(),
            via: actor.via.to_string(),
        }
    }
}
