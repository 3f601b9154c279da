//! What is remembered of an open incident whose service or route depends on providers.

use serde::{Deserialize, Serialize};

use crate::engine::dependency::{Dependency, HoldRule};
use crate::engine::ids::IncidentNumber;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};

/// An open incident of our own that depends on providers, by the rules in force when it opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependent {
    pub incident: IncidentNumber,
    /// Never empty.
    pub depends_on: Vec<Dependency>,
    pub hold: HoldRule,
    pub hold_for: Duration,
    /// It waits, and pages nobody meanwhile.
    pub held: Option<ProviderHold>,
    /// The incident of a provider of which those who were paged about this one were told.
    pub told: Option<IncidentNumber>,
}

/// An incident waits under one of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderHold {
    pub under: IncidentNumber,
    /// What of that provider it depends on.
    pub because: Dependency,
    pub since: Timestamp,
    /// It waits no longer than until then.
    pub until: MonotonicTime,
}
