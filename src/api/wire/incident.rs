//! Incidents as the API shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::alert::{self, Alert};
use super::page::Page;
use crate::engine::State;
use crate::engine::decision;
use crate::engine::decision::ActResult;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{self, Handled, Phase, SelfIncident};
use crate::engine::time::Now;

/// One or more alerts that one person handles together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    pub number: u64,
    /// Never given to another incident.
    pub id: String,
    /// Counts the openings of the same route and group.
    pub generation: u64,
    /// `triggered`, `acknowledged` or `resolved`.
    pub status: String,
    /// `high` or `low`.
    pub urgency: String,
    pub service: Option<String>,
    /// What it was opened with.
    pub title: String,
    /// What fires now, the most pressing alert first, as in pages: `disk full on db1 +2 more`.
    pub headline: String,
    pub integration: String,
    /// What its alerts share by grouping; for a self-incident its cause and subject.
    pub labels: BTreeMap<String, String>,
    pub route: String,
    /// `None` where nobody is expected to acknowledge.
    pub policy: Option<String>,
    /// Of the rules in force when it opened.
    pub revision: u64,
    pub opened_at: String,
    pub opened_by: Option<Actor>,
    pub acknowledged_at: Option<String>,
    pub acknowledged_by: Option<Actor>,
    pub resolved_at: Option<String>,
    pub resolved_by: Option<Actor>,
    /// When the escalation goes on by itself.
    pub next_step_at: Option<String>,
    /// What the escalation is doing, such as `running`, `snoozed` or `exhausted`.
    pub escalation: String,
    /// From 1.
    pub round: u32,
    pub silenced: bool,
    /// The incident of a provider under which it waits; pages nobody meanwhile.
    pub held_under: Option<u64>,
    /// The provider's incident to which it may be due.
    pub provider_incident: Option<u64>,
    /// Incidents that wait under this one of a provider, up to 100.
    pub waiting: Vec<u64>,
    pub waiting_total: u64,
    pub flapping: bool,
    /// A person resolved it while its source still asserts it.
    pub still_firing: bool,
    pub notes: Vec<Note>,
    pub alerts_total: u64,
    pub alerts_firing: u64,
    /// The first 100; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<Alert>>,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_total: Option<u64>,
    /// The first 100; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<Vec<Page>>,
}

/// A person's words on an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    pub at: String,
    pub by: Actor,
    pub text: String,
}

/// What became of an act on one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Acted {
    pub number: u64,
    /// `done`, `already_so`, `not_open` or `not_found`.
    pub result: String,
    pub status: Option<String>,
    pub acknowledged_at: Option<String>,
    /// Who was first.
    pub acknowledged_by: Option<Actor>,
    /// Other open incidents with one of its alerts.
    pub linked: Vec<u64>,
}

/// What became of each of several incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ManyActed {
    pub results: Vec<Acted>,
}

/// The incident that a page by hand opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    pub number: u64,
}

/// An incident of the state or of history, without its alerts and pages.
pub fn incident(incident: &incident::Incident, headline: String, now: Now) -> Incident {
    let notes = incident.notes.iter().map(|note| Note {
        at: note.at.to_string(),
        by: (&note.by).into(),
        text: note.text.to_string(),
    });
    let mut labels = alert::labels(&incident.group_labels);
    if let Some(trouble) = &incident.about {
        labels.extend(trouble_labels(trouble));
    }
    let policy = incident.policy.as_ref();
    Incident {
        number: incident.number.0,
        id: format!("incident-{}", incident.number),
        generation: incident.generation,
        status: incident.status.to_string(),
        urgency: incident.urgency.to_string(),
        service: alert::optional(incident.service.as_ref()),
        title: incident.title.to_string(),
        headline,
        integration: incident.integration.to_string(),
        labels,
        route: incident.route.to_string(),
        policy: policy.map(|pinned| pinned.name.to_string()),
        revision: incident.revision.0,
        opened_at: incident.opened_at.to_string(),
        opened_by: incident.opened_by.as_ref().map(Actor::from),
        acknowledged_at: moment(incident.acknowledged.as_ref()),
        acknowledged_by: actor(incident.acknowledged.as_ref()),
        resolved_at: moment(incident.resolved.as_ref()),
        resolved_by: actor(incident.resolved.as_ref()),
        next_step_at: next_step_at(incident, now),
        escalation: phase(incident.escalation.phase).to_owned(),
        round: incident.escalation.round + 1,
        silenced: incident.is_silenced,
        held_under: None,
        provider_incident: None,
        waiting: Vec::new(),
        waiting_total: 0,
        flapping: incident.flapping_until.is_some(),
        still_firing: incident.still_firing,
        notes: notes.collect(),
        alerts_total: incident.alerts.total.into(),
        alerts_firing: incident.alerts.firing.into(),
        alerts: None,
        pages_total: None,
        pages: None,
    }
}

