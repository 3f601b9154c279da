//! Serves the routes: access before every handler, a problem for everything else.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use axum::Router;
use axum::extract::Extension;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::access::{Access, authorise};
use super::alertmanager::refuse_as_alertmanager;
use super::openapi;
use super::ports::AppState;
use super::problem::Problem;
use super::routes::{MoreRoutes, Route};

/// Parts of an unknown path that are told.
const PARTS_SHOWN_MAX: usize = 8;

/// Among the extensions of an answer: no route is for this path, so that something else may be.
#[derive(Clone, Copy, Debug)]
pub struct NoRoute;

/// Everything, for the inner listener.
pub fn router(state: AppState, more: MoreRoutes) -> Router {
    serve(openapi::routes(more), state, more)
}

/// What the internet side needs: links, Slack, text messages and hooks.
pub fn public_router(state: AppState, more: MoreRoutes) -> Router {
    let public = openapi::routes(more).into_iter().filter(Route::is_public);
    serve(public.collect(), state, more)
}

fn serve(routes: Vec<Route>, state: AppState, more: MoreRoutes) -> Router {
    let mut router = Router::new();
    for route in routes {
        let (_, _, handler) = route.declared;
        let handler = match route.access {
            Access::Role(_) => {
                let guard = (state.clone(), route.access);
                let guard = middleware::from_fn_with_state(guard, authorise);
                handler.route_layer(guard)
            }
            Access::Open | Access::Signed | Access::Integration => handler,
        };
        router = router.route(&route.path, handler);
    }
    finish(router, more).with_state(state)
}

/// What holds for every answer. Handlers that tell of all routes learn of those of other rooms.
fn finish<S: Clone + Send + Sync + 'static>(router: Router<S>, more: MoreRoutes) -> Router<S> {
    let sniffing = HeaderValue::from_static("nosniff");
    let sniffing = SetResponseHeaderLayer::if_not_present(header::X_CONTENT_TYPE_OPTIONS, sniffing);
    let caching = HeaderValue::from_static("no-store");
    let caching = SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, caching);
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // The outermost first, and all at once: each layer by itself would box every request anew.
        .layer((
            Extension(more),
            caching,
            sniffing,
            middleware::from_fn(refuse_as_alertmanager),
            CatchPanicLayer::custom(panicked),
        ))
}

async fn unknown_path(
    Extension(more): Extension<MoreRoutes>,
    uri: Uri,
) -> (Extension<NoRoute>, Problem) {
    let shown = shown(uri.path(), more);
    let problem = Problem::not_found("path", format_args!("{shown} here; see /openapi.json"));
    (Extension(NoRoute), problem)
}

/// A path as it may be told: in each of its unknown parts a key may stand, wherever it was put.
fn shown(path: &str, more: MoreRoutes) -> String {
    static WORDS: OnceLock<BTreeSet<String>> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let routes = openapi::routes(more);
        let parts = routes.iter().flat_map(|route| route.path.split('/'));
        let words = parts.filter(|part| !part.starts_with('{'));
        words.map(str::to_owned).collect()
    });
    let parts = path.split('/').take(PARTS_SHOWN_MAX);
    let parts = parts.map(|part| if words.contains(part) { part } else { "…" });
    parts.collect::<Vec<_>>().join("/")
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("this path does not accept {method}; see the Allow header and /openapi.json"),
    )
}

/// A panic is our own mistake: it is told in the log, and the next request is served as usual.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands it over by value"
)]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(
        panic.message = text.unwrap_or("without text"),
        "a request panicked"
    );
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;
    use crate::web;

    async fn explode() {
        panic!("a secret of the inside");
    }

    async fn ask(method: &str, path: &str) -> (Response, Value) {
        let router: Router<()> = Router::new()
            .route("/explode", get(explode))
            .route("/only-post", post(|| async {}));
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let response = finish(router, web::routes).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 10_000).await.unwrap();
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (Response::from_parts(parts, Body::empty()), value)
    }

    #[tokio::test]
    async fn what_is_not_there_or_fails_is_a_problem_with_a_code() {
        let cases = [
            ("GET", "/nowhere", 404, "not_found"),
            ("GET", "/only-post", 405, "method_not_allowed"),
            ("GET", "/explode", 500, "internal"),
        ];
        for (method, path, status, code) in cases {
            let (response, body) = ask(method, path).await;
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(body["code"], code, "{path}");
            let kind = &response.headers()[header::CONTENT_TYPE];
            assert_eq!(kind, "application/problem+json", "{path}");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
        let (response, _) = ask("GET", "/only-post").await;
        assert!(response.headers().contains_key(header::ALLOW));
    }

    #[tokio::test]
    async fn a_path_that_is_not_there_is_told_without_what_may_be_a_key_in_it() {
        for (path, expected) in [
            ("/hook/generic/s3cret", "no path /…/…/… here"),
            ("/hooks/generic/s3cret/x", "no path /hooks/…/…/… here"),
            ("/v1/event", "no path /v1/… here"),
            ("/s3cret", "no path /… here"),
            ("/api/v2/alert/s3cret", "no path /api/v2/…/… here"),
        ] {
            let (_, body) = ask("POST", path).await;
            let text = body.as_str().or(body["detail"].as_str()).unwrap();
            assert!(text.starts_with(expected), "{path}: {text}");
        }
    }

    #[tokio::test]
    async fn no_answer_is_kept_or_guessed_at_by_browsers() {
        let (response, _) = ask("POST", "/only-post").await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            response.headers()[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff"
        );
    }

    /// Paths that overlap would make the router of the process panic at start.
    #[test]
    fn the_paths_of_the_table_fit_into_one_router() {
        let mut router: Router<AppState> = Router::new();
        for route in openapi::routes(web::routes) {
            router = router.route(&route.path, route.declared.2);
        }
        assert!(router.has_routes());
    }
}
