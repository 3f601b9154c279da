//! Schedule overrides: somebody else for a time.

use crate::engine::calendar::Override;
use crate::engine::decision::{Answer, Refusal};
use crate::engine::ids::OverrideId;
use crate::engine::input::OverrideRequest;
use crate::engine::transaction::StepTransaction;

/// Sets an override.
pub fn set(tx: &mut StepTransaction<'_>, request: OverrideRequest) {
    if let Err(refusal) = check(tx, &request) {
        tx.answer = Answer::Refused(refusal);
        return;
    }
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
    tx.answer = Answer::Override(id);
}

fn check(tx: &StepTransaction<'_>, request: &OverrideRequest) -> Result<(), Refusal> {
    if !tx.rules.schedules.contains_key(&request.schedule) {
        let name = request.schedule.to_string();
        return Err(Refusal::Unknown {
            kind: "schedule",
            name,
        });
    }
    let is_nobodys = request.user.as_str() == Override::NOBODY;
    if !is_nobodys && !tx.rules.users.contains_key(&request.user) {
        let name = request.user.to_string();
        return Err(Refusal::Unknown { kind: "user", name });
    }
    let now = tx.now.wall;
    if request.until <= now || request.until <= request.from.unwrap_or(now) {
        let help = "give a time after now and after `from`".to_owned();
        let value = request.until.to_string();
        return Err(Refusal::Invalid {
            what: "until",
            value,
            help,
        });
    }
    Ok(())
}

/// Takes an override back.
pub fn remove(tx: &mut StepTransaction<'_>, id: OverrideId) {
    if tx.override_(&id).is_none() {
        let name = id.to_string();
        tx.answer = Answer::Refused(Refusal::Unknown {
            kind: "override",
            name,
        });
        return;
    }
    tx.drop_override(&id);
    tx.answer = Answer::Done;
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
