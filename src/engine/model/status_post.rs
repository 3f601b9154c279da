//! Posts on our own status pages: what they are about, and where they are in their lives.

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
