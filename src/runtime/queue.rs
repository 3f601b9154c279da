//! What waits for the driver: commands first, then events, fair between integrations.
//!
//! Commands are never refused, because outcomes must not be dropped; they are bounded by the
//! attempts in flight and by the requests that the server accepts at once. Events are bounded per
//! integration; beyond the bound a sender is told to come back.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::RuleSet;
use crate::engine::state::State;
use crate::engine::time::Now;
use crate::runtime::turn::{Command, Request, RequestsLeft, Unavailable};

/// Events that may wait for one integration.
pub const EVENTS_WAITING_MAX: usize = 10_000;
/// Inputs, events and bytes of events that one commit takes.
pub const BATCH_INPUTS_MAX: usize = 256;
/// See [`BATCH_INPUTS_MAX`].
pub const BATCH_EVENTS_MAX: usize = 2_048;
/// See [`BATCH_INPUTS_MAX`].
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// What a reader sees: the state between two commits.
#[derive(Clone, Copy)]
pub struct View<'driver> {
    pub state: &'driver State,
    pub rules: &'driver Arc<RuleSet>,
    pub now: Now,
}

/// A look at the state between two commits.
pub type Read = Box<dyn FnOnce(View<'_>) + Send>;

/// All that waits.
pub struct Queue<W> {
    commands: VecDeque<Command<W>>,
    reads: VecDeque<Read>,
    requests: BTreeMap<IntegrationName, Waiting<W>>,
    /// The integration after which the next batch begins.
    last: Option<IntegrationName>,
    /// Accepted events that wait for a decision.
    undecided: BTreeMap<IntegrationName, usize>,
}

/// The requests of one integration, in their order.
struct Waiting<W> {
    requests: VecDeque<Request<W>>,
    /// How many events they have together.
    events: usize,
}

impl<W> Default for Waiting<W> {
    fn default() -> Self {
        let (requests, events) = (VecDeque::new(), 0);
        Self { requests, events }
    }
}

/// What the driver takes for one turn.
pub struct Taken<W> {
    pub commands: Vec<Command<W>>,
    pub requests: Vec<Request<W>>,
    pub reads: Vec<Read>,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self {
            commands: VecDeque::new(),
            reads: VecDeque::new(),
            requests: BTreeMap::new(),
            last: None,
            undecided: BTreeMap::new(),
        }
    }
}

impl<W> Queue<W> {
    /// Adds a command.
    pub fn command(&mut self, command: Command<W>) {
        self.commands.push_back(command);
    }

    /// Adds a look at the state.
    pub fn read(&mut self, read: Read) {
        self.reads.push_back(read);
    }

    /// So many accepted events wait for a decision.
    pub fn set_undecided(&mut self, events: &BTreeMap<IntegrationName, usize>) {
        if self.undecided != *events {
            self.undecided.clone_from(events);
        }
    }

    /// Adds a request unless too many events of its integration wait.
    pub fn request(&mut self, request: Request<W>) -> Result<(), Unavailable> {
        let waiting = self.requests.get(&request.integration);
        let waiting = waiting.map_or(0, |waiting| waiting.events);
        let undecided = self.undecided.get(&request.integration);
        let events = waiting + undecided.copied().unwrap_or_default();
        // A request that is large by itself is taken when nothing else waits.
        if events > 0 && events + request.events.len() > EVENTS_WAITING_MAX {
            return Err(Unavailable::Busy(request.integration));
        }
        let integration = request.integration.clone();
        let waiting = self.requests.entry(integration).or_default();
        waiting.events += request.events.len();
        waiting.requests.push_back(request);
        Ok(())
    }

    /// Puts back what was taken and not done; the next batch begins behind what was done last, so
    /// that other integrations have their turns first.
    pub fn requeue(&mut self, left: RequestsLeft<W>) {
        if left.requests.is_empty() {
            return;
        }
        self.last = left.last;
        for request in left.requests.into_iter().rev() {
            let integration = request.integration.clone();
            let waiting = self.requests.entry(integration).or_default();
            waiting.events += request.events.len();
            waiting.requests.push_front(request);
        }
    }

    /// All who wait. Readers learn from the handle that nothing comes any more.
    pub fn into_waiters(self) -> impl Iterator<Item = W> {
        let commands = self.commands.into_iter();
        let commands = commands.filter_map(|command| command.waiter);
        let requests = self.requests.into_values();
        let requests = requests.flat_map(|waiting| waiting.requests);
        commands.chain(requests.map(|request| request.waiter))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.reads.is_empty() && self.requests.is_empty()
    }

    /// How many commands wait.
    pub fn commands_waiting(&self) -> usize {
        self.commands.len()
    }

    /// How many events wait, to be accepted or for a decision.
    pub fn events_waiting(&self) -> usize {
        let waiting: usize = self.requests.values().map(|waiting| waiting.events).sum();
        waiting + self.undecided.values().sum::<usize>()
    }

