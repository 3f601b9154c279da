//! Taking requests apart. Every refusal here is a problem, never a framework's own text.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::auth::Caller;
use super::body::{self, Received};
use super::body_budget::BodyOf;
use super::ports::{ApiState, AppState};
use super::problem::Problem;

/// A JSON body. An empty one of a request is `{}`.
pub struct Json<T>(pub T);

/// The query parameters.
pub struct Query<T>(pub T);

/// The variable parts of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let limit = state.settings.body_limit;
        let bytes = whole_body(state, request, limit, BodyOf::Known).await?;
        Ok(Self(json(&bytes)?))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The whole body of a request, or the problem with it.
pub async fn whole_body(
    state: &ApiState,
    request: Request,
    limit: usize,
    of: BodyOf,
) -> Result<Received, Problem> {
    let (parts, body) = request.into_parts();
    body::read(&parts.headers, body, limit, (&state.bodies, of)).await
}

/// Reads JSON; an empty text is `{}`.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let is_empty = bytes.iter().all(u8::is_ascii_whitespace);
    let bytes = if is_empty { b"{}" } else { bytes };
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::invalid(format!("the body is not valid: {error}")))
}

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| Problem::invalid(format!("the query is not valid: {error}")))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(path)| Self(path))
            .map_err(|_| Problem::invalid("the path is not valid"))
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    /// Set by [`super::access::authorise`]; a route that asks for a caller without declaring a role
    /// fails closed.
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::unauthorized("this needs an API token"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Note {
        #[serde(default)]
        text: String,
    }

    #[test]
    fn an_empty_body_is_an_empty_object_and_an_unknown_key_is_named() {
        for empty in ["", " \r\n", "{}"] {
            let read = json::<Note>(empty.as_bytes());
            assert_eq!(
                read,
                Ok(Note {
                    text: String::new()
                }),
                "{empty:?}"
            );
        }
        let refused = json::<Note>(br#"{"txt":"a"}"#).unwrap_err();
        assert!(refused.detail().contains("txt"), "{}", refused.detail());
        assert!(json::<Note>(b"{\"text\":").is_err());
    }
}
