//! A person pages somebody: an incident without alerts, which a person resolves.

use std::sync::Arc;

use crate::engine::decision::Refusal;
use crate::engine::entry_body::PersonEntry;
use crate::engine::event::{Labels, Text};
use crate::engine::ids::{IncidentNumber, IntegrationName};
use crate::engine::incident::{AlertCounts, Incident, Status};
use crate::engine::input::{PageByHand, ReassignTo};
use crate::engine::reachability::ContactNeeds;
use crate::engine::reason::Reason;
use crate::engine::ruleset::Policy;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    acknowledgment, actions, escalation, flapping, opening, pinned_policy, reachability,
};

/// Route name of incidents that people opened by hand.
const BY_HAND: &str = "by-hand";

/// A person pages somebody: an incident without alerts, which a person resolves.
pub fn page_by_hand(
    tx: &mut StepTransaction<'_>,
    request: &PageByHand,
) -> Result<IncidentNumber, Refusal> {
    reachability::check(tx, &request.to, &ContactNeeds::from(request))?;
    let policy = by_hand(tx, request)?;
    let actor = tx.rules.with_full_name(request.actor.clone());
    let number = tx.next_incident();
    let key: Text = format!("{BY_HAND}/{number}").into();
    let generation = flapping::count_opening(tx, &key, number);
    let policy = Some(pinned_policy::pin(tx, policy));
    let incident = Incident {
        number,
        generation,
        route: BY_HAND.into(),
        group_key: key,
        group_labels: Labels::default(),
        integration: IntegrationName::from(BY_HAND),
        status: Status::Triggered,
        urgency: request.urgency,
        title: request.text.clone(),
        service: None,
        policy,
        copy_to: Vec::new(),
        join_interval: Duration::minutes(5),
        opened_at: tx.now.wall,
        revision: tx.rules.revision,
        acknowledged: None,
        resolved: None,
        alerts: AlertCounts::default(),
        escalation: opening::new_escalation(),
        runs: Vec::new(),
        is_silenced: false,
        flapping_until: None,
        joined_page_at: None,
        update_due: None,
        about: None,
        opened_by: Some(actor.clone()),
        notes: Vec::new(),
        still_firing: false,
        last_alerts: Vec::new(),
    };
    tx.put_incident(number, incident);
    let paged = PersonEntry::Paged(request.text.clone());
    actions::tell(tx, number, Reason::PagedByHand, &actor, paged);
    match &request.to {
        ReassignTo::Policy(_) => escalation::start(tx, number),
        ReassignTo::Target(target) => {
            if !acknowledgment::reassign(tx, number, std::slice::from_ref(target)) {
                escalation::start(tx, number);
            }
        }
    }
    Ok(number)
}

/// The policy of a page by hand: the one it goes to, or what the target falls back on.
fn by_hand(tx: &StepTransaction<'_>, request: &PageByHand) -> Result<Arc<Policy>, Refusal> {
    let root = tx.rules.tree.root().and_then(|root| root.policy.clone());
    let name = match &request.to {
        ReassignTo::Policy(name) => Some(name.clone()),
        ReassignTo::Target(_) => root.or_else(|| tx.rules.policies.keys().next().cloned()),
    };
    let policy = name.and_then(|name| pinned_policy::policy_named(tx, &name));
    policy.ok_or_else(|| Refusal::unknown("policy", "the root route's policy"))
}
