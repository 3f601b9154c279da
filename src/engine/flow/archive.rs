//! What is over leaves the active state: alerts their resolved incident, incidents and pages for
//! history, groups that are remembered beyond the bound.

use std::sync::Arc;

use crate::engine::alert::{Alert, Hold};
use crate::engine::event::Text;
use crate::engine::ids::{AlertId, IncidentNumber};
use crate::engine::page::{PageKind, PageState};
use crate::engine::records::Group;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;

/// A firing alert that pages nobody is remembered so long after its source last spoke of it.
const FIRING_REMEMBERED_FOR: Duration = Duration::days(1);

/// How long the link of a page can act.
const LINKS_GOOD_FOR: Duration = Duration::days(7);

/// Groups without an open incident that are remembered at once.
pub const GROUPS_REMEMBERED_MAX: usize = 100_000;

/// Bytes of their keys.
const GROUP_BYTES_MAX: usize = 64 << 20;

/// Groups that one step forgets, so that no commit grows without bound.
const FORGOTTEN_AT_ONCE_MAX: usize = 1_000;

/// Alerts that one step releases from a resolved incident.
const RELEASED_AT_ONCE_MAX: usize = 1_000;

/// Beyond the bound the groups that closed first are forgotten. It looks at what earlier steps left
/// behind, so that many closings of one step cost no more than one.
pub fn forget_surplus_groups(tx: &mut StepTransaction<'_>) {
    let closed = tx.state.closed_groups();
    let surplus = closed.len().saturating_sub(GROUPS_REMEMBERED_MAX);
    let mut surplus_bytes = (tx.state.closed_groups_bytes()).saturating_sub(GROUP_BYTES_MAX);
    let first = closed.enumerate().take_while(|(index, key)| {
        let is_surplus = *index < surplus || surplus_bytes > 0;
        surplus_bytes = surplus_bytes.saturating_sub(key.len());
        is_surplus
    });
    let first: Vec<Text> = first
        .take(FORGOTTEN_AT_ONCE_MAX)
        .map(|(_, key)| key.clone())
        .collect();
    for key in first {
        let is_closed = |group: Arc<Group>| group.open.is_none();
        if tx.group(&key).is_some_and(is_closed) {
            tx.drop_group(&key);
        }
    }
}

/// The alerts of a resolved incident live on; what they were stays in its history. Whether some
/// are left.
pub fn release_alerts(tx: &mut StepTransaction<'_>, number: IncidentNumber) -> bool {
    // Those of this step were there before it, or joined in it.
    let members: Vec<AlertId> = tx
        .alerts_of(number)
        .map(|alert| alert.id)
        .take(RELEASED_AT_ONCE_MAX)
        .collect();
    for id in members {
        release(tx, number, id);
        if tx.is_spent() {
            break;
        }
    }
    let has_more = tx.alerts_of(number).next().is_some();
    if !has_more {
        settle(tx, number);
    }
    has_more
}

/// An alert leaves an incident that was resolved. One that its source still asserts must not open
/// it again at the next repeat if a person resolved it.
fn release(tx: &mut StepTransaction<'_>, number: IncidentNumber, id: AlertId) {
    let (Some(alert), Some(incident)) = (tx.alert(&id), tx.incident(&number)) else {
        return;
    };
    tx.archive_alert(number, &alert);
    let now = tx.now;
    let resolved_at = incident
        .resolved
        .as_ref()
        .map_or(now.wall, |known| known.at);
    // It may leave late, after a restart even; the hold is counted from the resolve.
    let hold = tx.rules.settings.still_firing_hold.0;
    let rest = hold.saturating_sub(now.wall.since(resolved_at).0);
    let until = now.steady + Duration(rest);
    tx.edit_alert(&id, |alert| {
        alert.incidents.retain(|known| *known != number);
        if alert.firing && incident.still_firing {
            let start = alert.latest_start();
            alert.holds.push(Hold {
                group_key: incident.group_key.clone(),
                incident: number,
                until,
                since: start.map_or(resolved_at, |start| start.max(resolved_at)),
            });
        }
    });
    settle_alert(tx, id);
}

/// Before anything is decided about an alert it leaves the incidents that were resolved and have
/// not released it yet, as it was.
pub fn leave_closed(tx: &mut StepTransaction<'_>, alert: Arc<Alert>) -> Arc<Alert> {
    let is_closed = |number: &&IncidentNumber| {
        let incident = tx.incident(number);
        incident.is_some_and(|incident| !incident.is_open())
    };
    let closed: Vec<IncidentNumber> = alert.incidents.iter().filter(is_closed).copied().collect();
    if closed.is_empty() {
        return alert;
    }
    for number in closed {
        release(tx, number, alert.id);
    }
    tx.alert(&alert.id).expect("a released alert is kept")
}

/// An alert that belongs to no open incident is forgotten after a while: soon when it is over, and
/// after a day when its source says no more of it.
pub fn settle_alert(tx: &mut StepTransaction<'_>, id: AlertId) {
    let alert = tx.known_alert(id);
    if alert.incidents.is_empty() && alert.forget.is_none() {
        let remembered = if alert.firing {
            FIRING_REMEMBERED_FOR
        } else {
            alert.remembered_for()
        };
        let forget = tx.now.steady + remembered;
        tx.edit_alert(&id, |alert| alert.forget = Some(forget));
    }
}

/// Moves a resolved incident and its pages to history once nothing of it is under way.
pub fn settle(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let Some(incident) = tx.incident(&number) else {
        return;
    };
    if incident.is_open() || tx.alerts_of(number).next().is_some() {
        return;
    }
    let pages = tx.pages_of(number);
    if pages.iter().any(|page| page.state == PageState::Sending) {
        return;
    }
    for page in pages {
        let others = page.incidents.iter().filter(|other| other.number != number);
        // Steps go through incidents from the front: one that is open is soon found from the end.
        let is_shared = others.rev().any(|other| {
            tx.incident(&other.number)
                .is_some_and(|incident| incident.is_open())
        });
        if !is_shared {
            tx.archive_page(page.id);
        }
    }
    tx.archive_incident(number);
}

/// Pages of an incident that stays open for weeks go to history when their links are no longer
/// good.
pub fn archive_old_pages(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let now = tx.now.steady;
    for page in tx.pages_of(number) {
        let is_over = page.state != PageState::Sending && page.kind == PageKind::Page;
        if is_over && now.since(page.created) > LINKS_GOOD_FOR {
            tx.archive_page(page.id);
        }
    }
}
