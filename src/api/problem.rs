//! The one form in which every request is refused: `application/problem+json` with a stable code.
//!
//! A detail names the thing, the value and the fix. What happened inside is never in it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::engine::decision::{Refusal, Unreachable};
use crate::engine::event::Fault;
use crate::runtime::handle::{ApplyError, RequestError, Unavailable};
use crate::store;

use super::cut_off::CutOff;
use super::wire::rules::RuleFault;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    faults: Vec<Value>,
    retry_after_seconds: Option<u32>,
    /// Nothing true can be answered: the connection is closed instead.
    is_unanswerable: bool,
}

impl Problem {
    /// A problem with a stable code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after_seconds: None,
            is_unanswerable: false,
        }
    }

    /// The request cannot be understood or is not allowed as it is.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    /// There is no such thing.
    pub fn not_found(kind: &str, name: impl std::fmt::Display) -> Self {
        let detail = format!("no {kind} {name}");
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// Nobody we know asks.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// Whoever asks may not.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Our own mistake; the text says nothing of the inside.
    pub fn internal() -> Self {
        let detail = "internal error on this request; the log has the cause";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// A request body over its limit.
    pub fn too_large(limit: usize) -> Self {
        let detail =
            format!("the body is larger than {limit} bytes; send less, or raise body_limit");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// No connection is left but for acknowledge links and health checks.
    pub fn connections_full() -> Self {
        let detail = "all connections of this listener, or this client's share of them, are in \
            use";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "connections_full", detail).retry_after(1)
    }

    /// More tries of checks were asked for than may wait.
    pub fn too_many_tries(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "too_many_tries", detail).retry_after(5)
    }

    /// Faults of a request body, each with its JSON path.
    pub fn faulty(faults: &[Fault]) -> Self {
        let detail = match faults {
            [] => "the body contains nothing usable".to_owned(),
            [only] => format!("{}: {}", only.path, only.problem),
            [first, ..] => format!("{}: {} (and more)", first.path, first.problem),
        };
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid_events", detail);
        problem.faults = faults.iter().map(|fault| json!(fault)).collect();
        problem
    }

    /// Faults of rule documents, each with its place and fix.
    pub fn rules(faults: &[RuleFault]) -> Self {
        let errors = match faults.len() {
            1 => "an error".to_owned(),
            count => format!("{count} errors"),
        };
        let detail = format!("the rules have {errors}; the rules in force are unchanged");
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "rules_invalid", detail);
        problem.faults = faults.iter().map(|fault| json!(fault)).collect();
        problem
    }

    /// Wrong keys and tokens of one peer, again and again.
    pub fn too_many_guesses(seconds: u32) -> Self {
        let detail = format!(
            "too many wrong keys or tokens from this address; try again in {seconds} s; a correct \
             one still works"
        );
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "too_many_guesses", detail).retry_after(seconds)
    }

    /// To be tried again after so long.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, with the value and the fix.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the request is to be tried again.
    pub fn is_temporary(&self) -> bool {
        self.retry_after_seconds.is_some()
    }

    /// Puts another body under the same status, `Retry-After` and refusal to answer: imitated
    /// programs have error forms of their own.
    pub fn with_body(&self, status: StatusCode, body: impl IntoResponse) -> Response {
        if self.is_unanswerable {
            return CutOff::response();
        }
        let mut response = (status, body).into_response();
        self.add_headers(&mut response);
        response
    }

    fn add_headers(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
    }

    fn body(&self) -> Value {
        let mut body = json!({
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if !self.faults.is_empty() {
            body["faults"] = Value::Array(self.faults.clone());
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.with_body(self.status, axum::Json(self.body()));
        if !self.is_unanswerable {
            let kind = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            // Imitated programs have an error form of their own; see `alertmanager`.
            response.extensions_mut().insert(self);
        }
        response
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let refuse = |code| {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Self::new(status, code, unavailable.to_string())
        };
        match &unavailable {
            Unavailable::Busy(_) => refuse("busy").retry_after(1),
            Unavailable::DiskLow => refuse("disk_low").retry_after(30),
            Unavailable::Stopping => refuse("stopping").retry_after(5),
            Unavailable::Quarantined => refuse("quarantined").retry_after(60),
            // The cause stays in the log.
            Unavailable::StoreFailed(_) => {
                let detail = "the store failed; nothing was stored, and the router is about to \
                    exit";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "store_failed", detail).retry_after(5)
            }
            // A status would claim to know whether the request is stored.
            Unavailable::Unsure => Self {
                is_unanswerable: true,
                ..refuse("store_failed")
            },
        }
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Conflict { .. } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "revision_conflict",
                error.to_string(),
            ),
            ApplyError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match &refusal {
            Refusal::Unknown { .. }
            | Refusal::Unreachable {
                why: Unreachable::NoSuch(_),
                ..
            } => Self::new(StatusCode::NOT_FOUND, "not_found", refusal.to_string()),
            Refusal::Unreachable { .. } => {
                Self::new(StatusCode::CONFLICT, "nobody_told", refusal.to_string())
            }
            Refusal::Invalid { .. } => Self::invalid(refusal.to_string()),
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Refused(refusal) => refusal.into(),
            RequestError::Unavailable(unavailable) => unavailable.into(),
            RequestError::Unexpected => {
                tracing::error!(%error, "a request was not answered");
                Self::internal()
            }
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "failed to read history");
        Self::internal()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn answered(problem: Problem) -> (StatusCode, Option<String>, Value) {
        let response = problem.into_response();
        let status = response.status();
        let retry = response.headers().get(header::RETRY_AFTER);
        let retry = retry.map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, retry, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_problem_carries_status_code_detail_and_faults() {
        let fault = Fault {
            path: "$[0].summary".to_owned(),
            problem: "is missing".to_owned(),
        };
        let (status, _, body) = answered(Problem::faulty(&[fault])).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["code"], "invalid_events");
        assert_eq!(body["status"], 400);
        assert_eq!(body["detail"], "$[0].summary: is missing");
        assert_eq!(body["faults"][0]["path"], "$[0].summary");
    }

    #[tokio::test]
    async fn what_cannot_be_stored_now_says_when_to_try_again() {
        let cases = [
            (Unavailable::Busy("prometheus".into()), "busy", "1"),
            (Unavailable::DiskLow, "disk_low", "30"),
            (Unavailable::Stopping, "stopping", "5"),
            (Unavailable::Quarantined, "quarantined", "60"),
            (failed("/srv/db"), "store_failed", "5"),
        ];
        for (unavailable, code, seconds) in cases {
            let (status, retry, body) = answered(unavailable.into()).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{code}");
            assert_eq!(retry.as_deref(), Some(seconds), "{code}");
            assert_eq!(body["code"], code);
            assert!(!body.to_string().contains("/srv/db"), "{body}");
        }
    }

    fn failed(cause: &str) -> Unavailable {
        Unavailable::StoreFailed(cause.to_owned())
    }

    #[tokio::test]
    async fn who_waited_for_a_failed_commit_gets_a_broken_connection_instead_of_an_answer() {
        let response = Problem::from(Unavailable::Unsure).into_response();
        let body = to_bytes(response.into_body(), 10_000).await;
        assert!(body.is_err(), "{body:?}");
    }

    #[tokio::test]
    async fn the_cause_of_a_failed_read_is_not_told() {
        let error = store::Error::Read {
            what: "receipt 7".to_owned(),
            cause: "secret path".to_owned(),
        };
        let (status, _, body) = answered(error.into()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!body.to_string().contains("secret path"));
    }

    #[tokio::test]
    async fn handing_over_to_nobody_is_refused_with_why_and_the_cure() {
        let refused = |why| {
            Problem::from(Refusal::Unreachable {
                target: "schedule/primary".to_owned(),
                why,
            })
        };
        let (status, _, body) = answered(refused(Unreachable::NobodyOnCall { until: None })).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(body["code"], "nobody_told");
        assert_eq!(
            body["detail"],
            "schedule/primary would page nobody: nobody is on call; \
             name a person, or put somebody on the schedule with an override"
        );
        let (status, _, body) = answered(refused(Unreachable::NoSuch("schedule"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(body["code"], "not_found");
    }
}
