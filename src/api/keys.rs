//! Keys of integrations that are made through the API; several live at once, for rotation.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::ruleset::Integration;
use crate::store::DocumentKind;
use crate::text::{hash, hex};

use super::audit;
use super::auth::Caller;
use super::credentials::{StoredKey, document, removal};
use super::extract::{Json, Path};
use super::names;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::List;
use super::wire::actor::Actor;
use super::wire::audit::Action;
use super::wire::key::{Key, MadeKey};
use super::{parse, secrets};

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for, such as `prometheus in Lisbon`.
    name: Option<String>,
}

/// List an integration's keys
#[utoipa::path(
    get, path = "/v1/integrations/{name}/keys", security(("token" = ["admin"])),
    responses((status = 200, body = List<Key>))
)]
pub async fn list(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Json<List<Key>>, Problem> {
    let rules = state.handle.rules();
    let integration = names::integration(&rules, &name)?;
    let hashes = integration.key_hashes.iter();
    let of_rules = hashes.map(|_| of_rules(integration));
    let made = state.auth.keys().into_iter();
    let made = made.filter(|key| key.integration == integration.name);
    let all = of_rules.chain(made.map(listed));
    Ok(Json(List::whole(all.collect())))
}

/// List the keys of all integrations
#[utoipa::path(
    get, path = "/v1/keys", security(("token" = ["admin"])),
    responses((status = 200, body = List<Key>))
)]
pub async fn list_all(State(state): State<AppState>) -> Json<List<Key>> {
    let rules = state.handle.rules();
    let integrations = rules.integrations.values();
    let of_rules = integrations.flat_map(|integration| {
        let hashes = integration.key_hashes.iter();
        hashes.map(move |_| of_rules(integration))
    });
    let made = state.auth.keys().into_iter().map(listed);
    Json(List::whole(of_rules.chain(made).collect()))
}

fn of_rules(integration: &Integration) -> Key {
    Key {
        id: None,
        integration: integration.name.to_string(),
        origin: "rules".to_owned(),
        name: None,
        created: None,
        created_by: None,
        last_used: None,
    }
}

fn listed(key: StoredKey) -> Key {
    Key {
        id: Some(key.id),
        integration: key.integration.to_string(),
        origin: "api".to_owned(),
        name: key.name,
        created: Some(key.created.to_string()),
        created_by: Some(Actor::from(&key.created_by)),
        last_used: key.last_used.map(|at| at.to_string()),
    }
}

/// Create a key
#[utoipa::path(
    post, path = "/v1/integrations/{name}/keys", security(("token" = ["admin"])),
    responses((status = 201, body = MadeKey))
)]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    let rules = state.handle.rules();
    let integration = names::integration(&rules, &name)?.name.clone();
    let name = new.name.map(|name| parse::clean(&name, 100));
    let secret = secrets::integration_key(&*state.random);
    let key = StoredKey {
        id: secrets::public_id(&*state.random),
        sha256: hex::encode(&hash::sha256(&secret)),
        integration,
        name: name.filter(|name| !name.is_empty()),
        created: state.now(),
        created_by: rules.with_full_name(caller.actor()),
        last_used: None,
    };
    let write = document(DocumentKind::Key, &key.id, &key);
    let entry = audit::event(&state, &caller, Action::KeyMade)
        .on(format!("key {}", key.id))
        .because(format!("of integration {}", key.integration));
    state
        .handle
        .write_recorded(vec![write], entry.once_done())
        .await?;
    let (id, by) = (&key.id, &caller.name);
    tracing::info!(
        key.id = %id,
        integration.name = %key.integration,
        actor.name = %by,
        "a key was created"
    );
    let made = MadeKey {
        key: secret,
        id: key.id.clone(),
        integration: key.integration.to_string(),
    };
    state.auth.add_key(key);
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revoke a key
#[utoipa::path(
    delete, path = "/v1/integrations/{name}/keys/{id}", security(("token" = ["admin"])),
    responses((status = 204))
)]
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    // An integration that the rules no longer have may still have keys to tidy up.
    let mut keys = state.auth.keys().into_iter();
    let Some(key) = keys.find(|key| key.id == id && key.integration.as_str() == name) else {
        let what = format_args!("{id:?} of integration {name:?}");
        return Err(Problem::not_found("key created through the API", what));
    };
    end(&state, &caller, key).await
}

/// Revoke a key by its id alone
#[utoipa::path(
    delete, path = "/v1/keys/{id}", security(("token" = ["admin"])),
    responses((status = 204))
)]
pub async fn revoke_by_id(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let Some(key) = state.auth.keys().into_iter().find(|key| key.id == id) else {
        let what = format_args!("{id:?}");
        return Err(Problem::not_found("key created through the API", what));
    };
    end(&state, &caller, key).await
}

async fn end(state: &ApiState, caller: &Caller, key: StoredKey) -> Result<StatusCode, Problem> {
    let (id, name) = (key.id, key.integration);
    // Shut at once, whatever the store says: authorisation fails closed.
    state.auth.remove_key(&id);
    let entry = audit::event(state, caller, Action::KeyRevoked)
        .on(format!("key {id}"))
        .because(format!("of integration {name}"));
    // What was made under it and waits somewhere still belongs to the integration.
    let hash = hex::decode_hash(&key.sha256);
    let ended = hash.map(|hash| (hash, name.clone()));
    let mut writes = state.auth.fingerprints.note(ended.as_slice(), state.now());
    writes.push(removal(DocumentKind::Key, &id));
    let record = entry.once_done();
    state.handle.write_recorded(writes, record).await?;
    tracing::info!(
        key.id = %id,
        integration.name = %name,
        actor.name = %caller.name,
        "a key was revoked"
    );
    Ok(StatusCode::NO_CONTENT)
}
