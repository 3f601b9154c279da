//! Standard Webhooks 1.0.0, symmetric form:
//! `v1,` + base64(HMAC-SHA-256(secret, id.timestamp.body)).

use std::fmt;

use super::hmac_sha256;
#[cfg(test)]
use super::{Refused, compare, fresh_seconds};
#[cfg(test)]
use crate::engine::time::Timestamp;
use crate::text::base64;

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A signing secret: 24 to 64 bytes, written `whsec_` + base64.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Why a text is no secret. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error(
        "webhook secret is not `whsec_` followed by base64 (with + and /, not - and _); use one \
         of 32 random bytes"
    )]
    Form,
    #[error("webhook secret has {0} bytes; use one of 24 to 64 random bytes")]
    Length(usize),
}

impl Secret {
    /// Reads `whsec_…`.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Form)?;
        let bytes = base64::decode(encoded).ok_or(SecretError::Form)?;
        if !(BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

/// The three headers of a message.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub struct Headers<'request> {
    /// `webhook-id`: the same over all retries.
    pub id: &'request str,
    /// `webhook-timestamp`: seconds since 1970, of this attempt.
    pub timestamp: &'request str,
    /// `webhook-signature`: one or more signatures, separated by spaces.
    pub signature: &'request str,
}

/// The header `webhook-signature`: one signature for each secret, so that secrets can be rotated.
pub fn sign(secrets: &[Secret], id: &str, timestamp: &str, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("{VERSION}{}", code(secret, id, timestamp, body)))
        .collect();
    signatures.join(" ")
}

/// Whether one of the signatures was made with one of the secrets within the last five minutes.
#[cfg(test)]
pub fn verify(
    secrets: &[Secret],
    headers: Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refused> {
    if secrets.is_empty() {
        return Err(Refused::NoSecret);
    }
    if headers.id.is_empty() {
        return Err(Refused::Malformed);
    }
    fresh_seconds(headers.timestamp, now)?;
    let given: Vec<&str> = headers
        .signature
        .split(' ')
        .filter_map(|signature| signature.strip_prefix(VERSION))
        .collect();
    if given.is_empty() {
        return Err(Refused::Malformed);
    }
    secrets
        .iter()
        .map(|secret| code(secret, headers.id, headers.timestamp, body))
        .flat_map(|expected| {
            given
                .iter()
                .map(move |given| compare(expected.as_bytes(), given.as_bytes()))
        })
        .fold(Err(Refused::Mismatch), Result::or)
}

fn code(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    base64::encode(&hmac_sha256(&secret.0, &parts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: &str = "1614265330";
    const NOW: Timestamp = Timestamp(1_614_265_330_000);
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts
            .iter()
            .map(|text| Secret::parse(text).expect("a good secret"))
            .collect()
    }

    fn check(
        secrets: &[Secret],
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Refused> {
        let headers = Headers {
            id: ID,
            timestamp: TIMESTAMP,
            signature,
        };
        verify(secrets, headers, body, now)
    }

    #[test]
    fn the_published_example_is_signed_and_accepted() {
        let secrets = secrets(&[SECRET]);
        assert_eq!(sign(&secrets, ID, TIMESTAMP, BODY), SIGNATURE);
        assert_eq!(check(&secrets, SIGNATURE, BODY, NOW), Ok(()));
    }

    #[test]
    fn while_secrets_are_rotated_either_one_opens() {
        let both = sign(&secrets(&[OTHER, SECRET]), ID, TIMESTAMP, BODY);
        assert_eq!(both.split(' ').count(), 2);
        for known in [&[SECRET][..], &[OTHER], &[OTHER, SECRET]] {
            assert_eq!(
                check(&secrets(known), &both, BODY, NOW),
                Ok(()),
                "{known:?}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let ours = secrets(&[SECRET]);
        let foreign = sign(&secrets(&[OTHER]), ID, TIMESTAMP, BODY);
        let asymmetric = SIGNATURE.replace("v1,", "v1a,");
        let late = Timestamp(NOW.0 + 301_000);
        let cases = [
            (check(&ours, &foreign, BODY, NOW), Refused::Mismatch),
            (check(&ours, SIGNATURE, b"{}", NOW), Refused::Mismatch),
            (check(&ours, &asymmetric, BODY, NOW), Refused::Malformed),
            (check(&ours, "", BODY, NOW), Refused::Malformed),
            (check(&ours, SIGNATURE, BODY, late), Refused::Stale),
            (check(&[], SIGNATURE, BODY, NOW), Refused::NoSecret),
        ];
        for (found, refused) in cases {
            assert_eq!(found, Err(refused));
        }
    }

    #[test]
    fn a_secret_has_its_form_and_length_and_is_never_shown() {
        let long = format!("whsec_{}", "A".repeat(88));
        let cases = [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Form),
            ("whsec_!!", SecretError::Form),
            // Libraries disagree about the URL-safe letters.
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", SecretError::Form),
            ("whsec_AAAA", SecretError::Length(3)),
            (&long, SecretError::Length(66)),
        ];
        for (text, error) in cases {
            assert_eq!(Secret::parse(text).err(), Some(error), "{text}");
        }
        let shown = format!("{:?}", Secret::parse(SECRET));
        assert_eq!(shown, "Ok(Secret(..))");
    }

    proptest! {
        #[test]
        fn a_body_with_one_flipped_bit_is_refused(bit in 0..BODY.len() * 8) {
            let mut body = BODY.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            let found = check(&secrets(&[SECRET]), SIGNATURE, &body, NOW);
            prop_assert_eq!(found, Err(Refused::Mismatch));
        }
    }
}
