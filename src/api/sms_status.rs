//! Delivery reports of Twilio. They never move a page backwards: the engine sees to that. A report
//! names our attempt, never Twilio's own id, because it may come before the answer to the send.

use axum::extract::{OriginalUri, Request, State};
use axum::response::Response;
use serde::Deserialize;
use tracing::warn;

use crate::engine::decision::Answer;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::input::Input;
use crate::engine::outcome::Outcome;
use crate::engine::time::Millis;

use super::borders::Shared;
use super::extract::{Params, Segment};
use super::problem::Problem;
use super::sms::{signed_by_twilio, twiml};
use super::{answers, body};

/// Of which attempt.
#[derive(Debug, Deserialize)]
pub struct StatusQuery {
    attempt: Option<u64>,
}

/// `POST /sms/{channel}/status`
pub async fn status(
    State(state): State<Shared>,
    Segment(channel): Segment<String>,
    OriginalUri(uri): OriginalUri,
    Params(query): Params<StatusQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let channel = ChannelName::from(channel);
    let form = signed_by_twilio(&state, &channel, &uri, request).await?;
    let attempt = query.attempt.map(AttemptId);
    let attempt = attempt.ok_or_else(|| Problem::invalid("the address has no ?attempt="))?;
    let word = body::field(&form, "MessageStatus").unwrap_or("");
    let code = body::field(&form, "ErrorCode").unwrap_or("");
    if let Some(outcome) = outcome(word, code) {
        let message = if code.is_empty() {
            word.to_owned()
        } else {
            format!("{word}, error {code}")
        };
        let message: String = message.chars().take(300).collect();
        let input = Input::DeliveryReport {
            channel: channel.clone(),
            attempt,
            outcome,
            provider_message: Some(message.into()),
        };
        let answer = state.handle.control(input).await?;
        if let Answer::Refused(refusal) = answer {
            (state.on_refused_report)(&channel);
            warn!(channel.name = %channel, cause = %refusal, "a delivery report is ignored");
        } else {
            answers::done(answer)?;
        }
    }
    Ok(twiml(None))
}

/// What a report means; `None` while the message is still under way. Twilio adjusts its codes all
/// the time, so an unknown one is never permanent.
fn outcome(status: &str, code: &str) -> Option<Outcome> {
    match status {
        "delivered" | "read" => Some(Outcome::Delivered),
        "undelivered" | "failed" | "canceled" => Some(of_code(code)),
        _ => None,
    }
}

fn of_code(code: &str) -> Outcome {
    match code {
        "20429" | "21611" | "30001" | "30450" | "30453" => Outcome::Throttled {
            wait: Millis::minutes(1),
        },
        // Unreachable, switched off or carrier trouble: maybe later.
        "30003" | "30017" | "30410" => Outcome::Transient,
        "21211" | "21217" | "21265" | "21266" | "21610" | "21614" | "30004" | "30005" | "30006" => {
            Outcome::RefusedTarget
        }
        // Filtered by the carrier for what it says.
        "30007" | "21602" | "21617" | "32017" => Outcome::RefusedContent,
        "20003" | "21408" | "21606" | "21659" | "21660" | "30034" => Outcome::RefusedCredential,
        "30002" | "21608" => Outcome::QuotaExhausted,
        _ => Outcome::Transient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_reports_are_outcomes_and_others_are_waited_out() {
        let cases = [
            ("delivered", "", Some(Outcome::Delivered)),
            ("read", "", Some(Outcome::Delivered)),
            ("sent", "", None),
            ("queued", "", None),
            ("partially_delivered", "", None),
            ("something_new", "30005", None),
            ("undelivered", "30003", Some(Outcome::Transient)),
            ("undelivered", "30005", Some(Outcome::RefusedTarget)),
            ("failed", "21610", Some(Outcome::RefusedTarget)),
            ("failed", "30007", Some(Outcome::RefusedContent)),
            ("failed", "20003", Some(Outcome::RefusedCredential)),
            ("failed", "30002", Some(Outcome::QuotaExhausted)),
            ("failed", "99999", Some(Outcome::Transient)),
            ("canceled", "", Some(Outcome::Transient)),
        ];
        for (status, code, expected) in cases {
            assert_eq!(outcome(status, code), expected, "{status} {code}");
        }
    }
}
