//! Delivery reports of Twilio. They never move a page backwards: the engine sees to that. A report
//! names our attempt, never Twilio's own id, because it may come before the answer to the send.

use axum::extract::{OriginalUri, Request, State};
use axum::response::Response;
use serde::Deserialize;
use tracing::warn;

use crate::engine::ids::{AttemptId, ChannelName};
use crate::runtime::handle::RequestError;
use crate::text::truncate::prefix;

use super::body;
use super::extract::{Path, Query};
use super::ports::AppState;
use super::problem::Problem;
use super::sms::{signed_by_twilio, twiml};

/// Of which attempt.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct StatusQuery {
    attempt: Option<u64>,
}

/// An incoming delivery report
#[utoipa::path(
    post, path = "/sms/{channel}/status", security(("signature" = [])),
    params(StatusQuery), responses((status = 200))
)]
pub async fn status(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<StatusQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let channel = ChannelName::from(channel);
    let form = signed_by_twilio(&state, &channel, &uri, request).await?;
    let attempt = query.attempt.map(AttemptId);
    let attempt = attempt.ok_or_else(|| Problem::invalid("the address has no ?attempt="))?;
    let word = body::field(&form, "MessageStatus").unwrap_or("");
    let code = body::field(&form, "ErrorCode").unwrap_or("");
    if let Some(outcome) = (state.read_sms_report)(word, code.parse().ok()) {
        let message = if code.is_empty() {
            word.to_owned()
        } else {
            format!("{word}, error {code}")
        };
        let message = prefix(&message, 300);
        let handle = &state.handle;
        let report = handle.delivery_report(channel.clone(), attempt, outcome, message.into());
        match report.await {
            Err(RequestError::Refused(refusal)) => {
                (state.on_refused_report)(&channel);
                warn!(channel.name = %channel, error = %refusal, "a delivery report is ignored");
            }
            report => report?,
        }
    }
    Ok(twiml(None))
}
