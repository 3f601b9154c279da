//! What the store keeps of keys and tokens: hashes, never a secret.

use serde::{Deserialize, Serialize};

use crate::engine::ids::IntegrationName;
use crate::engine::input::Actor;
use crate::engine::time::Timestamp;
use crate::store::{self, DocumentKind, DocumentWrite, Store};

use super::wire::token::Role;

/// Documents read from the store at once.
const LOADED_AT_ONCE: usize = 500;

/// SHA-256 of a key or token.
pub type Hash = [u8; 32];

/// An API token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredToken {
    pub id: String,
    /// In hex.
    pub sha256: String,
    pub name: String,
    pub user: Option<String>,
    pub role: Role,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub last_used: Option<Timestamp>,
}

/// A key of an integration that was made through the API, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    pub id: String,
    /// In hex.
    pub sha256: String,
    pub integration: IntegrationName,
    /// What it is for.
    pub name: Option<String>,
    pub created: Timestamp,
    pub created_by: Actor,
    pub last_used: Option<Timestamp>,
}

/// A document as the store is to keep it.
pub fn document(kind: DocumentKind, id: &str, value: &impl Serialize) -> DocumentWrite {
    DocumentWrite {
        kind,
        name: id.to_owned(),
        bytes: Some(serde_json::to_vec(value).expect("strings and numbers have a JSON form")),
    }
}

/// Takes a document out of the store.
pub fn removal(kind: DocumentKind, id: &str) -> DocumentWrite {
    DocumentWrite {
        kind,
        name: id.to_owned(),
        bytes: None,
    }
}

/// The keys of integrations that were made through the API.
pub fn stored_keys(store: &dyn Store) -> Result<Vec<StoredKey>, store::Error> {
    let mut keys = Vec::new();
    for bytes in documents(store, DocumentKind::Key)? {
        match serde_json::from_slice(&bytes) {
            Ok(key) => keys.push(key),
            Err(error) => tracing::warn!(%error, "a stored key is damaged and is refused"),
        }
    }
    Ok(keys)
}

/// All documents of a kind.
pub fn documents(store: &dyn Store, kind: DocumentKind) -> Result<Vec<Vec<u8>>, store::Error> {
    let mut all = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let read = store.documents(kind, before.as_deref(), LOADED_AT_ONCE)?;
        before = read.last().map(|(name, _)| name.clone());
        let is_last = read.len() < LOADED_AT_ONCE;
        all.extend(read.into_iter().map(|(_, bytes)| bytes));
        if is_last {
            return Ok(all);
        }
    }
}
