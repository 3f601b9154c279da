//! Hashes in the open: SHA-256, by which secrets are looked up, and FNV-1a, which tells texts apart
//! and protects nothing.

use sha2::{Digest, Sha256};

/// SHA-256.
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of what comes in parts.
#[derive(Clone, Default)]
pub struct Sha256Parts(Sha256);

impl Sha256Parts {
    /// Takes in the next part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// 64 hexadecimal digits, of all parts so far.
    pub fn to_hex(&self) -> String {
        super::hex::encode(&self.0.clone().finalize())
    }
}

/// A number that stands for a list of parts: FNV-1a with 64 bits, each part with its length before
/// it. It is the same in every version.
pub fn fnv64(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| measured(part.as_bytes()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// FNV-1a with 128 bits over texts, one after the other; `("ab", "c")` and `("a", "bc")` differ. It
/// is the same on every machine and in every version, and wide enough that two texts never meet by
/// accident.
#[derive(Clone, Copy, Debug)]
pub struct Fnv128(u128);

impl Default for Fnv128 {
    /// A hash over nothing yet.
    fn default() -> Self {
        Self(OFFSET_BASIS)
    }
}

const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Fnv128 {
    /// With one more text.
    pub fn with(self, text: &str) -> Self {
        self.with_bytes(text.as_bytes())
    }

    /// With one more row of bytes.
    pub fn with_bytes(self, bytes: &[u8]) -> Self {
        Self(measured(bytes).fold(self.0, step))
    }

    /// 32 hexadecimal digits.
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

fn step(hash: u128, byte: u8) -> u128 {
    (hash ^ u128::from(byte)).wrapping_mul(PRIME)
}

/// Bytes after their length, so that a list of them has one reading.
fn measured(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    length
        .to_le_bytes()
        .into_iter()
        .chain(bytes.iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_hash_is_fnv_1a_as_published() {
        let plain = |text: &str| text.bytes().fold(OFFSET_BASIS, step);
        assert_eq!(plain(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(plain("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(plain("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn parts_have_the_hash_of_the_whole() {
        let mut parts = Sha256Parts::default();
        parts.add(b"web-");
        parts.add(b"1 is down");
        let whole = super::super::hex::encode(&sha256("web-1 is down"));
        assert_eq!(parts.to_hex(), whole);
    }

    proptest! {
        #[test]
        fn different_lists_of_parts_have_different_hashes(
            one in prop::collection::vec(r"[ab/\\\x00]{0,3}", 1..4),
            other in prop::collection::vec(r"[ab/\\\x00]{0,3}", 1..4),
        ) {
            let long = |parts: &[String]| {
                parts.iter().fold(Fnv128::default(), |hash, part| hash.with(part)).to_hex()
            };
            let short = |parts: &[String]| {
                fnv64(&parts.iter().map(String::as_str).collect::<Vec<_>>())
            };
            prop_assert_eq!(long(&one) == long(&other), one == other);
            prop_assert_eq!(short(&one) == short(&other), one == other);
        }
    }
}
