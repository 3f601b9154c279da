//! Incidents that come and go: how often a group opened lately, and when that is too often.

use crate::engine::entry_body::IncidentEntry;
use crate::engine::event::Text;
use crate::engine::ids::IncidentNumber;
use crate::engine::reason::Reason;
use crate::engine::records::Group;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;

/// So many re-triggers within [`FLAP_WINDOW`] make an incident flap.
const FLAP_CHANGES: usize = 5;

/// The time in which re-triggers are counted.
const FLAP_WINDOW: Duration = Duration::minutes(30);

/// Counts an opening of the group; the answer is the generation.
pub fn count_opening(tx: &mut StepTransaction<'_>, key: &Text, number: IncidentNumber) -> u64 {
    if tx.group(key).is_none() {
        tx.put_group(
            key.clone(),
            Group {
                key: key.clone(),
                ..Group::default()
            },
        );
    }
    let now = tx.now.steady;
    let generation = tx.edit_group(key, |group| {
        if group.generation > 0 {
            group.changes.push(now);
        }
        group
            .changes
            .retain(|change| now.since(*change) <= FLAP_WINDOW);
        let surplus = group.changes.len().saturating_sub(FLAP_CHANGES);
        group.changes.drain(..surplus);
        group.generation += 1;
        group.open = Some(number);
        group.forget = None;
        group.generation
    });
    generation.unwrap_or(1)
}

/// A flapping incident stays open until so much quiet.
pub const FLAP_QUIET: Duration = Duration::minutes(10);

/// Whether the incident came and went too often; it then stays open until it is quiet.
pub fn keep_flapping(tx: &mut StepTransaction<'_>, number: IncidentNumber) -> bool {
    let incident = tx.known_incident(number);
    let now = tx.now.steady;
    let group = tx.group(&incident.group_key);
    let changes = group.map_or(0, |group| {
        group
            .changes
            .iter()
            .filter(|change| now.since(**change) <= FLAP_WINDOW)
            .count()
    });
    if incident.flapping_until.is_none() {
        if changes < FLAP_CHANGES || incident.alerts.firing > 0 {
            return false;
        }
        let flapping = IncidentEntry::Flapping {
            changes: u32::try_from(changes).unwrap_or(u32::MAX),
            quiet: FLAP_QUIET,
        };
        tx.note(number, Reason::Flapping, flapping);
    }
    tx.edit_incident(&number, |incident| {
        incident.flapping_until = Some(now + FLAP_QUIET);
    });
    true
}
