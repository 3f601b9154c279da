//! Who gets the free slots of the channels: high urgency first, in turns between endpoints and at
//! each between integrations, at the pace that the endpoint allows.
//!
//! A page waits in its record. With a slot its attempt is recorded, in the commit that frees or
//! finds the slot, and handed to its channel: so what merely waited has used nothing up, and what
//! was handed out before a crash is known.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::channel_state::ChannelState;
use crate::engine::event::Text;
use crate::engine::health::{Health, Turn};
use crate::engine::ids::{ChannelName, IntegrationName, PageId};
use crate::engine::input::Pick;
use crate::engine::ruleset::{ChannelInfo, RuleSet};
use crate::engine::state::lanes::{Lane, Waiting};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::urgency::Urgency;
use crate::engine::{State, budget, channel_health};

/// Of a channel whose targets are servers of their own, one may have this part of the slots.
const SHARE: usize = 4;
/// There, what is under way for longer keeps no slot from others …
const SLOW_AFTER: Duration = Duration::seconds(1);
/// … up to so many times the slots.
const SLOW_FACTOR: usize = 4;
/// Pages that one look gives back from a channel that cannot be used.
const GIVEN_BACK_MAX: usize = 64;

/// What the slots of all channels are ready for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picks {
    /// To be started, or given back where the channel cannot be used; in this order.
    pub now: Vec<Pick>,
    /// If there is none now, when there may be one without anything else happening.
    pub next: Option<MonotonicTime>,
}

/// Looks for pages whose turn it is; those in `skipped` are passed over.
pub fn picks(
    state: &State,
    rules: &RuleSet,
    now: MonotonicTime,
    skipped: &BTreeSet<PageId>,
) -> Picks {
    let mut picks = Picks::default();
    for (name, lane) in state.lanes().filter(|(_, lane)| lane.waiting() > 0) {
        let channel = Channel {
            name,
            lane,
            info: rules.channel(name),
            state: state.channel(name).map(|state| &**state),
            now,
            skipped,
        };
        channel.look(&mut picks);
    }
    if !picks.now.is_empty() {
        picks.next = None;
    }
    picks
}

/// One channel with pages that wait.
struct Channel<'look> {
    name: &'look ChannelName,
    lane: &'look Lane,
    /// `None` if the settings no longer have it.
    info: Option<&'look ChannelInfo>,
    /// `None` before its first attempt.
    state: Option<&'look ChannelState>,
    now: MonotonicTime,
    skipped: &'look BTreeSet<PageId>,
}

/// What one look has taken already.
struct Taken {
    pages: BTreeSet<PageId>,
    endpoints: BTreeMap<Text, usize>,
    turn: Turn,
}

impl Taken {
    /// Nothing yet; the turns go on from where they were.
    fn after(turn: Option<&Turn>) -> Self {
        Self {
            pages: BTreeSet::new(),
            endpoints: BTreeMap::new(),
            turn: turn.cloned().unwrap_or_else(Turn::first),
        }
    }
}

