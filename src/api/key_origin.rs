//! Of which integration a key is or was, by its fingerprint (SHA-256).
//!
//! An event that waited in a spool names the key under which it was made. After a rotation that key
//! is revoked, and yet the event belongs to its integration: so the fingerprint of a key is kept
//! when the key ends. A fingerprint alone permits nothing.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};

use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::RuleSet;
use crate::text::hex;

use super::auth::Auth;
use super::ports::ApiState;
use super::problem::Problem;

/// Names the key under which an event was made, where another one is presented.
pub const HEADER: &str = "x-reveille-made-under-key";

/// Writes down the keys that the rules in force name, so that they are known after they have ended.
pub async fn note_keys_of_rules(state: &ApiState) {
    let rules = state.handle.rules();
    let keys = rules.integrations.values().flat_map(|integration| {
        let hashes = integration.key_hashes.iter();
        hashes.map(|hash| (*hash, integration.name.clone()))
    });
    let writes = state
        .auth
        .fingerprints
        .note(&keys.collect::<Vec<_>>(), state.now());
    if writes.is_empty() {
        return;
    }
    // The rules are in force all the same; the next start or apply writes what is missing.
    if let Err(error) = state.handle.write_documents(writes).await {
        tracing::warn!(%error, "the fingerprints of keys could not be stored");
    }
}

/// Refuses an event that was made under the key of another integration than the one that sends it.
pub fn check(
    headers: &HeaderMap,
    integration: &IntegrationName,
    (auth, rules): (&Auth, &Arc<RuleSet>),
) -> Result<(), Problem> {
    let Some(value) = headers.get(HEADER) else {
        return Ok(());
    };
    let hash = value.to_str().ok().and_then(hex::decode_hash);
    let hash = hash.ok_or_else(|| {
        Problem::invalid(format!(
            "{HEADER} is not a SHA-256 in hex: send the fingerprint of the key the event was made \
             with, or omit it"
        ))
    })?;
    let refused = |detail: String| Problem::new(StatusCode::CONFLICT, "other_key", detail);
    match auth.origin(rules, &hash) {
        Some(origin) if origin == *integration => Ok(()),
        Some(_) => Err(refused(format!(
            "this event was made with a key of another integration than {integration}: send it \
             with a key of that integration"
        ))),
        None => Err(refused(format!(
            "this event was made with a key that this server never knew, and is now sent with a \
             key of {integration}"
        ))),
    }
}
