//! Makes dedup keys where the sender gave none, or gave one too long to keep.
//!
//! Such a key is a hash of what tells one alert from another. It is no defence against an attacker;
//! whoever holds an integration's key can choose its dedup keys anyway.

use std::borrow::Cow;

use crate::engine::event::{Text, limit};
use crate::text::{hash::Fnv128, truncate::prefix};

use super::faults::{Faults, Place};
use super::limits;

/// A key that the sender gave. A long one is replaced by its hash, so that later events with the
/// same long key still find the same alert.
pub fn key(sent: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    if prefix(sent, limit::DEDUP_KEY_CHARACTERS).len() < sent.len() {
        let key: Text = Fnv128::default().with(sent).to_hex().into();
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
            let hash = Fnv128::default().with(sent).to_hex();
            let kept = prefix(&clean, limit::DEDUP_KEY_CHARACTERS - hash.len() - 1);
            format!("{kept} {hash}").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_only_in_what_is_not_shown_are_different() {
        let mut faults = Faults::of_event();
        let mut read = |sent: &str| key(sent, Place::Name("$", "dedup_key"), &mut faults);
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
        let mut read = |sent: &str| key(sent, Place::Name("$", "dedup_key"), &mut faults);
        let most = "k".repeat(255);
        assert_eq!(*read(&most), *most);
        let long = "k".repeat(256);
        let other = format!("{}x", "k".repeat(255));
        assert_eq!(read(&long), read(&long));
        assert_ne!(read(&long), read(&other));
        assert_eq!(faults.into_list().len(), 2);
    }
}
