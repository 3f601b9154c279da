//! A lane: the orders that wait for one channel. High urgency first, fair between integrations,
//! a cap on what is under way, and the pace that the provider allows.
//!
//! Plain data under given time; `sender.rs` surrounds it with tasks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::decision::Order;
use crate::engine::ids::{AttemptId, IntegrationName};
use crate::engine::time::Millis;
use crate::engine::urgency::Urgency;
use crate::outbound::Mark;

/// A provider that asks for a longer wait gets its waiting orders back to the engine at once, which
/// uses the next channel or contact.
const WAIT_HELD_MAX: Millis = Millis::seconds(5);
/// The slowest pace after throttling, in messages a minute.
const PACE_MIN: u64 = 6;
/// Faster than this the pace is no limit any more.
const PACE_FREE: u64 = 60_000;

/// What a lane says when asked for the next order.
#[derive(Debug)]
pub enum Next {
    /// Hand this to the channel now: it counts as under way. The mark is set when it is cancelled.
    Start {
        order: Arc<Order>,
        mark: Mark,
        /// How long it stood in the lane.
        waited: Millis,
    },
    /// Nothing before this moment.
    NotBefore(Millis),
    /// Nothing waits, or the cap is reached.
    Idle,
}

/// Orders of one channel. Moments are given as time since some fixed start.
#[derive(Debug)]
pub struct Lane {
    concurrency: usize,
    under_way: BTreeMap<AttemptId, Mark>,
    high: Fair,
    low: Fair,
    closed_until: Millis,
    /// Messages a minute; `None` is as fast as they come.
    pace: Option<u64>,
    next_slot: Millis,
    /// Starts within the last second, for a first guess at the pace.
    recent: VecDeque<Millis>,
}

/// Round-robin over integrations.
#[derive(Debug, Default)]
struct Fair {
    /// Each with the moment at which it came.
    waiting: BTreeMap<IntegrationName, VecDeque<(Arc<Order>, Millis)>>,
    last: Option<IntegrationName>,
}

impl Fair {
    fn push(&mut self, order: Arc<Order>, now: Millis) {
        self.waiting
            .entry(order.integration.clone())
            .or_default()
            .push_back((order, now));
    }

    fn pop(&mut self) -> Option<(Arc<Order>, Millis)> {
        let last = self.last.clone();
        let later = self
            .waiting
            .keys()
            .find(|name| last.as_ref().is_none_or(|l| *name > l));
        let name = later.or_else(|| self.waiting.keys().next())?.clone();
        let orders = self.waiting.get_mut(&name)?;
        let order = orders.pop_front();
        if orders.is_empty() {
            self.waiting.remove(&name);
        }
        self.last = Some(name);
        order
    }

    fn remove(&mut self, attempt: AttemptId) -> bool {
        let mut is_found = false;
        self.waiting.retain(|_, orders| {
            let before = orders.len();
            orders.retain(|(order, _)| order.attempt != attempt);
            is_found |= orders.len() != before;
            !orders.is_empty()
        });
        is_found
    }

    fn drain(&mut self) -> Vec<Arc<Order>> {
        std::mem::take(&mut self.waiting)
            .into_values()
            .flatten()
            .map(|(order, _)| order)
            .collect()
    }

    fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}

impl Lane {
    /// An empty lane with at most so many attempts under way.
    pub fn new(concurrency: usize) -> Self {
        Self {
            concurrency: concurrency.max(1),
            under_way: BTreeMap::new(),
            high: Fair::default(),
            low: Fair::default(),
            closed_until: Millis::ZERO,
            pace: None,
            next_slot: Millis::ZERO,
            recent: VecDeque::new(),
        }
    }

    /// Adds an order. If the provider asked for a long wait it is given back with what is left
    /// of it.
    pub fn push(&mut self, order: Arc<Order>, now: Millis) -> Result<(), (Arc<Order>, Millis)> {
        let left = Millis(self.closed_until.0.saturating_sub(now.0));
        if left > WAIT_HELD_MAX {
            return Err((order, left));
        }
        match order.urgency {
            Urgency::High => self.high.push(order, now),
            Urgency::Low => self.low.push(order, now),
        }
        Ok(())
    }

