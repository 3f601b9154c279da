//! Components of our own status pages: they follow what they depend on, with a delay against
//! flapping, and every change says why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::ids::StatusPageName;
use crate::engine::status_component::{ComponentKey, PendingState, StateCause, StatusComponent};
use crate::engine::status_page_rules::{ComponentRules, PublishRules, StatusPageRules};
use crate::engine::status_post::PostedChange;
use crate::engine::status_posts::Became;
use crate::engine::status_report::ComponentState;
use crate::engine::status_state::{ByRule, by_rule};
use crate::engine::time::{Duration, Timestamp};
use crate::engine::transaction::StepTransaction;
use crate::engine::{status_alerts, status_posts};

/// What is better has to be so for so long.
const QUIET: Duration = Duration::minutes(5);

/// What becomes due so soon after another component of the page is published with it.
const TOGETHER: Duration = Duration::seconds(5);

/// A component that left the rules is remembered for so long: it may come back.
const REMEMBERED_FOR: Duration = Duration::days(90);

/// A state that is to be published now.
type Due = (ComponentKey, ByRule, Timestamp);

/// Looks at all components that may be otherwise because of what this step changed.
pub fn review_changed(tx: &mut StepTransaction<'_>) {
    if tx.rules.status_pages.pages.is_empty() && tx.state.status_components().next().is_none() {
        return;
    }
    status_alerts::follow_changed(tx);
    let rules = tx.rules;
    let pages = &rules.status_pages;
    let mut keys: BTreeSet<ComponentKey> = BTreeSet::new();
    for id in tx.changed_service_alerts() {
        let before = tx.state.service_alert(id).cloned();
        let both = [before, tx.service_alert(&id)];
        for service in both.iter().flatten().flat_map(|alert| &alert.services) {
            keys.extend(pages.of_service(service).iter().cloned());
        }
    }
    for provider in tx.changed_providers() {
        keys.extend(pages.of_provider(&provider).iter().cloned());
    }
    review(tx, keys);
}

/// Looks at all components: other rules are in force, or the clock may have changed something.
pub fn review_all(tx: &mut StepTransaction<'_>) {
    let pages = tx.rules.status_pages.pages.values();
    let keys = pages.flat_map(|page| page.components.iter().map(|it| page.key(it)));
    let keys: BTreeSet<ComponentKey> = keys.collect();
    for known in tx.status_components() {
        if !keys.contains(&known.key) {
            leave(tx, &known);
        }
    }
    review(tx, keys);
}

/// The rules have no such component any more.
fn leave(tx: &mut StepTransaction<'_>, known: &StatusComponent) {
    let now = tx.now.wall;
    if known.state != ComponentState::Unknown || known.pending.is_some() {
        let mut left = known.clone();
        left.by_hand = None;
        let causes = vec![StateCause::NotInRules];
        left.enter(ComponentState::Unknown, causes, now);
        tx.put_status_component(left.key.clone(), left);
    } else if tx.past().since(known.since) > REMEMBERED_FOR {
        tx.drop_status_component(&known.key);
    }
}

/// Looks at these components, and publishes what is to be published at once.
pub fn review(tx: &mut StepTransaction<'_>, keys: BTreeSet<ComponentKey>) {
    let rules = tx.rules;
    let pages = &rules.status_pages;
    let mut due: BTreeMap<&StatusPageName, Vec<Due>> = BTreeMap::new();
    let mut reviewed: BTreeSet<&StatusPageName> = BTreeSet::new();
    for key in keys {
        let Some((page, component)) = pages.component(&key) else {
            continue;
        };
        reviewed.insert(&page.name);
        if let Some(now_due) = review_one(tx, page, component, key) {
            due.entry(&page.name).or_default().push(now_due);
        }
    }
    for name in reviewed {
        let page = &pages.pages[name];
        if let Some(due) = due.remove(name) {
            publish(tx, page, due);
        }
        withdraw_draft_if_over(tx, page);
    }
}

/// Looks at one component; the answer is what is to be published at once.
fn review_one(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    component: &ComponentRules,
    key: ComponentKey,
) -> Option<Due> {
    let now = tx.now.wall;
    let by_rule = by_rule(tx, page, component);
    let known = tx.status_component(&key).unwrap_or_else(|| {
        // Nobody may call well what nothing is known of.
        let first = match by_rule.state {
            ComponentState::Unknown => ComponentState::Unknown,
            _ => ComponentState::Operational,
        };
        let new = StatusComponent::new(key.clone(), component.full_name(), first, now);
        tx.put_status_component(key.clone(), new.clone());
        Arc::new(new)
    });
    let mut next = (*known).clone();
    next.name = component.full_name();
    next.pending = match &known.pending {
        _ if known.by_hand.is_some() || by_rule.state == known.state => None,
        pending => {
            let wait = wait(known.state, by_rule.state, &page.publish);
            let Some(wait) = wait else {
                return Some((key, by_rule, now));
            };
            // What is worse in another way is worse since then all the same.
            let goes_on = pending.as_ref().filter(|pending| {
                let rank = known.state.rank();
                (pending.state.rank() > rank) == (by_rule.state.rank() > rank)
            });
            match goes_on {
                Some(pending) if pending.state == by_rule.state => Some(pending.clone()),
                goes_on => Some(PendingState {
                    state: by_rule.state,
                    causes: by_rule.causes,
                    since: goes_on.map_or(now, |pending| pending.since),
                    due: goes_on.map_or(Some(tx.now.steady + wait), |pending| pending.due),
                }),
            }
        }
    };
    if next != *known {
        tx.put_status_component(key, next);
    }
    None
}

