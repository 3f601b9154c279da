//! Makes dedup keys where the sender gave none, or gave one too long to keep.
//!
//! The hash is FNV-1a with 128 bits: the same on every machine and in every version, and wide
//! enough that two alerts of one integration never meet by accident. It is no defence against an
//! attacker; whoever holds an integration's key can choose its dedup keys anyway.

use std::borrow::Cow;

use crate::engine::event::{Text, limit};

use super::faults::{Faults, Place};
use super::limits;

const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// A hash over texts; `("ab", "c")` and `("a", "bc")` differ.
#[derive(Clone, Copy, Debug)]
pub struct Hash(u128);

impl Hash {
    /// A hash over nothing yet.
    pub fn new() -> Self {
        Self(OFFSET_BASIS)
    }

    /// With one more text.
    pub fn with(self, text: &str) -> Self {
        self.with_bytes(text.as_bytes())
    }

    /// With one more row of bytes.
    pub fn with_bytes(self, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let all = length
            .to_le_bytes()
            .into_iter()
            .chain(bytes.iter().copied());
        Self(all.fold(self.0, step))
    }

    /// 32 hexadecimal digits.
    pub fn key(self) -> Text {
        format!("{:032x}", self.0).into()
    }
}

fn step(hash: u128, byte: u8) -> u128 {
    (hash ^ u128::from(byte)).wrapping_mul(PRIME)
}

/// A key that the sender gave. A long one is replaced by its hash, so that later events with the
/// same long key still find the same alert.
pub fn key(sent: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    if sent
        .char_indices()
        .nth(limit::DEDUP_KEY_CHARACTERS)
        .is_some()
    {
        let key = Hash::new().with(sent).key();
        faults.add(
            place,
            format_args!(
                "is longer than {} characters; it is replaced by its hash {key}",
                limit::DEDUP_KEY_CHARACTERS
            ),
        );
        return key;
    }
    match limits::clean(sent, place, faults) {
        Cow::Borrowed(kept) => kept.into(),
        // Keys that differ only in what must not be shown are still different.
        Cow::Owned(clean) => {
            let hash = Hash::new().with(sent).key();
            let kept = clean
                .chars()
                .take(limit::DEDUP_KEY_CHARACTERS - hash.len() - 1);
            format!("{} {hash}", kept.collect::<String>()).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a_as_published() {
        let plain = |text: &str| text.bytes().fold(OFFSET_BASIS, step);
        assert_eq!(plain(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(plain("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(plain("foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn the_borders_between_texts_count() {
        let one = Hash::new().with("ab").with("c").key();
        let other = Hash::new().with("a").with("bc").key();
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn keys_that_differ_only_in_what_is_not_shown_are_different() {
        let mut faults = Faults::of_event();
        let mut read = |sent: &str| key(sent, Place::name("$", "dedup_key"), &mut faults);
        let sent = [
            "a b",
            "a\nb",
            "a\tb",
            "a\u{1}b",
            "a\u{2}b",
            "a\u{fffd}b",
            "a\r\nb",
        ];
        let keys: std::collections::BTreeSet<Text> = sent.iter().map(|sent| read(sent)).collect();
        assert_eq!(keys.len(), sent.len(), "{keys:?}");
        assert!(keys.iter().all(|key| !key.contains(char::is_control)));
        assert_eq!(read("a\nb"), read("a\nb"));
    }

    #[test]
    fn a_long_key_keeps_its_identity() {
        let mut faults = Faults::of_event();
        let mut read = |sent: &str| key(sent, Place::name("$", "dedup_key"), &mut faults);
        let most = "k".repeat(255);
        assert_eq!(*read(&most), *most);
        let long = "k".repeat(256);
        let other = format!("{}x", "k".repeat(255));
        assert_eq!(read(&long), read(&long));
        assert_ne!(read(&long), read(&other));
        assert_eq!(faults.into_list().len(), 2);
    }
}
