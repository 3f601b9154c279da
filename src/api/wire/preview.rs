//! What would happen to an event, as the API shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alert::{labels, optional};
use super::receipt::Fault;
use super::sentence::Sentence;
use crate::engine::event;
use crate::engine::preview::{self, PreviewPage, PreviewReason};
use crate::engine::time::Duration;

/// The decisions on what was posted; nothing was stored and nobody paged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// In the order of the tree; of several events one after the other.
    pub decisions: Vec<Decision>,
    /// The events as they were understood.
    pub events: Vec<Understood>,
    /// What was not usable.
    pub faults: Vec<Fault>,
}

/// One decision, for one route on which an event lands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    pub dedup_key: String,
    pub route: String,
    pub policy: Option<String>,
    pub service: Option<String>,
    pub urgency: String,
    pub group_key: String,
    /// The number of the open incident that it would join.
    pub joins: Option<u64>,
    /// Whether anybody would be paged.
    pub page: bool,
    pub pages: Vec<PlannedPage>,
    /// Sentences, each why something would or would not be done.
    pub reasons: Vec<String>,
}

/// A page that would leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlannedPage {
    /// `None` for a channel target.
    pub user: Option<String>,
    pub contact: Option<String>,
    pub channel: String,
    /// After the event was accepted, such as `5m`.
    pub after: String,
    /// From 1; `None` is the fallback, or whoever acknowledged what the event joins.
    pub step: Option<u32>,
    pub is_fallback: bool,
    /// The round through the policy, from 1.
    pub round: u32,
}

/// An event as it was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Understood {
    pub action: String,
    pub dedup_key: String,
    pub id: Option<String>,
    /// The time that the source gives.
    pub source_time: Option<String>,
    pub summary: String,
    pub severity: String,
    pub source: Option<String>,
    pub component: Option<String>,
    pub group: Option<String>,
    pub class: Option<String>,
    pub service: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub faults: Vec<Fault>,
}

/// A decision on the event with this key.
pub fn decision(dedup_key: &str, preview: &preview::Preview) -> Decision {
    Decision {
        dedup_key: dedup_key.to_owned(),
        route: preview.route.to_string(),
        policy: preview.policy.as_ref().map(ToString::to_string),
        service: optional(preview.service.as_ref()),
        urgency: preview.urgency.to_string(),
        group_key: preview.group_key.to_string(),
        joins: preview.joins.map(|number| number.0),
        page: preview.page,
        pages: preview.pages.iter().map(planned).collect(),
        reasons: preview.reasons.iter().map(reason).collect(),
    }
}

fn reason(reason: &PreviewReason) -> String {
    match reason {
        PreviewReason::Reason(reason) => reason.meaning().to_owned(),
        PreviewReason::Entry(entry) => Sentence(entry).to_string(),
        PreviewReason::More(count) => format!("{count} more"),
        PreviewReason::Cut { pages } => format!("the preview ends here: {pages} pages"),
    }
}

fn planned(page: &PreviewPage) -> PlannedPage {
    PlannedPage {
        user: page.user.as_ref().map(ToString::to_string),
        contact: page.contact.as_ref().map(ToString::to_string),
        channel: page.channel.to_string(),
        after: after(page.after),
        step: page.step,
        is_fallback: page.is_fallback,
        round: page.round,
    }
}

/// A length of time from the start, which is `0s`.
fn after(span: Duration) -> String {
    if span == Duration::ZERO {
        return "0s".to_owned();
    }
    span.to_string()
}

/// An event as it was understood.
pub fn understood(event: &event::Event) -> Understood {
    let content = &event.content;
    Understood {
        action: event.action.to_string(),
        dedup_key: event.dedup_key.to_string(),
        id: optional(event.id.as_ref()),
        source_time: event.spoken.source_time().map(|at| at.to_string()),
        summary: content.summary.to_string(),
        severity: content.severity.to_string(),
        source: optional(content.source.as_ref()),
        component: optional(content.component.as_ref()),
        group: optional(content.group.as_ref()),
        class: optional(content.class.as_ref()),
        service: optional(content.service.as_ref()),
        labels: labels(&content.labels),
        faults: super::receipt::faults(&event.faults),
    }
}
