//! Reads the events of one request one by one: a bad one costs itself, never its neighbours.

use serde_json::Value;

use crate::engine::event::{Event, Fault};

use super::Parsed;
use super::faults::{Faults, Place};
use super::fields;

/// Events read of one request. Beyond it, events are left out and the fault says how many.
pub const EVENTS_MAX: usize = 10_000;

/// Collects events and the faults of those that could not be read.
#[derive(Debug)]
pub struct Batch {
    events: Vec<Event>,
    /// Faults of the request; at first also those that events take over as they are read.
    pub faults: Faults,
}

impl Batch {
    /// A batch with what had to be mended in the body.
    pub fn new(mended: Faults) -> Self {
        Self {
            events: Vec::new(),
            faults: mended,
        }
    }

    /// Reads the value at `path` as one event. A reader that gives no event has said why.
    pub fn read(&mut self, path: &str, read: impl FnOnce(&mut Faults) -> Option<Event>) {
        let mut faults = self.faults.take_beneath(path);
        match read(&mut faults) {
            Some(event) => self.events.push(Event {
                faults: faults.into_list(),
                ..event
            }),
            None => self.faults.append(faults),
        }
    }

    /// Reads each element of the array at `path` as one event.
    pub fn read_each<'body>(
        &mut self,
        elements: &'body [Value],
        path: &str,
        mut read: impl FnMut(&'body Value, &str, &mut Faults) -> Option<Event>,
    ) {
        for (index, element) in elements.iter().enumerate().take(EVENTS_MAX) {
            let place = Place::Index(path, index).to_string();
            self.read(&place, |faults| read(element, &place, faults));
        }
        if elements.len() > EVENTS_MAX {
            let surplus = elements.len() - EVENTS_MAX;
            self.faults.add(
                path,
                format_args!(
                    "contains more than {EVENTS_MAX} events; the last {surplus} were not read. \
                     Send fewer at a time"
                ),
            );
        }
    }

    /// What was read.
    pub fn finish(self) -> Parsed {
        Parsed {
            events: self.events,
            faults: self.faults.into_list(),
        }
    }
}

/// The fault of a body whose root is of the wrong kind.
pub fn wrong_root(root: &Value, expected: &str) -> Fault {
    Fault {
        path: "$".to_owned(),
        problem: format!("the body is {}; send {expected}", fields::kind(root)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{integration, now};
    use serde_json::json;

    #[test]
    fn a_very_long_batch_keeps_what_it_may_and_says_what_it_left_out() {
        let body = json!(vec![json!({"summary": "x"}); super::EVENTS_MAX + 3]).to_string();
        let source = integration("native");
        let parsed = super::super::parse(&source, body.as_bytes(), now());
        assert_eq!(parsed.events.len(), super::EVENTS_MAX);
        assert_eq!(parsed.faults.len(), 1);
        assert!(
            parsed.faults[0]
                .problem
                .contains("the last 3 were not read")
        );
    }
}
