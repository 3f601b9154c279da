//! Text messages and delivery reports that come in for a channel: what they mean is in the folder
//! of its provider, what follows is the engine's.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use tracing::warn;

use crate::channels::inbound::{Endpoint, Posted, Reply, Report};
use crate::engine::ids::ChannelName;
use crate::engine::input::{DeliveryReport, SmsReply};
use crate::engine::ruleset::RuleSet;
use crate::runtime::handle::RequestError;
use crate::text::truncate::prefix;

use super::callback::{self, Callback};
use super::extract::{Path, Query};
use super::ports::{ApiState, AppState};
use super::problem::Problem;

/// Characters of a message that are looked at; what we understand is far shorter.
const TEXT_CHARACTERS_MAX: usize = 500;

/// Bytes of a message with everything around it.
const SMS_BYTES_MAX: usize = 64 * 1024;

/// Of which attempt.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct StatusQuery {
    #[expect(dead_code, reason = "read in the folder of the provider")]
    attempt: Option<u64>,
}

/// An incoming text message
#[utoipa::path(
    post, path = "/sms/{channel}/inbound", security(("signature" = [])),
    params(("key" = Option<String>, Query)),
    responses((status = 200))
)]
pub async fn inbound(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    take(&state, channel.into(), Endpoint::Replies, request).await
}

/// An incoming delivery report
#[utoipa::path(
    post, path = "/sms/{channel}/status", security(("signature" = [])),
    params(StatusQuery), responses((status = 200))
)]
pub async fn status(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    Query(StatusQuery { .. }): Query<StatusQuery>,
    request: Request,
) -> Result<Response, Problem> {
    take(&state, channel.into(), Endpoint::Reports, request).await
}

async fn take(
    state: &ApiState,
    channel: ChannelName,
    endpoint: Endpoint,
    request: Request,
) -> Result<Response, Problem> {
    let mut candidates = callback::candidates(state, endpoint);
    candidates.retain(|(name, _)| *name == channel);
    let callback = callback::read(state, &candidates, endpoint, SMS_BYTES_MAX, request).await?;
    let told = match &callback.posted {
        Posted::Reply(reply) => take_reply(state, &callback, reply).await?,
        Posted::Report(report) => {
            take_report(state, &channel, report).await?;
            None
        }
        Posted::Press(_) | Posted::Nothing => None,
    };
    Ok(callback::response(callback.inbound.answer(told.as_deref())))
}

/// What the answer tells whoever wrote.
async fn take_reply(
    state: &ApiState,
    callback: &Callback,
    reply: &Reply,
) -> Result<Option<String>, Problem> {
    let channel = &callback.channel;
    let rules = state.handle.rules();
    log_unknown(&rules, channel, &reply.from);
    let message = SmsReply {
        channel: channel.clone(),
        from: reply.from.clone(),
        text: prefix(&reply.text, TEXT_CHARACTERS_MAX).into(),
        message_id: reply.message_id.clone(),
    };
    let replied = state.handle.ask(message, None).await?;
    let text = replied.text.map(|text| text.to_string());
    if !callback.inbound.confirms_by_message() {
        return Ok(text);
    }
    // Of a repeated reply, the message of its own is out, or on its way.
    let text = text.filter(|_| !replied.is_repeat);
    if let (Some(text), Some(number)) = (text, rules.phone_of(&reply.from)) {
        state.channels.confirm(channel, number.to_owned(), text);
    }
    Ok(None)
}

/// A report never moves a page backwards: the engine sees to that.
async fn take_report(
    state: &ApiState,
    channel: &ChannelName,
    report: &Report,
) -> Result<(), Problem> {
    let report = DeliveryReport {
        channel: channel.clone(),
        attempt: report.attempt,
        outcome: report.outcome,
        provider_message: Some(report.provider_message.as_str().into()),
    };
    match state.handle.ask(report, None).await {
        Err(RequestError::Refused(refusal)) => {
            state.metrics.report_refused(channel.as_str());
            warn!(channel.name = %channel, error = %refusal, "a delivery report is ignored");
            Ok(())
        }
        reported => Ok(reported?),
    }
}

/// An unknown sender is not answered; that somebody wrote is for whoever looks why a reply did not
/// count.
fn log_unknown(rules: &RuleSet, channel: &ChannelName, from: &str) {
    if rules.phone_of(from).is_some() {
        return;
    }
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let end = digits.get(digits.len().saturating_sub(4)..).unwrap_or("");
    warn!(
        channel.name = %channel,
        "a text message from a number that is no one's contact is ignored; it ends with {end:?}"
    );
}
