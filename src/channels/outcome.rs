//! What a provider's answer means: one total table per provider, and the provider's own words made
//! fit to be kept.
//!
//! Three rules hold in every table. What is not understood is `unknown`, never permanent, because
//! the message may have been sent. A refusal that may lie with the account or with the text rather
//! than with the address is not blamed on the address, so that the next channel is tried. What
//! fails every page in the same way (credentials, a wrong API address, an empty account) is the
//! channel's, not the page's.

use secrecy::{ExposeSecret, SecretString};

use super::{message_text, retry_after};
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// A gateway that blocks a number against traffic pumping does so for up to half an hour.
const PUMPING_BLOCK: Duration = Duration::minutes(15);

/// A sender's queue at the provider is full.
const QUEUE_FULL: Duration = Duration::minutes(1);

/// What Slack said, beside the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackAnswer<'answer> {
    /// `ok: true`.
    Ok,
    /// `ok: false` with this `error`.
    Error(&'answer str),
    /// Nothing that can be read: an HTML page, half an answer.
    Unreadable,
}

/// Slack's Web API. `wait` is what `Retry-After` asks for.
pub fn slack(status: u16, answer: SlackAnswer, wait: Option<Duration>) -> Outcome {
    match (status, answer) {
        (429, _) => throttled(wait),
        (200..=299, SlackAnswer::Ok) => Outcome::Delivered,
        (_, SlackAnswer::Error(error)) => slack_error(error, wait),
        // The API address is wrong or somebody stands in between: every page fails.
        (300..=399 | 401 | 403 | 404 | 405 | 407 | 410, _) => Outcome::RefusedCredential,
        (400 | 413 | 414 | 415 | 422, _) => Outcome::RefusedContent,
        // A gateway that gave up waiting does not know whether the message was posted.
        (504, _) => Outcome::Unknown,
        (408 | 425 | 500..=599, _) => Outcome::Transient,
        _ => Outcome::Unknown,
    }
}

fn slack_error(error: &str, wait: Option<Duration>) -> Outcome {
    match error {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => throttled(wait),
        "service_unavailable" | "request_timeout" | "team_added_to_org" => Outcome::Transient,
        // Part of the work may have been done.
        "internal_error" | "fatal_error" => Outcome::Unknown,
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "org_login_required"
        | "access_denied"
        | "accesslimited"
        | "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "team_access_not_granted"
        | "ekm_access_denied"
        | "enterprise_is_restricted" => Outcome::RefusedCredential,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "is_inactive"
        | "user_not_found"
        | "users_not_found"
        | "user_disabled"
        | "restricted_action"
        | "cannot_dm_bot"
        | "messages_tab_disabled"
        | "method_not_supported_for_channel_type" => Outcome::RefusedTarget,
        "msg_too_long"
        | "no_text"
        | "too_many_attachments"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_arguments"
        | "invalid_arg_name"
        | "invalid_charset"
        | "invalid_form_data"
        | "invalid_json"
        | "json_not_object"
        | "missing_post_type"
        | "message_not_found"
        | "cant_update_message"
        | "edit_window_closed"
        | "cannot_reply_to_message" => Outcome::RefusedContent,
        _ => Outcome::Unknown,
    }
}

/// Twilio's answer to a new message. Its codes are hints that may change without notice: a code
/// that is not known falls back on the HTTP status.
pub fn twilio(status: u16, code: Option<u32>, wait: Option<Duration>) -> Outcome {
    if (200..=299).contains(&status) {
        return Outcome::Accepted;
    }
    if let Some(outcome) = code.and_then(|code| twilio_code(code, wait)) {
        return outcome;
    }
    match status {
        429 => throttled(wait),
        402 => Outcome::QuotaExhausted,
        // Also a wrong `api_url` or `account_sid`.
        300..=399 | 401 | 403 | 404 | 405 | 407 | 410 => Outcome::RefusedCredential,
        408 | 425 => Outcome::Transient,
        400..=499 => Outcome::RefusedContent,
        504 => Outcome::Unknown,
        500..=599 => Outcome::Transient,
        _ => Outcome::Unknown,
    }
}