/// How long a change has to last before it is published; `None` if it is at once.
fn wait(before: ComponentState, after: ComponentState, publish: &PublishRules) -> Option<Duration> {
    use ComponentState::{Maintenance, Operational, Unknown};
    match (before, after) {
        (Unknown, _) | (_, Unknown | Maintenance) | (Maintenance, Operational) => None,
        _ if after.rank() > before.rank() => Some(publish.after),
        _ => Some(QUIET),
    }
}

/// A pending state has lasted, or what somebody said of a component ends.
pub fn due(tx: &mut StepTransaction<'_>, key: &ComponentKey) {
    let known = tx.status_component(key);
    let known = known.expect("a component whose timer is due is in the state");
    let is_over = known
        .by_hand_until()
        .is_some_and(|until| until <= tx.now.wall);
    if is_over {
        return follow_rules(tx, BTreeSet::from([key.clone()]));
    }
    let rules = tx.rules;
    let Some((page, _)) = rules.status_pages.component(key) else {
        let mut left = (*known).clone();
        left.pending = None;
        tx.put_status_component(key.clone(), left);
        return;
    };
    let soon = tx.now.steady + TOGETHER;
    let of_page = tx.status_components().into_iter();
    let of_page = of_page.filter(|it| it.key.page == page.name);
    let together = of_page.filter_map(|it| {
        let pending = it.pending.as_ref()?;
        let is_due = pending.due.is_some_and(|due| due <= soon);
        let component = page.component(&it.key.id).filter(|_| is_due)?;
        let by_rule = by_rule(tx, page, component);
        Some((it.key.clone(), by_rule, pending.since))
    });
    let together: Vec<Due> = together.collect();
    publish(tx, page, together);
}

/// The rules decide on these components again, at once.
pub fn follow_rules(tx: &mut StepTransaction<'_>, keys: BTreeSet<ComponentKey>) {
    let now = tx.now.wall;
    let rules = tx.rules;
    let mut due: BTreeMap<&StatusPageName, Vec<Due>> = BTreeMap::new();
    for key in keys {
        let Some(known) = tx.status_component(&key) else {
            continue;
        };
        let mut known = (*known).clone();
        known.by_hand = None;
        tx.put_status_component(key.clone(), known);
        let component = rules.status_pages.component(&key);
        if let Some((page, component)) = component {
            let by_rule = by_rule(tx, page, component);
            due.entry(&page.name).or_default().push((key, by_rule, now));
        }
    }
    for (name, due) in due {
        publish(tx, &rules.status_pages.pages[name], due);
    }
}

/// Publishes what components have become, and what posts say of it.
fn publish(tx: &mut StepTransaction<'_>, page: &StatusPageRules, due: Vec<Due>) {
    let mut became = Vec::new();
    let mut proposed = Vec::new();
    for (key, by_rule, since) in due {
        let known = tx.status_component(&key);
        let known = known.expect("a component that was looked at is in the state");
        if known.state == by_rule.state {
            drop_pending(tx, &known);
            continue;
        }
        let it = Became {
            change: PostedChange {
                component: key.id.clone(),
                before: known.state,
                after: by_rule.state,
            },
            since,
        };
        if asks_first(tx, page, &it) {
            let pending = PendingState {
                state: by_rule.state,
                causes: by_rule.causes,
                since,
                due: None,
            };
            let mut waits = (*known).clone();
            waits.pending = Some(pending);
            tx.put_status_component(key, waits);
            proposed.push(it);
        } else {
            enter(tx, &known, by_rule);
            became.push(it);
        }
    }
    if !proposed.is_empty() {
        let proposed: Vec<&Became> = proposed.iter().collect();
        status_posts::propose(tx, page, &proposed);
    }
    if !became.is_empty() {
        status_posts::follow(tx, page, &became);
    }
}

fn drop_pending(tx: &mut StepTransaction<'_>, known: &StatusComponent) {
    if known.pending.is_some() {
        let mut next = known.clone();
        next.pending = None;
        tx.put_status_component(next.key.clone(), next);
    }
}

fn enter(tx: &mut StepTransaction<'_>, known: &StatusComponent, by_rule: ByRule) {
    let mut next = known.clone();
    next.enter(by_rule.state, by_rule.causes, tx.now.wall);
    tx.put_status_component(next.key.clone(), next);
}

/// Whether somebody has to say first that an outage is published. What is public already goes on
/// by itself.
fn asks_first(tx: &StepTransaction<'_>, page: &StatusPageRules, it: &Became) -> bool {
    let is_public = || {
        let open = status_posts::open_post(tx, page);
        open.is_some_and(|post| post.is_about(&it.change.component))
    };
    page.publish.review && it.change.after.is_down() && !is_public()
}

/// What a draft is about may be over before somebody published it.
fn withdraw_draft_if_over(tx: &mut StepTransaction<'_>, page: &StatusPageRules) {
    let Some(draft) = status_posts::draft(tx, page) else {
        return;
    };
    let waits = |id| {
        let key = ComponentKey {
            page: page.name.clone(),
            id,
        };
        let known = tx.status_component(&key);
        known.is_some_and(|known| known.pending.is_some())
    };
    if !draft.components.iter().cloned().any(waits) {
        status_posts::withdraw_draft(tx, page);
    }
}
