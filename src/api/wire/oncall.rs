//! Who is on call, and who stands in, as the API shows them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use crate::engine::calendar::{self, OnCallReason};
use crate::engine::ids::ScheduleName;

/// All schedules at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OnCall {
    pub at: String,
    pub schedules: Vec<ScheduleNow>,
}

/// One schedule at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleNow {
    pub name: String,
    pub user: Option<String>,
    /// The layer that names the user, from 1.
    pub layer: Option<usize>,
    /// Ends of the stretch in which nothing changes; `null` where it is longer than we look.
    pub from: Option<String>,
    pub until: Option<String>,
    /// `rotation`, `override` or `nobody`.
    pub reason: String,
    /// Overrides in force whose user is not in the rules.
    pub passed_over: Vec<Override>,
}

/// Somebody stands in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Override {
    pub id: u64,
    pub schedule: String,
    pub user: String,
    pub from: String,
    pub until: String,
    pub reason: String,
    pub created_by: Actor,
    pub created_at: String,
}

/// A schedule at a moment.
pub fn schedule_now(name: &ScheduleName, now: &calendar::OnCall) -> ScheduleNow {
    let reason = match now.reason {
        OnCallReason::Rotation => "rotation",
        OnCallReason::Override => "override",
        OnCallReason::Nobody => "nobody",
    };
    ScheduleNow {
        name: name.to_string(),
        user: now.user.as_ref().map(ToString::to_string),
        layer: now.layer.map(|layer| layer + 1),
        from: now.from.map(|at| at.to_string()),
        until: now.until.map(|at| at.to_string()),
        reason: reason.to_owned(),
        passed_over: Vec::new(),
    }
}

/// An override that has not ended.
pub fn override_(known: &calendar::Override) -> Override {
    Override {
        id: known.id.0,
        schedule: known.schedule.to_string(),
        user: known.user.to_string(),
        from: known.from.to_string(),
        until: known.until.to_string(),
        reason: known.reason.to_string(),
        created_by: (&known.created_by).into(),
        created_at: known.created_at.to_string(),
    }
}
