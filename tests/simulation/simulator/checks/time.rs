//! T: who stands in stands in.

use super::super::history::Seen;
use super::Finding;

/// T5: of the overrides of a schedule in force, the one made last wins over all layers.
pub fn see(seen: &Seen<'_>) -> Finding {
    let Seen::Turned {
        state, rules, now, ..
    } = seen
    else {
        return None;
    };
    for known in state.overrides() {
        let schedule = rules.schedules.get(&known.schedule);
        let Some(schedule) = schedule.filter(|_| known.from <= now.wall && now.wall < known.until)
        else {
            continue;
        };
        let own = state.overrides_of(&known.schedule, rules);
        let in_force = own
            .iter()
            .filter(|it| it.from <= now.wall && now.wall < it.until);
        // Those of people who left the rules are passed over.
        let Some(last) = in_force.max_by_key(|it| it.id) else {
            continue;
        };
        let found = schedule.person_at(now.wall, &own);
        if found.as_ref() != Some(&last.user) {
            let (name, user) = (&known.schedule, &last.user);
            return Some((
                "T5",
                format!("{user} stands in on {name}, and {found:?} is on call"),
            ));
        }
    }
    None
}
