//! Signatures and tokens; pure. Secrets, bodies and the present time arrive as arguments.
//!
//! Everything is checked over raw bytes and in constant time. Nothing here decides what a valid
//! signature permits: that is for whoever asks.

pub mod ack;
pub mod standard_webhooks;
pub mod subscription;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::engine::time::Timestamp;
use crate::text::base64;

/// A signed request is accepted so many seconds before and after the time it names.
const TOLERANCE_SECONDS: u64 = 300;

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no signing secret is configured; set one for this channel")]
    NoSecret,
    #[error("the signature or its timestamp is missing or malformed")]
    Malformed,
    #[error("the timestamp is more than 5 minutes away; check both clocks")]
    Stale,
    #[error("the signature does not match; check the secret and public_url")]
    Mismatch,
    #[error("it is signed with a shared key, but none is set; set shared_keys")]
    NoSharedKey,
    #[error("it is signed with an unknown method; use HMAC_SHA1 or HMAC_SHA256")]
    UnknownAlgorithm,
}

/// The secret in an `Authorization` header: a bearer token or the password of HTTP basic.
pub fn secret_of(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(base64::decode(rest.trim())?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    Some(password.to_owned())
}

/// `Mismatch` unless both are the same; takes as long for a near miss as for a far one.
pub fn compare(expected: &[u8], given: &[u8]) -> Result<(), Refused> {
    if bool::from(expected.ct_eq(given)) {
        Ok(())
    } else {
        Err(Refused::Mismatch)
    }
}

/// The whole seconds since 1970 in `text`, if they lie within the tolerance around `now`.
pub fn fresh_seconds(text: &str, now: Timestamp) -> Result<i64, Refused> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refused::Malformed);
    }
    let seconds: i64 = text.parse().map_err(|_| Refused::Malformed)?;
    if seconds.abs_diff(now.0.div_euclid(1_000)) > TOLERANCE_SECONDS {
        return Err(Refused::Stale);
    }
    Ok(seconds)
}

/// HMAC-SHA-256 over the parts.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    authenticate::<Hmac<Sha256>>(key, parts).into()
}

/// HMAC-SHA-1 over the parts.
pub fn hmac_sha1(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    authenticate::<Hmac<Sha1>>(key, parts).into()
}

fn authenticate<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> hmac::digest::Output<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes()
}