/// A delivery report of Twilio; `None` for a state on the way that changes nothing.
pub fn twilio_report(message_status: &str, code: Option<u32>) -> Option<Outcome> {
    match message_status {
        "delivered" | "read" => Some(Outcome::Delivered),
        "undelivered" | "failed" | "canceled" => {
            let outcome = code.and_then(|code| twilio_code(code, None));
            // It did not arrive; a code that is not known is never permanent.
            Some(outcome.unwrap_or(Outcome::Transient))
        }
        _ => None,
    }
}

fn twilio_code(code: u32, wait: Option<Duration>) -> Option<Outcome> {
    let outcome = match code {
        20429 => throttled(wait),
        21611 | 30001 => throttled(wait.or(Some(QUEUE_FULL))),
        30450 | 30453 => throttled(wait.or(Some(PUMPING_BLOCK))),
        // An unreachable handset, a congested carrier, a carrier that did not answer.
        30003 | 30017 | 30410 => Outcome::Transient,
        30008 => Outcome::Unknown,
        // No mobile, no such number, opted out, blocked; a region or number that this account
        // may not send to.
        21211 | 21214 | 21217 | 21265 | 21266 | 21408 | 21604 | 21608 | 21610 | 21612 | 21614
        | 30004 | 30005 | 30006 => Outcome::RefusedTarget,
        // Filtered by the carrier, empty, too long.
        21602 | 21617 | 30007 => Outcome::RefusedContent,
        // Credentials, a sender that is not ours or not registered.
        20003 | 20005 | 20404 | 21603 | 21606 | 21659 | 21660 | 30034 => Outcome::RefusedCredential,
        // Suspended; over the account's daily limit.
        30002 | 63038 => Outcome::QuotaExhausted,
        _ => return None,
    };
    Some(outcome)
}

/// An SMS gateway of which only HTTP is known. `success` are the statuses that mean "taken".
pub fn sms_webhook(status: u16, success: &[u16], wait: Option<Duration>) -> Outcome {
    if success.contains(&status) {
        return Outcome::Accepted;
    }
    match status {
        429 => throttled(wait),
        503 if wait.is_some() => throttled(wait),
        402 => Outcome::QuotaExhausted,
        // Redirects are not followed: the configured address is wrong for every page.
        300..=399 | 401 | 403 | 407 => Outcome::RefusedCredential,
        408 | 425 => Outcome::Transient,
        // Whether the number, the text or the address is wrong is not known: a plain text is tried
        // and then the next channel of the medium.
        400..=499 => Outcome::RefusedContent,
        504 => Outcome::Unknown,
        500..=599 => Outcome::Transient,
        // A 2xx that the settings do not call a success may have been sent.
        _ => Outcome::Unknown,
    }
}

/// A webhook. Each target is a server of its own, so nothing here is the channel's fault.
pub fn webhook(status: u16, wait: Option<Duration>) -> Outcome {
    match status {
        200..=299 => Outcome::Delivered,
        429 | 502 | 503 | 504 if wait.is_some() => throttled(wait),
        429 => throttled(None),
        // Only the signature identifies us, so these speak of our secret.
        401 | 403 | 407 => Outcome::RefusedCredential,
        // Redirects are not followed; whoever wrote the address must write the new one.
        300..=399 => Outcome::RefusedTarget,
        400 | 411 | 413 | 414 | 415 | 422 | 431 => Outcome::RefusedContent,
        408 | 425 => Outcome::Transient,
        400..=499 => Outcome::RefusedTarget,
        // The id stays the same over retries, so that sending again is harmless even when a
        // gateway does not know what became of the first.
        500..=599 => Outcome::Transient,
        _ => Outcome::Unknown,
    }
}

fn throttled(wait: Option<Duration>) -> Outcome {
    let wait = wait.unwrap_or(retry_after::DEFAULT).min(retry_after::MAX);
    Outcome::Throttled { wait }
}

