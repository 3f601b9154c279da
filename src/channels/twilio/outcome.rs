//! What Twilio's answers and delivery reports mean: its outcome table.

use crate::channels::outcome::throttled;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// A gateway that blocks a number against traffic pumping does so for up to half an hour.
const PUMPING_BLOCK: Duration = Duration::minutes(15);

/// A sender's queue at the provider is full.
const QUEUE_FULL: Duration = Duration::minutes(1);

/// Twilio's answer to a new message. Its codes are hints that may change without notice: a code
/// that is not known falls back on the HTTP status.
pub fn of(status: u16, code: Option<u32>, wait: Option<Duration>) -> Outcome {
    if (200..=299).contains(&status) {
        return Outcome::Accepted;
    }
    if let Some(outcome) = code.and_then(|code| of_code(code, wait)) {
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
pub fn of_report(message_status: &str, code: Option<u32>) -> Option<Outcome> {
    match message_status {
        "delivered" | "read" => Some(Outcome::Delivered),
        "undelivered" | "failed" | "canceled" => {
            let outcome = code.and_then(|code| of_code(code, None));
            // It did not arrive; a code that is not known is never permanent.
            Some(outcome.unwrap_or(Outcome::Transient))
        }
        _ => None,
    }
}

fn of_code(code: u32, wait: Option<Duration>) -> Option<Outcome> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{UNKNOWN_STATUSES, throttled as wait};

    const HOUR: Duration = Duration::hours(1);

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
            assert_eq!(of(status, code, None), outcome, "{status} {code:?}");
        }
        assert_eq!(of(429, None, Some(HOUR)), wait(HOUR));
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
            assert_eq!(of_report(status, code), outcome, "{status} {code:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_know_is_unknown() {
        for status in UNKNOWN_STATUSES.into_iter().flatten() {
            assert_eq!(of(status, None, None), Outcome::Unknown, "{status}");
        }
    }
}
