//! Who did something, and by which way.

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::ids::UserName;
use crate::engine::words::words;

/// Who acts, and how they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Name to show.
    pub name: Text,
    /// The user of the rules, if it is one.
    pub user: Option<UserName>,
    pub via: Via,
}

impl Actor {
    const ROUTER: &str = "reveille";
    pub const TYPED: &str = " (typed, not verified)";

    /// The router itself.
    pub fn router() -> Self {
        Self::named(Self::ROUTER, Via::Router)
    }

    /// Nobody of the rules, by a name that is taken as it is.
    pub fn named(name: impl Into<Text>, via: Via) -> Self {
        Self {
            name: name.into(),
            user: None,
            via,
        }
    }

    /// Somebody who said who they are, which nobody verified: the name says so wherever it stands.
    pub fn as_typed(mut self) -> Self {
        self.name = format!("{}{}", self.name, Self::TYPED).into();
        self
    }
}

words! {
    /// The way in which somebody acted.
    pub enum Via {
        Api = "api",
        Link = "link",
        Slack = "slack",
        Sms = "sms",
        /// The monitor itself.
        Source = "source",
        /// The router itself.
        Router = "router",
    }
}
