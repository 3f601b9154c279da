//! Readers who asked to be told of the posts of a status page, and where each of them stands.

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::time::Timestamp;
use crate::status_page::view::PostView;

/// The number of a subscriber, never given twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SubscriberId(pub u64);

/// Where a reader is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "medium", content = "address", rename_all = "snake_case")]
pub enum SubscriberAddress {
    /// An e-mail address as it was given; its case does not tell readers apart.
    Email(String),
    /// A web address that takes what Statuspage posts.
    Webhook(String),
}

impl SubscriberAddress {
    /// The form by which two addresses are the same reader.
    pub fn folded(&self) -> Self {
        match self {
            Self::Email(address) => Self::Email(address.to_lowercase()),
            Self::Webhook(_) => self.clone(),
        }
    }

    /// The word of its medium.
    pub fn medium(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The address itself, for whoever may see it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) | Self::Webhook(address) => address,
        }
    }
}

/// Why nobody is told any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionEnd {
    Unsubscribed,
    /// An admin took it away.
    Removed,
    /// The address does not exist or does not want us, in its server's words.
    Bounced(String),
    /// Nothing arrived there for days, with what was answered last.
    Failing(String),
}

impl SubscriptionEnd {
    /// The word of the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Removed => "removed",
            Self::Bounced(_) => "bounced",
            Self::Failing(_) => "failing",
        }
    }

    /// What the other side said.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Unsubscribed | Self::Removed => None,
            Self::Bounced(words) | Self::Failing(words) => Some(words),
        }
    }
}

/// Where a subscription is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// It is not known yet whether the address is that of whoever gave it.
    Pending,
    Confirmed {
        at: Timestamp,
    },
    Ended {
        at: Timestamp,
        why: SubscriptionEnd,
    },
}

/// A reader of one status page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscriber {
    pub id: SubscriberId,
    pub page: StatusPageName,
    pub address: SubscriberAddress,
    /// Ids of components; without any all posts are told.
    pub components: Vec<Text>,
    pub state: SubscriptionState,
    pub created_at: Timestamp,
    /// When the last mail was queued that asks for confirmation.
    pub asked_at: Option<Timestamp>,
    /// Since when nothing arrives there.
    pub failing_since: Option<Timestamp>,
}

impl Subscriber {
    pub fn is_confirmed(&self) -> bool {
        matches!(self.state, SubscriptionState::Confirmed { .. })
    }

    /// Whether this reader is to be told of such a post: it is about what they chose, or about
    /// everything, or they chose nothing.
    pub fn wants(&self, post: &PostView) -> bool {
        self.components.is_empty()
            || post.components.is_empty()
            || self
                .components
                .iter()
                .any(|id| post.components.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_page::samples;

    #[test]
    fn readers_are_told_of_what_they_chose_and_of_what_concerns_everybody() {
        let post = |components: &[usize]| PostView {
            components: components.iter().map(|index| samples::id(*index)).collect(),
            ..samples::incident("openopenope1", samples::NOW)
        };
        for (chosen, of_post, expected) in [
            (&[][..], &[0, 5][..], true),
            (&[5], &[0, 5], true),
            (&[3], &[0, 5], false),
            (&[3], &[], true),
        ] {
            let subscriber = Subscriber {
                id: SubscriberId(1),
                page: "public".into(),
                address: SubscriberAddress::Email("ana@example.com".to_owned()),
                components: chosen.iter().map(|index| samples::id(*index)).collect(),
                state: SubscriptionState::Pending,
                created_at: samples::NOW,
                asked_at: None,
                failing_since: None,
            };
            let wants = subscriber.wants(&post(of_post));
            assert_eq!(wants, expected, "{chosen:?} {of_post:?}");
        }
    }
}
