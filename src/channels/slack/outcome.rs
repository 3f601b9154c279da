//! What Slack's answers mean: its outcome table.

use crate::channels::outcome::throttled;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

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
pub fn of(status: u16, answer: SlackAnswer, wait: Option<Duration>) -> Outcome {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{UNKNOWN_STATUSES, throttled as wait};

    const HOUR: Duration = Duration::hours(1);

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
            let found = of(status, answer, header);
            assert_eq!(found, outcome, "{status} {answer:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_know_is_unknown() {
        for status in UNKNOWN_STATUSES.into_iter().flatten() {
            assert_eq!(
                of(status, SlackAnswer::Unreadable, None),
                Outcome::Unknown,
                "{status}"
            );
        }
    }
}
