//! E: no step before its time without a reason, none twice, and the policy as it was at opening.

use std::collections::{BTreeMap, BTreeSet};

use reveille::engine::ids::{IncidentNumber, PageId};
use reveille::engine::incident::{Escalation, Incident, Phase, PolicyRef, Position, Status};
use reveille::engine::page::{Page, PageKind, PageState};
use reveille::engine::time::Now;

use super::super::history::{Seen, Turn};
use super::{Finding, has_reason, incidents, pages};

/// Reasons for which a step may begin before the one before it is over.
const EARLY: &[&str] = &[
    "nobody_on_call",
    "nobody_reached",
    "nobody_named",
    "declined",
    "escalated_by_hand",
    "reassigned",
    "urgency_raised",
    "unacknowledged",
    "silence_over",
    "ack_timeout",
    "snooze_over",
    "join_unanswered",
    "target_gone",
    "round_started",
    "fallback",
];

/// A3, E1, E3, E4.
#[derive(Default)]
pub struct Escalations {
    known: BTreeMap<IncidentNumber, (Status, Escalation, Option<PolicyRef>)>,
    /// Single pages by what called for them.
    calls: BTreeMap<String, PageId>,
    seen: BTreeSet<PageId>,
}

fn standing(incident: &Incident) -> (Status, Escalation, Option<PolicyRef>) {
    let escalation = incident.escalation.clone();
    (incident.status, escalation, incident.policy.clone())
}

/// Where an escalation stands; one that begins anew goes back.
fn place(escalation: &Escalation) -> (u32, usize) {
    let position = match escalation.position {
        Position::Before | Position::Reassigned => 0,
        Position::Step(step) => step,
        Position::Fallback => usize::MAX,
    };
    (escalation.round, position)
}

impl Escalations {
    pub fn see(&mut self, seen: &Seen<'_>) -> Finding {
        match seen {
            Seen::Turned { turn, now, .. } => {
                for incident in incidents(turn) {
                    let finding = self.moved(incident, turn, *now);
                    self.known.insert(incident.number, standing(incident));
                    if finding.is_some() {
                        return finding;
                    }
                }
                pages(turn).find_map(|page| self.called(page, turn))
            }
            Seen::Started { state, .. } => {
                // What died undurable never was.
                let known = state.incidents();
                self.known = known
                    .map(|incident| (incident.number, standing(incident)))
                    .collect();
                self.calls.retain(|_, page| state.page(*page).is_some());
                self.seen.retain(|page| state.page(*page).is_some());
                None
            }
            Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }

    fn moved(&self, incident: &Incident, turn: &Turn, now: Now) -> Finding {
        let (status, before, policy) = self.known.get(&incident.number)?;
        let number = incident.number;
        let is_taken = *status == Status::Acknowledged && incident.status == Status::Acknowledged;
        let has_moved = place(&incident.escalation) > place(before);
        if is_taken && has_moved && !has_reason(turn, number, EARLY) {
            let what = format!("#{number} went on although somebody has it: {before:?}");
            return Some(("A3", what));
        }
        if incident.policy != *policy && !has_reason(turn, number, &["reassigned"]) {
            let what = format!("#{number} had {policy:?} and has {:?}", incident.policy);
            return Some(("E4", what));
        }
        let after = &incident.escalation;
        let is_step = before.phase == Phase::Running
            && after.phase == Phase::Running
            && matches!(before.position, Position::Step(_))
            && place(after) > place(before);
        let due = before.due.filter(|_| is_step)?;
        let is_early = now.steady < due;
        (is_early && !has_reason(turn, number, EARLY)).then(|| {
            let early = due.since(now.steady);
            (
                "E1",
                format!("#{number} went on {early} early: {before:?} to {after:?}"),
            )
        })
    }

    fn called(&mut self, page: &Page, turn: &Turn) -> Finding {
        let user = page.recipient.user()?;
        // Whoever has it is asked again for each alert that joins.
        let is_join = page.why.position == Position::Before;
        if page.state == PageState::Cancelled || page.is_withdrawn {
            // Its first byte never left.
            self.calls.retain(|_, known| *known != page.id);
            return None;
        }
        if page.kind != PageKind::Page || is_join || !self.seen.insert(page.id) {
            return None;
        }
        let known = page.incidents.first()?;
        if has_reason(turn, known.number, EARLY) {
            // It began anew in this very moment.
            return None;
        }
        let (_, escalation, _) = self.known.get(&known.number)?;
        let key = format!(
            "#{} {user} {} {} {:?} step {} {:?}",
            known.number, page.medium, page.address, page.why, page.notify_step, escalation.started
        );
        let first = *self.calls.entry(key.clone()).or_insert(page.id);
        (first != page.id).then(|| ("E3", format!("pages {first} and {} for {key}", page.id)))
    }
}
