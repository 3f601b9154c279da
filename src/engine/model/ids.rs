//! Identities. Each kind of thing has a type of its own, so that two ids can never be swapped.
//!
//! Numbers are given out by [`Counters`](crate::engine::counters::Counters) and never reused; names
//! come from rule documents and settings and are shared, not copied.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, formatter)
            }
        }
    };
}

number!(
    /// The short number of an incident, as people say it: `#1042`.
    IncidentNumber
);
number!(
    /// An alert record. The identity towards senders is integration + dedup key.
    AlertId
);
number!(
    /// One message to one contact or channel target; its eight bytes open an acknowledge token.
    PageId
);
number!(
    /// One try to hand a page to a channel.
    AttemptId
);
number!(
    /// The durable record that an event was accepted. Strictly increasing.
    ReceiptId
);
number!(
    /// A silence.
    SilenceId
);
number!(
    /// A schedule override.
    OverrideId
);
number!(
    /// A rule set in history; 0 is "no rules yet".
    Revision
);
number!(
    /// Position of a timeline entry; strictly increasing over the whole partition.
    EntryId
);

number!(
    /// Something begun that goes on in later steps.
    TaskId
);

name!(
    /// A user of the rule documents.
    UserName
);
name!(
    /// A contact of one user, such as `phone`.
    ContactName
);
name!(
    /// A schedule.
    ScheduleName
);
name!(
    /// An escalation policy.
    PolicyName
);
name!(
    /// An integration.
    IntegrationName
);
name!(
    /// A watched provider.
    ProviderName
);
name!(
    /// A status page of ours.
    StatusPageName
);
name!(
    /// A check of our own; one of a provider is `provider/check`.
    OwnCheckName
);
name!(
    /// A route; unnamed routes get their path in the tree.
    RouteName
);
name!(
    /// A channel of the process settings.
    ChannelName
);

impl IntegrationName {
    /// The built-in integration under which the router speaks of its own trouble.
    pub const ROUTER: &'static str = "reveille";

    /// How the names of the built-in integrations begin that speak of providers.
    pub const PROVIDER: &'static str = "provider/";

    /// Whether it speaks of a watched provider.
    pub fn is_provider(&self) -> bool {
        self.as_str().starts_with(Self::PROVIDER)
    }

    /// How the names of the built-in integrations begin that speak of checks of our own.
    pub const CHECK: &'static str = "check/";

    /// Whether it speaks of a check of our own.
    pub fn is_check(&self) -> bool {
        self.as_str().starts_with(Self::CHECK)
    }

    /// Whether this is the router speaking of itself.
    pub fn is_router(&self) -> bool {
        self.as_str() == Self::ROUTER
    }
}

impl ChannelName {
    /// The channel that always exists and prints pages on the terminal.
    pub const CONSOLE: &'static str = "console";
}
