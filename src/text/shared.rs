//! Texts that come again and again, such as names of labels, and then share their memory.
//!
//! Each thread remembers some of the short texts that it was given last. What is forgotten is not
//! shared with what comes later, and nothing else depends on it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Texts that a thread remembers at most.
const TEXTS_MAX: usize = 1_024;
/// Longer ones are not remembered, so that a thread keeps at most 256 KiB.
const TEXT_BYTES_MAX: usize = 256;

thread_local! {
    static LATELY: RefCell<Vec<Option<Arc<str>>>> = RefCell::new(vec![None; TEXTS_MAX]);
}

/// This text, if possible in memory that others have too.
pub fn shared(text: &str) -> Arc<str> {
    if text.len() > TEXT_BYTES_MAX {
        return text.into();
    }
    LATELY.with_borrow_mut(|lately| {
        let place = &mut lately[place(text)];
        match place {
            Some(known) if **known == *text => known.clone(),
            _ => place.insert(text.into()).clone(),
        }
    })
}

/// Where a text is remembered: FNV-1a. Two of one place only forget each other.
fn place(text: &str) -> usize {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (hash ^ hash >> 16) as usize % TEXTS_MAX
}

/// A text that is read from where it was stored.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedText(pub Arc<str>);

impl<'de> Deserialize<'de> for SharedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AnyText)
    }
}

struct AnyText;

impl Visitor<'_> for AnyText {
    type Value = SharedText;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SharedText, E> {
        Ok(SharedText(shared(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_soon_takes_no_further_memory() {
        let first = shared("severity");
        assert!(Arc::ptr_eq(&first, &shared("severity")));
        let read: SharedText = serde_json::from_str("\"severity\"").unwrap();
        assert!(Arc::ptr_eq(&first, &read.0));
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(!Arc::ptr_eq(&shared(&long), &shared(&long)));
    }

    #[test]
    fn every_text_is_what_it_was_however_many_come() {
        for round in 0..2 {
            for number in 0..10 * TEXTS_MAX {
                let text = format!("host-{number:05}");
                assert_eq!(*shared(&text), *text, "round {round}");
            }
        }
    }
}
