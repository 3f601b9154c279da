//! A page as a response: headers that keep it out of caches, frames, referrers and scripts.

use std::sync::OnceLock;

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::api::problem::Problem;
use crate::text::{base64, hash};

/// The one style sheet, inline so that a page is a single answer on a bad line.
pub const STYLE: &str = include_str!("templates/style.css");

/// What holds for every page.
const PAGE_HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// A page that only says something: a heading and a sentence.
#[derive(Template)]
#[template(path = "message.html", config = "src/web/askama.toml")]
struct Message<'text> {
    style: &'static str,
    heading: &'text str,
    text: &'text str,
}

/// A rendered page under a status.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(body) => {
            let policy = (header::CONTENT_SECURITY_POLICY, content_security_policy());
            (status, PAGE_HEADERS, [policy], Html(body)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a web page could not be rendered");
            Problem::internal().into_response()
        }
    }
}

/// A page with a heading and a sentence.
pub fn message(status: StatusCode, heading: &str, text: &str) -> Response {
    let style = STYLE;
    let message = Message {
        style,
        heading,
        text,
    };
    page(status, &message)
}

/// A refusal for somebody who looks at a browser.
pub fn refusal(problem: &Problem) -> Response {
    let text = format!("{}. Nothing changed; please try again.", problem.detail());
    let page = message(problem.status(), "That did not work", &text);
    problem.with_body(problem.status(), page)
}

/// No script at all, and no style but ours, known by its hash.
fn content_security_policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let policy = POLICY.get_or_init(|| {
        let style = format!("'sha256-{}'", base64::encode(&hash::sha256(STYLE)));
        let policy = format!(
            "default-src 'none'; style-src {style}; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        // Without a readable hash the page is shown unstyled rather than open.
        let closed = HeaderValue::from_static("default-src 'none'; form-action 'self'");
        HeaderValue::from_str(&policy).unwrap_or(closed)
    });
    policy.clone()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_page_allows_no_script_no_frame_no_cache_and_no_referrer() {
        let response = message(StatusCode::OK, "<b>", "a & b");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let body = to_bytes(response.into_body(), 100_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            body.contains(&format!("<style>{STYLE}</style>")),
            "the hash is of this text"
        );
        assert!(
            body.contains("&#60;b&#62;") && body.contains("a &#38; b"),
            "{body}"
        );
    }
}
