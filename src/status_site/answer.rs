//! Answers and their headers: how long caches keep a form, and what a browser may do with it.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::engine::status_page_rules::PageAudience;
use crate::engine::time::Duration;
use crate::status_page::page::STYLE;
use crate::status_page::published::PublishedPage;
use crate::status_page::time_text;
use crate::text::{base64, hash};

use super::form::FormKind;
use super::rendered::{RenderedForm, RenderedPage};

const PUBLIC: HeaderValue =
    HeaderValue::from_static("public, max-age=15, stale-while-revalidate=60");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// What holds for every answer.
const COMMON: [(HeaderName, HeaderValue); 2] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    // The address may hold a token.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// A form, or 304 for a reader that has it.
pub fn form(form: &RenderedForm, page: &Arc<PublishedPage>, request: &HeaderMap) -> Response {
    let mut response = if has_already(request, &form.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let content_type = [(header::CONTENT_TYPE, form.kind.content_type())];
        (content_type, form.body.clone()).into_response()
    };
    add_common(&mut response, page.rules.access.audience);
    let headers = response.headers_mut();
    let etag = HeaderValue::from_str(&form.etag).expect("an ETag is hexadecimal digits in quotes");
    headers.insert(header::ETAG, etag);
    headers.insert(header::LAST_MODIFIED, last_modified(page));
    if form.kind.is_for_other_sites() && page.rules.access.audience == PageAudience::Public {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
    response
}

/// 404 within a page.
pub fn missing(rendered: &RenderedPage, page: &Arc<PublishedPage>) -> Response {
    let content_type = [(header::CONTENT_TYPE, FormKind::Html.content_type())];
    let mut response = (StatusCode::NOT_FOUND, content_type, rendered.missing()).into_response();
    add_common(&mut response, page.rules.access.audience);
    response
}

/// 404 where no page is.
pub fn no_page() -> Response {
    (StatusCode::NOT_FOUND, COMMON, "there is no page here\n").into_response()
}

/// 204 for a browser that asks whether a script of another site may read this.
pub fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (header::ALLOW, "GET, HEAD, OPTIONS"),
    ];
    (StatusCode::NO_CONTENT, COMMON, headers).into_response()
}

/// 405.
pub fn wrong_method() -> Response {
    let allow = [(header::ALLOW, "GET, HEAD")];
    let text = "a status page is only read; use GET or HEAD\n";
    (StatusCode::METHOD_NOT_ALLOWED, COMMON, allow, text).into_response()
}

/// 401, the same for every page of this kind and every address beneath it.
pub fn no_access(audience: PageAudience) -> Response {
    let (scheme, text) = match audience {
        PageAudience::Public => unreachable!("a public page is open to everybody"),
        PageAudience::Password => (
            "Basic realm=\"status page\", charset=\"UTF-8\"",
            "this page needs its password; any user name will do\n",
        ),
        PageAudience::Token => (
            "Bearer realm=\"status page\"",
            "this page needs a token; send it as a bearer token or as ?token=\n",
        ),
    };
    let headers = [
        (header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme)),
        (header::CACHE_CONTROL, PRIVATE),
    ];
    (StatusCode::UNAUTHORIZED, COMMON, headers, text).into_response()
}

/// 429, with the whole seconds to wait.
pub fn too_often(wait: Duration) -> Response {
    let seconds = wait.0.div_ceil(1_000);
    let headers = [
        (header::RETRY_AFTER, HeaderValue::from(seconds)),
        (header::CACHE_CONTROL, PRIVATE),
    ];
    let text = format!("this is too often; try again in {seconds} s\n");
    (StatusCode::TOO_MANY_REQUESTS, COMMON, headers, text).into_response()
}

/// The class of a status: `2xx`.
pub fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => unreachable!("no page is answered {status}"),
    }
}

/// For HEAD, the same without its body; it still says how long that is.
pub fn for_method(method: &Method, mut response: Response) -> Response {
    if method == Method::HEAD {
        let (mut parts, body) = response.into_parts();
        if let Some(length) = axum::body::HttpBody::size_hint(&body).exact()
            && parts.status != StatusCode::NOT_MODIFIED
        {
            parts.headers.insert(header::CONTENT_LENGTH, length.into());
        }
        response = Response::from_parts(parts, Body::empty());
    }
    response
}

fn add_common(response: &mut Response, audience: PageAudience) {
    let headers = response.headers_mut();
    headers.extend(COMMON);
    let cache = match audience {
        PageAudience::Public => PUBLIC,
        PageAudience::Password | PageAudience::Token => PRIVATE,
    };
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy());
}

/// Nothing runs and nothing is fetched from elsewhere; the one style sheet is named by its hash.
fn content_security_policy() -> HeaderValue {
    static POLICY: OnceLock<HeaderValue> = OnceLock::new();
    let policy = POLICY.get_or_init(|| {
        let style = base64::encode(&hash::sha256(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src 'self' data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        HeaderValue::from_str(&policy).expect("a policy is printable ASCII")
    });
    policy.clone()
}

/// HTTP writes the zone of a mail's date as `GMT`.
fn last_modified(page: &PublishedPage) -> HeaderValue {
    let date = time_text::mail_date(page.view.updated_at).replace("+0000", "GMT");
    HeaderValue::from_str(&date).expect("a date is printable ASCII")
}

fn has_already(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).into_iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    tags.any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
