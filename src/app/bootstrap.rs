//! What the first start makes: the secret of acknowledge links, the admin token, and a key for the
//! integration `native`.

use anyhow::Context;

use super::options::ServeOptions;
use super::secrets;
use crate::api::credentials::{StoredKey, document};
use crate::api::secrets::{api_token, integration_key};
use crate::engine::input::{Actor, Via};
use crate::engine::strength::Strength;
use crate::runtime::clock;
use crate::store::{
    Batch, DocumentKind, DocumentWrite, Epoch, LINKS_SECRET, Loaded, Partition, Store,
};
use crate::text::{hash, hex};

/// Name of the admin token's hash among the secrets of the store.
const ADMIN: &str = "admin";
/// Set to use this admin token instead of the one in the data directory.
const ADMIN_VARIABLE: &str = "REVEILLE_ADMIN_TOKEN";

/// Secrets of this installation, and what is to be shown once.
pub struct First {
    /// What is not in the store yet.
    writes: Vec<DocumentWrite>,
    pub links_secret: [u8; 32],
    pub admin_hash: [u8; 32],
    /// The admin token, only when it was made by this start.
    pub new_admin_token: Option<String>,
    /// The key of the integration `native`, only when it was made by this start.
    pub new_native_key: Option<String>,
}

/// Reads the secrets and makes those that are missing; [`First::keep`] makes them durable.
pub fn prepare(store: &dyn Store, options: &ServeOptions) -> anyhow::Result<First> {
    let mut writes = Vec::new();
    let links_secret = match store.document(DocumentKind::Secret, LINKS_SECRET)? {
        Some(bytes) => bytes
            .try_into()
            .ok()
            .context("the stored link secret is damaged")?,
        None => make_links_secret(&mut writes),
    };
    let stored = store.document(DocumentKind::Secret, ADMIN)?;
    let given = options
        .environment
        .get(ADMIN_VARIABLE)
        .filter(|token| !token.is_empty());
    let (admin_hash, new_admin_token) = match (given, stored) {
        (Some(token), _) => (hash::sha256(token), None),
        (None, Some(bytes)) => {
            let hash = bytes
                .try_into()
                .ok()
                .context("the stored admin token is damaged")?;
            (hash, None)
        }
        (None, None) => make_admin_token(&mut writes),
    };
    let is_first = writes
        .iter()
        .any(|write: &DocumentWrite| write.name == LINKS_SECRET);
    if let Some(weakness) = given.and_then(|token| Strength::of(token).weakness()) {
        let help = "use a random one, such as from `openssl rand -hex 20`";
        if is_first {
            anyhow::bail!("{ADMIN_VARIABLE} {weakness}; {help}");
        }
        tracing::warn!("{ADMIN_VARIABLE} {weakness}, and gives full access; {help}");
    }
    let new_native_key = is_first.then(|| make_native_key(&mut writes));
    Ok(First {
        writes,
        links_secret,
        admin_hash,
        new_admin_token,
        new_native_key,
    })
}

impl First {
    /// Keeps what was made. Only once nothing but the start itself is left to fail: whoever sees
    /// the token later than the start that made it sees it never.
    pub fn keep(
        &mut self,
        store: &dyn Store,
        (partition, epoch): (Partition, Epoch),
        loaded: &Loaded,
        options: &ServeOptions,
    ) -> anyhow::Result<()> {
        if let Some(token) = &self.new_admin_token {
            write_file(options, "admin-token", token)?;
        }
        if let Some(key) = &self.new_native_key {
            write_file(options, "first-key", key)?;
        }
        if self.writes.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            documents: std::mem::take(&mut self.writes),
            clocks: loaded.clocks,
            ..Batch::default()
        };
        store.commit(partition, epoch, &batch)?;
        Ok(())
    }
}

fn make_links_secret(writes: &mut Vec<DocumentWrite>) -> [u8; 32] {
    let mut secret = [0; 32];
    secrets::fill(&mut secret);
    writes.push(secret_write(LINKS_SECRET, secret.to_vec()));
    secret
}

fn make_admin_token(writes: &mut Vec<DocumentWrite>) -> ([u8; 32], Option<String>) {
    let token = api_token(&secrets::fill);
    let hash = hash::sha256(&token);
    writes.push(secret_write(ADMIN, hash.to_vec()));
    (hash, Some(token))
}

fn make_native_key(writes: &mut Vec<DocumentWrite>) -> String {
    let key = integration_key(&secrets::fill);
    let stored = StoredKey {
        id: "first".to_owned(),
        sha256: hex::encode(&hash::sha256(&key)),
        integration: "native".into(),
        name: None,
        created: clock::wall_now(),
        created_by: Actor::named("first start", Via::Router),
        last_used: None,
    };
    writes.push(document(DocumentKind::Key, &stored.id, &stored));
    key
}

fn secret_write(name: &str, bytes: Vec<u8>) -> DocumentWrite {
    DocumentWrite {
        kind: DocumentKind::Secret,
        name: name.to_owned(),
        bytes: Some(bytes),
    }
}

fn write_file(options: &ServeOptions, name: &str, text: &str) -> anyhow::Result<()> {
    let path = options.settings.data.join(name);
    secrets::write_private(&path, text)
        .with_context(|| format!("failed to write {}", path.display()))
}
