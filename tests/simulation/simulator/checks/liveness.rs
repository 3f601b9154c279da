//! L: whatever is open and wants somebody has something that will happen, and soon enough.

use std::collections::BTreeMap;

use reveille::engine::State;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::incident::{Incident, Phase, Status};
use reveille::engine::page::PageState;
use reveille::engine::time::{Duration, MonotonicTime};

use super::super::history::{Scene, Seen, Turn};
use super::super::marks::{Mark, Marks};
use super::super::providers::Mood;
use super::{Finding, entries, incidents};

/// The longest from an opening to its first attempt where nothing is wrong: a bundled page may wait
/// for the one before it.
const FIRST_ATTEMPT: Duration = Duration::minutes(2);
/// In calm everybody answers: the fallback comes again after half an hour.
const ANSWERED_WITHIN: Duration = Duration::hours(3);

/// A commit that takes longer hangs.
const FLUSH_HANGS: Duration = Duration::seconds(10);

/// L1, L2, L3, L5.
#[derive(Default)]
pub struct Liveness {
    /// Opened while all was well, and not attempted yet.
    fresh: BTreeMap<IncidentNumber, Duration>,
    /// Since when an incident waits for somebody.
    waits_since: BTreeMap<IncidentNumber, Duration>,
    is_anything_wrong: bool,
    /// When the last turn was decided; until it is durable no slot is given.
    turned: Duration,
    /// The next turn is the first of a process.
    is_starting: bool,
}

impl Liveness {
    pub fn see(&mut self, seen: &Seen<'_>, scene: Scene<'_>, marks: &mut Marks) -> Finding {
        match seen {
            Seen::Turned {
                turn, state, now, ..
            } => {
                self.turned = scene.passed;
                if std::mem::take(&mut self.is_starting)
                    && let Some(finding) = burst(turn, marks)
                {
                    return Some(finding);
                }
                for incident in incidents(turn) {
                    let number = incident.number;
                    if let Some(finding) = stuck(state, number) {
                        return Some(finding);
                    }
                    self.follow(state, incident, now.steady, scene);
                }
                for entry in entries(turn) {
                    if !is_followed(entry.reason.as_str()) {
                        self.fresh.remove(&entry.incident);
                    }
                }
                self.late(state, scene)
            }
            Seen::Opened { order, .. } => {
                for brief in &order.message.incidents {
                    self.fresh.remove(&brief.incident.number);
                }
                None
            }
            Seen::Minute { state, .. } => state
                .incidents()
                .find_map(|incident| stuck(state, incident.number)),
            Seen::Died | Seen::ClockJumped => {
                self.fresh.clear();
                None
            }
            Seen::Mood { mood, .. } => {
                self.is_anything_wrong |= *mood != Mood::Healthy;
                self.fresh.clear();
                None
            }
            Seen::Started { state } => {
                self.is_starting = true;
                // Of what a turn decided that was lost with its process nothing holds.
                for incident in state.incidents().filter(|known| waits(known)) {
                    let since = self.waits_since.entry(incident.number);
                    since.or_insert(scene.passed);
                }
                None
            }
            Seen::Durable { .. } => {
                // A flush that hangs is trouble like a provider's: slots are given by commits.
                if scene.passed.0 - self.turned.0 > FLUSH_HANGS.0 {
                    self.fresh.clear();
                }
                None
            }
            Seen::Accepted { .. } | Seen::Acted { .. } | Seen::Answered { .. } => None,
        }
    }

    fn follow(&mut self, state: &State, incident: &Incident, now: MonotonicTime, scene: Scene<'_>) {
        let number = incident.number;
        if !waits(incident) {
            self.waits_since.remove(&number);
            self.fresh.remove(&number);
            return;
        }
        let is_new = !self.waits_since.contains_key(&number);
        self.waits_since.entry(number).or_insert(scene.passed);
        let is_well = state.channels().all(|channel| {
            channel.down.is_none() && channel.health.closed_until.is_none_or(|until| until <= now)
        });
        if is_new
            && is_well
            && !self.is_anything_wrong
            && incident.escalation.phase == Phase::Running
        {
            self.fresh.insert(number, scene.passed);
        }
    }

