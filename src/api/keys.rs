//! Keys of integrations that are made through the API; several live at once, for rotation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::Integration;
use crate::signing::digest;
use crate::store::{DocumentKind, DocumentWrite};

use super::actions::Nothing;
use super::audit::{Act, Action};
use super::auth::{Caller, StoredKey};
use super::borders::{ApiState, Shared};
use super::extract::{Payload, Segment};
use super::names;
use super::problem::Problem;
use super::shapes::List;
use super::shapes::actor::Actor;
use super::{secrets, words};

/// A key as it is listed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Key {
    /// `null` for one that stands in the rules, where it is changed.
    id: Option<String>,
    /// `api` or `rules`.
    origin: String,
    created: Option<String>,
    created_by: Option<Actor>,
}

/// A key that was just made; it is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeKey {
    key: String,
    id: String,
    integration: String,
}

/// `GET /v1/integrations/{name}/keys`
pub async fn list(
    State(state): State<Shared>,
    Segment(name): Segment<String>,
) -> Result<Json<List<Key>>, Problem> {
    let integration = known(&state, &name)?;
    let of_rules = integration.key_hashes.iter().map(|_| Key {
        id: None,
        origin: "rules".to_owned(),
        created: None,
        created_by: None,
    });
    let made = state.auth.keys(&integration.name);
    let made = made.into_iter().map(|key| Key {
        id: Some(key.id),
        origin: "api".to_owned(),
        created: Some(key.created.to_string()),
        created_by: Some(Actor::from(&key.created_by)),
    });
    Ok(Json(List::whole(of_rules.chain(made).collect())))
}

/// `POST /v1/integrations/{name}/keys`
pub async fn create(
    State(state): State<Shared>,
    caller: Caller,
    Segment(name): Segment<String>,
    Payload(Nothing {}): Payload<Nothing>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    let integration = known(&state, &name)?.name;
    let secret = secrets::integration_key(&state);
    let key = StoredKey {
        id: secrets::public_id(&state),
        sha256: words::hex(&digest::sha256(secret.as_bytes())),
        integration,
        created: state.now(),
        created_by: caller.actor().in_full(&state.handle.rules()),
    };
    let bytes = serde_json::to_vec(&key).map_err(|_| Problem::internal())?;
    let entry = Act::of(&state, &caller, Action::KeyMade)
        .on(format!("key {}", key.id))
        .because(format!("of integration {}", key.integration));
    state
        .handle
        .write_documents(vec![write(&key.id, Some(bytes)), entry.write()])
        .await?;
    let (id, by) = (&key.id, &caller.name);
    tracing::info!(key.id = %id, integration = %key.integration, by = %by, "a key was made");
    let made = MadeKey {
        key: secret,
        id: key.id.clone(),
        integration: key.integration.to_string(),
    };
    state.auth.add_key(key);
    Ok((StatusCode::CREATED, Json(made)))
}

/// `DELETE /v1/integrations/{name}/keys/{id}`
pub async fn revoke(
    State(state): State<Shared>,
    caller: Caller,
    Segment((name, id)): Segment<(String, String)>,
) -> Result<StatusCode, Problem> {
    // An integration that the rules no longer have may still have keys to tidy up.
    let keys = state.auth.keys(&IntegrationName::from(name.as_str()));
    let Some(key) = keys.into_iter().find(|key| key.id == id) else {
        let what = format_args!("{id:?} of integration {name:?}");
        return Err(Problem::not_found("key made through the API", what));
    };
    // Shut at once, whatever the store says: authorisation fails closed.
    state.auth.remove_key(&id);
    let entry = Act::of(&state, &caller, Action::KeyRevoked)
        .on(format!("key {id}"))
        .because(format!("of integration {name}"));
    // What was made under it and waits somewhere still belongs to the integration.
    let hash = words::hash_of_hex(&key.sha256);
    let ended = hash.map(|hash| (hash, key.integration));
    let mut writes = state.auth.fingerprints.note(ended.as_slice(), state.now());
    writes.extend([write(&id, None), entry.write()]);
    state.handle.write_documents(writes).await?;
    tracing::info!(key.id = %id, integration = %name, by = %caller.name, "a key was revoked");
    Ok(StatusCode::NO_CONTENT)
}

fn known(state: &ApiState, name: &str) -> Result<Integration, Problem> {
    let rules = state.handle.rules();
    names::integration(&rules, name)?;
    let integration = rules.integrations.get(name).cloned();
    integration.ok_or_else(Problem::internal)
}

fn write(id: &str, bytes: Option<Vec<u8>>) -> DocumentWrite {
    DocumentWrite {
        kind: DocumentKind::Key,
        name: id.to_owned(),
        bytes,
    }
}
