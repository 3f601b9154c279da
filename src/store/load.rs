//! What a start reads: all active records, the clocks, and the receipts that still decide whether
//! an event was seen before.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ids::IntegrationName;
use crate::engine::reason::Reason;
use crate::engine::recent_events;
use crate::engine::records::Receipt;
use crate::engine::time::{Duration, Timestamp};

use super::keys::{Key, Kind};
use super::rows::Rows;
use super::{Error, Loaded, Partition, active, journal, record};

/// How far back receipts are loaded.
const REMEMBERED: Duration = Duration::hours(1);

/// Receipts loaded of one integration; the newest are kept.
const REMEMBERED_MAX: usize = 100_000;

/// All that a start needs.
pub fn load(
    rows: &impl Rows,
    partition: Partition,
    commits: u64,
    now: Timestamp,
) -> Result<Loaded, Error> {
    let mut loaded = Loaded {
        receipts: remembered(rows, partition, now)?,
        ..Loaded::default()
    };
    let clocks = Key::clocks(partition);
    active::all(rows, commits, |key, value| {
        if key == clocks.as_ref() {
            loaded.clocks = record::decode(key, value)?;
        } else if active::partition_of(key) == Some(partition) {
            loaded.records.push(record::decode(key, value)?);
        }
        Ok(())
    })?;
    Ok(loaded)
}

/// The kinds of active records, and how they are counted for people.
pub const ACTIVE: [(Kind, &str); 18] = [
    (Kind::Alert, "alerts"),
    (Kind::Incident, "incidents"),
    (Kind::Page, "pages"),
    (Kind::Group, "groups"),
    (Kind::Person, "people"),
    (Kind::Channel, "channels"),
    (Kind::Sender, "senders"),
    (Kind::Silence, "silences"),
    (Kind::Override, "overrides"),
    (Kind::PolicySnapshot, "pinned policies"),
    (Kind::Counters, "counters"),
    (Kind::Jump, "jumps of the clock"),
    (Kind::Task, "tasks"),
    (Kind::Provider, "providers"),
    (Kind::Dependent, "incidents that depend on providers"),
    (Kind::StatusComponent, "components of status pages"),
    (Kind::StatusPost, "posts on status pages"),
    (Kind::ServiceAlert, "alerts of services on status pages"),
];

fn remembered(
    rows: &impl Rows,
    partition: Partition,
    now: Timestamp,
) -> Result<Vec<Arc<Receipt>>, Error> {
    let mut memory = Memory::new(now);
    for commit in journal::receipts_back(rows, partition, None)? {
        let commit = commit?;
        if commit.head.newest.is_some_and(|at| memory.is_over(at)) {
            break;
        }
        for receipt in commit.history.receipts.into_iter().rev() {
            memory.take(&receipt.into());
        }
    }
    Ok(memory.oldest_first())
}

/// Collects the receipts that a start needs, given newest first.
pub struct Memory {
    since: Timestamp,
    /// How many of each integration, and their bytes.
    counts: BTreeMap<IntegrationName, (usize, usize)>,
    receipts: Vec<Arc<Receipt>>,
}

impl Memory {
    pub fn new(now: Timestamp) -> Self {
        Self {
            since: now.minus(REMEMBERED),
            counts: BTreeMap::new(),
            receipts: Vec::new(),
        }
    }

    /// Whether receipts of this moment and all older ones are too old.
    pub fn is_over(&self, at: Timestamp) -> bool {
        at < self.since
    }

    /// Takes a receipt if it can decide about a later event.
    pub fn take(&mut self, receipt: &Arc<Receipt>) {
        if receipt.event_id.is_none() && receipt.reason != Reason::UnknownAlert {
            return;
        }
        let counts = self.counts.entry(receipt.integration.clone()).or_default();
        let (count, bytes) = counts;
        // As the engine bounds what it remembers; one more is no harm.
        if *count < REMEMBERED_MAX && *bytes < recent_events::BYTES_MAX {
            *count += 1;
            *bytes += recent_events::bytes_of(receipt);
            self.receipts.push(recent_events::outcome(receipt));
        }
    }

    pub fn oldest_first(mut self) -> Vec<Arc<Receipt>> {
        self.receipts.reverse();
        self.receipts
    }
}