    fn late(&self, state: &State, scene: Scene<'_>) -> Finding {
        let is_late = |since: Duration| scene.passed.0 > since.0 + FIRST_ATTEMPT.0;
        let mut fresh = self.fresh.iter().filter(|(_, since)| is_late(**since));
        let (number, _) = fresh.find(|(number, _)| state.incident(**number).is_some())?;
        Some((
            "L2",
            format!("#{number} waits for its first attempt since {FIRST_ATTEMPT}"),
        ))
    }

    /// Everybody answers: nothing waits for hours.
    pub fn answered(&self, state: &State, passed: Duration) -> Finding {
        let mut waiting = self.waits_since.iter().filter(|(number, since)| {
            let is_over = state.incident(**number).is_none_or(|incident| {
                !waits(incident)
                    || incident.escalation.phase == Phase::Exhausted
                    || incident.escalation.phase == Phase::StepsOver
            });
            passed.0 > since.0 + ANSWERED_WITHIN.0 && !is_over
        });
        let (number, since) = waiting.next()?;
        let incident = state.incident(*number)?;
        let what = format!(
            "#{number} waits for somebody since {since}: {:?}",
            incident.escalation
        );
        Some(("L3", what))
    }
}

/// Reasons after which an incident goes on to be paged in its time.
fn is_followed(reason: &str) -> bool {
    !matches!(
        reason,
        "withdrawn"
            | "bundled"
            | "unreachable"
            | "no_contact"
            | "contact_stopped"
            | "already_paging"
    )
}

fn waits(incident: &Incident) -> bool {
    incident.status == Status::Triggered && incident.policy.is_some() && !incident.is_silenced
}

/// L1, told independently of the product's own audit.
fn stuck(state: &State, number: IncidentNumber) -> Finding {
    let incident = state.incident(number)?;
    if !waits(incident) {
        return None;
    }
    let has_end = matches!(
        incident.escalation.phase,
        Phase::Exhausted | Phase::StepsOver
    );
    let has_timer =
        incident.escalation.due.is_some() || incident.runs.iter().any(|run| run.due.is_some());
    let in_flight = state.pages_of(number).any(|page| {
        let mut attempts = page.attempts.iter();
        attempts.any(|attempt| attempt.outcome.is_none() && !attempt.is_interrupted)
            || !page.retries.is_empty()
    });
    let is_held = incident.runs.iter().any(|run| !run.held.is_empty());
    (!has_end && !has_timer && !in_flight && !is_held).then(|| {
        let escalation = &incident.escalation;
        (
            "L1",
            format!("nothing will happen to #{number}: {escalation:?}"),
        )
    })
}

/// Everything is well and was answered: nothing is open, nothing is on its way.
pub fn settled(state: &State) -> Finding {
    let open = state
        .incidents()
        .find(|incident| incident.is_open() && incident.about.is_none());
    if let Some(incident) = open {
        let (number, counts) = (incident.number, incident.alerts);
        return Some(("L4", format!("#{number} is still open: {counts:?}")));
    }
    let page = state
        .pages()
        .find(|page| page.state == PageState::Sending)?;
    Some(("R6", format!("page {} is still on its way", page.id)))
}

/// However long the process was away, an incident goes on by one step that reaches somebody.
fn burst(turn: &Turn, marks: &mut Marks) -> Finding {
    let mut steps: BTreeMap<IncidentNumber, i32> = BTreeMap::new();
    for entry in entries(turn) {
        let count = steps.entry(entry.incident).or_default();
        match entry.reason.as_str() {
            "step_started" => *count += 1,
            // Such a step gives way to the next at once.
            "nobody_reached" | "nobody_on_call" => *count -= 1,
            // Nothing of it left: that is withdrawn, and escalation starts anew.
            "urgency_raised" => *count = 0,
            _ => {}
        }
    }
    marks.hit_if(steps.values().any(|count| *count > 0), Mark::OverdueAtStart);
    let (number, count) = steps.into_iter().find(|(_, count)| *count > 1)?;
    let what = format!("#{number} went through {count} steps at a start");
    Some(("L5", what))
}
