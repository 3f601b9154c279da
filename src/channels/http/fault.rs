//! Why a call brought no answer: whether anything was sent, and whose fault it was.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use super::guard::Refused;
use crate::channels::{Sent, outcome};
use crate::engine::outcome::Outcome;

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The address cannot or may not be called.
    #[error("{0}")]
    Address(String),
    /// The request cannot be made, because of what the channel itself puts into it: its address,
    /// its headers, its credentials. Each page of the channel fails so, whoever it is for.
    #[error("{0}")]
    Own(String),
    /// Nothing was sent: refused, reset, not found, not connected in time.
    #[error("{0}")]
    NotSent(String),
    /// The request was handed over and no answer came.
    #[error("{0}")]
    NoAnswer(String),
    /// The certificate is for another name.
    #[error("{0}")]
    TlsName(String),
    /// The certificate or the handshake is not acceptable for another reason.
    #[error("{0}")]
    TlsOther(String),
}

/// How far a call had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Looking up the name, connecting, shaking hands.
    Connecting,
    /// The connection stood.
    Connected,
}

impl Fault {
    /// The outcome of an attempt that ended so.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Address(_) => Outcome::RefusedTarget,
            Self::Own(_) => Outcome::RefusedCredential,
            Self::NotSent(_) => Outcome::Transient,
            Self::NoAnswer(_) => Outcome::Unknown,
            Self::TlsName(_) => Outcome::TlsNameMismatch,
            Self::TlsOther(_) => Outcome::TlsOther,
        }
    }

    /// What came of an attempt that ended so.
    pub fn sent(&self) -> Sent {
        Sent::new(
            self.outcome(),
            outcome::provider_words(&self.to_string(), &[]),
        )
    }

    /// Reads an error and all that caused it.
    pub(super) fn of(stage: Stage, error: &(dyn Error + 'static)) -> Self {
        if let Some(refused) = find::<Refused>(error) {
            return Self::Address(refused.to_string());
        }
        if let Some(tls) = find::<rustls::Error>(error)
            && let Some(fault) = Self::of_tls(stage, tls)
        {
            return fault;
        }
        let words = innermost(error).to_string();
        match stage {
            Stage::Connecting => Self::NotSent(words),
            Stage::Connected => Self::NoAnswer(words),
        }
    }

    fn of_tls(stage: Stage, error: &rustls::Error) -> Option<Self> {
        let words = format!("TLS: {error}");
        if let rustls::Error::InvalidCertificate(problem) = error {
            return Some(match problem {
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::TlsName(words),
                _ => Self::TlsOther(words),
            });
        }
        // A handshake that fails will fail again; on a standing connection TLS is only one more
        // way of being cut off.
        match stage {
            Stage::Connecting => Some(Self::TlsOther(words)),
            Stage::Connected => None,
        }
    }
}

/// The first error of a kind in the chain. An I/O error hides what it wraps from `source`, so it
/// is opened on the way.
fn find<'error, E: Error + 'static>(error: &'error (dyn Error + 'static)) -> Option<&'error E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = cause(error);
    }
    None
}

fn innermost<'error>(error: &'error (dyn Error + 'static)) -> &'error (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(error) = cause(innermost) {
        innermost = error;
    }
    innermost
}

fn cause<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(error: rustls::Error) -> io::Error {
        io::Error::other(io::Error::other(error))
    }

    #[test]
    fn tls_errors_are_found_inside_io_errors_and_told_apart() {
        use rustls::Error::{DecryptError, InvalidCertificate};
        let name = InvalidCertificate(CertificateError::NotValidForName);
        let expired = InvalidCertificate(CertificateError::Expired);
        let unknown = InvalidCertificate(CertificateError::UnknownIssuer);
        let cases = [
            (Stage::Connecting, name, Outcome::TlsNameMismatch),
            (Stage::Connecting, expired, Outcome::TlsOther),
            (Stage::Connecting, unknown, Outcome::TlsOther),
            (Stage::Connecting, DecryptError, Outcome::TlsOther),
            (Stage::Connected, DecryptError, Outcome::Unknown),
        ];
        for (stage, error, outcome) in cases {
            let fault = Fault::of(stage, &wrapped(error.clone()));
            assert_eq!(fault.outcome(), outcome, "{stage:?} {error}");
        }
    }

    #[test]
    fn the_stage_decides_whether_anything_may_have_been_sent() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let cases = [
            (Stage::Connecting, Outcome::Transient),
            (Stage::Connected, Outcome::Unknown),
        ];
        for (stage, outcome) in cases {
            assert_eq!(Fault::of(stage, &reset).outcome(), outcome);
        }
    }
}
