//! Schedule overrides: somebody else for a time.

use super::calendar::Override;
use super::decision::{Answer, Refusal};
use super::draft::Draft;
use super::ids::OverrideId;
use super::input::OverrideRequest;

/// Sets an override.
pub(super) fn set(draft: &mut Draft<'_>, request: OverrideRequest) {
    if let Err(refusal) = check(draft, &request) {
        draft.answer = Answer::Refused(refusal);
        return;
    }
    let id = draft.next_override();
    let from = request.from.unwrap_or(draft.now.wall);
    let override_ = Override {
        id,
        schedule: request.schedule,
        user: request.user,
        from,
        until: request.until,
        reason: request.reason,
        created_by: request.actor.in_full(draft.rules),
        created_at: draft.now.wall,
    };
    draft.put_override(id, override_);
    draft.answer = Answer::Override(id);
}

fn check(draft: &Draft<'_>, request: &OverrideRequest) -> Result<(), Refusal> {
    if !draft.rules.schedules.contains_key(&request.schedule) {
        let name = request.schedule.to_string();
        return Err(Refusal::Unknown {
            kind: "schedule",
            name,
        });
    }
    let is_nobodys = request.user.as_str() == Override::NOBODY;
    if !is_nobodys && !draft.rules.users.contains_key(&request.user) {
        let name = request.user.to_string();
        return Err(Refusal::Unknown { kind: "user", name });
    }
    let now = draft.now.wall;
    if request.until <= now || request.until <= request.from.unwrap_or(now) {
        let cure = "give a time after now and after `from`".to_owned();
        let value = request.until.to_string();
        return Err(Refusal::Invalid {
            what: "until",
            value,
            cure,
        });
    }
    Ok(())
}

/// Takes an override back.
pub(super) fn remove(draft: &mut Draft<'_>, id: OverrideId) {
    if draft.override_(&id).is_none() {
        let name = id.to_string();
        draft.answer = Answer::Refused(Refusal::Unknown {
            kind: "override",
            name,
        });
        return;
    }
    draft.drop_override(&id);
    draft.answer = Answer::Done;
}

/// An override is over.
pub(super) fn due(draft: &mut Draft<'_>, id: OverrideId) {
    if draft
        .override_(&id)
        .is_some_and(|known| known.until <= draft.past())
    {
        draft.drop_override(&id);
    }
}
