//! How long the certificate of a server is good.
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::engine::outcome::Validity;
use crate::engine::time::Timestamp;

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// How long a certificate (DER) is good (RFC 5280, 4.1): the only field that is looked at here.
pub fn validity(certificate: &[u8]) -> Option<Validity> {
    let (certificate, _) = take(certificate, SEQUENCE)?;
    let (mut fields, _) = take(certificate, SEQUENCE)?;
    if let Some((_, rest)) = take(fields, VERSION) {
        fields = rest;
    }
    for before in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = take(fields, before)?;
    }
    let (validity, _) = take(fields, SEQUENCE)?;
    let (begins, rest) = time(validity)?;
    let (ends, _) = time(rest)?;
    Some(Validity { begins, ends })
}

/// The moment at the beginning, and what follows it.
fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let found = take(bytes, UTC_TIME).or_else(|| take(bytes, GENERALIZED_TIME));
    let (text, rest) = found?;
    Some((moment(std::str::from_utf8(text).ok()?)?, rest))
}

/// The contents of the value with this tag at the beginning, and what follows it.
fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, mut rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    let mut length = usize::from(*length);
    if length >= 0x80 {
        let (digits, after) = rest.split_at_checked(length - 0x80)?;
        if digits.len() > 4 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    rest.split_at_checked(length)
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn moment(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let digits = match digits.len() {
        // RFC 5280: years from 50 on are of the last century.
        12 if digits >= "5" => format!("19{digits}"),
        12 => format!("20{digits}"),
        _ => digits.to_owned(),
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    // RFC 5280: the last second of the year 9999 says that there is no end; it is past what is
    // counted here.
    let timestamp = TimeZone::UTC.to_timestamp(civil);
    let timestamp = timestamp.unwrap_or(jiff::Timestamp::MAX);
    Some(Timestamp(timestamp.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms_of_time() {
        for (year, month, day, expected) in [
            (2026, 1, 2, Some(1_767_312_000_000)),
            (1999, 12, 31, Some(946_598_400_000)),
            (2051, 6, 1, Some(2_569_190_400_000)),
        ] {
            let mut asked = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
            asked.not_before = rcgen::date_time_ymd(1990, 1, 1);
            asked.not_after = rcgen::date_time_ymd(year, month, day);
            let key = rcgen::KeyPair::generate().unwrap();
            let made = asked.self_signed(&key).unwrap();
            let read = validity(made.der());
            assert_eq!(read.map(|read| read.ends.0), expected, "{year}");
            assert_eq!(read.map(|read| read.begins.0), Some(631_152_000_000));
        }
    }

    #[test]
    fn a_certificate_without_an_end_is_good_for_as_long_as_can_be_counted() {
        let last = Timestamp(jiff::Timestamp::MAX.as_millisecond());
        assert_eq!(moment("99991231235959Z"), Some(last));
        assert_eq!(moment("99991232235959Z"), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let whole = made.cert.der().to_vec();
        assert!(validity(&whole).is_some());
        for length in 0..200 {
            assert_eq!(validity(&whole[..length.min(whole.len())]), None);
        }
        for first in [
            &[][..],
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x80",
            b"\x30\xff\x01",
        ] {
            assert_eq!(validity(first), None);
        }
        for text in ["", "Z", "260102000000", "2601020000Z", "269902000000Z", "a"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
