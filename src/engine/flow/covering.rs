//! Which silences cover an alert, and an incident whose pages they hold.

use crate::engine::alert::Matchable;
use crate::engine::entry_body::{EscalationEntry, SilenceNames};
use crate::engine::event::Content;
use crate::engine::ids::{IncidentNumber, IntegrationName, SilenceId};
use crate::engine::incident::{Phase, Status};
use crate::engine::matcher::Matcher;
use crate::engine::reason::Reason;
use crate::engine::records::Silence;
use crate::engine::transaction::StepTransaction;
use crate::engine::withdrawal;

/// So many alerts of an incident are asked which silences hold it.
const ALERTS_ASKED_MAX: usize = 1_000;

/// So many silences a line of the timeline names.
const SILENCES_NAMED: usize = 3;

/// The silences in force that cover an alert with this content. The router's own alerts cannot be
/// silenced by matchers meant for others: they must name the integration.
pub fn covering(
    tx: &StepTransaction<'_>,
    integration: &IntegrationName,
    content: &Content,
) -> Vec<SilenceId> {
    let active = tx.active_silences();
    let covering = active
        .iter()
        .filter(|silence| covers(tx, silence, integration, content));
    covering.map(|silence| silence.id).collect()
}

/// Whether a silence covers an alert with this content.
pub fn covers(
    tx: &StepTransaction<'_>,
    silence: &Silence,
    integration: &IntegrationName,
    content: &Content,
) -> bool {
    let fields = tx.effort.counted(Matchable {
        integration,
        content,
    });
    let names_router = || silence.matchers.iter().any(|m| &*m.name == "integration");
    (!integration.is_router() || names_router())
        && silence
            .matchers
            .iter()
            .all(|matcher| matcher.matches(&fields))
}

/// Matchers as people write them.
pub fn written(matchers: &[Matcher]) -> String {
    let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("[{}]", matchers.join(", "))
}

/// Stops the escalation at once and says so.
pub fn hold(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    tx.edit_incident(&number, |incident| {
        incident.is_silenced = true;
        if incident.status == Status::Triggered {
            incident.runs.clear();
            incident.escalation.phase = Phase::Silenced;
            incident.escalation.due = None;
            incident.escalation.skip_wait_reason = None;
        }
    });
    if incident.status != Status::Triggered {
        return;
    }
    withdrawal::withdraw(tx, number);
    let silences = count_held(tx, number);
    let silenced = EscalationEntry::Silenced(named(tx, &silences));
    tx.note(number, Reason::Silenced, silenced);
}

/// Silences as a line of the timeline names them, each with its matchers.
pub fn named(tx: &StepTransaction<'_>, silences: &[SilenceId]) -> SilenceNames {
    let known = silences.iter().filter_map(|id| tx.silence(id));
    let named: Vec<_> = known
        .take(SILENCES_NAMED)
        .map(|silence| (silence.id, written(&silence.matchers).into()))
        .collect();
    let others = silences.len().saturating_sub(named.len());
    SilenceNames {
        named,
        others: u32::try_from(others).unwrap_or(u32::MAX),
    }
}

/// Counts a held page on the silences that hold it, and says which they are.
fn count_held(tx: &mut StepTransaction<'_>, number: IncidentNumber) -> Vec<SilenceId> {
    let alerts = tx.first_alerts_of(number, ALERTS_ASKED_MAX);
    let mut silences: Vec<SilenceId> = alerts
        .iter()
        .filter(|alert| alert.is_silenced())
        .flat_map(|alert| alert.silenced_by.iter().copied())
        .collect();
    silences.sort();
    silences.dedup();
    for id in &silences {
        tx.edit_silence(id, |silence| silence.held_pages += 1);
    }
    silences
}
