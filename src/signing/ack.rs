//! Acknowledge tokens: what makes a link or a button act for one page, one generation, one person.
//!
//! base64url(8 bytes of page id, big-endian ‖ HMAC-SHA-256 over page, generation and user, cut to
//! 16 bytes): 32 characters without padding. The page id is readable, so that the state can be
//! looked up; generation and user are not, they come from that state.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{compare, hmac_sha256};
use crate::engine::decision::TokenSubject;
use crate::engine::ids::PageId;

/// Characters of every token.
pub const CHARACTERS: usize = 32;

const PAGE_BYTES: usize = 8;
const MAC_BYTES: usize = 16;
const TOKEN_BYTES: usize = PAGE_BYTES + MAC_BYTES;

/// Keeps this use of the secret apart from any other.
const PURPOSE: &[u8] = b"reveille-ack-1";

/// The token for this subject.
pub fn make(secret: &[u8; 32], subject: &TokenSubject) -> String {
    let page = subject.page.0.to_be_bytes();
    let generation = subject.generation.to_be_bytes();
    // A leading byte tells "nobody" from a user; numbers have a fixed width. So no two subjects
    // give the same bytes.
    let (mark, name): (&[u8], &str) = match &subject.user {
        Some(user) => (&[1], user.as_str()),
        None => (&[0], ""),
    };
    let parts = [PURPOSE, &page, &generation, mark, name.as_bytes()];
    let code = hmac_sha256(secret, &parts);
    let mut bytes = [0; TOKEN_BYTES];
    bytes[..PAGE_BYTES].copy_from_slice(&page);
    bytes[PAGE_BYTES..].copy_from_slice(&code[..MAC_BYTES]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The page that a token speaks of, **unverified**: only for looking up what to verify it against.
pub fn page_of(token: &str) -> Option<PageId> {
    if token.len() != CHARACTERS {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let page = bytes.first_chunk()?;
    Some(PageId(u64::from_be_bytes(*page)))
}

/// Whether the token was made for exactly this subject: each has one, and one form of it.
pub fn verify(secret: &[u8; 32], token: &str, subject: &TokenSubject) -> bool {
    compare(make(secret, subject).as_bytes(), token.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::ids::UserName;

    const SECRET: [u8; 32] = [7; 32];

    fn subject(page: u64, generation: u64, user: Option<&str>) -> TokenSubject {
        TokenSubject {
            page: PageId(page),
            generation,
            user: user.map(UserName::from),
        }
    }

    fn accepts(token: &str, subject: &TokenSubject) -> bool {
        verify(&SECRET, token, subject)
    }

    #[test]
    fn tokens_are_those_that_another_implementation_computed() {
        let cases = [
            (
                subject(17, 3, Some("ana")),
                "AAAAAAAAABHdt--MluWMONZuk2Z9G_pY",
            ),
            (subject(17, 0, None), "AAAAAAAAABH_CcIeDBz5xAvMYCfHzlkd"),
        ];
        for (subject, token) in cases {
            assert_eq!(make(&SECRET, &subject), token);
            assert!(accepts(token, &subject));
        }
    }

    #[test]
    fn a_token_is_for_one_page_one_generation_one_user_and_one_secret() {
        let ours = subject(17, 3, Some("ana"));
        let token = make(&SECRET, &ours);
        let others = [
            subject(18, 3, Some("ana")),
            subject(17, 4, Some("ana")),
            subject(17, 3, Some("bo")),
            subject(17, 3, Some("")),
            subject(17, 3, None),
        ];
        for other in others {
            assert!(!accepts(&token, &other), "{other:?}");
        }
        assert!(!verify(&[8; 32], &token, &ours));
    }

    #[test]
    fn what_is_not_a_token_names_no_page() {
        let long = "A".repeat(33);
        let cases = [
            "",
            "ack",
            "AAAAAAAAABHdt--MluWMONZuk2Z9G_p=",
            "AAAAAAAAABHdt++MluWMONZuk2Z9G/pY",
            "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ",
            &long,
        ];
        for text in cases {
            assert_eq!(page_of(text), None, "{text:?}");
            assert!(!accepts(text, &subject(17, 3, Some("ana"))), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_token_has_32_characters_names_its_page_and_is_accepted(
            page: u64, generation: u64, user: Option<String>,
        ) {
            let subject = subject(page, generation, user.as_deref());
            let token = make(&SECRET, &subject);
            prop_assert_eq!(token.len(), CHARACTERS);
            prop_assert_eq!(page_of(&token), Some(PageId(page)));
            prop_assert!(accepts(&token, &subject));
        }

        #[test]
        fn a_token_with_one_flipped_bit_is_refused(page: u64, bit in 0..TOKEN_BYTES * 8) {
            let subject = subject(page, 1, Some("ana"));
            let token = make(&SECRET, &subject);
            let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("it was just encoded");
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!accepts(&URL_SAFE_NO_PAD.encode(bytes), &subject));
        }

        #[test]
        fn any_text_at_all_is_refused_without_a_panic(text: String) {
            prop_assert!(!accepts(&text, &subject(1, 1, None)));
        }
    }
}
