//! The next free ids, and how often the process started.

use serde::{Deserialize, Serialize};

use crate::engine::ids::{
    AlertId, AttemptId, EntryId, IncidentNumber, OverrideId, PageId, ReceiptId, SilenceId, TaskId,
};
use crate::engine::time::MonotonicTime;

/// The next free ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub incident: IncidentNumber,
    pub alert: AlertId,
    pub page: PageId,
    pub attempt: AttemptId,
    pub receipt: ReceiptId,
    pub silence: SilenceId,
    pub override_: OverrideId,
    pub entry: EntryId,
    /// When the process started last; `None` after it ended in order.
    pub started: Option<MonotonicTime>,
    /// Starts in a row, each soon after the one before.
    pub quick_starts: u64,
    pub task: TaskId,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            incident: IncidentNumber(1),
            alert: AlertId(1),
            page: PageId(1),
            attempt: AttemptId(1),
            receipt: ReceiptId(1),
            silence: SilenceId(1),
            override_: OverrideId(1),
            entry: EntryId(1),
            started: None,
            quick_starts: 0,
            task: TaskId(1),
        }
    }
}
