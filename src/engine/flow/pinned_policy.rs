//! An open incident keeps its policy as it was when it opened.

use std::sync::Arc;

use crate::engine::ids::{PolicyName, Revision};
use crate::engine::incident::PolicyRef;
use crate::engine::records::PolicySnapshot;
use crate::engine::ruleset::Policy;
use crate::engine::transaction::StepTransaction;

/// A policy of the rules in force; a name that is gone gives the root route's.
pub fn policy_named(tx: &StepTransaction<'_>, name: &PolicyName) -> Option<Arc<Policy>> {
    let root = || tx.rules.tree.root().and_then(|root| root.policy.clone());
    let found = tx.rules.policies.get(name).cloned();
    found.or_else(|| tx.rules.policies.get(&root()?).cloned())
}

/// Keeps the policy as it is now for as long as the incident is open.
pub fn pin(tx: &mut StepTransaction<'_>, policy: Arc<Policy>) -> PolicyRef {
    let revision: Revision = tx.rules.revision;
    let key = PolicyRef {
        revision,
        name: policy.name.clone(),
    };
    if tx.edit_pinned(&key, |pinned| pinned.uses += 1).is_none() {
        tx.put_pinned(
            key.clone(),
            PolicySnapshot {
                key: key.clone(),
                policy,
                uses: 1,
            },
        );
    }
    key
}

/// Lets go of a pinned policy.
pub fn unpin(tx: &mut StepTransaction<'_>, key: &PolicyRef) {
    let uses = tx.edit_pinned(key, |pinned| {
        pinned.uses = pinned.uses.saturating_sub(1);
        pinned.uses
    });
    if uses == Some(0) {
        tx.drop_pinned(key);
    }
}
