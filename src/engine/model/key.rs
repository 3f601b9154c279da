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

    fn any_parts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(r"[ab/\\\x00]{0,3}", 1..4)
    }

    proptest! {
        #[test]
        fn different_lists_of_parts_never_share_a_key(one in any_parts(), other in any_parts()) {
            let one: Vec<&str> = one.iter().map(String::as_str).collect();
            let other: Vec<&str> = other.iter().map(String::as_str).collect();
            prop_assert_eq!(joined(&one) == joined(&other), one == other);
        }
    }
}
