//! Keys and tokens as they are made: from chance given by the process, kept only as hashes.

use crate::text::hex;

use super::ports::Random;

/// A key of an integration: 32 characters, because it is also a PagerDuty routing key; 128 bits.
pub fn integration_key(random: &Random) -> String {
    hex::encode(&chance::<16>(random))
}

/// An API token: 160 bits under a prefix by which leak scanners find it.
pub fn api_token(random: &Random) -> String {
    format!("rv_{}", hex::encode(&chance::<20>(random)))
}

/// The public id of a key or token, by which it is listed and revoked.
pub fn public_id(random: &Random) -> String {
    hex::encode(&chance::<6>(random))
}

fn chance<const BYTES: usize>(random: &Random) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    random(&mut bytes);
    bytes
}
