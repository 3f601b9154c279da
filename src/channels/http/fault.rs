//! Why a call brought no answer: whether anything was sent, and whose fault it was.

use std::error::Error;

use super::guard::Refused;
use crate::channels::Sent;
use crate::channels::outcome::{self, cause, find};
use crate::engine::outcome::Outcome;

/// A call without an answer, and what it is for the attempt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Fault {
    pub outcome: Outcome,
    words: String,
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
    pub(super) fn new(outcome: Outcome, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { outcome, words }
    }

    /// The address cannot or may not be called.
    pub(super) fn of_address(words: impl Into<String>) -> Self {
        Self::new(Outcome::RefusedTarget, words)
    }

    /// The same where the channel itself put the address, or whatever it is, into the request: each
    /// page of the channel fails so, whoever it is for.
    pub(super) fn blaming_us(self) -> Self {
        if self.outcome == Outcome::RefusedTarget {
            Self::new(Outcome::RefusedCredential, self.words)
        } else {
            self
        }
    }

    /// What came of an attempt that ended so.
    pub fn sent(&self) -> Sent {
        Sent::new(self.outcome, outcome::provider_words(&self.words, &[]))
    }

    /// Reads an error and all that caused it.
    pub(super) fn of(stage: Stage, error: &(dyn Error + 'static)) -> Self {
        if let Some(refused) = find::<Refused>(error) {
            return Self::of_address(refused.to_string());
        }
        // A handshake that fails will fail again; on a standing connection TLS is only one more
        // way of being cut off, unless the certificate is the reason.
        let is_final = |tls: &&rustls::Error| {
            stage == Stage::Connecting || matches!(tls, rustls::Error::InvalidCertificate(_))
        };
        if let Some(tls) = find::<rustls::Error>(error).filter(is_final) {
            return Self::new(outcome::of_tls(tls), format!("TLS: {tls}"));
        }
        let outcome = match stage {
            Stage::Connecting => Outcome::Transient,
            // The request was handed over and no answer came.
            Stage::Connected => Outcome::Unknown,
        };
        Self::new(outcome, innermost(error).to_string())
    }
}

fn innermost<'error>(error: &'error (dyn Error + 'static)) -> &'error (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(error) = cause(innermost) {
        innermost = error;
    }
    innermost
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError;

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
            assert_eq!(fault.outcome, outcome, "{stage:?} {error}");
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
            assert_eq!(Fault::of(stage, &reset).outcome, outcome);
        }
    }
}