/// A provider's words as they are kept: without our secrets, on one line, cut to a length; `None`
/// when nothing is left.
pub fn provider_words(text: &str, secrets: &[&SecretString]) -> Option<String> {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
    }
    let words = message_text::provider_words(&text);
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::hours(1);

    fn wait(wait: Duration) -> Outcome {
        Outcome::Throttled { wait }
    }

    #[test]
    fn slack_answers_mean() {
        use SlackAnswer::{Error, Ok, Unreadable};
        let cases = [
            (200, Ok, None, Outcome::Delivered),
            (200, Unreadable, None, Outcome::Unknown),
            (200, Error("ratelimited"), None, wait(Duration::seconds(30))),
            (200, Error("rate_limited"), Some(HOUR), wait(HOUR)),
            (200, Error("invalid_auth"), None, Outcome::RefusedCredential),
            (
                200,
                Error("token_revoked"),
                None,
                Outcome::RefusedCredential,
            ),
            (
                200,
                Error("missing_scope"),
                None,
                Outcome::RefusedCredential,
            ),
            (
                200,
                Error("channel_not_found"),
                None,
                Outcome::RefusedTarget,
            ),
            (200, Error("users_not_found"), None, Outcome::RefusedTarget),
            (200, Error("is_archived"), None, Outcome::RefusedTarget),
            (200, Error("invalid_blocks"), None, Outcome::RefusedContent),
            (200, Error("msg_too_long"), None, Outcome::RefusedContent),
            (200, Error("internal_error"), None, Outcome::Unknown),
            (200, Error("service_unavailable"), None, Outcome::Transient),
            (200, Error("brand_new_error"), None, Outcome::Unknown),
            (401, Error("invalid_auth"), None, Outcome::RefusedCredential),
            (429, Unreadable, Some(HOUR), wait(HOUR)),
            (429, Error("ratelimited"), None, wait(Duration::seconds(30))),
            (302, Unreadable, None, Outcome::RefusedCredential),
            (404, Unreadable, None, Outcome::RefusedCredential),
            (413, Unreadable, None, Outcome::RefusedContent),
            (500, Unreadable, None, Outcome::Transient),
            (503, Unreadable, None, Outcome::Transient),
            (504, Unreadable, None, Outcome::Unknown),
        ];
        for (status, answer, header, outcome) in cases {
            let found = slack(status, answer, header);
            assert_eq!(found, outcome, "{status} {answer:?}");
        }
    }

    #[test]
    fn twilio_answers_mean() {
        let cases = [
            (201, None, Outcome::Accepted),
            (200, None, Outcome::Accepted),
            (401, Some(20003), Outcome::RefusedCredential),
            (400, Some(21606), Outcome::RefusedCredential),
            (400, Some(21211), Outcome::RefusedTarget),
            (400, Some(21610), Outcome::RefusedTarget),
            (400, Some(21617), Outcome::RefusedContent),
            (400, Some(21611), wait(Duration::minutes(1))),
            (400, Some(30450), wait(Duration::minutes(15))),
            (429, Some(20429), wait(Duration::seconds(30))),
            (429, Some(63038), Outcome::QuotaExhausted),
            (429, None, wait(Duration::seconds(30))),
            (400, Some(99999), Outcome::RefusedContent),
            (400, None, Outcome::RefusedContent),
            (402, None, Outcome::QuotaExhausted),
            (404, Some(20404), Outcome::RefusedCredential),
            (307, None, Outcome::RefusedCredential),
            (500, None, Outcome::Transient),
            (503, Some(30003), Outcome::Transient),
            (504, None, Outcome::Unknown),
        ];
        for (status, code, outcome) in cases {
            assert_eq!(twilio(status, code, None), outcome, "{status} {code:?}");
        }
        assert_eq!(twilio(429, None, Some(HOUR)), wait(HOUR));
    }

    #[test]
    fn twilio_delivery_reports_mean() {
        let cases = [
            ("delivered", None, Some(Outcome::Delivered)),
            ("read", None, Some(Outcome::Delivered)),
            ("sent", None, None),
            ("queued", None, None),
            ("accepted", None, None),
            ("partially_delivered", None, None),
            ("something_new", Some(30005), None),
            ("undelivered", Some(30005), Some(Outcome::RefusedTarget)),
            ("undelivered", Some(30003), Some(Outcome::Transient)),
            ("undelivered", Some(30007), Some(Outcome::RefusedContent)),
            ("failed", Some(30002), Some(Outcome::QuotaExhausted)),
            ("failed", Some(30008), Some(Outcome::Unknown)),
            ("failed", Some(21610), Some(Outcome::RefusedTarget)),
            ("failed", Some(20003), Some(Outcome::RefusedCredential)),
            ("failed", Some(99999), Some(Outcome::Transient)),
            ("canceled", None, Some(Outcome::Transient)),
        ];
        for (status, code, outcome) in cases {
            assert_eq!(twilio_report(status, code), outcome, "{status} {code:?}");
        }
    }

    #[test]
    fn answers_of_an_sms_gateway_mean() {
        let cases = [
            (202, None, Outcome::Accepted),
            (204, None, Outcome::Unknown),
            (301, None, Outcome::RefusedCredential),
            (400, None, Outcome::RefusedContent),
            (401, None, Outcome::RefusedCredential),
            (402, None, Outcome::QuotaExhausted),
            (404, None, Outcome::RefusedContent),
            (408, None, Outcome::Transient),
            (429, None, wait(Duration::seconds(30))),
            (429, Some(HOUR), wait(HOUR)),
            (500, None, Outcome::Transient),
            (503, None, Outcome::Transient),
            (503, Some(HOUR), wait(HOUR)),
            (504, None, Outcome::Unknown),
        ];
        for (status, header, outcome) in cases {
            let found = sms_webhook(status, &[200, 201, 202], header);
            assert_eq!(found, outcome, "{status} {header:?}");
        }
    }

    #[test]
    fn answers_of_a_webhook_mean() {
        let cases = [
            (200, None, Outcome::Delivered),
            (204, None, Outcome::Delivered),
            (301, None, Outcome::RefusedTarget),
            (308, None, Outcome::RefusedTarget),
            (400, None, Outcome::RefusedContent),
            (401, None, Outcome::RefusedCredential),
            (403, None, Outcome::RefusedCredential),
            (404, None, Outcome::RefusedTarget),
            (408, None, Outcome::Transient),
            (410, None, Outcome::RefusedTarget),
            (413, None, Outcome::RefusedContent),
            (429, None, wait(Duration::seconds(30))),
            (429, Some(HOUR), wait(HOUR)),
            (500, Some(HOUR), Outcome::Transient),
            (502, None, Outcome::Transient),
            (502, Some(HOUR), wait(HOUR)),
            (503, Some(HOUR), wait(HOUR)),
            (504, None, Outcome::Transient),
            (504, Some(HOUR), wait(HOUR)),
        ];
        for (status, header, outcome) in cases {
            assert_eq!(webhook(status, header), outcome, "{status} {header:?}");
        }
    }

    #[test]
    fn what_no_table_knows_is_unknown_and_no_wait_is_longer_than_a_day() {
        for status in (0..=u16::MAX).filter(|status| !(200..600).contains(status)) {
            let answer = SlackAnswer::Unreadable;
            assert_eq!(slack(status, answer, None), Outcome::Unknown, "{status}");
            assert_eq!(twilio(status, None, None), Outcome::Unknown, "{status}");
            assert_eq!(sms_webhook(status, &[200], None), Outcome::Unknown);
            assert_eq!(webhook(status, None), Outcome::Unknown, "{status}");
        }
        let found = webhook(429, Some(Duration::days(400)));
        assert_eq!(found, wait(Duration::hours(24)));
    }

    #[test]
    fn a_providers_words_are_kept_short_clean_and_without_secrets() {
        let token = SecretString::from("xoxb-1");
        let empty = SecretString::from("");
        let secrets = [&empty, &token];
        let long = "ä".repeat(400);
        let shortened = format!("{}…", "ä".repeat(299));
        let cases = [
            ("", None),
            (" \r\n\0 ", None),
            ("channel_not_found", Some("channel_not_found")),
            ("a\r\nb\tc\u{1b}[31m", Some("a b c [31m")),
            ("bad token xoxb-1!", Some("bad token ***!")),
            (&long, Some(&shortened)),
        ];
        for (text, expected) in cases {
            assert_eq!(
                provider_words(text, &secrets).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }
}
