//! What people do on our own status pages.

use crate::engine::actor::Actor;
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::time::{Duration, Timestamp};

/// Somebody does something on a status page of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusAct {
    pub page: StatusPageName,
    pub actor: Actor,
    pub kind: StatusActKind,
}

/// What is done.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusActKind {
    /// A new post.
    Post(NewPost),
    /// Another update of a post.
    Update { post: u64, said: SaidUpdate },
    /// Other words for an update that was made, or for the title.
    Edit {
        post: u64,
        /// The number of the update; the last one without it.
        update: Option<u64>,
        title: Option<Text>,
        text: Option<Text>,
    },
    /// Readers may see a draft.
    Publish { post: u64 },
    /// Takes a post away, whoever has read it.
    Delete { post: u64 },
    /// Says how a component is until a moment, whatever the rules say.
    Set {
        component: Text,
        state: ComponentState,
        until: Timestamp,
    },
    /// The rules say again how a component is.
    FollowRules { component: Text },
}

/// A post as somebody writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPost {
    pub kind: PostKind,
    pub title: Text,
    /// The window of a maintenance.
    pub scheduled_for: Option<Timestamp>,
    pub scheduled_until: Option<Timestamp>,
    pub is_draft: bool,
    pub said: SaidUpdate,
}

/// What an update says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaidUpdate {
    /// As before, or the first one of the kind, without it.
    pub state: Option<PostState>,
    /// The text of the rules for the state without it.
    pub text: Option<Text>,
    pub impact: Option<Impact>,
    /// Components by id or name, and how they are if somebody says so.
    pub components: Vec<(Text, Option<ComponentState>)>,
    /// The next update is promised within so long.
    pub next_within: Option<Duration>,
}
