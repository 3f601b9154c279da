//! What a provider's status page says at one look, in one vocabulary for all kinds of pages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::time::Timestamp;
use crate::engine::words::words;

words! {
    /// How a component is, from well to bad. Maintenance and *unknown* are apart from both.
    pub enum ComponentState {
        Operational = "operational",
        Degraded = "degraded_performance",
        PartialOutage = "partial_outage",
        MajorOutage = "major_outage",
        Maintenance = "under_maintenance",
        Unknown = "unknown",
    }
}

impl ComponentState {
    /// Whether the page admits trouble with it.
    pub fn is_down(self) -> bool {
        matches!(
            self,
            Self::Degraded | Self::PartialOutage | Self::MajorOutage
        )
    }

    /// How bad it is beside others: *unknown* counts for more than what is well, since nobody may
    /// call the whole well then, and for less than any trouble that is known.
    pub fn rank(self) -> u8 {
        match self {
            Self::Operational => 0,
            Self::Maintenance => 1,
            Self::Unknown => 2,
            Self::Degraded => 3,
            Self::PartialOutage => 4,
            Self::MajorOutage => 5,
        }
    }

    /// The impact of a component that is like this without an incident that says so.
    pub fn impact(self) -> Impact {
        match self {
            Self::Degraded => Impact::Minor,
            Self::PartialOutage => Impact::Major,
            Self::MajorOutage => Impact::Critical,
            Self::Maintenance => Impact::Maintenance,
            Self::Operational | Self::Unknown => Impact::None,
        }
    }
}

words! {
    /// How bad the provider says that an incident is; this is what it admits, not what happened.
    pub enum Impact {
        Maintenance = "maintenance",
        None = "none",
        Minor = "minor",
        Major = "major",
        Critical = "critical",
    }
}

impl Impact {
    /// How a component is that has an incident this bad; an outage that is described is not
    /// nothing.
    pub fn state(self) -> ComponentState {
        match self {
            Self::Maintenance => ComponentState::Maintenance,
            Self::None | Self::Minor => ComponentState::Degraded,
            Self::Major => ComponentState::PartialOutage,
            Self::Critical => ComponentState::MajorOutage,
        }
    }
}

words! {
    /// Where an incident or a maintenance is in its life, by the page's own word.
    pub enum ReportPhase {
        /// A maintenance that is announced.
        Scheduled = "scheduled",
        /// Also every word that is not known: an incident is open until it is said to be closed.
        Open = "open",
        Closed = "closed",
    }
}

words! {
    /// Which incidents a page lists.
    pub enum Listing {
        /// Those that are open: one that is no longer listed has ended.
        OpenOnly = "open_only",
        /// Also those that ended a while ago: one that is no longer listed was withdrawn.
        WithHistory = "with_history",
    }
}

/// What a status page says at one look.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusReport {
    /// What tells this page from another one under the same address: the kind's id of the page, or
    /// its name where the kind has none.
    pub page: Text,
    /// As people know it.
    pub name: Text,
    pub components: Vec<ReportedComponent>,
    /// In the order of the page; each id once.
    pub incidents: Vec<Arc<ReportedIncident>>,
    pub listing: Listing,
    /// Words that no table knows, such as `impact "MEDIUM"`; each once. They were read as the worse
    /// side.
    pub unknown_words: Vec<Text>,
    /// Rows that could not be read and were left out.
    pub skipped_components: usize,
    pub skipped_incidents: usize,
}

/// A component of a page. Rows that only hold others are none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReportedComponent {
    /// The page's own id, or [`Self::full_name`] where it has none.
    pub id: Text,
    pub name: Text,
    pub group: Option<Text>,
    pub state: ComponentState,
}

impl ReportedComponent {
    /// Its name as filters and people write it: `group / name`.
    pub fn full_name(&self) -> Text {
        match &self.group {
            Some(group) => format!("{group} / {}", self.name).into(),
            None => self.name.clone(),
        }
    }
}

/// An incident or a maintenance, as the page tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReportedIncident {
    /// The kind's own id; never its title, position or link unless the kind has nothing else.
    pub id: Text,
    /// One line.
    pub title: Text,
    /// The newest update as plain text, cut to [`ReportedIncident::TEXT_CHARACTERS`].
    pub text: Text,
    pub url: Option<Text>,
    pub impact: Impact,
    pub phase: ReportPhase,
    /// The page's own word for its state, such as `investigating`; shown, never decided by.
    pub state_word: Text,
    pub is_maintenance: bool,
    /// The ids of the components that it names, and names of scopes that are no components, such as
    /// regions. Empty: it concerns everybody.
    pub components: Vec<Text>,
    /// The onset, as far as the page tells it in a field.
    pub started_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// The window of a maintenance; the end may be open.
    pub window: Option<(Timestamp, Option<Timestamp>)>,
}

impl ReportedIncident {
    /// Characters of text that are kept of an incident.
    pub const TEXT_CHARACTERS: usize = 2_000;

    /// Whether it is a maintenance whose window is open now: by the clock and not by the word
    /// alone, since pages call announced ones by the same word.
    pub fn is_maintenance_at(&self, now: Timestamp) -> bool {
        let Some((from, until)) = self.window.filter(|_| self.phase != ReportPhase::Closed) else {
            return self.is_maintenance && self.phase == ReportPhase::Open;
        };
        self.is_maintenance && from <= now && until.is_none_or(|until| now < until)
    }
}