    /// Takes one turn's worth of all but events.
    pub fn take_commands(&mut self) -> Taken<W> {
        let commands = self.commands.len().min(BATCH_INPUTS_MAX);
        Taken {
            commands: self.commands.drain(..commands).collect(),
            requests: Vec::new(),
            reads: self.reads.drain(..).collect(),
        }
    }

    /// Takes one turn's worth.
    pub fn take(&mut self) -> Taken<W> {
        let mut taken = self.take_commands();
        let (mut inputs, mut events, mut bytes) = (taken.commands.len(), 0, 0);
        while inputs < BATCH_INPUTS_MAX {
            let Some(request) = self.next_fitting(events, bytes) else {
                break;
            };
            inputs += 1;
            events += request.events.len();
            bytes += request.bytes();
            taken.requests.push(request);
        }
        taken
    }

    /// The next request in turn of the integrations, if it fits beside what is taken already.
    fn next_fitting(&mut self, events: usize, bytes: usize) -> Option<Request<W>> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self
            .requests
            .range::<IntegrationName, _>((after, Bound::Unbounded));
        let later = later.next().or_else(|| self.requests.first_key_value());
        let name = later?.0.clone();
        let waiting = self.requests.get_mut(&name)?;
        let first = waiting.requests.front()?;
        let fits = events + first.events.len() <= BATCH_EVENTS_MAX
            && bytes + first.bytes() <= BATCH_BYTES_MAX;
        if !fits && events > 0 {
            return None;
        }
        let request = waiting.requests.pop_front()?;
        waiting.events -= request.events.len();
        if waiting.requests.is_empty() {
            self.requests.remove(&name);
        }
        self.last = Some(name);
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Action, Content};
    use crate::engine::samples;

    fn request(integration: &str, events: usize) -> Request<()> {
        let event = samples::event(Action::Trigger, "key", Content::default());
        Request {
            integration: integration.into(),
            events: vec![event; events],
            waiter: (),
            is_admitted: false,
        }
    }

    fn names(taken: &Taken<()>) -> Vec<String> {
        taken
            .requests
            .iter()
            .map(|request| request.integration.to_string())
            .collect()
    }

    #[test]
    fn integrations_take_turns_within_a_batch_and_over_batches() {
        let mut queue = Queue::default();
        for _ in 0..300 {
            assert!(queue.request(request("loud", 1)).is_ok());
        }
        assert!(queue.request(request("quiet", 1)).is_ok());
        let taken = queue.take();
        assert_eq!(names(&taken)[..3], ["loud", "quiet", "loud"]);
        assert_eq!(taken.requests.len(), BATCH_INPUTS_MAX);
        assert_eq!(queue.take().requests.len(), 301 - BATCH_INPUTS_MAX);
        assert!(queue.is_empty());
    }

    #[test]
    fn a_request_is_never_split_and_a_large_one_goes_alone() {
        let mut queue = Queue::default();
        assert!(queue.request(request("a", 2_000)).is_ok());
        assert!(queue.request(request("a", 2_000)).is_ok());
        assert_eq!(queue.take().requests.len(), 1);
        assert_eq!(queue.take().requests[0].events.len(), 2_000);
    }

    #[test]
    fn too_many_waiting_events_of_one_integration_are_refused_and_others_are_not() {
        let mut queue = Queue::default();
        assert!(queue.request(request("loud", EVENTS_WAITING_MAX)).is_ok());
        let refused = queue.request(request("loud", 1));
        assert!(matches!(refused, Err(Unavailable::Busy(name)) if name.as_str() == "loud"));
        assert!(queue.request(request("quiet", 1)).is_ok());
    }

    #[test]
    fn what_a_turn_had_no_room_for_goes_behind_the_turns_of_others_and_keeps_its_order() {
        let mut queue = Queue::default();
        for events in [1, 2, 3] {
            assert!(queue.request(request("loud", events)).is_ok());
        }
        let mut taken = queue.take().requests;
        assert!(queue.request(request("quiet", 1)).is_ok());
        // The first was done.
        let last = Some(taken.remove(0).integration);
        queue.requeue(RequestsLeft {
            requests: taken,
            last,
        });
        let taken = queue.take();
        assert_eq!(names(&taken), ["quiet", "loud", "loud"]);
        let events = taken.requests.iter().map(|it| it.events.len());
        assert_eq!(events.collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn accepted_events_without_a_decision_count_as_waiting_and_stop_no_other_integration() {
        let mut queue = Queue::default();
        let undecided = [("loud".into(), EVENTS_WAITING_MAX)].into_iter().collect();
        queue.set_undecided(&undecided);
        assert_eq!(queue.events_waiting(), EVENTS_WAITING_MAX);
        let refused = queue.request(request("loud", 1));
        assert!(matches!(refused, Err(Unavailable::Busy(_))));
        assert!(queue.request(request("quiet", 1)).is_ok());
        assert_eq!(names(&queue.take()), ["quiet"]);
        queue.set_undecided(&BTreeMap::new());
        assert!(queue.request(request("loud", 1)).is_ok());
    }
}
