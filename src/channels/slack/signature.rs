//! Slack's request signature, version `v0`: HMAC-SHA-256 over `v0:<timestamp>:<raw body>`.

use crate::engine::time::Timestamp;
use crate::signing::{Refused, compare, fresh_seconds, hmac_sha256};
use crate::text::hex;

const VERSION: &str = "v0=";

/// What Slack sends beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'request> {
    /// `X-Slack-Request-Timestamp`.
    pub timestamp: &'request str,
    /// `X-Slack-Signature`.
    pub signature: &'request str,
}

/// Whether Slack sent this raw body within the last five minutes.
pub fn verify(secret: &str, headers: Headers, body: &[u8], now: Timestamp) -> Result<(), Refused> {
    if secret.is_empty() {
        return Err(Refused::NoSecret);
    }
    let given = headers
        .signature
        .strip_prefix(VERSION)
        .ok_or(Refused::Malformed)?;
    fresh_seconds(headers.timestamp, now)?;
    compare(
        hex_code(secret, headers.timestamp, body).as_bytes(),
        given.as_bytes(),
    )
}

/// The header `X-Slack-Signature` for this body, as Slack makes it.
#[cfg(test)]
pub fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    format!("{VERSION}{}", hex_code(secret, timestamp, body))
}

fn hex_code(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let parts = [b"v0:", timestamp.as_bytes(), b":", body];
    hex::encode(&hmac_sha256(secret.as_bytes(), &parts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const NOW: Timestamp = Timestamp(1_531_420_618_000);
    const BODY: &[u8] = b"payload=%7B%22type%22%3A%22block_actions%22%7D";
    const SIGNATURE: &str = "v0=9dffc25b49a4a7fc2e15c9c9450bf8af09eb501fcef9039eaea3deb58af0c82c";

    fn check(timestamp: &str, signature: &str, body: &[u8], now: Timestamp) -> Result<(), Refused> {
        let headers = Headers {
            timestamp,
            signature,
        };
        verify(SECRET, headers, body, now)
    }

    #[test]
    fn a_signature_that_another_implementation_made_is_accepted() {
        assert_eq!(sign(SECRET, TIMESTAMP, BODY), SIGNATURE);
        assert_eq!(check(TIMESTAMP, SIGNATURE, BODY, NOW), Ok(()));
    }

    #[test]
    fn a_signature_is_good_for_five_minutes_either_way() {
        let cases = [
            (300_000, Ok(())),
            (-300_000, Ok(())),
            (301_000, Err(Refused::Stale)),
            (-301_000, Err(Refused::Stale)),
        ];
        for (shift, expected) in cases {
            let now = Timestamp(NOW.0 + shift);
            let found = check(TIMESTAMP, SIGNATURE, BODY, now);
            assert_eq!(found, expected, "{shift} ms");
        }
    }

    #[test]
    fn other_bodies_timestamps_and_forms_are_refused() {
        let upper = SIGNATURE.to_uppercase();
        let cases: [(&str, &str, &[u8], Refused); 7] = [
            (TIMESTAMP, SIGNATURE, b"payload=%7B%7D", Refused::Mismatch),
            ("1531420619", SIGNATURE, BODY, Refused::Mismatch),
            (TIMESTAMP, "v0=", BODY, Refused::Mismatch),
            (TIMESTAMP, "", BODY, Refused::Malformed),
            (TIMESTAMP, &upper, BODY, Refused::Malformed),
            ("", SIGNATURE, BODY, Refused::Malformed),
            ("-1531420618", SIGNATURE, BODY, Refused::Malformed),
        ];
        for (timestamp, signature, body, refused) in cases {
            let found = check(timestamp, signature, body, NOW);
            assert_eq!(found, Err(refused), "{timestamp:?} {signature:?}");
        }
    }

    #[test]
    fn without_a_secret_nothing_is_accepted() {
        let signature = sign("", TIMESTAMP, BODY);
        let headers = Headers {
            timestamp: TIMESTAMP,
            signature: &signature,
        };
        assert_eq!(verify("", headers, BODY, NOW), Err(Refused::NoSecret));
    }

    proptest! {
        #[test]
        fn a_body_with_one_flipped_bit_is_refused(bit in 0..BODY.len() * 8) {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(check(TIMESTAMP, SIGNATURE, &body, NOW), Err(Refused::Mismatch));
        }
    }
}
