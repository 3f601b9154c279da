//! Certificate and key of a listening address, as they lie in files: read, checked, and how long
//! they are good.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::channels::certificate;
use crate::config::TlsFiles;
use crate::engine::outcome::Validity;
use crate::engine::time::Timestamp;

/// Chains have a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{} cannot be read ({source}): make it readable for the user of this process",
            path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is larger than 1 MiB: use a file that contains only certificates or a key",
            path.display())]
    TooLarge { path: PathBuf },
    #[error("{} is not PEM ({source}): write it again", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} contains no certificate in PEM: put the server's certificate into it, followed by \
        its issuers'", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} contains no private key in PEM: put the certificate's key into it, without a \
        passphrase", path.display())]
    NoKey { path: PathBuf },
    #[error("{} and {} cannot be used ({source}): set a certificate and its own key",
            certificate.display(), key.display())]
    Unusable {
        certificate: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
    #[error("{} contains a certificate whose expiry date cannot be read: have it reissued",
            path.display())]
    NoEnd { path: PathBuf },
    #[error("{} contains an expired certificate: renew it", path.display())]
    Expired { path: PathBuf },
    #[error("{} contains a certificate that is valid only from {begins}: it will be used then",
            path.display())]
    NotYet { path: PathBuf, begins: Timestamp },
}

/// Both files as they were read.
#[derive(PartialEq, Eq)]
pub struct CertificateFiles {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate with its key.
pub struct Pair {
    pub key: CertifiedKey,
    pub chain: Chain,
}

/// How long the certificates of a chain are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The one that is ours.
    pub own: Validity,
    /// Of its issuers, in the order of the file. Clients may know another way past one that ended.
    pub issuers: Vec<Validity>,
}

impl CertificateFiles {
    /// Reads both files.
    pub fn read(files: &TlsFiles) -> Result<Self, CertificateError> {
        Ok(Self {
            certificate: read_file(&files.certificate)?,
            key: read_file(&files.key)?,
        })
    }

    /// What is in them, if the key is that of the certificate. That it is good now is for the
    /// caller.
    pub fn pair(&self, files: &TlsFiles) -> Result<Pair, CertificateError> {
        let path = || files.certificate.clone();
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| CertificateError::Pem {
                path: path(),
                source,
            })?;
        if chain.is_empty() {
            return Err(CertificateError::NoCertificate { path: path() });
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| {
            let path = files.key.clone();
            match source {
                pem::Error::NoItemsFound => CertificateError::NoKey { path },
                source => CertificateError::Pem { path, source },
            }
        })?;
        let validities = chain.iter().map(|one| certificate::validity(one));
        let validities = validities.collect::<Option<Vec<_>>>();
        let mut validities = validities.unwrap_or_default().into_iter();
        let own = validities.next();
        let own = own.ok_or_else(|| CertificateError::NoEnd { path: path() })?;
        let issuers = validities.collect();
        let key = CertifiedKey::from_der(chain, key, &default_provider());
        let key = key.map_err(|source| CertificateError::Unusable {
            certificate: path(),
            key: files.key.clone(),
            source,
        })?;
        let chain = Chain { own, issuers };
        Ok(Pair { key, chain })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut part = file.take(FILE_BYTES_MAX + 1);
    part.read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(CertificateError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}
