//! Which firing alerts are about services that status pages of ours show.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::alert::{Alert, Matchable};
use crate::engine::event::Text;
use crate::engine::ids::AlertId;
use crate::engine::status_component::ServiceAlert;
use crate::engine::task::TaskKind;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::{SeverityClass, Urgency};

/// Looks at the alerts that this step changed.
pub fn follow_changed(tx: &mut StepTransaction<'_>) {
    for id in tx.changed_alerts() {
        let before = tx.state.alert(id).cloned();
        let after = tx.alert(&id);
        if !is_alike(before.as_deref(), after.as_deref()) {
            follow(tx, id, after.as_deref());
        }
    }
}

/// Whether both mean the same for status pages.
fn is_alike(before: Option<&Alert>, after: Option<&Alert>) -> bool {
    let fires = |alert: Option<&Alert>| alert.is_some_and(|it| it.firing && !it.held_old);
    let is_same_content = || match (before, after) {
        (Some(before), Some(after)) => {
            before.integration == after.integration
                && (Arc::ptr_eq(&before.content, &after.content) || before.content == after.content)
        }
        _ => false,
    };
    match (fires(before), fires(after)) {
        (false, false) => true,
        (true, true) => is_same_content(),
        (false, true) | (true, false) => false,
    }
}

fn follow(tx: &mut StepTransaction<'_>, id: AlertId, alert: Option<&Alert>) {
    let means = alert.and_then(|alert| meaning(tx, alert));
    let known = tx.service_alert(&id);
    match (means, known) {
        (Some(means), Some(known)) if *known == means => {}
        (Some(means), _) => tx.put_service_alert(id, means),
        (None, Some(_)) => tx.drop_service_alert(&id),
        (None, None) => {}
    }
}

/// What a firing alert means for status pages; nothing if none shows its services. A person's
/// resolve and silences change nothing: the outage is there all the same.
fn meaning(tx: &StepTransaction<'_>, alert: &Alert) -> Option<ServiceAlert> {
    let pages = &tx.rules.status_pages;
    let class = SeverityClass::of(&alert.content.severity);
    let is_trouble = !matches!(class, SeverityClass::Info | SeverityClass::None);
    if !alert.firing || alert.held_old || !is_trouble || !pages.show_services() {
        return None;
    }
    let fields = Matchable {
        integration: &alert.integration,
        content: &alert.content,
    };
    let routes = tx.rules.tree.routes(&tx.effort.counted(fields));
    let own = alert.content.service.as_ref();
    let own = own.or_else(|| alert.content.labels.get("service"));
    let of_routes = routes.iter().filter_map(|route| route.service.as_ref());
    let services: BTreeSet<&Text> = own.into_iter().chain(of_routes).collect();
    let shown = services.into_iter().filter(|service| pages.shows(service));
    let services: Vec<Text> = shown.cloned().collect();
    if services.is_empty() {
        return None;
    }
    let urgency = routes
        .iter()
        .map(|route| route.urgency.of(&alert.content.severity));
    Some(ServiceAlert {
        alert: alert.id,
        services,
        class,
        // One that no route takes is as urgent as its severity.
        urgency: urgency.max().unwrap_or(class.urgency()),
    })
}

/// Other rules are in force, perhaps: all alerts are looked at, in this step or in later ones.
pub fn begin_review(tx: &mut StepTransaction<'_>) {
    let has_any = tx.state.service_alerts().next().is_some();
    if has_any || tx.rules.status_pages.show_services() {
        tx.begin(TaskKind::ReviewServices { next: AlertId(0) });
    }
}

/// Looks at all alerts; the answer is where to go on.
pub fn review(tx: &mut StepTransaction<'_>, next: AlertId) -> Option<AlertId> {
    let state = tx.state;
    for (done, alert) in state.alerts_after(next).enumerate() {
        if done > 0 && tx.is_spent() {
            return Some(alert.id);
        }
        let alert = tx.alert(&alert.id);
        if let Some(alert) = alert {
            follow(tx, alert.id, Some(&alert));
        }
    }
    None
}

/// What fires of a service and is urgent enough, the worst first.
pub fn of_service(
    tx: &StepTransaction<'_>,
    service: &Text,
    minimum: Urgency,
    most: usize,
) -> Vec<Arc<ServiceAlert>> {
    let is_meant = |alert: &Arc<ServiceAlert>| {
        alert.state(minimum).is_some() && alert.services.contains(service)
    };
    let touched = tx.changed_service_alerts();
    let fresh = touched.iter().filter_map(|id| tx.service_alert(id));
    let known = tx.state.alerts_of_service(service);
    let known = known.filter(|alert| !touched.contains(&alert.alert));
    let known = known.filter(|alert| is_meant(alert)).take(most);
    let fresh = fresh.filter(is_meant);
    let mut all: Vec<Arc<ServiceAlert>> = known.cloned().chain(fresh).collect();
    all.sort_by_key(|alert| (std::cmp::Reverse(alert.class.rank()), alert.alert));
    all.truncate(most);
    all
}
