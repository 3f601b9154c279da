//! What waits for the driver: controls first, then events, fair between integrations.
//!
//! Controls are never refused, because outcomes must not be dropped; they are bounded by the
//! attempts in flight and by the requests that the server accepts at once. Events are bounded per
//! integration; beyond the bound a sender is told to come back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::engine::decision::Answer;
use crate::engine::event::Event;
use crate::engine::ids::{IntegrationName, Revision};
use crate::engine::input::Input;
use crate::engine::records::Receipt;
use crate::runtime::handle::{ApplyError, NewRules, Record, Unavailable, View};
use crate::store::DocumentWrite;

/// Events that may wait for one integration.
pub const EVENTS_WAITING_MAX: usize = 10_000;
/// Inputs, events and bytes of events that one commit takes.
pub const BATCH_INPUTS_MAX: usize = 256;
/// See [`BATCH_INPUTS_MAX`].
pub const BATCH_EVENTS_MAX: usize = 2_048;
/// See [`BATCH_INPUTS_MAX`].
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Something that is not an event.
pub enum Control {
    Input {
        input: Input,
        waiter: Option<oneshot::Sender<Result<Answer, Unavailable>>>,
    },
    /// An input of which something is kept beside the state.
    Recorded {
        input: Input,
        record: Record,
        waiter: oneshot::Sender<Result<Answer, Unavailable>>,
    },
    Rules {
        new: Box<NewRules>,
        waiter: oneshot::Sender<Result<Revision, ApplyError>>,
    },
    Documents {
        writes: Vec<DocumentWrite>,
        waiter: oneshot::Sender<Result<(), Unavailable>>,
    },
}

impl Control {
    /// Tells whoever waits that it was not done.
    fn refuse(self, why: &Unavailable) {
        // Whoever waited may have gone away meanwhile.
        let _gone = match self {
            Self::Input { waiter: None, .. } => true,
            Self::Input {
                waiter: Some(waiter),
                ..
            }
            | Self::Recorded { waiter, .. } => waiter.send(Err(why.clone())).is_err(),
            Self::Rules { waiter, .. } => waiter.send(Err(why.clone().into())).is_err(),
            Self::Documents { waiter, .. } => waiter.send(Err(why.clone())).is_err(),
        };
    }
}

