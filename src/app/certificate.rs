//! Certificate and key of a listening address, as they lie in files: read, checked, and how long
//! they are good.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::config::TlsFiles;
use crate::engine::time::Wall;

/// Chains have a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{} cannot be read ({source}): give the user of this process the right to read it",
            path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is larger than 1 MiB: give a file that holds only certificates or a key",
            path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is no PEM ({source}): write it anew", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} holds no certificate in PEM: write the server's certificate into it, and then \
             those of its issuers", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds no private key in PEM: write the key of the certificate into it, without a \
             passphrase", path.display())]
    NoKey { path: PathBuf },
    #[error("{} and {} cannot be used ({source}): write the certificate and its own key",
            certificate.display(), key.display())]
    Unusable {
        certificate: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
    #[error("{} holds a certificate whose end cannot be read: have it issued anew",
            path.display())]
    NoEnd { path: PathBuf },
    #[error("{} holds a certificate that has expired: have it renewed", path.display())]
    Expired { path: PathBuf },
}

/// Both files as they were read.
#[derive(PartialEq, Eq)]
pub struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate with its key.
pub struct Pair {
    pub key: CertifiedKey,
    /// When the first certificate of the chain expires.
    pub ends: Wall,
}

impl Contents {
    /// Reads both files.
    pub fn read(files: &TlsFiles) -> Result<Self, Fault> {
        Ok(Self {
            certificate: read_file(&files.certificate)?,
            key: read_file(&files.key)?,
        })
    }

    /// What is in them, if the key is that of the certificate. That it has not expired is for the
    /// caller.
    pub fn pair(&self, files: &TlsFiles) -> Result<Pair, Fault> {
        let path = || files.certificate.clone();
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| Fault::Pem {
                path: path(),
                source,
            })?;
        if chain.is_empty() {
            return Err(Fault::NoCertificate { path: path() });
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| {
            let path = files.key.clone();
            match source {
                pem::Error::NoItemsFound => Fault::NoKey { path },
                source => Fault::Pem { path, source },
            }
        })?;
        let ends = chain.iter().map(|one| not_after(one)).min().flatten();
        let ends = ends.ok_or_else(|| Fault::NoEnd { path: path() })?;
        let key = CertifiedKey::from_der(chain, key, &default_provider());
        let key = key.map_err(|source| Fault::Unusable {
            certificate: path(),
            key: files.key.clone(),
            source,
        })?;
        Ok(Pair { key, ends })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |source| Fault::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut part = file.take(FILE_BYTES_MAX + 1);
    part.read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(Fault::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The end of a certificate's validity (RFC 5280, 4.1): the only field that is looked at here.
fn not_after(certificate: &[u8]) -> Option<Wall> {
    let (certificate, _) = take(certificate, SEQUENCE)?;
    let (mut fields, _) = take(certificate, SEQUENCE)?;
    if let Some((_, rest)) = take(fields, VERSION) {
        fields = rest;
    }
    for before in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = take(fields, before)?;
    }
    let (validity, _) = take(fields, SEQUENCE)?;
    let time = |bytes| take(bytes, UTC_TIME).or_else(|| take(bytes, GENERALIZED_TIME));
    let (_, rest) = time(validity)?;
    let (text, _) = time(rest)?;
    moment(std::str::from_utf8(text).ok()?)
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
fn moment(text: &str) -> Option<Wall> {
    let digits = text.strip_suffix('Z')?;
    let digits = match digits.len() {
        // RFC 5280: years from 50 on are of the last century.
        12 if digits >= "5" => format!("19{digits}"),
        12 => format!("20{digits}"),
        _ => digits.to_owned(),
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let timestamp = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Wall(timestamp.as_millisecond()))
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
            assert_eq!(not_after(made.der()).map(|end| end.0), expected, "{year}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let whole = made.cert.der().to_vec();
        assert!(not_after(&whole).is_some());
        for length in 0..200 {
            assert_eq!(not_after(&whole[..length.min(whole.len())]), None);
        }
        for first in [
            &[][..],
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x80",
            b"\x30\xff\x01",
        ] {
            assert_eq!(not_after(first), None);
        }
        for text in ["", "Z", "260102000000", "2601020000Z", "269902000000Z", "a"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
