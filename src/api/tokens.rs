//! API tokens: made, listed without their secret, revoked.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::store::DocumentKind;
use crate::text::{hash, hex};

use super::audit;
use super::auth::Caller;
use super::credentials::{StoredToken, document, removal};
use super::extract::{Json, Path};
use super::names;
use super::ports::AppState;
use super::problem::Problem;
use super::wire::List;
use super::wire::audit::Action;
use super::wire::token::Role;
use super::wire::token::{MadeToken, Token};
use super::{parse, secrets};

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The user as whom its holder acts.
    user: Option<String>,
    /// For a token that no user holds, such as `terraform`.
    name: Option<String>,
    role: Role,
    /// A length such as `90d`; without one it does not expire.
    ttl: Option<String>,
}

/// List API tokens
#[utoipa::path(
    get, path = "/v1/tokens", security(("token" = ["admin"])),
    responses((status = 200, body = List<Token>))
)]
pub async fn list(State(state): State<AppState>) -> Json<List<Token>> {
    let tokens = state.auth.tokens();
    Json(List::whole(tokens.iter().map(listed).collect()))
}

fn listed(token: &StoredToken) -> Token {
    Token {
        id: token.id.clone(),
        name: token.name.clone(),
        user: token.user.clone(),
        role: token.role,
        created: token.created.to_string(),
        expires: token.expires.map(|at| at.to_string()),
        last_used: token.last_used.map(|at| at.to_string()),
    }
}

/// Create an API token
#[utoipa::path(
    post, path = "/v1/tokens", security(("token" = ["admin"])),
    responses((status = 201, body = MadeToken))
)]
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let now = state.now();
    if let Some(user) = new.user.as_deref() {
        names::user(&state.handle.rules(), user)?;
    }
    let ttl = new.ttl.as_deref();
    let ttl = ttl.map(|ttl| parse::length("ttl", ttl)).transpose()?;
    let name = new.name.as_deref().or(new.user.as_deref()).unwrap_or("");
    let name = parse::clean(name, 100);
    if name.is_empty() {
        return Err(Problem::invalid(
            "give user, or name for a token without a user",
        ));
    }
    let secret = secrets::api_token(&*state.random);
    let token = StoredToken {
        id: secrets::public_id(&*state.random),
        sha256: hex::encode(&hash::sha256(&secret)),
        name,
        user: new.user,
        role: new.role,
        created: now,
        expires: ttl.map(|ttl| now + ttl),
        last_used: None,
    };
    let write = document(DocumentKind::Token, &token.id, &token);
    let until = token.expires.map(|at| format!(", until {at}"));
    let entry = audit::event(&state, &caller, Action::TokenMade)
        .on(format!("token {}", token.id))
        .because(format!(
            "for {} with role {}{}",
            token.name,
            token.role.as_str(),
            until.unwrap_or_default()
        ));
    state
        .handle
        .write_recorded(vec![write], entry.once_done())
        .await?;
    let (id, by) = (&token.id, &caller.name);
    tracing::info!(
        token.id = %id,
        token.role = token.role.as_str(),
        actor.name = %by,
        "a token was created"
    );
    let made = MadeToken {
        token: secret,
        id: token.id.clone(),
        role: token.role,
        expires: token.expires.map(|at| at.to_string()),
    };
    state.auth.add_token(token);
    Ok((StatusCode::CREATED, Json(made)))
}

/// Revoke an API token
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", security(("token" = ["admin"])),
    responses((status = 204))
)]
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let known = state.auth.tokens();
    let Some(token) = known.iter().find(|token| token.id == id) else {
        return Err(Problem::not_found("token", format_args!("{id:?}")));
    };
    let entry = audit::event(&state, &caller, Action::TokenRevoked)
        .on(format!("token {id}"))
        .because(format!("for {}", token.name));
    // Shut at once, whatever the store says: authorisation fails closed.
    state.auth.remove_token(&id);
    state
        .handle
        .write_recorded(vec![removal(DocumentKind::Token, &id)], entry.once_done())
        .await?;
    tracing::info!(token.id = %id, actor.name = %caller.name, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}
