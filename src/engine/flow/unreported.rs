//! Alerts whose end never comes: `resolve_after` ends what no report has told of for so long.
//!
//! A sender that was restarted after the repair, or shut down with its machine, never says that it
//! is over. Time in which the router was down does not count: a start begins the wait anew.

use crate::engine::alert::{Alert, Matchable, Unreported};
use crate::engine::ids::AlertId;
use crate::engine::routing::ResolveAfter;
use crate::engine::ruleset::RuleSet;
use crate::engine::task::TaskKind;
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;

/// The source spoke of the alert: the wait begins anew, as long as the rules say.
pub fn reported(tx: &mut StepTransaction<'_>, id: AlertId) {
    let alert = tx.alert(&id);
    let alert = alert.expect("an alert that was just reported, or is in the state, is known");
    if alert.unreported.is_none() && !is_used(tx.rules) {
        return;
    }
    let since = tx.now.steady;
    let wait = resolve_after(tx, &alert).map(|resolve_after| Unreported {
        since,
        resolve_after,
    });
    tx.edit_alert(&id, |alert| alert.unreported = wait);
}

/// Other rules are in force: where they say something else, the wait begins anew.
pub fn rules_changed(tx: &mut StepTransaction<'_>) {
    tx.begin(TaskKind::FollowRules { next: AlertId(0) });
}

/// Looks at alerts from this one on; the answer is the next one, if some are left.
pub fn follow_rules(tx: &mut StepTransaction<'_>, next: AlertId) -> Option<AlertId> {
    let rules = tx.rules;
    let is_used = is_used(rules);
    for alert in tx.state.alerts_after(next) {
        if tx.is_spent() && alert.id > next {
            return Some(alert.id);
        }
        let id = alert.id;
        let Some(alert) = tx.alert(&id) else {
            continue;
        };
        if !alert.firing || !(is_used || alert.unreported.is_some()) {
            continue;
        }
        let before = alert.unreported.map(|wait| wait.resolve_after);
        if before != resolve_after(tx, &alert) {
            reported(tx, id);
        }
    }
    None
}

/// The router was away, and reports may have been lost meanwhile: the wait begins anew.
pub fn begin_anew(alert: &mut Alert, since: MonotonicTime) {
    if let Some(wait) = &mut alert.unreported {
        wait.since = wait.since.max(since);
    }
}

/// Whether anything in the rules ends alerts that are not reported any more.
fn is_used(rules: &RuleSet) -> bool {
    let mut integrations = rules.integrations.values();
    rules.tree.has_resolve_after() || integrations.any(|known| known.resolve_after.is_some())
}

/// The word of the alert's routes, of several the longest wait; where they say nothing, that of
/// its integration.
fn resolve_after(tx: &StepTransaction<'_>, alert: &Alert) -> Option<Duration> {
    if alert.integration.is_provider() || alert.integration.is_check() {
        // Both are looked at all the time, and an alert is told only when it changes.
        return None;
    }
    let rules = tx.rules;
    let fields = Matchable {
        integration: &alert.integration,
        content: &alert.content,
    };
    let routes = rules.tree.routes(&tx.effort.counted(fields));
    let words: Vec<ResolveAfter> = routes
        .iter()
        .filter_map(|route| route.resolve_after)
        .collect();
    let integration = rules.integrations.get(&alert.integration);
    if words.is_empty() {
        return integration?.resolve_after;
    }
    let waits = words.iter().map(|word| match word {
        ResolveAfter::Never => None,
        ResolveAfter::After(wait) => Some(*wait),
    });
    let waits: Option<Vec<Duration>> = waits.collect();
    waits?.into_iter().max()
}
