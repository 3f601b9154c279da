//! Keys and tokens as they are made: from chance given by the process, kept only as hashes.

use crate::text::hex;

use super::ports::ApiState;

/// A key of an integration: 32 characters, because it is also a PagerDuty routing key; 128 bits.
pub fn integration_key(state: &ApiState) -> String {
    hex::encode(&chance::<16>(state))
}

/// An API token: 160 bits under a prefix by which leak scanners find it.
pub fn api_token(state: &ApiState) -> String {
    format!("rv_{}", hex::encode(&chance::<20>(state)))
}

/// The public id of a key or token, by which it is listed and revoked.
pub fn public_id(state: &ApiState) -> String {
    hex::encode(&chance::<6>(state))
}

fn chance<const BYTES: usize>(state: &ApiState) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    (state.random)(&mut bytes);
    bytes
}
