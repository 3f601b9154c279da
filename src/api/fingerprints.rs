//! The fingerprints (SHA-256) of keys that are and that were, with the integration of each.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::engine::ids::IntegrationName;
use crate::engine::time::Timestamp;
use crate::store::{self, DocumentKind, DocumentWrite, Store};
use crate::text::hex;

use super::credentials::{Hash, document, documents, removal};

/// Fingerprints that are kept for one integration; the oldest gives way.
const KEPT_MAX: usize = 100;

/// A fingerprint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFingerprint {
    /// In hex.
    pub sha256: String,
    pub integration: IntegrationName,
    /// When it was written down.
    pub noted: Timestamp,
}

/// The fingerprints that are written down.
#[derive(Default)]
pub struct Fingerprints {
    noted: RwLock<BTreeMap<Hash, StoredFingerprint>>,
}

impl Fingerprints {
    /// Reads what the store keeps.
    pub fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let fingerprints = Self::default();
        for bytes in documents(store, DocumentKind::KeyFingerprint)? {
            match serde_json::from_slice(&bytes) {
                Ok(stored) => fingerprints.put(stored),
                Err(error) => tracing::warn!(%error, "a stored fingerprint is damaged"),
            }
        }
        Ok(fingerprints)
    }

    /// The integration whose key had this fingerprint.
    pub fn integration(&self, hash: &Hash) -> Option<IntegrationName> {
        let noted = self.noted.read().unwrap_or_else(PoisonError::into_inner);
        noted.get(hash).map(|stored| stored.integration.clone())
    }

    /// Notes keys; what is returned is to be written, also what gives way.
    pub fn note(&self, keys: &[(Hash, IntegrationName)], now: Timestamp) -> Vec<DocumentWrite> {
        let mut writes = Vec::new();
        for (hash, integration) in keys {
            if self.integration(hash).as_ref() == Some(integration) {
                continue;
            }
            let stored = StoredFingerprint {
                sha256: hex::encode(hash),
                integration: integration.clone(),
                noted: now,
            };
            writes.push(document(
                DocumentKind::KeyFingerprint,
                &stored.sha256,
                &stored,
            ));
            self.put(stored);
            writes.extend(self.drop_oldest(integration));
        }
        writes
    }

    fn put(&self, stored: StoredFingerprint) {
        if let Some(hash) = hex::decode_hash(&stored.sha256) {
            let noted = self.noted.write();
            let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
            noted.insert(hash, stored);
        }
    }

    fn drop_oldest(&self, integration: &IntegrationName) -> Option<DocumentWrite> {
        let noted = self.noted.write();
        let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
        let own = noted.iter();
        let own = own.filter(|(_, stored)| stored.integration == *integration);
        let own: Vec<(Timestamp, Hash)> = own.map(|(hash, stored)| (stored.noted, *hash)).collect();
        if own.len() <= KEPT_MAX {
            return None;
        }
        let (_, oldest) = own.into_iter().min()?;
        noted.remove(&oldest);
        Some(removal(DocumentKind::KeyFingerprint, &hex::encode(&oldest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    #[test]
    fn a_fingerprint_is_noted_once_and_follows_its_key_to_another_integration() {
        let fingerprints = Fingerprints::default();
        let note = |integration: &str| {
            let keys = [([7; 32], IntegrationName::from(integration))];
            fingerprints.note(&keys, NOW).len()
        };
        assert_eq!((note("a"), note("a"), note("b")), (1, 0, 1));
        let origin = fingerprints.integration(&[7; 32]);
        assert_eq!(origin, Some("b".into()));
    }

    #[test]
    fn the_oldest_fingerprint_of_an_integration_gives_way() {
        let fingerprints = Fingerprints::default();
        let count = u8::try_from(KEPT_MAX).expect("it is small");
        for number in 0..=count {
            let now = Timestamp(i64::from(number));
            let writes = fingerprints.note(&[([number; 32], "a".into())], now);
            let gone = writes.iter().filter(|write| write.bytes.is_none()).count();
            assert_eq!(gone, usize::from(number == count), "{number}");
        }
        assert_eq!(fingerprints.integration(&[0; 32]), None);
        assert!(fingerprints.integration(&[1; 32]).is_some());
    }
}
