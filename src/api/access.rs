//! Who may ask for a route. Each handler declares its access; there is no default.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::openapi::path::Operation;

use crate::signing;
use crate::text::hash;

use super::auth::TokenRefused;
use super::credentials::Hash;
use super::guesses::peer;
use super::peer::Peer;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::token::Role;

/// What a request must bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// A signature or signed link that the handler itself verifies before it does anything.
    Signed,
    /// The key of an integration, which the handler looks up.
    Integration,
    /// An API token with this role or a stronger one.
    Role(Role),
}

impl Access {
    /// A token with the strongest role.
    pub const ADMIN: Self = Self::Role(Role::Admin);

    /// What an operation declares as its `security`, in OpenAPI's own words: `()` for nothing, or
    /// one scheme, for tokens with the role. `None` if it declares nothing that is known.
    pub fn declared(operation: &Operation) -> Option<Self> {
        let [requirement] = operation.security.as_deref()? else {
            return None;
        };
        let requirement = serde_json::to_value(requirement).ok()?;
        let mut schemes = requirement.as_object()?.iter();
        let Some((scheme, roles)) = schemes.next() else {
            return Some(Self::Open);
        };
        if schemes.next().is_some() {
            return None;
        }
        match (scheme.as_str(), roles.as_array()?.as_slice()) {
            ("signature", []) => Some(Self::Signed),
            ("integration_key", []) => Some(Self::Integration),
            ("token", [role]) => Role::deserialize(role).ok().map(Self::Role),
            _ => None,
        }
    }

    /// Whether a token with this role is enough. Where no token is asked for, none helps.
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Role(needed) => role >= needed,
            Self::Open | Self::Signed | Self::Integration => false,
        }
    }
}

/// Lets a request through to a route that asks for a role, with its caller attached.
pub async fn authorise(
    State((state, access)): State<(AppState, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(token) = secret_of(request.headers()) else {
        let detail = "send an API token as `Authorization: Bearer …`";
        return Problem::unauthorized(detail).into_response();
    };
    let rules = state.handle.rules();
    let caller = match state.auth.caller(&rules, &token, state.now()) {
        Ok(known) => known,
        Err(refused) => {
            return unknown(&state, peer(request.extensions()), &refused).into_response();
        }
    };
    if !access.allows(caller.role) {
        let detail = format!("role {} may not do this", caller.role.as_str());
        return Problem::forbidden(detail).into_response();
    }
    note_use(&state, &hash::sha256(&token));
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// What somebody is told whose token opens nothing. Only a token that never was one is a guess.
fn unknown(state: &ApiState, peer: Option<Peer>, refused: &TokenRefused) -> Problem {
    let problem = Problem::unauthorized(refused.to_string());
    match refused {
        TokenRefused::Unknown => state.guesses.answer(peer, state.now(), problem),
        TokenRefused::Expired | TokenRefused::UserGone(_) => problem,
    }
}

/// Writes the last use of a token or key down beside the request; it is a help for tidying up, so
/// failing is fine.
pub fn note_use(state: &ApiState, hash: &Hash) {
    state.auth.note_use(hash, state.now(), |write| {
        if let Err(error) = state.handle.hand_documents(vec![write]) {
            tracing::debug!(%error, "the last use of a token or key was not recorded");
        }
    });
}

/// The secret of a request: a bearer token or the password of HTTP basic.
pub fn secret_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    signing::secret_of(value)
}

/// The key of an integration: as [`secret_of`], or in a header of its own.
pub fn integration_key_of(headers: &HeaderMap) -> Option<String> {
    let own = headers.get("x-reveille-key");
    let own = own.and_then(|value| value.to_str().ok());
    own.map(|key| key.trim().to_owned())
        .or_else(|| secret_of(headers))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::text::base64;

    #[test]
    fn secrets_are_found_where_senders_put_them() {
        let basic = format!("Basic {}", base64::encode(b"anybody:se:cret"));
        let cases = [
            ("authorization", "Bearer secret", Some("secret")),
            ("authorization", "bearer  secret ", Some("secret")),
            ("authorization", basic.as_str(), Some("se:cret")),
            ("authorization", "Basic !!!", None),
            ("authorization", "Digest secret", None),
            ("authorization", "secret", None),
            ("x-reveille-key", "secret", Some("secret")),
            ("x-api-key", "secret", None),
        ];
        for (name, value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            assert_eq!(
                integration_key_of(&headers).as_deref(),
                expected,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn a_route_that_declares_no_access_or_one_that_is_not_known_has_none() {
        for (security, expected) in [
            (None, None),
            (Some(vec![]), None),
            (Some(vec![json!({})]), Some(Access::Open)),
            (Some(vec![json!({"token": []})]), None),
            (Some(vec![json!({"token": ["owner"]})]), None),
            (Some(vec![json!({"token": ["viewer", "admin"]})]), None),
            (
                Some(vec![json!({"token": ["admin"], "signature": []})]),
                None,
            ),
            (Some(vec![json!({"token": ["admin"]})]), Some(Access::ADMIN)),
            (Some(vec![json!({"signature": []})]), Some(Access::Signed)),
            (Some(vec![json!({"tokens": ["viewer"]})]), None),
            (Some(vec![json!({"token": ["viewer"]}), json!({})]), None),
        ] {
            let operation = json!({"responses": {}, "security": security});
            let operation = serde_json::from_value(operation).unwrap();
            assert_eq!(Access::declared(&operation), expected, "{security:?}");
        }
    }

    #[test]
    fn a_key_header_does_not_open_the_api() {
        let mut headers = HeaderMap::new();
        headers.insert("x-reveille-key", HeaderValue::from_static("secret"));
        assert_eq!(secret_of(&headers), None);
    }

    #[test]
    fn a_stronger_role_may_what_a_weaker_may_and_no_token_opens_other_doors() {
        let cases = [
            (Access::Role(Role::Viewer), [true, true, true]),
            (Access::Role(Role::Responder), [false, true, true]),
            (Access::ADMIN, [false, false, true]),
            (Access::Integration, [false; 3]),
            (Access::Signed, [false; 3]),
        ];
        for (access, expected) in cases {
            assert_eq!(
                Role::ALL.map(|role| access.allows(role)),
                expected,
                "{access:?}"
            );
        }
    }
}
