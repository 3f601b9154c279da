//! What a lower floor of the flow asks of a higher one, as data: it never calls it. The step hands
//! each on when what is at hand is decided, in the order in which they were asked.

use std::sync::Arc;

use super::ids::{IncidentNumber, ProviderName};
use super::page::Page;
use super::task::TaskKind;

/// Something that follows from what was just decided.
pub enum FollowUp {
    /// All channels of the page's contact failed: the next notify step is used at once.
    ContactFailed(Arc<Page>),
    /// Nothing more can be done for the page; it failed, or was withdrawn.
    PageGivenUp(Arc<Page>),
    /// The page reached its end in whatever way.
    PageEnded(Arc<Page>),
    /// Somebody of the incident's present step can no longer be reached, and perhaps nobody can.
    CheckReached(IncidentNumber),
    /// The fallback was paged as often as it may, and nobody acknowledged.
    Exhausted(IncidentNumber),
    /// Alerts of what depends on the provider may make its incidents urgent.
    OwnAlerts(ProviderName),
    /// Something begins that this step may not be able to finish. `is_asked` if whoever waits for
    /// this step is answered at its end.
    Begin { task: TaskKind, is_asked: bool },
}