impl Channel<'_> {
    fn look(&self, picks: &mut Picks) {
        let Some(info) = self.info else {
            return self.requeue(picks);
        };
        let has_trial = match self.state.and_then(|state| state.down.as_ref()) {
            Some(down) if !down.is_trial_open => return self.requeue(picks),
            Some(_) => true,
            None => false,
        };
        let free = if has_trial { 1 } else { self.free(info) };
        let mut taken = Taken::after(self.state.and_then(|state| state.turn.as_ref()));
        while taken.pages.len() < free {
            let high = self.next(info, &mut taken, Urgency::High);
            let Some(page) = high.or_else(|| self.next(info, &mut taken, Urgency::Low)) else {
                break;
            };
            picks.now.push(Pick {
                page,
                channel: self.name.clone(),
            });
        }
        if taken.pages.is_empty() {
            picks.next = picks.next.into_iter().chain(self.next_moment(info)).min();
        }
    }

    /// The channel cannot be used: who waits for it uses the next one.
    fn requeue(&self, picks: &mut Picks) {
        let high = pages(self.lane.waiting_at(Urgency::High));
        let all = high.chain(pages(self.lane.waiting_at(Urgency::Low)));
        let all = all.filter(|page| !self.skipped.contains(page));
        picks.now.extend(all.take(GIVEN_BACK_MAX).map(|page| Pick {
            page,
            channel: self.name.clone(),
        }));
    }

    /// How many slots are free.
    fn free(&self, info: &ChannelInfo) -> usize {
        let slots = info.concurrency.max(1);
        let under_way = self.lane.begun().count();
        if info.is_one_endpoint {
            return slots.saturating_sub(under_way);
        }
        let is_slow = |began: &MonotonicTime| self.now.since(*began) >= SLOW_AFTER;
        let quick = under_way - self.lane.begun().filter(is_slow).count();
        let left = (slots * SLOW_FACTOR).saturating_sub(under_way);
        slots.saturating_sub(quick).min(left)
    }

    /// The next page of this urgency whose turn it is, if any can start.
    fn next(&self, info: &ChannelInfo, taken: &mut Taken, urgency: Urgency) -> Option<PageId> {
        let waiting = self.lane.waiting_at(urgency);
        let turn = &taken.turn;
        let found = after(waiting, &turn.endpoint).find_map(|(endpoint, integrations)| {
            if !self.has_place(info, endpoint, taken) {
                return None;
            }
            let is_round_over = turn.is_round_over(endpoint);
            let last = if is_round_over {
                &turn.served
            } else {
                &turn.integration
            };
            let mut turns = after(integrations, last);
            turns.find_map(|(integration, pages)| {
                let mut pages = pages.iter().map(|(_, page)| *page);
                let page = pages.find(|page| self.is_eligible(*page, taken))?;
                Some((endpoint.clone(), integration.clone(), page))
            })
        });
        let (endpoint, integration, page) = found?;
        *taken.endpoints.entry(endpoint.clone()).or_default() += 1;
        taken.pages.insert(page);
        taken.turn = taken.turn.after(endpoint, integration);
        Some(page)
    }

    fn is_eligible(&self, page: PageId, taken: &Taken) -> bool {
        !taken.pages.contains(&page) && !self.skipped.contains(&page)
    }

    /// Whether another attempt to this endpoint may begin.
    fn has_place(&self, info: &ChannelInfo, endpoint: &Text, taken: &Taken) -> bool {
        let now_taken = taken.endpoints.get(endpoint).copied().unwrap_or_default();
        let health = self.health(info, endpoint);
        let is_paced = health.is_some_and(|health| health.pace.per_minute.is_some());
        if is_paced && now_taken > 0 {
            return false;
        }
        if self.waits_until(info, endpoint).is_some() {
            return false;
        }
        if info.is_one_endpoint {
            return true;
        }
        let share = match health.and_then(|health| health.failing_since) {
            // It did not answer: one at a time is enough to learn when it does again.
            Some(_) => 1,
            None => (info.concurrency / SHARE).max(1),
        };
        self.lane.under_way_to(endpoint) + now_taken < share
    }

    fn health(&self, info: &ChannelInfo, endpoint: &Text) -> Option<&Health> {
        self.state
            .and_then(|state| channel_health::health(state, info, endpoint))
    }

    /// Until when nothing may be sent to this endpoint, if that is in the future. A long wait is
    /// no wait here: whoever has it is given back.
    fn waits_until(&self, info: &ChannelInfo, endpoint: &Text) -> Option<MonotonicTime> {
        let health = self.health(info, endpoint)?;
        let paced = health.pace.per_minute.map(|_| health.pace.next);
        let closed = health.closed_until;
        if closed.is_some_and(|until| until > self.now + budget::SHORT_WAIT) {
            return None;
        }
        let until = closed.into_iter().chain(paced).max()?;
        (until > self.now).then_some(until)
    }

    /// When a page that waits may start although nothing else happens.
    fn next_moment(&self, info: &ChannelInfo) -> Option<MonotonicTime> {
        let waiting = [Urgency::High, Urgency::Low].map(|urgency| self.lane.waiting_at(urgency));
        let endpoints = waiting.into_iter().flat_map(BTreeMap::keys);
        let opens = endpoints.filter_map(|endpoint| self.waits_until(info, endpoint));
        let slow = self.lane.begun().map(|began| began + SLOW_AFTER);
        let slow = slow.filter(|at| !info.is_one_endpoint && *at > self.now);
        opens.chain(slow).min()
    }
}

/// All of a map, in turns: from the key after this one on, and round to it.
fn after<'map, K: Ord, V>(
    map: &'map BTreeMap<K, V>,
    key: &K,
) -> impl Iterator<Item = (&'map K, &'map V)> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let behind = map.range((Excluded(key), Unbounded));
    behind.chain(map.range((Unbounded, Included(key))))
}

fn pages(waiting: &Waiting) -> impl Iterator<Item = PageId> {
    let pages = waiting
        .values()
        .flat_map(BTreeMap::<IntegrationName, _>::values);
    pages.flatten().map(|(_, page)| *page)
}
