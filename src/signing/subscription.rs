//! Links of mails to subscribers of a status page: what makes one good for one subscriber, one act,
//! and no longer than it says.
//!
//! Hex of 8 bytes of the subscriber's number, 8 bytes of the last moment at which it is good, and
//! 16 bytes of HMAC-SHA-256 over both and the act.

use super::{Refused, compare, hmac_sha256};
use crate::engine::time::Timestamp;
use crate::text::hex;

/// Keeps this use of the secret apart from any other.
const PURPOSE: &[u8] = b"reveille-subscription-1";

const NUMBER_CHARACTERS: usize = 16;
const SIGNED_CHARACTERS: usize = 2 * NUMBER_CHARACTERS;
const MAC_BYTES: usize = 16;

/// What such a link lets its reader do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkAct {
    Confirm,
    Unsubscribe,
}

impl LinkAct {
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Confirm => b"confirm",
            Self::Unsubscribe => b"unsubscribe",
        }
    }
}

/// The token of a link that is good until this moment.
pub fn make(secret: &[u8; 32], act: LinkAct, subscriber: u64, until: Timestamp) -> String {
    let signed = format!("{subscriber:016x}{:016x}", until.0.cast_unsigned());
    let code = hmac_sha256(secret, &[PURPOSE, act.mark(), signed.as_bytes()]);
    signed + &hex::encode(&code[..MAC_BYTES])
}

/// The subscriber for whom this token lets somebody do this now: `Mismatch` if it was not made for
/// the act by us, `Stale` if its time is over.
pub fn read(secret: &[u8; 32], act: LinkAct, token: &str, now: Timestamp) -> Result<u64, Refused> {
    let signed = token.get(..SIGNED_CHARACTERS).ok_or(Refused::Malformed)?;
    let numbers = signed.split_at_checked(NUMBER_CHARACTERS);
    let (subscriber, until) = numbers.ok_or(Refused::Malformed)?;
    let number = |text| u64::from_str_radix(text, 16).map_err(|_| Refused::Malformed);
    let (subscriber, until) = (number(subscriber)?, number(until)?);
    let until = Timestamp(until.cast_signed());
    let expected = make(secret, act, subscriber, until);
    compare(expected.as_bytes(), token.as_bytes())?;
    if now > until {
        return Err(Refused::Stale);
    }
    Ok(subscriber)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    #[test]
    fn a_link_is_good_for_one_act_of_one_subscriber_until_its_time_is_over() {
        let token = make(&SECRET, LinkAct::Confirm, 17, Timestamp(1_000));
        let read_at = |act, now| read(&SECRET, act, &token, Timestamp(now));
        assert_eq!(read_at(LinkAct::Confirm, 1_000), Ok(17));
        assert_eq!(read_at(LinkAct::Confirm, 1_001), Err(Refused::Stale));
        let other = read_at(LinkAct::Unsubscribe, 1_000);
        assert_eq!(other, Err(Refused::Mismatch));
        let foreign = read(&[8; 32], LinkAct::Confirm, &token, Timestamp(0));
        assert_eq!(foreign, Err(Refused::Mismatch));
    }

    #[test]
    fn a_link_with_any_character_changed_is_refused() {
        let token = make(&SECRET, LinkAct::Unsubscribe, 17, Timestamp(i64::MAX));
        for place in 0..token.len() {
            let other = if &token[place..=place] == "0" {
                "1"
            } else {
                "0"
            };
            let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            let found = read(&SECRET, LinkAct::Unsubscribe, &changed, Timestamp(0));
            assert!(found.is_err(), "{changed}");
        }
    }

    #[test]
    fn a_token_whose_numbers_meet_within_a_character_is_refused() {
        let token = format!("{}ä{}", "0".repeat(NUMBER_CHARACTERS - 1), "0".repeat(60));
        let found = read(&SECRET, LinkAct::Confirm, &token, Timestamp(0));
        assert_eq!(found, Err(Refused::Malformed));
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_refused_without_a_panic(text: String) {
            prop_assert!(read(&SECRET, LinkAct::Confirm, &text, Timestamp(0)).is_err());
        }
    }
}
