//! How much a step may do. What is more goes on in later steps, so that nobody else waits for it.
//!
//! Work is counted and not timed: the same inputs lead to the same steps on every machine. The unit
//! is the test of a matcher on a short value, of which a release build does about three in a
//! microsecond.

use std::cell::Cell;

use super::alert::Matchable;
use super::matcher::Fields;

/// After the work of so many steps a turn takes nothing more. A request may use it up in its first
/// step: a page speaks of all that came with it, unless that is very much. It is about what 1,200
/// changed records cost.
pub const STEPS_OF_TURN: u64 = 3;

/// Looking up a record.
const LOOK: u64 = 3;
/// A record that changes: it is made durable, which costs most.
pub const CHANGE: u64 = 100;
/// So many bytes of a value cost a matcher as much as a short one.
const VALUE_BYTES: u64 = 128;

/// Writing an event down to be decided on later, and each so many bytes of it.
const KEPT: u64 = 25;
const KEPT_BYTES: u64 = 8;

/// What a step has done, but for what it changed.
#[derive(Debug, Default)]
pub struct Effort {
    /// How many records were asked for.
    pub looks: Cell<u64>,
    /// Everything else, in tests of matchers.
    other: Cell<u64>,
}

impl Effort {
    /// A record was asked for.
    pub fn look(&self) {
        self.looks.set(self.looks.get() + 1);
    }

    /// An event of so many bytes was written down to be decided on later.
    pub fn kept(&self, bytes: usize) {
        let cost = KEPT + bytes as u64 / KEPT_BYTES;
        self.other.set(self.other.get() + cost);
    }

    /// All of it, beside so many changed records.
    pub fn with_changes(&self, changes: usize) -> u64 {
        self.looks.get() * LOOK + self.other.get() + changes as u64 * CHANGE
    }

    /// The fields of an alert; each test of a matcher on them is counted.
    pub fn counted<'event>(&'event self, fields: Matchable<'event>) -> Counted<'event> {
        Counted {
            fields,
            tests: &self.other,
        }
    }
}

/// Fields that count how often they are looked at.
pub struct Counted<'event> {
    fields: Matchable<'event>,
    tests: &'event Cell<u64>,
}

impl Fields for Counted<'_> {
    fn field(&self, name: &str) -> &str {
        let value = self.fields.field(name);
        let cost = 1 + value.len() as u64 / VALUE_BYTES;
        self.tests.set(self.tests.get() + cost);
        value
    }
}
