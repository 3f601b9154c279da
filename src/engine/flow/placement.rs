//! An alert is routed, and put where it belongs.

use crate::engine::alert::{Alert, Matchable};
use crate::engine::event::Event;
use crate::engine::grouping;
use crate::engine::grouping::Destination;
use crate::engine::ids::AlertId;
use crate::engine::reason::Reason;
use crate::engine::receipts::Verdict;
use crate::engine::records::Disposition;
use crate::engine::transaction::StepTransaction;

/// Routes an alert and puts it where it belongs.
pub fn place(
    tx: &mut StepTransaction<'_>,
    id: AlertId,
    previous: Option<&Alert>,
    event: &Event,
) -> Verdict {
    let alert = tx.known_alert(id);
    let was_firing = previous.is_some_and(|alert| alert.firing && !alert.held_old);
    let is_changed = previous.is_none_or(|alert| !is_routed_alike(&alert.content, event));
    // A hold that ran out lets the alert open again, though another incident of it is open.
    let was_held = previous.is_some_and(|alert| !alert.holds.is_empty());
    if was_firing && !is_changed && !alert.incidents.is_empty() && !was_held {
        return Verdict {
            incidents: alert.incidents.clone(),
            ..Verdict::nothing(Disposition::Repeated, Reason::Repeat)
        };
    }
    let (destinations, mut verdict) = destinations(tx, &alert);
    verdict.is_news = !was_firing || is_changed;
    let rejoins = !was_firing && previous.is_some();
    for destination in destinations {
        let (disposition, number) = grouping::join_or_open(tx, id, &destination, rejoins);
        verdict.reason = match disposition {
            Disposition::Opened => Reason::NewAlert,
            Disposition::Joined if is_changed && was_firing => Reason::LabelsChanged,
            Disposition::Joined => Reason::JoinedIncident,
            Disposition::Silenced => Reason::Silenced,
            Disposition::Repeated => Reason::Repeat,
            Disposition::Recorded => Reason::StillFiringHold,
            Disposition::Acknowledged
            | Disposition::Resolved
            | Disposition::HeldOld
            | Disposition::Ignored => verdict.reason,
        };
        verdict.disposition = verdict.disposition.max(disposition);
        verdict.incidents.extend(number);
    }
    if is_changed {
        grouping::leave_others(tx, id, &verdict.incidents);
    }
    verdict
}

/// Whether an event lands where the alert's last one did: what can be matched is the same.
fn is_routed_alike(content: &crate::engine::event::Content, event: &Event) -> bool {
    let new = &*event.content;
    content.labels == new.labels
        && content.severity == new.severity
        && content.summary == new.summary
        && content.source == new.source
        && content.component == new.component
        && content.group == new.group
        && content.class == new.class
        && content.service == new.service
}

/// The routes on which an alert lands and that page, with the group on each.
fn destinations(tx: &StepTransaction<'_>, alert: &Alert) -> (Vec<Destination>, Verdict) {
    let fields = Matchable {
        integration: &alert.integration,
        content: &alert.content,
    };
    let routes = tx.rules.tree.routes(&tx.effort.counted(fields));
    let reason = if routes.is_empty() {
        Reason::NoRules
    } else {
        Reason::RouteDoesNotPage
    };
    let mut verdict = Verdict::nothing(Disposition::Recorded, reason);
    verdict.routes = routes.iter().map(|route| route.name.clone()).collect();
    let identity = alert.identity();
    let paging = routes.into_iter().filter(|route| route.page);
    let destinations = paging.map(|route| {
        let (group_key, group_labels) = route.group_by.key(&route.name, &fields, &identity);
        Destination {
            route,
            group_key,
            group_labels,
        }
    });
    (destinations.collect(), verdict)
}
