//! What a relay's words say, where its codes leave it open.
//!
//! Only the relay's own words count: relays quote addresses, host names and links, and
//! `daily-ops@example.com` says nothing about a limit.

/// Relays often wait until the reader is named before they refuse the sender, our name or our
/// address: that is about every page.
pub fn is_about_us(words: &str) -> bool {
    says(
        words,
        &[
            "sender address rejected",
            "sender verify failed",
            "client host rejected",
            "helo command rejected",
            "ehlo command rejected",
        ],
    )
}

pub fn says(words: &str, signs: &[&str]) -> bool {
    signs.iter().any(|sign| words.contains(sign))
}

pub fn is_mailbox_full(words: &str) -> bool {
    says(words, &["over quota", "overquota"])
        || (says(words, &["mailbox", "inbox", "user", "recipient"])
            && says(words, &["full", "quota", "exceed"]))
}

pub fn is_about_size(words: &str) -> bool {
    says(words, &["message size", "too large", "too big"])
}

pub fn speaks_of_policy(words: &str) -> bool {
    const SIGNS: &[&str] = &[
        "spam",
        "policy",
        "blocked",
        "blacklist",
        "blocklist",
        "relay",
        // OpenSMTPD refuses so whatever none of its rules takes from us.
        "invalid recipient",
    ];
    says(words, SIGNS)
}

/// The relay's own words in lower case: without what stands in angle brackets or quotation marks,
/// and without words that are an address, a host name or a link.
pub fn own_words(text: &str) -> String {
    let mut outside = String::with_capacity(text.len());
    let mut closing = None;
    for letter in text.chars() {
        match (closing, letter) {
            (Some(end), _) if letter == end => closing = None,
            (Some(_), _) => {}
            (None, '<') => closing = Some('>'),
            (None, '"') => closing = Some('"'),
            (None, _) => outside.push(letter),
        }
    }
    let words = outside.split_whitespace().filter(|word| !is_name(word));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn is_name(word: &str) -> bool {
    let mut parts = word.split('.').skip(1);
    word.contains('@')
        || word.contains("://")
        || parts.any(|part| part.starts_with(char::is_alphabetic))
}

/// Subject and detail of the enhanced status (RFC 3463) with which a reply's text begins.
pub fn enhanced(text: &str) -> Option<(u16, u16)> {
    let word = text.split_whitespace().next()?;
    let word = word.trim_matches(|letter: char| !letter.is_ascii_digit());
    let mut parts = word.split('.').map(str::parse::<u16>);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(4 | 5)), Some(Ok(subject)), Some(Ok(detail)), None) => Some((subject, detail)),
        _ => None,
    }
}
