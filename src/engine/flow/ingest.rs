//! Events become alerts, and alerts find their incidents.
//!
//! The stages read as the product does: identify → deduplicate → hold back history → route →
//! group → open or join.

use std::sync::Arc;

use crate::engine::alert::Alert;
use crate::engine::assertions::Resolved;
use crate::engine::cause::Cause;
use crate::engine::event::{Action, Event, EventTime};
use crate::engine::ids::{AlertId, IntegrationName};
use crate::engine::incident::SelfIncident;
use crate::engine::reason::Reason;
use crate::engine::receipts::Verdict;
use crate::engine::records::{Disposition, Receipt};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    alert_update, archive, counts, placement, receipts, resolution, self_incidents, unreported,
};

/// Keeps an event on which no decision can be made.
pub fn set_aside(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: Event,
) -> Arc<Receipt> {
    let verdict = Verdict {
        is_news: true,
        ..Verdict::nothing(Disposition::Ignored, Reason::SetAside)
    };
    let id = tx.next_receipt();
    let receipt = receipts::receipt(tx.now.wall, id, integration, event, verdict);
    tx.receipt(receipt)
}

/// Decides on one event, and keeps the receipt of it.
pub fn event(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: Event,
) -> Arc<Receipt> {
    if let Some(first) = receipts::duplicate(tx, integration, &event) {
        return Arc::new(first);
    }
    let verdict = match event.action {
        Action::Trigger => trigger(tx, integration, &event),
        Action::Acknowledge => acknowledge(tx, integration, &event),
        Action::Resolve => resolve(tx, integration, &event),
        Action::Change => Verdict {
            is_news: true,
            ..Verdict::nothing(Disposition::Recorded, Reason::ChangeEvent)
        },
        Action::Ignore => Verdict::nothing(Disposition::Ignored, Reason::MappingIgnores),
    };
    let id = tx.next_receipt();
    let receipt = receipts::receipt(tx.now.wall, id, integration, event, verdict);
    tx.receipt(receipt)
}

/// The alert of a key; one under a name that the integration had before goes on under its own.
fn known_alert(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    key: &str,
) -> Option<Arc<Alert>> {
    if let Some(known) = tx.alert_by_key(integration, key) {
        return Some(archive::leave_closed(tx, known));
    }
    let mut names = tx.rules.integrations.get(integration)?.was.iter();
    let old = names.find_map(|name| tx.alert_by_key(name, key))?;
    let old = archive::leave_closed(tx, old);
    tx.edit_alert(&old.id, |alert| {
        let before = std::mem::replace(&mut alert.integration, integration.clone());
        alert.former_integration.get_or_insert(before);
    });
    tx.alert(&old.id)
}

fn trigger(tx: &mut StepTransaction<'_>, integration: &IntegrationName, event: &Event) -> Verdict {
    let known = known_alert(tx, integration, &event.dedup_key);
    if is_resolved_before(tx, integration, event, known.as_deref()) {
        return Verdict::nothing(Disposition::Recorded, Reason::ResolvedBefore);
    }
    if is_old(tx, integration, event) {
        return hold_old(tx, integration, event, known);
    }
    let previous = known.as_deref().cloned();
    let alert = alert_update::write(tx, integration, event, known);
    unreported::reported(tx, alert);
    let verdict = placement::place(tx, alert, previous.as_ref(), event);
    archive::settle_alert(tx, alert);
    verdict
}

/// Whether a resolve that the source dates later came first. A format that re-asserts a state
/// speaks of now: its start is never compared with a resolve.
fn is_resolved_before(
    tx: &StepTransaction<'_>,
    integration: &IntegrationName,
    event: &Event,
    known: Option<&Alert>,
) -> bool {
    let EventTime::OccurredAt(Some(triggered)) = event.spoken else {
        return false;
    };
    let resolved = match known {
        Some(alert) if alert.firing => None,
        Some(alert) => alert.resolved_source_time,
        None => {
            let receipt = tx.unknown_resolve(integration, &event.dedup_key);
            receipt.and_then(|receipt| receipt.source_time)
        }
    };
    resolved.is_some_and(|resolved| triggered < resolved)
}

/// Whether the event reports a moment longer ago than the integration allows.
fn is_old(tx: &StepTransaction<'_>, integration: &IntegrationName, event: &Event) -> bool {
    let EventTime::OccurredAt(Some(moment)) = event.spoken else {
        return false;
    };
    let Some(rules) = tx.rules.integrations.get(integration) else {
        return false;
    };
    tx.accepted_at().since(moment) > rules.max_age
}

