//! Keys that are made of several parts.
//!
//! Parts are never just put one after the other: `a/b` and `c` would then be the same as `a` and
//! `b/c`, and two things would become one.

use std::borrow::Cow;

/// One key for a list of parts; different lists never have the same. The parts stand between `/`
/// as they are, with a `\` before each `/` and `\` of their own.
pub fn joined(parts: &[&str]) -> String {
    let escaped: Vec<Cow<'_, str>> = parts.iter().map(|part| escaped(part)).collect();
    escaped.join("/")
}

fn escaped(part: &str) -> Cow<'_, str> {
    if part.contains(['/', '\\']) {
        part.replace('\\', "\\\\").replace('/', "\\/").into()
    } else {
        part.into()
    }
}

/// A number that stands for a list of parts: FNV-1a with 64 bits, each part with its length before
/// it. It is the same in every version and protects nothing.
pub fn hashed(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        length.to_le_bytes().into_iter().chain(part.bytes())
    });
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The text, cut to `characters_max` and then told apart from other long ones by its hash.
pub fn shortened(text: &str, characters_max: usize) -> Cow<'_, str> {
    if text.chars().nth(characters_max).is_none() {
        return text.into();
    }
    let mark = format!("…{:016x}", hashed(&[text]));
    let kept = characters_max.saturating_sub(mark.chars().count());
    let kept: String = text.chars().take(kept).collect();
    (kept + &mark).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_parts_read_as_they_are() {
        assert_eq!(joined(&["channel_quota", "sms"]), "channel_quota/sms");
        assert_eq!(joined(&["a/b", r"c\"]), r"a\/b/c\\");
        assert_eq!(joined(&["disk", ""]), "disk/");
    }

    #[test]
    fn a_long_text_keeps_its_identity() {
        let long = |end: &str| "x".repeat(600) + end;
        assert_eq!(shortened("short", 512), "short");
        assert_eq!(shortened(&long("a"), 512).chars().count(), 512);
        assert_ne!(shortened(&long("a"), 512), shortened(&long("b"), 512));
    }

    fn any_parts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(r"[ab/\\\x00]{0,3}", 1..4)
    }

    proptest! {
        #[test]
        fn different_lists_of_parts_never_share_a_key(one in any_parts(), other in any_parts()) {
            let one: Vec<&str> = one.iter().map(String::as_str).collect();
            let other: Vec<&str> = other.iter().map(String::as_str).collect();
            prop_assert_eq!(joined(&one) == joined(&other), one == other);
            prop_assert_eq!(hashed(&one) == hashed(&other), one == other);
        }
    }
}
