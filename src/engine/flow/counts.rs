//! How many of an incident's alerts fire, are silenced or acknowledged, kept up with each change of
//! an alert.

use crate::engine::alert::Alert;
use crate::engine::ids::IncidentNumber;
use crate::engine::transaction::StepTransaction;

/// Brings the counts of an alert's incidents up to date after the alert changed.
pub fn recount(tx: &mut StepTransaction<'_>, before: &Alert) {
    let after = tx.known_alert(before.id);
    let is_in_same = before.incidents == after.incidents;
    for number in &before.incidents {
        let was = Share::of(before, true);
        let stays = is_in_same || after.incidents.contains(number);
        recount_in(tx, *number, &was, &Share::of(&after, stays));
    }
    if is_in_same {
        return;
    }
    let entered = after.incidents.iter();
    for number in entered.filter(|number| !before.incidents.contains(number)) {
        let was = Share::of(before, false);
        recount_in(tx, *number, &was, &Share::of(&after, true));
    }
}

pub fn recount_in(tx: &mut StepTransaction<'_>, number: IncidentNumber, was: &Share, is: &Share) {
    if was == is {
        return;
    }
    tx.edit_incident(&number, |incident| {
        let counts = &mut incident.alerts;
        moved(&mut counts.firing, was.firing, is.firing);
        moved(&mut counts.silenced, was.silenced, is.silenced);
        moved(&mut counts.acknowledged, was.acknowledged, is.acknowledged);
    });
}

fn moved(count: &mut u32, was: bool, is: bool) {
    *count = (*count + u32::from(is)).saturating_sub(u32::from(was));
}

/// What one alert adds to the counts of one incident.
#[derive(PartialEq, Eq)]
pub struct Share {
    firing: bool,
    silenced: bool,
    acknowledged: bool,
}

impl Share {
    /// Of an incident that the alert is in, or is not in.
    pub fn of(alert: &Alert, is_in: bool) -> Self {
        let firing = alert.firing && is_in;
        Self {
            firing,
            silenced: firing && alert.is_silenced(),
            acknowledged: firing && alert.acknowledged,
        }
    }
}
