//! What readers may know of a status page: the one projection of which all its forms are made.

use crate::engine::event::Text;
use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::time::{Duration, Timestamp};

/// A status page at one moment. Lists are complete; each form of it shows as much as it has room
/// for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusPageView {
    /// The name in the rules.
    pub name: Text,
    pub title: Text,
    /// Twelve lower-case letters and digits, the same for ever.
    pub id: Text,
    /// Where readers find it, without a slash at the end: `https://status.example.com` or
    /// `https://reveille.example.com/status`.
    pub url: Text,
    /// A language tag, such as `en`.
    pub language: Text,
    /// Whether it asks search engines to stay away, as pages with a password do.
    pub is_public: bool,
    pub as_of: Timestamp,
    /// When anything that it shows changed last.
    pub updated_at: Timestamp,
    /// False where the process cannot be sure that this is how things are now: it says
    /// "last known, as of …".
    pub is_certain: bool,
    pub components: Vec<ComponentNode>,
    /// Posts that are open and no announcements of maintenance, the newest first.
    pub open: Vec<PostView>,
    /// Maintenance that is in progress or to come, the next first.
    pub maintenance: Vec<PostView>,
    /// What is over, the newest first.
    pub past: Vec<PostView>,
}

/// A place in the tree of components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentNode {
    Group(ComponentGroup),
    Component(ComponentView),
}

/// Components under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentGroup {
    pub id: Text,
    pub name: Text,
    pub components: Vec<ComponentView>,
}

/// A component and its last ninety days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentView {
    /// Twelve lower-case letters and digits, the same while page and name stay.
    pub id: Text,
    pub name: Text,
    pub description: Text,
    /// As it is published; [`ComponentState::Unknown`] where what it depends on cannot be read.
    pub state: ComponentState,
    /// What it was before it became unknown, for readers that know no such word.
    pub last_known: ComponentState,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was first on the page.
    pub created_at: Timestamp,
    /// The oldest first, today last; days before `created_at` are absent.
    pub days: Vec<ComponentDay>,
}

/// How long a component was how on one day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentDay {
    /// Its first moment.
    pub begins: Timestamp,
    pub degraded: Duration,
    pub partial_outage: Duration,
    pub major_outage: Duration,
    pub maintenance: Duration,
    pub unknown: Duration,
    /// How much of the day is known of at all: it may have begun later, and today is not over.
    pub observed: Duration,
}

/// A published post with all its updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostView {
    /// Twelve lower-case letters and digits, the same for ever.
    pub id: Text,
    pub kind: PostKind,
    pub title: Text,
    pub state: PostState,
    pub impact: Impact,
    /// It opened by itself, and nobody wrote it.
    pub is_automatic: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When the outage began, which may be earlier than the post.
    pub started_at: Timestamp,
    pub monitoring_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    /// The window of a maintenance.
    pub scheduled_for: Option<Timestamp>,
    pub scheduled_until: Option<Timestamp>,
    /// Ids of components of the page.
    pub components: Vec<Text>,
    /// The newest first; never empty.
    pub updates: Vec<PostUpdateView>,
}

/// One update of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostUpdateView {
    pub id: Text,
    pub state: PostState,
    /// Markdown, as whoever wrote it wrote it.
    pub text: Text,
    pub at: Timestamp,
    pub components: Vec<ComponentChange>,
}

/// What an update said of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentChange {
    pub id: Text,
    pub name: Text,
    pub before: ComponentState,
    pub after: ComponentState,
}
