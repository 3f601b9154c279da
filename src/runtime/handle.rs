//! What the rest of the process may ask of the driver. Clones cheaply; hides the queues.

use std::sync::Arc;

use crate::engine::decision::Answer;
use crate::engine::event::Event;
use crate::engine::ids::{IntegrationName, Revision};
use crate::engine::input::Input;
use crate::engine::records::Receipt;
use crate::engine::ruleset::RuleSet;
use crate::engine::state::State;
use crate::engine::time::Now;
use crate::store::{DocumentWrite, Partition, Store};

/// Why the driver did not do as asked. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("too many events are waiting for integration {0}; try again in a second")]
    Busy(IntegrationName),
    #[error("too little space is left on disk to accept events")]
    DiskLow,
    #[error("the router is stopping")]
    Stopping,
    #[error("the store failed: {0}")]
    StoreFailed(String),
    /// The input is quarantined; the router has raised a self-incident.
    #[error("the decision on this input failed; it was quarantined and reported")]
    Quarantined,
}

/// Why a rule set was not put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    #[error(
        "the rules are at revision {current}, not {expected}; look at the difference and try again"
    )]
    Conflict {
        expected: Revision,
        current: Revision,
    },
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What a reader sees: the state between two commits.
#[derive(Clone, Copy)]
pub struct View<'driver> {
    pub state: &'driver State,
    pub rules: &'driver RuleSet,
    pub now: Now,
}

/// A new rule set to put in force.
pub struct NewRules {
    /// Its `revision` is set by the driver.
    pub rules: RuleSet,
    /// Kept under the new revision, as [`crate::store::DocumentKind::Rules`].
    pub document: Vec<u8>,
    /// Compare-and-set.
    pub expected: Option<Revision>,
}

/// The door to the driver.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    partition: Partition,
}

impl Handle {
    /// Hands the events of one request to the driver and waits until they are durable. The receipts
    /// come in the order of the events.
    pub async fn submit(
        &self,
        integration: IntegrationName,
        events: Vec<Event>,
    ) -> Result<Vec<Arc<Receipt>>, Unavailable> {
        let _ = (integration, events);
        Err(Unavailable::Stopping)
    }

    /// Hands in anything that is not an event, ahead of all events, and waits until it is durable.
    pub async fn control(&self, input: Input) -> Result<Answer, Unavailable> {
        let _ = input;
        Err(Unavailable::Stopping)
    }

    /// Reads the state between two commits. Look at no more than 500 items.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(View<'_>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let _ = read;
        Err(Unavailable::Stopping)
    }

    /// The rule set in force.
    pub fn rules(&self) -> Arc<RuleSet> {
        Arc::default()
    }

    /// Puts a rule set in force; the answer is its revision.
    pub async fn apply_rules(&self, new: NewRules) -> Result<Revision, ApplyError> {
        let _ = new;
        Err(Unavailable::Stopping.into())
    }

    /// Writes documents beside the state, durable when it returns.
    pub async fn write_documents(&self, writes: Vec<DocumentWrite>) -> Result<(), Unavailable> {
        let _ = writes;
        Err(Unavailable::Stopping)
    }

    /// History and documents; calls block, so make them from `spawn_blocking`.
    pub fn store(&self) -> (&dyn Store, Partition) {
        (&*self.inner.store, self.inner.partition)
    }
}
