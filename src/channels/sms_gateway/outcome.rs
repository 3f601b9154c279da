//! What the answers of a text gateway mean: its outcome table.

use crate::channels::outcome::throttled;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// An SMS gateway of which only HTTP is known. `success` are the statuses that mean "taken".
pub fn of(status: u16, success: &[u16], wait: Option<Duration>) -> Outcome {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample::{UNKNOWN_STATUSES, throttled as wait};

    const HOUR: Duration = Duration::hours(1);

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
            let found = of(status, &[200, 201, 202], header);
            assert_eq!(found, outcome, "{status} {header:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_know_is_unknown() {
        for status in UNKNOWN_STATUSES.into_iter().flatten() {
            assert_eq!(of(status, &[200], None), Outcome::Unknown, "{status}");
        }
    }
}