/// A look at the state between two commits.
pub type Read = Box<dyn FnOnce(View<'_>) + Send>;

/// The events of one request.
pub struct Request {
    pub integration: IntegrationName,
    pub events: Vec<Event>,
    pub waiter: oneshot::Sender<Result<Vec<Arc<Receipt>>, Unavailable>>,
    /// The disk has room for it: it was taken before, and the turn had none.
    pub is_admitted: bool,
}

impl Request {
    /// Bytes of its events, about.
    pub(super) fn bytes(&self) -> usize {
        self.events.iter().map(Event::bytes).sum()
    }
}

/// All that waits.
#[derive(Default)]
pub struct Queue {
    controls: VecDeque<Control>,
    reads: VecDeque<Read>,
    requests: BTreeMap<IntegrationName, VecDeque<Request>>,
    /// The integration after which the next batch begins.
    last: Option<IntegrationName>,
    /// Accepted events that wait for a decision.
    undecided: BTreeMap<IntegrationName, usize>,
}

/// What the driver takes for one turn.
#[derive(Default)]
pub struct Taken {
    pub controls: Vec<Control>,
    pub requests: Vec<Request>,
    pub reads: Vec<Read>,
}

impl Queue {
    /// Adds a control.
    pub fn control(&mut self, control: Control) {
        self.controls.push_back(control);
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
    pub fn request(&mut self, request: Request) -> Result<(), (Request, Unavailable)> {
        let waiting = self.requests.get(&request.integration);
        let waiting = waiting.into_iter().flatten();
        let undecided = self.undecided.get(&request.integration);
        let events: usize = waiting.map(|known| known.events.len()).sum();
        let events = events + undecided.copied().unwrap_or_default();
        // A request that is large by itself is taken when nothing else waits.
        if events > 0 && events + request.events.len() > EVENTS_WAITING_MAX {
            let busy = Unavailable::Busy(request.integration.clone());
            return Err((request, busy));
        }
        let integration = request.integration.clone();
        let waiting = self.requests.entry(integration).or_default();
        waiting.push_back(request);
        Ok(())
    }

    /// Puts back what was taken and not done, in its order; the next batch begins after `last`.
    pub fn requeue(&mut self, requests: Vec<Request>, last: Option<&IntegrationName>) {
        if requests.is_empty() {
            return;
        }
        self.last = last.cloned();
        for request in requests.into_iter().rev() {
            let integration = request.integration.clone();
            let waiting = self.requests.entry(integration).or_default();
            waiting.push_front(request);
        }
    }

    /// Tells all who wait that nothing of theirs is done. Readers learn it from the handle.
    pub fn refuse(self, why: &Unavailable) {
        for control in self.controls {
            control.refuse(why);
        }
        for request in self.requests.into_values().flatten() {
            let _gone = request.waiter.send(Err(why.clone()));
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.controls.is_empty() && self.reads.is_empty() && self.requests.is_empty()
    }

    /// How many controls wait.
    pub fn controls_waiting(&self) -> usize {
        self.controls.len()
    }

    /// How many events wait, to be accepted or for a decision.
    pub fn events_waiting(&self) -> usize {
        let requests = self.requests.values().flatten();
        let waiting: usize = requests.map(|request| request.events.len()).sum();
        waiting + self.undecided.values().sum::<usize>()
    }

    /// Takes one turn's worth of all but events.
    pub fn take_controls(&mut self) -> Taken {
        let controls = self.controls.len().min(BATCH_INPUTS_MAX);
        Taken {
            controls: self.controls.drain(..controls).collect(),
            requests: Vec::new(),
            reads: self.reads.drain(..).collect(),
        }
    }

    /// Takes one turn's worth.
    pub fn take(&mut self) -> Taken {
        let mut taken = self.take_controls();
        let (mut inputs, mut events, mut bytes) = (taken.controls.len(), 0, 0);
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
    fn next_fitting(&mut self, events: usize, bytes: usize) -> Option<Request> {
        let after = self.last.clone();
        let later = self
            .requests
            .keys()
            .find(|name| after.as_ref().is_none_or(|a| *name > a));
        let name = later.or_else(|| self.requests.keys().next())?.clone();
        let waiting = self.requests.get_mut(&name)?;
        let first = waiting.front()?;
        let fits = events + first.events.len() <= BATCH_EVENTS_MAX
            && bytes + first.bytes() <= BATCH_BYTES_MAX;
        if !fits && events > 0 {
            return None;
        }
        let request = waiting.pop_front();
        if waiting.is_empty() {
            self.requests.remove(&name);
        }
        self.last = Some(name);
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Action, Content};
    use crate::engine::samples;

    fn request(integration: &str, events: usize) -> Request {
        let event = samples::event(Action::Trigger, "key", Content::default());
        let (waiter, _) = oneshot::channel();
        Request {
            integration: integration.into(),
            events: vec![event; events],
            waiter,
            is_admitted: false,
        }
    }

    fn names(taken: &Taken) -> Vec<String> {
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
        assert!(matches!(refused, Err((_, Unavailable::Busy(name))) if name.as_str() == "loud"));
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
        let done = taken.remove(0).integration;
        queue.requeue(taken, Some(&done));
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
        assert!(matches!(refused, Err((_, Unavailable::Busy(_)))));
        assert!(queue.request(request("quiet", 1)).is_ok());
        assert_eq!(names(&queue.take()), ["quiet"]);
        queue.set_undecided(&BTreeMap::new());
        assert!(queue.request(request("loud", 1)).is_ok());
    }
}
