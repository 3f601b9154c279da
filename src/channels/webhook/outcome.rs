//! What the answers of a webhook mean: its outcome table.

use crate::channels::outcome::throttled;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// A webhook. Each target is a server of its own, so nothing here is the channel's fault.
pub fn of(status: u16, wait: Option<Duration>) -> Outcome {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{UNKNOWN_STATUSES, throttled as wait};

    const HOUR: Duration = Duration::hours(1);

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
            assert_eq!(of(status, header), outcome, "{status} {header:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_know_is_unknown() {
        for status in UNKNOWN_STATUSES.into_iter().flatten() {
            assert_eq!(of(status, None), Outcome::Unknown, "{status}");
        }
    }
}
