//! Posts on our own status pages: what they are about, and where they are in their lives.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::event::Text;
use crate::engine::ids::StatusPageName;
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::time::Timestamp;
use crate::engine::words::words;

words! {
    /// What a post is about.
    pub enum PostKind {
        Incident = "incident",
        Maintenance = "maintenance",
        Announcement = "announcement",
    }
}

words! {
    /// Where a post is in its life, in Statuspage's words.
    pub enum PostState {
        Investigating = "investigating",
        Identified = "identified",
        Monitoring = "monitoring",
        Resolved = "resolved",
        Postmortem = "postmortem",
        Scheduled = "scheduled",
        InProgress = "in_progress",
        Verifying = "verifying",
        Completed = "completed",
    }
}

impl PostState {
    /// Whether nothing is expected to follow.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Postmortem | Self::Completed)
    }
}

impl PostKind {
    /// The state in which a post of this kind begins.
    pub fn first_state(self) -> PostState {
        match self {
            Self::Incident | Self::Announcement => PostState::Investigating,
            Self::Maintenance => PostState::Scheduled,
        }
    }

    /// Whether a post of this kind may be in this state.
    pub fn may_be(self, state: PostState) -> bool {
        match state {
            PostState::Scheduled
            | PostState::InProgress
            | PostState::Verifying
            | PostState::Completed => self == Self::Maintenance,
            PostState::Investigating
            | PostState::Identified
            | PostState::Monitoring
            | PostState::Resolved
            | PostState::Postmortem => self != Self::Maintenance,
        }
    }
}

/// Which post of which page; numbers count up from 1 on each page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PostKey {
    pub page: StatusPageName,
    pub number: u64,
}

impl fmt::Display for PostKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.page, self.number)
    }
}

/// A post with all its updates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPost {
    pub key: PostKey,
    pub kind: PostKind,
    pub title: Text,
    pub state: PostState,
    /// The worst so far, unless somebody said another one.
    pub impact: Impact,
    /// It opened by itself, and ends by itself.
    pub is_automatic: bool,
    /// Nobody but us sees it.
    pub is_draft: bool,
    pub created_at: Timestamp,
    /// When the outage began, which may be earlier than the post.
    pub started_at: Timestamp,
    /// When it was monitored first.
    pub monitoring_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// The window of a maintenance.
    pub scheduled_for: Option<Timestamp>,
    pub scheduled_until: Option<Timestamp>,
    /// Ids of components of the page.
    pub components: Vec<Text>,
    /// The oldest first; never empty.
    pub updates: Vec<StatusPostUpdate>,
    /// By when the next update was promised.
    pub update_due_at: Option<Timestamp>,
    /// It was said that the promised update is overdue.
    pub is_overdue: bool,
    /// When anything of it changed last.
    pub changed_at: Timestamp,
}

/// One update of a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPostUpdate {
    /// From 1 on in each post.
    pub number: u64,
    pub state: PostState,
    /// Markdown.
    pub text: Text,
    pub at: Timestamp,
    pub components: Vec<PostedChange>,
    /// Never shown to readers.
    pub by: Actor,
    pub edited_at: Option<Timestamp>,
}

/// What an update says of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedChange {
    /// The id of the component.
    pub component: Text,
    pub before: ComponentState,
    pub after: ComponentState,
}

impl StatusPost {
    /// Posts of a page that are kept when they are over, besides those that are open.
    pub const OVER_MAX: usize = 200;
    /// Open posts of a page, drafts included.
    pub const OPEN_MAX: usize = 100;
    /// Updates of one post.
    pub const UPDATES_MAX: usize = 200;
    /// Characters of a title and of the text of an update.
    pub const TITLE_CHARACTERS: usize = 200;
    pub const TEXT_CHARACTERS: usize = 10_000;

    /// Whether something may follow by itself: it is no draft and not over.
    pub fn is_open(&self) -> bool {
        !self.is_draft && !self.state.is_over()
    }

    /// Whether this maintenance goes on.
    pub fn is_in_progress(&self) -> bool {
        matches!(self.state, PostState::InProgress | PostState::Verifying)
    }

    /// Whether it says how a component is.
    pub fn is_about(&self, component: &str) -> bool {
        self.components.iter().any(|known| **known == *component)
    }

    /// The last update.
    pub fn last_update(&self) -> &StatusPostUpdate {
        let last = self.updates.last();
        last.expect("a post has at least one update")
    }

    /// Adds an update. Earlier updates stay as they are.
    pub fn add(
        &mut self,
        state: PostState,
        text: Text,
        changes: Vec<PostedChange>,
        (by, at): (Actor, Timestamp),
    ) {
        for change in &changes {
            if !self.is_about(&change.component) {
                self.components.push(change.component.clone());
            }
        }
        let number = self.updates.last().map_or(1, |last| last.number + 1);
        self.updates.push(StatusPostUpdate {
            number,
            state,
            text,
            at,
            components: changes,
            by,
            edited_at: None,
        });
        self.enter(state, at);
    }

    /// It is in this state from now on.
    pub fn enter(&mut self, state: PostState, at: Timestamp) {
        self.state = state;
        self.changed_at = at;
        if state == PostState::Monitoring {
            self.monitoring_at.get_or_insert(at);
        }
        if state.is_over() {
            self.resolved_at.get_or_insert(at);
            self.update_due_at = None;
        } else {
            self.resolved_at = None;
        }
    }

    /// When the clock changes something: a window begins or ends, or an update is overdue.
    pub fn next_due(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let window = match self.state {
            PostState::Scheduled => self.scheduled_for,
            PostState::InProgress | PostState::Verifying => self.scheduled_until,
            _ => None,
        };
        let promise = self.update_due_at.filter(|_| !self.is_overdue);
        window.into_iter().chain(promise).min()
    }
}