/// The same with what it depends on and what depends on it, as the state has them.
pub fn incident_in(state: &State, known: &incident::Incident, now: Now) -> Incident {
    let mut shown = incident(known, state.headline(known), now);
    add_dependencies(&mut shown, state);
    shown
}

/// Adds what an incident depends on and what depends on it.
pub fn add_dependencies(shown: &mut Incident, state: &State) {
    let number = IncidentNumber(shown.number);
    if let Some(dependent) = state.dependent(number) {
        let held = dependent.held.as_ref();
        shown.held_under = held.map(|held| held.under.0);
        shown.provider_incident = dependent.told.map(|told| told.0);
    }
    let waiting = state.held_under(number);
    shown.waiting = waiting.take(WAITING_MAX).map(|held| held.0).collect();
    shown.waiting_total = state.held_under(number).count() as u64;
}

/// Incidents shown that wait under another one.
const WAITING_MAX: usize = 100;

fn moment(handled: Option<&Handled>) -> Option<String> {
    handled.map(|handled| handled.at.to_string())
}

fn actor(handled: Option<&Handled>) -> Option<Actor> {
    handled.map(|handled| Actor::from(&handled.actor()))
}

fn next_step_at(incident: &incident::Incident, now: Now) -> Option<String> {
    let due = incident.escalation.due.filter(|_| incident.is_open())?;
    Some(now.wall_of(due).to_string())
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::GroupWait => "group_wait",
        Phase::Running => "running",
        Phase::Silenced => "silenced",
        Phase::Acknowledged => "acknowledged",
        Phase::Snoozed => "snoozed",
        Phase::StepsOver => "steps_over",
        Phase::Exhausted => "exhausted",
        Phase::NotExpected => "not_expected",
        Phase::Ended => "ended",
        Phase::Held => "held",
    }
}

/// The labels by which a self-incident names its cause and subject.
fn trouble_labels(trouble: &SelfIncident) -> Vec<(String, String)> {
    let mut labels = vec![("cause".to_owned(), trouble.cause.to_string())];
    if !trouble.subject.is_empty() {
        let kind = trouble.cause.subject_kind().to_owned();
        labels.push((kind, trouble.subject.to_string()));
    }
    labels
}

/// What became of an act.
pub fn acted(acted: &decision::Acted) -> Acted {
    let result = match acted.result {
        ActResult::Done => "done",
        ActResult::AlreadySo => "already_so",
        ActResult::NotOpen => "not_open",
        ActResult::NotFound => "not_found",
    };
    Acted {
        number: acted.number.0,
        result: result.to_owned(),
        status: acted.status.map(|status| status.to_string()),
        acknowledged_at: moment(acted.acknowledged.as_ref()),
        acknowledged_by: actor(acted.acknowledged.as_ref()),
        linked: acted.linked.iter().map(|number| number.0).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cause::Cause;
    use crate::engine::samples;
    use crate::engine::time::{MonotonicTime, Timestamp};

    #[test]
    fn the_next_step_is_told_on_the_wall_clock_while_the_incident_is_open() {
        let now = Now {
            wall: Timestamp(1_000_000),
            steady: MonotonicTime(50_000),
            seed: 0,
        };
        let mut sample = samples::triggered_incident();
        sample.escalation.due = Some(MonotonicTime(350_000));
        let shown = incident(&sample, String::new(), now);
        assert_eq!(shown.next_step_at.as_deref(), Some("1970-01-01T00:21:40Z"));
        sample.status = incident::Status::Resolved;
        assert_eq!(incident(&sample, String::new(), now).next_step_at, None);
    }

    #[test]
    fn a_self_incident_names_its_subject_in_its_labels() {
        let cases = [
            (Cause::ChannelCredential, "slack", "channel"),
            (Cause::ScheduleGap, "night", "schedule"),
            (Cause::TooLarge, "billing", "integration"),
        ];
        for (cause, subject, kind) in cases {
            let mut sample = samples::triggered_incident();
            sample.about = Some(SelfIncident {
                cause,
                subject: subject.into(),
            });
            let shown = incident(&sample, String::new(), Now::default());
            assert_eq!(shown.labels.get(kind).map(String::as_str), Some(subject));
            assert_eq!(
                shown.labels.get("cause").map(String::as_str),
                Some(cause.as_str())
            );
        }
    }

    #[test]
    fn an_incident_has_the_fields_of_the_contract() {
        let shown = incident(
            &samples::triggered_incident(),
            String::new(),
            Now::default(),
        );
        let shown = serde_json::to_value(shown).unwrap();
        let fields = [
            "number",
            "id",
            "generation",
            "status",
            "urgency",
            "service",
            "title",
            "headline",
            "route",
            "policy",
            "revision",
            "opened_at",
            "acknowledged_at",
            "acknowledged_by",
            "resolved_at",
            "resolved_by",
            "next_step_at",
        ];
        for field in fields {
            assert!(shown.get(field).is_some(), "{field}");
        }
    }
}