    /// The next order whose time has come.
    pub fn next(&mut self, now: Millis) -> Next {
        if self.under_way.len() >= self.concurrency || self.waiting() == 0 {
            return Next::Idle;
        }
        let earliest = self.closed_until.max(self.next_slot);
        if earliest > now {
            return Next::NotBefore(earliest);
        }
        let Some((order, came)) = self.high.pop().or_else(|| self.low.pop()) else {
            return Next::Idle;
        };
        let mark = Mark::default();
        self.under_way.insert(order.attempt, mark.clone());
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now.0 - at.0 > 1_000) {
            self.recent.pop_front();
        }
        if let Some(pace) = self.pace {
            self.next_slot = Millis(now.0 + 60_000 / pace.max(1));
        }
        let waited = Millis(now.0.saturating_sub(came.0));
        Next::Start {
            order,
            mark,
            waited,
        }
    }

    /// Takes a waiting order out, or marks it if its channel has it: the channel tests the mark
    /// before the first byte. Whether it was still waiting.
    pub fn cancel(&mut self, attempt: AttemptId) -> bool {
        if let Some(mark) = self.under_way.get(&attempt) {
            mark.withdraw();
            return false;
        }
        self.high.remove(attempt) || self.low.remove(attempt)
    }

    /// An attempt ended well or badly, but not by throttling.
    pub fn ended(&mut self, attempt: AttemptId, is_success: bool) {
        self.under_way.remove(&attempt);
        if let Some(pace) = self.pace.filter(|_| is_success) {
            // Additive: about five messages a second more with every second of success.
            let faster = pace + (18_000 / pace.max(1)).clamp(1, 60);
            self.pace = (faster < PACE_FREE).then_some(faster);
        }
    }

    /// The provider asked to wait. Orders that would have to wait long are given back.
    pub fn throttled(&mut self, attempt: AttemptId, wait: Millis, now: Millis) -> Vec<Arc<Order>> {
        self.under_way.remove(&attempt);
        let is_new = self.closed_until <= now;
        self.closed_until = self.closed_until.max(Millis(now.0 + wait.0));
        if is_new {
            // Several refusals of one burst slow the lane down once.
            let measured = self.recent.len() as u64 * 60;
            let pace = self.pace.unwrap_or(measured).max(PACE_MIN * 2);
            self.pace = Some((pace / 2).max(PACE_MIN));
        }
        if wait <= WAIT_HELD_MAX {
            return Vec::new();
        }
        let mut given_back = self.high.drain();
        given_back.extend(self.low.drain());
        given_back
    }

    /// How many attempts are with the channel.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// How many orders wait.
    pub fn waiting(&self) -> usize {
        self.high.len() + self.low.len()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::decision::{Message, TokenSubject};
    use crate::engine::incident::{Position, Why};
    use crate::engine::page::{PageKind, Recipient};
    use crate::engine::ruleset::Medium;
    use crate::outbound::Withdrawn;

    pub(in crate::runtime) fn order(
        attempt: u64,
        urgency: Urgency,
        integration: &str,
    ) -> Arc<Order> {
        Arc::new(Order {
            attempt: AttemptId(attempt),
            page: crate::engine::ids::PageId(attempt),
            channel: "sms".into(),
            medium: Medium::Sms,
            address: "+351912345678".into(),
            urgency,
            integration: integration.into(),
            asks: true,
            message: Message {
                kind: PageKind::Page,
                recipient: Recipient::Channel {
                    channel: "sms".into(),
                },
                recipient_name: None,
                time_zone: "UTC".into(),
                incidents: Vec::new(),
                incidents_total: 1,
                token: TokenSubject {
                    page: crate::engine::ids::PageId(attempt),
                    generation: 1,
                    user: None,
                },
                why: Why {
                    route: "root".into(),
                    policy: None,
                    position: Position::Before,
                    round: 0,
                    schedule: None,
                    revision: crate::engine::ids::Revision(1),
                },
                news: None,
                written_at: crate::engine::time::Wall(0),
            },
            place: None,
            is_plain: false,
            deadline: Millis::seconds(15),
        })
    }

    fn started(lane: &mut Lane, now: Millis) -> Vec<u64> {
        let mut started = Vec::new();
        while let Next::Start { order, .. } = lane.next(now) {
            started.push(order.attempt.0);
        }
        started
    }

    fn not_before(lane: &mut Lane, now: Millis) -> Millis {
        match lane.next(now) {
            Next::NotBefore(moment) => moment,
            other => panic!("{other:?}"),
        }
    }

    /// A lane that was throttled after a hundred messages in a second: fifty a second are left.
    fn throttled_lane() -> Lane {
        let mut lane = Lane::new(100);
        for attempt in 0..1_500 {
            assert!(
                lane.push(order(attempt, Urgency::High, "a"), Millis(0))
                    .is_ok()
            );
        }
        for attempt in started(&mut lane, Millis(0)) {
            lane.throttled(AttemptId(attempt), Millis::seconds(1), Millis(0));
        }
        lane
    }

    /// How many leave in one second, each of which succeeds at once.
    fn leaving_in_a_second(lane: &mut Lane, from: Millis) -> usize {
        let mut now = from;
        let mut count = 0;
        while now.0 < from.0 + 1_000 {
            match lane.next(now) {
                Next::Start { order, .. } => {
                    count += 1;
                    lane.ended(order.attempt, true);
                }
                Next::NotBefore(moment) => now = moment,
                Next::Idle => panic!("orders wait"),
            }
        }
        count
    }

    #[test]
    fn several_refusals_of_one_burst_slow_the_lane_down_once() {
        let count = leaving_in_a_second(&mut throttled_lane(), Millis::seconds(1));
        assert!((50..=56).contains(&count), "{count}");
    }

    #[test]
    fn each_second_of_success_adds_about_five_messages_a_second_and_does_not_multiply() {
        let mut lane = throttled_lane();
        let mut counts = Vec::new();
        for second in 1..=10 {
            counts.push(leaving_in_a_second(&mut lane, Millis::seconds(second)));
        }
        assert!((90..=110).contains(&counts[9]), "{counts:?}");
    }

    #[test]
    fn high_urgency_leaves_first_and_integrations_take_turns() {
        let mut lane = Lane::new(10);
        let orders = [
            (1, Urgency::Low, "a"),
            (2, Urgency::High, "a"),
            (3, Urgency::High, "a"),
            (4, Urgency::High, "b"),
        ];
        for (attempt, urgency, integration) in orders {
            assert!(
                lane.push(order(attempt, urgency, integration), Millis(0))
                    .is_ok()
            );
        }
        assert_eq!(started(&mut lane, Millis(0)), [2, 4, 3, 1]);
    }

    #[test]
    fn no_more_than_the_cap_is_under_way() {
        let mut lane = Lane::new(2);
        for attempt in 0..5 {
            assert!(
                lane.push(order(attempt, Urgency::High, "a"), Millis(0))
                    .is_ok()
            );
        }
        assert_eq!(started(&mut lane, Millis(0)).len(), 2);
        lane.ended(AttemptId(0), true);
        assert_eq!(started(&mut lane, Millis(0)).len(), 1);
    }

    #[test]
    fn a_short_wait_closes_the_lane_and_halves_its_pace() {
        let mut lane = Lane::new(100);
        for attempt in 0..200 {
            assert!(
                lane.push(order(attempt, Urgency::High, "a"), Millis(0))
                    .is_ok()
            );
        }
        assert_eq!(started(&mut lane, Millis(0)).len(), 100);
        assert!(
            lane.throttled(AttemptId(0), Millis::seconds(1), Millis(10))
                .is_empty()
        );
        assert_eq!(not_before(&mut lane, Millis(10)), Millis(1_010));
        assert!(matches!(lane.next(Millis(1_010)), Next::Start { .. }));
        lane.ended(AttemptId(1), true);
        // Fifty a second after a hundred in the last second.
        assert_eq!(not_before(&mut lane, Millis(1_010)), Millis(1_030));
    }

    #[test]
    fn a_long_wait_gives_the_waiting_orders_back_at_once() {
        let mut lane = Lane::new(1);
        for attempt in 0..3 {
            assert!(
                lane.push(order(attempt, Urgency::High, "a"), Millis(0))
                    .is_ok()
            );
        }
        assert_eq!(started(&mut lane, Millis(0)), [0]);
        let given_back = lane.throttled(AttemptId(0), Millis::hours(1), Millis(0));
        assert_eq!(given_back.len(), 2);
        let refused = lane.push(order(9, Urgency::High, "a"), Millis(1_000));
        assert_eq!(refused.map_err(|(_, left)| left), Err(Millis(3_599_000)));
    }

    #[test]
    fn a_waiting_order_is_taken_out_and_one_under_way_is_marked() {
        let mut lane = Lane::new(1);
        assert!(lane.push(order(1, Urgency::High, "a"), Millis(0)).is_ok());
        assert!(lane.push(order(2, Urgency::High, "a"), Millis(0)).is_ok());
        let Next::Start { mark, .. } = lane.next(Millis(0)) else {
            panic!("an order waits");
        };
        assert!(lane.cancel(AttemptId(2)));
        assert_eq!((lane.waiting(), mark.test()), (0, Ok(())));
        assert!(!lane.cancel(AttemptId(1)), "its first byte may have left");
        assert_eq!(mark.test(), Err(Withdrawn));
    }
}