/// Keeps and shows an alert that is history; pages nobody.
fn hold_old(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: &Event,
    known: Option<Arc<Alert>>,
) -> Verdict {
    let fires_already = known
        .as_ref()
        .is_some_and(|alert| alert.firing && !alert.held_old);
    // One that is over stays over for the incident that it still belongs to.
    let is_kept = known
        .as_ref()
        .is_some_and(|alert| !alert.firing && !alert.incidents.is_empty());
    if !is_kept {
        let alert = alert_update::write(tx, integration, event, known);
        unreported::reported(tx, alert);
        if fires_already {
            return Verdict::nothing(Disposition::Repeated, Reason::Repeat);
        }
        tx.edit_alert(&alert, |alert| alert.held_old = true);
        archive::settle_alert(tx, alert);
    }
    let trouble = SelfIncident::new(Cause::HeldEvents, integration.as_str());
    let count = self_incidents::occurrences(tx, &trouble) + 1;
    let text = format!(
        "{count} events of integration {integration} are older than its max_age; they are kept \
         but page nobody"
    );
    self_incidents::raise(tx, trouble, &text);
    Verdict {
        is_news: true,
        ..Verdict::nothing(Disposition::HeldOld, Reason::HeldOld)
    }
}

fn acknowledge(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    event: &Event,
) -> Verdict {
    let known = known_alert(tx, integration, &event.dedup_key);
    let Some(before) = known.filter(|alert| alert.firing) else {
        return Verdict::nothing(Disposition::Ignored, Reason::UnknownAlert);
    };
    tx.edit_alert(&before.id, |alert| alert.acknowledged = true);
    unreported::reported(tx, before.id);
    counts::recount(tx, &before);
    for number in &before.incidents {
        resolution::acknowledge_if_all(tx, *number, &before);
    }
    Verdict {
        incidents: before.incidents.clone(),
        ..Verdict::nothing(Disposition::Acknowledged, Reason::SourceAcknowledged)
    }
}

fn resolve(tx: &mut StepTransaction<'_>, integration: &IntegrationName, event: &Event) -> Verdict {
    let known = known_alert(tx, integration, &event.dedup_key);
    let Some(alert) = known else {
        return Verdict::nothing(Disposition::Ignored, Reason::UnknownAlert);
    };
    let resolved = resolve_assertion(tx, &alert, event);
    if !alert.firing {
        return Verdict::nothing(Disposition::Ignored, Reason::UnknownAlert);
    }
    let (disposition, reason) = match resolved {
        Resolved::Alert => (Disposition::Resolved, Reason::SourceResolved),
        Resolved::Assertion => (Disposition::Recorded, Reason::StillAsserted),
        Resolved::Nothing => (Disposition::Ignored, Reason::AssertionOver),
    };
    if resolved != Resolved::Alert {
        return Verdict {
            incidents: alert.incidents.clone(),
            ..Verdict::nothing(disposition, reason)
        };
    }
    resolution::end_alert(
        tx,
        &alert,
        receipts::resolve_time(event.spoken),
        Reason::SourceResolved,
    );
    Verdict {
        incidents: alert.incidents.clone(),
        is_news: true,
        ..Verdict::nothing(disposition, reason)
    }
}

/// What a resolve ends: the whole alert, unless the format tells senders apart and another one
/// still asserts it.
fn resolve_assertion(tx: &mut StepTransaction<'_>, alert: &Alert, event: &Event) -> Resolved {
    let Some(assertion) = event.assertion() else {
        return Resolved::Alert;
    };
    let now = tx.now.steady;
    let resolved = tx.edit_alert(&alert.id, |alert| {
        let resolved = alert.assertions.resolve(assertion, now);
        alert.expires = alert.assertions.expires();
        resolved
    });
    resolved.unwrap_or(Resolved::Alert)
}

/// An alert's timer: its end time passed, or it may be forgotten.
pub fn due(tx: &mut StepTransaction<'_>, id: AlertId) {
    let alert = tx.known_alert(id);
    let alert = archive::leave_closed(tx, alert);
    let steady = tx.now.steady;
    if alert.expires.is_some_and(|expires| expires <= steady) {
        resolution::end_alert(tx, &alert, None, Reason::Expired);
    } else if alert.unreported.is_some_and(|wait| wait.due() <= steady) {
        resolution::end_alert(tx, &alert, None, Reason::Unreported);
    } else if alert.forget.is_some_and(|forget| forget <= steady) {
        if alert.incidents.is_empty() {
            tx.drop_alert(&id);
        } else {
            // It stays with its open incident, which clears it when it closes.
            tx.edit_alert(&id, |alert| alert.forget = None);
        }
    }
}
