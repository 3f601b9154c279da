//! Schedule overrides: somebody else for a time.

use crate::engine::calendar::Override;
use crate::engine::decision::Refusal;
use crate::engine::ids::OverrideId;
use crate::engine::input::OverrideRequest;
use crate::engine::transaction::StepTransaction;

/// Sets an override.
pub fn set(tx: &mut StepTransaction<'_>, request: OverrideRequest) -> Result<OverrideId, Refusal> {
    check(tx, &request)?;
    let id = tx.next_override();
    let from = request.from.unwrap_or(tx.now.wall);
    let override_ = Override {
        id,
        schedule: request.schedule,
        user: request.user,
        from,
        until: request.until,
        reason: request.reason,
        created_by: tx.rules.with_full_name(request.actor),
        created_at: tx.now.wall,
    };
    tx.put_override(id, override_);
    Ok(id)
}

fn check(tx: &StepTransaction<'_>, request: &OverrideRequest) -> Result<(), Refusal> {
    if !tx.rules.schedules.contains_key(&request.schedule) {
        return Err(Refusal::unknown("schedule", &request.schedule));
    }
    let is_nobodys = request.user.as_str() == Override::NOBODY;
    if !is_nobodys && !tx.rules.users.contains_key(&request.user) {
        return Err(Refusal::unknown("user", &request.user));
    }
    let now = tx.now.wall;
    if request.until <= now || request.until <= request.from.unwrap_or(now) {
        let help = "give a time after now and after `from`";
        return Err(Refusal::invalid("until", &request.until, help));
    }
    Ok(())
}

/// Takes an override back.
pub fn remove(tx: &mut StepTransaction<'_>, id: OverrideId) -> Result<(), Refusal> {
    if tx.override_(&id).is_none() {
        return Err(Refusal::unknown("override", &id));
    }
    tx.drop_override(&id);
    Ok(())
}

/// An override is over.
pub fn due(tx: &mut StepTransaction<'_>, id: OverrideId) {
    if tx
        .override_(&id)
        .is_some_and(|known| known.until <= tx.past())
    {
        tx.drop_override(&id);
    }
}
