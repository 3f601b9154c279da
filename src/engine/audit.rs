//! The self-audit: does every open incident still have something that will happen?

use super::State;
use super::ids::{ChannelName, IncidentNumber, PageId};
use super::incident::{Incident, Phase, Status};
use super::page::PageState;
use super::ruleset::{ChannelInfo, RuleSet};
use super::state::lanes::Lane;
use super::time::{Duration, Now};

/// A timer may be late by this much before the audit minds.
const SLACK: Duration = Duration::seconds(10);
/// A channel that has had no success for so long fails.
const FAILING_AFTER: Duration = Duration::minutes(1);
/// Stuck incidents and late timers are counted up to this.
const COUNTED_MAX: usize = 1_000;

/// What an audit found; clean when all is empty and zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Incidents that expect an acknowledgment and have no timer, no attempt in flight and no
    /// recorded end of escalation.
    pub stuck: Vec<IncidentNumber>,
    /// Pages under way with no attempt, no slot to wait for and no retry.
    pub idle_pages: Vec<PageId>,
    /// Timers that should have fired a while ago.
    pub overdue: usize,
    /// Incidents that wait under those of providers.
    pub held: usize,
    /// Channels that fail now.
    pub failing: Vec<ChannelName>,
    /// Every channel that made attempts fails.
    pub all_channels_fail: bool,
    /// How many pages wait for a slot on each channel.
    pub waiting: Vec<(ChannelName, usize)>,
}

impl Audit {
    /// Whether the outside heartbeat may be sent.
    pub fn is_clean(&self) -> bool {
        self.stuck.is_empty()
            && self.idle_pages.is_empty()
            && self.overdue == 0
            && !self.all_channels_fail
    }
}

/// Looks at all open incidents and channels.
pub fn audit(state: &State, rules: &RuleSet, now: Now) -> Audit {
    let stuck = state
        .incidents()
        .filter(|incident| is_stuck(state, incident));
    let mut failing = Vec::new();
    let mut tried = 0;
    for channel in state.channels() {
        if rules
            .channel(&channel.name)
            .is_none_or(|info| !info.reaches_people)
        {
            continue;
        }
        if !channel.is_known() {
            continue;
        }
        tried += 1;
        let fails = channel
            .health
            .failing_since
            .is_some_and(|at| now.steady.since(at) >= FAILING_AFTER);
        if channel.down.is_some() || fails {
            failing.push(channel.name.clone());
        }
    }
    Audit {
        stuck: stuck
            .take(COUNTED_MAX)
            .map(|incident| incident.number)
            .collect(),
        idle_pages: idle_pages(state),
        held: state.held_total(),
        overdue: state.overdue(now.steady, SLACK.0, COUNTED_MAX),
        all_channels_fail: tried > 0 && failing.len() == tried,
        failing,
        waiting: rules
            .channels
            .iter()
            .map(|info| waiting(state, info))
            .collect(),
    }
}

fn idle_pages(state: &State) -> Vec<PageId> {
    let pages = state.pages();
    let idle = pages.filter(|page| page.state == PageState::Sending && !page.is_pending());
    idle.take(COUNTED_MAX).map(|page| page.id).collect()
}

fn waiting(state: &State, channel: &ChannelInfo) -> (ChannelName, usize) {
    let waiting = state.lane(&channel.name).map_or(0, Lane::waiting);
    (channel.name.clone(), waiting)
}

/// Invariant L1: a triggered incident that expects an acknowledgment and is not held has a timer,
/// an attempt in flight or a recorded end of its escalation.
fn is_stuck(state: &State, incident: &Incident) -> bool {
    let is_concerned = incident.status == Status::Triggered
        && incident.expects_acknowledgment()
        && !incident.is_silenced;
    let is_over = match incident.escalation.phase {
        Phase::StepsOver | Phase::Exhausted => true,
        Phase::GroupWait
        | Phase::Running
        | Phase::Silenced
        | Phase::Acknowledged
        | Phase::Snoozed
        | Phase::NotExpected
        | Phase::Held
        | Phase::Ended => false,
    };
    is_concerned
        && !is_over
        && incident.next_due().is_none()
        && !state
            .pages_of(incident.number)
            .any(|page| page.in_flight().is_some() || !page.queued.is_empty())
}
