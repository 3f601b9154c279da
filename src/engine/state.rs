//! The state of one partition: open alerts, incidents, pages and all timers.

/// All active records with their indexes.
#[derive(Clone, Debug, Default)]
pub struct State {}
