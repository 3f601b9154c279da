//! The alert record: the condition that events speak of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::assertions::{self, Assertions};
use crate::engine::event::{Content, Text};
use crate::engine::ids::{AlertId, IncidentNumber, IntegrationName, SilenceId};
use crate::engine::key;
use crate::engine::matcher::Fields;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::SeverityClass;

/// An alert; identity towards its sender is integration + dedup key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub integration: IntegrationName,
    pub dedup_key: Text,
    /// The name of its integration before that was renamed: its groups go on under it.
    pub former_integration: Option<IntegrationName>,
    pub content: Arc<Content>,
    pub firing: bool,
    /// The source sent an acknowledge event.
    pub acknowledged: bool,
    /// The earliest start that its source asserts; `None` for formats that report moments.
    pub starts_at: Option<Timestamp>,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// Triggers after the first one.
    pub repeats: u64,
    /// Resolves by itself at this moment unless it is asserted again.
    pub expires: Option<MonotonicTime>,
    /// Where rules end it when no report of it comes any more.
    pub unreported: Option<Unreported>,
    /// The senders that assert it, where the format tells them apart.
    pub assertions: Assertions,
    /// When it was resolved, and what time the source gave for that.
    pub resolved_at: Option<Timestamp>,
    pub resolved_source_time: Option<Timestamp>,
    /// When it last began to fire in an incident: later pages name it as joined.
    pub entered: Option<MonotonicTime>,
    /// Open incidents to which it belongs, in the order of the tree.
    pub incidents: Vec<IncidentNumber>,
    /// Its only report was too old: shown, pages nobody until a fresh one comes.
    pub held_old: bool,
    /// Silences that cover it.
    pub silenced_by: Vec<SilenceId>,
    /// Groups whose incident a person resolved while this alert was still asserted.
    pub holds: Vec<Hold>,
    /// A resolved alert is forgotten at this moment.
    pub forget: Option<MonotonicTime>,
}

/// Repeats of an alert whose incident a person resolved are only recorded until `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub group_key: Text,
    pub incident: IncidentNumber,
    pub until: MonotonicTime,
    /// The person's resolve, or a later start that was known then: a start after it is another
    /// condition.
    pub since: Timestamp,
}

impl Alert {
    /// Text for a title: the summary, or what there is instead.
    pub fn title(&self) -> Text {
        if self.content.summary.is_empty() {
            self.dedup_key.clone()
        } else {
            self.content.summary.clone()
        }
    }

    /// An alert that fires from now on and belongs to no incident yet.
    pub fn new(
        id: AlertId,
        integration: IntegrationName,
        dedup_key: Text,
        content: Arc<Content>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            integration,
            dedup_key,
            former_integration: None,
            content,
            firing: true,
            acknowledged: false,
            starts_at: None,
            first_seen: now,
            last_seen: now,
            repeats: 0,
            expires: None,
            unreported: None,
            assertions: Assertions::default(),
            resolved_at: None,
            resolved_source_time: None,
            entered: None,
            incidents: Vec::new(),
            held_old: false,
            silenced_by: Vec::new(),
            holds: Vec::new(),
            forget: None,
        }
    }

    /// Whether it fires and a silence covers it.
    pub fn is_silenced(&self) -> bool {
        self.firing && !self.silenced_by.is_empty()
    }

    /// What makes it a group of its own, whatever its integration is called now.
    pub fn identity(&self) -> String {
        let integration = self.former_integration.as_ref();
        let integration = integration.unwrap_or(&self.integration);
        key::joined(&[integration.as_str(), &self.dedup_key])
    }

    /// The latest start that any of its senders gave.
    pub fn latest_start(&self) -> Option<Timestamp> {
        self.starts_at.max(self.assertions.latest_start())
    }

    /// How long it is remembered once it is over.
    pub fn remembered_for(&self) -> Duration {
        if self.assertions.is_empty() {
            RESOLVES_FOR
        } else {
            assertions::REMEMBERED_FOR
        }
    }

    /// The earliest of its timers.
    pub fn next_due(&self) -> Option<MonotonicTime> {
        let unreported = self.unreported.map(|wait| wait.due());
        let timers = [self.expires, unreported, self.forget];
        timers.into_iter().flatten().min()
    }
}

/// What routes and silences can match of an event: its labels, and the fields under their names
/// where no label has that name; `integration` is always ours.
#[derive(Clone, Copy, Debug)]
pub struct Matchable<'event> {
    pub integration: &'event IntegrationName,
    pub content: &'event Content,
}

impl Fields for Matchable<'_> {
    fn field(&self, name: &str) -> &str {
        if name == "integration" {
            return self.integration.as_str();
        }
        if let Some(value) = self.content.labels.get(name) {
            return value;
        }
        match name {
            "severity" => &self.content.severity,
            "severity_class" => SeverityClass::of(&self.content.severity).as_str(),
            "summary" => &self.content.summary,
            "source" => self.content.source.as_deref().unwrap_or(""),
            "component" => self.content.component.as_deref().unwrap_or(""),
            "group" => self.content.group.as_deref().unwrap_or(""),
            "class" => self.content.class.as_deref().unwrap_or(""),
            "service" => self.content.service.as_deref().unwrap_or(""),
            _ => "",
        }
    }
}

/// How long a resolve of an unknown alert is remembered, and an alert without assertions once it is
/// over.
pub const RESOLVES_FOR: Duration = Duration::minutes(10);

/// The wait for the next report of a firing alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreported {
    /// When it was reported last, or when the wait began anew.
    pub since: MonotonicTime,
    /// Without a report for so long it is over.
    pub resolve_after: Duration,
}

impl Unreported {
    /// When the alert is over unless a report comes.
    pub fn due(&self) -> MonotonicTime {
        self.since + self.resolve_after
    }
}

/// An alert as a message shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSummary {
    /// Of the content, or what stands for it where its sender gave none.
    pub summary: Text,
    pub firing: bool,
    pub first_seen: Timestamp,
    /// All that its monitor sent.
    pub content: Arc<Content>,
}
